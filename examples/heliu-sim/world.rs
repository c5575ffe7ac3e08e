//! The simulated world: time, chance, the trace, and what the judge sees.

use crate::judge::Judge;
use crate::rng::Rng;
use crate::script::{Failing, Script};
use crate::source::{FNV, Outage, fnv};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::VecDeque;
use std::fmt::Arguments;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::time::Instant;

/// How many lines of the trace are shown with a failure.
const SHOWN: usize = 60;

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Everything that happened, as a hash, and the end of it in words.
#[derive(Debug)]
pub(crate) struct Trace {
    pub(crate) hash: u64,
    pub(crate) lines: u64,
    last: VecDeque<String>,
    print: bool,
}

impl Trace {
    pub(crate) fn last(&self) -> impl Iterator<Item = &String> {
        self.last.iter()
    }
}

/// What changes together.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) script: Script,
    pub(crate) rng: Rng,
    pub(crate) judge: Judge,
    pub(crate) trace: Trace,
    /// The process dies after so many more steps.
    pub(crate) dies_in: Option<u64>,
    /// The machine falls asleep after so many more steps, for so long.
    pub(crate) sleeps_in: Option<(u64, TimeDelta)>,
    /// Until when the ledger fails, and how.
    pub(crate) failing: Option<(DateTime<Utc>, Failing)>,
    /// Until when there is no network, and how that shows.
    pub(crate) cut: Option<(DateTime<Utc>, Outage)>,
    /// How many steps were taken at this instant.
    steps: (DateTime<Utc>, u64),
}

/// The time of the world, which goes on while a process lives.
#[derive(Debug)]
struct Time {
    /// The true time at `since`.
    truth: DateTime<Utc>,
    /// `None` between two lives.
    since: Option<Instant>,
    /// How far the machine's clock is ahead.
    ahead: TimeDelta,
}

/// No instant takes so many steps; most take less than a hundred.
const MOST_STEPS: u64 = 100_000;

/// What all parts of a simulation share.
#[derive(Debug)]
pub(crate) struct Stage {
    time: Mutex<Time>,
    world: Mutex<World>,
    /// Chance of the service itself.
    chance: Mutex<Rng>,
    pub(crate) death: Notify,
    /// The clock was set, or the machine slept.
    pub(crate) jumped: Notify,
    /// All connections end.
    pub(crate) cut: Notify,
}

impl Stage {
    pub(crate) fn new(began: DateTime<Utc>, seed: u64, script: Script, rng: Rng, judge: Judge, print: bool) -> Self {
        let trace = Trace { hash: FNV, lines: 0, last: VecDeque::new(), print };
        Self {
            time: Mutex::new(Time { truth: began, since: None, ahead: TimeDelta::zero() }),
            world: Mutex::new(World {
                script,
                rng,
                judge,
                trace,
                dies_in: None,
                sleeps_in: None,
                failing: None,
                cut: None,
                steps: (began, 0),
            }),
            chance: Mutex::new(Rng::new(!seed)),
            death: Notify::new(),
            jumped: Notify::new(),
            cut: Notify::new(),
        }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    /// The true time.
    pub(crate) fn truth(&self) -> DateTime<Utc> {
        let time = lock(&self.time);
        let gone_by = time.since.map(|since| since.elapsed()).and_then(|gone| TimeDelta::from_std(gone).ok());
        time.truth + gone_by.unwrap_or_default()
    }

    /// What the machine's clock shows.
    pub(crate) fn wall(&self) -> DateTime<Utc> {
        let ahead = lock(&self.time).ahead;
        self.truth() + ahead
    }

    /// A life begins: from now on time goes with the runtime of this thread.
    pub(crate) fn begin(&self) {
        lock(&self.time).since = Some(Instant::now());
    }

    /// A life ends: time stands still.
    pub(crate) fn end(&self) {
        let truth = self.truth();
        let mut time = lock(&self.time);
        time.truth = truth;
        time.since = None;
    }

    /// The machine sleeps, and all connections end.
    pub(crate) fn sleep(&self, by: TimeDelta) {
        self.pass(by);
        self.cut.notify_waiters();
        let (wall, truth) = (self.wall(), self.truth());
        self.world().judge.wakes(wall, truth, by);
    }

    /// Time passes, and no process notices.
    pub(crate) fn pass(&self, by: TimeDelta) {
        lock(&self.time).truth += by;
        self.jumped.notify_waiters();
    }

    /// The machine's clock is set.
    pub(crate) fn set_ahead(&self, by: TimeDelta) {
        lock(&self.time).ahead += by;
        self.jumped.notify_waiters();
    }

    pub(crate) fn chance(&self) -> f64 {
        lock(&self.chance).unit()
    }

    /// Writes a line of the trace.
    pub(crate) fn note(&self, line: Arguments<'_>) {
        let truth = self.truth();
        self.world().trace.note(truth, line);
    }

    /// One of the places where the process may die; the one who dies never returns. Whoever takes step after step while
    /// no time passes would never end.
    pub(crate) async fn step(&self) {
        let truth = self.truth();
        let (dies, sleeps) = {
            let mut world = self.world();
            world.steps = if world.steps.0 == truth { (truth, world.steps.1 + 1) } else { (truth, 0) };
            if world.steps.1 == MOST_STEPS {
                world.judge.blame("endless", &format!("{MOST_STEPS} steps at {truth}"));
                world.dies_in = Some(0);
            }
            let left = world.dies_in;
            world.dies_in = left.map(|left| left.saturating_sub(1));
            let sleeps = world.sleeps_in.take_if(|(left, _)| *left == 0).map(|(_, by)| by);
            world.sleeps_in = world.sleeps_in.map(|(left, by)| (left.saturating_sub(1), by));
            (left == Some(0), sleeps)
        };
        if let Some(by) = sleeps {
            self.note(format_args!("sleeps"));
            self.sleep(by);
        }
        if dies {
            self.death.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

impl Trace {
    pub(crate) fn note(&mut self, truth: DateTime<Utc>, line: Arguments<'_>) {
        let line = format!("{} {line}", truth.format("%d %H:%M:%S%.3f"));
        self.hash = fnv(line.as_bytes(), self.hash);
        self.lines += 1;
        if self.print {
            println!("{line}");
        }
        if self.last.len() == SHOWN {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }
}

impl heliu::worker::Clock for Stage {
    fn now(&self) -> DateTime<Utc> {
        self.wall()
    }

    fn sleep_until(&self, until: DateTime<Utc>) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async move {
            loop {
                let jumped = self.jumped.notified();
                let Ok(left) = (until - self.wall()).to_std() else { return };
                if left.is_zero() {
                    return;
                }
                tokio::select! {
                    biased;
                    () = jumped => {}
                    () = tokio::time::sleep(left) => {}
                }
            }
        })
    }
}
