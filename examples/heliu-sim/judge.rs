//! The judge of requests and of polls: who may be asked, when, and how.
//!
//! It keeps its own books of what was promised to each address, and never asks the service what it thinks. What is
//! allowed although it looks like a fault stands beside each check.

use crate::reader::Reader;
use crate::script::Script;
use crate::source::{FLOOD, Manners, Reply};
use crate::wire::Asked;
use chrono::{DateTime, TimeDelta, Utc};
use heliu::config::{Channel, Config, fingerprint};
use heliu::model::FlawCode;
use heliu::store::Poll;
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
    /// When a poll was recorded last, true time and the machine's.
    recorded: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// When a poll last ended that could not be recorded.
    in_vain: Option<DateTime<Utc>>,
    /// The configuration under which it was read last, as recorded.
    config_hash: String,
    /// It has to be read anew: not from a copy that was read in another way.
    reread: bool,
    /// Polls in a row that could not be recorded.
    unrecorded: u32,
    failures: u32,
    /// Articles that were shown to it, and that it recorded.
    expected: BTreeSet<(usize, u32)>,
    held: bool,
    gone: bool,
}

/// See the head of this file.
#[derive(Debug)]
pub(crate) struct Judge {
    config: Arc<Config>,
    channels: BTreeMap<String, Arc<Channel>>,
    /// The names of the channels that are polled together, by channel.
    groups: BTreeMap<String, Vec<String>>,
    /// The channels that use an address, by its place in the script.
    users: BTreeMap<usize, Vec<String>>,
    known: BTreeMap<String, Known>,
    /// How each channel is to be read, by the last edit.
    prints: BTreeMap<String, String>,
    addresses: Vec<Address>,
    /// The stream that each address shows.
    streams: Vec<usize>,
    urls: BTreeMap<String, usize>,
    /// Addresses that have to be asked conditionally.
    validators: BTreeMap<String, bool>,
    /// Every validator that a host ever sent for an address.
    sent: BTreeMap<(String, usize), BTreeSet<String>>,
    sites: BTreeMap<String, Site>,
    /// Hosts that asked to be left alone, as recorded.
    rests: BTreeMap<String, DateTime<Utc>>,
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
    /// Until then polls may be late, since the ledger failed.
    unsure: DateTime<Utc>,
    /// When feeds.yaml was edited last.
    edited: DateTime<Utc>,
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
            groups: BTreeMap::new(),
            users: BTreeMap::new(),
            known: BTreeMap::new(),
            prints: BTreeMap::new(),
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
            unsure: began,
            edited: began,
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
        let channels: Vec<_> = self.config.channels.clone();
        self.channels = channels.iter().map(|channel| (channel.id.to_string(), Arc::clone(channel))).collect();
        self.users.clear();
        for channel in &channels {
            for place in self.places(channel) {
                self.users.entry(place).or_default().push(channel.id.to_string());
            }
        }
        self.groups = channels.iter().map(|one| (one.id.to_string(), self.group_of(one))).collect();
        for channel in &channels {
            let print = fingerprint(channel);
            let name = channel.id.to_string();
            let known = self.known.entry(name.clone()).or_default();
            let edited = self.prints.insert(name.clone(), print.clone()).as_ref() != Some(&print);
            if edited && known.config_hash != print {
                // Read in another way: looked at now, whenever it was last asked.
                known.reread = true;
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
            let group = self.group_at(place);
            let recorded = |name: &String| self.known.get(name).and_then(|known| Some(known.recorded?.0));
            let all: Vec<_> = group.iter().filter(|name| !self.is_gone(name)).map(recorded).collect();
            let last = all.iter().copied().min().flatten();
            let address = &mut self.addresses[place];
            // Those who are polled together are asked one after the other; what each is due at does not know of that.
            address.floor = address.floor.map(|floor| floor - TimeDelta::minutes(2));
            if address.asked.is_some_and(|asked| last.is_none_or(|last| last < asked)) {
                (address.floor, address.fresh, address.retry) = (None, None, None);
                address.answer = None;
            }
        }
        for known in self.known.values_mut() {
            known.unrecorded = 0;
            // What is recorded counts, which may be an older promise.
            known.due = known.stored.or(known.due);
        }
    }

