//! The ladder against labelled pairs, and its laws.

use super::*;
use crate::config::Duplicates;
use crate::model::{Rung, Source};
use chrono::TimeDelta;
use std::time::Duration;

/// A record with words of its own, seen `hours` after the first instant.
fn worded(channel: &str, id: &str, hours: i64, title: &str, text: &str) -> Record {
    let mut one = record(channel, id, Some(id), hours * 3600, 2, false);
    title.clone_into(&mut one.entry.title);
    one.entry.content = (!text.is_empty()).then(|| format!("<p>{text}</p>"));
    one
}

fn with(duplicates: Duplicates, a: Vec<Record>, b: Vec<Record>) -> Feed {
    let channels = [channel("a", true), channel("b", false)];
    let [first, second] = &channels;
    let inputs = [ChannelInput::new(first, a), ChannelInput::new(second, b)];
    feed(&FeedSpec { duplicates, ..spec(500) }, &inputs, at(0))
}

fn by(rungs: &[Rung]) -> Duplicates {
    Duplicates { by: rungs.to_vec(), ..Duplicates::default() }
}

#[test]
fn precision_and_recall_on_labelled_pairs() {
    let (precision, recall, count, report) = judge(include_str!("../../../tests/fixtures/duplicates/pairs.tsv"));
    assert!(count >= 200 && precision >= 0.99 && recall >= 0.95, "{report}");
}

/// The floor rises with the ladder and never falls. Pairs in two scripts are found only with the dictionaries.
#[test]
fn precision_and_recall_on_pairs_of_another_hand() {
    let (precision, recall, count, report) = judge(include_str!("../../../tests/fixtures/duplicates/independent.tsv"));
    let floor = if cfg!(feature = "chinese-variants") { 0.96 } else { 0.93 };
    assert!(count >= 300 && precision >= 0.99 && recall >= floor, "{report}");
}

/// Precision, recall and number of the pairs, and what went wrong.
fn judge(pairs: &str) -> (f64, f64, usize, String) {
    let (mut right, mut wrong, mut missed) = (0u32, Vec::new(), Vec::new());
    let mut count = 0;
    for line in pairs.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [label, hours, kind, title_1, text_1, title_2, text_2, ..] = fields[..] else { panic!("{line}") };
        let (a, b) = (worded("a", "1", 0, title_1, text_1), worded("b", "2", hours.parse().unwrap(), title_2, text_2));
        let joined = with(Duplicates::default(), vec![a], vec![b]).entries.len() == 1;
        count += 1;
        match (label, joined) {
            ("same", true) => right += 1,
            ("same", false) => missed.push(format!("{kind}: {title_1} / {title_2}")),
            ("other", true) => wrong.push(format!("{kind}: {title_1} / {title_2}")),
            ("other", false) => {}
            _ => panic!("{line}"),
        }
    }
    let part = |of: usize| f64::from(right) / (f64::from(right) + f64::from(u32::try_from(of).unwrap()));
    let (precision, recall) = (part(wrong.len()), part(missed.len()));
    let report = format!("precision {precision:.3}, recall {recall:.3}\nwrong {wrong:#?}\nmissed {missed:#?}");
    (precision, recall, count, report)
}

const TEXT: &str = "凌晨四点，江面起雾，老何提着手锤走上铁桥，一锤一听，从北岸走到南岸，正好天亮。这座桥通车多年，他在桥上走了半生，走坏的胶鞋堆满了工具房的墙角。";
const TITLE: &str = "桥上半生，他把每颗螺栓都听出了脾气";

#[test]
fn each_rung_joins_alone_and_says_so() {
    let page = |channel, id, path: &str| {
        let mut one = record(channel, id, None, 0, 2, false);
        one.entry.url = Some(path.to_owned());
        one
    };
    for (rung, a, b) in [
        (Rung::Id, worded("a", "1", 0, "甲", ""), worded("b", "1", 0, "乙", "")),
        (Rung::Link, page("a", "1", "https://h.org/x"), page("b", "2", "http://m.h.org/x/?utm_source=1#y")),
        (Rung::Title, worded("a", "1", 0, TITLE, ""), worded("b", "2", 9, TITLE, "")),
        (Rung::Text, worded("a", "1", 0, "甲", TEXT), worded("b", "2", 9, "乙", TEXT)),
    ] {
        let found = with(by(&[rung]), vec![a.clone()], vec![b.clone()]);
        assert_eq!(found.entries.len(), 1, "{rung:?}");
        let [joined] = found.joined_into(&found.entries[0].entry.id) else { panic!("{rung:?}") };
        assert_eq!((joined.rung, joined.channel.as_str(), &joined.id), (rung, "b", &b.entry.id));
        let others: Vec<Rung> = Rung::ALL.into_iter().filter(|other| *other != rung).collect();
        let expected = if rung == Rung::Id { 1 } else { 2 };
        assert_eq!(with(by(&others), vec![a], vec![b]).entries.len(), expected, "without {rung:?}");
    }
}

