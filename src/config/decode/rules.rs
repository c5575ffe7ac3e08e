//! `rules:` of channels and feeds. The keys of a rule are read by the rule's own table; what a rule makes of them
//! is its business.

use super::super::check;
use super::super::suggest::nearest;
use super::super::tree::Node;
use super::walk::{Item, Walk};
use crate::model::{ConfigKey as Key, ConfigKind as Kind, Section};
use crate::rule::{CONDITION, MAX_DEPTH, RULE, Rule, Rules, Value, Values};

/// The most rules in one list. Each may hold compiled regular expressions, and each looks at every entry.
const MOST_RULES: usize = 50;
/// The most regular expressions in the rules of a whole file.
const MOST_PATTERNS: usize = 500;
/// The longest replacement, in bytes: it may stand in the place of every character of a text.
const LONGEST_REPLACEMENT: usize = 1000;

/// Whose rules they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// A channel; whether it follows links by `article` already.
    Channel { has_article: bool },
    /// A feed.
    Feed,
}

/// A list of rules; those that are wrong are reported and left out.
pub(super) fn rules(walk: &mut Walk<'_>, item: Option<&Item<'_>>, owner: Owner) -> Rules {
    let Some(item) = item else { return Rules::default() };
    let Node::List(list) = &item.tree.value else {
        walk.wrong_kind(item, "a list of rules");
        return Rules::default();
    };
    if list.len() > MOST_RULES {
        let message = format!("the list holds {} rules, more than {MOST_RULES}", list.len());
        walk.fault_at_key(item, check::fault(message, "join conditions with `any`"));
        return Rules::default();
    }
    let mut found: Vec<Rule> = Vec::new();
    for member in walk.members(item) {
        let Some((rule, at)) = rule(walk, &member) else { continue };
        place(walk, &at, &rule, &found, owner);
        found.push(rule);
    }
    Rules::new(found)
}

/// One rule, with the item of its value.
fn rule<'t>(walk: &mut Walk<'_>, item: &Item<'t>) -> Option<(Rule, Item<'t>)> {
    let pairs = walk.pairs(item, "a map with one rule")?;
    let mut known = Vec::new();
    for (name, value) in pairs {
        if let Some(key) = RULE.key(name) {
            known.push((key, value));
            continue;
        }
        let help = match nearest(name, RULE.names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the rules are {}", RULE.names().collect::<Vec<_>>().join(", ")),
        };
        walk.fault_at_key(&value, check::fault(format!("there is no rule `{name}`"), help));
        return None;
    }
    let [(key, at)] = known.as_slice() else {
        let (message, help) = if known.is_empty() {
            ("the rule is empty", "name one, such as `drop: { title: 广告 }`")
        } else {
            ("a rule has one name", "make a list member of each: rules apply in the order of the list")
        };
        walk.fault_at_key(item, check::fault(message, help));
        return None;
    };
    let before = walk.errors();
    let value = value(walk, at, key, MAX_DEPTH);
    // A rule without the part that is wrong would be another rule.
    let value = value.filter(|_| walk.errors() == before)?;
    match Rule::new(key.name, value) {
        Ok(rule) => Some((rule, at.clone())),
        Err(mistake) => {
            walk.fault_at_key(at, check::fault(mistake.message, mistake.help));
            None
        }
    }
}

/// What is wrong with a rule at its place.
fn place(walk: &mut Walk<'_>, at: &Item<'_>, rule: &Rule, before: &[Rule], owner: Owner) {
    if rule.name() == "full_text" {
        let wrong = match owner {
            Owner::Feed => Some(("`full_text` is a rule for channels", "move it to the channels that need it")),
            Owner::Channel { has_article: true } => {
                Some(("the channel follows links by `article` already", "remove `full_text` or `article`"))
            }
            Owner::Channel { .. } if before.iter().any(|known| known.name() == "full_text") => {
                Some(("`full_text` is here a second time", "remove one"))
            }
            Owner::Channel { .. } => None,
        };
        if let Some((message, help)) = wrong {
            walk.fault_at_key(at, check::fault(message, help));
        }
        return;
    }
    if let Some(early) = before.iter().find(|known| known.is_of_list())
        && !rule.is_of_list()
    {
        let message = format!("`{}` applies before `{}`, though it stands behind it", rule.name(), early.name());
        walk.warn(at, message, "put `limit` and `sort` last: they are about what all other rules left");
    }
}

