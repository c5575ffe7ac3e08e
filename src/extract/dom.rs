//! The DOM: with the files below it the only place that knows `dom_query`, `html5ever` and `selectors`. Documents are `!Send`: parse, read and drop
//! inside one call.
//!
//! html5ever has no limits of its own, and some of its steps cost the depth of the tree or the number of a
//! tag's attributes. So the page is fed to it in small pieces, and feeding stops where a limit is passed. What is
//! counted is what was built, never time: the same page is cut at the same place on every machine.
//!
//! A selector may cost far more than the page is long, so the nodes that it looks at are counted too (`purse`).

mod guard;
mod purse;

use dom_query::{Document, Matcher, NodeData, NodeRef};
use guard::Guard;
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::{ParseOpts, parse_document};
use purse::{Counted, Overspent, Purse};
use selectors::context::SelectorCaches;
use std::borrow::Cow;
use std::rc::Rc;

/// The longest page that is read, in bytes.
pub(super) const MAX_TEXT: usize = 4 * 1024 * 1024;
/// The deepest tree, in elements. Browsers stop at 512; the portal's pages stay under 40.
const MAX_DEPTH: u16 = 256;
/// The most nodes: at the longest page one for every 16 bytes, which is three times as dense as real pages are.
const MAX_NODES: usize = 250_000;
/// The most steps in which the parser builds them: a text comes in as many pieces as it has references and line
/// breaks. A page of nothing but Chinese in numbers (`&#20013;`) needs half of them.
const MAX_EVENTS: u64 = 1_000_000;
/// The most different long names of elements and attributes; real pages have some dozens.
const MAX_NAMES: usize = 10_000;
/// The most words between two nodes: the attributes of one tag, or a comment. The parser compares each attribute
/// of a tag with all before it.
const MAX_WORDS: usize = 8192;
/// Bytes fed at once; limits are checked in between.
const PIECE: usize = 4096;

/// A parsed page.
pub(super) struct Page {
    doc: Document,
    /// Which limit cut the page short.
    pub(super) limit: Option<&'static str>,
    /// The first selector that cost too much. Shared with copies.
    overspent: Rc<Overspent>,
}

impl Page {
    /// Parses a page; what stands behind a limit is left out.
    pub(super) fn parse(text: &str) -> Self {
        let kept = &text[..text.floor_char_boundary(MAX_TEXT)];
        let mut limit = (kept.len() < text.len()).then_some("4 MiB of text");
        let whole = StrTendril::from(kept);
        let mut parser = parse_document(Guard::default(), options());
        let (mut at, mut seen, mut words) = (0, 0, 0);
        while at < kept.len() {
            let end = kept.ceil_char_boundary((at + PIECE).min(kept.len()));
            // Offsets fit: MAX_TEXT is far below 4 GiB.
            #[allow(clippy::cast_possible_truncation)]
            parser.process(whole.subtendril(at as u32, (end - at) as u32));
            let guard = &parser.tokenizer.sink.sink;
            words = if guard.events() == seen { words + count_words(&kept.as_bytes()[at..end]) } else { 0 };
            seen = guard.events();
            at = end;
            if let Some(reached) = guard.reached(words) {
                limit = Some(reached);
                break;
            }
        }
        Self { doc: parser.finish(), limit, overspent: Rc::default() }
    }

    /// The selector that was given up on this page because it looked at too many nodes, if any was.
    pub(super) fn overspent(&self) -> Option<String> {
        self.overspent.selector()
    }

    /// Everything under the document.
    pub(super) fn root(&self) -> Node<'_> {
        Node(self.doc.root(), &self.overspent)
    }

    /// The document, for the crate that finds the text of an article in it.
    pub(super) fn into_document(self) -> Document {
        self.doc
    }

    /// A copy without the elements that match.
    pub(super) fn without(&self, remove: &Selector) -> Option<Self> {
        if !self.root().has(remove) {
            return None;
        }
        let copy = Self { doc: self.doc.clone(), limit: self.limit, overspent: Rc::clone(&self.overspent) };
        copy.root().select(remove).into_iter().for_each(Node::remove);
        Some(copy)
    }
}

fn options() -> ParseOpts {
    let mut options = ParseOpts::default();
    // What is in <noscript> is for readers without scripts, as we are.
    options.tree_builder.scripting_enabled = false;
    options
}

/// Words that could be attributes: a quote ends a value, and the next name may follow at once. A slash separates
/// too, but counts half, since pictures inlined as base64 are full of them.
fn count_words(bytes: &[u8]) -> usize {
    let separator = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'');
    bytes.windows(2).filter(|pair| separator(pair[0]) && !separator(pair[1])).count()
        + bytes.windows(2).filter(|pair| pair[0] == b'/' && pair[1].is_ascii_alphabetic()).count() / 2
}

/// A compiled CSS selector, with what it may still cost: compile it anew for each page.
pub(super) struct Selector {
    css: String,
    matcher: Matcher,
    purse: Purse,
}

