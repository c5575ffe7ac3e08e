//! Hosts that asked to be left alone (429, 503): what one channel was told holds for all that ask the same host and
//! port, and for nobody else.

use crate::config::{Address, Channel};
use crate::schedule;
use crate::store::{PollState, Rest};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;
use std::sync::Arc;
use url::Url;

/// Nobody is left alone for longer: a day, and what a poll takes.
const LONGEST: TimeDelta = TimeDelta::days(2);

/// What articles and further pages said was said so long after the list had answered.
pub(super) const AFTER: TimeDelta = TimeDelta::milliseconds(1);

/// A wish to be left alone.
#[derive(Debug, Clone, Copy)]
struct Span {
    told: DateTime<Utc>,
    until: DateTime<Utc>,
}

impl Span {
    /// Until when it holds: not if it was told under a clock that ran ahead, or one that was set meanwhile.
    fn holds(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let holds = schedule::rests(now, Some(self.told), self.until) && self.until - self.told <= LONGEST;
        holds.then_some(self.until)
    }
}

impl From<&Rest> for Span {
    fn from(rest: &Rest) -> Self {
        Self { told: rest.told, until: rest.until }
    }
}

/// The hosts and the addresses that are left alone, and until when.
#[derive(Debug, Default)]
pub(super) struct Rests {
    hosts: HashMap<String, Span>,
    /// Whoever asks one of these was told so: they wait also when the host has answered for another address meanwhile.
    addresses: HashMap<String, Span>,
    /// With so many of both, those whose time is over are forgotten.
    most: usize,
}

/// A host with its port: what a wish to be left alone is about.
pub(super) fn host(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
}

/// The address that is asked for one in feeds.yaml: itself, or the one that was adopted.
pub(super) fn asked(state: Option<&PollState>, address: &Address) -> Url {
    let adopted = state.and_then(|state| state.moved.get(address.as_str())?.adopted.as_deref());
    adopted.and_then(|adopted| Url::parse(adopted).ok()).unwrap_or_else(|| address.url())
}

/// Until when a channel has to wait by what it was told itself, because each of its addresses was told to or is on a host
/// that said so.
pub(super) fn told_until(channel: &Channel, state: &PollState) -> Option<DateTime<Utc>> {
    let until = |address: &Address| {
        let url = asked(Some(state), address);
        let host = host(&url);
        let told = state.rests.iter().filter(|(address, rest)| **address == url.as_str() || rest.host == host);
        told.map(|(_, rest)| rest.until).max()
    };
    let all: Option<Vec<_>> = channel.addresses().map(until).collect();
    all.and_then(|all| all.into_iter().min())
}

impl Rests {
    /// Takes note of how a channel's poll ended. An answer that asks for nothing ends the rest of its host, unless an article
    /// asked for it afterwards.
    pub(super) fn note(&mut self, state: &PollState, now: DateTime<Utc>) {
        self.recall(state, now, |rest| Some(rest.told) >= state.last_poll);
        let Some(attempt) = state.last_attempt.as_ref().filter(|attempt| attempt.error.is_none()) else { return };
        // What answered 304 is told by its address in feeds.yaml.
        let adopted = state.moved.get(&attempt.url).and_then(|moved| moved.adopted.as_ref());
        let Ok(url) = Url::parse(adopted.unwrap_or(&attempt.url)) else { return };
        let host = host(&url);
        if !state.rests.values().any(|rest| rest.host == host && Some(rest.told) > state.last_poll) {
            self.hosts.remove(&host);
        }
    }

    /// Takes note of what a channel was told: for these addresses, and for all of their hosts as far as `all` says so.
    pub(super) fn recall(&mut self, state: &PollState, now: DateTime<Utc>, all: impl Fn(&Rest) -> bool) {
        for (address, rest) in &state.rests {
            longest(&mut self.addresses, address, rest, now);
            if all(rest) {
                longest(&mut self.hosts, &rest.host, rest, now);
            }
        }
        if self.hosts.len() + self.addresses.len() > self.most {
            self.sweep(now);
            self.most = 2 * (self.hosts.len() + self.addresses.len()) + 64;
        }
    }

    /// How many hosts, and how many addresses, are remembered: the larger number.
    pub(super) fn len(&self) -> usize {
        self.hosts.len().max(self.addresses.len())
    }

    /// Until when an address is left alone, if it is.
    pub(super) fn of(&self, url: &Url, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let spans = [self.hosts.get(&host(url)), self.addresses.get(url.as_str())];
        spans.into_iter().flatten().filter_map(|span| span.holds(now)).max()
    }

    fn is_empty(&self) -> bool {
        self.hosts.is_empty() && self.addresses.is_empty()
    }

