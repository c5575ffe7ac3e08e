//! What every engine must do. Each engine's tests call [`all`] with a way to make a fresh, empty store.

use super::cases::{Case, NEW, feed_cases, portal_cases};
use super::samples::{channel, guided, instant, linked, live, poll_of, with_content};
use super::{ATTEMPTS_KEPT, Attempt, FetchState, PollState, Store};
use crate::model::{DateRung, Enclosure, EntryId, Image, Precision, Standing};
use chrono::TimeDelta;
use std::pin::Pin;
use std::sync::Arc;

pub(crate) type Fresh<'a> = &'a (dyn Fn() -> Pin<Box<dyn Future<Output = Arc<dyn Store>>>> + 'a);

/// Runs the whole contract.
pub(crate) async fn all(fresh: Fresh<'_>) {
    identity(fresh).await;
    let store = fresh().await;
    order_and_sequence(&*store).await;
    a_touched_entry_keeps_its_place(&*fresh().await).await;
    change_of_content(&*fresh().await).await;
    claimed_updates(&*fresh().await).await;
    an_article_read_once(&*fresh().await).await;
    snapshots(&*fresh().await).await;
    dates(&*fresh().await).await;
    ids(&*fresh().await).await;
    channels_are_apart(&*fresh().await).await;
    states(&*fresh().await).await;
    attempts(&*fresh().await).await;
    stamps(&*fresh().await).await;
    odd_input(&*fresh().await).await;
    closed(&*fresh().await).await;
    super::trust::all(fresh).await;
    super::flood::all(fresh).await;
}

async fn identity(fresh: Fresh<'_>) {
    for Case { name, first, second, expected } in portal_cases().into_iter().chain(feed_cases()) {
        let store = fresh().await;
        let first_change = store.record(&live(1, first.clone())).await.unwrap();
        assert_eq!(first_change.new.len(), first.len(), "{name}: first poll");
        let change = store.record(&live(2, second.clone())).await.unwrap();
        let mut known: Vec<&EntryId> = expected.iter().filter_map(|&i| first.get(i)).map(|c| &c.entry.id).collect();
        known.sort();
        known.dedup();
        let new = expected.iter().filter(|&&index| index == NEW).count();
        assert_eq!(change.new.len(), new, "{name}: new ones in {change:?}");
        assert_eq!(change.updated.len() + change.touched.len() + change.unchanged, known.len(), "{name}: {change:?}");
        for id in change.updated.iter().chain(&change.touched) {
            assert!(known.contains(&id), "{name}: {id} was hit in {change:?}");
        }
        let ids: Vec<_> = store.latest(&channel("a"), 99).await.unwrap().into_iter().map(|r| r.entry.id).collect();
        for candidate in &first {
            assert!(ids.contains(&candidate.entry.id), "{name}: {} was lost", candidate.entry.id);
        }
        assert_eq!(store.count(&channel("a")).await.unwrap(), (first.len() + new) as u64, "{name}");
        let again = store.record(&live(2, second)).await.unwrap();
        assert!(again.is_empty() && again.seq == change.seq, "{name}: again {again:?}");
    }
    a_key_stays_after_a_move(&*fresh().await).await;
}

/// After a change of scheme both addresses lead to the entry, for ever.
async fn a_key_stays_after_a_move(store: &dyn Store) {
    let (old, new) = (linked("424/1", "甲"), linked("c/2019/1", "甲"));
    store.record(&live(1, vec![old.clone()])).await.unwrap();
    store.record(&live(2, vec![])).await.unwrap();
    let moved = store.record(&live(3, vec![new.clone()])).await.unwrap();
    assert_eq!(moved.touched, std::slice::from_ref(&old.entry.id));
    let both = store.record(&live(4, vec![new, linked("424/1", "甲二")])).await.unwrap();
    assert!(both.new.is_empty(), "{both:?}");
    let links = ["424/1".to_owned(), "c/2019/1".to_owned(), "c/2019/2".to_owned()];
    assert_eq!(store.known_links(&channel("a"), &links).await.unwrap(), [true, true, false]);
    assert_eq!(store.known_links(&channel("nobody"), &links).await.unwrap(), [false; 3]);
}

async fn order_and_sequence(store: &dyn Store) {
    let change = store.record(&live(1, vec![linked("3", "丙"), linked("2", "乙"), linked("1", "甲")])).await.unwrap();
    assert_eq!(change.seq, 3);
    let titles = |records: Vec<crate::model::Record>| -> Vec<String> {
        records.into_iter().map(|record| format!("{}{}", record.entry.title, record.seq)).collect()
    };
    let latest = store.latest(&channel("a"), 9).await.unwrap();
    assert_eq!(titles(latest), ["丙3", "乙2", "甲1"], "the top of the page is the newest");
    let same = store.record(&live(2, vec![linked("1", "甲"), linked("3", "丙"), linked("2", "乙")])).await.unwrap();
    assert!(same.is_empty());
    assert_eq!((same.unchanged, same.seq), (3, 3));
    let mut older = linked("0", "零");
    older.entry.published.at -= TimeDelta::days(1);
    let change = store.record(&live(3, vec![linked("4", "丁"), older, linked("2", "乙!")])).await.unwrap();
    assert_eq!(change.seq, 6);
    assert_eq!((change.new.len(), change.updated.len()), (2, 1));
    let latest = titles(store.latest(&channel("a"), 9).await.unwrap());
    assert_eq!(latest, ["丁6", "丙3", "乙!4", "甲1", "零5"]);
    assert_eq!(titles(store.latest(&channel("a"), 2).await.unwrap()), ["丁6", "丙3"]);
    assert!(store.latest(&channel("a"), 0).await.unwrap().is_empty());
    assert!(store.latest(&channel("nobody"), 9).await.unwrap().is_empty());
    let nothing = store.record(&live(4, vec![])).await.unwrap();
    assert_eq!((nothing.is_empty(), nothing.seq), (true, 6));
    assert_eq!(store.count(&channel("a")).await.unwrap(), 5, "an empty page deletes nothing");
}

/// Same-day entries have one and the same date: what becomes known of one later must not lift it over the others.
async fn a_touched_entry_keeps_its_place(store: &dyn Store) {
    let page = ["3", "2", "1"].map(|path| linked(path, path));
    store.record(&live(1, page.to_vec())).await.unwrap();
    let born = store.latest(&channel("a"), 9).await.unwrap();
    for (hour, touched) in (2..).zip(0..3) {
        let mut page = page.to_vec();
        page[touched].entry.content = Some("<p>全文</p>".to_owned());
        assert_eq!(store.record(&live(hour, page)).await.unwrap().updated.len(), 1);
        let now = store.latest(&channel("a"), 9).await.unwrap();
        let places = |records: &[crate::model::Record]| -> Vec<(EntryId, u64)> {
            records.iter().map(|record| (record.entry.id.clone(), record.number)).collect()
        };
        assert_eq!(places(&now), places(&born), "entry {touched} was touched");
    }
}

async fn only(store: &dyn Store) -> crate::model::Record {
    let mut records = store.latest(&channel("a"), 9).await.unwrap();
    assert_eq!(records.len(), 1);
    records.remove(0)
}

async fn change_of_content(store: &dyn Store) {
    let mut candidate = linked("1", "甲");
    candidate.entry.updated = None;
    store.record(&live(1, vec![candidate.clone()])).await.unwrap();
    assert_eq!(only(store).await.entry.updated, None, "the first record updates nothing");

    candidate.entry.authors = vec![crate::model::Person::named("另一人")];
    let change = store.record(&live(2, vec![candidate.clone()])).await.unwrap();
    assert_eq!((change.touched.len(), change.updated.len()), (1, 0), "an author is not visible content");
    assert_eq!(only(store).await.entry.updated, None);

    candidate.entry.content = Some("<p>全文</p>".to_owned());
    let change = store.record(&live(3, vec![candidate.clone()])).await.unwrap();
    assert_eq!(change.updated.len(), 1, "the article could be read at last");
    let record = only(store).await;
    assert_eq!(record.entry.updated, Some(instant(3).fixed_offset()));
    assert_eq!((record.changed, record.first_seen), (instant(3), instant(1)));

    candidate.entry.content = Some("<div> 全 文 </div>".to_owned());
    let change = store.record(&live(4, vec![candidate.clone()])).await.unwrap();
    assert_eq!((change.touched.len(), change.updated.len()), (1, 0), "markup is not visible");
    assert_eq!(only(store).await.entry.updated, Some(instant(3).fixed_offset()));
}

async fn claimed_updates(store: &dyn Store) {
    let mut candidate = linked("1", "甲");
    for (hour, title, claimed, expected) in [
        (10, "甲", Some(5), Some(5)),   // a new entry keeps what its source says
        (11, "甲", Some(9), Some(5)),   // nothing visible changed
        (12, "乙", Some(9), Some(9)),   // the source's date
        (13, "丙", Some(2), Some(13)),  // older than stored
        (14, "丁", Some(99), Some(14)), // in the future
        (15, "戊", None, Some(15)),
        (7, "己", None, Some(15)), // the clock went back; the date does not
    ] {
        candidate.entry.title = title.to_owned();
        candidate.entry.updated = claimed.map(|hour| instant(hour).fixed_offset());
        store.record(&live(hour, vec![candidate.clone()])).await.unwrap();
        let updated = only(store).await.entry.updated;
        assert_eq!(updated, expected.map(|hour| instant(hour).fixed_offset()), "hour {hour}");
    }
}

async fn an_article_read_once(store: &dyn Store) {
    let mut rich = with_content(linked("1", "合流是一个很长的题目"), "<p>全文</p>");
    rich.entry.summary = Some("摘要".to_owned());
    rich.entry.images = vec![Image { url: "https://i.example/a.jpg".to_owned(), ..Image::default() }];
    rich.entry.enclosures = vec![Enclosure { url: "https://i.example/a.mp3".to_owned(), ..Enclosure::default() }];
    store.record(&live(1, vec![rich.clone()])).await.unwrap();
    let stored = only(store).await;

    let mut list = linked("1", "合流是一个…");
    list.entry.authors.clear();
    list.entry.summary = Some("  ".to_owned());
    list.entry.content = Some(" ".to_owned());
    list.entry.images = vec![Image { url: "https://i.example/thumb.jpg".to_owned(), ..Image::default() }];
    let change = store.record(&live(2, vec![list.clone()])).await.unwrap();
    // The cut title, with a day of its own, is one more key.
    assert_eq!((change.updated.len(), change.touched.len()), (0, 1));
    assert_eq!(only(store).await.entry, stored.entry, "a poll of the list wipes nothing");

    list.entry.title = "合流改了题目".to_owned();
    let change = store.record(&live(3, vec![list])).await.unwrap();
    assert_eq!(change.updated.len(), 1);
    let record = only(store).await;
    assert_eq!(record.entry.title, "合流改了题目");
    assert_eq!((record.entry.content, record.entry.images), (stored.entry.content, stored.entry.images));

    let mut plain = linked("1", "合流改了题目");
    plain.entry.url = Some("http://news.example/urn:x:1".to_owned());
    store.record(&live(4, vec![plain])).await.unwrap();
    assert_eq!(only(store).await.entry.url, stored.entry.url, "https is not given up for a mirror's http");
}

async fn snapshots(store: &dyn Store) {
    let snapshot = |hour, candidates| poll_of("a", hour, Standing::Snapshot, candidates);
    store.record(&snapshot(1, vec![linked("2", "乙"), linked("1", "甲")])).await.unwrap();
    assert_eq!(store.latest(&channel("a"), 9).await.unwrap().len(), 2);
    let again = store.record(&snapshot(2, vec![linked("2", "乙"), linked("1", "甲")])).await.unwrap();
    assert!(again.is_empty(), "a restart reads the snapshot again");

    let richer = with_content(linked("2", "乙"), "<p>全文</p>");
    let change = store.record(&live(3, vec![linked("3", "丙"), richer.clone()])).await.unwrap();
    assert_eq!((change.new.len(), change.touched.len(), change.updated.len()), (1, 1, 0), "{change:?}");
    let records = store.latest(&channel("a"), 9).await.unwrap();
    let titles: Vec<_> = records.iter().map(|record| record.entry.title.as_str()).collect();
    assert_eq!(titles, ["丙", "乙"], "what only the snapshot knew is not published any more");
    assert!(records.iter().all(|record| record.standing == Standing::Live && record.entry.updated.is_none()));
    assert_eq!(store.count(&channel("a")).await.unwrap(), 3, "but it is kept");

    let mut back = snapshot(4, vec![linked("2", "旧题"), linked("1", "甲")]);
    back.state.live_since = Some(instant(3));
    let change = store.record(&back).await.unwrap();
    assert!(change.is_empty() && change.unchanged == 2, "never back: {change:?}");

    let change = store.record(&live(5, vec![linked("1", "甲改")])).await.unwrap();
    assert_eq!(change.updated.len(), 1, "an edited title is visible, also when the entry turns live");
}

async fn dates(store: &dyn Store) {
    let mut candidate = linked("1", "甲");
    let steps = [
        (10, DateRung::FirstSeen, 10, 10),
        (11, DateRung::FirstSeen, 11, 10), // the first time stays
        (12, DateRung::UrlDay, 2, 2),
        (13, DateRung::List, 30, 2), // more than a day later: would look new
        (14, DateRung::List, 4, 4),
        (15, DateRung::List, 6, 4),      // the same rung
        (16, DateRung::Article, 11, 4),  // later than first seen
        (17, DateRung::Article, -3, -3), // at last
        (18, DateRung::UrlDay, 0, -3),
    ];
    for (hour, rung, claimed, expected) in steps {
        candidate.entry.published.rung = rung;
        candidate.entry.published.at = instant(claimed).fixed_offset();
        let change = store.record(&live(hour, vec![candidate.clone()])).await.unwrap();
        assert!(change.updated.is_empty(), "hour {hour}: a date is not visible content");
        let record = only(store).await;
        assert_eq!(record.entry.published.at, instant(expected).fixed_offset(), "hour {hour}");
        assert_eq!(record.entry.updated, None);
    }
    let mut future = linked("2", "明年");
    future.entry.published.at = instant(9000).fixed_offset();
    future.entry.updated = Some(instant(9000).fixed_offset());
    store.record(&live(20, vec![future])).await.unwrap();
    let newest = store.latest(&channel("a"), 1).await.unwrap().remove(0).entry;
    assert_eq!((newest.published.at, newest.updated), (instant(20).fixed_offset(), None));
    assert_eq!((newest.published.rung, newest.published.precision), (DateRung::FirstSeen, Precision::Second));
}

async fn ids(store: &dyn Store) {
    let with_id = |link: &str, title: &str, id: &str| {
        let mut candidate = linked(link, title);
        candidate.entry.id = EntryId(id.to_owned());
        candidate
    };
    let change = store.record(&live(1, vec![with_id("1", "甲", "x"), with_id("2", "乙", "x")])).await.unwrap();
    assert_eq!(change.new[0].0, "x");
    let variant = change.new[1].0.clone();
    assert!(variant.starts_with("urn:uuid:"), "{variant}");
    let change = store.record(&live(2, vec![with_id("3", "丙", "x"), with_id("1", "甲", "y")])).await.unwrap();
    assert!(change.new[0].0.starts_with("urn:uuid:") && change.new[0].0 != variant, "{change:?}");
    assert_eq!(change.unchanged, 1, "an id is stored once and not derived again");
    // A source that knows how variants are made, and takes one, harms nobody.
    let forged = with_id("4", "丁", &format!("urn:uuid:{}", uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, b"x\n5")));
    let change = store.record(&live(3, vec![forged, with_id("5", "戊", "x")])).await.unwrap();
    assert_eq!(change.new.len(), 2);
    assert_ne!(change.new[0], change.new[1]);
}

