//! One seed: the lives of a process, one after the other, and what happens in them.

use crate::judge::Judge;
use crate::ledger::Ledger;
use crate::reader;
use crate::rng::Rng;
use crate::script::{self, Event, Layout};
use crate::wire::{self, Net};
use crate::world::Stage;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt as _;
use heliu::config::{self, Config};
use heliu::net::{self, Dial, Resolve};
use heliu::publish::Published;
use heliu::store::{MemoryStore, Store};
use heliu::worker::{Clock, Service, Setup, StartError, validators};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use tokio_util::sync::CancellationToken;

/// The shelf is read so often.
const TICK: TimeDelta = TimeDelta::seconds(60);
/// Every so many ticks everything else is looked at too.
const LOOK: u32 = 10;
/// What was read is published by then, also after the ledger has failed.
const SOON: TimeDelta = TimeDelta::minutes(35);

/// How a seed ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) hash: u64,
    pub(crate) lines: u64,
    pub(crate) requests: u64,
    pub(crate) publications: u64,
    pub(crate) lives: u64,
    pub(crate) days: i64,
    pub(crate) failure: Option<String>,
    /// The end of the trace.
    pub(crate) last: Vec<String>,
}

/// Why a life ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Died,
    Stopped,
    NotStarted,
    AllOver,
}

struct Simulation {
    stage: Arc<Stage>,
    store: Arc<MemoryStore>,
    file: PathBuf,
    layout: Layout,
    events: VecDeque<(DateTime<Utc>, Event)>,
    end: DateTime<Utc>,
    /// When the ledger failed last.
    failed: DateTime<Utc>,
    /// What the last life published, if that ended well and all that is recorded is among it.
    settled: Option<BTreeMap<String, Bytes>>,
}

fn load(text: &str) -> Result<Config, String> {
    let loaded = config::load_bytes(text.as_bytes(), "feeds.yaml", Path::new(""), &validators());
    loaded.config.ok_or_else(|| config::render_diagnostics(&loaded.diagnostics, text, "feeds.yaml", false))
}

/// Runs a seed in a folder of its own.
pub(crate) fn run(seed: u64, days: Option<u32>, folder: &Path, print: bool) -> Result<Outcome, String> {
    let began = DateTime::from_timestamp(1_793_491_200, 0).ok_or("no such instant")?;
    let mut rng = Rng::new(seed);
    let mut script = script::draw(&mut rng, began, days);
    script::cuts(seed, &mut script, began);
    script::undated(seed, &mut script);
    script::dozes(seed, &mut script);
    let layout = script.layout.clone();
    let text = script::yaml(&layout, &script.sources, &script.hosts);
    let config = load(&text)?;
    let file = folder.join("feeds.yaml");
    std::fs::write(&file, &text).map_err(|error| error.to_string())?;
    let (events, end) = (script.events.iter().copied().collect(), script.end);
    let judge = Judge::new(&script, Arc::new(config), began);
    if print {
        println!("{text}\n{:#?}", script.events);
        for source in &script.sources {
            println!("{source:?}");
        }
    }
    let stage = Arc::new(Stage::new(began, seed, script, rng, judge, print));
    let store = Arc::new(MemoryStore::new(began));
    let (own, failed) = (Arc::clone(&stage), began - TimeDelta::days(1));
    let mut simulation = Simulation { stage: own, store, file, layout, events, end, failed, settled: None };
    let mut lives = 0;
    loop {
        lives += 1;
        let ended = simulation.live()?;
        stage.note(format_args!("life {lives} ended: {ended:?}"));
        if ended == Ended::AllOver || stage.world().judge.failure.is_some() {
            break;
        }
        let pause = stage.world().rng.between(1, 200);
        stage.pass(TimeDelta::seconds(pause));
    }
    if stage.world().judge.failure.is_none() {
        simulation.compare_restarts()?;
    }
    let world = stage.world();
    Ok(Outcome {
        hash: world.trace.hash,
        lines: world.trace.lines,
        requests: world.judge.requests,
        publications: world.judge.reader.publications,
        lives,
        days: (end - began).num_days(),
        failure: world.judge.failure.clone(),
        last: world.trace.last().cloned().collect(),
    })
}

fn runtime() -> Result<tokio::runtime::Runtime, String> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().map_err(|error| error.to_string())
}

impl Simulation {
    /// One life of the process. Whatever runs in it ends with its runtime.
    fn live(&mut self) -> Result<Ended, String> {
        let runtime = runtime()?;
        let ended = runtime.block_on(async {
            let stage = Arc::clone(&self.stage);
            stage.begin();
            let _ = stage.death.notified().now_or_never();
            let wall = stage.wall();
            {
                let mut world = stage.world();
                (world.dies_in, world.sleeps_in) = (None, None);
                world.judge.begin(wall);
            }
            let ended = Box::pin(self.life()).await;
            stage.end();
            ended
        });
        Ok(ended)
    }

