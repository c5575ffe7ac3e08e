//! The ladder of duplicates: id, link, title, text. An entry joins an entry that is shown, never one that is
//! joined itself, so that no chain drifts from one article to another.

use super::Placed;
use super::link::page;
use super::print::Print;
use super::title::Title;
use crate::config::Duplicates;
use crate::model::{ChannelId, Joined, Record, Rung};
use chrono::{DateTime, Utc};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Postings of a sentence or band beyond this many say nothing: everybody writes that. Keeps the search near linear.
const COMMON: usize = 64;

/// An entry that is shown, with what was joined into it.
pub(super) struct Winner<'a> {
    pub(super) placed: Placed<'a>,
    /// As it is shown; the ladder itself changes nothing.
    pub(super) record: Cow<'a, Record>,
    pub(super) joined: Vec<Joined>,
    /// The text of an entry that is the same page, for a winner without one.
    pub(super) content: Option<String>,
    /// When the last of them changed.
    pub(super) changed: DateTime<Utc>,
}

/// What an entry is compared by.
struct Evidence {
    page: Option<String>,
    title: Title,
    print: Option<Print>,
}

/// The entries that are shown so far, found by their evidence.
pub(super) struct Ladder<'a, 's> {
    spec: &'s Duplicates,
    /// Titles that a channel uses for several entries: headings of columns.
    headings: HashSet<u64>,
    pub(super) winners: Vec<Winner<'a>>,
    evidence: Vec<Evidence>,
    ids: HashMap<&'a str, usize>,
    pages: HashMap<String, Vec<usize>>,
    titles: HashMap<u64, Vec<usize>>,
    sentences: HashMap<u64, Vec<usize>>,
    bands: HashMap<(u32, u64), Vec<usize>>,
}

/// Joins duplicates; `all` is in the order in which entries win.
pub(super) fn climb<'a>(spec: &Duplicates, all: Vec<Placed<'a>>) -> Vec<Winner<'a>> {
    let mut ladder = Ladder {
        spec,
        headings: headings(&all),
        winners: Vec::new(),
        evidence: Vec::new(),
        ids: HashMap::new(),
        pages: HashMap::new(),
        titles: HashMap::new(),
        sentences: HashMap::new(),
        bands: HashMap::new(),
    };
    // With one channel there is nothing to compare but ids.
    let several = all.iter().any(|one| one.place != all[0].place);
    for placed in all {
        ladder.add(placed, several);
    }
    ladder.winners
}

