//! Sources in trouble: what is published stays, it is said what is wrong, and the others do not notice.

use super::{Article, atom, config, feed_at, rss};
use crate::kit::origin::Manners;
use crate::kit::{Answer, Origin, Site};
use chrono::TimeDelta;
use std::fmt::Write as _;
use std::io::Write as _;

const LOGIN: &str = "<!doctype html><html><head><title>Log in</title><link rel=alternate type=application/rss+xml href=/new.xml></head><body><form><input name=user></form></body></html>";

fn xml(body: impl Into<Vec<u8>>) -> Answer {
    Answer::new(200, "application/rss+xml", body)
}

fn body(answer: Answer) -> String {
    String::from_utf8(answer.body).unwrap()
}

/// A gzip of so many megabytes of nothing.
fn bomb(megabytes: usize) -> Answer {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..megabytes {
        packer.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    xml(packer.finish().unwrap()).header("Content-Encoding", "gzip")
}

#[tokio::test]
async fn a_source_in_trouble_changes_nothing_for_itself_or_others() {
    let articles = Article::page(12);
    let good = body(rss(&articles));
    let empty = body(rss(&[]));
    let cases: Vec<(&str, Answer, &[&str])> = vec![
        ("a login page that announces a feed", Answer::html(LOGIN), &["not-a-feed"]),
        ("a login page called a feed", xml(LOGIN), &["not-a-feed"]),
        ("no bytes", xml(""), &["empty"]),
        ("white space", xml("  \n "), &["empty"]),
        ("a channel without entries", xml(empty), &["shrunken"]),
        ("one entry left of twelve", rss(&articles[11..]), &["shrunken"]),
        ("cut by its maker", xml(&good.as_bytes()[..good.len() / 2]), &["malformed"]),
        ("cut by the line", xml(good.clone()).manners(Manners::Cut), &["truncated"]),
        ("hung up", xml(good.clone()).manners(Manners::HangUp), &["unreachable"]),
        ("no HTTP", xml(good.clone()).manners(Manners::Garbage), &["unreachable"]),
        ("a status", Answer::status(500), &["http-status"]),
        ("a picture", Answer::new(200, "image/png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01".to_vec()), &[]),
        ("a bomb", bomb(40), &["too-large"]),
        ("two roots", xml(format!("{good}{good}")), &[]),
        (
            "a warning of PHP in front",
            xml(format!(
                "<br />\n<b>Warning</b>:  mysql_connect(): Too many connections in <b>/srv/db.php</b> on line <b>7</b><br />\n{good}"
            )),
            &[],
        ),
        ("leading lines", xml(format!("\n\n{good}")), &[]),
        ("a wrong charset", xml(good.replace("utf-8", "iso-8859-1")), &[]),
    ];
    let origin = Origin::start();
    let other =
        Article::page(5).into_iter().map(|a| Article { guid: format!("o:{}", a.guid), ..a }).collect::<Vec<_>>();
    origin.put("/b", atom(&other, ""));
    for (what, answer, expected) in cases {
        origin.put("/a", rss(&articles));
        let channels = [("a", feed_at(&origin, "news.test/a")), ("b", feed_at(&origin, "atom.test/b"))];
        let site = Site::start(&config(&channels)).await;
        site.poll().await;
        let before = site.get("/feeds/all.atom").await.body;
        assert_eq!(site.ids("all").await.len(), 17, "{what}");
        origin.put("/a", answer);
        site.after(TimeDelta::hours(2)).await;
        let flaws = site.flaws("a").await;
        assert!(site.get("/feeds/all.atom").await.body == before, "{what}: {flaws:?}");
        assert!(expected.iter().all(|code| flaws.contains(code)), "{what}: {flaws:?}");
        assert_eq!(site.flaws("b").await, Vec::<&str>::new(), "{what}");
        // Back to normal: nothing is announced again, and what is new comes through.
        let mut news = articles.clone();
        news.insert(0, Article { at: "2026-11-23T00:30:00Z".parse().unwrap(), ..Article::sample(1) });
        origin.put("/a", rss(&news));
        site.after(TimeDelta::days(2)).await;
        assert_eq!(site.ids("all").await.len(), 18, "{what}: {:?}", site.flaws("a").await);
        site.stop().await;
    }
}

#[tokio::test]
async fn a_login_page_in_place_of_a_feed_tells_the_feed_it_announces() {
    let origin = Origin::start();
    origin.put("/a", Answer::html(LOGIN));
    let site = Site::start(&config(&[("a", feed_at(&origin, "news.test/a"))])).await;
    site.poll().await;
    let polls = site.store.polls().await.unwrap();
    let told: Vec<_> = polls.values().next().unwrap().flaws.iter().map(|flaw| flaw.detail.clone()).collect();
    let address = format!("http://news.test:{}/new.xml", origin.port());
    assert!(told.iter().any(|detail| detail.contains(&address)), "{told:?}");
}

#[tokio::test]
async fn entries_without_ids_links_or_honest_dates_are_told_apart_all_the_same() {
    let item = |inner: &str| format!("<item>{inner}</item>");
    let wrap = |items: String| xml(format!("<rss version=\"2.0\"><channel><title>t</title>{items}</channel></rss>"));
    let titles: Vec<_> = Article::page(6).into_iter().map(|a| a.title).collect();
    let each = |inner: &dyn Fn(usize, &str) -> String| -> String {
        titles.iter().enumerate().map(|(n, title)| item(&inner(n, title))).collect()
    };
    let date = |n: usize| format!("<pubDate>Sun, 22 Nov 2026 1{n}:07:09 GMT</pubDate>");
    let cases = [
        (
            "all ids the same",
            each(&|n, t| format!("<guid>same</guid><link>http://n.test/{n}</link><title>{t}</title>{}", date(n))),
        ),
        ("no ids", each(&|n, t| format!("<link>http://n.test/{n}</link><title>{t}</title>{}", date(n)))),
        ("no links", each(&|n, t| format!("<guid isPermaLink=\"false\">g{n}</guid><title>{t}</title>{}", date(n)))),
        ("no ids and no links", each(&|n, t| format!("<title>{t}</title>{}", date(n)))),
        (
            "one link for all",
            each(&|n, t| {
                format!(
                    "<guid isPermaLink=\"false\">g{n}</guid><link>http://n.test/</link><title>{t}</title>{}",
                    date(n)
                )
            }),
        ),
        (
            "dates of the future",
            each(&|n, t| {
                format!(
                    "<guid>http://n.test/{n}</guid><title>{t}</title><pubDate>Sun, 22 Nov 2093 1{n}:00:00 GMT</pubDate>"
                )
            }),
        ),
        ("no dates", each(&|n, t| format!("<guid>http://n.test/{n}</guid><title>{t}</title>"))),
    ];
    for (what, items) in cases {
        let origin = Origin::start();
        origin.put("/a", wrap(items.clone()));
        let site = Site::start(&config(&[("a", feed_at(&origin, "news.test/a"))])).await;
        site.poll().await;
        let before = site.entries("all").await;
        assert_eq!(before.len(), 6, "{what}: {:?}", site.flaws("a").await);
        for entry in &before {
            let date = entry["date_published"].as_str().unwrap();
            assert!(date <= "2026-11-23T08:00:00+08:00", "{what}: {date}");
        }
        origin.put("/a", wrap(format!("{items}\n")));
        site.poll_next().await;
        assert_eq!(site.entries("all").await, before, "{what}: read again, in other bytes");
        // The order turns; without dates and ids that is all there is.
        let mut turned: Vec<_> = items.split_inclusive("</item>").collect();
        turned.reverse();
        origin.put("/a", wrap(turned.concat()));
        site.poll_next().await;
        assert_eq!(site.entries("all").await, before, "{what}: in another order");
    }
}

#[tokio::test]
async fn a_feed_that_grows_to_a_hundred_thousand_entries_is_bounded() {
    let origin = Origin::start();
    let site_of = |count: usize| {
        let mut body = "<rss version=\"2.0\"><channel><title>t</title>".to_owned();
        for n in 0..count {
            // The youngest first, as feeds are.
            let at = chrono::DateTime::from_timestamp(1_795_388_400 - i64::try_from(n).unwrap() * 61, 0).unwrap();
            let _ = write!(
                body,
                "<item><guid>{n}</guid><title>文{n}</title><pubDate>{}</pubDate></item>",
                at.format("%d %b %Y %T Z")
            );
        }
        xml(body + "</channel></rss>")
    };
    origin.put("/a", site_of(20));
    let site = Site::start(&config(&[("a", feed_at(&origin, "news.test/a"))])).await;
    site.poll().await;
    let before = site.ids("all").await;
    assert_eq!(before.len(), 20);

    let many = site_of(100_000);
    assert!(many.body.len() < 10 << 20, "{} bytes: below the limit of a body", many.body.len());
    origin.put("/a", many);
    let began = std::time::Instant::now();
    site.poll_next().await;
    let took = began.elapsed();
    assert!(took < std::time::Duration::from_mins(1), "{took:?}");
    let flaws = site.flaws("a").await;
    assert!(flaws.contains(&"limit-reached") && flaws.contains(&"quarantined"), "{flaws:?}");
    assert_eq!(site.ids("all").await, before, "the newest are shown as they were, the old ones are no news");
    let channel = "a".parse().unwrap();
    assert_eq!(site.store.count(&channel).await.unwrap(), 2020, "and what is held back is bounded");

    let began = std::time::Instant::now();
    site.poll_next().await;
    assert!(began.elapsed() * 4 < took, "the same again costs little: {:?} after {took:?}", began.elapsed());
    assert!(site.flaws("a").await.contains(&"limit-reached"), "and what was wrong still is");
    assert_eq!(site.ids("all").await, before);

    // A source that begins so large shows its newest.
    let fresh = Site::start(&config(&[("a", feed_at(&origin, "news.test/a"))])).await;
    fresh.poll().await;
    assert_eq!(fresh.store.count(&channel).await.unwrap(), 5000);
    let ids = fresh.ids("all").await;
    assert_eq!((ids.len(), ids[0].as_str()), (400, "0"));

    let mut larger = site_of(10).body;
    larger.extend(std::iter::repeat_n(b' ', 11 << 20));
    origin.put("/a", xml(larger));
    site.poll_next().await;
    assert_eq!(site.flaws("a").await[0], "too-large");
    assert_eq!(site.ids("all").await, before);
}
