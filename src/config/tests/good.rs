//! Files that load, the schema, the manual, and what a reload changes.

use super::super::keys::{self, Section};
use super::super::{Config, ListPage, Origin, diff, fingerprint, reference, schema};
use super::{read, root, same_as_file};
use crate::model::{Clean, LayoutKind, NextPage};
use crate::rule;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

fn full() -> String {
    std::fs::read_to_string(root("tests/fixtures/config/full.yaml")).unwrap()
}

fn good(text: &str) -> Config {
    let loaded = read(text);
    assert_eq!(loaded.diagnostics, [], "{text}");
    loaded.config.unwrap()
}

#[test]
fn every_key_is_read() {
    let config = good(&full());
    assert_eq!(config.service.base_url.as_str(), "https://feeds.example.org/heliu/");
    assert_eq!(config.service.allow_networks.len(), 3);
    assert_eq!(config.service.contact.as_ref().map(url::Url::as_str), Some("https://example.org/about"));
    let page = &config.channels[0];
    assert_eq!((&*page.title, &*page.language, page.timezone.name()), ("页", "ja", "Asia/Tokyo"));
    assert_eq!(page.every.map(|every| every.as_secs()), Some(5400));
    let snapshot = page.snapshot.as_ref().unwrap();
    assert_eq!(snapshot.file, Path::new("/etc/heliu/snapshots/a.html"));
    assert_eq!(snapshot.articles.len(), 1);
    let Origin::Page(origin) = &page.origin else { panic!("{page:?}") };
    let ListPage { addresses, layouts, articles } = &**origin;
    assert!(matches!(&addresses[1].next, Some(NextPage::Numbered { from: 2, .. })));
    let LayoutKind::List(list) = &layouts[0].kind else { panic!("{layouts:?}") };
    assert_eq!((list.pages, list.fields.title.len(), list.remove.as_deref()), (5, 2, Some("script, .ad")));
    assert_eq!((list.fields.link[0].select.as_str(), list.fields.link[0].attribute.as_deref()), ("", Some("href")));
    let source = &list.fields.source[0];
    assert_eq!(source.attribute.as_deref(), Some("title"));
    let step = |pattern: &str, with: &str| Clean::Replace { pattern: pattern.to_owned(), with: with.to_owned() };
    assert_eq!(source.clean, [step(r"\s+", " "), step("x", ""), Clean::Match(r"^\D+$".to_owned())]);
    assert_eq!(list.fields.category[0].clean, [step("a", "b")]);
    assert_eq!(list.fields.editor[0].clean, [Clean::StripPrefix("责任编辑:".to_owned())]);
    assert!([&list.url.identity, &list.url.stamp, &list.url.day, &list.url.only].iter().all(|rule| rule.is_some()));
    let LayoutKind::Json(json) = &layouts[1].kind else { panic!("{layouts:?}") };
    assert!(matches!(json.next, Some(NextPage::Numbered { from: 1, .. })) && json.pages == 3);
    let article = &articles[0].1;
    assert!(article.comic && article.pages == 10 && article.total_pages.len() == 1 && article.byline.is_some());
    let Origin::Page(origin) = &config.channels[1].origin else { panic!("no page") };
    assert!(matches!(&origin.layouts[0].kind, LayoutKind::List(list) if matches!(list.next, Some(NextPage::Link(_)))));
    let (all, one) = (&config.feeds[0], &config.feeds[1]);
    assert_eq!((all.limit, all.channels.len(), all.language.as_str()), (500, 3, "en"));
    assert_eq!(
        (one.limit, one.title.as_str(), one.language.as_str(), one.description.as_str()),
        (50, "页", "zh-CN", "")
    );
}

