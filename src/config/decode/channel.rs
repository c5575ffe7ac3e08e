//! The section `channels`.

use super::super::check;
use super::super::keys::{CHANNEL, PAGE, SNAPSHOT};
use super::super::suggest::nearest;
use super::super::tree::Node;
use super::super::types::{Address, Channel, ListPage, Origin, PageAddress, Service, Snapshot};
use super::known::Known;
use super::layout::{Syntax, next_page};
use super::rules::{Owner, rules};
use super::walk::{Fields as Map, Item, Walk};
use crate::model::{ArticleLayout, ChannelId, Layout, LayoutKind, Trust, Withdrawn};
use std::collections::{HashMap, HashSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A layout as the section declares it; `None`: it is there, but broken.
pub(super) struct Declared<'t> {
    pub(super) item: Item<'t>,
    pub(super) name: &'t str,
    pub(super) layout: Option<Layout>,
    pub(super) used: bool,
}

/// What a channel is decoded with.
pub(super) struct Surroundings<'a, 't> {
    pub(super) service: &'a Service,
    /// The language of the service, which most channels share.
    pub(super) language: Arc<str>,
    pub(super) folder: &'a Path,
    pub(super) layouts: Vec<Declared<'t>>,
    /// Their names, in the same order.
    pub(super) known_layouts: Known<'t>,
    pub(super) shared: Shared,
}

/// The lists of layouts that were decoded, by the places of their members in the section: channels whose pages are read
/// in the same way share one.
#[derive(Default)]
pub(super) struct Shared {
    lists: HashMap<Vec<usize>, Arc<[Layout]>>,
    articles: HashMap<Vec<usize>, Arc<[(String, ArticleLayout)]>>,
}

/// One channel; `None` if something in it is wrong.
pub(super) fn channel(
    walk: &mut Walk<'_>,
    around: &mut Surroundings<'_, '_>,
    name: &str,
    item: &Item<'_>,
) -> Option<Channel> {
    let map = walk.fields(item, &CHANNEL)?;
    let title = walk.one(map.get("title"), Walk::text);
    let every = walk.one(map.get("every"), interval);
    let timezone = walk.value(map.get("timezone"), check::zone);
    let language = walk.language(map.get("language"));
    let snapshot = walk.one(map.get("snapshot"), |walk, item| snapshot(walk, around.folder, item));
    let rules = rules(walk, map.get("rules"), Owner::Channel { has_article: map.get("article").is_some() });
    let trust = trust(walk, &map);
    let obeys = walk.one(map.get("robots"), |walk, item| either(walk, item, [("obey", true), ("ignore", false)]));
    let origin = origin(walk, around, &map)?;
    let id: ChannelId = name.parse().ok()?;
    Some(Channel {
        title: title.map_or_else(|| id.shared(), Into::into),
        id,
        origin,
        every,
        timezone: timezone.unwrap_or(around.service.timezone),
        language: language.map_or_else(|| Arc::clone(&around.language), Into::into),
        snapshot: snapshot.map(Box::new),
        rules,
        trust,
        obeys_robots: obeys.unwrap_or(true),
    })
}

fn trust(walk: &mut Walk<'_>, map: &Map<'_>) -> Trust {
    let usual = Trust::default();
    let quarantine = map.get("quarantine").map_or(usual.quarantine, |item| walk.flag(Some(item)));
    let withdrawn = walk.one(map.get("withdrawn"), |walk, item| {
        either(walk, item, [("keep", Withdrawn::Keep), ("remove", Withdrawn::Remove)])
    });
    Trust { withdrawn: withdrawn.unwrap_or(usual.withdrawn), quarantine }
}

