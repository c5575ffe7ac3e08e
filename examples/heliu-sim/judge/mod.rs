//! The judge of requests and of polls: who may be asked, when, and how.
//!
//! It keeps its own books of what was promised to each address, and never asks the service what it thinks. What is
//! allowed although it looks like a fault stands beside each check.

mod polls;
mod requests;

use crate::reader::Reader;
use crate::script::Script;
use chrono::{DateTime, TimeDelta, Utc};
use heliu::config::{Channel, Config, fingerprint};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Clocks and roundings may differ by so much.
const PLAY: TimeDelta = TimeDelta::seconds(2);
/// No public address is asked more often.
const FLOOR: TimeDelta = TimeDelta::minutes(15);
const DAY: TimeDelta = TimeDelta::hours(24);
/// A step of the clock that is larger makes everything be planned anew.
const STEP: TimeDelta = TimeDelta::minutes(5);
/// A poll may be late by so much: those of its site before it may hang, each for half a minute.
const LATE: TimeDelta = TimeDelta::minutes(30);
/// Polls that were under way when feeds.yaml was edited have ended after so long.
const ENDS: TimeDelta = TimeDelta::minutes(10);
/// A stuck server is asked for a whole document once in so long.
const WHOLE: TimeDelta = TimeDelta::days(8);
/// A robots.txt that was read is believed for a day.
const ROBOTS: TimeDelta = TimeDelta::hours(23);
/// The pause between the end of a request to a site and the next.
const GAP: TimeDelta = TimeDelta::milliseconds(995);

/// How recording a poll ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// Recorded, and said so.
    Recorded,
    /// Recorded, and said that it failed.
    WrittenOnly,
    /// Not recorded.
    Refused,
}

/// What is known of an address in feeds.yaml.
#[derive(Debug, Default)]
struct Address {
    /// Not to be asked before, by the clock of the machine.
    floor: Option<DateTime<Utc>>,
    /// Not to be asked before, because it said so.
    retry: Option<DateTime<Utc>>,
    /// What it sent is fresh until then.
    fresh: Option<DateTime<Utc>>,
    /// When it was asked last, true time and the machine's.
    asked: Option<DateTime<Utc>>,
    wall: Option<DateTime<Utc>>,
    /// What it answered last, until that is recorded.
    answer: Option<Answer>,
    /// It said that it is gone; `true` once that is recorded.
    gone: Option<bool>,
    /// When it was last asked for a whole document.
    whole: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone)]
struct Answer {
    /// The address that the chain of redirects began at.
    first: String,
    status: u16,
    conditional: bool,
    shows: Option<Vec<u32>>,
    /// Whether a readable body came with validators that may be sent again.
    validators: bool,
    /// Until when it says that it is fresh, and asks to be left alone. What dies before it is recorded is unknown.
    fresh: Option<DateTime<Utc>>,
    retry: Option<DateTime<Utc>>,
    /// The body came as a whole.
    whole: bool,
}

#[derive(Debug, Default)]
struct Site {
    open: u32,
    ended: Option<DateTime<Utc>>,
}

#[derive(Debug, Default)]
struct Known {
    /// Not to be polled before, as recorded.
    promised: Option<DateTime<Utc>>,
    /// To be polled by then.
    due: Option<DateTime<Utc>>,
    /// When the ledger says that it is due: what a new process goes by.
    stored: Option<DateTime<Utc>>,
    /// The ledger says that it is gone.
    stored_gone: bool,
    /// When the poll began that stands in the ledger, by the machine's clock.
    written: Option<DateTime<Utc>>,
    /// It was asked in a poll in which the machine slept: when that was over.
    slept: Option<DateTime<Utc>>,
    /// When a poll was recorded last, true time and the machine's.
    recorded: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// When a poll last ended that could not be recorded.
    in_vain: Option<DateTime<Utc>>,
    /// The configuration under which it was read last, as recorded.
    config_hash: String,
    /// When that changed: what was asked for as a whole for it may be of use to the others of its group only.
    read_anew: Option<DateTime<Utc>>,
    /// It has to be read anew: not from a copy that was read in another way.
    reread: bool,
    /// It was edited: one poll that begins after that is allowed, whoever was asked just now.
    owed: bool,
    /// Polls in a row that could not be recorded.
    unrecorded: u32,
    failures: u32,
    /// Articles that were shown to it, and that it recorded.
    expected: BTreeSet<(usize, u32)>,
    held: bool,
    gone: bool,
    /// The hosts that its addresses have moved to for good.
    adopted: Vec<String>,
}

