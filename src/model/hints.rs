//! When a source asks to be left alone.

use chrono::{DateTime, Utc, Weekday};
use serde::{Deserialize, Serialize};

/// What a feed says about how often it changes and when it is not to be asked. Kept with the channel, so that a 304,
/// which brings no document, obeys it too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hints {
    /// `ttl` of RSS 2.0, in minutes: how long it may be cached.
    pub ttl_minutes: Option<u32>,
    /// `sy:updatePeriod` divided by `sy:updateFrequency`, in minutes, at least 1.
    pub period_minutes: Option<u32>,
    /// `sy:updateBase`: an instant from which the periods are counted.
    pub base: Option<DateTime<Utc>>,
    /// `skipHours` of RSS 2.0: hours of the day in GMT, 0 to 23, ascending.
    pub skip_hours: Vec<u8>,
    /// `skipDays` of RSS 2.0: days of the week in GMT, Monday first.
    pub skip_days: Vec<Weekday>,
}

impl Hints {
    /// Whether the feed asks for nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Reads an hour of `skipHours`: 0 to 23, and 24, which RSS 0.91 counts to, as 0. Others say nothing.
    pub fn skip_hour(&mut self, text: &str) {
        let hour = text.trim().parse::<u8>().ok().filter(|hour| *hour <= 24).map(|hour| hour % 24);
        if let Some(hour) = hour.filter(|hour| !self.skip_hours.contains(hour)) {
            self.skip_hours.push(hour);
            self.skip_hours.sort_unstable();
        }
    }

    /// Reads a day of `skipDays`, in English, long or short, in any case. Others say nothing.
    pub fn skip_day(&mut self, text: &str) {
        let day = text.trim().parse::<Weekday>().ok();
        if let Some(day) = day.filter(|day| !self.skip_days.contains(day)) {
            self.skip_days.push(day);
            self.skip_days.sort_unstable_by_key(Weekday::num_days_from_monday);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_days_as_written() {
        let mut hints = Hints::default();
        for hour in ["3", " 24 ", "0", "23", "25", "-1", "3", "", "noon", "1.5", "99999999999"] {
            hints.skip_hour(hour);
        }
        for day in ["Sunday", "monday", "SAT", "Sunday", "Someday", "", "日曜日"] {
            hints.skip_day(day);
        }
        assert_eq!(hints.skip_hours, [0, 3, 23]);
        assert_eq!(hints.skip_days, [Weekday::Mon, Weekday::Sat, Weekday::Sun]);
    }
}
