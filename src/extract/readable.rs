//! The text of a page that no layout describes: the part that reads like an article. The only file that knows
//! `dom_smoothie`, a port of Mozilla's Readability.

use super::address::base_of;
use super::article::Article;
use super::dom::{Node, Page, Selector, Step};
use super::list::{limit_flaw, page_title, removed, selector_flaw, unreadable};
use super::text::{UNREAD, lines, plain};
use super::wall::asks_for_login;
use super::{html, image};
use crate::model::{Flaw, FlawCode, Image};
use dom_smoothie::{Config, Readability};
use std::panic::{AssertUnwindSafe, catch_unwind};
use url::Url;

/// The most elements of a page: Readability looks at each of them several times. Real articles have some thousand.
const MOST_ELEMENTS: usize = 20_000;

/// A text of so many characters is an article's; Readability looks less strictly for more while there are fewer.
/// Its own 500 is for Latin script: a Chinese news item of 140 characters is complete.
const ENOUGH: usize = 140;

/// A shorter text is no article but what is left of a page of links.
const TOO_SHORT: usize = 40;

/// Reads the text of an article's page: all elements that `select` matches, or without it what reads like an
/// article; `remove` matches what goes first. `None` comes with a flaw that says why. Title, date and names are
/// not read: the feed that announced the article knows them better.
#[must_use]
pub fn readable(text: &str, url: &Url, select: Option<&str>, remove: Option<&str>) -> (Option<Article>, Vec<Flaw>) {
    if let Some(flaw) = unreadable(text) {
        return (None, vec![unread(url, flaw.code.as_str())]);
    }
    let page = Page::parse(text);
    let mut flaws: Vec<Flaw> = page.limit.map(limit_flaw).into_iter().collect();
    let base = base_of(&page, url);
    let title = page_title(&page);
    let login = asks_for_login(&page, &title);
    let page = removed(&page, remove).unwrap_or(page);
    let (found, overspent) = if let Some(css) = select {
        (selected(&page, css, &base), selector_flaw(&page))
    } else {
        let overspent = selector_flaw(&page);
        (article(page, &base), overspent)
    };
    flaws.extend(overspent);
    match found {
        Ok(article) => return (Some(article), flaws),
        Err(_) if login => flaws.insert(0, unread(url, "asks for a login")),
        Err(why) => flaws.insert(0, unread(url, &format!("“{title}” {why}"))),
    }
    (None, flaws)
}

fn unread(url: &Url, why: &str) -> Flaw {
    Flaw::new(FlawCode::ArticleUnread, format!("{url}: {why}"))
}

fn selected(page: &Page, css: &str, base: &Url) -> Result<Article, String> {
    let selector = Selector::new(css)?;
    let mut parts: Vec<Node<'_>> = Vec::new();
    for node in page.root().select(&selector) {
        // What stands in an element that is taken is taken with it; elements come in the order of the page.
        if !parts.last().is_some_and(|last| node.is_below(*last)) {
            parts.push(node);
        }
    }
    parts.retain(|part| !plain(*part).is_empty() || image::of(*part, base).is_some());
    if parts.is_empty() {
        return Err(format!("has nothing that matches {css:?}"));
    }
    Ok(of(&parts, base))
}

fn article(page: Page, base: &Url) -> Result<Article, String> {
    let config = Config {
        disable_json_ld: true,
        max_elements_to_parse: MOST_ELEMENTS,
        char_threshold: ENOUGH,
        ..Config::default()
    };
    let document = page.into_document();
    // What it says about itself was weighed already, and may be eight kilobytes in front of every address.
    document.select("base").remove();
    // Foreign code on foreign pages: a defect there must cost one article, not every poll of the channel.
    let read = catch_unwind(AssertUnwindSafe(|| {
        Readability::with_document(document, Some(base.as_str()), Some(config)).and_then(|mut reader| reader.parse())
    }));
    let found = read.map_err(|_| "made the reader of articles fail".to_owned())?.map_err(|error| error.to_string())?;
    let page = Page::parse(&found.content);
    if own_words(page.root()) < TOO_SHORT {
        return Err("holds nothing that reads like an article".to_owned());
    }
    let body = Selector::new("body")?;
    Ok(of(&page.root().select(&body), base))
}

/// How many characters stand outside links: a page of links alone is a list, whatever Readability makes of it.
fn own_words(node: Node<'_>) -> usize {
    let (mut words, mut links) = (0, 0);
    for step in node.walk() {
        match step {
            Step::Enter(at) if at.name() == "a" => links += 1,
            Step::Leave(at) if at.name() == "a" => links -= 1,
            Step::Enter(at) if links == 0 => {
                at.with_text(|text| words += text.chars().filter(|c| !c.is_whitespace()).count());
            }
            _ => {}
        }
    }
    words
}

