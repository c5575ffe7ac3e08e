//! What a channel is usually like, learnt poll by poll, and whether a poll is far from it.
//!
//! Every average is exponentially weighted, so that a channel may change slowly without anyone being told. What
//! its pages show is in `habit`; here is how often it brings something.

use super::habit::{Habit, mixed, weight, whole};
use super::tally::{Field, Tally};
use crate::model::{Flaw, FlawCode};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// Articles that are judged together: they come one by one.
const ARTICLES_TO_JUDGE: u32 = 6;
/// Gaps that are seen before silence is judged.
const GAPS_TO_JUDGE: u32 = 5;
/// Gaps after which a channel is known well.
const GAPS_TO_KNOW: u32 = 20;
/// Nobody is silent before this.
const QUIET_AT_LEAST: TimeDelta = TimeDelta::days(3);
/// So many usual gaps without news are silence, and up to twice as many while few gaps were seen...
const GAPS_OF_SILENCE: u64 = 10;
/// ...and so many of the longest gap of late.
const LONGEST_GAPS: u64 = 2;
/// No gap counts for more than so many usual ones in the mean.
const LARGEST_STEP: u64 = 4;
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
    /// What the articles carry that were read in the poll at hand; they are judged when there are enough of them.
    pub read: Tally,
    /// What the list usually shows.
    list: Habit,
    /// What articles usually carry.
    articles: Habit,
    /// Articles that were not judged yet.
    pool: Tally,
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

/// What one successful poll saw.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sight {
    /// The list, when it was read; `None` when it is the one that was last read.
    pub page: Option<Tally>,
    /// The articles that were read.
    pub articles: Tally,
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
        next.page = page;
        next.list.look(page, now);
    }
    next.note_articles(sight.articles, now);
    for (what, habit) in [("the list", &next.list), ("the articles", &next.articles)] {
        if let Some(lost) = habit.lost() {
            flaws.push(Flaw::new(FlawCode::Drifted, format!("{what}: {lost}")));
        }
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
    /// The same without what was learnt of lists and articles: for a channel that is read in another way now.
    #[must_use]
    pub fn reread(self) -> Self {
        Self { list: Habit::default(), articles: Habit::default(), pool: Tally::default(), ..self }
    }

    /// Whether so many new entries are no surprise after so long; `None` when too little is known to tell.
    #[must_use]
    pub fn expects(&self, new: u32, last_success: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<bool> {
        let since = last_success.filter(|_| self.gaps >= GAPS_TO_JUDGE)?;
        let seconds = number(now.signed_duration_since(since).num_seconds());
        let rounds = seconds / number(self.gap.max(1).cast_signed()) + 1.0;
        Some(rounds * f64::from(self.news) / 100.0 * 4.0 >= f64::from(new))
    }

    /// The usual share of a field in percent, in the list and in articles; `None` while too little is known.
    #[must_use]
    pub fn percent(&self, field: Field) -> [Option<u32>; 2] {
        [self.list.percent(field), self.articles.percent(field)]
    }

    /// The usual gap between news; `None` while too little is known.
    #[must_use]
    pub fn gap(&self) -> Option<TimeDelta> {
        (self.gaps >= GAPS_TO_JUDGE).then(|| seconds(self.gap))
    }

    /// Since when the list or the articles have another shape than usual.
    #[must_use]
    pub fn odd_since(&self) -> Option<DateTime<Utc>> {
        [&self.list, &self.articles].into_iter().filter_map(Habit::odd_since).min()
    }

    /// Gathers articles until there are enough to judge them.
    fn note_articles(&mut self, read: Tally, now: DateTime<Utc>) {
        self.read = Tally::default();
        self.pool = self.pool.plus(&read);
        if self.pool.entries >= ARTICLES_TO_JUDGE {
            self.articles.look(std::mem::take(&mut self.pool), now);
        }
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
        let gap = if self.gaps >= GAPS_TO_JUDGE { gap.min(self.gap.saturating_mul(LARGEST_STEP)) } else { gap };
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

/// A number as f64; spans and counts here are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "spans of seconds are far below 2^53")]
fn number(value: i64) -> f64 {
    value as f64
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
