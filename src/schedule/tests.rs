use super::*;
use crate::model::Hints;
use chrono::Datelike as _;
use proptest::prelude::*;

const SECOND: Duration = Duration::from_secs(1);

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn now() -> DateTime<Utc> {
    at("2026-11-23T04:00:00Z")
}

fn failed(status: impl Into<Option<u16>>, retry_after: Option<Duration>) -> Outcome {
    Outcome::Failed { status: status.into(), retry_after }
}

fn delay(policy: &Policy, failures: u32, outcome: Outcome, fresh: Option<Duration>, chance: f64) -> Duration {
    (polled(now(), policy, failures, &outcome, fresh, chance) - now()).to_std().unwrap()
}

/// The next poll of a source without hints that is not gone.
fn polled(
    time: DateTime<Utc>,
    policy: &Policy,
    failures: u32,
    outcome: &Outcome,
    fresh: Option<Duration>,
    chance: f64,
) -> DateTime<Utc> {
    next_poll(time, policy, &Before { failures, hints: &Hints::default() }, outcome, fresh, chance).unwrap()
}

#[test]
fn intervals_hints_and_backoff() {
    let every = |every| Policy { every: Some(every), ..Policy::default() };
    let usual = Policy::default();
    let (ok, same) = (Outcome::Changed, Outcome::Unchanged);
    let huge = Duration::MAX;
    // policy, failures before, outcome, fresh for, expected without chance
    let table = [
        (usual, 0, ok, None, 30 * MINUTE),
        (usual, 9, same, None, 30 * MINUTE), // one success resets (P-15)
        (every(20 * MINUTE), 0, ok, None, 20 * MINUTE),
        (every(SECOND), 0, ok, None, 15 * MINUTE), // the floor (P-05)
        (every(100 * DAY), 0, ok, None, DAY),
        (Policy { every: Some(SECOND), ..Policy::exempt() }, 0, ok, None, SECOND),
        (Policy { every: Some(Duration::ZERO), ..Policy::exempt() }, 0, ok, None, SECOND),
        (Policy::exempt(), 0, ok, None, 30 * MINUTE),
        // P-06: freshness lengthens, never shortens, and ends at a day.
        (usual, 0, same, Some(Duration::ZERO), 30 * MINUTE),
        (usual, 0, same, Some(10 * MINUTE), 30 * MINUTE),
        (usual, 0, ok, Some(5 * HOUR), 5 * HOUR),
        (usual, 0, ok, Some(huge), DAY),
        // P-15: doubling to a day, then once a week.
        (usual, 0, failed(500, None), None, 30 * MINUTE),
        (usual, 1, failed(None, None), None, HOUR),
        (usual, 5, failed(404, None), None, 16 * HOUR),
        (usual, 6, failed(404, None), None, DAY),
        (usual, 33, failed(None, None), None, DAY),
        (usual, 34, failed(None, None), None, 7 * DAY),
        (usual, u32::MAX, failed(403, None), None, 7 * DAY),
        (usual, 0, failed(500, None), Some(5 * HOUR), 30 * MINUTE), // freshness of an error says nothing
        // P-07: Retry-After.
        (usual, 0, failed(429, Some(2 * HOUR)), None, 4 * HOUR),
        (usual, 0, failed(429, Some(9 * HOUR)), None, 9 * HOUR),
        (usual, 0, failed(429, None), None, 4 * HOUR),
        (usual, 1, failed(429, None), None, 8 * HOUR),
        (usual, 3, failed(429, None), None, DAY),
        (usual, 0, failed(503, None), None, HOUR),
        (usual, 0, failed(503, Some(SECOND)), None, HOUR),
        (usual, 0, failed(503, Some(3 * HOUR)), None, 3 * HOUR),
        (usual, 0, failed(503, Some(huge)), None, DAY),
        (usual, 0, failed(500, Some(3 * HOUR)), None, 3 * HOUR),
        (Policy { every: Some(SECOND), ..Policy::exempt() }, 0, failed(503, None), None, 4 * SECOND),
    ];
    for (row, (policy, failures, outcome, fresh, expected)) in table.into_iter().enumerate() {
        assert_eq!(delay(&policy, failures, outcome, fresh, 0.0), expected, "row {row}");
        let most = delay(&policy, failures, outcome, fresh, 1.0);
        // After a failure of the server or the network chance covers the whole step to the next one (P-15).
        let whole = matches!(outcome, Outcome::Failed { status, .. } if status.is_none_or(|status| status >= 500));
        let bound = if whole { 2 * expected } else { expected.mul_f64(1.1) }.min(DAY.max(expected));
        assert!(most >= expected && most <= bound, "row {row}: {most:?}");
        assert!(!whole || most == bound, "row {row}: {most:?}");
    }
}

