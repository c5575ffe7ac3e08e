//! What stands where in each format.

use super::tree::{Element, parse};
use super::{BASE, atom_rules, json_rules, rss_rules, sample, site};
use crate::model::{Enclosure, EntryId, Feed, Image, Link, Person, Source, Standing};
use crate::render::{Form, Site, atom, json_feed, opml, rss, text};
use serde_json::Value;

const ATOM: &str = "http://www.w3.org/2005/Atom";
const DC: &str = "http://purl.org/dc/elements/1.1/";
const MEDIA: &str = "http://search.yahoo.com/mrss/";

fn checked(feed: &Feed) -> (Element, Element, Value) {
    let (rss, atom, json) = (rss(feed, &site()), atom(feed, &site()), json_feed(feed, &site()));
    rss_rules::check(&rss, &Form::Rss.address(feed, &site())).unwrap_or_else(|why| panic!("{why}\n{rss}"));
    atom_rules::check(&atom, &Form::Atom.address(feed, &site())).unwrap_or_else(|why| panic!("{why}\n{atom}"));
    json_rules::check(&json, &Form::Json.address(feed, &site())).unwrap_or_else(|why| panic!("{why}\n{json}"));
    (parse(&rss).unwrap(), parse(&atom).unwrap(), serde_json::from_str(&json).unwrap())
}

fn first_item(root: &Element) -> &Element {
    root.children[0].all("", "item").next().unwrap()
}

#[test]
fn the_sample_is_valid_in_every_format() {
    for count in [0, 1, 2, 50] {
        checked(&sample::feed(count));
    }
}

#[test]
fn the_channel_says_what_it_is() {
    let (rss, atom, json) = checked(&sample::feed(3));
    let channel = &rss.children[0];
    let home = "http://comment.workercn.cn/424/424.shtml";
    for (name, value) in [
        ("title", "中工时评"),
        ("link", home),
        ("language", "zh-cn"),
        ("generator", "Heliu"),
        ("ttl", "30"),
        ("lastBuildDate", "Mon, 23 Nov 2026 07:46:00 +0000"),
    ] {
        assert_eq!(channel.text_of("", name), Some(value), "{name}");
    }
    assert_eq!(atom.text_of(ATOM, "updated"), Some("2026-11-23T07:46:00+00:00"));
    let rels: Vec<_> =
        atom.all(ATOM, "link").map(|link| (link.attr("rel").unwrap(), link.attr("href").unwrap())).collect();
    assert!(
        rels.contains(&("alternate", home))
            && rels.contains(&("related", "https://feeds.example.org/heliu/feeds/shiping"))
    );
    assert_eq!((&json["home_page_url"], &json["_heliu"]["sequence"]), (&home.into(), &4000.into()));
    assert_eq!(atom.text_of(ATOM, "id"), json["_heliu"]["id"].as_str());
}

#[test]
fn the_feed_id_is_permanent() {
    let feed = sample::feed(1);
    let id = |site: &Site<'_>| parse(&atom(&feed, site)).unwrap().text_of(ATOM, "id").unwrap().to_owned();
    // Written down once: should this line ever have to change, every subscriber sees a new feed.
    assert_eq!(id(&site()), "urn:uuid:ab1bc0bf-363d-55af-8abd-1b7f2305ac36");
    let elsewhere = url::Url::parse("http://127.0.0.1:8080/").unwrap();
    assert_eq!(id(&Site { base_url: &elsewhere, title: "else", language: "en" }), id(&site()));
}

