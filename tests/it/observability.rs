//! S-15 to S-17 and R-31: every way a source can go wrong is seen within one poll at `/admin`, in `/metrics`, in
//! the log and in the feed of incidents, under the same name, and no reader notices any of it.
#![allow(clippy::float_cmp, reason = "what is counted is whole")]

use crate::kit::exposition::{self, Dialect, Series};
use crate::kit::origin::Manners;
use crate::kit::site::{Reply, real_config};
use crate::kit::{Answer, Article, Generation, Origin, Portal, Site};
use chrono::{DateTime, TimeDelta, Utc};
use heliu::telemetry::{self, ChannelGauge, LogFormat, MOST_CHANNELS, Metrics};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write;
use std::sync::{Arc, Mutex};

const DOCUMENTS: [&str; 7] =
    ["/feeds/news.rss", "/feeds/news.atom", "/feeds/news.json", "/feeds/news", "/feeds/both.atom", "/", "/opml.xml"];

/// A column of the portal as its list shows it: twelve entries, the youngest of them number `youngest`.
fn list(youngest: usize, with_date: bool, with_image: bool) -> Answer {
    Answer::html(format!(
        "<!doctype html><meta charset=utf-8><title>中工时评</title><ul>{}</ul>",
        items(youngest, with_date, with_image)
    ))
    .with_etag()
}

fn items(youngest: usize, with_date: bool, with_image: bool) -> String {
    let begin: DateTime<Utc> = "2026-11-20T00:00:00Z".parse().unwrap();
    let mut items = String::new();
    for n in (youngest - 11..=youngest).rev() {
        let at = (begin + TimeDelta::hours(2 * i64::try_from(n).unwrap())).format("%Y-%m-%d %H:%M");
        let date = if with_date { format!("<i>{at}</i>") } else { String::new() };
        let image = if with_image { format!("<img src=/p/{n}.jpg>") } else { String::new() };
        let _ = write!(
            items,
            "<li><a href=/c/{n}.shtml>第{n}篇：{}</a>{date}{image}</li>",
            "一个足够长的标题".repeat(1 + n % 3)
        );
    }
    items
}

fn config(origin: &Origin) -> String {
    let port = origin.port();
    format!(
        "service: {{ title: 测试, base_url: 'http://127.0.0.1:8080/', allow_networks: [127.0.0.0/8] }}
layouts:
  list: {{ entry: li, title: a, link: a @href, date: i, image: img }}
channels:
  news: {{ title: 中工时评, page: 'http://portal.test:{port}/list.shtml', layouts: list }}
  other: {{ page: 'http://other.test:{port}/other.shtml', layouts: list }}
feeds:
  news: {{ channels: [news] }}
  both: {{ channels: [news, other], limit: 400 }}
"
    )
}

/// A site whose channel has been well for long enough to be known: one new entry every two hours.
async fn known(origin: &Origin) -> Site {
    origin.put("/other.shtml", list(20, true, true));
    origin.put("/list.shtml", list(20, true, true));
    let site = Site::start(&config(origin)).await;
    site.poll().await;
    for youngest in 21..30 {
        origin.put("/list.shtml", list(youngest, true, true));
        site.after(TimeDelta::hours(2)).await;
    }
    assert_eq!(site.flaws("news").await, Vec::<&str>::new());
    site
}

async fn documents(site: &Site) -> Vec<(u16, Option<String>, Vec<u8>)> {
    let mut all = Vec::new();
    for path in DOCUMENTS {
        let Reply { status, body, .. } = site.get(path).await;
        all.push((status, site.get(path).await.header("etag").map(str::to_owned), body));
    }
    all
}

