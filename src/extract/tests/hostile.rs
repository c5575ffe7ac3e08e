//! Bad input: every page ends, in little time and without a panic.

use super::layouts::{articles, comic, lists};
use super::{at, codes, fixture};
use crate::extract::{Edited, article, list, list_or_article, readable, without};
use crate::model::{Flaw, FlawCode, LayoutKind};
use proptest::prelude::*;

#[test]
fn deep_and_huge_pages_are_cut_with_a_flaw() {
    let many = |unit: &str, count: usize| unit.repeat(count);
    let numbered = |before: &str, after: &str, count: usize| -> String {
        (0..count).flat_map(|n| [before.to_owned(), n.to_string(), after.to_owned()]).collect()
    };
    for (name, page, cut) in [
        ("a million divs", many("<div>", 800_000), true),
        ("unclosed bold", numbered("<p><b id=", "></p>", 50_000), true),
        ("templates", many("<template>", 100_000), true),
        ("spans and divs", many("<span><div></span>", 100_000), true),
        ("tables", many("<table><tr><td>", 50_000), true),
        ("svg", many("<svg><g>", 100_000), true),
        ("attributes", format!("<a {}>x</a>", numbered("a", " ", 500_000)), true),
        ("quoted attributes", format!("<a {}>x</a>", numbered("a", "=\">\"", 300_000)), true),
        ("slashes", format!("<a/{}>x</a>", numbered("a", "/", 300_000)), true),
        (
            "an inlined picture",
            format!(
                "<img src='data:image/png;base64,{}'>",
                many("aB3+xY9/zQ7kLm0pRs4tUv8wXy2zAb6cDe1fGh5iJk9lMn3oPq7rSt1u", 10_000)
            ),
            false,
        ),
        ("html tags", numbered("<html a", "=1>", 100_000), false),
        ("end tags", many("</b></p></div>", 100_000), true),
        ("long text", many("很长的一段文字。", 200_000), true),
        ("long script", format!("<script>{}</script>", many("var a = b < c; ", 100_000)), false),
        ("angle brackets", many("<", 1_000_001), true),
        ("names", numbered("<br namenumber", ">", 11_000), true),
        ("a few names", numbered("<br namenumber", ">", 9_000), false),
        ("links", many("<li><a href='/424/201912/10/191210112419833.shtml'>t</a>", 20_000), false),
    ] {
        let (feed, flaws) = list(&page, &at("http://a.cn/"), &lists());
        assert!(feed.entries.is_empty(), "{name}");
        assert_eq!(codes(&flaws).contains(&FlawCode::LimitReached), cut, "{name}: {flaws:?}");
        assert_eq!(codes(&flaws).last(), Some(&FlawCode::NoLayoutFits), "{name}");
        let (none, _) = article(&page, &at("http://a.cn/"), &articles());
        assert!(none.is_none(), "{name}");
    }
}

#[test]
fn what_stands_before_a_limit_is_kept() {
    let page = fixture("b-list-424.shtml").replace("</body></html>", "") + &"<div>".repeat(10_000);
    let (feed, flaws) = list(&page, &at("http://comment.workercn.cn/424/424.shtml"), &lists());
    assert_eq!(feed.entries.len(), 4);
    assert_eq!(codes(&flaws), [FlawCode::LimitReached, FlawCode::EntryWithoutLink]);
}

/// a selector that costs too much on a page ends there, and the flaw says which and what to write instead.
#[test]
fn a_selector_that_was_given_up_is_told() {
    let page = format!("<ul>{}</ul>", "<li><a href=/c/1.shtml>t</a></li>".repeat(9_000));
    let mut layout = super::layouts::list("list-2021");
    let LayoutKind::List(list_of) = &mut layout.kind else { panic!() };
    list_of.entry = "b ~ li".into();
    let told = |flaws: &[Flaw]| flaws.iter().filter(|flaw| flaw.detail.starts_with("the selector \"b ~ li\"")).count();
    let url = at("http://a.cn/");
    let (feed, flaws) = list(&page, &url, std::slice::from_ref(&layout));
    assert!(feed.entries.is_empty());
    assert_eq!((codes(&flaws), told(&flaws)), (vec![FlawCode::LimitReached, FlawCode::NoLayoutFits], 1));
    let (_, _, flaws) = list_or_article(&page, &url, &[layout], &articles());
    assert_eq!(told(&flaws), 1, "{flaws:?}");
    let (none, flaws) = readable(&page, &url, Some("b ~ li"), None);
    assert_eq!((none, told(&flaws)), (None, 1), "{flaws:?}");
    // A rule leaves the text as it is.
    assert_eq!(without(&page, "b ~ li"), Edited::Limit);
    assert_eq!(without("<p>a</p><b>c</b>", "b"), Edited::Changed("<p>a</p>".into()));
}

#[test]
fn a_json_list_of_too_many_values_is_not_read() {
    let url = at("http://a.cn/");
    let text = format!("[{}{{\"title\":\"t\",\"href\":\"/1\"}}]", "0,".repeat(400_000));
    let (feed, flaws) = list(&text, &url, &lists());
    assert!(feed.entries.is_empty());
    assert_eq!(codes(&flaws), [FlawCode::LimitReached, FlawCode::NoLayoutFits]);
    assert_eq!(list_or_article(&text, &url, &lists(), &articles()).2, flaws);
    // Commas in strings are none.
    let text = format!("[{{\"title\":\"t{}\\\"\",\"href\":\"/1\"}}]", ",".repeat(400_000));
    assert_eq!(list(&text, &url, &lists()).0.entries.len(), 1);
}

/// What a document of unknown kind yields is what `list` or else `article` yields.
#[test]
fn a_document_of_unknown_kind_is_read_as_list_or_article() {
    let (url, lists, articles) = (at("http://comment.workercn.cn/424/424.shtml"), lists(), articles());
    let page = fixture("b-list-424.shtml");
    let (feed, none, _) = list_or_article(&page, &url, &lists, &articles);
    assert_eq!((feed.entries.len(), none), (list(&page, &url, &lists).0.entries.len(), None));
    for (page, flaws) in [
        ("", vec![FlawCode::Empty]),
        ("<p>x</p>", vec![FlawCode::NoLayoutFits, FlawCode::ArticleUnread]),
        ("{\"a\": 1}", vec![FlawCode::NoLayoutFits]),
    ] {
        let (feed, none, found) = list_or_article(page, &url, &lists, &articles);
        assert!(feed.entries.is_empty() && none.is_none());
        assert_eq!(codes(&found), flaws, "{page}");
    }
}

#[test]
fn five_thousand_entries_are_enough() {
    let items: Vec<_> = (0..6000).map(|n| format!("{{\"title\":\"t\",\"href\":\"/{n}\"}}")).collect();
    let (feed, flaws) = list(&format!("[{}]", items.join(",")), &at("http://a.cn/"), &lists());
    assert_eq!((feed.entries.len(), codes(&flaws)), (5000, vec![FlawCode::LimitReached]));
}

proptest! {
    #[test]
    fn any_page_is_read(page in "(<(li|a|h3|ul id=leftList|div class=ccontent|img src=[a-z]|h1 class=ctitle)>|\\PC|[一-龥]){0,60}") {
        let url = at("http://a.cn/b.shtml");
        let (feed, flaws) = list(&page, &url, &lists());
        prop_assert!(!feed.entries.is_empty() || flaws.len() == 1);
        let _ = (article(&page, &url, &articles()), article(&page, &url, &comic()));
    }
}
