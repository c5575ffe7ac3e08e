//! Walking the tree: maps with known keys, maps with free names, lists, text; every mistake is kept with its path.

use super::super::check::{self, Fault, Validators};
use super::super::diagnostic::{Diagnostic, Place, Severity};
use super::super::keys::{Key, Section};
use super::super::suggest::nearest;
use super::super::tree::{Node, Tree};
use std::collections::{HashMap, HashSet};

/// A value on the walk.
#[derive(Clone)]
pub(super) struct Item<'t> {
    pub(super) tree: &'t Tree<'t>,
    /// Such as `channels.shiping.layouts[1]`.
    pub(super) path: String,
    /// The key that the value belongs to.
    key: Place,
}

impl<'t> Item<'t> {
    pub(super) fn root(tree: &'t Tree<'t>) -> Self {
        Self { tree, path: String::new(), key: Place::START }
    }

    /// Text and numbers are underlined themselves; what spans lines is shown by its key.
    pub(super) fn place(&self) -> Place {
        match self.tree.value {
            Node::Map(_) | Node::List(_) | Node::Null => self.key,
            _ => self.tree.place,
        }
    }

    fn below(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn member(&self, index: usize, tree: &'t Tree<'t>) -> Self {
        Self { tree, path: format!("{}[{index}]", self.path), key: Place { width: 1, ..tree.place } }
    }
}

/// A map whose keys are known.
pub(super) struct Fields<'t> {
    pub(super) item: Item<'t>,
    values: Vec<(&'static Key, Item<'t>)>,
}

impl<'t> Fields<'t> {
    /// Every key that is there, in the order of the file.
    pub(super) fn iter(&self) -> impl Iterator<Item = &(&'static Key, Item<'t>)> {
        self.values.iter()
    }
    pub(super) fn get(&self, name: &str) -> Option<&Item<'t>> {
        self.values.iter().find(|(key, _)| key.name == name).map(|(_, item)| item)
    }
}

/// The most mistakes, and the most doubts, that are kept. A file with more mistakes is not read on.
const MAX_KEPT: usize = 1000;

/// The walk: collects mistakes.
pub(super) struct Walk<'v> {
    pub(super) validators: &'v Validators,
    diagnostics: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
    /// What was said about which place: an anchor's mistake is reported once, however often it is used.
    said: HashSet<(usize, usize, String)>,
    /// Patterns that were compiled: anchors make one pattern come many times.
    patterns: HashSet<(String, &'static [&'static str])>,
    /// How many patterns rules hold, anchors included: unlike those of layouts all are compiled at once.
    compiled: usize,
}

