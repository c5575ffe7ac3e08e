//! The YAML text → nodes that know their place. The only file that talks to the YAML crate.

use super::diagnostic::{Diagnostic, Place};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_yaml::budget::BudgetBreach;
use serde_yaml::granit_parser::{Event, Parser};
use serde_yaml::options::DuplicateKeyPolicy;
use serde_yaml::{Error, Location, Spanned};
use std::borrow::Cow;
use std::fmt;

/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 16 << 20;
const MAX_DEPTH: usize = 32;
/// What is written out costs no more than its bytes, so much of it is allowed: some 80,000 channels.
const MAX_NODES: usize = 600_000;
/// What aliases and merge keys stand for costs without being written: row X-17.
const MAX_ALIAS_NODES: usize = 10_000;
/// Anchors are copied when they are read, nested ones once for each anchor around them.
const MAX_ANCHORED_NODES: usize = 20_000;
const MAX_ANCHORED_BYTES: usize = 512 << 10;

/// A value with the place it was written at. While a file is read there is one for every word of it, and allocators keep
/// what is freed below what lives on: what the YAML crate notes of a place takes four times as much.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tree<'t> {
    pub(super) value: Node<'t>,
    pub(super) place: Place,
}

/// What YAML knows.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node<'t> {
    Null,
    Bool(bool),
    /// A whole number; those beyond 64 bits arrive as `Float`. Boxed, for in here it would make every node larger.
    Int(Box<i128>),
    Float,
    /// Borrowed from the file where it stands there as it is.
    Text(Cow<'t, str>),
    List(Box<[Tree<'t>]>),
    /// In the order of the file, duplicate keys included.
    Map(Box<[(Tree<'t>, Tree<'t>)]>),
}

impl Node<'_> {
    /// The text, if it is text.
    pub(super) fn text(&self) -> Option<&str> {
        if let Node::Text(text) = self { Some(text) } else { None }
    }

    /// What it is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Node::Null => "nothing",
            Node::Bool(_) => "true or false",
            Node::Int(_) => "a number",
            Node::Float => "a number with a point",
            Node::Text(_) => "text",
            Node::List(_) => "a list",
            Node::Map(_) => "a map",
        }
    }
}

impl<'de> Deserialize<'de> for Tree<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, defined, .. } = Spanned::deserialize(deserializer)?;
        Ok(Self { value, place: Place::of(defined) })
    }
}

impl<'de> Deserialize<'de> for Node<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a YAML value")
    }
    fn visit_unit<E>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }
    fn visit_none<E>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Node<'de>, E> {
        Ok(Node::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Node<'de>, E> {
        Ok(Node::Int(Box::new(value.into())))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Node<'de>, E> {
        Ok(Node::Int(Box::new(value.into())))
    }
    fn visit_f64<E>(self, _: f64) -> Result<Node<'de>, E> {
        Ok(Node::Float)
    }
    fn visit_str<E>(self, value: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(value.to_owned().into()))
    }
    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(value.into()))
    }
    fn visit_string<E>(self, value: String) -> Result<Node<'de>, E> {
        Ok(Node::Text(value.into()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(member) = seq.next_element()? {
            list.push(member);
        }
        Ok(Node::List(list.into()))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node<'de>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries.into()))
    }
}

/// Reads `text` (without a byte order mark).
///
/// # Errors
/// One diagnostic for the first thing that is not YAML or goes past a limit; one for each tag.
pub(super) fn read(text: &str) -> Result<Tree<'_>, Vec<Diagnostic>> {
    if text.len() > MAX_BYTES {
        let message = format!("the file is larger than {} MiB", MAX_BYTES >> 20);
        return Err(vec![Diagnostic::error("", Place::START, message).help("split the service into several")]);
    }
    if let Some(bad) = forbidden_character(text) {
        return Err(vec![bad]);
    }
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        let help = "a first file needs `service`, `channels` and `feeds`; see docs/feeds-yaml.md";
        return Err(vec![Diagnostic::error("", Place::START, "the file is empty").help(help)]);
    }
    let tree = serde_yaml::from_str_with_options::<Tree<'_>>(text, options()).map_err(|error| vec![refusal(&error)])?;
    let tags = tags(text);
    if tags.is_empty() { Ok(tree) } else { Err(tags) }
}

