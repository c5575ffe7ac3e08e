//! Which candidate is which entry, as tables for the contract.

use super::samples::{entry, guided, key, linked, with_content};
use crate::model::{Candidate, KeyKind};

/// What the second poll's candidates turn out to be: the number of the first poll's candidate, or new.
pub(crate) const NEW: usize = usize::MAX;

/// Two polls of one channel, and what the second one's candidates must turn out to be.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) first: Vec<Candidate>,
    pub(crate) second: Vec<Candidate>,
    /// For each candidate of the second poll.
    pub(crate) expected: Vec<usize>,
}

fn titled(title: &str) -> Candidate {
    Candidate { keys: vec![key(KeyKind::TitleDay, title)], entry: entry(&format!("urn:t:{title}"), title) }
}

fn case(name: &'static str, first: Vec<Candidate>, second: Vec<Candidate>, expected: &[usize]) -> Case {
    Case { name, first, second, expected: expected.to_vec() }
}

pub(crate) fn portal_cases() -> Vec<Case> {
    let old = "424/191210112419833";
    let new = "c/2019-12-10/8907680";
    vec![
        case("the same link", vec![linked(old, "甲")], vec![linked(old, "乙")], &[0]),
        case("another link", vec![linked(old, "甲")], vec![linked("424/2", "乙")], &[NEW]),
        case("a new URL scheme", vec![linked(old, "甲")], vec![linked(new, "甲")], &[0]),
        case("a new scheme, another title", vec![linked(old, "甲")], vec![linked(new, "乙")], &[NEW]),
        case(
            "both schemes on the page: the old one is itself, the new one is another entry",
            vec![linked(old, "甲")],
            vec![linked(new, "甲"), linked(old, "甲")],
            &[NEW, 0],
        ),
        case(
            "two bulletins of one title in the new scheme",
            vec![linked(old, "早报")],
            vec![linked("c/1", "早报"), linked("c/2", "早报")],
            &[NEW, NEW],
        ),
        case(
            "two known bulletins of one title, one candidate in the new scheme: nobody can tell",
            vec![linked("424/1", "早报"), linked("424/2", "早报")],
            vec![linked(new, "早报")],
            &[NEW],
        ),
        case(
            "two known bulletins of one title, one of them on the page under another: the other one moved",
            vec![linked("424/1", "早报"), linked("424/2", "早报")],
            vec![linked(new, "早报"), linked("424/1", "晚报")],
            &[1, 0],
        ),
        case("comics of one title", vec![linked("9/1", "漫画")], vec![linked("9/2", "漫画")], &[NEW]),
        case(
            "comics of one title, side by side",
            vec![linked("9/1", "漫画"), linked("9/2", "漫画")],
            vec![linked("9/2", "漫画"), linked("9/1", "漫画")],
            &[1, 0],
        ),
        case(
            "the same scheme and the same content",
            vec![with_content(linked("9/1", "甲"), "<p>全文</p>")],
            vec![with_content(linked("9/2", "甲"), "<div>全文</div>")],
            &[0],
        ),
        case(
            "the same scheme and other content",
            vec![with_content(linked("9/1", "甲"), "<p>全文</p>")],
            vec![with_content(linked("9/2", "甲"), "<p>另文</p>")],
            &[NEW],
        ),
        case(
            "an entry twice on the page",
            vec![linked("9/1", "甲")],
            vec![linked("9/1", "甲"), linked("9/2", "乙"), linked("9/1", "甲的全题")],
            &[0, NEW, 0],
        ),
        case("no link at all", vec![titled("甲")], vec![titled("甲"), titled("乙")], &[0, NEW]),
    ]
}

pub(crate) fn feed_cases() -> Vec<Case> {
    vec![
        case("the same guid, all else new", vec![guided("g1", "/1", "甲")], vec![guided("g1", "/x", "乙")], &[0]),
        case(
            "a new guid, the same link and title",
            vec![guided("g1", "/1", "甲")],
            vec![guided("g2", "/1", "甲")],
            &[0],
        ),
        case(
            "a new guid and title under a link that everything shares",
            vec![guided("g1", "/", "甲"), guided("g2", "/", "乙")],
            vec![guided("g3", "/", "丙"), guided("g2", "/", "乙")],
            &[NEW, 1],
        ),
        case("the guid is gone, the link stays", vec![guided("g1", "/1", "甲")], vec![linked("/1", "甲")], &[0]),
        case("a guid appears", vec![linked("/1", "甲")], vec![guided("g1", "/1", "甲")], &[0]),
        case(
            "guid of one, link of another: the guid wins and the link stays where it is",
            vec![guided("g1", "/1", "甲"), guided("g2", "/2", "乙")],
            vec![guided("g1", "/2", "丙"), linked("/1", "甲")],
            &[0, 0],
        ),
        case(
            "two guids on one title and day",
            vec![guided("g1", "/1", "日报")],
            vec![guided("g2", "/2", "日报")],
            &[NEW],
        ),
    ]
}
