//! The names that a section declares, and lists that use them.

use super::super::check;
use super::super::suggest::nearest;
use super::walk::{Item, Walk};
use std::collections::{HashMap, HashSet};

/// Similar names are looked for in sections of at most this many names: each mistake would read all of them.
const MOST_COMPARED: usize = 2000;

/// Declared names.
pub(super) struct Known<'t> {
    /// `layout` or `channel`.
    what: &'static str,
    names: Vec<&'t str>,
    index: HashMap<&'t str, usize>,
}

impl<'t> Known<'t> {
    pub(super) fn new(what: &'static str, names: impl Iterator<Item = &'t str>) -> Self {
        let names: Vec<_> = names.collect();
        let index = names.iter().enumerate().map(|(index, name)| (*name, index)).collect();
        Self { what, names, index }
    }

    /// The name with this index.
    pub(super) fn name(&self, index: usize) -> &'t str {
        self.names[index]
    }

    /// The names in `item`, each with its index in the section; dangling and repeated names are mistakes.
    pub(super) fn names<'i>(&self, walk: &mut Walk<'_>, item: Option<&Item<'i>>) -> Vec<(Item<'i>, usize)> {
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        for member in item.map(|item| walk.members(item)).unwrap_or_default() {
            if walk.is_full() {
                break;
            }
            let Some(name) = walk.text(&member) else { continue };
            if let Some(&index) = self.index.get(name.as_str()) {
                if seen.insert(index) {
                    found.push((member, index));
                    continue;
                }
                walk.fault(&member, check::fault(format!("`{name}` is here a second time"), "remove it"));
                continue;
            }
            let what = self.what;
            let near =
                if self.names.len() <= MOST_COMPARED { nearest(&name, self.names.iter().copied()) } else { None };
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("add `{name}` to the section `{what}s`, or remove it here"),
            };
            walk.fault(&member, check::fault(format!("there is no {what} `{name}`"), help));
        }
        found
    }
}
