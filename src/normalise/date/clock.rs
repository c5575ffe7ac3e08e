//! The time of day and the zone behind a day.

use super::{DateError, plain::pattern};
use crate::model::Precision;
use chrono::{FixedOffset, NaiveTime};
use chrono_tz::Tz;
use regex::{Captures, Regex};
use std::sync::LazyLock;

/// A time of day as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    /// The time; `None` when only an offset was written (`2019-12-10+08:00`).
    pub time: Option<NaiveTime>,
    /// `24:00` and midnight at the end of the evening belong to the next day.
    pub next_day: bool,
    /// Whether seconds were written.
    pub precision: Precision,
    /// The zone, if written.
    pub zone: Option<Zone>,
}

/// A zone as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zone {
    /// `+0800`, `PST`.
    Offset(FixedOffset),
    /// `America/Los_Angeles`: the day decides the offset.
    Named(Tz),
}

/// What may stand between a day and its time: a comma, brackets, the weekday, a word.
const BETWEEN: &str = r"^(?: ?[,|;·\]\[()-]| ?(?i:T|at|@|um|noch)\b|T| )*(?:周\d|(?i:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?)?[ ,|()\]]*(?i:T|at )?";
const HALF: &str = "凌晨|清晨|早晨|早上|今早|早|上午|中午|正午|午间|下午|午后|傍晚|晚上|晚间|晚|夜间|深夜|半夜|夜里|夜";

static TIME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"{BETWEEN}(?<half>{HALF})? ?(?<h>\d{{1,2}})(?: ?: ?(?<m>\d{{2}})(?: ?: ?(?<s>\d{{1,2}})(?:[.,](?<f>\d{{1,12}})|:\d{{3}})?)?|:(?<m1>\d)(?::(?<s1>\d{{1,2}}))?|[.](?<dm>\d{{2}})(?:[.](?<ds>\d{{2}}))? ?(?:Uhr|uhr|[APap][Mm])|(?<cn> ?[时時点點]) ?(?:(?<cm>\d{{1,2}}|半|一刻|三刻|整)(?: ?分 ?(?:(?<cs>\d{{1,2}}) ?秒?)?)?)?)(?: ?(?<ap>[AaPp])\.?[Mm]\b\.?)?(?<rest>.*)$"
    ))
});
static HOUR_ONLY: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"{BETWEEN}(?<h>\d{{1,2}}) ?(?<ap>[AaPp])\.?[Mm]\b\.?(?<rest>.*)$")));
static BASIC: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^[Tt ](?<h>\d{2})(?<m>\d{2})(?<s>\d{2})?(?:[.,](?<f>\d{1,12}))?(?:(?<rest>[^\d].*)|)$"));
/// An hour alone is one when a zone follows and nothing else.
static HOUR_ZONE: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"{BETWEEN}(?<h>\d{{2}})(?<rest> (?:[+-]\d{{2}}:?\d{{2}}|[A-Z]{{1,5}}))$")));
static OFFSET: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^ ?(?i:UTC|GMT|UT)? ?(?<sign>[+-]) ?(?<h>\d{1,2}):?(?<m>\d{2})?(?::00)?(?:[^\d:.-].*|)$")
});
static NAME: LazyLock<Regex> = LazyLock::new(|| pattern(r"^ ?\(?(?<name>[A-Za-z]{1,5}|北京时间)(?:[^A-Za-z].*|)$"));
static IANA: LazyLock<Regex> = LazyLock::new(|| pattern(r"^ ?[(\[]?(?<name>[A-Z][A-Za-z_]+(?:/[A-Za-z0-9_+-]+){1,2})"));
/// Nothing but a zone, to the end.
static ONLY_ZONE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^ ?[(\[]?(?:[+-]\d{2}:?\d{2}|[A-Z]{1,5}|[A-Z][A-Za-z_]+(?:/[A-Za-z0-9_+-]+)+)[)\]]?$"));

