//! Killed at any moment of a storm of writes, and started again: thousands of times.
//!
//! `HELIU_KILLS=10000 cargo test --test it durability::kills -- --nocapture` is the full run; its output stands in
//! docs/durability.md. What a power cut does, which a kill cannot show, is tested beside the store: the log cut at any place.

use super::writer::{self, CHANNELS, Ids, Manner};
use super::{from_environment, tell};
use chrono::{DateTime, Utc};
use heliu::store::{SqliteStore, Store as _};
use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// So many kills on one ledger; then a new one is begun, so that its creation is hit as well.
const KILLS_PER_LEDGER: u64 = 50;

/// `SplitMix64`: the same seed, the same moments. (What the writer does in that time is not ours to repeat.)
struct Chance(u64);

impl Chance {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

#[derive(Debug, Default)]
struct Report {
    kills: u64,
    acknowledged: u64,
    /// Polls that were recorded but whose acknowledgement was not heard.
    unheard: u64,
    /// Kills before the writer said anything.
    early: u64,
    slowest: Duration,
}

/// Starts a writer, kills it at a moment, tells what it had acknowledged.
fn kill_one(folder: &Path, manner: Manner, chance: &mut Chance) -> ([usize; CHANNELS], String) {
    let mut child = writer::command(&[], folder, manner, 1 << 40, 1).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut err = child.stderr.take().unwrap();
    // A third of the kills fall into the start, the rest into the storm.
    let in_start = chance.next(3) == 0;
    let after = Duration::from_micros(chance.next(if in_start { 60_000 } else { 40_000 }));
    let (begun, wait) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut heard = Vec::new();
        let mut chunk = [0; 4096];
        while let Ok(read) = out.read(&mut chunk)
            && read > 0
        {
            heard.extend(&chunk[..read]);
            if heard.contains(&b'@') {
                let _ = begun.send(());
            }
        }
        heard
    });
    if !in_start {
        let _ = wait.recv_timeout(Duration::from_secs(20));
    }
    // The moment itself, to the microsecond: a timer is no finer than a millisecond.
    let moment = Instant::now() + after;
    std::thread::sleep(after.saturating_sub(Duration::from_millis(1)));
    while Instant::now() < moment {
        std::hint::spin_loop();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let mut told = String::new();
    let _ = err.read_to_string(&mut told);
    let said = writer::said(&reader.join().unwrap());
    let refused = said.iter().filter(|line| !line.starts_with("ack ")).cloned().collect::<Vec<_>>().join("; ");
    (writer::acknowledged(&said), refused + &told)
}

/// Kills so many writers; the first thing that is wrong.
async fn torture(kills: u64, seed: u64, manner: Manner) -> Result<Report, String> {
    let mut chance = Chance(seed);
    let mut report = Report::default();
    let mut folder = tempfile::tempdir().unwrap();
    let (mut ids, mut present) = (Ids::new(), [0; CHANNELS]);
    for kill in 0..kills {
        if kill % KILLS_PER_LEDGER == 0 {
            folder = tempfile::tempdir().unwrap();
            (ids, present) = (Ids::new(), [0; CHANNELS]);
        }
        let data = folder.path().join("data");
        let (acknowledged, complaint) = kill_one(&data, manner, &mut chance);
        let wrong = |what: String| format!("seed {seed}, kill {kill}: {what}");
        if !complaint.trim().is_empty() {
            return Err(wrong(complaint));
        }
        report.early += u64::from(acknowledged == [0; CHANNELS]);
        let began = Instant::now();
        let store = SqliteStore::open(&data, DateTime::<Utc>::UNIX_EPOCH).await.map_err(|e| wrong(e.to_string()))?;
        report.slowest = report.slowest.max(began.elapsed());
        store.verify().await.map_err(|e| wrong(e.to_string()))?;
        for channel in 0..CHANNELS {
            let done = writer::done(&store, channel).await;
            let least = acknowledged[channel].max(present[channel]);
            // One poll of each channel may be recorded without our having heard of it.
            if done < least || done > least + 1 {
                return Err(wrong(format!("channel {channel}: {done} polls are there, {least} were acknowledged")));
            }
            report.acknowledged += (acknowledged[channel].saturating_sub(present[channel])) as u64;
            report.unheard += (done - least) as u64;
            writer::compare(&store, channel, done, &mut ids).await.map_err(wrong)?;
            present[channel] = done;
        }
        store.close().await;
        report.kills += 1;
    }
    Ok(report)
}

#[tokio::test]
async fn no_kill_loses_an_acknowledged_poll_or_changes_an_id() {
    let (kills, seed) = (from_environment("HELIU_KILLS", 100), from_environment("HELIU_SEED", 20_261_126));
    let began = Instant::now();
    let report = torture(kills, seed, Manner::Good).await.unwrap();
    assert_eq!(report.kills, kills);
    assert!(report.acknowledged > kills, "hardly anything was written: {report:?}");
    tell(&format!("seed {seed}: {report:?} in {:.0} s", began.elapsed().as_secs_f64()));
}

#[tokio::test]
async fn writers_that_lie_are_caught() {
    for (manner, expected) in
        [(Manner::Early, "were acknowledged"), (Manner::Halved, "polls, "), (Manner::Renames, "instead of")]
    {
        let error = torture(60, 7, manner).await.expect_err("it was not caught");
        assert!(error.contains(expected), "{manner:?}: {error}");
    }
}
