//! The rules.

use super::Asked;
use crate::model::Hints;
use chrono::{DateTime, Datelike as _, TimeDelta, Timelike as _, Utc};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
/// Once in so long a document may be asked for as a whole, since servers get stuck.
const WHOLE: TimeDelta = TimeDelta::days(8);
/// Rounding of times to whole seconds and milliseconds is no impoliteness.
const TOLERANCE: TimeDelta = TimeDelta::seconds(1);
/// Examples of each rule that are kept.
const EXAMPLES: usize = 5;
/// A burst is more than so many times the mean of a second …
const BURST: f64 = 3.0;
/// … but so many feeds may be asked in one second in any case: as many as are not spread.
const FEW: u64 = 60;

/// What can be done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// A document was asked for as a whole although its validators were known.
    Unconditional,
    /// A validator was sent that is not, byte for byte, the one that came last.
    Echo,
    /// A validator was sent to another host.
    Leak,
    /// A feed was asked earlier than the shortest interval, `max-age`, `ttl` or `sy:updatePeriod` allow.
    Early,
    /// A feed was asked in `skipHours` or `skipDays`.
    Skipped,
    /// A host was asked before `Retry-After`, or within an hour of a 429 without.
    RetryAfter,
    /// Pauses did not grow with failures.
    Backoff,
    /// A feed was asked after it had said that it is gone.
    Gone,
    /// A feed that has moved for good is still asked at its old address after nine days.
    Moved,
    /// More requests fell into one second than three times the mean.
    Burst,
    /// A header was sent that no reader should send, or one is missing that each should.
    Header,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Unconditional,
        Self::Echo,
        Self::Leak,
        Self::Early,
        Self::Skipped,
        Self::RetryAfter,
        Self::Backoff,
        Self::Gone,
        Self::Moved,
        Self::Burst,
        Self::Header,
    ];
}

/// How often a rule was broken, and the first cases.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// How often.
    pub count: u64,
    /// When, where and how.
    pub examples: Vec<String>,
}

/// What came out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Requests, each hop of a redirect counted.
    pub requests: u64,
    /// Of them with a validator.
    pub conditional: u64,
    /// Of them answered with 304.
    pub not_modified: u64,
    /// Feeds.
    pub feeds: usize,
    /// The most polls in one second.
    pub busiest_second: u64,
    /// Polls per second in the mean.
    pub mean_per_second: f64,
    /// Violations of all rules together.
    pub violations: u64,
    /// Every rule, also those that nobody broke.
    pub rules: BTreeMap<Rule, Tally>,
}

/// What is known of one feed: an address that requests begin at.
#[derive(Debug, Default)]
struct Feed {
    last: Option<DateTime<Utc>>,
    /// Not to be asked before, by what was promised last.
    promised: Option<DateTime<Utc>>,
    etag: Option<Vec<u8>>,
    last_modified: Option<Vec<u8>>,
    whole: Option<DateTime<Utc>>,
    hints: Hints,
    failures: u32,
    gone: bool,
    /// Where it has permanently led, and since when.
    moved: Option<(String, DateTime<Utc>)>,
}

/// A chain of redirects under way.
#[derive(Debug)]
struct Chain {
    at: DateTime<Utc>,
    feed: String,
    host: String,
    next: String,
    permanent: bool,
}

/// Reads requests in the order of time.
#[derive(Debug)]
pub struct Scorer {
    floor: Duration,
    feeds: HashMap<String, Feed>,
    hosts: HashMap<String, DateTime<Utc>>,
    chain: Option<Chain>,
    rules: BTreeMap<Rule, Tally>,
    requests: u64,
    conditional: u64,
    not_modified: u64,
    polls: u64,
    began: Option<DateTime<Utc>>,
    ended: DateTime<Utc>,
    second: (i64, u64),
    busiest: (i64, u64),
}

impl Scorer {
    /// A judge who wants at least `floor` between two requests for one feed.
    #[must_use]
    pub fn new(floor: Duration) -> Self {
        Self {
            floor,
            feeds: HashMap::new(),
            hosts: HashMap::new(),
            chain: None,
            rules: Rule::ALL.into_iter().map(|rule| (rule, Tally::default())).collect(),
            requests: 0,
            conditional: 0,
            not_modified: 0,
            polls: 0,
            began: None,
            ended: DateTime::<Utc>::MIN_UTC,
            second: (0, 0),
            busiest: (0, 0),
        }
    }

