//! Answers that fail: none of it is published, what was published stays, the next request asks for the last good
//! document, and each failure has its name.

use crate::kit::origin::Manners;
use crate::kit::{Answer, Origin, Site};
use chrono::TimeDelta;
use std::io::Write as _;

fn items(from: usize, to: usize) -> String {
    (from..to)
        .map(|n| format!("<item><guid>g{n}</guid><title>第{n}条 é</title><link>http://a.test/{n}</link></item>"))
        .collect()
}

fn feed(to: usize) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><rss version=\"2.0\"><channel><title>t</title>{}</channel></rss>",
        items(0, to)
    )
}

/// The feed as it is after the failure: seven entries, of which five were known.
fn next() -> Vec<u8> {
    feed(7).into_bytes()
}

fn answer(status: u16, headers: &[&str], body: &[u8]) -> Answer {
    let mut wire = format!("HTTP/1.1 {status} Scripted\r\nETag: \"bad\"\r\nConnection: close\r\n").into_bytes();
    for header in headers {
        wire.extend_from_slice(format!("{header}\r\n").as_bytes());
    }
    wire.extend_from_slice(b"\r\n");
    wire.extend_from_slice(body);
    Answer::raw(wire)
}

/// A body with its true length.
fn sound(kind: &str, body: impl AsRef<[u8]>) -> Answer {
    let body = body.as_ref();
    answer(200, &[&format!("Content-Type: {kind}"), &format!("Content-Length: {}", body.len())], body)
}

