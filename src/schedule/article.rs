//! When an article's page is read again.

use super::poll::PLAY;
use super::{DAY, HOUR, after, doubled};
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// The pause after the first failed read.
const FIRST_RETRY: Duration = Duration::from_mins(15);
/// When a young article is read again, counted from its publication: corrections come early.
const LOOKS: [Duration; 3] = [HOUR, Duration::from_hours(6), DAY];
/// Older articles are not read again.
const YOUNG: TimeDelta = TimeDelta::days(2);

/// No article is put off for longer than this: what is planned further ahead was planned under a wrong clock.
const FAR: TimeDelta = TimeDelta::days(2);

/// Whether an article that was last asked for at `checked` and put off until `not_before` is due. What was planned under
/// a clock that ran ahead is.
#[must_use]
pub fn article_due(now: DateTime<Utc>, checked: Option<DateTime<Utc>>, not_before: DateTime<Utc>) -> bool {
    !rests(now, checked, not_before) || not_before.signed_duration_since(now) > FAR
}

/// Whether an address that was last asked for at `checked` is left alone until `not_before`: unless that was under a clock
/// that ran ahead.
#[must_use]
pub fn rests(now: DateTime<Utc>, checked: Option<DateTime<Utc>>, not_before: DateTime<Utc>) -> bool {
    not_before > now && checked.is_none_or(|checked| checked.signed_duration_since(now) <= PLAY)
}

/// When an article that could not be read is tried again: 15 minutes after the first failure, doubling to a day.
/// `failures` counts the failed reads so far.
#[must_use]
pub fn article_retry(now: DateTime<Utc>, failures: u32) -> DateTime<Utc> {
    after(now, doubled(FIRST_RETRY, failures.saturating_sub(1), DAY))
}

/// When an article that was read is read again, conditionally: about 1, 6 and 24 hours after its publication.
/// Looks that were missed are made up by one; `None` for articles older than two days and those that had their looks.
#[must_use]
pub fn article_recheck(
    now: DateTime<Utc>,
    published: DateTime<Utc>,
    last_checked: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    if now.signed_duration_since(published) > YOUNG {
        return None;
    }
    LOOKS.iter().map(|look| after(published, *look)).find(|look| *look > last_checked).map(|look| look.max(now))
}