    /// Judges one request.
    pub fn see(&mut self, asked: &Asked) {
        self.requests += 1;
        self.began.get_or_insert(asked.at);
        self.ended = self.ended.max(asked.at);
        let conditional = asked.header("if-none-match").or(asked.header("if-modified-since")).is_some();
        self.conditional += u64::from(conditional);
        self.not_modified += u64::from(asked.status == Some(304));
        let chain = self.chain.take().filter(|chain| chain.at == asked.at && chain.next == asked.url);
        let name = chain.as_ref().map_or_else(|| asked.url.clone(), |chain| chain.feed.clone());
        let mut feed = self.feeds.remove(&name).unwrap_or_default();
        let mut broken = Vec::new();
        if chain.is_none() {
            self.count_second(asked.at);
            judge_time(&feed, asked, &mut broken);
        }
        if let Some(until) = self.hosts.get(&asked.host).filter(|until| asked.at + TOLERANCE < **until) {
            broken.push((Rule::RetryAfter, format!("{} asked to be left alone until {until}", asked.host)));
        }
        let home = chain.as_ref().is_none_or(|chain| chain.host == asked.host);
        judge_headers(&feed, asked, home, &mut broken);
        self.learn(&mut feed, &name, asked, chain, home);
        self.feeds.insert(name, feed);
        for (rule, detail) in broken {
            self.blame(rule, asked.at, &asked.url, &detail);
        }
    }

    /// The report. Judges what shows only at the end.
    #[must_use]
    pub fn finish(mut self) -> Report {
        if self.second.1 > self.busiest.1 {
            self.busiest = self.second;
        }
        let seconds = self.began.map_or(0, |began| (self.ended - began).num_seconds()).max(1);
        // Far from 2⁵³.
        #[expect(clippy::cast_precision_loss, reason = "counts")]
        let (mean, busiest) = (self.polls as f64 / seconds as f64, self.busiest.1 as f64);
        if self.busiest.1 > FEW && busiest > BURST * mean {
            let at = DateTime::from_timestamp(self.busiest.0, 0).unwrap_or_default();
            self.blame(Rule::Burst, at, "all", &format!("{busiest} polls in one second, {mean:.2} in the mean"));
        }
        Report {
            requests: self.requests,
            conditional: self.conditional,
            not_modified: self.not_modified,
            feeds: self.feeds.len(),
            busiest_second: self.busiest.1,
            mean_per_second: mean,
            violations: self.rules.values().map(|tally| tally.count).sum(),
            rules: self.rules,
        }
    }

    fn blame(&mut self, rule: Rule, at: DateTime<Utc>, url: &str, detail: &str) {
        let tally = self.rules.entry(rule).or_default();
        tally.count += 1;
        if tally.examples.len() < EXAMPLES {
            tally.examples.push(format!("{} {url}: {detail}", at.format("%Y-%m-%dT%H:%M:%SZ")));
        }
    }

    fn count_second(&mut self, at: DateTime<Utc>) {
        self.polls += 1;
        if self.second.0 != at.timestamp() {
            if self.second.1 > self.busiest.1 {
                self.busiest = self.second;
            }
            self.second = (at.timestamp(), 0);
        }
        self.second.1 += 1;
    }

    /// Takes over what the answer says.
    fn learn(&mut self, feed: &mut Feed, name: &str, asked: &Asked, chain: Option<Chain>, home: bool) {
        let at = asked.at;
        let after = |wait: Duration| at + TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
        feed.last = Some(at);
        // What was asked for as a whole counts, whatever came of it.
        let conditional = asked.header("if-none-match").or(asked.header("if-modified-since")).is_some();
        if asked.headers.is_some() && (!conditional || asked.status == Some(200)) {
            feed.whole = Some(at);
        }
        let was_permanent = chain.as_ref().is_none_or(|chain| chain.permanent);
        let in_chain = chain.is_some();
        if let (Some(status @ (301 | 302 | 303 | 307 | 308)), Some(to)) = (asked.status, &asked.location) {
            let host = chain.map_or_else(|| asked.host.clone(), |chain| chain.host);
            let permanent = was_permanent && matches!(status, 301 | 308);
            self.chain = Some(Chain { at, feed: name.to_owned(), host, next: to.clone(), permanent });
            feed.promised = Some(after(asked.retry_after.unwrap_or_default().min(DAY).max(self.floor)));
            return;
        }
        if in_chain && was_permanent && asked.status.is_some_and(|status| status == 304 || asked.hints.is_some()) {
            let since = feed.moved.as_ref().filter(|(to, _)| *to == asked.url).map_or(at, |(_, since)| *since);
            feed.moved = Some((asked.url.clone(), since));
        } else {
            feed.moved = None;
        }
        let ok = matches!(asked.status, Some(200 | 304));
        if let Some(hints) = asked.hints.as_ref().filter(|_| asked.status == Some(200)) {
            feed.hints = hints.clone();
            // Validators belong to whom they came from: those of other hosts are not kept.
            feed.etag = asked.etag.clone().filter(|_| home);
            feed.last_modified = asked.last_modified.clone().filter(|_| home);
        } else if asked.status == Some(304) {
            feed.etag = asked.etag.clone().or(feed.etag.take());
            feed.last_modified = asked.last_modified.clone().or(feed.last_modified.take());
        }
        // What a body is worth is for the reader to judge: only an answer without one, or none, is a failure here.
        feed.failures = if ok { 0 } else { feed.failures.saturating_add(1) };
        feed.gone |= asked.status == Some(410);
        let mut wait = self.floor.max(quiet(&feed.hints, at));
        if ok {
            wait = wait.max(asked.fresh_for.unwrap_or_default().min(DAY));
        }
        if let Some(429 | 503) = asked.status {
            let untold = if asked.status == Some(429) { HOUR } else { self.floor };
            let pause = asked.retry_after.unwrap_or(untold).min(DAY);
            self.hosts.insert(asked.host.clone(), after(pause));
            wait = wait.max(pause);
        } else if !ok {
            wait = wait.max(asked.retry_after.unwrap_or_default().min(DAY));
        }
        feed.promised = Some(after(wait));
    }
}

