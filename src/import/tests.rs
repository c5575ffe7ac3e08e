//! Lists of tests/fixtures/opml into feeds.yaml files of every style, and the laws of an import.

use super::{Imported, Refused, import};
use crate::config::{self, Validators};
use crate::decode::decode;
use crate::parse::{Outline, opml};
use proptest::prelude::*;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/opml").join(name)
}

fn outlines(name: &str) -> Vec<Outline> {
    opml(&decode(&std::fs::read(fixture(name)).unwrap(), None).text).0
}

fn run(text: &str, outlines: &[Outline]) -> Result<Imported, Refused> {
    import(text, Path::new(""), &Validators::default(), outlines, &"imported".parse().unwrap())
}

fn same_as_file(name: &str, actual: &str) {
    if std::env::var_os("HELIU_BLESS").is_some() {
        std::fs::write(fixture(name), actual).unwrap();
    }
    let expected = std::fs::read_to_string(fixture(name)).unwrap_or_default();
    assert_eq!(expected, actual, "{name}: see HELIU_BLESS in CONTRIBUTING.md");
}

/// An import that keeps its laws: old bytes stay, the result loads, a second import finds nothing new.
fn lawful(text: &str, outlines: &[Outline]) -> Imported {
    let imported = run(text, outlines).unwrap();
    let (mut rest, mut from, mut kept) = (imported.text.as_str(), 0, String::new());
    for insertion in &imported.insertions {
        let before = &text[from..insertion.at];
        rest = rest.strip_prefix(before).unwrap().strip_prefix(&insertion.text).unwrap();
        kept += before;
        from = insertion.at;
    }
    assert_eq!(kept + rest, text, "without what was inserted it is the old file");
    let loaded = config::load(&imported.text, "f", Path::new(""), &Validators::default());
    assert!(loaded.config.is_some(), "{:?}\n{}", loaded.diagnostics, imported.text);
    let again = run(&imported.text, outlines).unwrap();
    assert!(again.plan.additions.is_empty(), "{:?}\n{}", again.plan.additions, imported.text);
    assert_eq!(again.text, imported.text);
    imported
}

const SMALL: &str = "service: { title: T, base_url: 'https://feeds.example/sub', language: en }
channels:
  known: { feed: 'https://known.example/feed' }
feeds:
  mine: { channels: [known] }
";

#[test]
fn every_list_is_taken_over_as_far_as_it_can_be() {
    let names = ["nested", "version-1", "ill-formed", "gb18030", "duplicates", "text-only", "html-only", "empty"];
    let mut actual = String::new();
    for name in names {
        let imported = lawful(SMALL, &outlines(&format!("{name}.opml")));
        let plan = &imported.plan;
        let _ = writeln!(actual, "#### {name}: {} known, {} skipped", plan.known, plan.skipped.count);
        for skipped in &plan.skipped.reasons {
            let _ = writeln!(actual, "skipped: {skipped}");
        }
        actual += imported.text.split_once("channels:\n").unwrap().1;
    }
    same_as_file("lists.txt", &actual);
}

fn styles() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(fixture("styles.txt")).unwrap();
    let cases = text.split("#### ").skip(1).collect::<Vec<_>>();
    let yaml = |case: &str| case.split_once('\n').map(|(name, yaml)| (name.to_owned(), yaml.to_owned()));
    cases.iter().filter(|case| !case.starts_with("becomes")).filter_map(|case| yaml(case)).collect()
}

#[test]
fn every_style_of_writing_is_kept() {
    let list = outlines("duplicates.opml");
    let list: Vec<_> = list.into_iter().chain(outlines("nested.opml")).collect();
    let mut actual = String::new();
    assert!(styles().len() >= 9);
    for (name, yaml) in styles() {
        let imported = lawful(&yaml, &list);
        let _ = write!(actual, "#### {name}\n{yaml}#### becomes\n{}", imported.text);
        for note in &imported.plan.notes {
            let _ = writeln!(actual, "note: {note}");
        }
        let windows = lawful(&yaml.replace('\n', "\r\n"), &list);
        assert_eq!(windows.text, imported.text.replace('\n', "\r\n"), "{name}: line ends are kept");
        let marked = lawful(&format!("\u{feff}{yaml}"), &list);
        assert_eq!(marked.text, format!("\u{feff}{}", imported.text), "{name}: a byte order mark is kept");
        let cut = yaml.trim_end_matches(['\n', ' ']);
        if cut.ends_with('\u{23}') || !cut.contains("  \n") {
            lawful(cut, &list);
        }
    }
    same_as_file("styles.txt", &actual);
}

#[test]
fn the_default_file_takes_a_list() {
    let yaml = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("feeds.yaml")).unwrap();
    let imported = lawful(&yaml, &outlines("nested.opml"));
    assert!(imported.text.contains("# One document that is published each"), "{}", imported.text);
    assert_eq!(imported.plan.additions.channels.len(), 6);
}

