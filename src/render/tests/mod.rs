//! Every format against its checker, every checker against bad documents, and laws over arbitrary feeds.

use crate::model;

mod atom_rules;
mod document;
mod formats;
mod health;
mod json_rules;
mod laws;
mod pages;
mod rss_rules;
pub(crate) mod sample;
mod tombstones;
mod tree;

use super::Site;
use std::sync::LazyLock;
use url::Url;

static BASE: LazyLock<Url> = LazyLock::new(|| Url::parse("https://feeds.example.org/heliu/").unwrap());

/// The service of the tests.
fn site() -> Site<'static> {
    Site { base_url: &BASE, title: "中工网订阅 & <合流>", language: "zh-CN" }
}

type Checker = fn(&str, &str) -> Result<(), String>;

fn rejects(check: Checker, location: &str, good: &str, bad: &[(&str, &str)]) {
    assert_eq!(check(good, location), Ok(()));
    for (from, to) in bad {
        assert!(good.contains(from), "{from:?} is not in the good document");
        let spoilt = good.replacen(from, to, 1);
        assert!(check(&spoilt, location).is_err(), "accepted {to:?} in place of {from:?}");
    }
}

#[test]
fn the_atom_checker_rejects_bad_documents() {
    rejects(atom_rules::check, "http://h/f.atom", atom_rules::GOOD, atom_rules::BAD);
}

#[test]
fn the_rss_checker_rejects_bad_documents() {
    rejects(rss_rules::check, "http://h/f.rss", rss_rules::GOOD, rss_rules::BAD);
}

#[test]
fn the_json_checker_rejects_bad_documents() {
    rejects(json_rules::check, "http://h/f.json", json_rules::GOOD, json_rules::BAD);
}
