//! What every format needs: legal text, absolute addresses, printable dates, and the words of a feed.

use super::Site;
use super::words::Lang;
use crate::model::{Entry, EntryId, Feed, Image, Standing, is_legal};
use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, Datelike, FixedOffset, SecondsFormat, Timelike, Utc};
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write;
use std::sync::LazyLock;
use url::Url;
use uuid::Uuid;

/// The namespace of every id that is minted here: version 5 of the DNS-free name below. It never changes,
/// see `docs/decisions/0003-feed-ids.md`.
pub(super) const NAMESPACE: Uuid = Uuid::from_u128(0x6f0d_3c1e_8a52_5b7e_9d41_3e68_656c_6975);

/// The text without characters that XML 1.0 forbids, and with line ends as an XML reader reports them
/// (section 2.11). `normalise` has done this already; here it is a guarantee, since one such
/// character makes the whole document unreadable.
pub(super) fn legal(text: &str) -> Cow<'_, str> {
    if is_clean(text) {
        return Cow::Borrowed(text);
    }
    let unix = text.replace("\r\n", "\n").replace('\r', "\n");
    Cow::Owned(unix.chars().filter(|&c| is_legal(c)).collect())
}

/// Whether [`legal`] leaves a text as it is. Every text is asked five times a publication, so whole blocks of bytes are
/// looked at: neither loop ends early.
fn is_clean(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_control = |byte: u8| byte < 0x20 && byte != b'\t' && byte != b'\n';
    let controls = bytes.iter().fold(false, |found, byte| found | is_control(*byte));
    // U+FFFE and U+FFFF in UTF-8.
    let is_none = |three: &[u8]| three[0] == 0xEF && three[1] == 0xBF && three[2] >= 0xBE;
    !controls && !bytes.windows(3).fold(false, |found, three| found | is_none(three))
}

/// Legal text as an owned string.
pub(super) fn owned(text: &str) -> String {
    legal(text).into_owned()
}

/// Legal text on one line: what attributes and titles hold. Only line ends and tabs become spaces.
pub(super) fn line(text: &str) -> String {
    let text = legal(text);
    if text.bytes().any(|byte| matches!(byte, b'\n' | b'\t')) {
        text.replace(['\n', '\t'], " ")
    } else {
        text.into_owned()
    }
}

/// Legal text on one line, or nothing when it is empty or white space.
pub(super) fn some_line(text: &str) -> Option<String> {
    let text = line(text);
    (!text.trim().is_empty()).then_some(text)
}

/// The content of an entry as HTML, with a line about where else it appeared when the feed wants that.
pub(super) fn content(feed: &Feed, entry: &Entry) -> Option<String> {
    let content = entry.content.as_deref().map(owned).filter(|html| !html.trim().is_empty());
    let also_at = feed.joined_in_content.then(|| also_at(feed, entry)).flatten();
    let Some(also_at) = also_at else { return content };
    let summary =
        || entry.summary.as_deref().map(|text| format!("<p>{}</p>", escape(&owned(text)))).unwrap_or_default();
    Some(content.unwrap_or_else(summary) + &also_at)
}

fn also_at(feed: &Feed, entry: &Entry) -> Option<String> {
    let link = |(url, title): (&str, &str)| {
        let url = address(url)?;
        let title = some_line(title).unwrap_or_else(|| url.clone());
        Some(format!("<a href=\"{}\">{}</a>", escape(&url), escape(&title)))
    };
    let links: Vec<_> = feed.also_at(&entry.id).filter_map(link).collect();
    let lang = if feed.language.starts_with("zh") { Lang::Zh } else { Lang::En };
    let colon = if lang == Lang::Zh { "：" } else { ": " };
    (!links.is_empty()).then(|| format!("<p>{}{colon}{}</p>", lang.words().also_at, links.join(" · ")))
}

/// Escapes text for HTML and XML, in content and in quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// An absolute http(s) address as an RFC 3986 URI: ASCII, percent-encoded once. `None` when the text is not
/// such an address. What is returned comes back unchanged when given again.
pub(super) fn address(text: &str) -> Option<String> {
    // Nearly every address of the ledger is, and every one is asked for five times a publication.
    if is_plain(text) { Some(text.to_owned()) } else { encoded(text) }
}

fn encoded(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return None;
    }
    Some(uri(url.as_str()))
}