    fn is_gone(&self, name: &str) -> bool {
        self.known.get(name).is_some_and(|known| known.gone)
    }

    /// The clock was set. A large step makes everything be planned anew: each address may be asked once.
    pub(crate) fn stepped(&mut self, by: TimeDelta, wall: DateTime<Utc>) {
        if by.abs() < STEP {
            return;
        }
        self.since = wall;
        self.rests.clear();
        for address in &mut self.addresses {
            *address = Address { floor: None, retry: None, fresh: None, whole: None, ..std::mem::take(address) };
        }
        for known in self.known.values_mut() {
            known.promised = None;
            let ahead = known.recorded.is_some_and(|(_, recorded)| recorded > wall + STEP);
            if ahead && known.due.is_some() {
                known.due = Some(wall);
            }
        }
    }

    /// The ledger fails: whoever meets that is tried again later, and later each time, for up to a day.
    pub(crate) fn ledger_fails(&mut self, wall: DateTime<Utc>) {
        self.unsure = wall + DAY;
    }

    /// The machine has slept.
    pub(crate) fn woke(&mut self, wall: DateTime<Utc>) {
        self.since = wall;
    }

    /// A request came in.
    pub(crate) fn asked(&mut self, asked: &Asked, truth: DateTime<Utc>, wall: DateTime<Utc>) {
        self.requests += 1;
        self.judge_site(asked, truth);
        if asked.path == "/robots.txt"
            && let Some(read) = self.robots.get(&asked.host).filter(|read| truth - **read < ROBOTS)
        {
            let detail = format!("the robots.txt of {} is asked for again, it was read at {read}", asked.host);
            self.blame("robots", &detail);
        }
        let url = asked.url();
        let target = asked.path.strip_prefix("/moved/").and_then(|n| n.parse::<usize>().ok());
        let hop = self.onward.remove(&url).filter(|(_, when)| truth - *when < TimeDelta::minutes(2));
        let Some(place) = target.or_else(|| self.urls.get(&url).copied()) else { return };
        let first = hop.as_ref().map_or_else(|| url.clone(), |(first, _)| first.clone());
        if hop.is_none() {
            self.judge_time(place, &url, truth, wall);
            self.judge_conditions(place, asked, &url, truth, wall);
        }
        let sent = [&asked.etag, &asked.since].into_iter().flatten();
        let known = self.sent.get(&(asked.host.clone(), place));
        if let Some(strange) = sent.into_iter().find(|value| known.is_none_or(|known| !known.contains(*value))) {
            let detail = format!("{url} was sent {strange}, which it never sent itself");
            self.blame("echo", &detail);
        }
        let address = &mut self.addresses[place];
        address.asked = Some(truth);
        address.wall = Some(wall);
        address.answer = Some(Answer {
            first,
            status: 0,
            conditional: asked.conditional(),
            shows: None,
            validators: false,
            fresh: None,
            retry: None,
            whole: false,
        });
    }

    /// I8: one request at a time to each site, and a pause in between.
    fn judge_site(&mut self, asked: &Asked, truth: DateTime<Utc>) {
        let site = self.sites.entry(site(&asked.host)).or_default();
        site.open += 1;
        let early = site.ended.is_some_and(|ended| truth - ended < GAP);
        if site.open > 1 {
            self.blame("I8", &format!("{} is asked while another request to its site is under way", asked.url()));
        } else if early {
            self.blame("I8", &format!("{} is asked less than a second after its site answered", asked.url()));
        }
    }

    /// A robots.txt was sent as a whole.
    pub(crate) fn robots(&mut self, host: &str, truth: DateTime<Utc>) {
        self.robots.insert(host.to_owned(), truth);
    }

