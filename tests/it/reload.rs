//! Hot reload: a good file is a diff, a bad one changes nothing.

use crate::kit::site::real_config;
use crate::kit::{Answer, Article, Generation, Origin, Portal, Site};
use chrono::TimeDelta;
use heliu::worker::Reloaded;

async fn site() -> (Origin, Portal, Site) {
    let origin = Origin::start();
    let mut portal = Portal::new(&origin, Generation::C);
    portal.publish(Article::sample(1));
    portal.publish(Article::sample(2));
    let site = Site::start(&real_config(&origin)).await;
    site.poll().await;
    (origin, portal, site)
}

#[tokio::test]
async fn a_bad_file_keeps_the_last_good_configuration() {
    let (origin, _portal, site) = site().await;
    let good = real_config(&origin);
    let before = site.get("/feeds/pinglun.rss").await;
    let feeds = good.find("\nfeeds:").unwrap();
    let cut = |at: usize| good[..good.floor_char_boundary(at)].to_owned();
    let mut bad: Vec<(String, String)> = vec![
        ("empty".into(), String::new()),
        ("only a comment".into(), "# nothing\n".into()),
        ("a list".into(), "- a\n- b\n".into()),
        ("no feeds".into(), good[..feeds].to_owned()),
        ("a tab".into(), good.replacen("  title:", "\ttitle:", 1)),
        ("an unclosed quote".into(), good.replacen("title: ", "title: \"", 1)),
        ("an unknown key".into(), good.replacen("service:\n", "service:\n  colour: red\n", 1)),
        ("a key twice".into(), good.replacen("service:\n", "service:\n  language: en\n", 1)),
        ("an unknown channel".into(), good.replace("channels: [shiping", "channels: [shipping")),
        ("a bad selector".into(), good.replacen("entry: '", "entry: 'li[[", 1)),
        ("a bad zone".into(), good.replace("Asia/Shanghai", "Asia/Shangai")),
        ("a bad address".into(), good.replace("http://127.0.0.1:8080/", "127.0.0.1:8080")),
        (
            "an alias bomb".into(),
            format!(
                "x-a: &a [1,1,1,1,1,1,1,1,1]\nx-b: &b [{0}]\nx-c: &c [{1}]\nx-d: &d [{2}]\nx-e: [{3}]\n{good}",
                ["*a"; 9].join(","),
                ["*b"; 9].join(","),
                ["*c"; 9].join(","),
                ["*d"; 9].join(",")
            ),
        ),
        ("huge".into(), format!("{good}\n# {}\n", "x".repeat(17 << 20))),
        ("NUL".into(), good.replacen("title", "ti\0tle", 1)),
    ];
    // A half-written file, cut at many places. A cut at the very end of a key may still be valid YAML,
    // so only what does not load counts as bad; most must.
    for part in 1..26 {
        bad.push((format!("cut at {part}/26"), cut(good.len() * part / 26)));
    }
    assert!(bad.len() >= 40);
    let mut rejected = 0;
    for (what, text) in &bad {
        match site.edit(text).await {
            Reloaded::Rejected(diagnostics) => {
                rejected += 1;
                assert!(diagnostics.contains("feeds.yaml"), "{what}: {diagnostics}");
                let admin = site.get("/admin").await.text();
                assert!(admin.contains("feeds.yaml"), "{what}: /admin says so");
                let health = site.get("/healthz").await.text();
                assert!(health.contains("rejected"), "{what}: {health}");
                let now = site.get("/feeds/pinglun.rss").await;
                assert_eq!(now.body, before.body, "{what}: what is published stays");
            }
            Reloaded::Applied(_) => assert!(what.starts_with("cut"), "{what} was taken as good"),
        }
    }
    assert!(rejected >= 15 + 20, "{rejected} of {} were rejected", bad.len());
    assert!(matches!(site.edit(&good).await, Reloaded::Applied(_)));
    assert_eq!(site.get("/feeds/pinglun.rss").await.body, before.body);
    assert!(!site.get("/healthz").await.text().contains("feeds.yaml:"), "the trouble is over");
}

#[tokio::test]
async fn a_file_that_is_gone_or_not_text_keeps_the_last_good_configuration() {
    let (_origin, _portal, site) = site().await;
    for content in [Err("feeds.yaml cannot be read: permission denied".to_owned()), Ok(vec![0xff, 0xfe, 0x00, 0xd8])] {
        assert!(matches!(site.service.reload(content).await, Reloaded::Rejected(_)));
        assert_eq!(site.get("/feeds/shiping.atom").await.status, 200);
    }
}

#[tokio::test]
async fn an_unchanged_file_causes_no_request_and_no_other_byte() {
    let (origin, _portal, site) = site().await;
    let config = real_config(&origin);
    let before = site.get("/feeds/pinglun.json").await;
    let due = site.service.next_due();
    origin.take_log();
    for round in 0..200 {
        let text = format!("{config}\n# edit {round}\n");
        assert!(matches!(site.service.reload(Ok(text.into_bytes())).await, Reloaded::Applied(_)));
    }
    site.poll().await;
    assert!(origin.take_log().is_empty(), "a reload of nothing new asks nobody");
    assert_eq!(site.service.next_due(), due, "the schedule stays");
    let after = site.get("/feeds/pinglun.json").await;
    assert_eq!(after.body, before.body);
    assert_eq!(after.header("etag"), before.header("etag"));
}

#[tokio::test]
async fn a_feed_that_is_removed_and_comes_back_keeps_its_entries() {
    let (origin, _portal, site) = site().await;
    let config = real_config(&origin);
    let before = site.get("/feeds/shiping.atom").await;
    let line =
        config.lines().find(|line| line.trim_start().starts_with("shiping:") && line.contains("channels")).unwrap();
    let without = config.replace(&format!("{line}\n"), "");
    assert!(matches!(site.edit(&without).await, Reloaded::Applied(_)));
    assert_eq!(site.get("/feeds/shiping.atom").await.status, 404);
    site.clock.advance(TimeDelta::days(20));
    assert!(matches!(site.edit(&config).await, Reloaded::Applied(_)));
    let after = site.get("/feeds/shiping.atom").await;
    assert_eq!(after.body, before.body, "not one entry looks new");
}

#[tokio::test]
async fn a_new_feed_is_published_at_once_and_a_new_channel_is_polled() {
    let (origin, _portal, site) = site().await;
    let feed = r#"{"version":"https://jsonfeed.org/version/1.1","title":"T","items":[{"id":"1","url":"http://news.test/1","title":"One","content_text":"x","date_published":"2026-11-22T10:00:00+08:00"}]}"#;
    origin.put("/feed.json", Answer::new(200, "application/feed+json", feed));
    let config = real_config(&origin)
        .replacen(
            "\nchannels:\n",
            &format!("\nchannels:\n  news: {{ feed: 'http://news.test:{}/feed.json' }}\n", origin.port()),
            1,
        )
        .replacen("\nfeeds:\n", "\nfeeds:\n  news: { channels: [news] }\n", 1);
    origin.take_log();
    assert!(matches!(site.edit(&config).await, Reloaded::Applied(_)));
    assert_eq!(site.get("/feeds/news.rss").await.status, 200, "published although still empty");
    site.poll().await;
    let log = origin.take_log();
    assert_eq!(log.iter().map(|asked| asked.path.as_str()).collect::<Vec<_>>(), ["/feed.json"], "only the new channel");
    assert_eq!(site.titles("news").await, ["One"]);
}
