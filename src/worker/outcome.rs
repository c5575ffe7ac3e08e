//! What the outcome of a poll says: when to come back, whether the source is gone, what is usual for it.

use super::clock::LONGEST_POLL;
use super::errand::Errand;
use super::listing::Listing;
use super::poll::Poller;
use super::rests::{self, Wish};
use crate::config::Channel;
use crate::model::{Flaw, FlawCode, Hints, Precision};
use crate::net::FetchError;
use crate::schedule::{self, Before, Outcome, Policy};
use crate::store::{Attempt, Change, Guard, Poll, PollState, Rest};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashSet;
use url::Url;

/// A page with fewer than this part of its usual entries has shrunk.
const SHRUNKEN: u32 = 2;

/// How long after its host one is asked again that was told to wait.
const BEHIND: TimeDelta = TimeDelta::minutes(1);

/// Pages with fewer entries than this never count as shrunken.
const TOO_FEW_TO_JUDGE: u32 = 6;

impl Poller<'_> {
    pub(super) fn note_attempt(&self, listing: &Listing, flaws: &[Flaw], state: &mut PollState) {
        let (url, status, failed) = match listing {
            Listing::Unchanged { url, status, .. } => (url.to_string(), Some(*status), false),
            Listing::Read(read) => (read.url.to_string(), Some(read.status), false),
            Listing::Nothing { url, status, .. } => {
                (url.as_ref().map(ToString::to_string).unwrap_or_default(), *status, true)
            }
        };
        let error = if failed { flaws.last().map(ToString::to_string) } else { None };
        state.attempted(Attempt { at: self.now, url, status, millis: 0, changed: 0, error });
    }

    /// Takes note of the hosts that asked to be left alone. What the feed asks for itself, and how often it is asked,
    /// concern nobody else on its host.
    pub(super) fn note_rests(&self, channel: &Channel, errand: &Errand<'_>, state: &mut PollState) {
        let now = self.clock.now();
        let answers = channel.addresses().filter_map(|address| {
            let asked = rests::asked(Some(state), address);
            let error = match errand.fetched(&asked)? {
                Ok(_) => return Some((asked, None)),
                // Other failures say nothing of that.
                Err(error) => error.status.filter(|status| matches!(status, 429 | 503)).map(|_| error)?,
            };
            Some((asked, Some(wish(channel, error, state.exempt, now)?)))
        });
        let answers = answers.collect();
        rests::said(state, answers, self.now, now);
    }

    /// Further pages and articles speak for their hosts too, after the list has answered. A 503 that does not say for how
    /// long is a fault of the page.
    pub(super) fn note_refusals(&self, channel: &Channel, errand: &mut Errand<'_>, state: &mut PollState) {
        let lists: Vec<_> = channel.addresses().map(|address| rests::asked(Some(state), address)).collect();
        let told = self.now + rests::AFTER;
        for (asked, error) in errand.refusals().into_iter().filter(|(asked, _)| !lists.contains(asked)) {
            let says = error.status == Some(429) || error.retry_after.is_some();
            let wish = wish(channel, &error, state.exempt, self.clock.now()).filter(|_| says);
            let Some((by, until)) = wish else { continue };
            errand.note(&asked, |state| state.not_before = state.not_before.map(|again| again.max(until + BEHIND)));
            state.rests.insert(asked.into(), Rest { host: rests::host(&by), told, until });
            Self::stand_behind(channel, state);
        }
    }

    /// Those on its host that were not told to wait go first: else one that is always told would stop them all.
    fn stand_behind(channel: &Channel, state: &mut PollState) {
        let behind = rests::told_until(channel, state).map(|until| until + BEHIND);
        state.next_poll = state.next_poll.map(|next| behind.map_or(next, |behind| next.max(behind)));
    }

    /// Whoever was asked in a poll in which the machine slept may have been asked when it woke: then it counts as polled,
    /// also after a restart.
    pub(super) fn note_sleep(&self, state: &mut PollState) {
        let now = self.clock.now();
        if now - self.now <= LONGEST_POLL {
            return;
        }
        state.last_poll = Some(now);
        let slept = now - self.now;
        state.rests.values_mut().filter(|rest| rest.told >= self.now).for_each(|rest| rest.told += slept);
    }

    pub(super) fn note_outcome(&self, channel: &Channel, listing: &Listing, flaws: &[Flaw], state: &mut PollState) {
        let (outcome, fresh_for) = match listing {
            Listing::Unchanged { fresh_for, .. } => (Outcome::Unchanged, *fresh_for),
            Listing::Read(read) => {
                if !read.joined.parsed.entries.is_empty() {
                    state.hints.clone_from(&read.joined.parsed.hints);
                }
                state.address = Some(read.address.to_string());
                state.layout.clone_from(&read.joined.parsed.layout);
                state.read_hash.clone_from(&read.hash);
                (Outcome::Changed, read.fresh_for)
            }
            Listing::Nothing { status, retry_after, gone, .. } => {
                let status = status.filter(|status| *status >= 400);
                state.error = Some(flaws.last().map_or_else(|| "no address answered".to_owned(), ToString::to_string));
                // 410 from one of several addresses is one of the reasons why none served the channel.
                let status = status.filter(|status| *status != 410);
                let failed = Outcome::Failed { status, retry_after: *retry_after };
                (if *gone { Outcome::Gone } else { failed }, None)
            }
        };
        state.gone = matches!(outcome, Outcome::Gone).then_some(self.now);
        let now = self.clock.now();
        let policy = informed(policy(channel, state.exempt), state, now);
        let before = Before { failures: state.failures, hints: &state.hints };
        state.next_poll = schedule::next_poll(now, &policy, &before, &outcome, fresh_for, self.chance);
        if matches!(outcome, Outcome::Failed { .. }) {
            Self::stand_behind(channel, state);
        }
        if matches!(outcome, Outcome::Failed { .. } | Outcome::Gone) {
            state.failures = state.failures.saturating_add(1);
        } else {
            state.failures = 0;
            state.last_success = Some(self.now);
            state.live_since = state.live_since.or(Some(self.now));
        }
    }
}

