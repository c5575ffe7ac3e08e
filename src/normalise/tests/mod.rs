//! Entries, their keys, and the laws of identity.

mod external;

use super::{Candidate, Context, Kind, about, feed, link_key, url};
use crate::model::{
    About, DateRung, Enclosure, FlawCode, Format, KeyKind, Link, ParsedEntry, ParsedFeed, Person, RawDate, Source, Text,
};
use ::url::Url;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use std::collections::HashSet;

const HOME: &str = "http://comment.workercn.cn/424/424.shtml";

fn now() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2019-12-10T21:00:00+08:00").unwrap().to_utc()
}

fn link(href: &str) -> Link {
    Link { href: href.into(), ..Link::default() }
}

fn entry(title: &str, href: &str, date: &str) -> ParsedEntry {
    ParsedEntry {
        title: Some(Text::plain(title)),
        links: vec![link(href)],
        dates: vec![RawDate { text: date.into(), rung: DateRung::List }],
        ..ParsedEntry::default()
    }
}

fn run(kind: Kind, entries: Vec<ParsedEntry>) -> (Vec<Candidate>, Vec<FlawCode>) {
    let base = Url::parse(HOME).unwrap();
    let context = Context { now: now(), timezone: Tz::Asia__Shanghai, language: "zh-CN", base: &base, kind };
    let (candidates, flaws) = feed(&ParsedFeed { entries, ..ParsedFeed::default() }, &context);
    (candidates, flaws.into_iter().map(|flaw| flaw.code).collect())
}

fn kinds(candidate: &Candidate) -> Vec<KeyKind> {
    candidate.keys.iter().map(|key| key.kind).collect()
}

/// the tags and references of contents are counted, in each and in all; what is cut is told, and every entry stays.
#[test]
fn tags_without_end_are_cut_and_every_entry_keeps_its_beginning() {
    let full = |n: usize, tags: usize, words: usize| ParsedEntry {
        content: Some(Text::html(format!("{}end", format!("<i>x&amp;</i>{}", "w".repeat(words)).repeat(tags / 3)))),
        ..entry(&format!("t{n}"), &format!("/{n}.shtml"), "2019-12-10")
    };
    let cut = |flaws: &[FlawCode]| flaws.iter().filter(|code| **code == FlawCode::LimitReached).count();
    let ends = |found: &[Candidate]| {
        found.iter().filter(|found| found.entry.content.as_ref().is_some_and(|html| html.ends_with("end"))).count()
    };
    // (tags and references of each entry, letters for every three of them, entries, how many are cut)
    for (tags, words, count, cuts) in
        [(99_999, 45, 1, 0), (100_002, 45, 1, 1), (3_000, 45, 40, 0), (3_000, 0, 40, 9), (3_000, 0, 20, 0)]
    {
        let (found, flaws) = run(Kind::External, (0..count).map(|n| full(n, tags, words)).collect());
        assert_eq!((found.len(), cut(&flaws), ends(&found)), (count, cuts, count - cuts), "{tags} × {count}");
        assert!(found.iter().all(|found| found.entry.content.as_ref().unwrap().starts_with("<i>x&amp;</i>")));
    }
}

/// Of a long text a summary takes the beginning only, and says the same as all of it would.
#[test]
fn summaries_of_long_texts_are_those_of_the_whole() {
    for html in [
        "<p>一段文字，&amp;&#20013;&nbsp;又一段。</p>".repeat(20_000),
        format!("<style>{}</style><p>{}</p>", "a{b:c}".repeat(20_000), "words ".repeat(300)),
        format!("{}<b>{}</b>", "<br> \n".repeat(20_000), "x&lt;y ".repeat(20_000)),
        format!("<p>{}", "&lt;".repeat(40_000)),
        "<br>".repeat(40_000),
    ] {
        let whole = super::text::line(&super::html::text(&html), super::text::SUMMARY);
        assert_eq!(super::text::summary(&Text::html(html.clone())), whole, "{}", &html[..40]);
    }
}

