//! Fixtures and laws. `HELIU_BLESS=1 cargo test parse` writes the expectations anew: read the difference.
//! `HELIU_CORPUS=DIR` also reads every file of a folder of feeds.

use super::*;
use proptest::prelude::*;
use std::fmt::Write;
use std::path::{Path, PathBuf};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/feeds");

fn fixtures() -> Vec<(PathBuf, String)> {
    let mut paths: Vec<_> = std::fs::read_dir(FIXTURES).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| !path.to_string_lossy().ends_with(".expected.json"));
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

/// JSON without members that say nothing, so that an expectation can be read.
fn terse(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    let says_something = |v: &Value| match v {
        Value::Null | Value::Bool(false) => false,
        Value::Array(values) => !values.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    };
    match value {
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (name, terse(value)));
            Value::Object(members.filter(|(_, value)| says_something(value)).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(terse).collect()),
        other => other,
    }
}

#[test]
fn fixtures_are_read_as_expected() {
    let bless = std::env::var_os("HELIU_BLESS").is_some();
    let mut wrong = Vec::new();
    for (path, text) in fixtures() {
        let (feed, flaws) = feed(&text);
        let flaws: Vec<_> = flaws.iter().map(ToString::to_string).collect();
        let read = terse(serde_json::json!({ "feed": feed, "flaws": flaws }));
        let read = serde_json::to_string_pretty(&read).unwrap() + "\n";
        let expected_path = PathBuf::from(format!("{}.expected.json", path.display()));
        if bless {
            std::fs::write(&expected_path, &read).unwrap();
        }
        let expected = std::fs::read_to_string(&expected_path).unwrap_or_default();
        if read != expected {
            wrong.push(format!("{}:\n{read}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_format_and_module_has_a_fixture() {
    let names: Vec<_> = fixtures().iter().map(|(path, _)| path.file_stem().unwrap().to_owned()).collect();
    assert!(names.len() >= 50, "only {}", names.len());
    let formats: std::collections::HashSet<_> =
        fixtures().iter().filter_map(|(_, text)| feed(text).0).map(|feed| feed.format).collect();
    assert_eq!(formats.len(), 9, "{formats:?}");
}

#[test]
fn a_folder_of_real_feeds_is_read() {
    let Some(folder) = std::env::var_os("HELIU_CORPUS") else { return };
    for entry in std::fs::read_dir(Path::new(&folder)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "tsv") {
            continue;
        }
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        let (feed, flaws) = feed(&text);
        assert!(feed.is_some_and(|feed| !feed.entries.is_empty()), "{}: {flaws:?}", path.display());
    }
}

fn outlines(text: &str, expected: &str) {
    fn show(outline: &Outline) -> String {
        let inside: Vec<_> = outline.children.iter().map(show).collect();
        let address = outline.xml_url.clone().unwrap_or_default();
        format!("{}<{address}>[{}]", outline.title, inside.join(" "))
    }
    let (found, _) = opml(text);
    assert_eq!(found.iter().map(show).collect::<Vec<_>>().join(" "), expected, "{text}");
}

#[test]
fn subscription_lists() {
    outlines(
        r#"<?xml version="1.0"?><opml version="2.0"><head><title>Mine</title></head><body>
        <outline text="新闻" title="News"><outline type="rss" text="One" xmlUrl="https://example.org/1" htmlUrl="https://example.org/"/>
        <outline text="Inner"><outline type="atom" text="Two" XMLURL="https://example.org/2?a=1&amp;b=2"/></outline></outline>
        <outline type="rss" text="Three" xmlurl="https://example.org/3"/></body></opml>"#,
        "News<>[One<https://example.org/1>[] Inner<>[Two<https://example.org/2?a=1&b=2>[]]] Three<https://example.org/3>[]",
    );
    // Ill-formed: bare &, markup in an attribute, no end.
    outlines(
        r#"<opml version="1.0"><body><outline text="R&D <b>x</b>" xmlUrl="https://example.org/?a=1&b=2"/><outline text="open"><outline text="in" xmlUrl="https://example.org/4">"#,
        "R&D <b>x</b><https://example.org/?a=1&b=2>[] open<>[in<https://example.org/4>[]]",
    );
    outlines(
        r#"<opml><body><outline text="old" type="rss" url="https://example.org/5"/></body></opml>"#,
        "old<https://example.org/5>[]",
    );
    outlines("<opml><body></body></opml>", "");
    assert_eq!(opml("<html></html>").1[0].code, FlawCode::NotAFeed);
    assert_eq!(opml("").1[0].code, FlawCode::NotAFeed);
    let (one, _) = opml(
        r#"<opml><body><outline text="t" title="T" type="RSS" xmlUrl="u" htmlUrl="h" description="d" category="a, /b/c,"/></body></opml>"#,
    );
    assert_eq!(
        (one[0].kind.as_deref(), one[0].html_url.as_deref(), one[0].description.as_deref()),
        (Some("rss"), Some("h"), Some("d"))
    );
    assert_eq!(one[0].categories, ["a", "/b/c"]);
}

#[test]
fn pages_announce_feeds() {
    let base = url::Url::parse("https://example.org/news/index.html").unwrap();
    let check = |html: &str, expected: &[&str]| {
        let found = discover(html, &base);
        let found: Vec<_> =
            found.iter().map(|d| format!("{} {} {}", d.url, d.media_type, d.title.as_deref().unwrap_or("-"))).collect();
        assert_eq!(found, expected, "{html}");
    };
    check(
        "<!doctype html><LINK REL='alternate home' TYPE='Application/RSS+XML; charset=utf-8' HREF='rss.xml?a=1&amp;b' title='A &amp; B'>",
        &["https://example.org/news/rss.xml?a=1&b application/rss+xml A & B"],
    );
    check(
        "<base href='/top/'><base href='/no/'><link rel=alternate type=application/atom+xml href=f><link rel=alternate type=application/feed+json href=//example.net/j>",
        &["https://example.org/top/f application/atom+xml -", "https://example.net/j application/feed+json -"],
    );
    check(
        "<link rel=feed href=/f><link rel=alternate href=/g><link rel=alternate type=text/html href=/h>",
        &["https://example.org/f  -"],
    );
    check(
        "<link rel=alternate type=application/rss+xml href=javascript:x><link rel=alternate type=application/rss+xml>",
        &[],
    );
    check(
        "<link rel=alternate type=application/rss+xml href=/a><link rel=alternate type=application/rss+xml href=/a>",
        &["https://example.org/a application/rss+xml -"],
    );
    check(
        "<script>if (a<b) {}</script><link rel=alternate type=application/rss+xml href=/a>",
        &["https://example.org/a application/rss+xml -"],
    );
    check("", &[]);
}

/// What one entry says: authors, categories and links.
fn said(entry: &str) -> String {
    let atom = entry.contains("replies") || entry.contains("<name>");
    let text = if atom {
        format!("<feed xmlns='http://www.w3.org/2005/Atom'><entry><title>t</title>{entry}</entry></feed>")
    } else {
        let ns = "xmlns:dc='http://purl.org/dc/elements/1.1/'";
        format!("<rss version='2.0' {ns}><channel><item><title>t</title>{entry}</item></channel></rss>")
    };
    let read = feed(&text).0.unwrap().entries.remove(0);
    let people =
        read.authors.iter().map(|one| one.email.as_ref().map_or(one.name.clone(), |at| format!("{} {at}", one.name)));
    let terms = read.categories.iter().map(|one| format!("#{}", one.term));
    let links = read.links.iter().map(|one| format!("{}={}", one.rel, one.href));
    people.chain(terms).chain(links).collect::<Vec<_>>().join(" | ")
}

#[test]
fn markup_in_names_and_categories_is_text() {
    for (entry, expected) in [
        ("<author>by <a href='/x'>Foo Bar</a></author>", "by Foo Bar"),
        ("<author><b>a@example.org</b> (<i>Anna</i>)</author>", "Anna a@example.org"),
        ("<author><p>Anna</p><p>Berg</p></author>", "Anna Berg"),
        ("<author><p>Anna</p>Berg</author>", "Anna Berg"),
        ("<author><name>Anna</name><email>a@example.org</email></author>", "Anna a@example.org"),
        ("<author><name><b>Anna</b> Berg</name></author>", "Anna Berg"),
        ("<dc:creator>by <a href='/x'>Foo</a></dc:creator>", "by Foo"),
        ("<category><p>Cat</p></category>", "#Cat"),
        ("<category>one <b>two</b>\n three</category>", "#one two three"),
        ("<dc:subject><b>S</b></dc:subject>", "#S"),
        ("<category> </category><author><b> </b></author>", ""),
    ] {
        assert_eq!(said(entry), expected, "{entry}");
    }
}

#[test]
fn comments_that_are_no_address_are_no_link() {
    for (entry, expected) in [
        ("<comments>Some text</comments>", ""),
        ("<comments>\n https://a.example/1#c \n</comments>", "replies=https://a.example/1#c"),
        ("<comments>/1#c</comments>", "replies=/1#c"),
        ("<link rel='replies' href='not an address'/>", ""),
        ("<link rel='replies' href=' https://a.example/1 '/>", "replies=https://a.example/1"),
        ("<link rel='replies' href='/1'/><link href='/a b'/>", "replies=/1 | =/a b"),
    ] {
        assert_eq!(said(entry), expected, "{entry}");
    }
}

#[test]
fn entries_are_limited() {
    let many =
        format!("<rss><channel><title>t</title>{}</channel></rss>", "<item><title>x</title></item>".repeat(5_001));
    let (feed, flaws) = feed(&many);
    assert_eq!(feed.unwrap().entries.len(), 5_000);
    assert!(flaws.iter().any(|flaw| flaw.code == FlawCode::LimitReached), "{flaws:?}");
}

#[test]
fn bombs_do_not_go_off() {
    let mut laughs = String::from("<!DOCTYPE rss [<!ENTITY l0 \"lol\">");
    for n in 1..50 {
        let below = n - 1;
        write!(laughs, "<!ENTITY l{n} '&l{below};&l{below};&l{below};'>").unwrap();
    }
    laughs += "]><rss><channel><title>&l49;</title><item><title>One</title></item></channel></rss>";
    let (read, _) = feed(&laughs);
    let read = read.unwrap();
    assert_eq!(read.title.unwrap().value, "&l49;");
    assert_eq!(read.entries.len(), 1);
}

/// Cut anywhere, a feed yields every entry that was complete before the cut.
#[test]
fn a_cut_never_loses_complete_entries() {
    for (path, text) in fixtures() {
        let whole = feed(&text).0.map(|feed| feed.entries).unwrap_or_default();
        let step = if text.len() > 3_000 { 3 } else { 1 };
        for cut in (0..text.len()).step_by(step).filter(|cut| text.is_char_boundary(*cut)) {
            let head = &text[..cut];
            let complete = if path.extension().is_some_and(|end| end == "json") {
                continue;
            } else {
                let lower = head.to_ascii_lowercase();
                lower.matches("</item>").count()
                    + lower.matches("</entry>").count()
                    + lower.matches("</a:entry>").count()
            };
            // Where end tags are missing the count says nothing.
            if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("flaw")) {
                feed(head);
                continue;
            }
            let found = feed(head).0.map(|feed| feed.entries).unwrap_or_default();
            assert!(found.len() >= complete, "{} cut at {cut}: {} of {complete}", path.display(), found.len());
            assert_eq!(found[..complete], whole[..complete], "{} cut at {cut}", path.display());
        }
    }
}

#[test]
fn a_cut_json_feed_keeps_complete_items() {
    let text = std::fs::read_to_string(format!("{FIXTURES}/jsonfeed-1.0.json")).unwrap();
    let second = text.find(r#"{ "id": "https"#).unwrap();
    let whole = feed(&text).0.unwrap();
    for cut in (second..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
        let found = feed(&text[..cut]).0.unwrap();
        assert_eq!(found.entries[0], whole.entries[0], "cut at {cut}");
    }
}

/// A piece of markup that a hostile or careless writer may put anywhere.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "<",
            ">",
            "&",
            "\"",
            "'",
            "=",
            "/",
            "]]>",
            "<![CDATA[",
            "<!--",
            "-->",
            "<?",
            "?>",
            "<!DOCTYPE",
            "[",
            "</",
            "/>",
            "<item>",
            "</item>",
            "<entry>",
            "</title>",
            "<title>",
            "xmlns:a=\"",
            "xml:base='",
            "&lt;",
            "&#",
            "&#x;",
            "工",
            "\u{FEFF}",
            "\0",
            "{",
            "}",
            "\\u",
            "\\",
            ",",
            ":",
            "<rss>",
            "<feed>",
            "<content type='xhtml'>",
            "<div>",
            " ",
            "\n",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,8}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_text_is_read(text in "(?s).{0,200}") {
        feed(&text);
        opml(&text);
    }

    #[test]
    fn any_markup_is_read(pieces in prop::collection::vec(piece(), 0..60)) {
        let text = pieces.concat();
        for document in [text.clone(), format!("<rss><channel><item>{text}"), format!("{{\"items\":[{{{text}")] {
            feed(&document);
        }
    }

    #[test]
    fn mutated_fixtures_are_read(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), cut in 0usize..40, piece in piece()) {
        let fixtures = fixtures();
        let (_, text) = &fixtures[which.index(fixtures.len())];
        let start = text.floor_char_boundary(at.index(text.len() + 1));
        let end = text.ceil_char_boundary((start + cut).min(text.len()));
        feed(&format!("{}{piece}{}", &text[..start], &text[end..]));
    }
}