    /// The answer to a request was sent, or the connection ended.
    pub(crate) fn answered(&mut self, host: &str, truth: DateTime<Utc>) {
        let site = self.sites.entry(site(host)).or_default();
        site.open = site.open.saturating_sub(1);
        site.ended = Some(truth);
    }

    /// I1: nobody is asked earlier than was promised.
    fn judge_time(&mut self, place: usize, url: &str, truth: DateTime<Utc>, wall: DateTime<Utc>) {
        let group = self.group_at(place);
        if group.is_empty() {
            // A poll that was under way when it was removed may end.
            if truth - self.edited > LATE {
                self.blame("I1", &format!("{url} is asked although no channel uses it"));
            }
            return;
        }
        // What the ledger could not keep is unknown: then the floor alone counts.
        let unsure = wall <= self.unsure;
        let address = &mut self.addresses[place];
        if unsure {
            address.floor = address.floor.min(address.wall.map(|asked| asked + FLOOR));
            (address.fresh, address.retry) = (None, None);
        }
        let address = &self.addresses[place];
        // Where an address has moved to is another address: each channel adopts it by itself.
        let other = !self.urls.contains_key(url) && self.is_under_way(&group, truth);
        if let Some(floor) = address.floor.filter(|floor| !other && wall + PLAY < *floor) {
            self.blame("I1", &format!("{url} is asked at {wall}, inside its floor that ends at {floor}"));
            return;
        }
        // With several addresses, one is asked when none is ready (docs/simulation.md).
        let only = self.group_places(&group) == 1;
        if let Some(retry) = address.retry.filter(|retry| only && wall + PLAY < *retry) {
            self.blame("retry-after", &format!("{url} is asked at {wall}, it said not before {retry}"));
            return;
        }
        // Those who share their poll are asked when the first of them is due.
        if let Some(fresh) = address.fresh.filter(|fresh| wall + PLAY < *fresh && group.len() == 1)
            && self.group_places(&group) == 1
        {
            self.blame("fresh", &format!("{url} is asked at {wall}, it is fresh until {fresh}"));
            return;
        }
        if address.gone == Some(true) && self.urls.contains_key(url) {
            self.blame("gone", &format!("{url} is asked although it said that it is gone"));
            return;
        }
        let promised = group.iter().filter(|name| !self.is_gone(name) && !self.is_under_way(&group, truth));
        let promised = promised.map(|name| self.known.get(name).and_then(|known| known.promised)).min().flatten();
        // One whose poll could not be recorded is tried again earlier than what is recorded says.
        if let Some(promised) = promised.filter(|promised| wall + PLAY < *promised && wall > self.unsure) {
            self.blame("I1", &format!("{url} is asked at {wall}, its channels are not due before {promised}"));
            return;
        }
        // An address that has moved is asked at another host.
        let rests = host_of(url).is_some_and(|host| self.rests.get(&host).is_some_and(|until| *until > wall));
        let begins = !unsure && !self.is_under_way(&group, truth);
        let every_host_rests = self.group_rests(&group, &self.rests).filter(|_| rests && begins);
        if let Some(until) = every_host_rests.filter(|until| wall + PLAY < *until) {
            self.blame("retry-after", &format!("{url} is asked at {wall}, its host said not before {until}"));
        }
        if !self.is_under_way(&group, truth) {
            self.polls.insert(group[0].clone(), (truth, group.iter().cloned().collect()));
        }
        let shortest = group.iter().filter_map(|name| self.channels.get(name)).map(|one| interval(one)).min();
        self.addresses[place].floor = Some(wall + shortest.unwrap_or(FLOOR));
    }

    /// Whether a group is being polled: then it was due.
    fn is_under_way(&self, group: &[String], truth: DateTime<Utc>) -> bool {
        let poll = group.first().and_then(|first| self.polls.get(first));
        poll.is_some_and(|(since, left)| !left.is_empty() && truth - *since < FLOOR - TimeDelta::minutes(1))
    }

