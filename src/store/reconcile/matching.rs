//! Which known entry each candidate is.
//!
//! Guid, then link, then title and day. The stronger evidence wins, a known entry is taken at most
//! once in a poll, and keys never move from one entry to another.

use super::Known;
use super::churn;
use super::intake::{join, strongest};
use super::quarantine::Horizon;
use super::traits;
use super::visible::{has_substance, visible_hash};
use crate::model::{Candidate, Dated, Key, KeyKind, Precision};
use std::collections::{HashMap, HashSet};

/// The most keys of one kind that an entry holds, so that a source whose guids change with every poll does not
/// fill the disk.
const KEYS_OF_A_KIND: usize = 16;

/// What a candidate was found to be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Assignment {
    /// Its place among the known entries; `None` for a new one.
    pub(crate) known: Option<usize>,
    /// The keys that the entry gets now.
    pub(crate) new_keys: Vec<Key>,
}

struct Matcher<'a> {
    known: &'a [Known],
    /// Who holds a key; for title and day possibly several.
    holders: HashMap<&'a Key, Vec<usize>>,
    /// Which group took which known entry.
    taken: HashMap<usize, usize>,
    /// Known entries that were found although another group carries their guid.
    swapped: HashSet<usize>,
}

/// Finds the known entry of each group. `known` must hold every entry of the channel that has one of the
/// groups' keys. Groups that turn out to be one entry are joined. With a `horizon`, `known` also holds the newest
/// entries of the channel, and a source that changed all its ids is seen through (`churn`).
pub(crate) fn assign(known: &[Known], groups: &mut Vec<Candidate>, horizon: Option<Horizon>) -> Vec<Assignment> {
    let mut holders: HashMap<&Key, Vec<usize>> = HashMap::new();
    for (index, row) in known.iter().enumerate() {
        for key in &row.keys {
            holders.entry(key).or_default().push(index);
        }
    }
    let mut matcher = Matcher { known, holders, taken: HashMap::new(), swapped: HashSet::new() };
    let mut found = matcher.swaps(groups);
    let mut gone = vec![false; groups.len()];
    for kind in [KeyKind::Guid, KeyKind::Link, KeyKind::TitleDay] {
        let census = Census::of(groups);
        for index in 0..groups.len() {
            if found[index].is_some() {
                continue;
            }
            let Some((hit, own)) = matcher.find(&groups[index], kind, &census) else { continue };
            match matcher.taken.get(&hit) {
                None => {
                    matcher.taken.insert(hit, index);
                    found[index] = Some(hit);
                }
                // A second sight of the same entry, by another of its own keys.
                Some(&first) if own => {
                    let second = groups[index].clone();
                    join(&mut groups[first], second);
                    found[index] = Some(hit);
                    gone[index] = true;
                }
                Some(_) => {}
            }
        }
    }
    let mut kept = gone.iter().map(|gone| !gone);
    groups.retain(|_| kept.next().unwrap_or(true));
    let mut kept: Vec<_> = found.into_iter().zip(gone).filter(|(_, gone)| !gone).map(|(found, _)| found).collect();
    for step in 0..2 {
        let used: HashSet<usize> = kept.iter().flatten().copied().collect();
        let new: Vec<usize> = (0..groups.len()).filter(|&group| kept[group].is_none()).collect();
        // A key on a group that is another entry says nothing: places on the page are no ids.
        let open: HashSet<&Key> = new.iter().flat_map(|&group| &groups[group].keys).collect();
        let absent = |row: &usize| {
            let mut own = known[*row].keys.iter().filter(|key| key.kind != KeyKind::TitleDay);
            !used.contains(row) && !own.any(|key| open.contains(key))
        };
        let missing: Vec<usize> = (0..known.len()).filter(absent).collect();
        let pairs = match (step, horizon) {
            (0, Some(horizon)) => {
                let moved = strangers(known, groups, &kept) - new.len();
                churn::pairs(known, &missing, groups, &new, moved, horizon)
            }
            (1, _) => churn::single(known, &missing, groups, &new),
            _ => continue,
        };
        for (group, row) in pairs {
            kept[group] = Some(row);
        }
    }
    hand_out_keys(&matcher, groups, &kept)
}

/// What the poll holds as a whole.
struct Census {
    /// How many groups carry a key.
    carriers: HashMap<Key, usize>,
}

impl Census {
    fn of(groups: &[Candidate]) -> Self {
        let mut carriers = HashMap::new();
        for key in groups.iter().flat_map(|group| &group.keys) {
            *carriers.entry(key.clone()).or_insert(0) += 1;
        }
        Self { carriers }
    }

    fn carriers(&self, key: &Key) -> usize {
        self.carriers.get(key).copied().unwrap_or(0)
    }
}

