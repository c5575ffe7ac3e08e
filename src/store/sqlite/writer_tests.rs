//! Many polls in one transaction.

use super::SqliteStore;
use crate::model::Standing;
use crate::store::Store;
use crate::store::samples::{channel, instant, linked, poll_of};
use std::path::Path;
use std::sync::Arc;

/// So many polls of as many channels, each with an entry, recorded at once; those of `bad` channels fail.
async fn check_together(spoil: &str, bad: &[usize]) {
    const POLLS: usize = 300;
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(&folder.path().join("data"), instant(0)).await.unwrap());
    sqlx::raw_sql(sqlx::AssertSqlSafe(spoil.to_owned())).execute(&store.gate.writer).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..POLLS {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            let poll = poll_of(&format!("c{n}"), 1, Standing::Live, vec![linked(&n.to_string(), "题")]);
            (n, store.record(&poll).await)
        });
    }
    let (mut failed, mut copied) = (Vec::new(), false);
    let mut known = std::collections::BTreeSet::new();
    while let Some(done) = tasks.join_next().await {
        let (n, change) = done.unwrap();
        match change {
            Ok(change) => {
                assert_eq!(change.new.len(), 1, "{n}");
                known.insert(n);
            }
            Err(error) => failed.push((n, error)),
        }
        if known.len() >= POLLS / 3 && !copied {
            copied = true;
            check_copy(folder.path(), &known).await;
        }
    }
    failed.sort_by_key(|(n, _)| *n);
    assert_eq!(failed.iter().map(|(n, _)| *n).collect::<Vec<_>>(), bad, "{spoil}");
    assert!(failed.iter().all(|(_, error)| error.to_string().contains("spoilt")), "{failed:?}");
    assert_eq!(known.len(), POLLS - bad.len());
    let polls = store.polls().await.unwrap();
    assert_eq!(polls.len(), known.len(), "nothing of the others");
    for n in known {
        assert_eq!(store.count(&channel(&format!("c{n}"))).await.unwrap(), 1, "{n}");
    }
    let transactions = store.recorder.transactions();
    let most = if bad.is_empty() { POLLS / 8 } else { POLLS + POLLS / 8 };
    assert!(transactions <= most, "{transactions} transactions");
    store.verify().await.unwrap();
}

/// The files as a kill at this moment would leave them hold everything that was said to be recorded.
async fn check_copy(folder: &Path, known: &std::collections::BTreeSet<usize>) {
    let copy = folder.join("copy");
    std::fs::create_dir(&copy).unwrap();
    for file in ["heliu.db-wal", "heliu.db"] {
        std::fs::copy(folder.join("data").join(file), copy.join(file)).unwrap();
    }
    let store = SqliteStore::open(&copy, instant(1)).await.unwrap();
    for n in known {
        assert_eq!(store.count(&channel(&format!("c{n}"))).await.unwrap(), 1, "{n} was said to be recorded");
    }
    store.close().await;
}

#[tokio::test]
async fn polls_are_recorded_together_and_a_bad_one_fails_alone() {
    check_together("SELECT 1", &[]).await;
    for how in ["ABORT", "ROLLBACK", "FAIL"] {
        let spoil = format!(
            "CREATE TRIGGER spoil BEFORE INSERT ON key WHEN NEW.value IN ('77', '200') \
             BEGIN SELECT RAISE({how}, 'spoilt'); END"
        );
        check_together(&spoil, &[77, 200]).await;
    }
}
