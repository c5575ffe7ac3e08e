//! What selectors may cost, and that counting changes nothing of what they find.

use super::{Page, Selector};

fn found(html: &str, css: &str) -> (usize, Option<String>) {
    let page = Page::parse(html);
    let found = page.root().select(&Selector::new(css).unwrap()).len();
    (found, page.overspent())
}

const PAGE: &str = "<!doctype html><title>t</title><body><div id=a class='x y'><h2>中工时评</h2><!--c--><ul><li>1<li class=z>2<li>3</ul></div>\
    <div id=b><p><b></b>text<i>i</i></p><p></p><a href=/>l</a><a>m</a></div></body>";

#[test]
fn counting_changes_nothing() {
    for (css, count) in [
        ("li", 3),
        ("div li", 3),
        ("div > li", 0),
        ("li ~ li", 2),
        ("li + li", 2),
        ("li:nth-child(2)", 1),
        ("li:not(.z)", 2),
        ("li:has(+ .z)", 1),
        ("li:has(~ li)", 2),
        ("div:has(> h2:contains(\"中工时评\")) li", 3),
        ("div:has(> h2:contains(\"人物\")) li", 0),
        ("li:has-text(\"2\")", 1),
        ("[id]", 2),
        ("[class~=y]", 1),
        ("#b > p:empty", 1),
        ("b:empty + i", 1),
        ("p:first-of-type, p:last-of-type", 2),
        ("i:only-text", 1),
        ("a:link", 1),
        (":root > html", 1),
        ("html body div", 2),
        ("nothing ~ a", 0),
    ] {
        assert_eq!(found(PAGE, css), (count, None), "{css}");
        let kept = Page::parse(PAGE).without(&Selector::new(css).unwrap());
        assert_eq!(kept.is_some(), count > 0, "{css}");
    }
}

/// Ten times the length costs ten times as much, not a hundred times: there is an end to it.
#[test]
fn a_selector_that_compares_everything_with_everything_is_given_up() {
    let links = |count: usize| "<a href=/1>t</a><!---->".repeat(count);
    let classes = |count: usize| format!("<a class='{}'>", "c ".repeat(1000)).repeat(count);
    for (css, page, given_up) in [
        ("b ~ a", links(300), false),
        ("b ~ a", links(6_000), true),
        ("a:has(~ b)", links(300), false),
        ("a:has(~ b)", links(6_000), true),
        ("a:not(:has(~ b))", links(6_000), true),
        ("a:has(~ a)", links(6_000), false),
        ("a + a", links(6_000), false),
        // Few, since an unoptimised build of the engine proves its own cache at each step.
        ("a:nth-last-child(2n+1)", links(if cfg!(debug_assertions) { 300 } else { 6_000 }), false),
        (".x ~ a", classes(700), true),
        (":contains(\"z\")", format!("{}{}", "<div>".repeat(200), "a".repeat(1 << 20)), false),
        ("div:contains(\"z\") ~ a", "<div></div><a>t</a>".repeat(3_000), true),
        ("b:empty ~ a", format!("<b>{}c</b>{}", "<!---->".repeat(3_000), "<a></a>".repeat(1_000)), true),
    ] {
        let (count, overspent) = found(&page, css);
        assert_eq!(overspent.is_some(), given_up, "{css}: {count} found");
        // What could not be looked at is not what was asked for.
        assert!(!given_up || count == 0 || css.contains("not"), "{css}: {count} found");
    }
}

#[test]
fn what_was_found_before_a_selector_was_given_up_is_right() {
    let page = format!("{}<b></b>", "<a href=/1>t</a>".repeat(12_000));
    let page = Page::parse(&page);
    let selector = Selector::new("a:not(:has(~ b))").unwrap();
    assert!(page.root().select(&selector).is_empty(), "a `b` stands after each of them");
    assert_eq!(page.overspent().as_deref(), Some("a:not(:has(~ b))"));
    let page = Page::parse(&"<a href=/1>t</a>".repeat(12_000));
    let found = page.root().select(&Selector::new("a:not(b ~ a)").unwrap()).len();
    assert!((100..12_000).contains(&found), "{found}");
    assert_eq!(page.overspent().as_deref(), Some("a:not(b ~ a)"));
    // Another selector has its own purse.
    assert_eq!(page.root().select(&Selector::new("a").unwrap()).len(), 12_000);
}
