//! Which channels are polled together, and which of these groups is due next.

mod due;

use self::due::Due;
use super::slots::Wait;
use crate::config::Channel;
use crate::model::ChannelId;
use crate::schedule::Rota;
use chrono::{DateTime, Utc};
use hashbrown::HashTable;
use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

/// Channels that share an address; they are polled in one go.
pub(super) type Group = Arc<[Arc<Channel>]>;

/// A group's number, or that of a channel. A feeds.yaml that is read holds fewer than a million.
type Number = u32;

fn number(index: usize) -> Number {
    Number::try_from(index).unwrap_or(Number::MAX)
}

/// The groups and when they are due. There may be very many, and most are one channel that rests: what is kept of each
/// is a row in a few lists.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The channels, group after group.
    channels: Box<[Arc<Channel>]>,
    /// Where in `channels` each group ends.
    ends: Box<[Number]>,
    /// The group of each place in `channels`.
    groups: Box<[Number]>,
    /// The places in `channels` by name; the names themselves are read there.
    by_name: HashTable<Number>,
    hasher: RandomState,
    due: Due,
    /// When each group is due; what the queue says otherwise is stale. `None`: being polled.
    next: Box<[Option<DateTime<Utc>>]>,
    /// Groups that are due but have to wait, by what they wait for, first come first served.
    waiting: HashMap<Wait, VecDeque<(DateTime<Utc>, Number)>>,
    /// Sees to it that not everything falls into one second.
    rota: Rota,
}

impl Plan {
    /// Groups channels by shared addresses; their polls per second come to `rate` in the mean; `due` tells when
    /// each group is due, if ever.
    pub(super) fn new(
        channels: &[Arc<Channel>],
        rate: f64,
        due: impl Fn(&[Arc<Channel>]) -> Option<DateTime<Utc>>,
    ) -> Self {
        let root = components(channels);
        let mut order: Vec<Number> = (0..number(channels.len())).collect();
        order.sort_by_key(|member| root[*member as usize]);
        let groups = || order.chunk_by(|a, b| root[*a as usize] == root[*b as usize]);
        let count = groups().count();
        let mut rota = Rota::new(count, rate);
        let (mut ends, mut next) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut of = Vec::with_capacity(channels.len());
        let mut queue = Due::default();
        let ordered: Box<[_]> = order.iter().map(|member| Arc::clone(&channels[*member as usize])).collect();
        let mut end = 0;
        for (index, members) in groups().enumerate() {
            let begin = end;
            end += members.len();
            ends.push(number(end));
            of.resize(end, number(index));
            let first = due(&ordered[begin..end]).map(|at| rota.place(at));
            next.push(first);
            if let Some(at) = first {
                queue.push(at, number(index));
            }
        }
        let channels = ordered;
        let (ends, groups, next) = (ends.into(), of.into(), next.into());
        let hasher = RandomState::new();
        let hash = |place: &Number| hasher.hash_one(&channels[*place as usize].id);
        let mut by_name = HashTable::with_capacity(channels.len());
        for place in 0..number(channels.len()) {
            by_name.insert_unique(hash(&place), place, hash);
        }
        Self { channels, ends, groups, by_name, hasher, due: queue, next, waiting: HashMap::new(), rota }
    }

    /// The group that a channel is in, if it is planned.
    fn group_of(&self, channel: &ChannelId) -> Option<usize> {
        let is_it = |place: &Number| self.channels[*place as usize].id == *channel;
        let place = self.by_name.find(self.hasher.hash_one(channel), is_it)?;
        Some(self.groups[*place as usize] as usize)
    }

    /// The channels of a group.
    fn group(&self, index: Number) -> Group {
        self.members(index).into()
    }

    fn members(&self, index: Number) -> &[Arc<Channel>] {
        let index = index as usize;
        let begin = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.channels[begin as usize..self.ends[index] as usize]
    }

