//! Checks of single values: what is wrong with a selector, a pattern, an address, a zone. Pure; each answers
//! with what the diagnostic shall say.

use super::suggest::nearest;
use chrono_tz::{TZ_VARIANTS, Tz};
use std::path::Path;
use std::time::Duration;
use url::Url;

/// What is wrong, and what to do.
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) help: Option<String>,
}

pub(super) fn fault(message: impl Into<String>, help: impl Into<String>) -> Fault {
    Fault { message: message.into(), help: Some(help.into()) }
}

/// The checks that other rooms of the house carry out.
#[derive(Debug, Clone, Copy)]
pub struct Validators {
    /// Whether a string is a CSS selector of the DOM crate; the error says what is wrong.
    pub selector: fn(&str) -> Result<(), String>,
    /// Whether a file that feeds.yaml names can be read; the error says why not.
    pub file: fn(&Path, &Path) -> Result<(), String>,
}

impl Default for Validators {
    /// Checks that need no DOM and look at no file: brackets and quotes are in pairs.
    fn default() -> Self {
        Self { selector, file: |_, _| Ok(()) }
    }
}

/// Whether brackets, quotes and combinators of a CSS selector are complete. Not a CSS parser.
///
/// # Errors
/// What is wrong, in one line.
pub fn selector(css: &str) -> Result<(), String> {
    let mut open = Vec::new();
    let mut quote = None;
    let mut characters = css.chars();
    while let Some(c) = characters.next() {
        match (c, quote) {
            ('\\', _) => {
                characters.next();
            }
            (c, Some(q)) if c == q => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            ('[', None) => open.push(']'),
            ('(', None) => open.push(')'),
            (']' | ')', None) if open.pop() != Some(c) => return Err(format!("`{c}` closes nothing")),
            ('{' | '}' | ';', None) => return Err(format!("`{c}` may not stand in a selector")),
            _ => {}
        }
    }
    if let Some(quote) = quote {
        return Err(format!("the quote {quote} is not closed"));
    }
    if let Some(missing) = open.pop() {
        return Err(format!("`{missing}` is missing"));
    }
    let text = css.trim();
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    if text.starts_with(',') || text.ends_with([',', '>', '+', '~']) {
        return Err("something is missing beside `,` or a combinator".to_owned());
    }
    Ok(())
}

/// The longest regular expression, in bytes; the compiled program may take 1 MiB.
const MAX_PATTERN: usize = 1000;

/// Compiles `pattern` under limits and looks for the named groups.
pub(super) fn pattern(pattern: &str, groups: &[&str]) -> Result<(), Fault> {
    if pattern.is_empty() {
        return Err(fault("the regular expression is empty", "leave the key out"));
    }
    if pattern.len() > MAX_PATTERN {
        let message = format!("the regular expression is longer than {MAX_PATTERN} bytes");
        return Err(fault(message, "write a shorter one"));
    }
    let compiled = regex::RegexBuilder::new(pattern).size_limit(1 << 20).dfa_size_limit(1 << 20).nest_limit(50).build();
    let regex = match compiled {
        Ok(regex) => regex,
        Err(regex::Error::CompiledTooBig(_)) => {
            return Err(fault("the regular expression is too big when compiled", "use smaller repetitions"));
        }
        Err(error) => return Err(bad_pattern(&error.to_string())),
    };
    let has = |group: &&&str| regex.capture_names().flatten().any(|name| name == **group);
    let missing: Vec<String> =
        groups.iter().filter(|group| !has(group)).map(|group| format!("(?<{group}>…)")).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let message = format!("the regular expression lacks the named group{}", if missing.len() > 1 { "s" } else { "" });
    Err(fault(format!("{message} {}", missing.join(" ")), "such as '(?<y>\\d{4})' for the year"))
}

/// The regex crate explains over several lines; the last one says what is wrong.
fn bad_pattern(error: &str) -> Fault {
    let reason = error.lines().last().unwrap_or(error).trim_start_matches("error: ");
    let message = format!("bad regular expression: {reason}");
    match reason {
        r if r.contains("look-around") || r.contains("backreference") => {
            fault(message, "the syntax is that of Rust's regex crate, which always takes linear time")
        }
        _ => Fault { message, help: None },
    }
}

