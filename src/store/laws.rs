//! Laws that hold over any sequence of polls, on both engines.

use super::samples::{channel, guided, instant, linked, live};
use super::{MemoryStore, Poll, SqliteStore, Store};
use crate::model::{Candidate, DateRung, Image, Record};
use chrono::TimeDelta;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// How one sight of an article differs from the others.
#[derive(Debug, Clone)]
struct Sight {
    article: usize,
    markup: u8,
    host: u8,
    rung: u8,
    hours: i64,
    retitled: bool,
}

/// Articles 0 to 3 are the portal's, 4 to 7 a feed's; 6 and 7 share their link.
fn candidate(sight: &Sight) -> Candidate {
    let title = format!("题{}{}", sight.article, if sight.retitled { "改" } else { "" });
    let mut candidate = match sight.article {
        n @ 0..=3 => linked(&format!("9/{n}"), &title),
        n @ 4..=5 => guided(&format!("g{n}"), &format!("/{n}"), &title),
        n => guided(&format!("g{n}"), "/", &title),
    };
    let host = ["https://www.example", "http://www.example", "https://m.example"][usize::from(sight.host)];
    candidate.entry.url = Some(format!("{host}/{}", sight.article));
    candidate.entry.content = match sight.markup {
        0 => None,
        1 => Some(format!("<p>文 {}</p>", sight.article)),
        _ => Some(format!("<div class=x><b>文</b>{}</div>", sight.article)),
    };
    if sight.markup == 2 {
        let url = format!("{host}/a.jpg?{}", sight.hours);
        candidate.entry.images = vec![Image { url, ..Image::default() }];
    }
    candidate.entry.published.rung =
        [DateRung::Article, DateRung::List, DateRung::UrlDay, DateRung::FirstSeen][usize::from(sight.rung)];
    candidate.entry.published.at += TimeDelta::hours(sight.hours);
    candidate
}

fn sight() -> impl Strategy<Value = Sight> {
    (0..8_usize, 0..3_u8, 0..3_u8, 0..4_u8, -60..60_i64, prop::bool::weighted(0.1)).prop_map(
        |(article, markup, host, rung, hours, retitled)| Sight { article, markup, host, rung, hours, retitled },
    )
}

/// Polls of any articles in any order, also none, also some twice.
fn polls() -> impl Strategy<Value = Vec<Vec<Sight>>> {
    prop::collection::vec(prop::collection::vec(sight(), 0..10), 1..7)
}

async fn run(store: &dyn Store, polls: &[Poll]) -> Vec<Vec<Record>> {
    let mut states = Vec::new();
    let mut seq = 0;
    for poll in polls {
        let change = store.record(poll).await.unwrap();
        let changed = change.new.len() + change.updated.len() + change.touched.len();
        assert_eq!(change.seq, seq + changed as u64, "one number for each changed entry");
        seq = change.seq;
        let again = store.record(poll).await.unwrap();
        assert!(again.is_empty() && again.seq == seq, "twice is once: {again:?}");
        states.push(store.latest(&poll.channel, 99).await.unwrap());
    }
    states
}

/// What may never happen from one poll to the next.
fn check_laws(states: &[Vec<Record>], articles_seen: usize) {
    let mut before: BTreeMap<_, &Record> = BTreeMap::new();
    for state in states {
        let numbers: BTreeSet<_> = state.iter().map(|record| record.seq).collect();
        assert_eq!(numbers.len(), state.len(), "a sequence number twice");
        let now: BTreeMap<_, _> = state.iter().map(|record| (record.entry.id.clone(), record)).collect();
        for (id, old) in &before {
            let new = now[id]; // an id that is gone panics here
            assert!(new.seq >= old.seq && new.first_seen == old.first_seen);
            let lifted = new.entry.published.at - old.entry.published.at;
            assert!(lifted <= TimeDelta::hours(24), "an old entry looks new: {lifted}");
            assert!(new.entry.published.rung <= old.entry.published.rung);
            assert!(new.entry.updated >= old.entry.updated);
            assert!(new.entry.content.is_some() || old.entry.content.is_none(), "content was wiped");
        }
        before = now;
    }
    assert_eq!(before.len(), articles_seen, "as many entries as articles");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_polls_breaks_identity(sights in polls()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let polls: Vec<Poll> = (100..)
            .zip(&sights)
            .map(|(hour, page)| live(hour, page.iter().map(candidate).collect()))
            .collect();
        let articles: BTreeSet<_> = sights.iter().flatten().map(|sight| sight.article).collect();
        let folder = tempfile::tempdir().unwrap();
        runtime.block_on(async {
            let memory = MemoryStore::new(instant(0));
            let sqlite = SqliteStore::open(folder.path(), instant(0)).await.unwrap();
            let states = run(&memory, &polls).await;
            check_laws(&states, articles.len());
            assert_eq!(run(&sqlite, &polls).await, states, "the engines differ");
            assert_eq!(run(&MemoryStore::new(instant(0)), &polls).await, states, "not deterministic");
            assert_eq!(sqlite.count(&channel("a")).await.unwrap(), articles.len() as u64);
            sqlite.close().await;
        });
    }
}

/// What a source does to its ids between two polls.
#[derive(Debug, Clone, Copy)]
enum Churn {
    Nothing,
    Guids,
    GuidsAndLinks,
    GuidsLinksAndTitles,
    GuidsLinksAndDates,
    Swap,
    Host,
    NoGuids,
    Everything,
}