impl Matcher<'_> {
    /// Groups whose title and link (or second, or text) are those of a known entry while its guid is on another
    /// group: a source that numbers its entries by their place on the page. Two witnesses against one: the
    /// article keeps its id.
    fn swaps(&mut self, groups: &[Candidate]) -> Vec<Option<usize>> {
        let census = Census::of(groups);
        let guids = groups.iter().enumerate().flat_map(|(index, group)| {
            group.keys.iter().filter(|key| key.kind == KeyKind::Guid).map(move |key| (key, index))
        });
        let guids: HashMap<&Key, usize> = guids.collect();
        let mut found = vec![None; groups.len()];
        for (index, group) in groups.iter().enumerate() {
            let Some(row) = self.by_two_witnesses(group, &census) else { continue };
            if !self.taken.contains_key(&row) && self.is_swapped(row, group, groups, &guids) {
                self.taken.insert(row, index);
                self.swapped.insert(row);
                found[index] = Some(row);
            }
        }
        found
    }

    /// The known entry with the title of `group`, and with its link, its second or its text.
    fn by_two_witnesses(&self, group: &Candidate, census: &Census) -> Option<usize> {
        let own = |kind| group.keys.iter().filter(move |key| key.kind == kind && census.carriers(key) == 1);
        let holders = |key: &Key| self.holders.get(key).into_iter().flatten().copied();
        let by_link = own(KeyKind::Link).flat_map(holders).find(|row| self.is_titled(*row, group));
        let mut by_more = own(KeyKind::TitleDay).flat_map(holders).filter(|row| {
            let known = &self.known[*row].entry;
            self.is_titled(*row, group)
                && (same_instant(known.published, group.entry.published) || traits::share_text(known, &group.entry))
        });
        by_link.or_else(|| by_more.next().filter(|_| by_more.next().is_none()))
    }

    fn is_titled(&self, row: usize, group: &Candidate) -> bool {
        let title = self.known[row].entry.title.trim();
        !title.is_empty() && title == group.entry.title.trim()
    }

    /// Whether anything but a guid speaks for a known entry. A source that was caught giving ids of articles to
    /// others is not believed on an id alone: the article that had it may just have left the page.
    fn is_akin(&self, row: usize, group: &Candidate) -> bool {
        let known = &self.known[row];
        self.is_titled(row, group)
            || group.keys.iter().any(|key| key.kind != KeyKind::Guid && known.keys.contains(key))
            || same_instant(known.entry.published, group.entry.published)
            || traits::share_text(&known.entry, &group.entry)
    }

    /// Whether the guid of `group` is that of another known entry with which it shares nothing else, or a guid of
    /// `row` stands on another group that does not have its title.
    fn is_swapped(&self, row: usize, group: &Candidate, groups: &[Candidate], guids: &HashMap<&Key, usize>) -> bool {
        let Some(guid) = group.keys.iter().find(|key| key.kind == KeyKind::Guid) else { return false };
        if self.known[row].keys.contains(guid) {
            return false;
        }
        if let Some(&named) = self.holders.get(guid).and_then(|holders| holders.first()) {
            let mut links = group.keys.iter().filter(|key| key.kind == KeyKind::Link);
            return !self.is_titled(named, group) && !links.any(|key| self.known[named].keys.contains(key));
        }
        let mut own = self.known[row].keys.iter().filter(|key| key.kind == KeyKind::Guid);
        own.any(|key| guids.get(key).is_some_and(|&other| !self.is_titled(row, &groups[other])))
    }

    /// The known entry that `group` is, by keys of this kind, and whether the key alone decides it.
    fn find(&self, group: &Candidate, kind: KeyKind, census: &Census) -> Option<(usize, bool)> {
        let mut keys = group.keys.iter().filter(|key| key.kind == kind);
        let own = strongest(group) == Some(kind);
        keys.find_map(|key| {
            let holders = self.holders.get(key)?;
            match kind {
                KeyKind::Guid => {
                    holders.first().copied().filter(|&hit| self.swapped.is_empty() || self.is_akin(hit, group))
                }
                KeyKind::Link if own => holders.first().copied(),
                KeyKind::Link => holders.first().copied().filter(|&hit| self.link_holds(group, key, hit, census)),
                KeyKind::TitleDay if own => self.by_title_alone(holders, census, key),
                KeyKind::TitleDay => self.by_title(group, holders, census, key),
            }
        })
        .map(|hit| (hit, own))
    }

    /// Whether a link speaks for a candidate whose guid is unknown. It does not when several entries of the
    /// page share it (a podcast that links to its home page), when its holder stands on the page itself, or when
    /// the holder has another guid and neither title nor instant in common. A day is no instant: many share it.
    fn link_holds(&self, group: &Candidate, key: &Key, hit: usize, census: &Census) -> bool {
        let row = &self.known[hit];
        let alike = row.entry.title.trim() == group.entry.title.trim()
            || same_instant(row.entry.published, group.entry.published);
        census.carriers(key) == 1 && !self.taken.contains_key(&hit) && (!row.has(KeyKind::Guid) || alike)
    }

    /// A candidate that has nothing but title and day is the entry that has nothing else either.
    fn by_title_alone(&self, holders: &[usize], census: &Census, key: &Key) -> Option<usize> {
        let bare = |hit: &&usize| !self.known[**hit].has(KeyKind::Guid) && !self.known[**hit].has(KeyKind::Link);
        holders.iter().find(bare).copied().or_else(|| {
            let mut absent = holders.iter().filter(|hit| !self.is_present(**hit, census));
            let only = absent.next().copied().filter(|_| absent.next().is_none());
            only.filter(|_| census.carriers(key) == 1)
        })
    }

    /// Title and day carry identity over a change of URL scheme, and nothing else.
    fn by_title(&self, group: &Candidate, holders: &[usize], census: &Census, key: &Key) -> Option<usize> {
        if census.carriers(key) != 1 {
            return None;
        }
        let mut fitting =
            holders.iter().filter(|hit| !self.is_present(**hit, census) && is_moved(&self.known[**hit], group));
        fitting.next().copied().filter(|_| fitting.next().is_none())
    }

    /// Whether a known entry stands on the page under its own guid or link.
    fn is_present(&self, hit: usize, census: &Census) -> bool {
        let mut own = self.known[hit].keys.iter().filter(|key| key.kind != KeyKind::TitleDay);
        self.taken.contains_key(&hit) || own.any(|key| census.carriers(key) > 0)
    }
}

