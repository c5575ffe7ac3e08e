//! The forms, from the least doubtful to the most.

use super::clock::{Clock, clock};
use super::months::{MONTHS, century, month};
use super::numbers;
use super::plain::pattern;
use super::{DateError, Here, Reading};
use crate::model::Precision;
use chrono::{Datelike, Days, Months, NaiveDate, TimeDelta};
use regex::{Captures, Regex};
use std::sync::LazyLock;

type Form = fn(&str, Here) -> Option<Result<Reading, DateError>>;

/// Every form in the order in which they are tried; `None`: it does not fit.
pub(super) const ALL: &[Form] = &[
    year_first,
    english,
    english_month_first,
    asctime,
    year_and_month,
    comma_behind_day,
    numbers::digits_only,
    numbers::day_first,
    numbers::time_first,
    relative,
    near_day,
    weekday,
    no_year,
    day_and_month,
    numbers::short_year,
    numbers::coarse,
    month_and_year,
];

/// What may stand before a date that must stand at the start: brackets and a label.
pub(super) const LABEL: &str = r"^[ \[(<'\x22*·•:|-]*(?:(?:(?:最后|首次)?(?:发布|发表|更新|编辑|修改|创建|上传|出版|刊发|来稿)?(?:时间|日期|于|時間)|(?i:published|posted|updated|date|on)) ?(?:on|at)? ?[::]? ?)?";

/// A weekday in English.
pub(super) const WEEKDAY_NAME: &str = "(?i:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6})";

pub(super) fn at(year: i32, month: u32, day: u32) -> Result<NaiveDate, DateError> {
    NaiveDate::from_ymd_opt(year, month, day).ok_or(DateError::OutOfRange)
}

pub(super) fn number<T: std::str::FromStr>(found: &Captures<'_>, name: &str) -> Result<T, DateError> {
    found.name(name).and_then(|digits| digits.as_str().parse().ok()).ok_or(DateError::OutOfRange)
}

/// A day and what stands behind it.
pub(super) fn day_and_rest(day: Result<NaiveDate, DateError>, rest: &str, here: Here) -> Result<Reading, DateError> {
    here.on(day?, clock(rest, here.zone).transpose()?)
}

/// Behind a doubtful form without a time there must be an end: white space, punctuation, nothing.
pub(super) fn ends(rest: &str) -> bool {
    let goes_on = rest.starts_with(['-', '.', '/', ':', '%']) && rest[1..].starts_with(|c: char| c.is_ascii_digit());
    !goes_on && !rest.starts_with(char::is_alphanumeric)
}

static YEAR_FIRST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?<y>\d{4})(?:(?<s1>[-/.])(?<m1>\d{1,2})(?<s2>[-/.])| ?年 ?(?<m2>\d{1,2}) ?[月/-] ?)(?:(?<d3>\d{1,2})(?<glued>\d{2}:)|(?<d>\d{1,2}))(?<unit> ?[日号號])?",
    )
});

/// `2019-12-10 20:57:50`, `2019/7/1`, `2019.03.25`, `2019年12月10日20时57分`, ISO 8601 and RFC 3339: anywhere.
fn year_first(text: &str, here: Here) -> Option<Result<Reading, DateError>> {
    let mut error = None;
    for found in YEAR_FIRST.captures_iter(text) {
        let whole = found.get(0)?;
        let chinese = found.name("m2").is_some();
        let mut rest = &text[whole.end()..];
        if let Some(glued) = found.name("glued") {
            rest = &text[glued.start()..];
        }
        if !chinese && (found["s1"] != found["s2"] || is_inside_word(&text[..whole.start()])) {
            continue;
        }
        let time = clock(rest, here.zone);
        if text[..whole.start()].ends_with(|c: char| c.is_ascii_digit())
            || time.is_none() && !chinese && cut_short(rest)
        {
            continue;
        }
        if chinese && rest.starts_with(|c: char| c.is_ascii_digit()) && time.is_none() {
            continue;
        }
        let read = (|| {
            let month = number(&found, if chinese { "m2" } else { "m1" })?;
            let day = number(&found, if found.name("d").is_some() { "d" } else { "d3" })?;
            here.on(at(number(&found, "y")?, month, day)?, time.transpose()?)
        })();
        match read {
            Ok(reading) => return Some(Ok(reading)),
            Err(why) => error = error.or(Some(Err(why))),
        }
    }
    error
}