#[test]
fn a_portal_entry_is_its_path() {
    let (found, flaws) = run(
        Kind::Portal,
        vec![entry("把稳就业放在更加突出位置", "201912/10/191210112419833.shtml", "2019-12-10 11:24:19")],
    );
    assert!(flaws.is_empty(), "{flaws:?}");
    assert_eq!(kinds(&found[0]), [KeyKind::Link, KeyKind::TitleDay]);
    assert_eq!(found[0].keys[0].value, "/424/201912/10/191210112419833.shtml");
    assert_eq!(found[0].keys[1].value, "把稳就业放在更加突出位置 2019-12-10");
    assert_eq!(found[0].entry.url.as_deref(), Some("http://comment.workercn.cn/424/201912/10/191210112419833.shtml"));
    let mirror = entry("别的标题", "https://www.workercn.cn/424//201912/10/191210112419833.shtml?from=x#top", "");
    assert_eq!(run(Kind::Portal, vec![mirror]).0[0].entry.id, found[0].entry.id);
}

#[test]
fn link_keys() {
    let check = |kind: Kind, address: &str, identity: Option<&str>, expected: &str| {
        assert_eq!(link_key(&Url::parse(address).unwrap(), identity, kind), expected, "{address}");
    };
    let portal = |address: &str, expected: &str| check(Kind::Portal, address, None, expected);
    check(Kind::Portal, "http://x.example/a", Some("424/1912"), "424/1912");
    check(Kind::Portal, "http://x.example/a", Some(" "), "/a");
    portal(
        "http://big5.workercn.cn/big5/comment.workercn.cn/424/201912/10/191210112419833.shtml",
        "/424/201912/10/191210112419833.shtml",
    );
    portal("http://m.workercn.cn/424/201912/10/191210112419833_2.shtml", "/424/201912/10/191210112419833.shtml");
    portal("http://x.example/20191210_3.html", "/20191210_3.html");
    portal("http://x.example/c/index.html", "/c");
    portal("http://x.example/?id=5&utm_source=a&t=1575982670123", "/?id=5");
    portal("http://x.example/a?b=2&a=1&a=1", "/a?a=1&b=2");
    portal("http://www.x.example/", "x.example/");
    portal("http://x.example/%e6%96%B0/%7Ea%2Fb;jsessionid=1", "/%E6%96%B0/~a%2Fb");
    check(Kind::External, "https://www.x.example:443/a/?spm=1", None, "x.example/a");
    check(
        Kind::External,
        "https://新闻.example/文?q=a+b",
        None,
        "xn--efv12b.example/%E6%96%87?q=a%20b"
            .replace(
                "xn--efv12b",
                Url::parse("http://新闻.example").unwrap().host_str().unwrap().split('.').next().unwrap(),
            )
            .as_str(),
    );
    check(Kind::External, "http://x.example:8080/a", None, "x.example:8080/a");
}

#[test]
fn external_ids_are_kept_when_they_tell_entries_apart() {
    let with_id =
        |id: &str, title: &str, href: &str| ParsedEntry { id: Some(id.into()), ..entry(title, href, "2019-12-10") };
    let (found, flaws) =
        run(Kind::External, vec![with_id(" tag:a,1 ", "first title", "/1"), with_id("b", "second title", "/2")]);
    assert_eq!(found[0].entry.id.0, "tag:a,1");
    assert_eq!(kinds(&found[0]), [KeyKind::Guid, KeyKind::Link, KeyKind::TitleDay]);
    assert!(flaws.is_empty());
    // The same id at two places tells nothing apart; the links do.
    let (found, flaws) =
        run(Kind::External, vec![with_id("a", "first title", "/1"), with_id("a", "second title", "/2")]);
    assert_eq!(
        found.iter().map(|c| c.entry.id.0.as_str()).collect::<Vec<_>>(),
        ["http://comment.workercn.cn/1", "http://comment.workercn.cn/2"]
    );
    assert_eq!(flaws, [FlawCode::DuplicateId]);
    // One link for all: the ids tell them apart, nothing is lost.
    let (found, _) = run(Kind::External, vec![with_id("a", "first title", "/"), with_id("b", "second title", "/")]);
    assert_eq!(found.len(), 2);
    assert_eq!(kinds(&found[0]), [KeyKind::Guid, KeyKind::TitleDay]);
    // The same entry twice.
    let (found, _) = run(Kind::External, vec![with_id("a", "first title", "/1"), with_id("a", "first title", "/1")]);
    assert_eq!((found.len(), found[0].keys[0].kind), (1, KeyKind::Guid));
    let (found, flaws) = run(Kind::External, vec![with_id("javascript:alert(1)", "first title", "/1")]);
    assert_eq!((found[0].entry.id.0.as_str(), flaws), ("http://comment.workercn.cn/1", vec![FlawCode::LinkRefused]));
}