    /// How many addresses a group has.
    fn group_places(&self, group: &[String]) -> usize {
        let channels = group.iter().filter_map(|name| self.channels.get(name));
        channels.flat_map(|channel| self.places(channel)).collect::<BTreeSet<_>>().len()
    }

    /// Until when all hosts of a group are to be left alone.
    fn group_rests(&self, group: &[String], rests: &BTreeMap<String, DateTime<Utc>>) -> Option<DateTime<Utc>> {
        let channels = group.iter().filter_map(|name| self.channels.get(name));
        let urls: Vec<_> = channels.flat_map(|channel| channel.addresses()).collect();
        // Where an address has moved to is not known here.
        let until = |host: &str| rests.get(host).copied();
        let all: Option<Vec<_>> = urls.iter().map(|url| until(url.host_str().unwrap_or_default())).collect();
        all.and_then(|all| all.into_iter().min())
    }

    /// P-03: no document is asked for as a whole whose validators are known.
    fn judge_conditions(&mut self, place: usize, asked: &Asked, url: &str, truth: DateTime<Utc>, wall: DateTime<Utc>) {
        let group = self.group_at(place);
        let known = |name: &String| self.known.get(name);
        let print = |name: &String| self.channels.get(name).map(|channel| fingerprint(channel));
        // Read in another way, the old body says nothing.
        let trusted = group.iter().all(|name| known(name).map(|known| &known.config_hash) == print(name).as_ref());
        let users = self.users.get(&place).cloned().unwrap_or_default();
        let rereads = users.iter().find(|name| known(name).is_some_and(|known| known.reread)).cloned();
        // A server that is stuck is asked for the whole once in eight days.
        let doubted = self.addresses[place].whole.is_none_or(|whole| wall - whole >= WHOLE);
        let needs = self.validators.get(url).is_some_and(|known| *known);
        if asked.conditional() {
            // One whose host rests is left out of the poll, and reads it anew in its own time.
            let left_out = self.waits.get(&asked.host).is_some_and(|until| *until > wall) || wall <= self.unsure;
            if let Some(name) = rereads.filter(|_| self.urls.contains_key(url) && !left_out) {
                let detail = format!("{url} is asked conditionally although {name} is to be read in another way");
                self.blame("reread", &detail);
            }
        } else {
            if needs && trusted && !doubted && wall > self.unsure && truth - self.edited > ENDS {
                self.blame("P-03", &format!("{url} is asked for as a whole although its validators are known"));
            }
            self.addresses[place].whole = Some(wall);
        }
    }

