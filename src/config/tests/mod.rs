//! Tests of the whole room: text in, configuration and diagnostics out.

mod bad;
mod good;
mod hostile;

use super::{Loaded, Validators, load};
use std::path::{Path, PathBuf};

fn read(text: &str) -> Loaded {
    load(text, "feeds.yaml", Path::new("/etc/heliu"), &Validators::default())
}

fn root(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

/// Compares with a file of the repository; writes it instead if `HELIU_BLESS` is set.
fn same_as_file(file: &str, actual: &str) {
    let path = root(file);
    if std::env::var_os("HELIU_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, actual).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(expected, actual, "{file} is out of date: run HELIU_BLESS=1 cargo test --lib config::");
}
