//! Pages for people: the catalogue and one page per feed. Plain HTML that works without scripts; the templates
//! escape everything but the sanitised full text. What leads from page to page is relative, so that they work under
//! whatever address they were asked for; what is copied into a reader begins with `base_url`.

use super::text::{
    address, cover, feed_title, file_type, form, language, line, owned, printable, revised, rfc3339, some_line,
};
use super::words::Words;
use super::{Form, Lang, Site};
use crate::model::{Entry, Feed, Person, Precision, Standing};
use askama::Template;
use chrono::format::Item;
use chrono::{DateTime, FixedOffset};
use std::sync::LazyLock;

/// The style sheet, served at `/style.css`.
#[must_use]
pub fn style() -> &'static str {
    include_str!("../../templates/style.css")
}

/// The title page: every feed with its addresses.
#[must_use]
pub fn catalogue(feeds: &[&Feed], site: &Site<'_>, lang: Lang) -> String {
    let page = Catalogue {
        w: lang.words(),
        home: "./",
        style: "style.css",
        opml: site.address("opml.xml"),
        title: line(site.title),
        content_language: language(site.language).unwrap_or_else(|| lang.tag().to_owned()),
        feeds: feeds.iter().map(|feed| Card::new(feed, site, lang)).collect(),
    };
    // Rendering fails only when a value's Display does, and these are strings.
    page.render().unwrap_or_default()
}

/// The page of one feed.
#[must_use]
pub fn feed_page(feed: &Feed, site: &Site<'_>, lang: Lang) -> String {
    let page = FeedPage {
        w: lang.words(),
        home: "../",
        style: "../style.css",
        site: line(site.title),
        source_page: feed.home.as_deref().and_then(address),
        content_language: super::text::feed_language(feed, site),
        feed: Card::new(feed, site, lang),
        entries: feed
            .entries
            .iter()
            .enumerate()
            .map(|(at, record)| Article::new(at, feed, &record.entry, lang))
            .collect(),
    };
    page.render().unwrap_or_default()
}

#[derive(Template)]
#[template(path = "catalogue.html")]
struct Catalogue {
    w: &'static Words,
    home: &'static str,
    style: &'static str,
    opml: String,
    title: String,
    content_language: String,
    feeds: Vec<Card>,
}

#[derive(Template)]
#[template(path = "feed.html")]
struct FeedPage {
    w: &'static Words,
    home: &'static str,
    style: &'static str,
    site: String,
    source_page: Option<String>,
    content_language: String,
    feed: Card,
    entries: Vec<Article>,
}

/// One form of a feed as a subscription address.
struct Address {
    name: &'static str,
    kind: &'static str,
    url: String,
}

/// A feed in the catalogue, and the head of its own page.
struct Card {
    title: String,
    description: Option<String>,
    language: String,
    page: String,
    /// The same as seen from the catalogue.
    path: String,
    count: usize,
    newest: Option<Moment>,
    is_snapshot: bool,
    addresses: Vec<Address>,
}

impl Card {
    fn new(feed: &Feed, site: &Site<'_>, lang: Lang) -> Self {
        let address = |name, form: Form| Address { name, kind: form.link_type(), url: form.address(feed, site) };
        let newest = feed.entries.iter().map(|record| &record.entry).max_by_key(|entry| entry.published.at);
        Self {
            title: feed_title(feed),
            description: some_line(&feed.description),
            language: super::text::feed_language(feed, site),
            page: Form::Page.address(feed, site),
            path: Form::Page.path(feed),
            count: feed.entries.len(),
            newest: newest.map(|entry| Moment::new(entry.published.at, entry.published.precision, lang)),
            is_snapshot: feed.standing == Standing::Snapshot,
            addresses: vec![address("RSS", Form::Rss), address("Atom", Form::Atom), address("JSON Feed", Form::Json)],
        }
    }
}

/// An instant, for machines and for people, who get it as exactly as it was known.
struct Moment {
    machine: String,
    human: String,
}

