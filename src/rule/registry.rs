//! Every rule, once: one line here and one file beside it. The decoder, the JSON Schema and the manual are made
//! from this table.

use super::{Act, Mistake, Value, chinese, cut, discard, first_image, full_text, keep, limit, prefix, rewrite, sort};
use crate::model::{ConfigKey, ConfigKind, Section};
use std::sync::Arc;

/// How a rule is made of its value.
pub(super) type Make = fn(&Value) -> Result<Arc<dyn Act>, Mistake>;

macro_rules! registry {
    ($($rule:ident,)*) => {
        /// The rules as keys: a rule is a map with one of them.
        pub static RULE: Section = Section {
            name: "a rule",
            doc: "What is done with entries: a list of rules, applied in its order, each a map with one key. The rules of \
                  a channel see its entries as the ledger keeps them, before duplicates are joined; those of a feed \
                  see what is left after that. The ledger itself never changes, so that a rule can be taken back, and \
                  an id never changes, so that no rule makes an old entry look new. `limit` and `sort` are about the \
                  whole list: they come after all others, in the order in which they stand.",
            keys: &[$($rule::KEY,)*],
        };

        const MAKERS: &[(&str, Make)] = &[$(($rule::KEY.name, $rule::make),)*];
    };
}

registry! {
    keep,
    discard,
    rewrite,
    prefix,
    cut,
    first_image,
    chinese,
    full_text,
    limit,
    sort,
}

pub(super) fn key(name: &str) -> Option<(&'static ConfigKey, Make)> {
    let make = MAKERS.iter().find(|(known, _)| *known == name)?.1;
    Some((RULE.key(name)?, make))
}

/// The keys of each rule that is a map, with the rule's name.
pub fn sections() -> impl Iterator<Item = (&'static str, &'static Section)> {
    RULE.keys.iter().filter_map(|key| match key.kind {
        ConfigKind::One(section) | ConfigKind::Switch(section) => Some((key.name, section)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_rule_has_a_name_of_its_own_a_doc_and_an_example() {
        let mut seen = HashSet::new();
        for rule in RULE.keys {
            assert!(seen.insert(rule.name), "{} twice", rule.name);
            assert!(rule.doc.ends_with('.') && !rule.example.is_empty(), "{}", rule.name);
            assert!(key(rule.name).is_some(), "{}", rule.name);
        }
        for (name, section) in sections() {
            assert!(!section.keys.is_empty() && section.doc.ends_with('.'), "{name}");
        }
        assert_eq!(MAKERS.len(), RULE.keys.len());
    }
}
