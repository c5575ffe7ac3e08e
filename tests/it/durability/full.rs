//! A disk that is full for a while, under a running service.

use super::drill::Mount;
use super::skipped;
use crate::kit::{Answer, Clock, Origin, Site};
use chrono::TimeDelta;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn rss(entries: usize) -> Answer {
    let mut body =
        "<rss version=\"2.0\"><channel><title>t</title><link>http://news.test/</link><description>d</description>"
            .to_owned();
    for n in (0..entries).rev() {
        let text = format!("第{n}篇").repeat(900);
        let _ = write!(
            body,
            "<item><guid>tag:x,{n}</guid><link>http://news.test/{n}</link><title>第{n}篇文章</title><pubDate>{:02} Nov 2026 10:00:00 +0000</pubDate><description>{text}</description></item>",
            n + 1
        );
    }
    body += "</channel></rss>";
    Answer::new(200, "application/rss+xml", body).with_etag()
}

#[tokio::test]
async fn a_full_disk_stops_recording_and_nothing_else_and_heals() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let data = folder.path().join("data");
    let Some(_mount) = Mount::new(&data, "4m") else {
        return skipped("mounting: a full disk under a running service");
    };
    let origin = Origin::start();
    origin.put("/feed", rss(5));
    let config = format!(
        "service: {{ title: 测试, base_url: 'http://127.0.0.1:8080/', allow_networks: [127.0.0.0/8] }}
channels:
  a: {{ feed: 'http://news.test:{}/feed', every: 1m }}
feeds:
  a: {{ channels: [a] }}
",
        origin.port()
    );
    std::fs::write(folder.path().join("feeds.yaml"), config).unwrap();
    let site = Site::begin(folder, Arc::new(Clock::at("2026-11-23T00:00:00Z"))).await.unwrap();
    site.poll().await;
    let before = site.get("/feeds/a.atom").await.body;

    let mut filler = std::fs::File::create(data.join("filler")).unwrap();
    while filler.write_all(&[7; 4096]).is_ok() {}
    origin.put("/feed", rss(9));
    site.poll_next().await;
    for _ in 0..60 {
        site.after(TimeDelta::minutes(1)).await;
        assert_eq!(site.get("/feeds/a.atom").await.body, before, "what is published stays");
    }
    let asked = origin.take_log().len();
    assert!(asked <= 3, "asked {asked} times for what could not be recorded");
    let ready = site.get("/readyz").await;
    assert_eq!(ready.status, 503);
    assert!(ready.text().contains("Free some space"), "{}", ready.text());
    assert!(site.get("/metrics").await.text().contains("heliu_store_writable 0"));

    drop(filler);
    std::fs::remove_file(data.join("filler")).unwrap();
    let freed = Instant::now();
    while site.store.ready().await.is_err() {
        assert!(freed.elapsed() < Duration::from_secs(10), "it does not notice that there is room again");
        tokio::task::yield_now().await;
    }
    site.after(TimeDelta::minutes(1)).await;
    assert_eq!(site.titles("a").await.len(), 9, "within a minute all is there");
    let asked = origin.take_log();
    assert_eq!(
        asked.iter().map(|one| one.status).collect::<Vec<_>>(),
        [200],
        "validators of what was lost were not kept"
    );
    assert_eq!(site.get("/readyz").await.status, 200);
    assert!(site.get("/metrics").await.text().contains("heliu_store_writable 1"));
    site.stop().await;
}
