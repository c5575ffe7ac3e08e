#![allow(clippy::print_stdout, reason = "some tests show figures with --nocapture")]

mod freshness;

use super::super::slots::{Claim, HEALTHY, Kind, Slots};
use super::*;
use crate::config::{ListPage, Origin, PageAddress};
use crate::model::Hints;
use crate::schedule::{self, Before, Outcome, Policy};
use chrono::TimeDelta;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// A channel that is read from these pages of the portal.
fn channel(id: &str, addresses: &[&str]) -> Arc<Channel> {
    let urls: Vec<_> = addresses.iter().map(|path| format!("http://portal.test/{path}")).collect();
    pages(id, &urls.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A channel that is read from these pages.
pub(in crate::worker) fn pages(id: &str, urls: &[&str]) -> Arc<Channel> {
    let addresses = urls.iter().map(|url| PageAddress { url: url.parse().unwrap(), next: None }).collect();
    Arc::new(Channel {
        id: id.parse().unwrap(),
        title: id.into(),
        origin: Origin::Page(Box::new(ListPage { addresses, ..ListPage::default() })),
        every: None,
        timezone: chrono_tz::Asia::Shanghai,
        language: "zh-CN".into(),
        snapshot: None,
        rules: crate::rule::Rules::default(),
        obeys_robots: true,
        trust: crate::model::Trust::default(),
    })
}

/// A channel that is read from one feed.
fn address(id: &str, url: &str) -> Arc<Channel> {
    let mut channel = (*channel(id, &[])).clone();
    channel.origin = Origin::Feed { url: url.parse().unwrap() };
    Arc::new(channel)
}

fn at(minute: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
}

fn ids(group: &Group) -> Vec<&str> {
    group.iter().map(|channel| channel.id.as_str()).collect()
}

#[test]
fn channels_that_share_an_address_are_one_group_also_through_a_third() {
    let channels =
        [channel("a", &["1", "2"]), channel("b", &["3"]), channel("c", &["4", "5"]), channel("d", &["2", "5"])];
    let mut plan = Plan::new(&channels, 0.0, |_| Some(at(0)));
    assert_eq!(ids(&plan.take_due(at(0), |_| Ok(())).unwrap()), ["a", "c", "d"]);
    assert_eq!(ids(&plan.take_due(at(0), |_| Ok(())).unwrap()), ["b"]);
    assert!(plan.take_due(at(0), |_| Ok(())).is_none());
    assert_eq!(plan.next_due(), None, "both are being polled");
}

#[test]
fn the_earliest_is_taken_first_and_stale_times_do_not_count() {
    let channels = [channel("a", &["1"]), channel("b", &["2"])];
    let mut plan = Plan::new(&channels, 0.0, |group| Some(at(if group[0].id.as_str() == "a" { 5 } else { 3 })));
    assert!(plan.take_due(at(2), |_| Ok(())).is_none());
    assert_eq!(plan.next_due(), Some(at(3)));
    assert_eq!(ids(&plan.take_due(at(9), |_| Ok(())).unwrap()), ["b"]);
    plan.schedule(&"b".parse().unwrap(), at(40));
    plan.schedule(&"b".parse().unwrap(), at(30));
    plan.schedule(&"gone".parse().unwrap(), at(1));
    assert_eq!(ids(&plan.take_due(at(9), |_| Ok(())).unwrap()), ["a"]);
    assert_eq!(plan.next_due(), Some(at(30)));
    assert!(plan.take_due(at(29), |_| Ok(())).is_none());
    assert_eq!(ids(&plan.take_due(at(30), |_| Ok(())).unwrap()), ["b"]);
}

#[test]
fn dead_hosts_and_one_busy_site_never_keep_the_healthy_waiting() {
    let dead = (0..500).map(|n| address(&format!("dead-{n}"), &format!("http://dead{n}.test/")));
    let busy = (0..500).map(|n| address(&format!("busy-{n}"), &format!("http://h{n}.busy.test/")));
    let healthy = (0..100).map(|n| address(&format!("good-{n}"), &format!("http://good{n}.test/")));
    let channels: Vec<_> = dead.chain(busy).chain(healthy).collect();
    let claim = |group: &Group| Claim {
        site: crate::net::site(&group[0].addresses().next().unwrap().url()),
        kind: if group[0].id.as_str().starts_with("dead") { Kind::Suspect } else { Kind::Healthy },
        rests_until: None,
    };
    let mut plan = Plan::new(&channels, 0.0, |_| Some(at(0)));
    let mut slots = Slots::default();
    let mut running: VecDeque<Group> = VecDeque::new();
    let (mut polled, mut most_dead) = (Vec::new(), 0);
    // Each round every free slot is filled; dead ones never end, of the others one does.
    loop {
        while let Some((group, _)) = slots.next(&mut plan, at(60), claim) {
            running.push_back(group);
        }
        let dead = running.iter().filter(|group| claim(group).kind == Kind::Suspect).count();
        most_dead = most_dead.max(dead);
        assert!(dead * 10 <= HEALTHY + HEALTHY / 10, "dead hosts hold {dead} slots");
        assert!(running.iter().filter(|group| claim(group).site == "busy.test").count() <= 1);
        let Some(next) = running.iter().position(|group| claim(group).kind != Kind::Suspect) else { break };
        let group = running.remove(next).unwrap();
        for wait in slots.give_back(&claim(&group)) {
            plan.go_on(&wait);
        }
        polled.push(ids(&group)[0].to_owned());
    }
    assert_eq!(most_dead, HEALTHY / 10);
    assert_eq!(polled.len(), 600, "every group of a host that answers was polled, none twice");
    let last_good = polled.iter().rposition(|id| id.starts_with("good")).unwrap();
    assert!(last_good < 250, "the healthy did not wait for the busy site: {last_good}");
    let busy: Vec<_> = polled.iter().filter(|id| id.starts_with("busy")).collect();
    assert_eq!(busy[..3], ["busy-0", "busy-1", "busy-2"], "first come first served");
}

/// Numbers from 0 to 1 that look like chance and are the same every time.
fn chances() -> impl FnMut() -> f64 {
    let mut state = 7_u64;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(state >> 40).unwrap()) / f64::from(1 << 24)
    }
}

