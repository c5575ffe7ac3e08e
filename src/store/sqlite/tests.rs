//! The contract and the file.

use super::{SqliteStore, migrate};
use crate::model::Standing;
use crate::store::samples::{channel, instant, linked, live, poll_of};
use crate::store::{Attempt, PollState, Store, StoreError, contract};
use chrono::TimeDelta;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, Row, SqliteConnection};
use std::path::Path;
use std::sync::Arc;

#[tokio::test]
async fn keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let number = std::cell::Cell::new(0);
    contract::all(&|| {
        number.set(number.get() + 1);
        let folder = folder.path().join(number.get().to_string());
        Box::pin(async move { Arc::new(SqliteStore::open(&folder, instant(0)).await.unwrap()) as Arc<dyn Store> })
    })
    .await;
}

/// A store with two polls in it, closed.
async fn filled(folder: &Path) -> Vec<crate::model::Record> {
    let store = SqliteStore::open(folder, instant(0)).await.unwrap();
    let many = (0..200).map(|n| linked(&format!("9/{n}"), &format!("题{n}"))).collect();
    store.record(&live(1, many)).await.unwrap();
    let records = store.latest(&channel("a"), 999).await.unwrap();
    store.verify().await.unwrap();
    store.close().await;
    records
}

#[tokio::test]
async fn what_was_recorded_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let nested = folder.path().join("a").join("合流 b");
    let before = filled(&nested).await;
    let store = SqliteStore::open(&nested, instant(99)).await.unwrap();
    assert_eq!(store.latest(&channel("a"), 999).await.unwrap(), before);
    assert_eq!(store.created().await.unwrap(), instant(0));
    assert_eq!(store.record(&live(2, vec![linked("new", "新")])).await.unwrap().seq, 201);
    let sync =
        async || -> i64 { sqlx::query_scalar("PRAGMA synchronous").fetch_one(&store.gate.writer).await.unwrap() };
    let full = sync().await;
    // A stamp need not wait for the disk, but what is recorded after it must.
    store.stamps(&[("/all.atom".into(), "hash".into())], instant(3)).await.unwrap();
    let normal = sync().await;
    store.record(&live(3, vec![linked("newer", "更新")])).await.unwrap();
    let again = sync().await;
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&store.gate.writer).await.unwrap();
    assert_eq!(([full, normal, again], mode.as_str()), ([2, 1, 2], "wal"));
}

/// Damages a copy of a good file and expects it to be refused as damaged and left as it is.
async fn check_damage(name: &str, damage: impl Fn(&mut Vec<u8>)) {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    let path = folder.path().join("heliu.db");
    let mut bytes = std::fs::read(&path).unwrap();
    damage(&mut bytes);
    std::fs::write(&path, &bytes).unwrap();
    let error = SqliteStore::open(folder.path(), instant(2)).await.expect_err(name);
    assert!(matches!(error, StoreError::Damaged { .. }), "{name}: {error}");
    assert!(error.to_string().contains("heliu.db"), "{name}: {error}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "{name}: the file was changed");
}

#[tokio::test]
async fn a_damaged_file_is_refused_and_left_alone() {
    check_damage("random bytes", |bytes| {
        let mut state = 7_u32;
        for byte in bytes.iter_mut() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = state.to_be_bytes()[0];
        }
    })
    .await;
    check_damage("text", |bytes| *bytes = b"this is not a database\n".repeat(100)).await;
    check_damage("cut in the middle", |bytes| bytes.truncate(bytes.len() / 2)).await;
    check_damage("cut inside a page", |bytes| bytes.truncate(bytes.len() - 100)).await;
    check_damage("a page of zeros", |bytes| bytes[3 * 8192..4 * 8192].fill(0)).await;
    check_damage("pages flipped", |bytes| bytes[8192..].iter_mut().for_each(|byte| *byte = !*byte)).await;
}

async fn check_open(folder: &Path, advice: &str) {
    let error = SqliteStore::open(folder, instant(0)).await.unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }) && error.to_string().contains(advice), "{error}");
}

#[tokio::test]
async fn a_place_that_cannot_be_used_is_named_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "mine").unwrap();
    check_open(&file, "A file stands where the data folder should be").await;
    check_open(&file.join("below"), "A file stands where the data folder should be").await;
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    std::fs::create_dir_all(folder.path().join("d/heliu.db")).unwrap();
    check_open(&folder.path().join("d"), "A folder stands where the store's file should be").await;

    let foreign = folder.path().join("foreign");
    std::fs::create_dir(&foreign).unwrap();
    let options = SqliteConnectOptions::new().filename(foreign.join("heliu.db")).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql("CREATE TABLE bookmarks (url TEXT)").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    check_open(&foreign, "the database of another program").await;
}

