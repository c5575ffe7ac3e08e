//! Health, admin, errors: what the router answers (checklist ).

use super::kit::{Memory, Server, now, published};
use crate::model::{Flaw, FlawCode};
use crate::publish::Published;
use crate::serve::Options;
use crate::serve::router::ADMIN_ROUTES;
use crate::store::{Attempt, PollState};
use chrono::Duration;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Breaks out of text, attributes, comments and raw text, if anything lets it.
const POLYGLOT: &str =
    "\"'></title></pre></textarea><script>alert(1)</script><img src=x onerror=alert(2)><!-- {{7*7}} \u{202e}";

pub(super) fn hostile_attempts() -> Vec<Attempt> {
    let attempt = |minutes: i64, status, error: Option<&str>| Attempt {
        at: now() - Duration::minutes(minutes),
        url: format!("https://source.example/{POLYGLOT}"),
        status,
        millis: 120 + minutes.unsigned_abs(),
        changed: u32::from(minutes % 45 == 0),
        error: error.map(str::to_owned),
    };
    let mut attempts = vec![attempt(5, Some(500), Some(POLYGLOT)), attempt(20, None, Some("connection refused"))];
    attempts.extend((2..40).map(|n| attempt(n * 15, Some(200), None)));
    attempts
}

pub(super) fn hostile_poll() -> PollState {
    PollState {
        last_poll: Some(now() - Duration::minutes(5)),
        last_success: Some(now() - Duration::minutes(35)),
        next_poll: Some(now() + Duration::minutes(25)),
        failures: 2,
        live_since: Some(now() - Duration::days(3)),
        address: Some(format!("https://source.example/{POLYGLOT}")),
        layout: Some(POLYGLOT.into()),
        flaws: vec![Flaw::new(FlawCode::HttpStatus, POLYGLOT), Flaw::new(FlawCode::DateMissing, "entry 3")],
        error: Some(POLYGLOT.into()),
        tries: 40,
        last_attempt: hostile_attempts().into_iter().next(),
        failing_since: Some(now() - Duration::minutes(20)),
        ..PollState::default()
    }
}

pub(super) fn fill(store: &Memory) {
    let mut polls = store.polls.lock().unwrap();
    polls.insert("renwu".parse().unwrap(), hostile_poll());
    store.attempts.lock().unwrap().insert("renwu".parse().unwrap(), hostile_attempts());
    let good = PollState {
        last_poll: Some(now() - Duration::minutes(3)),
        last_success: Some(now() - Duration::minutes(3)),
        next_poll: Some(now() + Duration::minutes(12)),
        live_since: Some(now() - Duration::days(30)),
        layout: Some("list-2021".into()),
        ..PollState::default()
    };
    polls.insert("shiping".parse().unwrap(), good);
}

/// The hand-made set with a rejected file.
pub(super) fn rejected() -> Published {
    let mut set = published();
    let text = format!("error: unknown key `chanels`\n --> feeds.yaml:3:1\n{POLYGLOT}");
    Arc::make_mut(&mut set.status).rejected = Some((now(), text));
    set
}

#[tokio::test]
async fn health_and_readiness() {
    let server = Server::with(Options::default(), rejected()).await;
    let alive = server.get("/healthz", &[]).await;
    let json: serde_json::Value = serde_json::from_str(&alive.body).unwrap();
    assert_eq!(
        (alive.status, json["status"].as_str(), json["version"].as_str()),
        (200, Some("ok"), Some("0.0.0-test"))
    );
    assert!(json["config"]["rejected"].is_string() && !alive.body.contains("chanels"), "{json}");
    assert_eq!(server.get("/readyz", &[]).await.status, 200);
    server.store.broken.store(true, Ordering::Relaxed);
    let broken = server.get("/readyz", &[]).await;
    assert!(broken.status == 503 && broken.body.contains("it is gone"), "{broken:?}");
    assert_eq!(server.get("/healthz", &[]).await.status, 200);
    assert_eq!(server.get("/admin", &[]).await.status, 503);
    server.stop().await;

    let mut empty = published();
    empty.documents.clear();
    let server = Server::with(Options::default(), empty).await;
    let answer = server.get("/readyz", &[]).await;
    assert!(answer.status == 503 && answer.body.contains("nothing has been published yet"));
    server.stop().await;
}

