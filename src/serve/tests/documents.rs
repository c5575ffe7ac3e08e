//! Documents: negotiation, validators, methods, paths (checklist S-05 to S-08, S-10, S-12, X-21).

use super::kit::{Answer, Server, document, published};
use crate::publish::Shelved;
use crate::serve::Options;

const FEEDS: [(&str, &str); 3] =
    [("/feeds/shiping.rss", "rss"), ("/feeds/shiping.atom", "atom"), ("/feeds/shiping.json", "json")];
const CODINGS: [(&str, &str); 4] = [("identity", "i"), ("gzip", "g"), ("br", "b"), ("zstd", "z")];

#[tokio::test]
async fn every_format_in_every_coding() {
    let server = Server::start(Options::default()).await;
    for (path, key) in FEEDS {
        for (coding, name) in CODINGS {
            let answer = server.get(path, &[("Accept-Encoding", coding)]).await;
            assert_eq!(answer.status, 200);
            assert!(answer.body.starts_with(&format!("{key}/{name}/")), "{answer:?}");
            assert_eq!(answer.header("etag"), format!("\"{key}-{name}\""));
            assert_eq!(answer.header("content-encoding"), if coding == "identity" { "" } else { coding });
            assert_eq!(answer.header("content-length"), answer.body.len().to_string());
            assert_eq!(answer.header("vary"), "Accept-Encoding");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert_eq!(answer.header("access-control-allow-origin"), "*");
            assert_eq!(answer.header("content-language"), "zh-CN");
            assert_eq!(answer.header("last-modified"), "Tue, 10 Dec 2019 11:57:50 GMT");
            assert!(answer.header("content-type").ends_with("; charset=utf-8"));
            assert!(answer.header("cache-control").starts_with("public, max-age=300"));
            assert!(answer.header("link").contains("rel=\"alternate\""));
            assert_eq!((answer.header("accept-ranges"), answer.header("content-security-policy")), ("", ""));
            assert_ne!(answer.header("date"), "");
        }
    }
    server.stop().await;
}

/// What clients send for a representation whose opaque tag is `t`, and whether it is a match.
fn none_match_forms(t: &str) -> Vec<(String, bool)> {
    vec![
        (format!("\"{t}\""), true),
        (format!("W/\"{t}\""), true),
        ("*".into(), true),
        (format!("\"x\", \"{t}\""), true),
        (format!("\"{t}\", \"x\""), true),
        (format!("\"x\",\"{t}\",\"y\""), true),
        (format!("  \"{t}\"  "), true),
        (format!("\"x\"\t,\tW/\"{t}\""), true),
        (format!(",, \"{t}\",,"), true),
        (format!("\"a,b\", \"{t}\""), true),
        (format!("\"{t}-gzip\""), true),
        (format!("W/\"{t}--gzip\""), true),
        (format!("\"{t};gzip\""), true),
        (format!("\"{t}-br\""), true),
        (t.to_owned(), true),
        (format!("\"{t}x\""), false),
        (format!("\"{t}-other\""), false),
        ("\"\"".into(), false),
        (String::new(), false),
        ("\"*\"".into(), false),
        (format!("\"x {t}\""), false),
        (t.to_uppercase(), false),
    ]
}

#[tokio::test]
async fn the_conditional_matrix() {
    let server = Server::start(Options::default()).await;
    let mut asked = 0;
    for (path, key) in FEEDS {
        for (coding, name) in CODINGS {
            for (form, matches) in none_match_forms(&format!("{key}-{name}")) {
                let answer = server.get(path, &[("Accept-Encoding", coding), ("If-None-Match", &form)]).await;
                assert_eq!(answer.status, if matches { 304 } else { 200 }, "{path} {coding} {form:?}");
                if matches {
                    check_not_modified(&answer, &format!("\"{key}-{name}\""));
                }
                asked += 1;
            }
        }
    }
    assert!(asked >= 240);
    server.stop().await;
}

fn check_not_modified(answer: &Answer, etag: &str) {
    assert_eq!(answer.body, "");
    assert_eq!(answer.header("etag"), etag);
    assert_eq!(answer.header("vary"), "Accept-Encoding");
    assert!(answer.header("cache-control").starts_with("public"));
    assert_ne!(answer.header("link"), "");
    assert_ne!(answer.header("last-modified"), "");
    assert_ne!(answer.header("date"), "");
    for absent in ["content-length", "content-type", "content-encoding", "transfer-encoding"] {
        assert_eq!(answer.header(absent), "", "{absent}");
    }
}

#[tokio::test]
async fn a_client_that_switched_codings_is_told_of_the_one_it_holds() {
    let server = Server::start(Options::default()).await;
    let headers = [("Accept-Encoding", "br"), ("If-None-Match", "\"rss-g\"")];
    let answer = server.get("/feeds/shiping.rss", &headers).await;
    assert_eq!((answer.status, answer.header("etag")), (304, "\"rss-g\""));
    let other = server.get("/feeds/shiping.rss", &[("If-None-Match", "\"atom-i\"")]).await;
    assert_eq!(other.status, 200, "another document's tag is not ours");
    server.stop().await;
}

#[tokio::test]
async fn a_list_may_come_in_several_lines() {
    let server = Server::start(Options::default()).await;
    for (lines, coding) in [(["gzip;q=0", "br"], "br"), (["br;q=0.1", "zstd"], "zstd"), (["", "gzip"], "gzip")] {
        let headers = lines.map(|line| ("Accept-Encoding", line));
        assert_eq!(server.get("/feeds/shiping.rss", &headers).await.header("content-encoding"), coding);
    }
    server.stop().await;
}

