//! Logs that a power cut tore or somebody took away, readers that never end, files that are damaged: what is recorded
//! is kept, what is lost is told, what can be read is read.

use super::copy::beside;
use super::{Salvage, SqliteStore};
use crate::model::Record;
use crate::store::samples::{channel, instant, linked, live, poll_of};
use crate::store::{Store, StoreError};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};
use std::fs;
use std::path::Path;

async fn open(folder: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(folder, instant(0)).await
}

async fn all(store: &dyn Store) -> Vec<Record> {
    store.latest(&channel("a"), 9999).await.unwrap()
}

async fn one(store: &SqliteStore, n: i64) {
    store.record(&live(n, vec![linked(&format!("9/{n}"), &format!("题{n}"))])).await.unwrap();
}

/// What stands on the disk when the machine stops.
fn freeze(data: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).unwrap();
    for name in ["heliu.db", "heliu.db-wal", "heliu.lock"] {
        if data.join(name).exists() {
            fs::copy(data.join(name), to.join(name)).unwrap();
        }
    }
}

/// After a power cut the log may end anywhere behind what was synced, with anything behind its end. With
/// `synchronous = FULL` all of it up to the last acknowledged poll was.
#[tokio::test]
async fn a_log_that_a_power_cut_tore_keeps_every_acknowledged_poll() {
    let folder = tempfile::tempdir().unwrap();
    let (data, cut) = (folder.path().join("data"), folder.path().join("cut"));
    let store = open(&data).await.unwrap();
    // How long the log was when each poll was acknowledged.
    let log = data.join("heliu.db-wal");
    let mut synced = Vec::new();
    for n in 0..12 {
        one(&store, n).await;
        synced.push(fs::metadata(&log).unwrap().len());
    }
    let records = all(&store).await;
    freeze(&data, &cut);
    let (database, whole) = (fs::read(cut.join("heliu.db")).unwrap(), fs::read(cut.join("heliu.db-wal")).unwrap());
    assert_eq!(whole.len() as u64, synced[11], "nothing was copied into the file meanwhile");
    let mut state = 20_261_126_u64;
    let mut random = move |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let rounds: u32 = std::env::var("HELIU_CUTS").ok().and_then(|text| text.parse().ok()).unwrap_or(100);
    for round in 0..rounds {
        let at = random(whole.len() as u64 - synced[0] + 1) + synced[0];
        let mut torn = whole[..usize::try_from(at).unwrap()].to_vec();
        match round % 3 {
            0 => {}
            1 => torn.resize(whole.len(), 0),
            _ => torn.extend((at..whole.len() as u64).map(|_| random(256).to_le_bytes()[0])),
        }
        let _ = fs::remove_file(cut.join("heliu.db-shm"));
        // Not synced: it may be lost.
        let _ = fs::remove_file(cut.join("heliu.lock"));
        fs::write(cut.join("heliu.db"), &database).unwrap();
        fs::write(cut.join("heliu.db-wal"), torn).unwrap();
        let store = open(&cut).await.unwrap();
        store.verify().await.unwrap();
        let kept = all(&store).await;
        let acknowledged = synced.iter().filter(|synced| **synced <= at).count();
        assert!(kept.len() >= acknowledged, "cut at {at}: {} of {acknowledged} polls are there", kept.len());
        assert!(kept.iter().eq(records.iter().filter(|record| record.seq <= kept.len() as u64)), "cut at {at}");
        one(&store, 99).await;
        store.close().await;
    }
}

#[tokio::test]
async fn a_log_that_was_taken_away_or_damaged_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let (data, lost) = (folder.path().join("data"), folder.path().join("lost"));
    let store = open(&data).await.unwrap();
    for n in 0..5 {
        one(&store, n).await;
    }
    freeze(&data, folder.path().join("killed").as_path());
    store.close().await;
    assert!(!data.join("heliu.db-wal").exists(), "a clean stop leaves no log");
    let whole = fs::read(folder.path().join("killed/heliu.db-wal")).unwrap();
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for (what, log) in [
        ("deleted", None),
        ("empty", Some(Vec::new())),
        ("garbage", Some(b"garbage!".repeat(999))),
        ("half", Some(whole[..whole.len() / 2].to_vec())),
        ("a bit", Some(flipped)),
    ] {
        freeze(&folder.path().join("killed"), &lost);
        match &log {
            None => fs::remove_file(lost.join("heliu.db-wal")).unwrap(),
            Some(log) => fs::write(lost.join("heliu.db-wal"), log).unwrap(),
        }
        let error = open(&lost).await.expect_err(what);
        assert!(matches!(error, StoreError::Damaged { .. }), "{what}: {error}");
        let told = error.to_string();
        assert!(told.contains("heliu.db-wal") && told.contains("delete heliu.lock"), "{what}: {told}");
        // The log is put back, or the loss is accepted.
        freeze(&folder.path().join("killed"), &lost);
        assert_eq!(all(&open(&lost).await.unwrap()).await.len(), 5, "{what}");
        fs::remove_file(lost.join("heliu.lock")).unwrap();
        open(&lost).await.unwrap();
    }
    // A tool that copies the log into the file, as sqlite3 does, is no loss.
    freeze(&folder.path().join("killed"), &lost);
    let options = SqliteConnectOptions::new().filename(lost.join("heliu.db"));
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query("SELECT count(*) FROM entry").fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    assert!(!lost.join("heliu.db-wal").exists());
    assert_eq!(all(&open(&lost).await.unwrap()).await.len(), 5);
}

