//! What comes of polls: what is recorded, when they are due again, and what is to be shown then.

use super::{DAY, ENDS, FLOOR, Judge, LATE, PLAY, STEP, Told, host_of, interval};
use crate::source::FLOOD;
use chrono::{DateTime, TimeDelta, Utc};
use heliu::config::Channel;
use heliu::model::{EntryId, FlawCode};
use heliu::store::Poll;
use std::collections::BTreeSet;

impl Judge {
    /// When the last poll of a channel ended, recorded or not: what came before is no answer to the next one.
    fn ended(&self, name: &str) -> Option<DateTime<Utc>> {
        let known = self.known.get(name)?;
        known.recorded.map(|(recorded, _)| recorded).max(known.in_vain)
    }

    /// A poll was written, whether or not that is told.
    pub(crate) fn written(&mut self, poll: &Poll, refused: bool) {
        let name = poll.channel.to_string();
        if let Some(flaw) = poll.state.flaws.iter().find(|flaw| flaw.code == FlawCode::Panicked) {
            self.blame("panic", &format!("{name}: {flaw}"));
        }
        if refused {
            return;
        }
        let places = self.channels.get(&name).map(|channel| self.places(channel)).unwrap_or_default();
        let since = self.ended(&name);
        let fresh = |place: &usize| since.is_none_or(|since| self.addresses[*place].asked.is_some_and(|at| at > since));
        let used: Vec<_> = places
            .iter()
            .filter(|place| fresh(place))
            .filter_map(|place| self.addresses[*place].answer.clone())
            .collect();
        // Another party's validators are not kept, also if nobody is told any more that this was written.
        for url in poll.fetched.keys() {
            let place = self.urls.get(url).copied();
            let answer = place.and_then(|place| self.addresses[place].answer.as_ref());
            if answer.is_some_and(|answer| answer.status == 200 && !answer.validators) {
                self.validators.insert(url.clone(), false);
            }
        }
        // Also one that no layout fitted was read in the new way.
        let anew = used.into_iter().any(|answer| !answer.conditional && answer.status == 200 && answer.whole);
        // Known to the next life too, if this one ends here.
        for (host, until) in rests(poll) {
            let known = self.waits.entry(host).or_insert(until);
            *known = until.max(*known);
        }
        let print = self.prints.get(&name);
        let known = self.known.entry(name).or_default();
        // A poll that was under way when it was edited read it in the old way.
        let is_new = print == Some(&poll.state.config_hash);
        known.reread &= !(anew && is_new);
        known.owed &= !is_new && poll.at < self.edited_wall + ENDS;
        if known.config_hash != poll.state.config_hash {
            known.read_anew = Some(poll.at);
        }
        known.config_hash.clone_from(&poll.state.config_hash);
        // If the process dies now, this is what its next life goes by.
        known.due = known.due.max(poll.state.next_poll);
        known.stored = poll.state.next_poll;
        known.stored_gone = poll.state.gone.is_some();
        known.written = Some(poll.at);
        known.slept = Some(self.woke).filter(|woke| poll.at < *woke);
    }

    /// These entries of a poll were written and are held back.
    pub(crate) fn held(&mut self, poll: &Poll, held: &[EntryId]) {
        let seen = poll.seen.iter().flat_map(|seen| &seen.candidates).map(|candidate| &candidate.entry);
        for entry in seen.filter(|entry| held.contains(&entry.id)) {
            if let Some(why) = self.reader.held(poll.channel.as_str(), entry) {
                self.blame("I3", &why);
            }
        }
    }

