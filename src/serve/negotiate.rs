//! Content negotiation: which coding (RFC 9110 section 12.5.3) and which language (section 12.5.4).

use crate::render::Encoding;

/// A quality in thousandths, 0 to 1000; `None` when it is not one (section 12.4.2).
fn quality(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let thousandths = fraction.bytes().chain(*b"000").take(3).fold(0, |sum, b| sum * 10 + u16::from(b - b'0'));
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

/// The members of a list with their qualities. A quality that cannot be read counts as 0: what the client meant
/// is unknown, and not choosing the member is always safe.
fn members(header: &str) -> impl Iterator<Item = (&str, u16)> {
    header.split(',').filter_map(|member| {
        let mut parts = member.split(';').map(str::trim);
        let name = parts.next().filter(|name| !name.is_empty())?;
        let q = parts
            .filter_map(|part| part.split_once('='))
            .find(|(key, _)| key.trim().eq_ignore_ascii_case("q"))
            .map_or(1000, |(_, value)| quality(value.trim()).unwrap_or(0));
        Some((name, q))
    })
}

/// The codings in the order in which equally welcome ones are preferred: smallest first.
const PREFERENCE: [Encoding; 3] = [Encoding::Brotli, Encoding::Zstd, Encoding::Gzip];

/// Chooses a coding out of those `offered`. Without the header, and when nothing offered is welcome, it is
/// identity, as RFC 9110 section 12.5.3 advises.
pub(super) fn coding(header: Option<&str>, offered: impl Fn(Encoding) -> bool) -> Encoding {
    let Some(header) = header else { return Encoding::Identity };
    let (mut named, mut any) = ([None; 4], None);
    for (name, q) in members(header) {
        let slot = match name {
            "*" => &mut any,
            _ if name.eq_ignore_ascii_case("br") => &mut named[Encoding::Brotli as usize],
            _ if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") => {
                &mut named[Encoding::Gzip as usize]
            }
            _ if name.eq_ignore_ascii_case("zstd") => &mut named[Encoding::Zstd as usize],
            _ if name.eq_ignore_ascii_case("identity") => &mut named[Encoding::Identity as usize],
            _ => continue,
        };
        // Said twice: the kinder one.
        *slot = (*slot).max(Some(q));
    }
    let mut best = (named[Encoding::Identity as usize].unwrap_or(0), Encoding::Identity);
    for coding in PREFERENCE.into_iter().rev().filter(|&coding| offered(coding)) {
        let q = named[coding as usize].or(any).unwrap_or(0);
        if q > 0 && q >= best.0 {
            best = (q, coding);
        }
    }
    best.1
}

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// Simplified Chinese.
    Chinese,
    /// English.
    English,
}

impl Language {
    /// The BCP 47 tag.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }
}

/// Chooses a language; `home` (the language of the service) when the client does not care or wants another one.
pub(super) fn language(header: Option<&str>, home: Language) -> Language {
    let mut best = (0, home);
    for (range, q) in header.into_iter().flat_map(members) {
        let primary = range.split('-').next().unwrap_or(range);
        let language = match primary {
            "*" => home,
            _ if primary.eq_ignore_ascii_case("zh") => Language::Chinese,
            _ if primary.eq_ignore_ascii_case("en") => Language::English,
            _ => continue,
        };
        // Equally welcome: the one named first, as browsers mean it.
        if q > best.0 {
            best = (q, language);
        }
    }
    best.1
}

/// The language of the service, told from its tag.
pub(super) fn home(tag: &str) -> Language {
    if tag.get(..2).is_some_and(|primary| primary.eq_ignore_ascii_case("zh")) {
        Language::Chinese
    } else {
        Language::English
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Encoding::{Brotli, Gzip, Identity, Zstd};

    #[test]
    fn codings() {
        let all = |_| true;
        let check = |header: &str, expected| assert_eq!(coding(Some(header), all), expected, "{header:?}");
        assert_eq!(coding(None, all), Identity);
        for (header, expected) in [
            ("", Identity),
            (" ", Identity),
            (",,", Identity),
            ("gzip", Gzip),
            ("GZIP", Gzip),
            ("x-gzip", Gzip),
            ("br", Brotli),
            ("zstd", Zstd),
            ("gzip, deflate, br, zstd", Brotli),
            ("gzip, deflate, zstd", Zstd),
            ("gzip,deflate", Gzip),
            ("deflate", Identity),
            ("compress;q=1, deflate;q=0.9", Identity),
            ("*", Brotli),
            ("*;q=0", Identity),
            ("*;q=0, gzip", Gzip),
            ("br;q=0, *", Zstd),
            ("br;q=0, zstd;q=0, gzip;q=0", Identity),
            ("gzip;q=1.0, br;q=0.5", Gzip),
            ("gzip;q=0.5, br;q=0.5", Brotli),
            ("gzip;q=0.501, br;q=0.5", Gzip),
            ("identity", Identity),
            ("identity;q=1, gzip;q=0.5", Identity),
            ("identity;q=0.5, gzip;q=0.5", Gzip),
            ("identity;q=0, gzip;q=0.001", Gzip),
            ("identity;q=0", Identity),
            ("identity;q=0, *;q=0", Identity),
            ("gzip;q=0", Identity),
            ("gzip;q=2", Identity),
            ("gzip;q=-1", Identity),
            ("gzip;q=abc, br;q=0.1", Brotli),
            ("gzip;q=1.001", Identity),
            ("gzip ; q=1", Gzip),
            ("gzip;Q=0.3;x=y", Gzip),
            ("gzip;q=0, gzip;q=0.2", Gzip),
            ("br;q=\u{ff11}", Identity),
        ] {
            check(header, expected);
        }
    }

    #[test]
    fn what_is_not_offered_is_not_chosen() {
        assert_eq!(coding(Some("br, gzip;q=0.1"), |c| c == Gzip), Gzip);
        assert_eq!(coding(Some("br, zstd"), |c| c == Gzip), Identity);
        assert_eq!(coding(Some("identity;q=0, *"), |_| false), Identity);
    }

    #[test]
    fn languages() {
        use Language::{Chinese, English};
        for (header, home, expected) in [
            (None, Chinese, Chinese),
            (Some(""), English, English),
            (Some("en-GB,en;q=0.9"), Chinese, English),
            (Some("zh-CN,zh;q=0.9,en;q=0.8"), English, Chinese),
            (Some("zh-Hant-TW"), English, Chinese),
            (Some("fr, de;q=0.5"), Chinese, Chinese),
            (Some("fr, en;q=0.1"), Chinese, English),
            (Some("en;q=0, zh"), English, Chinese),
            (Some("*"), Chinese, Chinese),
            (Some("*, en;q=0.9"), Chinese, Chinese),
            (Some("en, zh"), Chinese, English),
        ] {
            assert_eq!(language(header, home), expected, "{header:?}");
        }
        assert_eq!(super::home("ZH-cn"), Chinese);
        assert_eq!(super::home("e"), English);
    }
}