    /// Takes a group that is due and that `admit` lets in; it is not due again before [`Plan::schedule`]. One that has
    /// to wait is not looked at again before [`Plan::go_on`]: a thousand waiting groups cost nothing.
    pub(super) fn take_due(&mut self, now: DateTime<Utc>, admit: impl Fn(&Group) -> Result<(), Wait>) -> Option<Group> {
        while let Some((at, index)) = self.due.peek() {
            if at > now && self.next[index as usize] == Some(at) {
                return None;
            }
            self.due.pop();
            if self.next[index as usize] == Some(at) {
                let group = self.group(index);
                if let Err(wait) = admit(&group) {
                    if let Wait::Until(until) = wait {
                        let until = self.rota.place(until);
                        self.next[index as usize] = Some(until);
                        self.due.push(until, index);
                        continue;
                    }
                    self.waiting.entry(wait).or_default().push_back((at, index));
                    continue;
                }
                self.next[index as usize] = None;
                return Some(group);
            }
        }
        None
    }

    /// Lets the first group that waits for this try again; `false` if none does.
    pub(super) fn go_on(&mut self, wait: &Wait) -> bool {
        let Some(queue) = self.waiting.get_mut(wait) else { return false };
        let mut found = false;
        while let Some((at, index)) = queue.pop_front() {
            // One that was planned anew meanwhile stands in the queue already.
            if self.next[index as usize] == Some(at) {
                self.due.push(at, index);
                found = true;
                break;
            }
        }
        if queue.is_empty() {
            self.waiting.remove(wait);
        }
        found
    }

    /// When the next group that does not wait is due; `None` when all are being polled or there are none.
    pub(super) fn next_due(&mut self) -> Option<DateTime<Utc>> {
        while let Some((at, index)) = self.due.peek() {
            if self.next[index as usize] == Some(at) {
                return Some(at);
            }
            self.due.pop();
        }
        None
    }

    /// Says when a channel is due next; the earliest of its group counts. Unknown channels (removed by a
    /// reload) are ignored.
    pub(super) fn schedule(&mut self, channel: &ChannelId, at: DateTime<Utc>) {
        if let Some(index) = self.group_of(channel) {
            // The members of a group come one after the other: only one that is earlier counts.
            if self.next[index].is_none_or(|known| at < known) {
                let at = self.rota.place(at);
                self.next[index] = Some(at);
                self.due.push(at, number(index));
            }
        }
    }

    /// A channel as it is planned.
    pub(super) fn channel(&self, id: &ChannelId) -> Option<&Arc<Channel>> {
        let index = number(self.group_of(id)?);
        self.members(index).iter().find(|channel| channel.id == *id)
    }

    /// The channels that are polled together with one, itself among them.
    pub(super) fn mates(&self, id: &ChannelId) -> &[Arc<Channel>] {
        self.group_of(id).map_or(&[], |index| self.members(number(index)))
    }

    /// Whether the channel is one of those that are planned.
    pub(super) fn knows(&self, channel: &ChannelId) -> bool {
        self.group_of(channel).is_some()
    }

    /// How many instants are queued, and how many groups wait.
    pub(super) fn lengths(&self) -> [usize; 2] {
        [self.due.len(), self.waiting.values().map(VecDeque::len).sum()]
    }

    /// Marks the group of a channel as being polled: it is not due before [`Plan::schedule`].
    pub(super) fn in_flight(&mut self, channel: &ChannelId) {
        if let Some(index) = self.group_of(channel) {
            self.next[index] = None;
        }
    }
}

/// The connected components of channels under "share an address": for each channel the first one of its component.
fn components(channels: &[Arc<Channel>]) -> Vec<usize> {
    let mut root: Vec<usize> = (0..channels.len()).collect();
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (index, channel) in channels.iter().enumerate() {
        for url in channel.addresses() {
            let other = *first.entry(url.as_str()).or_insert(index);
            let (a, b) = (find(&mut root, index), find(&mut root, other));
            root[a.max(b)] = a.min(b);
        }
    }
    (0..channels.len()).map(|index| find(&mut root, index)).collect()
}

fn find(root: &mut [usize], mut index: usize) -> usize {
    while root[index] != index {
        root[index] = root[root[index]];
        index = root[index];
    }
    index
}

#[cfg(test)]
pub(super) mod tests;
