//! Further pages of a list. They are read for as long as the last one held nothing but unknown entries: then news may stand
//! on the next. One that could not be had is asked for again with the next polls, for by then the first page is known.

use super::errand::Errand;
use super::listing::{Desk, extract_list, link_of};
use crate::config::{Origin, PageAddress};
use crate::extract;
use crate::model::{Flaw, FlawCode, Layout, LayoutKind, NextPage, ParsedFeed};
use crate::net::{Accept, FetchErrorKind};
use crate::store::{Owed, StoreError};
use std::sync::Arc;
use url::Url;

/// The most pages of an address that names its next pages itself.
const DEFAULT_PAGES: u32 = 3;

/// How often a further page is asked for that cannot be had.
const MOST_TRIES: u32 = 5;

/// All pages of a list.
#[derive(Debug)]
pub(super) struct Joined {
    /// What was read of them.
    pub parsed: ParsedFeed,
    /// How many of the entries stood on the first one.
    pub on_first: usize,
    /// The page that could not be had and is to be asked for again.
    pub owed: Option<Owed>,
    /// A page was read that earlier polls could not have, behind a page with known entries: what is unknown on it is no flood.
    pub caught_up: bool,
}

impl Joined {
    /// A list of one page.
    pub(super) fn alone(parsed: ParsedFeed) -> Self {
        Self { on_first: parsed.entries.len(), parsed, owed: None, caught_up: false }
    }
}

/// What came of asking for a further page.
enum Turned {
    /// It was read.
    Page(Url, Box<ParsedFeed>),
    /// There is none, or nothing stands on it.
    End,
    /// It may not be asked for now.
    Alone,
    /// It could not be had; `again` says whether it may be had later.
    Unread { why: String, again: bool },
}

/// Appends the following pages to the first one, which stood at `first`.
pub(super) async fn pages(
    desk: &Desk<'_>,
    errand: &mut Errand<'_>,
    address: &PageAddress,
    first: &Url,
    parsed: ParsedFeed,
    flaws: &mut Vec<Flaw>,
) -> Result<Joined, StoreError> {
    let list = address.url.as_str();
    let before = desk.state.owed.as_ref().filter(|owed| owed.list == list);
    // Of another address, which does not serve the channel now.
    let owed = desk.state.owed.clone().filter(|owed| owed.list != list);
    let mut joined = Joined { owed, ..Joined::alone(parsed) };
    let Origin::Page(page) = &desk.channel.origin else { return Ok(joined) };
    let fitted = joined.parsed.layout.as_deref();
    let Some((next, most)) = next_rule(address, &page.layouts, fitted) else { return Ok(joined) };
    let mut current = first.clone();
    let mut last = joined.parsed.clone();
    let mut unknown = is_unknown(desk, &last).await?;
    let knows_first = unknown.iter().any(|unknown| !unknown);
    for number in 1..most {
        let goes_on = match before {
            Some(owed) if number <= owed.page => true,
            // Entries have moved on by as many as have come since.
            Some(_) => unknown.contains(&true),
            None => !unknown.contains(&false),
        };
        let Some(url) = Some(()).filter(|()| goes_on).and_then(|()| address_of(&next, number, first, &current, &last))
        else {
            break;
        };
        match turn(errand, &page.layouts, &url).await {
            Turned::Page(stood_at, more) => {
                joined.caught_up |= knows_first && before.is_some_and(|owed| number >= owed.page);
                joined.parsed.entries.extend(more.entries.iter().cloned());
                (current, last) = (stood_at, *more);
                unknown = is_unknown(desk, &last).await?;
            }
            Turned::End => break,
            Turned::Alone => {
                let tries = before.map_or(0, |owed| owed.tries);
                joined.owed = Some(Owed { list: list.to_owned(), url: url.into(), page: number, tries });
                break;
            }
            Turned::Unread { why, again } => {
                flaws.push(Flaw::new(FlawCode::PageUnread, why));
                let tries = before.map_or(0, |owed| owed.tries) + 1;
                let owed = Owed { list: list.to_owned(), url: url.into(), page: number, tries };
                joined.owed = Some(owed).filter(|_| again && tries < MOST_TRIES);
                break;
            }
        }
    }
    Ok(joined)
}

/// Asks for a further page and reads it.
async fn turn(errand: &mut Errand<'_>, layouts: &Arc<[Layout]>, url: &Url) -> Turned {
    if errand.leaves_alone(url) {
        return Turned::Alone;
    }
    let page = match errand.get(url, Accept::Page, false).await {
        Ok(page) => page,
        // Many sites end their lists so.
        Err(error) if matches!(error.status, Some(404 | 410)) => return Turned::End,
        Err(error) => {
            use FetchErrorKind::{Disallowed, Refused, TooLarge};
            let again = !matches!(error.kind, Disallowed | Refused | TooLarge);
            return Turned::Unread { why: error.to_string(), again };
        }
    };
    match extract_list(errand.readers, Arc::clone(&page), Arc::clone(layouts)).await {
        Ok((more, _)) if more.entries.is_empty() => Turned::End,
        Ok((more, _)) => Turned::Page(page.url.clone(), Box::new(more)),
        Err(flaw) => Turned::Unread { why: flaw.to_string(), again: false },
    }
}

/// The address of a further page; the one after the first has the number 1.
fn address_of(next: &NextPage, number: u32, first: &Url, current: &Url, last: &ParsedFeed) -> Option<Url> {
    // A template speaks of the first page, a link of the page it stands on.
    match next {
        NextPage::Numbered { from, .. } => extract::next_list_page(next, first, last, from + number - 1),
        NextPage::Link(_) => extract::next_list_page(next, current, last, number + 1),
    }
}

/// How next pages are found: as the address says, else as the layout that fitted says.
fn next_rule(address: &PageAddress, layouts: &[Layout], fitted: Option<&str>) -> Option<(NextPage, u32)> {
    let layout = layouts.iter().find(|layout| Some(layout.name.as_str()) == fitted)?;
    let (next, pages) = match &layout.kind {
        LayoutKind::List(list) => (&list.next, list.pages),
        LayoutKind::Json(json) => (&json.next, json.pages),
        LayoutKind::Article(_) => return None,
    };
    match (&address.next, next) {
        (Some(own), _) => Some((own.clone(), pages.max(DEFAULT_PAGES))),
        (None, Some(next)) => Some((next.clone(), pages)),
        (None, None) => None,
    }
}

/// Which entries of a page are not known, of those that have a link.
pub(super) async fn is_unknown(desk: &Desk<'_>, parsed: &ParsedFeed) -> Result<Vec<bool>, StoreError> {
    let keys: Vec<_> = parsed.entries.iter().filter_map(link_of).map(|(key, _)| key).collect();
    let known = desk.store.known_links(&desk.channel.id, &keys).await?;
    Ok(known.into_iter().map(|known| !known).collect())
}