/// Whether nothing of an address can come out in another way: a name in lower case that is no number and no Punycode,
/// a path without dot segments, nothing encoded, no fragment, no port.
fn is_plain(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else { return false };
    let Some((host, path)) = rest.split_once('/') else { return false };
    let is_label = |label: &str| {
        label.starts_with(|c: char| c.is_ascii_lowercase())
            && !label.starts_with("xn--")
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let is_fine = |b: u8| b.is_ascii_alphanumeric() || b"-._~/?=&".contains(&b);
    host.split('.').all(is_label) && !path.starts_with('.') && !path.contains("/.") && path.bytes().all(is_fine)
}

/// Encodes what the WHATWG URL standard leaves alone but RFC 3986 forbids: `|`, `^`, a bare `%`, brackets
/// outside the host.
fn uri(text: &str) -> String {
    let host_end = text.find("://").map_or(0, |at| {
        let rest = &text[at + 3..];
        at + 3 + rest.find(['/', '?', '#']).unwrap_or(rest.len())
    });
    let bytes = text.as_bytes();
    let mut has_fragment = false;
    let mut out = String::with_capacity(text.len());
    for (at, &byte) in bytes.iter().enumerate() {
        let fine = match byte {
            b'%' => bytes.get(at + 1..at + 3).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit)),
            b'[' | b']' => at < host_end,
            b'#' => !std::mem::replace(&mut has_fragment, true),
            _ => byte.is_ascii_alphanumeric() || b"-._~:/?@!$&'()*+,;=".contains(&byte),
        };
        if fine {
            out.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Whether the text is an absolute IRI (RFC 3987): a scheme, and no character that an IRI cannot hold.
pub(super) fn is_iri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        && !rest.is_empty()
        && rest.chars().all(|c| !c.is_control() && !c.is_whitespace() && !"<>\"{}|\\^`".contains(c) && is_iri_char(c))
        && escapes_are_whole(rest)
}

/// Whether RFC 3987 allows the character (`ucschar`, or ASCII): no private use, no non-characters.
fn is_iri_char(c: char) -> bool {
    let code = u32::from(c);
    c.is_ascii()
        || matches!(code, 0xA0..=0xD7FF | 0xF900..=0xFDCF | 0xFDF0..=0xFFEF)
        || (0x10000..0xF_0000).contains(&code) && (code & 0xFFFF) < 0xFFFE
}

/// Whether every `%` begins an escape of two hexadecimal digits.
fn escapes_are_whole(text: &str) -> bool {
    text.split('%')
        .skip(1)
        .all(|part| part.as_bytes().get(..2).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit)))
}

/// The entry's id as guid: as it is, without what XML cannot carry.
pub(super) fn guid(id: &EntryId) -> String {
    let text = line(&id.0);
    let text = text.trim();
    if text.is_empty() { minted("entry", &id.0) } else { text.to_owned() }
}

/// The entry's id as `atom:id`, which must be an IRI (RFC 4287 section 4.2.6). Ids that a foreign feed
/// chose and that are none become a UUID of that id, always the same.
pub(super) fn atom_id(id: &EntryId) -> String {
    let id = guid(id);
    if is_iri(&id) { id } else { minted("entry", &id) }
}

/// The permanent id of a feed; depends on nothing but its name.
pub(super) fn feed_id(feed: &Feed) -> String {
    minted("feed", feed.id.as_str())
}

/// A `urn:uuid` of a kind and a name, always the same for both.
pub(super) fn minted(kind: &str, name: &str) -> String {
    Uuid::new_v5(&NAMESPACE, format!("heliu {kind} {name}").as_bytes()).urn().to_string()
}

/// The instant in a form that RFC 822 and RFC 3339 can both carry, so that every format says the same:
/// whole seconds, an offset of whole minutes, a year of four digits.
pub(super) fn printable(at: DateTime<FixedOffset>) -> DateTime<FixedOffset> {
    let at = at.with_nanosecond(0).unwrap_or(at);
    let utc = at.with_timezone(&Utc);
    if !(1..=9998).contains(&utc.year()) {
        let edge = if utc.year() < 1 { -62_135_596_800 } else { 253_370_764_799 };
        return DateTime::from_timestamp(edge, 0).unwrap_or_default().fixed_offset();
    }
    let zone_fits = at.offset().local_minus_utc() % 60 == 0 && (1..=9998).contains(&at.year());
    if zone_fits { at } else { utc.fixed_offset() }
}

/// A form of dates, read once: reading it costs as much as writing a date.
pub(super) fn form(text: &'static str) -> Vec<Item<'static>> {
    StrftimeItems::new(text).collect()
}

/// RFC 822 with a year of four digits and a numeric zone, English names whatever the locale.
pub(super) fn rfc822(at: DateTime<FixedOffset>) -> String {
    static FORM: LazyLock<Vec<Item<'static>>> = LazyLock::new(|| form("%a, %d %b %Y %H:%M:%S %z"));
    printable(at).format_with_items(FORM.iter()).to_string()
}

/// RFC 3339 to the second with its offset.
pub(super) fn rfc3339(at: DateTime<FixedOffset>) -> String {
    printable(at).to_rfc3339_opts(SecondsFormat::Secs, false)
}

/// When the visible content last changed, when that is after its publication.
pub(super) fn revised(entry: &Entry) -> Option<DateTime<FixedOffset>> {
    entry.updated.filter(|updated| *updated > entry.published.at)
}

/// The feed's title on one line; its name when it has none, since every format demands a title.
pub(super) fn feed_title(feed: &Feed) -> String {
    some_line(&feed.title).unwrap_or_else(|| feed.id.to_string())
}

/// What the feed says about itself, with a word for people when it only shows a snapshot.
pub(super) fn description(feed: &Feed) -> String {
    let text = some_line(&feed.description).unwrap_or_else(|| feed_title(feed));
    match feed.standing {
        Standing::Live => text,
        Standing::Snapshot => format!("{text}{}", snapshot_note(&feed.language)),
    }
}

/// The note behind the description of a feed that is known only from its snapshot.
pub(super) fn snapshot_note(language: &str) -> &'static str {
    if language.to_ascii_lowercase().starts_with("en") {
        " (bundled snapshot, the source has not been reached yet)"
    } else {
        "（内置快照，尚未连上源站）"
    }
}

