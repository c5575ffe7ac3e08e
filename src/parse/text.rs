//! Text constructs: plain or HTML? escaped once or twice? inline markup?

use super::base64;
use crate::model::{Text, TextKind};
use crate::xml::{self, Element, Namespace};
use std::borrow::Cow;

/// A text of RSS, where nothing says what it is: inline elements are markup, text is HTML if it looks like it.
pub(super) fn guessed(element: Element<'_, '_>) -> Option<Text> {
    if element.has_children() {
        return filled(Text::html(element.markup()));
    }
    filled(of_string(element.text().into_owned()))
}

/// A text that is HTML by definition, such as `content:encoded`.
pub(super) fn html(element: Element<'_, '_>) -> Option<Text> {
    let value = if element.has_children() { element.markup() } else { element.text().into_owned() };
    filled(Text::html(once_escaped(value)))
}

/// A text that is plain by definition. Markup all the same is kept as markup.
pub(super) fn plain(element: Element<'_, '_>) -> Option<Text> {
    if element.has_children() {
        return filled(Text::html(element.markup()));
    }
    filled(Text::plain(element.text()))
}

/// A text construct or content of Atom 0.3 or 1.0 (RFC 4287 sections 3.1 and 4.1.3.3).
pub(super) fn atom(element: Element<'_, '_>) -> Option<Text> {
    let kind = element.attribute("type").unwrap_or_default().trim().to_ascii_lowercase();
    let mode = element.attribute("mode").unwrap_or_default().trim().to_ascii_lowercase();
    if mode == "base64" {
        let value = base64::text(&element.text())?;
        return filled(if is_html(&kind) { Text::html(value) } else { of_string(value) });
    }
    if element.has_children() {
        return filled(Text::html(wrapped(element).markup()));
    }
    let value = element.text().into_owned();
    match kind.as_str() {
        "html" | "text/html" | "xhtml" | "application/xhtml+xml" => filled(Text::html(once_escaped(value))),
        // Atom 0.3 and feeds without a namespace often say nothing and mean HTML.
        "" | "text/plain" if element.namespace() != Namespace::Atom => filled(of_string(value)),
        "" | "text" | "plain" => filled(Text::plain(value)),
        other if other.starts_with("text/") || other.ends_with("xml") => filled(Text::plain(value)),
        // RFC 4287 section 4.1.3.3 rule 6: anything else is base64.
        other if other.contains('/') => base64::text(&value).map(of_string).and_then(filled),
        _ => filled(of_string(value)),
    }
}

fn is_html(kind: &str) -> bool {
    kind.contains("html")
}

/// A name or a term: markup inside it is none of it.
pub(super) fn words<'a>(element: Element<'_, 'a>) -> Cow<'a, str> {
    if element.has_children() { Cow::Owned(element.words()) } else { element.text() }
}

/// [`words`] when there are any.
pub(super) fn some_words(element: Element<'_, '_>) -> Option<String> {
    Some(words(element)).filter(|text| !text.is_empty()).map(Cow::into_owned)
}

/// The `div` that XHTML content is wrapped in, when it is the only element.
fn wrapped<'d, 'a>(element: Element<'d, 'a>) -> Element<'d, 'a> {
    let mut children = element.children();
    match (children.next(), children.next()) {
        (Some(div), None) if div.name() == "div" && element.text().is_empty() => div,
        _ => element,
    }
}

/// The element whose `xml:base` and `xml:lang` count for the text inside.
pub(super) fn holder<'d, 'a>(element: Element<'d, 'a>) -> Element<'d, 'a> {
    if element.has_children() { wrapped(element) } else { element }
}

/// A string that may be plain text or HTML.
pub(super) fn of_string(value: String) -> Text {
    let value = once_escaped(value);
    let kind = if looks_like_html(&value) { TextKind::Html } else { TextKind::Plain };
    Text { value, kind, base: None, language: None }
}

fn filled(text: Text) -> Option<Text> {
    (!text.value.is_empty()).then_some(text)
}

