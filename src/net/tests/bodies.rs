//! Bodies: whole or not at all (P-18, R-12, R-13, X-05).

use super::super::coding::decode;
use super::*;
use FetchErrorKind::{Body, Empty, Protocol, Status, TooLarge};
use flate2::Compression;
use std::io::Write;

const LIMIT: usize = 10 << 20;

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn raw(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn br(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = brotli::CompressorWriter::new(&mut out, 4096, 3, 22);
    encoder.write_all(data).unwrap();
    drop(encoder);
    out
}

fn zst(data: &[u8]) -> Vec<u8> {
    zstd::encode_all(data, 1).unwrap()
}

fn page() -> Vec<u8> {
    let rows = (0..3000).map(|n: u32| format!("<li id=li_{n}>合流 {}</li>", n.wrapping_mul(2_654_435_761)));
    format!("<html>{}</html>", rows.collect::<String>()).into_bytes()
}

#[test]
fn codings() {
    let page = page();
    let table = [
        ("", page.clone()),
        ("identity", page.clone()),
        ("gzip", gzip(&page)),
        ("X-GZIP", gzip(&page)),
        ("deflate", zlib(&page)),
        ("deflate", raw(&page)),
        ("br", br(&page)),
        ("zstd", zst(&page)),
        ("gzip, br", br(&gzip(&page))),
        ("identity,gzip,,gzip", gzip(&gzip(&page))),
        ("gzip", [gzip(&page[..99]), gzip(&page[99..])].concat()),
        ("gzip", [gzip(&page), vec![0; 512]].concat()),
        // P-18: a wrong label
        ("gzip", page.clone()),
        ("br", page.clone()),
        ("zstd", page.clone()),
        ("deflate", page.clone()),
        ("utf-8", page.clone()),
    ];
    for (row, (label, wire)) in table.into_iter().enumerate() {
        let found = decode(label, wire.into(), LIMIT).unwrap_or_else(|error| panic!("{row} {label}: {error}"));
        assert!(found == page, "{row} {label}");
    }
    assert_eq!(decode("br", b"{\"version\":1}".to_vec().into(), LIMIT).unwrap(), &b"{\"version\":1}"[..]);
    assert_eq!(
        decode("gzip", b"<p>\xba\xcf\xc1\xf7</p>".to_vec().into(), LIMIT).unwrap(),
        &b"<p>\xba\xcf\xc1\xf7</p>"[..]
    );
}

#[test]
fn truncated_or_broken_codings_are_errors_at_every_length() {
    let page = page();
    for (label, wire) in [
        ("gzip", gzip(&page)),
        ("deflate", zlib(&page)),
        ("deflate", raw(&page)),
        ("br", br(&page)),
        ("zstd", zst(&page)),
        ("br,gzip", gzip(&br(&page))),
    ] {
        for cut in (1..wire.len()).step_by(wire.len() / 100 + 1).chain([wire.len() - 1]) {
            let kind =
                decode(label, wire[..cut].to_vec().into(), LIMIT).map_or_else(|error| Some(error.kind), |_| None);
            assert_eq!(kind, Some(Body), "{label} {cut}");
        }
    }
    let broken: [(&str, Vec<u8>); 6] = [
        ("gzip", [gzip(b"x"), b"tail".to_vec()].concat()),
        ("gzip", vec![0xff; 100]),
        ("compress", vec![0x1f, 0x9d, 0, 1]),
        ("gzip,gzip,gzip", gzip(&gzip(&gzip(b"x")))),
        ("gzip", gzip(b"").repeat(2000)),
        ("gzip", {
            let mut wire = gzip(&page);
            let at = wire.len() - 6;
            wire[at] ^= 1;
            wire
        }),
    ];
    for (label, wire) in broken {
        assert_eq!(decode(label, wire.into(), LIMIT).unwrap_err().kind, Body, "{label}");
    }
}

#[test]
fn bombs() {
    let zeros = vec![0; 2 << 20];
    for (label, wire) in [
        ("gzip", gzip(&zeros)),
        ("br", br(&zeros)),
        ("zstd", zst(&zeros)),
        ("gzip,gzip", gzip(&gzip(&zeros))),
        ("deflate", zlib(&zeros)),
    ] {
        let error = decode(label, wire.into(), LIMIT).unwrap_err();
        assert_eq!(error.kind, TooLarge, "{label}: {error}");
    }
    // Exactly at the ratio's beginning and at the limit; one byte more is too much.
    let (mega, limit) = (vec![0; 1 << 20], 1 << 20);
    assert_eq!(decode("gzip", gzip(&mega).into(), LIMIT).unwrap().len(), limit);
    assert_eq!(decode("gzip", gzip(&zeros[..=limit]).into(), LIMIT).unwrap_err().kind, TooLarge);
    let page = page();
    assert!(decode("gzip", gzip(&page).into(), page.len()).is_ok());
    assert_eq!(decode("gzip", gzip(&page).into(), page.len() - 1).unwrap_err().kind, TooLarge);
    assert_eq!(decode("", page.clone().into(), page.len() - 1).unwrap_err().kind, TooLarge);
}

async fn fetch(answer: &[u8], limit: usize) -> Result<Response, FetchError> {
    let origin = Origin::start(vec![Act::Send(answer.to_vec())]).await;
    let (client, _) = client(Some(&origin));
    let result = client.fetch(Request { limit, ..get("http://a.test/") }).await;
    assert_eq!(origin.asked().len(), 1, "never asked again at once");
    result
}

#[tokio::test]
async fn failing_answers() {
    let table: [(&str, FetchErrorKind, Option<u16>); 21] = [
        ("200 OK\nContent-Length: 9\n\nshort", Body, None),
        ("200 OK\nTransfer-Encoding: chunked\n\n3\nabc\n", Body, None),
        ("200 OK\nTransfer-Encoding: chunked\n\n3\nabc\nzz\n", Body, None),
        ("200 OK\nTransfer-Encoding: chunked\n\n9\nabc", Body, None),
        ("200 OK\nContent-Length: 0\n\n", Empty, None),
        ("204 No Content\n\n", Empty, Some(204)),
        ("205 Reset\nContent-Length: 0\n\n", Empty, Some(205)),
        ("206 Partial\nContent-Length: 2\n\nok", Body, Some(206)),
        ("200 OK\nContent-Length: 11\n\nhello world", TooLarge, None),
        ("200 OK\n\nhello world", TooLarge, None),
        ("200 OK\nContent-Length: 2\nContent-Encoding: gzip\n\n\u{1f}\u{1}", Body, None),
        ("304 Not Modified\n\n", Protocol, Some(304)),
        ("300 Choices\nContent-Length: 0\n\n", Status, Some(300)),
        ("404 Gone\nContent-Length: 0\n\n", Status, Some(404)),
        ("410 Gone\nContent-Length: 0\n\n", Status, Some(410)),
        ("403 No\r\nContent-Length: 0\n\n", Status, Some(403)),
        ("429 Slow\nRetry-After: 77\nContent-Length: 0\n\n", Status, Some(429)),
        ("503 Down\nRetry-After: 77\nContent-Length: 0\n\n", Status, Some(503)),
        ("500 Oops\nContent-Length: 0\n\n", Status, Some(500)),
        ("junk\n\n", Protocol, None),
        ("200 OK\nContent-Length: 2\nContent-Length: 3\n\nok", Protocol, None),
    ];
    for (answer, kind, status) in table {
        let answer = format!("HTTP/1.1 {}", answer.replace("\r\n", "\n").replace('\n', "\r\n"));
        let error = fetch(answer.as_bytes(), 10).await.unwrap_err();
        assert_eq!((error.kind, error.status), (kind, status), "{answer:?}: {error}");
        assert_eq!(error.retry_after.is_some(), answer.contains("Retry-After"));
        assert_one_line(&error);
    }
    assert_eq!(fetch(b"SSH-2.0-OpenSSH\r\n", 10).await.unwrap_err().kind, Protocol);
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(200_000));
    assert_eq!(fetch(endless.as_bytes(), 10).await.unwrap_err().kind, Protocol);
}

