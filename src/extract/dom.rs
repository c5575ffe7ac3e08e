//! The DOM: the only file that knows `dom_query` and `html5ever`. Documents are `!Send`: parse, read and drop
//! inside one call.
//!
//! html5ever has no limits of its own, and some of its steps cost the depth of the tree or the number of a
//! tag's attributes. So the page is fed to it in small pieces, and feeding stops where a limit is passed.

use dom_query::{Document, Matcher, NodeData, NodeId, NodeRef, Selection};
use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::{Attribute, ParseOpts, QualName, parse_document};
use std::borrow::Cow;
use std::cell::{Cell, Ref, RefCell};

/// The longest page that is read, in bytes.
pub(super) const MAX_TEXT: usize = 4 * 1024 * 1024;
/// The deepest tree, in elements. Browsers stop at 512; the portal's pages stay under 40.
const MAX_DEPTH: u16 = 256;
/// The most nodes.
const MAX_NODES: usize = 500_000;
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
            words = if guard.events.get() == seen { words + count_words(&kept.as_bytes()[at..end]) } else { 0 };
            seen = guard.events.get();
            at = end;
            if let Some(reached) = guard.reached(words) {
                limit = Some(reached);
                break;
            }
        }
        Self { doc: parser.finish(), limit }
    }

    /// Everything under the document.
    pub(super) fn root(&self) -> Node<'_> {
        Node(self.doc.root())
    }

    /// The document, for the crate that finds the text of an article in it.
    pub(super) fn into_document(self) -> Document {
        self.doc
    }

    /// A copy without the elements that match.
    pub(super) fn without(&self, remove: &Selector) -> Option<Self> {
        if !self.doc.select_single_matcher(&remove.0).exists() {
            return None;
        }
        let doc = self.doc.clone();
        doc.select_matcher(&remove.0).remove();
        Some(Self { doc, limit: self.limit })
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

/// A compiled CSS selector.
pub(super) struct Selector(Matcher);

impl Selector {
    /// Compiles; `Err` says what is wrong.
    pub(super) fn new(css: &str) -> Result<Self, String> {
        Matcher::new(css).map(Self).map_err(|error| format!("not a CSS selector: {css:?} ({:?})", error.kind))
    }
}

/// A node of a page.
#[derive(Clone, Copy)]
pub(super) struct Node<'a>(NodeRef<'a>);

impl<'a> Node<'a> {
    /// Every element below that matches, in document order.
    pub(super) fn select(self, selector: &Selector) -> Vec<Node<'a>> {
        Selection::from(self.0).select_matcher(&selector.0).nodes().iter().map(|node| Node(*node)).collect()
    }

    /// Whether any element below matches.
    pub(super) fn has(self, selector: &Selector) -> bool {
        Selection::from(self.0).select_single_matcher(&selector.0).exists()
    }

    /// The node above.
    pub(super) fn parent(self) -> Option<Node<'a>> {
        self.0.parent().map(Node)
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
            self.next = Some(Step::Leave(Node(parent)));
        }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Step<'a>;

    fn next(&mut self) -> Option<Step<'a>> {
        let step = self.next.take()?;
        self.next = match step {
            Step::Enter(node) => Some(node.0.first_child().map_or(Step::Leave(node), |child| Step::Enter(Node(child)))),
            Step::Leave(node) if node.0.id == self.root.0.id => None,
            Step::Leave(node) => match node.0.next_sibling() {
                Some(sibling) => Some(Step::Enter(Node(sibling))),
                None => node.0.parent().map(|parent| Step::Leave(Node(parent))),
            },
        };
        Some(step)
    }
}

/// A node with its place in the list of nodes, which `dom_query` keeps to itself.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Handle {
    id: NodeId,
    index: usize,
}

/// Builds the document and watches its depth and size.
#[derive(Default)]
struct Guard {
    doc: Document,
    /// The depth of each node that was placed; a template's content counts as below the template.
    depth: RefCell<Vec<u16>>,
    deepest: Cell<u16>,
    /// Grows with everything that the parser builds.
    events: Cell<u64>,
    /// How often attributes were added to `html` or `body` afterwards.
    additions: Cell<u32>,
}

