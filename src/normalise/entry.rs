//! One entry as read → one entry as published, still without its id.

use super::ladder::dates;
use super::text::{legal, line, summary, title};
use super::url::{Refused, base, resolve};
use super::{Context, Kind, document_base, html, identity, link_key};
use crate::model::{
    Category, DateRung, Enclosure, Entry, EntryId, Flaw, FlawCode, Format, Image, Link, ParsedEntry, ParsedFeed,
    Person, Source, Text, TextKind,
};
use ::url::Url;
use std::borrow::Cow;

/// The most authors that an entry takes over from its feed: there may be five thousand such entries.
const INHERITED: usize = 20;
/// And how many bytes they have at most.
const INHERITED_BYTES: usize = 4096;
/// Longest name, term or label, in characters.
pub(super) const NAME: usize = 200;
/// The most `<`, `&` and `=` in the HTML of one entry: each costs as much as a hundred letters. Of a hundred real feeds
/// the fullest entry has 3,565.
const MARKS: usize = 100_000;
/// And in all entries of a document together: so many, and one for so many bytes of HTML. The densest of a hundred real
/// feeds has one for every 16 bytes, the median of those beyond 50 KB one for every 44.
const MARKS_OF_ALL: usize = 50_000;
const BYTES_OF_A_MARK: usize = 12;
/// What is left to each entry when those are used up.
const MARKS_OF_EACH: usize = 20;
/// Longest title that is made from an entry's first words, in characters.
const FIRST_WORDS: usize = 60;

/// An entry and what may identify it.
pub(super) struct Draft {
    /// The entry; its id is still empty.
    pub entry: Entry,
    /// The id that an external feed gave.
    pub guid: Option<String>,
    /// The page of the entry.
    pub link: Option<Url>,
    /// The value of its link key.
    pub link_key: Option<String>,
    /// The value of its title-and-day key.
    pub title_day: Option<String>,
    /// An id made from all that it says, for entries of external feeds that nothing else identifies.
    pub text_key: Option<String>,
}

/// Resolves addresses and says which were refused.
pub(super) struct Addresses<'a> {
    /// What relative addresses are resolved against.
    pub base: Url,
    /// Where refusals are noted.
    pub flaws: &'a mut Vec<Flaw>,
}

impl Addresses<'_> {
    fn resolve(&mut self, href: &str) -> Option<Url> {
        match resolve(&self.base, href) {
            Ok(url) => Some(url),
            Err(Refused::Empty) => None,
            Err(why) => {
                self.flaws.push(Flaw::new(FlawCode::LinkRefused, why.to_string()));
                None
            }
        }
    }

    pub(super) fn string(&mut self, href: &str) -> Option<String> {
        self.resolve(href).map(String::from)
    }
}

/// What the entries of a document share.
pub(super) struct Shared {
    /// What their addresses are relative to.
    base: Url,
    /// The authors of entries that name none.
    inherited: Vec<Person>,
    /// The `<`, `&` and `=` of HTML that may still be read.
    marks: usize,
}

impl Shared {
    pub(super) fn new(feed: &ParsedFeed, context: &Context<'_>, flaws: &mut Vec<Flaw>) -> Self {
        let base = document_base(feed, context.base);
        let inherited = inherited(feed, &mut Addresses { base: base.clone(), flaws });
        let html: usize = feed.entries.iter().filter_map(written).map(|text| text.value.len().min(html::LONGEST)).sum();
        Self { base, inherited, marks: MARKS_OF_ALL + html / BYTES_OF_A_MARK }
    }
}

