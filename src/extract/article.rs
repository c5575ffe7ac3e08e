//! An article's own page.

use super::address::{base_of, numbered, resolve};
use super::dom::{Node, Page, Selector};
use super::field::Reader;
use super::list::{limit_flaw, page_title, removed, selector_flaw, unreadable};
use super::text::{lines, plain};
use super::wall::asks_for_login;
use super::{credits, html, image};
use crate::model::{ArticleLayout, DateRung, Flaw, FlawCode, Image, NextPage, Person, RawDate};
use url::Url;

/// One page of an article, as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Article {
    /// The layout that fitted.
    pub layout: String,
    /// The title as shown on the page.
    pub title: Option<String>,
    /// The date as shown on the page.
    pub date: Option<RawDate>,
    /// The byline.
    pub authors: Vec<Person>,
    /// The editor.
    pub editor: Option<Person>,
    /// The name after 来源.
    pub source: Option<String>,
    /// A summary, when the layout has one.
    pub summary: Option<String>,
    /// Categories.
    pub categories: Vec<String>,
    /// The text as HTML, addresses absolute; not yet sanitised.
    pub body: String,
    /// The text as lines, for a summary.
    pub paragraphs: Vec<String>,
    /// Pictures, addresses absolute.
    pub images: Vec<Image>,
    /// Whether the article is a comic, whose picture is the content.
    pub comic: bool,
    /// The next page of the same article, at most as many as the layout allows.
    pub next: Option<Url>,
}

/// Reads an article's page. A layout fits when its body yields text or a picture (a comic: a picture). Templates
/// share the body's class, so of those that fit the one that reads most of title, date, source and author is
/// taken, the earlier one when equal. `None` comes with one flaw that says why.
#[must_use]
pub fn article(text: &str, url: &Url, articles: &[(String, ArticleLayout)]) -> (Option<Article>, Vec<Flaw>) {
    if let Some(flaw) = unreadable(text) {
        return (None, vec![Flaw::new(FlawCode::ArticleUnread, format!("{url}: {}", flaw.code))]);
    }
    let page = Page::parse(text);
    let (article, more) = of_page(&page, url, articles);
    let mut flaws: Vec<Flaw> = page.limit.map(limit_flaw).into_iter().collect();
    flaws.extend(more);
    (article, flaws)
}

/// The same of a page that is parsed already, whose limits were told.
pub(super) fn of_page(page: &Page, url: &Url, articles: &[(String, ArticleLayout)]) -> (Option<Article>, Vec<Flaw>) {
    let base = base_of(page, url);
    let mut best: Option<Article> = None;
    for (name, layout) in articles {
        let kept = removed(page, layout.remove.as_deref());
        if let Some(found) = read(kept.as_ref().unwrap_or(page), url, &base, layout)
            && best.as_ref().is_none_or(|best| credits_read(&found) > credits_read(best))
        {
            best = Some(Article { layout: name.clone(), ..found });
        }
    }
    let mut flaws: Vec<Flaw> = selector_flaw(page).into_iter().collect();
    if best.is_some() {
        return (best, flaws);
    }
    let title = page_title(page);
    let why = if asks_for_login(page, &title) { "asks for a login" } else { "fits no article layout" };
    flaws.push(Flaw::new(FlawCode::ArticleUnread, format!("“{title}” at {url} {why}")));
    (None, flaws)
}

/// How much of title, date, source and author was read.
fn credits_read(article: &Article) -> usize {
    [article.title.is_some(), article.date.is_some(), article.source.is_some(), !article.authors.is_empty()]
        .into_iter()
        .filter(|read| *read)
        .count()
}

fn read(page: &Page, url: &Url, base: &Url, layout: &ArticleLayout) -> Option<Article> {
    let root = page.root();
    let fields = &layout.fields;
    let text = |field: &[crate::model::Field]| Reader::new(field).text(root);
    let parts =
        Reader::new(&fields.body).nodes(root, |node| !plain(node).is_empty() || image::of(node, base).is_some());
    let mut images: Vec<Image> = parts.iter().flat_map(|part| image::all(*part, base)).collect();
    if let Some(picture) = Reader::new(&fields.image).image(root, base)
        && !images.iter().any(|image| image.url == picture.url)
    {
        images.insert(0, picture);
    }
    if if layout.comic { images.is_empty() } else { parts.is_empty() } {
        return None;
    }
    let mut body = String::new();
    for part in &parts {
        html::write(*part, base, parts.len() > 1, &mut body);
    }
    let title = text(&fields.title);
    let date = text(&fields.date);
    let lines_of_body = parts.iter().flat_map(|part| lines(*part)).collect();
    let source = text(&fields.source).and_then(|line| credits::source(&line));
    let source = source.or_else(|| date.as_deref().and_then(credits::marked_source));
    let authors = text(&fields.author).map(|line| credits::people(&line)).unwrap_or_default();
    let authors = if authors.is_empty() { byline(root, layout, title.as_deref()) } else { authors };
    Some(Article {
        layout: String::new(),
        date: date.map(|text| RawDate { text, rung: DateRung::Article }),
        authors,
        editor: text(&fields.editor).and_then(|line| credits::editor(&line)).map(Person::named),
        source,
        summary: text(&fields.summary),
        categories: Reader::new(&fields.category).texts(root),
        body: body.trim().to_owned(),
        paragraphs: lines_of_body,
        images,
        comic: layout.comic,
        next: next_page(root, url, base, layout),
        title,
    })
}

fn byline(root: Node<'_>, layout: &ArticleLayout, title: Option<&str>) -> Vec<Person> {
    let (Some(css), Some(title)) = (&layout.byline, title) else { return vec![] };
    let Ok(selector) = Selector::new(css) else { return vec![] };
    let found = root.select(&selector).into_iter().find_map(|node| credits::byline(&lines(node), title));
    found.map(|line| credits::people(&line)).unwrap_or_default()
}

/// The next page. A numbered one only when the article says it has that many pages, or links to it.
fn next_page(root: Node<'_>, url: &Url, base: &Url, layout: &ArticleLayout) -> Option<Url> {
    match layout.next.as_ref()? {
        NextPage::Link(field) => {
            let href = Reader::new(std::slice::from_ref(field)).link(root, url)?;
            resolve(base, &href).filter(|next| next != url)
        }
        NextPage::Numbered { address, from } => {
            let shown = shown_number(url).filter(|shown| (*from..from.saturating_add(20)).contains(shown));
            let number = shown.map_or(*from, |shown| shown + 1);
            let page = number.checked_sub(*from)?.checked_add(2)?;
            let next = numbered(address, url, number, shown)?;
            let total = Reader::new(&layout.total_pages);
            let exists = if total.is_empty() {
                links_to(root, base, &next)
            } else {
                total.text(root).and_then(|total| total.parse::<u32>().ok()).is_some_and(|total| page <= total)
            };
            (exists && page <= layout.pages).then_some(next)
        }
    }
}

/// The `2` of `191210205750104_2.shtml`.
fn shown_number(url: &Url) -> Option<u32> {
    let name = url.path().rsplit('/').next()?;
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    stem.rsplit_once('_')?.1.parse().ok()
}

fn links_to(root: Node<'_>, base: &Url, target: &Url) -> bool {
    let Ok(selector) = Selector::new("a[href]") else { return false };
    let leads = |node: &Node<'_>| node.attribute("href").and_then(|href| resolve(base, &href)).as_ref() == Some(target);
    root.select(&selector).iter().any(leads)
}
