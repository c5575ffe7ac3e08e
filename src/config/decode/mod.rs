//! Nodes → values. Every function reports what is wrong to the walk and goes on, so that one run shows all.

mod channel;
mod feed;
mod known;
mod layout;
mod rules;
mod walk;

use super::check::{self, Validators};
use super::diagnostic::Diagnostic;
use super::keys::{SERVICE, TOP};
use super::tree::Tree;
use super::types::{Channel, Config, Service};
use channel::{Declared, Shared, Surroundings};
use known::Known;
use std::path::Path;
use std::sync::Arc;
use walk::{Item, Walk};

/// Decodes a whole file; `Some` exactly if there is no error among the diagnostics.
pub(super) fn config(tree: &Tree<'_>, folder: &Path, validators: Validators) -> (Option<Config>, Vec<Diagnostic>) {
    let mut walk = Walk::new(&validators);
    let config = top(&mut walk, &Item::root(tree), folder);
    let failed = walk.has_errors();
    (config.filter(|_| !failed), walk.finish())
}

fn top(walk: &mut Walk<'_>, root: &Item<'_>, folder: &Path) -> Option<Config> {
    let map = walk.fields(root, &TOP)?;
    let service = walk.one(map.get("service"), service);
    // Without a service the rest is still checked, so its defaults stand in.
    let stand_in = service.is_none().then(fallback).flatten();
    let around_service = service.as_ref().or(stand_in.as_ref())?;
    let layouts: Vec<Declared<'_>> = named(walk, map.get("layouts"))
        .into_iter()
        .map(|(name, item)| Declared { name, layout: layout::layout(walk, name, &item), item, used: false })
        .collect();
    let known_layouts = Known::new("layout", layouts.iter().map(|declared| declared.name));
    let language = around_service.language.as_str().into();
    let shared = Shared::default();
    let mut around = Surroundings { service: around_service, language, folder, layouts, known_layouts, shared };
    let declared = named(walk, map.get("channels"));
    let channels: Vec<Option<Arc<Channel>>> =
        declared.iter().map(|(name, item)| channel::channel(walk, &mut around, name, item).map(Arc::new)).collect();
    let mut used = vec![false; declared.len()];
    let known = Known::new("channel", declared.iter().map(|(name, _)| *name));
    let items = named(walk, map.get("feeds"));
    let known_feeds = Known::new("feed", items.iter().map(|(name, _)| *name));
    let mut members = feed::Members { channels: &channels, known: &known, used: &mut used, feeds: &known_feeds };
    let feeds: Vec<_> =
        items.iter().map(|(name, item)| feed::feed(walk, around_service, &mut members, name, item)).collect();
    feed::cycles(walk, &items, &feeds);
    let feeds = feeds.into_iter().flatten().map(|declared| declared.spec).collect();
    // Beside mistakes these would mostly be their echo.
    if walk.has_errors() {
        return None;
    }
    for ((name, item), _) in declared.iter().zip(used).filter(|(_, used)| !used) {
        walk.warn(item, format!("the channel `{name}` is in no feed"), "add it to a feed, or remove it");
    }
    for unused in around.layouts.iter().filter(|layout| !layout.used) {
        walk.warn(&unused.item, format!("no channel uses the layout `{}`", unused.name), "use it, or remove it");
    }
    Some(Config { service: service?, channels: channels.into_iter().flatten().collect(), feeds })
}

fn fallback() -> Option<Service> {
    Some(Service {
        title: String::new(),
        base_url: url::Url::parse("http://localhost/").ok()?,
        language: "zh-CN".to_owned(),
        timezone: chrono_tz::Asia::Shanghai,
        contact: None,
        allow_networks: Vec::new(),
    })
}

/// The members of a section whose keys are names.
fn named<'t>(walk: &mut Walk<'_>, item: Option<&Item<'t>>) -> Vec<(&'t str, Item<'t>)> {
    let Some(item) = item else { return Vec::new() };
    let Some(pairs) = walk.pairs(item, "a map from names") else { return Vec::new() };
    if pairs.is_empty() {
        walk.fault(item, check::fault("the map is empty", "add at least one member, or remove the key"));
    }
    for (name, item) in &pairs {
        if let Err(fault) = check::name(name) {
            walk.fault_at_key(item, fault);
        }
    }
    pairs
}

fn service(walk: &mut Walk<'_>, item: &Item<'_>) -> Option<Service> {
    let map = walk.fields(item, &SERVICE)?;
    let title = walk.one(map.get("title"), Walk::text);
    let base_url = walk.value(map.get("base_url"), check::base_url);
    let language = walk.language(map.get("language"));
    let timezone = walk.value(map.get("timezone"), check::zone);
    let contact = walk.value(map.get("contact"), check::address);
    let mut allow_networks = Vec::new();
    for member in map.get("allow_networks").map(|item| walk.members(item)).unwrap_or_default() {
        allow_networks.extend(walk.value(Some(&member), check::network));
    }
    let fallback = fallback()?;
    Some(Service {
        title: title.unwrap_or_default(),
        base_url: base_url.unwrap_or(fallback.base_url),
        language: language.unwrap_or(fallback.language),
        timezone: timezone.unwrap_or(fallback.timezone),
        contact,
        allow_networks,
    })
}
