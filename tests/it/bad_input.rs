//! Bad input and bad disks: a clear message that says what to do, and nothing lost.

use crate::kit::full::{Full, site_on_a_bad_disk};
use crate::kit::site::real_config;
use crate::kit::{Answer, Article, Clock, Generation, Origin, Portal, Site};
use chrono::TimeDelta;
use heliu::store::{SqliteStore, StoreError};
use heliu::worker::StartError;
use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio_util::sync::CancellationToken;

/// The portal's channels on a store that has room until it is told otherwise.
async fn site_that_may_fill_up(origin: &Origin) -> (Site, Arc<Full>) {
    site_on_a_bad_disk(&real_config(origin)).await
}

/// whatever is slower holds back what is before it, and nothing is queued in between.
#[tokio::test]
async fn a_disk_that_stalls_holds_fetching_back_and_serving_not() {
    const CHANNELS: usize = 300;
    // As many as are polled at once, of sites that were never asked before.
    const AT_ONCE: usize = 30;
    let origin = Origin::start();
    origin.always(Answer::new(200, "application/rss+xml", "<rss version=\"2.0\"><channel><title>t</title><item><guid>1</guid><title>One</title><link>http://a.test/1</link></item></channel></rss>"));
    let mut config =
        "service: { title: t, base_url: 'http://127.0.0.1:8080/', allow_networks: [127.0.0.0/8] }\nchannels:\n"
            .to_owned();
    for n in 0..CHANNELS {
        let _ = writeln!(config, "  c{n}: {{ feed: 'http://h{n}.test:{}/rss' }}", origin.port());
    }
    config += "feeds:\n  all: { channels: [c0, c299] }\n";
    let (site, store) = site_on_a_bad_disk(&config).await;
    store.stalled.send_replace(true);
    let (shutdown, mut asked) = (CancellationToken::new(), 0);
    let running = tokio::spawn(Arc::clone(&site.service).run(shutdown.clone()));
    // Minutes go by, in which all are due.
    while asked < AT_ONCE {
        site.clock.advance(TimeDelta::seconds(20));
        assert_eq!(site.get("/feeds/all.atom").await.status, 200, "what is published is served");
        asked += origin.take_log().len();
    }
    for _ in 0..100 {
        site.clock.advance(TimeDelta::seconds(20));
        assert_eq!(site.get("/feeds/all.atom").await.status, 200);
        assert_eq!(site.get("/readyz").await.status, 200);
    }
    asked += origin.take_log().len();
    assert_eq!(asked, AT_ONCE, "nobody else is asked as long as nothing can be recorded");
    store.stalled.send_replace(false);
    while site.entries("all").await.is_empty() || asked < CHANNELS {
        asked += origin.take_log().len();
    }
    shutdown.cancel();
    running.await.unwrap();
    assert_eq!(site.store.polls().await.unwrap().len(), CHANNELS, "everybody is polled, and recorded, once");
    assert_eq!(asked, CHANNELS);
}

#[tokio::test]
async fn a_poll_that_could_not_be_recorded_is_repeated_in_full() {
    let origin = Origin::start();
    let mut portal = Portal::new(&origin, Generation::B);
    portal.publish(Article::sample(1));
    let (site, store) = site_that_may_fill_up(&origin).await;
    site.poll().await;
    let before = site.get("/feeds/shiping.atom").await;
    assert_eq!(site.titles("shiping").await.len(), 1);

    store.no_room.store(true, Ordering::SeqCst);
    portal.publish(Article::sample(2));
    site.after(TimeDelta::hours(2)).await;
    let during = site.get("/feeds/shiping.atom").await;
    assert_eq!((during.status, during.body), (200, before.body), "the disk is full, the old documents are served");
    let ready = site.get("/readyz").await;
    assert_eq!(ready.status, 503);
    assert!(ready.text().contains("Free some space"), "{}", ready.text());
    // The ledger cannot tell what it could not write: /admin does.
    let shows = async |path: &str, language: &str| site.get_with(path, &[("Accept-Language", language)]).await.text();
    assert!(shows("/admin", "zh").await.contains("没能写入账本"));
    assert!(shows("/admin", "en").await.contains("could not be written to the ledger"));
    assert!(shows("/admin/channels/shiping", "en").await.contains("Free some space"));
    let listed = site.get("/admin/api/channels").await.json();
    let one = listed["channels"].as_array().unwrap().iter().find(|one| one["id"] == "shiping").unwrap().clone();
    assert!(one["unrecorded"].as_str().unwrap().contains("Free some space"), "{one}");

    store.no_room.store(false, Ordering::SeqCst);
    origin.take_log();
    site.after(TimeDelta::hours(6)).await;
    assert_eq!(site.titles("shiping").await.len(), 2, "nothing was lost");
    let list = origin.take_log().into_iter().find(|asked| asked.path == "/424/424.shtml").unwrap();
    assert_eq!(list.status, 200, "the validators of the poll that was not recorded were not kept");
    assert_eq!(site.get("/readyz").await.status, 200);
    assert!(!shows("/admin", "en").await.contains("could not be written to the ledger"));
}

#[tokio::test]
async fn what_was_recorded_but_not_published_is_published_with_the_next_poll() {
    let origin = Origin::start();
    let mut portal = Portal::new(&origin, Generation::B);
    portal.publish(Article::sample(1));
    let (site, store) = site_that_may_fill_up(&origin).await;
    site.poll().await;
    let paths = ["/", "/opml.xml", "/feeds/shiping", "/feeds/shiping.atom", "/feeds/pinglun.json", "/feeds/renwu.rss"];
    let mut before = Vec::new();
    for path in paths {
        before.push(site.get(path).await);
    }
    let merged = site.titles("pinglun").await.len();

    store.no_stamps.store(true, Ordering::SeqCst);
    portal.publish(Article::sample(2));
    site.after(TimeDelta::hours(2)).await;
    for (path, before) in paths.iter().zip(&before) {
        let during = site.get(path).await;
        assert_eq!((during.status, &during.body), (200, &before.body), "{path}: the old documents are served");
    }

    // Nothing changes any more at the source, and still the entry comes out.
    store.no_stamps.store(false, Ordering::SeqCst);
    site.after(TimeDelta::hours(6)).await;
    assert_eq!(site.titles("shiping").await.len(), 2);
    assert_eq!(site.titles("pinglun").await.len(), merged + 1, "also in the merged feed");
}