#[tokio::test]
async fn a_reader_that_never_ends_is_seen_by_the_size_of_the_log_and_stops_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let store = open(&data).await.unwrap();
    one(&store, 0).await;
    let options = SqliteConnectOptions::new().filename(data.join("heliu.db")).read_only(true);
    let mut stuck = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT count(*) FROM entry").execute(&mut stuck).await.unwrap();
    let large = |n: i64| {
        let mut candidate = linked(&format!("8/{n}"), &format!("大{n}"));
        candidate.entry.content = Some("文".repeat(200_000));
        live(n, vec![candidate])
    };
    for n in 1..60 {
        store.record(&large(n)).await.unwrap();
    }
    let with_reader = store.sizes().await.unwrap();
    assert!(with_reader.log > 24 << 20, "the log cannot be copied into the file: {with_reader:?}");
    super::back_up(&data, &folder.path().join("a.db")).await.unwrap();
    sqlx::raw_sql("COMMIT").execute(&mut stuck).await.unwrap();
    for n in 60..64 {
        store.record(&large(n)).await.unwrap();
    }
    let after = store.sizes().await.unwrap();
    assert!(after.log <= 16 << 20, "then it is copied and cut back: {after:?}");

    // At a clean stop what can be copied is, also when another program has the file open.
    store.close().await;
    let log = fs::read(data.join("heliu.db-wal")).unwrap();
    fs::remove_file(data.join("heliu.db-wal")).unwrap();
    assert!(!log.is_empty());
    let alone = folder.path().join("alone");
    fs::create_dir(&alone).unwrap();
    fs::copy(data.join("heliu.db"), alone.join("heliu.db")).unwrap();
    assert_eq!(all(&open(&alone).await.unwrap()).await.len(), 64);
}

/// A ledger of several channels, closed; its pages are 8 KiB.
async fn library(folder: &Path) -> Vec<(String, Vec<Record>)> {
    let store = open(folder).await.unwrap();
    let mut known = Vec::new();
    for name in ["a", "b", "c", "d"] {
        let mut many = Vec::new();
        for n in 0..60 {
            let mut candidate = linked(&format!("{name}/{n}"), &format!("{name}{n}"));
            candidate.entry.content = Some(format!("{n} ").repeat(300));
            candidate.entry.published.at += chrono::TimeDelta::minutes(n);
            many.push(candidate);
        }
        store.record(&poll_of(name, 1, crate::model::Standing::Live, many)).await.unwrap();
        store.stamp(name, "hash", instant(2)).await.unwrap();
        known.push((name.to_owned(), store.latest(&channel(name), 999).await.unwrap()));
    }
    store.close().await;
    known
}