impl Selector {
    /// Compiles; `Err` says what is wrong.
    pub(super) fn new(css: &str) -> Result<Self, String> {
        let matcher = Matcher::new(css).map_err(|error| format!("not a CSS selector: {css:?} ({:?})", error.kind))?;
        Ok(Self { css: css.to_owned(), matcher, purse: Purse::default() })
    }
}

/// A node of a page.
#[derive(Clone, Copy)]
pub(super) struct Node<'a>(NodeRef<'a>, &'a Overspent);

impl<'a> Node<'a> {
    /// Every element below that matches, in document order. A selector that looks at too many nodes is given up,
    /// and the page remembers it ([`Page::overspent`]).
    pub(super) fn select(self, selector: &Selector) -> Vec<Node<'a>> {
        let mut found = Vec::new();
        self.each(selector, |node| {
            found.push(node);
            true
        });
        found
    }

    /// The first element below that matches, in document order.
    pub(super) fn first(self, selector: &Selector) -> Option<Node<'a>> {
        let mut first = None;
        self.each(selector, |node| {
            first = Some(node);
            false
        });
        first
    }

    /// Whether any element below matches.
    pub(super) fn has(self, selector: &Selector) -> bool {
        self.first(selector).is_some()
    }

    /// Hands every element below that matches to `take`, until that wants no more.
    fn each(self, selector: &Selector, mut take: impl FnMut(Node<'a>) -> bool) {
        let purse = &selector.purse;
        purse.fill(self.0.tree.len());
        let mut caches = SelectorCaches::default();
        for node in self.0.descendants_it().filter(NodeRef::is_element) {
            let matches = selector.matcher.match_element_with_caches(&Counted { node, purse }, &mut caches);
            // What was found while the purse ran empty may be wrong: `:not(…)` holds of what could not be looked at.
            if purse.is_empty() {
                return self.1.note(&selector.css);
            }
            if matches && !take(Node(node, self.1)) {
                return;
            }
        }
    }

    /// The node above.
    pub(super) fn parent(self) -> Option<Node<'a>> {
        self.0.parent().map(|node| Node(node, self.1))
    }

    /// Takes the node out of its page.
    pub(super) fn remove(self) {
        self.0.remove_from_parent();
    }

    /// The lower-case name of an element, empty for other nodes.
    pub(super) fn name(self) -> Cow<'static, str> {
        self.0.node_name().map_or(Cow::Borrowed(""), |name| Cow::Owned(name.to_string()))
    }

    /// An attribute's value.
    pub(super) fn attribute(self, name: &str) -> Option<String> {
        self.0.attr(name).map(|value| value.to_string())
    }

    /// Every attribute.
    pub(super) fn attributes(self) -> Vec<(String, String)> {
        self.0.attrs().iter().map(|attr| (attr.name.local.to_string(), attr.value.to_string())).collect()
    }

    /// Hands the text of a text node to `use_text`; does nothing for other nodes.
    pub(super) fn with_text(self, use_text: impl FnOnce(&str)) {
        self.0.query(|node| {
            if let NodeData::Text { contents } = &node.data {
                use_text(contents);
            }
        });
    }

    pub(super) fn is_element(self) -> bool {
        self.0.is_element()
    }

    /// Whether both are the same node.
    pub(super) fn is(self, other: Node<'_>) -> bool {
        self.0.id == other.0.id
    }

    /// Whether `self` stands below `other`.
    pub(super) fn is_below(self, other: Node<'_>) -> bool {
        self.0.ancestors_it(None).any(|node| node.id == other.0.id)
    }

    /// Walks over the node and everything below, without recursion.
    pub(super) fn walk(self) -> Walk<'a> {
        Walk { root: self, next: Some(Step::Enter(self)) }
    }
}

/// One step of a [`Walk`].
#[derive(Clone, Copy)]
pub(super) enum Step<'a> {
    /// A node, before its children.
    Enter(Node<'a>),
    /// The same node, after its children.
    Leave(Node<'a>),
}

/// A walk in document order.
pub(super) struct Walk<'a> {
    root: Node<'a>,
    next: Option<Step<'a>>,
}

impl Walk<'_> {
    /// Leaves out the children of the node that was entered last.
    pub(super) fn skip_children(&mut self, entered: bool) {
        if entered
            && let Some(Step::Enter(child)) = self.next
            && let Some(parent) = child.0.parent()
        {
            self.next = Some(Step::Leave(Node(parent, child.1)));
        }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Step<'a>;

    fn next(&mut self) -> Option<Step<'a>> {
        let step = self.next.take()?;
        self.next = match step {
            Step::Enter(node) => {
                Some(node.0.first_child().map_or(Step::Leave(node), |child| Step::Enter(Node(child, node.1))))
            }
            Step::Leave(node) if node.0.id == self.root.0.id => None,
            Step::Leave(node) => match node.0.next_sibling() {
                Some(sibling) => Some(Step::Enter(Node(sibling, node.1))),
                None => node.0.parent().map(|parent| Step::Leave(Node(parent, node.1))),
            },
        };
        Some(step)
    }
}

#[cfg(test)]
mod tests;