#[test]
fn chance_adds_up_to_a_tenth_and_bad_chances_do_no_harm() {
    for (chance, minutes) in [(0.0, 30.0), (0.5, 31.5), (1.0, 33.0), (9.0, 33.0), (-1.0, 30.0), (f64::NAN, 31.5)] {
        let found = delay(&Policy::default(), 0, Outcome::Changed, None, chance);
        assert!((found.as_secs_f64() / 60.0 - minutes).abs() < 1e-6, "{chance}: {found:?}");
    }
}

#[test]
fn a_dead_source_is_asked_at_most_eighty_times_in_sixty_days() {
    for (chance, status) in [(0.0, None), (0.5, Some(404)), (1.0, Some(500)), (0.3, Some(429))] {
        let (mut time, mut polls, mut last) = (now(), 0, Duration::ZERO);
        while time < now() + TimeDelta::days(60) {
            let next = polled(time, &Policy::default(), polls, &failed(status, None), None, chance);
            last = (next - time).to_std().unwrap();
            assert!(time - now() < TimeDelta::days(7) || last >= DAY);
            (time, polls) = (next, polls + 1);
        }
        assert!(polls <= 80, "{polls}");
        assert_eq!(last, 7 * DAY);
    }
}

#[test]
fn a_hundred_restarts_in_an_hour_cause_one_poll() {
    let (start, policy) = (now(), Policy { every: Some(HOUR), ..Policy::default() });
    let mut stored = polled(start, &policy, 0, &Outcome::Changed, None, 0.0);
    let mut polls = 0;
    for restart in 1..=100 {
        let time = start + TimeDelta::seconds(36 * restart - 1);
        let due = first_poll(time, Some(stored), Some(start), 0.0);
        if due <= time {
            polls += 1;
            stored = polled(time, &policy, 0, &Outcome::Unchanged, None, 0.0);
        }
    }
    assert_eq!(polls, 0);
}

#[test]
fn the_first_poll_after_a_start() {
    let soon = now() + TimeDelta::milliseconds(2500);
    let last = Some("2026-11-23T03:50:00Z");
    let table = [
        (None, None, soon),
        (None, last, soon),
        (Some("2026-11-23T05:00:00Z"), last, at("2026-11-23T05:00:00Z")),
        (Some("2026-11-23T05:00:00Z"), None, soon),
        (Some("2026-11-23T03:59:00Z"), last, soon), // overdue
        (Some("1970-01-01T00:00:00Z"), last, soon),
        (Some("2026-12-08T04:00:00Z"), last, at("2026-12-08T04:00:00Z")), // 15 days
        (Some("2026-12-08T04:00:01Z"), last, soon),                       // a wrong clock
        (Some("2126-01-01T00:00:00Z"), last, soon),
        // polled under a clock that ran ahead; less than five minutes is the play of clocks.
        (Some("2026-11-23T05:00:00Z"), Some("2026-11-23T04:05:00Z"), at("2026-11-23T05:00:00Z")),
        (Some("2026-11-23T05:00:00Z"), Some("2026-11-23T04:05:01Z"), soon),
        (Some("2026-11-24T05:00:00Z"), Some("2026-11-24T04:30:00Z"), soon),
        (Some("2036-11-23T05:00:00Z"), Some("2036-11-23T04:30:00Z"), soon),
        (Some("2026-11-23T05:00:00Z"), Some("1970-01-01T00:00:00Z"), at("2026-11-23T05:00:00Z")),
    ];
    for (stored, last, expected) in table {
        assert_eq!(first_poll(now(), stored.map(at), last.map(at), 0.5), expected, "{stored:?} {last:?}");
    }
}