#[tokio::test]
async fn a_damaged_store_is_refused_with_advice_and_left_as_it_is() {
    let origin = Origin::start();
    let folder = Arc::new(tempfile::tempdir().unwrap());
    fs::write(folder.path().join("feeds.yaml"), real_config(&origin)).unwrap();
    let file = folder.path().join("data/heliu.db");
    fs::create_dir(folder.path().join("data")).unwrap();
    for damage in [b"this is no database, however long it is".repeat(200), b"SQLite format 3\0garbage".repeat(300)] {
        fs::write(&file, &damage).unwrap();
        let refused = Site::begin(Arc::clone(&folder), Arc::new(Clock::at("2026-11-23T00:00:00Z"))).await;
        let Err(StartError::Store(error)) = refused else { panic!("the damage was not noticed") };
        let told = error.to_string();
        assert!(matches!(error, StoreError::Damaged { .. }), "{told}");
        assert!(told.contains("heliu.db") && told.contains("backup"), "{told}");
        assert_eq!(fs::read(&file).unwrap(), damage, "evidence is not overwritten");
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_made_says_where_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("a-file");
    fs::write(&blocked, "").unwrap();
    let now = "2026-11-23T00:00:00Z".parse().unwrap();
    let Err(error) = SqliteStore::open(&blocked.join("data"), now).await else { panic!("opened below a file") };
    assert!(matches!(error, StoreError::Open { .. }), "{error}");
    assert!(error.to_string().contains("a-file"), "{error}");
}

/// One page under one layout; yields (title, date, id) of each entry and the flaws.
async fn read(page: impl Into<Vec<u8>>) -> (Vec<(String, String, String)>, Vec<&'static str>) {
    let origin = Origin::start();
    origin.put("/list", Answer::html(page));
    let config = format!(
        "service: {{ title: 测试, base_url: 'http://127.0.0.1:8080/', allow_networks: [127.0.0.0/8] }}
layouts:
  l: {{ entry: li, title: a, link: a @href, date: i }}
channels:
  a: {{ page: 'http://portal.test:{}/list', layouts: l }}
feeds:
  a: {{ channels: [a] }}
",
        origin.port()
    );
    let site = Site::start(&config).await;
    site.poll().await;
    let text = |entry: &serde_json::Value, field: &str| entry[field].as_str().unwrap_or_default().to_owned();
    let entries = site.entries("a").await;
    let entries =
        entries.iter().map(|entry| (text(entry, "title"), text(entry, "date_published"), text(entry, "id"))).collect();
    let rss = site.get("/feeds/a.rss").await.text();
    assert!(!rss.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')), "XML-legal");
    (entries, site.flaws("a").await)
}

#[tokio::test]
async fn dates_out_of_range_and_in_the_future_become_first_seen() {
    for date in ["2019-13-45", "9429-32-32", "2027-05-01 10:00:00", "9999-12-31", "0000-00-00 00:00:00"] {
        let page = format!("<meta charset=utf-8><ul><li><a href=/a/1.html>一篇文章的标题</a><i>{date}</i></ul>");
        let (entries, flaws) = read(page).await;
        assert_eq!(entries[0].1, "2026-11-23T08:00:00+08:00", "{date}");
        assert!(flaws.iter().any(|flaw| flaw.starts_with("date-")), "{date}: {flaws:?}");
    }
}

#[tokio::test]
async fn an_article_that_is_linked_twice_is_one_entry() {
    let page = "<meta charset=utf-8><ul><li><a href=/a/1.html>一篇文章的标题</a><li><a href=http://www.portal.test/a/1.html?utm_source=x>一篇文章的标题</a><li><a href=/a/2.html>另一篇文章的标题</a></ul>";
    let (entries, _) = read(page).await;
    assert_eq!(entries.len(), 2, "{entries:?}");
    assert_ne!(entries[0].2, entries[1].2);
}

#[tokio::test]
async fn charsets_that_lie_are_seen_through() {
    let page = |charset: &str| {
        format!("<html><head><meta charset=\"{charset}\"></head><ul><li><a href=/a/1.html>密切联系群众的道理</a></ul>")
    };
    let gbk = encoding_rs::GBK.encode(&page("utf-8")).0.into_owned();
    for (what, bytes) in [
        ("UTF-8 called gb2312", page("gb2312").into_bytes()),
        ("GBK called utf-8", gbk),
        ("a list of labels", page("UTF-8,gb2312").into_bytes()),
        ("no such label", page("chinese").into_bytes()),
    ] {
        let (entries, _) = read(bytes).await;
        assert_eq!(entries[0].0, "密切联系群众的道理", "{what}");
    }
}

#[tokio::test]
async fn control_characters_and_markup_in_titles_do_no_harm() {
    let page = "<meta charset=utf-8><ul><li><a href=/a/1.html>一&#8;篇\u{b}文章&lt;script&gt;alert(1)&lt;/script&gt;\u{202e}的标题]]&gt;</a></ul>";
    let (entries, _) = read(page).await;
    assert_eq!(entries[0].0, "一篇文章<script>alert(1)</script>的标题]]>", "plain text stays text");
}
