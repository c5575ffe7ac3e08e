//! What tells one entry from another, and the ids that are minted from it.

use super::{Kind, url};
use crate::model::ParsedEntry;
use ::url::Url;
use chrono::NaiveDate;
use uuid::Uuid;

/// The value of an entry's `KeyKind::Link`. For a portal it is what the layout's `identity` pattern took
/// from the link, else path and query without the host, since one article is served under many; for an
/// external feed the canonical link with its host.
pub fn link_key(link: &Url, identity: Option<&str>, kind: Kind) -> String {
    match (kind, identity.map(str::trim)) {
        (Kind::External, _) => url::canonical(link),
        (Kind::Portal, Some(identity)) if !identity.is_empty() => identity.to_owned(),
        (Kind::Portal, _) => {
            let path = mirrored(&url::path(link));
            // The root of a host says nothing without the host.
            if path == "/" { url::canonical(link) } else { first_page(&path) }
        }
    }
}

/// `/big5/{host}/{path}` → `/{path}`: the mirror in traditional characters shows the same article.
fn mirrored(path: &str) -> String {
    let inner = path.strip_prefix("/big5/").map(|rest| rest.split_once('/').unwrap_or((rest, "")));
    match inner {
        Some((host, rest)) if host.contains('.') => format!("/{rest}"),
        _ => path.to_owned(),
    }
}

/// The address of an article's first page: `191210112419833_2.shtml` → `191210112419833.shtml`. Only behind
/// a number of seven digits or more that is not a day, since `20191210_3.html` may be that day's third article.
fn first_page(path: &str) -> String {
    let (place, query) = path.find('?').map_or((path, ""), |at| path.split_at(at));
    let (folder, name) = place.rsplit_once('/').unwrap_or(("", place));
    let (stem, extension) = name.find('.').map_or((name, ""), |at| name.split_at(at));
    let Some((number, page)) = stem.rsplit_once('_') else { return path.to_owned() };
    let is_page = matches!(page.len(), 1 | 2) && page.bytes().all(|b| b.is_ascii_digit());
    let digits = number.bytes().rev().take_while(u8::is_ascii_digit).count();
    let is_day = digits == 8 && NaiveDate::parse_from_str(&number[number.len() - 8..], "%Y%m%d").is_ok();
    if is_page && digits >= 7 && !is_day { format!("{folder}/{number}{extension}{query}") } else { path.to_owned() }
}

/// The value of an entry's `KeyKind::TitleDay`: the letters, ideographs and digits of the title in lower case
/// and half width, and the day. `None` when the title has fewer than six letters or ideographs.
pub(super) fn title_day(title: &str, day: NaiveDate) -> Option<String> {
    if title.chars().filter(|c| c.is_alphabetic()).count() < 6 {
        return None;
    }
    let half_width = |c: char| match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        c => c,
    };
    let plain: String =
        title.chars().map(half_width).filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    Some(format!("{plain} {day}"))
}

/// An id made from what an entry says, as it was written; `None` when it says nothing. Two entries that say the same
/// are one; one that is edited is another, since nothing tells that it is not. Dates count only where there is nothing
/// else: some feeds write another at each poll.
pub(super) fn text_key(read: &ParsedEntry) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    let texts = [&read.title, &read.summary, &read.content, &read.rights];
    parts.extend(texts.into_iter().flatten().map(|text| text.value.as_str()));
    parts.extend(read.enclosures.iter().map(|file| file.url.as_str()));
    parts.extend(read.links.iter().map(|link| link.href.as_str()));
    parts.extend(read.images.iter().map(|image| image.url.as_str()));
    let people = read.authors.iter().chain(&read.contributors);
    parts.extend(
        people.flat_map(|one| [Some(&one.name), one.email.as_ref(), one.uri.as_ref()]).flatten().map(String::as_str),
    );
    parts.extend(read.categories.iter().map(|category| category.term.as_str()));
    let source =
        read.source.iter().flat_map(|one| [Some(&one.title), one.id.as_ref(), one.url.as_ref(), one.feed_url.as_ref()]);
    parts.extend(source.flatten().map(String::as_str));
    let dates = read.dates.iter().map(|date| date.text.as_str()).chain(read.updated.as_deref());
    let says = |parts: &[&str]| parts.iter().any(|part| !part.trim().is_empty());
    if !says(&parts) {
        parts.extend(dates);
    }
    says(&parts).then(|| mint(&parts.join("\n")))
}

/// The id of a portal's entry: the same for one article in any channel and after the ledger was lost,
/// since it is made from the site and the link's key alone (RFC 9562 section 5.5).
pub(super) fn portal_id(link: &Url, key: &str) -> String {
    let host = link.host_str().unwrap_or_default().trim_end_matches('.');
    let site = psl::domain_str(host).unwrap_or(host);
    mint(&format!("{site} {key}"))
}

/// `urn:uuid:` of version 5, from a name that identifies an entry.
pub(super) fn mint(name: &str) -> String {
    format!("urn:uuid:{}", Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()))
}
