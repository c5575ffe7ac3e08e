//! The section `layouts`: list, JSON and article layouts, and what they share.

use super::super::check;
use super::super::keys::{ARTICLE, FIELD, JSON, LIST, NUMBERED_NEXT, REPLACE, Section};
use super::super::suggest::nearest;
use super::super::tree::Node;
use super::walk::{Fields as Map, Item, Walk};
use crate::model::{
    ArticleLayout, Clean, Field, Fields, JsonLayout, Layout, LayoutKind, ListLayout, NextPage, UrlRules,
};

/// Whether fields are CSS selectors or dotted paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    Css,
    Path,
}

const KINDS: [(&str, &Section); 3] = [("entry", &LIST), ("items", &JSON), ("body", &ARTICLE)];

/// Another kind of layout that has the key, for a key that stands in the wrong kind.
pub(super) fn home_of(key: &str, section: &Section) -> Option<String> {
    KINDS.iter().find(|(_, kind)| kind.name == section.name)?;
    let (marker, home) = KINDS.iter().find(|(_, kind)| kind.key(key).is_some())?;
    Some(format!("{} (one with `{marker}`)", home.name))
}

/// One layout; `None` if it is not known which kind it is.
pub(super) fn layout(walk: &mut Walk<'_>, name: &str, item: &Item<'_>) -> Option<Layout> {
    let Node::Map(entries) = &item.tree.value else {
        walk.wrong_kind(item, "a map");
        return None;
    };
    let keys: Vec<&str> = entries.iter().filter_map(|(key, _)| key.value.text()).collect();
    let found: Vec<_> = KINDS.into_iter().filter(|(marker, _)| keys.contains(marker)).collect();
    let [(marker, section)] = found.as_slice() else {
        walk.fault_at_key(item, which_kind(&keys, &found));
        return None;
    };
    let map = walk.fields(item, section)?;
    let kind = match *marker {
        "entry" => LayoutKind::List(list(walk, &map)),
        "items" => LayoutKind::Json(json(walk, &map)),
        _ => LayoutKind::Article(article(walk, &map)),
    };
    Some(Layout { name: name.to_owned(), kind })
}

fn which_kind(keys: &[&str], found: &[(&str, &Section)]) -> check::Fault {
    if let [(one, _), (other, _), ..] = found {
        let message = format!("a layout has either `{one}` or `{other}`, not both");
        return check::fault(message, "make two layouts of it");
    }
    let markers = KINDS.map(|(marker, _)| marker);
    let typo = keys.iter().find_map(|key| nearest(key, markers));
    let help = match typo {
        Some(marker) => format!("did you mean `{marker}`?"),
        None => "`entry` makes it a list page, `items` a JSON list, `body` an article page".to_owned(),
    };
    check::fault("a layout needs one of `entry`, `items` and `body`", help)
}

fn list(walk: &mut Walk<'_>, map: &Map<'_>) -> ListLayout {
    let next = walk.one(map.get("next"), |walk, item| next_page(walk, item, Syntax::Css));
    ListLayout {
        entry: walk.selector(map.get("entry")).unwrap_or_default(),
        remove: walk.selector(map.get("remove")),
        fields: fields(walk, map, Syntax::Css),
        url: url_rules(walk, map),
        pages: pages(walk, map, if next.is_some() { 3 } else { 1 }),
        next,
    }
}

fn json(walk: &mut Walk<'_>, map: &Map<'_>) -> JsonLayout {
    let next = walk.one(map.get("next"), |walk, item| next_page(walk, item, Syntax::Path));
    JsonLayout {
        items: walk.one(map.get("items"), dotted).unwrap_or_default(),
        fields: fields(walk, map, Syntax::Path),
        url: url_rules(walk, map),
        pages: pages(walk, map, if next.is_some() { 3 } else { 1 }),
        next,
    }
}

fn article(walk: &mut Walk<'_>, map: &Map<'_>) -> ArticleLayout {
    ArticleLayout {
        remove: walk.selector(map.get("remove")),
        fields: fields(walk, map, Syntax::Css),
        byline: walk.selector(map.get("byline")),
        comic: walk.flag(map.get("comic")),
        next: walk.one(map.get("next"), |walk, item| next_page(walk, item, Syntax::Css)),
        total_pages: field(walk, map.get("total_pages"), Syntax::Css),
        pages: pages(walk, map, 10),
    }
}

fn pages(walk: &mut Walk<'_>, map: &Map<'_>, default: u32) -> u32 {
    walk.count(map.get("pages"), 1..=20).unwrap_or(default)
}

fn fields(walk: &mut Walk<'_>, map: &Map<'_>, syntax: Syntax) -> Fields {
    let mut read = |name: &str| field(walk, map.get(name), syntax);
    Fields {
        title: read("title"),
        link: read("link"),
        summary: read("summary"),
        body: read("body"),
        image: read("image"),
        date: read("date"),
        author: read("author"),
        editor: read("editor"),
        source: read("source"),
        category: read("category"),
    }
}

fn url_rules(walk: &mut Walk<'_>, map: &Map<'_>) -> UrlRules {
    UrlRules {
        identity: walk.pattern(map.get("identity"), &[]),
        stamp: walk.pattern(map.get("stamp"), &["y", "m", "d", "H", "M", "S"]),
        day: walk.pattern(map.get("day"), &["y", "m", "d"]),
        only: walk.pattern(map.get("only"), &[]),
    }
}

/// A field with its fallbacks.
fn field(walk: &mut Walk<'_>, item: Option<&Item<'_>>, syntax: Syntax) -> Vec<Field> {
    let Some(item) = item else { return Vec::new() };
    walk.members(item).iter().filter_map(|member| way(walk, member, syntax)).collect()
}

