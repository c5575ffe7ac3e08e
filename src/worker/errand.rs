//! The fetches of one run: each address is asked for at most once, however many channels use it, and
//! validators are put forward for storing only when the body they vouch for was used.

use super::clock::Clock;
use super::poll::Poller;
use super::readers::Readers;
use super::rests::{self, Rests, host};
use super::service::lock;
use crate::config::Channel;
use crate::model::{Flaw, FlawCode};
use crate::net::{Accept, Berth, Client, FetchError, FetchErrorKind, Request, Robots, Validators};
use crate::schedule;
use crate::store::{FetchState, PollState, Store, StoreError};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use url::Url;

/// The largest page, list or feed, in bytes.
const LARGEST_BODY: usize = 10 << 20;

/// A `Retry-After` is obeyed for so long at most.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// An address that said that it is gone for good is left alone for so long, which is as good as for ever.
pub(super) const GONE_FOR: TimeDelta = TimeDelta::days(3650);

/// A page as it was fetched.
#[derive(Debug, Clone)]
pub(super) struct Page {
    /// The address that answered.
    pub url: Url,
    /// The status.
    pub status: u16,
    /// The decoded body; empty when unchanged by a 304.
    pub body: Bytes,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// The body is the one that was last used (304, or the same bytes).
    pub unchanged: bool,
    /// The hash of the body; for a 304 that of the body it vouches for.
    pub hash: Option<String>,
    /// How long the server says it stays fresh.
    pub fresh_for: Option<Duration>,
    /// Where the redirects lead, if every hop was permanent.
    pub moved: Option<Url>,
}

/// What came of asking for one address; shared by all who ask for it in this run.
pub(super) type Fetched = Result<Arc<Page>, Arc<FetchError>>;

/// One run's fetches.
pub(super) struct Errand<'a> {
    client: &'a Client,
    /// Where what was fetched is read.
    pub(super) readers: &'a Readers,
    /// When the run began.
    now: DateTime<Utc>,
    /// What is told in the run, and what was told to others meanwhile, counts from when it was told: a machine may sleep in
    /// the middle of a run.
    clock: &'a dyn Clock,
    fetched: HashMap<String, Fetched>,
    /// Where large bodies are kept.
    berth: Berth,
    /// As stored before the run.
    known: BTreeMap<String, FetchState>,
    /// As it would be stored if the body is used.
    pending: HashMap<String, FetchState>,
    /// To be stored with the last poll of the run.
    states: BTreeMap<String, FetchState>,
    /// Whether the last host that answered is exempt from the minimum interval.
    exempt: Option<bool>,
    /// Whether the channel at hand doubts the 304s that it gets: it asks for whole documents.
    afresh: bool,
    /// Whether the channel at hand obeys robots.txt.
    robots: Robots,
    /// What was made of these addresses does not hold any more.
    distrusted: HashSet<String>,
    /// Their hosts asked to be left alone.
    resting: HashSet<String>,
    /// The hosts that asked for it in this run, and until when, if they said so.
    told: HashMap<String, Option<DateTime<Utc>>>,
    /// What asked for it since that was last looked at.
    refusals: Vec<(Url, Arc<FetchError>)>,
    /// The hosts that asked for it before.
    rests: &'a Mutex<Rests>,
}

impl<'a> Errand<'a> {
    pub(super) fn new(poller: &Poller<'a>) -> Self {
        Self {
            client: poller.client,
            readers: poller.readers,
            now: poller.now,
            clock: poller.clock,
            fetched: HashMap::new(),
            berth: Berth::default(),
            known: BTreeMap::new(),
            pending: HashMap::new(),
            states: BTreeMap::new(),
            exempt: None,
            afresh: false,
            robots: Robots::Obey,
            distrusted: HashSet::new(),
            resting: HashSet::new(),
            told: HashMap::new(),
            refusals: Vec::new(),
            rests: poller.rests,
        }
    }

    /// Reads what the store knows of these addresses.
    pub(super) async fn recall(&mut self, store: &dyn Store, urls: &[String]) -> Result<(), StoreError> {
        let missing: Vec<_> = urls.iter().filter(|url| !self.known.contains_key(*url)).cloned().collect();
        if !missing.is_empty() {
            self.known.extend(store.fetch_states(&missing).await?);
        }
        Ok(())
    }

    /// Reads what the store knows of a channel's addresses.
    pub(super) async fn recall_channel(
        &mut self,
        store: &dyn Store,
        channel: &Channel,
        state: &PollState,
    ) -> Result<(), StoreError> {
        let urls: Vec<_> = channel.addresses().map(|url| rests::asked(Some(state), url).to_string()).collect();
        self.recall(store, &urls).await
    }

