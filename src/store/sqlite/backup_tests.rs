//! Backups of a ledger that is written, and what restoring refuses.

use super::copy::beside;
use super::{SqliteStore, back_up, restore};
use crate::model::Record;
use crate::store::samples::{channel, instant, linked, live};
use crate::store::{Holdings, Store, StoreError};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

async fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(folder, instant(0)).await.unwrap()
}

async fn all(store: &SqliteStore) -> Vec<Record> {
    store.latest(&channel("a"), 9999).await.unwrap()
}

/// Records entry `n` in a poll of its own.
async fn one(store: &SqliteStore, n: i64) {
    store.record(&live(n, vec![linked(&format!("9/{n}"), &format!("题{n}"))])).await.unwrap();
}

/// A closed ledger of so many entries.
async fn filled(folder: &Path, entries: i64) -> Vec<Record> {
    let store = open(folder).await;
    for n in 0..entries {
        one(&store, n).await;
    }
    let records = all(&store).await;
    store.close().await;
    records
}

/// Every file of a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|one| (one.file_name().into_string().unwrap(), fs::read(one.path()).unwrap())).collect()
}

async fn raw(path: &Path, sql: &'static str) {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_of_a_ledger_that_is_written_hold_what_was_recorded_then() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let store = Arc::new(open(&data).await);
    one(&store, 0).await;
    let writer = Arc::clone(&store);
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let writing = tokio::spawn(async move {
        let mut n = 1;
        while stopped.try_recv().is_err() {
            one(&writer, n).await;
            n += 1;
        }
        n
    });
    let mut backups: Vec<(PathBuf, u64, Holdings)> = Vec::new();
    for round in 0..6 {
        let acknowledged = all(&store).await.len() as u64;
        let file = folder.path().join(format!("{round}.db"));
        let held = back_up(&data, &file).await.unwrap();
        backups.push((file, acknowledged, held));
    }
    stop.send(()).unwrap();
    let written = writing.await.unwrap();
    let records = all(&store).await;
    assert_eq!(i64::try_from(records.len()).unwrap(), written);
    assert!(backups[5].2.entries > backups[0].2.entries, "the writer was not kept waiting");
    for (round, (file, acknowledged, held)) in backups.iter().enumerate() {
        assert!(held.entries >= *acknowledged, "round {round}: {held:?} lacks some of {acknowledged}");
        let target = folder.path().join(format!("restored-{round}"));
        let done = restore(file, &target, instant(1)).await.unwrap();
        assert!(done.sealed && done.kept.is_none(), "{done:?}");
        let restored = open(&target).await;
        let expected: Vec<_> = records.iter().filter(|record| record.seq <= held.seq).cloned().collect();
        assert_eq!(all(&restored).await, expected, "round {round}");
        assert_eq!(held.entries, expected.len() as u64);
        restored.verify().await.unwrap();
        let seal = fs::read_to_string(beside(file, ".sha256")).unwrap();
        assert_eq!(seal, format!("{}  {round}.db\n", held.sha256));
    }
}

async fn refused(what: &str, data: &Path, file: &Path, expected: &str) {
    let before = files(file.parent().unwrap());
    let error = back_up(data, file).await.expect_err(what);
    assert!(error.to_string().contains(expected), "{what}: {error}");
    assert_eq!(files(file.parent().unwrap()), before, "{what}: files were left or changed");
}

#[tokio::test]
async fn a_backup_that_cannot_be_good_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (data, target) = (folder.path().join("data"), folder.path().join("target"));
    fs::create_dir(&target).unwrap();
    filled(&data, 20).await;
    let file = target.join("a.db");
    fs::write(&file, "mine").unwrap();
    refused("a file that is there", &data, &file, "never overwrites").await;
    fs::remove_file(&file).unwrap();
    let inside = target.join("folder");
    fs::create_dir(&inside).unwrap();
    let error = back_up(&data, &inside).await.unwrap_err();
    assert!(error.to_string().contains("Name a file in it"), "{error}");
    fs::remove_dir(&inside).unwrap();
    let error = back_up(&data, &folder.path().join("missing/a.db")).await.unwrap_err();
    assert!(error.to_string().contains("the folder must exist"), "{error}");
    refused("no ledger", &folder.path().join("none"), &file, "heliu.db").await;
    assert!(!folder.path().join("none").exists(), "a backup makes no data folder");

    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    raw(&other.join("heliu.db"), "CREATE TABLE bookmarks (url TEXT)").await;
    refused("another program's", &other, &file, "another program").await;
    raw(&data.join("heliu.db"), "PRAGMA user_version = 99").await;
    refused("a newer one", &data, &file, "schema version 99").await;
    raw(&data.join("heliu.db"), "PRAGMA user_version = 2; DROP INDEX key_entry").await;
    refused("an index is missing", &data, &file, "key_entry").await;
    raw(&data.join("heliu.db"), "CREATE INDEX key_entry ON key (entry); UPDATE entry SET body = '{' WHERE seq = 3")
        .await;
    refused("a row that cannot be read", &data, &file, "an entry cannot be read").await;
    raw(&data.join("heliu.db"), "UPDATE entry SET body = '{}'").await;
    let mut bytes = fs::read(data.join("heliu.db")).unwrap();
    bytes[3 * 8192..5 * 8192].fill(7);
    fs::write(data.join("heliu.db"), &bytes).unwrap();
    refused("damage", &data, &file, "damaged").await;
}

