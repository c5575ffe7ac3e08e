//! Headers that are read (P-06, P-07) and how errors are told.

use super::super::{error, headers};
use super::*;
use hyper::http::{HeaderMap, HeaderName, HeaderValue};
use std::time::SystemTime;

fn now() -> SystemTime {
    httpdate::parse_http_date("Mon, 23 Nov 2026 04:00:00 GMT").unwrap()
}

fn map(lines: &str) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in lines.split('|').filter_map(|line| line.split_once(':')) {
        map.append(HeaderName::try_from(name.trim()).unwrap(), HeaderValue::from_str(value.trim()).unwrap());
    }
    map
}

#[test]
fn retry_after() {
    let table = [
        ("0", Some(0)),
        ("120", Some(120)),
        (" 60 ", Some(60)),
        ("1000000000000", Some(1 << 31)),
        ("99999999999999999999999", Some(1 << 31)),
        ("Mon, 23 Nov 2026 05:00:00 GMT", Some(3600)),
        ("Monday, 23-Nov-26 05:00:00 GMT", Some(3600)),
        ("Mon Nov 23 05:00:00 2026", Some(3600)),
        ("Mon, 23 Nov 2020 05:00:00 GMT", Some(0)),
        ("-1", None),
        ("1.5", None),
        ("1e12", None),
        ("NaN", None),
        ("soon", None),
        ("+5", None),
        ("", None),
    ];
    for (value, expected) in table {
        let found = headers::retry_after(&map(&format!("Retry-After: {value}")), now());
        assert_eq!(found, expected.map(Duration::from_secs), "{value:?}");
    }
    assert_eq!(headers::retry_after(&HeaderMap::new(), now()), None);
}

#[test]
fn fresh_for() {
    let table = [
        ("", None),
        ("Cache-Control: max-age=3600", Some(3600)),
        ("Cache-Control: public, MAX-AGE=\"60\"", Some(60)),
        ("Cache-Control: public|Cache-Control: max-age=60", Some(60)),
        ("Cache-Control: max-age=60, max-age=90", Some(60)),
        ("Cache-Control: max-age=3600|Age: 600", Some(3000)),
        ("Cache-Control: max-age=60|Age: 600", Some(0)),
        ("Cache-Control: max-age=60|Age: -3", Some(60)),
        ("Cache-Control: max-age=60|Age: junk", Some(60)),
        ("Cache-Control: max-age=0", Some(0)),
        ("Cache-Control: max-age=99999999999999999999", Some(1 << 31)),
        ("Cache-Control: no-cache", None),
        ("Cache-Control: no-store, max-age=60", None),
        ("Cache-Control: s-maxage=60", None),
        ("Cache-Control: max-age", None),
        ("Cache-Control: max-age=-1", None),
        ("Cache-Control: max-age=1.5", None),
        ("Cache-Control: ;;==,,", None),
        ("Cache-Control: max-age=60|Expires: Mon, 23 Nov 2026 06:00:00 GMT", Some(60)),
        ("Cache-Control: max-age=x|Expires: Mon, 23 Nov 2026 06:00:00 GMT", Some(7200)),
        ("Expires: Mon, 23 Nov 2026 06:00:00 GMT|Date: Mon, 23 Nov 2026 05:00:00 GMT", Some(3600)),
        ("Expires: Mon, 23 Nov 2026 06:00:00 GMT|Date: junk", Some(7200)),
        ("Expires: Mon, 23 Nov 2020 06:00:00 GMT", Some(0)),
        ("Expires: 0", None),
        ("Expires: -1", None),
    ];
    for (lines, expected) in table {
        assert_eq!(headers::fresh_for(&map(lines), now()), expected.map(Duration::from_secs), "{lines}");
    }
}

#[test]
fn errors_are_one_line_without_secrets() {
    let url = Url::parse("http://user:secret@a.test/x#secret").unwrap();
    let failure =
        error::Failure::new(FetchErrorKind::Protocol, format!("a\r\nb\0\u{1b}[31m\u{202e}{}", "x".repeat(9999)));
    let error = failure.at(&url);
    assert_one_line(&error);
    assert_eq!(error.url, "http://a.test/x");
    assert!(error.message.starts_with("a  b  [31m x") && error.message.chars().count() == 401);
}

#[test]
fn any_user_agent_can_be_sent() {
    for (text, sent) in [
        ("a\r\nX: y", "aX: y"),
        ("", concat!("heliu/", env!("CARGO_PKG_VERSION"))),
        ("heliu/1 (+https://a/)", "heliu/1 (+https://a/)"),
    ] {
        assert_eq!(headers::user_agent(text), sent);
    }
}

/// the lint in clippy.toml can be switched off only here.
#[test]
fn nobody_else_opens_connections() {
    fn walk(folder: &std::path::Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let excused =
                    ["allow", "expect"].iter().any(|word| text.contains(&format!("{word}(clippy::disallowed_methods")));
                let name = path.to_string_lossy().replace('\\', "/");
                if excused && !name.contains("/tests") {
                    found.push(name.rsplit_once("src/").unwrap().1.to_owned());
                }
            }
        }
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    walk(&root.join("src"), &mut found);
    found.sort();
    assert_eq!(found, ["net/client.rs", "net/dial.rs"]);
    let lints = std::fs::read_to_string(root.join("clippy.toml")).unwrap();
    for path in [
        "tokio::net::TcpStream::connect",
        "tokio::net::TcpSocket::connect",
        "tokio::net::UdpSocket::connect",
        "tokio::net::UdpSocket::send_to",
        "tokio::net::UnixStream::connect",
        "tokio::net::lookup_host",
        "std::net::TcpStream::connect",
        "std::net::TcpStream::connect_timeout",
        "std::net::UdpSocket::connect",
        "std::net::UdpSocket::send_to",
        "std::os::unix::net::UnixStream::connect",
        "std::net::ToSocketAddrs::to_socket_addrs",
        "hyper_util::client::legacy::Client::builder",
        "hyper_util::client::legacy::Builder::new",
        "hyper_util::client::legacy::Builder::build_http",
        "hyper::client::conn::http1::handshake",
        "hyper::client::conn::http2::handshake",
        "hyper::client::conn::http1::Builder::handshake",
        "hyper::client::conn::http2::Builder::handshake",
    ] {
        assert!(lints.contains(&format!("path = {path:?}")), "{path}");
    }
    // Nor is there another client among the dependencies.
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    for client in ["reqwest", "ureq", "isahc", "curl", "surf", "attohttpc", "minreq", "hickory-resolver"] {
        assert!(!manifest.lines().any(|line| line.split([' ', '=']).next() == Some(client)), "{client}");
    }
}
