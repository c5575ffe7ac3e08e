//! S-15 and S-16: whatever a source does to its ids, addresses, titles and dates, nothing old looks new.

use super::{Article, config, feed_at, headline, page, page_at, rss};
use crate::kit::{Answer, Origin, Site};
use chrono::TimeDelta;
use heliu::worker::Reloaded;

type Change = fn(usize, &mut Article);

fn guid(n: usize, article: &mut Article) {
    article.guid = format!("https://cms.test/?p={}", n * 31 + 7);
}

fn link(n: usize, article: &mut Article) {
    article.link = format!("http://news.test/{}/story-{n}", ["a", "b", "c"][n % 3]);
}

fn renumbered(n: usize, article: &mut Article) {
    article.link = format!("http://news.test/archive/{}.html", n + 5000);
}

fn title(n: usize, article: &mut Article) {
    article.title = headline(n + 70_000);
}

fn recased(_: usize, article: &mut Article) {
    article.title = format!("《{}》", article.title.to_uppercase().replace(' ', "　"));
}

fn decorated(_: usize, article: &mut Article) {
    article.title = format!("【快讯】{} | 一份报纸", article.title);
}

fn earlier(_: usize, article: &mut Article) {
    article.at -= TimeDelta::hours(5);
}

fn https(_: usize, article: &mut Article) {
    article.link = article.link.replace("http://", "https://");
}

fn host(_: usize, article: &mut Article) {
    article.link = article.link.replace("news.test", "www.other.test");
}

fn encoded(_: usize, article: &mut Article) {
    article.link = article.link.replace("archive", "%61rchive").replace(".html", "%2Ehtml");
}

fn tracked(n: usize, article: &mut Article) {
    article.link = format!("{}?utm_source=rss&utm_campaign={n}", article.link);
}

fn link_is_guid(_: usize, article: &mut Article) {
    article.guid.clone_from(&article.link);
}

fn no_text(_: usize, article: &mut Article) {
    article.text.clear();
}

/// (what, what becomes of each article, whether the ids changed and this must be reported)
const OF_FEEDS: &[(&str, &[Change], bool)] = &[
    ("guids", &[guid], true),
    ("guids and links", &[guid, link], true),
    ("guids and links of the same shape", &[guid, renumbered], true),
    ("guids, links and dates", &[guid, link, earlier], true),
    ("guids, links, titles re-cased", &[guid, link, recased], true),
    ("guids, links, titles decorated", &[guid, link, decorated], true),
    ("guids, links, titles decorated, dates", &[guid, link, decorated, earlier], true),
    ("guids, links, titles decorated, dates, no texts", &[guid, link, decorated, earlier, no_text], true),
    ("guids, links and titles", &[guid, link, title], true),
    ("guids, links and titles, no texts", &[guid, link, title, no_text], true),
    ("titles", &[title], false),
    ("links", &[link], false),
    ("https", &[https], false),
    ("https in links that are guids", &[https, link_is_guid], true),
    ("another host in links that are guids", &[host, link_is_guid], true),
    ("another encoding in links that are guids", &[encoded, link_is_guid], true),
    ("tracking parameters in links that are guids", &[tracked, link_is_guid], true),
];

const OF_PAGES: &[(&str, &[Change], bool)] = &[
    ("links", &[link], false),
    ("links of the same shape", &[renumbered], false),
    ("links and dates", &[renumbered, earlier], false),
    ("links, titles re-cased", &[renumbered, recased], false),
    ("links, titles decorated", &[renumbered, decorated], false),
    ("links, titles decorated, dates", &[link, decorated, earlier], false),
    ("titles", &[title], false),
    ("https", &[https], false),
    ("another host", &[host], false),
    ("another encoding", &[encoded], false),
    ("tracking parameters", &[tracked], false),
];

async fn check(
    cases: &[(&str, &[Change], bool)],
    write: fn(&[Article]) -> Answer,
    channel: fn(&Origin, &str) -> String,
) {
    for (place, (what, changes, reported)) in cases.iter().enumerate() {
        // The contract of the store goes through all of it with 100 too.
        let sizes: &[usize] = if place < 3 { &[5, 20, 100] } else { &[5, 20] };
        for &size in sizes {
            let what = format!("{what}, {size} articles");
            let origin = Origin::start();
            let articles = Article::page(size);
            origin.put("/list", write(&articles));
            let site = Site::start(&config(&[("a", channel(&origin, "news.test/list"))])).await;
            site.poll().await;
            let before = site.ids("all").await;
            assert_eq!(before.len(), size, "{what}");

            let mut changed = articles.clone();
            for (n, article) in changed.iter_mut().enumerate() {
                changes.iter().for_each(|change| change(n, article));
            }
            origin.put("/list", write(&changed));
            site.poll_next().await;
            let flaws = site.flaws("a").await;
            assert_eq!(site.ids("all").await, before, "{what}: {flaws:?}");
            assert_eq!(flaws.contains(&"ids-changed"), *reported, "{what}: {flaws:?}");
            assert!(!flaws.contains(&"quarantined"), "{what}: {flaws:?}");

            // One more article, in the new manner; and once the page is as it was.
            let mut news = Article { at: "2026-11-23T00:10:00Z".parse().unwrap(), ..Article::sample(2000 - 1500) };
            changes.iter().for_each(|change| change(size, &mut news));
            changed.insert(0, news);
            origin.put("/list", write(&changed));
            site.poll_next().await;
            let now = site.ids("all").await;
            let known = before.iter().all(|id| now.contains(id));
            assert!(known && now.len() == size + 1, "{what}: {} of {size} and one", now.len());
            origin.put("/list", write(&articles));
            site.poll_next().await;
            assert_eq!(site.ids("all").await, now, "{what}: back again");
            site.stop().await;
        }
    }
}