    /// How recording a poll ended, as the service was told.
    pub(crate) fn told(&mut self, poll: &Poll, (told, holds): (Told, bool), truth: DateTime<Utc>, wall: DateTime<Utc>) {
        let name = poll.channel.to_string();
        let Some(channel) = self.channels.get(&name).cloned() else { return };
        let state = &poll.state;
        if told != Told::Recorded {
            let known = self.known.entry(name).or_default();
            known.unrecorded += 1;
            known.in_vain = Some(truth);
            let doubled = FLOOR * (1 << (known.failures + known.unrecorded).min(7));
            known.promised = None;
            known.due = known.due.map(|_| wall + doubled.min(DAY));
            // Tried again after a pause that is as long as the floor, whatever the interval.
            for name in self.groups.get(channel.id.as_str()).cloned().unwrap_or_default() {
                for place in self.channels.get(&name).map(|one| self.places(one)).unwrap_or_default() {
                    let address = &mut self.addresses[place];
                    address.floor = address.floor.min(address.wall.map(|asked| asked + FLOOR));
                }
            }
            return;
        }
        let group = self.groups.get(&name).cloned().unwrap_or_default();
        if !group.is_empty() {
            if !self.is_under_way(&group, truth) {
                self.polls.insert(group[0].clone(), (truth, group.iter().cloned().collect()));
            }
            if let Some((_, left)) = self.polls.get_mut(&group[0]) {
                left.remove(&name);
            }
        }
        self.note_answers(&name, &channel, poll);
        for (host, until) in rests(poll) {
            let known = self.rests.entry(host).or_insert((until, truth));
            *known = (until, truth).max(*known);
        }
        if let Some(attempt) = state.last_attempt.as_ref().filter(|attempt| attempt.error.is_none())
            && let Some(host) = host_of(adopted(poll, &attempt.url).unwrap_or(&attempt.url))
            && !later(poll).any(|told| told == host)
        {
            self.rests.remove(&host);
        }
        // A poll that was under way when feeds.yaml was edited goes by what was said before.
        if truth - self.edited > ENDS {
            self.judge_next(&name, &channel, poll, wall);
        }
        let known = self.known.entry(name).or_default();
        known.recorded = Some((truth, wall));
        // It may also fall asleep while it records.
        known.slept = Some(self.woke).filter(|woke| poll.at < *woke);
        known.unrecorded = 0;
        known.failures = state.failures;
        known.held = holds;
        known.gone = state.gone.is_some();
        known.adopted = state.moved.values().filter_map(|moved| host_of(moved.adopted.as_deref()?)).collect();
        known.promised = state.next_poll;
        known.due = state.next_poll;
        if poll.at > wall + STEP {
            // It was polled under a clock that ran ahead: that counts as due.
            known.promised = None;
            for name in group {
                for place in self.channels.get(&name).map(|one| self.places(one)).unwrap_or_default() {
                    self.addresses[place].floor = None;
                }
            }
        }
    }

    /// What a recorded poll says of its addresses.
    fn note_answers(&mut self, name: &str, channel: &Channel, poll: &Poll) {
        let since = self.ended(name);
        let mut used = false;
        for place in self.places(channel) {
            let address = &mut self.addresses[place];
            let fresh = since.is_none_or(|since| address.asked.is_some_and(|at| at > since));
            let Some(answer) = address.answer.clone().filter(|_| fresh) else { continue };
            let attempt = poll.state.last_attempt.as_ref().filter(|attempt| attempt.error.is_none());
            if answer.status == 200 && !answer.whole && attempt.is_some_and(|attempt| attempt.url == answer.first) {
                self.blame(
                    "broken",
                    &format!("{name} takes the body of {}, which broke off, for a whole one", answer.first),
                );
                return;
            }
            // What broke off says nothing.
            let fresh = answer.fresh.filter(|_| poll.state.failures == 0);
            (address.fresh, address.retry) = (fresh, answer.retry.or(address.retry));
            if answer.status == 304 {
                used = true;
            }
            // What stands there after a poll that failed is the answer to one that was never recorded.
            let is_read = poll.state.failures == 0 && answer.status == 200;
            if used || !is_read {
                continue;
            }
            // What shows nothing may have been read by another layout: then none of the others was.
            used = true;
            if let Some(shows) = answer.shows {
                let stream = self.streams[place];
                let known = self.known.entry(name.to_owned()).or_default();
                known.expected.extend(shows.into_iter().filter(|n| *n < FLOOD).map(|n| (stream, n)));
            }
        }
        for url in poll.fetched.keys() {
            let target = url.split("/moved/").nth(1).and_then(|n| n.parse::<usize>().ok());
            let Some(place) = target.or_else(|| self.urls.get(url).copied()) else { continue };
            let Some(answer) = self.addresses[place].answer.take() else { continue };
            let known = self.validators.entry(url.clone()).or_default();
            if answer.first == *url && answer.status == 200 {
                // What shows nothing may have been read by another layout: nothing is certain then.
                *known = if answer.shows.is_some() { answer.validators } else { *known && !answer.validators };
            } else if answer.first != *url {
                *known = false;
            }
        }
        let gone = self.is_one_address(channel);
        if let Some(place) = gone
            && self.addresses[place].gone.is_some()
        {
            self.addresses[place].gone = poll.state.gone.is_some().then_some(true);
        }
    }

    /// The place of the only address of a channel that shares it with nobody.
    fn is_one_address(&self, channel: &Channel) -> Option<usize> {
        let places = self.places(channel);
        let alone = self.groups.get(channel.id.as_str()).is_some_and(|group| group.len() == 1);
        (places.len() == 1 && alone).then(|| places[0])
    }