#[test]
fn errors_of_the_system_get_their_advice() {
    use std::io::ErrorKind;
    let path = Path::new("data");
    for (kind, expected) in [
        (ErrorKind::PermissionDenied, "writable by the user"),
        (ErrorKind::ReadOnlyFilesystem, "writable by the user"),
        (ErrorKind::StorageFull, "Free some space"),
        (ErrorKind::NotFound, "path is right"),
    ] {
        let text = super::error::folder(path, &kind.into()).to_string();
        assert!(text.contains(expected), "{kind:?}: {text}");
    }
}

#[tokio::test]
async fn a_newer_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    let options = SqliteConnectOptions::new().filename(folder.path().join("heliu.db"));
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql("PRAGMA user_version = 99").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let error = SqliteStore::open(folder.path(), instant(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::TooNew { found: 99, known: 3, .. }), "{error}");
}

#[tokio::test]
async fn an_older_store_is_brought_up_to_date_wholly_or_not_at_all() {
    const GOOD: &str = "ALTER TABLE channel ADD COLUMN note TEXT NOT NULL DEFAULT 'x'";
    const BAD: &str = "ALTER TABLE channel ADD COLUMN other TEXT; INSERT INTO missing VALUES (1)";
    let path = Path::new("heliu.db");
    let folder = tempfile::tempdir().unwrap();
    let before = filled(folder.path()).await;
    let store = SqliteStore::open(folder.path(), instant(1)).await.unwrap();
    let mut connection = store.gate.writer.acquire().await.unwrap();
    let steps: &'static [&'static str] = [migrate::STEPS, &[GOOD, BAD]].concat().leak();
    migrate::migrate(&mut connection, path, steps, instant(1)).await.unwrap_err();
    let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection).await.unwrap();
    assert_eq!(version, 4, "the good step stays, the bad one does not");
    let columns: String = sqlx::query_scalar("SELECT group_concat(name) FROM pragma_table_info('channel')")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    assert_eq!(columns, "number,name,live,poll,note");
    drop(connection);
    assert_eq!(store.latest(&channel("a"), 999).await.unwrap(), before);
}

async fn pragma(store: &SqliteStore, sql: String) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&store.gate.writer).await.unwrap();
}

#[tokio::test]
async fn a_full_or_read_only_disk_fails_loud_and_heals() {
    let folder = tempfile::tempdir().unwrap();
    let before = filled(folder.path()).await;
    let store = SqliteStore::open(folder.path(), instant(1)).await.unwrap();
    let large = |n: usize| {
        let mut candidate = linked(&format!("large/{n}"), &format!("大{n}"));
        candidate.entry.content = Some("文".repeat(20_000));
        candidate
    };
    let poll = live(2, (0..20).map(large).collect());

    let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&store.gate.writer).await.unwrap();
    pragma(&store, format!("PRAGMA max_page_count = {}", pages + 2)).await;
    let error = store.record(&poll).await.unwrap_err();
    assert!(matches!(error, StoreError::Full(_)), "{error}");
    assert_eq!(store.latest(&channel("a"), 999).await.unwrap(), before, "none of it was kept");
    pragma(&store, "PRAGMA query_only = 1".to_owned()).await;
    let error = store.record(&poll).await.unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly(_)), "{error}");
    pragma(&store, "PRAGMA query_only = 1".to_owned()).await;
    assert!(matches!(store.stamp("d", "h", instant(1)).await, Err(StoreError::ReadOnly(_))));

    assert_eq!(store.record(&poll).await.unwrap().new.len(), 20, "the next write works");
    store.verify().await.unwrap();
}

#[tokio::test]
async fn a_cancelled_record_leaves_nothing_half_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path(), instant(0)).await.unwrap();
    let mut whole = 0;
    for steps in 0..60 {
        let many = (0..5).map(|n| linked(&format!("{steps}/{n}/"), &format!("题{steps}-{n}"))).collect();
        let poll = poll_of(&format!("c{steps}"), 1, Standing::Live, many);
        {
            // Polls the future so many times, then drops it.
            let mut future = store.record(&poll);
            let mut left = steps;
            std::future::poll_fn(|context| {
                let done = future.as_mut().poll(context).is_ready();
                left -= 1;
                if done || left < 0 { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
            })
            .await;
        }
        let count = store.count(&poll.channel).await.unwrap();
        let again = store.record(&poll).await.unwrap();
        assert!(again.new.len() == 5 || again.new.is_empty() && again.unchanged == 5, "{steps}: {again:?}");
        assert!(count == 0 || count == 5, "{steps}: {count}");
        whole += usize::from(again.new.is_empty());
        assert_eq!(store.count(&poll.channel).await.unwrap(), 5);
    }
    assert!(whole > 0 && whole < 60, "some were cut, some were not: {whole}");
    store.verify().await.unwrap();
}