/// The forms of instants and of days.
static ZH: LazyLock<[Vec<Item<'static>>; 2]> = LazyLock::new(|| [form("%Y年%-m月%-d日 %H:%M"), form("%Y年%-m月%-d日")]);
static EN: LazyLock<[Vec<Item<'static>>; 2]> = LazyLock::new(|| [form("%-d %B %Y, %H:%M"), form("%-d %B %Y")]);

impl Moment {
    fn new(at: DateTime<FixedOffset>, precision: Precision, lang: Lang) -> Self {
        let at = printable(at);
        let day_only = precision == Precision::Day;
        let forms = if lang == Lang::Zh { &*ZH } else { &*EN };
        let human = at.format_with_items(forms[usize::from(day_only)].iter()).to_string();
        let machine = if day_only { at.format("%Y-%m-%d").to_string() } else { rfc3339(at) };
        Self { machine, human }
    }
}

struct Picture {
    url: String,
    alt: String,
    /// Real width and height, which reserve the right place; the style sheet reserves 3:2 without them.
    size: Option<(u32, u32)>,
}

struct Attachment {
    url: String,
    title: String,
    kind: String,
}

/// An entry on its feed's page.
struct Article {
    number: usize,
    title: String,
    url: Option<String>,
    language: Option<String>,
    published: Moment,
    updated: Option<Moment>,
    source: Option<String>,
    authors: Option<String>,
    editors: Option<String>,
    summary: Option<String>,
    content: Option<String>,
    picture: Option<Picture>,
    attachments: Vec<Attachment>,
    /// Address and title of each.
    also_at: Vec<(String, String)>,
}

impl Article {
    fn new(at: usize, feed: &Feed, entry: &Entry, lang: Lang) -> Self {
        let words = lang.words();
        Self {
            number: at + 1,
            title: some_line(&entry.title).unwrap_or_else(|| words.untitled.to_owned()),
            url: entry.url.as_deref().and_then(address),
            language: entry.language.as_deref().and_then(language),
            published: Moment::new(entry.published.at, entry.published.precision, lang),
            updated: revised(entry).map(|at| Moment::new(at, Precision::Minute, lang)),
            source: entry.source.as_ref().and_then(|source| some_line(&source.title)),
            authors: names(&entry.authors, words),
            editors: names(&entry.contributors, words),
            summary: entry.summary.as_deref().and_then(some_line),
            content: entry.content.as_deref().map(owned).filter(|html| !html.trim().is_empty()),
            picture: picture(entry, words),
            attachments: attachments(entry),
            also_at: feed
                .also_at(&entry.id)
                .filter_map(|(url, title)| address(url).map(|url| (url.clone(), some_line(title).unwrap_or(url))))
                .collect(),
        }
    }
}

fn names(people: &[Person], words: &Words) -> Option<String> {
    let names: Vec<_> = people.iter().filter_map(|person| some_line(&person.name)).collect();
    (!names.is_empty()).then(|| names.join(words.list_comma))
}

fn picture(entry: &Entry, words: &Words) -> Option<Picture> {
    let (url, image) = cover(entry)?;
    let alt = image.and_then(|image| image.alt.as_deref()).and_then(some_line);
    let size = image.and_then(|image| Some((image.width?, image.height?))).filter(|(w, h)| *w > 0 && *h > 0);
    Some(Picture { url, alt: alt.unwrap_or_else(|| format!("{}: {}", words.picture, line(&entry.title))), size })
}

/// The enclosures that are no pictures: those are shown.
fn attachments(entry: &Entry) -> Vec<Attachment> {
    let attachment = |file: &crate::model::Enclosure| {
        let url = address(&file.url)?;
        let kind = file_type(file.media_type.as_deref());
        let name = || url.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or(&url).to_owned();
        let title = file.title.as_deref().and_then(some_line).unwrap_or_else(name);
        (!kind.starts_with("image/")).then_some(Attachment { url, title, kind })
    };
    entry.enclosures.iter().filter_map(attachment).collect()
}
