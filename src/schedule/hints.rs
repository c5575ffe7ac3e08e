//! What a feed asks for in its own document. Hints only ever lengthen.

use super::{HOUR, MINUTE, after};
use crate::model::Hints;
use chrono::{DateTime, Datelike as _, TimeDelta, Timelike as _, Utc};
use std::time::Duration;

/// So many hours lie in a week. Windows repeat every week, so nobody has to look further.
const WEEK: usize = 7 * 24;
/// Those that wait for the same window to end are spread over so long: less than the hour that is open then.
const SPREAD: Duration = Duration::from_mins(30);

/// How long after `now` a feed says that nothing new will be there: `ttl`, or the period of the syndication module.
/// With `sy:updateBase` it is the time to the next instant of its timetable.
pub(super) fn quiet_for(hints: &Hints, now: DateTime<Utc>) -> Duration {
    let ttl = MINUTE.saturating_mul(hints.ttl_minutes.unwrap_or(0));
    let period = MINUTE.saturating_mul(hints.period_minutes.unwrap_or(0));
    ttl.max(hints.base.map_or(period, |base| to_next(base, period, now)))
}

/// The time from `now` to the next `base + n × period`, more than zero and at most `period`.
fn to_next(base: DateTime<Utc>, period: Duration, now: DateTime<Utc>) -> Duration {
    let Some(step) = TimeDelta::from_std(period).ok().map(|step| step.num_seconds()).filter(|step| *step > 0) else {
        return period;
    };
    let past = now.timestamp().saturating_sub(base.timestamp()).rem_euclid(step);
    // Within 0..=step, which came from a Duration.
    Duration::from_secs(u64::try_from(step - past).unwrap_or_default())
}

/// Whether the feed asks not to be asked in this hour or on this day. A feed that skips every hour or every day
/// would never be asked: that is a mistake and says nothing.
pub(super) fn skips(hints: &Hints, at: DateTime<Utc>) -> bool {
    let hour = |hour: u32| hints.skip_hours.iter().any(|skipped| u32::from(*skipped) == hour);
    let hours_count = !(0..24).all(hour);
    let days_count = {
        let mut days: Vec<_> = hints.skip_days.iter().map(chrono::Weekday::num_days_from_monday).collect();
        days.sort_unstable();
        days.dedup();
        days.len() < 7
    };
    hours_count && hour(at.hour()) || days_count && hints.skip_days.contains(&at.weekday())
}

/// The instant, or a little after the end of the window that it lies in.
pub(super) fn outside(hints: &Hints, at: DateTime<Utc>, chance: f64) -> DateTime<Utc> {
    if !skips(hints, at) {
        return at;
    }
    let mut open = DateTime::from_timestamp(at.timestamp() - at.timestamp().rem_euclid(3600), 0).unwrap_or(at);
    for _ in 0..=WEEK {
        open = after(open, HOUR);
        if !skips(hints, open) {
            return after(open, SPREAD.mul_f64(chance));
        }
    }
    at
}
