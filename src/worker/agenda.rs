//! Who is polled next: taking what is due, and planning everything anew.

use super::brief::{Brief, Briefs};
use super::outcome::policy;
use super::plan::{Group, Plan};
use super::service::{Service, lock};
use super::slots::{Claim, Kind};
use crate::config::{self, Address, Channel};
use crate::schedule::Policy;
use crate::{net, schedule};
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use url::Url;

/// How often somebody is asked while there is no network.
const PROBES_EVERY: TimeDelta = TimeDelta::seconds(30);

impl Service {
    /// When the next channel is due.
    #[must_use]
    pub fn next_due(&self) -> Option<DateTime<Utc>> {
        lock(&self.plan).next_due()
    }

    pub(super) fn take_due(&self) -> Option<(Group, Claim)> {
        let briefs = lock(&self.briefs);
        let mut slots = lock(&self.slots);
        let now = self.clock.now();
        let rests = lock(&self.rests);
        let asked = asked(&briefs);
        let claim = |group: &Group| Claim { rests_until: rests.until(group, &asked, now), ..claim(group, &briefs) };
        let (group, claim) = slots.next(&mut lock(&self.plan), now, claim)?;
        lock(&self.in_flight).extend(group.iter().map(|channel| channel.id.clone()));
        Some((group, claim))
    }

    /// The next group that may be polled now. While there is no network one is now and then, to find out whether it is
    /// back.
    pub(super) fn take_turn(&self) -> Option<(Group, Claim)> {
        if !self.client.is_offline() {
            return self.take_due();
        }
        let now = self.clock.now();
        if self.probes_at(now) > now {
            return None;
        }
        let taken = self.take_due()?;
        *lock(&self.tending.probed) = Some(now);
        Some(taken)
    }

    /// When the next group may be polled; one that waits for a slot, its site or its host is not among them.
    #[must_use]
    pub fn next_turn(&self) -> Option<DateTime<Utc>> {
        let next = self.next_due()?;
        Some(if self.client.is_offline() { next.max(self.probes_at(self.clock.now())) } else { next })
    }

    /// When somebody may be asked next while there is no network.
    fn probes_at(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        // One that lies in the future was under another clock.
        lock(&self.tending.probed).filter(|probed| *probed <= now).map_or(now, |probed| probed + PROBES_EVERY)
    }

    /// Until when all hosts of a channel are left alone, if they are.
    pub(super) fn rests_until(&self, channel: &Arc<Channel>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let briefs = lock(&self.briefs);
        lock(&self.rests).until(std::slice::from_ref(channel), asked(&briefs), now)
    }

    /// The shortest interval of a group's channels, hints and failures apart.
    pub(super) fn interval(&self, group: &Group) -> TimeDelta {
        interval(group, &lock(&self.briefs))
    }

    /// When one that was left out of a poll of its group is due: as before, but not while it rests, and no earlier than
    /// `again`.
    pub(super) fn left_out(&self, channel: &Arc<Channel>, again: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let now = self.clock.now();
        let rests = self.rests_until(channel, now);
        let is_owed = lock(&self.tending.owed).contains(&channel.id);
        let due = due(channel, lock(&self.briefs).get(&channel.id), is_owed, now, self.chance())?.max(again);
        Some(rests.map_or(due, |rests| rests.max(due)))
    }

    /// Plans all channels anew: what is being polled stays so, what is owed is due now, the rest as stored.
    pub(super) fn make_plan(&self) {
        let now = self.clock.now();
        let current = self.current.load();
        let briefs = lock(&self.briefs);
        lock(&self.rests).sweep(now);
        let due = |group: &[Arc<Channel>]| self.group_due(group, &briefs, now);
        let interval = |channel: &Channel| {
            let brief = briefs.get(&channel.id);
            let policy = policy(channel, brief.is_some_and(|brief| brief.exempt));
            brief.map_or(policy, |brief| brief.informed(policy)).interval()
        };
        let rate = current.config.channels.iter().map(|channel| 1.0 / interval(channel).as_secs_f64()).sum();
        lock(&self.slots).resize(rate);
        let mut plan = Plan::new(&current.config.channels, rate, due);
        for channel in lock(&self.in_flight).iter() {
            plan.in_flight(channel);
        }
        *lock(&self.plan) = plan;
        self.wake.notify_one();
    }