/// HTML that was escaped once too often begins with an escaped tag, ends an element somewhere, and has no `<`.
fn once_escaped(value: String) -> String {
    let escaped_tag = value.strip_prefix("&lt;").is_some_and(tag_follows);
    if escaped_tag && !value.contains('<') && (value.contains("&lt;/") || value.contains("/&gt;")) {
        return xml::unescape(&value).into_owned();
    }
    value
}

/// Elements by which HTML is recognised.
const TAGS: &[&str] = &[
    "a",
    "abbr",
    "article",
    "aside",
    "audio",
    "b",
    "big",
    "blockquote",
    "br",
    "center",
    "cite",
    "code",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "embed",
    "figcaption",
    "figure",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "iframe",
    "img",
    "ins",
    "kbd",
    "li",
    "mark",
    "object",
    "ol",
    "p",
    "picture",
    "pre",
    "q",
    "s",
    "samp",
    "script",
    "section",
    "small",
    "span",
    "strike",
    "strong",
    "style",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
    "video",
];

/// Whether the text (behind a `<`) goes on as a tag of HTML: a known name, then nothing or attributes, then `>`.
fn tag_follows(text: &str) -> bool {
    let text = text.strip_prefix('/').unwrap_or(text);
    let length = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
    if length > 10 || !TAGS.iter().any(|tag| tag.eq_ignore_ascii_case(&text[..length])) {
        return false;
    }
    // Up to the next `<` or `>` (or their escaped forms): `a<b and c>d` has no attribute with a value.
    let rest = &text[length..];
    let Some(end) = rest.find(['<', '>', '&']) else { return false };
    let attributes = rest[..end].trim();
    let separated = end == 0 || rest.starts_with(|c: char| c.is_ascii_whitespace() || c == '/');
    separated
        && !rest[end..].starts_with('<')
        && (attributes.is_empty() || attributes == "/" || attributes.contains('='))
}

/// Whether a text that was unescaped once holds HTML tags or character references.
pub(super) fn looks_like_html(text: &str) -> bool {
    memchr::memchr2_iter(b'<', b'&', text.as_bytes()).any(|at| {
        let rest = &text[at + 1..];
        if text.as_bytes()[at] == b'<' { tag_follows(rest) || rest.starts_with("!--") } else { reference_follows(rest) }
    })
}

fn reference_follows(text: &str) -> bool {
    let bytes = text.as_bytes();
    let length = bytes.iter().take(32).take_while(|b| b.is_ascii_alphanumeric() || **b == b'#').count();
    // A name that nobody knows, as in `?a=1&b;`, is no reference.
    length > 1 && bytes.get(length) == Some(&b';') && {
        let reference = format!("&{}", &text[..=length]);
        xml::unescape(&reference) != reference
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, value: &str, kind: TextKind) {
        let read = of_string(text.to_owned());
        assert_eq!((read.value.as_str(), read.kind), (value, kind), "{text:?}");
    }

    #[test]
    fn plain_or_html() {
        use TextKind::{Html, Plain};
        check("中工时评", "中工时评", Plain);
        check("AT&T <3 & more", "AT&T <3 & more", Plain);
        check("if a<b and c>d", "if a<b and c>d", Plain);
        check("the <title> element", "the <title> element", Plain);
        check("see ?a=1&b;", "see ?a=1&b;", Plain);
        check("a <b>bold</b> word", "a <b>bold</b> word", Html);
        check("line<br/>line", "line<br/>line", Html);
        check("Caf&eacute;", "Caf&eacute;", Html);
        check("AT&amp;T", "AT&amp;T", Html);
        check("&#8212;", "&#8212;", Html);
        check("&lt;p&gt;twice&lt;/p&gt;", "<p>twice</p>", Html);
        check("use &lt;p&gt; here", "use &lt;p&gt; here", Html);
        check("<", "<", Plain);
        check("&", "&", Plain);
        check("&;<", "&;<", Plain);
    }
}
