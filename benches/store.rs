//! The ledger's hot paths on 20,000 synthetic entries: what a refresh reads, what a poll writes.
#![allow(clippy::unwrap_used, missing_docs)]

use chrono::{DateTime, TimeDelta, Utc};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use heliu::model::{Candidate, ChannelId, DateRung, Dated, Entry, Key, KeyKind, Precision, Standing};
use heliu::store::{Poll, PollState, Seen, SqliteStore, Store};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

const CHANNELS: u32 = 40;
const ENTRIES: u32 = 500;

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_793_577_600, 0).unwrap()
}

fn channel(number: u32) -> ChannelId {
    format!("c{number}").parse().unwrap()
}

fn candidate(channel: u32, number: u32) -> Candidate {
    let link = format!("c/2026-11-02/{channel}/{number}");
    let title = format!("第{number}条新闻的题目并不很短");
    let published = start() + TimeDelta::minutes(i64::from(number));
    let keys = vec![
        Key { kind: KeyKind::Link, value: link.clone() },
        Key { kind: KeyKind::TitleDay, value: format!("{title}|2026-11-02") },
    ];
    let entry = Entry {
        url: Some(format!("https://news.example/{link}.shtml")),
        summary: Some("摘要。".repeat(20)),
        ..Entry::new(
            format!("tag:news.example,2026:{link}"),
            title,
            Dated { at: published.fixed_offset(), precision: Precision::Minute, rung: DateRung::List },
        )
    };
    Candidate { keys, entry }
}

fn poll(number: u32, numbers: std::ops::Range<u32>) -> Poll {
    let candidates = numbers.rev().map(|n| candidate(number, n)).collect();
    Poll {
        channel: channel(number),
        at: start() + TimeDelta::days(400),
        seen: Some(Seen::new(Standing::Live, candidates)),
        state: PollState { live_since: Some(start()), ..PollState::default() },
        fetched: BTreeMap::new(),
    }
}

fn store(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let store = runtime.block_on(async {
        let store = SqliteStore::open(folder.path(), start()).await.unwrap();
        for number in 0..CHANNELS {
            store.record(&poll(number, 0..ENTRIES)).await.unwrap();
        }
        store
    });
    c.bench_function("latest 50 of 20 channels", |b| {
        b.iter(|| {
            runtime.block_on(async {
                for number in 0..20 {
                    assert_eq!(store.latest(&channel(number * 2), 50).await.unwrap().len(), 50);
                }
            });
        });
    });
    let known = poll(3, ENTRIES - 50..ENTRIES);
    c.bench_function("poll of 50 known", |b| {
        b.iter(|| assert_eq!(runtime.block_on(store.record(&known)).unwrap().unchanged, 50));
    });
    let next = Cell::new(ENTRIES);
    let fresh = || {
        next.set(next.get() + 50);
        poll(5, next.get() - 50..next.get())
    };
    c.bench_function("poll of 50 new", |b| {
        let record = |poll: Poll| assert_eq!(runtime.block_on(store.record(&poll)).unwrap().new.len(), 50);
        b.iter_batched(fresh, record, BatchSize::PerIteration);
    });
    runtime.block_on(store.close());
}

// The whole run stays under a minute: filling the ledger is most of it.
fn short() -> Criterion {
    Criterion::default().sample_size(20).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(4))
}

criterion_group! { name = benches; config = short(); targets = store }
criterion_main!(benches);
