//! What a channel is usually like, learnt poll by poll, and whether a poll is far from it.
//!
//! Every average is exponentially weighted, so that a channel may change slowly without anyone being told.
//! A poll that is far from the usual is not learnt from: it would become the usual within a day. Only when the
//! same new shape has stood for a week is it taken to be meant, and becomes the usual.

use super::tally::{Field, Tally};
use crate::model::{Flaw, FlawCode};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// Pages that are read before a shape is judged.
const READS_TO_JUDGE: u32 = 5;
/// Gaps that are seen before silence is judged.
const GAPS_TO_JUDGE: u32 = 5;
/// Gaps after which a channel is known well.
const GAPS_TO_KNOW: u32 = 20;
/// How much of an average one observation replaces.
const WEIGHT: f64 = 0.1;
/// A share is kept in parts of this.
const WHOLE: f64 = 10_000.0;
/// A field has collapsed when it is carried by at most this part of its usual share...
const COLLAPSED: f64 = 0.6;
/// ...and chance would bring that about less than once in about a million pages: the natural logarithm of a million.
const BEYOND_CHANCE: f64 = 13.8;
/// No share is believed to be surer than this, so that one odd entry does not count as a miracle.
const SUREST: f64 = 0.98;
/// A new shape that has stood for so long is meant.
const ADOPTED_AFTER: TimeDelta = TimeDelta::days(7);
/// Nobody is silent before this.
const QUIET_AT_LEAST: TimeDelta = TimeDelta::days(3);
/// So many usual gaps without news are silence, and up to twice as many while few gaps were seen...
const GAPS_OF_SILENCE: u64 = 10;
/// ...and so many of the longest gap of late.
const LONGEST_GAPS: u64 = 2;
/// Over so long the longest gap falls to about a third.
const FADES: TimeDelta = TimeDelta::days(60);
/// A gap is only measured when the channel was looked at within it.
const LOOKED_WITHIN: TimeDelta = TimeDelta::days(2);
/// A page with fewer entries does not say whether the old ones have gone.
const TOO_FEW_TO_TURN: u32 = 6;

/// What is usual for a channel. Kept in the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usual {
    /// What the list showed when it was last read.
    pub page: Tally,
    /// Pages that were learnt from, at most [`READS_TO_JUDGE`].
    reads: u32,
    /// The usual shape.
    shape: Shape,
    /// A shape that differs from it, and stands.
    odd: Option<Odd>,
    /// Gaps that were learnt from, at most [`GAPS_TO_KNOW`].
    gaps: u32,
    /// The usual seconds between two polls that brought something new.
    gap: u64,
    /// The longest of the last gaps in seconds, falling slowly.
    longest: u64,
    /// New entries in a poll that brings any, in hundredths.
    news: u32,
    /// When a poll last brought something new.
    pub last_new: Option<DateTime<Utc>>,
}

/// What the list of a channel is like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Shape {
    /// Entries, in hundredths.
    entries: u32,
    /// The share of entries that carry each field, in parts of [`WHOLE`].
    shares: [u32; 4],
}

/// A shape that is not the usual one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Odd {
    /// Since when.
    since: DateTime<Utc>,
    /// The shape.
    shape: Shape,
}

/// What one successful poll saw.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sight {
    /// The list, when it was read; `None` when it is the one that was last read.
    pub page: Option<Tally>,
    /// Entries of the list that were never seen before.
    pub new: u32,
    /// When the poll before it succeeded; `None` if none did.
    pub last_success: Option<DateTime<Utc>>,
}

/// Judges a successful poll by what is usual for its channel and learns from it. The flaws are of the codes
/// [`FlawCode::Drifted`], [`FlawCode::OldGone`] and [`FlawCode::Silent`], each with its evidence.
#[must_use]
pub fn judge(usual: &Usual, sight: &Sight, now: DateTime<Utc>) -> (Usual, Vec<Flaw>) {
    let mut next = usual.clone();
    let mut flaws = Vec::new();
    if let Some(page) = sight.page {
        next.look(page, now);
    }
    let lost = next.lost();
    if let Some(odd) = next.odd.filter(|_| !lost.is_empty()) {
        let detail = format!("{}; so since {}", lost.join(", "), odd.since.format("%F %R UTC"));
        flaws.push(Flaw::new(FlawCode::Drifted, detail));
    }
    if let Some(page) = sight.page.filter(|page| usual.turned(page, sight, now)) {
        let detail = format!(
            "{} of {} entries are new at once, usually {} every {}",
            sight.new,
            page.entries,
            hundredths(usual.news),
            span(usual.gap)
        );
        flaws.push(Flaw::new(FlawCode::OldGone, detail));
    }
    if sight.new > 0 {
        // What a page brings that is not itself says nothing about how often it brings something.
        next.note_news(sight, flaws.is_empty(), now);
    }
    if let Some(quiet) = next.silence(now) {
        flaws.push(quiet);
    }
    (next, flaws)
}

