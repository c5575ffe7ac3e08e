//! The program itself: backed up while it writes, restored, started on a damaged ledger.

use super::skipped;
use crate::binary::{Running, folder_with, run, text, wait_for};
use crate::kit::{Answer, Origin};
use sqlx::Connection as _;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use tempfile::TempDir;

const PATHS: [&str; 10] = [
    "/feeds/quiet.rss",
    "/feeds/quiet.atom",
    "/feeds/quiet.json",
    "/feeds/quiet",
    "/feeds/storm.rss",
    "/feeds/storm.atom",
    "/feeds/storm.json",
    "/feeds/all.rss",
    "/feeds/all.atom",
    "/feeds/all.json",
];

fn rss(name: &str, entries: usize) -> Answer {
    let mut body = format!(
        "<rss version=\"2.0\"><channel><title>{name}</title><link>http://news.test/</link><description>d</description>"
    );
    for n in (entries.saturating_sub(30)..entries).rev() {
        let day = n / 1440 + 1;
        let _ = write!(
            body,
            "<item><guid isPermaLink=\"false\">tag:{name},{n}</guid><link>http://news.test/{name}/{n}</link><title>{name} 第{n}篇</title><pubDate>{day:02} Oct 2026 {:02}:{:02}:00 +0000</pubDate><description>第{n}篇说的是第{n}件事。</description></item>",
            n / 60 % 24,
            n % 60
        );
    }
    body += "</channel></rss>";
    Answer::new(200, "application/rss+xml", body).with_etag()
}

/// Each round has another time zone than the one before, which no date here needs: then the channels are looked at now.
fn config(origin: &Origin, round: usize) -> String {
    let at = |path: &str| format!("http://127.0.0.1:{}/{path}", origin.port());
    let zone = ["Asia/Shanghai", "Europe/Berlin"][round % 2];
    format!(
        "service: {{ title: 测试, base_url: 'http://127.0.0.1:8080/', allow_networks: [127.0.0.0/8] }}
channels:
  quiet: {{ feed: '{}', timezone: {zone} }}
  storm: {{ feed: '{}', timezone: {zone} }}
feeds:
  quiet: {{ channels: [quiet] }}
  storm: {{ channels: [storm] }}
  all: {{ channels: [quiet, storm], limit: 40 }}
",
        at("quiet"),
        at("storm"),
    )
}

/// Has both channels polled and what they brought published, by an edit of feeds.yaml.
fn poll(heliu: &mut Running, folder: &Path, origin: &Origin, round: usize) {
    fs::write(folder.join("new.yaml"), config(origin, round)).unwrap();
    fs::rename(folder.join("new.yaml"), folder.join("feeds.yaml")).unwrap();
    heliu.signal("-HUP");
    wait_for(&mut heliu.log, "was reloaded");
    let mut left = BTreeSet::from(["channel=quiet", "channel=storm"]);
    while !left.is_empty() {
        let line = wait_for(&mut heliu.log, "polled");
        left.retain(|channel| !line.contains(channel));
    }
}

/// A filled ledger of a Heliu that was stopped, and the bytes it served last.
async fn filled(origin: &Origin) -> (TempDir, BTreeMap<&'static str, Vec<u8>>) {
    origin.put("/quiet", rss("quiet", 25));
    origin.put("/storm", rss("storm", 40));
    let folder = folder_with(&config(origin, 0));
    let mut heliu = Running::start(folder.path());
    poll(&mut heliu, folder.path(), origin, 1);
    // The line of the next poll comes after what the last one changed was published.
    poll(&mut heliu, folder.path(), origin, 2);
    let served = served(&heliu).await;
    stop(heliu);
    (folder, served)
}

async fn served(heliu: &Running) -> BTreeMap<&'static str, Vec<u8>> {
    let mut all = BTreeMap::new();
    for path in PATHS {
        let reply = heliu.get(path).await;
        assert_eq!(reply.status, 200, "{path}");
        all.insert(path, reply.body);
    }
    all
}

fn stop(mut heliu: Running) {
    heliu.signal("-TERM");
    assert!(heliu.child.wait().unwrap().success());
}

