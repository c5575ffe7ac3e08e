//! Bombs (X-05): what one fetch takes of memory, each in a process of its own.

use super::{MOST_FETCH_KIB, cost, status, tell};
use crate::kit::origin::Manners;
use crate::kit::{Answer, Origin};
use heliu::net::{Accept, Berth, Client, FetchErrorKind, Options, Request, Robots, Validators};
use std::io::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};
use url::Url;

/// Tells the child where its bomb lies.
const WHICH: &str = "HELIU_TEST_BOMB";
/// The largest body, as polls ask for it.
const LIMIT: usize = 10 << 20;
/// How long a fetch that is refused may take, in milliseconds, in an optimised build on an idle machine.
const MOST_MILLIS: u64 = 100;

type Outcome = Result<usize, FetchErrorKind>;

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn br(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = brotli::CompressorWriter::new(&mut out, 4096, 1, 22);
    encoder.write_all(data).unwrap();
    drop(encoder);
    out
}

fn zstd(data: &[u8], window: u32) -> Vec<u8> {
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(window).unwrap();
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// In gzip's clothes, but not made shorter.
fn stored(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// Bytes that no coding makes shorter.
fn noise(length: usize) -> Vec<u8> {
    let mut seed: u64 = 5;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// A text that is packed to a fiftieth, which is within what is allowed.
fn dense(length: usize) -> Vec<u8> {
    noise(length / 500).chunks(8).flat_map(|chunk| [chunk, &[b'x'; 3992]].concat()).collect()
}

/// Name, `Content-Encoding`, the bytes on the wire, and what comes of it.
#[expect(clippy::type_complexity, reason = "one table")]
fn bombs() -> Vec<(&'static str, &'static str, fn() -> Vec<u8>, Outcome)> {
    let large = Err(FetchErrorKind::TooLarge);
    let broken = Err(FetchErrorKind::Body);
    vec![
        ("zeros as gzip", "gzip", || gzip(&vec![0; 12 << 20]), large),
        ("zeros as deflate", "deflate", || zlib(&vec![0; 12 << 20]), large),
        ("zeros as br", "br", || br(&vec![0; 32 << 20]), large),
        ("zeros as zstd", "zstd", || zstd(&vec![0; 32 << 20], 20), large),
        ("zeros twice over", "gzip, gzip", || gzip(&gzip(&vec![0; 12 << 20])), large),
        ("three layers", "gzip, gzip, gzip", || gzip(&gzip(&gzip(&[0; 1024]))), broken),
        ("a window of 128 MiB", "zstd", || zstd(&noise(9 << 20), 27), broken),
        ("a window of 8 MiB", "zstd", || zstd(&noise(9 << 20), 23), Ok(9 << 20)),
        ("past the limit at an honest ratio, gzip", "gzip", || gzip(&dense(LIMIT + (1 << 16))), large),
        ("past the limit at an honest ratio, br", "br", || br(&dense(LIMIT + (1 << 16))), large),
        ("past the limit at an honest ratio, zstd", "zstd", || zstd(&dense(LIMIT + (1 << 16)), 23), large),
        ("as long as may be, not packed", "identity", || noise(LIMIT), Ok(LIMIT)),
        ("longer than may be, not packed", "identity", || noise(LIMIT + 1), large),
        ("as long as may be, gzip", "gzip", || stored(&noise(LIMIT - (8 << 10))), Ok(LIMIT - (8 << 10))),
        (
            "as long as may be, two layers",
            "gzip, gzip",
            || stored(&stored(&noise(LIMIT - (16 << 10)))),
            Ok(LIMIT - (16 << 10)),
        ),
        ("past the limit in the inner of two layers", "gzip, gzip", || gzip(&gzip(&dense(LIMIT + (1 << 16)))), large),
    ]
}

/// The child's part: fetches its bomb and says what that cost. Does nothing in an ordinary run.
#[tokio::test]
#[expect(clippy::print_stdout, reason = "how it tells its parent")]
async fn one_bomb_in_a_process_of_its_own() {
    let Ok(path) = std::env::var(WHICH) else { return };
    let wire = std::fs::read(&path).unwrap();
    let encoding = std::fs::read_to_string(format!("{path}.encoding")).unwrap();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nConnection: close\r\n\r\n");
    let origin = Origin::start();
    origin.put("/small", Answer::html("<p>x"));
    // The script hands out a copy of its own for each request; the first is made before anything is measured.
    origin.put("/bomb", Answer::raw([head.as_bytes(), &wire[..]].concat()).manners(Manners::Raw));
    drop(wire);
    let allow = vec!["127.0.0.0/8".parse().unwrap()];
    let client = Client::new(Options { allow_networks: allow, host_gap: Duration::ZERO, ..Options::default() });
    let get = |path: &str| Request {
        url: Url::parse(&format!("http://127.0.0.1:{}{path}", origin.port())).unwrap(),
        validators: Validators::default(),
        accept: Accept::Feed,
        limit: LIMIT,
        robots: Robots::Ignore,
        berth: Berth::default(),
    };
    client.fetch(get("/small")).await.unwrap();
    let before = status("VmRSS");
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let began = Instant::now();
    let outcome: Outcome = client.fetch(get("/bomb")).await.map(|answer| answer.body.len()).map_err(|error| error.kind);
    let took = began.elapsed();
    let kib = status("VmHWM").saturating_sub(before);
    println!("\nCOST {} {kib}\nOUTCOME {outcome:?}", took.as_millis());
}

#[test]
fn a_bomb_takes_little_memory_and_is_given_up_at_once() {
    let strict = std::env::var_os("HELIU_STRICT").is_some();
    let folder = tempfile::tempdir().unwrap();
    let (mut bad, mut figures) = (Vec::new(), Vec::new());
    for (n, (name, encoding, make, expected)) in bombs().into_iter().enumerate() {
        let path = folder.path().join(n.to_string());
        let wire = make();
        std::fs::write(&path, &wire).unwrap();
        std::fs::write(format!("{}.encoding", path.display()), encoding).unwrap();
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["hostile::bombs::one_bomb_in_a_process_of_its_own", "--exact", "--nocapture", "--test-threads=1"])
            .env(WHICH, &path)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let outcome = text.lines().find_map(|line| line.strip_prefix("OUTCOME ")).unwrap_or("none").to_owned();
        // The origin's own copy of what it sends is in the same process.
        let found = cost(&output).map(|cost| (cost.millis, cost.kib.saturating_sub(wire.len() as u64 >> 10)));
        figures.push(format!("{name}: {} bytes on the wire, {found:?} ms and KiB, {outcome}", wire.len()));
        let fits =
            |(millis, kib): (u64, u64)| kib <= MOST_FETCH_KIB && !(strict && expected.is_err() && millis > MOST_MILLIS);
        if outcome != format!("{expected:?}") || !found.is_some_and(fits) {
            bad.push(format!("{}: {}", figures[n], String::from_utf8_lossy(&output.stderr)));
        }
    }
    tell(&figures);
    assert!(bad.is_empty(), "{bad:#?}");
}