/// 10,000 feeds that are watched for an hour; `first` is when each would be due by itself.
fn check_spread(what: &str, mut first: impl FnMut(f64) -> DateTime<Utc>) {
    const FEEDS: u32 = 10_000;
    let policy = Policy::default();
    let channels: Vec<_> = (0..FEEDS).map(|n| address(&format!("c{n}"), &format!("http://h{n}.test/"))).collect();
    let mut chance = chances();
    let firsts: HashMap<ChannelId, _> = channels.iter().map(|one| (one.id.clone(), first(chance()))).collect();
    let rate = f64::from(FEEDS) / policy.interval().as_secs_f64();
    let mut plan = Plan::new(&channels, rate, |group| firsts.get(&group[0].id).copied());
    let mut seconds = vec![0_u32; 3600];
    for (second, polled) in seconds.iter_mut().enumerate() {
        let end = at(0) + TimeDelta::milliseconds(i64::try_from(second).unwrap() * 1000 + 999);
        while let Some(now) = plan.next_due().filter(|due| *due <= end) {
            let group = plan.take_due(now.max(at(0)), |_| Ok(())).unwrap();
            let before = Before { failures: 0, hints: &Hints::default() };
            let next = schedule::next_poll(now, &policy, &before, &Outcome::Unchanged, None, chance());
            plan.schedule(&group[0].id, next.unwrap());
            *polled += 1;
        }
    }
    let mean = f64::from(seconds.iter().sum::<u32>()) / 3600.0;
    seconds.sort_unstable();
    let (p99, most) = (f64::from(seconds[3564]) / mean, f64::from(seconds[3599]) / mean);
    println!("{what}: {mean:.2} polls a second, p99 {p99:.2} and most {most:.2} times as many");
    assert!(mean > 0.85 * rate && mean < 1.1 * rate, "{what}: {mean} a second in the mean");
    assert!(p99 <= 1.5 && most <= 3.0, "{what}: p99 {p99}, most {most} means");
}

