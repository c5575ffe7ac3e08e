//! Header injection (X-16): whatever stands in addresses, validators, redirects and the User-Agent, each fetch writes
//! exactly one request, and each event is one record of the log. `HELIU_FUZZ` says how many cases are tried.

use heliu::net::{self, Accept, Berth, Client, Request, Robots, Socket, Validators};
use heliu::telemetry::{LogFormat, subscriber};
use std::collections::VecDeque;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;
use url::Url;

/// What injections are made of.
const PIECES: &[&str] = &[
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    "\0",
    "\u{1b}[2J",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "\t",
    " ",
    "%0d%0a",
    "%00",
    "\\r\\n",
    "X-Smuggled: 1",
    "Host: evil.test",
    "Content-Length: 5",
    "Transfer-Encoding: chunked",
    "GET /evil HTTP/1.1",
    "2026-11-26T00:00:00Z  INFO heliu: forged",
    "{\"message\":\"forged\"}",
    "\"",
    "W/\"a\"",
    "a",
    "é",
    "合",
    "/",
    "?",
    "#",
    "@",
    ":",
    ";",
    ",",
    "Tue, 10 Dec 2019 11:24:19 GMT",
];

/// Names of headers that a request may have, once each.
const NAMES: &[&str] = &["host", "user-agent", "accept", "accept-encoding", "if-none-match", "if-modified-since"];

/// `SplitMix64`: the same cases on every machine.
struct Chance(u64);

impl Chance {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((x ^ (x >> 31)) % below as u64).unwrap()
    }

    fn text(&mut self) -> String {
        (0..=self.next(7)).map(|_| PIECES[self.next(PIECES.len())]).collect()
    }

    /// The same with bytes that are no text.
    fn bytes(&mut self) -> Vec<u8> {
        let mut bytes = self.text().into_bytes();
        if self.next(4) == 0 {
            let at = self.next(bytes.len() + 1);
            bytes.insert(at, u8::try_from(self.next(256)).unwrap());
        }
        bytes
    }
}

/// Every connection ends here: what is sent is written down to its end, and answered from a list.
#[derive(Clone, Default)]
struct Wire {
    answers: Arc<Mutex<VecDeque<Vec<u8>>>>,
    sent: Arc<Mutex<Vec<JoinHandle<Vec<u8>>>>>,
}

const FINE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

impl net::Dial for Wire {
    fn dial(&self, address: SocketAddr) -> Pin<Box<dyn Future<Output = io::Result<Socket>> + Send + 'static>> {
        let (ours, mut theirs) = tokio::io::duplex(64 << 10);
        let answer = self.answers.lock().unwrap().pop_front().unwrap_or_else(|| FINE.to_vec());
        self.sent.lock().unwrap().push(tokio::spawn(async move {
            let mut seen = Vec::new();
            while !seen.windows(4).any(|end| end == b"\r\n\r\n") {
                match theirs.read_buf(&mut seen).await {
                    Ok(read) if read > 0 => {}
                    _ => return seen,
                }
            }
            let _ = theirs.write_all(&answer).await;
            let _ = theirs.shutdown().await;
            // Whatever else was meant to follow.
            let _ = theirs.read_to_end(&mut seen).await;
            seen
        }));
        Box::pin(std::future::ready(Ok(Socket::new(ours, address))))
    }
}

#[derive(Debug)]
struct Loopback;

impl net::Resolve for Loopback {
    fn resolve<'a>(&'a self, _: &'a str) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>> {
        Box::pin(async { Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]) })
    }
}

/// Why the bytes of a connection are not exactly one request of ours.
fn split(sent: &[u8]) -> Option<String> {
    let Some(end) = sent.windows(4).position(|end| end == b"\r\n\r\n") else { return Some("no end".to_owned()) };
    if end + 4 < sent.len() {
        return Some(format!("{} bytes behind it", sent.len() - end - 4));
    }
    let mut lines = sent[..end].split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = lines.next().unwrap_or_default();
    let parts: Vec<&[u8]> = first.split(|byte| *byte == b' ').collect();
    if parts.len() != 3 || parts[0] != b"GET" || !parts[1].starts_with(b"/") || parts[2] != b"HTTP/1.1" {
        return Some(format!("the line {:?}", first.escape_ascii().to_string()));
    }
    let mut seen: Vec<String> = Vec::new();
    for line in lines {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return Some(format!("the line {:?}", line.escape_ascii().to_string()));
        };
        let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
        if !NAMES.contains(&name.as_str()) || seen.contains(&name) {
            return Some(format!("a header {name:?}"));
        }
        seen.push(name);
    }
    let odd = sent[..end].iter().enumerate().find(|(at, byte)| match byte {
        b'\r' => sent[at + 1] != b'\n',
        b'\n' => *at == 0 || sent[at - 1] != b'\r',
        b'\t' => false,
        byte => byte.is_ascii_control(),
    });
    odd.map(|(at, byte)| format!("a byte {byte:#04x} at {at}"))
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut self.0.lock().unwrap())).unwrap()
    }
}

/// Logs what a poll logs, with the values that a source wrote, for people and for machines; says what is wrong.
fn logged(hostile: &str, outcome: &str) -> Option<String> {
    for format in [LogFormat::Human, LogFormat::Json] {
        let log = Log::default();
        let sink = log.clone();
        let subscriber = subscriber(format, "info", move || sink.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(target: "heliu::worker", channel = hostile, error = %outcome, "the poll failed: {hostile}");
            tracing::info!(target: "heliu::worker", flaw = %hostile, path = ?hostile, "{outcome}");
        });
        let text = log.take();
        let records = text.lines().filter(|line| !line.starts_with("    ")).count();
        let json = |line: &str| serde_json::from_str::<serde_json::Value>(line).is_ok_and(|value| value.is_object());
        let controls = text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t' | '\u{85}'));
        if records != 2
            || controls && format == LogFormat::Human
            || format == LogFormat::Json && !text.lines().all(json)
        {
            return Some(format!("{format:?}: {records} records of 2 events: {text:?}"));
        }
    }
    None
}

