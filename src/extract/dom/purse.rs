//! What a selector costs: every node that it looks at besides the one that is asked about is counted, and there it ends.
//!
//! `b ~ a` and `a:has(~ b)` look at all that stands beside every `a`: on a page of 60,000 links that is two thousand
//! million nodes. Of an honest page a selector looks at a few for each.

use dom_query::{NodeData, NodeRef};
use selectors::attr::{AttrSelectorOperation, CaseSensitivity, NamespaceConstraint};
use selectors::bloom::BloomFilter;
use selectors::matching::{ElementSelectorFlags, MatchingContext};
use selectors::{Element, OpaqueElement, SelectorImpl};
use std::cell::{Cell, RefCell};

/// Nodes that a selector may look at on any page.
const FLAT: u64 = 1_000_000;
/// And for each node of the page: pages are some 30 elements deep, and `a b` may look at all that are around a `b`.
const FOR_EACH: u64 = 32;
/// Bytes of text or of an attribute that count as much as a node.
const BYTES: usize = 256;
/// Attributes that count as much as a node.
const ATTRIBUTES: usize = 16;

/// What a selector may still cost on the page that it was compiled for, in nodes.
#[derive(Default)]
pub(super) struct Purse {
    spent: Cell<u64>,
    most: Cell<u64>,
}

impl Purse {
    /// Says how many nodes the page has.
    pub(super) fn fill(&self, nodes: usize) {
        self.most.set(FLAT + FOR_EACH * nodes as u64);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.spent.get() > self.most.get()
    }

    /// Counts; `false` when there is no more to spend.
    fn pay(&self, cost: usize) -> bool {
        self.spent.set(self.spent.get() + cost as u64);
        !self.is_empty()
    }
}

/// The first selector of a page whose purse ran empty.
#[derive(Default)]
pub(super) struct Overspent(RefCell<Option<String>>);

impl Overspent {
    pub(super) fn note(&self, css: &str) {
        self.0.borrow_mut().get_or_insert_with(|| css.to_owned());
    }

    pub(super) fn selector(&self) -> Option<String> {
        self.0.borrow().clone()
    }
}

/// An element that pays for every step away from it. With an empty purse it stands alone.
#[derive(Clone)]
pub(super) struct Counted<'a> {
    pub(super) node: NodeRef<'a>,
    pub(super) purse: &'a Purse,
}

// `selectors` asks for it; nobody prints it.
impl std::fmt::Debug for Counted<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.node.fmt(formatter)
    }
}

type Impl<'a> = <NodeRef<'a> as Element>::Impl;

impl<'a> Counted<'a> {
    /// The first element from `at` on, going by `step`; text and comments on the way count.
    fn walk(&self, mut at: Option<NodeRef<'a>>, step: fn(&NodeRef<'a>) -> Option<NodeRef<'a>>) -> Option<Self> {
        while let Some(node) = at {
            if !self.purse.pay(1) {
                return None;
            }
            if node.is_element() {
                return Some(Self { node, purse: self.purse });
            }
            at = step(&node);
        }
        None
    }

    /// Pays for looking through the attributes, where there are many or long ones.
    fn pay_for_attributes(&self) -> bool {
        let cost = self.node.query_or(0, |node| match &node.data {
            NodeData::Element(element) => {
                let bytes: usize = element.attrs.iter().map(|attribute| attribute.value.len()).sum();
                element.attrs.len() / ATTRIBUTES + bytes / BYTES
            }
            _ => 0,
        });
        cost == 0 || self.purse.pay(cost)
    }

    /// Pays for all that is below.
    fn pay_for_text(&self) -> bool {
        self.node.descendants_it().all(|node| {
            let bytes = node.query_or(0, |node| match &node.data {
                NodeData::Text { contents } => contents.len(),
                _ => 0,
            });
            self.purse.pay(1 + bytes / BYTES)
        })
    }
}

impl<'a> Element for Counted<'a> {
    type Impl = Impl<'a>;