#[tokio::test]
async fn latest_is_one_range_scan() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path(), instant(0)).await.unwrap();
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", super::LATEST)))
        .bind("a")
        .bind(50)
        .fetch_all(&store.readers)
        .await
        .unwrap();
    let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
    assert!(plan.iter().all(|line| line.starts_with("SEARCH") && !line.contains("TEMP")), "{plan:?}");
    assert!(plan.iter().any(|line| line.contains("e USING PRIMARY KEY")), "{plan:?}");
}

#[tokio::test]
async fn fields_and_flaws_of_a_newer_heliu_are_tolerated() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    let store = SqliteStore::open(folder.path(), instant(1)).await.unwrap();
    pragma(&store, "UPDATE entry SET body = json_set(body, '$.mood', 'good')".to_owned()).await;
    let flaws = r#"{"failures":7,"mood":1,"flaws":[{"code":"no-such-code","detail":"x"}]}"#;
    pragma(&store, format!("UPDATE channel SET poll = '{flaws}'")).await;
    assert_eq!(store.latest(&channel("a"), 999).await.unwrap().len(), 200);
    assert_eq!(store.polls().await.unwrap()[&channel("a")].failures, 7);
    pragma(&store, "UPDATE entry SET body = '{' WHERE seq = 3".to_owned()).await;
    assert!(matches!(store.latest(&channel("a"), 999).await, Err(StoreError::Damaged { .. })));
}

#[tokio::test]
async fn one_heliu_at_a_time_uses_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let first = SqliteStore::open(folder.path(), instant(0)).await.unwrap();
    let second = SqliteStore::open(folder.path(), instant(0)).await.unwrap_err();
    assert!(matches!(second, StoreError::InUse { .. }), "{second}");
    let told = second.to_string();
    assert!(told.contains(&folder.path().display().to_string()) && told.contains("--data"), "{told}");
    assert_eq!(first.record(&live(1, vec![linked("1", "甲")])).await.unwrap().new.len(), 1, "the first goes on");
    first.close().await;
    let third = SqliteStore::open(folder.path(), instant(0)).await.unwrap();
    drop(third);
    SqliteStore::open(folder.path(), instant(0)).await.unwrap();
}

/// Takes the file away in some way; the store must say so and record nothing more.
async fn check_loss(what: &str, lose: impl Fn(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let store = SqliteStore::open(&data, instant(0)).await.unwrap();
    store.record(&live(1, vec![linked("1", "甲")])).await.unwrap();
    store.ping().await.unwrap();
    lose(&data);
    for error in [store.ping().await.unwrap_err(), store.record(&live(2, vec![linked("2", "乙")])).await.unwrap_err()]
    {
        assert!(matches!(error, StoreError::Gone { .. }), "{error}");
        let told = error.to_string();
        assert!(told.contains(what) && told.contains("heliu.db") && told.contains("restart"), "{told}");
    }
}

#[tokio::test]
async fn a_file_that_is_taken_away_is_noticed() {
    let delete = |data: &Path| std::fs::remove_file(data.join("heliu.db")).unwrap();
    check_loss("was deleted", delete).await;
    check_loss("was deleted", |data| std::fs::remove_dir_all(data).unwrap()).await;
    check_loss("was deleted", |data| std::fs::rename(data, data.with_extension("old")).unwrap()).await;
    check_loss("was replaced", |data| {
        let file = data.join("heliu.db");
        std::fs::copy(&file, data.join("copy")).unwrap();
        std::fs::rename(data.join("copy"), file).unwrap();
    })
    .await;
}

/// A ledger as the first Heliu wrote it comes along with everything in it.
#[tokio::test]
async fn a_ledger_of_version_1_is_upgraded_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("heliu.db");
    let before = filled(folder.path()).await;
    let options = SqliteConnectOptions::new().filename(&path);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql("DROP TABLE aside; DROP TABLE attempt; PRAGMA user_version = 1")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();

    let store = SqliteStore::open(folder.path(), instant(9)).await.unwrap();
    assert_eq!(store.latest(&channel("a"), 999).await.unwrap(), before);
    let mut poll = live(10, vec![]);
    poll.seen.as_mut().unwrap().withdrawn =
        vec![crate::model::Tombstone { id: before[0].entry.id.clone(), when: instant(9) }];
    assert_eq!(store.record(&poll).await.unwrap().withdrawn.len(), 1);
    store.verify().await.unwrap();
    let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&store.gate.writer).await.unwrap();
    assert_eq!(version, 3);
}