/// See the head of this file.
#[derive(Debug)]
pub(crate) struct Judge {
    config: Arc<Config>,
    channels: BTreeMap<String, Arc<Channel>>,
    /// How each is read.
    prints: BTreeMap<String, String>,
    /// The names of the channels that are polled together, by channel.
    groups: BTreeMap<String, Vec<String>>,
    /// The channels that use an address, by its place in the script.
    users: BTreeMap<usize, Vec<String>>,
    known: BTreeMap<String, Known>,
    /// Each channel as it was configured last, also those that were removed.
    before: BTreeMap<String, Arc<Channel>>,
    addresses: Vec<Address>,
    /// The stream that each address shows.
    streams: Vec<usize>,
    urls: BTreeMap<String, usize>,
    /// Addresses that have to be asked conditionally.
    validators: BTreeMap<String, bool>,
    /// Every validator that a host ever sent for an address.
    sent: BTreeMap<(String, usize), BTreeSet<String>>,
    sites: BTreeMap<String, Site>,
    /// Hosts that asked to be left alone, as recorded: until when, and when that was told (true time).
    rests: BTreeMap<String, (DateTime<Utc>, DateTime<Utc>)>,
    /// Groups that are being polled, by their first channel: since when, and who is still to be recorded.
    polls: BTreeMap<String, (DateTime<Utc>, BTreeSet<String>)>,
    /// When the robots.txt of a host was read in this life.
    robots: BTreeMap<String, DateTime<Utc>>,
    /// The same, also those that ended early: who waits for them goes on waiting.
    waits: BTreeMap<String, DateTime<Utc>>,
    /// Targets of redirects that are about to be followed, with the address that the chain began at.
    onward: BTreeMap<String, (String, DateTime<Utc>)>,
    /// When the service was started, or its clock set, by the machine's clock.
    since: DateTime<Utc>,
    /// When the machine woke last, by its clock.
    pub(crate) woke: DateTime<Utc>,
    /// Until then polls may be late, since the ledger failed.
    unsure: DateTime<Utc>,
    /// When the network was away last, until then. True time.
    back: DateTime<Utc>,
    /// When feeds.yaml was edited last, true time and the machine's.
    edited: DateTime<Utc>,
    edited_wall: DateTime<Utc>,
    pub(crate) requests: u64,
    pub(crate) reader: Reader,
    pub(crate) failure: Option<String>,
}

fn site(host: &str) -> String {
    host.split('.').rev().take(2).collect()
}

impl Judge {
    pub(crate) fn new(script: &Script, config: Arc<Config>, began: DateTime<Utc>) -> Self {
        let urls = script.sources.iter().enumerate();
        let urls = urls.map(|(n, source)| (format!("http://{}{}", script.hosts[source.host].name, source.path), n));
        let mut judge = Self {
            config: Arc::clone(&config),
            channels: BTreeMap::new(),
            prints: BTreeMap::new(),
            groups: BTreeMap::new(),
            users: BTreeMap::new(),
            known: BTreeMap::new(),
            before: BTreeMap::new(),
            addresses: script.sources.iter().map(|_| Address::default()).collect(),
            streams: script.sources.iter().map(|source| source.stream).collect(),
            urls: urls.collect(),
            validators: BTreeMap::new(),
            sent: BTreeMap::new(),
            sites: BTreeMap::new(),
            rests: BTreeMap::new(),
            waits: BTreeMap::new(),
            polls: BTreeMap::new(),
            robots: BTreeMap::new(),
            onward: BTreeMap::new(),
            since: began,
            woke: began,
            unsure: began,
            back: began - DAY,
            edited: began,
            edited_wall: began,
            requests: 0,
            reader: Reader::new(script),
            failure: None,
        };
        judge.configure(config, began, began);
        judge
    }

