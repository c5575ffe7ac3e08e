//! RSS documents against the RSS 2.0 specification and the RSS Advisory Board's best-practices profile.

use super::tree::{Element, http, no_relative_references, parse, regex};
use chrono::DateTime;
use std::collections::HashSet;

const ATOM: &str = "http://www.w3.org/2005/Atom";
const DC: &str = "http://purl.org/dc/elements/1.1/";
const CONTENT: &str = "http://purl.org/rss/1.0/modules/content/";
const MEDIA: &str = "http://search.yahoo.com/mrss/";

const CHANNEL: &[&str] = &[
    "title",
    "link",
    "description",
    "language",
    "copyright",
    "managingEditor",
    "webMaster",
    "pubDate",
    "lastBuildDate",
    "category",
    "generator",
    "docs",
    "cloud",
    "ttl",
    "image",
    "rating",
    "textInput",
    "skipHours",
    "skipDays",
    "item",
];
const ITEM: &[&str] =
    &["title", "link", "description", "author", "category", "comments", "enclosure", "guid", "pubDate", "source"];

/// Checks a document; `location` is the address it is served at.
pub(crate) fn check(xml: &str, location: &str) -> Result<(), String> {
    let root = parse(xml)?;
    if !root.ns.is_empty() || root.name != "rss" || root.attr("version") != Some("2.0") {
        return Err("the root is not rss 2.0".to_owned());
    }
    let [channel] = root.children.as_slice() else { return Err("not one channel".to_owned()) };
    known(channel, "channel", CHANNEL)?;
    for name in ["title", "link", "description"] {
        once(channel, name, 1)?;
    }
    for name in ["language", "lastBuildDate", "pubDate", "generator", "docs", "ttl", "image"] {
        once(channel, name, 0)?;
    }
    http(channel.text_of("", "link").unwrap_or_default())?;
    date(channel.text_of("", "lastBuildDate").ok_or("no lastBuildDate")?)?;
    let language = regex("^[a-z]{2,8}(-[a-z0-9]{1,8})*$");
    if !channel.text_of("", "language").is_some_and(|tag| language.is_match(tag)) {
        return Err("language".to_owned());
    }
    if channel.text_of("", "ttl").is_some_and(|ttl| ttl.parse::<u32>().is_err()) {
        return Err("ttl".to_owned());
    }
    links(channel, location)?;
    let mut guids = HashSet::new();
    for item in channel.all("", "item") {
        check_item(item)?;
        if !guids.insert(item.text_of("", "guid")) {
            return Err("two items with one guid".to_owned());
        }
    }
    Ok(())
}

fn links(channel: &Element, location: &str) -> Result<(), String> {
    let links: Vec<_> = channel.all(ATOM, "link").collect();
    for link in &links {
        http(link.attr("href").ok_or("no href")?)?;
    }
    let own: Vec<_> = links.iter().filter(|link| link.attr("rel") == Some("self")).collect();
    let [own] = own.as_slice() else { return Err("not one atom:link of rel self".to_owned()) };
    if own.attr("href") != Some(location) || own.attr("type") != Some("application/rss+xml") {
        return Err("the self link is not the document's own address and type".to_owned());
    }
    Ok(())
}

/// Only elements of RSS may have no namespace; only extensions we know to be good in RSS may have one.
fn known(parent: &Element, name: &str, grammar: &[&str]) -> Result<(), String> {
    if parent.name != name || !parent.ns.is_empty() || !parent.text.trim().is_empty() {
        return Err(format!("{} instead of {name}", parent.name));
    }
    for child in &parent.children {
        let good = match child.ns.as_str() {
            "" => grammar.contains(&child.name.as_str()),
            ns => [ATOM, DC, CONTENT, MEDIA].contains(&ns),
        };
        if !good {
            return Err(format!("{} in {name}", child.name));
        }
        if child.ns.is_empty() && child.name != "item" && child.name != "image" && !child.children.is_empty() {
            return Err(format!("markup in {}", child.name));
        }
    }
    Ok(())
}