/// One case: an injection in one place. Yields what is fetched, and how the origin answers first.
fn case(n: usize, chance: &mut Chance, client: &Client) -> (Url, Validators, Vec<Vec<u8>>) {
    let plain = Url::parse(&format!("http://h{n}.test/feed")).unwrap();
    let head = |name: &str, value: &[u8]| {
        let length = b"Content-Length: 2\r\nConnection: close\r\n\r\nok";
        [b"HTTP/1.1 200 OK\r\n", name.as_bytes(), b": ", value, b"\r\n", length].concat()
    };
    client.set_user_agent("heliu/fuzz");
    match n % 7 {
        0 => {
            let text = format!("http://h{n}.test/{}", chance.text());
            (Url::parse(&text).unwrap_or(plain), Validators::default(), Vec::new())
        }
        1 => (plain, Validators { etag: Some(chance.bytes()), last_modified: Some(chance.bytes()) }, Vec::new()),
        2 => (plain, Validators::default(), vec![head("ETag", &chance.bytes())]),
        3 => (plain, Validators::default(), vec![head("Last-Modified", &chance.bytes())]),
        4 => {
            client.set_user_agent(&chance.text());
            (plain, Validators::default(), Vec::new())
        }
        5 => {
            let before: &[u8] = if chance.next(2) == 0 { b"/" } else { b"http://other.test/" };
            let to = [before, &chance.bytes()[..]].concat();
            let hop =
                [b"HTTP/1.1 301 Moved\r\nContent-Length: 0\r\nConnection: close\r\nLocation: ", &to[..], b"\r\n\r\n"];
            (plain, Validators::default(), vec![hop.concat()])
        }
        _ => {
            let status = [b"HTTP/1.1 500 ", &chance.bytes()[..], b"\r\nX: ", &chance.bytes()[..], b"\r\n\r\n"].concat();
            (plain, Validators::default(), vec![status])
        }
    }
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "the figures, for whoever runs it with --nocapture")]
async fn nothing_that_a_source_says_splits_a_request_or_a_record() {
    let cases: usize = std::env::var("HELIU_FUZZ").map_or(1_500, |count| count.parse().unwrap());
    let wire = Wire::default();
    let client = Client::new(net::Options {
        allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
        host_gap: Duration::ZERO,
        resolver: Arc::new(Loopback),
        dialer: Arc::new(wire.clone()),
        ..net::Options::default()
    });
    let mut chance = Chance(16);
    let (mut requests, mut answered, mut echoed, mut bad) = (0, 0, 0, Vec::new());
    for n in 0..cases {
        let (url, validators, answers) = case(n, &mut chance, &client);
        wire.answers.lock().unwrap().extend(answers);
        let (accept, robots, berth) = (Accept::Feed, Robots::Ignore, Berth::default());
        let mut request = Request { url, validators, accept, limit: 1 << 20, robots, berth };
        let mut said = String::new();
        // What the first answer said goes back with the second request.
        for _ in 0..2 {
            match client.fetch(request.clone()).await {
                Ok(response) => {
                    answered += 1;
                    said = format!("{} {:?}", response.url, response.content_type);
                    request.validators = response.validators;
                    echoed += usize::from(request.validators != Validators::default());
                }
                Err(error) => said = error.to_string(),
            }
        }
        wire.answers.lock().unwrap().clear();
        let sent = std::mem::take(&mut *wire.sent.lock().unwrap());
        for connection in sent {
            let bytes = tokio::time::timeout(Duration::from_secs(10), connection).await.unwrap().unwrap();
            requests += 1;
            bad.extend(split(&bytes).map(|why| format!("case {n}: {why}: {:?}", bytes.escape_ascii().to_string())));
        }
        bad.extend(logged(&chance.text(), &said).map(|why| format!("case {n}: {why}")));
        assert!(bad.len() < 20, "{bad:#?}");
    }
    println!(
        "{cases} cases, {requests} requests, {answered} answers, {echoed} validators sent back, {} wrong",
        bad.len()
    );
    assert!(bad.is_empty(), "{bad:#?}");
    // That something was tried at all.
    assert!(requests >= cases && answered * 2 > cases && echoed * 10 > cases, "{requests} {answered} {echoed}");
}

/// That the judge would see it.
#[test]
fn the_judge_knows_a_request_that_was_split() {
    let request = |head: &str| format!("GET {head}\r\n\r\n");
    let good = "/ HTTP/1.1\r\nhost: a.test\r\nuser-agent: heliu";
    assert_eq!(split(request(good).as_bytes()), None);
    for bad in [
        request(&format!("{good}\r\nX-Smuggled: 1")),
        request(&format!("{good}\r\nhost: evil.test")),
        request(&format!("{good}\nX-Smuggled: 1")),
        request(&format!("{good}\nif-none-match: 1")),
        request(&format!("{good}\rif-none-match: 1")),
        request(&format!("{good}\0")),
        request(&format!("{good}\u{1b}[2J")),
        request("/a b HTTP/1.1\r\nhost: a.test"),
        request("http://evil.test/ HTTP/1.1\r\nhost: a.test"),
        request(good) + "GET /evil HTTP/1.1\r\n\r\n",
        request(good) + "x",
        request(&format!("{good}\r\nno header")),
        "GET / HTTP/1.1\r\n".to_owned(),
    ] {
        assert!(split(bad.as_bytes()).is_some(), "{bad:?}");
    }
}