fn packed(label: &str, wire: &[u8]) -> Answer {
    let length = format!("Content-Length: {}", wire.len());
    answer(200, &["Content-Type: application/rss+xml", &format!("Content-Encoding: {label}"), &length], wire)
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// Without the last bytes.
fn cut(wire: &[u8]) -> &[u8] {
    &wire[..wire.len() - 20]
}

fn chunks(data: &[u8], end: &str) -> Vec<u8> {
    [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n", end.as_bytes()].concat()
}

/// The bytes up to the middle of the last entry.
fn half() -> Vec<u8> {
    let whole = next();
    let at = whole.windows(6).rposition(|window| window == b"<link>").unwrap();
    whole[..at].to_vec()
}

/// Failures, each with the code of its flaw.
#[expect(clippy::too_many_lines, reason = "one table")]
fn failures() -> Vec<(&'static str, Answer, &'static str)> {
    let login = "<!doctype html><title>用户登录</title><form><input type=password name=p></form>";
    let page = format!("<!doctype html><title>News</title><p>{}", "words ".repeat(300));
    let long = [next(), vec![b' '; (10 << 20) + 1]].concat();
    let broken = {
        let mut wire = gzip(&next());
        let at = wire.len() - 6;
        wire[at] ^= 1;
        wire
    };
    let zeros = zstd::encode_all(&vec![b' '; 4 << 20][..], 1).unwrap();
    let chunked = ["Content-Type: application/rss+xml", "Transfer-Encoding: chunked"];
    let length = |length: usize| format!("Content-Length: {length}");
    vec![
        ("gzip that ends early", packed("gzip", cut(&gzip(&next()))), "truncated"),
        ("gzip whose sum is wrong", packed("gzip", &broken), "truncated"),
        ("zstd that ends early", packed("zstd", cut(&zstd::encode_all(&next()[..], 1).unwrap())), "truncated"),
        ("brotli that is none", packed("br", &[0xff; 300]), "truncated"),
        ("a coding that nobody asked for", packed("compress", &[0x1f, 0x9d, 0, 1]), "truncated"),
        ("a bomb", packed("zstd", &zeros), "too-large"),
        ("a body over the limit", sound("application/rss+xml", &long), "too-large"),
        ("a body over the limit that does not say so", answer(200, &[], &long), "too-large"),
        ("a length that is too long", answer(200, &[&length(next().len() + 1)], &next()), "truncated"),
        ("two lengths", answer(200, &[&length(100), &length(200)], &next()), "unreachable"),
        ("no last chunk", answer(200, &chunked, &chunks(&next(), "")), "truncated"),
        ("half a chunk", answer(200, &chunked, &[b"ffff\r\n", &next()[..]].concat()), "truncated"),
        ("a chunk that lies", answer(200, &chunked, &chunks(&next(), "zz\r\n")), "truncated"),
        (
            "half of what was promised",
            Answer::new(200, "application/rss+xml", next()).header("ETag", "\"bad\"").manners(Manners::Cut),
            "truncated",
        ),
        ("204", answer(204, &[], b""), "empty"),
        ("205", answer(205, &["Content-Length: 0"], b""), "empty"),
        ("206", answer(206, &[&length(next().len())], &next()), "truncated"),
        ("an empty 200", sound("application/rss+xml", ""), "empty"),
        ("white space", sound("application/rss+xml", " \r\n\t "), "empty"),
        ("a byte order mark and nothing else", sound("application/rss+xml", b"\xef\xbb\xbf"), "empty"),
        ("a login page", sound("text/html", login), "login"),
        ("a login page that calls itself a feed", sound("application/rss+xml", login), "login"),
        ("a page", sound("text/html", &page), "not-a-feed"),
        ("an error in JSON", sound("application/json", "{\"error\":\"rate limited\",\"code\":429}"), "not-a-feed"),
        (
            "an error in words",
            sound("text/plain", "upstream connect error or disconnect/reset before headers"),
            "not-a-feed",
        ),
        (
            "an error of PHP in place of the document",
            sound(
                "text/html",
                "<br />\n<b>Fatal error</b>: Allowed memory size exhausted in <b>/var/www/feed.php</b> on line <b>3</b><br />",
            ),
            "not-a-feed",
        ),
        ("a file", sound("application/pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n\0\0\0"), "not-a-feed"),
        (
            "XML of another kind",
            sound("application/xml", "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>"),
            "not-a-feed",
        ),
        ("no entries any more", sound("application/rss+xml", feed(0)), "shrunken"),
        ("404 with a feed", answer(404, &[&length(next().len())], &next()), "http-status"),
        ("500 with a feed", answer(500, &[&length(next().len())], &next()), "http-status"),
        ("503 with a feed", answer(503, &[&length(next().len())], &next()), "http-status"),
        ("401", answer(401, &["WWW-Authenticate: Basic", "Content-Length: 0"], b""), "http-status"),
        ("another protocol", Answer::raw("SSH-2.0-OpenSSH_9.9\r\n"), "unreachable"),
        ("no word", Answer::status(200).manners(Manners::HangUp), "unreachable"),
        ("half a head", Answer::raw("HTTP/1.1 200 OK\r\nContent-Type: app"), "unreachable"),
        ("a redirect without a target", answer(302, &["Content-Length: 0"], b""), "unreachable"),
    ]
}

/// Sites on which the feed was read once, with its own validator.
async fn known(origin: &Origin) -> Site {
    origin.put("/feed", Answer::new(200, "application/rss+xml", feed(6)).header("ETag", "\"good\""));
    let config = format!(
        "service: {{ title: t, base_url: 'http://127.0.0.1:8080/', allow_networks: [127.0.0.0/8] }}\nchannels:\n  a: {{ feed: 'http://a.test:{}/feed', every: 1h }}\nfeeds:\n  all: {{ channels: [a] }}\n",
        origin.port()
    );
    let site = Site::start(&config).await;
    site.poll().await;
    assert_eq!(site.entries("all").await.len(), 6);
    site
}

async fn documents(site: &Site) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for end in ["rss", "atom", "json"] {
        all.push(site.get(&format!("/feeds/all.{end}")).await.body);
    }
    all
}

#[tokio::test]
async fn nothing_of_an_answer_that_fails_is_used() {
    let failures = failures();
    assert!(failures.len() >= 30);
    for (what, bad, code) in failures {
        let origin = Origin::start();
        let site = known(&origin).await;
        let before = documents(&site).await;
        origin.put("/feed", bad);
        site.after(TimeDelta::hours(2)).await;
        let flaws = site.flaws("a").await;
        assert!(code.is_empty() || flaws.contains(&code), "{what}: {flaws:?}");
        assert!(documents(&site).await == before, "{what}: something of it is published");
        // Whole again: asked for by the validator of the last good document, and read in full.
        origin.take_log();
        origin.put("/feed", Answer::new(200, "application/rss+xml", next()).header("ETag", "\"next\""));
        site.after(TimeDelta::hours(50)).await;
        let log = origin.take_log();
        assert_eq!(log.len(), 1, "{what}: {log:?}");
        assert_eq!(log[0].header("if-none-match"), Some("\"good\""), "{what}");
        assert_eq!(site.entries("all").await.len(), 7, "{what}");
        assert!(!site.flaws("a").await.contains(&code), "{what}");
        site.stop().await;
    }
}

/// What is wrong but whole is read; of what is cut inside an entry, that entry is not.
#[tokio::test]
async fn an_imperfect_document_is_read_and_half_an_entry_is_not() {
    let whole = String::from_utf8(next()).unwrap();
    let short = |bytes: &[u8]| {
        answer(200, &["Content-Type: application/rss+xml", &format!("Content-Length: {}", bytes.len())], &next())
    };
    let mid_character = {
        let half = half();
        let at = half.iter().rposition(|byte| *byte == 0xa9).unwrap();
        half[..at].to_vec()
    };
    for (what, sent, entries, code) in [
        ("a byte order mark", sound("application/rss+xml", format!("\u{feff}{whole}")), 7, ""),
        ("white space before it", sound("application/rss+xml", format!("\r\n  {whole}")), 7, ""),
        (
            "a warning of PHP before it",
            sound(
                "application/rss+xml",
                format!(
                    "<br />\n<b>Warning</b>: Undefined variable $x in <b>/var/www/f.php</b> on line <b>2</b><br />\n{whole}"
                ),
            ),
            7,
            "malformed",
        ),
        ("words before it", sound("application/rss+xml", format!("Notice: something\n{whole}")), 7, "malformed"),
        (
            "two documents",
            sound("application/rss+xml", format!("{whole}<rss><channel><title>u</title></channel></rss>")),
            7,
            "malformed",
        ),
        ("words after it", sound("application/rss+xml", format!("{whole}<!-- cached -->")), 7, ""),
        ("a wrong media type", sound("text/html", &whole), 7, ""),
        ("a wrong charset in the header", sound("application/rss+xml; charset=iso-8859-1", &whole), 7, ""),
        (
            "a wrong charset in the document",
            sound("application/rss+xml", whole.replace("utf-8", "gbk")),
            7,
            "charset-mismatch",
        ),
        ("a coding that it does not have", packed("gzip", whole.as_bytes()), 7, ""),
        ("no length and no chunks", answer(200, &["Content-Type: application/rss+xml"], whole.as_bytes()), 7, ""),
        ("a short length, inside the last entry", short(&half()), 6, "malformed"),
        ("cut inside the last entry, and nobody says so", sound("application/rss+xml", half()), 6, "malformed"),
        ("cut inside a character", sound("application/rss+xml", &mid_character), 6, "malformed"),
    ] {
        let origin = Origin::start();
        let site = known(&origin).await;
        origin.put("/feed", sent);
        site.after(TimeDelta::hours(2)).await;
        let flaws = site.flaws("a").await;
        assert!(code.is_empty() || flaws.contains(&code), "{what}: {flaws:?}");
        let titles = site.titles("all").await;
        assert_eq!(titles.len(), entries, "{what}");
        assert!((0..entries).all(|n| titles.contains(&format!("第{n}条 é"))), "{what}: {titles:?}");
        site.stop().await;
    }
}