fn once(parent: &Element, name: &str, least: usize) -> Result<(), String> {
    let count = parent.all("", name).count();
    if count < least || count > 1 {
        return Err(format!("{count} times {name}"));
    }
    let empty = |child: &Element| child.text.trim().is_empty() && child.children.is_empty();
    if parent.all("", name).any(empty) { Err(format!("empty {name}")) } else { Ok(()) }
}

fn check_item(item: &Element) -> Result<(), String> {
    known(item, "item", ITEM)?;
    for name in ["title", "link", "description", "author", "comments", "pubDate", "source"] {
        once(item, name, 0)?;
    }
    once(item, "guid", 1)?;
    once(item, "pubDate", 1)?;
    if item.text_of("", "title").is_none() && item.text_of("", "description").is_none() {
        return Err("neither title nor description".to_owned());
    }
    item.text_of("", "link").map_or(Ok(()), http)?;
    date(item.text_of("", "pubDate").unwrap_or_default())?;
    if item.text_of("", "author").is_some_and(|mail| !mail.contains('@')) {
        return Err("author is no e-mail address".to_owned());
    }
    let guid = item.all("", "guid").next().ok_or("no guid")?;
    match guid.attr("isPermaLink") {
        None | Some("true") => http(&guid.text)?,
        Some("false") => {}
        Some(other) => return Err(format!("isPermaLink {other:?}")),
    }
    if item.all("", "category").any(|category| category.text.trim().is_empty()) {
        return Err("empty category".to_owned());
    }
    for source in item.all("", "source") {
        http(source.attr("url").ok_or("source without url")?)?;
    }
    no_relative_references(item.text_of("", "description").unwrap_or_default())?;
    no_relative_references(item.text_of(CONTENT, "encoded").unwrap_or_default())?;
    if item.all(CONTENT, "encoded").count() > 1 {
        return Err("two content:encoded".to_owned());
    }
    files(item)
}

fn files(item: &Element) -> Result<(), String> {
    if item.all("", "enclosure").count() > 1 {
        return Err("two enclosures".to_owned());
    }
    for file in item.all("", "enclosure") {
        http(file.attr("url").ok_or("enclosure without url")?)?;
        file.attr("length").and_then(|length| length.parse::<u64>().ok()).ok_or("enclosure without length")?;
        if !file.attr("type").is_some_and(|kind| kind.contains('/')) {
            return Err("enclosure without type".to_owned());
        }
    }
    for media in item.children.iter().filter(|child| child.ns == MEDIA) {
        http(media.attr("url").ok_or("media without url")?)?;
        for number in ["width", "height", "fileSize", "duration"] {
            if media.attr(number).is_some_and(|text| text.parse::<u64>().is_err()) {
                return Err(format!("media {number}"));
            }
        }
    }
    Ok(())
}

/// RFC 822 with a four-digit year, English names, the right weekday, and a numeric zone or GMT.
fn date(text: &str) -> Result<(), String> {
    let shape = r"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d{2}:\d{2}:\d{2} ([+-]\d{4}|GMT)$";
    if !regex(shape).is_match(text) {
        return Err(format!("date {text:?}"));
    }
    DateTime::parse_from_rfc2822(text).map(drop).map_err(|e| format!("date {text:?}: {e}"))
}

/// A good document, and ways to spoil it.
pub(crate) const GOOD: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:media="http://search.yahoo.com/mrss/"><channel>
<title>T</title><link>http://h/</link><description>D</description><language>zh-cn</language><lastBuildDate>Mon, 23 Nov 2026 15:41:16 +0800</lastBuildDate><ttl>30</ttl>
<atom:link href="http://h/f.rss" rel="self" type="application/rss+xml"/><item><title>I</title><link>http://h/i</link><description>d</description><category>c</category>
<enclosure url="http://h/a.jpg" length="0" type="image/jpeg"/><guid isPermaLink="false">g</guid><pubDate>Mon, 23 Nov 2026 15:41:16 +0800</pubDate><source url="http://h/s">S</source>
<content:encoded><![CDATA[<a href="http://h/">x</a>]]></content:encoded><media:content url="http://h/b.jpg" width="2"/></item></channel></rss>"#;

