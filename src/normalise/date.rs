//! Dates as people and programs write them → an instant.
//!
//! The text is cut to its first 200 characters and brought into one form (half-width digits, ASCII
//! punctuation, Chinese numerals as digits); then the forms are tried from the least to the most
//! doubtful. A full date is found anywhere in the text; a form without a year, a relative form or a
//! bare number counts only where the text begins with it, so that digits inside the names of sources
//! and in titles are not taken for dates. A wrong date is worse than none: what is ambiguous is refused.

mod clock;
mod forms;
mod months;
mod numbers;
mod plain;
#[cfg(test)]
mod tests;

use crate::model::Precision;
use chrono::{DateTime, Datelike, Days, FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use clock::{Clock, Zone};

/// How much of a text is looked at, in characters: a date never stands behind more than that, and the
/// work stays bounded whatever a source sends.
const LOOKED_AT: usize = 200;

/// The years 1900 and 2262: between them every zone and every step of years can be counted.
const EARLIEST: DateTime<Utc> = DateTime::from_timestamp_nanos(-2_208_988_800_000_000_000);
const LATEST: DateTime<Utc> = DateTime::<Utc>::from_timestamp_nanos(i64::MAX);

/// A date that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The instant, in the offset that was written or else in the channel's zone.
    pub at: DateTime<FixedOffset>,
    /// How exactly it was written.
    pub precision: Precision,
    /// Whether it was counted from now (`3小时前`, `昨天`): such a date is less true on every later read.
    pub relative: bool,
}

/// Why a text is not a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// Nothing is written.
    #[error("the date is empty")]
    Empty,
    /// No known form fits.
    #[error("no known form of a date fits")]
    Unknown,
    /// The form fits, but there is no such day, time or offset.
    #[error("there is no such day or time")]
    OutOfRange,
    /// What programs write when they know no date: year 0, year 1, the epoch, year 9999.
    #[error("the date stands for no date at all")]
    Placeholder,
}

/// What surrounds a date: the instant of reading and the zone of dates that name none.
#[derive(Clone, Copy)]
struct Here {
    now: DateTime<Utc>,
    zone: Tz,
}

/// Reads a date. `now` is what relative forms count from and what decides the year of a form without
/// one (the most recent that is not more than a day ahead); `zone` is where a date without a zone was written.
///
/// # Errors
/// [`DateError`] says why the text is not a date.
pub fn read(text: &str, now: DateTime<Utc>, zone: Tz) -> Result<Reading, DateError> {
    let text = plain::plain(text, LOOKED_AT);
    if text.is_empty() {
        return Err(DateError::Empty);
    }
    // A clock that is off by millennia must not overflow the calendar.
    let here = Here { now: now.clamp(EARLIEST, LATEST), zone };
    let mut error = DateError::Unknown;
    for form in forms::ALL {
        match form(&text, here) {
            Some(Ok(reading)) => return checked(reading),
            // The first form that fitted knows best what was wrong.
            Some(Err(why)) if error == DateError::Unknown => error = why,
            _ => {}
        }
    }
    Err(error)
}

/// Refuses the dates that stand for "none".
fn checked(reading: Reading) -> Result<Reading, DateError> {
    let epoch_day = NaiveDate::from_ymd_opt(1970, 1, 1).map(|day| day.and_time(chrono::NaiveTime::MIN));
    let placeholder = !(1900..9999).contains(&reading.at.year())
        || reading.at.timestamp() == 0
        || Some(reading.at.naive_local()) == epoch_day;
    if placeholder { Err(DateError::Placeholder) } else { Ok(reading) }
}

impl Here {
    /// Today in the zone.
    fn today(self) -> NaiveDate {
        self.now.with_timezone(&self.zone).date_naive()
    }

    /// A day, with its clock if one was written: midnight in the zone otherwise.
    fn on(self, day: NaiveDate, clock: Option<Clock>) -> Result<Reading, DateError> {
        let Some(clock) = clock else { return self.midnight(day, None) };
        let day = if clock.next_day { day.checked_add_days(Days::new(1)).ok_or(DateError::OutOfRange)? } else { day };
        let Some(time) = clock.time else { return self.midnight(day, clock.zone) };
        let at = self.instant(day.and_time(time), clock.zone).ok_or(DateError::OutOfRange)?;
        Ok(Reading { at, precision: clock.precision, relative: false })
    }

    fn midnight(self, day: NaiveDate, zone: Option<Zone>) -> Result<Reading, DateError> {
        let at = self.instant(day.and_time(chrono::NaiveTime::MIN), zone);
        Ok(Reading { at: at.ok_or(DateError::OutOfRange)?, precision: Precision::Day, relative: false })
    }

    /// A wall clock in the zone that was written, or else in the channel's.
    fn instant(self, wall: NaiveDateTime, zone: Option<Zone>) -> Option<DateTime<FixedOffset>> {
        match zone {
            Some(Zone::Offset(offset)) => offset.from_local_datetime(&wall).single(),
            Some(Zone::Named(zone)) => Self { zone, ..self }.local(wall),
            None => self.local(wall),
        }
    }

    /// A wall clock in the zone: the earlier of two when clocks went back, and what the clock showed
    /// right after when they skipped it.
    fn local(self, wall: NaiveDateTime) -> Option<DateTime<FixedOffset>> {
        let found = |wall: NaiveDateTime| match self.zone.from_local_datetime(&wall) {
            MappedLocalTime::Single(at) | MappedLocalTime::Ambiguous(at, _) => Some(at.fixed_offset()),
            MappedLocalTime::None => None,
        };
        found(wall)
            .or_else(|| found(wall.checked_add_signed(chrono::TimeDelta::hours(1))?))
            .or_else(|| found(wall.checked_add_signed(chrono::TimeDelta::days(1))?))
    }
}
