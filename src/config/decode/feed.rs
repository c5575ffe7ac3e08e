//! The section `feeds`: what is published and what it is made of.

use super::super::check;
use super::super::keys::{DUPLICATES, FEED};
use super::super::types::{Channel, DEFAULT_LIMIT, Duplicates, FeedSpec, Service};
use super::known::Known;
use super::rules;
use super::walk::{Item, Walk};
use crate::model::Rung;
use std::sync::Arc;

/// The name of the feed of incidents.
const RESERVED: &str = "health";

/// What feeds may be made of.
pub(super) struct Members<'m> {
    pub(super) channels: &'m [Option<Arc<Channel>>],
    pub(super) known: &'m Known<'m>,
    /// Which channels are in a feed.
    pub(super) used: &'m mut [bool],
    pub(super) feeds: &'m Known<'m>,
}

/// A feed, and the indices of the feeds that it is made of with where they stand.
pub(super) struct Declared<'t> {
    pub(super) spec: FeedSpec,
    inner: Vec<(Item<'t>, usize)>,
}

pub(super) fn feed<'t>(
    walk: &mut Walk<'_>,
    service: &Service,
    around: &mut Members<'_>,
    name: &str,
    item: &Item<'t>,
) -> Option<Declared<'t>> {
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
    for (_, index) in around.known.names(walk, map.get("channels")) {
        around.used[index] = true;
        members.extend(&around.channels[index]);
    }
    let inner = around.feeds.names(walk, map.get("feeds"));
    if map.get("channels").is_none() && map.get("feeds").is_none() {
        let help = "add `channels: [NAME]`, `feeds: [NAME]` or both";
        walk.fault_at_key(item, check::fault(format!("the feed `{name}` is made of nothing"), help));
    }
    if name == RESERVED {
        let help = "choose another name; `/feeds/health.atom` tells the admin of incidents";
        walk.fault_at_key(item, check::fault(format!("the feed name `{RESERVED}` is taken by Heliu itself"), help));
    }
    let own_title = match members.as_slice() {
        [only] if inner.is_empty() => only.title.to_string(),
        _ => name.to_owned(),
    };
    let names = inner.iter().filter_map(|(_, index)| around.feeds.name(*index).parse().ok());
    let spec = FeedSpec {
        id: name.parse().ok()?,
        title: title.unwrap_or(own_title),
        description: description.unwrap_or_default(),
        language: language.unwrap_or_else(|| service.language.clone()),
        channels: members.into_iter().map(|channel| channel.id.clone()).collect(),
        feeds: names.collect(),
        limit: limit.map_or(DEFAULT_LIMIT, |limit| limit as usize),
        duplicates: duplicates.unwrap_or_default(),
        quota: quota.map(|quota| quota as usize),
        max_age,
        rules,
    };
    Some(Declared { spec, inner })
}

/// Tells feeds that are made of themselves, each circle once: at the member that closes it.
pub(super) fn cycles(walk: &mut Walk<'_>, items: &[(&str, Item<'_>)], feeds: &[Option<Declared<'_>>]) {
    // 0: not seen; 1: on the path; 2: done. An explicit stack, as nothing bounds how deep feeds nest.
    let mut marks = vec![0u8; feeds.len()];
    for start in 0..feeds.len() {
        let mut path = vec![(start, 0)];
        while let Some((at, next)) = path.last_mut() {
            let (here, step) = (*at, *next);
            *next += 1;
            marks[here] = marks[here].max(1);
            let inner = feeds[here].as_ref().map_or(&[][..], |declared| declared.inner.as_slice());
            let Some((item, to)) = inner.get(step).filter(|_| marks[here] < 2) else {
                marks[here] = 2;
                path.pop();
                continue;
            };
            match marks[*to] {
                0 => path.push((*to, 0)),
                1 => {
                    let from = path.iter().position(|(one, _)| one == to).unwrap_or(0);
                    let names = path[from..].iter().map(|(one, _)| *one).chain([*to]).map(|one| items[one].0);
                    let circle = names.collect::<Vec<_>>().join(" → ");
                    let message = format!("the feed `{}` is made of itself: {circle}", items[*to].0);
                    walk.fault(item, check::fault(message, "remove it here, or one of the others in the circle"));
                }
                _ => {}
            }
        }
    }
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
        in_content: walk.flag(map.get("also_at_in_content")),
    })
}