#[test]
fn channels_that_are_read_in_the_same_way_share_their_layouts() {
    let list = "{ entry: li, title: a, link: a @href }";
    let channel = |name: &str, layouts: &str| {
        format!("  {name}: {{ page: 'http://{name}.test/', layouts: {layouts}, article: text }}\n")
    };
    let channels = [("a", "[x, y]"), ("b", "[x, y]"), ("c", "[y, x]"), ("d", "x")];
    let config = good(&format!(
        "service: {{ title: t, base_url: 'http://a.test/' }}\nlayouts:\n  x: {list}\n  y: {list}\n  text: {{ body: p }}\n\
         channels:\n{}feeds:\n  all: {{ channels: [a, b, c, d] }}\n",
        channels.map(|(name, layouts)| channel(name, layouts)).concat()
    ));
    let pages: Vec<_> = config
        .channels
        .iter()
        .map(|channel| match &channel.origin {
            Origin::Page(page) => page,
            Origin::Feed { .. } => panic!("no page"),
        })
        .collect();
    for (other, expected) in [(1, true), (2, false), (3, false)] {
        assert_eq!(Arc::ptr_eq(&pages[0].layouts, &pages[other].layouts), expected, "{other}");
        assert!(Arc::ptr_eq(&pages[0].articles, &pages[other].articles), "{other}");
    }
    let names = |at: usize| pages[at].layouts.iter().map(|layout| layout.name.as_str()).collect::<Vec<_>>();
    assert_eq!([names(0), names(2), names(3)], [vec!["x", "y"], vec!["y", "x"], vec!["x"]]);
    assert!(pages[0].articles.iter().map(|(name, _)| name.as_str()).eq(["text"]));
    // A language and a title that are not given are not copied either.
    assert!(Arc::ptr_eq(&config.channels[0].language, &config.channels[1].language));
    assert!(Arc::ptr_eq(&config.channels[0].title, &config.channels[0].id.shared()));
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_change_nothing() {
    let config = good(&full());
    assert_eq!(good(&format!("\u{feff}{}", full())), config);
    assert_eq!(good(&full().replace('\n', "\r\n")), config);
}

/// A file in which `section` holds `key: value`, with what the section needs besides.
fn file_with(section: &Section, line: &str) -> String {
    let list = |body: &str| format!("layouts: {{ list: {body}, article: {{ body: p }} }}");
    let needed = |others: &str| -> String {
        let key = line.split(':').next().unwrap();
        let others = others.split("; ").filter(|other| !other.starts_with(&format!("{key}:"))).collect::<Vec<_>>();
        [others.as_slice(), &[line]].concat().join(", ")
    };
    let mut service = "title: T, base_url: 'http://a.example/'".to_owned();
    let mut layouts = list("{ entry: li, title: a, link: a @href }");
    let mut channel = "page: 'http://b.example/', layouts: [list], article: [article]".to_owned();
    let mut feed = "channels: [news]".to_owned();
    match section.name {
        "`duplicates`" => feed = format!("channels: [news], duplicates: {{ {line} }}"),
        "the file" => return format!("{line}\n"),
        "service" => service = needed("title: T; base_url: 'http://a.example/'"),
        "a list layout" => layouts = list(&format!("{{ {} }}", needed("entry: li; title: a; link: a"))),
        "a JSON layout" => layouts = list(&format!("{{ {} }}", needed("items: ''; title: a; link: a"))),
        "an article layout" => {
            layouts = format!(
                "layouts: {{ list: {{ entry: li, title: a, link: a }}, article: {{ {} }} }}",
                needed("body: p")
            );
        }
        "a field" => layouts = list(&format!("{{ entry: li, link: a, title: {{ {} }} }}", needed("select: a"))),
        "a replacement" => {
            layouts = list(&format!(
                "{{ entry: li, link: a, title: {{ select: a, replace: [{{ {} }}] }} }}",
                needed("pattern: a; with: b")
            ));
        }
        "a numbered next page" => {
            layouts = list(&format!("{{ entry: li, link: a, title: a, next: {{ {} }} }}", needed("address: '{n}'")));
        }
        "a page" => {
            channel =
                format!("page: [{{ {} }}], layouts: [list], article: [article]", needed("url: 'http://b.example/'"));
        }
        "a channel" if line.starts_with("feed:") => channel = line.to_owned(),
        "a channel" => channel = needed("page: 'http://b.example/'; layouts: [list]; article: [article]"),
        "a snapshot" => {
            channel = format!("{channel}, snapshot: {{ {} }}", needed("file: a; url: 'http://b.example/'"));
        }
        "a feed" => feed = needed("channels: [news]"),
        "`full_text`" => {
            channel = format!("feed: 'http://b.example/', rules: [{{ full_text: {{ {line} }} }}]");
        }
        "a rule" if line.starts_with("full_text:") => {
            channel = format!("feed: 'http://b.example/', rules: [{{ {line} }}]");
        }
        other => feed = format!("channels: [news], rules: [{{ {} }}]", rule_with(other, line, &needed)),
    }
    format!(
        "service: {{ {service} }}\n{layouts}\nchannels: {{ news: {{ {channel} }} }}\nfeeds: {{ news: {{ {feed} }}, portal: {{ channels: [news] }} }}\n"
    )
}

/// A rule in which `section` holds `line`.
fn rule_with(section: &str, line: &str, needed: &dyn Fn(&str) -> String) -> String {
    match section {
        "a rule" => line.to_owned(),
        "a condition" => format!("drop: {{ {line} }}"),
        "`rewrite`" => format!("rewrite: {{ {} }}", needed("field: title; pattern: a; with: b")),
        "`sort`" => format!("sort: {{ {} }}", needed("by: title")),
        other => format!("{}: {{ {line} }}", other.trim_matches('`')),
    }
}

#[test]
fn every_key_has_a_doc_and_an_example_that_loads() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let rules = [&rule::RULE, &rule::CONDITION].into_iter().chain(rule::sections().map(|(_, section)| section));
    for section in [
        &keys::SERVICE,
        &keys::LIST,
        &keys::JSON,
        &keys::ARTICLE,
        &keys::FIELD,
        &keys::REPLACE,
        &keys::NUMBERED_NEXT,
        &keys::CHANNEL,
        &keys::PAGE,
        &keys::SNAPSHOT,
        &keys::FEED,
        &keys::DUPLICATES,
    ]
    .into_iter()
    .chain(rules)
    {
        for key in section.keys.iter().filter(|key| key.name != "chinese" || cfg!(feature = "chinese-variants")) {
            assert!(key.doc.ends_with('.') && !key.example.is_empty(), "{}", key.name);
            let text = file_with(section, &format!("{}: {}", key.name, key.example));
            let errors: Vec<_> =
                read(&text).diagnostics.into_iter().filter(|d| !d.message.starts_with("no channel uses")).collect();
            assert_eq!(errors, [], "{text}");
            let value: Value = serde_yaml::from_str(&text).unwrap();
            assert!(
                validator.is_valid(&value),
                "{} of {}: {:?}",
                key.name,
                section.name,
                validator.iter_errors(&value).next()
            );
        }
    }
    let lines: Vec<String> = keys::TOP.keys.iter().map(|key| format!("{}: {}", key.name, key.example)).collect();
    let whole = lines.join("\n");
    assert!(read(&whole).config.is_some(), "{whole}");
}

