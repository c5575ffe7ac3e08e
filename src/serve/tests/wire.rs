//! Hostile bytes, slow clients, caps and the end (checklist ).
#![expect(clippy::disallowed_methods, reason = "the tests ask their own server on loopback")]

use super::kit::{Answer, Server, published, read_all, short};
use crate::publish::Shelved;
use crate::serve::Options;
use bytes::Bytes;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Duration, Instant, timeout};

const SMUGGLED: &str = "GET /feeds/shiping.atom HTTP/1.1\r\nHost: a\r\n\r\n";

/// Requests whose end two parsers might see in two places. Each hides a second request.
fn payloads() -> Vec<String> {
    let post = |headers: &str, body: &str| {
        format!("POST /feeds/shiping.rss HTTP/1.1\r\nHost: a\r\n{headers}\r\n{body}{SMUGGLED}")
    };
    let get = |headers: &str, body: &str| {
        format!("GET /feeds/shiping.rss HTTP/1.1\r\nHost: a\r\n{headers}\r\n{body}{SMUGGLED}")
    };
    let mut all = Vec::new();
    for headers in [
        "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: 5, 6\r\n",
        "Content-Length: +1\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 1e1\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Content-Length: 5 5\r\n",
        "Content-Length:\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: \x0bchunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        " Transfer-Encoding: chunked\r\n",
        "X: y\r\n Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Content-Length : 5\r\n",
        "Content\0-Length: 5\r\n",
        "X: a\rContent-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\nConnection: close, Transfer-Encoding\r\n",
        "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nContent-Length: 5\r\n",
    ] {
        all.push(post(headers, "0\r\n\r\n"));
        all.push(get(headers, "0\r\n\r\n"));
    }
    for body in [
        "5;x=\n\r\nabcde\r\n0\r\n\r\n",
        "FFFFFFFFFFFFFFFFF\r\n",
        "-5\r\nabcde\r\n",
        "5\nabcde\n0\n\n",
        "5\r\nabcdeXX0\r\n\r\n",
        "zz\r\n",
        "0x5\r\nabcde\r\n0\r\n\r\n",
    ] {
        all.push(post("Transfer-Encoding: chunked\r\n", body));
    }
    all.push(format!(
        "POST /feeds/shiping.rss HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}"
    ));
    all
}

#[tokio::test]
async fn hostile_framing_never_gets_a_second_answer() {
    let server = Server::start(short()).await;
    let payloads = payloads();
    assert!(payloads.len() >= 30);
    for payload in payloads {
        let bytes = server.raw(payload.as_bytes()).await;
        let text = String::from_utf8_lossy(&bytes);
        // A GET whose framing headers mean "no body" may be answered, and what follows is then a request of its own.
        assert!(text.matches("HTTP/1.1 ").count() <= 1, "{payload:?}\n{text}");
        assert!(!text.contains("atom/"), "{payload:?}\n{text}");
    }
    server.stop().await;
}