/// The clock at the start of what follows a day, or `None` when there is none.
pub(super) fn clock(after: &str, zone: Tz) -> Option<Result<Clock, DateError>> {
    plainly(after).map(Ok).or_else(|| closely(after, zone))
}

/// What most sources write, at once: ` 10:15`, `T10:15:00+08:00`, ` 10:15:00 +0800`. `None`: look closely.
fn plainly(after: &str) -> Option<Clock> {
    let bytes = after.as_bytes();
    let (b'T' | b' ', b':') = (bytes.first()?, bytes.get(3)?) else { return None };
    let (hour, minute) = (two(bytes, 1)?, two(bytes, 4)?);
    let (second, end) = if bytes.get(6) == Some(&b':') { (Some(two(bytes, 7)?), 9) } else { (None, 6) };
    let zone = match &bytes[end..] {
        [] => None,
        b"Z" => Some(0),
        [b' ', rest @ ..] | rest => Some(plain_offset(rest)?),
    };
    let time = NaiveTime::from_hms_opt(hour, minute, second.unwrap_or(0))?;
    let precision = if second.is_some() { Precision::Second } else { Precision::Minute };
    let zone = zone.and_then(FixedOffset::east_opt).map(Zone::Offset);
    Some(Clock { time: Some(time), next_day: false, precision, zone })
}

/// `+08:00` or `+0800` in seconds.
fn plain_offset(text: &[u8]) -> Option<i32> {
    let sign = match text.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let minutes = match text.len() {
        5 => two(text, 3)?,
        6 if text[3] == b':' => two(text, 4)?,
        _ => return None,
    };
    let hours = two(text, 1).filter(|hours| *hours <= 15 && minutes < 60)?;
    i32::try_from((hours * 60 + minutes) * 60).ok().map(|seconds| sign * seconds)
}

/// A number of two digits.
fn two(text: &[u8], at: usize) -> Option<u32> {
    match text.get(at..at + 2)? {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some(u32::from(tens - b'0') * 10 + u32::from(ones - b'0')),
        _ => None,
    }
}

/// Whatever may be a clock.
fn closely(after: &str, zone: Tz) -> Option<Result<Clock, DateError>> {
    if let Some(found) = TIME.captures(after) {
        return time(&found, zone);
    }
    if let Some(found) = BASIC.captures(after).or_else(|| HOUR_ONLY.captures(after)) {
        return Some(told(&found, zone));
    }
    if let Some(found) = HOUR_ZONE.captures(after) {
        return Some(told(&found, zone)).filter(|told| told.as_ref().map_or(true, |clock| clock.zone.is_some()));
    }
    // An offset right behind the day, as XML Schema writes dates; or a zone and nothing more.
    let glued = after.starts_with(['+', 'Z']) || after.len() == 6 && after.starts_with('-');
    if glued || ONLY_ZONE.is_match(after) {
        let written = offset(after, zone).ok()??;
        return Some(Ok(Clock { time: None, next_day: false, precision: Precision::Day, zone: Some(written) }));
    }
    None
}

/// What [`TIME`] found.
fn time(found: &Captures<'_>, zone: Tz) -> Option<Result<Clock, DateError>> {
    let clock = told(found, zone);
    let rest = named(found, "rest").unwrap_or("");
    // `3:2` is a time when nothing but its zone follows; before other words it may be a score, before digits anything.
    if named(found, "m1").is_some() {
        let zoned = clock.as_ref().is_ok_and(|clock| clock.zone.is_some());
        let whole = rest.is_empty() || zoned || named(found, "s1").is_some() && !rest.starts_with(':');
        return Some(clock).filter(|_| whole);
    }
    // A program that wrote a day as an instant, and its time of day behind that.
    let is_day = clock.as_ref().is_ok_and(|clock| clock.time == Some(NaiveTime::MIN) && !clock.next_day);
    if is_day
        && rest.strip_prefix(' ').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        && let Some(second) = TIME.captures(rest)
    {
        return Some(told(&second, zone));
    }
    Some(clock)
}