fn headings(all: &[Placed<'_>]) -> HashSet<u64> {
    let mut seen: HashMap<(usize, u64), &str> = HashMap::new();
    let mut headings = HashSet::new();
    for one in all {
        let entry = &one.record.entry;
        let Some(key) = Title::of(&entry.title).key else { continue };
        if *seen.entry((one.place, key)).or_insert(&entry.id.0) != entry.id.0 {
            headings.insert(key);
        }
    }
    headings
}

impl<'a> Ladder<'a, '_> {
    fn add(&mut self, placed: Placed<'a>, several: bool) {
        let entry = &placed.record.entry;
        if let Some(at) = self.ids.get(entry.id.0.as_str()).copied() {
            return self.join(at, &placed, Rung::Id);
        }
        let wants = |rung| several && self.spec.by.contains(&rung);
        let mut title = Title::of(&entry.title);
        title.key = title.key.filter(|key| !self.headings.contains(key));
        let text = entry.content.as_deref().or(entry.summary.as_deref());
        let evidence = Evidence {
            page: entry.url.as_deref().filter(|_| wants(Rung::Link)).and_then(page),
            print: text.filter(|_| wants(Rung::Title) || wants(Rung::Text)).and_then(Print::of),
            title,
        };
        let found = self
            .by_page(&placed, &evidence)
            .map(|at| (at, Rung::Link))
            .or_else(|| wants(Rung::Title).then(|| self.by_title(&placed, &evidence))?.map(|at| (at, Rung::Title)))
            .or_else(|| wants(Rung::Text).then(|| self.by_text(&placed, &evidence))?.map(|at| (at, Rung::Text)));
        match found {
            Some((at, rung)) => self.join(at, &placed, rung),
            None => self.win(placed, evidence),
        }
    }

    fn join(&mut self, at: usize, placed: &Placed<'a>, rung: Rung) {
        let record = placed.record;
        let winner = &mut self.winners[at];
        winner.changed = winner.changed.max(record.changed);
        if winner.placed.record.entry.content.is_none() && winner.content.is_none() && rung <= Rung::Link {
            winner.content.clone_from(&record.entry.content);
        }
        winner.joined.push(Joined {
            channel: record.channel.clone(),
            id: record.entry.id.clone(),
            url: record.entry.url.clone(),
            title: record.entry.title.clone(),
            rung,
        });
    }

    fn win(&mut self, placed: Placed<'a>, evidence: Evidence) {
        let at = self.winners.len();
        self.ids.insert(&placed.record.entry.id.0, at);
        if let Some(page) = &evidence.page {
            self.pages.entry(page.clone()).or_default().push(at);
        }
        if let Some(key) = evidence.title.key {
            self.titles.entry(key).or_default().push(at);
        }
        if let Some(print) = &evidence.print {
            for sentence in &print.sentences {
                self.sentences.entry(*sentence).or_default().push(at);
            }
            for band in bands(print.simhash, self.spec.distance) {
                self.bands.entry(band).or_default().push(at);
            }
        }
        let changed = placed.record.changed;
        let record = Cow::Borrowed(placed.record);
        self.winners.push(Winner { placed, record, joined: Vec::new(), content: None, changed });
        self.evidence.push(evidence);
    }

    fn by_page(&self, placed: &Placed<'_>, evidence: &Evidence) -> Option<usize> {
        let found = self.pages.get(evidence.page.as_ref()?)?;
        // Inside one channel the ledger has told entries apart already: several may share one page.
        found.iter().copied().find(|at| self.winners[*at].placed.record.channel != placed.record.channel)
    }

    fn by_title(&self, placed: &Placed<'_>, evidence: &Evidence) -> Option<usize> {
        let found = self.titles.get(&evidence.title.key?)?;
        let contradicts = |at: usize| match (&evidence.print, &self.evidence[at].print) {
            (Some(one), Some(other)) => one.overlap(other) < 0.3 || !one.has_numbers_of(other),
            _ => false,
        };
        found.iter().copied().take(COMMON).find(|at| self.is_open(*at, placed) && !contradicts(*at))
    }

    fn by_text(&self, placed: &Placed<'_>, evidence: &Evidence) -> Option<usize> {
        let print = evidence.print.as_ref()?;
        let near = |at: &usize| {
            let other = self.evidence[*at].print.as_ref();
            other.is_some_and(|other| (other.simhash ^ print.simhash).count_ones() <= self.spec.distance)
        };
        let mut likely = BTreeSet::new();
        for sentence in &print.sentences {
            likely.extend(self.sentences.get(sentence).into_iter().flatten().copied().take(COMMON));
        }
        for band in bands(print.simhash, self.spec.distance) {
            likely.extend(self.bands.get(&band).into_iter().flatten().copied().filter(near).take(COMMON));
        }
        likely.into_iter().find(|at| {
            let other = &self.evidence[*at];
            self.is_open(*at, placed)
                && !other.title.is_other_part(&evidence.title)
                && other.print.as_ref().is_some_and(|other| other.is_like(print))
        })
    }

    /// Whether a winner may take the entry by its words: published at about the same time, and neither of its
    /// channel nor of one that it has an entry of already: a channel tells its own articles apart.
    fn is_open(&self, at: usize, placed: &Placed<'_>) -> bool {
        let winner = &self.winners[at];
        let apart = (winner.placed.at() - placed.at()).abs().to_std().unwrap_or_default();
        let is_of = |channel: &ChannelId| *channel == placed.record.channel;
        apart <= self.spec.window
            && !is_of(&winner.placed.record.channel)
            && !winner.joined.iter().any(|one| is_of(&one.channel))
    }
}

/// The simhash in `distance + 1` pieces: two that differ in at most `distance` bits have one piece in common.
fn bands(simhash: u64, distance: u32) -> impl Iterator<Item = (u32, u64)> {
    let pieces = distance.min(12) + 1;
    (0..pieces).map(move |piece| {
        let (from, to) = (piece * 64 / pieces, (piece + 1) * 64 / pieces);
        let mask = if to - from == 64 { u64::MAX } else { (1 << (to - from)) - 1 };
        (piece, simhash >> from & mask)
    })
}
