//! X-24: what strangers ask for causes no fetch and no row, and takes no memory that stays.
//!
//! The full run: `HELIU_STRANGERS=600000 cargo test --release --test it strangers -- --nocapture`, as many requests as a
//! thousand a second are in ten minutes.

use super::tell;
use crate::binary::{Running, folder_with};
use crate::kit::{Answer, Origin};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

const CLIENTS: u64 = 4;
/// How much larger the process may be afterwards, in KiB.
const MOST_KIB: u64 = 20 << 10;

fn config(origin: &Origin) -> String {
    let port = origin.port();
    let mut text =
        "service: { title: t, base_url: 'http://127.0.0.1:8080/', allow_networks: [127.0.0.0/8] }\nchannels:\n"
            .to_owned();
    for n in 0..3 {
        let _ = writeln!(text, "  c{n}: {{ feed: 'http://127.0.0.1:{port}/{n}', every: 24h }}");
    }
    text + "feeds:\n  all: { channels: [c0, c1, c2] }\n  one: { channels: [c0] }\n"
}

/// One request of a stranger, who comes through a proxy on this machine.
fn request(number: u64, origin: u16) -> String {
    let n = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let method = ["GET", "GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"][n as usize % 9];
    let path = match n / 9 % 12 {
        0 => format!("/feeds/all.atom?{n:x}"),
        1 => format!("/feeds/{n:x}.rss"),
        2 => format!("/admin/api/preview?url=http://127.0.0.1:{origin}/stranger/{n}"),
        3 => format!("/admin/channels/{n:x}"),
        4 => format!("/{n:x}/{n:x}/../{n:x}"),
        5 => "/admin".to_owned(),
        6 => format!("/feeds/one?lang={n:x}&page={n}"),
        7 => "/feeds/one.json".to_owned(),
        8 => format!("/opml.xml?url=http://127.0.0.1:{origin}/stranger/{n}"),
        9 => "/metrics".to_owned(),
        10 => format!("/feeds/all.rss?since={n}&limit={n}&feed=http://127.0.0.1:{origin}/stranger"),
        _ => format!("/healthz?{n:x}"),
    };
    let coding = ["gzip", "br", "zstd", "identity", "gzip;q=0.1, br;q=0.9", "*", "deflate"][n as usize % 7];
    let language = ["zh", "en", "de", "x-klingon", "*"][n as usize % 5];
    format!(
        "{method} {path} HTTP/1.1\r\nHost: h{n:x}.test\r\nX-Forwarded-For: 203.0.113.{}\r\nForwarded: for=203.0.113.1;host=h{n:x}\r\n\
         Accept-Encoding: {coding}\r\nAccept-Language: {language}\r\nIf-None-Match: \"{n:x}\"\r\nCookie: id={n:x}\r\n\
         Authorization: Bearer {n:x}\r\nUser-Agent: stranger/{n}\r\nOrigin: http://h{n:x}.test\r\nContent-Length: 0\r\n\r\n",
        n % 256
    )
}

/// Reads an answer; its status, and whether the connection goes on.
fn answer(stream: &mut BufReader<TcpStream>, asked: &str) -> (u16, bool) {
    let head_only = asked.starts_with("HEAD");
    let (mut status, mut length, mut goes_on, mut line) = (0, 0, true, String::new());
    loop {
        line.clear();
        let read = stream.read_line(&mut line).unwrap_or_else(|error| panic!("{error} in the answer to {asked:?}"));
        assert!(read > 0, "the connection ended inside the answer to {asked:?}");
        let told = line.trim_end().to_ascii_lowercase();
        if told.is_empty() {
            break;
        } else if status == 0 {
            status = told.split(' ').nth(1).unwrap().parse().unwrap();
        } else if let Some(value) = told.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        } else if told == "connection: close" {
            goes_on = false;
        }
        assert!(!told.starts_with("transfer-encoding"), "every answer tells its length");
    }
    if !head_only && status != 304 && status != 204 {
        std::io::copy(&mut stream.take(length), &mut std::io::sink()).unwrap();
    }
    (status, goes_on)
}

/// Sends the requests of one client; how many were answered in each class of statuses.
#[expect(clippy::disallowed_methods, reason = "the test asks the server that it started")]
fn ask(address: SocketAddr, numbers: impl Iterator<Item = u64>, origin: u16) -> [u64; 6] {
    let (mut stream, mut counts) = (None, [0; 6]);
    for number in numbers {
        let connected = stream.take().unwrap_or_else(|| {
            let stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            BufReader::new(stream)
        });
        let mut connected: BufReader<TcpStream> = connected;
        let text = request(number, origin);
        connected.get_mut().write_all(text.as_bytes()).unwrap();
        let (status, goes_on) = answer(&mut connected, &text);
        counts[usize::from(status / 100)] += 1;
        stream = goes_on.then_some(connected);
    }
    counts
}

fn storm(address: SocketAddr, from: u64, to: u64, origin: u16) -> [u64; 6] {
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| std::thread::spawn(move || ask(address, (from..to).filter(|n| n % CLIENTS == client), origin)))
        .collect();
    let mut all = [0; 6];
    for client in clients {
        for (sum, count) in all.iter_mut().zip(client.join().unwrap()) {
            *sum += count;
        }
    }
    all
}

fn resident(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// The bytes of the ledger and its log.
fn ledger(folder: &Path) -> Vec<Vec<u8>> {
    ["heliu.db", "heliu.db-wal"].map(|name| std::fs::read(folder.join("data").join(name)).unwrap_or_default()).into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn strangers_cause_no_fetch_and_no_row_and_take_no_memory() {
    let requests = std::env::var("HELIU_STRANGERS").ok().and_then(|text| text.parse().ok()).unwrap_or(4_000);
    let origin = Origin::start();
    origin.always(Answer::new(200, "application/rss+xml", "<rss version=\"2.0\"><channel><title>t</title><item><guid>1</guid><title>One</title><link>http://a.test/1</link></item></channel></rss>"));
    let folder = folder_with(&config(&origin));
    let heliu = Running::start_for(folder.path(), Duration::from_mins(20));
    let mut asked = 0;
    let entries = async || heliu.get("/feeds/all.json").await.json()["items"].as_array().unwrap().len();
    while entries().await == 0 || asked < 3 {
        asked += origin.take_log().len();
    }
    let (address, port) = (heliu.address, origin.port());
    // What is kept once for all: connections, compressed documents.
    tokio::task::spawn_blocking(move || storm(address, 0, 3_000, port)).await.unwrap();
    let (rows, before) = (ledger(folder.path()), resident(heliu.child.id()));
    let counts = tokio::task::spawn_blocking(move || storm(address, 3_000, 3_000 + requests, port)).await.unwrap();
    let after = resident(heliu.child.id());
    tell(&[format!(
        "{requests} requests, by hundreds of the status {counts:?}: {before} KiB before, {after} KiB after"
    )]);
    assert_eq!(counts.iter().sum::<u64>(), requests);
    assert_eq!(counts[5], 0, "nobody brings out a fault");
    assert!(counts[2] > 0 && counts[4] > 0, "{counts:?}");
    assert_eq!(origin.take_log().len(), 0, "nobody makes Heliu ask anybody");
    assert!(rows == ledger(folder.path()), "nobody leaves anything in the ledger");
    assert!(after.saturating_sub(before) <= MOST_KIB, "{before} KiB before, {after} KiB after");
}
