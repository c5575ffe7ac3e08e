//! What is written of feeds: documents that still need their stamps.

use crate::config::Config;
use crate::model::Feed;
use crate::render::{self, Form, Lang, Site};
use std::sync::Arc;

/// The path of the catalogue.
const CATALOGUE: &str = "/";
/// The path of the list of all feeds.
const OPML: &str = "/opml.xml";
/// The path of the style sheet.
const STYLE: &str = "/style.css";

/// A document before it has its stamp.
pub(super) struct Draft {
    pub(super) path: String,
    /// What tells the name of its stamp from that of another document under the path.
    pub(super) variant: &'static str,
    pub(super) media_type: &'static str,
    pub(super) language: String,
    pub(super) text: String,
    pub(super) links: Option<String>,
}

/// The variants of a page, in this order.
pub(super) const ZH: &str = " zh";
pub(super) const EN: &str = " en";

/// A document of which there is one.
pub(super) fn draft(
    path: String,
    media_type: &'static str,
    language: &str,
    text: String,
    links: Option<String>,
) -> Draft {
    Draft { path, variant: "", media_type, language: language.to_owned(), text, links }
}

/// A page in both languages.
fn page(path: &str, render: impl Fn(Lang) -> String, links: Option<&str>) -> [Draft; 2] {
    [(ZH, "zh-CN", Lang::Zh), (EN, "en", Lang::En)].map(|(variant, language, lang)| {
        let draft = draft(path.to_owned(), render::HTML_TYPE, language, render(lang), links.map(str::to_owned));
        Draft { variant, ..draft }
    })
}

/// The documents of a feed.
pub(super) fn of_feed(feed: &Feed, site: &Site<'_>) -> Vec<Draft> {
    let rendered = [
        (Form::Rss, render::RSS_TYPE, render::rss(feed, site)),
        (Form::Atom, render::ATOM_TYPE, render::atom(feed, site)),
        (Form::Json, render::JSON_TYPE, render::json_feed(feed, site)),
    ];
    let mut drafts = Vec::new();
    for (form, media_type, text) in rendered {
        let links = Some(render::links_of(feed, site, form));
        drafts.push(draft(format!("/{}", form.path(feed)), media_type, &feed.language, text, links));
    }
    let links = render::links_of(feed, site, Form::Page);
    drafts.extend(page(
        &format!("/{}", Form::Page.path(feed)),
        |lang| render::feed_page(feed, site, lang),
        Some(&links),
    ));
    drafts
}

/// The documents that speak of all feeds.
pub(super) fn of_all(config: &Config, feeds: &[Arc<Feed>]) -> Vec<Draft> {
    let site = site(config);
    let feeds: Vec<&Feed> = feeds.iter().map(AsRef::as_ref).collect();
    let mut drafts: Vec<_> = page(CATALOGUE, |lang| render::catalogue(&feeds, &site, lang), None).into();
    let opml = render::opml(&feeds, &site);
    drafts.push(draft(OPML.to_owned(), render::OPML_TYPE, &config.service.language, opml, None));
    drafts.push(draft(STYLE.to_owned(), render::CSS_TYPE, "en", render::style().to_owned(), None));
    drafts
}

/// What every document says of the service.
pub(super) fn site(config: &Config) -> Site<'_> {
    let service = &config.service;
    Site { base_url: &service.base_url, title: &service.title, language: &service.language }
}