#[test]
fn instants_agree_in_all_formats_and_keep_their_zone() {
    for (given, rfc822, rfc3339) in [
        ("2026-11-23T15:41:16+08:00", "Mon, 23 Nov 2026 15:41:16 +0800", "2026-11-23T15:41:16+08:00"),
        ("2019-01-05T00:00:00.999-03:30", "Sat, 05 Jan 2019 00:00:00 -0330", "2019-01-05T00:00:00-03:30"),
        ("0001-01-01T00:00:00+08:00", "Mon, 01 Jan 0001 00:00:00 +0000", "0001-01-01T00:00:00+00:00"),
        ("9999-12-31T23:59:60Z", "Thu, 31 Dec 9998 23:59:59 +0000", "9998-12-31T23:59:59+00:00"),
    ] {
        let mut feed = sample::feed(1);
        feed.entries[0].entry.published.at = sample::instant(given);
        let (rss, atom, json) = checked(&feed);
        assert_eq!(first_item(&rss).text_of("", "pubDate"), Some(rfc822));
        assert_eq!(atom.all(ATOM, "entry").next().unwrap().text_of(ATOM, "published"), Some(rfc3339));
        assert_eq!(json["items"][0]["date_published"], rfc3339);
    }
}

#[test]
fn an_old_local_mean_time_is_shown_in_utc() {
    let zone = chrono::FixedOffset::east_opt(8 * 3600 + 5 * 60 + 43).unwrap();
    let at = sample::instant("1900-01-01T00:00:00Z").with_timezone(&zone);
    assert_eq!(text::rfc3339(at), "1900-01-01T00:00:00+00:00");
}

#[test]
fn updated_moves_only_forward() {
    let mut feed = sample::feed(1);
    for (updated, shown, modified) in [
        (None, "2026-11-23T15:41:16+08:00", None),
        (Some("2026-11-01T00:00:00+08:00"), "2026-11-23T15:41:16+08:00", None),
        (Some("2026-11-24T00:00:00Z"), "2026-11-24T00:00:00+00:00", Some("2026-11-24T00:00:00+00:00")),
    ] {
        feed.entries[0].entry.updated = updated.map(sample::instant);
        let (_, atom, json) = checked(&feed);
        assert_eq!(atom.all(ATOM, "entry").next().unwrap().text_of(ATOM, "updated"), Some(shown));
        assert_eq!(json["items"][0]["date_modified"].as_str(), modified);
    }
}

#[test]
fn a_snapshot_says_so_to_people_and_to_programs() {
    let mut feed = sample::feed(1);
    feed.standing = Standing::Snapshot;
    let (rss, atom, json) = checked(&feed);
    let note = "（内置快照，尚未连上源站）";
    assert!(rss.children[0].text_of("", "description").unwrap().ends_with(note));
    assert!(atom.text_of(ATOM, "subtitle").unwrap().ends_with(note));
    assert_eq!(json["_heliu"]["standing"], "snapshot");
    feed.language = "en".to_owned();
    assert!(atom_subtitle(&feed).ends_with("(bundled snapshot, the source has not been reached yet)"));
}

fn atom_subtitle(feed: &Feed) -> String {
    parse(&atom(feed, &site())).unwrap().text_of(ATOM, "subtitle").unwrap().to_owned()
}

#[test]
fn guids_are_permalinks_only_when_they_are_the_link() {
    for (id, permalink, atom_id) in [
        ("urn:uuid:1", Some("false"), "urn:uuid:1"),
        (
            "https://www.workercn.cn/c/2026-11-23/8907680.shtml",
            None,
            "https://www.workercn.cn/c/2026-11-23/8907680.shtml",
        ),
        ("https://www.workercn.cn/else", Some("false"), "https://www.workercn.cn/else"),
        ("tag:example.org,2026:评论", Some("false"), "tag:example.org,2026:评论"),
        ("12345", Some("false"), "urn:uuid:83752710-f78b-5686-9f08-81e6812fce8a"),
    ] {
        let mut feed = sample::feed(1);
        feed.entries[0].entry.id = EntryId(id.to_owned());
        let (rss, atom, json) = checked(&feed);
        let guid = first_item(&rss).all("", "guid").next().unwrap();
        assert_eq!((guid.text.as_str(), guid.attr("isPermaLink")), (id, permalink));
        assert_eq!(json["items"][0]["id"], id);
        assert_eq!(atom.all(ATOM, "entry").next().unwrap().text_of(ATOM, "id"), Some(atom_id));
    }
}

