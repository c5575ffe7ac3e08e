//! One poll of a group of channels that share addresses: fetch, read, follow, normalise, record.

use super::articles::{self, Reader};
use super::clock::Clock;
use super::errand::Errand;
use super::further::Joined;
use super::health;
use super::listing::{self, Desk, Listing};
use super::outcome::{guard, judge_size, learn, policy};
use super::readers::Readers;
use super::rests::Rests;
use super::{moves, ready, rests};
use crate::config::{self, Channel};
use crate::health::Tally;
use crate::model::{Candidate, ChannelId, Flaw, FlawCode, Standing};
use crate::net::Client;
use crate::normalise;
use crate::schedule;
use crate::store::{Change, Poll, PollState, Seen, Store, StoreError};
use crate::telemetry::Metrics;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// When a poll that could not be recorded is done again, where its source was not asked or is exempt from the floor;
/// while the store says that it cannot record, nobody is asked.
const RECORD_RETRY: TimeDelta = TimeDelta::minutes(1);

/// When a channel may be polled again that found no network: far fewer are asked then than are due.
const OFFLINE_RETRY: TimeDelta = TimeDelta::minutes(1);

/// What polls need.
pub(super) struct Poller<'a> {
    pub store: &'a dyn Store,
    pub client: &'a Client,
    pub metrics: &'a Metrics,
    /// The threads on which documents are read.
    pub readers: &'a Readers,
    /// The hosts that are left alone.
    pub rests: &'a Mutex<Rests>,
    /// When the poll began.
    pub now: DateTime<Utc>,
    /// Pauses count from when the answer came: a poll may wait for its turn for minutes.
    pub clock: &'a dyn Clock,
    /// A number from 0 to 1 that spreads polls.
    pub chance: f64,
}

/// What came of a channel's poll.
#[derive(Debug)]
pub(super) struct Polled {
    pub channel: ChannelId,
    pub state: PollState,
    pub change: Change,
    /// Why it could not be recorded; the ledger then knows nothing of it.
    pub store_error: Option<StoreError>,
    /// There was no network: nobody was asked, which is nobody's failure, and the ledger knows nothing of it.
    pub offline: bool,
    /// A server may know that it was asked.
    pub reached: bool,
}