#[tokio::test]
async fn malformed_requests_are_refused() {
    let server = Server::start(short()).await;
    let get = |headers: &str| format!("GET /feeds/shiping.rss HTTP/1.1\r\n{headers}\r\n");
    let long = |n: usize| "a".repeat(n);
    for (request, expected) in [
        (get(""), 400),
        (get("Host: a\r\nHost: b\r\n"), 400),
        (get("Host: a\r\nContent-Length: 5\r\n") + "abcde", 400),
        (get("Host: a\r\nbad header\r\n"), 400),
        (get("Host: a\r\nX\0: y\r\n"), 400),
        ("GET /feeds/shiping.rss HTTP/9.9\r\n\r\n".into(), 400),
        ("\u{1}\u{2}\u{3}\r\n\r\n".into(), 400),
        (format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", long(9000)), 414),
        (format!("GET /?{} HTTP/1.1\r\nHost: a\r\n\r\n", long(9000)), 414),
        (get(&format!("Host: a\r\nX: {}\r\n", long(17_000))), 431),
        (get(&format!("Host: a\r\n{}", "X: y\r\n".repeat(101))), 431),
    ] {
        let bytes = server.raw(request.as_bytes()).await;
        assert_eq!(Answer::parse(&bytes).status, expected, "{request:.80}");
    }
    let many =
        format!("GET /feeds/shiping.rss HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{}\r\n", "X: y\r\n".repeat(90));
    assert_eq!(Answer::parse(&server.raw(many.as_bytes()).await).status, 200);
    server.stop().await;
}

#[tokio::test]
async fn slow_clients_are_culled() {
    let server = Server::start(short()).await;
    for start in ["", "G", "PRI * HT", "GET /feeds/shiping.rss HTTP/1.1\r\nHost:", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let begun = Instant::now();
        server.raw(start.as_bytes()).await;
        assert!(begun.elapsed() < Duration::from_secs(5), "{start:?}");
    }
    // A byte now and then does not help: the header has one deadline.
    let mut stream = server.connect().await;
    let dripping = async {
        for byte in "GET / HTTP/1.1\r\nHost: a\r\nX: ".bytes().chain(std::iter::repeat(b'x')) {
            if stream.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(5), dripping).await.expect("a dripping header is cut off");
    // A body that never comes.
    let begun = Instant::now();
    let bytes = server.raw(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n").await;
    assert_eq!(Answer::parse(&bytes).status, 404);
    assert!(begun.elapsed() < Duration::from_secs(5));
    let report = server.stop().await;
    assert_eq!(report.cut, 0, "nothing was left to cut off");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_culled() {
    let mut set = published();
    if let Some(Shelved::One(document)) = set.documents.get_mut("/feeds/shiping.rss") {
        Arc::make_mut(document).representations[0].bytes = Bytes::from(vec![b'x'; 32 << 20]);
    }
    let server = Server::with(short(), set).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /feeds/shiping.rss HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    // Not reading: the server's connection has to end by itself, which the drain shows.
    tokio::time::sleep(Duration::from_millis(400)).await;
    let taken = read_all(&mut stream).await.len();
    assert!(taken < 32 << 20, "the whole answer arrived: {taken}");
    assert_eq!(server.stop().await.cut, 0);
}

#[tokio::test]
async fn a_resting_connection_is_parked_woken_and_closed() {
    let server = Server::start(short()).await;
    let mut stream = server.connect().await;
    let mut part = vec![0; 8192];
    for round in 0..3 {
        stream.write_all(b"GET /robots.txt HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let n = stream.read(&mut part).await.unwrap();
        assert!(part[..n].starts_with(b"HTTP/1.1 200"), "round {round}");
        // Longer than `park_after`, shorter than `keep_alive`.
        tokio::time::sleep(Duration::from_millis(80)).await;
    }
    let begun = Instant::now();
    assert!(read_all(&mut stream).await.is_empty());
    assert!(begun.elapsed() < Duration::from_secs(5));
    server.stop().await;
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = Server::start(short()).await;
    let one = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    let bytes = server
        .raw(format!("{}{}{}", one("/feeds/shiping.rss"), one("/healthz"), one("/feeds/shiping.atom")).as_bytes())
        .await;
    let text = String::from_utf8_lossy(&bytes);
    let places: Vec<_> = ["rss/i/", "\"status\":\"ok\"", "atom/i/"].iter().map(|part| text.find(part)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}\n{text}");
    server.stop().await;
}

#[tokio::test]
async fn too_many_connections_are_told_so() {
    for options in [
        Options { max_connections: 2, ..Options::default() },
        Options { max_connections_per_ip: 2, ..Options::default() },
    ] {
        let server = Server::start(options).await;
        let mut held = Vec::new();
        for _ in 0..2 {
            let mut stream = server.connect().await;
            stream.write_all(b"GET /robots.txt HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
            stream.read_u8().await.unwrap();
            held.push(stream);
        }
        let answer = Answer::parse(&read_all(&mut server.connect().await).await);
        assert_eq!((answer.status, answer.header("retry-after")), (503, "10"));
        assert_eq!(answer.header("content-length"), answer.body.len().to_string());
        drop(held);
        let report = server.stop().await;
        assert_eq!((report.connections, report.refused), (2, 1));
    }
}

#[tokio::test]
async fn a_panic_is_one_requests_problem() {
    let server = Server::start(short()).await;
    let one = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    let bytes = server.raw(format!("{}{}", one("/test/panic"), one("/feeds/shiping.rss")).as_bytes()).await;
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.starts_with("HTTP/1.1 500") && text.contains("rss/i/") && !text.contains("on purpose"), "{text}");
    server.stop().await;
}

#[tokio::test]
async fn http2_with_prior_knowledge() {
    use http_body_util::{BodyExt, Empty};
    use hyper_util::rt::{TokioExecutor, TokioIo};
    let server = Server::start(Options::default()).await;
    let io = TokioIo::new(server.connect().await);
    let (mut client, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    for (path, expected) in
        [("/feeds/shiping.rss", "rss/g/"), ("/healthz", "{\"config\""), ("/feeds/shiping.atom", "atom/g/")]
    {
        let request = hyper::Request::get(format!("http://localhost{path}")).header("accept-encoding", "gzip");
        let response = client.send_request(request.body(Empty::<Bytes>::new()).unwrap()).await.unwrap();
        assert_eq!(response.status(), 200);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(body.starts_with(expected.as_bytes()), "{body:?}");
    }
    assert_eq!(server.stop().await.cut, 0);
}

#[tokio::test]
async fn http2_clients_that_read_slowly_but_steadily_get_everything() {
    use http_body_util::{BodyExt, Empty};
    use hyper_util::rt::{TokioExecutor, TokioIo};
    const SIZE: usize = 1 << 20;
    let mut set = published();
    if let Some(Shelved::One(document)) = set.documents.get_mut("/feeds/shiping.rss") {
        Arc::make_mut(document).representations[0].bytes = Bytes::from(vec![b'x'; SIZE]);
    }
    let server = Server::with(short(), set).await;
    let io = TokioIo::new(server.connect().await);
    let (mut client, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(65_535)
        .initial_connection_window_size(65_535)
        .handshake(io)
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = hyper::Request::get("http://localhost/feeds/shiping.rss").body(Empty::<Bytes>::new()).unwrap();
    let mut body = client.send_request(request).await.unwrap().into_body();
    let mut taken = 0;
    while let Some(frame) = body.frame().await {
        taken += frame.unwrap().into_data().map_or(0, |data| data.len());
        // All together far longer than the header and write limits of 80 ms.
        tokio::time::sleep(Duration::from_millis(8)).await;
    }
    assert_eq!(taken, SIZE);
    server.stop().await;
}

#[tokio::test]
async fn stopping_closes_resting_connections_and_cuts_stuck_ones() {
    let server = Server::start(Options::default()).await;
    let mut resting = server.connect().await;
    resting.write_all(b"GET /robots.txt HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    resting.read_u8().await.unwrap();
    assert_eq!(server.stop().await.cut, 0, "a resting connection does not hold up the end");

    let options = Options { drain: Duration::from_millis(100), ..Options::default() };
    let server = Server::start(options).await;
    let mut stuck = server.connect().await;
    stuck.write_all(b"GET /robots.txt HTTP/1.1\r\nHost:").await.unwrap();
    while server.get("/healthz", &[]).await.status != 200 {}
    assert_eq!(server.stop().await.cut, 1);
}

#[tokio::test]
async fn errors_of_accepting_never_end_the_loop() {
    use crate::serve::listen::{Door, run};
    use std::io;
    use std::net::SocketAddr;
    use tokio::net::{TcpListener, TcpStream};

    struct Faulty(u32, TcpListener);
    impl Door for Faulty {
        async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
            if self.0 > 0 {
                self.0 -= 1;
                return Err(io::Error::from_raw_os_error(24));
            }
            self.1.accept().await
        }
    }
    let server = Server::start(Options::default()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let site = Arc::clone(&server.site);
    let faulty = tokio::spawn(async move { run(Faulty(3, listener), site, async { drop(stopped.await) }).await });
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /robots.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    assert_eq!(Answer::parse(&read_all(&mut stream).await).status, 200);
    drop(stop);
    assert_eq!(faulty.await.unwrap().connections, 1);
    server.stop().await;
}