fn heliu(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_writes_brings_back_the_very_bytes() {
    let origin = Origin::start();
    origin.put("/quiet", rss("quiet", 25));
    origin.put("/storm", rss("storm", 5));
    let folder = folder_with(&config(&origin, 0));
    let mut running = Running::start(folder.path());
    poll(&mut running, folder.path(), &origin, 1);
    poll(&mut running, folder.path(), &origin, 2);

    // From now on the storm feed has another entry at every look, and every version of every document is noted.
    let over = Arc::new(AtomicBool::new(false));
    let (stormy, ended) = (origin.clone(), Arc::clone(&over));
    let storm = std::thread::spawn(move || {
        let mut entries = 6;
        while !ended.load(SeqCst) {
            let before = stormy.take_log().len();
            entries += usize::from(before > 0);
            stormy.put("/storm", rss("storm", entries));
            std::thread::yield_now();
        }
    });
    let (address, ended) = (running.address, Arc::clone(&over));
    let sampler = tokio::spawn(async move {
        let mut versions: BTreeMap<&str, BTreeSet<Vec<u8>>> = BTreeMap::new();
        while !ended.load(SeqCst) {
            for path in PATHS {
                let body = crate::kit::site::request(address, path, &[]).await.body;
                versions.entry(path).or_default().insert(body);
            }
        }
        versions
    });
    let place = folder.path().to_owned();
    let backups = std::thread::spawn(move || ["0.db", "1.db", "2.db"].map(|file| heliu(&place, &["backup", file])));
    for round in 3..9 {
        poll(&mut running, folder.path(), &origin, round);
    }
    for told in backups.join().unwrap() {
        assert!(told.contains("2 channels") && told.contains("checked, SHA-256"), "{told}");
    }
    poll(&mut running, folder.path(), &origin, 9);
    over.store(true, SeqCst);
    storm.join().unwrap();
    let versions = sampler.await.unwrap();
    assert!(versions["/feeds/storm.rss"].len() > 2, "the storm feed changed while it was backed up");
    assert_eq!(versions["/feeds/quiet.rss"].len(), 1);

    // Life goes on, then the backup is needed.
    origin.put("/quiet", rss("quiet", 29));
    origin.put("/storm", rss("storm", 400));
    poll(&mut running, folder.path(), &origin, 10);
    poll(&mut running, folder.path(), &origin, 11);
    let later = served(&running).await;
    let busy = run(folder.path(), &["restore", "1.db"]);
    assert!(!busy.status.success() && text(&busy.stderr).contains("another Heliu is running"), "{busy:?}");
    stop(running);
    origin.always(Answer::status(503));
    let told = heliu(folder.path(), &["restore", "1.db"]);
    assert!(told.contains("is kept as") && told.contains("2 channels"), "{told}");
    let running = Running::start(folder.path());
    for (path, body) in served(&running).await {
        assert!(versions[path].contains(&body), "{path} was never served like this");
        assert_ne!(body, later[path], "{path} is what was served after the backup");
    }
    stop(running);
}

/// The page in which a table or index begins.
async fn root_page(database: &Path, name: &str) -> usize {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(database);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    let page: i64 = sqlx::query_scalar("SELECT rootpage FROM sqlite_schema WHERE name = ?1")
        .bind(name)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    usize::try_from(page).unwrap()
}

#[tokio::test]
async fn a_damaged_ledger_is_served_as_far_as_it_can_be_read_and_left_as_it_is() {
    let origin = Origin::start();
    let (folder, before) = filled(&origin).await;
    let database = folder.path().join("data/heliu.db");
    heliu(folder.path(), &["backup", "backup.db"]);
    let page = root_page(&database, "key_entry").await;
    let mut bytes = fs::read(&database).unwrap();
    bytes[(page - 1) * 8192..page * 8192].fill(0xa5);
    fs::write(&database, &bytes).unwrap();
    let refused = run(folder.path(), &["backup", "other.db"]);
    assert!(!refused.status.success() && !folder.path().join("other.db").exists());
    assert!(text(&refused.stderr).contains("is damaged"), "{}", text(&refused.stderr));

    origin.put("/quiet", rss("quiet", 28));
    origin.take_log();
    let mut running = Running::start(folder.path());
    assert_eq!(served(&running).await, before, "all entries can be read, so every byte is as it was");
    let ready = running.get("/readyz").await;
    assert_eq!(ready.status, 503);
    for part in ["heliu.db", "is damaged", "restore a backup"] {
        assert!(ready.text().contains(part), "{part}: {}", ready.text());
    }
    assert_eq!(running.get("/healthz").await.status, 200);
    let metrics = running.get("/metrics").await.text();
    assert!(metrics.contains("heliu_store_writable 0"), "{metrics}");
    assert!(origin.take_log().is_empty(), "nobody is asked for what cannot be recorded");
    running.signal("-TERM");
    let mut log = String::new();
    std::io::Read::read_to_string(&mut running.log, &mut log).unwrap();
    assert!(running.child.wait().unwrap().success(), "{log}");
    assert_eq!(fs::read(&database).unwrap(), bytes, "the evidence is left as it is");

    heliu(folder.path(), &["restore", "backup.db"]);
    let mut running = Running::start(folder.path());
    assert_eq!(running.get("/readyz").await.status, 200);
    poll(&mut running, folder.path(), &origin, 3);
    poll(&mut running, folder.path(), &origin, 4);
    let json = running.get("/feeds/quiet.json").await.json();
    assert_eq!(json["items"].as_array().unwrap().len(), 28, "and goes on");
    stop(running);

    fs::write(&database, "this is no database\n".repeat(999)).unwrap();
    let output = run(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("heliu.db is damaged") && told.contains("restore a backup"), "{told}");
}

/// A small file system in memory; gone when it is dropped.
pub(super) struct Mount(PathBuf);

impl Mount {
    /// `None` where this process may not mount.
    pub(super) fn new(at: &Path, size: &str) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let mount = Self(at.to_owned());
        mount.mount(&format!("size={size}")).then_some(mount)
    }

    pub(super) fn mount(&self, options: &str) -> bool {
        let output = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&self.0).output();
        output.is_ok_and(|output| output.status.success())
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

#[tokio::test]
async fn a_ledger_that_may_not_be_written_is_served_all_the_same() {
    let origin = Origin::start();
    let (folder, before) = filled(&origin).await;
    let place = folder.path().join("data");
    let database = fs::read(place.join("heliu.db")).unwrap();
    let Some(mount) = Mount::new(&place, "8m") else {
        return skipped("mounting: a read-only data folder");
    };
    fs::write(place.join("heliu.db"), &database).unwrap();
    assert!(mount.mount("remount,ro"));
    origin.take_log();
    let running = Running::start(folder.path());
    assert_eq!(served(&running).await, before);
    let ready = running.get("/readyz").await;
    assert_eq!(ready.status, 503);
    assert!(ready.text().contains("writable"), "{}", ready.text());
    assert!(origin.take_log().is_empty());
    stop(running);
}
