//! From the published set and the ledger to what the admin pages show. Pure.

use super::chart::{self, Bar};
use super::words::{self, When, Words};
use crate::config::Channel;
use crate::health::{Field, Incident, State, Usual};
use crate::model::{ChannelId, Flaw, Severity};
use crate::publish::Published;
use crate::serve::negotiate::Language;
use crate::store::{Attempt, PollState};
use askama::Template;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everything that the pages are made of.
pub(super) struct Known {
    /// The published set.
    pub(super) set: Arc<Published>,
    /// The state of each channel that was ever polled.
    pub(super) polls: BTreeMap<ChannelId, PollState>,
    /// The entries of each channel.
    pub(super) counts: BTreeMap<ChannelId, u64>,
    /// The channels whose last poll could not be recorded, with what the ledger said.
    pub(super) unrecorded: Arc<BTreeMap<ChannelId, String>>,
    /// Since when there is no network.
    pub(super) offline: Option<DateTime<Utc>>,
    /// The last attempts of those channels that show them, newest first.
    pub(super) attempts: BTreeMap<ChannelId, Vec<Attempt>>,
    /// Now.
    pub(super) now: DateTime<Utc>,
}

/// The state of a channel, and since when if it is trouble. One that was never polled is none.
fn health(channel: &Channel, poll: Option<&PollState>) -> (State, Option<DateTime<Utc>>) {
    let unknown = PollState::default();
    poll.unwrap_or(&unknown).health(channel.snapshot.is_some())
}

/// What every page needs.
struct Frame<'a> {
    known: &'a Known,
    language: Language,
    words: &'static Words,
}

impl<'a> Frame<'a> {
    fn new(known: &'a Known, language: Language) -> Self {
        Self { known, language, words: Words::of(language) }
    }

    fn when(&self, at: DateTime<Utc>) -> When {
        When::new(at, self.known.now, self.known.set.config.service.timezone, self.language)
    }

    fn row(&self, channel: &Channel) -> Row {
        let poll = self.known.polls.get(&channel.id);
        let (state, since) = health(channel, poll);
        let first = || channel.addresses().next().map(ToString::to_string);
        let live = poll.is_some_and(|poll| poll.live_since.is_some());
        let worst = poll.and_then(|poll| poll.flaws.iter().map(|flaw| flaw.code.severity()).max());
        Row {
            id: channel.id.to_string(),
            title: channel.title.to_string(),
            state: state.as_str(),
            state_text: self.words.state(state),
            since: since.map(|at| self.when(at)),
            failures: poll.map_or(0, |poll| poll.failures),
            old: state.is_trouble() && !live && channel.snapshot.is_some(),
            live_since: poll.and_then(|poll| poll.live_since).map(|at| self.when(at)),
            last_poll: poll.and_then(|poll| poll.last_poll).map(|at| self.when(at)),
            next_poll: poll.and_then(|poll| poll.next_poll).map(|at| self.when(at)),
            last_success: poll.and_then(|poll| poll.last_success).map(|at| self.when(at)),
            last_change: poll.and_then(|poll| poll.last_change).map(|at| self.when(at)),
            entries: self.known.counts.get(&channel.id).copied().unwrap_or(0),
            address: poll.and_then(|poll| poll.address.clone()).or_else(first).unwrap_or_default(),
            layout: poll.and_then(|poll| poll.layout.clone()),
            flaws: poll.map_or(0, |poll| poll.flaws.len()),
            worst: worst.map(|severity| self.severity(severity)),
        }
    }

    fn severity(&self, severity: Severity) -> Weight {
        let (class, text) = match severity {
            Severity::Note => ("note", self.words.note),
            Severity::Warning => ("warning", self.words.warning),
            Severity::Alarm => ("alarm", self.words.alarm),
        };
        Weight { class, text }
    }

