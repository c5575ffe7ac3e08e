//! Polls that cannot be recorded, and edits of feeds.yaml while one is under way.

use super::config;
use crate::kit::full::site_on_a_bad_disk;
use crate::kit::{Answer, Origin, Site};
use chrono::TimeDelta;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Found by seed 822 of the simulation: the last poll that was recorded lies a day ahead since the clock was set back, so
/// that nothing was believed of when it is due again, and each reload asked its source once more.
#[tokio::test]
async fn a_reload_asks_nobody_again_whose_poll_could_not_be_recorded() {
    let origin = Origin::start();
    origin.put("x.test/1", Answer::status(500));
    let config = config(&origin, &[("a", "feed: 'http://x.test/1', every: 15m")]);
    let (site, store) = site_on_a_bad_disk(&config).await;
    site.poll().await;
    site.clock.advance(TimeDelta::days(-1));
    site.service.look_at_clock();
    site.clock.advance(TimeDelta::seconds(10));
    store.no_records.store(true, Ordering::SeqCst);
    site.poll().await;
    assert_eq!(origin.take_log().len(), 2, "the clock was set: it is polled again");
    site.service.reload(Ok(config.replace("title: t,", "title: other,").into_bytes())).await;
    site.clock.advance(TimeDelta::seconds(30));
    site.poll().await;
    assert_eq!(origin.take_log().len(), 0, "it was asked half a minute ago");
    site.clock.advance(TimeDelta::minutes(16));
    site.poll().await;
    assert_eq!(origin.take_log().len(), 1, "and is asked again later");
}

/// A group whose poll could not be recorded is polled again after a quarter of an hour, whatever its interval.
#[tokio::test]
async fn what_could_not_be_recorded_is_not_put_off_for_an_interval() {
    let origin = Origin::start();
    origin.put("x.test/1", Answer::status(500));
    let channel = "feed: 'http://x.test/1', every: 12h";
    let config = config(&origin, &[("a", channel), ("b", channel)]);
    let (site, store) = site_on_a_bad_disk(&config).await;
    store.no_records.store(true, Ordering::SeqCst);
    site.poll().await;
    store.no_records.store(false, Ordering::SeqCst);
    site.clock.advance(TimeDelta::minutes(5));
    site.service.reload(Ok(config.replace("title: t,", "title: other,").into_bytes())).await;
    site.clock.advance(TimeDelta::minutes(11));
    site.poll().await;
    assert_eq!(origin.take_log().len(), 2);
    site.stop().await;
}

/// feeds.yaml is edited while a poll is under way: a channel that is to be read in another way is polled again afterwards,
/// and so is a new one that shares the address.
#[tokio::test]
async fn an_edit_during_a_poll_is_not_forgotten() {
    for edit in ["every: 12h, language: en", "every: 12h }\n  b: { feed: 'http://x.test/1', every: 12h"] {
        let origin = Origin::start();
        origin.put("x.test/1", Answer::status(500));
        let config = config(&origin, &[("a", "feed: 'http://x.test/1', every: 12h")]);
        let edit = edit.replace(".test/", &format!(".test:{}/", origin.port()));
        let edited = config.replace("every: 12h", &edit);
        let (site, store) = site_on_a_bad_disk(&config).await;
        store.stalled.send_replace(true);
        let edits = async {
            // Asked, but not recorded.
            while origin.take_log().is_empty() {
                tokio::task::yield_now().await;
            }
            site.service.reload(Ok(edited.into_bytes())).await;
            store.stalled.send_replace(false);
        };
        tokio::join!(site.poll(), edits);
        site.poll().await;
        assert_eq!(origin.take_log().len(), 1, "{edit}: polled again");
        site.clock.advance(TimeDelta::hours(1));
        site.poll().await;
        assert_eq!(origin.take_log().len(), 0, "{edit}: once");
        site.stop().await;
    }
}

