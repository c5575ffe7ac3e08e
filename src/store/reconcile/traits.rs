//! Weak evidence of identity: what stays of an article when its source gives it another id and another address.

use super::visible;
use crate::model::{DateRung, Dated, Entry, Key, KeyKind, Precision};
use sha2::{Digest, Sha256};

/// A title with fewer letters than this says nothing.
const LETTERS: usize = 6;
/// A text with fewer characters than this says nothing.
const TEXT: usize = 24;

/// What kind of weak evidence, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The same title on the same day.
    TitleDay,
    /// The same path on another host, and the same title.
    PathTitle,
    /// The same path on another host, and the same instant.
    PathInstant,
    /// The same text.
    Text,
    /// The same title, on whatever day.
    Title,
    /// The same second.
    Instant,
    /// The same title at the same second.
    TitleInstant,
    /// The same text at the same second.
    TextInstant,
    /// The same title and the same text in the same minute.
    TitleTextMinute,
}

impl Kind {
    pub(super) const ALL: [Self; 6] =
        [Self::TitleDay, Self::PathTitle, Self::PathInstant, Self::Text, Self::Title, Self::Instant];

    /// What tells an entry even if it is alone: two things at once, one of them a second; or three, one of them a minute.
    pub(super) const SURE: [Self; 4] =
        [Self::PathInstant, Self::TitleInstant, Self::TextInstant, Self::TitleTextMinute];
}

/// One piece of weak evidence.
pub(super) type Trait = (Kind, String);

/// Everything of the kind that an entry has.
pub(super) fn of(entry: &Entry, keys: &[Key], kind: Kind, affixes: Affixes) -> Vec<Trait> {
    let tails = || keys.iter().filter(|key| key.kind == KeyKind::Link).filter_map(|key| key.value.split_once('/'));
    let tails = || tails().map(|(_, tail)| tail).filter(|tail| !tail.is_empty());
    let title = plain(&entry.title);
    let values: Vec<String> = match kind {
        Kind::TitleDay => {
            keys.iter().filter(|key| key.kind == KeyKind::TitleDay).map(|key| key.value.clone()).collect()
        }
        Kind::PathTitle => tails().filter(|_| !title.is_empty()).map(|tail| format!("{tail}\n{title}")).collect(),
        Kind::PathInstant => at_instant(entry, tails().map(str::to_owned)),
        Kind::TitleInstant => at_instant(entry, Some(title).filter(says).into_iter()),
        Kind::TextInstant => at_instant(entry, texts(entry).into_iter()),
        Kind::TitleTextMinute => {
            let Some(minute) = minute(&entry.published).filter(|_| says(&title)) else { return Vec::new() };
            texts(entry).into_iter().map(|text| format!("{title}\n{text}\n{minute}")).collect()
        }
        Kind::Text => texts(entry),
        Kind::Title => {
            // The core is compared with cores only: what all titles share may be a part of each.
            let core = Some(affixes.cut(&title)).filter(says).map(|core| format!("core {core}"));
            core.into_iter().chain(Some(title).filter(says)).collect()
        }
        Kind::Instant => instant(&entry.published).into_iter().collect(),
    };
    values.into_iter().map(|value| (kind, value)).collect()
}

/// Whether a title has letters enough to say something.
#[expect(clippy::ptr_arg, reason = "the signature that `Option::filter` wants")]
fn says(title: &String) -> bool {
    title.chars().filter(|c| c.is_alphabetic()).count() >= LETTERS
}

fn at_instant(entry: &Entry, values: impl Iterator<Item = String>) -> Vec<String> {
    let Some(instant) = instant(&entry.published) else { return Vec::new() };
    values.map(|value| format!("{value}\n{instant}")).collect()
}

/// The texts of an entry, each as a hash, where they are long enough to say something.
pub(super) fn texts(entry: &Entry) -> Vec<String> {
    let long = |text: String| (text.chars().nth(TEXT).is_some()).then_some(text);
    let content = entry.content.as_deref().map(visible::text_of).and_then(long);
    let summary = entry.summary.as_deref().map(visible::text_of).and_then(long);
    let mut texts: Vec<_> = content.into_iter().chain(summary).map(|text| hash(&text)).collect();
    texts.dedup();
    texts
}

/// Whether two entries say the same.
pub(super) fn share_text(one: &Entry, other: &Entry) -> bool {
    let texts = texts(one);
    !texts.is_empty() && self::texts(other).iter().any(|text| texts.contains(text))
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| char::from(*byte)).collect()
}

/// An instant that was given to the second.
fn instant(dated: &Dated) -> Option<String> {
    (dated.precision == Precision::Second && dated.rung != DateRung::FirstSeen)
        .then(|| dated.at.timestamp_millis().to_string())
}

/// The minute of an instant that was given to the minute or the second.
fn minute(dated: &Dated) -> Option<i64> {
    let is_exact = dated.precision != Precision::Day && dated.rung != DateRung::FirstSeen;
    is_exact.then(|| dated.at.timestamp().div_euclid(60))
}

/// The letters and digits of a title, in lower case and half width.
pub(super) fn plain(title: &str) -> String {
    let half_width = |c: char| match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        c => c,
    };
    title.chars().map(half_width).filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// What all titles of a page begin and end with, such as the name of the site, in characters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Affixes {
    start: usize,
    end: usize,
}

impl Affixes {
    /// The affixes that all of these titles share; none for fewer than three.
    pub(super) fn of<'a>(titles: impl Iterator<Item = &'a str>) -> Self {
        let titles: Vec<Vec<char>> = titles.map(|title| plain(title).chars().collect()).collect();
        let [first, rest @ ..] = titles.as_slice() else { return Self::default() };
        if rest.len() < 2 {
            return Self::default();
        }
        let common = |a: &mut dyn Iterator<Item = &char>, b: &mut dyn Iterator<Item = &char>| {
            a.zip(b).take_while(|(a, b)| a == b).count()
        };
        let start = rest.iter().map(|other| common(&mut first.iter(), &mut other.iter())).min();
        let end = rest.iter().map(|other| common(&mut first.iter().rev(), &mut other.iter().rev())).min();
        Self { start: start.unwrap_or(0), end: end.unwrap_or(0) }
    }

    fn cut(self, title: &str) -> String {
        let length = title.chars().count().saturating_sub(self.end);
        title.chars().take(length).skip(self.start).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn affixes_are_what_all_titles_share() {
        for (titles, title, expected) in [
            (
                &["【热点】甲乙 | 合流网", "【热点】丙丁 | 合流网", "【热点】戊 | 合流网"][..],
                "【热点】己庚 | 合流网",
                "己庚",
            ),
            (&["甲乙", "丙丁", "戊己"], "甲乙", "甲乙"),
            (&["甲乙 X", "丙丁 X"], "甲乙 X", "甲乙x"),
            (&[], "甲", "甲"),
            (&["a", "a", "a"], "a", ""),
            (&["aa", "aaa", "aaaa"], "aa", ""),
        ] {
            let affixes = Affixes::of(titles.iter().copied());
            assert_eq!(affixes.cut(&plain(title)), expected, "{titles:?}");
        }
    }

    #[test]
    fn titles_are_compared_by_their_letters() {
        for (title, expected) in [(" Ａ b-C！", "abc"), ("“深”一度：甲", "深一度甲"), ("…", "")] {
            assert_eq!(plain(title), expected);
        }
    }
}
