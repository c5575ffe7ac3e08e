//! The date ladder: the best date that can be read, and what becomes of dates that cannot be true.

use super::date::{DateError, Reading, read};
use super::{Context, Kind};
use crate::model::{DateRung, Dated, Flaw, FlawCode, ParsedEntry, Precision};
use chrono::{DateTime, FixedOffset, TimeDelta};

/// Clocks differ: a date this far ahead is still believed.
const AHEAD: TimeDelta = TimeDelta::minutes(15);

/// When an entry was published, and when it was changed (external feeds only; of a portal's entries the
/// ledger finds out).
pub(super) fn dates(
    read_entry: &ParsedEntry,
    name: &str,
    context: &Context<'_>,
    flaws: &mut Vec<Flaw>,
) -> (Dated, Option<DateTime<FixedOffset>>) {
    let updated = read_entry.updated.as_deref().filter(|_| context.kind == Kind::External);
    let updated = updated.and_then(|text| tried(text, name, context, flaws));
    let mut raw: Vec<_> = read_entry.dates.iter().collect();
    raw.sort_by_key(|date| date.rung);
    let found = raw.iter().find_map(|date| tried(&date.text, name, context, flaws).map(|reading| (reading, date.rung)));
    // An Atom entry may have nothing but `updated`.
    let found = found.or_else(|| updated.map(|reading| (reading, DateRung::List)));
    let first_seen = Dated {
        at: context.now.with_timezone(&context.timezone).fixed_offset(),
        precision: Precision::Second,
        rung: DateRung::FirstSeen,
    };
    let published = match found {
        None => {
            flaws.push(Flaw::new(FlawCode::DateMissing, format!("{name:?} has no date")));
            first_seen
        }
        Some((reading, _)) if is_ahead(&reading, context) => {
            flaws.push(Flaw::new(FlawCode::DateInFuture, format!("{name:?} is dated {}", reading.at.to_rfc3339())));
            first_seen
        }
        Some((reading, rung)) => {
            let rung = if context.kind == Kind::External { DateRung::List } else { rung };
            Dated { at: reading.at, precision: reading.precision, rung }
        }
    };
    let updated = updated.map(|reading| reading.at).filter(|&at| at >= published.at && at <= context.now);
    (published, updated)
}

/// A day has no future at all: its midnight is where it begins.
fn is_ahead(reading: &Reading, context: &Context<'_>) -> bool {
    let allowed = if reading.precision == Precision::Day { TimeDelta::zero() } else { AHEAD };
    reading.at.to_utc().signed_duration_since(context.now) > allowed
}

fn tried(text: &str, name: &str, context: &Context<'_>, flaws: &mut Vec<Flaw>) -> Option<Reading> {
    match read(text, context.now, context.timezone) {
        Ok(reading) => Some(reading),
        // Nothing was said, or a program said that it knows nothing.
        Err(DateError::Empty | DateError::Placeholder) => None,
        Err(why) => {
            let text: String = text.chars().take(80).collect();
            flaws.push(Flaw::new(FlawCode::DateUnreadable, format!("{text:?} of {name:?}: {why}")));
            None
        }
    }
}