#[test]
fn ten_thousand_feeds_are_asked_evenly_from_the_start_on() {
    let interval = Policy::default().interval();
    check_spread("the first start", |chance| schedule::first_poll(at(0), None, None, chance));
    check_spread("a restart", |chance| {
        let last = at(0) - TimeDelta::from_std(interval.mul_f64(chance)).unwrap();
        schedule::first_poll(at(0), Some(last + interval), Some(last), chance)
    });
    check_spread("a restart after a night", |chance| {
        let last = at(-480) - TimeDelta::from_std(interval.mul_f64(chance)).unwrap();
        schedule::first_poll(at(0), Some(last + interval), Some(last), chance)
    });
}

/// A world of hosts that answer within a second and hosts that swallow what is sent to them.
struct World {
    kinds: HashMap<ChannelId, Kind>,
    failures: HashMap<ChannelId, u32>,
    due: HashMap<ChannelId, DateTime<Utc>>,
    /// Polls that are under way, by when they end.
    running: BTreeMap<(DateTime<Utc>, ChannelId), Claim>,
    /// How late each poll of a healthy host began.
    late: Vec<TimeDelta>,
    most_dead: usize,
}

fn is_dead(id: &ChannelId) -> bool {
    id.as_str().starts_with("dead")
}

/// How long a poll takes: a second at most, or until the deadline for connecting (the answer to SYN is dropped), for the
/// first byte (accepts and hangs) or for everything (one byte a second).
fn takes(id: &ChannelId, chance: f64) -> Duration {
    let number = id.as_str().len() + usize::from(id.as_str().as_bytes()[id.as_str().len() - 1]);
    let until_deadline = Duration::from_secs([5, 15, 30][number % 3]);
    if is_dead(id) { until_deadline } else { Duration::from_secs_f64(0.05 + chance * 0.95) }
}