/// Who asked to be left alone, and until when: not for the channel's interval.
fn wish(channel: &Channel, error: &FetchError, exempt: bool, now: DateTime<Utc>) -> Wish {
    let alone = Before { failures: 0, hints: &Hints::default() };
    let policy = policy(channel, exempt);
    let policy = Policy { every: None, default: policy.floor, ..policy };
    let outcome = Outcome::Failed { status: error.status, retry_after: error.retry_after };
    let until = schedule::next_poll(now, &policy, &alone, &outcome, None, 0.0)?;
    Some((Url::parse(&error.url).ok()?, until))
}

/// The bounds of a channel's interval. Hosts in allowed networks are exempt from the floor.
pub(super) fn policy(channel: &Channel, exempt: bool) -> Policy {
    let policy = if exempt { Policy::exempt() } else { Policy::default() };
    Policy { every: channel.every, ..policy }
}

/// The policy with the interval that was learnt, where none is configured.
fn informed(policy: Policy, state: &PollState, now: DateTime<Utc>) -> Policy {
    let learnt = schedule::learnt(&policy, &state.rhythm, now, state.last_change);
    Policy { default: learnt.unwrap_or(policy.default), ..policy }
}

/// Learns from the new entries of a poll. Dates that name a day only say nothing of hours and gaps.
pub(super) fn learn(poll: &mut Poll, change: &Change, before: &PollState) {
    let new: HashSet<_> = change.new.iter().collect();
    let candidates = poll.seen.iter().flat_map(|seen| &seen.candidates);
    let dates = candidates.map(|candidate| &candidate.entry).filter(|entry| new.contains(&entry.id));
    let dates: Vec<_> = dates.map(|entry| entry.published).filter(|date| date.precision != Precision::Day).collect();
    let dates: Vec<_> = dates.iter().map(|date| date.at.to_utc()).collect();
    let since = before.last_change.filter(|_| before.live_since.is_some());
    schedule::learn(&mut poll.state.rhythm, poll.at, since, change.new.len(), &dates);
}

/// What is believed of the channel's source. An address that the admin has just put into feeds.yaml may show
/// other entries than the one before.
pub(super) fn guard(channel: &Channel, before: &PollState) -> Guard {
    let moved = before.address.as_deref().is_some_and(|old| channel.addresses().all(|url| url.as_str() != old));
    Guard {
        since: before.last_change.or(before.last_success).filter(|_| before.live_since.is_some()),
        usual: before.usual_entries,
        hold: channel.trust.quarantine && !moved,
    }
}

/// Keeps the usual number of entries up to date and tells when the page has shrunk: the first page, for how many further
/// ones are read depends on what is known.
pub(super) fn judge_size(on_first: usize, before: &PollState, state: &mut PollState, flaws: &mut Vec<Flaw>) {
    let entries = u32::try_from(on_first).unwrap_or(u32::MAX);
    let usual = before.usual_entries;
    if usual >= TOO_FEW_TO_JUDGE && entries < usual / SHRUNKEN {
        flaws.push(Flaw::new(FlawCode::Shrunken, format!("{entries} entries on the page, usually about {usual}")));
    }
    state.entries_on_page = entries;
    // Falls by a tenth a poll, so that a page that has become shorter for good is not called shrunken for ever.
    state.usual_entries = entries.max(usual - usual / 10);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_halves_is_shrunken_and_one_that_stays_short_is_not_for_ever() {
        let mut state = PollState::default();
        let mut look = |entries: usize| {
            let before = state.clone();
            let mut flaws = Vec::new();
            judge_size(entries, &before, &mut state, &mut flaws);
            !flaws.is_empty()
        };
        assert!(!look(27), "the first look has nothing to compare with");
        assert!(!look(26));
        assert!(look(5));
        let told = (0..20).take_while(|_| look(5)).count();
        assert!((1..20).contains(&told), "told {told} times");
        let mut few = PollState { usual_entries: 4, ..Default::default() };
        let mut flaws = Vec::new();
        judge_size(1, &few.clone(), &mut few, &mut flaws);
        assert!(flaws.is_empty(), "four entries are too few to judge");
    }
}
