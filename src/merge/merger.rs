//! A feed that is kept ready, so that one new entry costs what one entry costs, however many are known.
//!
//! The ladder takes entries in the order in which they were first seen, so a new one is simply the next. Whatever
//! else happens (an entry leaves, changes its title or text, a heading shows itself, a clock went back) makes the
//! ladder stale, and it is climbed again from the heads that are kept. Either way the feed is the very same that
//! [`super::feed`] makes of the same records: a property test compares them.

use super::head::Head;
use super::ladder::{self, Ladder};
use super::{Shown, around, assemble, is_reprint, quota, rungs};
use crate::config::{Channel, FeedSpec};
use crate::model::{EntryId, Feed, Mark, Record};
use chrono::{DateTime, Utc};
use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// When an entry had its turn on the ladder, see [`Head::turn`].
type Turn = (DateTime<Utc>, bool, DateTime<Utc>, usize, EntryId);

/// Where a winner stands in the feed: publication, place, number, index.
type Rank = (Reverse<DateTime<Utc>>, usize, Reverse<u64>, usize);

/// A feed with all that is needed to take one entry more. Its owner tells it what the ledger holds, see
/// [`Merger::look`], and gives it the records that it asks for.
#[derive(Debug)]
pub struct Merger {
    spec: FeedSpec,
    members: Vec<Channel>,
    known: Vec<HashMap<u64, (Mark, Arc<Head>)>>,
    ladder: Ladder,
    /// The winners in the order of the feed.
    order: BTreeSet<Rank>,
    last: Option<Turn>,
    /// Heads that have not had their turn.
    waiting: Vec<(usize, Arc<Head>)>,
    stale: bool,
    /// Winners that are shown, and records of the ledger for them, after the rules of their channels.
    chosen: Vec<usize>,
    records: HashMap<(usize, u64), Record>,
}

impl Merger {
    /// A feed that can be kept ready: of several channels and no feed, and without rules that look at a list as a
    /// whole or may drop entries: those want to see all records anew. `members` are the channels of the spec.
    #[must_use]
    pub fn new(spec: &FeedSpec, members: &[&Channel]) -> Option<Self> {
        let is_of_list = |channel: &&Channel| channel.rules.iter().any(crate::rule::Rule::is_of_list);
        let may_drop = spec.rules.may_drop() || members.iter().any(|channel| channel.rules.may_drop());
        if members.len() < 2 || !spec.feeds.is_empty() || may_drop || members.iter().any(is_of_list) {
            return None;
        }
        let members: Vec<Channel> = members.iter().map(|channel| (*channel).clone()).collect();
        Some(Self {
            known: vec![HashMap::new(); members.len()],
            ladder: ladder::climb(&spec.duplicates, names(&members), Vec::new()),
            spec: spec.clone(),
            members,
            order: BTreeSet::new(),
            last: None,
            waiting: Vec::new(),
            stale: false,
            chosen: Vec::new(),
            records: HashMap::new(),
        })
    }

    /// Whether it was made for this spec and these channels.
    #[must_use]
    pub fn is_for(&self, spec: &FeedSpec, members: &[&Channel]) -> bool {
        self.spec == *spec && self.members.iter().eq(members.iter().copied())
    }

    /// Takes note of all that the ledger holds of the channel at `place` in the spec; answers which records it must
    /// be given ([`Merger::learn`]).
    pub fn look(&mut self, place: usize, marks: &[Mark]) -> Vec<u64> {
        let there: HashSet<u64> = marks.iter().map(|mark| mark.number).collect();
        let known = &mut self.known[place];
        let before = known.len();
        known.retain(|number, _| there.contains(number));
        self.stale |= known.len() < before;
        let differs = |mark: &&Mark| known.get(&mark.number).is_none_or(|(old, _)| old != *mark);
        marks.iter().filter(differs).map(|mark| mark.number).collect()
    }

    /// Takes records that are new or have changed.
    pub fn learn(&mut self, place: usize, records: &[Record]) {
        let members: Vec<&Channel> = self.members.iter().collect();
        let rungs = rungs(&self.spec, self.members.len());
        for record in records {
            let Some(ruled) = ruled(record, members[place]) else { continue };
            let is_reprint = is_reprint(&ruled, members[place], &members);
            let head = Arc::new(Head::of(&ruled, record.number, is_reprint, &rungs));
            self.records.remove(&(place, record.number));
            let old = self.known[place].insert(record.number, (record.mark(), Arc::clone(&head)));
            match old {
                None => self.waiting.push((place, head)),
                Some((_, old)) if old.weighs_like(&head) => self.stale |= !self.ladder.touch(place, &head),
                Some(_) => self.stale = true,
            }
        }
    }