    /// From now on it is asked for this channel: its pages obey robots.txt or not, which feeds never have to, and what others
    /// were told is noted with them.
    pub(super) fn turn_to(&mut self, channel: &Channel) {
        self.robots = if channel.obeys_robots { Robots::Obey } else { Robots::Ignore };
        self.refusals.clear();
    }

    /// Whether validators are kept back from now on, although what was made of the bodies still holds.
    pub(super) fn ask_afresh(&mut self, afresh: bool) {
        self.afresh = afresh;
    }

    /// These addresses are asked for as a whole in this run.
    pub(super) fn distrust(&mut self, urls: impl Iterator<Item = String>) {
        self.distrusted.extend(urls);
    }

    /// Those of a channel's addresses are not asked in this run that are left alone as it begins.
    pub(super) fn leave_alone(&mut self, channel: &Channel, state: &PollState) {
        let (rests, now) = (lock(self.rests), self.clock.now());
        let urls = channel.addresses().map(|url| rests::asked(Some(state), url));
        self.resting.extend(urls.filter(|url| rests.of(url, now).is_some()).map(String::from));
    }

    /// A list of which a further page is owed is read as a whole, or nobody would come by that page; while the page's host is
    /// left alone there is no use in it.
    pub(super) fn see_again(&mut self, channel: &Channel, state: &PollState) {
        let Some(owed) = &state.owed else { return };
        if Url::parse(&owed.url).is_ok_and(|url| !self.leaves_alone(&url)) {
            let lists = channel.addresses().filter(|address| address.as_str() == owed.list);
            self.distrusted.extend(lists.map(|address| rests::asked(Some(state), address).to_string()));
        }
    }

    /// Whether the host of an address asked to be left alone.
    pub(super) fn rests(&self, url: &Url) -> bool {
        self.resting.contains(url.as_str())
    }

    /// Whether an article, or a further page, is not to be asked for, because its host asked to be left alone, now or before.
    pub(super) fn leaves_alone(&self, url: &Url) -> bool {
        !self.fetched.contains_key(url.as_str()) && self.alone_for(url).is_some()
    }

    /// For how long the host of an address still asks to be left alone: zero if it did not say.
    fn alone_for(&self, url: &Url) -> Option<Duration> {
        let now = self.clock.now();
        let told = self.told.get(&host(url)).map(|until| until.unwrap_or(now));
        let until = told.max(lock(self.rests).of(url, now))?;
        Some((until - now).to_std().unwrap_or_default())
    }

    /// The addresses that were asked for since this was last called, and said that they are to be left alone.
    pub(super) fn refusals(&mut self) -> Vec<(Url, Arc<FetchError>)> {
        std::mem::take(&mut self.refusals)
    }

    /// What came of asking for an address, if it was asked for in this run.
    pub(super) fn fetched(&self, url: &Url) -> Option<&Fetched> {
        self.fetched.get(url.as_str())
    }

    /// Whether an address was asked for in this run and answered.
    pub(super) fn has_answered(&self, url: &Url) -> bool {
        self.fetched(url).is_some_and(Result::is_ok)
    }

    /// Whether an address was asked for in this run and its server may know that.
    pub(super) fn has_reached(&self, url: &Url) -> bool {
        self.fetched
            .get(url.as_str())
            .is_some_and(|fetched| fetched.as_ref().map_or_else(|error| error.reached, |_| true))
    }

    /// The state of an address as of this moment of the run.
    pub(super) fn state(&self, url: &str) -> Option<&FetchState> {
        self.states.get(url).or_else(|| self.known.get(url))
    }

    /// Asks for an address, conditionally when `trust` says that what was last made of its body still holds.
    pub(super) async fn get(&mut self, url: &Url, accept: Accept, trust: bool) -> Fetched {
        let robots = if accept == Accept::Feed { Robots::Ignore } else { self.robots };
        // What was disallowed to one channel of the run may be open to the next, which ignores robots.txt.
        let holds = |fetched: &&Fetched| {
            robots == Robots::Obey || !matches!(fetched, Err(error) if error.kind == FetchErrorKind::Disallowed)
        };
        if let Some(fetched) = self.fetched.get(url.as_str()).filter(holds) {
            return fetched.clone();
        }
        let before = self.known.get(url.as_str()).cloned().unwrap_or_default();
        let trust = trust && !self.distrusted.contains(url.as_str());
        let validators = if trust && !self.afresh {
            Validators { etag: before.etag.clone(), last_modified: before.last_modified.clone() }
        } else {
            Validators::default()
        };
        let request =
            Request { url: url.clone(), validators, accept, limit: LARGEST_BODY, robots, berth: self.berth.clone() };
        let answer = self.client.fetch_minding(request, &|url| self.alone_for(url)).await;
        let fetched = match answer {
            Ok(response) => Ok(self.answered(url, before, response, trust)),
            Err(error) => {
                let error = Arc::new(error);
                self.failed(url, before, &error);
                Err(error)
            }
        };
        self.fetched.insert(url.to_string(), fetched.clone());
        fetched
    }

