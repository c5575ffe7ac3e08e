//! Hosts that asked to be left alone (429, 503): what one channel was told holds for all that ask the same host and
//! port, and for nobody else.

use super::plan::Group;
use crate::config::{Address, Channel};
use crate::model::ChannelId;
use crate::schedule;
use crate::store::{PollState, Rest};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use url::Url;

/// Until when it holds: not if it was told under a clock that ran ahead.
fn holds(rest: &Rest, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    schedule::rests(now, Some(rest.told), rest.until).then_some(rest.until)
}

/// Whom of a group to poll, and what to leave alone then.
#[derive(Debug, Default)]
pub(super) struct Awake {
    /// The channels that have an address that is not left alone.
    pub(super) channels: Vec<Arc<Channel>>,
    /// Those of their addresses that are, as they would be asked.
    pub(super) resting: HashSet<String>,
}

/// The hosts that are left alone, and until when.
#[derive(Debug, Default)]
pub(super) struct Rests {
    hosts: HashMap<String, Rest>,
    /// What channels were told themselves: they wait also when the host has answered another one meanwhile.
    channels: HashMap<ChannelId, BTreeMap<String, Rest>>,
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

impl Rests {
    /// Takes note of how a channel's poll ended. An answer that asks for nothing ends the rest of its host.
    pub(super) fn note(&mut self, channel: &ChannelId, state: &PollState, now: DateTime<Utc>) {
        self.recall(channel, state, now, |rest| Some(rest.told) == state.last_poll);
        let answered = state.last_attempt.as_ref().filter(|attempt| attempt.error.is_none());
        if let Some(url) = answered.and_then(|attempt| Url::parse(&attempt.url).ok()) {
            self.hosts.remove(&host(&url));
        }
    }

    /// Takes note of what a channel was told: for itself, and for all that ask these hosts as far as `all` says so.
    pub(super) fn recall(
        &mut self,
        channel: &ChannelId,
        state: &PollState,
        now: DateTime<Utc>,
        all: impl Fn(&Rest) -> bool,
    ) {
        self.channels.remove(channel);
        if state.rests.is_empty() {
            return;
        }
        self.channels.insert(channel.clone(), state.rests.clone());
        for (host, rest) in state.rests.iter().filter(|(_, rest)| all(rest)) {
            let known = self.hosts.entry(host.clone()).or_insert(*rest);
            if holds(known, now).is_none_or(|known| known < rest.until) {
                *known = *rest;
            }
        }
    }

    /// How many hosts, and how many channels, are remembered: the larger number.
    pub(super) fn len(&self) -> usize {
        self.hosts.len().max(self.channels.len())
    }

    /// Until when a channel leaves an address alone, if it does.
    fn of(&self, channel: &Channel, url: &Url, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let told = self.channels.get(&channel.id);
        let until = |key: &str| {
            let rests = [self.hosts.get(key), told.and_then(|told| told.get(key))];
            rests.into_iter().flatten().filter_map(|rest| holds(rest, now)).max()
        };
        until(&host(url)).max(until(url.as_str()))
    }

    /// Whom of a group to poll; `asked` as in [`Rests::until`].
    pub(super) fn awake(&self, group: &Group, asked: impl Fn(&Channel, &Address) -> Url, now: DateTime<Utc>) -> Awake {
        let rests = |channel: &Arc<Channel>| self.until(std::slice::from_ref(channel), &asked, now).is_some();
        let mut awake =
            Awake { channels: group.iter().filter(|channel| !rests(channel)).cloned().collect(), ..Awake::default() };
        for channel in awake.channels.iter().filter(|_| !self.is_empty()) {
            let urls = channel.addresses().map(|address| asked(channel, address));
            awake.resting.extend(urls.filter(|url| self.of(channel, url, now).is_some()).map(String::from));
        }
        awake
    }

    fn is_empty(&self) -> bool {
        self.hosts.is_empty() && self.channels.is_empty()
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
                let until = self.of(channel, &asked(channel, address), now)?;
                earliest = Some(earliest.map_or(until, |known: DateTime<Utc>| known.min(until)));
            }
        }
        earliest
    }

    /// Forgets what is over.
    pub(super) fn sweep(&mut self, now: DateTime<Utc>) {
        self.hosts.retain(|_, rest| holds(rest, now).is_some());
        self.channels.retain(|_, told| told.values().any(|rest| holds(rest, now).is_some()));
    }
}

