//! Feeds made of other feeds.

use super::{Article, atom, config, feed_at, page, page_at, rss};
use crate::kit::{Origin, Site};
use chrono::TimeDelta;

#[tokio::test]
async fn a_feed_of_feeds_follows_what_they_show_through_polls_reloads_and_restarts() {
    let origin = Origin::start();
    let of = |from: usize, to: usize| (from..to).rev().map(Article::sample).collect::<Vec<_>>();
    origin.put("/a", rss(&of(10, 13)));
    origin.put("/b", atom(&of(20, 23), ""));
    origin.put("/c", page(&of(30, 32)));
    let channels = [
        ("a", feed_at(&origin, "news.test/a")),
        ("b", feed_at(&origin, "atom.test/b")),
        ("c", page_at(&origin, "page.test/c")),
    ];
    let base = config(&channels);
    let base = base.split("feeds:\n").next().unwrap();
    let feeds = |top: &str| {
        format!(
            "{base}feeds:\n  top: {{ {top} }}\n  both: {{ feeds: [first], channels: [b], limit: 4 }}\n  first: {{ channels: [a], rules: [{{ drop: {{ title: 'No 11$' }} }}] }}\n"
        )
    };
    let site = Site::start(&feeds("channels: [c], feeds: [both]")).await;
    site.poll().await;
    let numbers = |titles: Vec<String>| {
        titles.iter().map(|title| title.rsplit(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(numbers(site.titles("first").await), ["12", "10"]);
    assert_eq!(numbers(site.titles("both").await), ["22", "21", "20", "12"]);
    assert_eq!(numbers(site.titles("top").await), ["31", "30", "22", "21", "20", "12"]);

    // A poll of a channel two feeds further down.
    origin.put("/a", rss(&of(10, 14)));
    site.after(TimeDelta::hours(2)).await;
    assert_eq!(numbers(site.titles("top").await), ["31", "30", "22", "21", "20", "13"]);
    let bytes = site.get("/feeds/top.atom").await.body;
    let site = site.restart().await;
    assert!(site.get("/feeds/top.atom").await.body == bytes, "a restart changes nothing");

    // A circle is refused, and what is published stays.
    let refused = site.edit(&feeds("feeds: [top]")).await;
    let text = format!("{refused:?}");
    assert!(text.contains("the feed `top` is made of itself: top → top"), "{text}");
    assert!(site.get("/feeds/top.atom").await.body == bytes);
    site.edit(&feeds("feeds: [first]")).await;
    assert_eq!(numbers(site.titles("top").await), ["13", "12", "10"]);
    site.stop().await;
}