/// A language tag in the shape of BCP 47, or nothing.
pub(super) fn language(tag: &str) -> Option<String> {
    let mut parts = tag.split('-');
    let primary =
        parts.next().is_some_and(|p| (2..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphabetic()));
    let rest = parts.all(|p| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()));
    (primary && rest).then(|| tag.to_owned())
}

/// The language of the feed, or that of the site, or Chinese.
pub(super) fn feed_language(feed: &Feed, site: &Site<'_>) -> String {
    language(&feed.language).or_else(|| language(site.language)).unwrap_or_else(|| "zh-CN".to_owned())
}

/// The entry's own language, when it has one that differs from its feed's.
pub(super) fn entry_language(entry: &Entry, feed_language: &str) -> Option<String> {
    entry.language.as_deref().and_then(language).filter(|own| !own.eq_ignore_ascii_case(feed_language))
}

/// A media type `type/subtype` of RFC 6838 characters, parameters cut off, or nothing.
pub(super) fn media_type(text: &str) -> Option<String> {
    let bare = text.split(';').next().unwrap_or_default().trim();
    let (kind, sub) = bare.split_once('/')?;
    let good =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b));
    (good(kind) && good(sub)).then(|| bare.to_ascii_lowercase())
}

/// The media type of a file, with the type for unknown bytes (RFC 2046 section 4.5.1) as the last resort.
pub(super) fn file_type(given: Option<&str>) -> String {
    given.and_then(media_type).unwrap_or_else(|| "application/octet-stream".to_owned())
}

/// The pictures that are not enclosures already, addresses checked, each address once.
pub(super) fn pictures(entry: &Entry) -> Vec<(String, &Image)> {
    let mut seen: HashSet<String> = entry.enclosures.iter().filter_map(|file| address(&file.url)).collect();
    let mut found = Vec::new();
    for image in &entry.images {
        if let Some(url) = address(&image.url).filter(|url| seen.insert(url.clone())) {
            found.push((url, image));
        }
    }
    found
}

/// The picture that stands for the entry: its first one, or its first enclosure that is a picture.
pub(super) fn cover(entry: &Entry) -> Option<(String, Option<&Image>)> {
    let own = entry.images.iter().find_map(|image| Some((address(&image.url)?, Some(image))));
    own.or_else(|| {
        let is_picture = |kind: &str| media_type(kind).is_some_and(|kind| kind.starts_with("image/"));
        let file = entry.enclosures.iter().find(|file| file.media_type.as_deref().is_some_and(is_picture))?;
        Some((address(&file.url)?, None))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// The quick look at bytes finds what a look at each character does.
        #[test]
        fn clean_is_what_has_only_legal_characters(
            text in "[a-c，。Ａ\u{0}-\u{20}\u{7f}-\u{9f}\u{fbfe}-\u{fc01}\u{fffa}-\u{ffff}\u{1fffe}-\u{20001}\u{10ffff}]{0,6}",
        ) {
            let clean = text.chars().all(|c| is_legal(c) && c != '\r');
            proptest::prop_assert_eq!(is_clean(&text), clean);
            proptest::prop_assert_eq!(legal(&text) == text, clean);
            proptest::prop_assert!(line(&text).chars().all(|c| is_legal(c) && !matches!(c, '\n' | '\t' | '\r')));
        }
    }
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_plain_comes_out_as_it_is(
            text in r"https?://([a-z0-9x-]{1,5}\.){0,3}[a-z0-9x-]{1,6}/([a-zA-Z0-9._~?=&-]{0,4}/?){0,6}",
        ) {
            if is_plain(&text) {
                prop_assert_eq!(encoded(&text), Some(text));
            }
        }
    }

    #[test]
    fn what_could_come_out_otherwise_is_not_plain() {
        for text in [
            "https://a.example/x/../y",
            "https://a.example/./y",
            "https://a.example",
            "https://A.example/",
            "https://a.example:443/",
            "https://u@a.example/",
            "http://127.0.0.1/",
            "http://1.2.3/",
            "http://a.0x7f/",
            "http://xn--a.example/",
            "http://a.example/%7e",
            "http://a.example/#x",
            "http://a.example/中",
            "ftp://a.example/",
            "http:///x",
            "http://a..b/",
        ] {
            assert!(!is_plain(text), "{text}");
        }
        assert!(is_plain("https://www.workercn.cn/424/201912/10/191210112419833.shtml?a=1&b=x.y"));
    }
}