async fn metrics(site: &Site) -> Series {
    let reply = site.get_with("/metrics", &[("Accept", "application/openmetrics-text; version=1.0.0")]).await;
    assert_eq!(reply.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    let series = exposition::read(&reply.text(), Dialect::OpenMetrics).unwrap();
    let reply = site.get("/metrics").await;
    assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    exposition::read(&reply.text(), Dialect::Prometheus).unwrap();
    series
}

/// The titles of the incidents, latest first.
async fn incidents(site: &Site) -> Vec<String> {
    let text = site.get("/feeds/health.atom").await.text();
    text.split("<entry>")
        .skip(1)
        .map(|one| one.split("title>").nth(1).unwrap().trim_end_matches("</").to_owned())
        .collect()
}

async fn channel(site: &Site, name: &str) -> serde_json::Value {
    let all = site.get("/admin/api/channels").await.json();
    all["channels"].as_array().unwrap().iter().find(|one| one["id"] == name).unwrap().clone()
}

/// Log lines of the thread, as JSON.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let own = self.clone();
        tracing::subscriber::set_default(
            telemetry::subscriber(LogFormat::Json, "heliu=info", move || own.clone()).unwrap(),
        )
    }

    fn take(&self) -> Vec<serde_json::Value> {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap());
        String::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// A fault: what it is called, what is served, the state, the flaw, and after how many polls it is an incident.
