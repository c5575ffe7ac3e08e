//! Which channels are polled together, and which of these groups is due next.

use super::slots::Wait;
use crate::config::Channel;
use crate::model::ChannelId;
use crate::schedule::Rota;
use chrono::{DateTime, Utc};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;

/// Channels that share an address; they are polled in one go.
pub(super) type Group = Arc<[Arc<Channel>]>;

/// The groups and when they are due.
#[derive(Debug, Default)]
pub(super) struct Plan {
    groups: Vec<Group>,
    group_of: HashMap<ChannelId, usize>,
    due: BinaryHeap<Reverse<(DateTime<Utc>, usize)>>,
    /// When each group is due; heap entries that say otherwise are stale. `None`: being polled.
    next: Vec<Option<DateTime<Utc>>>,
    /// Groups that are due but have to wait, by what they wait for, first come first served.
    waiting: HashMap<Wait, VecDeque<(DateTime<Utc>, usize)>>,
    /// Sees to it that not everything falls into one second.
    rota: Rota,
}

impl Plan {
    /// Groups channels by shared addresses; their polls per second come to `rate` in the mean; `due` tells when each channel is due, if ever.
    pub(super) fn new(channels: &[Arc<Channel>], rate: f64, due: impl Fn(&Channel) -> Option<DateTime<Utc>>) -> Self {
        let mut plan = Self::default();
        let components = components(channels);
        plan.rota = Rota::new(components.len(), rate);
        for members in components {
            let index = plan.groups.len();
            let group: Group = members.iter().map(|member| Arc::clone(&channels[*member])).collect();
            plan.group_of.extend(group.iter().map(|channel| (channel.id.clone(), index)));
            let first = group.iter().filter_map(|channel| due(channel)).min().map(|at| plan.rota.place(at));
            plan.groups.push(group);
            plan.next.push(first);
            plan.due.extend(first.map(|at| Reverse((at, index))));
        }
        plan
    }

    /// Takes a group that is due and that `admit` lets in; it is not due again before [`Plan::schedule`]. One that has
    /// to wait is not looked at again before [`Plan::go_on`]: a thousand waiting groups cost nothing.
    pub(super) fn take_due(&mut self, now: DateTime<Utc>, admit: impl Fn(&Group) -> Result<(), Wait>) -> Option<Group> {
        while let Some(&Reverse((at, index))) = self.due.peek() {
            if at > now && self.next[index] == Some(at) {
                return None;
            }
            self.due.pop();
            if self.next[index] == Some(at) {
                if let Err(wait) = admit(&self.groups[index]) {
                    if let Wait::Until(until) = wait {
                        let until = self.rota.place(until);
                        self.next[index] = Some(until);
                        self.due.push(Reverse((until, index)));
                        continue;
                    }
                    self.waiting.entry(wait).or_default().push_back((at, index));
                    continue;
                }
                self.next[index] = None;
                return Some(Arc::clone(&self.groups[index]));
            }
        }
        None
    }

    /// Lets the first group that waits for this try again; `false` if none does.
    pub(super) fn go_on(&mut self, wait: &Wait) -> bool {
        let Some(queue) = self.waiting.get_mut(wait) else { return false };
        let mut found = false;
        while let Some((at, index)) = queue.pop_front() {
            // One that was planned anew meanwhile stands in the heap already.
            if self.next[index] == Some(at) {
                self.due.push(Reverse((at, index)));
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
        while let Some(&Reverse((at, index))) = self.due.peek() {
            if self.next[index] == Some(at) {
                return Some(at);
            }
            self.due.pop();
        }
        None
    }

    /// Says when a channel is due next; the earliest of its group counts. Unknown channels (removed by a
    /// reload) are ignored.
    pub(super) fn schedule(&mut self, channel: &ChannelId, at: DateTime<Utc>) {
        if let Some(&index) = self.group_of.get(channel) {
            // The members of a group come one after the other: only one that is earlier counts.
            if self.next[index].is_none_or(|known| at < known) {
                let at = self.rota.place(at);
                self.next[index] = Some(at);
                self.due.push(Reverse((at, index)));
            }
        }
    }

    /// Whether the channel is one of those that are planned.
    pub(super) fn knows(&self, channel: &ChannelId) -> bool {
        self.group_of.contains_key(channel)
    }

    /// How many instants are queued, and how many groups wait.
    pub(super) fn lengths(&self) -> [usize; 2] {
        [self.due.len(), self.waiting.values().map(VecDeque::len).sum()]
    }

    /// Marks the group of a channel as being polled: it is not due before [`Plan::schedule`].
    pub(super) fn in_flight(&mut self, channel: &ChannelId) {
        if let Some(&index) = self.group_of.get(channel) {
            self.next[index] = None;
        }
    }
}

/// The connected components of channels under "share an address", each in the order of the file.
fn components(channels: &[Arc<Channel>]) -> Vec<Vec<usize>> {
    let mut root: Vec<usize> = (0..channels.len()).collect();
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (index, channel) in channels.iter().enumerate() {
        for url in channel.addresses() {
            let other = *first.entry(url.as_str()).or_insert(index);
            let (a, b) = (find(&mut root, index), find(&mut root, other));
            root[a.max(b)] = a.min(b);
        }
    }
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); channels.len()];
    for index in 0..channels.len() {
        let root = find(&mut root, index);
        members[root].push(index);
    }
    members.retain(|members| !members.is_empty());
    members
}

