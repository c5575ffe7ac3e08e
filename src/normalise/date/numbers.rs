//! Forms that are made of digits only.

use super::clock::clock;
use super::forms::{LABEL, WEEKDAY_NAME, at, day_and_rest, ends, number};
use super::months::century;
use super::plain::pattern;
use super::{DateError, Here, Reading};
use crate::model::Precision;
use chrono::{DateTime, Datelike, NaiveDate, Weekday};
use regex::{Captures, Regex};
use std::sync::LazyLock;

static DIGITS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?<y>\d{4})(?<m>\d{2})(?<d>\d{2})(?:(?<h>\d{2})(?<min>\d{2})(?:(?<s>\d{2})(?:\d{3})?)?|(?<rest>[T ].*))?$",
    )
});
static EPOCH: LazyLock<Regex> = LazyLock::new(|| pattern(r"^@?(?<n>\d{1,13})(?:\.\d{1,9})?$"));

/// Nothing but digits: `20191210`, `20191210205750`, `20191210T205750Z`, seconds or milliseconds of the epoch.
pub(super) fn digits_only(text: &str, here: Here) -> Option<Result<Reading, DateError>> {
    if let Some(found) = DIGITS.captures(text) {
        let rest = match (found.name("h"), found.name("rest")) {
            (Some(_), _) => format!("T{}{}{}", &found["h"], &found["min"], found.name("s").map_or("", |s| s.as_str())),
            (None, rest) => rest.map_or("", |rest| rest.as_str()).to_owned(),
        };
        let day = (|| at(number(&found, "y")?, number(&found, "m")?, number(&found, "d")?))();
        // Thirteen digits are milliseconds; fourteen are a date. Twelve and eight can only be a date.
        return Some(day_and_rest(day, &rest, here));
    }
    let digits = EPOCH.captures(text)?.name("n")?.as_str();
    let count: i64 = digits.parse().ok()?;
    let millis = match digits.len() {
        10 => count * 1000,
        13 => count,
        _ if count == 0 => return Some(Err(DateError::Placeholder)),
        _ => return None,
    };
    // 2001-09-09 to 2100: other numbers of that length are no instants. Ten digits that begin like a
    // date of this century could be yyyymmddHH as well.
    let ambiguous = digits.len() == 10
        && DIGITS.captures(&digits[..8]).is_some_and(|found| {
            digits.starts_with("20")
                && matches!((number(&found, "m"), number(&found, "d")), (Ok(1..=12_u32), Ok(1..=31_u32)))
        });
    if !(1_000_000_000_000..4_102_444_800_000).contains(&millis) || ambiguous {
        return None;
    }
    let at = DateTime::from_timestamp_millis(millis)?.with_timezone(&here.zone).fixed_offset();
    Some(Ok(Reading { at, precision: Precision::Second, relative: false }))
}

static DAY_FIRST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"{LABEL}(?:(?:周(?<cn>\d) ?|(?<wd>{WEEKDAY_NAME})\.?),? ?)?(?<a>\d{{1,2}})(?<s1>[/. -])(?<b>\d{{1,2}})(?<s2>[/. -])(?<y>\d{{4}}|\d{{2}})(?<rest>(?:[^\d].*)?)$"
    ))
});

/// `10.12.2019`, `31/12/2019`, `12/31/2019`, `Mon, 04/03/2019`, `10/30/23`: when only one order of the parts makes a day,
/// or only one the weekday that is written.
pub(super) fn day_first(text: &str, here: Here) -> Option<Result<Reading, DateError>> {
    let found = DAY_FIRST.captures(text)?;
    if found["s1"] != found["s2"] {
        return None;
    }
    let day = if found["y"].len() == 4 { in_long_year(&found)? } else { Ok(in_short_year(&found, here)?) };
    Some(day_and_rest(day, &found["rest"], here))
}

fn in_long_year(found: &Captures<'_>) -> Option<Result<NaiveDate, DateError>> {
    let (a, b, year) = (number(found, "a").ok()?, number(found, "b").ok()?, number(found, "y").ok()?);
    let (day_first, month_first) = (at(year, b, a), at(year, a, b));
    Some(match (day_first, month_first) {
        (day, _) if &found["s1"] == "." => day,
        (Ok(day), Ok(other)) if day != other => Ok(on_weekday(found, &[day, other])?),
        (Err(_), Ok(day)) | (Ok(day), _) => Ok(day),
        (none, _) => none,
    })
}

