//! A document on which Heliu panics, or that it never finishes reading, costs one fetch and nobody else.

use crate::kit::{Answer, Origin, Site, exposition};
use chrono::TimeDelta;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

fn list(whose: &str, count: usize) -> Answer {
    let one =
        |n: usize| format!("<li><a href=/a/{n}.html>{whose}第{n}篇文章的标题</a><i>2026-11-2{} 08:00</i></li>", n % 3);
    Answer::html(format!("<title>列表</title><ul>{}</ul>", (0..count).map(one).collect::<String>())).with_etag()
}

fn rss(count: usize) -> Answer {
    let one = |n: usize| format!("<item><guid>{n}</guid><title>{n}</title><link>http://bad.test/{n}</link></item>");
    let text = format!("<rss version=\"2.0\"><channel>{}</channel></rss>", (0..count).map(one).collect::<String>());
    Answer::new(200, "application/rss+xml", text).with_etag()
}

fn article(n: usize) -> Answer {
    Answer::html(format!("<h1>第{n}篇文章的标题</h1><div class=text><p>{}</p></div>", "正文。".repeat(60)))
}

fn config(port: u16, bad: &str) -> String {
    format!(
        "service: {{ title: t, base_url: 'http://127.0.0.1:8080/', allow_networks: [127.0.0.0/8] }}
layouts:
  list: {{ entry: li, title: a, link: a @href, date: i }}
  article: {{ title: h1, body: .text }}
channels:
  bad: {{ {bad}, every: 1h }}
  good: {{ page: 'http://good.test:{port}/list', layouts: list, every: 1h }}
feeds:
  both: {{ channels: [bad, good], limit: 100 }}
"
    )
}

/// Where a disturbed reading waits, and what lets it go.
#[derive(Default)]
struct Trap {
    caught: AtomicUsize,
    open: Mutex<bool>,
    opened: Condvar,
}

