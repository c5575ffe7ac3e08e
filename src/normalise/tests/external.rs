//! Documents of external feeds: what they say about themselves, and what their entries take from them.

use super::super::page;
use super::*;

fn external(base: &Url) -> Context<'_> {
    Context { now: now(), timezone: Tz::Asia__Shanghai, language: "zh-CN", base, kind: Kind::External }
}

#[test]
fn what_a_feed_says_about_itself() {
    let base = Url::parse("https://feed.example/dir/atom.xml").unwrap();
    let parsed = ParsedFeed {
        id: Some(" tag:feed.example,2019:1 ".into()),
        title: Some(Text::html("A &amp; <b>B</b>\u{202e}")),
        subtitle: Some(Text::plain("a < b\n\nand so on")),
        links: vec![
            Link { rel: "self".into(), ..link("atom.xml") },
            link("/home"),
            Link { rel: "hub".into(), ..link("https://hub.example/") },
            Link { rel: "via".into(), ..link("javascript:alert(1)") },
        ],
        updated: Some("2019-12-10T12:00:00Z".into()),
        published: Some("the day before".into()),
        rights: Some(Text::html("&copy; Feed")),
        language: Some("zh_CN".into()),
        icon: Some("icon.png".into()),
        authors: vec![Person { uri: Some("about".into()), ..Person::named("Anna") }],
        ..ParsedFeed::default()
    };
    let (found, flaws) = about(&parsed, &external(&base));
    assert_eq!(found.id.as_deref(), Some("tag:feed.example,2019:1"));
    assert_eq!(found.title.as_deref(), Some("A & B"));
    assert_eq!(found.subtitle.as_deref(), Some("a < b and so on"));
    assert_eq!(found.home.as_deref(), Some("https://feed.example/home"));
    assert_eq!(found.feed_url.as_deref(), Some("https://feed.example/dir/atom.xml"));
    assert_eq!(found.links.iter().map(|link| link.rel.as_str()).collect::<Vec<_>>(), ["hub"]);
    assert_eq!(found.updated.unwrap().to_rfc3339(), "2019-12-10T12:00:00+00:00");
    assert_eq!((found.published, found.rights.as_deref()), (None, Some("\u{a9} Feed")));
    assert_eq!(found.language.as_deref(), Some("zh-CN"), "although the channel's is the same");
    assert_eq!(found.icon.as_deref(), Some("https://feed.example/dir/icon.png"));
    assert_eq!(found.authors[0].uri.as_deref(), Some("https://feed.example/dir/about"));
    let codes: Vec<_> = flaws.iter().map(|flaw| flaw.code).collect();
    assert_eq!(codes, [FlawCode::DateUnreadable, FlawCode::LinkRefused]);
    assert_eq!(about(&ParsedFeed::default(), &external(&base)), (About::default(), vec![]));
}

#[test]
fn authors_of_the_feed_are_those_of_entries_without() {
    let base = Url::parse("https://feed.example/dir/atom.xml").unwrap();
    for (format, expected) in [
        (Format::Atom10, "Anna https://feed.example/x/me"),
        (Format::Atom03, "Anna https://feed.example/x/me"),
        (Format::JsonFeed11, "Anna https://feed.example/x/me"),
        (Format::Rss20, ""),
    ] {
        let own = ParsedEntry { authors: vec![Person::named("Own")], ..entry("own", "/1", "2019-12-10") };
        let without = ParsedEntry { base: Some("/elsewhere/".into()), ..entry("none", "/2", "2019-12-10") };
        let parsed = ParsedFeed {
            format,
            base: Some("/x/".into()),
            authors: vec![Person { uri: Some("me".into()), ..Person::named("Anna") }],
            entries: vec![own, without],
            ..ParsedFeed::default()
        };
        let (candidates, _) = feed(&parsed, &external(&base));
        let told = |at: usize| {
            let one = |person: &Person| format!("{} {}", person.name, person.uri.as_deref().unwrap_or_default());
            candidates[at].entry.authors.iter().map(one).collect::<Vec<_>>().join(", ")
        };
        assert_eq!((told(0).trim(), told(1).as_str()), ("Own", expected), "{format:?}");
    }
}

#[test]
fn authors_of_the_feed_are_few_and_small_for_each_entry() {
    let base = Url::parse("https://feed.example/atom.xml").unwrap();
    let person = |n: usize, length: usize| Person {
        uri: Some(format!("/{}", "u".repeat(length))),
        ..Person::named(format!("Author {n}"))
    };
    for (count, length, expected) in [(3, 10, 3), (60, 10, 20), (60, 1000, 3), (1, 4096, 0)] {
        let authors = (0..count).map(|n| person(n, length)).collect();
        let entries = vec![entry("one", "/1", "2019-12-10")];
        let parsed = ParsedFeed { format: Format::Atom10, authors, entries, ..ParsedFeed::default() };
        let (candidates, _) = feed(&parsed, &external(&base));
        assert_eq!(candidates[0].entry.authors.len(), expected, "{count} of {length}");
    }
}

