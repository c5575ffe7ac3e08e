//! Laws that hold for any feed: valid in every format, nothing lost on the way, equal input gives equal bytes.

use super::tree::{Element, parse};
use super::{atom_rules, json_rules, rss_rules, sample, site};
use crate::model::{Category, Enclosure, EntryId, Feed, Image, Person, Source, Standing, Tombstone};
use crate::render::{Form, Lang, atom, feed_page, json_feed, opml, rss};
use chrono::{DateTime, FixedOffset};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

const ATOM: &str = "http://www.w3.org/2005/Atom";
const CONTENT: &str = "http://purl.org/rss/1.0/modules/content/";

/// Any Unicode, with the pieces that break writers.
fn words() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => any::<char>().prop_map(String::from),
        3 => prop::sample::select(vec![
            "]]>", "<![CDATA[", "<script>", "&amp;", "&#8;", "<b>", "-->", "\u{0}", "\u{8}", "\u{b}", "\u{1f}", "\u{7f}", "\u{85}",
            "\u{fffe}", "\u{ffff}", "\u{1ffff}", "\u{202e}", "\u{2066}", "\u{feff}", "\r\n", "\r", "\n", "\t", "\"", "'", "  ",
            "👩‍👩‍👧", "🇨🇳", "𠮷", "\u{3000}", "评论", "{{ x }}", "%", "\\u0000",
        ]).prop_map(String::from),
        2 => "[a-z ]{0,6}",
    ];
    vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn url() -> impl Strategy<Value = String> {
    let path = vec(
        prop::sample::select(vec!["a", "评", "%20", "%", "|", "[", "&", "?", "#", "=", "/", "'", "\"", "<", " "]),
        0..8,
    );
    prop_oneof![9 => path.prop_map(|path| format!("http://h.cn/{}", path.concat())), 1 => words()]
}

fn date() -> impl Strategy<Value = DateTime<FixedOffset>> {
    (-80_000_000_000i64..300_000_000_000, -86_399i32..86_400, 0u32..1_999_999_999).prop_map(|(at, zone, nanos)| {
        let at = DateTime::from_timestamp(at, nanos).or(DateTime::from_timestamp(at, 0)).unwrap();
        at.with_timezone(&FixedOffset::east_opt(zone).unwrap())
    })
}

fn people() -> impl Strategy<Value = Vec<Person>> {
    vec(
        (words(), option::of(words()), option::of(url())).prop_map(|(name, email, uri)| Person { name, email, uri }),
        0..3,
    )
}

prop_compose! {
    fn feed()(
        texts in vec((words(), option::of(words()), option::of(words()), words(), words()), 0..5),
        links in vec((option::of(url()), url(), url(), words(), option::of(words())), 5),
        dates in vec((date(), option::of(date())), 5),
        names in vec((people(), people()), 5),
        title in words(), description in words(), home in option::of(url()), is_snapshot in any::<bool>(), tag in words(),
        graves in vec((words(), date()), 0..4),
    ) -> Feed {
        let mut feed = sample::feed(texts.len());
        (feed.title, feed.description, feed.home) = (title, description, home);
        feed.standing = if is_snapshot { Standing::Snapshot } else { Standing::Live };
        for (at, record) in feed.entries.iter_mut().enumerate() {
            let entry = &mut record.entry;
            let (title, summary, content, id, source) = texts[at].clone();
            let (url, file, image, kind, alt) = links[at].clone();
            (entry.title, entry.summary, entry.content, entry.url) = (title, summary, content, url);
            // Ids are unique in a feed, so they are here, whatever else they hold.
            entry.id = EntryId(format!("{id}{at}"));
            entry.source = Some(Source { title: source, id: alt.clone(), feed_url: Some(file.clone()), url: Some(image.clone()), rights: alt.clone() });
            (entry.published.at, entry.updated) = dates[at];
            (entry.authors, entry.contributors) = names[at].clone();
            entry.categories = vec![Category { term: tag.clone(), scheme: Some(file.clone()), label: alt.clone() }];
            entry.enclosures = vec![
                Enclosure { url: file.clone(), media_type: Some(kind.clone()), length: Some(7), ..Enclosure::default() },
                Enclosure { url: image.clone(), media_type: None, title: alt.clone(), ..Enclosure::default() },
            ];
            entry.images = vec![Image { url: image, alt, width: Some(1), height: None }];
            (entry.language, entry.rights) = (Some(kind.clone()), Some(kind));
        }
        let graves = graves.into_iter().enumerate();
        // Ids that become one id once they are legal are no concern of this law.
        feed.tombstones = graves
            .map(|(at, (id, when))| Tombstone { id: EntryId(format!("{id}grave{at}")), when: when.to_utc() })
            .collect();
        feed
    }
}

/// What a reader must get: the text without what XML forbids, line ends as XML reports them.
fn readable(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .chars()
        .filter(|c| matches!(*c as u32, 9 | 10 | 0x20..=0xD7FF | 0xE000..=0xFFFD | 0x10000..))
        .collect()
}

