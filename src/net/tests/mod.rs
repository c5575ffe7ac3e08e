//! Tests of the gate: a scripted origin on loopback, a resolver and a dialler that write down what they are asked.

mod addresses;
mod bodies;
mod deadlines;
mod hops;
mod pure;
mod robots;
mod sites;
mod tls;

use super::*;
use futures_util::future::BoxFuture;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// What the origin does with a connection's next request.
#[derive(Clone)]
enum Act {
    /// Sends these bytes and closes.
    Send(Vec<u8>),
    /// Sends these bytes and keeps the connection open in silence.
    Hang(Vec<u8>),
    /// Sends the first bytes, then one byte at a time, this far apart, for ever.
    Drip(Vec<u8>, Duration),
}

/// A scripted origin: connection n gets act n, the last one is repeated.
struct Origin {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Origin {
    async fn start(script: Vec<Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            for n in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                let act = script[n.min(script.len() - 1)].clone();
                tokio::spawn(serve(stream, act, Arc::clone(&log)));
            }
        });
        Self { address, asked }
    }

    async fn sending(answers: &[&str]) -> Self {
        Self::start(answers.iter().map(|answer| Act::Send(answer.replace('\n', "\r\n").into_bytes())).collect()).await
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(mut stream: impl Duplex, act: Act, log: Arc<Mutex<Vec<String>>>) {
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    while !seen.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => seen.extend_from_slice(&buffer[..read]),
            _ => return,
        }
    }
    // Latin-1, so that every byte shows.
    log.lock().unwrap().push(seen.iter().map(|byte| char::from(*byte)).collect());
    match act {
        Act::Send(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Act::Hang(bytes) => {
            let _ = stream.write_all(&bytes).await;
            std::future::pending::<()>().await;
        }
        Act::Drip(bytes, pause) => {
            let _ = stream.write_all(&bytes).await;
            while stream.write_all(b"x").await.is_ok() {
                tokio::time::sleep(pause).await;
            }
        }
    }
}

/// Answers every name from a list, and dials a fixed origin instead of the address, writing both down.
#[derive(Default)]
struct Trace {
    answers: Vec<IpAddr>,
    /// Later answers, when the name changes its mind.
    then: Option<Vec<IpAddr>>,
    origin: Option<SocketAddr>,
    names: Mutex<Vec<String>>,
    dialled: Mutex<Vec<SocketAddr>>,
}

impl Trace {
    fn dialled(&self) -> Vec<SocketAddr> {
        self.dialled.lock().unwrap().clone()
    }
}

/// The trace as resolver and dialler.
#[derive(Clone)]
struct Wire(Arc<Trace>);

impl Resolve for Wire {
    fn resolve<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        let mut names = self.0.names.lock().unwrap();
        let again = names.iter().any(|known| known == name);
        names.push(name.to_owned());
        let answers = self.0.then.as_ref().filter(|_| again).unwrap_or(&self.0.answers).clone();
        Box::pin(std::future::ready(Ok(answers)))
    }
}

impl Dial for Wire {
    #[expect(clippy::disallowed_methods, reason = "goes to the scripted origin on loopback only")]
    fn dial(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Socket>> {
        self.0.dialled.lock().unwrap().push(address);
        match self.0.origin {
            Some(origin) => Box::pin(async move { Socket::tcp(TcpStream::connect(origin).await?) }),
            None => Box::pin(std::future::ready(Err(io::ErrorKind::ConnectionRefused.into()))),
        }
    }
}

/// A client whose every name is the public address 93.184.215.14 and whose every connection ends at `origin`.
fn client(origin: Option<&Origin>) -> (Client, Arc<Trace>) {
    let answers = vec!["93.184.215.14".parse().unwrap()];
    traced(Trace { answers, origin: origin.map(|origin| origin.address), ..Trace::default() })
}

fn traced(trace: Trace) -> (Client, Arc<Trace>) {
    let trace = Arc::new(trace);
    (Client::new(Options { host_gap: Duration::ZERO, ..options(&trace) }), trace)
}

fn options(trace: &Arc<Trace>) -> Options {
    Options {
        user_agent: "heliu/test (+https://example.org/about)".to_owned(),
        resolver: Arc::new(Wire(Arc::clone(trace))),
        dialer: Arc::new(Wire(Arc::clone(trace))),
        ..Options::default()
    }
}

fn get(url: &str) -> Request {
    Request {
        url: Url::parse(url).unwrap(),
        validators: Validators::default(),
        accept: Accept::Feed,
        limit: 10 << 20,
        robots: Robots::Ignore,
        berth: Berth::default(),
    }
}

fn assert_one_line(error: &FetchError) {
    let told = error.to_string();
    assert!(!told.contains(['\r', '\n', '\0', '\u{1b}']), "{told:?}");
    assert!(!told.contains("secret"), "{told:?}");
}
