//! Who may see `/admin`, `/metrics` and the feed of incidents: whoever sits at this machine, or holds the token.
//!
//! "At this machine" is judged by the socket, never by a header, and only when nothing hints at a proxy on the same
//! machine that passes on somebody else's request. The Host must be ours, or a page of another site could make the
//! browser of someone at this machine read `/admin` under a name that it points to 127.0.0.1 (DNS rebinding).

use super::Site;
use super::desk::Peer;
use super::private::{HEALTH_FEED, is_private};
use super::refusals::Refusals;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{self, HeaderValue};
use hyper::{HeaderMap, StatusCode};
use sha2::{Digest, Sha256};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Instant;
use subtle::ConstantTimeEq;
use url::Url;

/// The verdict on a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// May see everything.
    Welcome,
    /// A token is set, and this request does not have it.
    TokenNeeded,
    /// No token is set, so nobody gets in from afar.
    Closed,
}

/// The one layer over all routes.
pub(super) async fn guard(
    State((site, refusals)): State<(Arc<Site>, Arc<Refusals>)>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    if !is_private(path) {
        return next.run(request).await;
    }
    let shared = path == HEALTH_FEED;
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    let host = request.uri().authority().map(|a| a.as_str().to_owned()).or_else(|| single(request.headers(), "host"));
    let set = site.shelf.get();
    let token = site.options.admin_token.as_deref();
    let verdict = judge(peer, host.as_deref(), request.headers(), token, &set.config.service.base_url);
    drop(set);
    let mut response = match verdict {
        Verdict::Welcome => next.run(request).await,
        refused => {
            let tried = request.headers().contains_key(header::AUTHORIZATION);
            if let Some(untold) = refusals.note(Instant::now()) {
                tracing::warn!(peer = ?peer, tried, path = ?path, untold, "/admin was refused");
            }
            refuse(refused)
        }
    };
    // The feed of incidents is asked for conditionally, so its readers may keep it; it says so itself.
    if !shared || !matches!(response.status(), StatusCode::OK | StatusCode::NOT_MODIFIED) {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, super::document::CSP);
    response
}

fn single(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut all = headers.get_all(name).iter();
    let first = all.next()?.to_str().ok()?;
    all.next().is_none().then(|| first.to_owned())
}

/// Judges a request; pure, so that the table in the tests can ask everything.
pub(super) fn judge(
    peer: Option<IpAddr>,
    host: Option<&str>,
    headers: &HeaderMap,
    token: Option<&str>,
    base: &Url,
) -> Verdict {
    let token = token.filter(|token| !token.is_empty());
    if let (Some(token), Some(offered)) = (token, offered(headers)) {
        // Digests have one length, so that the comparison does not even tell that of the token.
        let same = Sha256::digest(&offered).ct_eq(&Sha256::digest(token.as_bytes()));
        return if bool::from(same) { Verdict::Welcome } else { Verdict::TokenNeeded };
    }
    let near = peer.is_some_and(|ip| ip.to_canonical().is_loopback());
    if near && !proxied(headers) && host.is_some_and(|host| ours(host, base)) {
        return Verdict::Welcome;
    }
    if token.is_some() { Verdict::TokenNeeded } else { Verdict::Closed }
}

/// The token of `Authorization: Bearer` or the password of `Basic`.
fn offered(headers: &HeaderMap) -> Option<Vec<u8>> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, rest) = value.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.as_bytes().to_vec());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    // Undecodable credentials are wrong credentials, not missing ones.
    let decoded = STANDARD.decode(rest).unwrap_or_default();
    let colon = decoded.iter().position(|&b| b == b':');
    Some(colon.map_or_else(Vec::new, |at| decoded[at + 1..].to_vec()))
}

/// Whether anything says that the request was passed on.
fn proxied(headers: &HeaderMap) -> bool {
    const NAMES: [&str; 8] = [
        "forwarded",
        "via",
        "x-real-ip",
        "x-client-ip",
        "x-cluster-client-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "x-original-host",
    ];
    headers.keys().any(|name| NAMES.contains(&name.as_str()) || name.as_str().starts_with("x-forwarded"))
}

