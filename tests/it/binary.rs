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
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) log: BufReader<ChildStderr>,
    pub(crate) address: SocketAddr,
    /// Dropped with the rest; when it is not in time, the process is killed, so that a test which
    /// waits for a line that never comes fails instead of hanging.
    _leash: Sender<()>,
}

fn leash(process: u32, longest: Duration) -> Sender<()> {
    let (leash, end) = channel();
    std::thread::spawn(move || {
        if end.recv_timeout(longest) == Err(RecvTimeoutError::Timeout) {
            let _ = Command::new("kill").args(["-KILL", &process.to_string()]).status();
        }
    });
    leash
}

impl Running {
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_for(folder, Duration::from_mins(1))
    }

    /// For a test that takes longer.
    pub(crate) fn start_for(folder: &Path, longest: Duration) -> Self {
        let mut child = Command::new(HELIU)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .current_dir(folder)
            .env("RUST_LOG", "info")
            .env("NO_COLOR", "1")
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let leash = leash(child.id(), longest);
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let line = wait_for(&mut log, "serving http://");
        let address = line.split("serving http://").nth(1).unwrap().split('/').next().unwrap().parse().unwrap();
        Self { child, log, address, _leash: leash }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        request(self.address, path, &[]).await
    }

    pub(crate) fn signal(&self, name: &str) {
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
pub(crate) fn wait_for(log: &mut impl BufRead, what: &str) -> String {
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

pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(HELIU).args(arguments).current_dir(folder).env("NO_COLOR", "1").output().unwrap()
}

pub(crate) fn folder_with(config: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("feeds.yaml"), config).unwrap();
    folder
}

