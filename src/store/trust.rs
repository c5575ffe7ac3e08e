//! What every engine must do when a source withdraws entries.

use super::contract::Fresh;
use super::samples::{channel, guided, instant, live};
use super::{Change, Guard, Poll, Seen, Store};
use crate::model::{Candidate, EntryId, FlawCode, Precision, Tombstone, Withdrawn};
use chrono::TimeDelta;

/// Runs this part of the contract.
pub(crate) async fn all(fresh: Fresh<'_>) {
    a_tombstone_is_noted_and_shown_as_the_channel_wishes(&*fresh().await).await;
    a_withdrawn_entry_comes_back_only_with_something_newer(fresh).await;
    odd_tombstones(&*fresh().await).await;
    complete_feeds(&*fresh().await).await;
    a_mass_withdrawal_is_an_accident(fresh).await;
}

pub(super) fn text(n: usize) -> String {
    format!("<p>第{n}篇文章的正文,讲的是第{n}件事情,有它自己的开头和它自己的结尾。</p>")
}

/// A title like no other.
pub(super) fn headline(n: usize) -> String {
    let word =
        |place: usize| char::from_u32(0x4E00 + u32::try_from((n * 7919 + place * 104_729) % 9000).unwrap()).unwrap();
    (0..10).map(word).collect()
}

/// Entry number `n` of a feed, published within hour `n` after the morning.
pub(super) fn item(n: usize) -> Candidate {
    let mut candidate = guided(&format!("tag:{n}"), &format!("news.example/a/{n}"), &headline(n));
    let n = i64::try_from(n).unwrap();
    candidate.entry.published.at += TimeDelta::hours(n) + TimeDelta::seconds(n * 1237 % 3600);
    candidate.entry.published.precision = Precision::Second;
    candidate.entry.content = Some(text(usize::try_from(n).unwrap()));
    candidate
}

pub(super) fn items(range: std::ops::Range<usize>) -> Vec<Candidate> {
    range.rev().map(item).collect()
}

/// A poll of a channel that was read before.
pub(super) fn poll(hours: i64, candidates: Vec<Candidate>) -> Poll {
    let usual = u32::try_from(candidates.len()).unwrap();
    let mut poll = live(hours, candidates);
    let guard = Guard { since: Some(instant(hours - 1)), usual, hold: true };
    poll.seen.as_mut().unwrap().guard = guard;
    poll
}

pub(super) fn seen(poll: &mut Poll) -> &mut Seen {
    poll.seen.as_mut().unwrap()
}

fn withdrawing(hours: i64, candidates: Vec<Candidate>, tombstones: &[(&str, i64)]) -> Poll {
    let mut poll = poll(hours, candidates);
    seen(&mut poll).guard.usual = 20;
    seen(&mut poll).withdrawn =
        tombstones.iter().map(|(id, hour)| Tombstone { id: EntryId((*id).to_owned()), when: instant(*hour) }).collect();
    poll
}

pub(super) async fn ids(store: &dyn Store, withdrawn: Withdrawn) -> Vec<String> {
    let records = store.latest_under(&channel("a"), 9999, withdrawn).await.unwrap();
    // The two other ways to the same entries.
    let marks = store.marks(&channel("a"), 9999, withdrawn).await.unwrap();
    assert_eq!(marks, records.iter().map(crate::model::Record::mark).collect::<Vec<_>>());
    let numbers: Vec<u64> = marks.iter().map(|mark| mark.number).collect();
    let mut again = store.records(&channel("a"), &[&[u64::MAX >> 1][..], &numbers].concat()).await.unwrap();
    again.sort_by_key(|record| numbers.iter().position(|number| *number == record.number));
    assert_eq!(again, records);
    assert!(store.records(&channel("b"), &numbers).await.unwrap().is_empty(), "not those of another channel");
    records.into_iter().map(|record| record.entry.id.0).collect()
}

pub(super) fn codes(change: &Change) -> Vec<FlawCode> {
    change.flaws.iter().map(|flaw| flaw.code).collect()
}