fn told(found: &Captures<'_>, zone: Tz) -> Result<Clock, DateError> {
    let text = |names: &[&str]| names.iter().find_map(|name| named(found, name));
    let number = |names: &[&str]| text(names).and_then(|digits| digits.parse::<u32>().ok());
    let minute = match text(&["m", "m1", "dm", "cm"]) {
        Some("半") => 30,
        Some("一刻") => 15,
        Some("三刻") => 45,
        Some("整") | None => 0,
        Some(digits) => digits.parse().map_err(|_| DateError::OutOfRange)?,
    };
    let second = number(&["s", "s1", "ds", "cs"]);
    let hour = number(&["h"]).ok_or(DateError::OutOfRange)?;
    let half = named(found, "half").or_else(|| named(found, "ap"));
    let hour = half.map_or(Some(hour), |half| in_half(hour, half)).ok_or(DateError::OutOfRange)?;
    // 24:00 is the end of the day (ISO 8601); :60 is a leap second, which chrono's wall clock has no room for.
    let next_day = hour == 24 && minute == 0 && second.unwrap_or(0) == 0;
    let hour = if next_day { 0 } else { hour };
    let nanos = named(found, "f").map_or(0, |digits| {
        let nine: String = digits.chars().chain("000000000".chars()).take(9).collect();
        nine.parse().unwrap_or(0)
    });
    let shown = second.map_or(0, |second| if second == 60 { 59 } else { second });
    let time = NaiveTime::from_hms_nano_opt(hour, minute, shown, nanos).ok_or(DateError::OutOfRange)?;
    let zone = offset(named(found, "rest").unwrap_or(""), zone)?;
    let precision = if second.is_some() { Precision::Second } else { Precision::Minute };
    Ok(Clock { time: Some(time), next_day, precision, zone })
}

fn named<'a>(found: &Captures<'a>, name: &str) -> Option<&'a str> {
    found.name(name).map(|part| part.as_str())
}

/// An hour of a half of the day → 0 to 24.
fn in_half(hour: u32, half: &str) -> Option<u32> {
    Some(match (half, hour) {
        ("A" | "a" | "凌晨" | "上午", 12) => 0,
        // 晚上12点 is the end of that day.
        ("晚上" | "晚间" | "晚" | "夜间" | "深夜" | "半夜" | "夜里" | "夜", 12) => 24,
        // 深夜1点 is an hour of the morning.
        ("深夜" | "半夜" | "夜里" | "夜", 0..=5) => hour,
        ("中午" | "正午" | "午间", 0..=4) | ("P" | "p", 1..=11) => hour + 12,
        ("下午" | "午后" | "傍晚" | "晚上" | "晚间" | "晚" | "夜间" | "深夜" | "半夜" | "夜里" | "夜", 1..=11) => {
            hour + 12
        }
        (_, 0..=24) => hour,
        _ => return None,
    })
}

/// The zone at the start of a text: an offset, a zone's abbreviation, or its IANA name.
fn offset(text: &str, zone: Tz) -> Result<Option<Zone>, DateError> {
    let text = signed(text);
    if let Some(found) = OFFSET.captures(text) {
        let hours: i32 = found["h"].parse().map_err(|_| DateError::OutOfRange)?;
        let minutes: i32 = named(&found, "m").map_or(Ok(0), str::parse).map_err(|_| DateError::OutOfRange)?;
        // The zones of this earth lie between -12:00 and +14:00; some feeds write an hour more.
        if hours > 15 || minutes > 59 {
            return Err(DateError::OutOfRange);
        }
        let seconds = (hours * 60 + minutes) * 60 * if &found["sign"] == "-" { -1 } else { 1 };
        return Ok(FixedOffset::east_opt(seconds).map(Zone::Offset));
    }
    // Digits behind a sign that are no offset: the instant cannot be known.
    let rest = text.trim_start();
    if rest.starts_with(['+', '-']) && rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
        return Err(DateError::OutOfRange);
    }
    if text.contains('/')
        && let Some(named) = IANA.captures(text).and_then(|found| found["name"].parse().ok())
    {
        return Ok(Some(Zone::Named(named)));
    }
    let Some(found) = NAME.captures(text) else { return Ok(None) };
    let half_hours = hours_of(&found["name"].to_ascii_uppercase(), zone);
    Ok(half_hours.and_then(|count| FixedOffset::east_opt(count * 1800)).map(Zone::Offset))
}