    /// Decides what is shown; answers which records of which place it must be given for that ([`Merger::supply`]).
    pub fn choose(&mut self) -> Vec<(usize, Vec<u64>)> {
        self.settle();
        let at = |(Reverse(at), place, _, winner): &Rank| (*place, *at, *winner);
        let few = if self.spec.quota.is_none() { self.spec.limit } else { usize::MAX };
        let sorted: Vec<_> = self.order.iter().take(few).map(at).collect();
        let fitting = quota::fit(&self.spec, sorted, |(place, at, _)| (*place, *at));
        self.chosen = fitting.into_iter().map(|(.., winner)| winner).collect();
        let wanted: BTreeSet<(usize, u64)> = self.chosen.iter().flat_map(|at| self.parts(*at)).collect();
        self.records.retain(|key, _| wanted.contains(key));
        let mut missing: Vec<(usize, Vec<u64>)> = Vec::new();
        for (place, number) in wanted.into_iter().filter(|key| !self.records.contains_key(key)) {
            match missing.last_mut().filter(|(last, _)| *last == place) {
                Some((_, numbers)) => numbers.push(number),
                None => missing.push((place, vec![number])),
            }
        }
        missing
    }

    /// Takes records that are shown.
    pub fn supply(&mut self, place: usize, records: &[Record]) {
        for record in records {
            let ruled = ruled(record, &self.members[place]);
            self.records.extend(ruled.map(|ruled| ((place, record.number), ruled.into_owned())));
        }
    }

    /// The feed. `created` stands for `updated` as long as there is no entry.
    #[must_use]
    pub fn feed(&self, created: DateTime<Utc>) -> Feed {
        let shown = self.chosen.iter().filter_map(|at| {
            let winner = &self.ladder.winners[*at];
            let record = self.records.get(&(winner.place, winner.head.number))?;
            let twin = winner.twin.as_ref().and_then(|(place, head)| self.records.get(&(*place, head.number)));
            Some(Shown {
                place: winner.place,
                at: winner.head.at,
                record: Cow::Borrowed(record),
                content: twin.and_then(|twin| twin.entry.content.as_deref()),
                joined: winner.joined.clone(),
                changed: winner.changed,
            })
        });
        let members: Vec<&Channel> = self.members.iter().collect();
        assemble(&self.spec, &members, None, shown.collect(), created)
    }

    /// The records that a winner is shown with: its own, and that of its twin.
    fn parts(&self, winner: usize) -> impl Iterator<Item = (usize, u64)> {
        let winner = &self.ladder.winners[winner];
        let twin = winner.twin.as_ref().map(|(place, head)| (*place, head.number));
        [(winner.place, winner.head.number)].into_iter().chain(twin)
    }

    /// Lets everything that waits have its turn.
    fn settle(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        sort(&mut waiting);
        for (place, head) in waiting {
            if self.stale {
                break;
            }
            let turn = owned(head.turn(place));
            let is_next = self.last.as_ref().is_none_or(|last| *last <= turn);
            self.stale |= !is_next || !self.ladder.append(place, head);
            self.last = Some(turn);
        }
        if !self.stale {
            self.sort_in();
            return;
        }
        let mut all: Vec<(usize, Arc<Head>)> = Vec::new();
        for (place, known) in self.known.iter().enumerate() {
            all.extend(known.values().map(|(_, head)| (place, Arc::clone(head))));
        }
        sort(&mut all);
        self.last = all.last().map(|(place, head)| owned(head.turn(*place)));
        self.ladder = ladder::climb(&self.spec.duplicates, names(&self.members), all);
        self.order.clear();
        self.stale = false;
        self.sort_in();
    }

    /// Sorts new winners in; winners never leave but by climbing again.
    fn sort_in(&mut self) {
        for (at, winner) in self.ladder.winners.iter().enumerate().skip(self.order.len()) {
            self.order.insert((Reverse(winner.head.at), winner.place, Reverse(winner.head.number), at));
        }
    }
}

fn names(members: &[Channel]) -> Vec<crate::model::ChannelId> {
    members.iter().map(|channel| channel.id.clone()).collect()
}

fn sort(heads: &mut [(usize, Arc<Head>)]) {
    heads.sort_by(|(place, head), (other_place, other)| head.turn(*place).cmp(&other.turn(*other_place)));
}

fn owned(turn: (DateTime<Utc>, bool, DateTime<Utc>, usize, &EntryId)) -> Turn {
    let (first_seen, is_reprint, at, place, id) = turn;
    (first_seen, is_reprint, at, place, id.clone())
}

/// The record after the rules of its channel. None of them counts ages: those may drop entries.
fn ruled<'r>(record: &'r Record, channel: &Channel) -> Option<Cow<'r, Record>> {
    channel.rules.entry(Cow::Borrowed(record), &around(channel, DateTime::UNIX_EPOCH))
}
