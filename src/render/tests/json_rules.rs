//! JSON documents against our JSON Schema of JSON Feed 1.1, and the rules that a schema cannot say.

use serde_json::Value;
use std::collections::HashSet;

const SCHEMA: &str = include_str!("../../../tests/fixtures/schema/json-feed-1.1.schema.json");

/// Checks a document; `location` is the address it is served at.
pub(crate) fn check(json: &str, location: &str) -> Result<(), String> {
    let feed: Value = serde_json::from_str(json).map_err(|e| e.to_string())?;
    validator().validate(&feed).map_err(|e| format!("{}: {e}", e.instance_path()))?;
    if feed["feed_url"] != location {
        return Err("feed_url is not the document's own address".to_owned());
    }
    let mut ids = HashSet::new();
    for item in feed["items"].as_array().ok_or("no items")? {
        if !ids.insert(item["id"].as_str()) {
            return Err("two items with one id".to_owned());
        }
        super::tree::no_relative_references(item["content_html"].as_str().unwrap_or_default())?;
        for address in [&item["url"], &item["image"]] {
            address.as_str().map_or(Ok(()), super::tree::http)?;
        }
    }
    Ok(())
}

fn validator() -> &'static jsonschema::Validator {
    static VALIDATOR: std::sync::LazyLock<jsonschema::Validator> = std::sync::LazyLock::new(|| {
        let schema = serde_json::from_str(SCHEMA).unwrap();
        jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
    });
    &VALIDATOR
}

/// A good document, and ways to spoil it.
pub(crate) const GOOD: &str = r#"{"version":"https://jsonfeed.org/version/1.1","title":"T","home_page_url":"http://h/","feed_url":"http://h/f.json","language":"zh-CN","authors":[{"name":"A"}],
"_heliu":{"id":"urn:uuid:00000000-0000-5000-8000-000000000000","updated":"2026-01-01T00:00:00Z","standing":"live"},
"items":[{"id":"1","url":"http://h/1","content_text":"x","tags":["a"],"date_published":"2026-01-01T00:00:00+08:00","attachments":[{"url":"http://h/a","mime_type":"a/b"}],"_heliu":{"first_seen":"2026-01-01T00:00:00Z","standing":"live"}}]}"#;

pub(crate) const BAD: &[(&str, &str)] = &[
    ("version/1.1", "version/1"),
    ("\"title\":\"T\",", ""),
    ("\"title\":\"T\"", "\"title\":7"),
    ("http://h/f.json", "http://h/other.json"),
    ("\"home_page_url\":\"http://h/\"", "\"home_page_url\":\"/\""),
    ("\"language\":\"zh-CN\"", "\"language\":\"zh_CN\""),
    ("\"authors\":[{\"name\":\"A\"}]", "\"author\":{\"name\":\"A\"}"),
    ("{\"name\":\"A\"}", "{}"),
    ("\"id\":\"1\"", "\"id\":1"),
    ("\"id\":\"1\",", ""),
    ("\"content_text\":\"x\",", ""),
    ("\"content_text\":\"x\"", "\"content_html\":\"<a href='/x'>\""),
    ("http://h/1", "http://h/评论"),
    ("2026-01-01T00:00:00+08:00", "2026-01-01 00:00:00"),
    ("2026-01-01T00:00:00+08:00", "2026-02-30T00:00:00Z"),
    ("[\"a\"]", "[\"a\",\"a\"]"),
    (",\"mime_type\":\"a/b\"", ""),
    ("\"standing\":\"live\"}}]", "\"standing\":\"fresh\"}}]"),
    ("\"tags\"", "\"categories\""),
    ("\"items\":[", "\"items\":[7,"),
    ("]}", "]"),
];

#[test]
fn every_format_says_where_else_an_entry_appeared() {
    let mut feed = super::sample::feed(1);
    let id = feed.entries[0].entry.id.clone();
    let joined = crate::model::Joined {
        channel: "other".parse().unwrap(),
        id: crate::model::EntryId("tag:other".to_owned()),
        url: Some("https://other.example/1?a=1&b=2".to_owned()),
        title: "转载 <b>".to_owned(),
        rung: crate::model::Rung::Text,
    };
    feed.joined.insert(id, vec![joined]);
    let base = url::Url::parse("https://feeds.example.org/").unwrap();
    let site = crate::render::Site { base_url: &base, title: "T", language: "zh-CN" };
    for shows in [true, false] {
        feed.show_joined = shows;
        let atom = crate::render::atom(&feed, &site);
        let page = crate::render::feed_page(&feed, &site, crate::render::Lang::En);
        assert_eq!(atom.contains("href=\"https://other.example/1?a=1&amp;b=2\" rel=\"related\""), shows, "{atom}");
        assert_eq!(page.contains("Also at") && page.contains("other.example/1"), shows);
        assert!(!page.contains("转载 <b>"));
        // For programs the joined entries are always named.
        let json: serde_json::Value = serde_json::from_str(&crate::render::json_feed(&feed, &site)).unwrap();
        let expected = serde_json::json!([{
            "channel": "other", "id": "tag:other", "url": "https://other.example/1?a=1&b=2", "rung": "text"
        }]);
        assert_eq!(json["items"][0]["_heliu"]["joined"], expected);
        assert_eq!(json["items"][0]["_heliu"]["channel"], "shiping");
    }
    // Under the content only when that is asked for; what another site wrote stays text.
    let line = "<p>另见：<a href=\"https://other.example/1?a=1&amp;b=2\">转载 &lt;b&gt;</a></p>";
    for (wanted, content) in [(false, Some("<p>x</p>")), (true, Some("<p>x</p>")), (true, None)] {
        (feed.show_joined, feed.joined_in_content) = (true, wanted);
        feed.entries[0].entry.content = content.map(str::to_owned);
        feed.entries[0].entry.summary = Some("1 < 2".to_owned());
        let expected = content.unwrap_or("<p>1 &lt; 2</p>").to_owned() + if wanted { line } else { "" };
        let json: serde_json::Value = serde_json::from_str(&crate::render::json_feed(&feed, &site)).unwrap();
        assert_eq!(json["items"][0]["content_html"], expected);
        let rss = rss::Channel::read_from(crate::render::rss(&feed, &site).as_bytes()).unwrap();
        assert_eq!(rss.items()[0].content(), Some(expected.as_str()));
        let atom = crate::render::atom(&feed, &site).parse::<atom_syndication::Feed>().unwrap();
        assert_eq!(atom.entries()[0].content().unwrap().value(), Some(expected.as_str()));
    }
}
