//! Laws that hold for every rule and every record, and rules as feeds.yaml spells them.

use super::{Around, Rules, newest};
use crate::config::{self, Validators};
use crate::model::{Category, DateRung, Dated, Entry, Image, Person, Precision, Record, Source, Standing};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use std::borrow::Cow;
use std::path::Path;

fn at(hour: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(18_000) + TimeDelta::hours(hour)
}

/// The entry that was published in that hour.
pub(super) fn record(hour: u64) -> Record {
    let published = at(i64::try_from(hour).unwrap());
    Record {
        channel: "news".parse().unwrap(),
        number: hour,
        seq: hour,
        first_seen: published + TimeDelta::minutes(5),
        changed: published + TimeDelta::minutes(5),
        standing: Standing::Live,
        withdrawn: None,
        entry: Entry {
            url: Some(format!("http://a.example/{hour}")),
            ..Entry::new(
                format!("urn:x:{hour}"),
                format!("标题{hour}"),
                Dated { at: published.fixed_offset(), precision: Precision::Second, rung: DateRung::List },
            )
        },
    }
}

pub(super) fn around() -> Around<'static> {
    Around { newest: at(10), channel_title: "频道", language: "zh-CN" }
}

/// Rules as they stand behind `rules:`.
pub(super) fn rules(yaml: &str) -> Rules {
    let file = format!(
        "service: {{ title: T, base_url: 'http://a.example/' }}\nchannels: {{ n: {{ feed: 'http://a.example/f' }} }}\n\
         feeds: {{ n: {{ channels: [n], rules: {yaml} }} }}\n"
    );
    let loaded = config::load(&file, "feeds.yaml", Path::new(""), &Validators::default());
    loaded.config.unwrap_or_else(|| panic!("{yaml}: {:?}", loaded.diagnostics)).feeds.remove(0).rules
}

/// What becomes of an entry.
pub(super) fn entry_by(yaml: &str, record: &Record) -> Option<Record> {
    rules(yaml).entry(Cow::Borrowed(record), &around()).map(Cow::into_owned)
}

#[test]
fn rules_apply_in_their_order_and_stop_at_a_drop() {
    let mut one = record(1);
    one.entry.title = "甲".to_owned();
    let rename = "rewrite: { field: title, pattern: 甲, with: 乙 }";
    assert_eq!(entry_by(&format!("[{{ {rename} }}, {{ drop: {{ title: 乙 }} }}]"), &one), None);
    assert_eq!(entry_by(&format!("[{{ drop: {{ title: 乙 }} }}, {{ {rename} }}]"), &one).unwrap().entry.title, "乙");
    assert_eq!(entry_by(&format!("[{{ keep: {{ title: 乙 }} }}, {{ {rename} }}]"), &one), None);
    let steps = rules(&format!("[{{ {rename} }}, {{ limit: 3 }}, {{ drop: {{ title: 乙 }} }}, {{ prefix: source }}]"))
        .explain(&one, &around());
    let told: Vec<_> = steps.iter().map(|step| (step.number, step.rule.as_str(), step.after.is_some())).collect();
    assert_eq!(
        told,
        [(1, "rewrite: { field: title, pattern: 甲, with: 乙 }", true), (3, "drop: { title: 乙 }", false)]
    );
    let changes = steps[0].changes();
    assert_eq!((changes[0].field, changes[0].old.as_str(), changes[0].new.as_str()), ("title", "甲", "乙"));
    assert_eq!(changes.len(), 1);
}

#[test]
fn what_no_rule_changes_is_not_copied() {
    let one = record(1);
    let rules = rules("[{ drop: { title: 广告 } }, { prefix: channel }, { cut: { characters: 20 } }]");
    let mut named = one.clone();
    named.entry.title = "频道：标题".to_owned();
    named.entry.content = Some("<p>短</p>".to_owned());
    assert!(matches!(rules.entry(Cow::Borrowed(&named), &around()), Some(Cow::Borrowed(_))));
    assert!(matches!(rules.entry(Cow::Borrowed(&one), &around()), Some(Cow::Owned(_))));
}

#[test]
fn lists_are_sorted_and_limited_in_order() {
    let list = |yaml: &str| {
        let records = [3, 2, 1].map(record).into();
        rules(yaml).list(records).iter().map(|record| record.number).collect::<Vec<_>>()
    };
    assert_eq!(list("[{ limit: 2 }]"), [3, 2]);
    assert_eq!(list("[{ sort: { by: title } }, { limit: 2 }]"), [1, 2]);
    assert_eq!(list("[{ limit: 2 }, { sort: { by: title } }]"), [2, 3]);
    assert_eq!(list("[{ drop: { title: 标题 } }]"), [3, 2, 1], "entries are dropped by `entry`");
    assert!(rules("[{ limit: 2 }]").may_drop() && !rules("[{ sort: { by: title } }]").may_drop());
    assert!(rules("[{ drop: { title: a } }]").may_drop() && Rules::default().is_empty());
}

