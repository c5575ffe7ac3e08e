//! Sources that have moved: for good, for now, or to a login page.

use super::{config, live_on, rss};
use crate::kit::{Answer, Origin, Site};
use chrono::TimeDelta;
use heliu::worker::{Clock as _, Reloaded};

/// Paths and what they answer.
type Script = Vec<(&'static str, Answer)>;

fn to(status: u16, target: &str) -> Answer {
    Answer::status(status).header("Location", target)
}

/// Whether the old address is still asked after three days.
async fn is_adopted(script: &[(&str, Answer)]) -> bool {
    let origin = Origin::start();
    for (path, answer) in script {
        origin.put(path, answer.clone());
    }
    let feeds = config(&origin, &[("a", "feed: 'http://a.test/old', every: 1h")]);
    let site = live_on(Site::start(&feeds).await, 3).await;
    origin.take_log();
    let site = live_on(site, 2).await;
    let asked: Vec<_> = origin.take_log().into_iter().map(|asked| asked.path).collect();
    // Nobody asks for what said that it is gone.
    assert!(!asked.is_empty() || site.flaws("a").await.contains(&"gone"));
    let told = site.flaws("a").await.contains(&"moved");
    let adopted = !asked.is_empty() && asked.iter().all(|path| path != "/old");
    assert_eq!(told, adopted, "feeds.yaml is not touched, so the admin is told");
    assert_eq!(std::fs::read_to_string(site.config_path()).unwrap(), feeds);
    site.stop().await;
    adopted
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one table")]
async fn only_wholly_permanent_chains_to_something_readable_are_adopted() {
    let login = || Answer::html("<title>Log in</title><form><input type=password name=p></form>");
    let cases: Vec<(&str, Script, bool)> = vec![
        ("301", vec![("/old", to(301, "/new")), ("/new", rss(2))], true),
        ("308", vec![("/old", to(308, "/new")), ("/new", rss(2))], true),
        ("302", vec![("/old", to(302, "/new")), ("/new", rss(2))], false),
        ("303", vec![("/old", to(303, "/new")), ("/new", rss(2))], false),
        ("307", vec![("/old", to(307, "/new")), ("/new", rss(2))], false),
        ("301, 308", vec![("/old", to(301, "/b")), ("/b", to(308, "/new")), ("/new", rss(2))], true),
        ("301, 302", vec![("/old", to(301, "/b")), ("/b", to(302, "/new")), ("/new", rss(2))], false),
        ("307, 301", vec![("/old", to(307, "/b")), ("/b", to(301, "/new")), ("/new", rss(2))], false),
        ("a login page", vec![("/old", to(301, "/login")), ("/login", login())], false),
        ("nothing there", vec![("/old", to(301, "/new"))], false),
        (
            "five hops, all permanent",
            vec![
                ("/old", to(301, "/1")),
                ("/1", to(308, "/2")),
                ("/2", to(301, "/3")),
                ("/3", to(308, "/4")),
                ("/4", to(301, "/new")),
                ("/new", rss(2)),
            ],
            true,
        ),
        (
            "six hops",
            vec![
                ("/old", to(301, "/1")),
                ("/1", to(301, "/2")),
                ("/2", to(301, "/3")),
                ("/3", to(301, "/4")),
                ("/4", to(301, "/5")),
                ("/5", to(301, "/new")),
                ("/new", rss(2)),
            ],
            false,
        ),
        ("a loop", vec![("/old", to(301, "/b")), ("/b", to(301, "/old"))], false),
        ("to itself", vec![("/old", to(301, "/old"))], false),
        ("nowhere", vec![("/old", Answer::status(301))], false),
        ("301, 303", vec![("/old", to(301, "/b")), ("/b", to(303, "/new")), ("/new", rss(2))], false),
        (
            "301, 307, 301",
            vec![("/old", to(301, "/b")), ("/b", to(307, "/c")), ("/c", to(301, "/new")), ("/new", rss(2))],
            false,
        ),
        ("300", vec![("/old", to(300, "/new")), ("/new", rss(2))], false),
        (
            "a captive portal that says 302",
            vec![("/old", to(302, "http://portal.test/hotel")), ("/hotel", login())],
            false,
        ),
        (
            "a captive portal that says 301",
            vec![
                ("/old", to(301, "/hotel")),
                (
                    "/hotel",
                    Answer::html(
                        "<title>Welcome to the hotel</title><form action=/accept><button>I accept the terms</button></form>",
                    ),
                ),
            ],
            false,
        ),
        (
            "a captive portal that says 308 and 200",
            vec![
                ("/old", to(308, "/hotel?from=/old")),
                ("/hotel?from=/old", Answer::html("<title>Wi-Fi</title><p>Please pay first.")),
            ],
            false,
        ),
        (
            "a captive portal that answers JSON",
            vec![
                ("/old", to(301, "/hotel")),
                (
                    "/hotel",
                    Answer::new(
                        200,
                        "application/captive+json",
                        "{\"captive\":true,\"user-portal-url\":\"http://portal.test/\"}",
                    ),
                ),
            ],
            false,
        ),
        (
            "a captive portal that answers nothing",
            vec![("/old", to(301, "/hotel")), ("/hotel", Answer::html(""))],
            false,
        ),
        (
            "a captive portal that asks for a password",
            vec![("/old", to(301, "/hotel")), ("/hotel", Answer::status(401))],
            false,
        ),
        ("a captive portal that says 511", vec![("/old", Answer::status(511))], false),
        ("a gone target", vec![("/old", to(301, "/new")), ("/new", Answer::status(410))], false),
        ("a broken target", vec![("/old", to(301, "/new")), ("/new", Answer::status(500))], false),
        ("inside, which is refused", vec![("/old", to(301, "http://10.0.0.1/new"))], false),
        ("another scheme", vec![("/old", to(301, "file:///etc/passwd"))], false),
        ("a feed without entries yet", vec![("/old", to(301, "/new")), ("/new", rss(0))], true),
    ];
    assert_eq!(cases.len(), 30);
    for (what, script, expected) in cases {
        assert_eq!(is_adopted(&script).await, expected, "{what}");
    }
}

/// Only the same target for a whole day counts: a portal in a train that redirects now and then, or elsewhere each time,
/// moves nothing.
#[tokio::test]
async fn a_redirect_that_comes_and_goes_or_changes_its_mind_is_not_adopted() {
    for (what, answers) in [
        ("now and then", vec![to(301, "/new"), rss(2)]),
        ("elsewhere each time", vec![to(301, "/new"), to(301, "/other")]),
        ("permanent and temporary by turns", vec![to(301, "/new"), to(302, "/new")]),
        ("failing by turns", vec![to(301, "/new"), Answer::status(500)]),
    ] {
        let origin = Origin::start();
        for path in ["/new", "/other"] {
            origin.put(path, rss(2));
        }
        let site = Site::start(&config(&origin, &[("a", "feed: 'http://a.test/old', every: 6h")])).await;
        for answer in answers.iter().cycle().take(24) {
            origin.put("/old", answer.clone());
            site.after(TimeDelta::hours(7)).await;
        }
        let log = origin.take_log();
        assert_eq!(log.iter().filter(|asked| asked.path == "/old").count(), 24, "{what}");
        assert!(!site.flaws("a").await.contains(&"moved"), "{what}");
        site.stop().await;
    }
}

#[tokio::test]
async fn an_adopted_address_gets_its_own_validators_and_is_given_up_when_it_fails() {
    let origin = Origin::start();
    // On another host: what the old one sent must not get there.
    let new = format!("http://new.test:{}/feed", origin.port());
    origin.put("a.test/old", rss(1));
    origin.put("new.test/feed", rss(2));
    let site = Site::start(&config(&origin, &[("a", "feed: 'http://a.test/old', every: 1h")])).await;
    site.poll().await;
    let old_etag = rss(1).headers.iter().find(|(name, _)| name == "ETag").unwrap().1.clone();
    origin.put("a.test/old", to(301, &new));
    let began = site.clock.now();
    let mut adopted = None;
    origin.take_log();
    for _ in 0..40 {
        site.poll_next().await;
        let log = origin.take_log();
        for asked in log.iter().filter(|asked| asked.path == "/feed") {
            assert_ne!(asked.header("if-none-match"), Some(&*old_etag));
        }
        if log.iter().all(|asked| asked.path == "/feed") && adopted.is_none() {
            adopted = Some(site.clock.now() - began);
            assert_eq!(log[0].header("if-none-match"), None, "its first own document");
        }
    }
    assert!(adopted.is_some_and(|after| after > TimeDelta::hours(24) && after < TimeDelta::hours(27)), "{adopted:?}");
    site.poll_next().await;
    assert_eq!(origin.take_log().iter().map(|asked| asked.status).collect::<Vec<_>>(), [304]);
    // It fails for a while: the address in feeds.yaml is asked again, and has the feed.
    origin.put("new.test/feed", Answer::status(404));
    origin.put("a.test/old", rss(3));
    let site = live_on(site, 2).await;
    assert_eq!(site.entries("all").await.len(), 3);
    assert!(!site.flaws("a").await.contains(&"moved"));
    origin.take_log();
    let site = live_on(site, 1).await;
    assert!(origin.take_log().iter().all(|asked| asked.path == "/old" && asked.status == 304));
    site.stop().await;
}

#[tokio::test]
async fn an_adopted_address_that_is_gone_is_not_the_end() {
    let origin = Origin::start();
    origin.put("a.test/old", to(301, "/new"));
    origin.put("a.test/new", rss(1));
    let site = live_on(Site::start(&config(&origin, &[("a", "feed: 'http://a.test/old', every: 1h")])).await, 3).await;
    origin.put("a.test/new", Answer::status(410));
    let site = live_on(site, 1).await;
    origin.put("a.test/old", rss(2));
    let site = live_on(site, 2).await;
    assert_eq!(site.entries("all").await.len(), 2);
    site.stop().await;
}

/// Who shares an address asks the same one, be it that one of them is new, or that one gave the address up before the
/// others did.
#[tokio::test]
async fn channels_that_share_an_address_that_has_moved_ask_one_and_the_same() {
    let origin = Origin::start();
    origin.put("a.test/old", to(301, "/new"));
    origin.put("a.test/new", rss(2));
    let one = ("a", "feed: 'http://a.test/old', every: 1h");
    let site = live_on(Site::start(&config(&origin, &[one])).await, 3).await;
    origin.take_log();
    let two = config(&origin, &[one, ("b", "feed: 'http://a.test/old', every: 1h")]);
    assert!(matches!(site.edit(&two).await, Reloaded::Applied(_)));
    for _ in 0..3 {
        site.poll_next().await;
        let asked: Vec<_> = origin.take_log().into_iter().map(|asked| asked.path).collect();
        assert_eq!(asked, ["/new"], "one request in one poll");
    }
    assert!(site.flaws("a").await.contains(&"moved") && site.flaws("b").await.contains(&"moved"));
    // Both give it up, and ask the one in feeds.yaml again, together.
    origin.put("a.test/new", Answer::status(404));
    origin.put("a.test/old", rss(3));
    let site = live_on(site, 2).await;
    origin.take_log();
    for _ in 0..3 {
        site.poll_next().await;
        let asked: Vec<_> = origin.take_log().into_iter().map(|asked| asked.path).collect();
        assert_eq!(asked, ["/old"]);
    }
    assert_eq!(site.entries("all").await.len(), 3);
    site.stop().await;
}
