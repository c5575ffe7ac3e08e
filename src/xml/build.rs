//! Tokens → tree: namespaces, limits, and the bookkeeping of open elements.

use super::namespace::Namespace;
use super::recover;
use super::scan::{Attribute, Scanner, Token};
use super::tree::{Document, Id, Kind, Node};
use super::trouble::{Trouble, limits};

/// An element whose end tag was not met yet.
pub(super) struct Open<'a> {
    id: Id,
    /// The name as written, which its end tag repeats.
    pub(super) name: &'a str,
    /// The name in lower case without its prefix.
    pub(super) local: &'a str,
    /// How many namespace bindings there were before it.
    bindings: usize,
}

struct Builder<'a> {
    scanner: Scanner<'a>,
    nodes: Vec<Node<'a>>,
    attributes: Vec<Attribute<'a>>,
    open: Vec<Open<'a>>,
    /// How many open names have this fingerprint: an end tag that fits nothing is mostly known at once.
    fingerprints: Vec<u16>,
    /// Prefix ("" for the default) and namespace, innermost last.
    bindings: Vec<(&'a str, Namespace)>,
    /// Open elements that are too deep to be kept.
    too_deep: usize,
    roots: usize,
    frame_seen: bool,
    has_base: bool,
    has_language: bool,
}

/// Reads a whole document.
pub(super) fn document(text: &str) -> Document<'_> {
    let mut builder = Builder {
        scanner: Scanner::new(text),
        // One node for every 32 bytes is what feeds need on average.
        nodes: Vec::with_capacity((text.len() / 32).min(limits::NODES) + 1),
        attributes: Vec::with_capacity((text.len() / 256).min(limits::ALL_ATTRIBUTES)),
        open: Vec::new(),
        fingerprints: vec![0; FINGERPRINTS],
        bindings: Vec::new(),
        too_deep: 0,
        roots: 0,
        frame_seen: false,
        has_base: false,
        has_language: false,
    };
    builder.nodes.push(node("", Kind::Element, Namespace::Other));
    builder.run();
    Document {
        source: text,
        nodes: builder.nodes,
        attributes: builder.attributes,
        troubles: builder.scanner.troubles,
        has_base: builder.has_base,
        has_language: builder.has_language,
    }
}

fn node(text: &str, kind: Kind, namespace: Namespace) -> Node<'_> {
    Node { text, parent: 0, first: 0, last: 0, next: 0, attributes: 0, attribute_count: 0, kind, namespace }
}

/// How many different fingerprints there are.
const FINGERPRINTS: usize = 1024;

/// A number that few names share.
fn fingerprint(name: &str) -> usize {
    name.bytes().take(16).fold(name.len(), |hash, byte| hash.wrapping_mul(31) ^ usize::from(byte)) % FINGERPRINTS
}

impl<'a> Builder<'a> {
    fn run(&mut self) {
        loop {
            let at = self.scanner.position();
            let open = self.open.last().map_or("", |open| open.name);
            let Some(token) = self.scanner.next(open) else { break };
            match token {
                Token::Text(text) => self.text(text, Kind::Text, at),
                Token::Literal(text) => self.text(text, Kind::Literal, at),
                Token::Open { name, empty } => self.start(name, empty, at),
                Token::Close(name) => self.end(name, at),
            }
        }
        if !self.open.is_empty() {
            self.scanner.troubles.note(Trouble::UnclosedElement, self.scanner.position());
        }
    }

    fn text(&mut self, mut text: &'a str, kind: Kind, at: usize) {
        if self.too_deep > 0 || text.is_empty() {
            return;
        }
        if self.open.is_empty() {
            if self.roots == 0 && !text.trim_start_matches('\u{FEFF}').trim_ascii().is_empty() {
                self.scanner.troubles.note(Trouble::Junk, at);
            }
            return;
        }
        if text.len() > limits::TEXT {
            self.scanner.troubles.note(Trouble::Text, at);
            text = &text[..text.floor_char_boundary(limits::TEXT)];
        }
        // White space between tags is half of all text nodes, and never says anything at the start of an element.
        let parent = self.open.last().map_or(0, |open| open.id);
        if self.nodes[parent as usize].first == 0 && kind == Kind::Text && text.trim_ascii().is_empty() {
            return;
        }
        self.append(node(text, kind, Namespace::Other), at);
    }

    /// Adds a node to the innermost open element; 0 when the document has too many.
    fn append(&mut self, mut node: Node<'a>, at: usize) -> Id {
        if self.nodes.len() >= limits::NODES {
            self.scanner.troubles.note(Trouble::Nodes, at);
            return 0;
        }
        // NODES is far below u32::MAX.
        let id = Id::try_from(self.nodes.len()).unwrap_or(0);
        node.parent = self.open.last().map_or(0, |open| open.id);
        let parent = &mut self.nodes[node.parent as usize];
        let before = parent.last;
        parent.last = id;
        if before == 0 {
            parent.first = id;
        } else {
            self.nodes[before as usize].next = id;
        }
        self.nodes.push(node);
        id
    }