#[test]
fn people_and_sources_go_where_each_format_allows_them() {
    let mut feed = sample::feed(1);
    let entry = &mut feed.entries[0].entry;
    entry.authors =
        vec![Person { name: "柳河".into(), email: Some("nobody".into()), uri: Some("/me".into()) }, Person::default()];
    let (rss, atom, json) = checked(&feed);
    let item = first_item(&rss);
    assert_eq!(item.text_of(DC, "creator"), Some("柳河"));
    assert_eq!(item.text_of(DC, "contributor"), Some("柳阳"));
    assert_eq!((item.text_of(DC, "source"), item.all("", "source").count()), (Some("工人日报"), 0));
    let source = atom.all(ATOM, "entry").next().unwrap().all(ATOM, "source").next().unwrap();
    assert_eq!(source.text_of(ATOM, "title"), Some("工人日报"));
    assert_eq!(json["items"][0]["authors"], serde_json::json!([{ "name": "柳河" }]));
    assert_eq!(json["items"][0]["_heliu"]["source"]["title"], "工人日报");
    assert_eq!(json["items"][0]["_heliu"]["contributors"][0]["name"], "柳阳");

    let feed_url = Some("https://example.org/feed?a=1&b=2".to_owned());
    feed.entries[0].entry.source = Some(Source { title: "新华社".into(), feed_url, ..Source::default() });
    let (rss, atom, _) = checked(&feed);
    let source = first_item(&rss).all("", "source").next().unwrap();
    assert_eq!((source.text.as_str(), source.attr("url")), ("新华社", Some("https://example.org/feed?a=1&b=2")));
    assert_eq!(first_item(&rss).all(DC, "source").count(), 0);
    let source = atom.all(ATOM, "entry").next().unwrap().all(ATOM, "source").next().unwrap();
    assert_eq!(source.text_of(ATOM, "id"), Some("https://example.org/feed?a=1&b=2"));
}

