//! A scripted HTTP server on loopback, able to misbehave on the wire. It logs every request.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What is sent for one path.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) manners: Manners,
}

/// How it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manners {
    /// As HTTP demands.
    Good,
    /// The connection is closed without a word.
    HangUp,
    /// Content-Length promises the whole body, half of it is sent.
    Cut,
    /// The answer is not HTTP.
    Garbage,
    /// The body is all that is sent, head and all.
    Raw,
}

impl Answer {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Self { status, headers, body: body.into(), manners: Manners::Good }
    }

    pub(crate) fn html(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, "text/html", body)
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::new(status, "text/html", format!("<h1>{status}</h1>"))
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A strong ETag made of the body, honoured in conditional requests.
    pub(crate) fn with_etag(self) -> Self {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        self.body.hash(&mut hasher);
        let etag = format!("\"{:x}\"", hasher.finish());
        self.header("ETag", &etag)
    }

    /// Exactly these bytes, then the end of the connection.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(200, "", bytes).manners(Manners::Raw)
    }

    pub(crate) fn manners(mut self, manners: Manners) -> Self {
        self.manners = manners;
        self
    }

    fn etag(&self) -> Option<&str> {
        self.headers.iter().find(|(name, _)| name == "ETag").map(|(_, value)| value.as_str())
    }
}

/// One request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) status: u16,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

#[derive(Default)]
struct Script {
    answers: HashMap<String, Answer>,
    otherwise: Option<Answer>,
    log: Vec<Asked>,
}

/// The server. Its threads end with the process; each is bounded by a read timeout.
#[derive(Clone)]
pub(crate) struct Origin {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
}

impl Origin {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let script = Arc::new(Mutex::new(Script::default()));
        let shared = Arc::clone(&script);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || converse(&stream, &shared));
            }
        });
        Self { address, script }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Sets what is sent for a path on any host, or for `host/path`.
    pub(crate) fn put(&self, path: &str, answer: Answer) {
        self.script.lock().unwrap().answers.insert(path.to_owned(), answer);
    }

    /// Forgets all paths.
    pub(crate) fn clear(&self) {
        let mut script = self.script.lock().unwrap();
        script.answers.clear();
        script.otherwise = None;
    }

    /// Sets what is sent for all paths, known or not.
    pub(crate) fn always(&self, answer: Answer) {
        let mut script = self.script.lock().unwrap();
        script.answers.clear();
        script.otherwise = Some(answer);
    }

    /// The requests since the last call.
    pub(crate) fn take_log(&self) -> Vec<Asked> {
        std::mem::take(&mut self.script.lock().unwrap().log)
    }
}

fn converse(stream: &TcpStream, script: &Mutex<Script>) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
    let _ = stream.set_nodelay(true);
    let mut reader = BufReader::new(stream);
    while let Some((path, headers)) = read_head(&mut reader) {
        let host = header(&headers, "host").unwrap_or_default().split(':').next().unwrap_or_default().to_owned();
        let (answer, not_modified) = {
            let mut script = script.lock().unwrap();
            let found = script
                .answers
                .get(&format!("{host}{path}"))
                .or_else(|| script.answers.get(&path))
                // A robots.txt is there only where a test puts one.
                .or(script.otherwise.as_ref().filter(|_| path != "/robots.txt"));
            let quiet = found.is_none() && path == "/robots.txt";
            let answer = found.cloned().unwrap_or_else(|| Answer::status(404));
            let not_modified =
                answer.status == 200 && answer.etag().is_some() && answer.etag() == header(&headers, "if-none-match");
            let status = if not_modified { 304 } else { answer.status };
            if !quiet {
                script.log.push(Asked { path, headers, status });
            }
            (answer, not_modified)
        };
        if send(stream, &answer, not_modified).is_err() || answer.manners != Manners::Good {
            return;
        }
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

type Head = (String, Vec<(String, String)>);

fn read_head(reader: &mut impl BufRead) -> Option<Head> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.by_ref().take(16 << 10).read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let mut lines = head.split("\r\n");
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Some((path, headers))
}

fn send(mut stream: &TcpStream, answer: &Answer, not_modified: bool) -> std::io::Result<()> {
    match answer.manners {
        Manners::HangUp => return Ok(()),
        Manners::Garbage => return stream.write_all(b"\x00\x01 this is not HTTP\r\n\r\n"),
        Manners::Raw => return stream.write_all(&answer.body),
        Manners::Good | Manners::Cut => {}
    }
    let status = if not_modified { 304 } else { answer.status };
    let mut head = format!("HTTP/1.1 {status} Scripted\r\n");
    for (name, value) in &answer.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    if !not_modified {
        let _ = write!(head, "Content-Length: {}\r\n", answer.body.len());
    }
    head += "\r\n";
    stream.write_all(head.as_bytes())?;
    if not_modified {
        return Ok(());
    }
    let end = if answer.manners == Manners::Cut { answer.body.len() / 2 } else { answer.body.len() };
    stream.write_all(&answer.body[..end])
}
