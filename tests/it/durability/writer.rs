//! A process that records polls as fast as it can and says so, and the model of what must then be there.
//!
//! The process is this very test binary, started anew with [`the_writer`] alone.

use chrono::{DateTime, TimeDelta, Utc};
use heliu::model::{Candidate, ChannelId, DateRung, Dated, Entry, Key, KeyKind, Person, Precision, Standing};
use heliu::store::{FetchState, Poll, PollState, Seen, SqliteStore, Store};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Channels that are polled at the same time.
pub(super) const CHANNELS: usize = 4;

/// Known-bad writers, which the checks must catch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    Good,
    /// Says that a poll is recorded before it is.
    Early,
    /// Records the state of a channel before its entries, in two transactions.
    Halved,
    /// Gives an entry another id each time it is started.
    Renames,
}

const MANNERS: [(&str, Manner); 4] =
    [("good", Manner::Good), ("early", Manner::Early), ("halved", Manner::Halved), ("renames", Manner::Renames)];

pub(super) fn channel(number: usize) -> ChannelId {
    format!("c{number}").parse().unwrap()
}

fn at(poll: usize) -> DateTime<Utc> {
    DateTime::from_timestamp(1_793_577_600, 0).unwrap() + TimeDelta::seconds(i64::try_from(poll).unwrap())
}

fn url(channel: usize) -> String {
    format!("http://news.test/{channel}")
}

/// An entry as poll `poll` sees it: after two polls it is edited.
fn entry(channel: usize, number: usize, poll: usize) -> Entry {
    let version = if poll >= number + 2 { 2 } else { 1 };
    Entry {
        url: Some(format!("{}/{number}", url(channel))),
        content: Some(format!("<p>文 {channel} {number} 版{version}</p>{}", "长".repeat(number * 37 % 900))),
        authors: vec![Person::named("记者")],
        ..Entry::new(
            format!("urn:x:{channel}/{number}"),
            format!("题{channel}-{number}"),
            Dated { at: at(number).fixed_offset(), precision: Precision::Second, rung: DateRung::List },
        )
    }
}

fn poll(channel_number: usize, number: usize) -> Poll {
    let candidates = (number.saturating_sub(4)..=number).rev().map(|one| {
        let entry = entry(channel_number, one, number);
        let key = |kind, value: String| Key { kind, value };
        let keys = vec![
            key(KeyKind::Link, format!("{channel_number}/{one}")),
            key(KeyKind::TitleDay, format!("{}|{one}", entry.title)),
        ];
        Candidate { keys, entry }
    });
    let state = PollState { last_poll: Some(at(number)), live_since: Some(at(0)), ..PollState::default() };
    let fetched = FetchState { etag: Some(number.to_string().into_bytes()), ..FetchState::default() };
    Poll {
        channel: channel(channel_number),
        at: at(number),
        seen: Some(Seen::new(Standing::Live, candidates.collect())),
        state,
        fetched: BTreeMap::from([(url(channel_number), fetched)]),
    }
}

/// How many polls of a channel the ledger holds, by its state.
pub(super) async fn done(store: &dyn Store, channel_number: usize) -> usize {
    let polls = store.polls().await.unwrap();
    let last = polls.get(&channel(channel_number)).and_then(|state| state.last_poll);
    last.map_or(0, |last| usize::try_from((last - at(0)).num_seconds()).unwrap() + 1)
}

/// What is known for good of each entry: its number, and when it was first seen.
pub(super) type Ids = BTreeMap<(usize, String), (u64, DateTime<Utc>)>;

/// Compares a channel with what so many polls must have left, and notes its ids.
pub(super) async fn compare(store: &dyn Store, number: usize, polls: usize, ids: &mut Ids) -> Result<(), String> {
    let records = store.latest(&channel(number), usize::MAX >> 1).await.map_err(|e| e.to_string())?;
    if records.len() != polls {
        return Err(format!("channel {number}: {polls} polls, {} entries", records.len()));
    }
    for (place, record) in records.iter().rev().enumerate() {
        let expected = entry(number, place, polls - 1);
        if record.entry.id != expected.id || record.entry.content != expected.content {
            return Err(format!("channel {number}, entry {place}: {:?} instead of {expected:?}", record.entry));
        }
        let known = ids.entry((number, record.entry.id.0.clone())).or_insert((record.number, record.first_seen));
        if *known != (record.number, record.first_seen) || record.first_seen != at(place) {
            return Err(format!("channel {number}, entry {place} was {known:?}, is {record:?}"));
        }
    }
    let fetched = store.fetch_states(&[url(number)]).await.map_err(|e| e.to_string())?;
    let etag = fetched.get(&url(number)).and_then(|state| state.etag.clone());
    let expected = (polls > 0).then(|| (polls - 1).to_string().into_bytes());
    if etag != expected {
        return Err(format!("channel {number}: validators {etag:?} instead of {expected:?}"));
    }
    Ok(())
}

