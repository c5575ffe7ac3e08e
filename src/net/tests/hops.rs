//! What is sent, and where redirects lead (P-01, P-02, P-10, P-14, X-03).

use super::*;

fn validators(etag: &[u8]) -> Validators {
    Validators { etag: Some(etag.to_vec()), last_modified: Some(b"Thu, 01 Jan 1970 00:00:00 GMT".to_vec()) }
}

const OK: &str = "HTTP/1.1 200 OK\nETag: \"new\"\nContent-Length: 2\n\nok";

#[tokio::test]
async fn the_request_is_exactly_this() {
    let origin = Origin::sending(&[OK]).await;
    let (client, _) = client(Some(&origin));
    let request = Request { validators: validators(b"W/\"a\""), ..get("http://a.test/feed?x=1#fragment") };
    client.fetch(request).await.unwrap();
    let expected = "GET /feed?x=1 HTTP/1.1\r\n\
        User-Agent: heliu/test (+https://example.org/about)\r\n\
        Accept: application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, \
        application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, text/html;q=0.5, */*;q=0.1\r\n\
        Accept-Encoding: gzip, br\r\n\
        If-None-Match: W/\"a\"\r\n\
        If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n\
        Host: a.test\r\n\r\n";
    assert_eq!(origin.asked(), [expected]);
}

#[tokio::test]
async fn validators_come_back_byte_for_byte() {
    const DATES: [&[u8]; 8] = [
        b"Monday, nonsense",
        b"Thu, 01 Jan 1970 00:00:00 GMT",
        b"Fri, 01 Jan 1970 00:00:00 GMT",
        b"Tue, 19 Jan 2038 03:14:08 GMT",
        b"Sunday, 06-Nov-94 08:49:37 GMT",
        b"Sun Nov  6 08:49:37 1994",
        b"0",
        b"Mon, 31 Feb 2026 25:61:61 +0800",
    ];
    let text = |text: &str| text.as_bytes().to_vec();
    let mut nasty: Vec<Vec<u8>> =
        ["\"a\"", "W/\"a\"", "w/\"a\"", "unquoted", "\"with spaces, and commas\"", "\"tab\there\""]
            .into_iter()
            .chain([
                "\"\"",
                "W/",
                "\"",
                "W/\"\"",
                "*",
                "\"a\", \"b\"",
                "a b",
                "\"a\"-gzip",
                "\"a-gzip\"",
                "'a'",
                "\"合流\"",
            ])
            .map(text)
            .collect();
    nasty.extend("!#$%&'()*+,-./:;<=>?@[]^_`{|}~\\".chars().map(|c| text(&format!("\"a{c}b\""))));
    nasty.extend([&b"\"\xb0\xff\x80\""[..], b"\xe9", b"\"\xa0\"", b"W/\"\xff\""].map(<[u8]>::to_vec));
    nasty.extend([1, 2, 100, 255, 256, 1000, 4095, 4096].map(|length| vec![b'e'; length]));
    assert!(nasty.len() >= 60, "{}", nasty.len());
    for (etag, date) in nasty.iter().zip(DATES.iter().cycle()) {
        let mut answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nLast-Modified: ".to_vec();
        answer.extend([*date, b"\r\nETag: ", etag, b"\r\n\r\nok"].concat());
        let origin =
            Origin::start(vec![Act::Send(answer), Act::Send(b"HTTP/1.1 304 Not Modified\r\n\r\n".to_vec())]).await;
        let (client, _) = client(Some(&origin));
        let first = client.fetch(get("http://a.test/")).await.unwrap();
        assert_eq!(first.validators.etag.as_ref(), Some(etag));
        let mut known = first.validators.clone();
        let latin = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
        for poll in 1..=2 {
            let answer = client.fetch(Request { validators: known.clone(), ..get("http://a.test/") }).await.unwrap();
            assert!(answer.not_modified() && answer.body.is_empty());
            assert_eq!(answer.validators, first.validators, "a 304 without validators keeps them");
            known = answer.validators;
            let sent = format!("\r\nIf-None-Match: {}\r\nIf-Modified-Since: {}\r\n", latin(etag), latin(date));
            assert!(origin.asked()[poll].contains(&sent), "{:?}", origin.asked()[poll]);
        }
    }
    for bad in [&b"\"a\r\nX: y\""[..], b"\"\n\"", b"\"\0\"", b"\r", &[b'e'; 9000], b""] {
        let origin = Origin::sending(&[OK]).await;
        let (client, _) = client(Some(&origin));
        let validators = Validators { etag: Some(bad.to_vec()), last_modified: None };
        client.fetch(Request { validators, ..get("http://a.test/") }).await.unwrap();
        assert!(!origin.asked()[0].contains("If-None-Match") && !origin.asked()[0].contains("X:"));
    }
}

fn to(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} Moved\nLocation: {location}\nContent-Length: 0\n\n")
}

/// Follows redirects from `http://a.test/feed` and ends at a 200.
async fn follow(hops: &[String]) -> (Result<Response, FetchError>, Vec<String>) {
    let mut script: Vec<&str> = hops.iter().map(String::as_str).collect();
    script.push(OK);
    let origin = Origin::sending(&script).await;
    let (client, _) = client(Some(&origin));
    let result = client.fetch(Request { validators: validators(b"\"old\""), ..get("http://a.test/feed") }).await;
    if let Err(error) = &result {
        assert_one_line(error);
    }
    (result, origin.asked())
}

