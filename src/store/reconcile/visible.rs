//! What a reader sees of an entry, as a hash: title, summary, the text of the content, the pictures.
//!
//! Hashes are compared with one another at once and never stored, so that a change of this file does not
//! make every entry look updated. The version in front keeps it that way should one be stored some day.

use crate::model::Entry;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The hash of everything visible. Markup, white space, hosts, schemes and queries of pictures do not count.
pub(crate) fn visible_hash(entry: &Entry) -> String {
    let mut hash = Sha256::new();
    let mut field = |text: &str| {
        // The length in front keeps the end of one field from being the start of the next.
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    };
    field(&spaced(&entry.title));
    field(&spaced(entry.summary.as_deref().unwrap_or_default()));
    field(&text_of(entry.content.as_deref().unwrap_or_default()));
    let images = entry.images.iter().map(|image| image.url.as_str());
    let enclosures = entry.enclosures.iter().map(|enclosure| enclosure.url.as_str());
    for (mark, url) in images.map(|url| ("i", url)).chain(enclosures.map(|url| ("e", url))) {
        field(mark);
        field(path_of(url));
    }
    let mut text = String::from("v1:");
    for byte in hash.finalize() {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
    }
    text
}

/// Whether there is more to see than a title, so that equal hashes mean something.
pub(super) fn has_substance(entry: &Entry) -> bool {
    entry.summary.is_some() || entry.content.is_some() || !entry.images.is_empty() || !entry.enclosures.is_empty()
}

/// White space collapsed to single spaces.
fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The path of an address: no scheme, host, query or fragment.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    rest.find('/').map_or("", |start| &rest[start..])
}

/// The text of sanitised HTML without any white space: `<p>a</p> <p>b</p>` and `<div>a<br>b</div>` look the
/// same but for their markup. A stripper, not a parser: linear, never fails.
pub(super) fn text_of(html: &str) -> String {
    let mut text = String::with_capacity(html.len() / 2);
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        push_text(&mut text, &rest[..start]);
        rest = after_tag(&rest[start..]);
    }
    push_text(&mut text, rest);
    text
}

/// What follows the tag or comment at the start of `html`; empty when it never ends.
fn after_tag(html: &str) -> &str {
    if let Some(comment) = html.strip_prefix("<!--") {
        return comment.split_once("-->").map_or("", |(_, rest)| rest);
    }
    let mut quote = None;
    for (index, byte) in html.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return &html[index + 1..],
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    ""
}

fn push_text(text: &mut String, piece: &str) {
    let mut rest = piece;
    while let Some(start) = rest.find('&') {
        push_visible(text, &rest[..start]);
        let (character, length) = entity(&rest[start..]);
        push_visible(text, character.encode_utf8(&mut [0; 4]));
        rest = &rest[start + length..];
    }
    push_visible(text, rest);
}

fn push_visible(text: &mut String, piece: &str) {
    let unseen = |c: char| c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}');
    text.extend(piece.chars().filter(|c| !unseen(*c)));
}

/// The character of the reference at the start of `text`, and its length in bytes. Names beyond the few that a
/// serialiser writes stay as they are.
fn entity(text: &str) -> (char, usize) {
    let end = text.bytes().take(12).position(|byte| byte == b';');
    let Some(end) = end else { return ('&', 1) };
    let character = match &text[1..end] {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        name => numeric(name),
    };
    character.map_or(('&', 1), |character| (character, end + 1))
}

fn numeric(name: &str) -> Option<char> {
    let digits = name.strip_prefix('#')?;
    let number = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    number.ok().and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_without_markup() {
        for (html, expected) in [
            ("<p>合流 &amp; 分流</p>", "合流&分流"),
            ("<div>a<br/>b</div>", "ab"),
            ("<a title=\"x>y\" href='>'>a</a>", "a"),
            ("a<!-- <b> -->b", "ab"),
            ("a &nbsp;&#160;&#xA0;\u{200b}b", "ab"),
            ("a &unknown; & b", "a&unknown;&b"),
            ("a<b", "a"),
            ("a<!-- never closed", "a"),
            ("<a title=\"never closed>a</a>", ""),
            ("&#x110000;&#99999999999;&;", "&#x110000;&#99999999999;&;"),
            ("中&中;中", "中&中;中"),
        ] {
            assert_eq!(text_of(html), expected, "{html}");
        }
    }

    #[test]
    fn paths() {
        for (url, expected) in [
            ("https://img.example/a/b.jpg?w=1#x", "/a/b.jpg"),
            ("http://cdn.example:81/a/b.jpg", "/a/b.jpg"),
            ("https://example.org", ""),
            ("/a/b", "/a/b"),
            ("https://example.org?x=/y", ""),
            ("", ""),
        ] {
            assert_eq!(path_of(url), expected, "{url}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_stripped_without_panic(html in "(<|>|&|;|#|\"|-|!|中|a| |&amp;|<p>)*") {
            text_of(&html);
        }
    }
}
