//! Tables, and the law that a steady channel is never called anything but steady.

use super::*;
use crate::model::{Flaw, FlawCode};
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

fn start() -> DateTime<Utc> {
    "2026-11-01T00:00:00Z".parse().unwrap()
}

fn tally(entries: u32, with: [u32; 4]) -> Tally {
    Tally { entries, with }
}

fn codes(flaws: &[Flaw]) -> Vec<&'static str> {
    flaws.iter().map(|flaw| flaw.code.as_str()).collect()
}

/// A channel in the hands of a test.
#[derive(Default)]
struct Channel {
    usual: Usual,
    now: DateTime<Utc>,
    last_success: Option<DateTime<Utc>>,
}

impl Channel {
    fn new() -> Self {
        Self { now: start(), ..Self::default() }
    }

    /// A poll some time after the last one.
    fn poll(&mut self, after: TimeDelta, page: Option<Tally>, new: u32) -> Vec<Flaw> {
        self.now += after;
        let sight = Sight { page, new, articles: self.usual.read, last_success: self.last_success };
        let (usual, flaws) = judge(&self.usual, &sight, self.now);
        self.usual = usual;
        self.last_success = Some(self.now);
        flaws
    }

    /// A channel that brings one entry every `gap`, polled some fourteen times in each, over so many gaps.
    fn steady(gap: TimeDelta, gaps: u32, page: Tally) -> Self {
        let mut channel = Self::new();
        for _ in 0..gaps {
            for _ in 0..13 {
                assert_eq!(codes(&channel.poll(gap / 14, None, 0)), Vec::<&str>::new());
            }
            assert_eq!(codes(&channel.poll(gap - gap / 14 * 13, Some(page), 1)), Vec::<&str>::new());
        }
        channel
    }
}

const FULL: [u32; 4] = [20, 19, 10, 20];

#[test]
fn lost_fields_are_named_with_their_evidence() {
    let table: &[(&str, Tally, &[&str])] = &[
        ("as ever", tally(20, FULL), &[]),
        ("a few less", tally(20, [18, 16, 8, 18]), &[]),
        ("more than ever", tally(20, [20, 20, 20, 20]), &[]),
        ("no images", tally(20, [20, 0, 10, 20]), &["images: usually 95 %, now 0 of 20"]),
        ("half of the dates", tally(20, [10, 19, 10, 20]), &["dates: usually 100 %, now 10 of 20"]),
        (
            "nothing but titles",
            tally(20, [0; 4]),
            &["dates: usually 100 %, now 0 of 20", "images: ", "sources: usually 100 %, now 0 of 20"],
        ),
        ("a field that half of them have may be chance", tally(20, [20, 19, 1, 20]), &[]),
        ("too few to tell", tally(2, [0; 4]), &[]),
        ("four are enough for what was always there", tally(4, [0, 4, 2, 4]), &["dates: usually 100 %, now 0 of 4"]),
        ("no entries", tally(0, [0; 4]), &[]),
        ("impossible counts", tally(3, [u32::MAX; 4]), &[]),
    ];
    for (what, page, expected) in table {
        let mut channel = Channel::steady(TimeDelta::hours(2), 12, tally(20, FULL));
        let flaws = channel.poll(TimeDelta::minutes(30), Some(*page), 0);
        assert_eq!(codes(&flaws), if expected.is_empty() { vec![] } else { vec!["drifted"] }, "{what}: {flaws:?}");
        for part in *expected {
            assert!(flaws[0].detail.contains(part), "{what}: {}", flaws[0].detail);
        }
    }
}

#[test]
fn nothing_is_judged_before_enough_was_seen() {
    let mut channel = Channel::new();
    for _ in 0..4 {
        assert!(channel.poll(TimeDelta::hours(1), Some(tally(20, FULL)), 1).is_empty());
    }
    assert!(channel.poll(TimeDelta::hours(1), Some(tally(20, [0; 4])), 0).is_empty(), "four pages are too few");
    let mut channel = Channel::steady(TimeDelta::hours(2), 4, tally(20, FULL));
    assert!(channel.poll(TimeDelta::days(300), None, 0).is_empty(), "three gaps are too few");
}

