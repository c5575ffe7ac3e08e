//! How fast feeds are read, in bytes a second: our reader, feed-rs, and a bare quick-xml event scan as the yardstick.
//! `HELIU_CORPUS=DIR cargo bench --bench parse` reads the XML feeds of a folder; otherwise synthetic ones.
#![allow(missing_docs, reason = "criterion_main makes a public function")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::fmt::Write;
use std::hint::black_box;

/// Feeds as real ones are: mostly text, partly escaped, partly in CDATA.
fn synthetic() -> Vec<String> {
    let paragraph =
        "清晨五点，环卫工人已经上路。 The early shift begins before the sun is up, and nobody is watching. ";
    let mut rss = String::from(
        "<?xml version=\"1.0\"?><rss version=\"2.0\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\"><channel><title>T</title><link>https://example.org/</link>\n",
    );
    let mut atom = String::from("<feed xmlns=\"http://www.w3.org/2005/Atom\"><id>urn:f</id><title>T</title>\n");
    for n in 0..50 {
        let body = format!("<p>{}</p>", paragraph.repeat(1 + n % 20));
        let escaped = body.replace('<', "&lt;").replace('>', "&gt;");
        let _ = writeln!(
            rss,
            "<item>\n<title>Title {n}</title>\n<link>https://example.org/{n}?a=1&amp;b=2</link>\n<guid isPermaLink=\"false\">{n}</guid>\n<pubDate>Mon, 02 Nov 2026 07:15:00 +0800</pubDate>\n<dc:creator>Anna</dc:creator>\n<category>one</category>\n<description>{escaped}</description>\n<content:encoded><![CDATA[{body}{body}]]></content:encoded>\n</item>"
        );
        let _ = writeln!(
            atom,
            "<entry>\n<id>urn:{n}</id>\n<title>Title {n}</title>\n<link rel=\"alternate\" href=\"https://example.org/{n}\"/>\n<updated>2026-11-02T07:15:00Z</updated>\n<author><name>Anna</name></author>\n<content type=\"html\">{escaped}</content>\n</entry>"
        );
    }
    vec![rss + "</channel></rss>", atom + "</feed>"]
}

fn feeds() -> Vec<String> {
    let Some(folder) = std::env::var_os("HELIU_CORPUS") else { return synthetic() };
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let texts = files.filter_map(|file| std::fs::read_to_string(file.path()).ok());
    // Only what all three can read is compared.
    texts.filter(|text| text.trim_start().starts_with('<') && feed_rs::parser::parse(text.as_bytes()).is_ok()).collect()
}

/// Every event, nothing kept.
fn scan(text: &str) -> usize {
    let mut reader = quick_xml::Reader::from_str(text);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    let mut events = 0;
    while let Ok(event) = reader.read_event() {
        if matches!(event, quick_xml::events::Event::Eof) {
            break;
        }
        events += 1;
    }
    events
}

fn bench(criterion: &mut Criterion) {
    let feeds = feeds();
    let mut group = criterion.benchmark_group("parse");
    group.throughput(Throughput::Bytes(feeds.iter().map(|text| text.len() as u64).sum()));
    group.bench_function("heliu", |b| {
        b.iter(|| feeds.iter().for_each(|text| drop(black_box(heliu::parse::feed(text)))));
    });
    group.bench_function("feed-rs", |b| {
        b.iter(|| feeds.iter().for_each(|text| drop(black_box(feed_rs::parser::parse(text.as_bytes())))));
    });
    group.bench_function("quick-xml scan", |b| {
        b.iter(|| feeds.iter().for_each(|text| _ = black_box(scan(text))));
    });
    group.finish();
}

/// Dates as most feeds write them, a few that are rare, and one text that is no date.
const DATES: [&str; 8] = [
    "Tue, 10 Dec 2019 20:57:50 +0800",
    "Tue, 10 Dec 2019 12:57:50 GMT",
    "2019-12-10T20:57:50Z",
    "2019-12-10 20:57",
    "Tue Dec 10 20:57:50 2019",
    "December 10, 2019 at 8:57 PM",
    "31/12/2018",
    "soon to be seen in your town",
];

fn dates(criterion: &mut Criterion) {
    let now = chrono::DateTime::from_timestamp(1_575_982_800, 0).unwrap_or_default();
    let mut group = criterion.benchmark_group("dates");
    for text in DATES {
        let read = || heliu::normalise::date::read(black_box(text), now, chrono_tz::Tz::Asia__Shanghai);
        group.bench_function(text.replace('/', "."), |b| b.iter(read));
    }
    group.finish();
}

criterion_group!(benches, bench, dates);
criterion_main!(benches);
