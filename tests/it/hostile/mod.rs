//! Documents that were made to do harm go through the whole pipeline, each in a process of its own, whose
//! processor time, memory and end are looked at.

mod attacks;
mod bodies;
mod bombs;
mod clock;
mod injection;
mod isolation;
mod strangers;

use attacks::{Attack, Path, attacks};
use chrono::{DateTime, Utc};
use heliu::model::FeedId;
use heliu::{config, decode, extract, import, parse, worker};
use std::process::{Command, Output};
use std::time::Duration;
use url::Url;

/// Tells the child which attack is its own.
const WHICH: &str = "HELIU_TEST_ATTACK";

/// The stack of a thread on which documents are read; tokio gives its blocking threads as much.
const STACK: usize = 2 << 20;

/// What one attack may cost.
const MOST_MILLIS: u64 = 250;
const MOST_KIB: u64 = 64 << 10;
/// And where that is more, what it takes at this rate: every byte of an honest one costs as much. html5ever builds a page
/// of nothing but tags at eight to ten megabytes a second; links are sanitised at six.
const BYTES_A_SECOND: u64 = 5_000_000;
/// What one fetch may take of memory.
const MOST_FETCH_KIB: u64 = 32 << 10;
/// What no attack costs even where it costs more than it may.
const RUNS_AWAY_KIB: u64 = 400 << 10;

/// What it cost.
#[derive(Debug, Clone, Copy)]
struct Cost {
    millis: u64,
    kib: u64,
}

impl Cost {
    /// Whether a document of `bytes` may cost this.
    fn fits(self, bytes: u64) -> bool {
        self.millis <= MOST_MILLIS.max(bytes * 1000 / BYTES_A_SECOND) && self.kib <= MOST_KIB
    }
}

fn now() -> DateTime<Utc> {
    "2026-11-23T00:00:00Z".parse().unwrap()
}

/// The repository's feeds.yaml without its snapshots: every layout, no file.
fn layouts() -> config::Config {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/feeds.yaml")).unwrap();
    load(&text).unwrap()
}

fn load(text: &str) -> Result<config::Config, String> {
    let loaded = config::load(text, "feeds.yaml", std::path::Path::new("/"), &worker::validators());
    loaded.config.ok_or_else(|| format!("{:?}", loaded.diagnostics))
}

/// Sends an attack where it is meant to do harm.
fn suffer(attack: &Attack) -> usize {
    let url = Url::parse("http://a.example/feed").unwrap();
    let bytes = &attack.bytes;
    match &attack.path {
        Path::Document => {
            let preview = worker::preview_document(bytes, None, &url, &layouts(), now());
            preview.flaws.len() + preview.feed.entries.len()
        }
        Path::FullText => {
            let text = decode::decode(bytes, None).text;
            let (read, flaws) = extract::readable(&text, &url, None, None);
            flaws.len() + usize::from(read.is_some()) + usize::from(extract::wall(&text, &url, &url).is_some())
        }
        Path::Subscriptions => {
            let (outlines, flaws) = parse::opml(&decode::decode(bytes, None).text);
            let empty = "service: { title: t, base_url: 'http://a.example/' }\nchannels:\n  c: { feed: 'http://b.example/' }\nfeeds:\n  f: { channels: [c] }\n";
            let loose: FeedId = "loose".parse().unwrap();
            let imported = import::import(empty, std::path::Path::new("/"), &worker::validators(), &outlines, &loose);
            flaws.len() + outlines.len() + usize::from(imported.is_ok())
        }
        Path::Configuration => usize::from(load(std::str::from_utf8(bytes).unwrap()).is_ok()),
        Path::Layout(feeds_yaml) => {
            let config = load(feeds_yaml).unwrap();
            worker::preview_document(bytes, None, &url, &config, now()).flaws.len()
        }
    }
}

fn status(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
}

/// Processor time of the whole process in ticks of 10 ms would be too coarse: this is in nanoseconds, brought up to
/// date whenever the thread leaves the processor.
fn on_processor() -> Duration {
    std::thread::sleep(Duration::ZERO);
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

/// The child's part: suffers its attack and says what it cost. Does nothing in an ordinary run.
#[test]
#[expect(clippy::print_stdout, reason = "how it tells its parent")]
fn one_attack_in_a_process_of_its_own() {
    let Ok(which) = std::env::var(WHICH) else { return };
    let attack = attacks().into_iter().find(|(name, _)| *name == which).unwrap().1();
    // What is set up once is no part of the attack's cost.
    suffer(&Attack { bytes: b"<p>&amp;<b>x".to_vec(), path: Path::Document });
    suffer(&Attack { bytes: b"<p>&amp;<b>x".to_vec(), path: Path::FullText });
    let before = status("VmRSS");
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(move || {
        let start = on_processor();
        let found = suffer(&attack);
        (on_processor().saturating_sub(start), found)
    });
    let (took, found) = thread.unwrap().join().unwrap();
    let kib = status("VmHWM").saturating_sub(before);
    println!("\nCOST {} {kib} {found}", took.as_millis());
}

fn cost(output: &Output) -> Option<Cost> {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("COST "))?;
    let mut numbers = line.split(' ').map(|number| number.parse().unwrap());
    Some(Cost { millis: numbers.next()?, kib: numbers.next()? })
}

