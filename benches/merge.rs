//! What merging costs: 100 sources of 1,000 entries each, and the same with one entry more.
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)] // Small numbers.

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
        title: format!("c{number}").into(),
        origin: Origin::Feed { url: format!("https://c{number}.example/f").parse().expect("an address") },
        every: None,
        timezone: chrono_tz::Asia::Shanghai,
        language: "zh-CN".into(),
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

fn spec(channels: &[Channel]) -> FeedSpec {
    FeedSpec {
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
    }
}

fn merging(c: &mut Criterion) {
    let mut group = c.benchmark_group("merge");
    group.sample_size(10);
    for (sources, entries) in [(10, 100), (10, 1_000), (100, 1_000)] {
        let channels: Vec<Channel> = (0..sources).map(channel).collect();
        let spec = spec(&channels);
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

/// An article of 20 sentences: letters as unequally frequent as in Chinese, and every third article begins and ends
/// with the same phrases.
fn article(number: usize) -> String {
    let mut state = number as u64 * 2 + 1;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32
    };
    let mut text = String::new();
    if number.is_multiple_of(3) {
        text.push_str("本报讯（记者 某某 通讯员 某某）昨天上午记者从有关部门获悉。");
    }
    for _ in 0..20 {
        for _ in 0..28 {
            // The product of two uniform numbers is small more often than not.
            let rank = (u64::from(random() % 3_500) * u64::from(random() % 3_500) / 3_500) as u32;
            text.extend(char::from_u32(0x4E00 + rank));
        }
        text.push('。');
    }
    if number.is_multiple_of(3) {
        text.push_str("更多消息请继续关注本报的后续报道并以权威发布为准。");
    }
    text
}

/// One entry against a million known ones: compared, joined or placed, and the feed made.
fn near(c: &mut Criterion) {
    const KNOWN: usize = 1_000_000;
    let channels: Vec<Channel> = (0..2).map(channel).collect();
    let spec = FeedSpec { limit: 50, ..spec(&channels) };
    let mut merger = merge::Merger::new(&spec, &channels.iter().collect::<Vec<_>>()).expect("no rules");
    let record = |place: usize, number: usize, text: String| {
        let mut record = sample::record(0);
        record.channel = channels[place].id.clone();
        (record.number, record.seq) = (number as u64 + 1, number as u64 + 1);
        record.entry.id = model::EntryId(format!("urn:{place}:{number}"));
        record.entry.url = Some(format!("https://c{place}.example/{number}"));
        record.entry.title = article(number + place * 7 * KNOWN).chars().take(18).collect();
        record.entry.content = Some(text);
        record.first_seen += chrono::TimeDelta::milliseconds(number as i64);
        record
    };
    for from in (0..KNOWN).step_by(10_000) {
        let records: Vec<Record> = (from..from + 10_000).map(|n| record(0, n, article(n))).collect();
        merger.learn(0, &records);
    }
    let mut group = c.benchmark_group("one entry against 1,000,000");
    group.sample_size(20);
    let created = sample::instant("2026-11-23T00:00:00+08:00").to_utc();
    let mut next = KNOWN;
    let mut run = |name: &str, text: &dyn Fn(usize) -> String| {
        merger.choose();
        group.bench_function(name, |b| {
            b.iter_custom(|times| {
                let mut taken = std::time::Duration::ZERO;
                for _ in 0..times {
                    next += 1;
                    let records = [record(1, next, text(next))];
                    let before = std::time::Instant::now();
                    merger.learn(1, &records);
                    merger.choose();
                    black_box(merger.feed(created));
                    taken += before.elapsed();
                }
                taken
            });
        });
    };
    run("a new one", &|number| article(number));
    run("a reprint with a word changed in every sentence", &|number| {
        article((number * 7_919) % KNOWN).replace('。', "呢。")
    });
    group.finish();
}

criterion_group!(benches, merging, near);
criterion_main!(benches);
