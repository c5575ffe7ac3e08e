//! The rules that need no engine; the rest is in `store::contract`.

use super::fields::better_date;
use super::matching::shape;
use super::visible_hash;
use crate::model::{DateRung, Dated, Entry, Image, Precision};
use crate::store::samples::{entry, instant};
use chrono::TimeDelta;

#[test]
fn shapes_tell_schemes_apart_and_articles_not() {
    for (value, expected) in [
        ("424/191210112419833", "0/0"),
        ("c/2019-12-10/8907680", "c/0-0-0/0"),
        ("c/2026-10-02/1", "c/0-0-0/0"),
        ("/p/10x20/a0", "/p/0x0/a0"),
        ("时评/12", "时评/0"),
        ("", ""),
    ] {
        assert_eq!(shape(value), expected, "{value}");
    }
}

#[test]
fn dates_climb_the_ladder_and_never_jump_forward() {
    use DateRung::{Article, FirstSeen, List, UrlDay};
    let first_seen = instant(100);
    let dated = |rung, hours: i64| Dated {
        at: (instant(0) + TimeDelta::hours(hours)).fixed_offset(),
        precision: Precision::Second,
        rung,
    };
    for (stored, seen, takes) in [
        (dated(List, 0), dated(Article, -5), true),
        (dated(List, 0), dated(Article, 1), true),
        (dated(List, 0), dated(List, -5), false),
        (dated(List, 0), dated(UrlDay, -5), false),
        (dated(Article, 0), dated(FirstSeen, -5), false),
        (dated(UrlDay, 0), dated(Article, 24), true),
        (dated(UrlDay, 0), dated(Article, 25), false),
        (dated(FirstSeen, 100), dated(Article, -5000), true),
        (dated(FirstSeen, 100), dated(List, 101), false),
    ] {
        let expected = if takes { seen } else { stored };
        assert_eq!(better_date(stored, seen, first_seen), expected, "{stored:?} {seen:?}");
    }
}

type Edit = fn(&mut Entry);

#[test]
fn only_what_a_reader_sees_is_hashed() {
    let base = Entry {
        summary: Some("一句 话".to_owned()),
        content: Some("<p>正文&amp;图</p><p>二</p>".to_owned()),
        images: vec![Image { url: "http://img.example/a.jpg?w=1".to_owned(), ..Image::default() }],
        ..entry("a", "题 目")
    };
    let same: &[Edit] = &[
        |e| e.title = " 题\n目 ".to_owned(),
        |e| e.content = Some("<div class=\"x\">正文&#38;<b>图</b></div>\n<div>二</div>".to_owned()),
        |e| e.images[0].url = "https://cdn.example/a.jpg".to_owned(),
        |e| e.images[0].alt = Some("alt".to_owned()),
        |e| e.url = Some("https://elsewhere.example/".to_owned()),
        |e| e.updated = Some(instant(5).fixed_offset()),
        |e| e.authors.clear(),
    ];
    let different: &[Edit] = &[
        |e| e.title = "题目!".to_owned(),
        |e| e.summary = None,
        |e| e.content = Some("<p>正文&amp;图</p><p>三</p>".to_owned()),
        |e| e.images[0].url = "http://img.example/b.jpg".to_owned(),
        |e| e.images.clear(),
        |e| std::mem::swap(&mut e.title, e.summary.as_mut().unwrap()),
    ];
    for (edits, equal) in [(same, true), (different, false)] {
        for (index, edit) in edits.iter().enumerate() {
            let mut edited = base.clone();
            edit(&mut edited);
            assert_eq!(visible_hash(&edited) == visible_hash(&base), equal, "edit {index}, {edited:?}");
        }
    }
    assert!(visible_hash(&base).starts_with("v1:"));
}