/// `--0800` and `:-0800` without what stands before the sign.
fn signed(text: &str) -> &str {
    let rest = text.trim_start();
    let inner = rest.strip_prefix(['-', ':']).filter(|inner| {
        inner.starts_with(['+', '-']) && inner.bytes().skip(1).take_while(u8::is_ascii_digit).count() == 4
    });
    inner.unwrap_or(text)
}

/// The names of RFC 822 section 5.1 and the commonest others, in half hours east of Greenwich.
fn hours_of(name: &str, zone: Tz) -> Option<i32> {
    Some(match name {
        "Z" | "UT" | "UTC" | "GMT" | "WET" => 0,
        // A Chinese source that writes CST means China Standard Time.
        "CST" if is_chinese(zone) => 16,
        "北京时间" | "HKT" | "SGT" | "AWST" => 16,
        "EDT" => -8,
        "EST" | "CDT" => -10,
        "CST" | "MDT" => -12,
        "MST" | "PDT" => -14,
        "PST" => -16,
        "BST" | "CET" | "WEST" => 2,
        "CEST" | "EET" | "SAST" => 4,
        "EEST" | "MSK" => 6,
        "JST" | "KST" => 18,
        "AEST" => 20,
        "AEDT" => 22,
        _ => return None,
    })
}

fn is_chinese(zone: Tz) -> bool {
    matches!(
        zone.name(),
        "Asia/Shanghai"
            | "Asia/Chongqing"
            | "Asia/Chungking"
            | "Asia/Harbin"
            | "Asia/Urumqi"
            | "Asia/Kashgar"
            | "Asia/Taipei"
            | "Asia/Hong_Kong"
            | "Asia/Macau"
            | "Asia/Macao"
            | "PRC"
            | "ROC"
            | "Hongkong"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// What is read at once is what a close look finds, in whatever the clock is written and spoilt.
        #[test]
        fn a_plain_clock_is_read_as_any_other(
            text in "[T ]?[0-2][0-9]:[0-6][0-9](:[0-6][0-9])?(Z| ?[+-][01][0-9]:?[0-9]{2})?[ 0-9:Zz+年-]{0,2}",
        ) {
            for zone in [Tz::UTC, Tz::Asia__Shanghai] {
                if let Some(plain) = plainly(&text) {
                    proptest::prop_assert_eq!(Some(Ok(plain)), closely(&text, zone), "{}", text);
                }
            }
        }
    }

    #[test]
    fn most_clocks_are_plain() {
        for (text, expected) in [
            (" 10:15", true),
            ("T10:15", true),
            ("T10:15:00Z", true),
            ("T10:15:59+08:00", true),
            (" 10:15:00 -0330", true),
            (" 00:00:00+0000", true),
            (" 24:00", false),
            (" 23:59:60", false),
            (" 10:15:00 GMT", false),
            (" 10:15 PM", false),
            (" 10:15:00.123", false),
            (" 10:15+16:00", false),
            (" 10:15+08:60", false),
            ("10:15", false),
            ("", false),
        ] {
            assert_eq!(plainly(text).is_some(), expected, "{text:?}");
        }
    }
}
