//! Previews as clients see them: statuses, problem details, the limit on how many run.

use super::kit::{Server, short};
use crate::serve::Options;

const PATH: &str = "/admin/api/preview";

#[tokio::test]
async fn every_outcome_has_its_status() {
    let server = Server::start(Options::default()).await;
    for (query, expected, said) in [
        ("?url=https%3A%2F%2Fa.example%2Frss%3Fx%3D1%262", 200, "https://a.example/rss?x=1&2"),
        ("?other=1&url=http://a.example/", 200, "http://a.example/"),
        ("", 400, "missing"),
        ("?url=", 400, "no address"),
        ("?url=rss.xml", 400, "no address"),
        ("?url=http://a.example/&url=http://b.example/", 400, "twice"),
        ("?url=file:///etc/passwd", 400, "file:"),
        ("?url=ftp://a.example/", 400, "ftp:"),
        ("?url=javascript:alert(1)", 400, "javascript:"),
        ("?url=http://a.example/private", 400, "private"),
        ("?url=http://a.example/none", 422, "not-a-feed: a \"page\""),
        ("?url=http://a.example/down", 502, "status 500"),
        ("?url=http://a.example/panic", 500, "logged"),
    ] {
        let answer = server.get(&format!("{PATH}{query}"), &[]).await;
        let json: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(answer.status, expected, "{query}: {json}");
        assert_eq!(answer.header("cache-control"), "no-store", "{query}");
        let (kind, member) =
            if expected == 200 { ("application/feed+json", "title") } else { ("application/problem+json", "detail") };
        assert_eq!(answer.header("content-type"), kind, "{query}");
        assert!(json[member].as_str().unwrap().contains(said), "{query}: {json}");
        assert!(expected == 200 || json["status"] == expected, "{json}");
    }
    for (from, expected) in [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)] {
        let path = format!("{PATH}?url=http://a.example/");
        assert_eq!(server.get(&path, &[("Sec-Fetch-Site", from)]).await.status, expected, "{from}");
    }
    assert_eq!(server.ask("POST", &format!("{PATH}?url=http://a.example/"), &[]).await.status, 405);
    server.stop().await;
}

#[tokio::test]
async fn two_run_at_a_time_and_a_slow_source_is_the_sources_fault() {
    let server = Server::start(short()).await;
    let stay = format!("{PATH}?url=http://a.example/stay");
    let (first, second) = tokio::join!(server.get(&stay, &[]), server.get(&stay, &[]));
    for slow in [first, second] {
        assert_eq!((slow.status, slow.header("content-type")), (502, "application/problem+json"), "{slow:?}");
        assert!(slow.body.contains("too long"));
    }
    // Both are still at work, although nobody waits for them any more.
    let third = server.get(&format!("{PATH}?url=http://a.example/"), &[]).await;
    assert_eq!((third.status, third.header("retry-after")), (503, "5"), "{third:?}");
    server.stop().await;
}
