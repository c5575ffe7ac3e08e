//! Builds the document that html5ever reads, and watches what it costs.

use super::{MAX_DEPTH, MAX_EVENTS, MAX_NAMES, MAX_NODES, MAX_WORDS};
use dom_query::{Document, NodeId};
use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::StrTendril;
use html5ever::{Attribute, LocalName, QualName};
use std::borrow::Cow;
use std::cell::{Cell, Ref, RefCell};
use std::collections::HashSet;

/// Longer names are kept in one table for the whole process, whose every step costs as much as there are names that
/// share a place in it (`string_cache` 0.9); shorter ones stand in the node itself.
const IN_PLACE: usize = 7;

/// A node with its place in the list of nodes, which `dom_query` keeps to itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Handle {
    id: NodeId,
    index: usize,
}

/// Builds the document and watches its depth and size.
#[derive(Default)]
pub(super) struct Guard {
    doc: Document,
    /// The depth of each node that was placed; a template's content counts as below the template.
    depth: RefCell<Vec<u16>>,
    deepest: Cell<u16>,
    /// Grows with everything that the parser builds.
    events: Cell<u64>,
    /// How often attributes were added to `html` or `body` afterwards.
    additions: Cell<u32>,
    /// The different names of elements and attributes that do not stand in their nodes.
    names: RefCell<HashSet<LocalName>>,
}

impl Guard {
    /// Which limit was passed.
    pub(super) fn reached(&self, words: usize) -> Option<&'static str> {
        if self.deepest.get() > MAX_DEPTH {
            Some("a depth of 256 elements")
        } else if self.doc.tree.len() > MAX_NODES {
            Some("250,000 nodes")
        } else if self.events.get() > MAX_EVENTS {
            Some("a million pieces of markup and text")
        } else if self.names.borrow().len() > MAX_NAMES {
            Some("10,000 different names of elements and attributes")
        } else if words > MAX_WORDS {
            Some("8,192 attributes or words in one tag or comment")
        } else {
            None
        }
    }

    /// How much the parser has built.
    pub(super) fn events(&self) -> u64 {
        self.events.get()
    }

    fn name(&self, name: &LocalName) {
        if name.len() > IN_PLACE {
            self.names.borrow_mut().insert(name.clone());
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
        self.name(&name.local);
        for attribute in &attrs {
            self.name(&attribute.name.local);
        }
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
