//! A feed of everything: whose entry each is stays told, under the id it came with.

use super::{Article, atom, config, escaped, feed_at, page, page_at, rss};
use crate::kit::{Answer, Origin, Site};
use serde_json::{Value, json};

/// Ids as sources write them: no form that anyone could tidy may come out tidied.
const IDS: &[&str] = &[
    "tag:news.test,2026-11-22:/a%2Fb?c=1&d=%e4%b8%ad#frag",
    "HTTP://News.Test:80/A/../b//?utm_source=x&amp;y",
    "urn:uuid:6FA459EA-EE8A-3CA4-894E-DB77E160355E",
    "post-4711",
    "12",
    "编号/一",
];

fn articles(offset: usize) -> Vec<Article> {
    IDS.iter()
        .enumerate()
        .map(|(n, id)| Article { guid: (*id).to_owned(), ..Article::sample(900 + offset * 10 + n) })
        .collect()
}

fn json_feed(articles: &[Article]) -> Answer {
    let items: Vec<Value> = articles
        .iter()
        .zip(IDS)
        .map(|(a, id)| json!({"id": format!("j:{id}"), "url": a.link, "title": a.title, "content_text": a.text, "date_published": a.at.to_rfc3339()}))
        .collect();
    let feed = json!({"version": "https://jsonfeed.org/version/1.1", "title": "A JSON feed", "home_page_url": "http://json.test/", "items": items});
    Answer::new(200, "application/feed+json", feed.to_string())
}

/// A site with one feed of an RSS, an Atom and a JSON feed and a portal's page.
async fn merged() -> (Origin, Site) {
    let origin = Origin::start();
    origin.put("news.test/rss", rss(&articles(0)));
    let of_atom: Vec<_> =
        articles(1).into_iter().zip(IDS).map(|(article, id)| Article { guid: format!("a:{id}"), ..article }).collect();
    origin.put("atom.test/feed", atom(&of_atom, ""));
    origin.put("json.test/feed.json", json_feed(&articles(2)));
    origin.put("portal.test/list", page(&articles(3)));
    let site = Site::start(&config(&[
        ("rss", feed_at(&origin, "news.test/rss")),
        ("atom", feed_at(&origin, "atom.test/feed")),
        ("json", feed_at(&origin, "json.test/feed.json")),
        ("portal", page_at(&origin, "portal.test/list")),
    ]))
    .await;
    site.poll().await;
    (origin, site)
}

#[tokio::test]
async fn every_entry_of_a_merged_feed_says_where_it_comes_from() {
    let (origin, site) = merged().await;
    let port = origin.port();
    let entries = site.entries("all").await;
    assert_eq!(entries.len(), 4 * IDS.len());
    for entry in &entries {
        let channel = entry["_heliu"]["channel"].as_str().unwrap();
        let expected = match channel {
            "rss" => {
                json!({"title": "一份报纸", "feed_url": format!("http://news.test:{port}/rss"), "url": "http://news.test/", "rights": "© 一份报纸"})
            }
            "atom" => {
                json!({"title": "An Atom feed", "id": "tag:atom.test,2026:feed", "feed_url": format!("http://atom.test:{port}/feed"), "url": "http://atom.test/", "rights": "CC BY"})
            }
            "json" => {
                json!({"title": "A JSON feed", "feed_url": format!("http://json.test:{port}/feed.json"), "url": "http://json.test/"})
            }
            _ => Value::Null, // the portal's own
        };
        assert_eq!(entry["_heliu"]["source"], expected, "{channel}");
    }
    let atom = site.get("/feeds/all.atom").await.text();
    let source = atom.split("<source>").find(|part| part.contains("tag:atom.test,2026:feed")).unwrap();
    for expected in [
        "<title>An Atom feed</title>",
        "<id>tag:atom.test,2026:feed</id>",
        &format!("href=\"http://atom.test:{port}/feed\" rel=\"self\""),
        "href=\"http://atom.test/\" rel=\"alternate\"",
        "<rights>CC BY</rights>",
    ] {
        assert!(source.contains(expected), "{expected} in {source}");
    }
    assert_eq!(atom.matches("<source>").count(), 3 * IDS.len());
    let rss = site.get("/feeds/all.rss").await.text();
    for (address, title) in [("news.test", "一份报纸"), ("atom.test", "An Atom feed"), ("json.test", "A JSON feed")]
    {
        let found = rss.matches(&format!("<source url=\"http://{address}:{port}/")).count();
        assert_eq!(found, IDS.len(), "{address} {title}");
        assert!(rss.contains(&format!(">{title}</source>")), "{title}");
    }
}

#[tokio::test]
async fn ids_of_external_entries_come_out_as_they_went_in() {
    let (_origin, site) = merged().await;
    let ids = site.ids("all").await;
    let atom = site.get("/feeds/all.atom").await.text();
    let rss = site.get("/feeds/all.rss").await.text();
    for id in IDS {
        for (prefix, format) in [("", "RSS"), ("a:", "Atom"), ("j:", "JSON")] {
            let id = format!("{prefix}{id}");
            assert!(ids.contains(&id), "{id} of {format} in JSON: {ids:?}");
            let written = escaped(&id);
            assert!(rss.contains(&format!(">{written}</guid>")), "{id} of {format} in RSS");
            // atom:id must be an IRI; what is none gets one made of it, always the same.
            let is_iri = id.contains(':') && !id.starts_with("12") && !id.contains("编号");
            if is_iri && !prefix.is_empty()
                || id.starts_with("tag:")
                || id.starts_with("urn:")
                || id.starts_with("HTTP:")
            {
                assert!(atom.contains(&format!("<id>{written}</id>")), "{id} of {format} in Atom");
            }
        }
    }
    assert_eq!(atom.matches("<id>").count(), 1 + 24 + 18, "every entry and every source has one");
    let site = site.restart().await;
    assert_eq!(site.get("/feeds/all.atom").await.text(), atom);
}