#[tokio::test]
async fn a_feed_that_changes_all_its_ids_floods_nobody() {
    check(OF_FEEDS, rss, feed_at).await;
}

#[tokio::test]
async fn a_page_that_changes_all_its_addresses_floods_nobody() {
    check(OF_PAGES, page, page_at).await;
}

#[tokio::test]
async fn ids_that_are_swapped_among_entries_move_no_article() {
    for size in [5, 20, 100] {
        let origin = Origin::start();
        let articles = Article::page(size);
        origin.put("/list", rss(&articles));
        let site = Site::start(&config(&[("a", feed_at(&origin, "news.test/list"))])).await;
        site.poll().await;
        let before = site.entries("all").await;
        let mut swapped = articles.clone();
        for (n, article) in swapped.iter_mut().enumerate() {
            article.guid.clone_from(&articles[(n + 1) % size].guid);
        }
        origin.put("/list", rss(&swapped));
        site.poll_next().await;
        assert_eq!(site.entries("all").await, before, "{size}");
        swapped.reverse();
        origin.put("/list", rss(&swapped));
        site.poll_next().await;
        assert_eq!(site.entries("all").await, before, "{size}");
    }
}

#[tokio::test]
async fn a_flood_is_reported_within_one_poll_survives_a_restart_and_is_let_go_by_one_key() {
    let origin = Origin::start();
    origin.put("/list", rss(&Article::page(20)));
    let channel = feed_at(&origin, "news.test/list");
    let site = Site::start(&config(&[("a", channel.clone())])).await;
    site.poll().await;
    let before = site.get("/feeds/all.atom").await.body;

    // Nothing of it was ever seen, and all of it is old.
    let mut flood = Article::page(20);
    for (n, article) in flood.iter_mut().enumerate() {
        for change in [guid, link, title, no_text] {
            change(n, article);
        }
        article.at -= TimeDelta::seconds(1234 + 7 * i64::try_from(n).unwrap());
    }
    origin.put("/list", rss(&flood));
    site.poll_next().await;
    assert_eq!(site.get("/feeds/all.atom").await.body, before, "not a byte");
    let polls = site.store.polls().await.unwrap();
    let flaw = polls.values().next().unwrap().flaws.iter().find(|flaw| flaw.code.as_str() == "quarantined").unwrap();
    assert!(flaw.detail.contains("20 of 20") && flaw.detail.contains(&headline(70_000)), "{flaw}");
    assert!(flaw.code.advice().contains("quarantine: false"));

    // It stays so: unchanged, with news on top, when the source fails, after a restart.
    site.poll_next().await;
    let polls = site.store.polls().await.unwrap();
    let told: Vec<_> = polls.values().flat_map(|poll| &poll.flaws).filter(|one| one.code == flaw.code).collect();
    assert_eq!(told, [flaw], "with its evidence");
    flood.insert(0, Article { at: "2026-11-23T00:20:00Z".parse().unwrap(), ..Article::sample(0) });
    origin.put("/list", rss(&flood));
    site.poll_next().await;
    assert_eq!(site.titles("all").await.len(), 21, "news are published");
    origin.put("/list", Answer::status(500));
    site.poll_next().await;
    assert!(site.flaws("a").await.contains(&"quarantined"));
    origin.put("/list", rss(&flood));
    let site = site.restart().await;
    site.poll_next().await;
    assert_eq!(site.titles("all").await.len(), 21);
    assert!(site.flaws("a").await.contains(&"quarantined"));

    origin.take_log();
    let reloaded = site.edit(&config(&[("a", format!("{channel}, quarantine: false"))])).await;
    assert!(matches!(reloaded, Reloaded::Applied(_)));
    assert_eq!(site.titles("all").await.len(), 41, "at once");
    assert!(origin.take_log().is_empty(), "and without asking the source");
    assert!(site.flaws("a").await.is_empty());
    // With the key gone again, what was let go stays.
    site.edit(&config(&[("a", channel)])).await;
    site.poll_next().await;
    assert_eq!(site.titles("all").await.len(), 41);
    assert!(!site.flaws("a").await.contains(&"quarantined"));
}

#[tokio::test]
async fn a_source_that_returns_with_news_after_a_month_is_published() {
    for (write, channel) in [(rss as fn(&[Article]) -> Answer, feed_at as fn(&Origin, &str) -> String), (page, page_at)]
    {
        let origin = Origin::start();
        origin.put("/list", write(&Article::page(20)));
        let site = Site::start(&config(&[("a", channel(&origin, "news.test/list"))])).await;
        site.poll().await;
        site.after(TimeDelta::days(30)).await;
        let news: Vec<_> = (100..120)
            .rev()
            .map(|n| {
                let article = Article::sample(n);
                Article { at: article.at + TimeDelta::days(66), ..article }
            })
            .collect();
        origin.put("/list", write(&news));
        site.after(TimeDelta::days(2)).await;
        assert_eq!(site.titles("all").await.len(), 40, "{:?}", site.flaws("a").await);
        assert!(!site.flaws("a").await.contains(&"quarantined"));
    }
}
