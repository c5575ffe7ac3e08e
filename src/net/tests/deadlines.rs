//! Every deadline passes, and the pauses between requests hold.

use super::super::pace::{self, Pace};
use super::*;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::time::Instant;

const SHORT: Duration = Duration::from_millis(40);
const LONG: Duration = Duration::from_mins(1);

fn patient() -> Deadlines {
    Deadlines { dns: LONG, connect: LONG, tls: LONG, first_byte: LONG, idle: LONG, total: LONG }
}

/// A resolver and dialler that never answer.
struct Never;

impl Resolve for Never {
    fn resolve<'a>(&'a self, _: &'a str) -> BoxFuture<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(std::future::pending())
    }
}

impl Dial for Never {
    fn dial(&self, _: SocketAddr) -> BoxFuture<'static, io::Result<Socket>> {
        Box::pin(std::future::pending())
    }
}

async fn late(options: Options, url: &str, expected: &str) {
    let error = Client::new(options).fetch(get(url)).await.unwrap_err();
    assert_eq!(error.kind, FetchErrorKind::Timeout, "{error}");
    assert!(error.message.contains(expected), "{error}");
    assert_one_line(&error);
}

#[tokio::test]
async fn every_deadline_passes() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nabc".to_vec();
    let silent = Origin::start(vec![Act::Hang(Vec::new())]).await;
    let headers = Origin::start(vec![Act::Drip(b"HTTP/1.1 200 OK\r\nX: ".to_vec(), SHORT / 8)]).await;
    let idle = Origin::start(vec![Act::Hang(head.clone())]).await;
    let drip = Origin::start(vec![Act::Drip(head, SHORT / 8)]).await;
    let with = |origin: &Origin, deadlines| {
        let trace =
            Trace { answers: vec!["8.8.8.8".parse().unwrap()], origin: Some(origin.address), ..Trace::default() };
        Options { deadlines, ..options(&Arc::new(trace)) }
    };
    let http = "http://late.test/";
    let dns = Options { resolver: Arc::new(Never), ..with(&silent, Deadlines { dns: SHORT, ..patient() }) };
    late(dns, http, "did not resolve").await;
    let connect = Options { dialer: Arc::new(Never), ..with(&silent, Deadlines { connect: SHORT, ..patient() }) };
    late(connect, http, "did not take the connection").await;
    late(with(&silent, Deadlines { tls: SHORT, ..patient() }), "https://late.test/", "TLS").await;
    late(with(&silent, Deadlines { first_byte: SHORT, ..patient() }), http, "did not answer").await;
    late(with(&headers, Deadlines { first_byte: SHORT, ..patient() }), http, "did not answer").await;
    late(with(&idle, Deadlines { idle: SHORT, ..patient() }), http, "did not go on").await;
    late(with(&drip, Deadlines { idle: LONG, total: 3 * SHORT, ..patient() }), http, "did not end").await;
}