impl Poller<'_> {
    /// Polls channels that share addresses, each address once. The validators of what was fetched are
    /// recorded with the last channel, and only if all were recorded: a crash in between costs a fetch,
    /// never an entry. The addresses that rest are left alone.
    pub(super) async fn group(
        &self,
        channels: &[Arc<Channel>],
        states: &BTreeMap<ChannelId, PollState>,
    ) -> Vec<Polled> {
        let mut errand = Errand::new(self);
        let states = &*moves::agreed(channels, states);
        let prints: HashMap<_, _> = channels.iter().map(|c| (c.id.clone(), config::fingerprint(c))).collect();
        let state_of = |id: &ChannelId| states.get(id).cloned().unwrap_or_default();
        let as_before = |c: &Arc<Channel>| prints.get(&c.id) == Some(&state_of(&c.id).config_hash);
        // What was made of an address holds if all who share it were read as they are to be read now.
        for channel in channels.iter().filter(|channel| !as_before(channel)) {
            let state = states.get(&channel.id);
            errand.distrust(channel.addresses().map(|url| rests::asked(state, url).to_string()));
        }
        let mut done = Vec::new();
        for channel in channels {
            errand.leave_alone(channel, &state_of(&channel.id));
            errand.see_again(channel, &state_of(&channel.id));
            // What cannot be read now is told where it is needed.
            let _ = errand.recall_channel(self.store, channel, &state_of(&channel.id)).await;
        }
        // Gone for good, or all that is not gone is left alone.
        let is_left_out = |c: &Arc<Channel>| {
            let state = &state_of(&c.id);
            let desk = Desk { store: self.store, channel: c, state, trust: as_before(c), now: self.now };
            let gone = state.gone.is_some() && prints.get(&c.id) == Some(&state.config_hash);
            gone || !ready::has_any(&desk, &errand)
        };
        let channels: Vec<_> = channels.iter().filter(|channel| !is_left_out(channel)).collect();
        for (index, channel) in channels.iter().enumerate() {
            let known = state_of(&channel.id);
            let config_hash = prints.get(&channel.id).cloned().unwrap_or_default();
            // Read in another way, a list has another shape.
            let usual = known.usual.clone();
            let usual = if known.config_hash == config_hash { usual } else { usual.reread() };
            let read_as = known.config_hash.clone();
            let before = PollState { config_hash, usual, ..known };
            let sound = done.iter().all(|polled: &Polled| polled.store_error.is_none());
            let last = index + 1 == channels.len() && sound;
            let mut polled = self.channel(channel, before, as_before(channel), &mut errand, last, &read_as).await;
            if polled.store_error.is_some() {
                polled.state.config_hash = read_as;
            }
            done.push(polled);
        }
        done
    }

    /// What comes of a poll whose channels' states cannot be read from the ledger: nobody is asked.
    pub(super) fn unread(&self, channels: &[Arc<Channel>], error: &StoreError) -> Vec<Polled> {
        channels
            .iter()
            .map(|channel| self.unrecorded((channel, PollState::default()), RECORD_RETRY, error.clone()))
            .collect()
    }

    async fn channel(
        &self,
        channel: &Arc<Channel>,
        before: PollState,
        trust: bool,
        errand: &mut Errand<'_>,
        last: bool,
        read_as: &str,
    ) -> Polled {
        let began = Instant::now();
        let mut state = before.clone();
        state.last_poll = Some(self.now);
        state.error = None;
        let mut flaws = Vec::new();
        let seen = self.look(channel, &before, trust, errand, &mut state, &mut flaws).await;
        let (seen, recalled) = match seen {
            Ok(seen) => (seen, Ok(())),
            Err(error) => (None, Err(error)),
        };
        let answered = channel.addresses().any(|url| errand.has_answered(&rests::asked(Some(&before), url)));
        if !answered && state.gone.is_none() {
            // What was made of the last body was made in another way: the next one is to be read anew.
            read_as.clone_into(&mut state.config_hash);
        }
        // Who was reached and did not answer was asked all the same, and is not to be asked again at once.
        let reached = channel.addresses().any(|url| errand.has_reached(&rests::asked(Some(&before), url)));
        if !reached && self.client.is_offline() {
            return self.offline(&channel.id, before, state.error);
        }
        flaws = bounded(flaws);
        state.flaws.clone_from(&flaws);
        let took = began.elapsed();
        if let Some(attempt) = &mut state.last_attempt {
            attempt.millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        }
        self.note_sleep(&mut state);
        let fetched = if last { errand.news() } else { BTreeMap::new() };
        let mut poll = Poll { channel: channel.id.clone(), at: self.now, seen, state, fetched };
        let recorded = match recalled {
            Ok(()) => self.record(channel, &mut poll, &before).await,
            Err(error) => Err(error),
        };
        match recorded {
            Ok(change) => {
                let channel = channel.id.clone();
                Polled { channel, state: poll.state, change, store_error: None, offline: false, reached }
            }
            Err(error) => {
                // Its source was asked, and no interval is shorter than the floor.
                let floor = policy(channel, poll.state.exempt).floor;
                let pause = TimeDelta::from_std(floor).unwrap_or(RECORD_RETRY).max(RECORD_RETRY);
                let before = PollState { rests: poll.state.rests, ..before };
                Polled { reached, ..self.unrecorded((channel, before), pause, error) }
            }
        }
    }

    /// Nothing was recorded, so nothing may look polled: it is due again after a pause. That is not its source's
    /// failure, and no reason to ask it less often later.
    fn unrecorded(&self, (channel, before): (&Channel, PollState), pause: TimeDelta, error: StoreError) -> Polled {
        let next_poll = Some(self.clock.now() + pause);
        let state = PollState { error: Some(error.to_string()), next_poll, ..before };
        Polled {
            channel: channel.id.clone(),
            state,
            change: Change::default(),
            store_error: Some(error),
            offline: false,
            reached: false,
        }
    }

    /// There is no network. Nothing is noted. It is due again soon: one after the other is asked now and then, since the
    /// next one may be down by itself when the network is back.
    fn offline(&self, channel: &ChannelId, before: PollState, error: Option<String>) -> Polled {
        let state = PollState { error, next_poll: Some(self.clock.now() + OFFLINE_RETRY), ..before };
        let (channel, change) = (channel.clone(), Change::default());
        Polled { channel, state, change, store_error: None, offline: true, reached: false }
    }

    /// Records the poll; when every entry of a known channel turns out to be new, says so.
    async fn record(&self, channel: &Channel, poll: &mut Poll, before: &PollState) -> Result<Change, StoreError> {
        let entries = poll.seen.as_ref().map_or(0, |seen| seen.candidates.len());
        let counts = entries > 1 && before.live_since.is_some();
        let had = if counts { self.store.count(&poll.channel).await? } else { 0 };
        let plain = poll.state.clone();
        health::note(channel, before, &mut poll.state, 0, self.now);
        let began = Instant::now();
        let mut change = self.store.record(poll).await?;
        self.metrics.stored(began.elapsed());
        if change.holding && !channel.trust.quarantine {
            // Held back by a poll that was under way while feeds.yaml was changed.
            self.store.release(&poll.channel, self.now).await?;
            change.holding = false;
            change.touched.append(&mut change.held);
        }
        let stored = change.settle(&poll.state);
        poll.state = change.settle(&plain);
        let changed = u32::try_from(change.new.len() + change.updated.len()).unwrap_or(u32::MAX);
        let all_new = had > 0 && change.new.len() == entries;
        // A busy page turns over between two polls.
        let all_new = all_new && before.usual.expects(changed, before.last_success, self.now) != Some(true);
        if all_new {
            let detail = format!("all {entries} entries of the page are new although {had} were known");
            poll.state.flaws.push(Flaw::new(FlawCode::AllNew, detail));
        }
        if changed > 0 || all_new {
            learn(poll, &change, before);
            poll.state.last_change = if changed > 0 { Some(self.now) } else { poll.state.last_change };
            if let Some(attempt) = &mut poll.state.last_attempt {
                attempt.changed = changed;
            }
        }
        health::note(channel, before, &mut poll.state, change.new.len(), self.now);
        if poll.state != stored {
            let state = Poll { seen: None, fetched: BTreeMap::new(), ..poll.clone() };
            // The entries are recorded: if this fails, what was learnt from them is told again by the next poll.
            if let Err(error) = self.store.record(&state).await {
                tracing::warn!(channel = %channel.id, %error, "what was learnt from a poll could not be recorded");
            }
        }
        Ok(change)
    }

    /// Reads the list and the articles and decides when to come back.
    async fn look(
        &self,
        channel: &Arc<Channel>,
        before: &PollState,
        trust: bool,
        errand: &mut Errand<'_>,
        state: &mut PollState,
        flaws: &mut Vec<Flaw>,
    ) -> Result<Option<Seen>, StoreError> {
        errand.recall_channel(self.store, channel, before).await?;
        let stuck = schedule::stuck(self.now, &before.rhythm, before.last_change, before.last_whole);
        errand.ask_afresh(stuck);
        let desk = Desk { store: self.store, channel, state: before, trust, now: self.now };
        let listing = listing::read(&desk, errand, flaws).await?;
        errand.ask_afresh(false);
        if stuck || listing.status().is_some_and(|status| status != 304) {
            state.last_whole = Some(self.now);
        }
        state.exempt = errand.exempt().unwrap_or(state.exempt);
        self.note_attempt(&listing, flaws, state);
        self.note_rests(channel, errand, state);
        self.note_outcome(channel, &listing, flaws, state);
        moves::note(channel, &listing, self.now, flaws, state);
        let mut fresh = HashSet::new();
        let mut seen = Seen { guard: guard(channel, before), ..Seen::new(Standing::Live, Vec::new()) };
        match listing {
            Listing::Nothing { .. } => return Ok(None),
            Listing::Unchanged { .. } => {
                // The list is as it was when it was last read, so what was wrong with it still is. What was
                // wrong in a failed poll since then is over.
                let once = |flaw: &&Flaw| !matches!(flaw.code, FlawCode::ArticleUnread | FlawCode::Moved);
                let still = before.flaws.iter().filter(once);
                flaws.extend(still.filter(|_| before.error.is_none()).cloned());
            }
            Listing::Read(read) => {
                judge_size(read.joined.on_first, before, state, flaws);
                state.owed.clone_from(&read.joined.owed);
                seen.guard.hold &= !read.joined.caught_up;
                // A document that was not read as a whole cannot say that it is complete.
                seen.complete = read.joined.parsed.complete && !read.joined.parsed.archive && is_whole(flaws);
                let (withdrawn, found) =
                    normalise::withdrawn(&read.joined.parsed, &listing::context(channel, &read.url, self.now));
                seen.withdrawn = withdrawn;
                flaws.extend(found);
                (seen.candidates, fresh, [state.usual.page, state.usual.read]) =
                    self.candidates(channel, *read, errand, flaws).await?;
                seen.complete &= is_whole(flaws);
                seen.listed = seen.candidates.len();
            }
        }
        let again = self.articles_again(channel, &seen.candidates, errand, flaws).await?;
        self.note_refusals(channel, errand, state);
        Reader { store: self.store, channel, now: self.now }.spare(errand, &fresh, &mut seen.candidates);
        seen.candidates.extend(again);
        let says_nothing = seen.candidates.is_empty() && seen.withdrawn.is_empty() && !seen.complete;
        Ok((!says_nothing).then_some(seen))
    }

    /// The entries of a list, with the link keys of those whose article was read, what the list alone
    /// shows, and what those articles carry.
    async fn candidates(
        &self,
        channel: &Arc<Channel>,
        read: listing::Read,
        errand: &mut Errand<'_>,
        flaws: &mut Vec<Flaw>,
    ) -> Result<(Vec<Candidate>, HashSet<String>, [Tally; 2]), StoreError> {
        let listing::Read { url, joined: Joined { mut parsed, .. }, .. } = read;
        let reader = Reader { store: self.store, channel, now: self.now };
        if !reader.follows() {
            let (candidates, found) = listing::normalise(self.readers, channel, &url, self.now, parsed).await;
            flaws.extend(found);
            let tallies = [Tally::of_list(&candidates), Tally::of_articles(std::iter::empty())];
            return Ok((candidates, HashSet::new(), tallies));
        }
        // A first look at the list alone: when did each entry come out?
        let (listed, _) = listing::normalise(self.readers, channel, &url, self.now, parsed.clone()).await;
        let list = Tally::of_list(&listed);
        let listed = articles::listed(&listed);
        let fresh = reader.complete(errand, (&url, &mut parsed), &listed, flaws).await?;
        let (candidates, found) = listing::normalise(self.readers, channel, &url, self.now, parsed).await;
        flaws.extend(found);
        let read = |one: &&Candidate| listing::link_key_of(one).is_some_and(|key| fresh.contains(key));
        let articles = Tally::of_articles(candidates.iter().filter(read));
        Ok((candidates, fresh, [list, articles]))
    }

    async fn articles_again(
        &self,
        channel: &Arc<Channel>,
        listed: &[Candidate],
        errand: &mut Errand<'_>,
        flaws: &mut Vec<Flaw>,
    ) -> Result<Vec<Candidate>, StoreError> {
        let entries = Reader { store: self.store, channel, now: self.now }.again(listed, errand, flaws).await?;
        let Some(base) = channel.addresses().next().filter(|_| !entries.is_empty()) else { return Ok(Vec::new()) };
        let parsed = crate::model::ParsedFeed { entries, ..Default::default() };
        // Its flaws say what the article lacks against a list entry: nothing that anyone could mend.
        let (candidates, _) = listing::normalise(self.readers, channel, &base.url(), self.now, parsed).await;
        Ok(candidates)
    }
}

