//! How often a source is worth asking, learnt from when it published. `docs/decisions/0008-adaptive-interval.md` says
//! why it is done like this.

use super::Policy;
use crate::model::Rhythm;
use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use std::time::Duration;

/// A source is asked so often in the time in which it usually brings one entry.
const LOOKS_PER_ENTRY: u32 = 8;
/// What one new entry weighs in the mean of the gaps.
const WEIGHT: f64 = 0.2;
/// The first estimate comes from the dates of so many of the newest entries.
const FIRST_DATES: usize = 20;
/// Fewer dates say nothing.
const FEWEST_DATES: usize = 3;
/// Silence counts as a gap of its own when it is longer than so many usual ones.
const SILENT_GAPS: u32 = 4;
/// No learnt interval is shorter, also where the floor is: only `every` asks for more.
const SHORTEST: Duration = Duration::from_mins(15);
/// Hours are told apart once so many entries were seen.
const ENOUGH: u32 = 24;
/// Counts of hours are halved when one of them gets here.
const FULL: u8 = 200;
/// After so many usual gaps without anything new, a source that answers 304 is doubted.
const DOUBTED_GAPS: i64 = 10;
/// And asked for its whole document once in so long.
const DOUBTED_EVERY: TimeDelta = TimeDelta::days(8);

/// Learns from new entries that a poll brought `now`: `dates` are when they came out, without those that name a day
/// only; `count` is how many there were. `since` is when something new came before; `None` at the first poll, whose
/// entries came over a long time.
pub fn learn(
    rhythm: &mut Rhythm,
    now: DateTime<Utc>,
    since: Option<DateTime<Utc>>,
    count: usize,
    dates: &[DateTime<Utc>],
) {
    let Ok(count) = i32::try_from(count) else { return };
    if count == 0 {
        return;
    }
    let sample = match since {
        Some(since) => Some((now - since).num_seconds().max(0) / i64::from(count)),
        None => of_dates(dates),
    };
    if let Some(sample) = sample {
        let sample = u32::try_from(sample).unwrap_or(u32::MAX);
        let weight = 1.0 - (1.0 - WEIGHT).powi(count);
        let before = rhythm.gap_seconds.unwrap_or(sample);
        let mean = f64::from(before) + weight * (f64::from(sample) - f64::from(before));
        // Between two u32, so it is one.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mean of two u32")]
        let mean = mean.round() as u32;
        rhythm.gap_seconds = Some(mean);
    }
    rhythm.hours.resize(24, 0);
    for date in dates {
        let hour = &mut rhythm.hours[date.hour() as usize];
        *hour = hour.saturating_add(1);
        if *hour >= FULL {
            rhythm.hours.iter_mut().for_each(|hour| *hour /= 2);
        }
    }
}

/// The mean gap of the newest dates in seconds.
fn of_dates(dates: &[DateTime<Utc>]) -> Option<i64> {
    let mut dates = dates.to_vec();
    dates.sort_unstable_by(|a, b| b.cmp(a));
    dates.truncate(FIRST_DATES);
    let span = (*dates.first()? - *dates.last()?).num_seconds();
    let gaps = i64::try_from(dates.len()).ok()? - 1;
    (dates.len() >= FEWEST_DATES && span > 0).then(|| span / gaps)
}

/// The interval for a channel without `every`: an eighth of the usual gap between new entries, or of a fourth of the
/// silence if that is longer; half of that in hours in which much comes, twice as much in hours in which nothing
/// ever came. From 15 minutes (or the floor) to the ceiling. `None` as long as nothing was learnt, not even from
/// silence.
#[must_use]
pub fn learnt(
    policy: &Policy,
    rhythm: &Rhythm,
    now: DateTime<Utc>,
    last_change: Option<DateTime<Utc>>,
) -> Option<Duration> {
    let silence = last_change.and_then(|last| (now - last).to_std().ok()).unwrap_or_default();
    let usual = policy.default.saturating_mul(LOOKS_PER_ENTRY);
    let gap = match rhythm.gap_seconds {
        Some(gap) => Duration::from_secs(gap.into()),
        // All that is known is that nothing came since.
        None if silence / SILENT_GAPS > usual => usual,
        None => return None,
    };
    let base = gap.max(silence / SILENT_GAPS) / LOOKS_PER_ENTRY;
    let base = match busy(rhythm, now) {
        Some(true) => base / 2,
        Some(false) => base.saturating_mul(2),
        None => base,
    };
    let shortest = policy.floor.max(SHORTEST);
    Some(base.min(policy.top()).max(shortest))
}

