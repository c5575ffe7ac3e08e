//! End to end: the portal in miniature, polled, recorded, merged and served, as its life goes on.

use crate::kit::site::real_config;
use crate::kit::{Answer, Article, Generation, Origin, Portal, Site, origin::Manners};
use chrono::TimeDelta;
use std::collections::BTreeSet;

/// A reader of a feed: remembers every id, as a feed reader does.
#[derive(Default)]
struct Reader {
    seen: BTreeSet<String>,
}

impl Reader {
    /// Reads the feed in all three formats; yields the titles that look new.
    async fn read(&mut self, site: &Site, feed: &str) -> Vec<String> {
        let entries = site.entries(feed).await;
        let rss = site.get(&format!("/feeds/{feed}.rss")).await.text();
        let atom = site.get(&format!("/feeds/{feed}.atom")).await.text();
        let mut new = Vec::new();
        for entry in &entries {
            let id = entry["id"].as_str().unwrap();
            assert!(rss.contains(&format!(">{id}</guid>")), "RSS has another id than {id}");
            assert!(atom.contains(&format!("<id>{id}</id>")), "Atom has another id than {id}");
            if self.seen.insert(id.to_owned()) {
                new.push(entry["title"].as_str().unwrap().to_owned());
            }
        }
        new
    }
}

async fn live_site(generation: Generation, articles: u32) -> (Origin, Portal, Site) {
    let origin = Origin::start();
    let mut portal = Portal::new(&origin, generation);
    for number in 1..=articles {
        portal.publish(Article::sample(number));
    }
    let site = Site::start(&real_config(&origin)).await;
    site.poll().await;
    (origin, portal, site)
}

fn title(number: u32) -> String {
    Article::sample(number).title
}

#[tokio::test]
async fn each_generation_is_read_with_all_that_it_gives() {
    for generation in [Generation::A, Generation::B, Generation::C] {
        let (_origin, _portal, site) = live_site(generation, 3).await;
        let entries = site.entries("shiping").await;
        let titles: Vec<_> = entries.iter().map(|entry| entry["title"].as_str().unwrap()).collect();
        assert_eq!(titles, [title(3), title(2), title(1)], "{generation:?}");
        let first = &entries[0];
        let published = first["date_published"].as_str().unwrap();
        assert!(
            published.starts_with("2026-11-22T10:15") && published.ends_with("+08:00"),
            "{generation:?}: {published}"
        );
        let content = first["content_html"].as_str().unwrap();
        assert!(content.contains("安全生产，重在落实"), "{generation:?}: {content}");
        assert_eq!(first["_heliu"]["source"]["title"], "工人日报", "{generation:?}: {first:#}");
        if generation != Generation::C {
            assert_eq!(first["authors"][0]["name"], "雨露", "{generation:?}: {first:#}");
        }
        assert_eq!(site.get("/feeds/shiping.json").await.json()["_heliu"]["standing"], "live");
    }
}

#[tokio::test]
async fn the_reader_never_sees_an_old_entry_as_new() {
    let (origin, mut portal, site) = live_site(Generation::B, 5).await;
    let (mut reader, mut merged) = (Reader::default(), Reader::default());
    assert_eq!(reader.read(&site, "shiping").await.len(), 5, "first poll");
    assert_eq!(merged.read(&site, "pinglun").await.iter().filter(|title| title.starts_with("中工时评：第")).count(), 5);

    origin.take_log();
    site.poll_next().await;
    let lists: Vec<_> = origin.take_log().into_iter().filter(|asked| asked.path == "/424/424.shtml").collect();
    assert_eq!(lists.iter().map(|asked| asked.status).collect::<Vec<_>>(), [304], "second poll");
    assert!(reader.read(&site, "shiping").await.is_empty());

    portal.publish(Article::sample(6));
    site.poll_next().await;
    assert_eq!(reader.read(&site, "shiping").await, [title(6)], "a new article");
    assert_eq!(merged.read(&site, "pinglun").await, [title(6)]);

    portal.redesign(true);
    site.poll_next().await;
    assert!(reader.read(&site, "shiping").await.is_empty(), "a redesign");
    assert!(site.flaws("shiping").await.contains(&"no-layout-fits"), "{:?}", site.flaws("shiping").await);
    site.poll_next().await;
    portal.redesign(false);
    origin.take_log();
    site.poll_next().await;
    assert!(reader.read(&site, "shiping").await.is_empty(), "back again");
    let list = origin.take_log().into_iter().find(|asked| asked.path == "/424/424.shtml").unwrap();
    assert_eq!(list.status, 304, "the validators of the page that no layout fitted were not kept");
    let state = &site.store.polls().await.unwrap()[&"shiping".parse().unwrap()];
    assert_eq!((state.failures, &state.error), (0, &None), "the list that was read last is there again");
    assert!(!state.flaws.iter().any(|flaw| flaw.code.as_str() == "no-layout-fits"), "{:?}", state.flaws);

    origin.always(Answer::status(503));
    for _ in 0..4 {
        site.poll_next().await;
    }
    assert!(reader.read(&site, "shiping").await.is_empty(), "an outage");
    portal.lay_out();
    site.after(TimeDelta::days(2)).await;
    assert!(reader.read(&site, "shiping").await.is_empty(), "after the outage");

    let site = site.restart().await;
    assert!(reader.read(&site, "shiping").await.is_empty(), "a restart");
    site.poll_next().await;

    portal.move_to(Generation::C);
    for _ in 0..3 {
        site.after(TimeDelta::days(1)).await;
    }
    assert!(reader.read(&site, "shiping").await.is_empty(), "the move from B to C: {:?}", site.flaws("shiping").await);
    portal.publish(Article::sample(7));
    site.after(TimeDelta::days(1)).await;
    assert_eq!(reader.read(&site, "shiping").await, [title(7)], "new articles still come");
    assert_eq!(merged.read(&site, "pinglun").await, [title(7)]);
}