impl<'v> Walk<'v> {
    pub(super) fn new(validators: &'v Validators) -> Self {
        let (said, patterns) = (HashSet::new(), HashSet::new());
        Self { validators, diagnostics: Vec::new(), errors: 0, warnings: 0, said, patterns, compiled: 0 }
    }

    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        let kind = match diagnostic.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        if *kind >= MAX_KEPT {
            *kind += 1;
        } else if self.said.insert((diagnostic.line, diagnostic.column, diagnostic.message.clone())) {
            *kind += 1;
            self.diagnostics.push(diagnostic);
        }
    }

    /// How many mistakes were found so far.
    pub(super) fn errors(&self) -> usize {
        self.errors
    }

    pub(super) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Whether so many mistakes were found that looking for more helps nobody.
    pub(super) fn is_full(&self) -> bool {
        self.errors >= MAX_KEPT
    }

    /// What was found, in the order of the file, and a word about what is not listed.
    pub(super) fn finish(mut self) -> Vec<Diagnostic> {
        self.diagnostics.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
        let last = self.diagnostics.last().map_or(Place::START, |last| Place::point(last.line, last.column));
        if self.is_full() {
            let message = format!("there are more mistakes than these {MAX_KEPT}");
            self.diagnostics.push(Diagnostic::error("", last, message).help("mend these first"));
        }
        if self.warnings > MAX_KEPT {
            let message = format!("{} more warnings are not listed", self.warnings - MAX_KEPT);
            self.diagnostics.push(Diagnostic::warning("", last, message));
        }
        self.diagnostics
    }

    /// A mistake in the value of `item`.
    pub(super) fn fault(&mut self, item: &Item<'_>, fault: Fault) {
        self.push(Diagnostic { help: fault.help, ..Diagnostic::error(&item.path, item.place(), fault.message) });
    }

    /// A mistake in the key that `item` belongs to.
    pub(super) fn fault_at_key(&mut self, item: &Item<'_>, fault: Fault) {
        self.push(Diagnostic { help: fault.help, ..Diagnostic::error(&item.path, item.key, fault.message) });
    }

    pub(super) fn warn(&mut self, item: &Item<'_>, message: String, help: &str) {
        self.push(Diagnostic::warning(&item.path, item.key, message).help(help));
    }

    /// Takes what a check allows; keeps what it does not.
    pub(super) fn checked<T>(&mut self, item: &Item<'_>, result: Result<T, Fault>) -> Option<T> {
        result.map_err(|fault| self.fault(item, fault)).ok()
    }

    pub(super) fn wrong_kind(&mut self, item: &Item<'_>, wanted: &str) {
        let help = match (&item.tree.value, wanted.starts_with("text")) {
            (Node::Int(_) | Node::Float | Node::Bool(_), true) => Some("put it in quotes".to_owned()),
            (Node::Null, _) => Some("give it a value or remove the key".to_owned()),
            (Node::Text(text), false) if wanted == "a whole number" && text.trim().parse::<u64>().is_ok() => {
                Some("write it without quotes and leading zeros".to_owned())
            }
            (Node::Map(_), true) => Some("put text with `: ` or `{` in it in quotes".to_owned()),
            _ => None,
        };
        let message = format!("{wanted} is wanted here, not {}", item.tree.value.kind());
        self.fault(item, Fault { message, help });
    }

    /// The pairs of a map; keys that are no text and keys that come twice are mistakes.
    pub(super) fn pairs<'t>(&mut self, item: &Item<'t>, wanted: &str) -> Option<Vec<(&'t str, Item<'t>)>> {
        let Node::Map(entries) = &item.tree.value else {
            self.wrong_kind(item, wanted);
            return None;
        };
        let mut first_lines: HashMap<&str, u32> = HashMap::new();
        let mut pairs = Vec::new();
        for (key, tree) in entries {
            if self.is_full() {
                break;
            }
            let place = key.place;
            let Node::Text(name) = &key.value else {
                let message = format!("a key must be text, not {}", key.value.kind());
                self.push(Diagnostic::error(&item.path, place, message).help("put the key in quotes"));
                continue;
            };
            let path = item.below(name);
            if let Some(line) = first_lines.get(&**name) {
                let message = format!("`{name}` is here a second time");
                let help = format!("the first is on line {line}; remove or rename one");
                self.push(Diagnostic::error(&path, place, message).help(help));
                continue;
            }
            first_lines.insert(name, place.line);
            pairs.push((&**name, Item { tree, path, key: place }));
        }
        Some(pairs)
    }

    /// A map with the keys of `section`; unknown and missing keys are mistakes.
    pub(super) fn fields<'t>(&mut self, item: &Item<'t>, section: &'static Section) -> Option<Fields<'t>> {
        let pairs = self.pairs(item, "a map")?;
        let mut values = Vec::new();
        for (name, value) in pairs {
            match section.key(name) {
                Some(key) => values.push((key, value)),
                None if item.path.is_empty() && name.starts_with("x-") => {}
                None => self.unknown_key(&value, name, section),
            }
        }
        let fields = Fields { item: item.clone(), values };
        for key in section.keys.iter().filter(|key| key.required && fields.get(key.name).is_none()) {
            let help = format!("add `{}: {}`", key.name, key.example);
            self.fault_at_key(item, check::fault(format!("{} needs `{}`", section.name, key.name), help));
        }
        Some(fields)
    }

    fn unknown_key(&mut self, item: &Item<'_>, name: &str, section: &'static Section) {
        let message = format!("{} has no key `{name}`", section.name);
        let help = match (nearest(name, section.names()), super::layout::home_of(name, section)) {
            (Some(known), _) => format!("did you mean `{known}`?"),
            (None, Some(home)) => format!("`{name}` belongs to {home}"),
            _ => format!("it has {}", section.names().collect::<Vec<_>>().join(", ")),
        };
        self.fault_at_key(item, check::fault(message, help));
    }

    /// Text in one line, of at least one character.
    pub(super) fn text(&mut self, item: &Item<'_>) -> Option<String> {
        let text = self.raw_text(item)?;
        if text.trim().is_empty() {
            self.fault(item, check::fault("the text is empty", "give it a value or remove the key"));
            return None;
        }
        if text.contains(['\n', '\r', '\t']) {
            self.fault(item, check::fault("the text must be in one line", "remove the line breaks and tabs"));
            return None;
        }
        Some(text.trim().to_owned())
    }

    /// Any text, also the empty one. Not trimmed.
    pub(super) fn raw_text(&mut self, item: &Item<'_>) -> Option<String> {
        if let Node::Text(text) = &item.tree.value {
            return Some(text.to_string());
        }
        self.wrong_kind(item, "text");
        None
    }

    /// The members of a list, or the one value that stands for a list of one. An empty list is a mistake.
    pub(super) fn members<'t>(&mut self, item: &Item<'t>) -> Vec<Item<'t>> {
        match &item.tree.value {
            Node::List(list) if list.is_empty() => {
                self.fault(item, check::fault("the list is empty", "give it a member or remove the key"));
                Vec::new()
            }
            Node::List(list) => list.iter().enumerate().map(|(index, tree)| item.member(index, tree)).collect(),
            _ => vec![item.clone()],
        }
    }

    pub(super) fn one<'t, T>(
        &mut self,
        item: Option<&Item<'t>>,
        read: impl FnOnce(&mut Self, &Item<'t>) -> Option<T>,
    ) -> Option<T> {
        item.and_then(|item| read(self, item))
    }

    /// Text that a check of `check` takes.
    pub(super) fn value<T>(&mut self, item: Option<&Item<'_>>, check: fn(&str) -> Result<T, Fault>) -> Option<T> {
        let item = item?;
        let text = self.text(item)?;
        self.checked(item, check(&text))
    }

    pub(super) fn language(&mut self, item: Option<&Item<'_>>) -> Option<String> {
        self.value(item, |text| check::language(text).map(|()| text.to_owned()))
    }

    /// A whole number.
    pub(super) fn count(&mut self, item: Option<&Item<'_>>, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
        let item = item?;
        let Node::Int(number) = &item.tree.value else {
            self.wrong_kind(item, "a whole number");
            return None;
        };
        let found = u32::try_from(**number).ok().filter(|number| range.contains(number));
        if found.is_none() {
            let message = format!("{number} is out of range");
            self.fault(item, check::fault(message, format!("choose {} to {}", range.start(), range.end())));
        }
        found
    }

    pub(super) fn flag(&mut self, item: Option<&Item<'_>>) -> bool {
        let Some(item) = item else { return false };
        match &item.tree.value {
            Node::Bool(flag) => *flag,
            Node::Text(text) if ["yes", "on"].contains(&text.to_lowercase().as_str()) => {
                self.fault(item, check::fault("true or false is wanted here, not text", "did you mean `true`?"));
                false
            }
            Node::Text(text) if ["no", "off"].contains(&text.to_lowercase().as_str()) => {
                self.fault(item, check::fault("true or false is wanted here, not text", "did you mean `false`?"));
                false
            }
            _ => {
                self.wrong_kind(item, "true or false");
                false
            }
        }
    }

    pub(super) fn selector(&mut self, item: Option<&Item<'_>>) -> Option<String> {
        let item = item?;
        let text = self.text(item)?;
        self.css(item, &text).then_some(text)
    }

    /// Whether `css` is a selector; says so if not.
    pub(super) fn css(&mut self, item: &Item<'_>, css: &str) -> bool {
        let verdict = check::selector(css).and_then(|()| (self.validators.selector)(css));
        let result = verdict.map_err(|reason| {
            let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
            Fault { message: format!("{css:?} is not a CSS selector: {reason}"), help: None }
        });
        self.checked(item, result).is_some()
    }

    pub(super) fn pattern(&mut self, item: Option<&Item<'_>>, groups: &'static [&'static str]) -> Option<String> {
        let item = item?;
        let text = self.raw_text(item)?;
        self.compile(item, text, groups)
    }

    /// Counts a pattern of a rule, and tells how many there are.
    pub(super) fn compiled(&mut self) -> usize {
        self.compiled += 1;
        self.compiled
    }

    pub(super) fn compile(&mut self, item: &Item<'_>, text: String, groups: &'static [&'static str]) -> Option<String> {
        let known = (text, groups);
        if !self.patterns.contains(&known) {
            self.checked(item, check::pattern(&known.0, groups))?;
            self.patterns.insert(known.clone());
        }
        Some(known.0)
    }
}