#[tokio::test]
async fn dates_and_ranges() {
    let server = Server::start(Options::default()).await;
    let tag = ("If-None-Match", "\"no\"");
    for (headers, expected) in [
        (vec![("If-Modified-Since", "Tue, 10 Dec 2019 11:57:50 GMT")], 304),
        (vec![("If-Modified-Since", "Tuesday, 10-Dec-19 11:57:50 GMT")], 304),
        (vec![("If-Modified-Since", "Tue Dec 10 11:57:50 2019")], 304),
        (vec![("If-Modified-Since", "Fri, 10 Dec 2049 11:57:50 GMT")], 200),
        (vec![("If-Modified-Since", "rubbish")], 200),
        (vec![("If-Modified-Since", "Tue, 10 Dec 2019 11:57:50 GMT"), tag], 200),
        (vec![("Range", "bytes=0-10")], 200),
        (vec![("Range", "bytes=0-1,3-4,5-6"), ("If-Range", "\"rss-i\"")], 200),
    ] {
        let answer = server.get("/feeds/shiping.rss", &headers).await;
        assert_eq!(answer.status, expected, "{headers:?}");
        assert!(expected == 304 || answer.body.len() > 400);
    }
    server.stop().await;
}

#[tokio::test]
async fn methods() {
    let server = Server::start(Options::default()).await;
    for path in ["/feeds/shiping.rss", "/feeds/shiping", "/style.css"] {
        for coding in ["identity", "gzip"] {
            let headers = [("Accept-Encoding", coding)];
            let (get, head) = (server.get(path, &headers).await, server.ask("HEAD", path, &headers).await);
            assert_eq!((head.status, head.body.as_str()), (200, ""));
            assert_eq!(get.sorted(), head.sorted(), "{path}");
        }
        let options = server.ask("OPTIONS", path, &[]).await;
        assert_eq!((options.status, options.header("allow")), (204, "GET, HEAD, OPTIONS"));
        for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "get"] {
            let answer = server.ask(method, path, &[]).await;
            assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD, OPTIONS"), "{method}");
        }
    }
    assert_eq!(server.ask("OPTIONS", "*", &[]).await.status, 204);
    let preflight = server.ask("OPTIONS", "/feeds/shiping.json", &[("Origin", "https://a.example")]).await;
    assert!(preflight.header("access-control-allow-headers").contains("If-None-Match"));
    server.stop().await;
}

#[tokio::test]
async fn paths() {
    let server = Server::start(Options::default()).await;
    let moved = "https://feeds.example.org/feeds/shiping.rss";
    for (path, status, location) in [
        ("/feeds/shiping.rss?utm_source=x&a=b", 200, ""),
        ("/feeds/shiping.rss?", 200, ""),
        ("http://evil.example/feeds/shiping.rss", 200, ""),
        ("/feeds/shiping.xml", 301, moved),
        ("/feeds/shiping.rss/", 301, moved),
        ("/feeds/shiping.xml/?x", 301, moved),
        ("/feeds/shiping/", 301, "https://feeds.example.org/feeds/shiping"),
        ("/feeds/other.xml", 404, ""),
        ("/FEEDS/shiping.rss", 404, ""),
        ("/feeds/Shiping.rss", 404, ""),
        ("/feeds/%73hiping.rss", 404, ""),
        ("//feeds/shiping.rss", 404, ""),
        ("/feeds/../feeds/shiping.rss", 404, ""),
        ("/feeds/shiping.rss%00", 404, ""),
        ("/shiping.xml", 404, ""),
    ] {
        let answer = server.get(path, &[("Host", "evil.example")]).await;
        assert_eq!((answer.status, answer.header("location")), (status, location), "{path}");
        assert!(!format!("{answer:?}").contains("evil"), "{path}");
    }
    server.stop().await;
}

#[tokio::test]
async fn pages_speak_two_languages() {
    let server = Server::start(Options::default()).await;
    for (wanted, key) in [("", "zh"), ("en-GB,en;q=0.9", "en"), ("zh-TW", "zh"), ("fr", "zh")] {
        let answer = server.get("/feeds/shiping", &[("Accept-Language", wanted)]).await;
        assert!(answer.body.starts_with(key), "{wanted}");
        assert_eq!(answer.header("vary"), "Accept-Encoding, Accept-Language");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
        assert_eq!(answer.header("access-control-allow-origin"), "");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_new_set_is_served_at_once_and_odd_queries_leave_no_trace() {
    let server = Server::start(Options::default()).await;
    let mut next = published();
    let fresh = document("application/rss+xml; charset=utf-8", "zh-CN", "new");
    next.documents.insert("/feeds/shiping.rss".into(), Shelved::One(fresh));
    next.documents.remove("/feeds/shiping.atom");
    assert_eq!(server.get("/feeds/shiping.rss", &[]).await.header("etag"), "\"rss-i\"");
    server.site.shelf.put(next);
    for n in 0..50 {
        let path = format!("/feeds/shiping.rss?{n}");
        assert_eq!(server.get(&path, &[]).await.header("etag"), "\"new-i\"");
    }
    assert_eq!(server.get("/feeds/shiping.atom", &[]).await.status, 404);
    server.stop().await;
}