/// Two hours of 10,000 healthy feeds beside so many dead ones. Yields the 99th part of a hundred of the lateness of the
/// healthy, and how many slots dead ones held at most.
fn lateness(dead: usize, healthy_are: Kind, dead_are: Kind) -> (TimeDelta, usize) {
    let healthy = (0..10_000).map(|n| address(&format!("good-{n}"), &format!("http://good{n}.test/")));
    let dead = (0..dead).map(|n| address(&format!("dead-{n}"), &format!("http://dead{n}.test/")));
    let mut channels: Vec<_> = dead.chain(healthy).collect();
    channels.sort_by_key(|channel| channel.id.as_str().chars().rev().collect::<String>());
    let policy = Policy::default();
    let mut chance = chances();
    let first: HashMap<ChannelId, _> =
        channels.iter().map(|one| (one.id.clone(), at(0) + policy.interval().mul_f64(chance()))).collect();
    let mut plan = Plan::new(&channels, 10_500.0 / 1800.0, |group| first.get(&group[0].id).copied());
    let kind = |id: &ChannelId| if is_dead(id) { dead_are } else { healthy_are };
    let mut world = World {
        kinds: channels.iter().map(|one| (one.id.clone(), kind(&one.id))).collect(),
        failures: HashMap::new(),
        due: channels.iter().map(|one| (one.id.clone(), plan.next[plan.group_of(&one.id).unwrap()].unwrap())).collect(),
        running: BTreeMap::new(),
        late: Vec::new(),
        most_dead: 0,
    };
    let mut slots = Slots::default();
    let mut now = at(0);
    while now < at(120) {
        let claim = |group: &Group| Claim {
            site: crate::net::site(&group[0].addresses().next().unwrap().url()),
            kind: world.kinds[&group[0].id],
            rests_until: None,
        };
        let mut begun = Vec::new();
        while let Some((group, claim)) = slots.next(&mut plan, now, claim) {
            begun.push((group[0].id.clone(), claim));
        }
        for (id, claim) in begun {
            if !is_dead(&id) {
                world.late.push(now - world.due[&id]);
            }
            world.running.insert((now + takes(&id, chance()), id), claim);
        }
        world.most_dead = world.most_dead.max(world.running.keys().filter(|(_, id)| is_dead(id)).count());
        let ends = world.running.keys().next().map(|(end, _)| *end);
        let Some(next) = plan.next_due().into_iter().chain(ends).min() else { break };
        now = now.max(next);
        while let Some(entry) = world.running.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((_, id), claim) = entry.remove_entry();
            let failures = world.failures.entry(id.clone()).or_default();
            let failed = Outcome::Failed { status: None, retry_after: None };
            let outcome = if is_dead(&id) { failed } else { Outcome::Unchanged };
            let before = Before { failures: *failures, hints: &Hints::default() };
            let next = schedule::next_poll(now, &policy, &before, &outcome, None, chance()).unwrap();
            *failures += u32::from(is_dead(&id));
            world.kinds.insert(id.clone(), if is_dead(&id) { Kind::Suspect } else { Kind::Healthy });
            plan.schedule(&id, next);
            world.due.insert(id.clone(), plan.next[plan.group_of(&id).unwrap()].unwrap());
            for wait in slots.give_back(&claim) {
                plan.go_on(&wait);
            }
        }
    }
    world.late.sort_unstable();
    assert!(world.late.len() > 35_000, "the healthy were polled: {}", world.late.len());
    (world.late[world.late.len() * 99 / 100], world.most_dead)
}

#[test]
fn five_hundred_dead_hosts_make_nobody_late() {
    for (what, dead, healthy_are, dead_are, most_late, most_dead) in [
        ("no dead host", 0, Kind::Healthy, Kind::Healthy, 2, 0),
        ("known to be dead", 500, Kind::Healthy, Kind::Suspect, 2, HEALTHY / 10),
        ("dead from now on", 500, Kind::Healthy, Kind::Healthy, 5, HEALTHY),
        ("nothing is known of anybody", 500, Kind::New, Kind::New, 5, HEALTHY),
    ] {
        let (late, held) = lateness(dead, healthy_are, dead_are);
        println!("{what}: p99 of the lateness {} ms, dead hosts held {held} slots at most", late.num_milliseconds());
        assert!(late <= TimeDelta::seconds(most_late), "{what}: {late}");
        assert!(held <= most_dead, "{what}: dead hosts held {held} slots");
    }
}

/// A figure, not a check: `cargo test --release --lib cost_of_a_plan -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn cost_of_a_plan() {
    let mut first = None;
    for count in [1_000, 10_000, 100_000, 1_000_000_u32] {
        let channels: Vec<_> = (0..count).map(|n| channel(&format!("c{n}"), &[])).collect();
        let mut chance = chances();
        let due: HashMap<ChannelId, _> =
            channels.iter().map(|c| (c.id.clone(), at(0) + Duration::from_secs_f64(1800.0 * chance()))).collect();
        let mut plan = Plan::new(&channels, f64::from(count) / 1800.0, |group| due.get(&group[0].id).copied());
        let began = Instant::now();
        let turns = 300_000;
        for _ in 0..turns {
            let now = plan.next_due().unwrap();
            let group = plan.take_due(now, |_| Ok(())).unwrap();
            plan.schedule(&group[0].id, now + Duration::from_secs_f64(1800.0 + 180.0 * chance()));
        }
        let nanos = began.elapsed().as_secs_f64() * 1e9 / f64::from(turns);
        println!("{count} channels: {nanos:.0} ns a turn, {:.1} times the first", nanos / *first.get_or_insert(nanos));
    }
}