#[test]
fn without_link_and_id_the_title_and_day_identify() {
    let bare = |title: &str, date: &str| ParsedEntry { links: vec![], ..entry(title, "", date) };
    let (found, flaws) = run(
        Kind::External,
        vec![bare("a long enough title", "2019-12-10"), bare("short", "2019-12-10"), bare("a long undated title", "")],
    );
    assert_eq!((found.len(), flaws.contains(&FlawCode::EntryWithoutLink)), (3, false));
    assert!(found.iter().all(|one| one.entry.id.0.starts_with("urn:uuid:")));
    assert_eq!(kinds(&found[0]), [KeyKind::TitleDay]);
    assert_eq!(
        (kinds(&found[1]), found[1].keys[0].value.as_str()),
        (vec![KeyKind::Guid], found[1].entry.id.0.as_str())
    );
}

#[test]
fn entries_of_nothing_but_a_text_are_known_by_it() {
    let bare = |text: &str| ParsedEntry { summary: Some(Text::plain(text)), ..ParsedEntry::default() };
    let by = |name: &str| ParsedEntry {
        authors: vec![Person { name: name.to_owned(), ..Person::default() }],
        ..ParsedEntry::default()
    };
    let titled = |title: &str| ParsedEntry { title: Some(Text::plain(title)), ..bare("the same") };
    let all = vec![bare("one"), bare("two"), bare("one"), by("甲"), by("乙"), titled("a"), titled("b"), bare(" ")];
    let (found, flaws) = run(Kind::External, all.clone());
    let ids: HashSet<_> = found.iter().map(|one| one.entry.id.clone()).collect();
    assert_eq!(ids.len(), 6, "{ids:?}");
    assert_eq!(flaws.iter().filter(|code| **code == FlawCode::EntryWithoutLink).count(), 1, "one says nothing at all");
    // The order of the document and what else stands in it decide nothing.
    let (again, _) = run(Kind::External, all.into_iter().rev().collect());
    assert_eq!(again.iter().map(|one| one.entry.id.clone()).collect::<HashSet<_>>(), ids);
    // What a page shows without a link is no entry but a heading or an advertisement.
    let (found, flaws) = run(Kind::Portal, vec![bare("one")]);
    assert!(found.is_empty() && flaws.contains(&FlawCode::EntryWithoutLink));
}

#[test]
fn what_a_source_is_called_is_plain_text() {
    let source = |title: &str| Source { title: title.to_owned(), ..Source::default() };
    for (written, html, expected) in [
        ("A & B", None, "A & B"),
        ("A &amp; B", None, "A &amp; B"),
        ("A &amp; <b>B</b>", Some("A &amp; <b>B</b>"), "A & B"),
        ("<b> </b>", Some("<b> </b>"), "<b> </b>"),
    ] {
        let read = ParsedEntry {
            source: Some(source(written)),
            source_title: html.map(Text::html),
            ..entry("标题标题标题", "/1", "2019-12-10")
        };
        let (found, _) = run(Kind::External, vec![read]);
        assert_eq!(found[0].entry.source.as_ref().unwrap().title, expected, "{written}");
    }
}

#[test]
fn repeated_entries_are_one() {
    let mut again = entry("标题标题标题", "http://www.workercn.cn/1.shtml", "2019-12-10");
    again.summary = Some(Text::plain("摘要"));
    let (found, _) = run(Kind::Portal, vec![entry("标题标题标题", "/1.shtml", "2019-12-10"), again]);
    assert_eq!((found.len(), found[0].entry.summary.as_deref()), (1, Some("摘要")));
}