/// Whether much comes in this hour or the next (twice the mean), or nothing ever; `None` between the two.
fn busy(rhythm: &Rhythm, now: DateTime<Utc>) -> Option<bool> {
    let total: u32 = rhythm.hours.iter().map(|count| u32::from(*count)).sum();
    if total < ENOUGH || rhythm.hours.len() != 24 {
        return None;
    }
    let hour = now.hour() as usize;
    let here = u32::from(rhythm.hours[hour]) + u32::from(rhythm.hours[(hour + 1) % 24]);
    match here {
        0 => Some(false),
        _ if here * 24 >= total * 4 => Some(true),
        _ => None,
    }
}

/// Whether a source may be stuck at 304: nothing new for ten usual gaps. It is then asked once without validators, and
/// not again before eight days have passed. `last_whole` is when a whole document came, or was asked for, last.
#[must_use]
pub fn stuck(
    now: DateTime<Utc>,
    rhythm: &Rhythm,
    last_change: Option<DateTime<Utc>>,
    last_whole: Option<DateTime<Utc>>,
) -> bool {
    let (Some(gap), Some(changed)) = (rhythm.gap_seconds, last_change) else { return false };
    let gap = TimeDelta::seconds(i64::from(gap).max(1));
    let doubted = now - changed > gap * i32::try_from(DOUBTED_GAPS).unwrap_or(i32::MAX);
    doubted && now - last_whole.unwrap_or(changed) >= DOUBTED_EVERY
}

#[cfg(test)]
mod tests {
    use super::super::{DAY, HOUR, MINUTE};
    use super::*;

    fn at(hours: i64) -> DateTime<Utc> {
        "2026-11-23T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::hours(hours)
    }

    fn gap(hours: u32) -> Rhythm {
        Rhythm { gap_seconds: Some(hours * 3600), hours: Vec::new() }
    }

    #[test]
    fn the_gap_follows_what_comes() {
        let mut rhythm = Rhythm::default();
        learn(&mut rhythm, at(0), None, 2, &[at(-1), at(-2)]);
        assert_eq!(rhythm.gap_seconds, None, "two dates say nothing");
        let dates: Vec<_> = (0..30).map(|n| at(-3 * n)).collect();
        learn(&mut rhythm, at(0), None, 30, &dates);
        assert_eq!(rhythm.gap_seconds, Some(3 * 3600), "the dates of the first page");
        for n in 1..60 {
            learn(&mut rhythm, at(n), Some(at(n - 1)), 1, &[at(n)]);
        }
        assert!((3600..3610).contains(&rhythm.gap_seconds.unwrap()), "hourly by now: {rhythm:?}");
        learn(&mut rhythm, at(70), Some(at(60)), 10, &[]);
        assert!((3600..3610).contains(&rhythm.gap_seconds.unwrap()), "ten in ten hours are hourly too: {rhythm:?}");
        for n in 3..20 {
            learn(&mut rhythm, at(24 * n), Some(at(24 * (n - 1))), 1, &[]);
        }
        assert!((80_000..=86_400).contains(&rhythm.gap_seconds.unwrap()), "daily by now: {rhythm:?}");
        let before = rhythm.clone();
        learn(&mut rhythm, at(900), Some(at(800)), 0, &[]);
        assert_eq!(rhythm, before, "nothing new teaches nothing");
    }

