//! What every engine must do when a source changes its ids at once, or floods the channel with old entries.

use super::Store;
use super::contract::Fresh;
use super::samples::{channel, instant, live};
use super::trust::{codes, headline, ids, item, items, poll, seen, text};
use crate::model::{Candidate, DateRung, EntryId, FlawCode, Precision, Withdrawn};
use chrono::TimeDelta;
use std::collections::BTreeSet;

/// Runs this part of the contract.
pub(crate) async fn all(fresh: Fresh<'_>) {
    ids_that_change_at_once(fresh).await;
    a_flood_is_held_back_until_it_is_released(&*fresh().await).await;
    news_after_a_silence_are_published(fresh).await;
    few_old_ones_among_many_new(fresh).await;
    chance_is_no_evidence(fresh).await;
    what_is_held_back_is_bounded(&*fresh().await).await;
    places_for_ids(&*fresh().await).await;
}

type Spoil = fn(usize, &mut Candidate);

fn guid(n: usize, candidate: &mut Candidate) {
    candidate.entry.id = EntryId(format!("urn:new:{n}"));
    candidate.keys[0].value = format!("urn:new:{n}");
}

fn link(n: usize, candidate: &mut Candidate) {
    candidate.keys[1].value = format!("other.example/b/{}", n * 31 + 7);
    candidate.entry.url = Some(format!("https://{}", candidate.keys[1].value));
}

fn title(n: usize, candidate: &mut Candidate) {
    candidate.entry.title = headline(n + 100_000);
    candidate.keys[2].value = format!("{} 2026-11-02", candidate.entry.title);
}

fn date(_: usize, candidate: &mut Candidate) {
    candidate.entry.published.at += TimeDelta::hours(8);
    candidate.keys[2].value += " later";
}

fn decorated(_: usize, candidate: &mut Candidate) {
    candidate.entry.title = format!("【快讯】{} - 某某网", candidate.entry.title);
    candidate.keys[2].value = format!("{} 2026-11-02", candidate.entry.title);
}

fn no_text(_: usize, candidate: &mut Candidate) {
    candidate.entry.content = None;
}

/// (what, what becomes of each entry, whether the ids are recognised; else all of them are held back)
const CHURN: &[(&str, &[Spoil], bool)] = &[
    ("guids", &[guid], true),
    ("guids and links", &[guid, link], true),
    ("guids, links and dates", &[guid, link, date], true),
    ("guids, links and titles", &[guid, link, title], true),
    ("guids, links, titles and dates", &[guid, link, title, date], true),
    ("guids, links, decorated titles", &[guid, link, decorated], true),
    ("guids and links, and no texts", &[guid, link, no_text], true),
    ("guids, links and dates, and no texts", &[guid, link, date, no_text], true),
    ("guids, links, decorated titles, and no texts", &[guid, link, decorated, no_text], true),
    ("guids, links, decorated titles and dates, and no texts", &[guid, link, decorated, date, no_text], true),
    ("guids, links and titles, and no texts: the seconds are the same", &[guid, link, title, no_text], true),
    ("guids, links, titles and dates, and no texts: nothing is left", &[guid, link, title, date, no_text], false),
];

async fn ids_that_change_at_once(fresh: Fresh<'_>) {
    for &(what, spoils, recognised) in CHURN {
        for size in [5, 20, 100] {
            let store = fresh().await;
            let hours = i64::try_from(size).unwrap() + 48;
            store.record(&live(hours, items(0..size))).await.unwrap();
            let before = ids(&*store, Withdrawn::Keep).await;
            let mut page = items(0..size);
            for (place, candidate) in page.iter_mut().enumerate() {
                for spoil in spoils {
                    spoil(size - 1 - place, candidate);
                }
            }
            let change = store.record(&poll(hours + 1, page.clone())).await.unwrap();
            let what = format!("{what}, {size}");
            assert_eq!(ids(&*store, Withdrawn::Keep).await, before, "{what}: no id changes, nothing is added");
            assert_eq!(change.held.len(), if recognised { 0 } else { size }, "{what}");
            let code = if recognised { FlawCode::IdsChanged } else { FlawCode::Quarantined };
            assert!(codes(&change).contains(&code), "{what}: {:?}", change.flaws);
            // News on top, a poll later: published, alone.
            page.insert(0, item(size + 50));
            let mut next = poll(hours + 3, page);
            seen(&mut next).candidates[0].entry.published.at = instant(hours + 2).fixed_offset();
            let change = store.record(&next).await.unwrap();
            assert_eq!(change.new, [EntryId(format!("tag:{}", size + 50))], "{what}: {change:?}");
            assert_eq!(codes(&change).contains(&FlawCode::Quarantined), !recognised, "{what}: it stays visible");
        }
    }
}