fn options() -> serde_yaml::Options {
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_events: 3 * MAX_NODES,
            max_nodes: MAX_NODES,
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_aliases: MAX_ALIAS_NODES,
            max_anchors: 1_000,
            max_recorded_anchor_events: MAX_ANCHORED_NODES,
            max_recorded_anchor_bytes: MAX_ANCHORED_BYTES,
            max_documents: 1,
            max_total_scalar_bytes: 2 * MAX_BYTES,
            max_merge_keys: 1_000,
            // The limits above are enough; a ratio would refuse an anchor that is used in many layouts.
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: serde_yaml::alias_limits! {
            max_total_replayed_events: MAX_ALIAS_NODES,
            max_replay_stack_depth: MAX_DEPTH,
        },
        // The decoder reports every duplicate; the parser would stop at the first.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        leading_zero_numbers_as_strings: true,
        strict_booleans: true,
        with_snippet: false,
    }
}

/// YAML 1.2 section 5.1 allows no other control characters; U+0085 and the C1 block are legal but never meant.
fn forbidden_character(text: &str) -> Option<Diagnostic> {
    let at = text.find(|c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))?;
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let code = text[at..].chars().next().map_or(0, u32::from);
    let message = format!("the control character U+{code:04X} may not stand in the file");
    Some(Diagnostic::error("", Place::point(line, column), message).help("delete it, or save the file as plain text"))
}

fn refusal(error: &Error) -> Diagnostic {
    let location = error.location().unwrap_or(Location::UNKNOWN);
    let place = Place::of(location);
    let (message, help) = explain(error);
    let diagnostic = Diagnostic::error("", place, message);
    if help.is_empty() { diagnostic } else { diagnostic.help(help) }
}

fn explain(error: &Error) -> (String, &'static str) {
    match error.without_snippet() {
        Error::AliasReplayLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. }
        | Error::AliasReplayCounterOverflow { .. }
        | Error::AliasExpansionLimitExceeded { .. } => too_many_aliases(),
        Error::Budget { breach, .. } => over_budget(breach),
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            ("an alias (`*name`) stands inside what it names".to_owned(), "write the value out")
        }
        Error::MultipleDocuments { .. } => second_document(),
        Error::MergeValueNotMapOrSeqOfMaps { .. } => {
            ("`<<` takes an alias of a map, or a list of those".to_owned(), "write `<<: *name`")
        }
        other => match one_line(&other.to_string()) {
            text if text.contains("alias replay limit") => too_many_aliases(),
            text if text.contains("recursion limit") => too_deep(),
            text => (format!("this is not YAML: {text}"), ""),
        },
    }
}

fn too_many_aliases() -> (String, &'static str) {
    (format!("aliases (`*name`) stand for more than {MAX_ALIAS_NODES} values"), "write the values out")
}

fn too_deep() -> (String, &'static str) {
    (format!("the file is nested deeper than {MAX_DEPTH}"), "make it flatter")
}

fn second_document() -> (String, &'static str) {
    ("the file holds a second YAML document".to_owned(), "remove the line `---` and what follows it")
}

fn over_budget(breach: &BudgetBreach) -> (String, &'static str) {
    match breach {
        BudgetBreach::Documents { .. } => second_document(),
        BudgetBreach::Depth { .. } => too_deep(),
        BudgetBreach::Nodes { .. } => (format!("the file holds more than {MAX_NODES} values"), "split the service"),
        other => (format!("the file goes past a safety limit: {other:?}"), "make the file smaller"),
    }
}

/// The YAML crate ends its messages with a place, which the diagnostic shows better.
fn one_line(message: &str) -> String {
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.trim_start_matches("error: ");
    line.split(" at line ").next().unwrap_or(line).to_owned()
}

/// Tags (`!name`) change what a value is behind the reader's back; feeds.yaml has no use for them.
fn tags(text: &str) -> Vec<Diagnostic> {
    if !text.contains('!') {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (event, span) in Parser::new_from_str(text).map_while(Result::ok) {
        let tagged = matches!(
            event,
            Event::Scalar(_, _, _, Some(_)) | Event::SequenceStart(_, _, Some(_)) | Event::MappingStart(_, _, Some(_))
        );
        if tagged {
            let place = Place::point(span.start.line(), span.start.col() + 1);
            let help = "remove the tag; put the value in quotes if text is meant";
            found.push(Diagnostic::error("", place, "tags (`!name`) are not used in feeds.yaml").help(help));
        }
    }
    found
}