/// An absolute http or https address with a host and without credentials.
pub(super) fn address(text: &str) -> Result<Url, Fault> {
    const HELP: &str = "write a whole address, such as https://example.org/news/";
    let url = Url::parse(text).map_err(|error| fault(format!("{text:?} is not an address: {error}"), HELP))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(fault(format!("the address starts with `{}:`, not http: or https:", url.scheme()), HELP));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(fault("an address may not hold a user name or password", "remove what stands before the `@`"));
    }
    Ok(url)
}

/// The address that everything published starts with; gets its `/`.
pub(super) fn base_url(text: &str) -> Result<Url, Fault> {
    let mut url = address(text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(fault("base_url may not have a query or a fragment", "remove the `?` or `#` and what follows it"));
    }
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

/// A zone of the IANA database.
pub(super) fn zone(text: &str) -> Result<Tz, Fault> {
    text.parse().map_err(|_| {
        let message = format!("there is no time zone {text:?}");
        match nearest(text, TZ_VARIANTS.iter().map(|zone| zone.name())) {
            Some(zone) => fault(message, format!("did you mean `{zone}`?")),
            None => fault(message, "use a name of the IANA database, such as Asia/Shanghai"),
        }
    })
}

/// A language tag as far as BCP 47 (RFC 5646 section 2.1) can be checked without its registry.
pub(super) fn language(text: &str) -> Result<(), Fault> {
    let mut parts = text.split('-');
    let first = parts.next().unwrap_or_default();
    let good = text.len() <= 35
        && (2..=8).contains(&first.len())
        && first.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    if good {
        return Ok(());
    }
    let help = match text.replace('_', "-") {
        other if other != text && language(&other).is_ok() => format!("did you mean `{other}`?"),
        _ => "write a BCP 47 tag, such as zh-CN or en".to_owned(),
    };
    Err(fault(format!("{text:?} is not a language tag"), help))
}

const INTERVAL_HELP: &str = "write a whole number and s, m, h or d, such as 15m";

/// A whole number and a unit, in seconds.
fn seconds(text: &str) -> Option<u64> {
    [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)].into_iter().find_map(|(unit, factor)| {
        let number = text.strip_suffix(unit)?;
        let number = number.bytes().all(|b| b.is_ascii_digit()).then(|| number.parse::<u64>().ok())??;
        number.checked_mul(factor)
    })
}

/// `30s`, `15m`, `2h`, `1d`; 10 seconds to 7 days.
pub(super) fn interval(text: &str) -> Result<Duration, Fault> {
    let seconds = seconds(text);
    let Some(seconds) = seconds else { return Err(fault(format!("{text:?} is not an interval"), INTERVAL_HELP)) };
    if (10..=7 * 86_400).contains(&seconds) {
        return Ok(Duration::from_secs(seconds));
    }
    Err(fault(format!("the interval {text} is out of range"), "choose one from 10s to 7d"))
}

/// A rung of the ladder of duplicates.
pub(super) fn rung(text: &str) -> Result<crate::model::Rung, Fault> {
    let known = crate::model::Rung::ALL.into_iter().find(|rung| rung.name() == text);
    known.ok_or_else(|| fault(format!("{text:?} is no evidence of duplicates"), "choose among id, link, title, text"))
}

/// A span of time, 1 minute to 3650 days, in seconds.
pub(super) fn span(text: &str) -> Result<Duration, Fault> {
    let seconds = seconds(text).ok_or_else(|| fault(format!("{text:?} is not a span of time"), INTERVAL_HELP))?;
    if (60..=3650 * 86_400).contains(&seconds) {
        return Ok(Duration::from_secs(seconds));
    }
    Err(fault(format!("the span {text} is out of range"), "choose one from 1m to 3650d"))
}

