//! tests/fixtures/config/bad.txt: bad files, each with everything that is said about it.

use super::super::{Severity, render_diagnostics};
use super::{read, root, same_as_file};
use std::fmt::Write as _;

fn cases() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(root("tests/fixtures/config/bad.txt")).unwrap();
    let mut cases = Vec::new();
    let mut lines = text.lines();
    let mut name = lines.next().and_then(|line| line.strip_prefix("#### ")).map(str::to_owned);
    while let Some(case) = name.take() {
        let yaml: String =
            lines.by_ref().take_while(|line| *line != "#### gives").flat_map(|line| [line, "\n"]).collect();
        for line in lines.by_ref() {
            if let Some(next) = line.strip_prefix("#### ") {
                name = Some(next.to_owned());
                break;
            }
        }
        cases.push((case, yaml));
    }
    cases
}

#[test]
fn every_mistake_is_said_with_its_place() {
    let mut actual = String::new();
    let cases = cases();
    assert!(cases.len() >= 80, "{}", cases.len());
    for (name, yaml) in cases {
        let _ = writeln!(actual, "#### {name}\n{yaml}#### gives");
        let loaded = read(&yaml);
        assert!(!loaded.diagnostics.is_empty(), "{name}: nothing was said");
        let failed = loaded.diagnostics.iter().any(|found| found.severity == Severity::Error);
        assert_eq!(loaded.config.is_none(), failed, "{name}");
        for found in &loaded.diagnostics {
            let kind = if found.severity == Severity::Error { "error" } else { "warning" };
            let (line, column, width) = (found.line, found.column, found.width);
            let _ = writeln!(actual, "{line}:{column}+{width} {kind} {} | {}", found.path, found.message);
            if let Some(help) = &found.help {
                let _ = writeln!(actual, "    {help}");
            }
        }
    }
    same_as_file("tests/fixtures/config/bad.txt", &actual);
}

#[test]
fn what_is_printed() {
    let mut actual = String::new();
    for (name, yaml) in cases() {
        if ["many at once", "bad names", "unclosed quote", "unused", "tab indent"].contains(&name.as_str()) {
            let _ = writeln!(actual, "#### {name}");
            actual += &render_diagnostics(&read(&yaml).diagnostics, &yaml, "feeds.yaml", false);
        }
    }
    same_as_file("tests/fixtures/config/printed.txt", &actual);
}
