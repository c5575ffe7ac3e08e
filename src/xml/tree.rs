//! The element tree: one list of nodes for the whole document, which borrow their names and text from it.

use super::entity;
use super::namespace::Namespace;
use super::scan::Attribute;
use super::trouble::{Trouble, Troubles, limits};
use crate::model::Flaw;
use std::borrow::Cow;

/// A node's place in the list. The document itself is 0, so 0 also says "none".
pub(super) type Id = u32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `text` is the local name, in lower case when it is a name of RSS.
    Element,
    /// Text with character references.
    Text,
    /// Text without.
    Literal,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Node<'a> {
    pub(super) text: &'a str,
    pub(super) parent: Id,
    pub(super) first: Id,
    pub(super) last: Id,
    pub(super) next: Id,
    /// Where the attributes begin in the document's list of attributes.
    pub(super) attributes: u32,
    pub(super) attribute_count: u16,
    pub(super) kind: Kind,
    pub(super) namespace: Namespace,
}

/// A document that was read. Cheap to make: names and text are slices of the source.
#[derive(Debug)]
pub struct Document<'a> {
    pub(super) source: &'a str,
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) attributes: Vec<Attribute<'a>>,
    pub(super) troubles: Troubles,
    /// Whether any element has `xml:base`.
    pub(super) has_base: bool,
    /// Whether any element has `xml:lang`.
    pub(super) has_language: bool,
}

impl<'a> Document<'a> {
    /// Reads a document. Never fails; see [`Document::flaws`].
    pub fn read(text: &'a str) -> Self {
        super::build::document(text)
    }

    /// The document itself, whose children are the root elements.
    pub fn root<'d>(&'d self) -> Element<'d, 'a> {
        Element { document: self, id: 0 }
    }

    /// All elements in the order of the document.
    pub fn elements<'d>(&'d self) -> impl Iterator<Item = Element<'d, 'a>> {
        (1u32..)
            .zip(&self.nodes[1..])
            .filter(|(_, node)| node.kind == Kind::Element)
            .map(|(id, _)| Element { document: self, id })
    }

    /// What was wrong so far. References are resolved when text is asked for, so ask for flaws last.
    pub fn flaws(&self) -> Vec<Flaw> {
        self.troubles.flaws(self.source)
    }

    /// Counts an element that was left out because the feed has too many entries.
    pub fn too_many_entries(&self) {
        self.troubles.note(Trouble::Entries, self.source.len());
    }

    fn resolve(&self, raw: &'a str) -> Cow<'a, str> {
        // `raw` is a slice of `source`, so the difference of their addresses is its place.
        let offset = (raw.as_ptr() as usize).saturating_sub(self.source.as_ptr() as usize);
        entity::resolve(raw, offset, &self.troubles)
    }
}

/// An element of a document.
#[derive(Debug, Clone, Copy)]
pub struct Element<'d, 'a> {
    document: &'d Document<'a>,
    id: Id,
}

impl<'d, 'a> Element<'d, 'a> {
    fn node(self) -> &'d Node<'a> {
        &self.document.nodes[self.id as usize]
    }

    /// The document it belongs to.
    pub fn document(self) -> &'d Document<'a> {
        self.document
    }