/// One way of reading a field: the short form or the long one.
fn way(walk: &mut Walk<'_>, item: &Item<'_>, syntax: Syntax) -> Option<Field> {
    match &item.tree.value {
        Node::Text(_) => selection(walk, item, syntax),
        Node::Map(_) => long_form(walk, item, syntax),
        _ => {
            walk.wrong_kind(item, "text (a selector) or a map");
            None
        }
    }
}

fn selection(walk: &mut Walk<'_>, item: &Item<'_>, syntax: Syntax) -> Option<Field> {
    if syntax == Syntax::Path {
        return dotted(walk, item).map(|select| Field { select, attribute: None, clean: Vec::new() });
    }
    let text = walk.raw_text(item)?;
    let (select, attribute) = check::split_field(&text);
    if !select.is_empty() && !walk.css(item, select) {
        return None;
    }
    Some(Field { select: select.to_owned(), attribute: attribute.map(str::to_owned), clean: Vec::new() })
}

/// A dotted path in JSON; `''` is the value itself.
fn dotted(walk: &mut Walk<'_>, item: &Item<'_>) -> Option<String> {
    let text = walk.raw_text(item)?;
    let path = text.trim();
    if path.is_empty() || path.split('.').all(|step| !step.is_empty() && !step.contains(char::is_whitespace)) {
        return Some(path.to_owned());
    }
    let message = format!("{text:?} is not a dotted path");
    walk.fault(item, check::fault(message, "write keys with dots between, such as data.list"));
    None
}

fn long_form(walk: &mut Walk<'_>, item: &Item<'_>, syntax: Syntax) -> Option<Field> {
    let map = walk.fields(item, &FIELD)?;
    let mut clean = Vec::new();
    if let Some(prefix) = walk.one(map.get("strip_prefix"), Walk::text) {
        clean.push(Clean::StripPrefix(prefix));
    }
    if let Some(item) = map.get("replace") {
        replacements(walk, item, &mut clean);
    }
    if let Some(pattern) = walk.pattern(map.get("match"), &[]) {
        clean.push(Clean::Match(pattern));
    }
    let attribute = walk.one(map.get("attribute"), |walk, item| attribute(walk, item, syntax));
    let mut field = walk.one(map.get("select"), |walk, item| selection(walk, item, syntax))?;
    if let (Some(_), Some(_), Some(item)) = (&field.attribute, &attribute, map.get("attribute")) {
        walk.fault(item, check::fault("the attribute is also given in `select`", "remove one of them"));
    }
    field.attribute = field.attribute.or(attribute);
    field.clean = clean;
    Some(field)
}

fn attribute(walk: &mut Walk<'_>, item: &Item<'_>, syntax: Syntax) -> Option<String> {
    if syntax == Syntax::Path {
        walk.fault_at_key(item, check::fault("JSON has no attributes", "write the whole path in `select`"));
        return None;
    }
    let text = walk.text(item)?;
    if let ("", Some(name)) = check::split_field(&format!("@{}", text.trim_start_matches('@'))) {
        return Some(name.to_owned());
    }
    walk.fault(item, check::fault(format!("{text:?} is not the name of an attribute"), "such as data-src"));
    None
}

/// `{ pattern: with, … }`, `{ pattern, with }` or a list of the latter.
fn replacements(walk: &mut Walk<'_>, item: &Item<'_>, clean: &mut Vec<Clean>) {
    let is_step = |item: &Item<'_>| match &item.tree.value {
        Node::Map(entries) => entries.iter().all(|(key, _)| matches!(key.value.text(), Some("pattern" | "with"))),
        _ => false,
    };
    if matches!(item.tree.value, Node::List(_)) || is_step(item) {
        for member in walk.members(item) {
            let Some(map) = walk.fields(&member, &REPLACE) else { continue };
            let pattern = walk.pattern(map.get("pattern"), &[]);
            let with = walk.one(map.get("with"), Walk::raw_text);
            clean.extend(pattern.zip(with).map(|(pattern, with)| Clean::Replace { pattern, with }));
        }
        return;
    }
    for (pattern, item) in walk.pairs(item, "a map or a list").unwrap_or_default() {
        let pattern = walk.compile(&item, pattern.to_owned(), &[]);
        let with = walk.raw_text(&item);
        clean.extend(pattern.zip(with).map(|(pattern, with)| Clean::Replace { pattern, with }));
    }
}

/// `next` of a layout or of a page.
pub(super) fn next_page(walk: &mut Walk<'_>, item: &Item<'_>, syntax: Syntax) -> Option<NextPage> {
    let has = |name: &str| match &item.tree.value {
        Node::Map(entries) => entries.iter().any(|(key, _)| key.value.text() == Some(name)),
        _ => false,
    };
    if has("address") || has("from") || (syntax == Syntax::Path && matches!(item.tree.value, Node::Map(_))) {
        let map = walk.fields(item, &NUMBERED_NEXT)?;
        let from = walk.count(map.get("from"), 0..=1_000_000).unwrap_or(2);
        return walk.value(map.get("address"), template).map(|address| NextPage::Numbered { address, from });
    }
    let braces = item.tree.value.text().is_some_and(|text| text.contains(['{', '}']));
    if braces || syntax == Syntax::Path {
        return walk.value(Some(item), template).map(|address| NextPage::Numbered { address, from: 2 });
    }
    way(walk, item, syntax).map(NextPage::Link)
}

fn template(text: &str) -> Result<String, check::Fault> {
    check::template(text).map(|()| text.to_owned())
}