async fn a_flood_is_held_back_until_it_is_released(store: &dyn Store) {
    store.record(&live(60, items(0..10))).await.unwrap();
    let unknown: Vec<Candidate> = (100..120)
        .map(|n| {
            let mut candidate = item(n);
            candidate.entry.published.at = instant(5).fixed_offset() - TimeDelta::minutes(i64::try_from(n).unwrap());
            candidate
        })
        .collect();
    let change = store.record(&poll(61, unknown.clone())).await.unwrap();
    assert_eq!((change.new.len(), change.held.len(), change.is_empty()), (0, 20, true), "{change:?}");
    let told = &change.flaws[0].detail;
    assert!(told.contains("20 of 20") && told.contains(&headline(100)), "{told}");
    assert_eq!(store.count(&channel("a")).await.unwrap(), 30, "recorded all the same");
    let links = ["news.example/a/100".to_owned()];
    assert_eq!(store.known_links(&channel("a"), &links).await.unwrap(), [true]);

    let mut edited = unknown.clone();
    edited[0].entry.content = Some(text(999));
    let change = store.record(&poll(62, edited.clone())).await.unwrap();
    assert!(change.is_empty() && change.held.len() == 1, "held stays held: {change:?}");
    assert_eq!(codes(&change), [FlawCode::Quarantined], "and the flaw stays");
    let mut silent = poll(63, Vec::new());
    silent.seen = None;
    assert_eq!(codes(&store.record(&silent).await.unwrap()), [FlawCode::Quarantined]);
    assert_eq!(store.polls().await.unwrap()[&channel("a")].flaws.len(), 1);

    assert_eq!(store.release(&channel("b"), instant(64)).await.unwrap(), 0);
    assert_eq!(store.release(&channel("a"), instant(64)).await.unwrap(), 20);
    assert_eq!(store.release(&channel("a"), instant(64)).await.unwrap(), 0);
    let records = store.latest(&channel("a"), 99).await.unwrap();
    assert_eq!(records.len(), 30);
    assert_eq!(records.iter().filter(|record| record.changed == instant(64)).count(), 20, "pollers notice");
    let numbers: BTreeSet<_> = records.iter().map(|record| record.seq).collect();
    assert_eq!(numbers.len(), 30, "a sequence number of its own for each");
    assert!(store.polls().await.unwrap()[&channel("a")].flaws.is_empty());
    let change = store.record(&poll(65, edited)).await.unwrap();
    assert!(change.is_empty() && change.held.is_empty() && change.flaws.is_empty(), "for good: {change:?}");
    assert_eq!(change.seq, 51);
}

/// What is done to the entries of a page.
type Shape<'a> = &'a dyn Fn(&mut Candidate);