/// Part of an address, of an id, of a version.
fn is_inside_word(before: &str) -> bool {
    before.ends_with(|c: char| c.is_ascii_alphanumeric() || "-./_=%".contains(c)) && !before.ends_with(" -")
}

/// Whether the day's digits go on into something else.
fn cut_short(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_ascii_digit() || c == '_')
        || rest.starts_with(['-', '.', '/']) && rest[1..].starts_with(|c: char| c.is_ascii_alphanumeric())
}

static ENGLISH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?:^|[^\d\w])(?<d>\d{{1,2}})(?:st|nd|rd|th|\.)?[ -]*(?:of |de )?{MONTHS},?(?: del?)?(?<gap>[ -]*)(?<y>\d{{2,4}})\b(?<rest>.*)$"
    ))
});

/// RFC 822 and its relatives: `Tue, 10 Dec 2019 20:57:50 +0800`, `10th December 2019`, `10-Dec-19`.
fn english(text: &str, here: Here) -> Option<Result<Reading, DateError>> {
    let found = ENGLISH.captures(text)?;
    let (year, rest) = (&found["y"], &found["rest"]);
    // `23 Nov 16:44`: no year is written, and this is the hour.
    let is_hour = year.len() == 2
        && !found["gap"].ends_with('-')
        && rest.starts_with([':', '.'])
        && rest[1..].starts_with(|c: char| c.is_ascii_digit());
    if is_hour {
        return None;
    }
    let day = (|| at(century(number(&found, "y")?), month(&found)?, number(&found, "d")?))();
    Some(day_and_rest(day, rest, here))
}

static COMMA: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"{LABEL}(?:{WEEKDAY_NAME}, ?(?<d>\d{{1,2}}),|(?<d1>\d{{1,2}}) {WEEKDAY_NAME},) ?{MONTHS} (?<y>\d{{4}})\b(?<rest>.*)$"
    ))
});

/// `Sat, 23, Nov 2019`, `23 Saturday, Nov 2019`: without the weekday the number could be anything.
fn comma_behind_day(text: &str, here: Here) -> Option<Result<Reading, DateError>> {
    let found = COMMA.captures(text)?;
    let day = number(&found, "d").or_else(|_| number(&found, "d1"));
    let day = (|| at(number(&found, "y")?, month(&found)?, day?))();
    Some(day_and_rest(day, &found["rest"], here))
}

static MONTH_FIRST: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(r"(?:^|[^\w]){MONTHS} ?(?<d>\d{{1,2}})(?:st|nd|rd|th)?(?: ?,| ) ?(?<y>\d{{4}})\b(?<rest>.*)$"))
});

/// `December 10, 2019 at 8:57 PM`, `Tue Dec 10 2019 20:57:50 GMT+0800 (CST)`.
fn english_month_first(text: &str, here: Here) -> Option<Result<Reading, DateError>> {
    let found = MONTH_FIRST.captures(text)?;
    let day = (|| at(number(&found, "y")?, month(&found)?, number(&found, "d")?))();
    Some(day_and_rest(day, &found["rest"], here))
}

static ASCTIME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?:^|[^\w]){MONTHS} (?<d>\d{{1,2}}) (?<time>\d{{1,2}}:\d{{2}}(?::\d{{2}})?)(?<zone>(?: [A-Za-z]{{1,5}}| [+-]\d{{4}})?) (?<y>\d{{4}})(?<after> (?:[+-]\d{{2}}:?\d{{2}}|[A-Za-z_/]+))?"
    ))
});

/// `Tue Dec 10 20:57:50 2019`, also with the zone before or behind the year.
fn asctime(text: &str, here: Here) -> Option<Result<Reading, DateError>> {
    let found = ASCTIME.captures(text)?;
    let day = (|| at(number(&found, "y")?, month(&found)?, number(&found, "d")?))();
    let (before, behind) = (&found["zone"], found.name("after").map_or("", |zone| zone.as_str()));
    // Behind a zone only an offset is another one; a word is not.
    let is_offset = behind.ends_with(|c: char| c.is_ascii_digit());
    let zone = if before.is_empty() || is_offset { behind } else { before };
    Some(day_and_rest(day, &format!(" {}{zone}", &found["time"]), here))
}

static YEAR_AND_MONTH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(r"{LABEL}(?<y>\d{{4}}),? {MONTHS} (?<d>\d{{1,2}})(?:st|nd|rd|th)?\b(?<rest>.*)$"))
});

