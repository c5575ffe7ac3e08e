//! How a feeds.yaml is written: where its values begin and end in the bytes of the text. `insert` adds to it.

use serde_yaml::granit_parser::{Event, Parser, ScalarStyle, Span, StructureStyle};
use std::borrow::Cow;

/// A value and its place, in bytes.
#[derive(Debug)]
pub(super) struct Node<'t> {
    pub(super) what: What<'t>,
    pub(super) start: usize,
    /// Behind the last character that belongs to it; 0 if nothing is written.
    pub(super) end: usize,
    /// Whether aliases may repeat it elsewhere.
    pub(super) anchored: bool,
}

/// What is written.
#[derive(Debug)]
pub(super) enum What<'t> {
    /// Text in one line; `false`: in a form of its own (`|`, `>`).
    Scalar(Cow<'t, str>, bool),
    /// `*name`.
    Alias,
    List {
        /// `[…]` rather than lines with `-`.
        flow: bool,
        members: Vec<Node<'t>>,
    },
    Map {
        /// `{…}` rather than lines with `key:`.
        flow: bool,
        entries: Vec<(Node<'t>, Node<'t>)>,
    },
}

impl<'t> Node<'t> {
    /// The key and the value of a member of a map.
    pub(super) fn entry(&self, name: &str) -> Option<&(Node<'t>, Node<'t>)> {
        let What::Map { entries, .. } = &self.what else { return None };
        entries.iter().find(|(key, _)| matches!(&key.what, What::Scalar(text, _) if text == name))
    }
}

/// A list or map that has not ended, and in a map the key that waits for its value.
struct Open<'t> {
    node: Node<'t>,
    key: Option<Node<'t>>,
}

/// The outermost value of `text`; `None` if the text is not YAML. The caller has loaded it: it is not too deep.
pub(super) fn read(text: &str) -> Option<Node<'_>> {
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut outermost = None;
    for step in Parser::new_from_str(text) {
        let (event, span) = step.ok()?;
        let place = |span: &Span| span.byte_range();
        let done = match event {
            Event::Scalar(value, style, anchor, _) => {
                let range = place(&span)?;
                let plain = !matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                let written = text.get(range.clone())?.trim_end();
                let end = if written.is_empty() { 0 } else { range.start + written.len() };
                Some(Node { what: What::Scalar(value, plain), start: range.start, end, anchored: anchor != 0 })
            }
            Event::Alias(_) => {
                let range = place(&span)?;
                Some(Node { what: What::Alias, start: range.start, end: range.end, anchored: false })
            }
            Event::SequenceStart(style, anchor, _) => {
                let what = What::List { flow: style == StructureStyle::Flow, members: Vec::new() };
                open.push(Open { node: begun(what, &span, anchor)?, key: None });
                None
            }
            Event::MappingStart(style, anchor, _) => {
                let what = What::Map { flow: style == StructureStyle::Flow, entries: Vec::new() };
                open.push(Open { node: begun(what, &span, anchor)?, key: None });
                None
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let mut node = open.pop()?.node;
                // The end of a block is where the next thing begins, behind comments; its last member knows better.
                if matches!(node.what, What::List { flow: true, .. } | What::Map { flow: true, .. }) {
                    node.end = place(&span)?.end;
                }
                Some(node)
            }
            _ => None,
        };
        if let Some(node) = done {
            match open.last_mut() {
                Some(parent) => parent.take(node),
                None => outermost = Some(node),
            }
        }
    }
    outermost
}

fn begun<'t>(what: What<'t>, span: &Span, anchor: usize) -> Option<Node<'t>> {
    Some(Node { what, start: span.byte_range()?.start, end: 0, anchored: anchor != 0 })
}

impl<'t> Open<'t> {
    fn take(&mut self, node: Node<'t>) {
        self.node.end = self.node.end.max(node.end);
        match &mut self.node.what {
            What::List { members, .. } => members.push(node),
            What::Map { entries, .. } => match self.key.take() {
                Some(key) => entries.push((key, node)),
                None => self.key = Some(node),
            },
            What::Scalar(..) | What::Alias => {}
        }
    }
}
