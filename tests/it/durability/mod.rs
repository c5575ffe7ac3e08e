//! The ledger under kills, failing disks and damage: no acknowledged poll is lost, nothing is half written, no id changes,
//! and readers are served.

mod drill;
mod faults;
mod full;
mod kills;
mod writer;

/// Says that a test could not be done here. It must never look like one that passed.
fn skipped(what: &str) {
    use std::io::Write as _;
    // Past the capture of the test harness: `scripts/test` collects these lines.
    let _ = writeln!(std::io::stderr().lock(), "SKIPPED {what}");
    if let Some(path) = std::env::var_os("HELIU_SKIPPED") {
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        let _ = file.and_then(|mut file| writeln!(file, "{what}"));
    }
}

/// A number from the environment, so that the full run of a test is one command.
fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}