/// A command that runs the writer on a folder: at most `polls` polls of each channel, each tried up to `tries` times.
pub(super) fn command(before: &[&str], folder: &Path, manner: Manner, polls: u64, tries: u64) -> Command {
    let own = std::env::current_exe().unwrap();
    let mut command = match before {
        [] => Command::new(&own),
        [program, arguments @ ..] => {
            let mut command = Command::new(program);
            command.args(arguments).arg(&own);
            command
        }
    };
    let manner = MANNERS.iter().find(|(_, one)| *one == manner).unwrap().0;
    command
        .args(["durability::writer::the_writer", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env("HELIU_WRITER_FOLDER", folder)
        .env("HELIU_WRITER_MANNER", manner)
        .env("HELIU_WRITER_POLLS", polls.to_string())
        .env("HELIU_WRITER_TRIES", tries.to_string())
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// One line to whoever started this process; the pipe is not buffered.
fn say(line: &str) {
    let _ = std::io::stdout().lock().write_all(format!("\n@{line}\n").as_bytes());
    let _ = std::io::stdout().lock().flush();
}

/// The lines that a writer said, without what the test harness prints.
pub(super) fn said(output: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(output);
    // A last line that was cut by the kill ends without its newline, and counts: it says a poll was recorded.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().filter_map(|line| line.strip_prefix('@')).map(str::to_owned).collect()
}

/// How many polls of each channel a writer acknowledged, beyond what it found.
pub(super) fn acknowledged(said: &[String]) -> [usize; CHANNELS] {
    let mut acknowledged = [0; CHANNELS];
    for line in said {
        let mut words = line.split(' ');
        if words.next() == Some("ack") {
            let mut number = || words.next().unwrap().parse::<usize>().unwrap();
            let (channel, poll) = (number(), number());
            acknowledged[channel] = acknowledged[channel].max(poll + 1);
        }
    }
    acknowledged
}

/// Not a test: what the tests beside it start as a process of its own.
#[test]
#[ignore = "started by the tests of durability"]
fn the_writer() {
    let Some(folder) = std::env::var_os("HELIU_WRITER_FOLDER") else { return };
    let manner = std::env::var("HELIU_WRITER_MANNER").unwrap();
    let manner = MANNERS.iter().find(|(name, _)| *name == manner).unwrap().1;
    let (polls, tries) = (number("HELIU_WRITER_POLLS"), number("HELIU_WRITER_TRIES"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(write(Path::new(&folder), manner, polls, tries));
}

fn number(name: &str) -> usize {
    std::env::var(name).unwrap().parse().unwrap()
}

async fn write(folder: &Path, manner: Manner, polls: usize, tries: usize) {
    let mut store = None;
    for _ in 0..tries {
        match SqliteStore::open(folder, at(0)).await {
            Ok(opened) => store = Some(Arc::new(opened)),
            Err(error) => say(&format!("refused {error}")),
        }
        if store.is_some() {
            break;
        }
    }
    let Some(store) = store else { return };
    let storm = (0..CHANNELS).map(|channel| tokio::spawn(storm(Arc::clone(&store), channel, manner, polls, tries)));
    let mut whole = true;
    for task in storm.collect::<Vec<_>>() {
        whole &= task.await.unwrap();
    }
    store.close().await;
    say(if whole { "done" } else { "gave up" });
}

/// Records the polls of one channel, one after the other.
async fn storm(store: Arc<SqliteStore>, channel: usize, manner: Manner, polls: usize, tries: usize) -> bool {
    let mut first = None;
    for _ in 0..tries {
        first = first.or(store.polls().await.is_ok().then_some(()));
    }
    if first.is_none() {
        return false;
    }
    let first = done(&*store, channel).await;
    for number in first..first + polls {
        let mut poll = poll(channel, number);
        if manner == Manner::Renames && number > first {
            poll.seen.as_mut().unwrap().candidates[0].entry.id.0.push_str(&std::process::id().to_string());
        }
        if manner == Manner::Early {
            say(&format!("ack {channel} {number}"));
        }
        if manner == Manner::Halved {
            let _ = store.record(&Poll { seen: None, ..poll.clone() }).await;
        }
        let mut recorded = false;
        for _ in 0..tries {
            match store.record(&poll).await {
                Ok(_) => recorded = true,
                Err(error) => say(&format!("failed {channel} {number} {error}")),
            }
            if recorded {
                break;
            }
        }
        if !recorded {
            return false;
        }
        if manner != Manner::Early {
            say(&format!("ack {channel} {number}"));
        }
    }
    true
}
