//! What a source says it has withdrawn (RFC 6721).

use super::{Context, date, text};
use crate::model::{EntryId, Flaw, FlawCode, ParsedFeed, Tombstone};

/// The most tombstones that are read from one document; as many as entries.
const MOST: usize = 5000;

/// The tombstones of a document. One without a date that can be read was laid now; so was one of the future.
pub fn withdrawn(parsed: &ParsedFeed, context: &Context<'_>) -> (Vec<Tombstone>, Vec<Flaw>) {
    let mut flaws = Vec::new();
    if parsed.withdrawn.len() > MOST {
        flaws.push(Flaw::new(FlawCode::LimitReached, format!("more than {MOST} withdrawn entries")));
    }
    let mut tombstones = Vec::new();
    for (id, written) in parsed.withdrawn.iter().take(MOST) {
        let id = text::legal(id).trim().to_owned();
        if id.is_empty() {
            continue;
        }
        let read = written.as_deref().map(|written| (written, date::read(written, context.now, context.timezone)));
        let when = match read {
            Some((_, Ok(reading))) => reading.at.to_utc().min(context.now),
            Some((written, Err(why))) => {
                let written: String = written.chars().take(80).collect();
                flaws.push(Flaw::new(FlawCode::DateUnreadable, format!("{written:?} of a withdrawn entry: {why}")));
                context.now
            }
            None => context.now,
        };
        tombstones.push(Tombstone { id: EntryId(id), when });
    }
    (tombstones, flaws)
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;
    use chrono::{DateTime, Utc};
    use url::Url;

    #[test]
    fn tombstones_are_read_whatever_their_dates_look_like() {
        let now: DateTime<Utc> = "2026-11-23T00:00:00Z".parse().unwrap();
        let base = Url::parse("https://example.org/feed").unwrap();
        let timezone = chrono_tz::Asia::Shanghai;
        let context = Context { now, timezone, language: "en", base: &base, kind: Kind::External };
        for (id, when, expected, flaw) in [
            (" tag:a ", Some("2026-11-22T12:00:00+08:00"), Some(("tag:a", "2026-11-22T04:00:00Z")), false),
            ("a", Some("Sun, 22 Nov 2026 04:00:00 GMT"), Some(("a", "2026-11-22T04:00:00Z")), false),
            ("a", Some("2027-01-01T00:00:00Z"), Some(("a", "2026-11-23T00:00:00Z")), false),
            ("a", Some("soon\u{7}"), Some(("a", "2026-11-23T00:00:00Z")), true),
            ("a", None, Some(("a", "2026-11-23T00:00:00Z")), false),
            ("  ", None, None, false),
        ] {
            let withdrawn = vec![(id.to_owned(), when.map(str::to_owned))];
            let (read, flaws) = withdrawn_of(withdrawn, &context);
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(id, when)| Tombstone { id: EntryId(id.to_owned()), when: when.parse().unwrap() })
                .collect();
            assert_eq!((read, flaws.len()), (expected, usize::from(flaw)), "{id:?} {when:?}");
        }
        let many = (0..MOST + 10).map(|n| (n.to_string(), None)).collect();
        let (read, flaws) = withdrawn_of(many, &context);
        assert_eq!((read.len(), flaws[0].code), (MOST, FlawCode::LimitReached));
    }

    fn withdrawn_of(withdrawn: Vec<(String, Option<String>)>, context: &Context<'_>) -> (Vec<Tombstone>, Vec<Flaw>) {
        super::withdrawn(&ParsedFeed { withdrawn, ..ParsedFeed::default() }, context)
    }
}