    fn parent_element(&self) -> Option<Self> {
        let node = self.node.parent()?;
        self.purse.pay(1).then_some(Self { node, purse: self.purse })
    }
    fn prev_sibling_element(&self) -> Option<Self> {
        self.walk(self.node.prev_sibling(), NodeRef::prev_sibling)
    }
    fn next_sibling_element(&self) -> Option<Self> {
        self.walk(self.node.next_sibling(), NodeRef::next_sibling)
    }
    fn first_element_child(&self) -> Option<Self> {
        self.walk(self.node.first_child(), NodeRef::next_sibling)
    }
    fn attr_matches(
        &self,
        ns: &NamespaceConstraint<&<Self::Impl as SelectorImpl>::NamespaceUrl>,
        local_name: &<Self::Impl as SelectorImpl>::LocalName,
        operation: &AttrSelectorOperation<&<Self::Impl as SelectorImpl>::AttrValue>,
    ) -> bool {
        self.pay_for_attributes() && self.node.attr_matches(ns, local_name, operation)
    }
    fn has_id(&self, id: &<Self::Impl as SelectorImpl>::Identifier, case: CaseSensitivity) -> bool {
        self.pay_for_attributes() && Element::has_id(&self.node, id, case)
    }
    fn has_class(&self, name: &<Self::Impl as SelectorImpl>::Identifier, case: CaseSensitivity) -> bool {
        self.pay_for_attributes() && Element::has_class(&self.node, name, case)
    }
    fn match_non_ts_pseudo_class(
        &self,
        class: &<Self::Impl as SelectorImpl>::NonTSPseudoClass,
        context: &mut MatchingContext<'_, Self::Impl>,
    ) -> bool {
        // Most of them look at the text below: `:contains()`, `:has-text()`, `:only-text`.
        self.pay_for_text() && self.node.match_non_ts_pseudo_class(class, context)
    }
    fn is_empty(&self) -> bool {
        // An element or a text ends the look; comments may be many.
        let tells = |node: &NodeRef<'a>| node.is_element() || node.is_text();
        let mut at = self.node.first_child();
        while let Some(node) = at.filter(|node| !tells(node)) {
            if !self.purse.pay(1) {
                return false;
            }
            at = node.next_sibling();
        }
        Element::is_empty(&self.node)
    }

    fn opaque(&self) -> OpaqueElement {
        self.node.opaque()
    }
    fn parent_node_is_shadow_root(&self) -> bool {
        false
    }
    fn containing_shadow_host(&self) -> Option<Self> {
        None
    }
    fn is_pseudo_element(&self) -> bool {
        false
    }
    fn is_html_element_in_html_document(&self) -> bool {
        self.node.is_html_element_in_html_document()
    }
    fn has_local_name(&self, name: &<Self::Impl as SelectorImpl>::BorrowedLocalName) -> bool {
        self.node.has_local_name(name)
    }
    fn has_namespace(&self, ns: &<Self::Impl as SelectorImpl>::BorrowedNamespaceUrl) -> bool {
        self.node.has_namespace(ns)
    }
    fn is_same_type(&self, other: &Self) -> bool {
        self.node.is_same_type(&other.node)
    }
    fn match_pseudo_element(
        &self,
        _: &<Self::Impl as SelectorImpl>::PseudoElement,
        _: &mut MatchingContext<'_, Self::Impl>,
    ) -> bool {
        false
    }
    fn apply_selector_flags(&self, _: ElementSelectorFlags) {}
    fn is_link(&self) -> bool {
        Element::is_link(&self.node)
    }
    fn is_html_slot_element(&self) -> bool {
        self.node.is_html_slot_element()
    }
    fn has_custom_state(&self, _: &<Self::Impl as SelectorImpl>::Identifier) -> bool {
        false
    }
    fn imported_part(
        &self,
        _: &<Self::Impl as SelectorImpl>::Identifier,
    ) -> Option<<Self::Impl as SelectorImpl>::Identifier> {
        None
    }
    fn is_part(&self, _: &<Self::Impl as SelectorImpl>::Identifier) -> bool {
        false
    }
    fn is_root(&self) -> bool {
        Element::is_root(&self.node)
    }
    fn add_element_unique_hashes(&self, _: &mut BloomFilter) -> bool {
        false
    }
}