    /// The local name, in lower case if it is a name that feeds use; empty for the document itself.
    pub fn name(self) -> &'a str {
        self.node().text
    }

    /// The namespace.
    pub fn namespace(self) -> Namespace {
        self.node().namespace
    }

    /// The element around it; `None` for the document itself.
    pub fn parent(self) -> Option<Self> {
        (self.id != 0).then(|| Self { id: self.node().parent, ..self })
    }

    fn nodes(self) -> impl Iterator<Item = (Id, &'d Node<'a>)> {
        let nodes = &self.document.nodes;
        let mut id = self.node().first;
        std::iter::from_fn(move || {
            (id != 0).then(|| {
                let this = id;
                id = nodes[this as usize].next;
                (this, &nodes[this as usize])
            })
        })
    }

    /// The elements directly inside.
    pub fn children(self) -> impl Iterator<Item = Self> {
        self.nodes().filter(|(_, node)| node.kind == Kind::Element).map(move |(id, _)| Self { id, ..self })
    }

    /// The first element directly inside with this name, whatever its namespace.
    pub fn child(self, name: &str) -> Option<Self> {
        self.children().find(|child| child.name().eq_ignore_ascii_case(name))
    }

    /// Whether there is any element directly inside.
    pub fn has_children(self) -> bool {
        self.children().next().is_some()
    }

    fn raw_attributes(self) -> &'d [Attribute<'a>] {
        let node = self.node();
        let start = node.attributes as usize;
        &self.document.attributes[start..start + usize::from(node.attribute_count)]
    }

    /// An attribute by its name as written (with prefix, whatever its case), references resolved.
    pub fn attribute(self, name: &str) -> Option<Cow<'a, str>> {
        let found = self.raw_attributes().iter().find(|a| a.name.eq_ignore_ascii_case(name))?;
        Some(self.document.resolve(found.value))
    }

    /// An attribute by its name with any or no prefix: `resource` finds `rdf:resource`.
    pub fn any_attribute(self, local: &str) -> Option<Cow<'a, str>> {
        let fits = |a: &&Attribute<'_>| a.name.rsplit(':').next().is_some_and(|n| n.eq_ignore_ascii_case(local));
        let found = self.raw_attributes().iter().find(fits)?;
        Some(self.document.resolve(found.value))
    }

    /// The text directly inside, references resolved, without white space at both ends.
    pub fn text(self) -> Cow<'a, str> {
        let mut whole = Cow::Borrowed("");
        for (_, node) in self.nodes() {
            let piece = match node.kind {
                Kind::Text => self.document.resolve(node.text),
                Kind::Literal => Cow::Borrowed(node.text),
                Kind::Element => continue,
            };
            if whole.is_empty() {
                whole = piece;
            } else {
                whole.to_mut().push_str(&piece);
            }
        }
        trimmed(whole)
    }

    /// The text directly inside when it is not empty.
    pub fn some_text(self) -> Option<String> {
        Some(self.text()).filter(|text| !text.is_empty()).map(Cow::into_owned)
    }

    /// The text of all that is inside, however deep, with single spaces; lines and paragraphs stay apart.
    pub fn words(self) -> String {
        const SPACE: Id = Id::MAX;
        let mut out = String::new();
        let mut stack: Vec<Id> = vec![self.node().first];
        while let Some(id) = stack.pop() {
            match id {
                0 => continue,
                SPACE => {
                    out.push(' ');
                    continue;
                }
                _ => {}
            }
            let node = &self.document.nodes[id as usize];
            stack.push(node.next);
            match node.kind {
                Kind::Text => out.push_str(&self.document.resolve(node.text)),
                Kind::Literal => out.push_str(node.text),
                Kind::Element if matches!(node.text, "script" | "style") => {}
                Kind::Element => {
                    if matches!(node.text, "p" | "div" | "br" | "li" | "td" | "tr") {
                        out.push(' ');
                        stack.push(SPACE);
                    }
                    stack.push(node.first);
                }
            }
        }
        out.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// All that is inside, as HTML: elements by their local names, text escaped.
    pub fn markup(self) -> String {
        let mut out = String::new();
        // Depth is limited when the tree is built, but this also must not recurse.
        let mut stack: Vec<Id> = vec![self.node().first];
        while let Some(id) = stack.pop() {
            if id == 0 {
                // The children of the element below are done.
                if let Some(&open) = stack.last() {
                    close_tag(&mut out, &self.document.nodes[open as usize]);
                    stack.pop();
                    stack.push(self.document.nodes[open as usize].next);
                }
                continue;
            }
            let node = &self.document.nodes[id as usize];
            match node.kind {
                Kind::Element => {
                    Self { id, ..self }.open_tag(&mut out);
                    stack.push(id);
                    stack.push(node.first);
                    continue;
                }
                Kind::Text => escape_text(&mut out, &self.document.resolve(node.text)),
                Kind::Literal => escape_text(&mut out, node.text),
            }
            stack.push(node.next);
        }
        trimmed(Cow::Owned(out)).into_owned()
    }

    fn open_tag(self, out: &mut String) {
        out.push('<');
        out.push_str(self.name());
        for attribute in self.raw_attributes() {
            if attribute.name.starts_with("xmlns") {
                continue;
            }
            out.push(' ');
            out.push_str(attribute.name);
            out.push_str("=\"");
            for c in self.document.resolve(attribute.value).chars() {
                match c {
                    '"' => out.push_str("&quot;"),
                    '&' => out.push_str("&amp;"),
                    '<' => out.push_str("&lt;"),
                    c => out.push(c),
                }
            }
            out.push('"');
        }
        out.push('>');
    }

    /// `xml:base` along the chain from the root: each joined to the one around it; `None` when nobody gave one.
    pub fn base(self) -> Option<String> {
        if !self.document.has_base {
            return None;
        }
        let mut chain = self.inherited("xml:base");
        // Every entry below would repeat it.
        chain.retain(|base| base.len() <= limits::BASE);
        let mut base = chain.pop()?.into_owned();
        while let Some(inner) = chain.pop().filter(|_| base.len() <= limits::BASE) {
            base = url::Url::parse(&base).and_then(|outer| outer.join(&inner)).map_or(inner.into_owned(), Into::into);
        }
        (base.len() <= limits::BASE).then_some(base)
    }

    /// The innermost `xml:lang`; `None` when nobody gave one or it was taken back (`xml:lang=""`).
    pub fn language(self) -> Option<String> {
        if !self.document.has_language {
            return None;
        }
        let innermost = self.inherited("xml:lang").into_iter().next()?;
        (1..=limits::LANGUAGE).contains(&innermost.len()).then(|| innermost.into_owned())
    }

    /// The values of an attribute here and in the elements around, innermost first.
    fn inherited(self, name: &str) -> Vec<Cow<'a, str>> {
        std::iter::successors(Some(self), |element| element.parent())
            .filter_map(|element| element.attribute(name))
            .map(trimmed)
            .collect()
    }
}

/// HTML elements that never have an end tag.
fn is_void(name: &str) -> bool {
    const VOID: &[&str] = &[
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
    ];
    VOID.contains(&name)
}

fn close_tag(out: &mut String, node: &Node<'_>) {
    if !is_void(node.text) {
        out.push_str("</");
        out.push_str(node.text);
        out.push('>');
    }
}

fn escape_text(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = memchr::memchr3(b'<', b'>', b'&', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'<' => "&lt;",
            b'>' => "&gt;",
            _ => "&amp;",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

/// Cuts white space at both ends without copying.
fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(mut text) => {
            text.truncate(text.trim_end().len());
            let lead = text.len() - text.trim_start().len();
            text.drain(..lead);
            Cow::Owned(text)
        }
    }
}
