//! what is never dialled.

use super::*;

/// At least 120 spellings of addresses that are not public. Checked through the whole client.
const CLOSED: &[&str] = &[
    // IPv4, first and last of each network
    "0.0.0.0",
    "0.0.0.1",
    "0.255.255.255",
    "10.0.0.0",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.0",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.0",
    "127.0.0.1",
    "127.1.2.3",
    "127.255.255.255",
    "169.254.0.0",
    "169.254.169.254",
    "169.254.255.255",
    "172.16.0.0",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.0",
    "192.0.0.8",
    "192.0.0.170",
    "192.0.0.255",
    "192.0.2.0",
    "192.0.2.255",
    "192.88.99.0",
    "192.88.99.1",
    "192.88.99.255",
    "192.168.0.0",
    "192.168.1.1",
    "192.168.255.255",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.0",
    "198.51.100.255",
    "203.0.113.0",
    "203.0.113.255",
    "224.0.0.0",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.0",
    "255.255.255.254",
    "255.255.255.255",
    // other spellings of IPv4: decimal, octal, hexadecimal, short, mixed, trailing dot
    "2130706433",
    "3232235777",
    "2852039166",
    "0",
    "167772161",
    "4294967295",
    "017700000001",
    "0x7f000001",
    "0x7F000001",
    "0xa9fea9fe",
    "0177.0.0.1",
    "0177.0.0.01",
    "00000177.0.0.1",
    "0x7f.0.0.1",
    "0x7f.1",
    "127.1",
    "127.0.1",
    "10.1",
    "192.168.257",
    "127.0x1",
    "0x7f.0.0x1",
    "0300.0250.1.1",
    "0xc0.0xa8.0x1.0x1",
    "127.0.0.1.",
    "2130706433.",
    "0x7f.1.",
    "10.0.0.1.",
    "0x0",
    "0.0",
    "00",
    "0xac.0x10.1",
    "100.0x400001",
    "0xe0000001",
    // IDN digits and dots, percent-encoding
    "①②⑦.⓪.⓪.①",
    "１２７.０.０.１",
    "127。0。0。1",
    "127．0．0．1",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "①⑥⑨.②⑤④.①⑥⑨.②⑤④",
    "𝟏𝟐𝟕.𝟎.𝟎.𝟏",
    "１０.0.0.1",
    "0ｘ7f.1",
    // IPv6
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000::0001]",
    "[::2]",
    "[::127.0.0.1]",
    "[::10.0.0.1]",
    "[::8.8.8.8]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::FFFF:7F00:0001]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[::ffff:192.168.1.1]",
    "[::ffff:8.8.8.8]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b::8.8.8.8]",
    "[64:ff9b:1::1]",
    "[64:ff9b:1:ffff::10.0.0.1]",
    "[100::]",
    "[100::1]",
    "[100:0:0:1::1]",
    "[2001::]",
    "[2001::1]",
    "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
    "[2001:2::1]",
    "[2001:10::1]",
    "[2001:20::1]",
    "[2001:1ff:ffff::1]",
    "[2001:db8::]",
    "[2001:db8::1]",
    "[2001:db8:ffff:ffff::1]",
    "[2002::]",
    "[2002:7f00:1::]",
    "[2002:a00:1::1]",
    "[2002:c0a8:101::1]",
    "[2002:808:808::1]",
    "[3fff::1]",
    "[3fff:fff:ffff::1]",
    "[fc00::]",
    "[fc00::1]",
    "[fd00::1]",
    "[fd00:ec2::254]",
    "[fdff:ffff::1]",
    "[fe80::]",
    "[fe80::1]",
    "[febf::1]",
    "[fec0::1]",
    "[feff::1]",
    "[ff00::]",
    "[ff01::1]",
    "[ff02::1]",
    "[ff0e::1]",
    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]",
    "[4000::1]",
    "[8000::1]",
    "[1fff:ffff::1]",
    "[5f00::1]",
    "[200::1]",
    "[::1:0:0:0]",
    // with a port and odd writing around it
    "127.0.0.1:80",
    "127.0.0.1:443",
    "127.0.0.1:",
    "[::1]:80",
    "0x7f.1:80",
    "127.0.0.1\\@8.8.8.8",
    "127.0.0.1#@8.8.8.8",
    "127.0.0.1?@8.8.8.8",
    "127.0.0.1/@8.8.8.8",
    "1\t27.0.0.1",
    "127.0\n.0.1",
];