#[tokio::test]
async fn redirects_that_are_followed() {
    // hops, final address, moved?, validators sent to the last hop?
    let table: Vec<(Vec<String>, &str, bool, bool)> = vec![
        (vec![to(301, "/b#top")], "http://a.test/b", true, true),
        (vec![to(308, "http://b.test/x")], "http://b.test/x", true, false),
        (vec![to(302, "//b.test/x")], "http://b.test/x", false, false),
        (vec![to(303, "?y")], "http://a.test/feed?y", false, true),
        (vec![to(301, "/1"), to(307, "/2")], "http://a.test/2", false, true),
        (
            vec![to(301, "/1"), to(301, "/2"), to(301, "/3"), to(301, "/4"), to(308, "/5")],
            "http://a.test/5",
            true,
            true,
        ),
        (vec![to(301, "http://b.test/"), to(301, "http://a.test/z")], "http://a.test/z", true, true),
        (vec![to(301, "/时评")], "http://a.test/%E6%97%B6%E8%AF%84", true, true),
        (vec![to(301, "/a|b{c}")], "http://a.test/a|b%7Bc%7D", true, true),
    ];
    for (hops, end, moved, sent) in table {
        let (result, asked) = follow(&hops).await;
        let response = result.unwrap();
        assert_eq!((response.url.as_str(), response.moved.is_some()), (end, moved), "{hops:?}");
        assert_eq!(asked.len(), hops.len() + 1);
        assert_eq!(asked[hops.len()].contains("If-None-Match"), sent, "{hops:?}");
        assert_eq!(asked[hops.len()].contains("If-Modified-Since"), sent, "{hops:?}");
        assert_eq!(response.validators.etag.is_some(), sent, "validators of another party are not stored");
    }
}

#[tokio::test]
async fn redirects_that_are_cut() {
    use FetchErrorKind::{Redirect, Refused};
    let six: Vec<String> = (0..6).map(|n| to(302, &format!("/{n}"))).collect();
    let table: Vec<(Vec<String>, FetchErrorKind)> = vec![
        (vec![to(301, "")], Redirect),
        (vec!["HTTP/1.1 302 Found\nContent-Length: 0\n\n".to_owned()], Redirect),
        (vec![to(301, "/feed")], Redirect),
        (vec![to(302, "/b"), to(302, "/feed#x")], Redirect),
        (vec![to(302, "http://[bad/")], Redirect),
        (six, Redirect),
        (vec![to(302, "http://127.0.0.1/")], Refused),
        (vec![to(302, "http://[::ffff:7f00:1]/")], Refused),
        (vec![to(302, "http://2130706433/")], Refused),
        (vec![to(302, "http://169.254.169.254/latest/meta-data/")], Refused),
        (vec![to(302, "/b"), to(307, "http://0x7f.1/")], Refused),
        (vec![to(302, "http://b.test:6379/")], Refused),
        (vec![to(302, "file:///etc/passwd")], Refused),
        (vec![to(302, "gopher://b.test/")], Refused),
        (vec![to(302, "javascript:alert(1)")], Refused),
        (vec![to(302, "unix:/run/x")], Refused),
        (vec![to(302, "http://user:secret@b.test/")], Refused),
    ];
    for (hops, kind) in table {
        let (result, asked) = follow(&hops).await;
        assert_eq!(result.unwrap_err().kind, kind, "{hops:?}");
        assert_eq!(asked.len(), hops.len(), "{hops:?}");
    }
}

#[test]
fn https_never_leads_to_http_and_parties_are_told_apart() {
    let url = |text| Url::parse(text).unwrap();
    let error = redirect::target(&url("https://a.test/"), Some(b"http://a.test/")).unwrap_err();
    assert_eq!(error.kind, FetchErrorKind::Redirect);
    assert!(redirect::target(&url("https://a.test/"), Some(b"/x")).is_ok());
    assert!(redirect::target(&url("http://a.test/"), Some(b"https://a.test/")).is_ok());
    let table = [
        ("http://a.test/", "http://a.test:80/x", true),
        ("http://a.test/", "https://a.test/", true),
        ("https://a.test/", "http://a.test/", false),
        ("http://a.test/", "https://a.test:8443/", false),
        ("http://a.test:8080/", "https://a.test/", false),
        ("http://a.test/", "http://www.a.test/", false),
        ("https://a.test/", "https://a.test:444/", false),
    ];
    for (a, b, same) in table {
        assert_eq!(redirect::same_party(&url(a), &url(b)), same, "{a} {b}");
    }
}

/// P-10: 40 ways to be led somewhere, each with whether what belongs to the first party may be told to the last.
#[tokio::test]
async fn a_redirect_tells_nobody_what_belongs_to_another() {
    let targets = [
        ("/b", true),
        ("?q", true),
        ("http://a.test:80/b", true),
        ("http://a.test./b", false),
        ("http://www.a.test/b", false),
        ("http://b.test/b", false),
        ("//b.test/b", false),
        ("http://b.test:80/a.test", false),
    ];
    let mut cases = 0;
    for status in [301, 302, 303, 307, 308] {
        for (target, same) in targets {
            let answer = to(status, target).replace("Content-Length", "Set-Cookie: s=secret\nContent-Length");
            let (result, asked) = follow(&[answer]).await;
            assert!(result.is_ok(), "{status} {target}");
            let last = &asked[1];
            for name in ["If-None-Match", "If-Modified-Since"] {
                assert_eq!(last.contains(name), same, "{status} {target}: {last}");
            }
            for name in ["Cookie", "Authorization", "Referer", "Origin", "secret"] {
                assert!(!last.contains(name), "{status} {target}: {last}");
            }
            assert!(last.starts_with("GET "), "the method never changes");
            cases += 1;
        }
    }
    assert_eq!(cases, 40);
}