/// A name of a layout, channel or feed, by the rules of `model::name`.
pub(super) fn name(text: &str) -> Result<(), Fault> {
    if text.parse::<crate::model::FeedId>().is_ok() {
        return Ok(());
    }
    let message = format!("{text:?} is not a name");
    let mended: String = text
        .trim()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '-' })
        .collect();
    let mended = mended.trim_matches(['-', '_']);
    if text.is_ascii() && mended.parse::<crate::model::FeedId>().is_ok() {
        return Err(fault(message, format!("did you mean `{mended}`?")));
    }
    let help = "a name is 1 to 64 characters of a-z, 0-9, '-' and '_' and starts with a letter or digit";
    Err(fault(message, help))
}

/// The template of a numbered next page.
pub(super) fn template(text: &str) -> Result<(), Fault> {
    const HELP: &str = "such as '{base}_{n}.shtml' or 'https://example.org/index_{n}.json'";
    if !text.contains("{n}") {
        return Err(fault("the address of the next page lacks `{n}`, the page's number", HELP));
    }
    let rest = text.strip_prefix("{base}").unwrap_or(text).replace("{n}", "2");
    if rest.contains("{base}") {
        return Err(fault("`{base}` may stand only at the start of the address", HELP));
    }
    if rest.contains(['{', '}']) {
        return Err(fault("only `{n}` and `{base}` may stand in braces", HELP));
    }
    if !text.starts_with("{base}") && rest.contains("://") {
        address(&rest)?;
    }
    Ok(())
}

/// The parts `select` and `attribute` of the short form of a field: `selector`, `selector @attribute`, `@attribute`.
pub(super) fn split_field(text: &str) -> (&str, Option<&str>) {
    let text = text.trim();
    let is_attribute = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.'))
    };
    match text.rsplit_once('@') {
        Some((before, name)) if is_attribute(name) && (before.is_empty() || before.ends_with(char::is_whitespace)) => {
            (before.trim_end(), Some(name))
        }
        _ => (text, None),
    }
}

/// A network in CIDR notation, or one address.
pub(super) fn network(text: &str) -> Result<ipnet::IpNet, Fault> {
    let single = || text.parse::<std::net::IpAddr>().ok().map(ipnet::IpNet::from);
    text.parse().ok().or_else(single).ok_or_else(|| {
        fault(format!("{text:?} is not a network"), "write it in CIDR notation, such as 10.0.0.0/8 or fd00::/8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_and_their_limits() {
        for (text, seconds) in [("10s", Some(10)), ("9s", None), ("15m", Some(900)), ("168h", Some(604_800))] {
            assert_eq!(interval(text).ok().map(|found| found.as_secs()), seconds, "{text}");
        }
        for bad in ["7d1s", "604801s", "8d", "", "s", "-1m", "+20s", "1.5h", "99999999999999999999d", "15 m", "一m"] {
            assert!(interval(bad).is_err(), "{bad}");
        }
        assert!(interval("7d").is_ok());
    }

    #[test]
    fn fields_are_split_at_their_attribute() {
        for (text, expected) in [
            ("h3 > a @href", ("h3 > a", Some("href"))),
            ("@data-id", ("", Some("data-id"))),
            ("a", ("a", None)),
            ("", ("", None)),
            ("a[title='x @y']", ("a[title='x @y']", None)),
            ("a@href", ("a@href", None)),
            ("a @", ("a @", None)),
        ] {
            assert_eq!(split_field(text), expected, "{text}");
        }
    }

    #[test]
    fn selectors_languages_and_addresses() {
        for (text, good) in
            [("li[id^=\"li_]\"]", true), ("a:has(> b)", true), ("a)", false), ("", false), (", a", false)]
        {
            assert_eq!(selector(text).is_ok(), good, "{text}");
        }
        for (text, good) in [("zh-Hans-CN", true), ("x", false), ("zh-", false), ("123", false), ("en", true)] {
            assert_eq!(language(text).is_ok(), good, "{text}");
        }
        assert_eq!(base_url("https://a.example/b").ok().map(String::from).as_deref(), Some("https://a.example/b/"));
        for bad in ["http://a.example/#f", "http://", "javascript:1", "http://u@a.example/"] {
            assert!(base_url(bad).is_err(), "{bad}");
        }
    }
}
