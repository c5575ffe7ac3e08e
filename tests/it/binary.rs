//! The program as its users run it: a process of its own, its log read line by line.

use crate::kit::site::{Reply, request};
use crate::kit::{Answer, Origin};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const HELIU: &str = env!("CARGO_BIN_EXE_heliu");

/// The default feeds.yaml with every source on an address that the guard refuses: nothing is dialled.
fn offline_config() -> String {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("feeds.yaml")).unwrap();
    let (head, channels) = text.split_once("\nchannels:").unwrap();
    let hosts = regex::Regex::new(r"- (url: )?https?://[a-z.]*workercn\.cn/").unwrap();
    format!("{head}\nchannels:{}", hosts.replace_all(channels, "- ${1}http://127.0.0.1:9/"))
}

/// A running process; killed when it is dropped.
struct Running {
    child: Child,
    log: BufReader<ChildStderr>,
    address: SocketAddr,
    /// Dropped with the rest; when it is not within a minute, the process is killed, so that a test which
    /// waits for a line that never comes fails instead of hanging.
    _leash: Sender<()>,
}

fn leash(process: u32) -> Sender<()> {
    let (leash, end) = channel();
    std::thread::spawn(move || {
        if end.recv_timeout(Duration::from_mins(1)) == Err(RecvTimeoutError::Timeout) {
            let _ = Command::new("kill").args(["-KILL", &process.to_string()]).status();
        }
    });
    leash
}

impl Running {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(HELIU)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .current_dir(folder)
            .env("RUST_LOG", "info")
            .env("NO_COLOR", "1")
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let leash = leash(child.id());
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let line = wait_for(&mut log, "serving http://");
        let address = line.split("serving http://").nth(1).unwrap().split('/').next().unwrap().parse().unwrap();
        Self { child, log, address, _leash: leash }
    }

    async fn get(&self, path: &str) -> Reply {
        request(self.address, path, &[]).await
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads the log up to the line that says it.
fn wait_for(log: &mut impl BufRead, what: &str) -> String {
    let mut all = String::new();
    loop {
        let mut line = String::new();
        assert!(log.read_line(&mut line).unwrap() > 0, "the process ended without saying {what:?}:\n{all}");
        if line.contains(what) {
            return line;
        }
        all += &line;
    }
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(HELIU).args(arguments).current_dir(folder).env("NO_COLOR", "1").output().unwrap()
}

fn folder_with(config: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("feeds.yaml"), config).unwrap();
    folder
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn the_default_configuration_serves_offline_within_two_seconds() {
    let folder = folder_with(&offline_config());
    let began = Instant::now();
    let heliu = Running::start(folder.path());
    for feed in ["shiping", "renwu", "manhua", "pinglun"] {
        let reply = heliu.get(&format!("/feeds/{feed}.json")).await;
        assert_eq!(reply.status, 200, "{feed}");
        let json = reply.json();
        assert!(!json["items"].as_array().unwrap().is_empty(), "{feed} has entries");
        assert_eq!(json["_heliu"]["standing"], "snapshot", "{feed} says that it is a snapshot");
        if feed == "manhua" {
            for item in json["items"].as_array().unwrap() {
                let picture = item["image"].as_str().unwrap();
                assert_eq!(item["attachments"][0]["url"], picture, "a comic's picture is an enclosure");
                assert!(item["content_html"].as_str().unwrap().contains(picture), "and stands in the content");
            }
        }
    }
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test]
async fn kill_and_start_again_changes_no_byte() {
    let folder = folder_with(&offline_config());
    let paths = ["/feeds/pinglun.rss", "/feeds/pinglun.atom", "/feeds/pinglun.json", "/feeds/manhua", "/opml.xml"];
    let mut before = Vec::new();
    for round in 0..3 {
        let mut heliu = Running::start(folder.path());
        let mut now = Vec::new();
        for path in paths {
            let reply = heliu.get(path).await;
            now.push((
                path,
                reply.header("etag").unwrap().to_owned(),
                reply.header("last-modified").unwrap().to_owned(),
                reply.body,
            ));
        }
        if round > 0 {
            assert!(before == now, "round {round}: the same ledger, other documents");
        }
        before = now;
        heliu.child.kill().unwrap();
        heliu.child.wait().unwrap();
    }
}

#[cfg(unix)]
#[tokio::test]
async fn sigterm_stops_cleanly() {
    let folder = folder_with(&offline_config());
    let mut heliu = Running::start(folder.path());
    assert_eq!(heliu.get("/healthz").await.status, 200);
    heliu.signal("-TERM");
    let mut rest = String::new();
    heliu.log.read_to_string(&mut rest).unwrap();
    assert_eq!(heliu.child.wait().unwrap().code(), Some(0), "{rest}");
    assert!(rest.contains("stopped"), "{rest}");
}

#[cfg(unix)]
#[tokio::test]
async fn an_edit_is_in_use_without_a_restart_and_a_mistake_is_not() {
    let folder = folder_with(&offline_config());
    let mut heliu = Running::start(folder.path());
    let path = folder.path().join("feeds.yaml");
    let good = offline_config().replace("\nfeeds:\n", "\nfeeds:\n  extra: { channels: [renwu] }\n");
    fs::write(&path, &good).unwrap();
    wait_for(&mut heliu.log, "was reloaded");
    assert_eq!(heliu.get("/feeds/extra.atom").await.status, 200);
    fs::write(&path, good.replace("extra: { channels: [renwu] }", "extra: { channels: [renwou] }")).unwrap();
    wait_for(&mut heliu.log, "was rejected");
    assert_eq!(heliu.get("/feeds/extra.atom").await.status, 200, "the last good configuration stays");
    let admin = heliu.get("/admin").await.text();
    assert!(admin.contains("renwou"), "/admin says what is wrong");
}

#[test]
fn a_wrong_configuration_does_not_start_and_says_why() {
    let folder = folder_with("service: {}\nfeeds:\n  a: { channels: [b] }\n");
    let output = run(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("feeds.yaml:3"), "{told}");
    assert!(told.contains("heliu check"), "{told}");
}

#[test]
fn without_a_configuration_it_says_how_to_get_one_and_init_writes_it() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["serve"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("heliu init"), "{}", text(&output.stderr));
    assert!(run(folder.path(), &["init"]).status.success());
    let check = run(folder.path(), &["check"]);
    assert!(check.status.success(), "{}", text(&check.stderr));
    fs::write(folder.path().join("feeds.yaml"), "mine").unwrap();
    assert!(run(folder.path(), &["init"]).status.success());
    assert_eq!(fs::read_to_string(folder.path().join("feeds.yaml")).unwrap(), "mine", "nothing is overwritten");
}

