//! What is said of withdrawn entries.

use super::tree::parse;
use super::{atom_rules, json_rules, sample, site};
use crate::model::{EntryId, Feed, Tombstone};
use crate::render::{Form, atom, json_feed, rss};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

const AT: &str = "http://purl.org/atompub/tombstones/1.0";

fn tombstone(id: &str, when: DateTime<Utc>) -> Tombstone {
    Tombstone { id: EntryId(id.to_owned()), when }
}

fn ids(feed: &Feed) -> Vec<&str> {
    feed.tombstones.iter().map(|one| one.id.0.as_str()).collect()
}

#[test]
fn a_feed_carries_the_newest_tombstones_of_what_it_does_not_show() {
    let mut feed = sample::feed(3);
    let (updated, shown) = (feed.updated, feed.entries[1].entry.id.0.clone());
    let days = |days: i64| updated - TimeDelta::days(days);
    let laid = vec![
        tombstone("old", days(91)),
        tombstone("b", days(3)),
        tombstone("edge", days(90)),
        tombstone("a", days(3)),
        tombstone(&shown, days(1)),
        tombstone("twice", days(2)),
        tombstone("twice", days(5)),
    ];
    let mut reversed = feed.clone();
    feed.bury(laid.clone());
    assert_eq!(ids(&feed), ["twice", "a", "b", "edge"]);
    reversed.bury(laid.into_iter().rev().collect());
    assert_eq!(feed, reversed, "in whatever order they come");
    // The newest tombstone is a change too.
    feed.bury(vec![tombstone("edge", days(90)), tombstone("new", days(-1))]);
    assert_eq!(ids(&feed), ["new"]);
    feed.bury((0..99).map(|n| tombstone(&n.to_string(), updated - TimeDelta::minutes(n))).collect());
    assert_eq!((feed.tombstones.len(), ids(&feed)[49]), (50, "49"));
    feed.bury(Vec::new());
    assert!(feed.tombstones.is_empty());
}

#[test]
fn atom_and_json_name_what_was_withdrawn_and_rss_does_not() {
    let mut feed = sample::feed(2);
    let plain = (rss(&feed, &site()), atom(&feed, &site()), json_feed(&feed, &site()));
    assert!(!plain.1.contains("tombstones") && !plain.2.contains("tombstones"), "no byte more where there are none");
    let when = sample::instant("2026-11-23T10:00:00+00:00").to_utc();
    let ids = ["https://example.org/?a=1&b=\"2\"", "tag:example.org,2026:<x>", "not an IRI \u{8}'"];
    feed.bury(ids.iter().map(|id| tombstone(id, when)).collect());
    let (atom, json) = (atom(&feed, &site()), json_feed(&feed, &site()));
    assert_eq!(rss(&feed, &site()), plain.0);
    atom_rules::check(&atom, &Form::Atom.address(&feed, &site())).unwrap_or_else(|why| panic!("{why}\n{atom}"));
    json_rules::check(&json, &Form::Json.address(&feed, &site())).unwrap_or_else(|why| panic!("{why}\n{json}"));
    let document = parse(&atom).unwrap();
    assert!(atom.contains("\n <updated>2026-11-23T10:00:00+00:00</updated>\n"), "a withdrawal is a change of the feed");
    let stones: Vec<_> = document.all(AT, "deleted-entry").collect();
    assert_eq!(stones.len(), 3);
    assert!(stones.iter().all(|stone| stone.attr("when") == Some("2026-11-23T10:00:00+00:00")));
    // An id stands in the tombstone as it stood in the entry.
    let mut shown = sample::feed(3);
    for (record, id) in shown.entries.iter_mut().zip(ids) {
        record.entry.id = EntryId(id.to_owned());
    }
    let entries = crate::render::atom(&shown, &site());
    for stone in &stones {
        let id = stone.attr("ref").unwrap();
        let written = id.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        assert!(entries.contains(&format!("<id>{written}</id>")), "{id}");
    }
    let json: Value = serde_json::from_str(&json).unwrap();
    let when = "2026-11-23T10:00:00+00:00";
    let expected = json!([
        {"id": ids[0], "when": when},
        {"id": "not an IRI '", "when": when},
        {"id": ids[1], "when": when},
    ]);
    assert_eq!(json["_heliu"]["tombstones"], expected);
}

#[test]
fn the_atom_checker_rejects_bad_tombstones() {
    let mut feed = sample::feed(1);
    let at = feed.updated;
    feed.bury(vec![tombstone("tag:x", at), tombstone("tag:y", at)]);
    let good = atom(&feed, &site());
    let shown = feed.entries[0].entry.id.0.clone();
    for (from, to) in [
        ("ref=\"tag:x\" ", ""),
        ("ref=\"tag:x\"", "ref=\"not an IRI\""),
        ("ref=\"tag:x\"", "ref=\"tag:y\""),
        ("ref=\"tag:x\"", &*format!("ref=\"{shown}\"")),
        ("when=\"2026-", "when=\"26-"),
        (" when=\"", " wann=\""),
    ] {
        assert!(good.contains(from), "{from:?} is not in {good}");
        let spoilt = good.replacen(from, to, 1);
        assert!(atom_rules::check(&spoilt, &Form::Atom.address(&feed, &site())).is_err(), "accepted {to:?}");
    }
}