#[test]
fn a_bad_poll_is_not_learnt_from_and_a_shape_that_stands_for_a_week_is_meant() {
    let bare = tally(20, [20, 0, 10, 20]);
    let mut channel = Channel::steady(TimeDelta::hours(2), 12, tally(20, FULL));
    let usual = channel.usual.percent(Field::Image)[0];
    let began = channel.now + TimeDelta::hours(1);
    let mut told = 0;
    while codes(&channel.poll(TimeDelta::hours(1), Some(bare), 1)).contains(&"drifted") {
        told += 1;
        assert_eq!((channel.usual.percent(Field::Image)[0], channel.usual.odd_since()), (usual, Some(began)));
    }
    assert_eq!(told, 7 * 24, "told for a week");
    assert_eq!((channel.usual.percent(Field::Image)[0], channel.usual.odd_since()), (Some(0), None));
    assert!(channel.poll(TimeDelta::hours(1), Some(bare), 1).is_empty());
    assert!(channel.poll(TimeDelta::hours(1), Some(tally(20, FULL)), 1).is_empty(), "more than usual is no drift");

    // Back to normal: over at once, and the week begins anew the next time.
    let mut channel = Channel::steady(TimeDelta::hours(2), 12, tally(20, FULL));
    for _ in 0..20 {
        for _ in 0..20 {
            assert_eq!(codes(&channel.poll(TimeDelta::hours(1), Some(bare), 0)), ["drifted"]);
            assert_eq!(codes(&channel.poll(TimeDelta::minutes(1), None, 0)), ["drifted"], "the page is as it was");
        }
        assert!(channel.poll(TimeDelta::minutes(1), Some(tally(20, FULL)), 1).is_empty());
    }
}

#[test]
fn articles_are_judged_in_sixes() {
    let whole = tally(1, [1, 0, 1, 1]);
    let bare = tally(1, [1, 0, 1, 0]);
    let mut channel = Channel::steady(TimeDelta::hours(2), 12, tally(20, FULL));
    let mut read = |article: Tally| {
        channel.usual.read = article;
        codes(&channel.poll(TimeDelta::hours(2), None, 1))
    };
    for _ in 0..36 {
        assert!(read(whole).is_empty());
    }
    for _ in 0..5 {
        assert!(read(bare).is_empty(), "too few to tell");
    }
    assert_eq!(read(bare), ["drifted"]);
    assert_eq!(read(Tally::default()), ["drifted"], "until others are read");
    for n in 0..6 {
        assert_eq!(read(whole).is_empty(), n == 5, "article {n}");
    }
    let read = channel.usual.clone().reread();
    assert_eq!((read.percent(Field::Source), read.gap()), ([None, None], channel.usual.gap()));
}

#[test]
fn silence_is_measured_by_what_is_usual() {
    let hours = TimeDelta::hours;
    for (what, gap, quiet, silent) in [
        ("hourly, a day of quiet", hours(1), hours(24), false),
        ("hourly, two days", hours(1), hours(48), false),
        ("hourly, four days", hours(1), hours(96), true),
        ("daily, a week", hours(24), hours(7 * 24), false),
        ("daily, sixteen days", hours(24), hours(16 * 24), true),
        ("weekly, a month", hours(7 * 24), hours(31 * 24), false),
        ("weekly, sixteen weeks", hours(7 * 24), hours(16 * 7 * 24), true),
    ] {
        let mut channel = Channel::steady(gap, 10, tally(20, FULL));
        let flaws = channel.poll(quiet, None, 0);
        assert_eq!(codes(&flaws) == ["silent"], silent, "{what}: {flaws:?}");
        if silent {
            assert!(flaws[0].detail.contains("nothing new for") && flaws[0].detail.contains("usually something every"));
            assert!(channel.poll(hours(1), Some(tally(20, FULL)), 1).is_empty(), "{what}: over");
        }
    }
}

#[test]
fn one_silence_does_not_hide_the_next() {
    let days = TimeDelta::days;
    for (gap, quiet) in [(TimeDelta::hours(1), 10), (days(1), 40), (days(7), 300)] {
        let mut channel = Channel::steady(gap, 25, tally(20, FULL));
        let usual = channel.usual.gap().unwrap();
        for round in 0..2 {
            // Looked at every day, so that the gap could be learnt.
            let told = (0..quiet).map(|_| codes(&channel.poll(days(1), None, 0))).filter(|told| *told == ["silent"]);
            assert!(told.count() > 0, "every {gap}: round {round}");
            assert!(channel.poll(TimeDelta::hours(1), Some(tally(20, FULL)), 1).is_empty());
        }
        assert!(channel.usual.gap().unwrap() < usual * 2, "two silences are not usual");
    }
}