/// A year of two digits may stand in front as well. Days to come are not meant; without a weekday one part must be
/// above 12, so that it can be no month.
fn in_short_year(found: &Captures<'_>, here: Here) -> Option<NaiveDate> {
    let part = |name| number::<u32>(found, name).ok();
    let (a, b, c) = (part("a")?, part("b")?, part("y")?);
    let year = |part: u32| i32::try_from(part).map_or(0, century);
    let orders: &[(i32, u32, u32)] = match &found["s1"] {
        "." => &[(year(c), b, a), (year(a), b, c)],
        "/" => &[(year(c), b, a), (year(c), a, b), (year(a), b, c)],
        // With dashes the year comes first.
        _ => return None,
    };
    let rest = &found["rest"];
    if a.max(b) <= 12 && weekday_of(found).is_none() || clock(rest, here.zone).is_none() && !ends(rest) {
        return None;
    }
    let tomorrow = here.today().succ_opt()?;
    let days = orders.iter().filter_map(|&(year, month, day)| at(year, month, day).ok());
    let mut days: Vec<_> = days.filter(|day| *day <= tomorrow).collect();
    days.dedup();
    if let [day] = days[..] { Some(day) } else { on_weekday(found, &days) }
}

/// The one of several days that falls on the weekday that is written.
fn on_weekday(found: &Captures<'_>, days: &[NaiveDate]) -> Option<NaiveDate> {
    let weekday = weekday_of(found)?;
    let mut fitting = days.iter().filter(|day| day.weekday() == weekday);
    let day = *fitting.next()?;
    fitting.all(|other| *other == day).then_some(day)
}

fn weekday_of(found: &Captures<'_>) -> Option<Weekday> {
    if let Some(name) = found.name("wd") {
        return name.as_str().get(..3)?.parse().ok();
    }
    let number: u8 = number(found, "cn").ok()?;
    Weekday::try_from(number.checked_sub(1)?).ok()
}

static TIME_FIRST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^(?<time>\d{1,2}:\d{2}(?::\d{2})?),? (?<day>\d{1,2}[/.-]\d{1,2}[/.-]\d{4})(?<zone>(?:[^\d].*)?)$")
});

/// `16:44 23.11.2019 -0800`.
pub(super) fn time_first(text: &str, here: Here) -> Option<Result<Reading, DateError>> {
    let found = TIME_FIRST.captures(text)?;
    day_first(&format!("{} {}{}", &found["day"], &found["time"], &found["zone"]), here)
}

static SHORT_YEAR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"{LABEL}(?<y>\d{{2}})(?:-(?<m>\d{{2}})-(?<d>\d{{2}})|年 ?(?<m1>\d{{1,2}})月 ?(?<d1>\d{{1,2}})[日号]?)(?<rest>(?:[^\d].*)?)$"
    ))
});

/// `18-03-08`, `18年3月8日`.
pub(super) fn short_year(text: &str, here: Here) -> Option<Result<Reading, DateError>> {
    let found = SHORT_YEAR.captures(text)?;
    let rest = &found["rest"];
    if clock(rest, here.zone).is_none() && !ends(rest) {
        return None;
    }
    let part = |a, b| number(&found, a).or_else(|_| number(&found, b));
    let day = (|| at(century(number(&found, "y")?), part("m", "m1")?, part("d", "d1")?))();
    Some(day_and_rest(day, rest, here))
}

static COARSE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?<y>(?:19|20)\d{2})(?:[-/.](?<m>\d{1,2})|-(?<o>\d{3})|-?W(?<w>\d{2})(?:-?(?<wd>[1-7]))?|年(?:(?<m1>\d{1,2})月)?)?(?<rest>T.*)?$",
    )
});

/// The whole text is a year, a month (W3CDTF), an ordinal day or a week (ISO 8601).
pub(super) fn coarse(text: &str, here: Here) -> Option<Result<Reading, DateError>> {
    let found = COARSE.captures(text)?;
    let (year, part) = (number(&found, "y").ok()?, |name| number::<u32>(&found, name).ok());
    let day = if let Some(ordinal) = part("o") {
        NaiveDate::from_yo_opt(year, ordinal)
    } else if let Some(week) = part("w") {
        let weekday =
            u8::try_from(part("wd").unwrap_or(1) - 1).ok().and_then(|day| chrono::Weekday::try_from(day).ok())?;
        NaiveDate::from_isoywd_opt(year, week, weekday)
    } else {
        NaiveDate::from_ymd_opt(year, part("m").or(part("m1")).unwrap_or(1), 1)
    };
    Some(day_and_rest(day.ok_or(DateError::OutOfRange), found.name("rest").map_or("", |rest| rest.as_str()), here))
}