#[test]
fn dates_that_cannot_be_true() {
    let check = |date: &str, rung: DateRung, codes: &[FlawCode]| {
        let (found, flaws) = run(Kind::Portal, vec![entry("标题标题标题", "/1", date)]);
        assert_eq!((found[0].entry.published.rung, flaws.as_slice()), (rung, codes), "{date}");
        assert!(found[0].entry.published.at <= now() + chrono::TimeDelta::minutes(15), "{date}");
    };
    check("2019-12-10 21:14", DateRung::List, &[]);
    check("2019-12-10 21:16", DateRung::FirstSeen, &[FlawCode::DateInFuture]);
    check("2019-12-11", DateRung::FirstSeen, &[FlawCode::DateInFuture]);
    check("2019-12-10", DateRung::List, &[]);
    for nothing in ["", "0", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
        check(nothing, DateRung::FirstSeen, &[FlawCode::DateMissing]);
    }
    check("2019-13-45", DateRung::FirstSeen, &[FlawCode::DateUnreadable, FlawCode::DateMissing]);
}

#[test]
fn the_best_readable_rung_wins() {
    let mut read = entry("标题标题标题", "/1", "很久以前");
    read.dates.push(RawDate { text: "2019-12-10".into(), rung: DateRung::UrlDay });
    read.dates.push(RawDate { text: "2019-12-10 11:24:19".into(), rung: DateRung::Stamp });
    let (found, flaws) = run(Kind::Portal, vec![read]);
    assert_eq!(found[0].entry.published.rung, DateRung::Stamp);
    assert_eq!(flaws, [FlawCode::DateUnreadable]);
}

#[test]
fn updated_is_believed_between_published_and_now() {
    let check = |updated: &str, kept: bool| {
        let read = ParsedEntry { updated: Some(updated.into()), ..entry("title", "/1", "2019-12-10T12:00:00+08:00") };
        assert_eq!(run(Kind::External, vec![read.clone()]).0[0].entry.updated.is_some(), kept, "{updated}");
        assert_eq!(run(Kind::Portal, vec![read]).0[0].entry.updated, None);
    };
    check("2019-12-10T12:00:00+08:00", true);
    check("2019-12-10T20:00:00+08:00", true);
    check("2019-12-10T11:00:00+08:00", false);
    check("2019-12-10T21:01:00+08:00", false);
    check("soon", false);
}

#[test]
fn titles_and_texts() {
    let check = |text: Text, expected: &str| {
        let read = ParsedEntry { title: Some(text), ..entry("", "/1", "2019-12-10") };
        assert_eq!(run(Kind::Portal, vec![read]).0[0].entry.title, expected);
    };
    check(Text::html("<b>AT&amp;T</b> &#60;b&#62;"), "AT&T <b>");
    check(Text::plain("a < b & c"), "a < b & c");
    check(
        Text::plain("\u{FEFF}\u{3000}\u{A0}\u{200B}标\u{3000}题  甲\u{3000}\u{3000}乙\u{200D}\u{3000}"),
        "标\u{3000}题 甲 乙",
    );
    check(Text::plain("a\u{202E}b\u{2066}c\u{8}\u{FFFE}d"), "abcd");
    check(Text::plain("👨‍👩‍👧"), "👨‍👩‍👧");
    check(Text::plain(" \u{3000} "), "http://comment.workercn.cn/1");
    let long = "👨‍👩‍👧e\u{301}".repeat(400);
    let read = ParsedEntry { summary: Some(Text::plain(long)), ..entry("", "/1", "2019-12-10") };
    let (found, flaws) = run(Kind::Portal, vec![read]);
    let summary = found[0].entry.summary.clone().unwrap();
    assert!(
        summary.chars().count() <= 500 && (summary.ends_with("👧…") || summary.ends_with("e\u{301}…")),
        "{summary}"
    );
    assert_eq!(flaws, [FlawCode::EntryWithoutTitle]);
}

