//! Sources that are gone, dead or have had enough.

use super::{config, live_on, rss};
use crate::kit::{Answer, Origin, Site};
use chrono::TimeDelta;
use heliu::worker::Clock as _;

#[tokio::test]
async fn a_feed_that_is_gone_is_asked_once_until_feeds_yaml_changes() {
    let origin = Origin::start();
    origin.put("gone.test/rss", Answer::status(410));
    let gone = config(&origin, &[("a", "feed: 'http://gone.test/rss'")]);
    let site = live_on(Site::start(&gone).await, 60).await;
    assert_eq!(origin.take_log().len(), 1, "in 60 days, over a restart");
    assert_eq!(site.flaws("a").await, ["gone"]);
    assert!(site.get("/admin/api/status").await.text().contains("\"gone\"") || site.get("/admin").await.status == 200);
    // A feed's title is not the channel's: nothing starts.
    site.edit(&gone.replace("title: t,", "title: u,")).await;
    assert_eq!(site.service.next_due(), None);
    assert_eq!(site.poll().await, 0);
    // Another address is.
    origin.put("gone.test/new", rss(1));
    site.edit(&gone.replace("/rss", "/new")).await;
    assert_eq!(site.poll().await, 1);
    assert_eq!(site.entries("all").await.len(), 1);
    assert!(site.flaws("a").await.iter().all(|code| *code != "gone"));
    site.stop().await;
}

#[tokio::test]
async fn a_channel_is_gone_when_all_its_addresses_are() {
    let origin = Origin::start();
    origin.put("a.test/1", Answer::status(410));
    origin.put("a.test/2", Answer::html("<ul><li><a href='/x'>Eine Nachricht</a></ul>").with_etag());
    let page = config(&origin, &[("a", "page: ['http://a.test/1', 'http://a.test/2'], layouts: list, every: 1h")]);
    let site = live_on(Site::start(&page).await, 3).await;
    let log = origin.take_log();
    assert_eq!(log.iter().filter(|asked| asked.path == "/1").count(), 1, "the one that is gone");
    assert!(log.iter().filter(|asked| asked.path == "/2").count() > 60);
    origin.put("a.test/2", Answer::status(410));
    let site = live_on(site, 60).await;
    assert_eq!(origin.take_log().len(), 1);
    assert_eq!(site.service.next_due(), None);
    site.stop().await;
}

#[tokio::test]
async fn a_dead_feed_is_asked_at_most_eighty_times_in_sixty_days_and_one_success_resets() {
    for status in [404, 403, 500, 503, 429] {
        let origin = Origin::start();
        origin.put("a.test/rss", Answer::status(status));
        let site = live_on(Site::start(&config(&origin, &[("a", "feed: 'http://a.test/rss'")])).await, 60).await;
        let asked = origin.take_log().len();
        assert!((20..=80).contains(&asked), "{status}: {asked}");
        origin.put("a.test/rss", rss(1));
        let site = live_on(site, 8).await;
        let polls = origin.take_log();
        assert!(polls.len() > 8, "{status}: {} polls after it came back", polls.len());
        assert!(polls[1..].iter().all(|asked| asked.header("if-none-match").is_some()));
        site.stop().await;
    }
}

#[tokio::test]
async fn redirects_that_ask_to_wait_are_waited_for() {
    for (status, after, least) in [(302, "7200", 2), (301, "86400", 24), (307, "99999999999", 24), (503, "7200", 2)] {
        let origin = Origin::start();
        let answer = Answer::status(status).header("Location", "/rss").header("Retry-After", after);
        origin.put("a.test/old", answer);
        origin.put("a.test/rss", rss(1));
        let site = Site::start(&config(&origin, &[("a", "feed: 'http://a.test/old'")])).await;
        let began = site.clock.now();
        site.poll().await;
        assert_eq!(origin.take_log().len(), 1, "{status}: not followed");
        assert!(site.service.next_due().unwrap() - began >= TimeDelta::hours(least), "{status}");
        // Once it does not ask for patience any more it is followed.
        origin.put("a.test/old", Answer::status(302).header("Location", "/rss").header("Retry-After", "0"));
        site.poll_next().await;
        assert_eq!(site.entries("all").await.len(), 1);
        site.stop().await;
    }
}
