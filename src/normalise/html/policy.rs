//! What may stay: the table of docs/sanitising.md.

use ammonia::{Builder, UrlRelative};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Every element that may stay, with its attributes besides [`EVERYWHERE`].
pub(super) const ELEMENTS: &[(&str, &[&str])] = &[
    ("a", &["href", "hreflang"]),
    ("abbr", &[]),
    ("address", &[]),
    ("article", &[]),
    ("aside", &[]),
    ("audio", &["controls", "src"]),
    ("b", &[]),
    ("bdi", &[]),
    ("bdo", &[]),
    ("blockquote", &["cite"]),
    ("br", &[]),
    ("caption", &[]),
    ("cite", &[]),
    ("code", &[]),
    ("col", &["span"]),
    ("colgroup", &["span"]),
    ("dd", &[]),
    ("del", &["cite", "datetime"]),
    ("details", &["open"]),
    ("dfn", &[]),
    ("div", &[]),
    ("dl", &[]),
    ("dt", &[]),
    ("em", &[]),
    ("figcaption", &[]),
    ("figure", &[]),
    ("footer", &[]),
    ("h1", &[]),
    ("h2", &[]),
    ("h3", &[]),
    ("h4", &[]),
    ("h5", &[]),
    ("h6", &[]),
    ("header", &[]),
    ("hr", &[]),
    ("i", &[]),
    ("img", &["alt", "height", "src", "width"]),
    ("ins", &["cite", "datetime"]),
    ("kbd", &[]),
    ("li", &["value"]),
    ("main", &[]),
    ("mark", &[]),
    ("ol", &["reversed", "start", "type"]),
    ("p", &[]),
    ("pre", &[]),
    ("q", &["cite"]),
    ("rp", &[]),
    ("rt", &[]),
    ("ruby", &[]),
    ("s", &[]),
    ("samp", &[]),
    ("section", &[]),
    ("small", &[]),
    ("source", &["src", "type"]),
    ("span", &[]),
    ("strong", &[]),
    ("sub", &[]),
    ("summary", &[]),
    ("sup", &[]),
    ("table", &[]),
    ("tbody", &[]),
    ("td", &["colspan", "rowspan"]),
    ("tfoot", &[]),
    ("th", &["colspan", "rowspan", "scope"]),
    ("thead", &[]),
    ("time", &["datetime"]),
    ("tr", &[]),
    ("u", &[]),
    ("ul", &[]),
    ("var", &[]),
    ("video", &["controls", "height", "poster", "src", "width"]),
    ("wbr", &[]),
];

/// Attributes that may stay on every element.
pub(super) const EVERYWHERE: &[&str] = &["dir", "lang", "title"];
/// Attributes that hold an address.
pub(super) const ADDRESSES: &[&str] = &["cite", "href", "poster", "src"];
/// Elements whose content goes with them. An `annotation` says in another notation what a formula says already.
pub(super) const WITH_CONTENT: &[&str] = &[
    "annotation",
    "annotation-xml",
    "datalist",
    "iframe",
    "noembed",
    "noframes",
    "noscript",
    "script",
    "select",
    "style",
    "svg",
    "template",
    "textarea",
    "title",
    "xmp",
];

const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "caption",
    "center",
    "dd",
    "details",
    "dir",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "hr",
    "li",
    "main",
    "menu",
    "nav",
    "ol",
    "option",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "tbody",
    "tfoot",
    "thead",
    "tr",
    "ul",
];

/// Whether an element stands on its own lines.
pub(super) fn is_block(name: &str) -> bool {
    BLOCKS[among(&BLOCK_LETTERS, name)].contains(&name)
}

/// Where each first letter begins in a sorted table of names: every tag of a text is looked up in three of them.
type Letters = [usize; 27];

static ELEMENT_LETTERS: LazyLock<Letters> = LazyLock::new(|| letters(ELEMENTS.iter().map(|(name, _)| *name)));
static BLOCK_LETTERS: LazyLock<Letters> = LazyLock::new(|| letters(BLOCKS.iter().copied()));

fn letters(names: impl Iterator<Item = &'static str>) -> Letters {
    let mut starts = [0; 27];
    for name in names {
        let letter = usize::from(name.as_bytes()[0] - b'a');
        starts[letter + 1..].iter_mut().for_each(|start| *start += 1);
    }
    starts
}

/// Where the names stand that begin as this one does.
fn among(letters: &Letters, name: &str) -> std::ops::Range<usize> {
    match name.bytes().next().map(|byte| usize::from(byte.wrapping_sub(b'a'))) {
        Some(letter) if letter < 26 => letters[letter]..letters[letter + 1],
        _ => 0..0,
    }
}

/// The element of this name, if it may stay, as the table has it.
pub(super) fn element(name: &str) -> Option<&'static (&'static str, &'static [&'static str])> {
    ELEMENTS[among(&ELEMENT_LETTERS, name)].iter().find(|(element, _)| *element == name)
}

/// The attributes of an element that may stay; `None`: the element may not.
pub(super) fn attributes(name: &str) -> Option<&'static [&'static str]> {
    element(name).map(|(_, attributes)| *attributes)
}

pub(super) static AMMONIA: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let set = |names: &[&'static str]| names.iter().copied().collect::<HashSet<_>>();
    let mut builder = Builder::new();
    builder
        .tags(ELEMENTS.iter().map(|(name, _)| *name).collect())
        .tag_attributes(ELEMENTS.iter().map(|(name, attributes)| (*name, set(attributes))).collect::<HashMap<_, _>>())
        .generic_attributes(set(EVERYWHERE))
        // The pass before leaves no `math`, only its text. What slips through is another language to the parser, and goes.
        .clean_content_tags(WITH_CONTENT.iter().copied().chain(["math"]).collect())
        .url_schemes(set(&["http", "https", "mailto", "tel"]))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer"))
        .attribute_filter(keep);
    builder
});

/// What the tables of names cannot say.
fn keep<'v>(element: &str, attribute: &str, value: &'v str) -> Option<Cow<'v, str>> {
    let kept = match (element, attribute) {
        ("a", "href") => true,
        (_, name) if ADDRESSES.contains(&name) => {
            let start = value.get(..8).unwrap_or(value).to_ascii_lowercase();
            start.starts_with("http://") || start.starts_with("https://")
        }
        (_, "dir") => matches!(value, "ltr" | "rtl" | "auto"),
        _ => true,
    };
    kept.then_some(Cow::Borrowed(value))
}

#[cfg(test)]
mod tests {
    use super::{BLOCKS, ELEMENTS, element, is_block};

    #[test]
    fn the_tables_are_sorted() {
        assert!(ELEMENTS.is_sorted());
        assert!(BLOCKS.is_sorted());
    }

    #[test]
    fn names_are_found_and_nothing_else() {
        for (name, attributes) in ELEMENTS {
            assert_eq!(element(name), Some(&(*name, *attributes)));
        }
        assert!(BLOCKS.iter().all(|name| is_block(name)));
        for other in ["", "A", "`", "{", "é", "zz", "bb", "script", "div ", "di"] {
            assert!(element(other).is_none() && !is_block(other), "{other:?}");
        }
    }
}
