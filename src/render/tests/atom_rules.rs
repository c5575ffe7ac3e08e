//! Atom documents against RFC 4287: elements, attributes, cardinality and content as in the schema of its
//! section 7, and the rules of its prose that the schema cannot say.

use super::tree::{Element, http, iri, no_relative_references, parse, regex};
use chrono::DateTime;
use std::collections::HashSet;

const ATOM: &str = "http://www.w3.org/2005/Atom";
const TOMBSTONES: &str = "http://purl.org/atompub/tombstones/1.0";
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// An element of the grammar: its name, at least, at most.
type Member = (&'static str, usize, usize);
const MANY: usize = usize::MAX;

const FEED: &[Member] = &[
    ("author", 0, MANY),
    ("category", 0, MANY),
    ("contributor", 0, MANY),
    ("generator", 0, 1),
    ("icon", 0, 1),
    ("id", 1, 1),
    ("link", 0, MANY),
    ("logo", 0, 1),
    ("rights", 0, 1),
    ("subtitle", 0, 1),
    ("title", 1, 1),
    ("updated", 1, 1),
    ("entry", 0, MANY),
];
const ENTRY: &[Member] = &[
    ("author", 0, MANY),
    ("category", 0, MANY),
    ("content", 0, 1),
    ("contributor", 0, MANY),
    ("id", 1, 1),
    ("link", 0, MANY),
    ("published", 0, 1),
    ("rights", 0, 1),
    ("source", 0, 1),
    ("summary", 0, 1),
    ("title", 1, 1),
    ("updated", 1, 1),
];
// Our own, stricter than the schema: what a copied entry should carry along (section 4.2.11).
const SOURCE: &[Member] = &[
    ("author", 0, MANY),
    ("category", 0, MANY),
    ("contributor", 0, MANY),
    ("generator", 0, 1),
    ("icon", 0, 1),
    ("id", 1, 1),
    ("link", 0, MANY),
    ("logo", 0, 1),
    ("rights", 0, 1),
    ("subtitle", 0, 1),
    ("title", 1, 1),
    ("updated", 1, 1),
];
const PERSON: &[Member] = &[("name", 1, 1), ("uri", 0, 1), ("email", 0, 1)];

/// Checks a document; `location` is the address it is served at.
pub(crate) fn check(xml: &str, location: &str) -> Result<(), String> {
    let feed = parse(xml)?;
    if feed.ns != ATOM || feed.name != "feed" {
        return Err("the root is not atom:feed".to_owned());
    }
    members(&feed, FEED)?;
    if feed.attrs.iter().all(|(ns, name, _)| ns != XML || name != "lang") {
        return Err("no xml:lang".to_owned());
    }
    if !feed.all(ATOM, "link").any(|link| rel(link) == "self" && link.attr("href") == Some(location)) {
        return Err("no self link with the document's own address".to_owned());
    }
    if feed.text_of(ATOM, "updated").is_some_and(|date| date.starts_with("1970-01-01T00:00:00")) {
        return Err("the crate's default date".to_owned());
    }
    let has_author = feed.all(ATOM, "author").next().is_some();
    let mut seen = HashSet::new();
    for entry in feed.all(ATOM, "entry") {
        check_entry(entry, has_author)?;
        // Section 4.1.1: the same id only with different updated; in our feeds never.
        if !seen.insert(entry.text_of(ATOM, "id")) {
            return Err("two entries with one id".to_owned());
        }
    }
    for stone in feed.children.iter().filter(|child| child.ns == TOMBSTONES) {
        check_tombstone(stone)?;
        if !seen.insert(stone.attr("ref")) {
            return Err("a tombstone twice, or of an entry that is shown".to_owned());
        }
    }
    Ok(())
}

/// RFC 6721 section 3.
fn check_tombstone(stone: &Element) -> Result<(), String> {
    if stone.name != "deleted-entry" || !stone.children.is_empty() || !stone.text.trim().is_empty() {
        return Err(format!("{} is no plain tombstone", stone.name));
    }
    let (Some(id), Some(when)) = (stone.attr("ref"), stone.attr("when")) else {
        return Err("a tombstone needs ref and when".to_owned());
    };
    iri(id)?;
    DateTime::parse_from_rfc3339(when).map(drop).map_err(|why| format!("when {when:?}: {why}"))
}

fn check_entry(entry: &Element, feed_has_author: bool) -> Result<(), String> {
    members(entry, ENTRY)?;
    let source_has_author = entry.all(ATOM, "source").any(|source| source.all(ATOM, "author").next().is_some());
    if !feed_has_author && !source_has_author && entry.all(ATOM, "author").next().is_none() {
        return Err("an entry without any author".to_owned());
    }
    let has_alternate = entry.all(ATOM, "link").any(|link| rel(link) == "alternate");
    let content = entry.all(ATOM, "content").next();
    if content.is_none() && !has_alternate {
        return Err("an entry with neither content nor alternate link".to_owned());
    }
    let remote = content.is_some_and(|content| content.attr("src").is_some());
    if remote && entry.all(ATOM, "summary").next().is_none() {
        return Err("content by src needs a summary".to_owned());
    }
    Ok(())
}

fn rel(link: &Element) -> &str {
    link.attr("rel").unwrap_or("alternate")
}

/// Checks the members of a container, and each of them.
fn members(parent: &Element, grammar: &[Member]) -> Result<(), String> {
    if !parent.text.trim().is_empty() {
        return Err(format!("text inside {}", parent.name));
    }
    attributes(parent, &[])?;
    for &(name, least, most) in grammar {
        let count = parent.all(ATOM, name).count();
        if count < least || count > most {
            return Err(format!("{count} times {name} in {}", parent.name));
        }
    }
    for child in &parent.children {
        if child.ns.is_empty() {
            return Err(format!("{} has no namespace", child.name));
        }
        if child.ns == ATOM {
            if !grammar.iter().any(|(name, ..)| *name == child.name) {
                return Err(format!("{} in {}", child.name, parent.name));
            }
            member(child).map_err(|why| format!("{}: {why}", child.name))?;
        }
    }
    let mut alternates = HashSet::new();
    let links = parent.all(ATOM, "link").filter(|link| rel(link) == "alternate");
    if links.into_iter().any(|link| !alternates.insert((link.attr("type"), link.attr("hreflang")))) {
        return Err(format!("two alternate links of one type and language in {}", parent.name));
    }
    Ok(())
}

fn member(element: &Element) -> Result<(), String> {
    match element.name.as_str() {
        "author" | "contributor" => person(element),
        "category" => {
            attributes(element, &["term", "scheme", "label"])?;
            let term = element.attr("term").ok_or("no term")?;
            if term.trim().is_empty() {
                return Err("empty term".to_owned());
            }
            element.attr("scheme").map_or(Ok(()), iri)
        }
        "generator" => attributes(element, &["uri", "version"]).and_then(|()| leaf(element)),
        "icon" | "logo" => attributes(element, &[]).and_then(|()| iri(&element.text)),
        "id" => attributes(element, &[]).and_then(|()| leaf(element)).and_then(|()| iri(&element.text)),
        "link" => link(element),
        "rights" | "subtitle" | "title" | "summary" => text(element),
        "updated" | "published" => attributes(element, &[]).and_then(|()| date(&element.text)),
        "content" => content(element),
        "source" => members(element, SOURCE),
        // `entry` is checked by the caller, who knows about authors.
        _ => Ok(()),
    }
}

/// Attributes: those named, the common ones, and those of other namespaces.
fn attributes(element: &Element, allowed: &[&str]) -> Result<(), String> {
    for (ns, name, value) in &element.attrs {
        if ns.is_empty() && !allowed.contains(&name.as_str()) {
            return Err(format!("attribute {name}"));
        }
        if ns == XML && name == "lang" && !language(value) {
            return Err(format!("xml:lang {value:?}"));
        }
        if ns == XML && name == "base" {
            iri(value)?;
        }
    }
    Ok(())
}

fn language(tag: &str) -> bool {
    regex("^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$").is_match(tag)
}

fn leaf(element: &Element) -> Result<(), String> {
    if element.children.is_empty() { Ok(()) } else { Err("child elements".to_owned()) }
}

fn person(element: &Element) -> Result<(), String> {
    members(element, PERSON)?;
    let name = element.text_of(ATOM, "name").unwrap_or_default();
    if name.trim().is_empty() {
        return Err("empty name".to_owned());
    }
    element.text_of(ATOM, "uri").map_or(Ok(()), iri)?;
    let mail = regex(r"(?s)^.+@.+$");
    match element.text_of(ATOM, "email") {
        Some(text) if !mail.is_match(text) => Err(format!("email {text:?}")),
        _ => Ok(()),
    }
}

fn link(element: &Element) -> Result<(), String> {
    attributes(element, &["href", "rel", "type", "hreflang", "title", "length"])?;
    http(element.attr("href").ok_or("no href")?)?;
    let token = regex(r"^[A-Za-z0-9._~!$&'()*+,;=@-]+$");
    let rel = rel(element);
    if !token.is_match(rel) {
        iri(rel)?;
    }
    let media = regex(r"^[^\s/;]+/[^\s/;]+(;.*)?$");
    if element.attr("type").is_some_and(|kind| !media.is_match(kind)) {
        return Err("type".to_owned());
    }
    if element.attr("hreflang").is_some_and(|tag| !language(tag)) {
        return Err("hreflang".to_owned());
    }
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if element.attr("length").is_some_and(|text| !number(text)) {
        return Err("length".to_owned());
    }
    Ok(())
}

/// A text construct (section 3.1). We write no XHTML.
fn text(element: &Element) -> Result<(), String> {
    attributes(element, &["type"])?;
    leaf(element)?;
    match element.attr("type") {
        None | Some("text") => Ok(()),
        Some("html") => no_relative_references(&element.text),
        Some(other) => Err(format!("type {other:?}")),
    }
}

fn content(element: &Element) -> Result<(), String> {
    attributes(element, &["type", "src"])?;
    leaf(element)?;
    if let Some(src) = element.attr("src") {
        iri(src)?;
        return if element.text.is_empty() { Ok(()) } else { Err("src and text".to_owned()) };
    }
    match element.attr("type") {
        None | Some("text") => Ok(()),
        Some("html") => no_relative_references(&element.text),
        Some(other) => Err(format!("type {other:?}")),
    }
}

/// A date construct (section 3.3): RFC 3339 with upper-case T and Z.
fn date(text: &str) -> Result<(), String> {
    let shape = regex(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$");
    DateTime::parse_from_rfc3339(text).map_err(|e| format!("{text:?}: {e}"))?;
    if !shape.is_match(text) {
        return Err(format!("date {text:?}"));
    }
    Ok(())
}

/// A good document, and ways to spoil it: what is replaced, by what.
pub(crate) const GOOD: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:m="urn:m" xml:lang="zh-CN"><title>T</title><id>urn:f</id><updated>2026-01-01T00:00:00Z</updated>
<author><name>A</name></author><link href="http://h/f.atom" rel="self"/><link href="http://h/" type="text/html"/>
<entry><title>E</title><id>urn:e</id><updated>2026-01-01T00:00:00+08:00</updated><link href="http://h/e"/><category term="c"/>
<source><title>S</title><id>urn:s</id><updated>2026-01-01T00:00:00Z</updated></source><summary>s</summary><content type="html">&lt;a href="http://h/"&gt;</content><m:x/></entry></feed>"#;

pub(crate) const BAD: &[(&str, &str)] = &[
    ("<title>T</title>", ""),
    ("<title>T</title>", "<title>T</title><title>U</title>"),
    ("<title>T</title>", "<title type=\"markdown\">T</title>"),
    ("<title>T</title>", "<title>T<b/></title>"),
    ("<id>urn:f</id>", ""),
    ("<id>urn:f</id>", "<id>feed 1</id>"),
    ("<id>urn:f</id>", "<id>urn:f</id>text"),
    ("<id>urn:e</id>", "<id/>"),
    ("<updated>2026-01-01T00:00:00Z</updated>\n", ""),
    ("2026-01-01T00:00:00+08:00", "2026-01-01 00:00:00"),
    ("2026-01-01T00:00:00+08:00", "2026-02-30T00:00:00Z"),
    ("2026-01-01T00:00:00+08:00", "2026-01-01t00:00:00z"),
    ("<updated>2026-01-01T00:00:00Z", "<updated>1970-01-01T00:00:00Z"),
    ("<author><name>A</name></author>", ""),
    ("<author><name>A</name></author>", "<author><email>a@b</email></author>"),
    ("<author><name>A</name></author>", "<author><name>A</name><email>nobody</email></author>"),
    ("<author><name>A</name></author>", "<author><name>A</name><uri>/me</uri></author>"),
    ("<author><name>A</name></author>", "<author><name> </name></author>"),
    ("http://h/f.atom", "http://h/other.atom"),
    ("type=\"text/html\"/>", "type=\"text/html\"/><link href=\"http://h/2\" type=\"text/html\"/>"),
    ("type=\"text/html\"/>", "type=\"html\"/>"),
    ("type=\"text/html\"/>", "hreflang=\"zh_CN\"/>"),
    ("type=\"text/html\"/>", "length=\"many\"/>"),
    ("type=\"text/html\"/>", "rel=\"two words\"/>"),
    ("type=\"text/html\"/>", "target=\"x\"/>"),
    ("href=\"http://h/e\"", "href=\"/e\""),
    ("href=\"http://h/e\"", "href=\"http://h/评论\""),
    ("href=\"http://h/e\"", "rel=\"alternate\""),
    ("<category term=\"c\"/>", "<category/>"),
    ("<category term=\"c\"/>", "<category term=\"c\" scheme=\"s\"/>"),
    ("<category term=\"c\"/>", "<language>zh</language>"),
    ("<id>urn:s</id>", ""),
    ("<summary>s</summary>", "<summary>s</summary><summary>t</summary>"),
    ("<content type=\"html\">", "<content type=\"html\"/><content type=\"html\">"),
    ("&lt;a href=\"http://h/\"&gt;", "&lt;a href=\"/e\"&gt;"),
    ("type=\"html\">", "type=\"xhtml\">"),
    ("<m:x/>", "<n:x/>"),
    ("<m:x/>", "<x xmlns=\"\"/>"),
    ("<m:x/>", "<m:x>"),
    ("<m:x/>", "<m:x>&#8;</m:x>"),
    ("<m:x/>", "<m:x>&nbsp;</m:x>"),
    ("<m:x/>", "<m:x>\u{1}</m:x>"),
    ("<m:x/>", "<m:x>]]></m:x>"),
    (" xml:lang=\"zh-CN\"", ""),
    ("xml:lang=\"zh-CN\"", "xml:lang=\"zh_CN\""),
    (
        "</entry>",
        "</entry><entry><title>E</title><id>urn:e</id><updated>2026-01-01T00:00:00Z</updated><link href=\"http://h/e\"/></entry>",
    ),
    ("</entry>", "</entry><entry><title>E</title><id>urn:g</id><updated>2026-01-01T00:00:00Z</updated></entry>"),
    (" encoding=\"utf-8\"", ""),
    (
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>",
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><?xml-stylesheet type=\"text/xsl\" href=\"x\"?>",
    ),
    ("http://www.w3.org/2005/Atom", "http://purl.org/atom/ns#"),
];
