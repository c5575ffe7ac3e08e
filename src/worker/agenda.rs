//! Who is polled next: taking what is due, and planning everything anew.

use super::brief::{Brief, Briefs};
use super::outcome::policy;
use super::plan::{Group, Plan};
use super::service::{Service, lock};
use super::slots::{Claim, Kind};
use crate::config::{self, Address, Channel};
use crate::model::ChannelId;
use crate::{net, schedule};
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

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
        let asked = |channel: &Channel, address: &Address| {
            briefs.get(&channel.id).and_then(|brief| brief.asked(address)).unwrap_or_else(|| address.url())
        };
        let claim = |group: &Group| Claim { rests_until: rests.until(group, asked, now), ..claim(group, &briefs) };
        let (group, claim) = slots.next(&mut lock(&self.plan), now, claim)?;
        lock(&self.in_flight).extend(group.iter().map(|channel| channel.id.clone()));
        Some((group, claim))
    }

    /// The channels of a group whose hosts are not left alone.
    pub(super) fn awake(&self, group: &Group, now: DateTime<Utc>) -> Vec<Arc<Channel>> {
        let briefs = lock(&self.briefs);
        let asked = |channel: &Channel, address: &Address| {
            briefs.get(&channel.id).and_then(|brief| brief.asked(address)).unwrap_or_else(|| address.url())
        };
        lock(&self.rests).awake(group, asked, now)
    }

    /// The longest of the floors of a group's channels.
    pub(super) fn floor(&self, group: &Group) -> Duration {
        let briefs = lock(&self.briefs);
        let exempt = |channel: &Channel| briefs.get(&channel.id).is_some_and(|brief| brief.exempt);
        group.iter().map(|channel| policy(channel, exempt(channel)).floor).max().unwrap_or_default()
    }

    /// Plans all channels anew: what is being polled stays so, `at_once` is due now, the rest as stored.
    pub(super) fn make_plan(&self, at_once: &BTreeSet<ChannelId>) {
        let now = self.clock.now();
        let current = self.current.load();
        let briefs = lock(&self.briefs);
        let due = |channel: &Channel| {
            let brief = briefs.get(&channel.id);
            if at_once.contains(&channel.id) {
                return Some(now);
            }
            let gone = brief.and_then(Brief::gone);
            if gone.is_some_and(|print| print == config::fingerprint(channel)) {
                return None;
            }
            let (last, next) = brief.map_or((None, None), |brief| (brief.last_poll, brief.next_poll));
            Some(schedule::first_poll(now, next, last, self.chance()))
        };
        lock(&self.rests).sweep(now);
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