/// An entry of a feed at `https://feed.example/dir/feed`, and the flaws.
fn one(format: Format, home: Option<&str>, read: ParsedEntry) -> Candidate {
    let base = Url::parse("https://feed.example/dir/feed").unwrap();
    let parsed = ParsedFeed {
        format,
        links: home.map(link).into_iter().collect(),
        entries: vec![read],
        ..ParsedFeed::default()
    };
    feed(&parsed, &external(&base)).0.remove(0)
}

#[test]
fn an_entry_without_a_link_is_found_by_what_it_says() {
    let related = |href: &str| Link { rel: "related".into(), ..link(href) };
    for (format, id, links, url, keys) in [
        (Format::Atom10, "http://a.example/1#x", vec![], Some("http://a.example/1#x"), 2),
        (Format::Atom03, "https://a.example/1", vec![related("/2")], Some("https://a.example/1"), 2),
        (Format::Atom10, "https://a.example/1", vec![link("/2")], Some("https://feed.example/2"), 3),
        (Format::Atom10, "https://a.example/1", vec![link("javascript:x")], Some("https://a.example/1"), 2),
        (Format::Atom10, "tag:a.example,2019:1", vec![], None, 2),
        (Format::Atom10, "javascript://a.example/1", vec![], None, 1),
        (Format::Rss20, "https://a.example/1", vec![], None, 2),
        (Format::JsonFeed11, "1", vec![related("/2")], Some("https://feed.example/2"), 2),
        (Format::JsonFeed10, "1", vec![link("/1"), related("/2")], Some("https://feed.example/1"), 3),
        (Format::JsonFeed11, "1", vec![related("mailto:a@example.org")], None, 2),
        (Format::Rss20, "1", vec![related("/2")], None, 2),
    ] {
        let read = ParsedEntry { id: Some(id.into()), links, ..entry("a title", "", "2019-12-10") };
        let found = one(format, None, read);
        assert_eq!((found.entry.url.as_deref(), found.keys.len()), (url, keys), "{format:?} {id}");
        assert!(id.starts_with("javascript") || found.entry.id.0 == id, "{id}");
    }
    // Such an address is no evidence: entries that share one stay two.
    let same = |title: &str| ParsedEntry {
        id: Some("https://a.example/".into()),
        links: vec![],
        ..entry(title, "", "2019-12-10")
    };
    let base = Url::parse("https://feed.example/").unwrap();
    let parsed = ParsedFeed {
        format: Format::Atom10,
        entries: vec![same("first title"), same("second title")],
        ..ParsedFeed::default()
    };
    assert_eq!(feed(&parsed, &external(&base)).0.len(), 2);
}

#[test]
fn an_entry_of_nothing_but_a_link_is_called_by_it() {
    let bare = |href: &str| ParsedEntry { links: vec![link(href)], ..ParsedEntry::default() };
    for (read, title) in [
        (bare("/a?b=1"), "https://feed.example/a?b=1"),
        (ParsedEntry { title: Some(Text::html("<p> </p>")), ..bare("/a") }, "https://feed.example/a"),
        (ParsedEntry { summary: Some(Text::plain("words")), ..bare("/a") }, "words"),
        (ParsedEntry { content: Some(Text::html("<img src=x.png alt=picture>")), ..bare("/a") }, "picture"),
        (ParsedEntry { content: Some(Text::html("<img src=x.png>")), ..bare("/a") }, "https://feed.example/a"),
    ] {
        let found = one(Format::Rss20, None, read);
        assert_eq!((found.entry.title.as_str(), kinds(&found)), (title, vec![KeyKind::Link]));
    }
    let read = ParsedEntry { rights: Some(Text::plain("©")), ..entry("", "", "2019-12-09") };
    assert_eq!(one(Format::Rss20, None, ParsedEntry { links: vec![], ..read }).entry.title, "2019-12-09");
    let long = format!("/{}", "x".repeat(900));
    assert!(one(Format::Rss20, None, bare(&long)).entry.title.chars().count() <= 500);
}