    pub(crate) fn blame(&mut self, what: &str, detail: &str) {
        if self.failure.is_none() {
            self.failure = Some(format!("{what}: {detail}"));
        }
    }

    /// Another feeds.yaml is in use.
    pub(crate) fn configure(&mut self, config: Arc<Config>, truth: DateTime<Utc>, wall: DateTime<Utc>) {
        self.config = config;
        self.edited = truth;
        self.edited_wall = wall;
        let channels: Vec<_> = self.config.channels.clone();
        self.channels = channels.iter().map(|channel| (channel.id.to_string(), Arc::clone(channel))).collect();
        self.prints = channels.iter().map(|channel| (channel.id.to_string(), fingerprint(channel))).collect();
        self.users.clear();
        for channel in &channels {
            for place in self.places(channel) {
                self.users.entry(place).or_default().push(channel.id.to_string());
            }
        }
        self.groups = channels.iter().map(|one| (one.id.to_string(), self.group_of(one))).collect();
        for channel in &channels {
            let name = channel.id.to_string();
            let print = self.prints.get(&name).cloned().unwrap_or_default();
            let known = self.known.entry(name.clone()).or_default();
            known.reread &= known.config_hash != print;
            let edited = self.before.insert(name.clone(), Arc::clone(channel)).as_ref() != Some(channel);
            if edited && known.config_hash != print {
                // Read in another way: looked at now, whenever it was last asked.
                known.reread = true;
                known.owed = true;
                known.due = Some(wall);
                known.gone = false;
                for name in self.groups.get(&name).cloned().unwrap_or_default() {
                    let known = self.known.entry(name.clone()).or_default();
                    known.promised = None;
                    let places = self.channels.get(&name).map(|channel| self.places(channel)).unwrap_or_default();
                    for place in places {
                        self.addresses[place].floor = None;
                        self.addresses[place].fresh = None;
                        self.addresses[place].gone = None;
                    }
                }
            }
            let known = self.known.entry(name).or_default();
            known.due = known.due.or(Some(wall)).filter(|_| !known.gone).map(|due| due.max(wall));
        }
        self.reader.configure(&self.config);
    }

    /// The places of a channel's addresses in the script, in its order.
    fn places(&self, channel: &Channel) -> Vec<usize> {
        channel.addresses().filter_map(|url| self.urls.get(url.as_str()).copied()).collect()
    }

    fn group_of(&self, channel: &Channel) -> Vec<String> {
        let mut group = BTreeSet::from([channel.id.to_string()]);
        loop {
            let places = group.iter().filter_map(|name| self.channels.get(name)).flat_map(|one| self.places(one));
            let users: BTreeSet<_> = places.filter_map(|place| self.users.get(&place)).flatten().cloned().collect();
            if users.is_subset(&group) {
                return group.into_iter().collect();
            }
            group.extend(users);
        }
    }

    /// Those who are polled together with an address.
    fn group_at(&self, place: usize) -> Vec<String> {
        let user = self.users.get(&place).and_then(|users| users.first());
        user.and_then(|user| self.groups.get(user)).cloned().unwrap_or_default()
    }