#[tokio::test]
async fn what_a_killed_backup_left_is_cleared_and_two_do_not_meet() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let records = filled(&data, 5).await;
    let file = folder.path().join("a.db");
    // Half a copy, the journal of its last transaction, and the checksum of an earlier backup of this name.
    fs::write(beside(&file, ".part"), b"SQLite format 3\0half".repeat(1000)).unwrap();
    fs::write(beside(&file, ".part-journal"), [0xd9, 0xd5, 5, 0xf9].repeat(512)).unwrap();
    fs::write(beside(&file, ".sha256"), "0000  a.db\n").unwrap();
    back_up(&data, &file).await.unwrap();
    for ending in [".part", ".part-journal", ".sha256.part"] {
        assert!(!beside(&file, ending).exists(), "{ending} is left");
    }
    assert!(restore(&file, &folder.path().join("b"), instant(1)).await.unwrap().sealed);
    assert_eq!(all(&open(&folder.path().join("b")).await).await, records);

    let busy = folder.path().join("busy.db");
    let lock = fs::File::create(beside(&busy, ".part")).unwrap();
    lock.lock().unwrap();
    let error = back_up(&data, &busy).await.unwrap_err();
    assert!(error.to_string().contains("another backup is writing it"), "{error}");
    assert!(beside(&busy, ".part").exists(), "that of the other one stays");
}

async fn check_refusal(what: &str, file: &Path, data: &Path, expected: &str) {
    let before = files(data);
    let error = restore(file, data, instant(1)).await.expect_err(what);
    assert!(error.to_string().contains(expected), "{what}: {error}");
    assert_eq!(files(data), before, "{what}: the data folder was changed");
}

