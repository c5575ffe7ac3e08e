//! The ladder of duplicates: id, link, title, text. An entry joins an entry that is shown, never one that is
//! joined itself, so that no chain drifts from one article to another.

use super::head::Head;
use super::postings::Postings;
use super::print::{mix, short};
use crate::config::Duplicates;
use crate::model::{ChannelId, EntryId, Joined, Rung};
use chrono::{DateTime, Utc};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// Postings of a sentence or band beyond this many say nothing: everybody writes that. Keeps the search near linear.
const COMMON: usize = 64;

/// An entry that is shown, with what was joined into it.
#[derive(Debug)]
pub(super) struct Winner {
    pub(super) place: usize,
    pub(super) head: Arc<Head>,
    pub(super) joined: Vec<Joined>,
    /// For a winner without content: an entry that is the same page and has some.
    pub(super) twin: Option<(usize, Arc<Head>)>,
    /// When the last of them changed.
    pub(super) changed: DateTime<Utc>,
}

/// The entries that are shown so far, found by their evidence.
#[derive(Debug)]
pub(super) struct Ladder {
    spec: Duplicates,
    /// The channel of each place; one channel may have two.
    channels: Vec<ChannelId>,
    /// Whether entries of several channels are there: else there is nothing to compare but ids.
    several: bool,
    /// Titles that a channel uses for several entries: headings of columns.
    headings: HashSet<u64>,
    /// Which entry of a channel has which title.
    titled: HashMap<(usize, u64), EntryId>,
    pub(super) winners: Vec<Winner>,
    ids: HashMap<EntryId, usize>,
    pages: Postings<String>,
    titles: Postings<u64>,
    sentences: Postings<u32>,
    probes: Postings<u32>,
    bands: Postings<u32>,
    /// Of each winner; side by side, since many are looked at. 0 without a text.
    simhashes: Vec<u64>,
}

/// Joins duplicates; `all` is sorted by [`Head::turn`], `channels` says which channel each place stands for.
pub(super) fn climb(spec: &Duplicates, channels: Vec<ChannelId>, all: Vec<(usize, Arc<Head>)>) -> Ladder {
    let several = channels.iter().any(|channel| *channel != channels[0]);
    let mut ladder = Ladder {
        spec: spec.clone(),
        channels,
        several,
        headings: HashSet::new(),
        titled: HashMap::new(),
        winners: Vec::new(),
        ids: HashMap::new(),
        pages: Postings::default(),
        titles: Postings::default(),
        sentences: Postings::default(),
        probes: Postings::default(),
        bands: Postings::default(),
        simhashes: Vec::new(),
    };
    for (place, head) in &all {
        if let Some(key) = ladder.note_title(*place, head) {
            ladder.headings.insert(key);
        }
    }
    for (place, head) in all {
        ladder.add(place, head);
    }
    ladder
}

impl Ladder {
    /// Adds an entry whose turn is after all that are there, as if it had been there from the start. `false`, and
    /// nothing is changed, if it makes a title a heading that was none: then all must climb again.
    pub(super) fn append(&mut self, place: usize, head: Arc<Head>) -> bool {
        if self.note_title(place, &head).is_some_and(|key| !self.headings.contains(&key)) {
            return false;
        }
        self.add(place, head);
        true
    }

    /// Notes that an entry has changed in a way that matters to nobody else. `false`, and nothing is noted, if it is
    /// not shown itself.
    pub(super) fn touch(&mut self, place: usize, head: &Head) -> bool {
        let Some(winner) = self.ids.get(&head.id).and_then(|at| self.winners.get_mut(*at)) else { return false };
        let is_it = (winner.place, winner.head.number) == (place, head.number);
        if is_it {
            winner.changed = winner.changed.max(head.changed);
        }
        is_it
    }

    /// The key of the title if another entry of the channel has it too.
    fn note_title(&mut self, place: usize, head: &Head) -> Option<u64> {
        let key = head.title.key?;
        let first = self.titled.entry((place, key)).or_insert_with(|| head.id.clone());
        (*first != head.id).then_some(key)
    }

    fn add(&mut self, place: usize, head: Arc<Head>) {
        if let Some(at) = self.ids.get(&head.id).copied() {
            return self.join(at, place, &head, Rung::Id);
        }
        let tries = |rung| self.several && self.spec.by.contains(&rung);
        let found = tries(Rung::Link).then(|| self.by_page(place, &head)).flatten().map(|at| (at, Rung::Link));
        let found = found
            .or_else(|| tries(Rung::Title).then(|| self.by_title(place, &head))?.map(|at| (at, Rung::Title)))
            .or_else(|| tries(Rung::Text).then(|| self.by_text(place, &head))?.map(|at| (at, Rung::Text)));
        match found {
            Some((at, rung)) => self.join(at, place, &head, rung),
            None => self.win(place, head),
        }
    }

