//! The house rules that a compiler does not check: who imports whom, which crate is used where, how long a
//! file may be.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What each room may import from, apart from itself. A room that is missing here is an error.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    // L0
    ("model", &[]),
    // L1: pure. Inside the floor: config asks the others whether what it read is well-formed.
    ("decode", &["model"]),
    ("xml", &["model", "decode"]),
    ("parse", &["model", "decode", "xml"]),
    ("extract", &["model", "decode"]),
    ("normalise", &["model", "decode"]),
    ("rule", &["model", "normalise", "extract"]),
    ("schedule", &["model"]),
    ("health", &["model"]),
    ("doctor", &["model"]),
    ("config", &["model", "rule", "extract", "normalise"]),
    ("merge", &["model", "config", "normalise", "rule"]),
    ("render", &["model", "health"]),
    ("import", &["model", "parse", "normalise", "config", "rule"]),
    // L2: the edges, never each other.
    ("net", &["model"]),
    ("store", &["model", "health"]),
    ("publish", &["model", "config", "render"]),
    ("telemetry", &[]),
    // L3: the shells, never each other.
    (
        "worker",
        &[
            "model",
            "decode",
            "parse",
            "extract",
            "normalise",
            "rule",
            "schedule",
            "health",
            "config",
            "merge",
            "render",
            "net",
            "store",
            "publish",
            "telemetry",
        ],
    ),
    ("serve", &["model", "health", "config", "render", "store", "publish", "telemetry"]),
    // L4
    (
        "cli",
        &[
            "model",
            "rule",
            "config",
            "decode",
            "doctor",
            "parse",
            "import",
            "render",
            "net",
            "store",
            "publish",
            "telemetry",
            "worker",
            "serve",
        ],
    ),
    ("main", &["cli"]),
    ("lib", &[]),
];

/// Crates that only some places may name.
const FENCES: &[(&str, &[&str])] = &[
    ("dom_query", &["extract/dom"]),
    ("html5ever", &["extract/dom"]),
    ("selectors", &["extract/dom"]),
    ("dom_smoothie", &["extract/readable.rs"]),
    ("ferrous_opencc", &["rule/chinese.rs"]),
    ("memchr", &["xml/", "parse/"]),
    ("web_atoms", &["xml/"]),
    ("base64", &["serve/"]),
    ("sqlx", &["store/"]),
    ("axum", &["serve/"]),
    ("rss", &["render/"]),
    ("atom_syndication", &["render/"]),
    ("serde_yaml", &["config/"]),
    ("annotate_snippets", &["config/"]),
    // Only tests and benchmarks compare with it.
    ("quick_xml", &[]),
    ("ammonia", &["normalise/"]),
    ("encoding_rs", &["decode/"]),
    ("chardetng", &["decode/"]),
    ("hyper_rustls", &["net/"]),
    ("rustls", &["net/"]),
    ("libc", &["worker/snapshot.rs"]),
    ("hashbrown", &["worker/plan.rs"]),
    ("psl", &["normalise/", "net/"]),
    ("askama", &["render/", "serve/"]),
    ("clap", &["cli/"]),
    ("anyhow", &["cli/"]),
    ("prometheus_client", &["telemetry/"]),
];

/// What the pure rooms must not name: I/O, the clock, chance, a runtime.
const IMPURE: &[&str] = &[
    "tokio",
    "hyper",
    "hyper_util",
    "sqlx",
    "std::fs",
    "std::net::Tcp",
    "std::time::Instant",
    "SystemTime",
    "Utc::now",
    "Local::now",
    "rand",
    "std::env::",
    "std::process",
    "std::thread::sleep",
];

const PURE: &[&str] = &[
    "model",
    "decode",
    "xml",
    "parse",
    "extract",
    "normalise",
    "rule",
    "schedule",
    "health",
    "config",
    "merge",
    "render",
    "import",
    "doctor",
];

/// The most lines of a source file; tests in a module of their own file are apart.
const LONGEST_FILE: usize = 400;

/// Files that may be longer, with the reason.
const MAY_BE_LONGER: &[(&str, &str)] = &[];

struct Source {
    /// Relative to src, with `/`.
    path: String,
    room: String,
    /// Without comments, string contents and what stands under `#[cfg(test)]`.
    code: String,
    lines: usize,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    paths.iter().map(|path| read(&root, path)).filter(|source| !is_test_file(&source.path)).collect()
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
    paths.sort();
}

