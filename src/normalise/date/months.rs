//! The names of months, and years of two digits.

use super::DateError;
use regex::Captures;
use std::collections::HashMap;
use std::sync::LazyLock;

/// A month's name or its short form in English; the others are brought into English by [`in_english`]. `ago` is the
/// Spanish August only between numbers: two days ago it is not.
pub(super) const MONTHS: &str = r"(?i:(?<mon>jan|feb|mar|apr|may|jun|jul|aug|ago|sep|oct|nov|dec)(?:uary|ruary|ch|il|e|y|ust|t|tember|ober|ember)?\b\.?)";

/// What [`MONTHS`] knows, in the order of the year, each with the names and short forms that feeds write in German, French,
/// Italian, Spanish, Portuguese, Dutch, Polish and Russian, in lower case and in the case that stands behind a day.
const NAMES: [(&str, &str); 12] = [
    ("jan", "januar jänner januari janvier janv janeiro enero ene gennaio gen styczeń stycznia январь января янв"),
    (
        "feb",
        "februar februari février fevrier févr fevr fév fev febrero febbraio fevereiro luty lutego февраль февраля фев февр",
    ),
    ("mar", "märz mär maerz mrz mars marzo março marco maart mrt marzec marca март марта мар"),
    ("apr", "avril avr aprile abril abr kwiecień kwietnia апрель апреля апр"),
    ("may", "mai maggio mag mayo maio mei maj maja май мая"),
    ("jun", "juni juin giugno giu junio junho czerwiec czerwca июнь июня июн"),
    ("jul", "juli juillet juil luglio lug julio julho lipiec lipca июль июля июл"),
    ("aug", "août aout aoû agosto augustus sierpień sierpnia август августа авг"),
    ("sep", "septembre settembre septiembre setembro set wrzesień września сентябрь сентября сен сент"),
    ("oct", "okt oktober octobre ottobre ott octubre outubro out październik października октябрь октября окт"),
    ("nov", "novembre noviembre novembro listopad listopada ноябрь ноября ноя нояб"),
    ("dec", "dez dezember décembre decembre déc dicembre dic diciembre dezembro grudzień grudnia декабрь декабря дек"),
];

static FOREIGN: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    NAMES.iter().flat_map(|(english, names)| names.split(' ').map(move |name| (name, *english))).collect()
});
/// The longest name has 24 bytes.
const LONGEST: usize = 24;

/// The text with the names of months in English.
pub(super) fn in_english(text: String) -> String {
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    while let Some(start) = text[at..].find(char::is_alphabetic).map(|found| at + found) {
        let end = text[start..].find(|c: char| !c.is_alphabetic()).map_or(text.len(), |found| start + found);
        at = end;
        if !(3..=LONGEST).contains(&(end - start)) {
            continue;
        }
        if let Some(english) = FOREIGN.get(text[start..end].to_lowercase().as_str()) {
            out.push_str(&text[copied..start]);
            out.push_str(english);
            copied = end;
        }
    }
    if copied == 0 {
        return text;
    }
    out + &text[copied..]
}

/// The number of the month that [`MONTHS`] found.
pub(super) fn month(found: &Captures<'_>) -> Result<u32, DateError> {
    let name = found["mon"].to_ascii_lowercase();
    let name = if name == "ago" { "aug" } else { &name };
    let at = NAMES.iter().position(|(english, _)| *english == name);
    at.and_then(|at| u32::try_from(at + 1).ok()).ok_or(DateError::OutOfRange)
}

/// Two-digit years as in RFC 2822 section 4.3, but 70 and above are of the last century.
pub(super) fn century(year: i32) -> i32 {
    match year {
        0..=69 => year + 2000,
        // RFC 2822: three digits count from 1900.
        70..=199 => year + 1900,
        _ => year,
    }
}