impl Guard {
    fn reached(&self, words: usize) -> Option<&'static str> {
        if self.deepest.get() > MAX_DEPTH {
            Some("a depth of 256 elements")
        } else if self.doc.tree.len() > MAX_NODES {
            Some("500,000 nodes")
        } else if words > MAX_WORDS {
            Some("8,192 attributes or words in one tag or comment")
        } else {
            None
        }
    }

    fn tick(&self) {
        self.events.set(self.events.get() + 1);
    }

    fn handle(&self, id: NodeId, index: usize) -> Handle {
        self.tick();
        Handle { id, index }
    }

    fn depth_of(&self, index: usize) -> u16 {
        self.depth.borrow().get(index).copied().unwrap_or(0)
    }

    fn place(&self, index: usize, depth: u16) {
        let mut depths = self.depth.borrow_mut();
        if depths.len() <= index {
            depths.resize(index + 1, 0);
        }
        depths[index] = depth;
        self.deepest.set(self.deepest.get().max(depth));
    }

    /// Notes where a child goes and turns it into what `dom_query` takes.
    fn placed(&self, child: NodeOrText<Handle>, depth: u16) -> NodeOrText<NodeId> {
        self.tick();
        match child {
            NodeOrText::AppendText(text) => NodeOrText::AppendText(text),
            NodeOrText::AppendNode(node) => {
                self.place(node.index, depth);
                NodeOrText::AppendNode(node.id)
            }
        }
    }
}

impl TreeSink for Guard {
    type Handle = Handle;
    type Output = Document;
    type ElemName<'a> = Ref<'a, QualName>;

    fn finish(self) -> Document {
        self.doc
    }
    /// Errors are the rule on real pages; a list of them would only grow.
    fn parse_error(&self, _: Cow<'static, str>) {}
    fn get_document(&self) -> Handle {
        Handle { id: self.doc.get_document(), index: 0 }
    }
    fn elem_name<'a>(&'a self, target: &'a Handle) -> Ref<'a, QualName> {
        self.doc.elem_name(&target.id)
    }
    fn create_element(&self, name: QualName, attrs: Vec<Attribute>, flags: ElementFlags) -> Handle {
        let index = self.doc.tree.len();
        let id = self.doc.create_element(name, attrs, flags);
        self.handle(id, index)
    }
    fn create_comment(&self, text: StrTendril) -> Handle {
        let index = self.doc.tree.len();
        let id = self.doc.create_comment(text);
        self.handle(id, index)
    }
    fn create_pi(&self, target: StrTendril, data: StrTendril) -> Handle {
        let index = self.doc.tree.len();
        let id = self.doc.create_pi(target, data);
        self.handle(id, index)
    }
    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        let depth = self.depth_of(parent.index).saturating_add(1);
        self.doc.append(&parent.id, self.placed(child, depth));
    }
    fn append_before_sibling(&self, sibling: &Handle, child: NodeOrText<Handle>) {
        let depth = self.depth_of(sibling.index);
        self.doc.append_before_sibling(&sibling.id, self.placed(child, depth));
    }
    fn append_based_on_parent_node(&self, element: &Handle, previous: &Handle, child: NodeOrText<Handle>) {
        let depth = self.depth_of(previous.index).saturating_add(1);
        self.doc.append_based_on_parent_node(&element.id, &previous.id, self.placed(child, depth));
    }
    fn append_doctype_to_document(&self, name: StrTendril, public: StrTendril, system: StrTendril) {
        self.tick();
        self.doc.append_doctype_to_document(name, public, system);
    }
    fn get_template_contents(&self, target: &Handle) -> Handle {
        // `create_element` puts the content right behind its template.
        let contents = Handle { id: self.doc.get_template_contents(&target.id), index: target.index + 1 };
        self.place(contents.index, self.depth_of(target.index).saturating_add(1));
        contents
    }
    fn same_node(&self, x: &Handle, y: &Handle) -> bool {
        x.id == y.id
    }
    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.doc.set_quirks_mode(mode);
    }
    fn add_attrs_if_missing(&self, target: &Handle, attrs: Vec<Attribute>) {
        // Each further <html …> tag would be compared with all attributes so far.
        self.tick();
        self.additions.set(self.additions.get() + 1);
        if self.additions.get() <= 16 {
            self.doc.add_attrs_if_missing(&target.id, attrs);
        }
    }
    fn remove_from_parent(&self, target: &Handle) {
        self.doc.remove_from_parent(&target.id);
    }
    fn reparent_children(&self, node: &Handle, new_parent: &Handle) {
        self.doc.reparent_children(&node.id, &new_parent.id);
    }
    fn is_mathml_annotation_xml_integration_point(&self, handle: &Handle) -> bool {
        self.doc.is_mathml_annotation_xml_integration_point(&handle.id)
    }
}
