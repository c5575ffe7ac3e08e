//! The portal in miniature: its lists and articles in three generations of markup, served by an [`Origin`]
//! under the addresses that feeds.yaml names.

use super::site::real_config;
use super::{Answer, Origin};
use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use heliu::config::{self, Origin as Source};
use std::fmt::Write as _;
use std::path::Path;
use url::Url;

/// Which generation of the site is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Generation {
    /// Up to 2018.
    A,
    /// 2019 to 2021: sub-domains, GBK.
    B,
    /// Since 2021: one host, UTF-8.
    C,
}

/// One article, as its author knows it.
#[derive(Debug, Clone)]
pub(crate) struct Article {
    pub(crate) channel: &'static str,
    pub(crate) number: u32,
    pub(crate) title: String,
    pub(crate) paragraphs: Vec<String>,
    pub(crate) byline: Option<String>,
    pub(crate) source: String,
    pub(crate) editor: String,
    pub(crate) at: NaiveDateTime,
}

impl Article {
    /// Article number `n` of 中工时评: each a quarter of an hour after the one before.
    pub(crate) fn sample(number: u32) -> Self {
        let begin = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap().and_hms_opt(9, 30, 12).unwrap();
        Self {
            channel: "shiping",
            number,
            title: format!("中工时评：第{number}个话题，怎样才能谈得“深”"),
            paragraphs: vec![
                format!("　　这是第{number}篇的开头，交代近日发生的事情，并说明它为什么值得评论。"),
                format!("　　第{number}篇的第二段摆出道理：安全生产，重在落实；落实之要，在于人人有责。"),
            ],
            byline: Some("雨露".to_owned()),
            source: "工人日报".to_owned(),
            editor: "柳阳".to_owned(),
            at: begin + TimeDelta::minutes(15 * i64::from(number)),
        }
    }

    fn stamp(&self) -> String {
        format!("{}{:03}", self.at.format("%y%m%d%H%M%S"), self.number % 1000)
    }

    /// The path of the article in a generation.
    pub(crate) fn path(&self, generation: Generation) -> String {
        match generation {
            Generation::A | Generation::B => {
                format!("/424/{}/{}/{}.shtml", self.at.format("%Y%m"), self.at.format("%d"), self.stamp())
            }
            Generation::C => format!("/c/{}/{}.shtml", self.at.format("%Y-%m-%d"), 8_900_000 + self.number),
        }
    }
}

/// The portal.
pub(crate) struct Portal {
    origin: Origin,
    generation: Generation,
    /// Newest first.
    articles: Vec<Article>,
    /// Channel and address of every list in feeds.yaml.
    lists: Vec<(String, Url)>,
    redesigned: bool,
}

impl Portal {
    /// A portal without articles.
    pub(crate) fn new(origin: &Origin, generation: Generation) -> Self {
        let text = real_config(origin);
        let loaded = config::load(&text, "feeds.yaml", Path::new(""), &heliu::worker::validators());
        let config = loaded.config.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics));
        let mut lists = Vec::new();
        for channel in &config.channels {
            if let Source::Page(page) = &channel.origin {
                lists.extend(page.addresses.iter().map(|address| (channel.id.to_string(), address.url.url())));
            }
        }
        Self { origin: origin.clone(), generation, articles: Vec::new(), lists, redesigned: false }
    }

    /// Publishes an article: it stands on top of its channel's list.
    pub(crate) fn publish(&mut self, article: Article) {
        self.articles.insert(0, article);
        self.lay_out();
    }

    /// Corrects an article, on its page and in the list.
    pub(crate) fn edit(&mut self, number: u32, change: impl FnOnce(&mut Article)) {
        change(self.articles.iter_mut().find(|article| article.number == number).unwrap());
        self.lay_out();
    }

    /// Takes an article off the list; its page stays.
    pub(crate) fn drop_from_list(&mut self, number: u32) {
        self.articles.retain(|article| article.number != number);
        self.lay_out();
    }

    /// Markup that no layout knows.
    pub(crate) fn redesign(&mut self, on: bool) {
        self.redesigned = on;
        self.lay_out();
    }

    /// Moves the whole site; the old addresses are gone.
    pub(crate) fn move_to(&mut self, generation: Generation) {
        self.generation = generation;
        self.lay_out();
    }

    /// Puts every page on the origin anew.
    pub(crate) fn lay_out(&self) {
        self.origin.clear();
        for (_, url) in &self.lists {
            let old = url.host_str() != Some("www.workercn.cn");
            if old != (self.generation != Generation::C) || url.path().contains("/201912/") {
                continue;
            }
            // One page may list what several channels read.
            let channels: Vec<_> = self.lists.iter().filter(|(_, other)| other == url).map(|(name, _)| name).collect();
            let articles: Vec<_> =
                self.articles.iter().filter(|article| channels.iter().any(|name| *name == article.channel)).collect();
            let key = format!("{}{}", url.host_str().unwrap(), url.path());
            self.origin.put(&key, self.list(&articles, url).with_etag());
        }
        for article in &self.articles {
            self.origin.put(&article.path(self.generation), self.page(article).with_etag());
        }
    }

    fn list(&self, articles: &[&Article], url: &Url) -> Answer {
        let json = Path::new(url.path()).extension().is_some_and(|extension| extension == "json");
        match self.generation {
            _ if self.redesigned => {
                let cards =
                    articles.iter().map(|a| format!("<section class=tile data-id={}>{}</section>", a.number, a.title));
                Answer::html(format!("<!doctype html><title>中工网</title><main>{}</main>", cards.collect::<String>()))
            }
            Generation::C if json => Answer::new(200, "application/json", json_list(articles)),
            Generation::C => Answer::html(list_c(articles)),
            Generation::B => Answer::html(gbk(&list_b(articles, url.port().unwrap_or(80)))),
            Generation::A => Answer::html(gbk(&list_a(articles))),
        }
    }

    fn page(&self, article: &Article) -> Answer {
        match self.generation {
            Generation::C => Answer::html(article_c(article)),
            Generation::A | Generation::B => Answer::html(gbk(&article_b(article))),
        }
    }
}