/// Whether nothing says that a part of the document may not have been read.
fn is_whole(flaws: &[Flaw]) -> bool {
    let cut = |code| {
        use FlawCode::{CharsetErrors, DuplicateId, EntryWithoutLink, IllegalCharacters, LimitReached, Malformed};
        matches!(code, CharsetErrors | DuplicateId | EntryWithoutLink | IllegalCharacters | LimitReached | Malformed)
    };
    !flaws.iter().any(|flaw| cut(flaw.code))
}

/// One flaw of a kind says as much as fifty: the first three of each code are kept, with the number of the rest.
fn bounded(flaws: Vec<Flaw>) -> Vec<Flaw> {
    let mut kept: Vec<Flaw> = Vec::new();
    let mut more: BTreeMap<FlawCode, usize> = BTreeMap::new();
    for flaw in flaws {
        if kept.contains(&flaw) {
            continue;
        }
        if kept.iter().filter(|known| known.code == flaw.code).count() < 3 {
            kept.push(flaw);
        } else {
            *more.entry(flaw.code).or_default() += 1;
        }
    }
    kept.extend(more.into_iter().map(|(code, count)| Flaw::new(code, format!("and {count} more of this kind"))));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flaws_are_told_once_and_counted_after_three() {
        let flaw = |n: u32| Flaw::new(FlawCode::DateMissing, format!("entry {n}"));
        let kept = bounded((0..50).map(flaw).chain([flaw(0)]).collect());
        let details: Vec<_> = kept.iter().map(|flaw| flaw.detail.as_str()).collect();
        assert_eq!(details, ["entry 0", "entry 1", "entry 2", "and 47 more of this kind"]);
    }
}