/// How many groups nobody knows by guid or link: those that are new, and those that only weaker evidence knows.
pub(super) fn strangers(known: &[Known], groups: &[Candidate], found: &[Option<usize>]) -> usize {
    let stranger = |(group, row): &(&Candidate, &Option<usize>)| {
        let mut strong = group.keys.iter().filter(|key| key.kind != KeyKind::TitleDay).peekable();
        row.is_none_or(|row| strong.peek().is_some() && !strong.any(|key| known[row].keys.contains(key)))
    };
    groups.iter().zip(found).filter(stranger).count()
}

/// Whether two dates are one and the same instant; two days are not, for many share them.
fn same_instant(old: Dated, new: Dated) -> bool {
    old.at == new.at && old.precision != Precision::Day && new.precision != Precision::Day
}

/// Whether `group` may be `row` after its address changed: its link has another shape, or everything
/// that is to be seen is the same.
fn is_moved(row: &Known, group: &Candidate) -> bool {
    let shapes = |keys: &[Key], kind| -> HashSet<String> {
        keys.iter().filter(|key| key.kind == kind).map(|key| shape(&key.value)).collect()
    };
    let (old, new) = (shapes(&row.keys, KeyKind::Link), shapes(&group.keys, KeyKind::Link));
    let elsewhere = if old.is_empty() || new.is_empty() {
        // Without links to compare, two guids are two entries.
        !(row.has(KeyKind::Guid) && strongest(group) == Some(KeyKind::Guid))
    } else {
        let guids = shapes(&row.keys, KeyKind::Guid);
        old.is_disjoint(&new) && guids.is_disjoint(&shapes(&group.keys, KeyKind::Guid))
    };
    elsewhere || (has_substance(&group.entry) && visible_hash(&row.entry) == visible_hash(&group.entry))
}

/// The scheme of an address: every run of digits is one `0`, all else stays.
/// `424/191210112419833` is `0/0`, `c/2019-12-10/8907680` is `c/0-0-0/0`.
pub(super) fn shape(value: &str) -> String {
    let mut shape = String::with_capacity(value.len());
    for character in value.chars() {
        let digit = character.is_ascii_digit();
        if !digit || !shape.ends_with('0') {
            shape.push(if digit { '0' } else { character });
        }
    }
    shape
}

/// The keys that each entry gets: those of its candidate that nobody holds. Titles and days may have
/// several holders.
fn hand_out_keys(matcher: &Matcher<'_>, groups: &[Candidate], found: &[Option<usize>]) -> Vec<Assignment> {
    let mut given: HashSet<Key> = HashSet::new();
    let mut order: Vec<usize> = (0..groups.len()).collect();
    order.sort_by_key(|&index| found[index].is_none()); // known entries first
    let mut assignments: Vec<_> =
        found.iter().map(|&known| Assignment { known, new_keys: Vec::new() }).collect::<Vec<_>>();
    for index in order {
        let row = found[index].map(|hit| &matcher.known[hit]);
        for key in &groups[index].keys {
            let held = |key: &Key| row.is_some_and(|row| row.keys.contains(key));
            let free = key.kind == KeyKind::TitleDay || !matcher.holders.contains_key(key) && !given.contains(key);
            let old = row.map_or(0, |row| row.keys.iter().filter(|old| old.kind == key.kind).count());
            let new = assignments[index].new_keys.iter().filter(|new| new.kind == key.kind).count();
            if free && !held(key) && old + new < KEYS_OF_A_KIND {
                given.insert(key.clone());
                assignments[index].new_keys.push(key.clone());
            }
        }
    }
    assignments
}
