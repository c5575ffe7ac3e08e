//! Further pages of a list: when they are asked for, and that nothing is missed when they cannot be had.

use super::hosts::{live, minutes};
use crate::kit::origin::{Asked, Manners};
use crate::kit::{Answer, Origin, Site};
use chrono::TimeDelta;
use std::ops::Range;

/// Lays out the newest of so many articles over six pages of ten.
fn lay_out(origin: &Origin, newest: u32) {
    for page in 0..6 {
        let to = newest - page * 10;
        origin.put(&path(page + 1), list(to - 10..to));
    }
}

fn path(page: u32) -> String {
    if page == 1 { "/list.html".to_owned() } else { format!("/list_{page}.html") }
}

fn list(numbers: Range<u32>) -> Answer {
    let one =
        |n: u32| format!("<li><a href=/a/{n}.html>第{n}篇文章的标题</a><i>2026-11-20 {:02}:{:02}</i>", n / 60, n % 60);
    let items: String = numbers.rev().map(one).collect();
    Answer::html(format!("<meta charset=utf-8><ul>{items}</ul>")).with_etag()
}

fn config(origin: &Origin, pages: u32) -> String {
    format!(
        "service: {{ title: 测试, base_url: 'http://127.0.0.1:8080/', allow_networks: [127.0.0.0/8] }}
layouts:
  l: {{ entry: li, title: a, link: a @href, date: i, next: '{{base}}_{{n}}.html', pages: {pages} }}
channels:
  a: {{ page: 'http://portal.test:{}/list.html', layouts: l, every: 30m, robots: ignore }}
feeds:
  a: {{ channels: [a], limit: 500 }}
",
        origin.port()
    )
}

fn paths(asked: &[Asked]) -> Vec<&str> {
    asked.iter().map(|asked| asked.path.as_str()).collect()
}

async fn next(site: &Site, origin: &Origin) -> Vec<Asked> {
    site.after(TimeDelta::minutes(40)).await;
    origin.take_log()
}

#[tokio::test]
async fn next_pages_are_followed_only_while_everything_is_new() {
    let origin = Origin::start();
    lay_out(&origin, 60);
    let site = Site::start(&config(&origin, 3)).await;
    site.poll().await;
    assert_eq!(paths(&origin.take_log()), ["/list.html", "/list_2.html", "/list_3.html"]);
    assert_eq!(site.ids("a").await.len(), 30);
    lay_out(&origin, 61);
    assert_eq!(paths(&next(&site, &origin).await), ["/list.html"], "one new entry on a known page");
    assert_eq!(site.titles("a").await.len(), 31);
    assert_eq!(site.flaws("a").await, [""; 0], "the first page alone is not shorter than three");
    lay_out(&origin, 74);
    assert_eq!(paths(&next(&site, &origin).await), ["/list.html", "/list_2.html"], "a page of news, and three more");
    assert_eq!(site.titles("a").await.len(), 44);
}

/// A page that could not be had is asked for again although the first one is known by then, and with news also those behind it
/// onto which its entries moved. Nothing of it is held back, and then the list is asked for conditionally again.
#[tokio::test]
async fn a_further_page_that_cannot_be_had_is_asked_for_again() {
    let answers = [
        Answer::status(500),
        Answer::status(403),
        Answer::html("<ul><li><a href=/a/1.html>half").manners(Manners::Cut),
        Answer::html(""),
    ];
    for (way, answer) in answers.into_iter().enumerate() {
        for (news, page) in [(0, 2), (1, 2), (9, 2), (0, 4), (5, 3)] {
            let what = format!("{way} {news} {page}");
            let origin = Origin::start();
            lay_out(&origin, 100);
            origin.put(&path(page), answer.clone());
            let site = Site::start(&config(&origin, 6)).await;
            site.poll().await;
            let until: Vec<_> = (1..=page).map(path).collect();
            assert_eq!(paths(&origin.take_log()), until, "{what}");
            assert_eq!(site.titles("a").await.len() + 10, usize::try_from(page).unwrap() * 10, "{what}");
            assert_eq!(site.flaws("a").await, ["page-unread"], "{what}");
            let site = site.restart().await;
            lay_out(&origin, 100 + news);
            let all: Vec<_> = (1..=6).map(path).collect();
            let asked = next(&site, &origin).await;
            assert_eq!(paths(&asked), all, "{what}");
            let titles = site.titles("a").await;
            assert_eq!(titles.len(), 60, "{what}: {titles:?}");
            assert_eq!(site.flaws("a").await, [""; 0], "{what}");
            let asked = next(&site, &origin).await;
            assert_eq!(paths(&asked), ["/list.html"], "{what}: that is all");
            assert_eq!(asked[0].status, 304, "{what}");
            site.stop().await;
        }
    }
}

/// Not for ever: (the answer, how often it is asked for, whether the admin is told).
#[tokio::test]
async fn a_further_page_that_is_never_to_be_had_is_given_up() {
    let cases = [
        (Answer::status(500), 5, true),
        (Answer::status(404), 1, false),
        (Answer::status(410), 1, false),
        (Answer::html("<ul></ul>"), 1, false),
        (Answer::html("x".repeat(11 << 20)), 1, true),
    ];
    for (answer, times, is_told) in cases {
        let origin = Origin::start();
        lay_out(&origin, 100);
        origin.put("/list_2.html", answer.clone());
        let site = Site::start(&config(&origin, 6)).await;
        site.poll().await;
        let first = origin.take_log();
        let mut asked = vec![paths(&first).join(" ")];
        for _ in 0..7 {
            asked.push(paths(&next(&site, &origin).await).join(" "));
        }
        let of_page = asked.iter().filter(|asked| *asked == "/list.html /list_2.html").count();
        let alone = asked.iter().filter(|asked| *asked == "/list.html").count();
        assert_eq!((of_page, alone), (times, 8 - times), "{asked:?}");
        assert_eq!(site.flaws("a").await.contains(&"page-unread"), is_told, "{asked:?}");
        assert_eq!(site.titles("a").await.len(), 10);
        site.stop().await;
    }
}

/// While the host of the page is left alone there is no use in asking for the list as a whole.
#[tokio::test]
async fn a_further_page_whose_host_is_left_alone_waits() {
    let origin = Origin::start();
    lay_out(&origin, 100);
    let next = format!("<a class=on href=http://busy.test:{}/more>on</a>", origin.port());
    let body =
        format!("<meta charset=utf-8><ul><li><a href=/1>One and only</a><i>2026-11-20 10:00</i></li></ul>{next}");
    origin.put("a.test/list.html", Answer::html(body).with_etag());
    origin.put("busy.test/more", Answer::status(429).header("Retry-After", "14400"));
    let text = config(&origin, 3).replace("'{base}_{n}.html'", "a.on @href").replace("portal.test", "a.test");
    let site = Site::start(&text).await;
    assert_eq!(minutes(&live(&site, &origin, 5).await, "/more"), [0]);
    origin.put("busy.test/more", list(10..20));
    let site = site.restart().await;
    let mut whole = Vec::new();
    for minute in 0..300 {
        site.after(TimeDelta::minutes(1)).await;
        let asked = origin.take_log();
        whole.extend(asked.iter().filter(|asked| asked.status == 200).map(|asked| (minute + 6, asked.path.clone())));
    }
    assert_eq!(whole.len(), 2, "the list and its page: {whole:?}");
    assert!(whole[0].0 >= 240 && whole.iter().any(|(_, path)| path == "/more"), "{whole:?}");
    assert_eq!(site.titles("a").await.len(), 11);
    assert_eq!(site.flaws("a").await, [""; 0]);
    site.stop().await;
}
