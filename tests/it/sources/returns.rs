//! A channel that is removed from feeds.yaml and put back.

use super::{Article, config, feed_at, rss};
use crate::kit::{Origin, Site};
use chrono::TimeDelta;
use heliu::worker::Reloaded;

#[tokio::test]
async fn a_channel_that_is_removed_and_put_back_keeps_its_identity() {
    let origin = Origin::start();
    origin.put("/a", rss(&Article::page(6)));
    origin.put("/b", rss(&[Article { guid: "b".to_owned(), ..Article::sample(3) }]));
    let both = config(&[("a", feed_at(&origin, "news.test/a")), ("b", feed_at(&origin, "other.test/b"))]);
    let without = config(&[("b", feed_at(&origin, "other.test/b"))]);
    let site = Site::start(&both).await;
    site.poll().await;
    let a = "a".parse().unwrap();
    let before = site.store.latest(&a, 99).await.unwrap();
    let (feed, ids) = (site.get("/feeds/all.atom").await.body, site.ids("all").await);
    assert_eq!(ids.len(), 7);

    assert!(matches!(site.edit(&without).await, Reloaded::Applied(_)));
    assert_eq!(site.ids("all").await.len(), 1);
    for _ in 0..5 {
        site.after(TimeDelta::days(1)).await;
    }
    let site = site.restart().await;
    assert!(matches!(site.edit(&both).await, Reloaded::Applied(_)));
    assert_eq!(site.get("/feeds/all.atom").await.body, feed, "at once as it was, before anybody is asked");

    origin.take_log();
    site.after(TimeDelta::hours(1)).await;
    let asked: Vec<_> = origin.take_log().into_iter().filter(|asked| asked.path == "/a").collect();
    assert_eq!(asked.iter().map(|asked| asked.status).collect::<Vec<_>>(), [304], "the validators were kept");
    let mut page = Article::page(6);
    page.insert(0, Article::sample(1000));
    origin.put("/a", rss(&page));
    for _ in 0..3 {
        site.after(TimeDelta::days(1)).await;
    }
    let after = site.store.latest(&a, 99).await.unwrap();
    assert_eq!(after.len(), 7);
    assert_eq!(after[1..], before[..], "not one of the old entries looks new");
}
