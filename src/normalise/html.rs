//! Foreign HTML → safe HTML, and HTML → plain text. The written policy is docs/sanitising.md.
//!
//! Two passes, because each can do what the other cannot. `shape` goes over the tags in linear time: it
//! resolves addresses, finds lazily loaded pictures, drops tracking pixels, and writes well-nested tags of
//! bounded depth, so that the HTML parser behind it meets nothing on which it takes quadratic time. Then
//! ammonia parses what is left as a browser does, and removes whatever the policy does not name: it alone
//! is what safety rests on.

mod policy;
mod scan;
mod shape;
#[cfg(test)]
mod tests;

use super::text::legal;
use ::url::Url;
use scan::{Scanner, Token};
use std::borrow::Cow;

/// Longest HTML that is read, in bytes; the rest is left out. The longest article known has a tenth of it.
pub const LONGEST: usize = 2 << 20;
/// Passes until the result no longer changes. Two are the rule; what still changes after six becomes plain text.
const ROUNDS: usize = 6;

/// Safe HTML with absolute addresses. Cleaning the result again changes nothing.
pub fn sanitise(html: &str, base: &Url) -> String {
    sanitise_on(html, base, base)
}

/// [`sanitise`], where links to a place in the text itself (`#note`) lead to `page`: a relative address belongs to the
/// document that the text was sent in, a fragment alone to the page that shows it.
pub fn sanitise_on(html: &str, base: &Url, page: &Url) -> String {
    let html = bounded(html);
    // Plain text without markup needs no parser.
    if !html.contains(['<', '&', '>', '\r', '\u{A0}', '\0']) {
        return legal(html);
    }
    let safe = |shaped: &str| legal(&policy::AMMONIA.clean(shaped).to_string());
    let mut shaped = shape::shape(&legal(html), base, page);
    let mut clean = safe(&shaped);
    for _ in 1..ROUNDS {
        let again = shape::shape(&clean, base, page);
        // What ammonia made of this text before it would make again, and that is the dearer half of a pass.
        if again == shaped {
            return clean;
        }
        let next = safe(&again);
        if next == clean {
            return clean;
        }
        (shaped, clean) = (again, next);
    }
    escape(&text(html))
}

/// The start of a text up to [`LONGEST`], cut between characters.
fn bounded(html: &str) -> &str {
    &html[..html.floor_char_boundary(LONGEST)]
}

/// The start of a text up to the `most`th `<`, `&` or `=`, and how many of them it has; at most [`LONGEST`] are looked at.
pub(super) fn up_to_marks(html: &str, most: usize) -> (&str, usize) {
    let looked_at = bounded(html);
    let mut marks = looked_at.match_indices(['<', '&', '=']);
    match marks.nth(most) {
        Some((at, _)) => (&html[..at], most),
        None => (html, looked_at.bytes().filter(|byte| matches!(byte, b'<' | b'&' | b'=')).count()),
    }
}

/// Plain text as HTML that is still to be cleaned: blank lines part paragraphs, other line breaks stay.
pub(super) fn of_plain(text: &str) -> String {
    let text =
        bounded(text).trim().replace("\r\n", "\n").replace('\r', "\n").replace('&', "&amp;").replace('<', "&lt;");
    let mut paragraphs = vec![String::new()];
    for line in text.lines().map(str::trim) {
        match paragraphs.last_mut() {
            Some(last) if !line.is_empty() => {
                last.push_str(if last.is_empty() { "" } else { "<br>" });
                last.push_str(line);
            }
            Some(last) if !last.is_empty() => paragraphs.push(String::new()),
            _ => {}
        }
    }
    if paragraphs.len() == 1 { paragraphs.concat() } else { format!("<p>{}</p>", paragraphs.join("</p><p>")) }
}

/// A name without the tags that some write into it; what is no tag of HTML is part of the name.
pub(super) fn untagged(text: &str) -> Cow<'_, str> {
    let is_html = |name: &str| policy::attributes(name).is_some() || policy::WITH_CONTENT.contains(&name);
    let has_tags = text.contains('<')
        && Scanner::new(bounded(text)).any(|token| match token {
            Token::Start { name, .. } | Token::End(name) => is_html(&name),
            Token::Text(_) => false,
        });
    if has_tags { Cow::Owned(self::text(text)) } else { Cow::Borrowed(text) }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\u{A0}', "&nbsp;")
}

/// The plain text of HTML: entities decoded, elements that stand on their own lines separated by line
/// breaks, the content of scripts and the like left out.
pub fn text(html: &str) -> String {
    let html = bounded(html);
    if !html.contains(['<', '&']) {
        return legal(html);
    }
    let mut out = String::with_capacity(html.len());
    for token in Scanner::new(html) {
        match token {
            Token::Text(text) => shape::references(&text.replace('<', "&lt;"), &mut out),
            Token::Start { name, .. } | Token::End(name) => {
                if matches!(name.as_str(), "td" | "th") {
                    out.push(' ');
                } else if name == "br" || policy::is_block(&name) {
                    out.push('\n');
                }
            }
        }
    }
    if !out.contains('&') {
        return legal(&out);
    }
    legal(&decoded(&out))
}

/// Text with its character references decoded. Without elements left, the parser does nothing else, and it
/// knows all two thousand names. In pieces, since its serialiser is quadratic in what it has to escape.
fn decoded(text: &str) -> String {
    const PIECE: usize = 8 << 10;
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let limit = rest.floor_char_boundary(PIECE);
        // Not inside a reference: those are shorter than 40 bytes and have no `&` but their first.
        let end = match rest[..limit].rfind('&') {
            Some(at) if limit < rest.len() && at > 0 && limit - at < 40 => at,
            _ => limit,
        };
        let (piece, behind) = rest.split_at(end);
        rest = behind;
        if piece.contains('&') {
            let clean = policy::AMMONIA.clean(piece).to_string();
            out.push_str(
                &clean.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", "\u{A0}").replace("&amp;", "&"),
            );
        } else {
            out.push_str(piece);
        }
    }
    out
}

/// The first alternative text of a picture in HTML.
pub(super) fn alternative(html: &str) -> Option<String> {
    Scanner::new(bounded(html)).find_map(|token| match token {
        Token::Start { name, attributes } if name == "img" => {
            let alt = attributes.iter().find(|(name, _)| name == "alt")?;
            Some(text(alt.1)).filter(|alt| !alt.trim().is_empty())
        }
        _ => None,
    })
}