    fn start(&mut self, name: &'a str, empty: bool, at: usize) {
        let (prefix, local) = name.split_once(':').unwrap_or(("", name));
        let local = recover::folded(local);
        if recover::is_frame(local) && !self.frame_seen {
            // Whatever stands open before the feed begins (a PHP warning, an HTML page) does not contain it.
            self.frame_seen = true;
            self.leave(0);
            if self.roots > 0 {
                self.scanner.troubles.note(Trouble::Junk, at);
                self.roots = 0;
            }
        }
        let keep = recover::still_open(&self.open, prefix, local);
        if keep < self.open.len() {
            self.scanner.troubles.note(Trouble::UnclosedElement, at);
            self.leave(keep);
        }
        if self.open.len() >= limits::DEPTH || self.too_deep > 0 {
            self.scanner.troubles.note(Trouble::Depth, at);
            self.too_deep += usize::from(!empty);
            return;
        }
        self.roots += usize::from(self.open.is_empty());
        if self.roots == 2 && self.open.is_empty() {
            self.scanner.troubles.note(Trouble::SecondRoot, at);
        }
        let bindings = self.bindings.len();
        self.declare(at);
        let namespace = self.resolve(prefix, at);
        let id = self.append(node(local, Kind::Element, namespace), at);
        self.store_attributes(id, at);
        if empty || recover::never_closed(local) {
            self.bindings.truncate(bindings);
        } else if id != 0 {
            self.open.push(Open { id, name, local, bindings });
            self.fingerprints[fingerprint(name)] += 1;
        }
    }

    fn store_attributes(&mut self, id: Id, at: usize) {
        let start = self.attributes.len();
        for &attribute in &self.scanner.attributes {
            if self.attributes.len() >= limits::ALL_ATTRIBUTES {
                self.scanner.troubles.note(Trouble::Attributes, at);
                break;
            }
            self.has_base |= attribute.name.eq_ignore_ascii_case("xml:base");
            self.has_language |= attribute.name.eq_ignore_ascii_case("xml:lang");
            self.attributes.push(attribute);
        }
        if id != 0 {
            // At most 256 a tag and 400,000 in all.
            self.nodes[id as usize].attributes = u32::try_from(start).unwrap_or(0);
            self.nodes[id as usize].attribute_count = u16::try_from(self.attributes.len() - start).unwrap_or(0);
        }
    }

    /// Takes over the namespace declarations of the current tag.
    fn declare(&mut self, at: usize) {
        let before = self.bindings.len();
        for attribute in &self.scanner.attributes {
            let prefix = match attribute.name.strip_prefix("xmlns") {
                Some("") => "",
                Some(rest) => match rest.strip_prefix(':') {
                    Some(prefix) => prefix,
                    None => continue,
                },
                None => continue,
            };
            if self.bindings.len() - before >= limits::DECLARATIONS || self.bindings.len() >= limits::BINDINGS {
                self.scanner.troubles.note(Trouble::Declarations, at);
                return;
            }
            // A root's own namespace that nobody knows is that of the feed; elsewhere it is foreign.
            let unknown = match (prefix, self.open.is_empty()) {
                ("", true) => Namespace::Core,
                ("", false) => Namespace::Other,
                _ => Namespace::from_prefix(prefix).unwrap_or(Namespace::Other),
            };
            let namespace = Namespace::from_uri(attribute.value).unwrap_or(unknown);
            // XHTML content often declares itself again on every element.
            let in_force = self.bindings.iter().rev().find(|(bound, _)| *bound == prefix);
            if in_force != Some(&(prefix, namespace)) {
                self.bindings.push((prefix, namespace));
            }
        }
    }

    fn resolve(&mut self, prefix: &str, at: usize) -> Namespace {
        if let Some((_, namespace)) = self.bindings.iter().rev().find(|(bound, _)| *bound == prefix) {
            return *namespace;
        }
        if prefix.is_empty() {
            return Namespace::Core;
        }
        if !prefix.eq_ignore_ascii_case("xml") {
            self.scanner.troubles.note(Trouble::UndeclaredPrefix, at);
        }
        Namespace::from_prefix(prefix).unwrap_or(Namespace::Other)
    }

    fn end(&mut self, name: &str, at: usize) {
        let (_, local) = name.split_once(':').unwrap_or(("", name));
        let local = recover::folded(local);
        if recover::never_closed(local) {
            return;
        }
        if self.too_deep > 0 {
            if !recover::is_outline(local) {
                self.too_deep -= 1;
                return;
            }
            self.too_deep = 0;
        }
        let same = || self.open.iter().rposition(|open| open.name == name);
        let outline = || self.open.iter().rposition(|open| open.local == local);
        let found = if self.fingerprints[fingerprint(name)] > 0 { same() } else { None };
        let found = if recover::is_outline(local) { found.or_else(outline) } else { found };
        let Some(found) = found else { return self.scanner.troubles.note(Trouble::StrayEnd, at) };
        if found + 1 < self.open.len() {
            self.scanner.troubles.note(Trouble::UnclosedElement, at);
        }
        self.leave(found);
    }

    /// Closes all open elements from this depth on.
    fn leave(&mut self, depth: usize) {
        if let Some(open) = self.open.get(depth) {
            self.bindings.truncate(open.bindings);
            for open in self.open.drain(depth..) {
                self.fingerprints[fingerprint(open.name)] -= 1;
            }
        }
        self.too_deep = 0;
    }
}