#[test]
fn equal_rules_are_those_that_say_the_same() {
    let one = rules("[{ drop: { title: a } }]");
    assert_eq!(one, rules("[{ drop:\n{ title: 'a' } }]"));
    assert_ne!(one, rules("[{ keep: { title: a } }]"));
    assert_ne!(one, rules("[{ drop: { title: b } }]"));
}

#[test]
fn the_newest_entry_is_never_in_the_future() {
    let mut claims = record(5);
    claims.entry.published.at = at(500).fixed_offset();
    assert_eq!(newest(&[record(1), claims.clone()]), claims.first_seen);
    assert_eq!(newest(&[]), DateTime::UNIX_EPOCH);
}

fn any_record() -> impl Strategy<Value = Record> {
    let text = "[甲乙【】：:|a-c A（ＡＢ\u{3000}\u{202E}\u{7}]{0,12}";
    let html = "(<p>|</p>|<b>|<img src=\"http://a\\.example/[ab]\\.jpg\">|<div>|</div>|<br>|&amp;|[甲乙。a-c责任编辑]|<a href=\"http://b.example/\">|</a>){0,30}";
    (text, prop::option::of(text), prop::option::of(html), prop::collection::vec(text, 0..3), 0u64..20, any::<bool>())
        .prop_map(|(title, summary, html, names, hour, image)| {
            let mut record = record(hour);
            let line = |text: &str| crate::normalise::text::name(text);
            let base = "http://a.example/".parse().unwrap();
            let entry = &mut record.entry;
            entry.title = line(&title).unwrap_or_else(|| "x".to_owned());
            entry.summary = summary.and_then(|text| line(&text));
            entry.content = html
                .map(|html| crate::normalise::html::sanitise(&html, &base))
                .filter(|html| !html.trim().is_empty())
                .map(|html| html.trim().to_owned());
            entry.authors = names.iter().filter_map(|name| line(name)).map(Person::named).collect();
            entry.categories = names
                .iter()
                .filter_map(|name| line(name))
                .map(|term| Category { term, ..Category::default() })
                .collect();
            entry.source = names.first().and_then(|name| line(name)).map(|title| Source { title, ..Source::default() });
            if image {
                entry.images.push(Image { url: "http://a.example/a.jpg".to_owned(), ..Image::default() });
            }
            record
        })
}

/// Rules that change nothing the second time.
const IDEMPOTENT: &[&str] = &[
    "prefix: source",
    "prefix: channel",
    "cut: { remove: b, from: 责任编辑, characters: 20 }",
    "cut: { characters: 30 }",
    "first_image: true",
    "first_image: { remove: true }",
    "first_image: { add: true }",
    #[cfg(feature = "chinese-variants")]
    "chinese: traditional",
];

const OTHERS: &[&str] = &[
    "drop: { any: [{ title: ^甲 }, { css: 'b > img' }] }",
    "keep: { not: { older_than: 6h } }",
    "rewrite: { field: title, pattern: '[甲a]', with: '' }",
    "rewrite: { field: content, pattern: '[<>]', with: '$0$0' }",
    "rewrite: { field: link, pattern: '/', with: ':' }",
    "rewrite: { field: author, pattern: 'a|甲', with: '' }",
    "rewrite: { field: category, pattern: '.', with: \"\\u202E\" }",
    "rewrite: { field: summary, pattern: '.', with: '<$0' }",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn no_rule_touches_what_the_ledger_tells_entries_by(
        record in any_record(), chosen in prop::collection::vec(prop::sample::select([IDEMPOTENT, OTHERS].concat()), 1..5)
    ) {
        let rules = rules(&format!("[{{ {} }}]", chosen.join(" }, { ")));
        let found = rules.entry(Cow::Borrowed(&record), &around()).map(Cow::into_owned);
        let steps = rules.explain(&record, &around());
        prop_assert_eq!(&steps.last().unwrap().after, &found, "explain ends where entry does");
        for pair in steps.windows(2) {
            prop_assert_eq!(pair[0].after.as_ref(), Some(&pair[1].before));
        }
        let Some(found) = found else { return Ok(()) };
        let ledger = |record: &Record| Record { entry: self::record(0).entry, ..record.clone() };
        prop_assert_eq!(ledger(&found), ledger(&record));
        prop_assert_eq!((&found.entry.id, found.entry.published), (&record.entry.id, record.entry.published));
        prop_assert!(!found.entry.title.trim().is_empty());
        prop_assert!(found.entry.url.as_deref().is_some_and(|url| url.starts_with("http")));
        if let Some(content) = &found.entry.content {
            let base = found.entry.url.as_deref().unwrap().parse().unwrap();
            let again = crate::normalise::html::sanitise(content, &base);
            prop_assert_eq!(again.trim(), content.as_str(), "sanitised");
            prop_assert!(content.chars().all(crate::model::is_legal));
        }
    }

    #[test]
    fn idempotent_rules_change_nothing_the_second_time(
        record in any_record(), rule in prop::sample::select(IDEMPOTENT)
    ) {
        let yaml = format!("[{{ {rule} }}]");
        let once = entry_by(&yaml, &record).unwrap();
        prop_assert_eq!(entry_by(&yaml, &once).unwrap(), once);
    }
}
