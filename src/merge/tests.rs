mod merger;
mod pairs;

use super::{ChannelInput, add_inner, feed};
use crate::config::{Address, Channel, Duplicates, FeedSpec, ListPage, Origin, PageAddress};
use crate::model::{DateRung, Dated, Entry, EntryId, Feed, Precision, Record, Standing};
use chrono::{DateTime, TimeZone, Utc};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::collections::HashSet;

fn channel(name: &str, is_page: bool) -> Channel {
    let url: Address = format!("http://{name}.example.org/list").parse().unwrap();
    let second: Address = "https://other.example.org/".parse().unwrap();
    let page = |url| PageAddress { url, next: None };
    let origin = if is_page {
        Origin::Page(Box::new(ListPage { addresses: vec![page(url), page(second)], ..ListPage::default() }))
    } else {
        Origin::Feed { url }
    };
    Channel {
        id: name.parse().unwrap(),
        title: name.into(),
        origin,
        every: None,
        timezone: chrono_tz::Asia::Shanghai,
        language: "zh-CN".into(),
        snapshot: None,
        rules: crate::rule::Rules::default(),
        obeys_robots: true,
        trust: crate::model::Trust::default(),
    }
}

fn spec(limit: usize) -> FeedSpec {
    FeedSpec {
        id: "merged".parse().unwrap(),
        title: "合集".to_owned(),
        description: "一句话".to_owned(),
        language: "zh-CN".to_owned(),
        channels: vec!["a".parse().unwrap(), "b".parse().unwrap()],
        feeds: Vec::new(),
        limit,
        duplicates: Duplicates::default(),
        quota: None,
        max_age: None,
        rules: crate::rule::Rules::default(),
    }
}

fn at(seconds: i64) -> DateTime<Utc> {
    Utc.timestamp_opt(1_700_000_000 + seconds, 0).unwrap()
}

/// A record of a channel: id, path of its page, seconds of its publication, sequence number, whether it has content.
fn record(channel: &str, id: &str, path: Option<&str>, published: i64, seq: u64, has_content: bool) -> Record {
    Record {
        channel: channel.parse().unwrap(),
        number: seq,
        seq,
        first_seen: at(published),
        changed: at(i64::try_from(seq).unwrap()),
        standing: Standing::Live,
        withdrawn: None,
        entry: Entry {
            url: path.map(|path| format!("{}://h/{path}", if seq.is_multiple_of(2) { "http" } else { "https" })),
            content: has_content.then(|| "<p>x</p>".to_owned()),
            ..Entry::new(
                id,
                format!("{channel} {id}"),
                Dated { at: at(published).fixed_offset(), precision: Precision::Second, rung: DateRung::List },
            )
        },
    }
}

fn merged(a: Vec<Record>, b: Vec<Record>, limit: usize) -> Feed {
    let channels = [channel("a", true), channel("b", false)];
    let [first, second] = &channels;
    let inputs = [ChannelInput::new(first, a), ChannelInput::new(second, b)];
    feed(&spec(limit), &inputs, at(-5))
}

/// `channel id` of each entry.
fn shown(feed: &Feed) -> Vec<&str> {
    feed.entries.iter().map(|record| record.entry.title.as_str()).collect()
}

#[test]
fn newest_first_then_channel_then_latest_born_then_id() {
    let a = vec![
        record("a", "1", None, 10, 1, true),
        record("a", "2", None, 30, 2, true),
        record("a", "3", None, 20, 3, true),
        record("a", "4", None, 20, 5, true),
        record("a", "6", None, 20, 5, true),
    ];
    let b = vec![record("b", "5", None, 20, 9, true), record("b", "0", None, 40, 8, true)];
    assert_eq!(shown(&merged(a, b, 50)), ["b 0", "a 2", "a 4", "a 6", "a 3", "b 5", "a 1"]);
}

#[test]
fn a_touched_entry_keeps_its_place_among_entries_of_one_date() {
    let mut a = vec![record("a", "1", None, 20, 1, true), record("a", "2", None, 20, 2, true)];
    a[0].seq = 9;
    assert_eq!(shown(&merged(a, vec![], 50)), ["a 2", "a 1"]);
}