async fn channels_are_apart(store: &dyn Store) {
    store.record(&live(1, vec![linked("1", "甲")])).await.unwrap();
    let other = store.record(&poll_of("b", 2, Standing::Live, vec![linked("1", "甲")])).await.unwrap();
    assert_eq!((other.new.len(), other.seq), (1, 2), "the sequence is one for the whole ledger");
    assert_eq!(store.latest(&channel("a"), 9).await.unwrap().len(), 1);
    assert_eq!(store.latest(&channel("b"), 9).await.unwrap()[0].channel, channel("b"));
}

async fn states(store: &dyn Store) {
    assert!(store.polls().await.unwrap().is_empty());
    let at = instant(1) + TimeDelta::nanoseconds(123_456_789);
    let fetched =
        FetchState { etag: Some(b"W/\"\xff\x00\"".to_vec()), checked: Some(at), failures: 3, ..FetchState::default() };
    let mut poll = live(1, vec![linked("1", "甲")]);
    poll.at = at;
    poll.state = PollState { next_poll: Some(at), error: Some("x".to_owned()), failures: 1, ..PollState::default() };
    poll.fetched.insert("https://a.example/?q=时评".to_owned(), fetched.clone());
    store.record(&poll).await.unwrap();
    assert_eq!(store.latest(&channel("a"), 1).await.unwrap()[0].first_seen, at);
    assert_eq!(store.polls().await.unwrap()[&channel("a")], poll.state);
    let urls = ["https://a.example/?q=时评".to_owned(), "https://unknown.example/".to_owned()];
    let states = store.fetch_states(&urls).await.unwrap();
    assert_eq!(states.into_iter().collect::<Vec<_>>(), [(urls[0].clone(), fetched)]);
    // A poll that saw nothing changes the state alone.
    poll.seen = None;
    poll.state.failures = 2;
    poll.fetched.get_mut(&urls[0]).unwrap().failures = 4;
    let change = store.record(&poll).await.unwrap();
    assert_eq!((change.is_empty(), change.unchanged, change.seq), (true, 0, 1));
    assert_eq!(store.polls().await.unwrap()[&channel("a")].failures, 2);
    assert_eq!(store.fetch_states(&urls).await.unwrap()[&urls[0]].failures, 4);
    assert_eq!(store.count(&channel("a")).await.unwrap(), 1);
    store.ping().await.unwrap();
    assert_eq!(store.created().await.unwrap(), instant(0));
}