#[tokio::test]
async fn every_admin_route_is_guarded() {
    for (token, expected) in [(None, 403), (Some("s3cret".to_owned()), 401)] {
        let server = Server::start(Options { admin_token: token, ..Options::default() }).await;
        for route in ADMIN_ROUTES {
            for headers in [[("X-Forwarded-For", "127.0.0.1")], [("Via", "1.1 nginx")], [("Host", "evil.example")]] {
                for method in ["GET", "HEAD", "POST", "OPTIONS"] {
                    let answer = server.ask(method, route, &headers).await;
                    assert_eq!(answer.status, expected, "{method} {route} {headers:?}");
                    assert_eq!(answer.header("cache-control"), "no-store");
                    assert_eq!(answer.header("www-authenticate").is_empty(), expected == 403);
                    assert!(!answer.body.contains("shiping"));
                }
            }
            let headers = [("Via", "1.1 nginx"), ("Authorization", "Bearer s3cret")];
            let open = server.get(route, &headers).await.status;
            assert_eq!(
                open,
                if expected == 403 {
                    403
                } else if route.contains("no/such") {
                    404
                } else {
                    200
                },
                "{route}"
            );
        }
        for odd in ["/%61dmin", "/ADMIN", "//admin", "/./admin", "/x/../admin"] {
            assert_eq!(server.get(odd, &[("Via", "x")]).await.status, 404, "{odd}");
        }
        server.stop().await;
    }
}

#[tokio::test]
async fn admin_shows_everything_and_runs_nothing() {
    let server = Server::with(Options::default(), rejected()).await;
    fill(&server.store);
    for language in ["zh", "en"] {
        for path in ["/admin", "/admin/channels/renwu"] {
            let answer = server.get(path, &[("Accept-Language", language)]).await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("cache-control"), "no-store");
            assert!(answer.header("content-security-policy").contains("default-src 'none'"));
            for forbidden in ["<script", "<img", "onerror=alert(2)>", "<!--", "style=\"", "{{"] {
                let shown = answer.body.replace("{{7*7}}", "");
                assert!(!shown.contains(forbidden), "{path} {forbidden}");
            }
            assert!(answer.body.contains("&#60;script&#62;") || answer.body.contains("&lt;script&gt;"), "{path}");
        }
    }
    let list = server.get("/admin", &[("Accept-Language", "en")]).await.body;
    for part in [
        "Failing since",
        "Fresh",
        "Waiting for its first poll",
        "in 25 minutes",
        "5 minutes ago",
        "<caption>",
        "scope=\"row\"",
        "unknown key `chanels`",
        "last good configuration",
        "2019-12-11 19:52:50",
    ] {
        assert!(list.contains(part), "{part}\n{list}");
    }
    let page = server.get("/admin/channels/renwu", &[("Accept-Language", "en")]).await.body;
    for part in ["http-status", "if the page has moved", "alarm", "<svg", "class=\"bad\"", "connection refused", "500"]
    {
        assert!(page.contains(part), "{part}\n{page}");
    }
    for (path, status) in
        [("/admin/channels/nobody", 404), ("/admin/channels/%3Cscript%3E", 404), ("/admin/channels/xinhua", 200)]
    {
        assert_eq!(server.get(path, &[]).await.status, status, "{path}");
    }
    let api = server.get("/admin/api/channels", &[]).await;
    let json: serde_json::Value = serde_json::from_str(&api.body).unwrap();
    assert_eq!(json["channels"][1]["state"], "failing");
    assert_eq!(json["channels"][1]["failing_since"], "2019-12-11T11:37:50Z");
    assert_eq!(json["channels"][0]["entries"], 42);
    assert_eq!(server.ask("POST", "/admin", &[]).await.status, 405);
    server.stop().await;
}

#[tokio::test]
async fn unknown_pages_and_small_files() {
    let server = Server::start(Options::default()).await;
    for (headers, kind, part) in [
        (vec![("Accept", "text/html")], "text/html; charset=utf-8", "没有这个页面"),
        (vec![("Accept", "text/html"), ("Accept-Language", "en")], "text/html; charset=utf-8", "Not found"),
        (vec![("Accept-Language", "en")], "text/plain; charset=utf-8", "Not found"),
    ] {
        let answer = server.get("/no/such&page", &headers).await;
        assert_eq!((answer.status, answer.header("content-type")), (404, kind));
        assert!(answer.body.contains(part) && !answer.body.contains("such"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    let answer = server.ask("POST", "/healthz", &[("Accept-Language", "en")]).await;
    assert_eq!((answer.status, answer.header("allow")), (405, "GET,HEAD"));
    assert!(answer.body.starts_with("Method not allowed"));
    for (path, kind) in [
        ("/favicon.svg", "image/svg+xml"),
        ("/robots.txt", "text/plain; charset=utf-8"),
        ("/admin/style.css", "text/css; charset=utf-8"),
    ] {
        let answer = server.get(path, &[]).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, kind), "{path}");
    }
    server.stop().await;
}