    /// A process begins: what was asked and not recorded may be asked again, since nobody knows of it any more.
    pub(crate) fn begin(&mut self, wall: DateTime<Utc>) {
        self.since = wall;
        self.sites.clear();
        self.onward.clear();
        self.robots.clear();
        self.polls.clear();
        for place in 0..self.addresses.len() {
            let users = self.users.get(&place).cloned().unwrap_or_default();
            let recorded = |name: &String| self.known.get(name).and_then(|known| Some(known.recorded?.0));
            let all: Vec<_> = users.iter().filter(|name| !self.is_gone(name)).map(recorded).collect();
            let last = all.iter().copied().min().flatten();
            let address = &mut self.addresses[place];
            // Those who are polled together are asked one after the other; what each is due at does not know of that.
            address.floor = address.floor.map(|floor| floor - TimeDelta::minutes(2));
            if address.asked.is_some_and(|asked| last.is_none_or(|last| last < asked)) {
                (address.floor, address.fresh, address.retry) = (None, None, None);
                address.answer = None;
                // Also that the whole was asked for.
                address.whole = None;
            }
        }
        for known in self.known.values_mut() {
            known.unrecorded = 0;
            // What is recorded counts, which may be another promise than the one that was told.
            known.gone |= known.stored_gone;
            known.due = known.stored.or(known.due).filter(|_| !known.stored_gone);
            known.promised = known.promised.min(known.stored.or(known.promised));
        }
    }

    /// Whether a channel is due, which it may be for long while nobody can be asked.
    pub(crate) fn is_due(&self, name: &str, wall: DateTime<Utc>) -> bool {
        self.known.get(name).and_then(|known| known.due).is_some_and(|due| due <= wall)
    }

    fn is_gone(&self, name: &str) -> bool {
        self.known.get(name).is_some_and(|known| known.gone)
    }

    /// The clock was set. A large step makes everything be planned anew: each address may be asked once.
    pub(crate) fn stepped(&mut self, by: TimeDelta, wall: DateTime<Utc>) {
        self.woke += by;
        if by.abs() < STEP {
            return;
        }
        self.since = wall;
        self.rests.clear();
        // What was told under a clock that ran ahead is not believed.
        self.waits.retain(|_, until| *until <= wall + DAY + LATE);
        for address in &mut self.addresses {
            *address = Address { floor: None, retry: None, fresh: None, whole: None, ..std::mem::take(address) };
        }
        for known in self.known.values_mut() {
            known.promised = None;
            // That the clock was set is noticed within a minute.
            let ahead = known.recorded.is_some_and(|(_, recorded)| recorded > wall + STEP + TimeDelta::minutes(1));
            if ahead && known.due.is_some() {
                known.due = Some(wall);
            }
        }
    }

    /// The ledger fails: whoever meets that is tried again later, and later each time, for up to a day.
    pub(crate) fn ledger_fails(&mut self, wall: DateTime<Utc>) {
        self.unsure = wall + DAY;
    }

    /// There is no network until then.
    pub(crate) fn cut(&mut self, back: DateTime<Utc>) {
        self.back = self.back.max(back);
    }

    /// The machine has slept for so long.
    pub(crate) fn wakes(&mut self, wall: DateTime<Utc>, truth: DateTime<Utc>, slept: TimeDelta) {
        (self.since, self.woke) = (wall, wall);
        // What was under way when feeds.yaml was edited has not gone on meanwhile.
        if truth - slept - self.edited <= ENDS {
            self.edited += slept;
            self.edited_wall += slept;
        }
    }

    pub(crate) fn sizes(&self) -> (usize, usize) {
        (self.channels.len(), self.addresses.len())
    }
}

/// The shortest interval of a channel.
fn interval(channel: &Channel) -> TimeDelta {
    let every = channel.every.and_then(|every| TimeDelta::from_std(every).ok());
    every.map_or(FLOOR, |every| every.clamp(FLOOR, DAY))
}

fn host_of(url: &str) -> Option<String> {
    Some(url.strip_prefix("http://")?.split('/').next()?.to_owned())
}
