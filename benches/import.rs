//! An import of 36,000 outlines into the default feeds.yaml, and loading the file that comes out.

use criterion::{Criterion, criterion_group, criterion_main};
use heliu::config::{self, Validators};
use heliu::import::import;
use heliu::model::FeedId;
use heliu::parse::opml;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

const OUTLINES: usize = 36_000;
const FOLDERS: usize = 120;

fn list() -> String {
    let mut out = String::from("<opml version='2.0'><body>");
    for folder in 0..FOLDERS {
        let _ = write!(out, "<outline text='Folder {folder}'>");
        for number in 0..OUTLINES / FOLDERS {
            let title = if number % 3 == 0 { "江河时评".to_owned() } else { format!("River notes {number}") };
            let _ = write!(out, "<outline type='rss' text='{title}' title='{title}' ");
            let _ = write!(out, "xmlUrl='https://s{number}.f{folder}.example/feed.xml?a=1&amp;b=2'/>");
        }
        out += "</outline>";
    }
    out + "</body></opml>"
}

fn imports(criterion: &mut Criterion) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("feeds.yaml");
    let Ok(yaml) = std::fs::read_to_string(path) else { return };
    let Ok(loose) = "imported".parse::<FeedId>() else { return };
    let (list, folder, validators) = (list(), Path::new(""), Validators::default());
    let Ok(imported) = import(&yaml, folder, &validators, &opml(&list).0, &loose) else { return };
    let mut group = criterion.benchmark_group("import");
    group.sample_size(10).measurement_time(Duration::from_secs(10));
    group.bench_function("36,000 outlines", |bencher| {
        bencher.iter(|| import(&yaml, folder, &validators, &opml(black_box(&list)).0, &loose).is_ok());
    });
    group.bench_function("loading the result", |bencher| {
        bencher.iter(|| config::load(black_box(&imported.text), "feeds.yaml", folder, &validators).config.is_some());
    });
    group.finish();
}

criterion_group!(benches, imports);
criterion_main!(benches);