/// Whether a Host names this machine or the service.
fn ours(host: &str, base: &Url) -> bool {
    let name = match host.strip_prefix('[') {
        Some(v6) => {
            return v6.split_once(']').is_some_and(|(ip, _)| ip.parse() == Ok(Ipv6Addr::LOCALHOST))
                || Some(host) == base.host_str();
        }
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let loopback = name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    loopback
        || name.eq_ignore_ascii_case("localhost")
        || base.host_str().is_some_and(|base| name.eq_ignore_ascii_case(base))
}

fn refuse(verdict: Verdict) -> Response {
    if verdict == Verdict::TokenNeeded {
        let mut response =
            (StatusCode::UNAUTHORIZED, "The admin token is needed: Authorization: Bearer TOKEN, or as the password.\n")
                .into_response();
        let challenge = HeaderValue::from_static("Basic realm=\"Heliu\", charset=\"UTF-8\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        return response;
    }
    let text = "This is open to direct requests from this machine only. Set an admin token to see it from elsewhere or through a proxy.\n";
    (StatusCode::FORBIDDEN, text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::needless_pass_by_value)]
    fn check(
        peer: &str,
        host: Option<&str>,
        headers: &[(&'static str, String)],
        token: Option<&str>,
        expected: Verdict,
    ) {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        let base = Url::parse("https://feeds.example.org/").unwrap();
        let verdict = judge(Some(peer.parse().unwrap()), host, &map, token, &base);
        assert_eq!(verdict, expected, "{peer} {host:?} {headers:?} {token:?}");
    }

    #[test]
    fn at_this_machine() {
        use Verdict::{Closed, Welcome};
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "127.0.0.1",
            "127.1.2.3:80",
            "[::1]",
            "[::1]:8080",
            "feeds.example.org",
            "Feeds.Example.org:443",
        ] {
            check("127.0.0.1", Some(host), &[], None, Welcome);
        }
        check("::1", Some("[::1]:8080"), &[], None, Welcome);
        check("::ffff:127.0.0.1", Some("localhost"), &[], None, Welcome);
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "192.0.2.1",
            "[2001:db8::1]",
            "[::1",
            "",
            "xn--localhost",
        ] {
            check("127.0.0.1", Some(host), &[], None, Closed);
        }
        check("127.0.0.1", None, &[], None, Closed);
        for peer in ["192.0.2.1", "10.0.0.1", "2001:db8::1", "::ffff:192.0.2.1"] {
            check(peer, Some("localhost"), &[], None, Closed);
        }
    }

    #[test]
    fn a_proxy_on_the_same_machine_does_not_open_it() {
        for name in
            ["forwarded", "via", "x-real-ip", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-client-ip"]
        {
            check("127.0.0.1", Some("localhost"), &[(name, "127.0.0.1".into())], None, Verdict::Closed);
            check("127.0.0.1", Some("localhost"), &[(name, String::new())], Some("t"), Verdict::TokenNeeded);
        }
    }

    #[test]
    fn the_token_opens_from_everywhere() {
        use Verdict::{Closed, TokenNeeded, Welcome};
        let basic = |text: &str| format!("Basic {}", STANDARD.encode(text));
        for (value, expected) in [
            ("Bearer s3cret".to_owned(), Welcome),
            ("bearer  s3cret".to_owned(), Welcome),
            (basic("anyone:s3cret"), Welcome),
            (basic(":s3cret"), Welcome),
            (basic("s3cret"), TokenNeeded),
            (basic("s3cret:"), TokenNeeded),
            (basic("a:s3cret:"), TokenNeeded),
            ("Bearer s3cre".to_owned(), TokenNeeded),
            ("Bearer s3cret1".to_owned(), TokenNeeded),
            ("Bearer".to_owned(), TokenNeeded),
            ("Bearer ".to_owned(), TokenNeeded),
            ("Basic !!!".to_owned(), TokenNeeded),
            ("Digest s3cret".to_owned(), TokenNeeded),
            ("s3cret".to_owned(), TokenNeeded),
        ] {
            check("192.0.2.1", Some("evil.example"), &[("authorization", value)], Some("s3cret"), expected);
        }
        let long = format!("{}x", "a".repeat(72));
        check("192.0.2.1", None, &[("authorization", format!("Bearer {}", "a".repeat(72)))], Some(&long), TokenNeeded);
        check("192.0.2.1", None, &[("authorization", "Bearer ".into())], Some(""), Closed);
        check("192.0.2.1", None, &[("authorization", "Bearer x".into())], None, Closed);
    }
}