    fn setup(&self) -> Setup {
        let (time, chance, luck) = (Arc::clone(&self.stage), Arc::clone(&self.stage), Arc::clone(&self.stage));
        let net = Arc::new(Net(Arc::clone(&self.stage)));
        Setup {
            config_path: self.file.clone(),
            store: Arc::new(Ledger { stage: Arc::clone(&self.stage), inner: Arc::clone(&self.store) })
                as Arc<dyn Store>,
            clock: Arc::clone(&self.stage) as Arc<dyn Clock>,
            net: net::Options {
                resolver: Arc::clone(&net) as Arc<dyn Resolve>,
                dialer: net as Arc<dyn Dial>,
                time: Arc::new(move || SystemTime::from(time.wall())),
                chance: Arc::new(move || chance.chance()),
                ..net::Options::default()
            },
            chance: Arc::new(move || luck.chance()),
        }
    }

    async fn life(&mut self) -> Ended {
        let stage = Arc::clone(&self.stage);
        let started = tokio::select! {
            biased;
            () = stage.death.notified() => return Ended::Died,
            started = Service::start_plain(self.setup()) => started,
        };
        let service = match started {
            Ok(service) => service,
            Err(StartError::Store(_)) => return Ended::NotStarted,
            Err(error) => {
                stage.world().judge.blame("start", &error.to_string());
                return Ended::NotStarted;
            }
        };
        service.read_in_line();
        let shutdown = CancellationToken::new();
        let mut run = std::pin::pin!(Arc::clone(&service).run(shutdown.clone()));
        let mut seen = self.read(&service, None);
        let (mut tick, mut ticks) = (stage.truth() + TICK, 0);
        loop {
            let truth = stage.truth();
            if truth >= self.end || stage.world().judge.failure.is_some() {
                self.wind_up(&service, (shutdown, &mut run), seen).await;
                return Ended::AllOver;
            }
            let next = self.events.front().map_or(tick, |(at, _)| tick.min(*at)).min(self.end);
            tokio::select! {
                biased;
                () = stage.death.notified() => return Ended::Died,
                () = &mut run => stage.world().judge.blame("I2", "the service stopped by itself"),
                () = tokio::time::sleep((next - truth).to_std().unwrap_or_default()) => {}
            }
            let truth = stage.truth();
            if let Some((_, event)) = self.events.pop_front_if(|(at, _)| *at <= truth) {
                stage.note(format_args!("{event:?}"));
                if self.happens(event, &service) {
                    if event == Event::Stop {
                        shutdown.cancel();
                        tokio::select! {
                            biased;
                            () = stage.death.notified() => return Ended::Died,
                            () = &mut run => return Ended::Stopped,
                        }
                    }
                    return Ended::Died;
                }
            }
            if truth >= tick {
                tick = truth + TICK;
                ticks += 1;
                seen = self.read(&service, Some(seen));
                if ticks % LOOK == 0 {
                    self.look(&service);
                }
            }
        }
    }

    /// The end of the last life: what it has published, all that is recorded is to be among.
    async fn wind_up(
        &mut self,
        service: &Service,
        (shutdown, run): (CancellationToken, impl Future<Output = ()>),
        seen: Arc<Published>,
    ) {
        let stage = Arc::clone(&self.stage);
        if stage.world().judge.failure.is_some() {
            return;
        }
        shutdown.cancel();
        let is_over = tokio::select! {
            biased;
            () = stage.death.notified() => false,
            () = run => true,
        };
        let set = self.read(service, Some(seen));
        // Who fell asleep while publishing stops without having done so.
        let (truth, woke) = (stage.truth(), stage.world().judge.woke);
        let well = is_over && truth - self.failed > SOON && stage.wall() - woke > TICK;
        // Nor does one whose last polls were cut.
        let well = well && !stage.world().judge.is_half_recorded(truth);
        self.settled = well.then(|| reader::bytes(&set));
    }

    /// Lets something happen; `true` when it ends the life.
    fn happens(&mut self, event: Event, service: &Arc<Service>) -> bool {
        let stage = &self.stage;
        match event {
            Event::Crash(0) | Event::Stop => return true,
            Event::Crash(steps) => stage.world().dies_in = Some(steps),
            Event::Edit => self.edit(service),
            Event::Mistake => {
                let service = Arc::clone(service);
                tokio::spawn(async move { service.reload(Ok(b"channels: [".to_vec())).await });
            }
            Event::Step(seconds) => {
                let by = TimeDelta::seconds(seconds);
                stage.set_ahead(by);
                let wall = stage.wall();
                stage.world().judge.stepped(by, wall);
            }
            Event::Sleep(seconds) => stage.sleep(TimeDelta::seconds(seconds)),
            Event::Doze(steps, seconds) => stage.world().sleeps_in = Some((steps, TimeDelta::seconds(seconds))),
            Event::StoreFails(seconds, failing) => {
                let until = stage.truth() + TimeDelta::seconds(seconds);
                self.failed = until;
                stage.world().failing = Some((until, failing));
            }
            Event::Cut(seconds, how) => {
                let back = stage.truth() + TimeDelta::seconds(seconds);
                stage.world().cut = Some((back, how));
                stage.world().judge.cut(back);
                stage.cut.notify_waiters();
            }
        }
        false
    }