fn find(root: &mut [usize], mut index: usize) -> usize {
    while root[index] != index {
        root[index] = root[root[index]];
        index = root[index];
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Origin, PageAddress};
    use chrono::TimeDelta;

    fn channel(id: &str, addresses: &[&str]) -> Arc<Channel> {
        let addresses = addresses
            .iter()
            .map(|path| PageAddress { url: format!("http://portal.test/{path}").parse().unwrap(), next: None })
            .collect();
        Arc::new(Channel {
            id: id.parse().unwrap(),
            title: id.to_owned(),
            origin: Origin::Page { addresses, layouts: Vec::new(), articles: Vec::new() },
            every: None,
            timezone: chrono_tz::Asia::Shanghai,
            language: "zh-CN".to_owned(),
            snapshot: None,
            rules: crate::rule::Rules::default(),
            obeys_robots: true,
            trust: crate::model::Trust::default(),
        })
    }

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    fn ids(group: &Group) -> Vec<&str> {
        group.iter().map(|channel| channel.id.as_str()).collect()
    }

    #[test]
    fn channels_that_share_an_address_are_one_group_also_through_a_third() {
        let channels =
            [channel("a", &["1", "2"]), channel("b", &["3"]), channel("c", &["4", "5"]), channel("d", &["2", "5"])];
        let mut plan = Plan::new(&channels, 0.0, |_| Some(at(0)));
        assert_eq!(ids(&plan.take_due(at(0), |_| Ok(())).unwrap()), ["a", "c", "d"]);
        assert_eq!(ids(&plan.take_due(at(0), |_| Ok(())).unwrap()), ["b"]);
        assert!(plan.take_due(at(0), |_| Ok(())).is_none());
        assert_eq!(plan.next_due(), None, "both are being polled");
    }

    #[test]
    fn the_earliest_is_taken_first_and_stale_times_do_not_count() {
        let channels = [channel("a", &["1"]), channel("b", &["2"])];
        let mut plan = Plan::new(&channels, 0.0, |channel| Some(at(if channel.id.as_str() == "a" { 5 } else { 3 })));
        assert!(plan.take_due(at(2), |_| Ok(())).is_none());
        assert_eq!(plan.next_due(), Some(at(3)));
        assert_eq!(ids(&plan.take_due(at(9), |_| Ok(())).unwrap()), ["b"]);
        plan.schedule(&"b".parse().unwrap(), at(40));
        plan.schedule(&"b".parse().unwrap(), at(30));
        plan.schedule(&"gone".parse().unwrap(), at(1));
        assert_eq!(ids(&plan.take_due(at(9), |_| Ok(())).unwrap()), ["a"]);
        assert_eq!(plan.next_due(), Some(at(30)));
        assert!(plan.take_due(at(29), |_| Ok(())).is_none());
        assert_eq!(ids(&plan.take_due(at(30), |_| Ok(())).unwrap()), ["b"]);
    }

    #[test]
    fn dead_hosts_and_one_busy_site_never_keep_the_healthy_waiting() {
        use super::super::slots::{Claim, HEALTHY, SUSPECTS, Slots};
        let address = |id: &str, url: &str| {
            let mut channel = (*channel(id, &[])).clone();
            channel.origin = Origin::Feed { url: url.parse().unwrap() };
            Arc::new(channel)
        };
        let dead = (0..500).map(|n| address(&format!("dead-{n}"), &format!("http://dead{n}.test/")));
        let busy = (0..500).map(|n| address(&format!("busy-{n}"), &format!("http://h{n}.busy.test/")));
        let healthy = (0..100).map(|n| address(&format!("good-{n}"), &format!("http://good{n}.test/")));
        let channels: Vec<_> = dead.chain(busy).chain(healthy).collect();
        let claim = |group: &Group| Claim {
            site: crate::net::site(group[0].addresses().next().unwrap()),
            suspect: group[0].id.as_str().starts_with("dead"),
            rests_until: None,
        };
        let mut plan = Plan::new(&channels, 0.0, |_| Some(at(0)));
        let mut slots = Slots::default();
        let mut running: VecDeque<Group> = VecDeque::new();
        let (mut polled, mut most_dead) = (Vec::new(), 0);
        // Each round every free slot is filled; dead ones never end, of the others one does.
        loop {
            while let Some((group, _)) = slots.next(&mut plan, at(60), claim) {
                running.push_back(group);
            }
            let dead = running.iter().filter(|group| claim(group).suspect).count();
            most_dead = most_dead.max(dead);
            assert!(dead * 10 <= HEALTHY + SUSPECTS, "dead hosts hold {dead} slots");
            assert!(running.iter().filter(|group| claim(group).site == "busy.test").count() <= 1);
            let Some(next) = running.iter().position(|group| !claim(group).suspect) else { break };
            let group = running.remove(next).unwrap();
            for wait in slots.give_back(&claim(&group)) {
                plan.go_on(&wait);
            }
            polled.push(ids(&group)[0].to_owned());
        }
        assert_eq!(most_dead, SUSPECTS);
        assert_eq!(polled.len(), 600, "every group of a host that answers was polled, none twice");
        let last_good = polled.iter().rposition(|id| id.starts_with("good")).unwrap();
        assert!(last_good < 250, "the healthy did not wait for the busy site: {last_good}");
        let busy: Vec<_> = polled.iter().filter(|id| id.starts_with("busy")).collect();
        assert_eq!(busy[..3], ["busy-0", "busy-1", "busy-2"], "first come first served");
    }
}
