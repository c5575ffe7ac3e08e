//! Files that were written to do harm: refused, quickly, without a panic.

use super::super::{Validators, load_bytes};
use super::read;
use proptest::prelude::*;
use std::fmt::Write as _;
use std::path::Path;

fn laughs() -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let below = level - 1;
        let _ = writeln!(text, "a{level}: &a{level} [{}]", vec![format!("*a{below}"); 9].join(", "));
    }
    text
}

fn merges() -> String {
    let mut text = "a0: &a0 { k0: v }\n".to_owned();
    for level in 1..60 {
        let below = level - 1;
        let _ = writeln!(
            text,
            "a{level}: &a{level} {{ <<: [{}], k{level}: v }}",
            vec![format!("*a{below}"); 50].join(", ")
        );
    }
    text
}

#[test]
fn bombs_are_refused() {
    for (name, text, said) in [
        ("billion laughs", laughs(), "more than 10000"),
        ("merge bomb", merges(), "more than 10000"),
        ("flow nesting", "[".repeat(1_000_000), "deeper than 32"),
        ("map nesting", "{a: ".repeat(250_000), "deeper than 32"),
        ("block nesting", "- ".repeat(500_000), "deeper than 32"),
        ("self alias", "a: &a [*a]\n".to_owned(), "stands inside"),
        ("huge", "a".repeat((1 << 20) + 1), "larger than"),
        ("many nodes", "- a\n".repeat(200_000), "more than 50000"),
        ("NUL", "service: a\0b\n".to_owned(), "U+0000"),
        (
            "many keys",
            (0..80_000).fold(String::new(), |mut text, n| {
                let _ = writeln!(text, "k{n}: 1");
                text
            }),
            "more than 50000",
        ),
    ] {
        let start = std::time::Instant::now();
        let loaded = read(&text);
        assert!(loaded.config.is_none(), "{name}");
        assert!(
            loaded.diagnostics.iter().any(|found| found.message.contains(said)),
            "{name}: {:?}",
            loaded.diagnostics
        );
        // 50 ms in a release build; this is a debug build on a shared machine.
        assert!(start.elapsed().as_secs() < 3, "{name} took {:?}", start.elapsed());
    }
}

#[test]
fn bytes_that_are_no_text_are_one_error() {
    let loaded = load_bytes(b"service:\n  title: \xd6\xd0\n", "f.yaml", Path::new(""), &Validators::default());
    assert_eq!(loaded.diagnostics.len(), 1);
    assert_eq!((loaded.diagnostics[0].line, loaded.diagnostics[0].column), (2, 10));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(service|layouts|channels|feeds|[a-z时{}\\[\\]:&*!'\"#|>~ \n-]){0,60}") {
        let loaded = read(&text);
        let failed = loaded.diagnostics.iter().any(|found| found.severity == super::super::Severity::Error);
        prop_assert_eq!(loaded.config.is_none(), failed);
        let _ = super::super::render_diagnostics(&loaded.diagnostics, &text, "f.yaml", true);
    }
}
