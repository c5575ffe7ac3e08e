//! Hosts that asked to be left alone (429, 503): what one channel was told holds for all that ask the same host and
//! port, and for nobody else.

use super::plan::Group;
use crate::config::{Address, Channel};
use crate::store::PollState;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::sync::Arc;
use url::Url;

type Host = (String, u16);

/// The hosts that are left alone, and until when.
#[derive(Debug, Default)]
pub(super) struct Rests(HashMap<Host, DateTime<Utc>>);

fn host(url: &Url) -> Host {
    (url.host_str().unwrap_or_default().to_owned(), url.port_or_known_default().unwrap_or_default())
}

/// The address that is asked for one in feeds.yaml: itself, or the one that was adopted.
pub(super) fn asked(state: Option<&PollState>, address: &Address) -> Url {
    let adopted = state.and_then(|state| state.moved.get(address.as_str())?.adopted.as_deref());
    adopted.and_then(|adopted| Url::parse(adopted).ok()).unwrap_or_else(|| address.url())
}

impl Rests {
    /// Takes note of how a channel's poll ended. An answer that asks for nothing ends the rest of its host.
    pub(super) fn note(&mut self, state: &PollState) {
        let Some(attempt) = &state.last_attempt else { return };
        let Ok(url) = Url::parse(&attempt.url) else { return };
        match state.host_rests {
            Some(until) => {
                let known = self.0.entry(host(&url)).or_insert(until);
                *known = until.max(*known);
            }
            None if attempt.error.is_none() => {
                self.0.remove(&host(&url));
            }
            None => {}
        }
    }

    /// How many hosts are remembered.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The channels of a group that have an address on a host that is not left alone; `asked` as in [`Rests::until`].
    pub(super) fn awake(
        &self,
        group: &Group,
        asked: impl Fn(&Channel, &Address) -> Url,
        now: DateTime<Utc>,
    ) -> Vec<Arc<Channel>> {
        let rests = |channel: &Arc<Channel>| self.until(std::slice::from_ref(channel), &asked, now).is_some();
        group.iter().filter(|channel| !rests(channel)).cloned().collect()
    }

    /// Until when a group has to wait, because each of its addresses is on a host that is left alone. `asked` is what is
    /// asked in place of an address in feeds.yaml.
    pub(super) fn until(
        &self,
        group: &[Arc<Channel>],
        asked: impl Fn(&Channel, &Address) -> Url,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        if self.0.is_empty() {
            return None;
        }
        let mut earliest = None;
        for channel in group {
            for address in channel.addresses() {
                let until = *self.0.get(&host(&asked(channel, address))).filter(|until| **until > now)?;
                earliest = Some(earliest.map_or(until, |known: DateTime<Utc>| known.min(until)));
            }
        }
        earliest
    }

    /// Forgets the hosts whose rest is over.
    pub(super) fn sweep(&mut self, now: DateTime<Utc>) {
        self.0.retain(|_, until| *until > now);
    }
}