/// `2019 November 23`.
fn year_and_month(text: &str, here: Here) -> Option<Result<Reading, DateError>> {
    let found = YEAR_AND_MONTH.captures(text)?;
    let day = (|| at(number(&found, "y")?, month(&found)?, number(&found, "d")?))();
    Some(day_and_rest(day, &found["rest"], here))
}

static MONTH_AND_YEAR: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"^{MONTHS},?(?: del?)? (?<y>(?:19|20)\d{{2}})$")));

/// The whole text is `November 2019`: its first day.
fn month_and_year(text: &str, here: Here) -> Option<Result<Reading, DateError>> {
    let found = MONTH_AND_YEAR.captures(text)?;
    let day = (|| at(number(&found, "y")?, month(&found)?, 1))();
    Some(day_and_rest(day, "", here))
}

static NOW: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!("{LABEL}(?:刚刚|刚才|剛剛|(?i:just now|right now|now))(?<rest>.*)$")));
static AGO: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"{LABEL}(?:大约|约|大概|(?i:about|over|almost) )? ?(?<n>\d{{1,6}}|半|(?i:an?|one|a few)\b) ?(?:个|個)? ?(?<half>半)?(?<unit>秒钟|秒|分钟|分鐘|分|小时|小時|钟头|天|日|周|星期|礼拜|月|年|(?i:seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?|[smhd])\b)(?: ?(?:之|以)?前|(?i: ago))(?<rest>.*)$"
    ))
});

/// `刚刚`, `5小时前`, `约23小时前`, `半小时前`, `2 hours ago`.
fn relative(text: &str, here: Here) -> Option<Result<Reading, DateError>> {
    let local = here.now.with_timezone(&here.zone).fixed_offset();
    let (at, precision) = if let Some(found) = NOW.captures(text).filter(|found| ends(&found["rest"])) {
        let _ = found;
        (Some(local), Precision::Second)
    } else {
        let found = AGO.captures(text).filter(|found| ends(&found["rest"]))?;
        let half = &found["n"] == "半";
        let count: u32 = if half { 0 } else { found["n"].parse().unwrap_or(1) };
        let halves = i64::from(count) * 2 + i64::from(half || found.name("half").is_some());
        let seconds = match found["unit"].to_ascii_lowercase().as_str() {
            "秒钟" | "秒" | "second" | "seconds" | "sec" | "secs" | "s" => 1,
            "分钟" | "分鐘" | "分" | "minute" | "minutes" | "min" | "mins" | "m" => 60,
            "小时" | "小時" | "钟头" | "hour" | "hours" | "hr" | "hrs" | "h" => 3600,
            "天" | "日" | "day" | "days" | "d" => 86_400,
            "周" | "星期" | "礼拜" | "week" | "weeks" => 7 * 86_400,
            "月" | "month" | "months" if !half => 0,
            "月" => 30 * 86_400,
            _ if !half => -1,
            _ => 182 * 86_400,
        };
        let at = match seconds {
            0 => local.checked_sub_months(Months::new(count)),
            -1 => local.checked_sub_months(Months::new(count.checked_mul(12)?)),
            _ => local.checked_sub_signed(TimeDelta::try_seconds(halves * seconds / 2)?),
        };
        (at, if seconds == 1 { Precision::Second } else { Precision::Minute })
    };
    Some(at.map(|at| Reading { at, precision, relative: true }).ok_or(DateError::OutOfRange))
}

static NEAR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"{LABEL}(?<day>今天|今日|昨天|昨日|前天|前日|大前天|今早|今晨|今晚|昨晚|昨夜|前晚|(?i:today|yesterday)\b)(?<rest>.*)$"
    ))
});

/// `昨天 22:17`, `今天20:58`, `昨晚8点`, `前天`.
fn near_day(text: &str, here: Here) -> Option<Result<Reading, DateError>> {
    let found = NEAR.captures(text)?;
    let name = found["day"].to_lowercase();
    let back = if name.starts_with('大') {
        3
    } else if name.starts_with('前') {
        2
    } else {
        u64::from(name.starts_with(['昨', 'y']))
    };
    // 晚 and 早 belong to the clock: 昨晚8点.
    let half = name.chars().last().filter(|c| "晚夜早".contains(*c)).map_or(String::new(), String::from);
    let rest = format!("{half}{}", &found["rest"]);
    let time = clock(&rest, here.zone);
    if time.is_none() && !ends(&found["rest"]) {
        return None;
    }
    let day = here.today().checked_sub_days(Days::new(back)).ok_or(DateError::OutOfRange);
    Some(relatively(day.and_then(|day| here.on(day, time.transpose()?))))
}