fn one_line(text: &str) -> String {
    readable(text).replace(['\n', '\t'], " ")
}

fn items(root: &Element) -> Vec<&Element> {
    root.children[0].all("", "item").collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_feed_is_valid_everywhere(feed in feed()) {
        let site = site();
        let (rss, atom, json) = (rss(&feed, &site), atom(&feed, &site), json_feed(&feed, &site));
        prop_assert_eq!(rss_rules::check(&rss, &Form::Rss.address(&feed, &site)), Ok(()), "{}", rss);
        prop_assert_eq!(atom_rules::check(&atom, &Form::Atom.address(&feed, &site)), Ok(()), "{}", atom);
        prop_assert_eq!(json_rules::check(&json, &Form::Json.address(&feed, &site)), Ok(()), "{}", json);
        prop_assert!(parse(&opml(&[&feed], &site)).is_ok());
        let again = feed.clone();
        prop_assert_eq!([crate::render::rss(&again, &site), crate::render::atom(&again, &site), crate::render::json_feed(&again, &site)], [rss, atom, json]);
    }

    #[test]
    fn nothing_is_lost_on_the_way(feed in feed()) {
        let rss = parse(&rss(&feed, &site())).unwrap();
        let atom = parse(&atom(&feed, &site())).unwrap();
        let json: serde_json::Value = serde_json::from_str(&json_feed(&feed, &site())).unwrap();
        let entries: Vec<_> = atom.all(ATOM, "entry").collect();
        prop_assert_eq!(items(&rss).len(), feed.entries.len());
        prop_assert_eq!(entries.len(), feed.entries.len());
        for (at, record) in feed.entries.iter().enumerate() {
            let (item, entry, object, given) = (items(&rss)[at], entries[at], &json["items"][at], &record.entry);
            let id = one_line(&given.id.0);
            let title = one_line(&given.title);
            let title = title.as_str();
            prop_assert_eq!(item.text_of("", "guid"), Some(id.trim()));
            prop_assert_eq!(object["id"].as_str(), Some(id.trim()));
            prop_assert_eq!(entry.text_of(ATOM, "title"), Some(title));
            if !title.trim().is_empty() {
                prop_assert_eq!(item.text_of("", "title"), Some(title));
                prop_assert_eq!(object["title"].as_str(), Some(title));
            }
            let content = given.content.as_deref().map(readable).filter(|html| !html.trim().is_empty());
            if let Some(content) = content {
                let in_rss = item.text_of(CONTENT, "encoded").or_else(|| item.text_of("", "description"));
                prop_assert_eq!(in_rss, Some(content.as_str()));
                prop_assert_eq!(entry.text_of(ATOM, "content"), Some(content.as_str()));
                prop_assert_eq!(object["content_html"].as_str(), Some(content.as_str()));
            }
            let dates = [
                DateTime::parse_from_rfc2822(item.text_of("", "pubDate").unwrap()).unwrap(),
                DateTime::parse_from_rfc3339(entry.text_of(ATOM, "published").unwrap()).unwrap(),
                DateTime::parse_from_rfc3339(object["date_published"].as_str().unwrap()).unwrap(),
            ];
            prop_assert!(dates.iter().all(|date| date == &dates[0]));
            let year = chrono::Datelike::year(&given.published.at.to_utc());
            prop_assert!(!(1..=9998).contains(&year) || dates[0].timestamp() == given.published.at.timestamp());
        }
    }

    /// Foreign readers agree with ours on the number of entries, their ids and their instants.
    #[test]
    fn other_readers_read_it(feed in feed()) {
        let (rss, atom, json) = (rss(&feed, &site()), atom(&feed, &site()), json_feed(&feed, &site()));
        let channel = ::rss::Channel::read_from(rss.as_bytes()).unwrap();
        let document = atom_syndication::Feed::read_from(atom.as_bytes()).unwrap();
        prop_assert_eq!(channel.items.len(), feed.entries.len());
        prop_assert_eq!(document.entries.len(), feed.entries.len());
        for text in [&rss, &atom, &json] {
            let read = feed_rs::parser::parse(text.as_bytes()).map_err(|e| TestCaseError::fail(format!("{e}\n{text}")))?;
            prop_assert_eq!(read.entries.len(), feed.entries.len());
        }
        for (entry, record) in document.entries.iter().zip(&feed.entries) {
            prop_assert_eq!(entry.published, Some(crate::render::text::printable(record.entry.published.at)));
        }
    }

    #[test]
    fn pages_hold_no_markup_of_titles(feed in feed()) {
        let mut feed = feed;
        feed.entries.iter_mut().for_each(|record| record.entry.content = None);
        for lang in [Lang::Zh, Lang::En] {
            let page = feed_page(&feed, &site(), lang);
            prop_assert!(page.ends_with("</html>") && !page.contains("<script") && !page.contains("<b>"));
            let plain = page.chars().all(|c| c == '\n' || c == '\t' || c >= ' ');
            prop_assert!(plain, "a control character");
        }
    }
}
