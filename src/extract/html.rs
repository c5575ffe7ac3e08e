//! Writing a part of the page as HTML: addresses absolute, lazy pictures real, scripts gone. What remains is
//! still the source's; `normalise` sanitises it.

use super::address::resolve;
use super::dom::{Node, Page, Step};
use super::image;
use super::text::{UNREAD, has_children, plain};
use url::Url;

/// Elements that are left out with all that is in them.
const DROPPED: [&str; 12] =
    ["form", "input", "button", "object", "embed", "applet", "link", "meta", "base", "iframe", "frame", "title"];

/// Attributes that are kept as they are.
const KEPT: [&str; 12] =
    ["alt", "title", "width", "height", "colspan", "rowspan", "lang", "dir", "controls", "datetime", "start", "type"];

/// Attributes that hold an address.
const ADDRESSES: [&str; 4] = ["href", "src", "poster", "cite"];

/// Elements without content or end tag (HTML Standard section 13.1.2).
pub(super) const VOID: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];

/// About the most that is written, in bytes: what `normalise` reads of a text. Addresses grow when they become absolute.
const LONGEST: usize = 2 << 20;

/// The HTML of a node, with the node itself or only what is in it.
pub(super) fn write(node: Node<'_>, base: &Url, with_itself: bool, out: &mut String) {
    let mut walk = node.walk();
    let mut outermost = true;
    while let Some(step) = walk.next() {
        if out.len() > LONGEST {
            break;
        }
        let (Step::Enter(at) | Step::Leave(at)) = step;
        let entering = matches!(step, Step::Enter(_));
        let first = std::mem::take(&mut outermost);
        if !at.is_element() {
            if entering {
                at.with_text(|text| escape(text, out));
            }
            continue;
        }
        let name = at.name();
        if UNREAD.contains(&&*name) || DROPPED.contains(&&*name) {
            if entering {
                walk.skip_children(has_children(at));
            }
        } else if (first || (!entering && at.is(node))) && !with_itself {
            // Only the content was asked for.
        } else if entering {
            open(at, &name, base, out);
        } else if !VOID.contains(&&*name) {
            out.extend(["</", &name, ">"]);
        }
    }
}

fn open(node: Node<'_>, name: &str, base: &Url, out: &mut String) {
    if name == "img" {
        let Some(source) = image::source(node, base) else { return };
        out.push_str("<img");
        attribute("src", &source, out);
    } else {
        out.extend(["<", name]);
    }
    for (key, value) in node.attributes() {
        if KEPT.contains(&key.as_str()) {
            attribute(&key, &value, out);
        } else if ADDRESSES.contains(&key.as_str())
            && name != "img"
            && let Some(url) = resolve(base, &value)
        {
            attribute(&key, url.as_str(), out);
        }
    }
    out.push('>');
}

fn attribute(name: &str, value: &str, out: &mut String) {
    out.extend([" ", name, "=\""]);
    escape(value, out);
    out.push('"');
}

/// Escapes text so that it stands in HTML as itself, also inside a quoted attribute.
pub(super) fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(c),
        }
    }
}

/// The text of a JSON string, which often holds entities or a little markup.
pub(super) fn unescape(text: &str) -> String {
    if !text.contains(['&', '<']) || text.len() > 64 * 1024 {
        return text.to_owned();
    }
    // Addresses hold bare ampersands: only what looks like an entity or a tag is decoded.
    if text.starts_with("http") && !text.contains("&amp;") {
        return text.to_owned();
    }
    plain(Page::parse(text).root())
}
