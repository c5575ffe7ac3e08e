//! `heliu doctor polling`: how politely does Heliu ask? Either a rehearsal, in which the whole service polls scripted
//! sources through some virtual weeks, or what it really did, as the ledger has it. Judged by [`crate::doctor`].

mod origin;
mod rehearsal;

use super::say;
use crate::doctor::{Asked, Report, Scorer};
use crate::store::{Attempt, PollState, SqliteStore, Store, StoreError};
use anyhow::Context as _;
use chrono::Utc;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use url::Url;

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum What {
    /// Let the service poll scripted sources in virtual time and judge every request that they see
    ///
    /// The sources stand on this machine; nothing else is asked. They have odd validators, freshness, hints and
    /// Retry-After, fail, move, die and get stuck; the service is restarted every three days. The exit code is 1 if
    /// any rule was broken.
    Polling(Polling),
}

#[derive(Debug, Clone, clap::Args)]
struct Polling {
    /// How many virtual days
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=366))]
    days: u32,
    /// How many channels
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    channels: u32,
    /// What chance begins with: the same seed scripts the same sources
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Judge instead what is in a store: the last 50 polls of each channel. Heliu must not be running on it
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["days", "channels", "seed"])]
    data: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

/// No feed is asked more often than this.
const FLOOR: Duration = Duration::from_mins(15);

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let What::Polling(args) = &args.what;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let report = match &args.data {
        Some(folder) => runtime.block_on(recorded(folder))?,
        None => runtime.block_on(rehearsal::run(args.days, args.channels, args.seed))?,
    };
    say(&if args.json { serde_json::to_string_pretty(&report)? } else { in_words(&report) });
    Ok(if report.violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn in_words(report: &Report) -> String {
    let Report { requests, conditional, not_modified, feeds, busiest_second, mean_per_second, violations, .. } = report;
    let mut text = format!(
        "{requests} requests for {feeds} feeds: {conditional} conditional, {not_modified} answered with 304.\n\
         {mean_per_second:.3} polls a second in the mean, {busiest_second} in the busiest.\n{violations} violations:\n"
    );
    for (rule, tally) in &report.rules {
        let _ = writeln!(text, "  {:>8}  {rule:?}", tally.count);
        for example in &tally.examples {
            let _ = writeln!(text, "            {}", example.escape_debug());
        }
    }
    text.trim_end().to_owned()
}

/// Judges what the ledger has of real polls. It keeps no headers, so only times, statuses and failures are judged.
async fn recorded(folder: &Path) -> anyhow::Result<Report> {
    anyhow::ensure!(folder.is_dir(), "{} is no folder: name the data folder of a Heliu", folder.display());
    let store = SqliteStore::open(folder, Utc::now()).await.context("the store cannot be read")?;
    let asked = all_asked(&store).await;
    store.close().await;
    let mut asked = asked?;
    // Channels that share an address are polled in one go.
    asked.sort_by(|a, b| (a.at, &a.url).cmp(&(b.at, &b.url)));
    asked.dedup_by(|a, b| a.at == b.at && a.url == b.url);
    let mut scorer = Scorer::new(FLOOR);
    for one in &asked {
        scorer.see(one);
    }
    Ok(scorer.finish())
}

/// What was asked of hosts that are not exempt, channel by channel.
async fn all_asked(store: &SqliteStore) -> Result<Vec<Asked>, StoreError> {
    let mut all = Vec::new();
    for (channel, state) in store.polls().await?.iter().filter(|(_, state)| !state.exempt) {
        all.extend(store.attempts(channel).await?.iter().rev().map(|attempt| asked(attempt, state)));
    }
    Ok(all)
}

fn asked(attempt: &Attempt, state: &PollState) -> Asked {
    let url = Url::parse(&attempt.url).ok();
    let host = url.as_ref().and_then(|url| Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?)));
    Asked {
        at: attempt.at,
        url: attempt.url.clone(),
        host: host.unwrap_or_default(),
        status: attempt.status,
        hints: attempt.error.is_none().then(|| state.hints.clone()),
        ..Asked::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ChannelId;
    use crate::store::Poll;
    use chrono::{DateTime, TimeDelta};
    use std::collections::BTreeMap;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn twenty_thousand_polls_break_no_rule() {
        let report = rehearsal::run(30, 20, 7).await.unwrap();
        assert_eq!(report.violations, 0, "{}", in_words(&report));
        assert!(report.requests >= 20_000, "{}", report.requests);
        assert!(report.not_modified > report.requests / 2, "the sources are as they should be");
    }

    fn attempt(begin: DateTime<Utc>, (minute, status): &(i64, Option<u16>)) -> Attempt {
        Attempt {
            at: begin + TimeDelta::minutes(*minute),
            url: "http://a.test/rss".to_owned(),
            status: *status,
            millis: 1,
            changed: 0,
            error: (*status != Some(200) && *status != Some(304)).then(|| "http-status".to_owned()),
        }
    }

    #[tokio::test]
    async fn what_is_in_a_store_is_judged() {
        let begin: DateTime<Utc> = "2026-11-23T00:00:00Z".parse().unwrap();
        for (attempts, expected) in [
            (&[(0, Some(200)), (30, Some(304)), (60, Some(304))][..], 0),
            (&[(0, Some(200)), (10, Some(304))], 1),
            (&[(0, Some(410)), (99, Some(410))], 1),
            (&[(0, Some(429)), (30, Some(200))], 2),
            (&[(0, None), (15, None), (40, None)], 1),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let store = SqliteStore::open(folder.path(), begin).await.unwrap();
            let channel: ChannelId = "a".parse().unwrap();
            let state = PollState::default();
            let mut poll = Poll { channel, at: begin, seen: None, state, fetched: BTreeMap::new() };
            for one in attempts {
                poll.state.attempted(attempt(begin, one));
                store.record(&poll).await.unwrap();
            }
            store.close().await;
            let report = recorded(folder.path()).await.unwrap();
            assert_eq!(
                (report.requests, report.violations),
                (attempts.len() as u64, expected),
                "{}",
                in_words(&report)
            );
        }
        assert!(recorded(Path::new("no-such-folder")).await.is_err());
    }
}