async fn a_tombstone_is_noted_and_shown_as_the_channel_wishes(store: &dyn Store) {
    store.record(&live(20, items(0..10))).await.unwrap();
    let before = store.latest(&channel("a"), 99).await.unwrap();
    let change = store.record(&withdrawing(21, items(0..9), &[("tag:9", 20), ("tag:3", 19)])).await.unwrap();
    assert_eq!(change.withdrawn, [EntryId("tag:3".into()), EntryId("tag:9".into())]);
    assert!(!change.is_empty() && change.seq == 10, "documents may change, the entries did not: {change:?}");
    let again = store.record(&withdrawing(21, items(0..9), &[("tag:9", 20), ("tag:3", 19)])).await.unwrap();
    assert!(again.is_empty(), "{again:?}");

    let kept = store.latest(&channel("a"), 99).await.unwrap();
    assert_eq!(kept.iter().filter(|record| record.withdrawn.is_some()).count(), 2);
    assert_eq!(kept[0].withdrawn, Some(instant(20)));
    let plain: Vec<_> = kept.into_iter().map(|record| crate::model::Record { withdrawn: None, ..record }).collect();
    assert_eq!(plain, before, "nothing else is different, so no document is");

    let shown = store.latest_under(&channel("a"), 8, Withdrawn::Remove).await.unwrap();
    assert_eq!(shown.len(), 8, "others fill the limit");
    assert!(shown.iter().all(|record| record.withdrawn.is_none()));
    let tombstones = store.tombstones(&channel("a"), 9).await.unwrap();
    let expected =
        [("tag:9", 20), ("tag:3", 19)].map(|(id, hour)| Tombstone { id: EntryId(id.into()), when: instant(hour) });
    assert_eq!(tombstones, expected, "latest first");
    assert_eq!(store.tombstones(&channel("a"), 1).await.unwrap(), expected[..1]);
    assert!(store.tombstones(&channel("b"), 9).await.unwrap().is_empty());
}

async fn a_withdrawn_entry_comes_back_only_with_something_newer(fresh: Fresh<'_>) {
    let edited = |updated: Option<i64>, title: Option<&str>| {
        let mut candidate = item(5);
        candidate.entry.updated = updated.map(|hour| instant(hour).fixed_offset());
        if let Some(title) = title {
            title.clone_into(&mut candidate.entry.title);
        }
        candidate
    };
    for (what, again, back) in [
        ("an old copy", edited(None, None), false),
        ("an old copy with its date", edited(Some(19), None), false),
        ("an old copy that looks different", edited(Some(19), Some("这是从前的题目")), false),
        ("a copy that claims the future", edited(Some(999), None), false),
        ("the same, said to be newer", edited(Some(22), None), true),
        ("a new text without a date", edited(None, Some("这是改过的题目")), true),
    ] {
        let store = fresh().await;
        store.record(&live(20, items(0..10))).await.unwrap();
        let id = item(5).entry.id.0;
        store.record(&withdrawing(21, vec![item(9)], &[("tag:5", 21)])).await.unwrap();
        assert!(!ids(&*store, Withdrawn::Remove).await.contains(&id), "{what}");
        let change = store.record(&poll(23, vec![item(9), again.clone()])).await.unwrap();
        assert_eq!((!change.returned.is_empty(), change.new.len()), (back, 0), "{what}: {change:?}");
        assert_eq!(ids(&*store, Withdrawn::Remove).await.contains(&id), back, "{what}: under its old id");
        assert_eq!(store.tombstones(&channel("a"), 9).await.unwrap().is_empty(), back, "{what}");
        // The document may still carry the old tombstone.
        let change = store.record(&withdrawing(24, vec![item(9), again], &[("tag:5", 21)])).await.unwrap();
        assert!(change.withdrawn.is_empty() && change.returned.is_empty(), "{what}: it does not flap: {change:?}");
    }
}