#[test]
fn a_proxy_is_not_where_relative_links_of_rss_lead() {
    let (away, dir) = (Some("http://site.example/blog/"), "https://feed.example/dir/a.html");
    for (format, home, expected) in [
        (Format::Rss20, away, "http://site.example/blog/a.html"),
        (Format::Rss092, away, "http://site.example/blog/a.html"),
        (Format::Rss10, away, "http://site.example/blog/a.html"),
        (Format::Rss20, Some("https://feed.example/other/"), dir),
        (Format::Rss20, Some("http://www.feed.example/other/"), dir),
        (Format::Rss20, Some(" HTTP://Site.Example/blog/ "), "http://site.example/blog/a.html"),
        (Format::Rss20, Some("/other/"), dir),
        (Format::Rss20, Some("ftp://site.example/blog/"), dir),
        (Format::Rss20, None, dir),
        (Format::Atom10, away, dir),
        (Format::JsonFeed11, away, dir),
    ] {
        let read = ParsedEntry {
            content: Some(Text::html("<a href=a.html>x</a>")),
            ..entry("a title", "a.html", "2019-12-10")
        };
        let found = one(format, home, read);
        assert_eq!(found.entry.url.as_deref(), Some(expected), "{format:?} {home:?}");
        assert!(found.entry.content.as_ref().unwrap().contains(expected), "{format:?} {home:?}");
    }
    // What the document itself says about its base is believed.
    let read = ParsedEntry { base: Some("https://base.example/x/".into()), ..entry("a title", "a.html", "2019-12-10") };
    assert_eq!(one(Format::Rss20, away, read).entry.url.as_deref(), Some("https://base.example/x/a.html"));
    // The page whose full text is read is the same one.
    let base = Url::parse("https://feed.example/dir/feed").unwrap();
    let parsed = ParsedFeed { format: Format::Rss20, links: vec![link(away.unwrap())], ..ParsedFeed::default() };
    let (_, page) = page(&entry("", "a.html", ""), &parsed, &external(&base)).unwrap();
    assert_eq!(page.as_str(), "http://site.example/blog/a.html");
}

#[test]
fn notes_of_a_text_are_on_its_own_page() {
    let text = "<a href=\" #fn1\">1</a><a href=b.html#fn1>2</a>";
    let read = |href: &str| ParsedEntry { content: Some(Text::html(text)), ..entry("a title", href, "2019-12-10") };
    let hrefs = |read: ParsedEntry| {
        let content = one(Format::Atom10, None, read).entry.content.unwrap();
        content.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let beside = "https://feed.example/dir/b.html#fn1";
    assert_eq!(hrefs(read("https://a.example/1?x=y#top")), ["https://a.example/1?x=y#fn1", beside]);
    let without = ParsedEntry { links: vec![], ..read("") };
    assert_eq!(hrefs(without), ["https://feed.example/dir/feed#fn1", beside]);
}

#[test]
fn lines_of_plain_text_stay_lines() {
    for (written, expected) in [
        ("one line & <b>", "one line &amp; &lt;b&gt;"),
        ("one\ntwo", "one<br>two"),
        ("one\r\ntwo\rthree", "one<br>two<br>three"),
        ("one\n\ntwo\nthree", "<p>one</p><p>two<br>three</p>"),
        ("\n one \n \t\n\n two \n", "<p>one</p><p>two</p>"),
        ("a < b\n\nc & d", "<p>a &lt; b</p><p>c &amp; d</p>"),
        ("&lt;\n1", "&amp;lt;<br>1"),
    ] {
        let read = ParsedEntry { content: Some(Text::plain(written)), ..entry("a title", "/1", "2019-12-10") };
        let found = one(Format::Atom10, None, read);
        assert_eq!(found.entry.content.as_deref(), Some(expected), "{written:?}");
    }
}

#[test]
fn names_are_plain_text() {
    for (written, expected) in [
        ("<a href='http://x.example/1'>Author 1</a> (Town), <B>Author&nbsp;2</B>", "Author 1 (Town), Author\u{a0}2"),
        ("Anna <anna@example.org", "Anna <anna@example.org"),
        ("a < b & c", "a < b & c"),
        ("Anna <b@c> Berg", "Anna <b@c> Berg"),
        ("<3", "<3"),
        ("R&amp;D", "R&amp;D"),
        ("<script>x</script>Anna", "Anna"),
    ] {
        let read = ParsedEntry {
            authors: vec![Person::named(written)],
            contributors: vec![Person::named(written)],
            ..entry("a title", "/1", "2019-12-10")
        };
        let found = one(Format::Rss20, None, read).entry;
        assert_eq!((&*found.authors[0].name, &*found.contributors[0].name), (expected, expected), "{written}");
    }
    let nobody = ParsedEntry { authors: vec![Person::named("<b> </b>")], ..entry("a title", "/1", "2019-12-10") };
    assert!(one(Format::Rss20, None, nobody).entry.authors.is_empty());
}