/// The value of a key.
fn value(walk: &mut Walk<'_>, item: &Item<'_>, key: &Key, depth: usize) -> Option<Value> {
    let text = |text: Option<String>| text.map(Value::Text);
    match key.kind {
        Kind::Pattern(groups) => {
            let found = walk.pattern(Some(item), groups);
            let count = walk.compiled();
            if count == MOST_PATTERNS + 1 {
                let message = format!("the rules hold more than {MOST_PATTERNS} regular expressions");
                walk.fault(item, check::fault(message, "join some with `|`"));
            }
            text(found).filter(|_| count <= MOST_PATTERNS)
        }
        Kind::Selector => text(walk.selector(Some(item))),
        Kind::TextSelector => text(text_selector(walk, item)),
        Kind::Language => text(walk.language(Some(item))),
        Kind::Word(words) => text(word(walk, item, words)),
        Kind::Replacement => text(replacement(walk, item)),
        Kind::Bool => {
            let before = walk.errors();
            let flag = walk.flag(Some(item));
            (walk.errors() == before).then_some(Value::Flag(flag))
        }
        Kind::Count(least, most) => walk.count(Some(item), least..=most).map(Value::Count),
        Kind::Span => walk.value(Some(item), check::span).map(Value::Span),
        Kind::Switch(_) if matches!(item.tree.value, Node::Bool(true)) => Some(Value::Flag(true)),
        Kind::Switch(_) if !matches!(item.tree.value, Node::Map(_)) => {
            walk.wrong_kind(item, "`true` or a map");
            None
        }
        Kind::One(section) | Kind::Switch(section) => values(walk, item, section, depth).map(Value::Map),
        Kind::Condition => condition(walk, item, depth).map(Value::Map),
        Kind::Conditions => {
            let Node::List(_) = item.tree.value else {
                walk.wrong_kind(item, "a list of conditions");
                return None;
            };
            let members = walk.members(item);
            Some(Value::List(members.iter().filter_map(|member| condition(walk, member, depth)).collect()))
        }
        _ => text(walk.text(item)),
    }
}

fn condition(walk: &mut Walk<'_>, item: &Item<'_>, depth: usize) -> Option<Values> {
    let Some(depth) = depth.checked_sub(1) else {
        let message = format!("conditions stand inside each other deeper than {MAX_DEPTH}");
        walk.fault_at_key(item, check::fault(message, "write them flatter"));
        return None;
    };
    let values = values(walk, item, &CONDITION, depth)?;
    if matches!(&item.tree.value, Node::Map(entries) if entries.is_empty()) {
        walk.fault_at_key(item, check::fault("the condition is empty", "say what it asks, such as `title: 广告`"));
        return None;
    }
    Some(values)
}

fn values(walk: &mut Walk<'_>, item: &Item<'_>, section: &'static Section, depth: usize) -> Option<Values> {
    let map = walk.fields(item, section)?;
    let found = map.iter().filter_map(|(key, item)| Some((key.name, value(walk, item, key, depth)?)));
    Some(Values(found.collect()))
}

fn word(walk: &mut Walk<'_>, item: &Item<'_>, words: &[&'static str]) -> Option<String> {
    let text = walk.text(item)?;
    if words.contains(&text.as_str()) {
        return Some(text);
    }
    let help = match nearest(&text, words.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("choose among {}", words.join(", ")),
    };
    walk.fault(item, check::fault(format!("{text:?} is not known here"), help));
    None
}

fn replacement(walk: &mut Walk<'_>, item: &Item<'_>) -> Option<String> {
    let text = walk.raw_text(item)?;
    if text.len() > LONGEST_REPLACEMENT {
        let message = format!("the replacement is longer than {LONGEST_REPLACEMENT} bytes");
        walk.fault(item, check::fault(message, "write a shorter one"));
        return None;
    }
    Some(text)
}

/// A selector of an entry's text. What names classes, ids or styles never matches there.
fn text_selector(walk: &mut Walk<'_>, item: &Item<'_>) -> Option<String> {
    let css = walk.selector(Some(item))?;
    if names_lost_attributes(&css) {
        let message =
            "the text of an entry has no classes, ids or styles: it was sanitised before it was kept".to_owned();
        walk.warn(item, message, "select elements, addresses such as img[src*='/ad/'], or words: p:contains('扫码')");
    }
    Some(css)
}

/// Whether a selector names a class, an id or a style, outside brackets and quotes.
fn names_lost_attributes(css: &str) -> bool {
    let (mut quote, mut before) = (None, ' ');
    for (at, c) in css.char_indices() {
        let rest = &css[at + c.len_utf8()..];
        match (c, quote) {
            (c, Some(open)) => quote = (c != open).then_some(open),
            ('"' | '\'', None) => quote = Some(c),
            // `.5` or `#` as a part of unquoted words inside `:contains(…)` is rare enough to be told of.
            ('.' | '#', None) if before != '\\' && rest.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
                return true;
            }
            ('[', None) => {
                let name = rest.trim_start();
                if ["class", "id", "style"].iter().any(|lost| {
                    name.strip_prefix(lost)
                        .is_some_and(|rest| rest.starts_with(|c: char| !c.is_alphanumeric() && c != '-'))
                }) {
                    return true;
                }
            }
            _ => {}
        }
        before = c;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_that_cannot_match_are_told() {
        for (css, expected) in [
            ("p.ad", true),
            ("#top", true),
            ("video, .ad", true),
            ("[class*=ad]", true),
            ("div[ style ]", true),
            ("img[src*='.ad#x']", false),
            ("p:contains('a.b')", false),
            ("[idx]", false),
            ("video", false),
        ] {
            assert_eq!(names_lost_attributes(css), expected, "{css}");
        }
    }
}
