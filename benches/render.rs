//! What a refresh of one feed costs: 50 entries in each format, and each content coding of the result.

use criterion::{Criterion, criterion_group, criterion_main};
use heliu::model;
use heliu::render::{self, Encoding, Lang, Site};
use std::hint::black_box;

#[path = "../src/render/tests/sample.rs"]
mod sample;

fn formats(c: &mut Criterion) {
    let feed = sample::feed(50);
    let base = url::Url::parse("http://127.0.0.1:8080/").expect("a constant");
    let site = Site { base_url: &base, title: "中工网订阅", language: "zh-CN" };
    let mut group = c.benchmark_group("render/50");
    group.bench_function("rss", |b| b.iter(|| render::rss(black_box(&feed), &site)));
    group.bench_function("atom", |b| b.iter(|| render::atom(black_box(&feed), &site)));
    group.bench_function("json", |b| b.iter(|| render::json_feed(black_box(&feed), &site)));
    group.bench_function("page", |b| b.iter(|| render::feed_page(black_box(&feed), &site, Lang::Zh)));
    group.finish();

    let bytes = bytes::Bytes::from(render::rss(&feed, &site));
    let mut group = c.benchmark_group("compress/rss50");
    for coding in [Encoding::Gzip, Encoding::Brotli, Encoding::Zstd] {
        group.bench_function(format!("{coding:?}"), |b| b.iter(|| coding.compress(black_box(&bytes))));
    }
    group.finish();
}

criterion_group!(benches, formats);
criterion_main!(benches);
