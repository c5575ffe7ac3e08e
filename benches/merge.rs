//! What merging costs: 100 sources of 1,000 entries each, and the same with one entry more.

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use heliu::config::{Channel, Duplicates, FeedSpec, Origin};
use heliu::merge::{self, ChannelInput};
use heliu::model::{self, Record};
use std::hint::black_box;

#[allow(dead_code)] // The sample makes whole feeds as well.
#[path = "../src/render/tests/sample.rs"]
mod sample;

fn channel(number: usize) -> Channel {
    Channel {
        id: format!("c{number}").parse().expect("a name"),
        title: format!("c{number}"),
        origin: Origin::Feed { url: format!("https://c{number}.example/f").parse().expect("an address") },
        every: None,
        timezone: chrono_tz::Asia::Shanghai,
        language: "zh-CN".to_owned(),
        snapshot: None,
        rules: heliu::rule::Rules::default(),
        obeys_robots: true,
        trust: heliu::model::Trust::default(),
    }
}

/// Entries with texts of their own: words made of the number, so that few are alike.
fn records(channel: &Channel, place: usize, count: usize) -> Vec<Record> {
    let own = |n: usize| {
        let mut record = sample::record(n % 24);
        let number = place * 10_000 + n;
        record.channel = channel.id.clone();
        record.entry.id = model::EntryId(format!("urn:{number}"));
        record.entry.url = Some(format!("https://c{place}.example/{n}"));
        record.entry.title = format!("Article number {number} about nothing in particular");
        let word = |step: usize| format!("w{} ", (number + 7).wrapping_mul(step * 2 + 2_654_435_761) % 50_000);
        record.entry.content = Some((0..200).map(word).collect());
        record
    };
    (0..count).map(own).collect()
}

fn merging(c: &mut Criterion) {
    let mut group = c.benchmark_group("merge");
    group.sample_size(10);
    for (sources, entries) in [(10, 100), (10, 1_000), (100, 1_000)] {
        let channels: Vec<Channel> = (0..sources).map(channel).collect();
        let spec = FeedSpec {
            id: "all".parse().expect("a name"),
            title: "all".to_owned(),
            description: String::new(),
            language: "en".to_owned(),
            channels: channels.iter().map(|channel| channel.id.clone()).collect(),
            feeds: Vec::new(),
            limit: 500,
            duplicates: Duplicates::default(),
            quota: None,
            max_age: None,
            rules: heliu::rule::Rules::default(),
        };
        let inputs = || -> Vec<ChannelInput<'_>> {
            let input = |(place, channel)| ChannelInput::new(channel, records(channel, place, entries));
            channels.iter().enumerate().map(input).collect()
        };
        let inputs = inputs();
        let created = sample::instant("2026-11-23T00:00:00+08:00").to_utc();
        let run = |inputs: &Vec<ChannelInput<'_>>| merge::feed(&spec, black_box(inputs), created);
        group.bench_function(format!("{sources} sources of {entries}"), |b| b.iter(|| run(&inputs)));
        let one_more = || {
            let mut inputs = inputs.clone();
            inputs[0].records.extend(records(&channels[0], 9_999, 1));
            inputs
        };
        group.bench_function(format!("{sources} sources of {entries} and one new"), |b| {
            b.iter_batched_ref(one_more, |inputs| run(inputs), BatchSize::PerIteration);
        });
    }
    group.finish();
}

criterion_group!(benches, merging);
criterion_main!(benches);
