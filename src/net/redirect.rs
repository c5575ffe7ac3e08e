//! Where a redirect may lead. Pure.

use super::error::Failure;
use super::types::FetchErrorKind::{Redirect, Refused};
use std::fmt::Write;
use url::Url;

/// The longest address that is followed, in bytes.
const LONGEST: usize = 8192;

/// Whether this status is a redirect that is followed (RFC 9110 section 15.4).
pub(super) fn follows(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// Whether this redirect may be remembered (RFC 9110 sections 15.4.2 and 15.4.9).
pub(super) fn permanent(status: u16) -> bool {
    matches!(status, 301 | 308)
}

/// Refuses what is never asked for: other schemes than http and https, user names, endless addresses.
pub(super) fn check(url: &Url) -> Result<(), Failure> {
    if !matches!(url.scheme(), "http" | "https") {
        let message = format!("the scheme {}: is not fetched; use an http: or https: address", url.scheme());
        return Err(Failure::new(Refused, message));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Failure::new(
            Refused,
            "the address holds a user name or password, which Heliu never sends; use an address without",
        ));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(Failure::new(Refused, "the address names no host"));
    }
    if url.as_str().len() > LONGEST {
        let message = format!("the address is longer than {LONGEST} bytes; check where it comes from");
        return Err(Failure::new(Refused, message));
    }
    Ok(())
}

/// The address that a redirect from `from` leads to, if it may be followed.
pub(super) fn target(from: &Url, location: Option<&[u8]>) -> Result<Url, Failure> {
    let Some(location) = location.filter(|value| !value.is_empty()) else {
        return Err(Failure::new(Redirect, "the server redirects without saying where; its Location is missing"));
    };
    let mut to = from.join(&escaped(location)).map_err(|error| {
        Failure::new(Redirect, format!("the server redirects to something that is no address ({error})"))
    })?;
    to.set_fragment(None);
    check(&to).map_err(|failure| {
        let message = format!("the server redirects to an address that is not followed: {}", failure.message);
        Failure::new(failure.kind, message)
    })?;
    if from.scheme() == "https" && to.scheme() == "http" {
        let message = format!(
            "the server redirects from https to http ({}), which is not followed; if that is right, use the http address itself",
            super::error::shown(&to)
        );
        return Err(Failure::new(Redirect, message));
    }
    Ok(to)
}

/// Whether what belongs to `a` (its validators) may be sent to `b`: the same origin, or the same host
/// after the step from http to https on the default ports.
pub(super) fn same_party(a: &Url, b: &Url) -> bool {
    let upgraded = a.scheme() == "http" && b.scheme() == "https" && a.port().is_none() && b.port().is_none();
    a.host() == b.host()
        && (upgraded || a.scheme() == b.scheme() && a.port_or_known_default() == b.port_or_known_default())
}

/// A Location as text; raw 8-bit bytes of any charset are kept as they are by percent-encoding them.
fn escaped(location: &[u8]) -> String {
    let mut text = String::with_capacity(location.len());
    for &byte in location {
        if byte.is_ascii() {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}