#[test]
fn one_article_of_two_channels_is_one_entry() {
    for (a, b, expected) in [
        // The same id, the same page under two schemes, and neither.
        (("1", Some("x"), true), ("1", Some("y"), true), &["a 1"][..]),
        (("1", Some("x"), true), ("2", Some("x"), true), &["a 1"]),
        (("1", Some("x"), true), ("2", Some("y"), true), &["a 1", "b 2"]),
        (("1", None, true), ("2", None, true), &["a 1", "b 2"]),
        // The first channel wins, whoever has the text: an id that was shown stays.
        (("1", Some("x"), false), ("2", Some("x"), false), &["a 1"]),
        (("1", Some("x"), false), ("2", Some("x"), true), &["a 1"]),
        (("1", Some("x"), false), ("1", None, true), &["a 1"]),
        (("1", Some("x#1"), true), ("2", Some("x#2"), true), &["a 1"]),
    ] {
        let feed = merged(vec![record("a", a.0, a.1, 0, 1, a.2)], vec![record("b", b.0, b.1, 0, 2, b.2)], 50);
        assert_eq!(shown(&feed), expected, "{a:?} {b:?}");
    }
}

#[test]
fn entries_of_one_channel_may_share_a_page() {
    let a = vec![record("a", "1", Some("x"), 1, 2, true), record("a", "2", Some("x"), 0, 4, true)];
    assert_eq!(shown(&merged(a, vec![], 50)), ["a 1", "a 2"]);
}

#[test]
fn the_feed_is_as_old_as_its_last_shown_change() {
    let a = vec![record("a", "1", None, 10, 3, true), record("a", "2", None, 5, 99, true)];
    assert_eq!(merged(a.clone(), vec![], 50).updated, at(99));
    assert_eq!(merged(a, vec![], 1).updated, at(3), "what is not shown does not count");
    assert_eq!(merged(vec![], vec![], 50).updated, at(-5));
}

#[test]
fn a_feed_is_a_snapshot_as_long_as_it_shows_one() {
    let mut old = record("a", "1", None, 0, 1, true);
    old.standing = Standing::Snapshot;
    assert_eq!(merged(vec![old.clone()], vec![], 50).standing, Standing::Snapshot);
    assert_eq!(merged(vec![old], vec![record("b", "2", None, 9, 2, true)], 1).standing, Standing::Live);
    assert_eq!(merged(vec![], vec![], 1).standing, Standing::Live);
}

#[test]
fn only_a_feed_of_one_page_has_a_home() {
    let home = |channels: &[Channel]| {
        let inputs: Vec<_> = channels.iter().map(|channel| ChannelInput::new(channel, vec![])).collect();
        feed(&spec(1), &inputs, at(0)).home
    };
    assert_eq!(home(&[channel("a", true)]).as_deref(), Some("http://a.example.org/list"));
    assert_eq!(home(&[channel("a", false)]), None);
    assert_eq!(home(&[channel("a", true), channel("b", true)]), None);
    assert_eq!(home(&[]), None);
}