#[tokio::test]
async fn an_edited_article_keeps_its_id_and_date_and_says_when_it_was_updated() {
    let (_origin, mut portal, site) = live_site(Generation::B, 2).await;
    let before = site.entries("shiping").await;
    portal.edit(2, |article| article.title += "（更新）");
    site.poll_next().await;
    let after = site.entries("shiping").await;
    assert_eq!(after.len(), 2);
    assert_eq!(after[0]["title"].as_str().unwrap(), title(2) + "（更新）");
    for field in ["id", "date_published"] {
        assert_eq!(after[0][field], before[0][field], "{field}");
    }
    assert!(after[0]["date_modified"].as_str() > before[0]["date_modified"].as_str(), "{:#}", after[0]);
    assert_eq!(after[1], before[1], "the other entry is untouched");
}

#[tokio::test]
async fn a_corrected_text_is_found_although_the_list_says_304() {
    let (_origin, mut portal, site) = live_site(Generation::C, 1).await;
    // Articles of the last two days are read again; this one is a day old.
    portal.edit(1, |article| article.paragraphs.push("　　更正：上文的数字应为三成。".to_owned()));
    let mut found = false;
    for _ in 0..6 {
        site.after(TimeDelta::hours(5)).await;
        found |= site.entries("shiping").await[0]["content_html"].as_str().unwrap().contains("更正");
    }
    assert!(found, "{:#}", site.entries("shiping").await[0]);
}

#[tokio::test]
async fn trouble_at_the_source_changes_nothing_published() {
    let (origin, portal, site) = live_site(Generation::B, 8).await;
    let before = site.get("/feeds/shiping.atom").await;
    let page = |text: &str| Answer::html(text);
    let login = "<html><title>登录</title><form action=/login><input type=password name=p><input type=text name=captcha></form>";
    let mut noise = vec![0u8, 159, 146, 150];
    noise.extend((0..4000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8));
    let cases: Vec<(&str, Answer, &[&str])> = vec![
        ("an error", Answer::status(500), &["http-status"]),
        ("not found", Answer::status(404), &["http-status"]),
        ("nothing", page(""), &["empty", "truncated"]),
        ("an empty list", page("<ul id=leftList></ul>"), &["no-layout-fits", "empty"]),
        ("a login page", page(login), &["login"]),
        ("a file", Answer::new(200, "application/octet-stream", noise), &["binary"]),
        ("a cut page", page(&"<p>".repeat(4000)).manners(Manners::Cut), &["truncated"]),
        ("a closed connection", page("").manners(Manners::HangUp), &["unreachable"]),
        ("not HTTP", page("").manners(Manners::Garbage), &["unreachable"]),
        ("a huge page", Answer::html(vec![b'x'; 11 << 20]), &["too-large"]),
        ("a loop", Answer::status(302).header("Location", "/again"), &["unreachable"]),
        ("to a private address", Answer::status(302).header("Location", "http://10.0.0.1/"), &["address-refused"]),
    ];
    for (what, answer, codes) in cases {
        origin.always(answer);
        site.after(TimeDelta::days(8)).await;
        let flaws = site.flaws("shiping").await;
        assert!(flaws.iter().any(|flaw| codes.contains(flaw)), "{what}: {flaws:?}");
        let after = site.get("/feeds/shiping.atom").await;
        assert_eq!((after.status, &after.body), (200, &before.body), "{what}");
        let admin = site.get("/admin/channels/shiping").await.text();
        assert!(codes.iter().any(|code| admin.contains(code)), "{what}: /admin says so");
    }
    portal.lay_out();
    site.after(TimeDelta::days(8)).await;
    assert_eq!(site.get("/feeds/shiping.atom").await.body, before.body, "all is well again");
    assert!(!site.flaws("shiping").await.contains(&"too-large"));
}