#[test]
fn weekends_are_no_silence() {
    // Every three hours from Monday to Friday, then sixty hours of nothing.
    let mut channel = Channel::new();
    for _ in 0..8 {
        for _ in 0..36 {
            assert!(channel.poll(TimeDelta::hours(3), Some(tally(20, FULL)), 1).is_empty());
        }
        for _ in 0..20 {
            assert!(channel.poll(TimeDelta::hours(3), None, 0).is_empty());
        }
    }
    for day in 0..2 {
        assert!(channel.poll(TimeDelta::days(1), None, 0).is_empty(), "day {day} of a long weekend");
    }
    assert_eq!(codes(&channel.poll(TimeDelta::days(3), None, 0)), ["silent"]);
}

#[test]
fn a_page_that_turns_over_at_once_is_told_unless_there_was_time_for_it() {
    let page = tally(20, FULL);
    let table = [
        ("one new", 1, TimeDelta::hours(2), false),
        ("half", 10, TimeDelta::hours(2), false),
        ("nearly all", 18, TimeDelta::hours(2), true),
        ("all", 20, TimeDelta::hours(2), true),
        ("all after an outage of three days", 20, TimeDelta::days(3), false),
    ];
    for (what, new, after, told) in table {
        let mut channel = Channel::steady(TimeDelta::hours(2), 12, page);
        let flaws = channel.poll(after, Some(page), new);
        assert_eq!(codes(&flaws) == ["old-gone"], told, "{what}: {flaws:?}");
    }
}

fn flaw(code: FlawCode) -> Flaw {
    Flaw::new(code, "what was seen")
}

#[test]
fn one_word_for_every_channel() {
    use FlawCode::*;
    type Row = (State, bool, bool, u32, Option<u16>, &'static [FlawCode]);
    let table: &[Row] = &[
        // state, snapshot, live, failures, status, flaws
        (State::Waiting, false, false, 0, None, &[]),
        (State::Snapshot, true, false, 0, None, &[]),
        (State::Snapshot, true, false, 0, None, &[SnapshotUnread]),
        (State::Fresh, true, true, 0, Some(200), &[]),
        (State::Fresh, false, true, 0, Some(304), &[DateMissing, IdsChanged]),
        (State::Silent, false, true, 0, Some(304), &[DateMissing, Silent]),
        (State::Drifted, false, true, 0, Some(200), &[Silent, Drifted]),
        (State::Drifted, false, true, 0, Some(200), &[Shrunken]),
        (State::Drifted, false, true, 0, Some(200), &[AllNew]),
        (State::Drifted, false, true, 0, Some(200), &[OldGone]),
        (State::Drifted, false, true, 0, Some(200), &[Quarantined]),
        (State::Drifted, false, true, 1, Some(200), &[Login]),
        (State::Drifted, false, true, 9, Some(200), &[NoLayoutFits]),
        (State::Drifted, false, true, 1, Some(200), &[NotAFeed]),
        (State::Failing, false, false, 1, Some(200), &[NoLayoutFits]),
        (State::Failing, true, false, 1, None, &[Unreachable]),
        (State::Failing, false, true, 1, Some(500), &[HttpStatus]),
        (State::Failing, false, true, 1, Some(403), &[HttpStatus]),
        (State::Failing, false, true, 2, None, &[Panicked]),
        (State::Throttled, false, true, 1, Some(429), &[HttpStatus]),
        (State::Throttled, false, true, 1, Some(503), &[HttpStatus]),
        (State::Throttled, false, true, 1, None, &[HttpStatus, LeftAlone, Silent]),
        (State::Failing, false, true, 1, None, &[LeftAlone, Unreachable]),
        (State::Gone, false, true, 1, Some(410), &[Gone]),
        (State::Gone, true, false, 1, Some(410), &[Gone]),
        // One of several addresses is gone, the others fail.
        (State::Failing, false, true, 1, Some(410), &[HttpStatus]),
    ];
    for (expected, snapshot, live, failures, status, flaws) in table {
        let flaws: Vec<_> = flaws.iter().copied().map(flaw).collect();
        let gone = flaws.iter().any(|flaw| flaw.code == Gone);
        let (snapshot, live, failures, status) = (*snapshot, *live, *failures, *status);
        let facts = Facts { snapshot, live, failures, gone, status, flaws: &flaws };
        assert_eq!(state(&facts), *expected, "{facts:?}");
    }
    for state in State::ALL {
        assert_eq!(serde_json::to_string(&state).unwrap(), format!("\"{state}\""));
        assert!(table.iter().any(|row| row.0 == state), "{state} is in the table");
    }
}

#[test]
fn what_older_ledgers_hold_is_read() {
    assert_eq!(serde_json::from_str::<Usual>("{}").unwrap(), Usual::default());
    assert_eq!(serde_json::from_str::<Incidents>("{}").unwrap(), Incidents::default());
}

/// A pseudo-random number out of a seed that moves on.
fn random(seed: &mut u64) -> u32 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    u32::try_from(*seed >> 40).unwrap()
}