fn records(name: &'static str) -> impl Strategy<Value = Vec<Record>> {
    // Few values, so that ids, pages and instants collide often.
    let one = (0u8..8, option::of(0u8..5), 0i64..4, 0u64..6, any::<bool>());
    vec(one, 0..12).prop_map(move |all| {
        let make = |(id, path, published, seq, content): (u8, Option<u8>, _, _, _)| {
            let path = path.map(|path| path.to_string());
            record(name, &id.to_string(), path.as_deref(), published, seq, content)
        };
        let mut seen = HashSet::new();
        // The ledger has each id of a channel once.
        all.into_iter().map(make).filter(|record| seen.insert(record.entry.id.clone())).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_records_does_not_matter(a in records("a"), b in records("b"), turn in 0usize..12, limit in 1usize..20) {
        let once = merged(a.clone(), b.clone(), limit);
        let (mut a, mut b) = (a, b);
        let (x, y) = (turn % a.len().max(1), turn % b.len().max(1));
        a.rotate_left(x);
        a.reverse();
        b.rotate_left(y);
        prop_assert_eq!(merged(a, b, limit), once);
    }

    #[test]
    fn no_id_and_no_page_comes_twice_and_nothing_else_is_lost(a in records("a"), b in records("b"), limit in 1usize..30) {
        let feed = merged(a.clone(), b.clone(), limit);
        prop_assert!(feed.entries.len() <= limit);
        let ids: HashSet<_> = feed.entries.iter().map(|record| &record.entry.id).collect();
        prop_assert_eq!(ids.len(), feed.entries.len());
        prop_assert!(feed.entries.windows(2).all(|two| two[0].entry.published.at >= two[1].entry.published.at));
        let page = |record: &Record| record.entry.url.as_deref().map(|url| url.split("://").nth(1).unwrap().to_owned());
        for one in &feed.entries {
            for other in &feed.entries {
                prop_assert!(one.channel == other.channel || page(one).is_none() || page(one) != page(other));
            }
        }
        if limit >= a.len() + b.len() {
            // Whoever is missing has a twin that is shown: by id, or by page in the other channel.
            for lost in a.iter().chain(&b) {
                let twin = |shown: &Record| shown.entry.id == lost.entry.id
                    || shown.channel != lost.channel && page(shown).is_some() && page(shown) == page(lost);
                prop_assert!(feed.entries.iter().any(twin), "lost {:?}", lost.entry.title);
            }
        }
    }
}

/// Compiled as `heliu` compiles them.
fn rules(yaml: &str) -> crate::rule::Rules {
    let text = format!(
        "service: {{ title: t, base_url: 'http://h/' }}\nchannels: {{ a: {{ feed: 'http://h/f' }} }}\nfeeds: {{ a: {{ channels: [a], rules: {yaml} }} }}\n"
    );
    let loaded =
        crate::config::load(&text, "feeds.yaml", std::path::Path::new(""), &crate::config::Validators::default());
    loaded.config.expect("good rules").feeds.remove(0).rules
}

#[test]
fn rules_of_channels_come_before_joining_and_those_of_the_feed_before_its_limit() {
    let mut channels = [channel("a", true), channel("b", false)];
    channels[0].rules = rules("[{ drop: { title: 'a 1$' } }, { limit: 2 }]");
    let a: Vec<Record> = (1..6).map(|n| record("a", &n.to_string(), None, n, 2, true)).collect();
    let b: Vec<Record> = (1..4).map(|n| record("b", &format!("1{n}"), None, n, 2, true)).collect();
    let run = |yaml: &str| {
        let inputs = [ChannelInput::new(&channels[0], a.clone()), ChannelInput::new(&channels[1], b.clone())];
        let spec = FeedSpec { rules: rules(yaml), ..spec(4) };
        shown(&feed(&spec, &inputs, at(0))).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(run("[{ keep: { title: '.' } }]"), ["a 5", "a 4", "b 13", "b 12"]);
    assert_eq!(run("[{ drop: { title: 'b 13' } }]"), ["a 5", "a 4", "b 12", "b 11"], "the limit counts what is left");
    assert_eq!(run("[{ sort: { by: title } }, { rewrite: { field: title, pattern: '^a', with: 'z' } }]").len(), 4);
    assert_eq!(run("[{ drop: { title: '^b' } }]"), ["a 5", "a 4"], "the channel's own limit holds");
}

#[test]
fn the_rules_of_a_feed_see_the_text_of_the_twin_and_what_they_leave_out_counts_for_nothing() {
    let bare = record("a", "1", Some("x"), 10, 3, false);
    let (twin, late) = (record("b", "1", Some("x"), 10, 4, true), record("b", "2", None, 5, 99, true));
    let channels = [channel("a", true), channel("b", false)];
    let run = |yaml: &str| {
        let inputs = [
            ChannelInput::new(&channels[0], vec![bare.clone()]),
            ChannelInput::new(&channels[1], vec![twin.clone(), late.clone()]),
        ];
        feed(&FeedSpec { rules: rules(yaml), ..spec(50) }, &inputs, at(0))
    };
    assert_eq!(shown(&run("[{ keep: { has_content: true } }]")), ["a 1", "b 2"]);
    let limited = run("[{ limit: 1 }]");
    assert_eq!((shown(&limited), limited.updated), (vec!["a 1"], at(4)));
    let oldest = run("[{ sort: { by: published, order: ascending } }, { limit: 1 }]");
    assert_eq!((shown(&oldest), oldest.joined.len(), oldest.updated), (vec!["b 2"], 0, at(99)));
}

#[test]
fn where_rules_may_drop_entries_more_of_the_ledger_is_read() {
    let mut channels = [channel("a", true), channel("b", false)];
    channels[1].rules = rules("[{ drop: { title: '广告' } }]");
    let reach = |spec: &FeedSpec, place: usize| super::reach(spec, &channels[place]);
    let one = FeedSpec { channels: vec!["a".parse().unwrap()], ..spec(50) };
    assert_eq!((reach(&one, 0), reach(&spec(50), 0), reach(&spec(50), 1)), (50, 200, 1000));
    let picky = FeedSpec { rules: rules("[{ keep: { title: '时评' } }]"), ..one.clone() };
    let tidy = FeedSpec { rules: rules("[{ prefix: channel }]"), ..one };
    assert_eq!((reach(&picky, 0), reach(&tidy, 0), reach(&spec(500), 1)), (1000, 50, 2000));
}

#[test]
fn a_feed_of_feeds_shows_what_they_show_and_remembers_what_they_joined() {
    let mut channels = [channel("a", true), channel("b", false), channel("c", false)];
    let a: Vec<Record> = (1..4).map(|n| record("a", &n.to_string(), Some(&n.to_string()), n * 10, 1, true)).collect();
    let b = vec![record("b", "b2", Some("2"), 21, 5, true), record("b", "9", None, 90, 2, true)];
    let inner = FeedSpec { rules: rules("[{ rewrite: { field: title, pattern: '^', with: 'in ' } }]"), ..spec(3) };
    let inputs = [ChannelInput::new(&channels[0], a.clone()), ChannelInput::new(&channels[1], b.clone())];
    let inner = feed(&inner, &inputs, at(0));
    assert_eq!(shown(&inner), ["in b 9", "in a 3", "in a 2"]);

    // The rules of channels are not applied a second time, but those of the outer feed are.
    channels[0].rules = rules("[{ drop: { title: '.' } }]");
    let c = record("c", "c3", Some("3"), 31, 7, true);
    let mut outer = vec![ChannelInput::new(&channels[2], vec![c])];
    let known = |id: &crate::model::ChannelId| channels.iter().find(|channel| channel.id == *id);
    add_inner(&mut outer, &[&inner, &inner], known);
    let spec = FeedSpec {
        rules: rules("[{ rewrite: { field: title, pattern: '^', with: 'out ' } }]"),
        quota: Some(2),
        ..spec(9)
    };
    let made = feed(&spec, &outer, at(0));
    assert_eq!(shown(&made), ["out in b 9", "out in a 3", "out in a 2"]);
    let joined = |id: &str| {
        let found = made.joined_into(&EntryId(id.to_owned()));
        found.iter().map(|one| (one.channel.as_str(), one.id.0.as_str())).collect::<Vec<_>>()
    };
    assert_eq!((joined("2"), joined("3")), (vec![("b", "b2")], vec![("c", "c3")]));

    // A channel that is also a member itself comes from there, and its entries are not their own duplicates.
    let mut both = vec![ChannelInput::new(&channels[1], b)];
    add_inner(&mut both, &[&inner], known);
    let made = feed(&FeedSpec { rules: crate::rule::Rules::default(), ..spec }, &both, at(0));
    assert_eq!(shown(&made), ["b 9", "in a 3", "in a 2"]);
    assert_eq!(made.joined.into_values().map(|all| all.len()).collect::<Vec<_>>(), [1]);
}