#[tokio::test]
async fn a_page_that_shrinks_removes_nothing_and_announces_nothing_when_it_returns() {
    let (_origin, mut portal, site) = live_site(Generation::C, 12).await;
    let before = site.ids("shiping").await;
    for number in 2..=12 {
        portal.drop_from_list(number);
    }
    site.poll_next().await;
    assert!(site.flaws("shiping").await.contains(&"shrunken"), "{:?}", site.flaws("shiping").await);
    assert_eq!(site.ids("shiping").await, before);
    for number in 2..=12 {
        portal.publish(Article::sample(number));
    }
    site.poll_next().await;
    assert_eq!(site.ids("shiping").await, before);
}

#[tokio::test]
async fn a_snapshot_is_served_until_the_first_live_poll_and_every_surface_says_so() {
    let origin = Origin::start();
    origin.always(Answer::status(503));
    let site = Site::start(&real_config(&origin)).await;
    site.poll().await;
    for feed in ["shiping", "renwu", "manhua", "pinglun"] {
        assert!(!site.entries(feed).await.is_empty(), "{feed}");
        assert_eq!(site.get(&format!("/feeds/{feed}.json")).await.json()["_heliu"]["standing"], "snapshot");
    }
    let rss = site.get("/feeds/shiping.rss").await.text();
    assert!(rss.contains("内置快照"), "{rss}");
    assert!(site.get("/feeds/shiping").await.text().contains("快照"));
    assert!(site.get("/healthz").await.text().contains("snapshot"));
    assert!(site.get("/admin").await.text().contains("快照"));
    let ids = site.ids("shiping").await;
    let flaws = site.flaws("shiping").await;
    assert!(flaws.contains(&"http-status"), "{flaws:?}");
    let site = site.restart().await;
    assert_eq!(site.flaws("shiping").await, flaws, "a restart forgets nothing of the failed poll");

    let mut portal = Portal::new(&origin, Generation::C);
    portal.publish(Article::sample(1));
    site.after(TimeDelta::days(1)).await;
    assert_eq!(site.titles("shiping").await, [title(1)], "the snapshot steps back");
    assert_eq!(site.get("/feeds/shiping.json").await.json()["_heliu"]["standing"], "live");
    assert!(!site.ids("shiping").await.iter().any(|id| ids.contains(id)));
    let site = site.restart().await;
    assert_eq!(site.titles("shiping").await, [title(1)], "and stays back after a restart");
}

#[tokio::test]
async fn one_page_that_feeds_several_channels_is_fetched_once() {
    let origin = Origin::start();
    let page = "<h2>甲</h2><ul id=a><li><a href=/424/202611/22/261122093012001.shtml>甲栏目的一篇文章</a></ul><h2>乙</h2><ul id=b><li><a href=/435/202611/22/261122093512002.shtml>乙栏目的一篇文章</a></ul>";
    origin.put("/page", Answer::html(format!("<meta charset=utf-8>{page}")).with_etag());
    let config = format!(
        "service: {{ title: 测试, base_url: 'http://127.0.0.1:8080/', allow_networks: [127.0.0.0/8] }}
layouts:
  a: {{ entry: '#a > li', title: a, link: a @href }}
  b: {{ entry: '#b > li', title: a, link: a @href }}
channels:
  a: {{ page: 'http://portal.test:{0}/page', layouts: a }}
  b: {{ page: 'http://portal.test:{0}/page', layouts: b, every: 2h }}
feeds:
  both: {{ channels: [a, b] }}
",
        origin.port()
    );
    let site = Site::start(&config).await;
    site.poll().await;
    assert_eq!(origin.take_log().len(), 1);
    let mut titles = site.titles("both").await;
    titles.sort();
    assert_eq!(titles, ["乙栏目的一篇文章", "甲栏目的一篇文章"]);
    site.poll_next().await;
    assert_eq!(origin.take_log().iter().map(|asked| asked.status).collect::<Vec<_>>(), [304]);

    // One block goes: its channel fails, also when the page then says 304 on behalf of the other.
    origin.put(
        "/page",
        Answer::html(format!("<meta charset=utf-8>{}", page.split("<h2>乙").next().unwrap())).with_etag(),
    );
    for failures in 1..=2 {
        site.poll_next().await;
        let polls = site.store.polls().await.unwrap();
        assert_eq!(polls[&"a".parse().unwrap()].failures, 0);
        assert_eq!(polls[&"b".parse().unwrap()].failures, failures);
        assert!(site.flaws("b").await.contains(&"no-layout-fits"), "{:?}", site.flaws("b").await);
    }
    assert_eq!(site.titles("both").await.len(), 2, "what was published stays");
}