#[tokio::test]
async fn tombstones_are_found_by_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path(), instant(0)).await.unwrap();
    let sql = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", super::aside::TOMBSTONES));
    let rows = sqlx::query(sql).bind("a").bind(50).fetch_all(&store.readers).await.unwrap();
    let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
    assert!(plan.iter().all(|line| line.starts_with("SEARCH") && !line.contains("TEMP")), "{plan:?}");
}

/// The attempts that stood in the state of a channel become rows, to the nanosecond, and nothing else changes.
#[tokio::test]
async fn attempts_of_a_ledger_of_version_2_are_kept() {
    let attempt = |n: i64, error: Option<&str>| Attempt {
        at: instant(n) + TimeDelta::nanoseconds(if n % 2 == 0 { 0 } else { 120_000_070 * n }),
        url: format!("https://a.example/\"{n}\"?q=时评"),
        status: (n != 3).then_some(404),
        millis: 7,
        changed: 2,
        error: error.map(str::to_owned),
    };
    let kept: Vec<_> = (0..50).rev().map(|n| attempt(n, (n > 46 || n == 9).then_some("http-status: 404"))).collect();
    let state =
        PollState { failures: 3, last_poll: Some(instant(49)), layout: Some("l".to_owned()), ..PollState::default() };
    let mut old = serde_json::to_value(&state).unwrap();
    let fields = old.as_object_mut().unwrap();
    for new in ["tries", "last_attempt", "failing_since"] {
        fields.remove(new).unwrap();
    }
    let old = |attempts: &[Attempt]| {
        let mut old = old.clone();
        old["attempts"] = serde_json::to_value(attempts).unwrap();
        old.to_string()
    };
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    let options = SqliteConnectOptions::new().filename(folder.path().join("heliu.db"));
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql("DROP TABLE attempt; PRAGMA user_version = 2").execute(&mut connection).await.unwrap();
    let rows = [
        ("b", old(&kept)),
        ("c", old(&kept[3..7])),
        ("d", old(&kept[..2])),
        ("e", old(&[])),
        ("f", "{}".to_owned()),
        ("g", "{".to_owned()),
    ];
    for (name, poll) in rows {
        let insert = sqlx::query("INSERT INTO channel (name, poll) VALUES (?1, ?2)").bind(name).bind(poll);
        insert.execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();

    let store = SqliteStore::open(folder.path(), instant(9)).await.unwrap();
    let since = |n: usize| Some(kept[n].at);
    for (name, kept, failing_since) in
        [("b", &kept[..], since(2)), ("c", &kept[3..7], None), ("d", &kept[..2], since(1)), ("e", &[], None)]
    {
        assert_eq!(store.attempts(&channel(name)).await.unwrap(), kept, "{name}");
        let (tries, last_attempt) = (kept.len() as u64, kept.first().cloned());
        let expected = PollState { tries, last_attempt, failing_since, ..state.clone() };
        let mut found = store.poll_states(&[channel(name)]).await.unwrap();
        assert_eq!(found.remove(&channel(name)).unwrap(), expected, "{name}");
    }
    assert_eq!(store.poll_states(&[channel("f")]).await.unwrap()[&channel("f")], PollState::default());
    assert!(matches!(store.poll_states(&[channel("g")]).await, Err(StoreError::Damaged { .. })));
    // The next one takes the place of the oldest.
    let mut poll = poll_of("b", 60, Standing::Live, vec![]);
    poll.state = store.poll_states(&[channel("b")]).await.unwrap().remove(&channel("b")).unwrap();
    poll.state.attempted(attempt(60, None));
    store.record(&poll).await.unwrap();
    let expected: Vec<_> = std::iter::once(attempt(60, None)).chain(kept[..49].iter().cloned()).collect();
    assert_eq!(store.attempts(&channel("b")).await.unwrap(), expected);
    store.verify().await.unwrap();
}
