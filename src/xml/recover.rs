//! The rules by which an ill-formed document is put right. They know the names that feeds use.

use super::build::Open;
use std::borrow::Cow;

/// Names of feed elements with capitals, as written by the specifications; all are met in other spellings too.
const MIXED: &[(&str, &str)] = &[
    ("pubDate", "pubdate"),
    ("lastBuildDate", "lastbuilddate"),
    ("managingEditor", "managingeditor"),
    ("webMaster", "webmaster"),
    ("textInput", "textinput"),
    ("skipHours", "skiphours"),
    ("skipDays", "skipdays"),
    ("updatePeriod", "updateperiod"),
    ("updateFrequency", "updatefrequency"),
    ("updateBase", "updatebase"),
    ("origLink", "origlink"),
    ("origEnclosureLink", "origenclosurelink"),
    ("commentRss", "commentrss"),
    ("commentRSS", "commentrss"),
    ("alternateEnclosure", "alternateenclosure"),
    ("bodyType", "bodytype"),
    ("outlineText", "outlinetext"),
    ("RDF", "rdf"),
    ("Seq", "seq"),
];

/// All other names that mappers look for, to fold rare spellings such as `PUBDATE` and `Title`.
const PLAIN: &[&str] = &[
    "author",
    "body",
    "category",
    "channel",
    "cloud",
    "comments",
    "content",
    "contributor",
    "copyright",
    "creator",
    "date",
    "description",
    "docs",
    "email",
    "enclosure",
    "encoded",
    "entry",
    "feed",
    "generator",
    "guid",
    "head",
    "icon",
    "id",
    "image",
    "item",
    "items",
    "keywords",
    "language",
    "link",
    "logo",
    "name",
    "opml",
    "outline",
    "published",
    "rating",
    "rights",
    "rss",
    "source",
    "subtitle",
    "summary",
    "tagline",
    "title",
    "ttl",
    "updated",
    "uri",
    "url",
    "width",
    "height",
];

/// The name in lower case when it is one of those above; any other stays as written.
pub(super) fn folded(local: &str) -> &str {
    if !local.bytes().any(|b| b.is_ascii_uppercase()) {
        return local;
    }
    if let Some((_, lower)) = MIXED.iter().find(|(mixed, _)| *mixed == local) {
        return lower;
    }
    let lowers = MIXED.iter().map(|(_, lower)| lower).chain(PLAIN);
    let mut fitting = lowers.filter(|lower| lower.eq_ignore_ascii_case(local));
    fitting.next().copied().unwrap_or(local)
}

/// Elements that are the outermost of a feed.
pub(super) fn is_frame(local: &str) -> bool {
    matches!(local, "rss" | "rdf" | "feed" | "opml")
}

/// Elements that give a feed its outline: their end tags are obeyed whatever else is open.
pub(super) fn is_outline(local: &str) -> bool {
    matches!(local, "item" | "entry" | "channel" | "rss" | "rdf" | "feed" | "opml" | "items")
}

/// HTML elements that people never close and that no feed format uses.
pub(super) fn never_closed(local: &str) -> bool {
    matches!(local, "br" | "hr" | "img" | "wbr")
}

/// Elements of which no feed has one inside another, and which hold no other field.
fn is_field(local: &str) -> bool {
    matches!(
        local,
        "title"
            | "link"
            | "description"
            | "guid"
            | "pubdate"
            | "comments"
            | "copyright"
            | "language"
            | "generator"
            | "docs"
            | "ttl"
            | "managingeditor"
            | "webmaster"
            | "lastbuilddate"
            | "id"
            | "published"
            | "updated"
            | "issued"
            | "modified"
            | "created"
            | "summary"
            | "subtitle"
            | "tagline"
            | "rights"
    )
}

/// How many of the open elements stay open when an element with this name begins; the others lack their end tags.
pub(super) fn still_open(open: &[Open<'_>], prefix: &str, local: &str) -> usize {
    let Some(last) = open.last() else { return 0 };
    let mut keep = open.len();
    // `<title>…<link>`: the title was not closed. Only the same kind of name: an Atom text construct holds XHTML.
    let last_prefix = last.name.split_once(':').map_or("", |(prefix, _)| prefix);
    if is_field(local) && is_field(last.local) && last_prefix == prefix {
        keep -= 1;
    }
    if !matches!(local, "item" | "entry") {
        return keep;
    }
    // `<item>…<item>`: the first was not closed, unless the second is part of some content.
    let Some(outer) = open.iter().rposition(|o| o.local == local) else {
        // `<channel><title>…<item>`: neither was the title.
        return keep - usize::from(keep == open.len() && is_field(last.local));
    };
    let inside_content = open[outer + 1..].iter().any(|o| matches!(o.local, "content" | "encoded" | "div" | "body"));
    if inside_content { keep } else { outer }
}

/// The text with line ends as `\n` and without characters that XML forbids; whether any was removed.
pub fn cleaned(text: &str) -> (Cow<'_, str>, bool) {
    let bytes = text.as_bytes();
    // Looking at whole blocks instead of stopping at the first lets the compiler use vector instructions.
    let suspect =
        |block: &[u8]| block.iter().fold(0u8, |bad, &b| bad | u8::from(b < b' ' && b != b'\t' && b != b'\n')) != 0;
    let control = bytes.chunks(1024).any(suspect);
    // U+FFFE and U+FFFF are EF BF BE and EF BF BF.
    let noncharacter =
        memchr::memmem::find_iter(bytes, b"\xEF\xBF").any(|at| bytes.get(at + 2).is_some_and(|b| *b >= 0xBE));
    if !control && !noncharacter {
        return (Cow::Borrowed(text), false);
    }
    let illegal = text.chars().any(|c| !crate::model::is_legal(c));
    let legal: Cow<'_, str> = if illegal {
        text.chars().filter(|c| crate::model::is_legal(*c)).collect::<String>().into()
    } else {
        text.into()
    };
    let normal = newlines(&legal);
    (normal.map_or(legal, Cow::Owned), illegal)
}

/// `\r\n` and lone `\r` as `\n` (XML 1.0 section 2.11); `None` when there is none.
fn newlines(text: &str) -> Option<String> {
    memchr::memchr(b'\r', text.as_bytes())?;
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\r', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        out.push('\n');
        rest = &rest[at + 1..];
        rest = rest.strip_prefix('\n').unwrap_or(rest);
    }
    out.push_str(rest);
    Some(out)
}