pub(super) fn draft(
    read: &ParsedEntry,
    feed: &ParsedFeed,
    shared: &mut Shared,
    context: &Context<'_>,
    flaws: &mut Vec<Flaw>,
) -> Draft {
    let base = base(&shared.base, &[read.base.as_deref()]);
    let mut addresses = Addresses { base, flaws };
    let (link, links) = links(&read.links, &mut addresses);
    let guid = guid(read, context.kind, addresses.flaws);
    let page = link.clone().or_else(|| other_page(feed.format, guid.as_deref(), &links));
    let content = written(read).and_then(|text| content(text, page.as_ref(), &mut shared.marks, &mut addresses));
    let own_title = read.title.as_ref().and_then(title);
    let summary = read.summary.as_ref().and_then(summary);
    let images: Vec<Image> = read.images.iter().filter_map(|image| picture(image, &mut addresses)).collect();
    let enclosures = read.enclosures.iter().filter_map(|enclosure| enclosed(enclosure, &mut addresses)).collect();
    let source = read.source.as_ref().and_then(|source| origin(source, read, &mut addresses));
    let authors =
        if read.authors.is_empty() { shared.inherited.clone() } else { people(&read.authors, &mut addresses) };
    let contributors = people(&read.contributors, &mut addresses);
    let name =
        own_title.clone().or_else(|| link.as_ref().map(Url::to_string)).or_else(|| guid.clone()).unwrap_or_default();
    let (published, updated) = dates(read, &name, context, flaws);
    let title = own_title.clone().unwrap_or_else(|| {
        flaws.push(Flaw::new(FlawCode::EntryWithoutTitle, format!("{name:?} has no title")));
        let text = (summary.as_deref(), content.as_deref());
        made_title(text, &images, page.as_ref()).unwrap_or_else(|| published.at.format("%Y-%m-%d").to_string())
    });
    let day = published.at.with_timezone(&context.timezone).date_naive();
    // A title that we made carries no evidence, nor does the day on which we happened to look.
    let title_day =
        own_title.filter(|_| published.rung != DateRung::FirstSeen).and_then(|title| identity::title_day(&title, day));
    let language =
        read.language.as_deref().or(feed.language.as_deref()).and_then(|tag| language(tag, context.language));
    let entry = Entry {
        id: EntryId(String::new()),
        url: page.map(String::from),
        title,
        summary,
        content,
        published,
        updated,
        authors,
        contributors,
        categories: categories(&read.categories),
        enclosures,
        images,
        source,
        language,
        rights: read.rights.as_ref().and_then(super::text::summary),
        links,
    };
    let link_key = link.as_ref().map(|link| link_key(link, read.identity.as_deref(), context.kind));
    let text_key = (context.kind == Kind::External).then(|| identity::text_key(read)).flatten();
    Draft { entry, guid, link, link_key, title_day, text_key }
}

/// The feed's authors, who are those of entries that name none in Atom (RFC 4287 section 4.2.1) and JSON Feed (version
/// 1.1, "items"); an RSS channel's `managingEditor` wrote nothing of that sort. Their addresses are relative to the
/// feed's base, not to the entry's.
fn inherited(feed: &ParsedFeed, addresses: &mut Addresses<'_>) -> Vec<Person> {
    let inherits = matches!(feed.format, Format::Atom10 | Format::Atom03 | Format::JsonFeed10 | Format::JsonFeed11);
    if !inherits || feed.entries.iter().all(|entry| !entry.authors.is_empty()) {
        return Vec::new();
    }
    let mut few = people(&feed.authors[..feed.authors.len().min(INHERITED)], addresses);
    let mut bytes = 0;
    few.retain(|person| {
        let parts = [Some(&person.name), person.email.as_ref(), person.uri.as_ref()];
        bytes += parts.into_iter().flatten().map(String::len).sum::<usize>();
        bytes <= INHERITED_BYTES
    });
    few
}

/// The entry's page, and the other links.
pub(super) fn links(written: &[Link], addresses: &mut Addresses<'_>) -> (Option<Url>, Vec<Link>) {
    let (mut page, mut others) = (None, Vec::new());
    for link in written {
        let is_page = matches!(link.rel.as_str(), "" | "alternate");
        let Some(url) = addresses.resolve(&link.href) else { continue };
        if is_page && page.is_none() {
            page = Some(url);
        } else {
            let clean = |text: &Option<String>| text.as_deref().and_then(|text| line(text, NAME));
            others.push(Link {
                href: url.into(),
                rel: line(&link.rel, NAME).unwrap_or_default(),
                media_type: clean(&link.media_type),
                hreflang: clean(&link.hreflang),
                title: clean(&link.title),
                length: link.length,
            });
        }
    }
    (page, others)
}

