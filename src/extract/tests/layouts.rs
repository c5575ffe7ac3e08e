//! The layouts of feeds.yaml, built in Rust with the same short spelling of fields.

use crate::model::*;

const IDENTITY: &str = r"/(\d+)/\d{6}/\d{2}/(\d{15})(?:_\d+)?\.shtml";
const STAMP: &str = r"/(?<y>\d{2})(?<m>\d{2})(?<d>\d{2})(?<H>\d{2})(?<M>\d{2})(?<S>\d{2})\d{3}(?:_\d+)?\.shtml";
const ARTICLE: &str = r"/(c/\d{4}-\d{2}-\d{2}/\d+)\.shtml";
const DAY: &str = r"/c/(?<y>\d{4})-(?<m>\d{2})-(?<d>\d{2})/";

/// `css`, `css @attr` or `@attr`; several separated by ` || `; ` ~~ ` puts a `match` behind.
pub(super) fn field(text: &str) -> Vec<Field> {
    text.split(" || ").filter(|way| !way.is_empty()).map(one).collect()
}

fn one(way: &str) -> Field {
    let (way, clean) = match way.split_once(" ~~ ") {
        Some((way, pattern)) => (way, vec![Clean::Match(pattern.into())]),
        None => (way, vec![]),
    };
    let (select, attribute) = match way.rsplit_once('@') {
        Some((css, name)) if css.is_empty() || css.ends_with(' ') => (css.trim(), Some(name.to_owned())),
        _ => (way.trim(), None),
    };
    Field { select: select.into(), attribute, clean }
}

fn stamped() -> UrlRules {
    UrlRules { identity: Some(IDENTITY.into()), stamp: Some(STAMP.into()), ..UrlRules::default() }
}

fn dated() -> UrlRules {
    UrlRules { identity: Some(ARTICLE.into()), day: Some(DAY.into()), ..UrlRules::default() }
}

pub(super) fn numbered() -> NextPage {
    NextPage::Numbered { address: "{base}_{n}.shtml".into(), from: 2 }
}

fn entries(name: &str, entry: &str, fields: Fields, url: UrlRules) -> Layout {
    let list = ListLayout { entry: entry.into(), remove: None, fields, url, next: None, pages: 1 };
    Layout { name: name.into(), kind: LayoutKind::List(list) }
}

fn fields(title: &str, link: &str, summary: &str, image: &str) -> Fields {
    Fields { title: field(title), link: field(link), summary: field(summary), image: field(image), ..Fields::default() }
}

pub(super) fn list(name: &str) -> Layout {
    match name {
        "list-2021" => {
            let fields = Fields {
                date: field("div.info2"),
                source: field(r"div.info > span:last-child ~~ ^\D+$"),
                ..fields("h3 > a || a > img @alt", "h3 > a @href || a @href", "", "a > img")
            };
            entries(name, r#"ul.list > li[id^="li_"]"#, fields, dated())
        }
        "json-2021" => {
            let fields = Fields {
                date: field("time || date"),
                source: field("source"),
                ..fields("title || name", "href || url", "", "img || image")
            };
            let json = JsonLayout { items: String::new(), fields, url: dated(), next: None, pages: 1 };
            Layout { name: name.into(), kind: LayoutKind::Json(json) }
        }
        "list-2019" => entries(name, "ul#leftList > li", fields("a", "a @href", "p", "img"), stamped()),
        "list-2019-imgtxt" => {
            let entry = "ul.imgtxt1 > li, ul.imgtxt1 + ul > li";
            entries(name, entry, fields("h3 > a", "h3 > a @href", "p", "img"), stamped())
        }
        "list-2018" => {
            let entry = "div.list_left > div:nth-of-type(2) > div > ul > li";
            entries(name, entry, fields("a", "a @href", "", ""), stamped())
        }
        "page-2019" => {
            let fields = Fields {
                date: field("div.signdate > span:nth-of-type(1)"),
                source: field("div.signdate > span:nth-of-type(2)"),
                ..fields("h1.ctitle", "@self", "", "")
            };
            entries(name, "body:has(h1.ctitle)", fields, stamped())
        }
        _ => {
            let entry = format!(r#"div.sidebox:has(> h2:contains("{name}")) li"#);
            let fields = match name {
                "漫画评论" => fields("a > img @alt", "a @href", "", "a > img"),
                _ => fields("h3 > a", "h3 > a @href", "p", ""),
            };
            entries(name, &entry, fields, stamped())
        }
    }
}

pub(super) fn lists() -> Vec<Layout> {
    ["list-2021", "json-2021", "list-2019", "list-2019-imgtxt", "list-2018"].map(list).to_vec()
}

fn article(name: &str, fields: Fields) -> (String, ArticleLayout) {
    let layout =
        ArticleLayout { remove: None, fields, byline: None, comic: false, next: None, total_pages: vec![], pages: 1 };
    (name.into(), layout)
}

fn about(title: &str, date: &str, source: &str, body: &str) -> Fields {
    Fields {
        title: field(title),
        date: field(date),
        source: field(source),
        body: field(body),
        editor: field("div.editor"),
        ..Fields::default()
    }
}

pub(super) fn articles() -> Vec<(String, ArticleLayout)> {
    let signdate = "div.signdate > span:nth-of-type(1) || div.signdate";
    let from = "div.signdate > span:nth-of-type(2) || div.from > span || div.signdate";
    let (name, b) = article("article-2019", about("h1.ctitle", signdate, from, "div.ccontent"));
    let b = ArticleLayout {
        byline: Some("div:has(> h1.ctitle)".into()),
        next: Some(numbered()),
        total_pages: field(r#"input[name="__totalpage"] @value"#),
        pages: 10,
        ..b
    };
    let news = "div.from.mt10 > span.font-black1-12";
    let news = about("h1", news, "div.from.mt10 > span.font-black_12", "div.article > p");
    let old = about("h1 || div.detail_title", "span.font-black1_12", OLD_SOURCE, OLD_BODY);
    let new = about("h1.ctitle || h1", "span.time || div.info", "span.source || div.info", "div.ccontent");
    vec![(name, b), article("article-2019-news", news), article("article-2018", old), article("article-2021", new)]
}

const OLD_SOURCE: &str = "span.font-black1_12 ~ span.font-black1_12 || span.font-black1_12";
const OLD_BODY: &str = "div.detail_con > div.font-black_16.hangao";

pub(super) fn comic() -> Vec<(String, ArticleLayout)> {
    let date = "div.signdate > span:nth-of-type(1) || div.signdate";
    let source = "div.signdate > span:nth-of-type(2) || div.signdate";
    let fields = Fields {
        author: field(r"div.ccontent ~~ 图\s*[/／]\s*([^\s\d。，]+)"),
        ..about("h1.ctitle", date, source, "div.ccontent")
    };
    let (name, layout) = article("comic", fields);
    vec![(name, ArticleLayout { comic: true, ..layout })]
}