fn of(parts: &[Node<'_>], base: &Url) -> Article {
    let mut body = String::new();
    let mut images: Vec<Image> = Vec::new();
    for part in parts {
        html::write(*part, base, parts.len() > 1 && !UNREAD.contains(&&*part.name()), &mut body);
        for image in image::all(*part, base) {
            if !images.iter().any(|known| known.url == image.url) {
                images.push(image);
            }
        }
    }
    Article {
        body: body.trim().to_owned(),
        paragraphs: parts.iter().flat_map(|part| lines(*part)).collect(),
        images,
        ..Article::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;
    use std::time::{Duration, Instant};

    fn page(body: &str) -> String {
        let links: String = (0..30).fold(String::new(), |mut out, n| {
            let _ = write!(out, "<li><a href=\"/{n}\">相关新闻第{n}条</a></li>");
            out
        });
        format!(
            "<html><head><title>标题_门户</title></head><body><div class=\"nav\"><ul>{links}</ul></div>\
             <div class=\"content\">{body}</div><div class=\"footer\">版权所有 未经许可不得转载</div></body></html>"
        )
    }

    fn paragraphs(each: usize, count: usize) -> String {
        (0..count).fold(String::new(), |mut out, n| {
            let _ = write!(out, "<p>第{n}段，{}，说到这里。</p>", "劳动者的权益".repeat(each / 6));
            out
        })
    }

    fn url() -> Url {
        Url::parse("http://a.example/c/1.html").unwrap()
    }

    #[test]
    fn chinese_articles_are_found_among_links() {
        for (each, count) in [(30, 2), (60, 4), (200, 20)] {
            let body = format!("{}<p><img data-src=\"/p.jpg\" src=\"/loading.gif\"></p>", paragraphs(each, count));
            let (found, flaws) = readable(&page(&body), &url(), None, None);
            let found = found.unwrap_or_else(|| panic!("{each} × {count}: {flaws:?}"));
            assert!(
                found.body.contains("第0段") && found.body.contains(&format!("第{}段", count - 1)),
                "{}",
                found.body
            );
            assert!(!found.body.contains("相关新闻") && !found.body.contains("版权所有"), "{}", found.body);
            assert_eq!(
                found.images.iter().map(|image| image.url.as_str()).collect::<Vec<_>>(),
                ["http://a.example/p.jpg"]
            );
            assert!(found.body.contains("src=\"http://a.example/p.jpg\""), "{}", found.body);
        }
    }

    #[test]
    fn a_base_of_eight_kilobytes_is_no_base() {
        let text = paragraphs(60, 8) + "<p>一段，又一段，说到这里。<a href=b>甲，乙</a></p>";
        for (base, expected) in
            [("http://b.cn/x/", "http://b.cn/x/b"), (&format!("http://b.cn/{}/", "x".repeat(8000)), "b")]
        {
            let expected = url().join(expected).unwrap();
            let html = format!("<base href='{base}'><body><div>{text}</div></body>");
            for select in [None, Some("div")] {
                let body = readable(&html, &url(), select, None).0.unwrap().body;
                assert!(body.contains(&format!("\"{expected}\"")), "{select:?} {}: {body}", base.len());
            }
        }
    }

    #[test]
    fn a_selector_takes_the_place_of_reading() {
        let body =
            "<h1>题</h1><p class=\"t\">一<b class=\"t\">二</b></p><p class=\"t ad\">广告</p><p class=\"t\"> </p>";
        let check = |select: &str, remove: Option<&str>| readable(&page(body), &url(), Some(select), remove);
        assert_eq!(check(".t", Some(".ad")).0.unwrap().body, "一<b>二</b>");
        assert_eq!(check(".t", None).0.unwrap().body, "<p>一<b>二</b></p><p>广告</p>");
        let (found, flaws) = check(".missing", None);
        assert_eq!((found, flaws[0].code), (None, FlawCode::ArticleUnread));
        assert!(flaws[0].detail.contains("\".missing\""), "{flaws:?}");
    }

    #[test]
    fn a_page_without_an_article_says_so() {
        for (text, why) in [
            (String::new(), "empty"),
            ("%PDF-1.7 …".to_owned(), "binary"),
            (page(""), "reads like an article"),
            ("<title>请登录</title><form><input type=password></form>".to_owned(), "login"),
            (page(&"<i></i>".repeat(MOST_ELEMENTS)), "too many elements"),
        ] {
            let (found, flaws) = readable(&text, &url(), None, None);
            assert_eq!(found, None, "{why}");
            assert!(flaws[0].detail.contains(why), "{flaws:?}");
        }
    }

    #[test]
    fn hostile_pages_are_read_in_bounded_time() {
        let text = paragraphs(60, 1);
        for (name, html) in [
            ("deep", format!("{}{text}", "<div>".repeat(100_000))),
            ("deep and wide", format!("{}{text}", format!("{}{}", "<div>".repeat(200), text).repeat(80))),
            ("many paragraphs", text.repeat(6000)),
            ("many breaks", format!("<p>{}</p>{text}", "<br>\n".repeat(15_000))),
            ("many fonts", format!("{}{text}", "<font>a</font>".repeat(15_000))),
            ("nested fonts", format!("{}{text}", "<font>".repeat(250))),
            ("many links", format!("{text}{}", "<a href=x>链接，链接</a>".repeat(15_000))),
            ("many tables", format!("{text}{}", "<table><tr><td>甲，乙".repeat(3000))),
            ("many spans", format!("<div>{}</div>", "<span>字，字。</span>".repeat(18_000))),
            ("noscript images", format!("{text}{}", "<noscript><img src=a.jpg></noscript>".repeat(9000))),
            ("long text", format!("<div><p>{}</p></div>", "字，".repeat(600_000))),
            ("nested lists", format!("{text}{}", "<ul><li>甲，乙丙丁".repeat(9000))),
            ("commas", format!("<p>{}</p>", ",".repeat(3_000_000))),
        ] {
            let start = Instant::now();
            let (found, flaws) = readable(&html, &url(), None, None);
            let took = start.elapsed();
            assert!(found.is_some() || !flaws.is_empty(), "{name}");
            let most = Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 2 });
            assert!(took < most, "{name} took {took:?}");
        }
    }
}