/// Files that hold tests alone are declared under `#[cfg(test)]` by their parents.
fn is_test_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap();
    name == "tests.rs" || name.ends_with("_tests.rs") || path.contains("/tests/") || name == "contract.rs"
}

fn read(root: &Path, path: &Path) -> Source {
    let text = fs::read_to_string(path).unwrap();
    let path = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
    let room = path.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
    let own = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let code = own.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n");
    Source { path, room, code, lines: own.lines().count() }
}

/// The rooms that a file names with `crate::room`, also in `use crate::{a, b::c}`.
fn imports(code: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for part in code.split("crate::").skip(1) {
        match part.strip_prefix('{') {
            Some(list) => {
                let mut depth = 0;
                let mut name = String::new();
                for letter in list.chars() {
                    match letter {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => rooms.push(std::mem::take(&mut name)),
                        _ if depth == 0 => name.push(letter),
                        _ => {}
                    }
                }
                rooms.push(name);
            }
            None => rooms.push(part.to_owned()),
        }
    }
    let first_word = |room: &String| {
        room.trim().chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect::<String>()
    };
    rooms.iter().map(first_word).filter(|room| !room.is_empty()).collect()
}

/// Whether `code` names a crate or path: not as part of a longer word, not as a field or our own module.
fn names(code: &str, what: &str) -> bool {
    code.match_indices(what).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = &code[at + what.len()..];
        let whole = what.contains("::") || after.starts_with("::");
        whole
            && !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_' || letter == ':' || letter == '"')
    })
}

#[test]
fn rooms_import_only_from_below() {
    let may: BTreeMap<_, _> = MAY_IMPORT.iter().copied().collect();
    let rooms: Vec<_> = may.keys().copied().collect();
    let mut wrong = Vec::new();
    for source in sources() {
        let Some(allowed) = may.get(source.room.as_str()) else {
            wrong.push(format!("src/{}: the room {} is not in the table", source.path, source.room));
            continue;
        };
        for room in imports(&source.code) {
            if rooms.contains(&room.as_str()) && room != source.room && !allowed.contains(&room.as_str()) {
                wrong.push(format!("src/{} imports from {room}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "against the direction of the house:\n{}", wrong.join("\n"));
}

#[test]
fn crates_stay_behind_their_fences() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (name, places) in FENCES {
            let own_module =
                Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(&source.room).join(format!("{name}.rs"));
            let allowed = places.iter().any(|place| source.path.starts_with(place));
            if names(&source.code, name) && !allowed && !own_module.exists() {
                wrong.push(format!("src/{} names {name}, which belongs to {}", source.path, places.join(", ")));
            }
        }
    }
    assert!(wrong.is_empty(), "over the fence:\n{}", wrong.join("\n"));
}

#[test]
fn pure_rooms_do_no_io_and_ask_no_clock() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|source| PURE.contains(&source.room.as_str())) {
        for what in IMPURE {
            if names(&source.code, what) {
                wrong.push(format!("src/{} names {what}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "not pure:\n{}", wrong.join("\n"));
}

#[test]
fn files_stay_short() {
    let long: Vec<_> = sources()
        .iter()
        .filter(|source| source.lines > LONGEST_FILE && !MAY_BE_LONGER.iter().any(|(path, _)| *path == source.path))
        .map(|source| format!("src/{}: {} lines", source.path, source.lines))
        .collect();
    assert!(long.is_empty(), "longer than {LONGEST_FILE} lines:\n{}", long.join("\n"));
}

#[test]
fn the_checks_see_what_they_look_for() {
    let imported =
        imports("use crate::{decode, net::{self, Client}};\nuse crate::model::Feed;\nlet x = crate::serve::run();");
    assert_eq!(imported, ["decode", "net", "model", "serve"]);
    assert!(names("use sqlx::Row;", "sqlx"));
    assert!(names("let now = Utc::now();", "Utc::now"));
    assert!(names("tokio::spawn(x)", "tokio"));
    assert!(!names("render::rss(&feed)", "rss"), "our own function");
    assert!(!names("let rss = 1;", "rss"));
    let rooms: Vec<_> = sources().iter().map(|source| source.room.clone()).collect();
    for room in ["model", "store", "worker", "serve"] {
        assert!(rooms.contains(&room.to_owned()), "{room} was read");
    }
}