/// What the answers of a poll that began at `told` say: the address that was asked, the one that a redirect led to, and
/// until when that one's host is to be left alone, if it asked for that. Where a redirect leads to such a host, its address
/// is left alone too. What was said before goes on as long as it holds.
pub(super) fn said(
    state: &mut PollState,
    answers: impl Iterator<Item = (Url, Url, Option<DateTime<Utc>>)>,
    told: DateTime<Utc>,
    now: DateTime<Utc>,
) {
    for (asked, url, until) in answers {
        let elsewhere = (host(&asked) != host(&url)).then(|| asked.into());
        for key in [Some(host(&url)), elsewhere].into_iter().flatten() {
            match until {
                Some(until) => state.rests.insert(key, Rest { told, until }),
                None => state.rests.remove(&key),
            };
        }
    }
    state.rests.retain(|_, rest| holds(rest, now).is_some());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{ListPage, Origin, PageAddress};
    use crate::store::Attempt;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + chrono::TimeDelta::hours(1_000 + hour)
    }

    /// A channel `a` with these addresses.
    fn channel(urls: &[&str]) -> Arc<Channel> {
        let addresses = urls.iter().map(|url| PageAddress { url: url.parse().unwrap(), next: None }).collect();
        Arc::new(Channel {
            id: "a".parse().unwrap(),
            title: "a".into(),
            origin: Origin::Page(Box::new(ListPage { addresses, ..ListPage::default() })),
            every: None,
            timezone: chrono_tz::Asia::Shanghai,
            language: "zh-CN".into(),
            snapshot: None,
            rules: crate::rule::Rules::default(),
            obeys_robots: true,
            trust: crate::model::Trust::default(),
        })
    }

    /// `notes`: channel, hour of its poll, its address, until when its host asked to be left alone; `!` in place of that:
    /// the poll failed otherwise. Until when a channel `a` with `urls` has to wait at hour `now`.
    fn check(notes: &[(&str, i64, &str, Option<i64>, bool)], urls: &[&str], now: i64, expected: Option<i64>) {
        let mut rests = Rests::default();
        for (channel, hour, url, until, failed) in notes {
            let error = (*failed).then(String::new);
            let attempt = Attempt { at: at(*hour), url: (*url).into(), status: None, millis: 0, changed: 0, error };
            let rest = until.map(|until| ("x.test:80".to_owned(), Rest { told: at(*hour), until: at(until) }));
            let rest = rest.map(|(host, rest)| (if *url == Y { "y.test:80".to_owned() } else { host }, rest));
            let mut state = PollState { last_poll: Some(at(*hour)), ..PollState::default() };
            state.rests.extend(rest);
            state.attempted(attempt);
            rests.note(&channel.parse().unwrap(), &state, at(now));
        }
        let until = rests.until(&[channel(urls)], |_, address| address.url(), at(now));
        assert_eq!(until, expected.map(at), "{notes:?} {urls:?} at {now}");
    }

    const X: &str = "http://x.test/1";
    const X2: &str = "http://x.test/2";
    const Y: &str = "http://y.test/1";

    #[test]
    fn who_waits_and_until_when() {
        let told = |channel, hour, until| (channel, hour, X, Some(until), true);
        check(&[], &[X], 0, None);
        check(&[told("b", 0, 5)], &[X2], 1, Some(5));
        check(&[told("b", 0, 5)], &[X2], 5, None);
        check(&[told("b", 0, 5)], &[Y], 1, None);
        check(&[told("b", 0, 5)], &[X2, Y], 1, None);
        check(&[told("b", 0, 5), ("c", 0, Y, Some(3), true)], &[X, Y], 1, Some(3));
        // The longest wish counts, in whatever order they are recalled at a start.
        check(&[told("b", 0, 5), told("c", 1, 3)], &[X], 1, Some(5));
        check(&[told("c", 2, 9), told("b", 0, 5)], &[X], 3, Some(9));
        // An answer ends the rest of its host, a failure does not; who was told so itself waits all the same.
        check(&[told("b", 0, 5), ("c", 1, X2, None, false)], &[X], 1, None);
        check(&[told("b", 0, 5), ("c", 1, X2, None, true)], &[X], 1, Some(5));
        check(&[told("a", 0, 5), ("c", 1, X2, None, false)], &[X], 1, Some(5));
        check(&[told("a", 0, 5), ("c", 1, X2, None, false)], &[Y], 1, None);
        check(&[told("a", 0, 5), ("a", 1, X2, None, false)], &[X], 1, None);
        // What was told under a clock that ran ahead is not believed, and does not stand against what is.
        check(&[told("b", 90_000, 90_010)], &[X], 1, None);
        check(&[told("b", 90_000, 90_010), told("c", 0, 5)], &[X], 1, Some(5));
    }
}
