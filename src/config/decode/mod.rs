//! Nodes → values. Every function reports what is wrong to the walk and goes on, so that one run shows all.

mod channel;
mod known;
mod layout;
mod rules;
mod walk;

use super::check::{self, Validators};
use super::diagnostic::Diagnostic;
use super::keys::{DUPLICATES, FEED, SERVICE, TOP};
use super::tree::Tree;
use super::types::{Channel, Config, DEFAULT_LIMIT, Duplicates, FeedSpec, Service};
use crate::model::Rung;
use channel::{Declared, Surroundings};
use known::Known;
use std::path::Path;
use walk::{Item, Walk};

/// Decodes a whole file; `Some` exactly if there is no error among the diagnostics.
pub(super) fn config(tree: &Tree, folder: &Path, validators: Validators) -> (Option<Config>, Vec<Diagnostic>) {
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
    let mut around = Surroundings { service: around_service, folder, layouts, known_layouts };
    let declared = named(walk, map.get("channels"));
    let channels: Vec<Option<Channel>> =
        declared.iter().map(|(name, item)| channel::channel(walk, &mut around, name, item)).collect();
    let mut used = vec![false; declared.len()];
    let known = Known::new("channel", declared.iter().map(|(name, _)| *name));
    let mut feeds = Vec::new();
    for (name, item) in named(walk, map.get("feeds")) {
        feeds.extend(feed(walk, around_service, (&channels, &known, &mut used), name, &item));
    }
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

fn feed(
    walk: &mut Walk<'_>,
    service: &Service,
    (channels, known, used): (&[Option<Channel>], &Known<'_>, &mut [bool]),
    name: &str,
    item: &Item<'_>,
) -> Option<FeedSpec> {
    let map = walk.fields(item, &FEED)?;
    let title = walk.one(map.get("title"), Walk::text);
    let description = walk.one(map.get("description"), Walk::text);
    let language = walk.language(map.get("language"));
    let limit = walk.count(map.get("limit"), 1..=500);
    let quota = walk.count(map.get("quota"), 1..=500);
    let max_age = walk.value(map.get("max_age"), check::span);
    let duplicates = walk.one(map.get("duplicates"), duplicates);
    let rules = rules::rules(walk, map.get("rules"), rules::Owner::Feed);
    let mut members = Vec::new();
    for (_, index) in known.names(walk, map.get("channels")) {
        used[index] = true;
        members.extend(&channels[index]);
    }
    let own_title = match members.as_slice() {
        [only] => only.title.clone(),
        _ => name.to_owned(),
    };
    Some(FeedSpec {
        id: name.parse().ok()?,
        title: title.unwrap_or(own_title),
        description: description.unwrap_or_default(),
        language: language.unwrap_or_else(|| service.language.clone()),
        channels: members.into_iter().map(|channel| channel.id.clone()).collect(),
        limit: limit.map_or(DEFAULT_LIMIT, |limit| limit as usize),
        duplicates: duplicates.unwrap_or_default(),
        quota: quota.map(|quota| quota as usize),
        max_age,
        rules,
    })
}

fn duplicates(walk: &mut Walk<'_>, item: &Item<'_>) -> Option<Duplicates> {
    let map = walk.fields(item, &DUPLICATES)?;
    let usual = Duplicates::default();
    let mut by = Vec::new();
    for member in map.get("by").map(|item| walk.members(item)).unwrap_or_default() {
        by.extend(walk.value(Some(&member), check::rung));
    }
    by.sort_unstable();
    by.dedup();
    Some(Duplicates {
        by: if map.get("by").is_some() { by } else { Rung::ALL.to_vec() },
        window: walk.value(map.get("window"), check::span).unwrap_or(usual.window),
        distance: walk.count(map.get("distance"), 0..=12).unwrap_or(usual.distance),
        show: if map.get("show_also_at").is_some() { walk.flag(map.get("show_also_at")) } else { usual.show },
    })
}