async fn news_after_a_silence_are_published(fresh: Fresh<'_>) {
    let day = |candidate: &mut Candidate| {
        let hour = TimeDelta::hours(candidate.entry.published.at.timestamp() / 3600 % 24);
        candidate.entry.published.at -= hour;
        candidate.entry.published.precision = Precision::Day;
    };
    let undated = |candidate: &mut Candidate| {
        candidate.entry.published.at = instant(900).fixed_offset();
        candidate.entry.published.rung = DateRung::FirstSeen;
    };
    let at_once = |candidate: &mut Candidate| candidate.entry.published.at = instant(890).fixed_offset();
    let shapes: [(&str, Shape<'_>, usize); 4] = [
        ("spread over a month", &|_| {}, 20),
        ("days only", &day, 20),
        ("without dates", &undated, 0),
        ("all of one instant", &at_once, 0),
    ];
    for (what, shape, published) in shapes {
        let store = fresh().await;
        store.record(&live(40, items(0..20))).await.unwrap();
        let mut page = items(800..820);
        page.iter_mut().for_each(shape);
        let mut returns = poll(900, page);
        seen(&mut returns).guard.since = Some(instant(41));
        let change = store.record(&returns).await.unwrap();
        assert_eq!((change.new.len(), change.held.len()), (published, 20 - published), "{what}: {:?}", change.flaws);
    }
    some_pages_are_no_flood(fresh).await;
}

/// So many entries, all of one instant.
fn issue(range: std::ops::Range<usize>, hour: i64) -> Vec<Candidate> {
    let mut page = items(range);
    for candidate in &mut page {
        candidate.entry.published.at = instant(hour).fixed_offset();
    }
    page
}

async fn some_pages_are_no_flood(fresh: Fresh<'_>) {
    // A source whose issues always carry one instant is no flood.
    let store = fresh().await;
    store.record(&live(41, issue(0..10, 40))).await.unwrap();
    let change = store.record(&poll(65, issue(10..20, 65))).await.unwrap();
    assert_eq!(change.new.len(), 10, "{:?}", change.flaws);
    // A day counts to its end: the newest known is of this very day.
    let store = fresh().await;
    store.record(&live(41, items(0..20))).await.unwrap();
    let mut page = items(100..110);
    for candidate in &mut page {
        candidate.entry.published.at = instant(16).fixed_offset();
        candidate.entry.published.precision = Precision::Day;
    }
    let mut today = poll(60, page);
    seen(&mut today).guard.since = Some(instant(30));
    assert_eq!(store.record(&today).await.unwrap().new.len(), 10);
    let store = fresh().await;
    store.record(&live(68, issue(0..10, 65))).await.unwrap();
    // Nor is a backdated entry among news, nor are two unknown entries, nor the first look at a source.
    let mut page = items(90..100);
    page[9].entry.published.at = instant(3).fixed_offset();
    let mut rebuilt = poll(100, page);
    seen(&mut rebuilt).guard.since = Some(instant(65));
    assert_eq!(store.record(&rebuilt).await.unwrap().held.len(), 0);
    let old = |n| {
        let mut candidate = item(n);
        candidate.entry.published.at = instant(0).fixed_offset();
        candidate
    };
    assert_eq!(store.record(&poll(101, vec![old(300), old(301)])).await.unwrap().new.len(), 2);
    let mut first = poll(102, vec![old(400), old(401), old(402)]);
    seen(&mut first).guard.since = None;
    assert_eq!(store.record(&first).await.unwrap().new.len(), 3);
    let mut trusted = poll(103, vec![old(500), old(501), old(502)]);
    seen(&mut trusted).guard.hold = false;
    assert_eq!(store.record(&trusted).await.unwrap().new.len(), 3);
    // Articles that were read again are no part of the page.
    let mut diluted = poll(104, vec![old(600), old(601), old(602), old(500), old(501)]);
    seen(&mut diluted).listed = 3;
    assert_eq!(store.record(&diluted).await.unwrap().held.len(), 3);
}

/// Found by seed 57 of the simulation: a page that shows the minute changes all its addresses while it is not asked, so that
/// few of its entries are known, and their articles are read now, which they were not before.
async fn few_old_ones_among_many_new(fresh: Fresh<'_>) {
    let read: Spoil = |n, candidate| candidate.entry.content = Some(text(n + 1000));
    let another_title: Spoil = |n, candidate| candidate.entry.title = headline(n + 100_000);
    let another_minute: Spoil = |_, candidate| candidate.entry.published.at += TimeDelta::minutes(1);
    let day: Spoil = |_, candidate| candidate.entry.published.precision = Precision::Day;
    let another_summary: Spoil = |n, candidate| candidate.entry.summary = Some(text(n + 2000));
    for (what, spoil, recognised) in [
        ("addresses", read, true),
        ("titles", another_title, false),
        ("texts", another_summary, false),
        ("minutes", another_minute, false),
        ("a day for a minute", day, false),
    ] {
        let page = |range: std::ops::Range<usize>| {
            let mut page = items(range);
            for candidate in &mut page {
                candidate.entry.published.precision = Precision::Minute;
                candidate.entry.summary = candidate.entry.content.take();
                candidate.keys.remove(0);
            }
            page
        };
        let store = fresh().await;
        store.record(&live(60, page(0..10))).await.unwrap();
        let mut moved = page(8..20);
        for (place, candidate) in moved.iter_mut().enumerate().filter(|(place, _)| *place >= 10) {
            candidate.keys[0].value = format!("www.example/new/{place}");
            candidate.entry.id = EntryId(format!("tag:new:{place}"));
            read(19 - place, candidate);
            candidate.keys.truncate(1);
            spoil(19 - place, candidate);
        }
        let change = store.record(&poll(90, moved)).await.unwrap();
        assert_eq!(change.new.len() + change.held.len(), if recognised { 10 } else { 12 }, "{what}: {change:?}");
    }
}

/// New articles are not taken for old ones because something small is the same.
async fn chance_is_no_evidence(fresh: Fresh<'_>) {
    let by_the_clock = |from: usize, count: usize, first: i64| -> Vec<Candidate> {
        let on_the_hour = |n: usize| {
            let mut candidate = item(from + n);
            candidate.entry.published.at = instant(first + i64::try_from(n).unwrap()).fixed_offset();
            candidate.entry.content = None;
            candidate
        };
        (0..count).rev().map(on_the_hour).collect()
    };
    let columns = |from: usize, first: i64, text_of: Option<usize>| -> Vec<Candidate> {
        let mut page = by_the_clock(from, 5, first);
        for (n, candidate) in page.iter_mut().enumerate() {
            candidate.entry.title = headline(9000 + n);
            candidate.keys[2].value =
                format!("{} {}", candidate.entry.title, candidate.entry.published.at.date_naive());
            candidate.entry.content = text_of.map(|from| text(from + n));
        }
        page
    };
    for (what, first, second, published) in [
        // Entries come on the hour: many seconds are the same, and the articles are others.
        ("seconds", by_the_clock(0, 20, 0), by_the_clock(500, 20, 8), 0),
        // The same columns as last week, with other texts, in the past and after all that is known.
        ("old columns", columns(0, 30, Some(100)), columns(600, 4, Some(200)), 0),
        ("columns", columns(0, 30, Some(100)), columns(600, 70, Some(200)), 5),
        // Without texts nobody can tell: held back, and not taken for the old ones.
        ("columns without texts", columns(0, 30, None), columns(600, 70, None), 0),
    ] {
        let store = fresh().await;
        store.record(&live(60, first.clone())).await.unwrap();
        let size = second.len();
        let mut poll = poll(90, second);
        seen(&mut poll).guard.since = Some(instant(60));
        let change = store.record(&poll).await.unwrap();
        let written = (change.new.len(), change.held.len(), change.updated.len() + change.touched.len());
        assert_eq!(written, (published, size - published, 0), "{what}: {change:?}");
    }
}

async fn what_is_held_back_is_bounded(store: &dyn Store) {
    store.record(&live(60, items(0..10))).await.unwrap();
    let flood = |from: usize| -> Vec<Candidate> {
        let old = |n: usize| {
            let mut candidate = item(n);
            candidate.entry.published.at = instant(0).fixed_offset() - TimeDelta::seconds(i64::try_from(n).unwrap());
            candidate
        };
        (from..from + 1500).map(old).collect()
    };
    assert_eq!(store.record(&poll(61, flood(1000))).await.unwrap().held.len(), 1500);
    let change = store.record(&poll(62, flood(5000))).await.unwrap();
    assert_eq!(change.held.len(), 500);
    assert!(codes(&change).contains(&FlawCode::LimitReached), "{:?}", change.flaws);
    let change = store.record(&poll(63, flood(9000))).await.unwrap();
    assert_eq!((change.held.len(), change.new.len()), (0, 0));
    assert_eq!(store.count(&channel("a")).await.unwrap(), 2010);
    assert_eq!(ids(store, Withdrawn::Keep).await.len(), 10);
}

/// A source whose guids are places on the page: `item-1` is always the newest.
async fn places_for_ids(store: &dyn Store) {
    let page = |newest: usize| -> Vec<Candidate> {
        let placed = |place: usize| {
            let mut candidate = item(newest - place);
            candidate.entry.id = EntryId(format!("item-{place}"));
            candidate.keys[0].value = format!("item-{place}");
            candidate
        };
        (0..10).map(placed).collect()
    };
    store.record(&live(60, page(20))).await.unwrap();
    let titles = |records: Vec<crate::model::Record>| -> BTreeSet<(String, String)> {
        records.into_iter().map(|record| (record.entry.title, record.entry.id.0)).collect()
    };
    let mut before = titles(store.latest(&channel("a"), 99).await.unwrap());
    for (hour, newest) in (61..).zip(21..45) {
        let change = store.record(&poll(hour, page(newest))).await.unwrap();
        assert_eq!((change.new.len(), change.updated.len()), (1, 0), "{newest}: {change:?}");
        let now = titles(store.latest(&channel("a"), 99).await.unwrap());
        assert!(now.is_superset(&before), "{newest}: each article keeps its id");
        assert_eq!(now.len(), before.len() + 1);
        before = now;
    }
}