impl Trap {
    fn stay(&self) {
        self.caught.fetch_add(1, Ordering::SeqCst);
        let open = self.open.lock().unwrap();
        // Bounded, so that a test that fails ends.
        drop(self.opened.wait_timeout_while(open, Duration::from_mins(1), |open| !*open).unwrap());
    }

    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

/// Polls what is due, and lets the patience with each reading that is caught run out.
async fn poll(site: &Site, trap: &Trap) {
    let before = trap.caught.load(Ordering::SeqCst);
    let watch = async {
        let mut seen = before;
        loop {
            if trap.caught.load(Ordering::SeqCst) > seen {
                seen += 1;
                tokio::time::pause();
                tokio::time::advance(Duration::from_secs(31)).await;
                tokio::time::resume();
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = site.poll() => {}
        () = watch => {}
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum How {
    Panics,
    NeverEnds,
}

async fn metric(site: &Site, key: &str) -> usize {
    let text = site.get_with("/metrics", &[("Accept", "application/openmetrics-text; version=1.0.0")]).await.text();
    let series = exposition::read(&text, exposition::Dialect::OpenMetrics).unwrap();
    series.get(key).map_or(0, |value| value.to_string().parse().unwrap())
}

/// Disturbs the reading of everything on `bad.test` at one step; yields the switch and the trap.
fn disturb(site: &Site, step: &'static str, how: How) -> (Arc<AtomicBool>, Arc<Trap>) {
    let (on, trap) = (Arc::new(AtomicBool::new(true)), Arc::new(Trap::default()));
    let (switch, place) = (Arc::clone(&on), Arc::clone(&trap));
    site.service.disturb_readings(move |at, address| {
        if switch.load(Ordering::SeqCst) && at == step && address.contains("bad.test") {
            match how {
                How::Panics => panic!("a defect, on purpose"),
                How::NeverEnds => place.stay(),
            }
        }
    });
    (on, trap)
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story, told for eight cases")]
async fn a_document_that_brings_out_a_defect_costs_one_fetch_and_nobody_else() {
    let page = |port: u16| format!("page: 'http://bad.test:{port}/list', layouts: list");
    let feed = |port: u16| format!("feed: 'http://bad.test:{port}/feed'");
    for (step, how, code) in [
        ("extract", How::Panics, "panicked"),
        ("extract", How::NeverEnds, "overrun"),
        ("look at", How::Panics, "panicked"),
        ("look at", How::NeverEnds, "overrun"),
        ("normalise", How::Panics, "panicked"),
        ("normalise", How::NeverEnds, "overrun"),
        ("parse", How::Panics, "panicked"),
        ("parse", How::NeverEnds, "overrun"),
    ] {
        let what = format!("{step}, {how:?}");
        let origin = Origin::start();
        let (port, mut count) = (origin.port(), 3);
        origin.put("bad.test/list", list("甲方", 5));
        origin.put("bad.test/feed", rss(5));
        origin.put("good.test/list", list("乙方另外的", count));
        let bad = if step == "parse" { feed(port) } else { page(port) };
        let site = Site::start(&config(port, &bad)).await;
        let (on, trap) = disturb(&site, step, how);
        let mut polls_of_bad = 0;
        for round in 1..=3 {
            poll(&site, &trap).await;
            polls_of_bad += origin
                .take_log()
                .iter()
                .filter(|asked| {
                    asked.path != "/list" || asked.header("host").is_some_and(|host| host.starts_with("bad"))
                })
                .count();
            assert_eq!(polls_of_bad, round, "{what}");
            assert!(site.flaws("bad").await.contains(&code), "{what}: {:?}", site.flaws("bad").await);
            // The other one is read, and read again.
            assert_eq!(site.entries("both").await.len(), count, "{what}");
            let lost = if how == How::NeverEnds { round } else { 0 };
            assert_eq!(site.service.lost_readings(), lost, "{what}");
            assert_eq!(metric(&site, "heliu_lost_readings").await, lost, "{what}");
            if round < 3 {
                count += 1;
                origin.put("good.test/list", list("乙方另外的", count));
                site.clock.advance(TimeDelta::hours(5));
            }
        }
        assert_eq!(metric(&site, &format!("heliu_flaws_total{{code=\"{code}\"}}")).await, 3, "{what}");
        let shown = site.get_with("/admin/channels/bad", &[("Accept-Language", "zh")]).await.text();
        assert!(shown.contains(code) && shown.contains("3 polls in a row ended so"), "{what}: {shown}");
        // Left alone for a day, also over a restart; then asked once, in full.
        let site = site.restart().await;
        site.after(TimeDelta::hours(23)).await;
        let asked_bad = |log: Vec<crate::kit::origin::Asked>| {
            log.into_iter()
                .filter(|asked| asked.header("host").is_some_and(|host| host.starts_with("bad")))
                .collect::<Vec<_>>()
        };
        assert_eq!(asked_bad(origin.take_log()).len(), 0, "{what}");
        trap.open();
        on.store(false, Ordering::SeqCst);
        site.after(TimeDelta::hours(2)).await;
        let asked = asked_bad(origin.take_log());
        assert_eq!(asked.len(), 1, "{what}");
        assert_eq!(asked[0].header("if-none-match"), None, "{what}: nothing was made of what was fetched before");
        assert_eq!(site.entries("both").await.len(), count + 5, "{what}");
        assert_eq!(site.flaws("bad").await.iter().filter(|flaw| **flaw == code).count(), 0, "{what}");
        site.stop().await;
    }
}

#[tokio::test]
async fn an_article_that_brings_out_a_defect_costs_its_text_and_not_the_list() {
    for how in [How::Panics, How::NeverEnds] {
        let origin = Origin::start();
        let port = origin.port();
        origin.put("bad.test/list", list("甲方", 3));
        origin.put("good.test/list", list("乙方另外的", 1));
        for n in 0..3 {
            origin.put(&format!("bad.test/a/{n}.html"), article(n));
        }
        let bad = format!("page: 'http://bad.test:{port}/list', layouts: list, article: article");
        let site = Site::start(&config(port, &bad)).await;
        let trap = Arc::new(Trap::default());
        let place = Arc::clone(&trap);
        site.service.disturb_readings(move |_, address| {
            if address.ends_with("bad.test/a/1.html") || address.contains("/a/1.html") {
                match how {
                    How::Panics => panic!("a defect, on purpose"),
                    How::NeverEnds => place.stay(),
                }
            }
        });
        poll(&site, &trap).await;
        assert_eq!(site.entries("both").await.len(), 4, "{how:?}");
        let texts = site
            .entries("both")
            .await
            .iter()
            .filter(|one| one["content_html"].as_str().is_some_and(|text| text.contains("正文")))
            .count();
        assert_eq!(texts, 2, "{how:?}");
        assert_eq!(site.flaws("bad").await, ["article-unread"], "{how:?}");
        trap.open();
        site.stop().await;
    }
}