pub(crate) fn text(bytes: &[u8]) -> String {
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
    assert_eq!(text(&none.stderr).matches("shiping").count(), 1, "names what there is, once: {}", text(&none.stderr));
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

/// An Atom feed that says everything, as a preview must pass it on.
const ATOM: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de">
 <id>tag:river.example,2020:feed</id><title type="html">Am &lt;i&gt;Fluss&lt;/i&gt;</title><subtitle>Vom Wasser</subtitle>
 <updated>2020-03-01T10:00:00+01:00</updated><rights>CC BY 4.0</rights><generator version="2">Quelle</generator>
 <link href="/"/><link rel="self" href="/atom"/><icon>/i.png</icon><logo>/l.png</logo>
 <author><name>Mara Stein</name><email>mara@river.example</email></author><contributor><name>Ole</name></contributor>
 <entry><id>urn:x:2</id><title>Pegel</title><link href="/2"/><updated>2020-03-01T10:00:00+01:00</updated>
  <published>2020-02-29T08:00:00+01:00</published><summary>Kurz</summary><content type="html">&lt;p&gt;Lang&lt;/p&gt;</content>
  <contributor><name>Ida</name></contributor><category term="wasser" label="Wasser"/><rights>frei</rights>
  <link rel="enclosure" href="/2.mp3" type="audio/mpeg" length="9"/>
  <source><id>urn:s</id><title>Oberlauf</title><link rel="self" href="/s"/></source></entry>
 <entry><id>urn:x:1</id><title>Ohne Datum</title><link href="/1"/></entry>
</feed>"#;

/// The same, allowed to fetch from this machine.
fn local_config() -> String {
    offline_config().replacen("service:\n", "service:\n  allow_networks: [127.0.0.1/32]\n", 1)
}

#[tokio::test]
async fn a_preview_passes_on_everything_that_a_source_says() {
    let origin = Origin::start();
    origin.put("/atom", Answer::new(200, "application/atom+xml", ATOM));
    let folder = folder_with(&local_config());
    let heliu = Running::start(folder.path());
    let at = |path: &str| format!("http://127.0.0.1:{}{path}", origin.port());
    let ask = |path: &str| format!("/admin/api/preview?url={}", at(path));
    let reply = heliu.get(&ask("/atom")).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let json = reply.json();
    let own = &json["_heliu"];
    for (found, expected) in [
        (&json["title"], "Am Fluss"),
        (&json["description"], "Vom Wasser"),
        (&json["home_page_url"], at("/").as_str()),
        (&json["feed_url"], at("/atom").as_str()),
        (&json["icon"], at("/l.png").as_str()),
        (&json["favicon"], at("/i.png").as_str()),
        (&json["language"], "de"),
        (&json["authors"][0]["name"], "Mara Stein"),
        (&own["authors"][0]["email"], "mara@river.example"),
        (&own["id"], "tag:river.example,2020:feed"),
        (&own["updated"], "2020-03-01T10:00:00+01:00"),
        (&own["rights"], "CC BY 4.0"),
        (&own["generator"], "Quelle 2"),
        (&own["contributors"][0]["name"], "Ole"),
        (&own["format"], "atom10"),
        (&own["charset"], "UTF-8"),
        (&own["flaws"][0]["code"], "date-missing"),
        (&own["flaws"][0]["severity"], "note"),
    ] {
        assert_eq!(found.as_str(), Some(expected), "{json:#}");
    }
    let (first, second) = (&json["items"][0], &json["items"][1]);
    for (found, expected) in [
        (&first["id"], "urn:x:2"),
        (&first["url"], at("/2").as_str()),
        (&first["title"], "Pegel"),
        (&first["summary"], "Kurz"),
        (&first["content_html"], "<p>Lang</p>"),
        (&first["date_published"], "2020-02-29T08:00:00+01:00"),
        (&first["date_modified"], "2020-03-01T10:00:00+01:00"),
        (&first["tags"][0], "Wasser"),
        (&first["authors"][0]["name"], "Mara Stein"),
        (&first["attachments"][0]["url"], at("/2.mp3").as_str()),
        (&first["_heliu"]["source"]["title"], "Oberlauf"),
        (&first["_heliu"]["source"]["feed_url"], at("/s").as_str()),
        (&first["_heliu"]["contributors"][0]["name"], "Ida"),
        (&first["_heliu"]["rights"], "frei"),
        (&first["_heliu"]["categories"][0]["term"], "wasser"),
        (&second["id"], "urn:x:1"),
    ] {
        assert_eq!(found.as_str(), Some(expected), "{json:#}");
    }
    assert!(second.get("date_published").is_none(), "no date is invented: {second:#}");
    let printed = run(folder.path(), &["preview", &at("/atom"), "--json"]);
    assert_eq!(text(&printed.stdout), reply.text(), "the command line gives the same bytes");
}

#[tokio::test]
async fn a_preview_that_fails_says_whose_fault_it_is() {
    let origin = Origin::start();
    origin.put("/page", Answer::html("<html><body><p>nothing to see</p></body></html>"));
    origin.put("/broken", Answer::status(500));
    origin.put("/empty", Answer::new(200, "text/xml", "<rss version='2.0'><channel><title>E</title></channel></rss>"));
    let folder = folder_with(&local_config());
    let heliu = Running::start(folder.path());
    let ask = |path: &str| format!("/admin/api/preview?url=http://127.0.0.1:{}{path}", origin.port());
    for (path, status) in [("/page", 422), ("/broken", 502), ("/gone", 502), ("/empty", 200)] {
        assert_eq!(heliu.get(&ask(path)).await.status, status, "{path}");
    }
    for bad in ["", "?url=x", "?url=http://10.0.0.1/", "?url=http://169.254.169.254/"] {
        let reply = heliu.get(&format!("/admin/api/preview{bad}")).await;
        assert_eq!(reply.status, 400, "{bad}: {}", reply.text());
        assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    }
}

/// Runs with something on standard input.
fn run_with_input(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(HELIU)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn import_and_export_carry_subscriptions_in_and_out() {
    let folder = tempfile::tempdir().unwrap();
    assert!(run(folder.path(), &["init"]).status.success());
    let path = folder.path().join("feeds.yaml");
    let before = fs::read_to_string(&path).unwrap();
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/opml/nested.opml");
    let list = list.to_str().unwrap();
    let dry = run(folder.path(), &["import", list, "--dry-run"]);
    assert!(dry.status.success(), "{}", text(&dry.stderr));
    assert!(text(&dry.stdout).contains("+  river-daily: { title: River Daily"), "{}", text(&dry.stdout));
    assert_eq!(fs::read_to_string(&path).unwrap(), before, "a dry run writes nothing");
    let first = run(folder.path(), &["import", list, "--feed", "reading"]);
    assert!(text(&first.stdout).contains("6 channels, 5 feeds added (0 known, 0 skipped)"), "{}", text(&first.stdout));
    let after = fs::read_to_string(&path).unwrap();
    let mut new = after.lines();
    assert!(before.lines().all(|old| new.any(|line| line == old)), "every old line is there, in order:\n{after}");
    let check = run(folder.path(), &["check"]);
    assert!(text(&check.stderr).contains("10 channels, 9 feeds, no mistakes"), "{}", text(&check.stderr));
    let exported = text(&run(folder.path(), &["export", "--sources"]).stdout);
    assert!(exported.contains("<outline text=\"News / China\""), "{exported}");
    let again = run_with_input(folder.path(), &["import", "-"], &exported);
    assert!(text(&again.stdout).contains("nothing new (6 known, 0 skipped)"), "{}", text(&again.stdout));
    assert!(run(folder.path(), &["export", "-o", "feeds.opml"]).status.success());
    assert!(fs::read_to_string(folder.path().join("feeds.opml")).unwrap().contains("/feeds/reading.atom"));
    let own = run(folder.path(), &["import", "feeds.opml"]);
    assert!(text(&own.stdout).contains("nothing new (0 known, 9 skipped)"), "own feeds are no source");
    assert_eq!(fs::read_to_string(&path).unwrap(), after);
    for (arguments, input, told) in [
        (&["import", "-"][..], "<html></html>", "not OPML"),
        (&["import", "-", "--config", "none.yaml"], "<opml><outline xmlUrl='http://a.example/'/></opml>", "none.yaml"),
        (&["import", "nothing.opml"], "", "nothing.opml"),
    ] {
        let output = run_with_input(folder.path(), arguments, input);
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains(told), "{told}: {}", text(&output.stderr));
    }
    fs::write(&path, after.replace("base_url", "base_ulr")).unwrap();
    let refused = run(folder.path(), &["import", list]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("feeds.yaml:6:3"), "{}", text(&refused.stderr));
}