    #[test]
    fn bad_clocks_dates_and_rows_do_no_harm() {
        let mut rhythm = Rhythm { gap_seconds: Some(u32::MAX), hours: vec![255; 3] };
        let end = DateTime::<Utc>::MAX_UTC;
        learn(&mut rhythm, at(0), Some(end), usize::MAX, &[end]);
        learn(&mut rhythm, DateTime::<Utc>::MIN_UTC, Some(end), 1, &[end, DateTime::<Utc>::MIN_UTC]);
        learn(&mut rhythm, end, Some(DateTime::<Utc>::MIN_UTC), 1_000_000, &[at(0); 1000]);
        assert_eq!(rhythm.hours.len(), 24);
        for policy in [Policy::default(), Policy::exempt()] {
            let found = learnt(&policy, &rhythm, at(0), Some(end)).unwrap();
            assert!(found >= SHORTEST && found <= DAY);
        }
        let short = Rhythm { hours: vec![200; 7], ..gap(8) };
        assert_eq!(learnt(&Policy::default(), &short, at(0), None), Some(HOUR));
    }

    #[test]
    fn the_interval_is_an_eighth_of_the_gap_within_bounds() {
        let usual = Policy::default();
        // gap in hours, hours of silence, expected minutes
        for (hours, silence, minutes) in [
            (0, 0, 15),
            (1, 1, 15),
            (2, 1, 15),
            (8, 1, 60),
            (24, 24, 180),
            (24, 96, 180),
            (24, 192, 360),
            (24, 10_000, 1440),
            (2000, 1, 1440),
        ] {
            let found = learnt(&usual, &gap(hours), at(0), Some(at(-silence))).unwrap();
            assert_eq!(found, minutes * MINUTE, "{hours} {silence}");
        }
        assert_eq!(learnt(&usual, &Rhythm::default(), at(0), Some(at(-1))), None);
        assert_eq!(learnt(&usual, &Rhythm::default(), at(0), Some(at(-320))), Some(10 * HOUR), "silence alone");
        assert_eq!(learnt(&Policy::exempt(), &gap(0), at(0), None), Some(SHORTEST), "only `every` asks for more");
        let strict = Policy { floor: 2 * HOUR, ..usual };
        assert_eq!(learnt(&strict, &gap(1), at(0), None), Some(2 * HOUR));
    }

    #[test]
    fn hours_in_which_much_comes_are_watched_closely() {
        let mut rhythm = gap(24);
        for day in 0..30 {
            learn(&mut rhythm, at(24 * day + 10), Some(at(24 * (day - 1) + 10)), 1, &[at(24 * day + 9)]);
        }
        for (hour, minutes) in [(8, 90), (9, 90), (10, 360), (3, 360)] {
            assert_eq!(learnt(&Policy::default(), &rhythm, at(hour), None), Some(minutes * MINUTE), "{hour}");
        }
        let mut even = gap(24);
        learn(&mut even, at(0), None, 0, &[]);
        (0..480).for_each(|n| learn(&mut even, at(n), Some(at(n - 24)), 1, &[at(n)]));
        assert_eq!(learnt(&Policy::default(), &even, at(3), None), Some(180 * MINUTE));
        (0..9999).for_each(|n| learn(&mut even, at(n), Some(at(n - 24)), 1, &[at(24 * n)]));
        assert!(even.hours.iter().all(|count| *count < FULL), "counts are bounded");
    }

    #[test]
    fn a_source_that_is_stuck_is_asked_for_all_once_in_eight_days() {
        // gap, hours since the last change and since the last whole document
        for (hours, changed, whole, expected) in [
            (24, 239, Some(239), false),
            (24, 241, Some(241), true),
            (24, 241, Some(191), false),
            (24, 241, Some(192), true),
            (24, 9999, Some(1), false),
            (1, 11, Some(11), false), // eight days have not passed
            (1, 193, None, true),
            (0, 193, None, true),
        ] {
            let found = stuck(at(0), &gap(hours), Some(at(-changed)), whole.map(|hours: i64| at(-hours)));
            assert_eq!(found, expected, "{hours} {changed} {whole:?}");
        }
        assert!(!stuck(at(0), &Rhythm::default(), Some(at(-9999)), None));
        assert!(!stuck(at(0), &gap(1), None, None));
    }
}
