//! Fixtures and laws. `HELIU_BLESS=1 cargo test parse` writes the expectations anew: read the difference.
//! `HELIU_CORPUS=DIR` also reads every file of a folder of feeds.

use super::*;
use std::path::{Path, PathBuf};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/feeds");

fn fixtures() -> Vec<(PathBuf, String)> {
    let mut paths: Vec<_> = std::fs::read_dir(FIXTURES).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| !path.to_string_lossy().ends_with(".expected.json"));
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

/// JSON without members that say nothing, so that an expectation can be read.
fn terse(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    let says_something = |v: &Value| match v {
        Value::Null | Value::Bool(false) => false,
        Value::Array(values) => !values.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    };
    match value {
        Value::Object(members) => {
            let members = members.into_iter().map(|(name, value)| (name, terse(value)));
            Value::Object(members.filter(|(_, value)| says_something(value)).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(terse).collect()),
        other => other,
    }
}

#[test]
fn fixtures_are_read_as_expected() {
    let bless = std::env::var_os("HELIU_BLESS").is_some();
    let mut wrong = Vec::new();
    for (path, text) in fixtures() {
        let (feed, flaws) = feed(&text);
        let flaws: Vec<_> = flaws.iter().map(ToString::to_string).collect();
        let read = terse(serde_json::json!({ "feed": feed, "flaws": flaws }));
        let read = serde_json::to_string_pretty(&read).unwrap() + "\n";
        let expected_path = path.with_extension("expected.json");
        if bless {
            std::fs::write(&expected_path, &read).unwrap();
        }
        let expected = std::fs::read_to_string(&expected_path).unwrap_or_default();
        if read != expected {
            wrong.push(format!("{}:\n{read}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_format_and_module_has_a_fixture() {
    let names: Vec<_> = fixtures().iter().map(|(path, _)| path.file_stem().unwrap().to_owned()).collect();
    assert!(names.len() >= 12, "only {}", names.len());
    let formats: std::collections::HashSet<_> =
        fixtures().iter().filter_map(|(_, text)| feed(text).0).map(|feed| feed.format).collect();
    assert_eq!(formats.len(), 9, "{formats:?}");
}

#[test]
fn a_folder_of_real_feeds_is_read() {
    let Some(folder) = std::env::var_os("HELIU_CORPUS") else { return };
    for entry in std::fs::read_dir(Path::new(&folder)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "tsv") {
            continue;
        }
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        let (feed, flaws) = feed(&text);
        assert!(feed.is_some_and(|feed| !feed.entries.is_empty()), "{}: {flaws:?}", path.display());
    }
}