#[test]
fn files_and_pictures_are_all_there_once() {
    let mut feed = sample::feed(1);
    let entry = &mut feed.entries[0].entry;
    let file = |url: &str, kind: Option<&str>| Enclosure {
        url: url.into(),
        media_type: kind.map(Into::into),
        ..Enclosure::default()
    };
    let image = |url: &str| Image { url: url.into(), alt: Some("a \"b\" <c> & d".into()), ..Image::default() };
    entry.enclosures = vec![
        file("http://h/a.mp3?x=1&y=2", Some("audio/mpeg")),
        file("http://h/b.bin", None),
        file("relative.mp3", None),
    ];
    entry.images = vec![image("http://h/p.jpg?x=1&y=2"), image("http://h/p.jpg?x=1&y=2"), image("http://h/b.bin")];
    let (rss, atom, json) = checked(&feed);
    let item = first_item(&rss);
    let enclosure = item.all("", "enclosure").next().unwrap();
    assert_eq!(
        ["url", "length", "type"].map(|name| enclosure.attr(name).unwrap()),
        ["http://h/a.mp3?x=1&y=2", "0", "audio/mpeg"]
    );
    let media = |parent: &Element| {
        parent.all(MEDIA, "content").map(|one| one.attr("url").unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(media(item), ["http://h/b.bin", "http://h/p.jpg?x=1&y=2"]);
    let picture = item.all(MEDIA, "content").nth(1).unwrap();
    assert_eq!(picture.text_of(MEDIA, "description"), Some("a \"b\" <c> & d"));
    let entry = atom.all(ATOM, "entry").next().unwrap();
    assert_eq!(media(entry), ["http://h/p.jpg?x=1&y=2"]);
    assert_eq!(entry.all(ATOM, "link").filter(|link| link.attr("rel") == Some("enclosure")).count(), 2);
    assert_eq!(json["items"][0]["attachments"].as_array().unwrap().len(), 2);
    assert_eq!(json["items"][0]["attachments"][1]["mime_type"], "application/octet-stream");
}

#[test]
fn further_links_cannot_break_the_rules() {
    let mut feed = sample::feed(1);
    let link = |rel: &str, href: &str| Link {
        rel: rel.into(),
        href: href.into(),
        hreflang: Some("zh_CN".into()),
        ..Link::default()
    };
    feed.entries[0].entry.links = vec![
        link("via", "http://h/v"),
        link("VIA", "http://h/v"),
        link("alternate", "http://h/2"),
        link("self", "http://h/3"),
        link("", "http://h/4"),
        link("two words", "http://h/5"),
        link("related", "/6"),
        link("related", "javascript:alert(1)"),
    ];
    let (_, atom, _) = checked(&feed);
    let entry = atom.all(ATOM, "entry").next().unwrap();
    let rels: Vec<_> = entry.all(ATOM, "link").map(|link| link.attr("rel").unwrap()).collect();
    assert_eq!(rels, ["alternate", "via"]);
}

#[test]
fn an_entry_with_next_to_nothing_is_valid() {
    let mut feed = sample::feed(1);
    let entry = &mut feed.entries[0].entry;
    (entry.url, entry.summary, entry.content) = (None, None, None);
    entry.title = " ".to_owned();
    (entry.images, entry.enclosures, entry.source) = (vec![], vec![], None);
    let (rss, _, _) = checked(&feed);
    assert_eq!(first_item(&rss).text_of("", "title"), Some(feed.entries[0].entry.id.0.as_str()));
}

#[test]
fn addresses_are_encoded_once() {
    for (given, shown) in [
        ("http://h/评论?q=工会&a=1#节", Some("http://h/%E8%AF%84%E8%AE%BA?q=%E5%B7%A5%E4%BC%9A&a=1#%E8%8A%82")),
        ("http://h/%E8%AF%84", Some("http://h/%E8%AF%84")),
        ("http://中工网.cn/", Some("http://xn--fiq069aniz.cn/")),
        ("http://h/100%|x?[y]", Some("http://h/100%25%7Cx?%5By%5D")),
        ("http://[::1]:80/", Some("http://[::1]/")),
        ("http://h/#a#b", Some("http://h/#a%23b")),
        ("/relative", None),
        ("javascript:alert(1)", None),
        ("mailto:a@b", None),
        ("http://", None),
        ("", None),
    ] {
        let once = text::address(given);
        assert_eq!(once.as_deref(), shown, "{given}");
        if let Some(once) = once {
            assert_eq!(text::address(&once).as_deref(), Some(once.as_str()), "encoded twice");
            super::tree::http(&once).unwrap();
        }
    }
}

#[test]
fn the_subscription_list_leads_to_every_feed() {
    let mut second = sample::feed(2);
    second.id = "renwu".parse().unwrap();
    second.title = "人物 <\"&\">".to_owned();
    let text = opml(&[&sample::feed(1), &second], &site());
    let root = parse(&text).unwrap();
    assert_eq!((root.name.as_str(), root.attr("version")), ("opml", Some("2.0")));
    let outlines: Vec<_> = root.children[1].all("", "outline").collect();
    assert_eq!(outlines.len(), 2);
    assert_eq!(outlines[1].attr("text"), Some("人物 <\"&\">"));
    assert_eq!(outlines[1].attr("type"), Some("rss"));
    assert_eq!(outlines[1].attr("xmlUrl"), Some(format!("{}feeds/renwu.atom", *BASE).as_str()));
    assert_eq!(outlines[1].attr("htmlUrl"), Some(format!("{}feeds/renwu", *BASE).as_str()));
    assert!(parse(&opml(&[], &site())).is_ok());
}

#[test]
fn no_document_carries_style_sheets_or_scripts() {
    let feed = sample::feed(6);
    for text in [rss(&feed, &site()), atom(&feed, &site()), json_feed(&feed, &site())] {
        assert!(!text.contains("xml-stylesheet") && !text.contains("<script"), "{text}");
    }
}
