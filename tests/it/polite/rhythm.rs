//! How often a source is asked that nobody said `every` of, and what is done about one that says 304 for ever.

use super::{config, live_on, rss};
use crate::kit::{Answer, Origin, Site};
use chrono::TimeDelta;
use heliu::worker::Clock as _;

/// How often a feed is asked in its last week of so many, when a new entry comes every so many hours.
async fn asked_weekly(hours: usize, weeks: usize, more: &str) -> usize {
    let origin = Origin::start();
    let channel = format!("feed: 'http://a.test/rss'{more}");
    let mut site = Site::start(&config(&origin, &[("a", &channel)])).await;
    for entry in 1..=(weeks * 7 * 24 / hours) {
        origin.put("a.test/rss", rss(entry));
        if entry == (weeks - 1) * 7 * 24 / hours {
            origin.take_log();
        }
        let end = site.clock.now() + TimeDelta::hours(i64::try_from(hours).unwrap());
        while let Some(due) = site.service.next_due().filter(|due| *due < end) {
            site.clock.advance((due - site.clock.now()).max(TimeDelta::zero()));
            site.poll().await;
        }
        let left = end - site.clock.now();
        site.clock.advance(left);
        if entry % 50 == 0 {
            site = site.restart().await;
        }
    }
    let asked = origin.take_log().len();
    site.stop().await;
    asked
}

#[tokio::test]
async fn the_interval_is_learnt_within_bounds_and_every_overrides_it() {
    let week = 7 * 24 * 4; // at the floor of 15 minutes
    for (hours, weeks, more, least, most) in [
        (1, 2, "", week * 9 / 10, week + 8),
        (24, 3, "", 30, 7 * 24 / 2),
        (168, 4, "", 5, 20),
        (24, 2, ", every: 1h", 7 * 24 - 8, 7 * 24 + 24),
    ] {
        let asked = asked_weekly(hours, weeks, more).await;
        assert!((least..=most).contains(&asked), "every {hours} h{more}: asked {asked} times in a week");
    }
}

#[tokio::test]
async fn a_source_that_says_304_for_ever_is_asked_for_all_once_in_eight_days() {
    let origin = Origin::start();
    origin.put("a.test/rss", rss(2));
    let site = Site::start(&config(&origin, &[("a", "feed: 'http://a.test/rss', every: 1h")])).await;
    let mut site = live_on(site, 1).await;
    for entries in 3..8 {
        origin.put("a.test/rss", rss(entries));
        site = live_on(site, 1).await;
    }
    origin.take_log();
    // Broken: it says 304 to whatever validator, and has had news for long.
    let etag = rss(7).headers.iter().find(|(name, _)| name == "ETag").unwrap().1.clone();
    let mut stuck = rss(9);
    stuck.headers.retain(|(name, _)| name != "ETag");
    origin.put("a.test/rss", stuck.header("ETag", &etag));
    let mut days = Vec::new();
    for day in 0..40 {
        site = live_on(site, 1).await;
        let whole = origin.take_log().iter().filter(|asked| asked.header("if-none-match").is_none()).count();
        days.extend(std::iter::repeat_n(day, whole));
    }
    assert!(!days.is_empty() && days.windows(2).all(|pair| pair[1] - pair[0] >= 8), "{days:?}");
    assert!(days[0] >= 8, "{days:?}");
    assert_eq!(site.entries("all").await.len(), 9, "and so the news was found");
    site.stop().await;
}

#[tokio::test]
async fn validators_survive_everything() {
    let origin = Origin::start();
    origin.put("a.test/rss", rss(5));
    let feeds = config(&origin, &[("a", "feed: 'http://a.test/rss', every: 1h")]);
    let mut site = Site::start(&feeds).await;
    site.poll().await;
    origin.take_log();
    let trouble = [
        Answer::status(500),
        Answer::html("<title>Sorry</title><h1>We are down</h1>"),
        Answer::new(200, "application/rss+xml", "<rss><chan"),
        Answer::status(404),
        Answer::new(200, "application/rss+xml", ""),
    ];
    for answer in trouble {
        origin.put("a.test/rss", answer);
        site.poll_next().await;
        site = site.restart().await;
        site.edit(&feeds.replace("title: t", "title: u")).await;
        site.poll_next().await;
        origin.put("a.test/rss", rss(5));
        site = live_on(site, 3).await;
    }
    let log = origin.take_log();
    assert!(log.len() > 100 && log.iter().all(|asked| asked.header("if-none-match").is_some()));
    site.stop().await;
}

/// a clock that is slewed as fast as `adjtime` may, and one that is set back by a leap second after each poll, are
/// looked at every minute for two days. Nobody is asked more often or more seldom for it, nor without validators.
#[tokio::test]
async fn a_clock_that_is_slewed_or_takes_leap_seconds_changes_nothing() {
    let mut asked = Vec::new();
    for (a_minute, leap) in [(60_000, 0), (60_030, 0), (59_970, 0), (60_000, -1)] {
        let origin = Origin::start();
        origin.put("a.test/rss", rss(2));
        let site = Site::start(&config(&origin, &[("a", "feed: 'http://a.test/rss', every: 1h")])).await;
        for _ in 0..2 * 24 * 60 {
            if site.poll().await > 0 {
                site.clock.advance(TimeDelta::seconds(leap));
            }
            site.service.look_at_clock();
            site.clock.advance(TimeDelta::milliseconds(a_minute));
            site.service.look_at_clock();
        }
        let log = origin.take_log();
        assert!(log.iter().skip(1).all(|asked| asked.status == 304), "{a_minute} {leap}");
        asked.push(log.len());
        site.stop().await;
    }
    assert!((44..=49).contains(&asked[0]), "{asked:?}");
    assert!(asked.iter().all(|count| count.abs_diff(asked[0]) <= 1), "{asked:?}");
}