fn gbk(text: &str) -> Vec<u8> {
    let (bytes, _, lossy) = encoding_rs::GBK.encode(text);
    assert!(!lossy, "the fixture has a character that GBK lacks");
    bytes.into_owned()
}

fn list_c(articles: &[&Article]) -> String {
    let mut items = String::new();
    for article in articles {
        let (path, number, title) = (article.path(Generation::C), 8_900_000 + article.number, &article.title);
        let _ = write!(
            items,
            r#"<li id="li_{number}"><a href="{path}" target="_blank"><img class="lazy" src="/static/loading.gif" data-src="/upload/resources/image/2026/11/22/{number}_526x296c.jpg" alt="{title}" title="{title}"></a>
<h3><a href="{path}" target="_blank">{title}</a></h3><div class="info"><div class="info1"><span class="media">滚动</span></div><div class="info2">{}</div><span>{}</span></div></li>
"#,
            article.at.format("%Y-%m-%d %H:%M:%S"),
            article.source,
        );
    }
    format!(
        r#"<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>评论 - 中工网</title></head><body><ul class="list">
{items}<li id="li_{{{{id}}}}"><h3><a href="{{{{href}}}}">{{{{title}}}}</a></h3></li></ul></body></html>"#
    )
}

fn json_list(articles: &[&Article]) -> String {
    let items: Vec<_> = articles
        .iter()
        .map(|article| {
            serde_json::json!({
                "href": article.path(Generation::C), "title": article.title,
                "time": article.at.format("%Y-%m-%d %H:%M:%S").to_string(), "source": article.source,
            })
        })
        .collect();
    serde_json::Value::from(items).to_string()
}

fn list_b(articles: &[&Article], port: u16) -> String {
    // As on the real site, one article is linked under several hosts.
    let hosts = ["comment.workercn.cn", "www.workercn.cn", "workercn.cn"];
    let mut items = String::new();
    for (article, host) in articles.iter().zip(hosts.iter().cycle()) {
        let path = article.path(Generation::B);
        let _ =
            writeln!(items, r#"<li><a href="http://{host}:{port}{path}" target="_blank">{}</a></li>"#, article.title);
    }
    format!(
        r#"<html><head><meta http-equiv="Content-Type" content="text/html; charset=gb2312"><title>中工时评-中工评论-中工网</title></head><body>
<div class="left"><ul id="leftList">
{items}</ul></div></body></html>"#
    )
}

fn list_a(articles: &[&Article]) -> String {
    let items: String =
        articles.iter().map(|a| format!("<li><a href=\"{}\">{}</a></li>\n", a.path(Generation::A), a.title)).collect();
    format!(
        r#"<html><head><meta http-equiv="Content-Type" content="text/html; charset=gb2312"></head><body>
<div class="list_left"><div>当前位置</div><div><div><ul>{items}</ul></div></div></div></body></html>"#
    )
}

fn article_b(article: &Article) -> String {
    let paragraphs: String = article.paragraphs.iter().map(|text| format!("<p>{text}</p>\n")).collect();
    let byline = article.byline.as_deref().unwrap_or_default();
    format!(
        r#"<html><head><meta http-equiv="Content-Type" content="text/html; charset=gb2312"><title>{title}-中工评论-中工网</title></head><body>
<div class="location">中工评论 时事</div><div class="main"><h1 class="ctitle">{title}</h1>
<p class="author">{byline}</p>
<div class="signdate"><span>{at}</span>&nbsp;&nbsp;<span>来源：{source}</span></div>
<div class="ccontent"><div>{paragraphs}</div></div><div class="editor">编辑：{editor}</div></div></body></html>"#,
        title = article.title,
        at = article.at.format("%Y-%m-%d %H:%M:%S"),
        source = article.source,
        editor = article.editor,
    )
}

fn article_c(article: &Article) -> String {
    let paragraphs: String = article.paragraphs.iter().map(|text| format!("<p>{text}</p>\n")).collect();
    format!(
        r#"<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{title} - 评论 - 中工网</title></head><body>
<h1 class="ctitle">{title}</h1><div class="signdate"><span class="source">来源：{source}</span><span class="time">{at}</span></div>
<div class="ccontent">{paragraphs}</div></body></html>"#,
        title = article.title,
        source = article.source,
        at = article.at.format("%Y-%m-%d %H:%M"),
    )
}