async fn attempts(store: &dyn Store) {
    assert!(store.attempts(&channel("a")).await.unwrap().is_empty());
    let mut poll = live(1, vec![]);
    poll.seen = None;
    let mut all = Vec::new();
    for n in 0..130_u32 {
        // A clock that goes back does not change the order.
        let at = instant(1) - TimeDelta::nanoseconds(i64::from(n) * 1_000_000_007);
        let error = (n % 7 > 3).then(|| format!("http-status: 错误 {n}"));
        let status = (n % 3 > 0).then_some(200 + u16::try_from(n).unwrap());
        poll.state.attempted(Attempt {
            at,
            url: format!("https://a.example/{n}"),
            status,
            millis: n.into(),
            changed: 0,
            error,
        });
        store.record(&poll).await.unwrap();
        // Recorded once more, with what the poll turned out to have changed.
        poll.state.last_attempt.as_mut().unwrap().changed = n;
        store.record(&poll).await.unwrap();
        all.insert(0, poll.state.last_attempt.clone().unwrap());
    }
    all.truncate(ATTEMPTS_KEPT);
    assert_eq!(store.attempts(&channel("a")).await.unwrap(), all);
    assert!(store.attempts(&channel("b")).await.unwrap().is_empty());
    let wanted = [channel("a"), channel("b")];
    let states = store.poll_states(&wanted).await.unwrap();
    assert_eq!(states.into_iter().collect::<Vec<_>>(), [(channel("a"), poll.state.clone())]);
    assert!(store.poll_states(&[]).await.unwrap().is_empty());
    let failing: Vec<_> = all.iter().take_while(|attempt| attempt.error.is_some()).map(|attempt| attempt.at).collect();
    assert_eq!((poll.state.tries, poll.state.failing_since), (130, failing.last().copied()));
}

