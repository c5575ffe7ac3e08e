//! External feeds end to end: what sources do to their readers, and what readers of Heliu notice of it.

mod attribution;
mod churn;
mod folder;
mod nested;
mod returns;
mod trouble;
mod withdrawal;

use crate::kit::{Answer, Origin};
use chrono::{DateTime, TimeDelta, Utc};
use std::fmt::Write as _;

/// An article as a source shows it.
#[derive(Debug, Clone, PartialEq)]
struct Article {
    guid: String,
    link: String,
    title: String,
    at: DateTime<Utc>,
    text: String,
}

/// A headline of ten ideographs like no other.
fn headline(n: usize) -> String {
    let word =
        |place: usize| char::from_u32(0x4E00 + u32::try_from((n * 7919 + place * 104_729) % 9000).unwrap()).unwrap();
    (0..10).map(word).collect()
}

impl Article {
    /// Article `n`: the larger the number, the younger. All have come out before the clock of the tests.
    fn sample(n: usize) -> Self {
        let noon: DateTime<Utc> = "2026-11-22T23:00:00Z".parse().unwrap();
        let ago = i64::try_from(1000 - n).unwrap();
        Self {
            guid: format!("tag:news.test,2026:{n}"),
            link: format!("http://news.test/archive/{n}.html"),
            title: format!("{} No {n}", headline(n)),
            at: noon - TimeDelta::hours(ago) - TimeDelta::seconds(ago * 1237 % 3600),
            text: format!("第{n}篇说的是第{n}件事,一段足够长的文字,和别的文章都不一样。"),
        }
    }

    /// The youngest so many articles, youngest first.
    fn page(count: usize) -> Vec<Self> {
        (1000 - count..1000).rev().map(Self::sample).collect()
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn rss(articles: &[Article]) -> Answer {
    let mut body = "<?xml version=\"1.0\" encoding=\"utf-8\"?><rss version=\"2.0\"><channel><title>一份报纸</title><link>http://news.test/</link><description>d</description><copyright>© 一份报纸</copyright>".to_owned();
    for article in articles {
        let Article { guid, link, title, at, text } = article;
        let (guid, link) = (escaped(guid), escaped(link));
        let _ = write!(
            body,
            "<item><guid isPermaLink=\"false\">{guid}</guid><link>{link}</link><title>{title}</title><pubDate>{}</pubDate><description>{text}</description></item>",
            at.to_rfc2822()
        );
    }
    body += "</channel></rss>";
    Answer::new(200, "application/rss+xml", body).with_etag()
}

fn atom(articles: &[Article], more: &str) -> Answer {
    let mut body = format!(
        "<feed xmlns=\"http://www.w3.org/2005/Atom\" xmlns:at=\"http://purl.org/atompub/tombstones/1.0\" xmlns:fh=\"http://purl.org/syndication/history/1.0\"><id>tag:atom.test,2026:feed</id><title>An Atom feed</title><link href=\"http://atom.test/\"/><rights>CC BY</rights><updated>2026-11-22T23:00:00Z</updated>{more}"
    );
    for Article { guid, link, title, at, text } in articles {
        let (guid, link) = (escaped(guid), escaped(link));
        let _ = write!(
            body,
            "<entry><id>{guid}</id><link href=\"{link}\"/><title>{title}</title><published>{0}</published><updated>{0}</updated><content>{text}</content></entry>",
            at.to_rfc3339()
        );
    }
    body += "</feed>";
    Answer::new(200, "application/atom+xml", body).with_etag()
}

fn page(articles: &[Article]) -> Answer {
    let mut body = "<!doctype html><meta charset=utf-8><title>频道</title><ul>".to_owned();
    for Article { link, title, at, .. } in articles {
        let at = at.with_timezone(&chrono_tz::Asia::Shanghai).format("%Y-%m-%d %H:%M");
        let _ = write!(body, "<li><a href=\"{link}\">{title}</a><i>{at}</i></li>");
    }
    body += "</ul>";
    Answer::html(body).with_etag()
}

/// A feeds.yaml with these channels (name, the rest of it) and one feed of all of them.
fn config(channels: &[(&str, String)]) -> String {
    let mut text = "service: { title: 测试, base_url: 'http://127.0.0.1:8080/', allow_networks: [127.0.0.0/8] }
layouts:
  list: { entry: li, title: a, link: a @href, date: i }
channels:
"
    .to_owned();
    for (name, rest) in channels {
        let _ = writeln!(text, "  {name}: {{ {rest} }}");
    }
    let names: Vec<_> = channels.iter().map(|(name, _)| *name).collect();
    let _ =
        write!(text, "feeds:\n  all: {{ channels: [{}], limit: 400, duplicates: {{ by: [id] }} }}\n", names.join(", "));
    text
}

fn feed_at(origin: &Origin, address: &str) -> String {
    format!("feed: 'http://{}'", address.replacen('/', &format!(":{}/", origin.port()), 1))
}

fn page_at(origin: &Origin, address: &str) -> String {
    format!("page: 'http://{}', layouts: list", address.replacen('/', &format!(":{}/", origin.port()), 1))
}
