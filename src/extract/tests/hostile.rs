//! Bad input: every page ends, in little time and without a panic.

use super::layouts::{articles, comic, lists};
use super::{at, codes, fixture};
use crate::extract::{article, list};
use crate::model::FlawCode;
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
        ("angle brackets", many("<", 1_000_000), false),
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