/// Starts the child, which the system ends when it uses the processor for a minute.
fn launch(which: &str) -> Output {
    Command::new("sh")
        .args(["-c", "ulimit -t 60; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["hostile::one_attack_in_a_process_of_its_own", "--exact", "--nocapture", "--test-threads=1"])
        .env(WHICH, which)
        .output()
        .unwrap()
}

#[expect(clippy::print_stdout, reason = "the figures, for whoever runs it with --nocapture")]
fn tell(figures: &[String]) {
    println!("{}", figures.join("\n"));
}

#[test]
fn no_attack_ends_the_process_or_runs_away() {
    let strict = std::env::var_os("HELIU_STRICT").is_some();
    let (mut bad, mut figures) = (Vec::new(), Vec::new());
    // An unoptimised build takes thirty times as long: every sixth, and those that cost a gigabyte once.
    let once_bad =
        |name: &str| ["base", "authors", "refused", "selector of", "links by"].iter().any(|part| name.contains(part));
    let chosen = |(place, (name, _)): &(usize, (&str, attacks::Make))| {
        // An unoptimised build of the selector engine proves its own cache at each step, in quadratic time.
        !cfg!(debug_assertions) || (place % 6 == 0 || once_bad(name)) && !name.contains("the nth of many")
    };
    let only = std::env::var("HELIU_TEST_ATTACKS").unwrap_or_default();
    for (name, make) in
        attacks().into_iter().enumerate().filter(chosen).map(|(_, one)| one).filter(|(name, _)| name.contains(&only))
    {
        let output = launch(name);
        let cost = cost(&output);
        figures.push(format!("{name}: {cost:?}"));
        match cost {
            Some(cost) if output.status.success() => {
                // How long it takes is no matter for a test that may run beside anything: the child's processor time
                // is limited in any case. By hand, in a release build: HELIU_STRICT=1.
                let bytes = make().bytes.len() as u64;
                if !(if strict { cost.fits(bytes) } else { cost.kib <= RUNS_AWAY_KIB }) {
                    bad.push(format!("{name}, {bytes} bytes: {cost:?}"));
                }
            }
            _ => bad.push(format!("{name}: {} {}", output.status, String::from_utf8_lossy(&output.stderr))),
        }
    }
    tell(&figures);
    assert!(bad.is_empty(), "{bad:#?}");
}

/// What the limits are not for: the largest honest documents are read whole, and nothing is said of them.
#[test]
fn honest_documents_are_read_whole() {
    // An unoptimised build takes a tenth of each.
    let count = if cfg!(debug_assertions) { 500 } else { 5_000 };
    let url = Url::parse("http://a.example/feed").unwrap();
    let paragraph = "<p class=\"x\">一段<b>正文</b>，说到<a href=\"/c/1.shtml\">这里</a>&nbsp;为止。<br/>又一行 &amp; more words here.</p>";
    let entry = |n: usize| {
        format!(
            "<item><guid>g{n}</guid><title>第{n}条</title><link>http://a.example/{n}</link><pubDate>Tue, 10 Dec 2019 11:24:19 GMT</pubDate>\
             <description><![CDATA[{}<p>end{n}</p>]]></description></item>",
            paragraph.repeat(14)
        )
    };
    let feed = format!(
        "<rss version=\"2.0\"><channel><title>t</title><link>http://a.example/</link>{}</channel></rss>",
        (0..count).map(entry).collect::<String>()
    );
    let read = worker::preview_document(feed.as_bytes(), None, &url, &layouts(), now());
    assert_eq!(read.flaws, [], "{} bytes", feed.len());
    assert_eq!(read.feed.entries.len(), count);
    for record in &read.feed.entries {
        let n = record.entry.id.0.trim_start_matches('g');
        assert!(record.entry.content.as_ref().is_some_and(|html| html.ends_with(&format!("<p>end{n}</p>"))), "{n}");
    }
    let row = |n: usize| {
        format!(
            "<li id=li_{n}><div class=\"box left\" data-track-position=\"{n}\"><h3><a href=\"/c/2026-11-01/{n}.shtml\" title=\"x\">标题{n}</a></h3>\
             <p class=\"intro\">一段摘要，说到这里为止，再说一句。一段摘要，说到这里为止，再说一句。</p>\n<div class=\"info\"><span>来源</span><span>记者</span></div>\
             <span class=\"info2\">2026-11-01</span><img class=\"lazy\" data-src=\"/img/{n}.jpg\" src=\"/blank.gif\"></div></li>\n"
        )
    };
    let yaml = "service: { title: t, base_url: 'http://a.example/' }
layouts:
  l: { entry: 'ul:has(> li) > li[id^=\"li_\"]', title: h3 > a, link: h3 > a @href, date: .info2, source: '.info > span:last-child', summary: 'h3 ~ .intro', image: img.lazy @data-src }
channels:
  c: { page: 'http://a.example/', layouts: l }
feeds:
  f: { channels: [c] }
";
    let page = format!("<!doctype html><title>t</title><body><ul>{}</ul>", (0..count).map(row).collect::<String>());
    let read = worker::preview_document(page.as_bytes(), None, &url, &load(yaml).unwrap(), now());
    assert_eq!(read.flaws, [], "{} bytes", page.len());
    assert_eq!(read.feed.entries.len(), count);
    assert!(read.feed.entries.iter().all(|one| one.entry.summary.is_some() && one.entry.source.is_some()));
}
