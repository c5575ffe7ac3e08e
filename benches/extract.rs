//! Reading a C list of 200 kB against parsing it alone: what the layouts cost on top of the DOM.
#![allow(missing_docs)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use heliu::extract::{list, parse_only};
use heliu::model::{Clean, Field, Fields, Layout, LayoutKind, ListLayout, UrlRules};
use std::fmt::Write;
use std::hint::black_box;

fn page() -> String {
    let mut items = String::new();
    for n in 0.. {
        if items.len() > 200_000 {
            break;
        }
        let id = 8_900_000 + n;
        let link = format!("/c/2026-10-02/{id}.shtml");
        let picture = format!("/upload/resources/image/2026/10/02/{id}_526x296c.jpg");
        // Writing to a String cannot fail.
        let _ = writeln!(
            items,
            "<li id=\"li_{id}\"><a href=\"{link}\"><img class=\"lazy\" src=\"/images/loading.gif\" data-src=\"{picture}\" \
             alt=\"一线工人\"></a><h3><a href=\"{link}\">匠心｜一把刻刀三十年（{n}）</a></h3><div class=\"info\">\
             <div class=\"info1\"><span class=\"media\">滚动</span></div><div class=\"info2\">2026-10-02 15:41:16</div>\
             <span>工人日报客户端</span></div></li>"
        );
    }
    format!(
        "<!DOCTYPE html><html><head><title>人物 - 中工网</title></head><body><ul class=\"list\">{items}</ul></body></html>"
    )
}

fn field(select: &str, attribute: Option<&str>) -> Vec<Field> {
    vec![Field { select: select.into(), attribute: attribute.map(Into::into), clean: vec![] }]
}

fn layout() -> Layout {
    let mut source = field("div.info > span:last-child", None);
    source[0].clean.push(Clean::Match(r"^\D+$".into()));
    let fields = Fields {
        title: field("h3 > a", None),
        link: field("h3 > a", Some("href")),
        image: field("a > img", None),
        date: field("div.info2", None),
        source,
        ..Fields::default()
    };
    let url = UrlRules {
        identity: Some(r"/(c/\d{4}-\d{2}-\d{2}/\d+)\.shtml".into()),
        day: Some(r"/c/(?<y>\d{4})-(?<m>\d{2})-(?<d>\d{2})/".into()),
        ..UrlRules::default()
    };
    let entry = r#"ul.list > li[id^="li_"]"#.into();
    let list = ListLayout { entry, remove: None, fields, url, next: None, pages: 1 };
    Layout { name: "list-2021".into(), kind: LayoutKind::List(list) }
}

fn extract(criterion: &mut Criterion) {
    let (page, layouts) = (page(), [layout()]);
    let url = "https://www.workercn.cn/character/".parse().expect("a literal address");
    let mut group = criterion.benchmark_group("list_200_kB");
    group.throughput(Throughput::Bytes(page.len() as u64));
    group.bench_function("parse", |bencher| bencher.iter(|| parse_only(black_box(&page))));
    group.bench_function("list", |bencher| bencher.iter(|| list(black_box(&page), &url, &layouts)));
    group.finish();
}

criterion_group!(benches, extract);
criterion_main!(benches);