/// Spellings that are no addresses at all, or are refused for what stands around the host.
const NONSENSE: &[&str] = &[
    "[::1%25eth0]",
    "[fe80::1%eth0]",
    "[::1",
    "::1",
    "256.256.256.256",
    "127.0.0.0.1",
    "4294967296",
    "0x100000000",
    "8.8.8.8@127.0.0.1",
    "user@8.8.8.8",
    "user:secret@8.8.8.8",
    "8.8.8.8:secret@127.0.0.1",
    "exa mple.test",
    "a\0b",
    "[8.8.8.8]",
    "08.8.8.8",
    "%00",
    "8.8.8.8:99999",
];

#[tokio::test]
async fn closed_addresses_are_never_dialled() {
    assert!(CLOSED.len() >= 120, "{}", CLOSED.len());
    let (client, trace) = client(None);
    for scheme in ["http", "https"] {
        for host in CLOSED {
            let address = format!("{scheme}://{host}/feed");
            assert!(Url::parse(&address).is_ok(), "{address} is meant to be an address");
            let error = client.fetch(get(&address)).await.unwrap_err();
            assert_eq!(error.kind, FetchErrorKind::Refused, "{address}: {error}");
            assert_one_line(&error);
        }
    }
    for host in NONSENSE {
        for path in ["/feed", ""] {
            if let Ok(url) = Url::parse(&format!("http://{host}{path}")) {
                let error = client.fetch(Request { url, ..get("http://a.test/") }).await.unwrap_err();
                assert_eq!(error.kind, FetchErrorKind::Refused, "{host}: {error}");
                assert_one_line(&error);
            }
        }
    }
    assert_eq!(trace.dialled(), <[SocketAddr; 0]>::default());
    assert_eq!(*trace.names.lock().unwrap(), Vec::<String>::new(), "all of these are addresses, not names");
}

#[tokio::test]
async fn names_of_closed_addresses_are_never_dialled() {
    let hosts: Vec<IpAddr> = CLOSED.iter().filter_map(|host| host.trim_matches(['[', ']']).parse().ok()).collect();
    assert!(hosts.len() > 90);
    let (client, trace) = traced(Trace { answers: hosts, ..Trace::default() });
    for name in ["inside.test", "localhost", "127.0.0.1.nip.io", "metadata.internal", "inside.test."] {
        let error = client.fetch(get(&format!("http://{name}/"))).await.unwrap_err();
        assert_eq!(error.kind, FetchErrorKind::Refused, "{error}");
        assert!(error.message.contains("allow_networks"));
    }
    assert_eq!(trace.dialled(), <[SocketAddr; 0]>::default());
}

#[tokio::test]
async fn public_addresses_are_dialled() {
    let public = [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.167.255.255",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "[2606:4700::1111]",
        "[2001:200::1]",
        "[2001:db7::1]",
        "[2001:db9::1]",
        "[2003::1]",
        "[2400:3200::1]",
        "[3ffe::1]",
        "[2000::1]",
    ];
    for host in public {
        let (client, trace) = client(None);
        let error = client.fetch(get(&format!("http://{host}/"))).await.unwrap_err();
        assert_eq!(error.kind, FetchErrorKind::Connect, "{host}: {error}");
        let expected = SocketAddr::new(host.trim_matches(['[', ']']).parse().unwrap(), 80);
        assert_eq!(trace.dialled(), [expected]);
    }
}