type Fault = (&'static str, Answer, &'static str, &'static str, usize);

fn faults() -> Vec<Fault> {
    let list_with = |extra: &str| {
        format!(
            "<title>登录</title><ul>{}</ul>{extra}",
            "<li><a href=/help>帮助</a></li><li><a href=/join>注册</a></li>"
        )
    };
    let login = "<!doctype html><title>用户登录</title><form><input name=u><input type=password></form>";
    let slider = "<!doctype html><title>中工网</title><div id=captcha>请按住滑块，拖动到最右边</div>";
    let redesign = "<!doctype html><title>中工网</title><main><section>新版首页上线了</section></main>";
    let archive = Answer::html(format!(
        "<ul>{}</ul>",
        (0..12)
            .map(|n| format!(
                "<li><a href=/x/{n}>旧文第{n}篇的标题</a><i>2019-03-0{} 08:00</i><img src=/y/{n}.jpg></li>",
                n % 9 + 1
            ))
            .collect::<String>()
    ));
    let robots = Answer::new(200, "text/plain", "User-agent: *\nDisallow: /\n");
    vec![
        ("a login", Answer::html(login), "drifted", "login", 1),
        (
            "a login with a menu that the layout fits",
            Answer::html(list_with("<input type=password>")),
            "drifted",
            "login",
            1,
        ),
        ("a captcha", Answer::html(slider), "drifted", "login", 1),
        ("a redesign", Answer::html(redesign), "drifted", "no-layout-fits", 1),
        ("no dates and no images", list(29, false, false), "drifted", "drifted", 1),
        ("no images", list(29, true, false), "drifted", "drifted", 1),
        (
            "three entries left",
            Answer::html(format!(
                "<ul>{}</ul>",
                &items(29, true, true)[..items(29, true, true).match_indices("<li>").nth(3).unwrap().0]
            )),
            "drifted",
            "shrunken",
            1,
        ),
        ("all old entries under new addresses", archive, "drifted", "quarantined", 1),
        ("too many requests", Answer::status(429), "throttled", "http-status", 1),
        ("unavailable", Answer::status(503).header("Retry-After", "600"), "throttled", "http-status", 1),
        ("gone", Answer::status(410), "gone", "gone", 1),
        ("forbidden", Answer::status(403), "failing", "http-status", 3),
        ("broken", Answer::status(500), "failing", "http-status", 3),
        ("nothing", Answer::html(""), "failing", "empty", 3),
        ("cut by the line", list(30, true, true).manners(Manners::Cut), "failing", "truncated", 3),
        ("hung up", list(30, true, true).manners(Manners::HangUp), "failing", "unreachable", 3),
        ("disallowed", robots, "failing", "robots-disallow", 3),
    ]
}

/// What was wrong is over, and two polls have seen it.
async fn mend(origin: &Origin, mut site: Site, flaw: &str) -> Site {
    origin.put("/list.shtml", list(29, true, true));
    if flaw == "robots-disallow" {
        origin.put("portal.test/robots.txt", Answer::status(404));
        site = site.restart().await;
    }
    if flaw == "gone" {
        origin.put("/new.shtml", list(29, true, true));
        site.edit(&config(origin).replace("/list.shtml", "/new.shtml")).await;
    }
    for _ in 0..2 {
        site.after(TimeDelta::hours(25)).await;
    }
    site
}

#[tokio::test]
async fn every_fault_is_told_under_one_name_and_no_reader_notices() {
    for (what, answer, state, flaw, polls) in faults() {
        let origin = Origin::start();
        let mut site = known(&origin).await;
        let before = documents(&site).await;
        assert_eq!(incidents(&site).await, Vec::<String>::new(), "{what}");
        let counted = metrics(&site).await;
        assert_eq!(counted["heliu_channels{state=\"fresh\"}"], 2.0, "{what}");
        let lines = Lines::default();
        let listening = lines.listen();
        if flaw == "robots-disallow" {
            origin.put("portal.test/robots.txt", answer);
            // What robots.txt said is remembered for a day.
            site = site.restart().await;
        } else {
            origin.put("/list.shtml", answer);
        }
        for poll in 1..=polls {
            site.clock.advance(TimeDelta::hours(3));
            assert!(site.poll().await > 0, "{what}");
            assert_eq!(incidents(&site).await.len(), usize::from(poll == polls), "{what}: poll {poll}");
            let shown = channel(&site, "news").await;
            assert_eq!(shown["state"], state, "{what}: {shown}");
        }
        drop(listening);
        // The dashboard and its JSON.
        let page = site.get_with("/admin/channels/news", &[("Accept-Language", "en")]).await.text();
        assert!(page.contains(&format!("class=\"state {state}\"")) && page.contains(flaw), "{what}: {page}");
        assert!(site.get("/admin").await.text().contains(&format!("class=\"state {state}\"")), "{what}");
        let shown = channel(&site, "news").await;
        assert!(shown["since"].is_string() && shown["advice"][flaw].is_string(), "{what}: {shown}");
        assert_eq!(channel(&site, "other").await["state"], "fresh", "{what}");
        // The metrics.
        let now = metrics(&site).await;
        let of = |series: &Series, key: &str| series.get(key).copied().unwrap_or(0.0);
        assert_eq!(of(&now, &format!("heliu_channel_state{{channel=\"news\",state=\"{state}\"}}")), 1.0, "{what}");
        assert_eq!(of(&now, &format!("heliu_channels{{state=\"{state}\"}}")), 1.0, "{what}");
        let flawed = format!("heliu_flaws_total{{code=\"{flaw}\"}}");
        assert!(of(&now, &flawed) > of(&counted, &flawed), "{what}");
        assert_eq!(of(&now, &format!("heliu_incidents_total{{event=\"opened\",state=\"{state}\"}}")), 1.0, "{what}");
        // The log.
        let lines = lines.take();
        let of_channel = |line: &&serde_json::Value| line["channel"] == "news" && line["state"] == state;
        assert!(lines.iter().filter(of_channel).any(|line| line["outcome"].is_string()), "{what}: {lines:?}");
        assert!(lines.iter().filter(of_channel).any(|line| line["evidence"].is_string()), "{what}: {lines:?}");
        // And nobody else.
        assert!(documents(&site).await == before, "{what}: a reader noticed");

        // Well again: two good polls close it, and still nobody noticed. What is gone for good is asked again at a new address.
        let away = what == "gone";
        site = mend(&origin, site, flaw).await;
        let titles = incidents(&site).await;
        // What is held back waits for the admin.
        let waits = flaw == "quarantined";
        assert!(
            waits && titles.len() == 1 || titles.iter().any(|title| title.contains("恢复")),
            "{what}: {titles:?} {:?}",
            site.flaws("news").await
        );
        // Documents name the address of their source, which had to change.
        assert!(away || documents(&site).await == before, "{what}: a reader noticed the end");
        site.stop().await;
    }
}

#[tokio::test]
async fn external_feeds_drift_too() {
    let rss = |count: usize| {
        let item = |n: usize| {
            format!(
                "<item><guid isPermaLink=\"false\">{n}</guid><link>http://p.test/{n}</link><title>第{n}篇</title></item>"
            )
        };
        let items: String = (0..count).map(item).collect();
        Answer::new(
            200,
            "application/rss+xml",
            format!("<rss version=\"2.0\"><channel><title>t</title>{items}</channel></rss>"),
        )
    };
    for (what, answer, flaw) in [
        ("a login", Answer::html("<title>Sign in</title><form><input type=password></form>"), "login"),
        ("a page", Answer::html(format!("<title>News</title><p>{}", "words ".repeat(500))), "not-a-feed"),
        ("an empty feed", rss(0), "shrunken"),
        ("a quarter of it", rss(3), "shrunken"),
    ] {
        let origin = Origin::start();
        origin.put("/feed.xml", rss(12));
        let text = config(&origin);
        let page = format!("page: 'http://portal.test:{}/list.shtml', layouts: list", origin.port());
        let text = text.replace(&page, &format!("feed: 'http://portal.test:{}/feed.xml'", origin.port()));
        let site = Site::start(&text).await;
        site.poll().await;
        let before = documents(&site).await;
        origin.put("/feed.xml", answer);
        site.after(TimeDelta::hours(1)).await;
        assert_eq!(channel(&site, "news").await["state"], "drifted", "{what}");
        assert!(site.flaws("news").await.contains(&flaw), "{what}: {:?}", site.flaws("news").await);
        assert_eq!(incidents(&site).await, ["内容异常：中工时评"], "{what}");
        assert!(documents(&site).await == before, "{what}: a reader noticed");
    }
}

#[tokio::test]
async fn articles_that_lose_a_field_are_told() {
    let origin = Origin::start();
    let mut portal = Portal::new(&origin, Generation::C);
    let site = Site::start(&real_config(&origin)).await;
    let mut number = 0;
    let mut publish = |portal: &mut Portal, source: &str| {
        for _ in 0..6 {
            number += 1;
            portal.publish(Article { source: source.to_owned(), ..Article::sample(number) });
        }
    };
    for _ in 0..7 {
        publish(&mut portal, "工人日报");
        site.after(TimeDelta::hours(2)).await;
        assert!(!site.flaws("shiping").await.contains(&"drifted"));
    }
    publish(&mut portal, "");
    site.after(TimeDelta::hours(2)).await;
    let polls = site.store.polls().await.unwrap();
    let told: Vec<_> = polls[&"shiping".parse().unwrap()].flaws.iter().map(ToString::to_string).collect();
    let expected = "drifted: the articles: sources: usually 100 %, now 0 of 6; so since ";
    assert!(told.iter().any(|flaw| flaw.starts_with(expected)), "{told:?}");
    assert_eq!(channel(&site, "shiping").await["state"], "drifted");
}

#[tokio::test]
async fn silence_is_told_from_failure_and_a_new_entry_ends_it() {
    let origin = Origin::start();
    let site = known(&origin).await;
    let before = documents(&site).await;
    for _ in 0..3 {
        site.after(TimeDelta::hours(20)).await;
        assert_eq!(channel(&site, "news").await["state"], "fresh");
    }
    site.after(TimeDelta::hours(20)).await;
    assert_eq!(channel(&site, "news").await["state"], "silent");
    assert_eq!(site.flaws("news").await, ["silent"]);
    assert_eq!(metrics(&site).await["heliu_channel_state{channel=\"news\",state=\"silent\"}"], 1.0);
    assert_eq!(incidents(&site).await, ["久无更新：中工时评"]);
    assert!(documents(&site).await == before);
    // A restart neither forgets nor tells again.
    let first = site.get("/feeds/health.atom").await;
    let site = site.restart().await;
    let again = site.get("/feeds/health.atom").await;
    assert!(again.body == first.body && again.header("last-modified") == first.header("last-modified"));
    assert_eq!(channel(&site, "news").await["state"], "silent");
    site.after(TimeDelta::hours(20)).await;
    assert_eq!(incidents(&site).await.len(), 1, "told once");

    for youngest in [30, 31] {
        origin.put("/list.shtml", list(youngest, true, true));
        site.after(TimeDelta::hours(20)).await;
    }
    assert_eq!(channel(&site, "news").await["state"], "fresh");
    assert_eq!(incidents(&site).await, ["恢复：中工时评", "久无更新：中工时评"]);
    site.stop().await;
}

#[tokio::test]
async fn a_source_that_comes_and_goes_is_one_incident() {
    let origin = Origin::start();
    let site = known(&origin).await;
    for round in 0..12 {
        origin.put("/list.shtml", if round % 2 == 0 { Answer::status(429) } else { list(29, true, true) });
        site.after(TimeDelta::hours(30)).await;
        assert_eq!(incidents(&site).await.len(), 1, "round {round}");
    }
    // Single failures are no incidents at all.
    let origin = Origin::start();
    let site = known(&origin).await;
    for round in 0..12 {
        origin.put("/list.shtml", if round % 3 > 0 { Answer::status(500) } else { list(29, true, true) });
        site.after(TimeDelta::hours(3)).await;
        assert_eq!(incidents(&site).await, Vec::<String>::new(), "round {round}");
    }
}

#[tokio::test]
async fn the_feed_of_incidents_is_for_the_admin_and_its_name_is_taken() {
    let origin = Origin::start();
    let site = known(&origin).await;
    let reply = site.get("/feeds/health.atom").await;
    assert_eq!((reply.status, reply.header("cache-control")), (200, Some("private, no-cache")));
    assert_eq!(reply.header("content-type"), Some("application/atom+xml; charset=utf-8"));
    assert_eq!(reply.header("access-control-allow-origin"), None);
    let etag = reply.header("etag").unwrap().to_owned();
    let again = site.get_with("/feeds/health.atom", &[("If-None-Match", &etag)]).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    for path in ["/feeds/health.atom", "/metrics"] {
        let refused = site.get_with(path, &[("X-Forwarded-For", "192.0.2.1")]).await;
        assert_eq!((refused.status, refused.header("cache-control")), (403, Some("no-store")), "{path}");
    }
    for path in ["/", "/opml.xml", "/healthz", "/feeds/news", "/feeds/news.atom"] {
        assert!(!site.get(path).await.text().contains("health.atom"), "{path}");
    }
    let wrong = config(&origin).replace("  both: {", "  health: {");
    let heliu::worker::Reloaded::Rejected(said) = site.edit(&wrong).await else { panic!("`health` was taken") };
    assert!(said.contains("the feed name `health` is taken by Heliu itself"), "{said}");
}

#[tokio::test]
async fn a_channel_that_was_never_read_is_not_called_live() {
    let origin = Origin::start();
    let site = Site::start(&config(&origin)).await;
    let said = site.get("/healthz").await.json();
    assert_eq!(said["feeds"][0]["standing"], "empty", "{said}");
    assert_eq!(channel(&site, "news").await["state"], "waiting");
    assert_eq!(metrics(&site).await["heliu_channels{state=\"waiting\"}"], 2.0);
    // A channel that is removed leaves nothing behind.
    site.edit(&config(&origin).replace("  other: {", "  third: {").replace("[news, other]", "[news, third]")).await;
    let series = metrics(&site).await;
    assert!(series.keys().any(|key| key.contains("third")) && !series.keys().any(|key| key.contains("\"other\"")));
}

#[test]
fn metrics_are_well_formed_in_both_formats() {
    for channels in [0, 1, MOST_CHANNELS, MOST_CHANNELS + 1] {
        let metrics = Metrics::new("0.0.0");
        let gauge = |state| ChannelGauge { state, last_success: Some(-1), next_poll: Some(0) };
        metrics.set_channels(Box::new(move |visit| {
            (0..channels).for_each(|n| visit(&format!("c{n}"), gauge("fresh")));
            for hostile in ["a\"b\\c", "line\nend", "频道", "}"] {
                visit(hostile, gauge("gone"));
            }
        }));
        metrics.polled("failed", std::time::Duration::MAX);
        metrics.entries("new", usize::MAX);
        metrics.answered(200);
        let series = exposition::read(&metrics.openmetrics(), Dialect::OpenMetrics).unwrap();
        let names = |series: &Series| series.keys().cloned().collect::<Vec<_>>();
        let older = exposition::read(&metrics.prometheus(), Dialect::Prometheus).unwrap();
        assert_eq!(names(&series), names(&older));
        let of_channels = series.keys().filter(|key| key.starts_with("heliu_channel_state")).count();
        assert_eq!(of_channels, if channels + 4 > MOST_CHANNELS { 0 } else { channels + 4 });
    }
}

/// The rules in docs/monitoring.md, as Prometheus would read them.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Alerts {
    groups: Vec<Group>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    rules: Vec<Alert>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Alert {
    #[serde(rename = "alert")]
    name: String,
    expr: String,
    #[serde(rename = "for")]
    lasting: Option<String>,
}

/// Labels with the alternatives of their values.
type Labels = Vec<(String, Vec<String>)>;

/// What an expression names: each metric with the alternatives of its labels.
fn named(expr: &str) -> Vec<(String, Labels)> {
    let metric = regex::Regex::new(r"\b(heliu_[a-z_]+)(?:\{([^}]*)\})?").unwrap();
    let label = regex::Regex::new(r#"([a-z]+)=~?"([^"]*)""#).unwrap();
    let labels = |text: &str| {
        let all = label.captures_iter(text);
        all.map(|one| (one[1].to_owned(), one[2].split('|').map(str::to_owned).collect())).collect()
    };
    metric
        .captures_iter(expr)
        .map(|one| (one[1].to_owned(), one.get(2).map_or(vec![], |l| labels(l.as_str()))))
        .collect()
}

/// Every metric and every label value that the alert rules and the table of docs/monitoring.md name is one that a
/// service in trouble shows.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "what is shown is gathered once, and held against both")]
async fn alert_rules_and_manual_name_what_metrics_shows() {
    let manual = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/monitoring.md")).unwrap();
    let yaml = manual.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let alerts: Alerts = serde_yaml::from_str(yaml).unwrap();

    // A service that went through every fault, and one whose ledger failed.
    let mut shown: BTreeSet<String> = BTreeSet::new();
    for (what, answer, _, flaw, polls) in faults() {
        let origin = Origin::start();
        let mut site = known(&origin).await;
        if flaw == "robots-disallow" {
            origin.put("portal.test/robots.txt", answer);
            site = site.restart().await;
        } else {
            origin.put("/list.shtml", answer);
        }
        for _ in 0..polls {
            site.after(TimeDelta::hours(3)).await;
        }
        site.get("/nowhere").await;
        shown.extend(metrics(&site).await.into_keys());
        if what == "a login" {
            // Nothing comes any more.
            origin.put("/list.shtml", list(29, true, true));
            for _ in 0..8 {
                site.after(TimeDelta::hours(20)).await;
            }
            shown.extend(metrics(&site).await.into_keys());
            site.store.close().await;
            site.after(TimeDelta::hours(20)).await;
            shown.extend(metrics(&site).await.into_keys());
        } else {
            site.stop().await;
        }
    }
    let shows = |name: &str, label: &str, value: &str| {
        shown.iter().any(|key| key.starts_with(&format!("{name}{{")) && key.contains(&format!("{label}=\"{value}\"")))
    };
    let is_there = |name: &str| shown.iter().any(|key| key.split('{').next() == Some(name));
    let of_answers = |label: &str, value: &str| (label, value) == ("class", "5xx");

    let mut count = 0;
    for rule in alerts.groups.iter().flat_map(|group| &group.rules) {
        let named = named(&rule.expr);
        assert!(!named.is_empty() || rule.expr.starts_with("up{"), "{}: {}", rule.name, rule.expr);
        for (name, labels) in named {
            assert!(is_there(&name), "{}: there is no {name}", rule.name);
            for (label, values) in labels {
                for value in values {
                    // A service in order has no 5xx to show: the series is there from the start all the same.
                    assert!(
                        shows(&name, &label, &value) || of_answers(&label, &value),
                        "{}: {name} {label}={value}",
                        rule.name
                    );
                    count += 1;
                }
            }
        }
        assert!(rule.lasting.as_ref().is_none_or(|span| span.ends_with(['m', 'h'])), "{}", rule.name);
    }
    assert_eq!((alerts.groups[0].name.as_str(), alerts.groups[0].rules.len(), count), ("heliu", 9, 6));

    // The table: a metric in each row, and the values of its label.
    let table = manual.split("| metric | type | labels |").nth(1).unwrap().split("\n\n").next().unwrap();
    let mut told = BTreeSet::new();
    for row in table.lines().filter(|row| row.contains("heliu_")) {
        let cells: Vec<_> = row.split(" | ").collect();
        for name in cells[0].split('`').filter(|name| name.starts_with("heliu_")) {
            let found = is_there(name) || is_there(&format!("{name}_count"));
            assert!(found, "there is no {name}");
            told.insert(name.trim_end_matches("_total").to_owned());
        }
    }
    // And the other way: nothing is shown that the manual does not tell of.
    for key in &shown {
        let name = key.split('{').next().unwrap();
        let family = ["_bucket", "_count", "_sum", "_total"].iter().fold(name, |name, end| name.trim_end_matches(end));
        assert!(told.contains(family), "docs/monitoring.md does not tell of {name}");
    }
}
