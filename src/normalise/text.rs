//! Plain text: titles, summaries, names.

use super::html;
use crate::model::{self, Text, TextKind};
use regex::Regex;
use std::sync::LazyLock;

/// Longest summary, in characters.
pub const SUMMARY: usize = 500;
/// Longest title, in characters: beyond that it is no title but a text.
pub const TITLE: usize = 500;

/// Text without the characters that XML 1.0 forbids.
pub fn legal(text: &str) -> String {
    model::legal(text).into_owned()
}

/// Marks that turn the direction of the text around them, which a source must not do to our page.
pub(super) fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A title as plain text, or `None` when nothing is left of it.
pub fn title(text: &Text) -> Option<String> {
    line(&start(text, TITLE), TITLE)
}

/// The plain text of a text construct, or a part of it that is longer than `limit` characters by far: a summary of
/// five hundred need not be made of two megabytes.
fn start(text: &Text, limit: usize) -> String {
    const PIECE: usize = 32 << 10;
    if text.kind == TextKind::Html && text.value.len() > 2 * PIECE {
        let part = html::text(&text.value[..text.value.floor_char_boundary(PIECE)]);
        // What was cut off may have been a tag or a reference, or a part of what is left out with its element.
        let shown = part.chars().filter(|c| !c.is_whitespace() && !c.is_control()).count();
        if shown > 2 * limit + 1024 {
            return part;
        }
    }
    plain(text)
}

/// A summary as plain text of at most [`SUMMARY`] characters, or `None` when nothing is left of it.
pub fn summary(text: &Text) -> Option<String> {
    line(&start(text, SUMMARY), SUMMARY)
}

/// A name, term or label as plain text of at most 200 characters, or `None` when nothing is left of it.
pub fn name(text: &str) -> Option<String> {
    line(text, super::entry::NAME)
}

/// The plain text of a text construct.
pub(super) fn plain(text: &Text) -> String {
    match text.kind {
        TextKind::Plain => legal(&text.value),
        TextKind::Html => html::text(&text.value),
    }
}

/// Text on one line: legal, white space inside as single spaces (a U+3000 or a no-break space that stands
/// alone is kept), none at its ends, no direction marks, at most `limit` characters.
pub(super) fn line(text: &str, limit: usize) -> Option<String> {
    let mut out = String::with_capacity(text.len().min(limit * 4));
    let mut run = 0;
    for c in text.chars().filter(|&c| model::is_legal(c) && !is_bidi_control(c)) {
        // C1 controls are legal but mean nothing in text.
        if c.is_whitespace() || c.is_control() {
            run += 1;
            if run == 1 {
                out.push(if matches!(c, '\u{3000}' | '\u{A0}') { c } else { ' ' });
            } else if run == 2 {
                out.pop();
                out.push(' ');
            }
        } else {
            run = 0;
            out.push(c);
        }
    }
    let out = out.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '\u{200B}' | '\u{200C}' | '\u{200D}' | '\u{2060}' | '\u{FEFF}')
    });
    (!out.is_empty()).then(|| cut(out, limit))
}

/// Grapheme clusters as UAX #29 table 1c defines them.
static CLUSTER: LazyLock<Regex> = LazyLock::new(|| {
    // Cannot fail: the pattern is a literal, and the tests run it.
    #[allow(clippy::expect_used)]
    Regex::new(
        r"(?xs) \r\n | \p{gcb=Prepend}*
        (?: \p{gcb=L}* (?: \p{gcb=V}+ | \p{gcb=LV} \p{gcb=V}* | \p{gcb=LVT} ) \p{gcb=T}* | \p{gcb=L}+ | \p{gcb=T}+
          | \p{gcb=RI}\p{gcb=RI}
          | \p{Extended_Pictographic} (?: \p{gcb=Extend}* \p{gcb=ZWJ} \p{Extended_Pictographic} )*
          | [^\p{gcb=Control}\r\n] )
        [\p{gcb=Extend}\p{gcb=ZWJ}\p{gcb=SpacingMark}]* | .",
    )
    .expect("a literal pattern")
});

/// At most `limit` characters, cut between grapheme clusters, with `…` where something was cut off.
fn cut(text: &str, limit: usize) -> String {
    if text.chars().nth(limit).is_none() {
        return text.to_owned();
    }
    let (mut count, mut end) = (0, 0);
    // A cluster is looked for in a bounded piece only: one of a million marks is no cluster.
    let piece = text.char_indices().nth(limit + 64).map_or(text, |(at, _)| &text[..at]);
    for cluster in CLUSTER.find_iter(piece) {
        count += cluster.as_str().chars().count();
        if count >= limit {
            break;
        }
        end = cluster.end();
    }
    if end == 0 {
        end = text.char_indices().nth(limit - 1).map_or(text.len(), |(at, _)| at);
    }
    format!("{}…", text[..end].trim_end())
}
