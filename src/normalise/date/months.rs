//! The names of months, and years of two digits.

use super::DateError;
use regex::Captures;

/// A month's name or its short form in English, German, French, Italian, Spanish and Portuguese.
pub(super) const MONTHS: &str = "(?i:(?<mon>jan|feb|fév|fev|mar|mär|mrz|apr|avr|abr|may|mai|mag|jun|juin|jul|juil|aug|aoû|ago|sep|oct|okt|ott|out|nov|dec|dez|déc|dic)(?:uary|uar|vier|ruary|ruar|rier|ch|[sz]|il|e|y|i|io|t|tember|tembre|tiembre|ober|obre|ubre|ember|embre|iembre|ust|let)?\\b\\.?)";

/// The number of the month that [`MONTHS`] found.
pub(super) fn month(found: &Captures<'_>) -> Result<u32, DateError> {
    let name = found["mon"].to_lowercase();
    Ok(match name.as_str() {
        "jan" => 1,
        "feb" | "fév" | "fev" => 2,
        "mar" | "mär" | "mrz" => 3,
        "apr" | "avr" | "abr" => 4,
        "may" | "mai" | "mag" => 5,
        "jun" | "juin" => 6,
        "jul" | "juil" => 7,
        "aug" | "aoû" | "ago" => 8,
        "sep" => 9,
        "oct" | "okt" | "ott" | "out" => 10,
        "nov" => 11,
        "dec" | "dez" | "déc" | "dic" => 12,
        _ => return Err(DateError::OutOfRange),
    })
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