fn relatively(read: Result<Reading, DateError>) -> Result<Reading, DateError> {
    read.map(|reading| Reading { relative: true, ..reading })
}

static WEEKDAY: LazyLock<Regex> =
    LazyLock::new(|| pattern(&format!(r"{LABEL}(?<last>上)?(?:个)?周(?<n>[1-7]) ?(?<rest>.*)$")));

/// `周五下午3点`: the most recent such day; `上周五`: of the week before this one.
fn weekday(text: &str, here: Here) -> Option<Result<Reading, DateError>> {
    let found = WEEKDAY.captures(text)?;
    let time = clock(&found["rest"], here.zone);
    if time.is_none() && !ends(&found["rest"]) {
        return None;
    }
    let (today, wanted) = (here.today(), found["n"].parse::<u32>().ok()? - 1);
    let ahead = today.weekday().num_days_from_monday();
    let back = if found.name("last").is_some() { ahead + 7 - wanted } else { (ahead + 7 - wanted) % 7 };
    let on = |back: u32| {
        let day = today.checked_sub_days(Days::new(back.into())).ok_or(DateError::OutOfRange)?;
        here.on(day, time.transpose()?)
    };
    let read = match on(back) {
        Ok(reading) if reading.at > here.now => on(back + 7),
        read => read,
    };
    Some(relatively(read))
}

static NO_YEAR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"{LABEL}(?:周\d ?)?(?:(?<m>\d{{1,2}}) ?月 ?(?<d>\d{{1,2}})(?<unit> ?[日号號])?|(?<m1>\d{{1,2}})[-/](?<d1>\d{{1,2}})|(?:{WEEKDAY_NAME}[., ]+)?{MONTHS} (?<d2>\d{{1,2}})(?:st|nd|rd|th)?,?)(?<rest>.*)$"
    ))
});

/// `07-02 20:40`, `[12/10]`, `03月05日`, `Dec 10`: of the most recent year in which it lies at most a day ahead.
fn no_year(text: &str, here: Here) -> Option<Result<Reading, DateError>> {
    let found = NO_YEAR.captures(text)?;
    let rest = &found["rest"];
    let time = clock(rest, here.zone);
    if found.name("unit").is_none() && rest.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let two_digits = found.name("m1").is_none_or(|m| m.len() == 2 && found.name("d1").is_some_and(|d| d.len() == 2));
    let sure = found.name("unit").is_some() && !rest.starts_with(['-', '至', '到']);
    if time.is_none() && !sure && (!two_digits || !ends(rest)) {
        return None;
    }
    let part = |names: [&str; 2]| {
        names.iter().find_map(|name| found.name(name)).and_then(|part| part.as_str().parse::<u32>().ok())
    };
    let month =
        if found.name("mon").is_some() { month(&found) } else { part(["m", "m1"]).ok_or(DateError::OutOfRange) };
    let day = part(["d", "d1"]).or_else(|| found.name("d2")?.as_str().parse().ok()).ok_or(DateError::OutOfRange);
    Some((|| latest(here, month?, day?, time.transpose()?))())
}

/// The day in the most recent year in which it lies at most a day ahead.
fn latest(here: Here, month: u32, day: u32, time: Option<Clock>) -> Result<Reading, DateError> {
    // Eight years, since 29 February may be that far back.
    let this_year = here.today().year() + 1;
    let latest = here.now + TimeDelta::days(1);
    (0..=9)
        .filter_map(|back| here.on(NaiveDate::from_ymd_opt(this_year - back, month, day)?, time).ok())
        .find(|reading| reading.at <= latest)
        .ok_or(DateError::OutOfRange)
}

static DAY_AND_MONTH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"{LABEL}(?:{WEEKDAY_NAME}[., ]+)?(?<d>\d{{1,2}})(?:st|nd|rd|th|\.)? ?(?:of |de )?{MONTHS},?(?<rest>(?:[ T]\D{{0,12}}\d{{1,2}}[:.]\d.*)?)$"
    ))
});

/// `23 Nov 16:44`, `23 Nov`: as [`no_year`]. Without a time it must be the whole text: `3 may …` begins a sentence, too.
fn day_and_month(text: &str, here: Here) -> Option<Result<Reading, DateError>> {
    let found = DAY_AND_MONTH.captures(text)?;
    let time = clock(&found["rest"], here.zone);
    if time.is_none() && !found["rest"].is_empty() {
        return None;
    }
    Some((|| latest(here, month(&found)?, number(&found, "d")?, time.transpose()?))())
}