#[tokio::test]
async fn a_restart_asks_nobody_early_and_nobody_unconditionally() {
    let (origin, _portal, mut site) = live_site(Generation::C, 3).await;
    origin.take_log();
    let due = site.service.next_due();
    for _ in 0..10 {
        site = site.restart().await;
        site.poll().await;
    }
    assert!(origin.take_log().is_empty(), "ten restarts, no request");
    assert_eq!(site.service.next_due(), due);
    site.poll_next().await;
    let log = origin.take_log();
    assert!(!log.is_empty());
    for asked in &log {
        let conditional = asked.header("if-none-match").is_some();
        assert!(conditional || asked.status != 200, "unconditional: {asked:?}");
    }
}

#[tokio::test]
async fn pages_obey_robots_txt_feeds_need_not_and_what_is_known_stays() {
    let origin = Origin::start();
    let item = |n: u32| format!("<li><a href=/a/{n}.html>第{n}篇文章的标题</a>");
    origin.put("/list.html", Answer::html(format!("<meta charset=utf-8><ul>{}{}</ul>", item(1), item(2))));
    let feed =
        "<rss><channel><title>t</title><item><title>一</title><link>http://b.test/1</link></item></channel></rss>";
    origin.put("/rss.xml", Answer::new(200, "application/rss+xml", feed));
    let robots = |rules: &str| Answer::new(200, "text/plain", rules);
    origin.put("/robots.txt", robots("User-agent: *\nDisallow: /\n"));
    let config = |line: &str| {
        format!(
            "service: {{ title: 测试, base_url: 'http://127.0.0.1:8080/', allow_networks: [127.0.0.0/8] }}
layouts:
  l: {{ entry: li, title: a, link: a @href }}
channels:
  page: {{ page: 'http://portal.test:{port}/list.html', layouts: l{line} }}
  feed: {{ feed: 'http://portal.test:{port}/rss.xml' }}
feeds:
  page: {{ channels: [page] }}
  feed: {{ channels: [feed] }}
",
            port = origin.port()
        )
    };
    let asked = || {
        let mut paths: Vec<_> = origin.take_log().into_iter().map(|asked| asked.path).collect();
        paths.sort();
        paths
    };
    let site = Site::start(&config("")).await;
    site.poll().await;
    assert_eq!(asked(), ["/robots.txt", "/rss.xml"], "not one disallowed fetch, and the feed all the same");
    assert_eq!(site.flaws("page").await, ["robots-disallow"]);
    assert_eq!(site.titles("feed").await.len(), 1);
    // The admin may fetch it: nothing is asked of robots.txt any more.
    let site = Site::start(&config(", robots: ignore")).await;
    site.poll().await;
    assert_eq!(asked(), ["/list.html", "/rss.xml"]);
    assert_eq!(site.titles("page").await.len(), 2);
    // Closed again: the channel keeps what it has.
    std::fs::write(site.config_path(), config("")).unwrap();
    let site = site.restart().await;
    site.poll_next().await;
    assert_eq!(asked().iter().filter(|path| *path == "/list.html").count(), 0);
    assert_eq!(site.flaws("page").await, ["robots-disallow"]);
    assert_eq!(site.titles("page").await.len(), 2, "no empty feed");
}

/// Compressing takes longer than all the rest of a start, so it comes after the first answer.
#[tokio::test]
async fn a_start_serves_at_once_and_compresses_when_it_runs() {
    let (_origin, _portal, site) = live_site(Generation::C, 3).await;
    let site = site.restart().await;
    let brotli = [("Accept-Encoding", "br")];
    for path in ["/feeds/shiping.rss", "/feeds/health.atom", "/"] {
        let plain = site.get_with(path, &brotli).await;
        assert_eq!((plain.status, plain.header("content-encoding")), (200, None), "{path}");
    }
    // Told to stop, it ends what it has begun.
    let stop = tokio_util::sync::CancellationToken::new();
    stop.cancel();
    site.service.clone().run(stop).await;
    for path in ["/feeds/shiping.rss", "/feeds/health.atom", "/"] {
        let pressed = site.get_with(path, &brotli).await;
        assert_eq!((pressed.status, pressed.header("content-encoding")), (200, Some("br")), "{path}");
    }
    site.stop().await;
}
