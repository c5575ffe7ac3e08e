//! What is made anew when something changed, and what is left as it is.

use crate::kit::full::site_on_a_bad_disk;
use crate::kit::{Answer, Origin, Site};
use chrono::TimeDelta;
use std::fmt::Write as _;
use std::sync::Arc;

fn rss(entries: &[(&str, &str)]) -> Answer {
    let mut body =
        "<rss version=\"2.0\"><channel><title>t</title><link>http://a.test/</link><description>d</description>"
            .to_owned();
    for (title, date) in entries {
        let link = title.to_lowercase();
        let _ = write!(
            body,
            "<item><title>{title}</title><link>http://a.test/{link}</link><pubDate>{date}</pubDate></item>"
        );
    }
    Answer::new(200, "application/rss+xml", body + "</channel></rss>")
}

/// A feed of one entry does not show that an older one came: it is not made anew. When no feed shows it, nothing is
/// published.
#[tokio::test]
async fn what_a_feed_does_not_show_leaves_its_documents_as_they_are() {
    const NEW: (&str, &str) = ("New", "Sun, 22 Nov 2026 12:00:00 GMT");
    const OLD: (&str, &str) = ("Old", "Sat, 21 Nov 2026 12:00:00 GMT");
    const OLDER: (&str, &str) = ("Older", "Fri, 20 Nov 2026 12:00:00 GMT");
    for (limit, shows) in [(10, true), (2, false)] {
        let origin = Origin::start();
        origin.put("/a", rss(&[NEW, OLD]));
        let config = format!(
            "service: {{ title: t, base_url: 'http://127.0.0.1:8080/', allow_networks: [127.0.0.0/8] }}\nchannels:\n  a: {{ feed: 'http://a.test:{}/a', every: 1h }}\nfeeds:\n  short: {{ channels: [a], limit: 1 }}\n  long: {{ channels: [a], limit: {limit} }}\n",
            origin.port()
        );
        let site = Site::start(&config).await;
        site.poll().await;
        let before = Arc::clone(&site.service.shelf().get());
        origin.put("/a", rss(&[NEW, OLD, OLDER]));
        site.after(TimeDelta::minutes(70)).await;
        assert_eq!(site.store.count(&"a".parse().unwrap()).await.unwrap(), 3, "the older one is known");
        let after = Arc::clone(&site.service.shelf().get());
        let count = |feed: &str| after.feeds.iter().find(|one| one.id.as_str() == feed).unwrap().entries.len();
        assert_eq!((count("short"), count("long")), (1, if shows { 3 } else { 2 }));
        assert!(
            before.feeds.iter().zip(&after.feeds).any(|(before, after)| Arc::ptr_eq(before, after)),
            "the short one"
        );
        assert_eq!(Arc::ptr_eq(&before, &after), !shows, "published although nothing shows it");
        site.stop().await;
    }
}

/// A feed of a feed cannot be read while that one moves on. Once it can be, it shows what came, although nothing comes any
/// more.
#[tokio::test]
async fn a_feed_of_feeds_that_could_not_be_read_is_made_when_it_can_be() {
    let origin = Origin::start();
    origin.put("/a", rss(&[("Old", "Sat, 21 Nov 2026 12:00:00 GMT")]));
    origin.put("/b", rss(&[("Other", "Fri, 20 Nov 2026 12:00:00 GMT")]));
    let at = |path: &str, every: &str| format!("feed: 'http://a.test:{}/{path}', every: {every}", origin.port());
    let config = format!(
        "service: {{ title: t, base_url: 'http://127.0.0.1:8080/', allow_networks: [127.0.0.0/8] }}\nchannels:\n  a: {{ {} }}\n  b: {{ {} }}\nfeeds:\n  outer: {{ feeds: [inner], channels: [b] }}\n  inner: {{ channels: [a] }}\n",
        at("a", "1h"),
        at("b", "12h")
    );
    let (site, store) = site_on_a_bad_disk(&config).await;
    site.poll().await;
    origin.put("/a", rss(&[("New", "Sun, 22 Nov 2026 12:00:00 GMT"), ("Old", "Sat, 21 Nov 2026 12:00:00 GMT")]));
    *store.unreadable.lock().unwrap() = Some("b".parse().unwrap());
    site.after(TimeDelta::minutes(70)).await;
    assert_eq!(site.titles("inner").await, ["New", "Old"]);
    assert_eq!(site.titles("outer").await, ["Old", "Other"], "as it was published");
    *store.unreadable.lock().unwrap() = None;
    site.poll().await;
    assert_eq!(site.titles("outer").await, ["New", "Old", "Other"]);
    site.stop().await;
}
