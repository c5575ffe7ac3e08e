//! Everything is due at once: after a start, a sleep, a step of the clock.

use crate::kit::{Answer, Clock, Origin, Site};
use chrono::{TimeDelta, Utc};
use heliu::store::{MemoryStore, Store};
use heliu::worker::Clock as _;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

const CHANNELS: usize = 1500;
const INTERVAL: i64 = 900;

fn config(origin: &Origin) -> String {
    let mut text =
        "service: { title: t, base_url: 'http://127.0.0.1:8080/', allow_networks: [127.0.0.0/8] }\nchannels:\n"
            .to_owned();
    for n in 0..CHANNELS {
        let _ = writeln!(text, "  c{n}: {{ feed: 'http://h{n}.test:{}/rss', every: 15m }}", origin.port());
    }
    text + "feeds:\n  all: { channels: [c0] }\n"
}

/// Lets an interval go by; how many were polled in each second.
async fn live(site: &Site) -> BTreeMap<i64, usize> {
    let began = site.clock.now();
    let mut polled = BTreeMap::new();
    while let Some(due) = site.service.next_due().filter(|due| *due < began + TimeDelta::seconds(INTERVAL)) {
        site.clock.advance((due - site.clock.now()).max(TimeDelta::zero()));
        *polled.entry((site.clock.now() - began).num_seconds()).or_default() += site.poll().await;
    }
    polled
}

fn check(polled: &BTreeMap<i64, usize>, what: &str) {
    let total: usize = polled.values().sum();
    assert!((CHANNELS..=CHANNELS * 3 / 2).contains(&total), "{what}: all within an interval, no storm: {total}");
    let most = polled.values().copied().max().unwrap();
    // The mean is five in three seconds.
    assert!(most <= 5, "{what}: {most} in one second");
    let first = *polled.keys().next().unwrap();
    assert!(first < 10, "{what}: begins at once: {first}");
}

#[tokio::test]
async fn whatever_happens_they_are_spread_over_the_interval() {
    let origin = Origin::start();
    origin.always(Answer::new(200, "application/rss+xml", "<rss version=\"2.0\"><channel><title>t</title><item><guid>1</guid><title>One</title><link>http://a.test/1</link></item></channel></rss>").with_etag());
    let folder = Arc::new(tempfile::tempdir().unwrap());
    std::fs::write(folder.path().join("feeds.yaml"), config(&origin)).unwrap();
    let store: Arc<dyn Store> =
        Arc::new(MemoryStore::new("2026-11-23T00:00:00Z".parse::<chrono::DateTime<Utc>>().unwrap()));
    let clock = Arc::new(Clock::at("2026-11-23T00:00:00Z"));
    let site = Site::with_store(Arc::clone(&folder), Arc::clone(&clock), Arc::clone(&store)).await.unwrap();
    check(&live(&site).await, "the first start");
    for (what, step) in [
        ("a sleep of 8 hours", TimeDelta::hours(8)),
        ("an hour back", TimeDelta::hours(-1)),
        ("a day back", TimeDelta::days(-1)),
        ("ten years on", TimeDelta::days(3650)),
        ("ten years back", TimeDelta::days(-3650)),
    ] {
        clock.advance(step);
        site.service.look_at_clock();
        check(&live(&site).await, what);
    }
    // The play of clocks changes nothing.
    for step in [1, -1, -120] {
        clock.advance(TimeDelta::seconds(step));
        site.service.look_at_clock();
        let polled = live(&site).await;
        let total: usize = polled.values().sum();
        assert!(total <= CHANNELS * 3 / 2 && polled.values().all(|count| *count <= 5), "{step}: {total}");
    }
    // A restart keeps the times.
    let restarted = Site::with_store(folder, clock, store).await.unwrap();
    let polled = live(&restarted).await;
    let total: usize = polled.values().sum();
    assert!(total <= CHANNELS * 3 / 2 && polled.values().all(|count| *count <= 5), "after a restart: {total}");
}