#[test]
fn steps_of_the_clock_are_noticed_and_its_play_is_not() {
    let minute = Duration::from_mins(1);
    for (seconds, expected) in [
        (0, false),
        (60, false),
        (61, false),
        (-1, false), // a leap second, NTP
        (-300, false),
        (-301, true),
        (-3600, true),
        (360, false),
        (361, true),
        (8 * 3600, true),
        (-315_360_000, true),
        (315_360_000, true),
    ] {
        assert_eq!(stepped(now(), now() + TimeDelta::seconds(seconds), minute), expected, "{seconds}");
    }
    assert!(!stepped(now(), now(), Duration::MAX));
}

#[test]
fn who_is_gone_is_never_asked_again() {
    for (failures, chance) in [(0, 0.0), (9, 1.0), (u32::MAX, f64::NAN)] {
        for outcome in [Outcome::Gone, failed(410, None), failed(410, Some(HOUR))] {
            let before = Before { failures, hints: &Hints::default() };
            assert_eq!(next_poll(now(), &Policy::default(), &before, &outcome, None, chance), None);
        }
    }
}

fn hints(ttl: u32, period: u32, base: Option<&str>, hours: &[u8], days: &[chrono::Weekday]) -> Hints {
    Hints {
        ttl_minutes: Some(ttl).filter(|minutes| *minutes > 0),
        period_minutes: Some(period).filter(|minutes| *minutes > 0),
        base: base.map(at),
        skip_hours: hours.to_vec(),
        skip_days: days.to_vec(),
    }
}

#[test]
fn hints_lengthen_and_never_shorten() {
    use chrono::Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    let all: Vec<u8> = (0..24).collect();
    // It is Monday, 04:00 GMT. ttl, period, base, hours, days; expected without chance
    let table = [
        (hints(0, 0, None, &[], &[]), "2026-11-23T04:30:00Z"),
        (hints(5, 0, None, &[], &[]), "2026-11-23T04:30:00Z"), // never below the interval
        (hints(60, 0, None, &[], &[]), "2026-11-23T05:00:00Z"),
        (hints(60, 180, None, &[], &[]), "2026-11-23T07:00:00Z"), // the longest counts
        (hints(u32::MAX, 0, None, &[], &[]), "2026-11-24T04:00:00Z"), // ends at the ceiling
        (hints(0, 525_600, None, &[], &[]), "2026-11-24T04:00:00Z"),
        // Every six hours at 01:30, 07:30, …
        (hints(0, 360, Some("2000-01-01T01:30:00Z"), &[], &[]), "2026-11-23T07:30:00Z"),
        (hints(0, 360, Some("2100-01-01T01:30:00Z"), &[], &[]), "2026-11-23T07:30:00Z"), // a base to come
        (hints(0, 360, Some("2000-01-01T04:10:00Z"), &[], &[]), "2026-11-23T04:30:00Z"), // the interval is longer
        (hints(0, 360, Some("2000-01-01T04:00:00Z"), &[], &[]), "2026-11-23T10:00:00Z"), // this very instant is over
        (hints(0, 0, Some("2000-01-01T04:10:00Z"), &[], &[]), "2026-11-23T04:30:00Z"),   // a base of nothing
        (hints(0, 0, None, &[4], &[]), "2026-11-23T05:00:00Z"),
        (hints(0, 0, None, &[4, 5, 7], &[]), "2026-11-23T06:00:00Z"),
        (hints(60, 0, None, &[5, 6], &[]), "2026-11-23T07:00:00Z"),
        (hints(0, 0, None, &[], &[Mon]), "2026-11-24T00:00:00Z"),
        (hints(0, 0, None, &[0, 1], &[Mon, Tue]), "2026-11-25T02:00:00Z"),
        (hints(0, 0, None, &all, &[]), "2026-11-23T04:30:00Z"), // never would be a mistake
        (hints(0, 0, None, &[], &[Mon, Tue, Wed, Thu, Fri, Sat, Sun]), "2026-11-23T04:30:00Z"),
        (hints(0, 0, None, &all, &[Mon]), "2026-11-24T00:00:00Z"),
        (hints(0, 0, None, &all[..23], &[Tue, Wed, Thu, Fri, Sat, Sun]), "2026-11-23T23:00:00Z"),
        (hints(0, 0, None, &[99, 4], &[Mon, Mon, Mon, Mon, Mon, Mon, Mon]), "2026-11-24T00:00:00Z"),
    ];
    for (row, (hints, expected)) in table.into_iter().enumerate() {
        for outcome in [Outcome::Unchanged, Outcome::Changed, failed(404, None), failed(500, None)] {
            let before = Before { failures: 0, hints: &hints };
            let next = next_poll(now(), &Policy::default(), &before, &outcome, None, 0.0).unwrap();
            assert_eq!(next, at(expected), "row {row}, {outcome:?}");
            let late = next_poll(now(), &Policy::default(), &before, &outcome, None, 1.0).unwrap();
            assert!(late >= next && (!super::hints::skips(&hints, late)), "row {row}, {outcome:?}: {late}");
        }
    }
}

