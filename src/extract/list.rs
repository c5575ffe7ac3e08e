//! List pages and JSON lists.

use super::address::{Rules, base_of, resolve};
use super::article::{self, Article};
use super::dom::{Node, Page, Selector};
use super::entry::{Gatherer, Raw};
use super::field::{Reader, at_path};
use super::html;
use super::image;
use super::text::plain;
use super::wall;
use crate::model::{
    ArticleLayout, Fields, Flaw, FlawCode, Format, Image, JsonLayout, Layout, LayoutKind, ListLayout, NextPage,
    ParsedFeed,
};
use serde_json::Value;
use url::Url;

/// Reads a list page or JSON list. `url` is the address it came from. The first layout with at least one entry
/// that has title and link wins, and `layout` names it; JSON layouts are tried on JSON only, list layouts on
/// everything else. When none fits there are no entries and one alarm: [`FlawCode::Empty`],
/// [`FlawCode::Binary`], [`FlawCode::Login`] or [`FlawCode::NoLayoutFits`].
#[must_use]
pub fn list(text: &str, url: &Url, layouts: &[Layout]) -> (ParsedFeed, Vec<Flaw>) {
    if let Some(flaw) = unreadable(text) {
        return (ParsedFeed::default(), vec![flaw]);
    }
    if let Some(flaw) = too_many_values(text) {
        return (ParsedFeed::default(), vec![flaw, no_layout_fits(url, layouts, "JSON")]);
    }
    match json(text) {
        Some(value) => json_list(&value, url, layouts),
        None => page_list(&Page::parse(text), url, layouts),
    }
}

/// Reads a document of which nobody knows whether it is a list or an article, as [`list`] and, if that finds nothing,
/// as [`article`](super::article()) would, but parses it once. Flaws of the list come first.
#[must_use]
pub fn list_or_article(
    text: &str,
    url: &Url,
    layouts: &[Layout],
    articles: &[(String, ArticleLayout)],
) -> (ParsedFeed, Option<Article>, Vec<Flaw>) {
    if let Some(flaw) = unreadable(text) {
        return (ParsedFeed::default(), None, vec![flaw]);
    }
    if let Some(flaw) = too_many_values(text) {
        return (ParsedFeed::default(), None, vec![flaw, no_layout_fits(url, layouts, "JSON")]);
    }
    if let Some(value) = json(text) {
        let (feed, flaws) = json_list(&value, url, layouts);
        return (feed, None, flaws);
    }
    let page = Page::parse(text);
    let (feed, mut flaws) = page_list(&page, url, layouts);
    if !feed.entries.is_empty() {
        return (feed, None, flaws);
    }
    let (article, more) = article::of_page(&page, url, articles);
    if article.is_some() {
        flaws.retain(|flaw| flaw.code == FlawCode::LimitReached);
    } else {
        // Of a selector that was given up both tell.
        flaws.extend(more.into_iter().filter(|flaw| flaw.code != FlawCode::LimitReached));
    }
    (feed, article, flaws)
}

fn json_list(value: &Value, url: &Url, layouts: &[Layout]) -> (ParsedFeed, Vec<Flaw>) {
    for layout in layouts {
        if let LayoutKind::Json(json) = &layout.kind
            && let Some((mut feed, flaws)) = read_json(value, url, json)
        {
            feed.layout = Some(layout.name.clone());
            return (feed, flaws);
        }
    }
    (ParsedFeed { format: Format::JsonList, ..ParsedFeed::default() }, vec![no_layout_fits(url, layouts, "JSON")])
}

fn page_list(page: &Page, url: &Url, layouts: &[Layout]) -> (ParsedFeed, Vec<Flaw>) {
    let base = base_of(page, url);
    let mut flaws: Vec<Flaw> = page.limit.map(limit_flaw).into_iter().collect();
    let (feed, more) = laid_out(page, url, &base, layouts);
    flaws.extend(selector_flaw(page));
    flaws.extend(more);
    if let Some(feed) = feed {
        return (feed, flaws);
    }
    let title = page_title(page);
    flaws.push(if wall::asks_for_login(page, &title) {
        wall::flaw(url, &title)
    } else {
        no_layout_fits(url, layouts, &format!("“{title}”"))
    });
    (ParsedFeed::default(), flaws)
}

/// What the first layout that fits makes of a page.
fn laid_out(page: &Page, url: &Url, base: &Url, layouts: &[Layout]) -> (Option<ParsedFeed>, Vec<Flaw>) {
    for layout in layouts {
        if let LayoutKind::List(list) = &layout.kind
            && let Some((mut feed, flaws)) = read_page(page, url, base, list)
        {
            feed.layout = Some(layout.name.clone());
            return (Some(feed), flaws);
        }
    }
    (None, Vec::new())
}

fn read_page(page: &Page, url: &Url, base: &Url, layout: &ListLayout) -> Option<(ParsedFeed, Vec<Flaw>)> {
    let entry = Selector::new(&layout.entry).ok()?;
    let kept = removed(page, layout.remove.as_deref());
    let page = kept.as_ref().unwrap_or(page);
    let fields = Readers::new(&layout.fields, Reader::new);
    let rules = Rules::new(&layout.url);
    let mut gatherer = Gatherer::new(base, &rules);
    for node in page.root().select(&entry) {
        if !gatherer.add(fields.raw(node, url, base)) {
            break;
        }
    }
    let (entries, flaws) = gatherer.finish()?;
    let next_page = match &layout.next {
        Some(NextPage::Link(field)) => Reader::new(std::slice::from_ref(field)).link(page.root(), url),
        _ => None,
    };
    let next_page = next_page.and_then(|href| resolve(base, &href)).map(String::from);
    Some((ParsedFeed { format: Format::Page, entries, next_page, ..ParsedFeed::default() }, flaws))
}