    /// Until when a group has to wait, because each of its addresses is left alone. `asked` is what is asked in place of
    /// an address in feeds.yaml.
    pub(super) fn until(
        &self,
        group: &[Arc<Channel>],
        asked: impl Fn(&Channel, &Address) -> Url,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        if self.is_empty() {
            return None;
        }
        let mut earliest = None;
        for channel in group {
            for address in channel.addresses() {
                let until = self.of(&asked(channel, address), now)?;
                earliest = Some(earliest.map_or(until, |known: DateTime<Utc>| known.min(until)));
            }
        }
        earliest
    }

    /// Forgets what is over.
    pub(super) fn sweep(&mut self, now: DateTime<Utc>) {
        self.hosts.retain(|_, span| span.holds(now).is_some());
        self.addresses.retain(|_, span| span.holds(now).is_some());
    }
}

/// Keeps the longest of the wishes that hold.
fn longest(spans: &mut HashMap<String, Span>, key: &str, rest: &Rest, now: DateTime<Utc>) {
    match spans.get_mut(key) {
        Some(known) if known.holds(now).is_none_or(|known| known < rest.until) => *known = rest.into(),
        Some(_) => {}
        None => {
            spans.insert(key.to_owned(), rest.into());
        }
    }
}

/// Who asked to be left alone, and until when.
pub(super) type Wish = Option<(Url, DateTime<Utc>)>;

/// Takes note of the answers of a poll that began at `told`: the addresses that were asked, and what each was told. What
/// was said before goes on as long as it holds.
pub(super) fn said(state: &mut PollState, answers: Vec<(Url, Wish)>, told: DateTime<Utc>, now: DateTime<Utc>) {
    for (asked, wish) in answers {
        match wish {
            Some((by, until)) => state.rests.insert(asked.into(), Rest { host: host(&by), told, until }),
            None => state.rests.remove(asked.as_str()),
        };
    }
    state.rests.retain(|_, rest| Span::from(&*rest).holds(now).is_some());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Attempt;
    use crate::worker::plan::tests::pages;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(1_000 + hour)
    }

    /// `notes`: the hour of a poll, the address that was asked last, until when its host asked to be left alone, and whether
    /// the poll failed. Until when a channel with `urls` has to wait at hour `now`.
    fn check(notes: &[(i64, &str, Option<i64>, bool)], urls: &[&str], now: i64, expected: Option<i64>) {
        let mut rests = Rests::default();
        for (hour, url, until, failed) in notes {
            let error = (*failed).then(String::new);
            let attempt = Attempt { at: at(*hour), url: (*url).into(), status: None, millis: 0, changed: 0, error };
            let mut state = PollState { last_poll: Some(at(*hour)), ..PollState::default() };
            let url = Url::parse(url).unwrap();
            said(&mut state, vec![(url.clone(), until.map(|until| (url, at(until))))], at(*hour), at(*hour));
            state.attempted(attempt);
            rests.note(&state, at(now));
        }
        let until = rests.until(&[pages("a", urls)], |_, address| address.url(), at(now));
        assert_eq!(until, expected.map(at), "{notes:?} {urls:?} at {now}");
    }

    const X: &str = "http://x.test/1";
    const X2: &str = "http://x.test/2";
    const Y: &str = "http://y.test/1";

    #[test]
    fn who_waits_and_until_when() {
        let told = |hour, until| (hour, X, Some(until), true);
        check(&[], &[X], 0, None);
        check(&[told(0, 5)], &[X2], 1, Some(5));
        check(&[told(0, 5)], &[X2], 5, None);
        check(&[told(0, 5)], &[Y], 1, None);
        check(&[told(0, 5)], &[X2, Y], 1, None);
        check(&[told(0, 5), (0, Y, Some(3), true)], &[X, Y], 1, Some(3));
        // The longest wish counts, in whatever order they are recalled at a start.
        check(&[told(0, 5), told(1, 3)], &[X], 1, Some(5));
        check(&[told(2, 9), told(0, 5)], &[X], 3, Some(9));
        // An answer ends the rest of its host, a failure does not; the address that was told so waits all the same.
        check(&[told(0, 5), (1, X2, None, false)], &[X2], 1, None);
        check(&[told(0, 5), (1, X2, None, true)], &[X2], 1, Some(5));
        check(&[told(0, 5), (1, X2, None, false)], &[X], 1, Some(5));
        check(&[told(0, 5), (1, X2, None, false)], &[X, X2], 1, None);
        // What was told under a clock that ran ahead is not believed, and does not stand against what is.
        check(&[told(90_000, 90_010)], &[X], 1, None);
        check(&[told(90_000, 90_010), told(0, 5)], &[X], 1, Some(5));
    }

    #[test]
    fn what_is_over_is_forgotten() {
        let mut rests = Rests::default();
        for n in 0..10_000 {
            let url = Url::parse(&format!("http://h{n}.test/")).unwrap();
            let mut state = PollState { last_poll: Some(at(n)), ..PollState::default() };
            said(&mut state, vec![(url.clone(), Some((url, at(n + 5))))], at(n), at(n));
            rests.note(&state, at(n));
        }
        assert!(rests.len() <= 100, "{}", rests.len());
    }
}