/// How long the feed itself says that nothing new will be there.
fn quiet(hints: &Hints, at: DateTime<Utc>) -> Duration {
    let minutes = |minutes: Option<u32>| Duration::from_mins(minutes.unwrap_or(0).into());
    let period = minutes(hints.period_minutes);
    let period = match hints.base.filter(|_| !period.is_zero()) {
        Some(base) => {
            let step = i64::try_from(period.as_secs()).unwrap_or(i64::MAX);
            let past = (at.timestamp() - base.timestamp()).rem_euclid(step);
            Duration::from_secs(u64::try_from(step - past).unwrap_or_default())
        }
        None => period,
    };
    minutes(hints.ttl_minutes).max(period).min(DAY)
}

fn judge_time(feed: &Feed, asked: &Asked, broken: &mut Vec<(Rule, String)>) {
    let at = asked.at;
    if let (Some(promised), Some(last)) = (feed.promised, feed.last)
        && at + TOLERANCE < promised
    {
        broken.push((Rule::Early, format!("asked {last} too, and not due before {promised}")));
    }
    let hour = u8::try_from(at.hour()).unwrap_or_default();
    let hours = feed.hints.skip_hours.len() < 24 && feed.hints.skip_hours.contains(&hour);
    if hours || feed.hints.skip_days.len() < 7 && feed.hints.skip_days.contains(&at.weekday()) {
        broken.push((Rule::Skipped, "the feed asks to be left alone at this time".to_owned()));
    }
    if feed.gone {
        broken.push((Rule::Gone, "it had said 410".to_owned()));
    }
    if let Some(last) = feed.last.filter(|_| feed.failures > 0) {
        // After so many failures an hour, two, four … up to a day, begun at the shortest interval.
        let least = Duration::from_mins(15).saturating_mul(1 << (feed.failures - 1).min(16)).min(DAY);
        if at - last + TOLERANCE < TimeDelta::from_std(least).unwrap_or(TimeDelta::MAX) && feed.failures > 1 {
            broken.push((
                Rule::Backoff,
                format!("asked again {} min after failure {}", (at - last).num_minutes(), feed.failures),
            ));
        }
    }
    if let Some((to, since)) = feed.moved.as_ref().filter(|(_, since)| at - *since > TimeDelta::days(9)) {
        broken.push((Rule::Moved, format!("it has led to {to} since {since}")));
    }
}

fn judge_headers(feed: &Feed, asked: &Asked, home: bool, broken: &mut Vec<(Rule, String)>) {
    let Some(headers) = &asked.headers else { return };
    for (name, _) in headers {
        const MAY: [&str; 6] =
            ["host", "user-agent", "accept", "accept-encoding", "if-none-match", "if-modified-since"];
        if !MAY.contains(&name.as_str()) {
            broken.push((Rule::Header, format!("{name} was sent")));
        }
    }
    for name in ["user-agent", "accept", "accept-encoding"] {
        if asked.header(name).is_none_or(<[u8]>::is_empty) {
            broken.push((Rule::Header, format!("{name} is missing")));
        }
    }
    let sent = [("if-none-match", &feed.etag), ("if-modified-since", &feed.last_modified)];
    let is_conditional = sent.iter().any(|(name, _)| asked.header(name).is_some());
    if !home {
        if is_conditional {
            broken.push((Rule::Leak, "validators went to another host".to_owned()));
        }
        return;
    }
    if !is_conditional && (feed.etag.is_some() || feed.last_modified.is_some()) {
        if feed.whole.is_some_and(|whole| asked.at - whole < WHOLE) {
            broken.push((Rule::Unconditional, "its validators are known".to_owned()));
        }
        return;
    }
    for (name, known) in sent {
        let sent = asked.header(name);
        if sent != known.as_deref() {
            let show =
                |value: Option<&[u8]>| value.map_or("nothing".into(), |v| String::from_utf8_lossy(v).into_owned());
            broken.push((Rule::Echo, format!("{name}: sent {}, known {}", show(sent), show(known.as_deref()))));
        }
    }
}
