//! Simulates Heliu: the real scheduler, worker, client, ledger and publisher under a clock, a network and chance that a
//! seed decides, and checks all along that nothing happens that must not. `docs/simulation.md` tells more.
//!
//! `cargo run --release --example heliu-sim -- --seeds 1000` runs the seeds 0 to 999;
//! `--seed 17 --trace` runs one and prints everything that happens in it.

#![allow(clippy::print_stdout, reason = "a program that prints")]
#![allow(clippy::struct_excessive_bools, reason = "what a seed draws is mostly yes or no")]
#![allow(clippy::case_sensitive_file_extension_comparisons, reason = "paths that Heliu itself made")]

/// Seeds allocate and free all the time; the allocator of the system takes a quarter of their time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod judge;
mod ledger;
mod reader;
mod rng;
mod script;
mod seed;
mod source;
mod wire;
mod world;

use clap::Parser;
use seed::Outcome;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

#[derive(Debug, Parser)]
#[command(about = "Simulates Heliu, seed by seed")]
struct Options {
    /// How many seeds.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Virtual days of each seed; drawn by the seed otherwise.
    #[arg(long)]
    days: Option<u32>,
    /// This seed alone.
    #[arg(long)]
    seed: Option<u64>,
    /// Print everything that happens.
    #[arg(long)]
    trace: bool,
    /// Threads; each runs seeds of its own.
    #[arg(long, default_value_t = 2)]
    threads: u64,
    /// Run every so many seeds a second time and compare the traces; 0: none.
    #[arg(long, default_value_t = 20)]
    replay_every: u64,
    /// Go on after a seed that failed.
    #[arg(long)]
    keep_going: bool,
}

/// What all seeds came to.
#[derive(Debug, Default)]
struct Sum {
    seeds: u64,
    days: i64,
    lives: u64,
    requests: u64,
    publications: u64,
    replays: u64,
    same: u64,
    failures: Vec<(u64, String, Vec<String>)>,
}

fn attempt(seed: u64, options: &Options, folder: &std::path::Path) -> Result<Outcome, String> {
    let run = AssertUnwindSafe(|| seed::run(seed, options.days, folder, options.trace));
    std::panic::catch_unwind(run).unwrap_or_else(|_| Err("panic: see above".to_owned()))
}

fn work(options: &Options, next: &AtomicU64, stop: &AtomicBool, sum: &Mutex<Sum>) -> std::io::Result<()> {
    let folder = tempfile::tempdir()?;
    let (from, count) = options.seed.map_or((options.from, options.seeds), |seed| (seed, 1));
    while !stop.load(Ordering::SeqCst) {
        let place = next.fetch_add(1, Ordering::SeqCst);
        if place >= count {
            break;
        }
        let seed = from + place;
        let found = attempt(seed, options, folder.path());
        let again = (options.replay_every > 0 && place.is_multiple_of(options.replay_every) && !options.trace)
            .then(|| attempt(seed, options, folder.path()));
        let mut sum = world::lock(sum);
        sum.seeds += 1;
        match found {
            Ok(outcome) => {
                sum.days += outcome.days;
                sum.lives += outcome.lives;
                sum.requests += outcome.requests;
                sum.publications += outcome.publications;
                if options.seed.is_some() {
                    println!("seed {seed}: {} lines, trace {:016x}", outcome.lines, outcome.hash);
                }
                if let Some(again) = again {
                    sum.replays += 1;
                    let same = again.is_ok_and(|again| again.hash == outcome.hash);
                    sum.same += u64::from(same);
                    if !same {
                        sum.failures.push((seed, "replay: a second run took another course".to_owned(), Vec::new()));
                    }
                }
                if let Some(failure) = outcome.failure {
                    if options.keep_going {
                        println!("FAILED seed {seed}: {failure}");
                    }
                    sum.failures.push((seed, failure, outcome.last));
                }
            }
            Err(why) => sum.failures.push((seed, why, Vec::new())),
        }
        if !sum.failures.is_empty() && !options.keep_going {
            stop.store(true, Ordering::SeqCst);
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    let options = Options::parse();
    let (next, stop, sum) = (AtomicU64::new(0), AtomicBool::new(false), Mutex::new(Sum::default()));
    let began = Instant::now();
    let threads = if options.seed.is_some() { 1 } else { options.threads.max(1) };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                if let Err(error) = work(&options, &next, &stop, &sum) {
                    world::lock(&sum).failures.push((0, format!("no folder: {error}"), Vec::new()));
                }
            });
        }
    });
    let mut sum = world::lock(&sum);
    sum.failures.sort();
    for (seed, failure, last) in &sum.failures {
        if !options.keep_going {
            for line in last {
                println!("  {line}");
            }
            println!("FAILED seed {seed}: {failure}");
        }
    }
    let Sum { seeds, days, lives, requests, publications, replays, same, failures } = &*sum;
    let took = began.elapsed().as_secs_f64();
    println!(
        "simulation: {} of {seeds} seeds held; {days} virtual days, {lives} lives, {requests} requests, {publications} publications; {same} of {replays} replays took the same course; {took:.1} s",
        *seeds - u64::try_from(failures.len()).unwrap_or(0).min(*seeds)
    );
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_takes_the_same_course_each_time_and_every_seed_another() {
        let folder = tempfile::tempdir().unwrap();
        let run = |seed| seed::run(seed, Some(1), folder.path(), false).unwrap();
        let mut hashes = std::collections::BTreeSet::new();
        for seed in 0..4 {
            let (first, second) = (run(seed), run(seed));
            assert_eq!((first.hash, first.lines), (second.hash, second.lines), "seed {seed}");
            assert_eq!(first.failure, None, "seed {seed}");
            assert!(first.requests > 0 && first.publications > 0, "seed {seed}");
            hashes.insert(first.hash);
        }
        assert_eq!(hashes.len(), 4);
    }
}
