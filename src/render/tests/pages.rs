//! The pages for people: what a program finds in them, and what must never be in them.

use super::tree::regex;
use super::{sample, site};
use crate::model::{Feed, Standing};
use crate::render::words::PAIRS;
use crate::render::{Lang, catalogue, feed_page, style};

fn both(feed: &Feed) -> [String; 4] {
    [Lang::Zh, Lang::En]
        .map(|lang| [feed_page(feed, &site(), lang), catalogue(&[feed], &site(), lang)])
        .concat()
        .try_into()
        .unwrap()
}

#[test]
fn readers_find_all_three_formats() {
    let alternate = regex(
        r#"<link rel="alternate" type="([^"]+)" title="[^"]+" href="(https://feeds\.example\.org/heliu/feeds/shiping\.[a-z]+)">"#,
    );
    for page in both(&sample::feed(3)) {
        let found: Vec<_> = alternate.captures_iter(&page).map(|m| m[1].to_owned()).collect();
        assert_eq!(found, ["application/rss+xml", "application/atom+xml", "application/feed+json"]);
    }
}

/// Also where Heliu listens at another address than `base_url` says, which is what is subscribed to.
#[test]
fn pages_lead_to_each_other_under_whatever_address_they_have() {
    let feed = sample::feed(1);
    let asked = |path: &str| url::Url::parse("http://127.0.0.1:18080/heliu/").unwrap().join(path).unwrap();
    for (page, at, expected) in [
        (catalogue(&[&feed], &site(), Lang::Zh), "", &["", "style.css", "feeds/shiping"][..]),
        (feed_page(&feed, &site(), Lang::En), "feeds/shiping", &["", "style.css"]),
    ] {
        let links = regex(r##"<(?:a|link)[^>]* href="([^"#:]+)""##);
        let mut found: Vec<_> =
            links.captures_iter(&page).map(|link| asked(at).join(&link[1]).unwrap().to_string()).collect();
        found.sort();
        found.dedup();
        let mut expected: Vec<_> = expected.iter().map(|path| asked(path).to_string()).collect();
        expected.sort();
        assert_eq!(found, expected, "{at}");
    }
}

#[test]
fn nothing_breaks_the_content_security_policy() {
    let forbidden = regex(r"(?i)<script|<style|\sstyle=|\son[a-z]+=|javascript:|<iframe|<object");
    let mut feed = sample::feed(6);
    feed.title = "<script>alert(1)</script>\" onload=\"x".to_owned();
    for record in &mut feed.entries {
        record.entry.title = "<img src=x onerror=alert(1)>".to_owned();
        record.entry.summary = Some("</p><style>*{}</style>".to_owned());
        record.entry.url = Some("javascript:alert(1)".to_owned());
        record.entry.source.as_mut().unwrap().title = "'\"><iframe>".to_owned();
        record.entry.images.iter_mut().for_each(|image| image.alt = Some("\" onerror=\"alert(1)".to_owned()));
    }
    for page in both(&feed) {
        // Escaped text may say what it likes; only real markup counts.
        let tags: String = regex(r#"<[a-zA-Z!/](?:"[^"]*"|[^">])*>"#).find_iter(&page).map(|m| m.as_str()).collect();
        let bare = regex(r#""[^"]*""#).replace_all(&tags, "\"\"");
        assert!(!forbidden.is_match(&bare), "{bare}");
        assert!(!page.contains("href=\"javascript:"));
    }
    assert!(!style().contains("@import") && !style().contains("url("));
}

#[test]
fn pages_have_a_language_landmarks_and_headings_in_order() {
    for (at, page) in both(&sample::feed(4)).into_iter().enumerate() {
        assert!(page.contains(["<html lang=\"zh-CN\">", "<html lang=\"en\">"][at / 2]));
        for part in
            ["<a class=\"skip\" href=\"#main\">", "<main id=\"main\"", "<header", "<footer", "name=\"viewport\""]
        {
            assert_eq!(page.matches(part).count(), 1, "{part}");
        }
        let levels: Vec<u32> = regex("<h([1-6])").captures_iter(&page).map(|m| m[1].parse().unwrap()).collect();
        assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
        assert!(levels[0] == 1 && levels.windows(2).all(|two| two[1] <= two[0] + 1), "{levels:?}");
        let ids: Vec<String> = regex(r#"\sid="([^"]+)""#).captures_iter(&page).map(|m| m[1].to_owned()).collect();
        assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), ids.len(), "ids are unique");
        for used in regex(r#"aria-labelledby="([^"]+)""#).captures_iter(&page) {
            assert!(ids.contains(&used[1].to_owned()), "{} labels nothing", &used[1]);
        }
    }
}

#[test]
fn dates_are_for_machines_and_people_and_no_more_exact_than_known() {
    let page = feed_page(&sample::feed(4), &site(), Lang::Zh);
    assert!(page.contains("<time datetime=\"2026-11-23T15:41:16+08:00\">2026年11月23日 15:41</time>"));
    assert!(page.contains("<time datetime=\"2026-11-22\">2026年11月22日</time>"), "the comic has a day only");
    let page = feed_page(&sample::feed(4), &site(), Lang::En);
    assert!(page.contains("23 November 2026, 15:41"));
}

#[test]
fn pictures_are_lazy_send_no_referrer_and_have_words() {
    let page = feed_page(&sample::feed(4), &site(), Lang::Zh);
    let pictures: Vec<_> = regex(r#"<img class="picture"[^>]*>"#).find_iter(&page).map(|m| m.as_str()).collect();
    assert_eq!(pictures.len(), 2);
    for picture in pictures {
        for part in ["loading=\"lazy\"", "referrerpolicy=\"no-referrer\"", " alt=\"", "width=\"526\" height=\"296\""] {
            assert!(picture.contains(part), "{part} in {picture}");
        }
        assert!(!picture.contains("alt=\"\""));
    }
}

#[test]
fn a_snapshot_is_told_in_words() {
    let mut feed = sample::feed(1);
    let says =
        |page: &str| page.contains("class=\"badge warn\"") && (page.contains("快照") || page.contains("Snapshot"));
    assert!(!both(&feed).iter().any(|page| says(page)));
    feed.standing = Standing::Snapshot;
    assert!(both(&feed).iter().all(|page| says(page)));
    assert!(feed_page(&feed, &site(), Lang::En).contains("the source has not been reached yet"));
}

#[test]
fn empty_services_and_feeds_say_so() {
    assert!(catalogue(&[], &site(), Lang::En).contains("There are no feeds yet."));
    assert!(feed_page(&sample::feed(0), &site(), Lang::Zh).contains("还没有文章。"));
}

#[test]
fn every_string_is_there_in_both_languages() {
    for (zh, en) in PAIRS {
        assert!(!zh.is_empty() && !en.is_empty() && zh != en, "{zh:?} {en:?}");
        assert!(!en.chars().any(|c| ('\u{3000}'..='\u{9fff}').contains(&c)), "{en:?}");
    }
}

/// The relative luminance of `#rrggbb` (WCAG 2.2, definition of relative luminance).
fn luminance(colour: &str) -> f64 {
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

#[test]
fn colours_have_enough_contrast_in_light_and_dark() {
    let variable = regex(r"--([a-z-]+): (#[0-9a-f]{6});");
    let schemes: Vec<&str> = style().split("prefers-color-scheme: dark").take(2).collect();
    assert_eq!(schemes.len(), 2);
    for scheme in schemes {
        let block = scheme.split("*, *::before").next().unwrap();
        let colour = |name: &str| variable.captures_iter(block).find(|m| &m[1] == name).unwrap()[2].to_owned();
        for (text, ground) in [
            ("ink", "paper"),
            ("ink", "card"),
            ("soft", "paper"),
            ("soft", "card"),
            ("soft", "wash"),
            ("water", "paper"),
            ("water", "card"),
            ("water-deep", "wash"),
            ("amber", "amber-wash"),
        ] {
            let (a, b) = (luminance(&colour(text)), luminance(&colour(ground)));
            let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
            assert!(contrast >= 4.5, "{text} on {ground}: {contrast:.2}");
        }
    }
}
