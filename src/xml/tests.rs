use super::*;
use crate::model::FlawCode;
use std::fmt::Write;

/// The tree on one line: `name(attribute=value)[children]`, text in quotes.
fn show(text: &str) -> String {
    fn element(e: Element<'_, '_>, out: &mut String) {
        write!(out, "{}", e.name()).unwrap();
        if e.has_children() {
            out.push('[');
            e.children().for_each(|child| element(child, out));
            out.push(']');
        }
        if !e.text().is_empty() {
            write!(out, "{:?}", e.text()).unwrap();
        }
        out.push(' ');
    }
    let document = Document::read(text);
    let mut out = String::new();
    document.root().children().for_each(|root| element(root, &mut out));
    out.trim_end().to_owned()
}

fn check(text: &str, expected: &str) {
    assert_eq!(show(text), expected, "{text:?}");
}

#[test]
fn sound_documents() {
    check("<a><b>1</b><b/><c>2</c></a>", r#"a[b"1" b c"2" ]"#);
    check("<a>x<!-- - -- --->y<?pi ?>z</a>", r#"a"xyz""#);
    check("<a><![CDATA[<&amp;>]]>&amp;</a>", r#"a"<&amp;>&""#);
    check("<!DOCTYPE a [<!ENTITY x \"]>\">]><a>&x;</a>", r#"a"&x;""#);
    check("<a\n/>", "a");
}

#[test]
fn unsound_documents() {
    check("<a>1 < 2 & 3</a>", r#"a"1 < 2 & 3""#);
    check("<a>x <b y</a>", r#"a"x <b y""#);
    check("<a><b>1</a>", r#"a[b"1" ]"#);
    check("<a></b>1</a>", r#"a"1""#);
    check("<a><b x=\"1\" <c>2</c></b></a>", r#"a[b[c"2" ] ]"#);
    check("<a><![CDATA[1</a>", r#"a"1""#);
    check("<a><!-- 1></a>", "a");
    check("<a", "");
    check("<", "");
    check("</a", "");
    check("<a><b", "a");
    check("<a></b", "a");
    check("<a>&", r#"a"&""#);
    check("<title>1<link>2</link></title>", r#"title"1" link"2""#);
    check("<item>1<item>2</item>", r#"item"1" item"2""#);
    check("<entry><content><entry>1</entry></content></entry>", r#"entry[content[entry"1" ] ]"#);
}

fn attribute(text: &str, name: &str, expected: Option<&str>) {
    let document = Document::read(text);
    let found = document.root().children().next().and_then(|e| e.attribute(name));
    assert_eq!(found.as_deref(), expected, "{text:?} {name}");
}

#[test]
fn attributes_in_every_form() {
    attribute("<a b='1' c=\"2\"/>", "C", Some("2"));
    attribute("<a b = '1'\nc\n=\n\"2\">", "c", Some("2"));
    attribute("<a b=1/>", "b", Some("1"));
    attribute("<a b=http://x/y/>", "b", Some("http://x/y"));
    attribute("<a b c='2'>", "c", Some("2"));
    attribute("<a b='>' c='2'>", "c", Some("2"));
    attribute("<a b='<i>' c='2'>", "c", Some("2"));
    attribute("<a b=\"1 c=\"2\">", "b", Some("1"));
    attribute("<a b=\"1 c=\"2\">", "c", Some("2"));
    attribute("<a b=\"1>text<c d=\"2\"/>", "b", Some("1"));
    attribute("<a b='&amp;&lt;&#65;&x'>", "b", Some("&<A&x"));
    attribute("<a b=>", "b", Some(""));
    attribute("<a =\"1\" c='2'>", "c", Some("2"));
}

#[test]
fn references() {
    let check = |raw: &str, expected: &str| assert_eq!(unescape(raw), expected, "{raw:?}");
    check("plain", "plain");
    check("&lt;&gt;&amp;&quot;&apos;", "<>&\"'");
    check("&#65;&#x41;&#X41;&#128512;", "AAA😀");
    check("&nbsp;&hellip;&CounterClockwiseContourIntegral;", "\u{a0}…∳");
    check("&NotEqualTilde;", "≂̸");
    check("&#146;&#x80;", "’€");
    check("&amp;amp;", "&amp;");
    check(
        "& &; &# &#; &#x; &#xZZ; &nbsp &CounterClockwiseContourIntegralX; &中;",
        "& &; &# &#; &#x; &#xZZ; &nbsp &CounterClockwiseContourIntegralX; &中;",
    );
    check("&#0;&#8;&#xFFFE;&#xD800;&#x110000;", "");
    check("&#99999999999;", "&#99999999999;");
    check("&", "&");
    check("&am", "&am");
}

#[test]
fn namespaces_by_uri_and_prefix() {
    for ns in Namespace::ALL.iter().copied() {
        assert_eq!(Namespace::from_uri(ns.uri()), Some(ns));
        assert_eq!(Namespace::from_prefix(ns.prefix()), Some(ns));
        assert!(!ns.prefix().is_empty() && !ns.uri().is_empty());
    }
    let check = |uri: &str, expected| assert_eq!(Namespace::from_uri(uri), expected, "{uri}");
    check("https://www.w3.org/2005/ATOM/", Some(Namespace::Atom));
    check(" http://search.yahoo.com/mrss ", Some(Namespace::Media));
    check("http://www.itunes.com/DTDs/Podcast-1.0.dtd", Some(Namespace::Itunes));
    check("", Some(Namespace::Core));
    check("http://purl.org/rss/1.0/", Some(Namespace::Core));
    check("http://example.org/other", None);
}

#[test]
fn bases_and_languages_are_inherited() {
    let text = "<a xml:base='http://x.org/d/' xml:lang='en'><b xml:base='e/'><c xml:base='../f' xml:lang=''/></b></a>";
    let document = Document::read(text);
    let all: Vec<_> = document.elements().map(|e| (e.base().unwrap_or_default(), e.language())).collect();
    let en = Some("en".to_owned());
    assert_eq!(
        all,
        [
            ("http://x.org/d/".to_owned(), en.clone()),
            ("http://x.org/d/e/".to_owned(), en),
            ("http://x.org/d/f".to_owned(), None),
        ]
    );
}

#[test]
fn html_tags_are_found() {
    let mut found = Vec::new();
    tags("<p>1 < 2<LINK rel=a HREF='b&amp;c'><meta><link href=d>", &["link"], |name, attributes| {
        found.push(format!("{name} {attributes:?}"));
        true
    });
    assert_eq!(found, [r#"link [("rel", "a"), ("href", "b&c")]"#, r#"link [("href", "d")]"#]);
}

/// Hostile documents: each must be read in linear time, and each limit must show as a flaw.
#[test]
fn limits_hold() {
    let reached = |text: &str, what: &str| {
        let flaws = Document::read(text).flaws();
        let found = flaws.iter().any(|f| f.code == FlawCode::LimitReached && f.detail.contains(what));
        assert!(found, "{what}: {flaws:?}");
    };
    reached(&"<a>".repeat(1_000_000), "deeper");
    reached(&format!("<a {}>", "b='' ".repeat(800_000)), "too many attributes");
    let declarations: String = (0..100_000).fold(String::new(), |mut out, n| {
        write!(out, "xmlns:n{n}='u' ").unwrap();
        out
    });
    reached(&format!("<a {declarations}>"), "namespace declarations");
    reached(&format!("<{}>", "a".repeat(2_000)), "name longer");
    reached(&format!("<a {}='1'>", "a".repeat(2_000)), "name longer");
    reached(&format!("<a>{}", "工".repeat(2_000_000)), "text longer");
    reached(&format!("<a>{}", "<b/>".repeat(700_000)), "600,000");
    let deep = format!("{}<rss>", "<a>".repeat(1000));
    assert!(Document::read(&deep).elements().any(|e| e.name() == "rss"), "junk does not hide the feed");
}

/// The same hostile shape at 2 sizes: if reading were quadratic, 8 times the size would take 64 times as long.
#[test]
fn reading_is_linear() {
    let shapes: [&str; 16] = [
        "<a>",
        "</a>",
        "<a b=\"",
        "<a b='<",
        "<![CDATA[",
        "<!--",
        "<?",
        "<!DOCTYPE [",
        "<a ",
        "& ",
        "< ",
        "<a><b></a>",
        "<item><title>",
        "<a xmlns:b='c'>",
        "<a b=\"x c=\"y\">",
        "<x:y>&#x41;",
    ];
    let time = |text: &str| {
        let started = std::time::Instant::now();
        let document = Document::read(text);
        let size: usize = document.elements().map(|e| e.text().len()).sum();
        (started.elapsed(), size)
    };
    for shape in shapes {
        // Once undisturbed is enough: the machine does other things too.
        let ratio = |_| {
            let small = (0..3).map(|_| time(&shape.repeat(8_000)).0).min().unwrap_or_default();
            let large = (0..3).map(|_| time(&shape.repeat(64_000)).0).min().unwrap_or_default();
            large.as_secs_f64() / small.as_secs_f64().max(0.001)
        };
        assert!((0..5).map(ratio).any(|ratio| ratio < 32.0), "{shape:?}");
    }
}