    fn join(&mut self, at: usize, place: usize, head: &Arc<Head>, rung: Rung) {
        let winner = &mut self.winners[at];
        winner.changed = winner.changed.max(head.changed);
        if !winner.head.has_content && winner.twin.is_none() && rung <= Rung::Link && head.has_content {
            winner.twin = Some((place, Arc::clone(head)));
        }
        winner.joined.push(Joined {
            channel: self.channels[place].clone(),
            id: head.id.clone(),
            url: head.url.clone(),
            title: head.name.clone(),
            rung,
        });
    }

    fn win(&mut self, place: usize, head: Arc<Head>) {
        let at = self.winners.len();
        self.ids.insert(head.id.clone(), at);
        if self.several {
            if let Some(page) = &head.page {
                self.pages.push(page.clone(), at);
            }
            if let Some(key) = self.key(&head) {
                self.titles.push(key, at);
            }
            if let Some(print) = &head.print {
                for sentence in &print.sentences {
                    self.sentences.push(*sentence, at);
                }
                for probe in print.probes() {
                    self.probes.push(*probe, at);
                }
                for band in bands(print.simhash, self.spec.distance) {
                    self.bands.push(band, at);
                }
            }
        }
        let changed = head.changed;
        self.simhashes.push(head.print.as_ref().map_or(0, |print| print.simhash));
        self.winners.push(Winner { place, head, joined: Vec::new(), twin: None, changed });
    }

    /// The key of a title that is no heading.
    fn key(&self, head: &Head) -> Option<u64> {
        head.title.key.filter(|key| !self.headings.contains(key))
    }

    fn by_page(&self, place: usize, head: &Head) -> Option<usize> {
        let mut found = self.pages.of(head.page.as_ref()?);
        // Inside one channel the ledger has told entries apart already: several may share one page.
        found.find(|at| self.channels[self.winners[*at].place] != self.channels[place])
    }

    fn by_title(&self, place: usize, head: &Head) -> Option<usize> {
        let key = self.key(head)?;
        let mut found = self.titles.of(&key).take(COMMON);
        let contradicts = |at: usize| match (&head.print, &self.winners[at].head.print) {
            (Some(one), Some(other)) => one.overlap(other) < 0.3 || !one.has_numbers_of(other),
            _ => false,
        };
        found.find(|at| self.is_open(*at, place, head) && !contradicts(*at))
    }

    fn by_text(&self, place: usize, head: &Head) -> Option<usize> {
        let print = head.print.as_ref()?;
        let mut likely = BTreeSet::new();
        for sentence in &print.sentences {
            likely.extend(self.sentences.of(sentence).take(COMMON));
        }
        let probed = print.probes().iter().flat_map(|probe| self.probes.of(probe).take(COMMON));
        let mut probed: Vec<usize> = probed.collect();
        probed.sort_unstable();
        likely.extend(probed.windows(2).filter(|two| two[0] == two[1]).map(|two| two[0]));
        for band in bands(print.simhash, self.spec.distance) {
            let near = |at: &usize| (self.simhashes[*at] ^ print.simhash).count_ones() <= self.spec.distance;
            likely.extend(self.bands.of(&band).filter(near).take(COMMON));
        }
        likely.into_iter().find(|at| {
            let other = &self.winners[*at].head;
            self.is_open(*at, place, head)
                && !other.title.is_other_part(&head.title)
                && other.print.as_ref().is_some_and(|other| other.is_like(print))
        })
    }

    /// Whether a winner may take the entry by its words: published at about the same time, and neither of its
    /// channel nor of one that it has an entry of already: a channel tells its own articles apart.
    fn is_open(&self, at: usize, place: usize, head: &Head) -> bool {
        let winner = &self.winners[at];
        let apart = (winner.head.at - head.at).abs().to_std().unwrap_or_default();
        let is_of = |channel: &ChannelId| *channel == self.channels[place];
        apart <= self.spec.window
            && !is_of(&self.channels[winner.place])
            && !winner.joined.iter().any(|one| is_of(&one.channel))
    }
}

/// The simhash in `distance + 1` pieces: two that differ in at most `distance` bits have one piece in common. What is
/// returned is a hash of each piece and its place.
fn bands(simhash: u64, distance: u32) -> impl Iterator<Item = u32> {
    let pieces = distance.min(12) + 1;
    (0..pieces).map(move |piece| {
        let (from, to) = (piece * 64 / pieces, (piece + 1) * 64 / pieces);
        let mask = if to - from == 64 { u64::MAX } else { (1 << (to - from)) - 1 };
        short(mix(u64::from(piece), simhash >> from & mask))
    })
}