#[test]
fn the_example_of_the_manual_of_rules_loads() {
    let page = std::fs::read_to_string(root("docs/rules.md")).unwrap();
    let yaml = page.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let config = good(yaml);
    assert_eq!((config.channels[0].rules.iter().count(), config.feeds[0].rules.iter().count()), (5, 6));
    assert!(config.channels[0].rules.full_text().is_some() && config.feeds[0].rules.may_drop());
    let validator = jsonschema::validator_for(&schema()).unwrap();
    assert!(validator.is_valid(&serde_yaml::from_str::<Value>(yaml).unwrap()));
}

#[test]
fn schema_and_manual_are_those_of_the_repository() {
    same_as_file("feeds.schema.json", &crate::cli::schema::schema());
    same_as_file("docs/feeds-yaml.md", &reference());
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for text in [full(), std::fs::read_to_string(root("feeds.yaml")).unwrap()] {
        let mut value: Value = serde_yaml::from_str(&text).unwrap();
        let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        value["chanels"] = Value::Null;
        assert!(!validator.is_valid(&value));
    }
}

#[test]
fn a_reload_tells_what_changed() {
    let old = good(&full());
    assert!(diff(&old, &old).is_empty());
    let text = full()
        .replace("    entry: ul > li", "    entry: ol > li")
        .replace("title: 全部", "title: 新")
        .replace("  feed: { feed:", "  other: { feed:")
        .replace("[page, one, feed]", "[page, one, other]");
    let new = good(&text);
    let found = diff(&old, &new);
    let names = |ids: &[crate::model::ChannelId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert!(found.service_changed);
    assert_eq!(names(&found.channels.added), ["other"]);
    assert_eq!(names(&found.channels.removed), ["feed"]);
    assert_eq!(names(&found.channels.changed), ["page", "one"]);
    assert_eq!(found.feeds.changed.len(), 1);
    assert_ne!(fingerprint(&old.channels[0]), fingerprint(&new.channels[0]));
    let mut renamed = (*old.channels[2]).clone();
    let before = fingerprint(&renamed);
    renamed.title = "x".into();
    renamed.every = None;
    assert_eq!(fingerprint(&renamed), before);
    // What is done with what was read does not make a source be read anew.
    renamed.trust = crate::model::Trust { withdrawn: crate::model::Withdrawn::Remove, quarantine: false };
    assert_eq!(fingerprint(&renamed), before);
    // Stored in ledgers: it must never change without a new version of the form.
    assert_eq!(before, "801e850c3eeafac328982c0703fe3d9e3d9f36b7c7faf65ed14b47a6d588b29a");
}

#[test]
fn duplicates_quota_and_age() {
    let file = |feed: &str| {
        format!(
            "service: {{ title: T, base_url: 'http://a.example/' }}\nchannels: {{ n: {{ feed: 'http://a.example/f' }} }}\nfeeds: {{ n: {{ channels: [n], {feed} }} }}\n"
        )
    };
    let plain = read(&file("limit: 5")).config.unwrap().feeds.remove(0);
    assert_eq!((plain.duplicates, plain.quota, plain.max_age), (crate::config::Duplicates::default(), None, None));
    let text = "quota: 20, max_age: 30d, duplicates: { by: [text, id], window: 12h, distance: 8, show_also_at: false }";
    let feed = read(&file(text)).config.unwrap().feeds.remove(0);
    assert_eq!(feed.duplicates.by, [crate::model::Rung::Id, crate::model::Rung::Text]);
    assert_eq!((feed.duplicates.window.as_secs(), feed.duplicates.distance, feed.duplicates.show), (43_200, 8, false));
    assert_eq!((feed.quota, feed.max_age.map(|age| age.as_secs())), (Some(20), Some(30 * 86_400)));
    for bad in [
        "quota: 0",
        "max_age: 59s",
        "duplicates: { by: [] }",
        "duplicates: { by: url }",
        "duplicates: { distance: 13 }",
    ] {
        assert!(read(&file(bad)).config.is_none(), "{bad}");
    }
}

#[test]
fn feeds_are_ordered_with_what_they_are_made_of_before_them() {
    let text = "service: { title: T, base_url: 'http://a.example/' }\nchannels: { n: { feed: 'http://b.example/rss' } }\n\
        feeds:\n  top: { feeds: [mid, low] }\n  low: { channels: [n] }\n  mid: { channels: [n], feeds: [low, deep] }\n  deep: { feeds: [low] }\n";
    let config = super::super::load(text, "feeds.yaml", std::path::Path::new(""), &super::super::Validators::default())
        .config
        .unwrap();
    let order: Vec<_> = config.inner_first().iter().map(|feed| feed.id.as_str()).collect();
    assert_eq!(order, ["low", "deep", "mid", "top"]);
}
