//! P-11, R-18: one site is one lane, and a host that is down is left alone.

use super::super::breaker::{self, Breakers, OPENS_AT};
use super::super::error;
use super::super::pace::{self, Pace};
use super::*;
use std::str::FromStr;
use tokio::time::Instant;

#[test]
fn addresses_of_one_site() {
    let table = [
        ("http://www.workercn.cn/x", "workercn.cn"),
        ("https://comment.workercn.cn:8443/", "workercn.cn"),
        ("http://WORKERCN.cn./", "workercn.cn"),
        ("https://a.b.example.co.uk/", "example.co.uk"),
        ("https://news.example.com.cn/", "example.com.cn"),
        // The list calls these suffixes: each customer is a site.
        ("https://one.github.io/", "one.github.io"),
        ("https://two.github.io/", "two.github.io"),
        ("https://deep.one.github.io/", "one.github.io"),
        ("https://one.blogspot.com/", "one.blogspot.com"),
        ("https://github.io/", "github.io"),
        // No suffix at all, and numbers.
        ("http://localhost:8080/", "localhost"),
        ("http://a.unknown-suffix/", "a.unknown-suffix"),
        ("http://www.xn--fiq228c.xn--fiqs8s/", "xn--fiq228c.xn--fiqs8s"),
        ("http://8.8.8.8:8080/", "8.8.8.8"),
        ("http://[2606:4700::1111]/", "[2606:4700::1111]"),
    ];
    for (address, expected) in table {
        assert_eq!(pace::site(&Url::parse(address).unwrap()), expected, "{address}");
    }
    let local = [ipnet::IpNet::from_str("127.0.0.0/8").unwrap()];
    let lane = |address| pace::lane(&Url::parse(address).unwrap(), &local);
    assert_ne!(lane("http://127.0.0.1:1/"), lane("http://127.0.0.1:2/"), "servers in allowed networks by port");
    assert_eq!(lane("http://8.8.8.8:1/"), lane("http://8.8.8.8:2/"));
}

#[tokio::test(start_paused = true)]
async fn five_hundred_channels_on_one_site_take_turns_in_order_with_pauses() {
    let (pace, gap) = (Arc::new(Pace::default()), Duration::from_secs(1));
    let (begin, log) = (Instant::now(), Arc::new(Mutex::new(Vec::new())));
    let inside = Arc::new(Mutex::new((0, 0)));
    let mut tasks = Vec::new();
    for n in 0..500 {
        let url = Url::parse(&format!("https://h{n}.example.com.cn/")).unwrap();
        let (pace, log, inside) = (Arc::clone(&pace), Arc::clone(&log), Arc::clone(&inside));
        tasks.push(tokio::spawn(async move {
            let _turn = pace.turn(pace::site(&url), gap).await;
            {
                let mut inside = inside.lock().unwrap();
                inside.0 += 1;
                inside.1 = inside.1.max(inside.0);
            }
            log.lock().unwrap().push((n, begin.elapsed()));
            tokio::time::sleep(Duration::from_millis(500)).await;
            inside.lock().unwrap().0 -= 1;
        }));
        tokio::task::yield_now().await;
    }
    // While they wait, another site has its turn at once.
    drop(pace.turn("other.test".to_owned(), gap).await);
    assert_eq!(begin.elapsed(), Duration::ZERO);
    for task in tasks {
        task.await.unwrap();
    }
    let log = log.lock().unwrap();
    assert_eq!(inside.lock().unwrap().1, 1, "never two at once");
    assert_eq!(
        log.iter().map(|(n, _)| *n).collect::<Vec<_>>(),
        (0..500).collect::<Vec<_>>(),
        "first come first served"
    );
    for pair in log.windows(2) {
        let apart = pair[1].1.checked_sub(pair[0].1).unwrap();
        assert!(apart >= gap + Duration::from_millis(500) && apart < Duration::from_millis(1510), "{apart:?}");
    }
    assert_eq!(log.len(), 500);
}

/// A dialler that fails until it is told otherwise.
struct Flaky {
    up: Arc<std::sync::atomic::AtomicBool>,
    trace: Arc<Trace>,
}