async fn odd_tombstones(store: &dyn Store) {
    let mut updated = item(4);
    updated.entry.updated = Some(instant(15).fixed_offset());
    let mut page = items(0..10);
    page[5] = updated;
    store.record(&live(20, page.clone())).await.unwrap();
    for (what, id, when, withdrawn) in [
        ("never seen", "tag:nobody", 20, false),
        ("older than the update", "tag:4", 14, false),
        ("older than the publication", "tag:9", 8, false),
        ("empty", "", 20, false),
        ("a zero byte and quotes", "a\0\"]}'%_", 20, false),
        ("very long", &"x".repeat(100_000), 20, false),
        ("in the future", "tag:1", 9000, true),
        ("as late as the update", "tag:4", 15, true),
        ("after the publication", "tag:9", 10, true),
    ] {
        let change = store.record(&withdrawing(21, page.clone(), &[(id, when)])).await.unwrap();
        assert_eq!(change.withdrawn.len(), usize::from(withdrawn), "{what}: {change:?}");
        assert_eq!(store.count(&channel("a")).await.unwrap(), 10, "{what}: nothing is published by a tombstone");
    }
    let tombstones = store.tombstones(&channel("a"), 9).await.unwrap();
    assert!(tombstones.iter().all(|tombstone| tombstone.when <= instant(21)), "{tombstones:?}");
    let both = withdrawing(22, vec![item(30)], &[("tag:30", 40)]);
    store.record(&both).await.unwrap();
    assert!(!ids(store, Withdrawn::Remove).await.contains(&"tag:30".to_owned()), "entry and tombstone in one document");
}

async fn complete_feeds(store: &dyn Store) {
    store.record(&live(20, items(0..10))).await.unwrap();
    let complete = |hours, candidates| {
        let mut poll = poll(hours, candidates);
        seen(&mut poll).complete = true;
        seen(&mut poll).guard.usual = 10;
        poll
    };
    let change = store.record(&complete(21, items(2..10))).await.unwrap();
    assert_eq!(change.withdrawn.len(), 2, "{change:?}");
    assert_eq!(ids(store, Withdrawn::Remove).await.len(), 8);
    assert_eq!(store.tombstones(&channel("a"), 1).await.unwrap()[0].when, instant(21));
    let change = store.record(&complete(22, items(1..10))).await.unwrap();
    assert_eq!(change.returned, [EntryId("tag:1".into())], "it is in the feed, so it is back");
    assert!(change.touched.is_empty() && change.updated.is_empty(), "and no different");
    assert_eq!(ids(store, Withdrawn::Remove).await.len(), 9);
    let change = store.record(&poll(23, items(8..10))).await.unwrap();
    assert!(change.withdrawn.is_empty(), "a feed that does not say it is complete withdraws nothing");
    let change = store.record(&complete(24, items(7..10))).await.unwrap();
    assert_eq!((change.withdrawn.len(), codes(&change)), (0, vec![FlawCode::MassWithdrawal]), "most at once");
    let change = store.record(&complete(25, Vec::new())).await.unwrap();
    assert_eq!((change.withdrawn.len(), codes(&change)), (0, vec![FlawCode::MassWithdrawal]), "all at once");
    assert_eq!(ids(store, Withdrawn::Remove).await.len(), 9);
}

async fn a_mass_withdrawal_is_an_accident(fresh: Fresh<'_>) {
    let names: Vec<String> = (0..10).map(|n| format!("tag:{n}")).collect();
    for (many, usual, hold, believed) in [
        (2, 2, true, true),
        (5, 10, true, true),
        (6, 10, true, false),
        (10, 10, true, false),
        (10, 10, false, true),
        (6, 0, true, false),
        (4, 5, true, false),
        (6, 99, true, false),
    ] {
        let store = fresh().await;
        store.record(&live(20, items(0..10))).await.unwrap();
        let tombstones: Vec<_> = names[..many].iter().map(|id| (id.as_str(), 20)).collect();
        let mut poll = withdrawing(21, items(0..10), &tombstones);
        seen(&mut poll).guard.usual = usual;
        seen(&mut poll).guard.hold = hold;
        let change = store.record(&poll).await.unwrap();
        let expected = if believed { (many, vec![]) } else { (0, vec![FlawCode::MassWithdrawal]) };
        assert_eq!((change.withdrawn.len(), codes(&change)), expected, "{many} of {usual}");
        assert_eq!(ids(&*store, Withdrawn::Remove).await.len(), 10 - expected.0);
        let told = &store.polls().await.unwrap()[&channel("a")].flaws;
        assert_eq!(told, &change.flaws, "recorded with the entries, in one transaction");
    }
}