    fn flaw(&self, flaw: &Flaw) -> FlawRow {
        FlawRow {
            weight: self.severity(flaw.code.severity()),
            code: flaw.code.as_str(),
            detail: flaw.detail.clone(),
            advice: match self.language {
                Language::Chinese => flaw.code.advice_in_chinese(),
                Language::English => flaw.code.advice(),
            },
        }
    }

    fn incident(&self, incident: &Incident) -> IncidentRow {
        IncidentRow {
            state: incident.kind.as_str(),
            text: self.words.state(incident.kind),
            since: self.when(incident.since),
            until: incident.closed.map(|closed| self.when(closed.until)),
            evidence: incident.evidence.clone(),
        }
    }

    /// What is usual for the channel, in words; empty while too little is known.
    fn usual(&self, usual: &Usual) -> Vec<String> {
        let names = [self.words.dates, self.words.images, self.words.summaries, self.words.sources];
        let gap = usual.gap().map(|gap| format!("{} {}", self.words.every, words::length(gap, self.language)));
        let all = Field::ALL.map(|field| usual.percent(field)).into_iter().zip(names);
        // Where articles are read, they say more than the list.
        let share = |([list, article], name): ([Option<u32>; 2], &str)| Some(format!("{name} {} %", article.or(list)?));
        gap.into_iter().chain(all.filter_map(share)).collect()
    }

    fn attempt(&self, attempt: &Attempt) -> AttemptRow {
        AttemptRow {
            at: self.when(attempt.at),
            status: attempt.status.map_or_else(|| "–".to_owned(), |status| status.to_string()),
            millis: attempt.millis,
            changed: attempt.changed,
            url: attempt.url.clone(),
            error: attempt.error.clone().unwrap_or_default(),
        }
    }
}

/// A severity in words and as a class for the colour.
struct Weight {
    class: &'static str,
    text: &'static str,
}

/// A channel in the table, and the head of its own page.
struct Row {
    id: String,
    title: String,
    state: &'static str,
    state_text: &'static str,
    since: Option<When>,
    failures: u32,
    /// Failing, and the snapshot is still what is served.
    old: bool,
    live_since: Option<When>,
    last_poll: Option<When>,
    next_poll: Option<When>,
    last_success: Option<When>,
    last_change: Option<When>,
    entries: u64,
    address: String,
    layout: Option<String>,
    flaws: usize,
    worst: Option<Weight>,
}

struct FlawRow {
    weight: Weight,
    code: &'static str,
    detail: String,
    advice: &'static str,
}

struct IncidentRow {
    state: &'static str,
    text: &'static str,
    since: When,
    until: Option<When>,
    evidence: String,
}

struct AttemptRow {
    at: When,
    status: String,
    millis: u64,
    changed: u32,
    url: String,
    error: String,
}

/// The table of channels.
#[derive(Template)]
#[template(path = "serve/admin.html")]
pub(super) struct ListPage {
    words: &'static Words,
    language: &'static str,
    service: String,
    version: &'static str,
    zone: &'static str,
    /// How many channels are in each state that any is in.
    counts: Vec<(&'static str, &'static str, usize)>,
    rows: Vec<Row>,
    file: String,
    loaded: When,
    rejected: Option<(When, String)>,
    unrecorded: Vec<(String, String)>,
    offline: Option<When>,
}

impl ListPage {
    /// Makes the page.
    pub(super) fn new(known: &Known, version: &'static str, language: Language) -> Self {
        let frame = Frame::new(known, language);
        let (config, status) = (&known.set.config, &known.set.status);
        let rows: Vec<_> = config.channels.iter().map(|channel| frame.row(channel)).collect();
        let count = |state: State| rows.iter().filter(|row| row.state == state.as_str()).count();
        let counts = State::ALL.map(|state| (state.as_str(), frame.words.short(state), count(state)));
        Self {
            counts: counts.into_iter().filter(|(_, _, count)| *count > 0).collect(),
            words: frame.words,
            language: language.tag(),
            service: config.service.title.clone(),
            version,
            zone: config.service.timezone.name(),
            rows,
            file: status.path.clone(),
            loaded: frame.when(status.loaded),
            rejected: status.rejected.as_ref().map(|(at, text)| (frame.when(*at), text.clone())),
            offline: known.offline.map(|since| frame.when(since)),
            unrecorded: known.unrecorded.iter().map(|(id, error)| (id.to_string(), error.clone())).collect(),
        }
    }
}

