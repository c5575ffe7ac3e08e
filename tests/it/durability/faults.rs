//! Every call on the ledger's files fails once, or from some moment on: no panic, no acknowledged poll lost, and when the
//! fault is over everything goes on.
//!
//! The faults come from `strace --inject`, so they are what the system itself would say. Where tracing is not allowed the
//! test is skipped. `HELIU_FAULT_STEP=1` sweeps every call; otherwise every so manieth, beginning at another one each day.

use super::writer::{self, CHANNELS, Ids, Manner};
use super::{from_environment, skipped};
use chrono::{DateTime, Utc};
use heliu::store::{SqliteStore, Store as _};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

/// The calls that are made to fail, and how.
const FAULTS: &[(&str, &[&str])] = &[
    ("pwrite64", &["EIO", "ENOSPC"]),
    ("write", &["EIO", "ENOSPC"]),
    ("fsync", &["EIO"]),
    ("fdatasync", &["EIO", "ENOSPC"]),
    ("openat", &["EIO", "EMFILE", "ENOSPC"]),
    ("ftruncate", &["EIO", "ENOSPC"]),
    ("pread64", &["EIO"]),
    ("unlink", &["EIO"]),
    ("fallocate", &["ENOSPC"]),
];

/// Polls of each channel in the scenario.
const POLLS: u64 = 3;
/// How often opening and each poll are tried.
const TRIES: u64 = 10;

fn traced(folder: &Path, inject: &[String], log: &Path) -> Output {
    let data = folder.join("data");
    let mut arguments = vec!["strace".to_owned(), "-f".to_owned(), "-qq".to_owned()];
    arguments.extend(["-o".to_owned(), log.display().to_string()]);
    for name in ["heliu.db", "heliu.db-wal", "heliu.db-shm", "heliu.lock"] {
        arguments.extend(["-P".to_owned(), data.join(name).display().to_string()]);
    }
    for one in inject {
        arguments.extend(["-e".to_owned(), one.clone()]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    writer::command(&arguments, &data, Manner::Good, POLLS, TRIES).output().unwrap()
}

/// How often each call is made in the scenario without faults; `None` where nothing can be traced.
fn counted(folder: &Path) -> Option<BTreeMap<&'static str, usize>> {
    if !Command::new("strace").arg("-V").output().is_ok_and(|output| output.status.success()) {
        return None;
    }
    let log = folder.join("log");
    let calls = FAULTS.iter().map(|(call, _)| *call).collect::<Vec<_>>().join(",");
    let output = traced(folder, &[format!("trace={calls}")], &log);
    if !writer::said(&output.stdout).contains(&"done".to_owned()) {
        return None;
    }
    let text = std::fs::read_to_string(log).unwrap();
    let count = |call: &str| text.lines().filter(|line| line.contains(&format!(" {call}("))).count();
    Some(FAULTS.iter().map(|(call, _)| (*call, count(call))).collect())
}

/// One fault; what went wrong beyond what must.
async fn check(inject: &str, lasting: bool) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let output = traced(folder.path(), &[inject.to_owned()], &folder.path().join("log"));
    let (said, told) = (writer::said(&output.stdout), String::from_utf8_lossy(&output.stderr).into_owned());
    let all = String::from_utf8_lossy(&output.stdout);
    if told.contains("panicked") || all.contains("panicked") || !output.status.success() {
        return Err(format!("{inject}: {:?}\n{all}\n{told}", output.status));
    }
    let done = said.contains(&"done".to_owned());
    // strace counts the calls of each thread apart, and each try to open begins a new one: such a fault never ends.
    let refused: Vec<_> = said.iter().filter(|line| line.starts_with("refused ")).collect();
    if let Some(unclear) = refused.iter().find(|line| !line.contains("heliu.") && !line.contains("Free some space")) {
        return Err(format!("{inject}: refused without saying what and where: {unclear}"));
    }
    if !done && !lasting && refused.len() < usize::try_from(TRIES).unwrap() {
        return Err(format!("{inject}: it did not recover by itself: {said:?}"));
    }
    // Whatever it said is there, and when the fault is over everything goes on.
    let data = folder.path().join("data");
    let store = SqliteStore::open(&data, DateTime::<Utc>::UNIX_EPOCH).await.map_err(|e| format!("{inject}: {e}"))?;
    store.verify().await.map_err(|e| format!("{inject}: {e}"))?;
    let acknowledged = writer::acknowledged(&said);
    for channel in 0..CHANNELS {
        let present = writer::done(&store, channel).await;
        let least = acknowledged[channel];
        if present < least || present > least + 1 {
            return Err(format!("{inject}: {present} polls are there, {least} were acknowledged: {said:?}"));
        }
        writer::compare(&store, channel, present, &mut Ids::new()).await.map_err(|e| format!("{inject}: {e}"))?;
    }
    store.close().await;
    let again = writer::command(&[], &data, Manner::Good, 1, 1).output().unwrap();
    if !writer::said(&again.stdout).contains(&"done".to_owned()) {
        return Err(format!("{inject}: afterwards: {}", String::from_utf8_lossy(&again.stdout)));
    }
    Ok(())
}

#[tokio::test]
async fn no_failing_call_loses_an_acknowledged_poll() {
    let folder = tempfile::tempdir().unwrap();
    let Some(counts) = counted(folder.path()) else {
        return skipped("strace: the sweep of failing system calls (not installed, or tracing is not allowed)");
    };
    assert!(counts["pwrite64"] > 20 && counts["fdatasync"] + counts["fsync"] > 5, "{counts:?}");
    let step = usize::try_from(from_environment("HELIU_FAULT_STEP", 16)).unwrap();
    let mut faults = Vec::new();
    for (call, errors) in FAULTS {
        for error in *errors {
            // A little beyond the count: threads make it differ from run to run.
            let mut when: Vec<usize> = (1..=counts[call]).step_by(step).collect();
            when.extend(Some(counts[call]).filter(|last| *last > 1));
            for n in when {
                faults.push((format!("inject={call}:error={error}:when={n}"), false));
                if n % 2 == 1 && *call != "openat" {
                    faults.push((format!("inject={call}:error={error}:when={n}+"), true));
                }
            }
        }
    }
    let mut wrong = Vec::new();
    for (inject, lasting) in &faults {
        wrong.extend(check(inject, *lasting).await.err());
    }
    eprintln!("{} faults, {} went wrong; calls without faults: {counts:?}", faults.len(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
