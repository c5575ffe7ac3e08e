//! A clock that ran ahead for a while.

use crate::kit::{Answer, Origin, Site};
use chrono::TimeDelta;

/// What was put off under a clock that was ten years ahead does not wait for ten years.
#[tokio::test]
async fn an_article_that_was_put_off_under_a_wrong_clock_is_read_when_the_clock_is_right_again() {
    let origin = Origin::start();
    let port = origin.port();
    origin.put("/list", Answer::html("<ul><li><a href=/a/1.html>一篇文章的标题</a></li></ul>"));
    origin.put("/a/1.html", Answer::status(500));
    let site = Site::start(&format!(
        "service: {{ title: t, base_url: 'http://127.0.0.1:8080/', allow_networks: [127.0.0.0/8] }}
layouts:
  list: {{ entry: li, title: a, link: a @href }}
  article: {{ title: h1, body: .text }}
channels:
  news: {{ page: 'http://a.test:{port}/list', layouts: list, article: article, every: 1h }}
feeds:
  all: {{ channels: [news] }}
"
    ))
    .await;
    site.poll().await;
    let ahead = TimeDelta::days(3650);
    site.clock.advance(ahead);
    site.service.look_at_clock();
    site.after(TimeDelta::minutes(1)).await;
    assert_eq!(origin.take_log().iter().filter(|asked| asked.path == "/a/1.html").count(), 2);
    site.clock.advance(TimeDelta::hours(2) - ahead);
    site.service.look_at_clock();
    origin.put("/a/1.html", Answer::html("<h1>一篇文章的标题</h1><div class=text><p>正文在这里，说到这里。</p></div>"));
    site.after(TimeDelta::minutes(1)).await;
    let entries = site.entries("all").await;
    assert!(entries[0]["content_html"].as_str().is_some_and(|text| text.contains("正文在这里")), "{entries:?}");
    site.stop().await;
}