#[tokio::test]
async fn mixed_answers_dial_only_public_addresses() {
    let answers = ["127.0.0.1", "8.8.8.8", "::1", "2606:4700::1111", "10.0.0.1", "8.8.8.8"];
    let answers = answers.iter().map(|ip| ip.parse().unwrap()).collect();
    let (client, trace) = traced(Trace { answers, ..Trace::default() });
    client.fetch(get("http://mixed.test/")).await.unwrap_err();
    assert_eq!(
        trace.dialled(),
        ["8.8.8.8:80", "[2606:4700::1111]:80"].map(|address| address.parse::<SocketAddr>().unwrap())
    );
}

#[tokio::test]
async fn a_name_that_changes_its_mind_gains_nothing() {
    let public = vec!["8.8.8.8".parse().unwrap()];
    let then = Some(vec!["127.0.0.1".parse().unwrap()]);
    let (client, trace) = traced(Trace { answers: public, then, ..Trace::default() });
    for round in 0..1000 {
        let error = client.fetch(get("http://rebind.test/")).await.unwrap_err();
        let expected = if round == 0 { FetchErrorKind::Connect } else { FetchErrorKind::Refused };
        assert_eq!(error.kind, expected);
    }
    assert_eq!(trace.dialled(), ["8.8.8.8:80".parse::<SocketAddr>().unwrap()]);
}

#[tokio::test]
async fn ports_and_schemes() {
    let (client, trace) = client(None);
    for port in [1, 22, 25, 110, 3306, 5432, 6379, 8080, 8443, 9200, 11211, 65535] {
        let error = client.fetch(get(&format!("http://a.test:{port}/"))).await.unwrap_err();
        assert_eq!(error.kind, FetchErrorKind::Refused);
        assert!(error.message.contains("port"), "{error}");
    }
    for address in [
        "file:///etc/passwd",
        "ftp://8.8.8.8/",
        "gopher://8.8.8.8/",
        "data:text/plain,x",
        "unix:/run/x",
        "ws://8.8.8.8/",
    ] {
        assert_eq!(client.fetch(get(address)).await.unwrap_err().kind, FetchErrorKind::Refused, "{address}");
    }
    assert_eq!(trace.dialled(), <[SocketAddr; 0]>::default());
}

#[tokio::test]
async fn an_answer_says_that_its_host_is_inside_allowed_networks() {
    let origin = Origin::sending(&["HTTP/1.1 200 OK\nContent-Length: 2\n\nok"]).await;
    for (network, address, exempt) in
        [("127.0.0.0/8", "http://127.0.0.1:8080/", true), ("10.0.0.0/8", "http://93.184.216.34/", false)]
    {
        let trace = Arc::new(Trace { origin: Some(origin.address), ..Trace::default() });
        let client = Client::new(Options { allow_networks: vec![network.parse().unwrap()], ..options(&trace) });
        assert_eq!(client.fetch(get(address)).await.unwrap().exempt, exempt, "{address}");
    }
}

#[tokio::test]
async fn allowed_networks_open_addresses_and_ports_and_can_be_replaced() {
    let origin = Origin::sending(&["HTTP/1.1 200 OK\nContent-Length: 2\n\nok"]).await;
    let trace = Arc::new(Trace { origin: Some(origin.address), ..Trace::default() });
    let client = Client::new(Options { allow_networks: vec!["127.0.0.0/8".parse().unwrap()], ..options(&trace) });
    // Inside the network nobody waits: 20 fetches would take 20 seconds otherwise.
    let begin = std::time::Instant::now();
    for _ in 0..20 {
        assert_eq!(client.fetch(get("http://127.0.0.1:8080/")).await.unwrap().body, "ok");
    }
    assert!(begin.elapsed() < Duration::from_secs(10));
    assert_eq!(client.fetch(get("http://[::ffff:127.0.0.1]:8080/")).await.unwrap().body, "ok");
    assert_eq!(client.fetch(get("http://10.0.0.1/")).await.unwrap_err().kind, FetchErrorKind::Refused);
    client.set_allow_networks(Vec::new());
    let before = trace.dialled().len();
    assert_eq!(client.fetch(get("http://127.0.0.1:8080/")).await.unwrap_err().kind, FetchErrorKind::Refused);
    assert_eq!(trace.dialled().len(), before);
}