    /// A request is about to be answered.
    pub(crate) fn answering(&mut self, asked: &Asked, reply: &Reply, truth: DateTime<Utc>, wall: DateTime<Utc>) {
        let url = asked.url();
        let target = asked.path.strip_prefix("/moved/").and_then(|n| n.parse::<usize>().ok());
        let Some(place) = target.or_else(|| self.urls.get(&url).copied()) else { return };
        let Some(answer) = self.addresses[place].answer.clone() else { return };
        let first = answer.first.clone();
        if let Some(location) = reply.header("Location") {
            self.onward.insert(location.to_owned(), (first, truth));
            return;
        }
        let values: Vec<_> = ["ETag", "Last-Modified"].into_iter().filter_map(|name| reply.header(name)).collect();
        // Validators of another party are not kept: neither under its address nor under the first.
        let home = host_of(&first).as_ref() == Some(&asked.host);
        let validators = home && !values.is_empty();
        let sent = self.sent.entry((asked.host.clone(), place)).or_default();
        sent.extend(values.iter().map(|value| (*value).to_owned()));
        let asks = matches!(reply.status, 429 | 503).then(|| retry_after(reply, wall)).flatten();
        let retry = asks.map(|until| until.min(wall + DAY));
        let address = &mut self.addresses[place];
        let age = reply.header("Cache-Control").and_then(|value| value.strip_prefix("max-age=")?.parse().ok());
        let read = reply.status == 304 || reply.shows.is_some();
        let fresh = age.filter(|_| read).map(|age| wall + TimeDelta::seconds(age).min(DAY));
        if reply.status == 410 && first == url {
            address.gone = Some(false);
        }
        let whole = reply.manners == Manners::Good;
        address.answer = Some(Answer {
            status: reply.status,
            shows: reply.shows.clone(),
            validators,
            fresh,
            retry,
            whole,
            ..answer
        });
    }

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
        let known = self.known.entry(name).or_default();
        known.reread &= !anew;
        known.config_hash.clone_from(&poll.state.config_hash);
        // If the process dies now, this is what its next life goes by.
        known.due = known.due.max(poll.state.next_poll);
        known.stored = poll.state.next_poll;
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
        if let (Some(until), Some(host)) =
            (state.host_rests, state.last_attempt.as_ref().and_then(|one| host_of(&one.url)))
        {
            for rests in [&mut self.rests, &mut self.waits] {
                let known = rests.entry(host.clone()).or_insert(until);
                *known = until.max(*known);
            }
        } else if let Some(attempt) = state.last_attempt.as_ref().filter(|attempt| attempt.error.is_none())
            && let Some(host) = host_of(&attempt.url)
        {
            self.rests.remove(&host);
        }
        self.judge_next(&name, &channel, poll, wall);
        let known = self.known.entry(name).or_default();
        known.recorded = Some((truth, wall));
        known.unrecorded = 0;
        known.failures = state.failures;
        known.held = holds;
        known.gone = state.gone.is_some();
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
            (address.fresh, address.retry) = (answer.fresh, answer.retry.or(address.retry));
            if answer.status == 304 {
                used = true;
            }
            // What stands there after a poll that failed is the answer to one that was never recorded.
            let is_read = poll.state.failures == 0 && answer.status == 200;
            if let Some(shows) = answer.shows.filter(|_| !used && is_read) {
                used = true;
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
        if next + PLAY < poll.at + least && !adopted {
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
    pub(crate) fn look(&mut self, wall: DateTime<Utc>) {
        for name in self.channels.keys().cloned().collect::<Vec<_>>() {
            let Some(due) = self.known.get(&name).and_then(|known| known.due) else { continue };
            let group = self.groups.get(&name).cloned().unwrap_or_default();
            let rests = self.group_rests(&group, &self.waits).unwrap_or(due);
            // One whose own hosts rest is left out, and polled with the others of its group when they are due again.
            let alone = self.group_rests(std::slice::from_ref(&name), &self.waits);
            let others = group.iter().filter(|other| **other != name).filter_map(|other| self.known.get(other)?.due);
            let with_others = alone.and_then(|_| others.min()).unwrap_or(due);
            let hosts = self.channels.get(&name).map(|one| one.addresses().filter_map(|url| url.host_str()).collect());
            let hosts: Vec<_> = hosts.unwrap_or_default();
            let told = hosts.iter().filter_map(|host| self.waits.get(*host)).max().copied().unwrap_or(due);
            let due = due.max(self.since).max(rests).max(told).max(alone.unwrap_or(due)).max(with_others);
            if wall > due.max(self.unsure) + LATE {
                self.blame("I2", &format!("{name} was due at {due} and is not polled at {wall}"));
            }
        }
    }

    /// What each channel has recorded and has to show, unless it holds something back.
    pub(crate) fn expected(&self, before: DateTime<Utc>) -> Vec<(String, BTreeSet<(usize, u32)>)> {
        let mut all = Vec::new();
        for name in self.channels.keys() {
            let Some(known) = self.known.get(name).filter(|known| !known.held) else { continue };
            if known.recorded.is_some_and(|(recorded, _)| recorded < before) {
                all.push((name.clone(), known.expected.clone()));
            }
        }
        all
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

fn retry_after(reply: &Reply, wall: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let value = reply.header("Retry-After")?;
    let date = || DateTime::parse_from_rfc2822(value).ok().map(|date| date.to_utc());
    value.parse().ok().map(|seconds| wall + TimeDelta::seconds(seconds)).or_else(date)
}