#[tokio::test]
async fn a_backup_that_is_not_whole_is_refused_and_the_ledger_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (data, good) = (folder.path().join("data"), folder.path().join("good.db"));
    filled(&data, 60).await;
    back_up(&data, &good).await.unwrap();
    let bytes = fs::read(&good).unwrap();
    let bad = folder.path().join("bad.db");
    // One bit anywhere is seen with the checksum.
    fs::copy(beside(&good, ".sha256"), beside(&bad, ".sha256")).unwrap();
    for at in (0..bytes.len()).step_by(bytes.len() / 40) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        fs::write(&bad, flipped).unwrap();
        check_refusal(&format!("bit {at}"), &bad, &data, "the backup is damaged").await;
    }
    fs::remove_file(beside(&bad, ".sha256")).unwrap();
    for (what, content, expected) in [
        ("half of it", bytes[..bytes.len() / 2].to_vec(), "the backup is damaged"),
        ("cut inside a page", bytes[..bytes.len() - 100].to_vec(), "the backup is damaged"),
        ("a page of zeros", [&bytes[..8192], &[0; 8192][..], &bytes[16384..]].concat(), "the backup is damaged"),
        ("text", b"not a backup\n".repeat(999), "the backup is damaged"),
        ("empty", Vec::new(), "no backup of Heliu"),
    ] {
        fs::write(&bad, content).unwrap();
        check_refusal(what, &bad, &data, expected).await;
        assert!(folder.path().join("bad.db").exists());
    }
    fs::remove_file(&bad).unwrap();
    check_refusal("no such file", &bad, &data, "Check the path").await;
    raw(&bad, "CREATE TABLE bookmarks (url TEXT)").await;
    check_refusal("another program's", &bad, &data, "no backup of Heliu").await;
    fs::copy(&good, &bad).unwrap();
    raw(&bad, "PRAGMA user_version = 4").await;
    check_refusal("a newer one", &bad, &data, "schema version 4").await;
    fs::copy(&good, &bad).unwrap();
    raw(&bad, "DROP TABLE stamp").await;
    check_refusal("a table is missing", &bad, &data, "stamp").await;

    let running = open(&data).await;
    let error = restore(&good, &data, instant(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    one(&running, 999).await;
}

#[tokio::test]
async fn the_ledger_that_was_there_is_kept_with_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let (data, backup) = (folder.path().join("data"), folder.path().join("a.db"));
    let before = filled(&data, 9).await;
    back_up(&data, &backup).await.unwrap();
    let mut readonly = fs::metadata(&backup).unwrap().permissions();
    readonly.set_readonly(true);
    fs::set_permissions(&backup, readonly).unwrap();
    // A Heliu that was killed: its last entries are in the log only.
    let store = open(&data).await;
    one(&store, 50).await;
    let after = all(&store).await;
    let (db, log) = (fs::read(data.join("heliu.db")).unwrap(), fs::read(data.join("heliu.db-wal")).unwrap());
    store.close().await;
    fs::write(data.join("heliu.db"), db).unwrap();
    fs::write(data.join("heliu.db-wal"), log).unwrap();

    let kept = restore(&backup, &data, instant(1)).await.unwrap().kept.unwrap();
    let store = open(&data).await;
    assert_eq!(all(&store).await, before);
    one(&store, 51).await;
    store.close().await;
    assert!(kept.starts_with(&data), "{}", kept.display());
    // And back again: what is kept is a plain copy with its log.
    let undone = restore(&kept, &data, instant(2)).await.unwrap();
    assert!(!undone.sealed && undone.kept.is_some() && undone.kept.as_ref() != Some(&kept), "{undone:?}");
    assert_eq!(all(&open(&data).await).await, after, "nothing of the old ledger was lost");
}

#[tokio::test]
async fn a_restore_that_is_cut_short_is_finished_or_was_never_begun() {
    for step in 0..6 {
        let folder = tempfile::tempdir().unwrap();
        let (data, backup) = (folder.path().join("data"), folder.path().join("a.db"));
        let small = filled(&data, 3).await;
        back_up(&data, &backup).await.unwrap();
        let large = filled(&data, 8).await;
        fs::write(data.join("heliu.db-wal"), "").unwrap();
        fs::write(data.join("heliu.db-shm"), "").unwrap();
        // The steps of a restore, as far as it came.
        let decided = data.join("heliu.db.restored-before-restore-x");
        let steps: [(PathBuf, PathBuf); 5] = [
            (data.join("heliu.db.restoring"), decided.clone()),
            (data.join("heliu.db-wal"), data.join("before-restore-x.db-wal")),
            (data.join("heliu.db-shm"), data.join("before-restore-x.db-shm")),
            (data.join("heliu.db"), data.join("before-restore-x.db")),
            (decided, data.join("heliu.db")),
        ];
        fs::copy(&backup, data.join("heliu.db.restoring")).unwrap();
        for (from, to) in &steps[..step] {
            fs::rename(from, to).unwrap();
        }
        if step == 5 {
            // Done, but for the number in heliu.lock, which is noted before the last step.
            fs::write(data.join("heliu.lock"), "0").unwrap();
        }
        let store = open(&data).await;
        assert_eq!(all(&store).await, if step == 0 { large.clone() } else { small }, "cut after step {step}");
        store.verify().await.unwrap();
        store.close().await;
        if step > 0 {
            restore(&data.join("before-restore-x.db"), &folder.path().join("old"), instant(1)).await.unwrap();
            assert_eq!(all(&open(&folder.path().join("old")).await).await, large, "step {step}: the old one is whole");
        }
    }
}

#[tokio::test]
async fn an_older_backup_comes_along() {
    let folder = tempfile::tempdir().unwrap();
    let (data, backup) = (folder.path().join("data"), folder.path().join("a.db"));
    let before = filled(&data, 4).await;
    raw(&data.join("heliu.db"), "DROP TABLE aside; DROP TABLE attempt; PRAGMA user_version = 1").await;
    assert_eq!(back_up(&data, &backup).await.unwrap().version, 1, "also before an upgrade");
    restore(&backup, &folder.path().join("b"), instant(1)).await.unwrap();
    assert_eq!(all(&open(&folder.path().join("b")).await).await, before);
}