async fn stamps(store: &dyn Store) {
    let at = |millis| instant(1) + TimeDelta::milliseconds(millis);
    for (hash, asked, expected) in [
        ("a", 900, 0),
        ("a", 5000, 0),     // the same bytes keep their date
        ("b", 500, 1000),   // never the same second twice
        ("c", -9000, 2000), // never back
        ("b", 60_500, 60_000),
    ] {
        let stamp = store.stamp("/feeds/a.rss", hash, at(asked)).await.unwrap();
        assert_eq!((stamp.hash.as_str(), stamp.modified), (hash, at(expected)), "{hash} {asked}");
    }
    assert_eq!(store.stamp("/other", "a", at(0)).await.unwrap().modified, at(0));
}

async fn odd_input(store: &dyn Store) {
    let long = "x".repeat(100_000);
    let mut keyless = linked("", "没有");
    keyless.keys.clear();
    let odd = vec![keyless, linked(&long, "长"), linked("a\0b", "零"), linked("a\0c", "零二"), linked("\"]}'%_", "引")];
    let change = store.record(&live(1, odd.clone())).await.unwrap();
    assert_eq!(change.new.len(), 5);
    let again = store.record(&live(2, odd)).await.unwrap();
    assert_eq!((again.unchanged, again.is_empty()), (5, true));
    let links = [long, "a\0b".to_owned(), "a".to_owned(), "\"]}'%_".to_owned()];
    assert_eq!(store.known_links(&channel("a"), &links).await.unwrap(), [true, true, false, true]);
    // Guids that change with every poll do not pile up.
    let mut changed = 0;
    for hour in 3..40 {
        let change = store.record(&live(hour, vec![guided(&format!("g{hour}"), "/1", "甲")])).await.unwrap();
        assert_eq!(change.new.len(), usize::from(hour == 3));
        changed += change.touched.len();
    }
    assert_eq!(changed, 15);
}

async fn closed(store: &dyn Store) {
    store.close().await;
    assert!(store.ping().await.is_err());
    assert!(store.record(&live(1, vec![])).await.is_err());
    assert!(store.latest(&channel("a"), 1).await.is_err());
}
