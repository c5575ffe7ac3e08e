//! Fields: which node, which attribute, which cleaning.

use super::dom::{Node, Selector};
use super::pattern::compiled;
use super::text::{plain, squeeze, trim};
use super::{html, image};
use crate::model::{Clean, Field, Image};
use regex::Regex;
use serde_json::Value;
use std::sync::Arc;
use url::Url;

/// A field's ways of reading, compiled once per layout.
pub(super) struct Reader {
    ways: Vec<Way>,
}

struct Way {
    /// `None`: the entry itself.
    selector: Option<Selector>,
    attribute: Option<String>,
    path: String,
    clean: Vec<Step>,
}

enum Step {
    Prefix(String),
    Replace(Arc<Regex>, String),
    Match(Arc<Regex>),
}

impl Reader {
    /// Compiles. A way that does not compile is left out: `config` has reported it.
    pub(super) fn new(fields: &[Field]) -> Self {
        Self { ways: fields.iter().filter_map(Way::html).collect() }
    }

    /// For JSON, where `select` is a dotted path.
    pub(super) fn json(fields: &[Field]) -> Self {
        Self { ways: fields.iter().map(|field| Way::new(field, None)).collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ways.is_empty()
    }

    /// The first text that some way yields.
    pub(super) fn text(&self, node: Node<'_>) -> Option<String> {
        self.first(node, |way, at| match &way.attribute {
            Some(name) => way.clean(&squeeze(&at.attribute(name)?)),
            None => way.clean(&plain(at)),
        })
    }

    /// Like `text`, but an element without an attribute in the field gives its `href`, and `@self` is the
    /// address of the page itself, for an article page that stands for its own entry.
    pub(super) fn link(&self, node: Node<'_>, page: &Url) -> Option<String> {
        self.first(node, |way, at| match &way.attribute {
            Some(name) if name == "self" => Some(page.to_string()),
            Some(name) => way.clean(&at.attribute(name)?),
            None => way.clean(&at.attribute("href").unwrap_or_else(|| plain(at))),
        })
    }

    /// Every text of the first way that yields any.
    pub(super) fn texts(&self, node: Node<'_>) -> Vec<String> {
        let mut found = Vec::new();
        for way in &self.ways {
            for at in way.nodes(node) {
                let text = way.attribute.as_ref().map_or_else(|| Some(plain(at)), |name| at.attribute(name));
                found.extend(text.and_then(|text| way.clean(&text)));
            }
            if !found.is_empty() {
                break;
            }
        }
        found
    }

    /// The first picture.
    pub(super) fn image(&self, node: Node<'_>, base: &Url) -> Option<Image> {
        self.first(node, |way, at| match &way.attribute {
            Some(name) => image::from_attribute(at, name, base),
            None => image::of(at, base),
        })
    }

    /// The nodes of the first way that `fits` accepts one of; none inside another.
    pub(super) fn nodes<'a>(&self, node: Node<'a>, fits: impl Fn(Node<'a>) -> bool) -> Vec<Node<'a>> {
        for way in &self.ways {
            let mut outer: Vec<Node<'a>> = Vec::new();
            for at in way.nodes(node) {
                if outer.last().is_none_or(|last| !at.is_below(*last)) {
                    outer.push(at);
                }
            }
            if outer.iter().any(|at| fits(*at)) {
                return outer;
            }
        }
        Vec::new()
    }

    /// The text at a path of a JSON object.
    pub(super) fn value(&self, object: &Value) -> Option<String> {
        self.ways.iter().find_map(|way| way.clean(&squeeze(&html::unescape(&scalar(at_path(object, &way.path)?)?))))
    }

    fn first<'a, T>(&self, node: Node<'a>, read: impl Fn(&Way, Node<'a>) -> Option<T>) -> Option<T> {
        self.ways.iter().find_map(|way| way.nodes(node).into_iter().find_map(|at| read(way, at)))
    }
}

impl Way {
    fn html(field: &Field) -> Option<Self> {
        let selector = if field.select.is_empty() { None } else { Some(Selector::new(&field.select).ok()?) };
        Some(Self::new(field, selector))
    }

    fn new(field: &Field, selector: Option<Selector>) -> Self {
        let clean = field.clean.iter().filter_map(Step::new).collect();
        Self { selector, attribute: field.attribute.clone(), path: field.select.clone(), clean }
    }

    fn nodes<'a>(&self, node: Node<'a>) -> Vec<Node<'a>> {
        self.selector.as_ref().map_or_else(|| vec![node], |selector| node.select(selector))
    }

    /// The cleaned text, unless nothing is left of it.
    fn clean(&self, text: &str) -> Option<String> {
        let mut text = trim(text).to_owned();
        for step in &self.clean {
            text = step.apply(&text)?;
        }
        let text = trim(&text);
        (!text.is_empty()).then(|| text.to_owned())
    }
}

impl Step {
    fn new(clean: &Clean) -> Option<Self> {
        match clean {
            Clean::StripPrefix(prefix) => Some(Self::Prefix(prefix.clone())),
            Clean::Replace { pattern, with } => Some(Self::Replace(compiled(pattern)?, with.clone())),
            Clean::Match(pattern) => Some(Self::Match(compiled(pattern)?)),
        }
    }

    fn apply(&self, text: &str) -> Option<String> {
        match self {
            Self::Prefix(prefix) => Some(trim(text.strip_prefix(prefix.as_str()).unwrap_or(text)).to_owned()),
            Self::Replace(pattern, with) => Some(pattern.replace_all(text, with.as_str()).into_owned()),
            Self::Match(pattern) => {
                let found = pattern.captures(text)?;
                found.get(1).or_else(|| found.get(0)).map(|part| part.as_str().to_owned())
            }
        }
    }
}

/// The value at a dotted path; `""` is the value itself, a number picks an array member.
pub(super) fn at_path<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').filter(|part| !part.is_empty()).try_fold(value, |at, part| match at {
        Value::Array(members) => members.get(part.parse::<usize>().ok()?),
        _ => at.get(part),
    })
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(members) => members.first().filter(|first| !first.is_array()).and_then(scalar),
        _ => None,
    }
}