    /// When a group is due: at once if one is that is owed a poll; else when the first of its channels is, but one that was
    /// left out when others were polled not within the interval after that.
    fn group_due(&self, group: &[Arc<Channel>], briefs: &Briefs, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (owed, rests) = (lock(&self.tending.owed), lock(&self.rests));
        let last = |channel: &Arc<Channel>| briefs.get(&channel.id).and_then(|brief| brief.last_poll);
        let latest = group.iter().filter_map(last).filter(|last| !schedule::is_ahead(*last, now)).max();
        let again = latest.and_then(|latest| latest.checked_add_signed(interval(group, briefs)));
        let mut first = None;
        for channel in group {
            let is_owed = owed.contains(&channel.id);
            let Some(due) = due(channel, briefs.get(&channel.id), is_owed, now, self.chance()) else { continue };
            let rests = rests.until(std::slice::from_ref(channel), asked(briefs), now);
            if is_owed && rests.is_none() {
                return Some(due);
            }
            let again = again.filter(|_| last(channel) < latest);
            let due = due.max(rests.unwrap_or(due)).max(again.unwrap_or(due));
            first = Some(first.map_or(due, |first: DateTime<Utc>| first.min(due)));
        }
        first
    }

    /// After a poll: nothing is owed to a channel that `had` it, unless an edit makes it be read in another way now than
    /// when its poll began. Tells whether it is therefore to be polled at once.
    pub(super) fn settle(&self, channel: &Channel, had: bool) -> bool {
        let is_other = |now: &Arc<Channel>| config::fingerprint(now) != config::fingerprint(channel);
        let edited = lock(&self.plan).channel(&channel.id).is_some_and(|now| **now != *channel && is_other(now));
        let mut owed = lock(&self.tending.owed);
        if had && !edited {
            owed.remove(&channel.id);
        }
        edited && owed.contains(&channel.id)
    }
}

/// The address that is asked for one of a channel in feeds.yaml.
pub(super) fn asked(briefs: &Briefs) -> impl Fn(&Channel, &Address) -> Url {
    |channel, address| briefs.get(&channel.id).and_then(|brief| brief.asked(address)).unwrap_or_else(|| address.url())
}

/// When a channel is due, whatever the others of its group are: never, if it is gone for good.
fn due(
    channel: &Channel,
    brief: Option<&Brief>,
    is_owed: bool,
    now: DateTime<Utc>,
    chance: f64,
) -> Option<DateTime<Utc>> {
    let gone = brief.and_then(Brief::gone);
    if gone.is_some_and(|print| print == config::fingerprint(channel)) {
        return None;
    }
    if is_owed {
        return Some(now);
    }
    let (last, next) = brief.map_or((None, None), |brief| (brief.last_poll, brief.next_poll));
    Some(schedule::first_poll(now, next, last, chance))
}

/// The shortest interval of a group's channels, hints and failures apart.
fn interval(group: &[Arc<Channel>], briefs: &Briefs) -> TimeDelta {
    let interval = |channel: &Arc<Channel>| {
        let policy = policy(channel, briefs.get(&channel.id).is_some_and(|brief| brief.exempt));
        Policy { default: policy.floor, ..policy }.interval()
    };
    TimeDelta::from_std(group.iter().map(interval).min().unwrap_or_default()).unwrap_or(TimeDelta::MAX)
}

/// What decides when a group may be polled. A host is suspect when the last attempt ended without an answer.
fn claim(group: &Group, briefs: &Briefs) -> Claim {
    let address = group.first().and_then(|channel| channel.addresses().next());
    let mut known =
        group.iter().filter_map(|channel| briefs.get(&channel.id)).filter(|brief| brief.last_poll.is_some());
    let kind = match known.next() {
        None => Kind::New,
        Some(first) if first.suspect || known.any(|brief| brief.suspect) => Kind::Suspect,
        Some(_) => Kind::Healthy,
    };
    Claim { site: address.map(|address| net::site(&address.url())).unwrap_or_default(), kind, rests_until: None }
}
