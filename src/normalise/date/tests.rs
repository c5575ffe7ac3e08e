//! The table of forms, and the laws of reading.

use super::{DateError, read};
use crate::model::Precision;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;

const TABLE: &str = include_str!("../../../tests/fixtures/dates/forms.tsv");
const NOW: &str = "2019-12-10T21:00:00+08:00";

fn instant(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// Checks the instant, the precision and, where the text names one, the offset.
fn shown(text: &str, now: &str, zone: Tz) -> String {
    match read(text, instant(now), zone) {
        Ok(reading) => {
            let precision = match reading.precision {
                Precision::Second => "second",
                Precision::Minute => "minute",
                Precision::Day => "day",
            };
            format!("{} {precision}", reading.at.to_utc().to_rfc3339())
        }
        Err(DateError::Empty) => "empty".into(),
        Err(DateError::Unknown) => "unknown".into(),
        Err(DateError::OutOfRange) => "out-of-range".into(),
        Err(DateError::Placeholder) => "placeholder".into(),
    }
}

fn expected(text: &str) -> String {
    match text.split_once(' ') {
        Some((at, precision)) => format!("{} {precision}", instant(at).to_rfc3339()),
        None => text.to_owned(),
    }
}

#[test]
fn every_form_of_the_table() {
    let (mut wrong, mut rows) = (Vec::new(), 0);
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let mut cells = line.split('\t');
        let (text, meant) = (cells.next().unwrap().replace("\\n", "\n"), cells.next().unwrap());
        let found = shown(&text, cells.next().unwrap_or(NOW), Tz::Asia__Shanghai);
        rows += 1;
        if found != expected(meant) {
            wrong.push(format!("{text:?}: {found}, not {meant}"));
        }
    }
    assert!(rows > 380, "{rows} rows");
    assert!(wrong.is_empty(), "{} of {rows}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn zones_decide_what_a_wall_clock_means() {
    let check =
        |text: &str, zone: Tz, meant: &str| assert_eq!(shown(text, NOW, zone), expected(meant), "{text} {zone}");
    check("2019-12-10 20:57", Tz::America__New_York, "2019-12-10T20:57:00-05:00 minute");
    check("2019-07-10 20:57", Tz::America__New_York, "2019-07-10T20:57:00-04:00 minute");
    check("10 Dec 2019 20:57 CST", Tz::America__Chicago, "2019-12-10T20:57:00-06:00 minute");
    check("10 Dec 2019 20:57 CST", Tz::Europe__Berlin, "2019-12-10T20:57:00-06:00 minute");
    check("10 Dec 2019 20:57 CST", Tz::Asia__Taipei, "2019-12-10T20:57:00+08:00 minute");
    // The clock skipped this hour, and showed that one twice.
    check("2019-03-10 02:30", Tz::America__New_York, "2019-03-10T03:30:00-04:00 minute");
    check("2019-11-03 01:30", Tz::America__New_York, "2019-11-03T01:30:00-04:00 minute");
    // Samoa had no 30 December 2011.
    check("2011-12-30", Tz::Pacific__Apia, "2011-12-31T00:00:00+14:00 day");
    // Today differs from zone to zone.
    check("今天", Tz::Pacific__Kiritimati, "2019-12-11T00:00:00+14:00 day");
    check("今天", Tz::Pacific__Pago_Pago, "2019-12-10T00:00:00-11:00 day");
}

#[test]
fn a_megabyte_is_read_in_a_moment() {
    let comments = "(".repeat(1 << 20);
    // The first read of all makes the table of forms.
    let _ = read("soon", instant(NOW), Tz::UTC);
    let start = std::time::Instant::now();
    for text in [comments.clone(), format!("Tue, 10 Dec 2019 {comments}"), "1".repeat(1 << 20), " ".repeat(1 << 20)] {
        let _ = read(&text, instant(NOW), Tz::UTC);
    }
    assert!(start.elapsed().as_millis() < 500, "{:?}", start.elapsed());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in "\\PC{0,60}", near in "[0-9年月日时分秒前周 T:+./-]{0,30}") {
        let _ = read(&text, instant(NOW), Tz::Asia__Shanghai);
        let _ = read(&near, instant(NOW), Tz::America__New_York);
        let _ = read(&format!("{near}{text}"), DateTime::<Utc>::MAX_UTC, Tz::Asia__Shanghai);
        let _ = read(&format!("{near}{text}"), DateTime::<Utc>::MIN_UTC, Tz::Asia__Shanghai);
    }

    #[test]
    fn what_is_written_is_read(seconds in 1_000_000_000_i64..4_000_000_000) {
        let at = DateTime::from_timestamp(seconds, 0).unwrap();
        for text in [at.to_rfc3339(), at.to_rfc2822(), at.format("%Y-%m-%d %H:%M:%SZ").to_string(), at.format("%a %b %e %T UTC %Y").to_string()] {
            prop_assert_eq!(read(&text, instant(NOW), Tz::Asia__Shanghai).map(|reading| reading.at.to_utc()), Ok(at), "{}", text);
        }
    }

    #[test]
    fn a_form_without_a_year_is_never_more_than_a_day_ahead(days in 0_i64..4000, month in 1_u32..=12, day in 1_u32..=28) {
        let now = instant(NOW) + chrono::TimeDelta::days(days);
        let reading = read(&format!("{month:02}-{day:02}"), now, Tz::Asia__Shanghai).unwrap();
        prop_assert!(reading.at <= now + chrono::TimeDelta::days(1));
        prop_assert!(reading.at > now - chrono::TimeDelta::days(367));
    }
}
