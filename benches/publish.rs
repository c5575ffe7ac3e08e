//! From stored to published: one new entry in a feed of 100 channels with 1,000 entries each. Times the ledger,
//! the merge and the rendering of all documents of the feed, as the running service does it.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use chrono::{DateTime, TimeDelta, Utc};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use heliu::model::{Candidate, ChannelId, DateRung, Dated, Entry, Key, KeyKind, Precision, Standing};
use heliu::net;
use heliu::store::{Poll, PollState, Seen, SqliteStore, Store};
use heliu::worker::{Service, Setup, SystemClock};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

const CHANNELS: u32 = 100;
const ENTRIES: u32 = 1_000;

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_793_577_600, 0).unwrap()
}

fn name(channel: u32) -> ChannelId {
    format!("c{channel}").parse().unwrap()
}

/// A number that looks like chance (the finaliser of `SplitMix64`). Whatever is simpler gives texts that are alike.
fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

/// An article of 600 characters that are its own.
fn candidate(channel: u32, number: u32) -> Candidate {
    let seed = u64::from(channel) * 100_000 + u64::from(number);
    let letter = |at: u64| {
        let chosen = mixed(mixed(seed).wrapping_add(at)) % 3_000;
        char::from_u32(0x4E00 + u32::try_from(chosen).unwrap()).unwrap()
    };
    let text: String = (0..600).map(|at| if at % 30 == 29 { '。' } else { letter(at) }).collect();
    let title: String = (700..718).map(letter).collect();
    let published = start() + TimeDelta::minutes(i64::from(number) * 7 + i64::from(channel % 7));
    let guid = format!("tag:c{channel}.example,2026:{number}");
    let entry = Entry {
        url: Some(format!("https://c{channel}.example/{number}.html")),
        content: Some(format!("<p>{text}</p>")),
        ..Entry::new(
            guid.clone(),
            title,
            Dated { at: published.fixed_offset(), precision: Precision::Minute, rung: DateRung::List },
        )
    };
    Candidate { keys: vec![Key { kind: KeyKind::Guid, value: guid }], entry }
}

fn poll(channel: u32, numbers: std::ops::Range<u32>) -> Poll {
    let at = start() + TimeDelta::minutes(i64::from(numbers.end) * 7) + TimeDelta::days(1);
    Poll {
        channel: name(channel),
        at,
        seen: Some(Seen::new(Standing::Live, numbers.rev().map(|number| candidate(channel, number)).collect())),
        state: PollState {
            live_since: Some(start()),
            last_poll: Some(at),
            next_poll: Some(at + TimeDelta::days(3650)),
            ..PollState::default()
        },
        fetched: BTreeMap::new(),
    }
}

async fn service(folder: &Path, limit: usize) -> (Arc<Service>, Arc<SqliteStore>) {
    let mut yaml = "service: { title: T, base_url: 'http://127.0.0.1:8080/' }\nchannels:\n".to_owned();
    for channel in 0..CHANNELS {
        let _ = writeln!(yaml, "  c{channel}: {{ feed: 'https://c{channel}.example/feed' }}");
    }
    let names: Vec<String> = (0..CHANNELS).map(|channel| format!("c{channel}")).collect();
    let _ = writeln!(yaml, "feeds: {{ all: {{ channels: [{}], limit: {limit} }} }}", names.join(", "));
    std::fs::write(folder.join("feeds.yaml"), yaml).unwrap();
    let store = Arc::new(SqliteStore::open(folder, start()).await.unwrap());
    for channel in 0..CHANNELS {
        for from in (0..ENTRIES).step_by(100) {
            store.record(&poll(channel, from..from + 100)).await.unwrap();
        }
    }
    let setup = Setup {
        config_path: folder.join("feeds.yaml"),
        store: Arc::clone(&store) as Arc<dyn Store>,
        clock: Arc::new(SystemClock),
        net: net::Options::default(),
        chance: Arc::new(|| 0.5),
    };
    let before = Instant::now();
    let service = Service::start(setup).await.unwrap();
    println!("limit {limit}: the first publication of 100 x 1,000 took {:?}", before.elapsed());
    (service, store)
}

fn publishing(c: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut group = c.benchmark_group("publish");
    group.sample_size(20);
    for limit in [50, 500] {
        let folder = tempfile::tempdir().unwrap();
        let (service, store) = runtime.block_on(service(folder.path(), limit));
        let next = Cell::new(ENTRIES);
        let touched: BTreeSet<ChannelId> = [name(3)].into();
        let one_more = || {
            runtime.block_on(service.press());
            next.set(next.get() + 1);
            runtime.block_on(store.record(&poll(3, next.get() - 1..next.get()))).unwrap();
        };
        group.bench_function(format!("one new entry of 100 x 1,000, {limit} shown"), |b| {
            b.iter_batched(
                one_more,
                |()| runtime.block_on(service.publish_channels(&touched)).unwrap(),
                BatchSize::PerIteration,
            );
        });
        let feed = service.shelf().get().feeds[0].entries.clone();
        let newest = format!(":{}", next.get() - 1);
        let ids: Vec<_> = feed.iter().map(|record| &record.entry.id.0).collect();
        assert!(ids.iter().any(|id| id.ends_with(&newest)), "{newest} is shown: {ids:?}");
        runtime.block_on(store.close());
    }
    group.finish();
}

criterion_group!(benches, publishing);
criterion_main!(benches);
