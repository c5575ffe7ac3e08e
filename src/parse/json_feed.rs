//! JSON Feed 1.0 and 1.1 (jsonfeed.org): numeric ids, missing members and wrong types are understood; members that
//! begin with `_` are other people's extensions.

use super::draft::{EntryDraft, add_person, date_rank};
use super::json::{self, Json, State};
use super::text;
use crate::model::{Category, Enclosure, Flaw, FlawCode, Format, Image, Link, ParsedEntry, ParsedFeed, Person, Text};
use crate::xml::limits;

/// Reads a JSON document; `None` with the flaw `NotAFeed` when it is no JSON Feed.
pub(super) fn read(source: &str) -> (Option<ParsedFeed>, Vec<Flaw>) {
    let (document, state) = json::read(source);
    let mut flaws = Vec::new();
    let version = document.get("version").text().unwrap_or_default();
    let items = document.get("items");
    let is_feed = version.contains("jsonfeed.org") || matches!(items, Json::Array(_));
    if !is_feed {
        flaws.push(Flaw::new(
            FlawCode::NotAFeed,
            "a JSON document that is no JSON Feed stands where a feed was expected",
        ));
        return (None, flaws);
    }
    match state {
        State::Sound => {}
        State::Broken => {
            flaws.push(Flaw::new(FlawCode::Malformed, "the JSON document is broken; what could be read was read"));
        }
        State::TooLong => {
            let what = format!("the JSON document has more than {} values; it was read up to there", json::VALUES);
            flaws.push(Flaw::new(FlawCode::LimitReached, what));
        }
    }
    if items.list().len() > limits::ENTRIES {
        flaws.push(Flaw::new(FlawCode::LimitReached, "more than 5,000 entries"));
    }
    (Some(feed(&document, &version)), flaws)
}

fn feed(document: &Json<'_>, version: &str) -> ParsedFeed {
    let mut feed = ParsedFeed {
        format: if version.trim_end_matches('/').ends_with("/1") { Format::JsonFeed10 } else { Format::JsonFeed11 },
        title: document.get("title").text().map(Text::plain),
        subtitle: document.get("description").text().map(Text::plain),
        language: document.get("language").text(),
        icon: document.get("favicon").text(),
        image: document.get("icon").text().map(|url| Image { url, ..Image::default() }),
        next_page: document.get("next_url").text(),
        id: document.get("feed_url").text(),
        ..ParsedFeed::default()
    };
    feed.links.extend(link(document.get("home_page_url"), ""));
    feed.links.extend(link(document.get("feed_url"), "self"));
    feed.links.extend(link(document.get("next_url"), "next"));
    feed.links.extend(document.get("hubs").list().iter().take(20).filter_map(|hub| link(hub.get("url"), "hub")));
    feed.authors = authors(document);
    let items = document.get("items").list();
    let objects = items.iter().filter(|item| matches!(item, Json::Object(_)));
    feed.entries = objects.take(limits::ENTRIES).map(entry).collect();
    feed
}

fn link(value: &Json<'_>, rel: &str) -> Option<Link> {
    value.text().map(|href| Link { href, rel: rel.to_owned(), ..Link::default() })
}

/// `authors` of 1.1, else `author` of 1.0; a string is a name.
fn authors(value: &Json<'_>) -> Vec<Person> {
    let mut people = Vec::new();
    for author in value.get("authors").list().iter().chain(value.get("author").list()) {
        let uri = author.get("url").text();
        let name = author.get("name").text().or_else(|| author.text()).or_else(|| uri.clone());
        add_person(&mut people, name.map(|name| Person { name, email: None, uri }));
    }
    people
}

fn entry(item: &Json<'_>) -> ParsedEntry {
    let mut draft = EntryDraft::default();
    draft.id.offer(0, item.get("id").text());
    draft.title.offer(0, item.get("title").text().map(Text::plain));
    draft.content.offer(0, item.get("content_html").text().map(Text::html));
    draft.content.offer(1, item.get("content_text").text().map(Text::plain));
    draft.summary.offer(0, item.get("summary").text().map(text::of_string));
    draft.date(date_rank::PUBLISHED, item.get("date_published").text());
    draft.changed(0, item.get("date_modified").text());
    draft.links(link(item.get("url"), ""));
    draft.links(link(item.get("external_url"), "related"));
    draft.entry.language = item.get("language").text();
    draft.entry.authors = authors(item);
    // An id that is an address is the entry's page when nothing else is.
    draft.permalink = item.get("id").text().filter(|id| id.starts_with("http://") || id.starts_with("https://"));
    for name in ["image", "banner_image"] {
        let url = item.get(name).text().unwrap_or_default();
        draft.image(Image { url, ..Image::default() });
    }
    for term in item.get("tags").list().iter().filter_map(Json::text) {
        draft.category(Category { term, ..Category::default() });
    }
    for file in item.get("attachments").list() {
        draft.enclosure(Enclosure {
            url: file.get("url").text().unwrap_or_default(),
            media_type: file.get("mime_type").text(),
            length: file.get("size_in_bytes").number(),
            title: file.get("title").text(),
            duration: file.get("duration_in_seconds").number(),
        });
    }
    draft.finish()
}