#[test]
fn fourteen_days_with_windows_see_no_poll_inside_them() {
    use chrono::{
        Timelike as _,
        Weekday::{Sat, Sun},
    };
    let nightly = hints(20, 0, None, &[16, 17, 18, 19, 20, 21, 22, 23], &[]);
    let weekdays = hints(0, 60, None, &[0, 12], &[Sat, Sun]);
    for (hints, least) in [(nightly, 400), (weekdays, 180)] {
        let (mut time, mut polls) = (now(), 0);
        while time < now() + TimeDelta::days(14) {
            let chance = f64::from(polls * 37 % 101) / 100.0;
            let before = Before { failures: 0, hints: &hints };
            time = next_poll(time, &Policy::default(), &before, &Outcome::Unchanged, None, chance).unwrap();
            let hour = u8::try_from(time.hour()).unwrap();
            assert!(!hints.skip_hours.contains(&hour) && !hints.skip_days.contains(&time.weekday()), "{time}");
            polls += 1;
        }
        assert!(polls > least, "{polls}");
    }
}

#[test]
fn articles() {
    for (failures, expected) in
        [(0, 15 * MINUTE), (1, 15 * MINUTE), (2, 30 * MINUTE), (7, 16 * HOUR), (8, DAY), (u32::MAX, DAY)]
    {
        assert_eq!(article_retry(now(), failures), now() + expected, "{failures}");
    }
    // hours since publication, hours at the last look, expected: hours since publication
    let table = [
        (0, 0, Some(1)),
        (1, 1, Some(6)),
        (2, 0, Some(2)), // missed: due now
        (7, 2, Some(7)),
        (7, 7, Some(24)),
        (24, 24, None),
        (48, 0, Some(48)),
        (49, 0, None),
        (-5, -5, Some(1)), // published in the future
    ];
    let published = now();
    for (hours, last, expected) in table {
        let found = article_recheck(published + TimeDelta::hours(hours), published, published + TimeDelta::hours(last));
        assert_eq!(found, expected.map(|hours| published + TimeDelta::hours(hours)), "{hours} {last}");
    }
}

fn any_duration() -> impl Strategy<Value = Duration> {
    prop_oneof![0..200_000u64, any::<u64>()].prop_map(Duration::from_secs)
}

fn any_date() -> impl Strategy<Value = DateTime<Utc>> {
    let extremes = [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC, DateTime::UNIX_EPOCH];
    prop_oneof![
        prop::sample::select(extremes.to_vec()),
        (-8_000_000_000_000i64..8_000_000_000_000).prop_map(|s| DateTime::from_timestamp(s, 0).unwrap()),
    ]
}

fn any_outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        Just(Outcome::Changed),
        Just(Outcome::Unchanged),
        (prop::option::of(100..600u16), prop::option::of(any_duration()))
            .prop_map(|(status, retry_after)| Outcome::Failed { status, retry_after }),
    ]
}