pub(crate) const BAD: &[(&str, &str)] = &[
    ("version=\"2.0\" xmlns:atom", "version=\"0.91\" xmlns:atom"),
    ("<title>T</title>", ""),
    ("<title>T</title>", "<title/>"),
    ("<title>T</title>", "<title>T</title><title>T</title>"),
    ("<link>http://h/</link>", "<link>/</link>"),
    ("<description>D</description>", ""),
    ("<language>zh-cn</language>", "<language>zh_CN</language>"),
    ("<language>zh-cn</language>", ""),
    ("<lastBuildDate>Mon, 23 Nov 2026", "<lastBuildDate>Mon, 23 Nov 26"),
    ("<lastBuildDate>Mon, 23 Nov 2026", "<lastBuildDate>Tue, 23 Nov 2026"),
    ("<ttl>30</ttl>", "<ttl>soon</ttl>"),
    ("<ttl>30</ttl>", "<updated>2026</updated>"),
    ("href=\"http://h/f.rss\"", "href=\"http://h/other.rss\""),
    ("rel=\"self\"", "rel=\"alternate\""),
    ("type=\"application/rss+xml\"", "type=\"text/xml\""),
    ("<title>I</title>", "<title>I <b>x</b></title>"),
    ("<title>I</title><link>http://h/i</link><description>d</description>", "<link>http://h/i</link>"),
    ("<link>http://h/i</link>", "<link>http://h/评论</link>"),
    ("<link>http://h/i</link>", "<link>i.html</link>"),
    ("<category>c</category>", "<category/>"),
    ("<category>c</category>", "<author>柳河</author>"),
    ("<category>c</category>", "<dc:creator>x</dc:creator>"),
    ("<category>c</category>", "<x:y xmlns:x=\"urn:x\"/>"),
    ("<category>c</category>", "<enclosure url=\"http://h/2\" length=\"0\" type=\"a/b\"/>"),
    ("length=\"0\" ", ""),
    ("length=\"0\"", "length=\"\""),
    (" type=\"image/jpeg\"", ""),
    ("url=\"http://h/a.jpg\"", "url=\"a.jpg\""),
    ("<guid isPermaLink=\"false\">", "<guid>"),
    ("<guid isPermaLink=\"false\">g</guid>", ""),
    ("<pubDate>Mon, 23 Nov 2026 15:41:16 +0800</pubDate>", ""),
    ("<pubDate>Mon, 23 Nov 2026", "<pubDate>2026-11-23"),
    ("<pubDate>Mon, 23 Nov 2026 15:41:16 +0800", "<pubDate>Mon, 23 Nov 2026 15:41:16 CST"),
    ("<pubDate>Mon, 23 Nov", "<pubDate>周一, 23 Nov"),
    ("<source url=\"http://h/s\">", "<source>"),
    ("<a href=\"http://h/\">", "<a href=\"/\">"),
    ("<a href=\"http://h/\">", "<img src='a.jpg'>"),
    ("]]></content:encoded>", "]]>]]></content:encoded>"),
    ("width=\"2\"", "width=\"2px\""),
    ("url=\"http://h/b.jpg\"", "url=\"b.jpg\""),
    (" xmlns:media=\"http://search.yahoo.com/mrss/\"", ""),
    (
        "</item>",
        "</item><item><title>2</title><guid isPermaLink=\"false\">g</guid><pubDate>Mon, 23 Nov 2026 15:41:16 +0800</pubDate></item>",
    ),
    ("</channel></rss>", "</channel>"),
];