#[test]
fn check_tells_all_mistakes_with_their_place() {
    let folder = folder_with(
        "service:\n  base_url: ftp://x\n  titel: T\nchannels:\n  a: { feed: 'http://x.test/', every: soon }\nfeeds:\n  f: { channels: [a], limit: 0 }\n",
    );
    let output = run(folder.path(), &["check"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    for expected in ["feeds.yaml:2:", "feeds.yaml:3:", "did you mean", "feeds.yaml:5:", "feeds.yaml:7:"] {
        assert!(told.contains(expected), "{expected}:\n{told}");
    }
}

#[test]
fn preview_reads_a_file_as_a_table_and_as_json() {
    let folder = folder_with(&offline_config());
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/article-2019-12-10.shtml");
    let page = page.to_str().unwrap();
    let base = "http://comment.workercn.cn/424/201912/10/191210205750104.shtml";
    let table = run(folder.path(), &["preview", page, "--base", base]);
    assert!(table.status.success(), "{}", text(&table.stderr));
    assert!(text(&table.stdout).contains("entries"), "{}", text(&table.stdout));
    let json = run(folder.path(), &["preview", page, "--base", base, "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["version"], "https://jsonfeed.org/version/1.1");
    let none = run(folder.path(), &["preview", "nothing-of-that-name"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(text(&none.stderr).contains("shiping"), "names what there is: {}", text(&none.stderr));
}

#[test]
fn the_schema_is_the_committed_one() {
    let printed = run(Path::new("."), &["schema"]);
    let committed = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("feeds.schema.json")).unwrap();
    let as_json = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
    assert_eq!(as_json(&printed.stdout), as_json(&committed));
}

#[test]
fn preview_shows_a_channel_a_feed_and_an_address() {
    let origin = Origin::start();
    let list = "<meta charset=utf-8><ul><li><a href=/a/1.html>列表里的第一篇</a><i>2026-11-22 10:00:00</i></ul>";
    origin.put("/list", Answer::html(list));
    let item = r#"{"id":"1","url":"http://news.test/1","title":"One","date_published":"2026-11-22T09:00:00+08:00"}"#;
    let feed = format!(r#"{{"version":"https://jsonfeed.org/version/1.1","title":"T","items":[{item}]}}"#);
    origin.put("/feed.json", Answer::new(200, "application/feed+json", feed));
    let host = format!("http://127.0.0.1:{}", origin.port());
    let folder = folder_with(&format!(
        "service: {{ title: T, base_url: 'http://127.0.0.1:8080/', allow_networks: [127.0.0.0/8] }}
layouts:
  l: {{ entry: li, title: a, link: a @href, date: i }}
channels:
  page: {{ page: '{host}/list', layouts: l }}
  news: {{ feed: '{host}/feed.json' }}
feeds:
  both: {{ channels: [page, news] }}
"
    ));
    let address = format!("{host}/list");
    for (target, expected) in [
        ("page", &["列表里的第一篇", "layout l"][..]),
        ("both", &["列表里的第一篇", "One", "2 entries"]),
        (&address, &["列表里的第一篇", "layout l"]),
        (&format!("{host}/feed.json"), &["One", "JsonFeed11"]),
    ] {
        let output = run(folder.path(), &["preview", target]);
        let told = text(&output.stdout);
        assert!(output.status.success(), "{target}: {}", text(&output.stderr));
        for part in expected {
            assert!(told.contains(part), "{target} shows {part}:\n{told}");
        }
    }
    let missing = run(folder.path(), &["preview", &format!("{host}/missing")]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing.stderr).contains("404"), "{}", text(&missing.stderr));
    assert!(!folder.path().join("data").exists(), "a preview records nothing");
}
