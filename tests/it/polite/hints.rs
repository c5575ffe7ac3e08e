//! A feed says when it is not to be asked.

use crate::kit::{Answer, Clock, Origin, Site};
use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use heliu::worker::Clock as _;
use std::sync::Arc;

fn config(origin: &Origin, zone: &str) -> String {
    format!(
        "service: {{ title: t, base_url: 'http://127.0.0.1:8080/', timezone: {zone}, allow_networks: [127.0.0.0/8] }}
channels:
  news: {{ feed: 'http://news.test:{}/rss', every: 30m }}
feeds:
  all: {{ channels: [news] }}
",
        origin.port()
    )
}

fn feed(says: &str) -> Answer {
    let body = format!(
        "<rss version=\"2.0\" xmlns:sy=\"http://purl.org/rss/1.0/modules/syndication/\"><channel><title>t</title><link>http://news.test/</link><description>d</description>{says}<item><guid>1</guid><title>One</title><link>http://news.test/1</link></item></channel></rss>"
    );
    Answer::new(200, "application/rss+xml", body).with_etag()
}

async fn polls(says: &str, zone: &str, days: i64) -> Vec<DateTime<Utc>> {
    let origin = Origin::start();
    origin.put("/rss", feed(says));
    let folder = Arc::new(tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("feeds.yaml"), config(&origin, zone)).unwrap();
    let site = Site::begin(folder, Arc::new(Clock::at("2026-11-23T05:30:00Z"))).await.unwrap();
    let end = site.clock.now() + TimeDelta::days(days);
    let mut polls = Vec::new();
    while site.clock.now() < end {
        site.poll_next().await;
        polls.push(site.clock.now());
    }
    let statuses: Vec<_> = origin.take_log().iter().map(|asked| asked.status).collect();
    assert_eq!(statuses.len(), polls.len());
    assert!(statuses[1..].iter().all(|status| *status == 304), "all but the first bring no document");
    polls
}

#[tokio::test]
async fn hours_are_those_of_gmt_in_every_time_zone_and_304s_obey_them() {
    let says = "<skipHours><hour>6</hour><hour>7</hour><hour>24</hour><hour>Teatime</hour></skipHours>";
    for zone in ["Asia/Shanghai", "UTC", "America/St_Johns"] {
        let polls = polls(says, zone, 3).await;
        let inside: Vec<_> = polls.iter().skip(1).filter(|at| [0, 6, 7].contains(&at.hour())).collect();
        assert!(inside.is_empty(), "{zone}: {inside:?}");
        assert!(polls.len() > 100, "{zone}: {}", polls.len());
    }
}

#[tokio::test]
async fn a_feed_that_changes_hourly_is_asked_hourly() {
    for (says, hours) in [
        ("<ttl>60</ttl>", 1),
        ("<ttl> 180 </ttl>", 3),
        ("<ttl>5</ttl><sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>12</sy:updateFrequency>", 2),
        ("<sy:updateFrequency>2</sy:updateFrequency>", 12),
        ("<sy:updatePeriod>weekly</sy:updatePeriod>", 24), // no longer than the ceiling
        ("<sy:updatePeriod>daily</sy:updatePeriod><sy:updateBase>2000-01-01T05:30+00:00</sy:updateBase>", 24),
    ] {
        let polls = polls(says, "Asia/Shanghai", 2).await;
        let gaps: Vec<_> = polls.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(!gaps.is_empty() && gaps.iter().all(|gap| *gap == TimeDelta::hours(hours)), "{says}: {gaps:?}");
    }
}