fn read_json(value: &Value, url: &Url, layout: &JsonLayout) -> Option<(ParsedFeed, Vec<Flaw>)> {
    let items = at_path(value, &layout.items)?.as_array()?;
    let fields = Readers::new(&layout.fields, Reader::json);
    let rules = Rules::new(&layout.url);
    let mut gatherer = Gatherer::new(url, &rules);
    for item in items {
        if !gatherer.add(fields.raw_json(item, url)) {
            break;
        }
    }
    let (entries, flaws) = gatherer.finish()?;
    Some((ParsedFeed { format: Format::JsonList, entries, ..ParsedFeed::default() }, flaws))
}

/// The page without what a layout removes; `None` when there is nothing to remove.
pub(super) fn removed(page: &Page, remove: Option<&str>) -> Option<Page> {
    page.without(&Selector::new(remove?).ok()?)
}

/// Every field of a layout, compiled.
struct Readers {
    title: Reader,
    link: Reader,
    summary: Reader,
    body: Reader,
    image: Reader,
    date: Reader,
    author: Reader,
    editor: Reader,
    source: Reader,
    category: Reader,
}

impl Readers {
    fn new(fields: &Fields, compile: fn(&[crate::model::Field]) -> Reader) -> Self {
        Self {
            title: compile(&fields.title),
            link: compile(&fields.link),
            summary: compile(&fields.summary),
            body: compile(&fields.body),
            image: compile(&fields.image),
            date: compile(&fields.date),
            author: compile(&fields.author),
            editor: compile(&fields.editor),
            source: compile(&fields.source),
            category: compile(&fields.category),
        }
    }

    fn raw(&self, node: Node<'_>, url: &Url, base: &Url) -> Raw {
        let mut body = String::new();
        for part in self.body.nodes(node, |_| true) {
            html::write(part, base, false, &mut body);
        }
        Raw {
            title: self.title.text(node),
            link: self.link.link(node, url),
            summary: self.summary.text(node),
            body: (!body.trim().is_empty()).then_some(body),
            image: self.image.image(node, base),
            date: self.date.text(node),
            author: self.author.text(node),
            editor: self.editor.text(node),
            source: self.source.text(node),
            categories: self.category.texts(node),
        }
    }

    fn raw_json(&self, item: &Value, base: &Url) -> Raw {
        let image = self.image.value(item).and_then(|value| image::real(&value, base));
        Raw {
            title: self.title.value(item),
            link: self.link.value(item),
            summary: self.summary.value(item),
            body: self.body.value(item),
            image: image.map(|url| Image { url, ..Image::default() }),
            date: self.date.value(item),
            author: self.author.value(item),
            editor: self.editor.value(item),
            source: self.source.value(item),
            categories: self.category.value(item).into_iter().collect(),
        }
    }
}

/// The text as JSON, when it is an object or an array.
fn json(text: &str) -> Option<Value> {
    let text = super::text::trim(text);
    if !text.starts_with(['{', '[']) {
        return None;
    }
    serde_json::from_str(text).ok()
}

/// The most values of a JSON list: each takes a hundred bytes of memory. The largest body has one for every 26 bytes.
const VALUES: usize = 400_000;

/// Why a text that may be JSON is not read as such.
fn too_many_values(text: &str) -> Option<Flaw> {
    let start = super::text::trim(text);
    (start.starts_with(['{', '[']) && values(start) > VALUES).then(|| {
        Flaw::new(FlawCode::LimitReached, format!("the JSON document has more than {VALUES} values, and was not read"))
    })
}

/// How many values a JSON document has, more or less: the commas outside its strings, and one.
fn values(text: &str) -> usize {
    let (mut count, mut inside, mut escaped) = (1, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = inside,
            b'"' => inside = !inside,
            b',' if !inside => count += 1,
            _ => {}
        }
    }
    count
}

/// Why a text cannot hold a page at all.
pub(super) fn unreadable(text: &str) -> Option<Flaw> {
    if super::text::trim(text).is_empty() {
        return Some(Flaw::new(FlawCode::Empty, "there is nothing but white space"));
    }
    let head = || text.chars().take(1024);
    let odd = head().filter(|c| (*c < ' ' && !c.is_ascii_whitespace()) || *c == '\u{FFFD}').count();
    let file = ["%PDF-", "GIF8", "PK\u{3}\u{4}"].iter().any(|magic| text.starts_with(magic));
    (file || odd * 10 > head().count())
        .then(|| Flaw::new(FlawCode::Binary, format!("{odd} of the first characters are no text")))
}

pub(super) fn limit_flaw(limit: &str) -> Flaw {
    Flaw::new(FlawCode::LimitReached, format!("the page goes past {limit}; it was read up to there"))
}

/// Tells of the selector that was given up on a page.
pub(super) fn selector_flaw(page: &Page) -> Option<Flaw> {
    let css = page.overspent()?;
    let what = "compares too many elements of this page with each other and was given up there; \
                write it without `~`, or without `:has()` around `+` and `~`";
    Some(Flaw::new(FlawCode::LimitReached, format!("the selector {css:?} {what}")))
}

fn no_layout_fits(url: &Url, layouts: &[Layout], seen: &str) -> Flaw {
    let names: Vec<&str> = layouts.iter().map(|layout| layout.name.as_str()).collect();
    Flaw::new(FlawCode::NoLayoutFits, format!("{seen} at {url} fits none of: {}", names.join(", ")))
}

pub(super) fn page_title(page: &Page) -> String {
    let found = Selector::new("title").ok().and_then(|title| page.root().first(&title)).map(plain);
    found.unwrap_or_default()
}