/// The page of an entry that links to none: an id of Atom that is an address, or the page that a JSON Feed's entry is about
/// (`external_url`). It is shown and no evidence: entries that share one are told apart as they were without.
fn other_page(format: Format, id: Option<&str>, links: &[Link]) -> Option<Url> {
    match format {
        Format::Atom10 | Format::Atom03 => {
            let id = id.filter(|id| id.starts_with("http://") || id.starts_with("https://"))?;
            Url::parse(id).ok().and_then(|url| resolve(&url, id).ok())
        }
        Format::JsonFeed10 | Format::JsonFeed11 => {
            Url::parse(&links.iter().find(|link| link.rel == "related")?.href).ok()
        }
        _ => None,
    }
}

/// The id that an external feed gave, as it is, unless a reader could be harmed by following it.
fn guid(read: &ParsedEntry, kind: Kind, flaws: &mut Vec<Flaw>) -> Option<String> {
    let id = read.id.as_deref().filter(|_| kind == Kind::External)?;
    let id = legal(id).trim().to_owned();
    let scheme: String = id.split(':').next().unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).collect();
    if id.contains(':') && matches!(scheme.to_ascii_lowercase().as_str(), "javascript" | "vbscript" | "data") {
        flaws.push(Flaw::new(
            FlawCode::LinkRefused,
            format!("the id {:?} is a script", id.chars().take(80).collect::<String>()),
        ));
        return None;
    }
    (!id.is_empty()).then_some(id)
}

/// The text that becomes the content.
fn written(read: &ParsedEntry) -> Option<&Text> {
    read.content.as_ref().or_else(|| read.summary.as_ref().filter(|text| is_more_than_summary(text)))
}

/// Many feeds put the whole text into the description: what a plain summary would lose is kept as content.
fn is_more_than_summary(text: &Text) -> bool {
    text.kind == TextKind::Html && text.value.contains('<') || text.value.chars().nth(super::text::SUMMARY).is_some()
}

