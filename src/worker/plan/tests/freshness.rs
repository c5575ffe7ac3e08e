//! How soon what a source publishes is seen: seven days of many feeds, in virtual time.

#![allow(clippy::print_stdout, reason = "shows figures with --nocapture")]

use super::super::*;
use super::{address, at, chances};
use crate::model::{Hints, Rhythm};
use crate::schedule::{self, Before, Outcome, Policy};
use chrono::TimeDelta;
use std::time::Duration;

const DAYS: i64 = 7;
/// How many entries a source shows at a time.
const WINDOW: usize = 20;
/// Polls are put off by up to a tenth of the interval, so that they spread; and each takes a second at most.
const SPREAD: f64 = 1.1;
const PLAY: f64 = 5.0;

/// A source that publishes at random, so often in the mean.
struct Source {
    gap: f64,
    next: DateTime<Utc>,
    policy: Policy,
    rhythm: Rhythm,
    polled: Option<DateTime<Utc>>,
    changed: Option<DateTime<Utc>>,
    /// The interval that its next poll was planned with.
    interval: Duration,
}

impl Source {
    fn new(number: u32, chance: f64) -> Self {
        let gap = [1200.0, 3600.0, 14_400.0, 86_400.0, 259_200.0][number as usize % 5];
        let every = number.is_multiple_of(3).then_some(Duration::from_mins(30));
        let policy = Policy { every, ..Policy::default() };
        let next = at(0) + Duration::from_secs_f64(gap * chance);
        Self { gap, next, policy, rhythm: Rhythm::default(), polled: None, changed: None, interval: policy.interval() }
    }

    /// What came out until now.
    fn published(&mut self, now: DateTime<Utc>, chance: &mut impl FnMut() -> f64) -> Vec<DateTime<Utc>> {
        let mut dates = Vec::new();
        while self.next <= now {
            dates.push(self.next);
            self.next += Duration::from_secs_f64((self.gap * -chance().max(1e-9).ln()).max(1.0));
        }
        dates
    }

    /// Learns from a poll, as the service does; when the next one is.
    fn learn(&mut self, now: DateTime<Utc>, dates: &[DateTime<Utc>], chance: f64) -> DateTime<Utc> {
        schedule::learn(&mut self.rhythm, now, self.changed.filter(|_| self.polled.is_some()), dates.len(), dates);
        self.changed = if dates.is_empty() { self.changed } else { Some(now) };
        self.polled = Some(now);
        let learnt = schedule::learnt(&self.policy, &self.rhythm, now, self.changed);
        let policy = Policy { default: learnt.unwrap_or(self.policy.default), ..self.policy };
        self.interval = policy.interval();
        let outcome = if dates.is_empty() { Outcome::Unchanged } else { Outcome::Changed };
        let before = Before { failures: 0, hints: &Hints::default() };
        schedule::next_poll(now, &policy, &before, &outcome, None, chance).unwrap()
    }
}

/// The full run: `HELIU_FEEDS=10000 cargo test --release --lib freshness -- --nocapture`.
#[test]
fn news_is_seen_within_an_interval_and_none_is_missed() {
    let feeds = std::env::var("HELIU_FEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(300);
    let channels: Vec<_> = (0..feeds).map(|n| address(&format!("c{n}"), &format!("http://h{n}.test/"))).collect();
    let mut chance = chances();
    let mut sources: HashMap<ChannelId, Source> =
        (0..feeds).zip(&channels).map(|(n, one)| (one.id.clone(), Source::new(n, chance()))).collect();
    let rate = f64::from(feeds) / Policy::default().interval().as_secs_f64();
    let mut plan = Plan::new(&channels, rate, |_| Some(at(0)));
    let (mut shares, mut late, mut missed, mut polls) = (Vec::new(), Vec::new(), 0, 0);
    while let Some(due) = plan.next_due().filter(|due| *due < at(0) + TimeDelta::days(DAYS)) {
        let group = plan.take_due(due, |_| Ok(())).unwrap();
        let id = &group[0].id;
        let source = sources.get_mut(id).unwrap();
        let now = due + Duration::from_secs_f64(chance());
        let dates = source.published(now, &mut chance);
        if source.polled.is_some() {
            missed += dates.len().saturating_sub(WINDOW);
            let interval = source.interval.as_secs_f64();
            for date in &dates {
                let after = (now - *date).as_seconds_f64();
                shares.push(after / interval);
                late.push(after - interval * SPREAD);
            }
        }
        plan.schedule(id, source.learn(now, &dates, chance()));
        polls += 1;
    }
    shares.sort_unstable_by(f64::total_cmp);
    late.sort_unstable_by(f64::total_cmp);
    let at_part = |sorted: &[f64], part: usize| sorted[sorted.len() * part / 100];
    let (p50, p99, latest) = (at_part(&shares, 50), at_part(&shares, 99), at_part(&late, 99));
    println!(
        "{feeds} feeds, {DAYS} days, {polls} polls, {} entries: p50 {p50:.3} and p99 {p99:.3} of the interval, p99 {latest:.1} s \
         beyond the longest, {missed} missed",
        shares.len()
    );
    assert!(shares.len() > 20 * feeds as usize, "{}", shares.len());
    assert!(p50 <= 0.55, "half of an interval, and what spreads polls: {p50}");
    assert!(latest <= PLAY, "p99 {latest} s beyond the longest interval");
    assert_eq!(missed, 0);
}