/// One from 0 to 1.
fn chance(seed: &mut u64) -> f64 {
    f64::from(random(seed)) / f64::from(1 << 24)
}

/// So many minutes, as chance has it.
fn minutes(seed: &mut u64, least: i64, most: i64) -> TimeDelta {
    TimeDelta::minutes(least) + (TimeDelta::minutes(most) - TimeDelta::minutes(least)) * permille(seed) / 1000
}

fn permille(seed: &mut u64) -> i32 {
    i32::try_from(random(seed) % 1001).unwrap()
}

proptest! {
    /// 200 polls of a channel whose entries carry things as chance has it and come when they like: some soon after the
    /// last one, some after three times as long as usual.
    #[test]
    fn a_steady_channel_is_never_flagged(
        mut seed: u64,
        shares in prop::array::uniform4(0.0..1.0f64),
        every in 10..600i64,
        gap in 1..2000i64,
        size in 1..60usize,
    ) {
        let carries = |seed: &mut u64| shares.map(|share| chance(seed) < share);
        let mut page: Vec<[bool; 4]> = (0..size).map(|_| carries(&mut seed)).collect();
        let mut channel = Channel::new();
        let mut next = channel.now;
        for poll in 0..200 {
            let new = u32::from(channel.now >= next);
            if new > 0 {
                next = channel.now + minutes(&mut seed, gap / 5, 3 * gap);
            }
            for _ in 0..new {
                page.pop();
                page.insert(0, carries(&mut seed));
            }
            let with = [0, 1, 2, 3].map(|field| u32::try_from(page.iter().filter(|e| e[field]).count()).unwrap());
            let seen = Some(tally(u32::try_from(size).unwrap(), with)).filter(|_| new > 0);
            let after = minutes(&mut seed, every, every + every / 10);
            let flaws = channel.poll(after, seen, new);
            prop_assert!(flaws.is_empty(), "poll {poll}: {flaws:?}");
        }
    }

    /// Whatever comes, in whatever order, nothing panics and nothing is forgotten on the way through the ledger.
    #[test]
    fn anything_is_judged(
        polls in prop::collection::vec((any::<i32>(), any::<Option<[u32; 5]>>(), any::<u32>(), any::<bool>()), 0..60),
    ) {
        let mut channel = Channel::new();
        for (after, page, new, success) in polls {
            let page = page.map(|[entries, a, b, c, d]| tally(entries, [a, b, c, d]));
            let flaws = channel.poll(TimeDelta::seconds(i64::from(after)), page, new);
            for flaw in &flaws {
                prop_assert!(!flaw.detail.is_empty());
            }
            if !success {
                channel.last_success = None;
            }
            let text = serde_json::to_string(&channel.usual).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Usual>(&text).unwrap(), &channel.usual);
            let state = state(&Facts { snapshot: false, live: true, failures: 0, gone: false, status: None, flaws: &flaws });
            let incidents = Incidents::default().follow(state, &flaws, channel.usual.last_new, channel.now);
            prop_assert_eq!(incidents.open.is_some(), state.is_trouble());
        }
    }
}