fn any_hints() -> impl Strategy<Value = Hints> {
    let days: Vec<_> = (0..7u8).map(|day| chrono::Weekday::try_from(day).unwrap()).collect();
    let period = || prop::option::of(any::<u32>());
    let subset = prop::sample::subsequence(days, 0..=7);
    (period(), period(), prop::option::of(any_date()), prop::collection::vec(any::<u8>(), 0..30), subset).prop_map(
        |(ttl_minutes, period_minutes, base, skip_hours, skip_days)| Hints {
            ttl_minutes,
            period_minutes,
            base,
            skip_hours,
            skip_days,
        },
    )
}

proptest! {
    #[test]
    fn hints_never_shorten_never_stop_and_never_panic(hints in any_hints(), time in any_date(), outcome in any_outcome(), chance in 0.0..1.0f64) {
        prop_assume!(!matches!(outcome, Outcome::Failed { status: Some(410), .. }));
        let policy = Policy::default();
        let with = next_poll(time, &policy, &Before { failures: 0, hints: &hints }, &outcome, None, chance).unwrap();
        prop_assert!(with >= polled(time, &policy, 0, &outcome, None, chance));
        prop_assert!(with.signed_duration_since(time) <= TimeDelta::days(9));
        // At the end of time there is no later.
        prop_assert!(!super::hints::skips(&hints, with) || with.year() > 262_140);
    }

    #[test]
    fn never_early_never_beyond_bounds_never_panics(
        every in prop::option::of(any_duration()), default in any_duration(), floor in any_duration(), ceiling in any_duration(),
        time in any_date(), failures in any::<u32>(), outcome in any_outcome(), fresh in prop::option::of(any_duration()), chance in any::<f64>(),
    ) {
        let policy = Policy { every, default, floor, ceiling };
        prop_assume!(!matches!(outcome, Outcome::Failed { status: Some(410), .. }));
        let next = polled(time, &policy, failures, &outcome, fresh, chance);
        let earliest = after(time, policy.floor);
        let latest = after(time, policy.ceiling.max(policy.floor).saturating_mul(7));
        prop_assert!(earliest <= next && next <= latest);
    }

    #[test]
    fn more_failures_never_mean_an_earlier_poll(failures in 0..100u32, outcome in any_outcome(), chance in 0.0..1.0f64) {
        prop_assume!(!matches!(outcome, Outcome::Failed { status: Some(410), .. }));
        for policy in [Policy::default(), Policy::exempt()] {
            prop_assert!(delay(&policy, failures, outcome, None, chance) <= delay(&policy, failures + 1, outcome, None, chance));
        }
    }

    #[test]
    fn starts_and_articles_never_panic(time in any_date(), other in any_date(), third in any_date(), n in any::<u32>(), chance in any::<f64>()) {
        let first = first_poll(time, Some(other), Some(third), chance);
        prop_assert!(first >= time && first.signed_duration_since(time) <= TimeDelta::days(15));
        prop_assert!(article_retry(time, n) >= time);
        prop_assert!(article_recheck(time, other, third).is_none_or(|next| next >= time));
    }
}

#[test]
fn what_was_planned_under_a_clock_that_ran_ahead_is_due() {
    let now = at("2026-11-23T08:00:00Z");
    let (year, minute) = (TimeDelta::days(365), TimeDelta::minutes(1));
    for (checked, not_before, due, resting) in [
        (Some(-minute), -minute, true, false),
        (Some(-minute), minute, false, true),
        (None, minute, false, true),
        (Some(-minute), TimeDelta::hours(24), false, true),
        // The clock was a year ahead when it was asked for, or put off without being asked for.
        (Some(year), year + minute, true, false),
        (Some(year), minute, true, false),
        (None, year, true, true),
        // The play of clocks is no step.
        (Some(minute), minute * 2, false, true),
        // Gone for good: an address rests for ten years, and no article does.
        (Some(-minute), year * 10, true, true),
    ] {
        let found = (
            article_due(now, checked.map(|by| now + by), now + not_before),
            rests(now, checked.map(|by| now + by), now + not_before),
        );
        assert_eq!(found, (due, resting), "{checked:?} {not_before:?}");
    }
}
