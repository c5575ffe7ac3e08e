//! Files that were written to do harm: refused, quickly, without a panic.

use super::super::{Validators, load_bytes};
use super::read;
use proptest::prelude::*;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

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
        ("flow nesting", "[".repeat(500_000), "deeper than 32"),
        ("map nesting", "{a: ".repeat(120_000), "deeper than 32"),
        ("block nesting", "- ".repeat(250_000), "deeper than 32"),
        ("self alias", "a: &a [*a]\n".to_owned(), "stands inside"),
        ("huge", "a".repeat((16 << 20) + 1), "larger than"),
        ("many nodes", "- a\n".repeat(40_000), "a map is wanted"),
        ("NUL", "service: a\0b\n".to_owned(), "U+0000"),
        (
            "many keys",
            (0..40_000).fold(String::new(), |mut text, n| {
                let _ = writeln!(text, "k{n}: 1");
                text
            }),
            "the file has no key",
        ),
        (
            "unknown keys",
            (0..9_900).fold(String::new(), |mut text, n| {
                let _ = writeln!(text, "k{n}: 1");
                text
            }),
            "the file has no key",
        ),
        ("tags", format!("a: {}", "!t x\nb: ".repeat(6_000)), "tags (`!name`)"),
        ("directives", "%a\n".repeat(170_000), "not YAML"),
    ] {
        let loaded = read(&text);
        assert!(loaded.config.is_none(), "{name}");
        assert!(
            loaded.diagnostics.iter().any(|found| found.message.contains(said)),
            "{name}: {:?}",
            loaded.diagnostics
        );
        // Best of three, since the machine does other things too.
        let took = |_| {
            let start = Instant::now();
            let _ = read(&text);
            start.elapsed()
        };
        let fastest = (0..3).map(took).min().unwrap();
        // What is small must not cost much, whatever it stands for; what is large costs its bytes.
        let most = Duration::from_millis(if cfg!(debug_assertions) {
            10_000
        } else {
            50 + 500 * text.len() as u64 / (1 << 20)
        });
        assert!(fastest < most, "{name} took {fastest:?}");
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