/// One poll: how many articles have come out by then, how many stand on the page, and what has happened to the ids.
fn churn() -> impl Strategy<Value = Vec<(usize, usize, Churn)>> {
    use Churn::{
        Everything, Guids, GuidsAndLinks, GuidsLinksAndDates, GuidsLinksAndTitles, Host, NoGuids, Nothing, Swap,
    };
    let kinds =
        vec![Nothing, Guids, GuidsAndLinks, GuidsLinksAndTitles, GuidsLinksAndDates, Swap, Host, NoGuids, Everything];
    prop::collection::vec((0..4_usize, 6..14_usize, prop::sample::select(kinds)), 1..9)
}

/// How a source writes its ids, links, titles and dates at present.
#[derive(Debug, Clone, Copy, Default)]
struct Habit {
    guids: usize,
    links: usize,
    titles: usize,
    hours: i64,
    host: usize,
    swapped: usize,
    no_guids: bool,
    texts: usize,
}

impl Habit {
    fn after(self, churn: Churn, round: usize) -> Self {
        let new = Self { guids: round, ..self };
        match churn {
            Churn::Nothing => self,
            Churn::Guids => Self { no_guids: false, ..new },
            Churn::GuidsAndLinks => Self { links: round, ..new },
            Churn::GuidsLinksAndTitles => Self { links: round, titles: round, ..new },
            Churn::GuidsLinksAndDates => Self { links: round, hours: self.hours - 3, ..new },
            Churn::Swap => Self { swapped: self.swapped + 1, ..self },
            Churn::Host => Self { host: round, ..self },
            Churn::NoGuids => Self { no_guids: true, ..self },
            Churn::Everything => Self { links: round, titles: round, texts: round, hours: self.hours - 3, ..new },
        }
    }

    /// Article `n` as the source shows it when `newest` is on top. Its last category names it for the test.
    fn show(self, n: usize, newest: usize) -> Candidate {
        let mut candidate = super::trust::item(n);
        let guid_of = if self.swapped == 0 { n } else { (newest - n + self.swapped) % 14 + 10_000 };
        let guid = format!("g{}-{guid_of}", self.guids);
        candidate.entry.id = crate::model::EntryId(guid.clone());
        candidate.keys[0].value = guid;
        candidate.keys[1].value = format!("host{}.example/{}/{n}", self.host, self.links);
        candidate.entry.url = Some(format!("https://{}", candidate.keys[1].value));
        candidate.entry.title = super::trust::headline(n + self.titles * 1000);
        candidate.entry.content = Some(super::trust::text(n + self.texts * 1000));
        candidate.entry.published.at += TimeDelta::hours(self.hours);
        let day = candidate.entry.published.at.date_naive();
        candidate.keys[2].value = format!("{} {day}", candidate.entry.title);
        candidate.entry.categories = vec![crate::model::Category { term: n.to_string(), ..Default::default() }];
        if self.no_guids {
            candidate.keys.remove(0);
            candidate.entry.id.0 = candidate.entry.url.clone().unwrap();
        }
        candidate
    }
}

/// No article changes the id it was published with, and none is published under two.
async fn check_churn(store: &dyn Store, polls: &[(usize, usize, Churn)]) {
    let mut habit = Habit::default();
    let (mut newest, mut ids, mut first) = (20, BTreeMap::new(), 0);
    for (round, &(more, size, churn)) in polls.iter().enumerate() {
        let hour = 60 + 30 * i64::try_from(round).unwrap();
        newest += more;
        // An old entry that nothing of what was known is left of cannot be told when it comes alone.
        let fading =
            |(_, _, churn): &(usize, usize, Churn)| matches!(churn, Churn::Everything | Churn::GuidsLinksAndDates);
        let lowest = if polls.iter().any(fading) { first } else { 0 };
        first = lowest.max(newest + 1 - size);
        habit = if round == 0 { habit } else { habit.after(churn, round) };
        let page = (first..=newest).rev().map(|n| habit.show(n, newest)).collect();
        let mut poll = live(hour, page);
        let since = (round > 0).then(|| instant(hour - 30));
        poll.seen.as_mut().unwrap().guard = super::Guard { since, usual: 14, hold: true };
        store.record(&poll).await.unwrap();
        let mut articles = BTreeMap::new();
        for record in store.latest(&channel("a"), 999).await.unwrap() {
            let article = record.entry.categories[0].term.clone();
            let id = record.entry.id;
            let twice = articles.insert(article.clone(), id.clone());
            assert_eq!(twice, None, "round {round}: article {article} is published twice");
            let before = ids.entry(article.clone()).or_insert_with(|| id.clone());
            assert_eq!(*before, id, "round {round}: article {article} has another id");
        }
        assert!(ids.keys().all(|article| articles.contains_key(article)), "round {round}: an article was lost");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_churn_of_ids_changes_a_published_id(polls in churn()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        runtime.block_on(async {
            check_churn(&MemoryStore::new(instant(0)), &polls).await;
            let sqlite = SqliteStore::open(folder.path(), instant(0)).await.unwrap();
            check_churn(&sqlite, &polls).await;
            sqlite.close().await;
        });
    }
}
