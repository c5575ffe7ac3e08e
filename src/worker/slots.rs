//! Who may be polled now: one group of a site at a time, and few groups whose host did not answer last time, so that
//! dead hosts never keep the healthy ones waiting. Pure.

use super::plan::{Group, Plan};
use crate::config::Channel;
use crate::model::ChannelId;
use crate::net;
use crate::store::PollState;
use chrono::{DateTime, Utc};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// How many groups of healthy hosts are polled at once.
pub(super) const HEALTHY: usize = 30;
/// How many groups of hosts that did not answer last time are polled at once: less than a tenth of all.
pub(super) const SUSPECTS: usize = 3;

/// What decides about a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    /// The site of its first address.
    pub(super) site: String,
    /// Its host did not answer last time.
    pub(super) suspect: bool,
    /// Its hosts asked to be left alone until then, which is yet to come.
    pub(super) rests_until: Option<DateTime<Utc>>,
}

/// What decides when a group may be polled. A host is suspect when the last attempt ended without an answer.
pub(super) fn claim(group: &Group, states: &BTreeMap<ChannelId, PollState>) -> Claim {
    let address = group.first().and_then(|channel| channel.addresses().next());
    let dead = |channel: &Arc<Channel>| {
        let last = states.get(&channel.id).and_then(|state| state.attempts.first());
        last.is_some_and(|attempt| attempt.error.is_some() && attempt.status.is_none())
    };
    Claim { site: address.map(net::site).unwrap_or_default(), suspect: group.iter().any(dead), rests_until: None }
}

/// Why a group has to wait.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Wait {
    /// Its hosts asked to be left alone until then.
    Until(DateTime<Utc>),
    /// Another group of this site is being polled.
    Site(String),
    /// As many suspects as may be are being polled.
    Suspects,
    /// As many healthy groups as may be are being polled.
    Healthy,
}

/// The groups that are being polled.
#[derive(Debug, Default)]
pub(super) struct Slots {
    sites: HashMap<String, usize>,
    healthy: usize,
    suspects: usize,
}

impl Slots {
    /// The next group that is due and may be polled now, with its slot taken.
    pub(super) fn next(
        &mut self,
        plan: &mut Plan,
        now: DateTime<Utc>,
        claim: impl Fn(&Group) -> Claim,
    ) -> Option<(Group, Claim)> {
        // Sites of groups that were let go on, only to find that their host rests: the next one has the slot.
        let freed = RefCell::new(Vec::new());
        let admit = |slots: &Self, group: &Group| {
            let claim = claim(group);
            let admitted = slots.admit(&claim);
            if matches!(admitted, Err(Wait::Until(_))) && !slots.sites.contains_key(&claim.site) {
                freed.borrow_mut().push(claim.site);
            }
            admitted
        };
        loop {
            let taken = plan.take_due(now, |group| admit(self, group)).map(|group| (claim(&group), group));
            if let Some((claim, _)) = &taken {
                self.take(claim);
            }
            let sites: Vec<_> = freed.borrow_mut().drain(..).filter(|site| !self.sites.contains_key(site)).collect();
            let mut site = false;
            for freed in sites {
                site |= plan.go_on(&Wait::Site(freed));
            }
            if let Some((claim, group)) = taken {
                return Some((group, claim));
            }
            // One that was let go on may have to wait for its site now: then the next one has the slot.
            let healthy = self.healthy < HEALTHY && plan.go_on(&Wait::Healthy);
            let suspects = self.suspects < SUSPECTS && plan.go_on(&Wait::Suspects);
            if !healthy && !suspects && !site {
                return None;
            }
        }
    }

    /// Whether a group may be polled now; else what it waits for.
    fn admit(&self, claim: &Claim) -> Result<(), Wait> {
        if let Some(until) = claim.rests_until {
            return Err(Wait::Until(until));
        }
        if self.sites.contains_key(&claim.site) {
            return Err(Wait::Site(claim.site.clone()));
        }
        match claim.suspect {
            true if self.suspects >= SUSPECTS => Err(Wait::Suspects),
            false if self.healthy >= HEALTHY => Err(Wait::Healthy),
            _ => Ok(()),
        }
    }

    /// How many sites are being asked.
    pub(super) fn sites(&self) -> usize {
        self.sites.len()
    }

    /// Takes a slot for a group that was admitted.
    fn take(&mut self, claim: &Claim) {
        *self.sites.entry(claim.site.clone()).or_default() += 1;
        *self.kind(claim) += 1;
    }

    /// Gives the slot back; yields what may have ended waiting.
    pub(super) fn give_back(&mut self, claim: &Claim) -> [Wait; 2] {
        if let Some(count) = self.sites.get_mut(&claim.site) {
            *count -= 1;
            if *count == 0 {
                self.sites.remove(&claim.site);
            }
        }
        *self.kind(claim) -= 1;
        [Wait::Site(claim.site.clone()), if claim.suspect { Wait::Suspects } else { Wait::Healthy }]
    }

    fn kind(&mut self, claim: &Claim) -> &mut usize {
        if claim.suspect { &mut self.suspects } else { &mut self.healthy }
    }
}