#[test]
fn addresses_and_media_types() {
    let mut read = entry("标题标题标题", "/1", "2019-12-10");
    read.links.push(link("javascript:alert(1)"));
    read.source =
        Some(Source { title: " 金羊网 ".into(), url: Some("http://u:p@x.example/".into()), ..Source::default() });
    read.enclosures.push(Enclosure { url: "/html/files/1.JPG?x".into(), length: Some(0), ..Enclosure::default() });
    let (found, flaws) = run(Kind::Portal, vec![read]);
    let entry = &found[0].entry;
    assert_eq!(entry.enclosures[0].media_type.as_deref(), Some("image/jpeg"));
    assert_eq!(entry.enclosures[0].length, None);
    assert_eq!(
        entry.source.as_ref().map(|s| (s.title.as_str(), s.url.as_deref())),
        Some(("金羊网", Some("http://x.example/")))
    );
    assert_eq!(flaws, [FlawCode::LinkRefused]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// S-15: nothing that a portal does to its addresses makes an old article look new.
    #[test]
    fn identity_survives_every_mutation(
        scheme in "https?", host in proptest::sample::select(&["workercn.cn", "www.workercn.cn", "comment.workercn.cn", "m.workercn.cn:8080", "big5.workercn.cn/big5/comment.workercn.cn"][..]),
        slashes in 1_usize..3, dot in any::<bool>(), encoded in 0_u8..4, page in any::<bool>(), flip in any::<bool>(),
        junk in proptest::sample::subsequence(vec!["utm_source=x", "spm=a.b", "from=timeline", "t=1575982670123", "_t=5", "share_token=1", "fbclid=z", "gclid=q", ""], 0..9),
        fragment in proptest::option::of("[a-z]{0,5}"),
    ) {
        let slash = "/".repeat(slashes);
        let dots = if dot { "./x/../" } else { "" };
        let word = ["文", "%e6%96%87", "%E6%96%87", "%E6%96%87"][usize::from(encoded)];
        let name = if page { "191210112419833_2.shtml" } else if flip { "19121011%32419833.shtml" } else { "191210112419833.shtml" };
        let mut query: Vec<&str> = if flip { vec!["b=2", "a=1"] } else { vec!["a=1", "b=2"] };
        let middle = query.len() / 2;
        query.splice(middle..middle, junk);
        let mut address = format!("{scheme}://{host}{slash}424/{dots}{word}{slash}{name}?{}", query.join("&"));
        if let Some(fragment) = fragment {
            address.push('#');
            address.push_str(&fragment);
        }
        let found = Url::parse(&address).unwrap();
        let first = Url::parse("https://www.workercn.cn/424/文/191210112419833.shtml?a=1&b=2").unwrap();
        let key = link_key(&first, None, Kind::Portal);
        prop_assert_eq!(&link_key(&found, None, Kind::Portal), &key, "{}", address);
        prop_assert_eq!(super::identity::portal_id(&found, &key), super::identity::portal_id(&first, &key));
    }

    #[test]
    fn resolving_and_canonical_forms_are_fixpoints(href in "(https?://)?[a-z.]{1,9}(/[\\PC%/]{0,20})?(\\?[\\PC&=%+]{0,20})?") {
        let base = Url::parse(HOME).unwrap();
        if let Ok(once) = url::resolve(&base, &href) {
            prop_assert_eq!(url::resolve(&base, once.as_str()).ok(), Some(once.clone()));
            let canonical = url::canonical(&once);
            let again = Url::parse(&format!("http://{canonical}")).unwrap();
            prop_assert_eq!(url::canonical(&again), canonical);
        }
    }

    #[test]
    fn no_document_panics(texts in proptest::collection::vec("\\PC{0,30}", 8), external in any::<bool>(), html in any::<bool>()) {
        let text = |at: usize| Some(if html { Text::html(&*texts[at]) } else { Text::plain(&*texts[at]) });
        let read = ParsedEntry {
            id: Some(texts[0].clone()), links: vec![link(&texts[1])], title: text(2), summary: text(3), content: text(4),
            dates: vec![RawDate { text: texts[5].clone(), rung: DateRung::List }], updated: Some(texts[6].clone()), base: Some(texts[7].clone()),
            identity: Some(texts[7].clone()), ..ParsedEntry::default()
        };
        let kind = if external { Kind::External } else { Kind::Portal };
        let (found, _) = run(kind, vec![read.clone(), read, ParsedEntry::default()]);
        for candidate in found {
            prop_assert!(!candidate.keys.is_empty());
            prop_assert!(!candidate.entry.id.0.is_empty());
        }
    }
}
