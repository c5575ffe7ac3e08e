//! Articles and further pages ask the same hosts as lists do.

use super::hosts::{live, minutes};
use super::{config, rss};
use crate::kit::{Answer, Origin, Site};
use chrono::TimeDelta;

const LIST: &str = "<ul><li><a href=/story>One</a></li></ul>";

/// A feeds.yaml with a list on a.test whose article is read, a feed on the same host and one on another.
fn one_host(origin: &Origin) -> String {
    let page = "page: ['http://a.test/list'], layouts: [list], article: [story], robots: ignore, every: 30m";
    let [same, other] = ["a", "b"].map(|host| format!("feed: 'http://{host}.test/{host}', every: 30m"));
    let text = config(origin, &[("page", page), ("same", &same), ("other", &other)]);
    text.replace("layouts:\n", "layouts:\n  story: { body: p }\n")
}

/// An article that asks to be left alone speaks for its host, as a list does: nothing of it is asked before, also after a
/// restart. A fault of the article alone stops nobody.
#[tokio::test]
async fn what_an_article_says_holds_for_its_host() {
    for (status, after, least) in
        [(429, Some("18000"), 300), (429, None, 240), (503, Some("7200"), 120), (503, None, 0), (404, Some("7200"), 0)]
    {
        let origin = Origin::start();
        for path in ["a.test/a", "b.test/b"] {
            origin.put(path, rss(1));
        }
        origin.put("a.test/list", Answer::html(LIST));
        let told = Answer::status(status);
        origin.put("a.test/story", after.map_or(told.clone(), |after| told.header("Retry-After", after)));
        let site = Site::start(&one_host(&origin)).await;
        let asked = live(&site, &origin, 20).await;
        let said = minutes(&asked, "/story");
        assert_eq!(said.len(), 1, "{status} {after:?}: {asked:?}");
        let site = site.restart().await;
        let asked = live(&site, &origin, 7 * 60).await;
        for path in ["/list", "/a", "/story"] {
            let asked_at = minutes(&asked, path);
            assert!(!asked_at.is_empty(), "{status} {after:?}: {path} is never asked: {asked:?}");
            let first = 20 - said[0] + asked_at[0];
            assert!(first >= least, "{status} {after:?}: {path} is asked after {first} min: {asked:?}");
            assert!(path == "/story" || first <= least.max(30) + 10, "{status} {after:?}: {path} after {first} min");
        }
        assert!(minutes(&asked, "/b").len() >= 12, "{status} {after:?}: another host is not concerned: {asked:?}");
        site.stop().await;
    }
}

/// The machine sleeps in the middle of a poll, and the article that is asked for when it wakes asks to be left alone: from
/// then on.
#[tokio::test]
async fn what_an_article_says_counts_from_when_it_says_it() {
    let origin = Origin::start();
    for path in ["a.test/a", "b.test/b"] {
        origin.put(path, rss(1));
    }
    origin.put("a.test/list", Answer::html(LIST));
    origin.put("a.test/story", Answer::status(503).header("Retry-After", "7200"));
    let site = Site::start(&one_host(&origin)).await;
    let sleeps = async {
        while !origin.take_log().iter().any(|asked| asked.path == "/list") {
            tokio::task::yield_now().await;
        }
        site.clock.advance(TimeDelta::hours(5));
    };
    tokio::join!(sleeps, site.poll());
    let asked: Vec<_> = origin.take_log().into_iter().map(|asked| asked.path).collect();
    assert!(asked.contains(&"/story".to_owned()), "asked when the machine woke: {asked:?}");
    let asked = live(&site, &origin, 180).await;
    for path in ["/list", "/a", "/story"] {
        let first = *minutes(&asked, path).first().unwrap_or(&0);
        assert!((120..=165).contains(&first), "{path} is asked after {first} min: {asked:?}");
    }
    site.stop().await;
}

/// Found by seed 57 of the simulation: articles are due again in the very poll in which the page shows them under other
/// addresses. What is read of them must not stand beside the page as other articles.
#[tokio::test]
async fn a_page_that_changes_its_addresses_while_articles_are_due_keeps_its_ids() {
    let origin = Origin::start();
    let page = |folder: &str, entries: std::ops::Range<u32>| {
        let one = |n: u32| {
            let date = if n < 6 { format!("2026-11-22 08:0{n}") } else { format!("2026-11-23 09:{:02}", n + 10) };
            format!(
                "<li><a href=/{folder}/{n}>Headline number {n}</a><i>{date}</i><p>What number {n} is about.</p></li>"
            )
        };
        Answer::html(format!("<ul>{}</ul>", entries.rev().map(one).collect::<String>()))
    };
    origin.put("a.test/list", page("old", 0..6));
    for n in 0..13 {
        origin.put(&format!("a.test/old/{n}"), Answer::status(503));
        origin.put(&format!("a.test/new/{n}"), Answer::html(format!("<div>All of number {n}.</div>")));
    }
    let channel = "page: ['http://a.test/list'], layouts: [list], article: [story], robots: ignore, every: 2h";
    let layouts =
        "layouts:\n  list: { entry: li, title: a, link: a @href, date: i, summary: p }\n  story: { body: div }\n";
    let text = config(&origin, &[("page", channel)]);
    let (head, tail) = (text.find("layouts:").unwrap(), text.find("channels:").unwrap());
    let site = Site::start(&format!("{}{layouts}{}", &text[..head], &text[tail..])).await;
    site.poll().await;
    let ids = async || -> Vec<_> {
        let latest = site.store.latest(&"page".parse().unwrap(), 50).await.unwrap();
        latest.into_iter().map(|record| record.entry.id).collect()
    };
    let before = ids().await;
    assert_eq!(before.len(), 6);
    origin.put("a.test/list", page("new", 2..13));
    for n in 0..13 {
        origin.put(&format!("a.test/old/{n}"), Answer::html(format!("<div>All of number {n}.</div>")));
    }
    site.after(TimeDelta::minutes(135)).await;
    let after = ids().await;
    assert_eq!(after.len(), 13, "{after:?}");
    assert!(before.iter().all(|id| after.contains(id)), "{before:?} {after:?}");
    site.stop().await;
}