    fn failed(&mut self, url: &Url, before: FetchState, error: &Arc<FetchError>) {
        let now = self.clock.now();
        let wait = error.retry_after.and_then(|wait| TimeDelta::from_std(wait.min(LONGEST_WAIT)).ok());
        let asked_for = wait.map(|wait| now + wait);
        if matches!(error.status, Some(429 | 503)) {
            self.told.extend(Url::parse(&error.url).ok().map(|by| (host(&by), asked_for)));
            self.refusals.push((url.clone(), Arc::clone(error)));
        }
        let failures = before.failures.saturating_add(1);
        let retry = schedule::article_retry(now, failures);
        let retry = asked_for.map_or(retry, |asked_for| retry.max(asked_for));
        let not_before = Some(if error.status == Some(410) { now + GONE_FOR } else { retry });
        let state = FetchState { checked: Some(self.now), failures, not_before, ..before };
        self.states.insert(url.to_string(), state);
    }

    fn answered(&mut self, url: &Url, before: FetchState, response: crate::net::Response, trust: bool) -> Arc<Page> {
        let not_modified = response.not_modified();
        self.exempt = Some(response.exempt);
        let hash = if not_modified { before.body_hash.clone() } else { Some(hex(&Sha256::digest(&response.body))) };
        let unchanged = not_modified || (trust && hash.is_some() && hash == before.body_hash);
        // Whatever becomes of the body, the address answered; the old validators stay until it is used.
        let answered = FetchState {
            checked: Some(self.now),
            succeeded: Some(self.now),
            failures: 0,
            not_before: None,
            ..before.clone()
        };
        let new = &response.validators;
        let fresh = !not_modified;
        let used = FetchState {
            etag: new.etag.clone().or(if fresh { None } else { before.etag }),
            last_modified: new.last_modified.clone().or(if fresh { None } else { before.last_modified }),
            body_hash: hash.clone(),
            ..answered.clone()
        };
        self.states.insert(url.to_string(), if unchanged { used.clone() } else { answered });
        self.pending.insert(url.to_string(), used);
        Arc::new(Page {
            url: response.url,
            status: response.status,
            body: response.body,
            content_type: response.content_type,
            unchanged,
            hash,
            fresh_for: response.fresh_for,
            moved: response.moved,
        })
    }

    /// The body of this address was used: its validators are to be stored.
    pub(super) fn used(&mut self, url: &Url) {
        if let Some(state) = self.pending.remove(url.as_str()) {
            self.states.insert(url.to_string(), state);
        }
    }

    /// Changes the state that is to be stored for an address.
    pub(super) fn note(&mut self, url: &Url, change: impl FnOnce(&mut FetchState)) {
        let known = self.known.get(url.as_str());
        change(self.states.entry(url.to_string()).or_insert_with(|| known.cloned().unwrap_or_default()));
    }

    /// Whether the last host that answered is exempt from the minimum interval; `None` if none did.
    pub(super) fn exempt(&self) -> Option<bool> {
        self.exempt
    }

    /// What is to be stored. That an address gave the same answer once more is not: nobody asks when a list was looked
    /// at last, and most polls bring nothing else.
    pub(super) fn news(&self) -> BTreeMap<String, FetchState> {
        let news = |url: &str, state: &FetchState| {
            let known = self.known.get(url).filter(|known| known.link_key.is_none());
            let looked_at =
                known.map(|known| FetchState { checked: state.checked, succeeded: state.succeeded, ..known.clone() });
            looked_at.as_ref() != Some(state)
        };
        self.states
            .iter()
            .filter(|(url, state)| news(url, state))
            .map(|(url, state)| (url.clone(), state.clone()))
            .collect()
    }
}

/// The flaw that a failed fetch amounts to.
pub(super) fn flaw(error: &FetchError) -> Flaw {
    let code = match error.kind {
        FetchErrorKind::Refused => FlawCode::AddressRefused,
        FetchErrorKind::Disallowed => FlawCode::RobotsDisallow,
        FetchErrorKind::Status if error.status == Some(410) => FlawCode::Gone,
        FetchErrorKind::Status => FlawCode::HttpStatus,
        FetchErrorKind::TooLarge => FlawCode::TooLarge,
        FetchErrorKind::Body => FlawCode::Truncated,
        FetchErrorKind::Empty => FlawCode::Empty,
        FetchErrorKind::LeftAlone => FlawCode::LeftAlone,
        FetchErrorKind::Resting
        | FetchErrorKind::Dns
        | FetchErrorKind::Connect
        | FetchErrorKind::Tls
        | FetchErrorKind::Timeout
        | FetchErrorKind::Redirect
        | FetchErrorKind::Protocol => FlawCode::Unreachable,
    };
    Flaw::new(code, error.to_string())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