/// One channel.
#[derive(Template)]
#[template(path = "serve/channel.html")]
pub(super) struct ChannelPage {
    words: &'static Words,
    language: &'static str,
    service: String,
    version: &'static str,
    zone: &'static str,
    row: Row,
    error: Option<String>,
    on_page: Option<(u32, u32)>,
    usual: Vec<String>,
    flaws: Vec<FlawRow>,
    incidents: Vec<IncidentRow>,
    attempts: Vec<AttemptRow>,
    bars: Vec<Bar>,
    width: usize,
    height: u64,
}

impl ChannelPage {
    /// Makes the page; `None` when there is no such channel.
    pub(super) fn new(known: &Known, id: &ChannelId, version: &'static str, language: Language) -> Option<Self> {
        let frame = Frame::new(known, language);
        let config = &known.set.config;
        let channel = config.channels.iter().find(|channel| channel.id == *id)?;
        let poll = known.polls.get(id);
        let attempts = known.attempts.get(id).map_or(&[][..], Vec::as_slice);
        let bars = chart::bars(attempts);
        Some(Self {
            words: frame.words,
            language: language.tag(),
            service: config.service.title.clone(),
            version,
            zone: config.service.timezone.name(),
            row: frame.row(channel),
            error: known.unrecorded.get(id).cloned().or_else(|| poll.and_then(|poll| poll.error.clone())),
            on_page: poll.map(|poll| (poll.entries_on_page, poll.usual_entries)),
            flaws: poll.map_or_else(Vec::new, |poll| poll.flaws.iter().map(|flaw| frame.flaw(flaw)).collect()),
            usual: poll.map_or_else(Vec::new, |poll| frame.usual(&poll.usual)),
            incidents: poll.map_or_else(Vec::new, |poll| {
                let all = poll.incidents.open.iter().chain(&poll.incidents.closed);
                all.map(|incident| frame.incident(incident)).collect()
            }),
            attempts: attempts.iter().map(|attempt| frame.attempt(attempt)).collect(),
            width: chart::width(bars.len()),
            height: chart::HEIGHT,
            bars,
        })
    }
}

/// Everything as JSON, for monitoring.
pub(super) fn json(known: &Known) -> Value {
    let channels: Vec<_> = known
        .set
        .config
        .channels
        .iter()
        .map(|channel| {
            let poll = known.polls.get(&channel.id);
            let (state, since) = health(channel, poll);
            let mut told = json!(poll);
            if let (Some(told), Some(attempts)) = (told.as_object_mut(), known.attempts.get(&channel.id)) {
                told.insert("attempts".to_owned(), json!(attempts));
            }
            json!({
                "id": channel.id,
                "title": *channel.title,
                "state": state,
                "since": since,
                "failing_since": since.filter(|_| poll.is_some_and(|poll| poll.failures > 0)),
                "entries": known.counts.get(&channel.id),
                "addresses": channel.addresses().map(ToString::to_string).collect::<Vec<_>>(),
                "advice": poll.map(|poll| {
                    poll.flaws.iter().map(|flaw| (flaw.code.as_str(), flaw.code.advice())).collect::<BTreeMap<_, _>>()
                }),
                "unrecorded": known.unrecorded.get(&channel.id),
                "poll": told,
            })
        })
        .collect();
    let status = &known.set.status;
    let rejected = status.rejected.as_ref().map(|(at, text)| json!({"at": at, "diagnostics": text}));
    json!({
        "now": known.now,
        "config": {"path": status.path, "loaded": status.loaded, "rejected": rejected},
        "offline_since": known.offline,
        "channels": channels,
    })
}