impl Usual {
    /// The same without what was learnt of the list's shape: for a channel that is read in another way now.
    #[must_use]
    pub fn reread(self) -> Self {
        Self { reads: 0, shape: Shape::default(), odd: None, ..self }
    }

    /// Whether so many new entries are no surprise after so long; `None` when too little is known to tell.
    #[must_use]
    pub fn expects(&self, new: u32, last_success: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<bool> {
        let since = last_success.filter(|_| self.gaps >= GAPS_TO_JUDGE)?;
        let seconds = number(now.signed_duration_since(since).num_seconds());
        let rounds = seconds / number(self.gap.max(1).cast_signed()) + 1.0;
        Some(rounds * f64::from(self.news) / 100.0 * 4.0 >= f64::from(new))
    }

    /// The usual share of a field in percent; `None` while too little is known.
    #[must_use]
    pub fn percent(&self, field: Field) -> Option<u32> {
        let share = self.shape.shares.get(field as usize).filter(|_| self.reads >= READS_TO_JUDGE)?;
        Some((share + 50) / 100)
    }

    /// The usual gap between news; `None` while too little is known.
    #[must_use]
    pub fn gap(&self) -> Option<TimeDelta> {
        (self.gaps >= GAPS_TO_JUDGE).then(|| seconds(self.gap))
    }

    /// Since when the list has another shape than usual.
    #[must_use]
    pub fn odd_since(&self) -> Option<DateTime<Utc>> {
        self.odd.map(|odd| odd.since)
    }

    /// Looks at a list that was read: learns from it when it is as usual, and remembers it apart when not.
    fn look(&mut self, page: Tally, now: DateTime<Utc>) {
        self.page = page;
        // An empty list says nothing about what its entries carry; that it is short is told elsewhere.
        if page.entries == 0 {
            return;
        }
        let judged = self.reads >= READS_TO_JUDGE;
        if !judged || fits(&self.shape, &page) {
            self.shape = self.shape.learn(&page, self.reads);
            self.reads = self.reads.saturating_add(1).min(READS_TO_JUDGE);
            self.odd = None;
            return;
        }
        self.odd = Some(match self.odd {
            Some(odd) if fits(&odd.shape, &page) => Odd { shape: odd.shape.learn(&page, READS_TO_JUDGE), ..odd },
            _ => Odd { since: now, shape: Shape::default().learn(&page, 0) },
        });
        if let Some(odd) = self.odd.filter(|odd| now.signed_duration_since(odd.since) >= ADOPTED_AFTER) {
            (self.shape, self.odd) = (odd.shape, None);
        }
    }

    /// What the list carries far less often than usual, as evidence.
    fn lost(&self) -> Vec<String> {
        if self.odd.is_none() {
            return Vec::new();
        }
        let fields = Field::ALL.iter().zip(self.shape.shares).zip(self.page.with);
        let lost = fields.filter(|((_, share), with)| collapsed(*share, *with, self.page.entries));
        lost.map(|((field, share), with)| {
            format!("{}: usually {} %, now {with} of {}", field.name(), (share + 50) / 100, self.page.entries)
        })
        .collect()
    }

    /// Whether nearly all entries are new although only few could be.
    fn turned(&self, page: &Tally, sight: &Sight, now: DateTime<Utc>) -> bool {
        page.entries >= TOO_FEW_TO_TURN
            && u64::from(sight.new) * 10 >= u64::from(page.entries) * 9
            && self.expects(sight.new, sight.last_success, now) == Some(false)
    }

    /// Notes that a poll brought something new; `learn` unless the poll was odd.
    fn note_news(&mut self, sight: &Sight, learn: bool, now: DateTime<Utc>) {
        let before = self.last_new.replace(now);
        let looked = sight.last_success.is_some_and(|at| now.signed_duration_since(at) <= LOOKED_WITHIN);
        let Some(before) = before.filter(|_| learn && looked) else { return };
        let Ok(gap) = u64::try_from(now.signed_duration_since(before).num_seconds()) else { return };
        // A long silence is learnt from like the longest that was none, so that one does not hide the next.
        let gap = if self.gaps >= GAPS_TO_JUDGE { gap.min(self.patience()) } else { gap };
        let faded = self.longest.saturating_mul(gap) / FADES.num_seconds().unsigned_abs();
        self.longest = self.longest.saturating_sub(faded).max(gap);
        let weight = weight(self.gaps);
        self.gap = whole(mixed(number(self.gap.cast_signed()), number(gap.cast_signed()), weight)).max(1);
        let news = mixed(f64::from(self.news), f64::from(sight.new.min(1_000_000)) * 100.0, weight);
        self.news = u32::try_from(whole(news)).unwrap_or(u32::MAX);
        self.gaps = self.gaps.saturating_add(1).min(GAPS_TO_KNOW);
    }

    /// For how many seconds nothing new is no news.
    fn patience(&self) -> u64 {
        let seen = u64::from(self.gaps.max(GAPS_TO_JUDGE));
        let usual = self.gap.saturating_mul(GAPS_OF_SILENCE * (seen + u64::from(GAPS_TO_JUDGE)) / seen);
        let usual = usual.max(self.longest.saturating_mul(LONGEST_GAPS));
        usual.max(QUIET_AT_LEAST.num_seconds().unsigned_abs())
    }

    /// Whether nothing new came for far longer than usual.
    fn silence(&self, now: DateTime<Utc>) -> Option<Flaw> {
        let last = self.last_new.filter(|_| self.gaps >= GAPS_TO_JUDGE)?;
        let quiet = u64::try_from(now.signed_duration_since(last).num_seconds()).ok()?;
        (quiet > self.patience()).then(|| {
            let detail = format!(
                "nothing new for {}, since {}; usually something every {}",
                span(quiet),
                last.format("%F %R UTC"),
                span(self.gap)
            );
            Flaw::new(FlawCode::Silent, detail)
        })
    }
}

impl Shape {
    fn learn(&self, page: &Tally, reads: u32) -> Self {
        let weight = weight(reads);
        let entries = mixed(f64::from(self.entries), f64::from(page.entries.min(1_000_000)) * 100.0, weight);
        let mut next = Self { entries: u32::try_from(whole(entries)).unwrap_or(u32::MAX), shares: self.shares };
        for (share, with) in next.shares.iter_mut().zip(page.with) {
            let now = f64::from(with.min(page.entries)) / f64::from(page.entries.max(1)) * WHOLE;
            *share = u32::try_from(whole(mixed(f64::from(*share), now, weight))).unwrap_or(u32::MAX);
        }
        next
    }
}

/// The weight of an observation after so many others: a plain mean of the first ones, then [`WEIGHT`].
fn weight(observed: u32) -> f64 {
    (1.0 / (f64::from(observed) + 1.0)).max(WEIGHT)
}

/// Whether no field of the page has collapsed.
fn fits(shape: &Shape, page: &Tally) -> bool {
    let pairs = shape.shares.iter().zip(page.with);
    pairs.into_iter().all(|(share, with)| !collapsed(*share, with, page.entries))
}

/// Whether a field is carried far less often than usual, which chance does not explain: the Chernoff bound on a
/// binomial count of `with` in `entries` is e^(-entries · D), D being the relative entropy of the two shares.
fn collapsed(share: u32, with: u32, entries: u32) -> bool {
    if entries == 0 {
        return false;
    }
    let usual = (f64::from(share) / WHOLE).min(SUREST);
    let now = f64::from(with.min(entries)) / f64::from(entries);
    if now > usual * COLLAPSED {
        return false;
    }
    // x ln(x / y), which is 0 for x = 0.
    let part = |x: f64, y: f64| if x <= 0.0 { 0.0 } else { x * (x / y).ln() };
    f64::from(entries) * (part(now, usual) + part(1.0 - now, 1.0 - usual)) > BEYOND_CHANCE
}

fn mixed(old: f64, new: f64, weight: f64) -> f64 {
    old + (new - old) * weight
}

/// A number as f64; spans and counts here are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "spans of seconds are far below 2^53")]
fn number(value: i64) -> f64 {
    value as f64
}

/// A number that is not negative, rounded.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held between 0 and 2^53")]
fn whole(value: f64) -> u64 {
    value.round().clamp(0.0, 9_007_199_254_740_992.0) as u64
}

fn seconds(count: u64) -> TimeDelta {
    i64::try_from(count).ok().and_then(TimeDelta::try_seconds).unwrap_or(TimeDelta::MAX)
}

/// A span in words, in the largest unit that gives at least two.
fn span(count: u64) -> String {
    match count {
        0..120 => format!("{count} seconds"),
        120..7200 => format!("{} minutes", count / 60),
        7200..172_800 => format!("{} hours", count / 3600),
        _ => format!("{} days", count / 86_400),
    }
}

fn hundredths(count: u32) -> String {
    format!("{}.{}", count / 100, count % 100 / 10)
}