    /// I1 and I2 in advance: the next poll is neither too early nor too late.
    fn judge_next(&mut self, name: &str, channel: &Channel, poll: &Poll, wall: DateTime<Utc>) {
        let state = &poll.state;
        let Some(next) = state.next_poll else {
            if state.gone.is_none() {
                self.blame("I2", &format!("{name} is never polled again"));
            }
            return;
        };
        let interval = interval(channel);
        let doublings = state.failures.saturating_sub(1).min(8);
        let least = (interval * (1 << doublings)).min(DAY);
        let adopted = state.moved.values().any(|moved| moved.adopted.is_some());
        // The clock may have been set back since the poll began.
        if next + PLAY < poll.at.min(wall) + least && !adopted {
            self.blame(
                "backoff",
                &format!("{name} failed {} times and is due at {next}, asked at {}", state.failures, poll.at),
            );
        }
        let most = Self::most(channel, state.failures);
        if next > wall + most {
            self.blame("I2", &format!("{name} is due at {next}, now it is {wall}"));
        }
    }

    /// The longest that a channel is left alone.
    fn most(channel: &Channel, failures: u32) -> TimeDelta {
        // Hours that a feed does not want to be asked in, and half an hour that spreads those who wait for their end.
        let quiet = TimeDelta::hours(4);
        match (channel.every, failures) {
            (Some(_), 0) => (interval(channel) * 11 / 10).max(TimeDelta::seconds(24_000)) + quiet,
            _ => DAY * if failures > 0 { 8 } else { 1 } + DAY / 10 + quiet,
        }
    }

    /// What shows only when nothing happens. `idle`: no request is under way.
    pub(crate) fn look(&mut self, wall: DateTime<Utc>, truth: DateTime<Utc>) {
        // Who could not be asked is asked when the network is back.
        if truth < self.back + LATE {
            return;
        }
        for name in self.channels.keys().cloned().collect::<Vec<_>>() {
            let Some(due) = self.known.get(&name).and_then(|known| known.due) else { continue };
            let group = self.groups.get(&name).cloned().unwrap_or_default();
            let rests = self.group_rests(&group).unwrap_or(due);
            // One whose own hosts rest is left out.
            let alone = self.group_rests(std::slice::from_ref(&name));
            let hosts = self
                .channels
                .get(&name)
                .map(|one| one.addresses().filter_map(|at| at.url().host_str().map(str::to_owned)).collect());
            let mut hosts: Vec<_> = hosts.unwrap_or_default();
            hosts.extend(self.known.get(&name).into_iter().flat_map(|known| &known.adopted).cloned());
            let told = hosts.iter().filter_map(|host| self.waits.get(host)).max().copied().unwrap_or(due);
            let due = due.max(self.since).max(rests).max(told).max(alone.unwrap_or(due));
            // Nobody of a group is asked within the interval after another one was.
            let known = group.iter().filter_map(|other| self.known.get(other));
            let others = known.filter_map(|known| known.slept.max(known.written));
            let shortest = group.iter().filter_map(|name| self.channels.get(name)).map(|one| interval(one)).min();
            let again = others.max().zip(shortest).map_or(due, |(asked, pause)| (asked + pause).min(due + pause));
            let due = due.max(again);
            if wall > due.max(self.unsure) + LATE {
                self.blame("I2", &format!("{name} was due at {due} and is not polled at {wall}"));
            }
        }
    }

    /// What each channel has recorded and has to show, unless it holds something back.
    pub(crate) fn expected(&self, before: DateTime<Utc>) -> Vec<(String, BTreeSet<(usize, u32)>)> {
        let mut all = Vec::new();
        if self.edited > before {
            // A feed may have got its room just now.
            return all;
        }
        for name in self.channels.keys() {
            let Some(known) = self.known.get(name).filter(|known| !known.held) else { continue };
            if known.recorded.is_some_and(|(recorded, _)| recorded < before) {
                all.push((name.clone(), known.expected.clone()));
            }
        }
        all
    }
}

/// The hosts that asked to be left alone after the list had answered.
fn later(poll: &Poll) -> impl Iterator<Item = &str> {
    let rests = poll.state.rests.values().filter(|rest| Some(rest.told) > poll.state.last_poll);
    rests.filter_map(|rest| rest.host.strip_suffix(":80"))
}

/// The hosts that asked to be left alone in this poll, and until when.
fn rests(poll: &Poll) -> impl Iterator<Item = (String, DateTime<Utc>)> {
    let rests = poll.state.rests.values().filter(|rest| Some(rest.told) >= poll.state.last_poll);
    rests.filter_map(|rest| Some((rest.host.strip_suffix(":80")?.to_owned(), rest.until)))
}

/// Where an address has moved to.
fn adopted<'a>(poll: &'a Poll, url: &str) -> Option<&'a str> {
    poll.state.moved.get(url)?.adopted.as_deref()
}