#[tokio::test]
async fn whole_answers() {
    let packed = gzip(&page());
    let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Type: text/html; charset=gbk\r\nCache-Control: max-age=60\r\nContent-Length: {}\r\n\r\n", packed.len()).into_bytes();
    answer.extend_from_slice(&packed);
    let response = fetch(&answer, LIMIT).await.unwrap();
    assert!(response.body == page());
    assert_eq!(response.content_type.as_deref(), Some("text/html; charset=gbk"));
    assert_eq!(response.fresh_for, Some(Duration::from_mins(1)));
    for whole in [
        "HTTP/1.0 200 OK\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 203 OK\r\nContent-Length: 5\r\n\r\nhello",
    ] {
        assert_eq!(fetch(whole.as_bytes(), 5).await.unwrap().body, "hello");
    }
}

/// R-12, P-18: 12 packed bodies and what becomes of each, over one connection each and never asked again at once.
#[tokio::test]
async fn packed_answers_are_whole_or_refused() {
    let page = page();
    let cut = |wire: Vec<u8>| wire[..wire.len() - 9].to_vec();
    let table: Vec<(&str, Vec<u8>, Option<FetchErrorKind>)> = vec![
        ("gzip", gzip(&page), None),
        ("br", br(&page), None),
        ("gzip", page.clone(), None),
        ("br", page.clone(), None),
        ("zstd", page.clone(), None),
        ("gzip", cut(gzip(&page)), Some(Body)),
        ("br", cut(br(&page)), Some(Body)),
        ("zstd", cut(zst(&page)), Some(Body)),
        ("deflate", cut(zlib(&page)), Some(Body)),
        ("gzip", br(&page), Some(Body)),
        ("gzip, gzip, gzip", gzip(&gzip(&gzip(&page))), Some(Body)),
        ("gzip", gzip(&vec![0; 4 << 20]), Some(TooLarge)),
        ("br", br(&vec![0; 4 << 20]), Some(TooLarge)),
        ("zstd", zst(&vec![0; 4 << 20]), Some(TooLarge)),
    ];
    for (label, wire, failure) in table {
        let head = format!(
            "HTTP/1.1 200 OK\r\nETag: \"v\"\r\nContent-Encoding: {label}\r\nContent-Length: {}\r\n\r\n",
            wire.len()
        );
        let result = fetch(&[head.as_bytes(), &wire].concat(), LIMIT).await;
        match failure {
            None => assert!(result.unwrap().body == page, "{label}"),
            Some(kind) => {
                let error = result.unwrap_err();
                assert_eq!(error.kind, kind, "{label}: {error}");
                assert_one_line(&error);
            }
        }
    }
}