#[tokio::test]
async fn of_a_damaged_ledger_what_can_be_read_is_read_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let known = library(&folder.path().join("good")).await;
    let bytes = fs::read(folder.path().join("good/heliu.db")).unwrap();
    let pages = bytes.len() / 8192;
    assert!(pages > 20, "{pages}");
    let (mut read, mut refused, mut part, mut thin) = (0, 0, 0, 0);
    for page in 0..pages {
        let data = folder.path().join("bad");
        let _ = fs::remove_dir_all(&data);
        fs::create_dir(&data).unwrap();
        let mut damaged = bytes.clone();
        damaged[page * 8192..(page + 1) * 8192].fill(0xa5);
        fs::write(data.join("heliu.db"), &damaged).unwrap();
        let Err(why) = open(&data).await else { panic!("page {page}: the damage was not noticed") };
        assert!(matches!(why, StoreError::Damaged { .. }), "page {page}: {why}");
        match Salvage::open(&data, why, instant(9)).await {
            Err(error) => {
                assert!(error.to_string().contains("heliu.db"), "{error}");
                refused += 1;
            }
            Ok(salvage) => {
                read += 1;
                for (name, records) in &known {
                    let found = salvage.latest(&channel(name), 999).await.unwrap();
                    assert!(found.iter().all(|record| records.contains(record)), "page {page}: never anything else");
                    let in_order = found.windows(2).all(|two| two[0].entry.published.at >= two[1].entry.published.at);
                    assert!(in_order, "page {page}");
                    thin += usize::from(found.len() < 45);
                    part += usize::from(found.len() < records.len());
                }
                assert!(matches!(salvage.ping().await, Err(StoreError::Damaged { .. })));
                assert!(salvage.ready().await.is_err() && salvage.record(&live(5, vec![])).await.is_err());
                let stamp = salvage.stamp("new", "h", instant(9)).await.unwrap();
                assert_eq!(salvage.stamp("new", "h", instant(10)).await.unwrap(), stamp);
                salvage.close().await;
            }
        }
        assert_eq!(fs::read(data.join("heliu.db")).unwrap(), damaged, "page {page}: the file was changed");
    }
    // The header and the pages that lead to all channels and entries are few.
    assert!(refused <= 5 && read >= pages - 5, "{read} could be read, {refused} not, of {pages}");
    // A page holds some five entries, one that leads to others some thirty: those on both sides of it are there.
    assert!(part > 20 && thin * 2 < part, "{part} channels were read in part, {thin} of them lack more than a quarter");
}

#[tokio::test]
async fn what_is_no_reason_to_read_on_is_passed_on() {
    let folder = tempfile::tempdir().unwrap();
    let newer = StoreError::TooNew { path: "x".to_owned(), found: 9, known: 2 };
    library(&folder.path().join("d")).await;
    let error = Salvage::open(&folder.path().join("d"), newer, instant(0)).await.unwrap_err();
    assert!(matches!(error, StoreError::TooNew { .. }), "{error}");
    let _running = open(&folder.path().join("d")).await.unwrap();
    let why = StoreError::Engine("odd".to_owned());
    let error = Salvage::open(&folder.path().join("d"), why.clone(), instant(0)).await.unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    let error = Salvage::open(&folder.path().join("none"), why, instant(0)).await.unwrap_err();
    assert!(matches!(error, StoreError::Engine(_)) && !folder.path().join("none").exists(), "{error}");
}

#[tokio::test]
async fn damage_under_a_running_store_stops_all_recording() {
    let folder = tempfile::tempdir().unwrap();
    library(folder.path()).await;
    let store = open(folder.path()).await.unwrap();
    let path = folder.path().join("heliu.db");
    let mut bytes = fs::read(&path).unwrap();
    bytes[8192..].fill(0xa5);
    fs::write(&path, &bytes).unwrap();
    let mut seen = None;
    for name in ["a", "b", "c", "d"] {
        seen = store.latest(&channel(name), 999).await.err().or(seen);
    }
    assert!(matches!(seen, Some(StoreError::Damaged { .. })), "{seen:?}");
    for error in [
        store.record(&live(9, vec![linked("9/9", "新")])).await.unwrap_err(),
        store.ping().await.unwrap_err(),
        store.ready().await.unwrap_err(),
        store.stamp("x", "y", instant(1)).await.unwrap_err(),
        store.release(&channel("a"), instant(1)).await.unwrap_err(),
    ] {
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    }
    store.close().await;
    assert_eq!(fs::read(&path).unwrap(), bytes, "the damaged file was written to");
    assert!(!beside(&path, "-wal").exists() || fs::metadata(beside(&path, "-wal")).unwrap().len() > 0);
}

#[tokio::test]
async fn a_schema_that_lacks_something_is_damage() {
    for (sql, what) in [
        ("DROP TABLE fetch_state", "fetch_state"),
        ("DROP INDEX entry_id", "entry_id"),
        ("ALTER TABLE channel RENAME COLUMN poll TO pool", "channel"),
        ("DELETE FROM ledger", "ledger"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let known = library(folder.path()).await;
        let options = SqliteConnectOptions::new().filename(folder.path().join("heliu.db"));
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let why = open(folder.path()).await.expect_err(sql);
        assert!(matches!(&why, StoreError::Damaged { reason, .. } if reason.contains(what)), "{sql}: {why}");
        if what != "channel" {
            let salvage = Salvage::open(folder.path(), why, instant(9)).await.expect(sql);
            assert_eq!(all(&salvage).await, known[0].1, "{sql}: the entries can be read");
        }
    }
}
