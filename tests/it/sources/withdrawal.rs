//! Tombstones and complete feeds, from the source to the ledger and back.

use super::{Article, atom, config, feed_at};
use crate::kit::{Origin, Site};
use heliu::model::{ChannelId, Withdrawn};

fn tombstone(article: &Article, when: &str) -> String {
    format!(
        "<at:deleted-entry ref=\"{}\" when=\"{when}\"><at:comment>mistake</at:comment></at:deleted-entry>",
        article.guid
    )
}

async fn shown(site: &Site) -> Vec<String> {
    let channel: ChannelId = "a".parse().unwrap();
    let records = site.store.latest_under(&channel, 99, Withdrawn::Remove).await.unwrap();
    records.into_iter().map(|record| record.entry.id.0).collect()
}

#[tokio::test]
async fn a_withdrawn_entry_stays_by_default_and_can_be_set_to_go() {
    let origin = Origin::start();
    let articles = Article::page(10);
    origin.put("/feed", atom(&articles, ""));
    let site = Site::start(&config(&[("a", feed_at(&origin, "atom.test/feed"))])).await;
    site.poll().await;
    let before = site.get("/feeds/all.atom").await.body;
    let laid =
        tombstone(&articles[2], "2026-11-22T23:30:00Z") + &tombstone(&Article::sample(1), "2026-11-22T23:00:00Z");
    origin.put("/feed", atom(&[&articles[..2], &articles[3..]].concat(), &laid));
    site.poll_next().await;
    assert_eq!(site.get("/feeds/all.atom").await.body, before, "by default it stays, byte for byte");
    let site = site.restart().await;
    let channel: ChannelId = "a".parse().unwrap();
    let tombstones = site.store.tombstones(&channel, 9).await.unwrap();
    assert_eq!(tombstones.len(), 1, "of what was never seen there is nothing to tell");
    assert_eq!(
        (tombstones[0].id.0.as_str(), tombstones[0].when.to_rfc3339().as_str()),
        (articles[2].guid.as_str(), "2026-11-22T23:30:00+00:00")
    );
    assert_eq!(shown(&site).await.len(), 9);

    // An old copy out of a cache brings it back no more than the tombstone's end does; a newer edition does.
    origin.put("/feed", atom(&articles, ""));
    site.poll_next().await;
    assert_eq!(shown(&site).await.len(), 9);
    let mut again = articles.clone();
    again[2].at = "2026-11-22T23:45:00Z".parse().unwrap();
    again[2].text += "(更正)";
    origin.put("/feed", atom(&again, &laid));
    site.poll_next().await;
    assert!(shown(&site).await.contains(&articles[2].guid), "under its old id");
    assert!(site.store.tombstones(&channel, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_leaves_a_complete_feed_is_withdrawn_unless_the_feed_is_broken() {
    let origin = Origin::start();
    let articles = Article::page(10);
    origin.put("/feed", atom(&articles, "<fh:complete/>"));
    let site = Site::start(&config(&[("a", feed_at(&origin, "atom.test/feed"))])).await;
    site.poll().await;
    for (what, answer, left, flaw) in [
        ("two are gone", atom(&articles[2..], "<fh:complete/>"), 8, None),
        ("most are gone", atom(&articles[7..], "<fh:complete/>"), 8, Some("mass-withdrawal")),
        ("all are gone", atom(&[], "<fh:complete/>"), 8, Some("mass-withdrawal")),
        ("not complete", atom(&articles[9..], ""), 8, None),
        ("one is back", atom(&articles[1..], "<fh:complete/>"), 9, None),
    ] {
        origin.put("/feed", answer);
        site.poll_next().await;
        let flaws = site.flaws("a").await;
        assert_eq!(shown(&site).await.len(), left, "{what}: {flaws:?}");
        assert!(flaw.is_none_or(|flaw| flaws.contains(&flaw)), "{what}: {flaws:?}");
        assert_eq!(site.ids("all").await.len(), 10, "{what}: by default all stay");
    }
    // Eight of ten arrive: few enough to be believed, were the document whole.
    origin.put("/feed", atom(&articles, "<fh:complete/>"));
    site.poll_next().await;
    assert_eq!(shown(&site).await.len(), 10);
    let mut cut = atom(&articles, "<fh:complete/>");
    cut.body.truncate(cut.body.len() * 8 / 10);
    cut.headers.retain(|(name, _)| name != "ETag");
    origin.put("/feed", cut);
    site.poll_next().await;
    assert_eq!(shown(&site).await.len(), 10, "a document that was cut withdraws nothing");
    origin.put("/feed", atom(&articles[2..], "<fh:complete/>"));
    site.poll_next().await;
    assert_eq!(shown(&site).await.len(), 8, "a whole one does");
}

#[tokio::test]
async fn a_preview_shows_what_a_document_withdraws() {
    let articles = Article::page(3);
    let laid =
        tombstone(&articles[0], "2026-11-22T23:30:00Z") + &tombstone(&Article::sample(1), "2026-11-21T00:00:00Z");
    let document = atom(&articles, &laid).body;
    let origin = Origin::start();
    let text = config(&[("a", feed_at(&origin, "atom.test/feed"))]);
    let loaded = heliu::config::load(&text, "feeds.yaml", std::path::Path::new(""), &heliu::worker::validators());
    let config = loaded.config.unwrap();
    let url = url::Url::parse("http://atom.test/feed").unwrap();
    let now = "2026-11-23T00:00:00Z".parse().unwrap();
    let preview = heliu::worker::preview_document(&document, None, &url, &config, now).json();
    let json: serde_json::Value = serde_json::from_str(&preview).unwrap();
    assert_eq!(json["_heliu"]["tombstones"].as_array().unwrap().len(), 2, "{json}");
    assert_eq!(json["items"][0]["_heliu"]["withdrawn"], "2026-11-22T23:30:00+00:00");
    assert_eq!(json["items"][1]["_heliu"]["withdrawn"], serde_json::Value::Null);
}

#[tokio::test]
async fn removed_entries_leave_the_feeds_and_atom_says_so() {
    let origin = Origin::start();
    let articles = Article::page(10);
    origin.put("/feed", atom(&articles, ""));
    let channel = feed_at(&origin, "atom.test/feed");
    let keep = config(&[("a", channel.clone())]);
    let remove = config(&[("a", format!("{channel}, withdrawn: remove"))]);
    let site = Site::start(&keep).await;
    site.poll().await;
    let before = site.get("/feeds/all.atom").await.body;
    let gone = &articles[2].guid;
    origin.put(
        "/feed",
        atom(&[&articles[..2], &articles[3..]].concat(), &tombstone(&articles[2], "2026-11-22T23:30:00Z")),
    );
    site.poll_next().await;
    assert!(site.get("/feeds/all.atom").await.body == before);
    origin.take_log();
    site.edit(&remove).await;
    assert!(origin.take_log().is_empty(), "the setting is one of showing");
    assert_eq!(site.ids("all").await.len(), 9);
    let text = site.get("/feeds/all.atom").await.text();
    assert!(text.contains(&format!("<at:deleted-entry ref=\"{gone}\" when=\"2026-11-22T23:30:00+00:00\"")), "{text}");
    let json = site.get("/feeds/all.json").await.json();
    assert_eq!(json["_heliu"]["tombstones"][0]["id"], gone.as_str());
    let rss = site.get("/feeds/all.rss").await.text();
    assert!(!rss.contains(gone.as_str()));
    let site = site.restart().await;
    assert_eq!(site.get("/feeds/all.atom").await.text(), text);
    site.edit(&keep).await;
    assert!(site.get("/feeds/all.atom").await.body == before, "and works backwards, byte for byte");
}