/// One of two words.
fn either<T: Copy>(walk: &mut Walk<'_>, item: &Item<'_>, choices: [(&'static str, T); 2]) -> Option<T> {
    let written = walk.text(item)?;
    let known = choices.iter().find(|(word, _)| *word == written);
    if known.is_none() {
        let [(a, _), (b, _)] = choices;
        let help = nearest(&written, [a, b])
            .map_or_else(|| format!("choose `{a}` or `{b}`"), |near| format!("did you mean `{near}`?"));
        walk.fault(item, check::fault(format!("{written:?} is neither `{a}` nor `{b}`"), help));
    }
    known.map(|(_, choice)| *choice)
}

fn interval(walk: &mut Walk<'_>, item: &Item<'_>) -> Option<Duration> {
    if let Node::Int(number) = &item.tree.value {
        let message = format!("the interval {number} has no unit");
        walk.fault(item, check::fault(message, "add s, m, h or d, such as 15m"));
        return None;
    }
    walk.value(Some(item), check::interval)
}

fn origin(walk: &mut Walk<'_>, around: &mut Surroundings<'_, '_>, map: &Map<'_>) -> Option<Origin> {
    match (map.get("page"), map.get("feed")) {
        (Some(page), None) => {
            let addresses = addresses(walk, page);
            if map.get("layouts").is_none() {
                let help = "name the layouts that may fit the page, such as `layouts: [list]`";
                walk.fault_at_key(&map.item, check::fault("a channel with `page` needs `layouts`", help));
            }
            let lists = layouts(walk, around, map.get("layouts"), false);
            let articles = layouts(walk, around, map.get("article"), true);
            let (declared, shared) = (&around.layouts, &mut around.shared);
            let layout = |place: usize| declared.get(place)?.layout.clone();
            let layouts = share(&mut shared.lists, lists, layout);
            let articles = share(&mut shared.articles, articles, |place| match layout(place)? {
                Layout { name, kind: LayoutKind::Article(article) } => Some((name, article)),
                _ => None,
            });
            Some(Origin::Page(Box::new(ListPage { addresses, layouts, articles })))
        }
        (None, Some(feed)) => {
            for key in ["layouts", "article"] {
                if let Some(item) = map.get(key) {
                    let message = format!("`{key}` is for channels with `page`");
                    walk.fault_at_key(item, check::fault(message, "a feed needs no layout; remove the key"));
                }
            }
            address(walk, feed).map(|url| Origin::Feed { url })
        }
        (Some(_), Some(feed)) => {
            let message = "a channel has either `page` or `feed`, not both";
            walk.fault_at_key(feed, check::fault(message, "make two channels of it"));
            None
        }
        (None, None) => {
            let help = "`page` for a portal page, `feed` for an RSS, Atom or JSON feed";
            walk.fault_at_key(&map.item, check::fault("a channel needs `page` or `feed`", help));
            None
        }
    }
}

/// An address to be fetched. What stands behind `#` is never sent, so it is removed with a warning.
fn address(walk: &mut Walk<'_>, item: &Item<'_>) -> Option<Address> {
    let mut url = walk.value(Some(item), check::address)?;
    if url.fragment().is_some() {
        walk.warn(item, "what follows `#` in an address is not sent".to_owned(), "remove it");
        url.set_fragment(None);
    }
    Some(url.into())
}

fn addresses(walk: &mut Walk<'_>, item: &Item<'_>) -> Vec<PageAddress> {
    let mut pages: Vec<PageAddress> = Vec::new();
    let mut seen = HashSet::new();
    for member in walk.members(item) {
        let page = match &member.tree.value {
            Node::Map(_) => page(walk, &member),
            Node::Text(_) => address(walk, &member).map(|url| PageAddress { url, next: None }),
            _ => {
                walk.wrong_kind(&member, "text (an address) or a map");
                None
            }
        };
        let Some(page) = page else { continue };
        if !seen.insert(page.url.clone()) {
            let message = format!("the address {} is here a second time", page.url);
            walk.fault(&member, check::fault(message, "remove it"));
        }
        pages.push(page);
    }
    pages
}

fn page(walk: &mut Walk<'_>, item: &Item<'_>) -> Option<PageAddress> {
    let map = walk.fields(item, &PAGE)?;
    let next = walk.one(map.get("next"), |walk, item| next_page(walk, item, Syntax::Css));
    let url = walk.one(map.get("url"), address)?;
    Some(PageAddress { url, next })
}

/// The list of what stands at these places; made once.
fn share<T>(
    known: &mut HashMap<Vec<usize>, Arc<[T]>>,
    places: Vec<usize>,
    one: impl Fn(usize) -> Option<T>,
) -> Arc<[T]> {
    let made = known.entry(places);
    Arc::clone(made.or_insert_with_key(|places| places.iter().filter_map(|place| one(*place)).collect()))
}

/// The places of the layouts that `item` names: article layouts or those of lists.
fn layouts(
    walk: &mut Walk<'_>,
    around: &mut Surroundings<'_, '_>,
    item: Option<&Item<'_>>,
    articles: bool,
) -> Vec<usize> {
    let mut found = Vec::new();
    for (member, index) in around.known_layouts.names(walk, item) {
        let declared = &mut around.layouts[index];
        declared.used = true;
        let Some(layout) = &declared.layout else { continue };
        if matches!(layout.kind, LayoutKind::Article(_)) == articles {
            found.push(index);
            continue;
        }
        let (is, home) = if articles { ("a list layout", "layouts") } else { ("an article layout", "article") };
        let message = format!("`{}` is {is}", layout.name);
        walk.fault(&member, check::fault(message, format!("name it under `{home}`")));
    }
    found
}

fn snapshot(walk: &mut Walk<'_>, folder: &Path, item: &Item<'_>) -> Option<Snapshot> {
    if let Node::Text(_) = item.tree.value {
        let help = "write `snapshot: { file: …, url: … }`: relative links need the page's address";
        walk.fault(item, check::fault("a map is wanted here, not text", help));
        return None;
    }
    let map = walk.fields(item, &SNAPSHOT)?;
    let mut articles = Vec::new();
    for (text, item) in walk.one(map.get("articles"), |walk, item| walk.pairs(item, "a map")).unwrap_or_default() {
        let url = check::address(text).map_err(|fault| walk.fault_at_key(&item, fault)).ok();
        articles.extend(url.zip(file(walk, folder, &item)));
    }
    let path = walk.one(map.get("file"), |walk, item| file(walk, folder, item));
    let url = walk.value(map.get("url"), check::address)?;
    Some(Snapshot { folder: folder.to_owned(), file: path?, url, articles })
}

/// A file inside the folder of feeds.yaml: a configuration that reaches out of it works on one machine only.
fn file(walk: &mut Walk<'_>, folder: &Path, item: &Item<'_>) -> Option<PathBuf> {
    let text = walk.text(item)?;
    let inside = Path::new(&text).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !inside || text.contains('\\') {
        let help = "write a path relative to feeds.yaml, with `/` and without `..`";
        walk.fault(item, check::fault(format!("{text:?} is not a file in feeds.yaml's folder"), help));
        return None;
    }
    let path = folder.join(&text);
    if let Err(reason) = (walk.validators.file)(folder, &path) {
        let help = "put the file there, or mend the path; it is relative to the folder of feeds.yaml";
        walk.fault(item, check::fault(format!("{text:?} cannot be read: {reason}"), help));
        return None;
    }
    Some(path)
}