/// Safe HTML. What is read of it is counted in marks and not in time, so that a document is cut at the same place
/// on every machine; `marks` are those that the document has left.
fn content(text: &Text, page: Option<&Url>, marks: &mut usize, addresses: &mut Addresses<'_>) -> Option<String> {
    let base = base(&addresses.base, &[text.base.as_deref()]);
    let written = match text.kind {
        TextKind::Html => Cow::Borrowed(text.value.as_str()),
        TextKind::Plain => Cow::Owned(html::of_plain(&text.value)),
    };
    let length = written.len().max(text.value.len());
    if length > html::LONGEST {
        let what = format!("a text of {length} bytes was cut at {}", html::LONGEST);
        addresses.flaws.push(Flaw::new(FlawCode::LimitReached, what));
    }
    let most = MARKS.min((*marks).max(MARKS_OF_EACH));
    let (kept, used) = html::up_to_marks(&written, most);
    *marks = marks.saturating_sub(used);
    if kept.len() < written.len().min(html::LONGEST) {
        let what = format!(
            "a text was cut behind {most} tags, attributes and references, at {} of {length} bytes",
            kept.len()
        );
        addresses.flaws.push(Flaw::new(FlawCode::LimitReached, what));
    }
    let value = html::sanitise_on(kept, &base, page.unwrap_or(&base));
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// A title for an entry that has none: its summary's or its content's first words, a picture's text, or its page.
fn made_title(text: (Option<&str>, Option<&str>), images: &[Image], page: Option<&Url>) -> Option<String> {
    let (summary, content) = text;
    let alt = || images.iter().find_map(|image| image.alt.clone()).or_else(|| content.and_then(html::alternative));
    let words = || content.and_then(|content| line(&html::text(content), FIRST_WORDS));
    summary
        .and_then(|summary| line(summary, FIRST_WORDS))
        .or_else(|| alt().and_then(|alt| line(&alt, FIRST_WORDS)))
        .or_else(words)
        .or_else(|| line(page?.as_str(), super::text::TITLE))
}

pub(super) fn picture(image: &Image, addresses: &mut Addresses<'_>) -> Option<Image> {
    let url = addresses.string(&image.url)?;
    Some(Image {
        url,
        alt: image.alt.as_deref().and_then(|alt| line(alt, NAME)),
        width: image.width,
        height: image.height,
    })
}

fn enclosed(enclosure: &Enclosure, addresses: &mut Addresses<'_>) -> Option<Enclosure> {
    let url = addresses.resolve(&enclosure.url)?;
    let given = enclosure.media_type.as_deref().and_then(|text| line(text, NAME)).filter(|text| text.contains('/'));
    Some(Enclosure {
        media_type: given.or_else(|| media_type(url.path()).map(str::to_owned)),
        url: url.into(),
        length: enclosure.length.filter(|&length| length > 0),
        title: enclosure.title.as_deref().and_then(|text| line(text, NAME)),
        duration: enclosure.duration,
    })
}

/// The media type that a file name tells (IANA registry).
fn media_type(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit('/').next()?.rsplit_once('.')?;
    Some(match extension.to_ascii_lowercase().as_str() {
        "mp3" => "audio/mpeg",
        "m4a" => "audio/mp4",
        "aac" => "audio/aac",
        "ogg" | "oga" | "opus" => "audio/ogg",
        "flac" => "audio/flac",
        "wav" => "audio/wav",
        "mp4" | "m4v" => "video/mp4",
        "webm" => "video/webm",
        "mov" => "video/quicktime",
        "ogv" => "video/ogg",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "bmp" => "image/bmp",
        "pdf" => "application/pdf",
        "epub" => "application/epub+zip",
        "zip" => "application/zip",
        _ => return None,
    })
}

/// The source that the entry itself names.
fn origin(source: &Source, read: &ParsedEntry, addresses: &mut Addresses<'_>) -> Option<Source> {
    let clean = |text: &Option<String>| text.as_deref().and_then(|text| line(text, NAME));
    let plain = |text: &Option<Text>| text.as_ref().and_then(|text| line(&super::text::plain(text), NAME));
    let origin = Source {
        title: plain(&read.source_title).or_else(|| line(&source.title, NAME)).unwrap_or_default(),
        id: clean(&source.id),
        feed_url: source.feed_url.as_deref().and_then(|url| addresses.string(url)),
        url: source.url.as_deref().and_then(|url| addresses.string(url)),
        rights: plain(&read.source_rights).or_else(|| clean(&source.rights)),
    };
    (origin != Source::default()).then_some(origin)
}

pub(super) fn people(read: &[Person], addresses: &mut Addresses<'_>) -> Vec<Person> {
    let mut out: Vec<Person> = Vec::new();
    for person in read {
        let email = person.email.as_deref().and_then(|text| line(text, NAME));
        let uri = person.uri.as_deref().and_then(|uri| addresses.string(uri));
        let Some(name) = line(&html::untagged(&person.name), NAME).or_else(|| email.clone()) else { continue };
        let person = Person { name, email, uri };
        if !out.contains(&person) {
            out.push(person);
        }
    }
    out
}

pub(super) fn categories(read: &[Category]) -> Vec<Category> {
    let mut out: Vec<Category> = Vec::new();
    for category in read {
        let clean = |text: &Option<String>| text.as_deref().and_then(|text| line(text, NAME));
        let Some(term) = line(&category.term, NAME) else { continue };
        let category = Category { term, scheme: clean(&category.scheme), label: clean(&category.label) };
        if !out.contains(&category) {
            out.push(category);
        }
    }
    out
}

/// A language tag (BCP 47), when it is one and differs from the channel's.
pub(super) fn language(tag: &str, channel: &str) -> Option<String> {
    let tag = tag.trim().replace('_', "-");
    let valid = (2..=35).contains(&tag.len())
        && tag.split('-').all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    (valid && !tag.eq_ignore_ascii_case(channel)).then_some(tag)
}

/// Takes over from a repetition what the first did not have.
pub(super) fn complete(first: &mut Entry, again: Entry) {
    first.summary = first.summary.take().or(again.summary);
    first.content = first.content.take().or(again.content);
    first.source = first.source.take().or(again.source);
    if again.published.rung < first.published.rung {
        first.published = again.published;
    }
    if first.images.is_empty() {
        first.images = again.images;
    }
    if first.enclosures.is_empty() {
        first.enclosures = again.enclosures;
    }
    if first.authors.is_empty() {
        first.authors = again.authors;
    }
}
