//! What pages of one kind usually show, and whether one is far from it.
//!
//! A page that is far from the usual is not learnt from: it would become the usual within a day. Only when the
//! same new shape has stood for a week is it taken to be meant, and becomes the usual.

use super::tally::{Field, Tally};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// Pages that are read before a shape is judged.
const READS_TO_JUDGE: u32 = 5;
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

/// What pages of one kind usually show.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Habit {
    /// The last page.
    page: Tally,
    /// Pages that were learnt from, at most [`READS_TO_JUDGE`].
    reads: u32,
    /// The usual shape.
    shape: Shape,
    /// A shape that differs from it, and stands.
    odd: Option<Odd>,
}

/// What a page is like.
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

impl Habit {
    /// Looks at a page that was read: learns from it when it is as usual, and remembers it apart when not.
    pub(super) fn look(&mut self, page: Tally, now: DateTime<Utc>) {
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

    /// What the page carries far less often than usual, and since when, as evidence.
    pub(super) fn lost(&self) -> Option<String> {
        let since = self.odd?.since;
        let fields = Field::ALL.iter().zip(self.shape.shares).zip(self.page.with);
        let lost = fields.filter(|((_, share), with)| collapsed(*share, *with, self.page.entries));
        let told = lost.map(|((field, share), with)| {
            format!("{}: usually {} %, now {with} of {}", field.name(), (share + 50) / 100, self.page.entries)
        });
        let told: Vec<_> = told.collect();
        (!told.is_empty()).then(|| format!("{}; so since {}", told.join(", "), since.format("%F %R UTC")))
    }

    /// The usual share of a field in percent; `None` while too little is known.
    pub(super) fn percent(&self, field: Field) -> Option<u32> {
        let share = self.shape.shares.get(field as usize).filter(|_| self.reads >= READS_TO_JUDGE)?;
        Some((share + 50) / 100)
    }

    /// Since when the page has another shape than usual.
    pub(super) fn odd_since(&self) -> Option<DateTime<Utc>> {
        self.odd.map(|odd| odd.since)
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
pub(super) fn weight(observed: u32) -> f64 {
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

pub(super) fn mixed(old: f64, new: f64, weight: f64) -> f64 {
    old + (new - old) * weight
}

/// A number that is not negative, rounded.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held between 0 and 2^53")]
pub(super) fn whole(value: f64) -> u64 {
    value.round().clamp(0.0, 9_007_199_254_740_992.0) as u64
}
