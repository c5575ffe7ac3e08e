use super::*;
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
    (next_poll(now(), policy, failures, &outcome, fresh, chance) - now()).to_std().unwrap()
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
        (usual, 0, failed(410, None), None, 7 * DAY),
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
        assert!(most >= expected && most <= expected.mul_f64(1.1), "row {row}: {most:?}");
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
            let next = next_poll(time, &Policy::default(), polls, &failed(status, None), None, chance);
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
    let mut stored = next_poll(start, &policy, 0, &Outcome::Changed, None, 0.0);
    let mut polls = 0;
    for restart in 1..=100 {
        let time = start + TimeDelta::seconds(36 * restart - 1);
        let due = first_poll(time, Some(stored), false, 0.0);
        if due <= time {
            polls += 1;
            stored = next_poll(time, &policy, 0, &Outcome::Unchanged, None, 0.0);
        }
    }
    assert_eq!(polls, 0);
}

#[test]
fn the_first_poll_after_a_start() {
    let soon = now() + TimeDelta::milliseconds(2500);
    let table = [
        (None, true, soon),
        (None, false, soon),
        (Some("2026-11-23T05:00:00Z"), false, at("2026-11-23T05:00:00Z")),
        (Some("2026-11-23T05:00:00Z"), true, soon),
        (Some("2026-11-23T03:59:00Z"), false, soon), // overdue
        (Some("1970-01-01T00:00:00Z"), false, soon),
        (Some("2026-12-01T04:00:00Z"), false, at("2026-12-01T04:00:00Z")), // 8 days
        (Some("2026-12-01T04:00:01Z"), false, soon),                       // a wrong clock
        (Some("2126-01-01T00:00:00Z"), false, soon),
    ];
    for (stored, never, expected) in table {
        assert_eq!(first_poll(now(), stored.map(at), never, 0.5), expected, "{stored:?}");
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

proptest! {
    #[test]
    fn never_early_never_beyond_bounds_never_panics(
        every in prop::option::of(any_duration()), default in any_duration(), floor in any_duration(), ceiling in any_duration(),
        time in any_date(), failures in any::<u32>(), outcome in any_outcome(), fresh in prop::option::of(any_duration()), chance in any::<f64>(),
    ) {
        let policy = Policy { every, default, floor, ceiling };
        let next = next_poll(time, &policy, failures, &outcome, fresh, chance);
        let earliest = after(time, policy.floor);
        let latest = after(time, policy.ceiling.max(policy.floor).saturating_mul(7));
        prop_assert!(earliest <= next && next <= latest);
    }

    #[test]
    fn more_failures_never_mean_an_earlier_poll(failures in 0..100u32, outcome in any_outcome(), chance in 0.0..1.0f64) {
        for policy in [Policy::default(), Policy::exempt()] {
            prop_assert!(delay(&policy, failures, outcome, None, chance) <= delay(&policy, failures + 1, outcome, None, chance));
        }
    }

    #[test]
    fn starts_and_articles_never_panic(time in any_date(), other in any_date(), third in any_date(), n in any::<u32>(), chance in any::<f64>()) {
        let first = first_poll(time, Some(other), false, chance);
        prop_assert!(first >= time && first.signed_duration_since(time) <= TimeDelta::days(8));
        prop_assert!(article_retry(time, n) >= time);
        prop_assert!(article_recheck(time, other, third).is_none_or(|next| next >= time));
    }
}