/// with time injected, a name that is never answered and a connection that is never taken are given up within a
/// tenth of their deadline, and what takes part of both by the total.
#[tokio::test(start_paused = true)]
async fn deadlines_pass_within_a_tenth() {
    let trace = trace();
    let usual = Deadlines::default();
    let resting = || Options { resolver: Arc::new(Never), ..options(&trace) };
    let hanging = || Options { dialer: Arc::new(Never), ..options(&trace) };
    let total = Duration::from_secs(2);
    for (options, expected, said) in [
        (resting(), usual.dns, "did not resolve"),
        (hanging(), usual.connect, "did not take the connection"),
        (Options { deadlines: Deadlines { total, ..patient() }, ..resting() }, total, "did not end"),
        (Options { deadlines: Deadlines { total, ..patient() }, ..hanging() }, total, "did not end"),
    ] {
        let began = Instant::now();
        late(options, "http://late.test/", said).await;
        let took = began.elapsed();
        assert!(took >= expected && took <= expected.mul_f32(1.1), "{said}: {took:?} instead of {expected:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_is_asked_one_at_a_time_in_order_with_pauses() {
    let (pace, gap) = (Arc::new(Pace::default()), Duration::from_secs(1));
    let url = Url::parse("http://a.test/").unwrap();
    let (begin, log) = (Instant::now(), Arc::new(Mutex::new(Vec::new())));
    let tasks: Vec<_> = (0..5)
        .map(|n| {
            let (pace, url, log) = (Arc::clone(&pace), url.clone(), Arc::clone(&log));
            tokio::spawn(async move {
                let _turn = pace.turn(pace::site(&url), gap).await;
                log.lock().unwrap().push((n, begin.elapsed().as_secs()));
                tokio::time::sleep(Duration::from_secs(2)).await;
            })
        })
        .collect();
    tokio::task::yield_now().await;
    // Another site: at once.
    for other in ["http://b.test/", "http://c.test:81/", "https://1.1.1.1/"] {
        pace.turn(pace::site(&Url::parse(other).unwrap()), gap).await;
    }
    assert_eq!(begin.elapsed(), Duration::ZERO);
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*log.lock().unwrap(), [(0, 0), (1, 3), (2, 6), (3, 9), (4, 12)]);
}

#[tokio::test(start_paused = true)]
async fn giving_up_a_turn_neither_skips_nor_adds_a_pause() {
    let pace = Pace::default();
    let gap = Duration::from_secs(10);
    drop(pace.turn("a.test".to_owned(), gap).await);
    let begin = Instant::now();
    assert!(tokio::time::timeout(Duration::from_secs(4), pace.turn("a.test".to_owned(), gap)).await.is_err());
    let mut turn = pace.turn("a.test".to_owned(), gap).await;
    assert_eq!(begin.elapsed(), gap);
    turn.set_gap(Duration::ZERO);
    drop(turn);
    drop(pace.turn("a.test".to_owned(), gap).await);
    assert_eq!(begin.elapsed(), gap);
}

#[tokio::test(start_paused = true)]
async fn hosts_are_forgotten() {
    let (pace, gap) = (Pace::default(), Duration::from_secs(1));
    for n in 0..10_000 {
        drop(pace.turn(format!("h{n}.test"), gap).await);
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    assert!(pace.hosts() <= 128, "{}", pace.hosts());
}

#[tokio::test]
async fn a_host_that_hangs_delays_nobody_else() {
    let silent = Origin::start(vec![Act::Hang(Vec::new())]).await;
    let fast = Origin::sending(&["HTTP/1.1 200 OK\nContent-Length: 2\n\nok"]).await;
    let client = Client::new(Options { allow_networks: vec!["127.0.0.0/8".parse().unwrap()], ..Options::default() });
    let client = Arc::new(client);
    let hanging = tokio::spawn({
        let (client, url) = (Arc::clone(&client), format!("http://{}/", silent.address));
        async move { client.fetch(get(&url)).await }
    });
    let answer = client.fetch(get(&format!("http://{}/", fast.address))).await.unwrap();
    assert_eq!((answer.status, &answer.body[..]), (200, &b"ok"[..]));
    assert!(!hanging.is_finished());
    hanging.abort();
}

/// Connections that stay in this process: the paused clock waits for what passes through them, as it would not for the
/// system.
struct Inside(Act);

impl Dial for Inside {
    fn dial(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Socket>> {
        let (ours, theirs) = tokio::io::duplex(4096);
        tokio::spawn(serve(theirs, self.0.clone(), Arc::default()));
        Box::pin(std::future::ready(Ok(Socket::new(ours, address))))
    }
}

/// the deadlines as they are shipped pass when they should, a tenth more or less, on the paused clock.
#[tokio::test(start_paused = true)]
async fn the_deadlines_are_these() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nabc".to_vec();
    let with = |act: Act| Options { dialer: Arc::new(Inside(act)), ..options(&trace()) };
    let silent = || with(Act::Hang(Vec::new()));
    let (second, http) = (Duration::from_secs(1), "http://late.test/");
    let table = [
        (Options { resolver: Arc::new(Never), ..silent() }, http, "did not resolve", 5.0),
        (Options { dialer: Arc::new(Never), ..silent() }, http, "did not take the connection", 5.0),
        (silent(), "https://late.test/", "TLS", 5.0),
        (silent(), http, "did not answer", 15.0),
        // A head that never ends is no answer, however busy the connection is.
        (with(Act::Drip(b"HTTP/1.1 200 OK\r\nX: ".to_vec(), second)), http, "did not answer", 15.0),
        (with(Act::Hang(head.clone())), http, "did not go on", 10.0),
        (with(Act::Drip(head.clone(), 9 * second)), http, "did not end", 30.0),
        // Each piece has the whole pause again.
        (with(Act::Drip(head, 11 * second)), http, "did not go on", 10.0),
    ];
    for (options, url, expected, seconds) in table {
        let begin = Instant::now();
        late(options, url, expected).await;
        let took = begin.elapsed().as_secs_f64();
        assert!((took / seconds - 1.0).abs() <= 0.1, "{expected}: {took} s");
    }
}

/// Every name is one public address, and nobody is there.
fn trace() -> Arc<Trace> {
    Arc::new(Trace { answers: vec!["8.8.8.8".parse().unwrap()], ..Trace::default() })
}

/// Only who does not take a connection tells that there may be no network: three who fall silent together do not.
#[tokio::test(start_paused = true)]
async fn who_took_the_connection_was_reached() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nabc".to_vec();
    let with = |act: Act| Options { dialer: Arc::new(Inside(act)), ..options(&trace()) };
    let silent = || with(Act::Hang(Vec::new()));
    for (what, options, scheme, reached) in [
        ("no name", Options { resolver: Arc::new(Never), ..silent() }, "http", false),
        ("no connection", Options { dialer: Arc::new(Never), ..silent() }, "http", false),
        ("refused", options(&trace()), "http", false),
        ("no handshake", silent(), "https", true),
        ("garbage for a handshake", with(Act::Send(b"220 mail.test ESMTP\r\n\r\n".to_vec())), "https", true),
        ("no answer", silent(), "http", true),
        ("half an answer", with(Act::Hang(head.clone())), "http", true),
        ("drops", with(Act::Drip(head, Duration::from_secs(9))), "http", true),
    ] {
        let client = Client::new(options);
        let sites = ["a", "b", "c"].map(|name| format!("{scheme}://{name}.test/"));
        for error in futures_util::future::join_all(sites.iter().map(|url| client.fetch(get(url)))).await {
            assert_eq!(error.unwrap_err().reached, reached, "{what}");
        }
        assert_eq!(client.is_offline(), !reached, "{what}");
    }
    // Who redirected was reached, wherever that leads.
    let to = b"HTTP/1.1 302 Found\r\nLocation: https://elsewhere.test/\r\nContent-Length: 0\r\n\r\n".to_vec();
    let dialer = Arc::new(FirstOnly(Inside(Act::Send(to)), AtomicBool::new(true)));
    let error = Client::new(Options { dialer, ..options(&trace()) }).fetch(get("http://a.test/")).await.unwrap_err();
    assert!(error.url.contains("elsewhere") && error.reached, "{error:?}");
}

/// Takes one connection only.
struct FirstOnly(Inside, AtomicBool);

impl Dial for FirstOnly {
    fn dial(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Socket>> {
        if self.1.swap(false, Ordering::Relaxed) {
            return self.0.dial(address);
        }
        Box::pin(std::future::ready(Err(io::ErrorKind::ConnectionRefused.into())))
    }
}
