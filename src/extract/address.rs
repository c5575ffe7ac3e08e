//! Addresses: resolving, what an address tells about its entry, and the next page.

use super::dom::{Page, Selector};
use super::pattern::compiled;
use crate::model::{DateRung, NextPage, ParsedFeed, RawDate, UrlRules};
use chrono::{NaiveDate, NaiveTime};
use regex::{Captures, Regex};
use std::sync::Arc;
use url::Url;

/// Longest address that is taken over, in bytes (RFC 9110 section 4.1 asks for at least 8,000).
const LONGEST: usize = 8000;
/// Longest `<base href>`, in bytes: it is repeated in every address of the page. The same as for `xml:base`.
const LONGEST_BASE: usize = 2048;

/// The base for relative addresses: `<base href>` if there is a sensible one, else the page's own address.
pub(super) fn base_of(page: &Page, url: &Url) -> Url {
    let href = Selector::new("base[href]")
        .ok()
        .and_then(|selector| page.root().first(&selector))
        .and_then(|node| node.attribute("href"))
        .filter(|href| href.len() <= LONGEST_BASE);
    href.and_then(|href| url.join(href.trim()).ok()).filter(is_web).unwrap_or_else(|| url.clone())
}

/// Resolves an address against its base; `None` when it is not http or https, or only a script or an anchor.
pub(super) fn resolve(base: &Url, href: &str) -> Option<Url> {
    let href = super::text::trim(href);
    if href.is_empty() || href.starts_with('#') || href.len() > LONGEST {
        return None;
    }
    // `//32847/32847.shtml` on the portal is a path with a slash too many: no host is a bare number.
    let authority = href.strip_prefix("//").and_then(|rest| rest.split('/').next());
    let href =
        if authority.is_some_and(|host| host.bytes().all(|byte| byte.is_ascii_digit())) { &href[1..] } else { href };
    let mut url = base.join(href).ok().filter(is_web)?;
    if url.path().contains("//") {
        let mut path = String::with_capacity(url.path().len());
        for c in url.path().chars() {
            if c != '/' || !path.ends_with('/') {
                path.push(c);
            }
        }
        url.set_path(&path);
    }
    Some(url)
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host() && url.as_str().len() <= LONGEST
}

/// [`UrlRules`] with their patterns compiled.
#[derive(Default)]
pub(super) struct Rules {
    identity: Option<Arc<Regex>>,
    stamp: Option<Arc<Regex>>,
    day: Option<Arc<Regex>>,
    only: Option<Arc<Regex>>,
}

impl Rules {
    pub(super) fn new(rules: &UrlRules) -> Self {
        let compile = |pattern: &Option<String>| pattern.as_deref().and_then(compiled);
        Self {
            identity: compile(&rules.identity),
            stamp: compile(&rules.stamp),
            day: compile(&rules.day),
            only: compile(&rules.only),
        }
    }

    /// Whether a link may become an entry.
    pub(super) fn admits(&self, url: &Url) -> bool {
        self.only.as_ref().is_none_or(|only| only.is_match(url.as_str()))
    }

    /// All groups of the identity pattern joined by `/`, or its whole match when it has no groups.
    pub(super) fn identity(&self, url: &Url) -> Option<String> {
        let found = self.identity.as_ref()?.captures(url.as_str())?;
        let groups: Vec<&str> = found.iter().skip(1).flatten().map(|group| group.as_str()).collect();
        Some(if groups.is_empty() { found[0].to_owned() } else { groups.join("/") })
    }

    /// The dates in an address, best rung first. A stamp that is no real moment is not taken.
    pub(super) fn dates(&self, url: &Url) -> Vec<RawDate> {
        let stamp = self.stamp.as_ref().and_then(|stamp| stamp.captures(url.as_str())).and_then(|found| {
            let time = NaiveTime::from_hms_opt(number(&found, "H")?, number(&found, "M")?, number(&found, "S")?)?;
            Some(format!("{} {time}", date(&found)?))
        });
        let day = self.day.as_ref().and_then(|day| day.captures(url.as_str())).and_then(|found| date(&found));
        let stamp = stamp.map(|text| RawDate { text, rung: DateRung::Stamp });
        let day = day.map(|day| RawDate { text: day.to_string(), rung: DateRung::UrlDay });
        stamp.into_iter().chain(day).collect()
    }
}

fn number(found: &Captures<'_>, name: &str) -> Option<u32> {
    found.name(name)?.as_str().parse().ok()
}

fn date(found: &Captures<'_>) -> Option<NaiveDate> {
    let year = number(found, "y")?;
    let year = if found.name("y")?.len() == 2 { 2000 + year } else { year };
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, number(found, "m")?, number(found, "d")?)
}

/// The address of page `n` of a list (the first page is 1, so `n` is 2 or more). `current` is the page
/// that was just read, `parsed` what it held. `None`: there is none, or it would be the same page again.
#[must_use]
pub fn next_list_page(next: &NextPage, current: &Url, parsed: &ParsedFeed, n: u32) -> Option<Url> {
    let target = match next {
        NextPage::Link(_) => resolve(current, parsed.next_page.as_deref()?)?,
        NextPage::Numbered { address, from } => {
            let number = from.checked_add(n.checked_sub(2)?)?;
            numbered(address, current, number, n.checked_sub(3).map(|k| from.saturating_add(k)))?
        }
    };
    (target != *current).then_some(target)
}

/// Fills in a template. `shown` is the number that `current` itself carries when it is not the first page.
pub(super) fn numbered(template: &str, current: &Url, number: u32, shown: Option<u32>) -> Option<Url> {
    let mut plain = current.clone();
    plain.set_query(None);
    plain.set_fragment(None);
    let address = plain.as_str();
    let name = address.rfind('/')? + 1;
    let mut base = address[name..].rfind('.').map_or(address, |dot| &address[..name + dot]);
    if let Some(shown) = shown {
        base = base.strip_suffix(&format!("_{shown}")).unwrap_or(base);
    }
    resolve(current, &template.replace("{base}", base).replace("{n}", &number.to_string()))
}