/// A channel that is gone is edited during a poll of its group, and edited back: it stays gone, and nobody is polled for it.
#[tokio::test]
async fn an_edit_that_is_taken_back_keeps_nobody_busy() {
    let origin = Origin::start();
    origin.put("x.test/1", Answer::status(410));
    origin.put("z.test/3", Answer::html("<ul><li><a href=/1>One</a></li><li><a href=/2>Two</a></li></ul>"));
    let list = "layouts: [list], robots: ignore";
    let (a, b) = (
        format!("page: ['http://x.test/1', 'http://z.test/3'], {list}, every: 1h"),
        format!("page: ['http://x.test/1'], {list}, every: 2h"),
    );
    let config = config(&origin, &[("a", &a), ("b", &b)]);
    let (site, store) = site_on_a_bad_disk(&config).await;
    site.poll().await;
    let states = site.store.polls().await.unwrap();
    assert_eq!(states.values().map(|state| state.gone.is_some()).collect::<Vec<_>>(), [false, true]);
    site.clock.advance(TimeDelta::minutes(70));
    origin.take_log();
    store.stalled.send_replace(true);
    let edits = async {
        while origin.take_log().is_empty() {
            tokio::task::yield_now().await;
        }
        site.service.reload(Ok(config.replace("every: 2h", "every: 2h, language: en").into_bytes())).await;
        site.service.reload(Ok(config.clone().into_bytes())).await;
        store.stalled.send_replace(false);
    };
    let polls = async {
        tokio::join!(site.poll(), edits);
        for _ in 0..5 {
            site.clock.advance(TimeDelta::minutes(1));
            site.poll().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), Box::pin(polls)).await.expect("no end of polls");
    assert_eq!(origin.take_log().len(), 0);
    site.stop().await;
}

/// The machine sleeps in the middle of a poll of two channels, while the first is recorded or while the second asks: that asks
/// an address when it wakes. After a restart it is not asked again with the first, who is due.
#[tokio::test]
async fn who_was_asked_when_the_machine_woke_is_not_asked_again_after_a_restart() {
    for asked_before in ["/1", "/0"] {
        let origin = Origin::start();
        let list = Answer::html("<ul><li><a href=/1>One</a></li><li><a href=/2>Two</a></li></ul>");
        for path in ["x.test/1", "y.test/2"] {
            origin.put(path, list.clone());
        }
        let list = "layouts: [list], robots: ignore, every: 2h";
        // The first address of `b` fails, so that it asks its second one.
        let (a, b) = (
            format!("page: ['http://x.test/1', 'http://w.test/0'], {list}"),
            format!("page: ['http://w.test/0', 'http://y.test/2'], {list}"),
        );
        let (site, store) = site_on_a_bad_disk(&config(&origin, &[("a", &a), ("b", &b)])).await;
        let mut log = Vec::new();
        let sleeps = async {
            store.stalled.send_replace(asked_before == "/1");
            let is_there = |log: &[crate::kit::origin::Asked]| log.iter().any(|asked| asked.path == asked_before);
            while !is_there(&log) || asked_before == "/1" && store.stalled.receiver_count() == 0 {
                log.extend(origin.take_log());
                tokio::task::yield_now().await;
            }
            site.clock.advance(TimeDelta::minutes(100));
            store.stalled.send_replace(false);
        };
        tokio::join!(sleeps, site.poll());
        log.extend(origin.take_log());
        assert!(log.iter().any(|asked| asked.path == "/2"), "asked when the machine woke");
        let site = Site::with_store(Arc::clone(&site.folder), Arc::clone(&site.clock), store).await.unwrap();
        let mut asked = Vec::new();
        for _ in 0..16 {
            site.after(TimeDelta::minutes(10)).await;
            asked.push(origin.take_log().len());
        }
        assert_eq!(asked.iter().take(11).sum::<usize>(), 0, "{asked_before}: asked within two hours: {asked:?}");
        assert_ne!(asked.iter().sum::<usize>(), 0, "{asked_before}: never asked: {asked:?}");
    }
}