impl Dial for Flaky {
    fn dial(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Socket>> {
        if self.up.load(std::sync::atomic::Ordering::SeqCst) {
            return Wire(Arc::clone(&self.trace)).dial(address);
        }
        self.trace.dialled.lock().unwrap().push(address);
        Box::pin(std::future::ready(Err(io::ErrorKind::ConnectionRefused.into())))
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_is_down_is_left_alone_until_a_probe_finds_it_up() {
    let origin = Origin::sending(&["HTTP/1.1 200 OK\nContent-Length: 2\nConnection: close\n\nok"]).await;
    let up = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let answers = vec!["93.184.215.14".parse().unwrap()];
    let trace = Arc::new(Trace { answers, origin: Some(origin.address), ..Trace::default() });
    let dialer = Arc::new(Flaky { up: Arc::clone(&up), trace: Arc::clone(&trace) });
    let client = Client::new(Options { dialer, host_gap: Duration::ZERO, ..options(&trace) });
    let dials = || trace.dialled().len();
    for _ in 0..OPENS_AT {
        assert_eq!(client.fetch(get("http://down.test/")).await.unwrap_err().kind, FetchErrorKind::Connect);
    }
    const { assert!(OPENS_AT <= 5) };
    assert_eq!(dials(), 5);
    // Open: not one connection, whoever asks, and the error says why.
    for _ in 0..500 {
        let error = client.fetch(get("http://down.test/other")).await.unwrap_err();
        assert_eq!(error.kind, FetchErrorKind::Resting);
        assert!(error.message.contains("5 times in a row") && error.message.contains("no connection"), "{error}");
        assert_one_line(&error);
    }
    assert_eq!(dials(), 5);
    // Another host is asked as ever, even one of the same site.
    assert_eq!(client.fetch(get("http://up.down.test/")).await.unwrap_err().kind, FetchErrorKind::Connect);
    assert_eq!(dials(), 6);
    // Each step of the pause lets one probe through.
    for step in 1..=4 {
        tokio::time::advance(breaker::pause(OPENS_AT + step - 1, 1.0)).await;
        assert_eq!(client.fetch(get("http://down.test/")).await.unwrap_err().kind, FetchErrorKind::Connect);
        assert_eq!(client.fetch(get("http://down.test/")).await.unwrap_err().kind, FetchErrorKind::Resting);
    }
    assert_eq!(dials(), 10);
    up.store(true, std::sync::atomic::Ordering::SeqCst);
    tokio::time::advance(Duration::from_hours(2)).await;
    tokio::time::resume();
    for _ in 0..3 {
        assert_eq!(client.fetch(get("http://down.test/")).await.unwrap().body, "ok");
    }
}

#[tokio::test(start_paused = true)]
async fn one_probe_at_a_time_and_a_cancelled_one_is_none() {
    let breakers = Breakers::new(Arc::new(rand::random));
    let url = Url::parse("http://a.test/").unwrap();
    let failure = || error::Failure::new(FetchErrorKind::Timeout, "late").at(&url);
    for _ in 0..OPENS_AT {
        breakers.enter(&url).unwrap().end(Some(&failure()));
    }
    assert!(breakers.enter(&url).is_err());
    tokio::time::advance(Duration::from_hours(1)).await;
    let probe = breakers.enter(&url).unwrap();
    assert!(breakers.enter(&url).is_err() && breakers.check(&url).is_err(), "somebody is finding out");
    drop(probe);
    breakers.enter(&url).unwrap().end(None);
    assert_eq!(breakers.hosts(), 0, "a host that answers is forgotten");
}

#[tokio::test(start_paused = true)]
async fn what_counts_as_down() {
    use FetchErrorKind::*;
    let url = Url::parse("http://a.test/").unwrap();
    for (kind, status, down) in [
        (Dns, None, true),
        (Connect, None, true),
        (Tls, None, true),
        (Timeout, None, true),
        (Protocol, None, true),
        (Status, Some(500), false),
        (Protocol, Some(304), false),
        (TooLarge, None, false),
        (Body, None, false),
        (Empty, Some(204), false),
        (Redirect, None, false),
        (Refused, None, false),
        (Disallowed, None, false),
    ] {
        let breakers = Breakers::new(Arc::new(rand::random));
        for _ in 0..20 {
            if let Ok(pass) = breakers.enter(&url) {
                pass.end(Some(&FetchError { status, ..error::Failure::new(kind, "x").at(&url) }));
            }
        }
        assert_eq!(breakers.enter(&url).is_err(), down, "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn pauses_grow_are_spread_and_memory_is_bounded() {
    let seconds = |failures, chance| breaker::pause(failures, chance).as_secs();
    assert_eq!([5, 6, 7, 8, 99, u32::MAX].map(|failures| seconds(failures, 0.5)), [60, 120, 240, 480, 3600, 3600]);
    assert_eq!((seconds(5, 0.0), seconds(5, 1.0)), (48, 72));
    let breakers = Breakers::new(Arc::new(rand::random));
    for n in 0..30_000 {
        let url = Url::parse(&format!("http://h{n}.test/")).unwrap();
        breakers.enter(&url).unwrap().end(Some(&error::Failure::new(FetchErrorKind::Dns, "x").at(&url)));
    }
    assert!(breakers.hosts() <= 10_000, "{}", breakers.hosts());
}