#[test]
fn what_cannot_be_added_to_is_refused() {
    let list = outlines("nested.opml");
    for (yaml, said) in [
        ("x: &c { known: { feed: 'https://k.example/' } }", "mistakes"),
        (
            "x-c: &c { known: { feed: 'https://k.example/' } }\nservice: { title: T, base_url: 'https://f.example/' }\nchannels: *c\nfeeds: { mine: { channels: [known] } }\n",
            "`channels` is an alias",
        ),
        (
            "x-c: &c { channels: { known: { feed: 'https://k.example/' } } }\n<<: *c\nservice: { title: T, base_url: 'https://f.example/' }\nfeeds: { mine: { channels: [known] } }\n",
            "comes from a merge key",
        ),
        (
            "service: { title: T, base_url: 'https://f.example/' }\nchannels:\n  ? known\n  : { feed: 'https://k.example/' }\nfeeds: { mine: { channels: [known] } }\n",
            "begins with `?`",
        ),
    ] {
        match run(yaml, &list) {
            Err(Refused::Unfit(reason)) => assert!(reason.contains(said), "{reason}"),
            Err(Refused::Mistakes(_)) => assert_eq!(said, "mistakes", "{yaml}"),
            Ok(imported) => panic!("{yaml}: {}", imported.text),
        }
    }
}

#[test]
fn long_lists_of_feeds_stay_within_the_limits_of_the_file() {
    let mut list = String::from("<opml><body><outline text='All'>");
    for number in 0..3000 {
        let _ = write!(list, "<outline text='Source {}' xmlUrl='https://s{number}.example/feed'/>", number % 7);
    }
    let imported = lawful(SMALL, &opml(&list).0);
    assert_eq!(imported.plan.additions.channels.len(), 3000);
    assert_eq!(imported.plan.additions.feeds[0].channels.len(), 3000);
    assert!(imported.text.contains("\n  source-0-2: {"), "names are numbered");
}

/// A subscription list of a few words, so that collisions are frequent.
fn any_outline() -> impl Strategy<Value = Outline> {
    let title = prop_oneof![
        Just("News"),
        Just("news!"),
        Just("时评"),
        Just(""),
        Just("it's: [a] # b"),
        Just("mine"),
        Just("2600"),
        Just("null")
    ];
    let host = prop_oneof![Just("a"), Just("www.a"), Just("b"), Just("known"), Just("时")];
    let path = prop_oneof![Just(""), Just("/"), Just("/feed"), Just("/feed?x=1,2&y={}#f"), Just("/it's")];
    let category = prop_oneof![4 => Just(None), 1 => Just(Some("/News/x")), 1 => Just(Some("时评"))];
    let feed = (title.clone(), host, path, category).prop_map(|(title, host, path, category)| Outline {
        title: title.to_owned(),
        xml_url: Some(format!("https://{host}.example{path}")),
        categories: category.map(str::to_owned).into_iter().collect(),
        ..Outline::default()
    });
    let folder = |title: &str, children| Outline { title: title.to_owned(), children, ..Outline::default() };
    feed.prop_recursive(3, 24, 5, move |inner| {
        (title.clone(), prop::collection::vec(inner, 0..5)).prop_map(move |(title, children)| folder(title, children))
    })
}

/// Which address is in a feed of which title.
fn pairs(config: &config::Config) -> BTreeSet<(String, String)> {
    let addresses: HashMap<_, _> =
        config.channels.iter().map(|channel| (&channel.id, channel.addresses().next().unwrap().to_string())).collect();
    let pairs_of = |feed: &config::FeedSpec| -> Vec<_> {
        feed.channels.iter().map(|id| (feed.title.clone(), addresses[id].clone())).collect()
    };
    config.feeds.iter().flat_map(pairs_of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 64 } else { 256 }))]

    #[test]
    fn old_bytes_stay_the_result_loads_and_a_second_import_finds_nothing(
        list in prop::collection::vec(any_outline(), 0..6),
        more in prop::collection::vec(any_outline(), 0..4),
        style in 0..9_usize,
    ) {
        let yaml = &styles()[style].1;
        let once = lawful(yaml, &list);
        lawful(&once.text, &more);
    }

    #[test]
    fn an_export_imports_as_what_it_was(list in prop::collection::vec(any_outline(), 0..6)) {
        let first = lawful(SMALL, &list);
        let load = |text: &str| config::load(text, "f", Path::new(""), &Validators::default()).config.unwrap();
        let config = load(&first.text);
        let exported = opml(&crate::cli::export::sources(&config)).0;
        prop_assert!(run(&first.text, &exported).unwrap().plan.additions.is_empty());
        // Into a file that knows none of it: the same addresses and titles, in feeds of the same titles.
        let bare = SMALL.replace("known", "own").replace("mine:", "his:");
        let again = load(&lawful(&bare, &exported).text);
        let own = pairs(&load(&bare));
        prop_assert_eq!(pairs(&config), pairs(&again).difference(&own).cloned().collect());
    }

    #[test]
    fn no_list_makes_it_panic(text in "(<outline |text='|xmlUrl='|https?://|a|时|'|/>|>|</outline>|\\PC){0,40}") {
        lawful(SMALL, &opml(&text).0);
    }
}