#[test]
fn words_join_only_within_the_window_and_never_inside_a_channel() {
    let one = worded("a", "1", 0, TITLE, TEXT);
    let late = |hours| with(Duplicates::default(), vec![one.clone()], vec![worded("b", "2", hours, TITLE, TEXT)]);
    assert_eq!((late(168).entries.len(), late(169).entries.len()), (1, 2));
    let short = Duplicates { window: Duration::from_hours(1), ..Duplicates::default() };
    assert_eq!(with(short, vec![one.clone()], vec![worded("b", "2", 2, TITLE, TEXT)]).entries.len(), 2);
    let twice = vec![one, worded("a", "2", 1, TITLE, TEXT)];
    assert_eq!(with(Duplicates::default(), twice.clone(), vec![]).entries.len(), 2);
    // A heading that a channel uses twice tells nothing about the other channel either.
    assert_eq!(with(by(&[Rung::Title]), twice, vec![worded("b", "3", 1, TITLE, "")]).entries.len(), 3);
}

#[test]
fn a_later_duplicate_never_takes_over_the_id() {
    let (first, mut later) = (worded("b", "first", 0, TITLE, ""), worded("a", "later", 5, TITLE, TEXT));
    assert_eq!(with(Duplicates::default(), vec![later.clone()], vec![first.clone()]).entries[0].entry.id.0, "first");
    // At one instant the original, which the other names as its source, wins over the first channel.
    later.first_seen = first.first_seen;
    later.entry.published = first.entry.published;
    later.entry.source = Some(Source { title: "b".to_owned(), ..Source::default() });
    assert_eq!(with(Duplicates::default(), vec![later.clone()], vec![first.clone()]).entries[0].entry.id.0, "first");
    later.entry.source = None;
    assert_eq!(with(Duplicates::default(), vec![later], vec![first]).entries[0].entry.id.0, "later");
}

#[test]
fn an_entry_from_the_future_does_not_stay_on_top() {
    let mut future = worded("a", "1", 0, "甲", "");
    future.entry.published.at += TimeDelta::days(400);
    let found = with(Duplicates::default(), vec![future], vec![worded("b", "2", 1, "乙", "")]);
    assert_eq!(found.entries[0].entry.id.0, "2");
    assert_eq!(found.entries[1].entry.published.at, found.entries[1].first_seen);
}

#[test]
fn quota_and_age_leave_every_source_its_place() {
    let loud: Vec<Record> = (10..60).map(|n| record("a", &n.to_string(), None, n, 2, false)).collect();
    let quiet = vec![record("b", "q", None, 1, 2, false)];
    let channels = [channel("a", true), channel("b", false)];
    let run = |quota, max_age, limit| {
        let inputs = [ChannelInput::new(&channels[0], loud.clone()), ChannelInput::new(&channels[1], quiet.clone())];
        let found = feed(&FeedSpec { quota, max_age, ..spec(limit) }, &inputs, at(0));
        let own = |name| found.entries.iter().filter(|one| one.channel.as_str() == name).count();
        (own("a"), own("b"))
    };
    assert_eq!(run(None, None, 10), (10, 0));
    assert_eq!(run(Some(500), None, 10), (9, 1));
    assert_eq!(run(Some(5), None, 50), (5, 1));
    assert_eq!(run(Some(1), None, 1), (1, 0));
    assert_eq!(run(None, Some(Duration::from_secs(9)), 50), (10, 0));
}

#[test]
fn a_text_with_a_word_changed_in_every_sentence_is_found_all_the_same() {
    let text = |word: &str| -> String {
        let letter = |n: u32| char::from_u32(0x4E00 + n * 37 % 9000).unwrap();
        let sentence = |n: u32| (n * 40..n * 40 + 40).map(letter).collect::<String>() + word + "。";
        (0..12).map(sentence).collect()
    };
    let joined = |distance| {
        let duplicates = Duplicates { distance, ..by(&[Rung::Text]) };
        let found = with(
            duplicates,
            vec![worded("a", "1", 0, "甲", &text("天"))],
            vec![worded("b", "2", 1, "乙", &text("地"))],
        );
        found.entries.len() == 1
    };
    assert!(joined(12) && joined(0), "by its triples, also where the simhashes differ");
    let near = |one: &str, other: &str| {
        let of = |word: &str| crate::merge::print::Print::of(&text(word)).unwrap().simhash;
        (of(one) ^ of(other)).count_ones()
    };
    assert!((1..=12).contains(&near("天", "地")), "{}", near("天", "地"));
}

#[test]
fn parts_of_a_series_are_never_joined_however_alike() {
    let found = |title_1: &str, title_2: &str| {
        with(by(&[Rung::Text]), vec![worded("a", "1", 0, title_1, TEXT)], vec![worded("b", "2", 1, title_2, TEXT)])
    };
    assert_eq!(found("桥上三十年（上）", "桥上三十年（下）").entries.len(), 2);
    assert_eq!(found("桥上三十年（上）", "桥上三十年(上)").entries.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn merging_the_merged_changes_nothing(a in records("a"), b in records("b"), limit in 1usize..30) {
        let once = merged(a, b, limit);
        let of = |name: &str| once.entries.iter().filter(|one| one.channel.as_str() == name).cloned().collect::<Vec<_>>();
        prop_assert_eq!(merged(of("a"), of("b"), limit).entries, once.entries);
    }
}
