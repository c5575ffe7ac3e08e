//! A source that changes all its ids and addresses at once: what it shows are still the entries that are known.
//!
//! Single entries are told apart by their keys alone (`matching`). Only when several entries of a poll are unknown,
//! and at least half of those share weak evidence with known entries that are missing from the page, each pair
//! being the only one that fits, do they keep their old identity. A pair that is wrong would hide a new article, so
//! whatever speaks against it breaks it; what is left is for `quarantine` to judge.

use super::Known;
use super::quarantine::Horizon;
use super::traits::{self, Affixes, Kind, Trait};
use crate::model::Candidate;
use std::collections::{HashMap, HashSet};

/// Fewer unknown entries than this prove nothing together.
pub(crate) const FEW: usize = 3;

/// Pairs unknown groups with known entries that are missing from the page; empty unless all pairs together
/// are believable. `missing` are places among `known`; `moved` is how many groups were already found by weak
/// evidence alone.
pub(super) fn pairs(
    known: &[Known],
    missing: &[usize],
    groups: &[Candidate],
    new: &[usize],
    moved: usize,
    horizon: Horizon,
) -> Vec<(usize, usize)> {
    if new.len() + moved < FEW {
        return Vec::new();
    }
    let titles = |held: bool| {
        let rows = missing.iter().filter(move |&&row| known[row].held == held);
        Affixes::of(rows.map(|&row| known[row].entry.title.as_str()))
    };
    let page = Affixes::of(new.iter().map(|&group| groups[group].entry.title.as_str()));
    let mut pairing = Pairing { known, groups, horizon: Some(horizon), of_group: HashMap::new(), rows: HashSet::new() };
    // What is published comes first; what was held back in an earlier churn only takes what is left.
    for held in [false, true] {
        let rows: Vec<usize> = missing.iter().copied().filter(|&row| known[row].held == held).collect();
        for kind in Kind::ALL {
            pairing.round(&rows, titles(held), new, page, kind);
        }
    }
    let found = pairing.of_group;
    if found.len() + moved >= FEW && (found.len() + moved) * 2 >= new.len() + moved {
        let mut pairs: Vec<_> = found.into_iter().collect();
        pairs.sort_unstable();
        pairs
    } else {
        Vec::new()
    }
}

/// Pairs single unknown groups with known entries that are missing from the page: of the same second, and of the
/// same title, text or path.
pub(super) fn single(known: &[Known], missing: &[usize], groups: &[Candidate], new: &[usize]) -> Vec<(usize, usize)> {
    let mut pairing = Pairing { known, groups, horizon: None, of_group: HashMap::new(), rows: HashSet::new() };
    for kind in Kind::SURE {
        pairing.round(missing, Affixes::default(), new, Affixes::default(), kind);
    }
    let mut pairs: Vec<_> = pairing.of_group.into_iter().collect();
    pairs.sort_unstable();
    pairs
}

struct Pairing<'a> {
    known: &'a [Known],
    groups: &'a [Candidate],
    horizon: Option<Horizon>,
    of_group: HashMap<usize, usize>,
    rows: HashSet<usize>,
}

/// Who has a trait: one, or too many to tell.
#[derive(Clone, Copy)]
enum Owner {
    One(usize),
    Many,
}

fn owners(traits: impl Iterator<Item = (usize, Vec<Trait>)>) -> HashMap<Trait, Owner> {
    let mut owners: HashMap<Trait, Owner> = HashMap::new();
    for (place, traits) in traits {
        for one in traits {
            owners
                .entry(one)
                .and_modify(|owner| {
                    if !matches!(owner, Owner::One(other) if *other == place) {
                        *owner = Owner::Many;
                    }
                })
                .or_insert(Owner::One(place));
        }
    }
    owners
}

impl Pairing<'_> {
    /// Pairs by one kind of evidence what is not paired yet.
    fn round(&mut self, rows: &[usize], of_rows: Affixes, new: &[usize], of_page: Affixes, kind: Kind) {
        let free = rows.iter().copied().filter(|row| !self.rows.contains(row));
        let rows = owners(free.map(|row| {
            let known = &self.known[row];
            (row, traits::of(&known.entry, &known.keys, kind, of_rows))
        }));
        let free: Vec<usize> = new.iter().copied().filter(|group| !self.of_group.contains_key(group)).collect();
        let traits = |group: &usize| {
            let candidate = &self.groups[*group];
            (*group, traits::of(&candidate.entry, &candidate.keys, kind, of_page))
        };
        let of_groups: Vec<_> = free.iter().map(traits).collect();
        let groups = owners(of_groups.iter().cloned());
        let mut found = Vec::new();
        for (group, traits) in of_groups {
            let hit = traits.iter().find_map(|one| match (groups.get(one), rows.get(one)) {
                (Some(Owner::One(_)), Some(Owner::One(row))) => Some(*row),
                _ => None,
            });
            if let Some(row) = hit.filter(|row| self.believable(group, *row, kind)) {
                found.push((group, row));
            }
        }
        // Some seconds in common are chance where entries come by the clock; nearly all are not.
        if kind == Kind::Instant && (found.len() < FEW || found.len() * 5 < free.len() * 4) {
            return;
        }
        for (group, row) in found {
            if self.rows.insert(row) {
                self.of_group.insert(group, row);
            }
        }
    }

    /// Whether nothing speaks against a pair. Equal texts and equal days speak for themselves. A title alone may
    /// return every week, and a second may be that of a batch: texts that differ speak against both, and so
    /// does a date that lies after everything known against a title.
    fn believable(&self, group: usize, row: usize, kind: Kind) -> bool {
        let (row, entry) = (&self.known[row], &self.groups[group].entry);
        if !matches!(kind, Kind::Title | Kind::Instant) {
            return true;
        }
        let (old, new) = (traits::texts(&row.entry), traits::texts(entry));
        let differ = !old.is_empty() && !new.is_empty() && !new.iter().any(|text| old.contains(text));
        !differ && (kind == Kind::Instant || row.held || self.horizon.is_some_and(|horizon| !horizon.is_newer(entry)))
    }
}