/// P-18: 12 bodies that are not packed as their label says are taken as they are, after one request.
#[tokio::test]
async fn bodies_with_a_wrong_label_are_taken_as_they_are() {
    let bodies: [&[u8]; 3] = [
        &page(),
        b"{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[]}",
        b"<?xml version=\"1.0\" encoding=\"gbk\"?><rss><channel><title>\xba\xcf\xc1\xf7</title></channel></rss>",
    ];
    let mut cases = 0;
    for label in ["gzip", "br", "zstd", "deflate"] {
        for body in bodies {
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Encoding: {label}\r\nContent-Length: {}\r\n\r\n", body.len());
            let found = fetch(&[head.as_bytes(), body].concat(), LIMIT)
                .await
                .unwrap_or_else(|error| panic!("{label}: {error}"));
            assert!(found.body == body, "{label}");
            cases += 1;
        }
    }
    assert_eq!(cases, 12);
}

/// However many large bodies come at once, few are in memory; small ones go past those that wait, and one run needs room
/// only once.
#[tokio::test]
async fn large_bodies_wait_for_room_and_small_ones_do_not() {
    let large = vec![b'x'; 300 * 1024];
    let answer_of = |coding: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 200 OK\r\n{coding}Content-Length: {}\r\n\r\n", body.len());
        Act::Send([head.as_bytes(), body].concat())
    };
    for (what, answer) in
        [("as it is", answer_of("", &large)), ("packed", answer_of("Content-Encoding: gzip\r\n", &gzip(&large)))]
    {
        let small = answer_of("", b"small");
        // Eight that get room, one that waits, small ones, and all others.
        let script = [vec![answer.clone(); 9], vec![small; 20], vec![answer]].concat();
        let origin = Origin::start(script).await;
        let (client, _) = client(Some(&origin));
        let mut berths: Vec<_> = (0..8).map(|_| Berth::default()).collect();
        let fetch = async |name: String, berth: &Berth| {
            let request = Request { berth: berth.clone(), ..get(&format!("http://{name}.test/")) };
            client.fetch(request).await.unwrap().body.len()
        };
        for (n, berth) in berths.iter().enumerate() {
            assert_eq!(fetch(format!("large{n}"), berth).await, large.len(), "{what}");
        }
        let ninth = Berth::default();
        let mut waits = Box::pin(fetch("ninth".to_owned(), &ninth));
        while origin.asked().len() < 9 {
            tokio::select! {
                biased;
                _ = &mut waits => panic!("{what}: there is no room for a ninth"),
                () = tokio::task::yield_now() => {}
            }
        }
        for n in 0..20 {
            let berth = Berth::default();
            tokio::select! {
                biased;
                _ = &mut waits => panic!("{what}: there is no room for a ninth"),
                length = fetch(format!("small{n}"), &berth) => assert_eq!(length, 5),
            }
        }
        assert_eq!(fetch("again".to_owned(), &berths[0]).await, large.len(), "{what}: who has room needs no more");
        berths.pop();
        assert_eq!(waits.await, large.len(), "{what}");
        assert_eq!(origin.asked().len(), 30, "{what}: each was asked once");
    }
}