    fn edit(&mut self, service: &Arc<Service>) {
        let stage = &self.stage;
        let (truth, wall) = (stage.truth(), stage.wall());
        let mut world = stage.world();
        let world = &mut *world;
        script::edit(&mut self.layout, &mut world.rng);
        let text = script::yaml(&self.layout, &world.script.sources, &world.script.hosts);
        let config = match load(&text) {
            Ok(config) => config,
            Err(why) => return world.judge.blame("edit", &why),
        };
        if let Err(error) = std::fs::write(&self.file, &text) {
            return world.judge.blame("edit", &error.to_string());
        }
        world.trace.note(
            truth,
            format_args!(
                "edit {}",
                text.lines().filter(|line| line.starts_with("  c")).collect::<Vec<_>>().join(" | ")
            ),
        );
        world.judge.configure(Arc::new(config), truth, wall);
        let service = Arc::clone(service);
        tokio::spawn(async move { service.reload(Ok(text.into_bytes())).await });
    }

    /// Reads what is published if it is another set than before.
    fn read(&self, service: &Service, before: Option<Arc<Published>>) -> Arc<Published> {
        let shelf = service.shelf();
        let set = Arc::clone(&shelf.get());
        if before.is_none_or(|before| !Arc::ptr_eq(&before, &set)) {
            let truth = self.stage.truth();
            let mut world = self.stage.world();
            let world = &mut *world;
            for (what, detail) in world.judge.reader.read(&set) {
                world.judge.blame(what, &detail);
            }
            let hash = world.judge.reader.hash();
            world.trace.note(truth, format_args!("published {hash:x}"));
        }
        set
    }

    /// What is due, what is lost, and how much is remembered.
    fn look(&self, service: &Service) {
        let (truth, wall) = (self.stage.truth(), self.stage.wall());
        let mut world = self.stage.world();
        let shelf = service.shelf();
        let set = shelf.get();
        // Who can reach none of the sites that are due cannot tell that from a network that is away.
        let due: Vec<_> = set.config.channels.iter().filter(|one| world.judge.is_due(one.id.as_str(), wall)).collect();
        if shelf.offline().is_some() && !wire::anybody_is_up(&world, &due, truth) {
            world.judge.cut(truth);
        }
        let judge = &mut world.judge;
        judge.look(wall, truth);
        if truth - self.failed > SOON {
            for (channel, expected) in judge.expected(truth - SOON) {
                if let Some(lost) = judge.reader.lost(&set, &channel, &expected) {
                    judge.blame("lost", &lost);
                }
            }
        }
        let remembered = service.remembered();
        let size = |name: &str| remembered.iter().find(|(known, _)| *known == name).map_or(0, |(_, size)| *size);
        let (channels, addresses) = judge.sizes();
        let most = |name: &str| match name {
            "plan" | "waiting" | "busy" | "in flight" => channels,
            // Also those that were removed meanwhile.
            "unpublished" => 10,
            _ => addresses + 5,
        };
        for (name, size) in remembered.iter().filter(|(name, size)| *size > most(name)) {
            judge.blame("I7", &format!("{name}: {size} are remembered, with {channels} channels"));
        }
        if size("busy") == 0 && size("in flight") + size("waiting") > 0 {
            judge.blame("I7", &format!("nothing is being polled, and yet {remembered:?}"));
        }
    }

    /// The same ledger gives the same bytes, whenever it is started: those of the life that ended, if that ended well.
    fn compare_restarts(&mut self) -> Result<(), String> {
        self.stage.world().failing = None;
        let mut before = self.settled.take();
        for _ in 0..2 {
            let runtime = runtime()?;
            let bytes = runtime.block_on(async {
                self.stage.begin();
                (self.stage.world().dies_in, self.stage.world().sleeps_in) = (None, None);
                let started = Service::start_plain(self.setup()).await;
                let read = started.map(|service| self.read(&service, None));
                self.stage.end();
                read.map(|set| reader::bytes(&set))
            });
            let bytes = bytes.map_err(|error| error.to_string())?;
            if let Some(differs) = before.replace(bytes.clone()).and_then(|before| reader::differs(&before, &bytes)) {
                self.stage.world().judge.blame("same ledger", &differs);
            }
            self.stage.pass(TimeDelta::days(40));
        }
        Ok(())
    }
}
