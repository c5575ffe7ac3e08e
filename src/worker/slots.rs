//! Who may be polled now: one group of a site at a time, and few groups whose host did not answer last time, so that
//! dead hosts never keep the healthy ones waiting. Those of which nothing is known yet have slots of their own, for
//! they may be either. Pure.

use super::plan::{Group, Plan};
use chrono::{DateTime, Utc};
use std::cell::RefCell;
use std::collections::HashMap;

/// How many groups of healthy hosts are polled at once at least.
pub(super) const HEALTHY: usize = 30;
/// How many at most: each may hold a page of 10 MiB.
const MOST: usize = 300;

/// What is known of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// It answered last time.
    Healthy,
    /// It was never asked.
    New,
    /// It did not answer last time.
    Suspect,
}

/// What decides about a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    /// The site of its first address.
    pub(super) site: String,
    /// What is known of its host.
    pub(super) kind: Kind,
    /// Its hosts asked to be left alone until then, which is yet to come.
    pub(super) rests_until: Option<DateTime<Utc>>,
}

/// Why a group has to wait.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Wait {
    /// Its hosts asked to be left alone until then.
    Until(DateTime<Utc>),
    /// Another group of this site is being polled.
    Site(String),
    /// As many groups of this kind as may be are being polled.
    Kind(Kind),
}

/// The groups that are being polled.
#[derive(Debug)]
pub(super) struct Slots {
    sites: HashMap<String, usize>,
    /// How many of each kind.
    taken: [usize; 3],
    /// How many healthy ones may be; as many new ones, and a tenth as many suspects, less than a tenth of all.
    most: usize,
}

impl Default for Slots {
    fn default() -> Self {
        Self { sites: HashMap::new(), taken: [0; 3], most: HEALTHY }
    }
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
            let mut went_on = false;
            for site in freed.take().into_iter().filter(|site| !self.sites.contains_key(site)) {
                went_on |= plan.go_on(&Wait::Site(site));
            }
            if let Some((claim, group)) = taken {
                return Some((group, claim));
            }
            // One that was let go on may have to wait for its site now: then the next one has the slot.
            let kinds = [Kind::Healthy, Kind::New, Kind::Suspect];
            for kind in kinds {
                went_on |= self.is_free(kind) && plan.go_on(&Wait::Kind(kind));
            }
            if !went_on {
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
        if self.is_free(claim.kind) { Ok(()) } else { Err(Wait::Kind(claim.kind)) }
    }

    /// Makes room for so many polls per second: one slot each, since a poll takes a second at most in the mean.
    pub(super) fn resize(&mut self, rate: f64) {
        // Saturates at the bounds of usize.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded down and not negative")]
        let wanted = rate.max(0.0) as usize;
        self.most = wanted.clamp(HEALTHY, MOST);
    }

    fn is_free(&self, kind: Kind) -> bool {
        let most = if kind == Kind::Suspect { self.most / 10 } else { self.most };
        self.taken[kind as usize] < most
    }

    /// How many sites are being asked.
    pub(super) fn sites(&self) -> usize {
        self.sites.len()
    }

    /// Takes a slot for a group that was admitted.
    fn take(&mut self, claim: &Claim) {
        *self.sites.entry(claim.site.clone()).or_default() += 1;
        self.taken[claim.kind as usize] += 1;
    }

    /// Gives the slot back; yields what may have ended waiting.
    pub(super) fn give_back(&mut self, claim: &Claim) -> [Wait; 2] {
        if let Some(count) = self.sites.get_mut(&claim.site) {
            *count -= 1;
            if *count == 0 {
                self.sites.remove(&claim.site);
            }
        }
        self.taken[claim.kind as usize] -= 1;
        [Wait::Site(claim.site.clone()), Wait::Kind(claim.kind)]
    }
}
