//! Which addresses of a channel may be asked, and in which order.

use super::errand::{self, Errand};
use super::listing::Desk;
use super::rests::asked;
use crate::config::{Origin, PageAddress};
use crate::schedule;
use chrono::{DateTime, TimeDelta, Utc};

/// Addresses that failed in one poll rest for about as long.
const ABOUT: TimeDelta = TimeDelta::minutes(1);

/// Until when an address is put off, if it is. The answer of one that was asked in this run is there already.
fn put_off(address: &PageAddress, errand: &Errand<'_>, desk: &Desk<'_>) -> Option<DateTime<Utc>> {
    let url = asked(Some(desk.state), &address.url);
    let state = errand.state(url.as_str()).filter(|_| errand.fetched(&url).is_none())?;
    state.not_before.filter(|until| schedule::rests(desk.now, state.checked, *until))
}

/// The addresses that are not gone for good; all, if all are.
fn there<'a>(addresses: &'a [PageAddress], errand: &Errand<'_>, desk: &Desk<'_>) -> Vec<&'a PageAddress> {
    let for_good = desk.now + errand::GONE_FOR / 2;
    let is_gone =
        |address: &&PageAddress| desk.trust && put_off(address, errand, desk).is_some_and(|until| until > for_good);
    let (gone, there): (Vec<_>, Vec<_>) = addresses.iter().partition(is_gone);
    if there.is_empty() { gone } else { there }
}

/// Those of them that may be asked, since their hosts do not ask to be left alone.
fn open<'a>(addresses: &'a [PageAddress], errand: &Errand<'_>, desk: &Desk<'_>) -> Vec<&'a PageAddress> {
    let mut there = there(addresses, errand, desk);
    there.retain(|address| !errand.rests(&asked(Some(desk.state), &address.url)));
    there
}

/// Whether a channel has an address that may be asked.
pub(super) fn has_any(desk: &Desk<'_>, errand: &Errand<'_>) -> bool {
    match &desk.channel.origin {
        Origin::Page(list) => !open(&list.addresses, errand, desk).is_empty(),
        Origin::Feed { url } => !errand.rests(&asked(Some(desk.state), url)),
    }
}

/// The addresses in the order of feeds.yaml, those that recently failed left out while another is ready, and those that may
/// not be asked, see [`open`]; and whether any is left out that is not gone for good.
pub(super) fn ready_first<'a>(
    addresses: &'a [PageAddress],
    errand: &Errand<'_>,
    desk: &Desk<'_>,
) -> (Vec<&'a PageAddress>, bool) {
    let rests_until = |address: &PageAddress| put_off(address, errand, desk);
    let rests_after =
        |address: &PageAddress, instant| desk.trust && rests_until(address).is_some_and(|until| until > instant);
    let all = there(addresses, errand, desk).len();
    let there = open(addresses, errand, desk);
    let resting = there.len() < all;
    let ready: Vec<_> = there.iter().copied().filter(|address| !rests_after(address, desk.now)).collect();
    let left_out = resting || !ready.is_empty() && ready.len() < there.len();
    if !ready.is_empty() {
        return (ready, left_out);
    }
    // When none is ready, those that asked to be left alone for longer than the others still are.
    let for_good = desk.now + errand::GONE_FOR / 2;
    let until = |address: &PageAddress| rests_until(address).unwrap_or(desk.now).min(for_good);
    let earliest = there.iter().map(|address| until(address)).min().unwrap_or(desk.now);
    let some: Vec<_> = there.iter().copied().filter(|address| until(address) - earliest < ABOUT).collect();
    let left_out = resting || some.len() < there.len();
    (some, left_out)
}
