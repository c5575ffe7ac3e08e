//! Each rule is seen to fail on a log that breaks it, and none on a good one.

use super::*;
use chrono::TimeDelta;

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;

fn at(seconds: i64) -> DateTime<Utc> {
    // A Monday.
    "2026-11-23T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(seconds)
}

/// A polite request that is answered with a feed.
fn asked(seconds: i64) -> Asked {
    let headers = [("host", "a.test"), ("user-agent", "Heliu"), ("accept", "*/*"), ("accept-encoding", "gzip")];
    Asked {
        at: at(seconds),
        url: "http://a.test/f".to_owned(),
        host: "a.test:80".to_owned(),
        headers: Some(headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect()),
        status: Some(200),
        hints: Some(Hints::default()),
        ..Asked::default()
    }
}

fn with(mut asked: Asked, name: &str, value: &str) -> Asked {
    asked.headers.as_mut().unwrap().push((name.to_owned(), value.as_bytes().to_vec()));
    asked
}

fn status(seconds: i64, status: u16) -> Asked {
    Asked { status: Some(status), hints: None, ..asked(seconds) }
}

fn tagged(seconds: i64) -> Asked {
    Asked { etag: Some(b"W/\"1, 2\"".to_vec()), ..asked(seconds) }
}

fn not_modified(seconds: i64) -> Asked {
    with(status(seconds, 304), "if-none-match", "W/\"1, 2\"")
}

fn to(seconds: i64, status: u16, from: &str, to: &str) -> Asked {
    let host = from.split('/').nth(2).unwrap().to_owned() + ":80";
    Asked {
        status: Some(status),
        hints: None,
        url: from.to_owned(),
        host,
        location: Some(to.to_owned()),
        ..asked(seconds)
    }
}

fn on(host: &str, asked: Asked) -> Asked {
    Asked { host: format!("{host}:80"), url: format!("http://{host}/f"), ..asked }
}

/// The rules that a log breaks.
fn broken(log: &[Asked]) -> Vec<Rule> {
    let mut scorer = Scorer::new(Duration::from_mins(15));
    for asked in log {
        scorer.see(asked);
    }
    let report = scorer.finish();
    assert_eq!(report.requests, log.len() as u64);
    assert_eq!(report.violations, report.rules.values().map(|tally| tally.count).sum::<u64>());
    report.rules.iter().filter(|(_, tally)| tally.count > 0).map(|(rule, _)| *rule).collect()
}

fn check(log: &[Asked], expected: &[Rule]) {
    assert_eq!(broken(log), expected, "{log:#?}");
}

#[test]
fn polite_logs_break_nothing() {
    check(&[], &[]);
    check(&[tagged(0), not_modified(15 * MINUTE), not_modified(30 * MINUTE)], &[]);
    check(&[asked(0), asked(HOUR), asked(2 * HOUR)], &[]);
    check(&[tagged(0), not_modified(HOUR), asked(8 * 24 * HOUR)], &[]);
    check(
        &[status(0, 500), status(15 * MINUTE, 500), status(45 * MINUTE, 500), status(2 * HOUR, 500), asked(5 * HOUR)],
        &[],
    );
    let moved = |seconds| [to(seconds, 301, "http://a.test/f", "http://b.test/f"), on("b.test", tagged(seconds))];
    check(&[moved(0), moved(HOUR)].concat(), &[]);
    check(
        &[to(0, 302, "http://a.test/f", "http://a.test/g"), Asked { url: "http://a.test/g".into(), ..tagged(0) }],
        &[],
    );
    let many: Vec<_> = (0..60).map(|n| on(&format!("h{n}.test"), asked(0))).collect();
    check(&many, &[]);
}

#[test]
fn requests_without_or_with_wrong_validators() {
    check(&[tagged(0), asked(HOUR)], &[Rule::Unconditional]);
    check(&[tagged(0), asked(8 * 24 * HOUR), tagged(9 * 24 * HOUR)], &[]); // it has none any more
    check(&[tagged(0), tagged(8 * 24 * HOUR), tagged(15 * 24 * HOUR)], &[Rule::Unconditional]);
    check(&[tagged(0), status(HOUR, 500), asked(2 * HOUR)], &[Rule::Unconditional]);
    for wrong in ["\"1, 2\"", "W/\"1,2\"", "W/\"1, 2\" ", "*"] {
        check(&[tagged(0), with(status(HOUR, 304), "if-none-match", wrong)], &[Rule::Echo]);
    }
    let both = Asked { last_modified: Some(b"Thu, 01 Jan 1970 00:00:00 GMT".to_vec()), ..tagged(0) };
    check(&[both, not_modified(HOUR)], &[Rule::Echo]);
    check(&[with(asked(0), "if-modified-since", "Thu, 01 Jan 1970 00:00:00 GMT")], &[Rule::Echo]);
    let leak = on("b.test", not_modified(HOUR));
    check(
        &[tagged(0), with(to(HOUR, 302, "http://a.test/f", "http://b.test/f"), "if-none-match", "W/\"1, 2\""), leak],
        &[Rule::Leak],
    );
}

#[test]
fn requests_that_come_too_early() {
    check(&[asked(0), asked(14 * MINUTE)], &[Rule::Early]);
    let fresh = |seconds| Asked { fresh_for: Some(Duration::from_hours(2)), ..asked(seconds) };
    check(&[fresh(0), asked(119 * MINUTE)], &[Rule::Early]);
    check(&[fresh(0), fresh(120 * MINUTE)], &[]);
    let on_304 = Asked { fresh_for: Some(Duration::from_hours(2)), ..not_modified(HOUR) };
    check(&[tagged(0), on_304, not_modified(2 * HOUR)], &[Rule::Early]);
    let forever = Asked { fresh_for: Some(Duration::from_hours(9999)), ..asked(0) };
    check(&[forever, asked(24 * HOUR)], &[]);
    let hints = |hints: Hints| Asked { hints: Some(hints), ..tagged(0) };
    check(&[hints(Hints { ttl_minutes: Some(90), ..Hints::default() }), not_modified(HOUR)], &[Rule::Early]);
    check(&[hints(Hints { period_minutes: Some(90), ..Hints::default() }), not_modified(HOUR)], &[Rule::Early]);
    let base = Hints { period_minutes: Some(720), base: Some(at(50 * MINUTE)), ..Hints::default() };
    check(&[hints(base.clone()), not_modified(HOUR)], &[]);
    check(&[hints(base), not_modified(HOUR), not_modified(2 * HOUR)], &[Rule::Early]);
    check(&[hints(Hints { skip_hours: vec![1], ..Hints::default() }), not_modified(HOUR)], &[Rule::Skipped]);
    check(
        &[hints(Hints { skip_days: vec![chrono::Weekday::Mon], ..Hints::default() }), not_modified(HOUR)],
        &[Rule::Skipped],
    );
    check(&[hints(Hints { skip_hours: (0..24).collect(), ..Hints::default() }), not_modified(HOUR)], &[]);
}

#[test]
fn sources_that_have_had_enough() {
    let wait = |code, hours| Asked { retry_after: Some(Duration::from_hours(hours)), ..status(0, code) };
    for code in [429, 503] {
        check(&[wait(code, 3), asked(2 * HOUR)], &[Rule::Early, Rule::RetryAfter]);
        check(&[wait(code, 3), asked(3 * HOUR)], &[]);
        check(&[wait(code, 3), Asked { url: "http://a.test/other".into(), ..asked(HOUR) }], &[Rule::RetryAfter]);
        check(&[wait(code, 3), on("b.test", asked(HOUR))], &[]);
        check(&[wait(code, 9999), asked(24 * HOUR)], &[]);
    }
    check(&[status(0, 429), asked(59 * MINUTE)], &[Rule::Early, Rule::RetryAfter]);
    check(&[wait(500, 3), asked(2 * HOUR)], &[Rule::Early]);
    let redirect =
        Asked { retry_after: Some(Duration::from_hours(3)), ..to(0, 302, "http://a.test/f", "http://a.test/g") };
    check(&[redirect, asked(HOUR)], &[Rule::Early]);
    check(&[status(0, 404), status(15 * MINUTE, 404), status(30 * MINUTE, 404)], &[Rule::Backoff]);
    let down = |seconds| Asked { status: None, ..status(seconds, 500) };
    check(&[down(0), down(15 * MINUTE), down(44 * MINUTE)], &[Rule::Backoff]);
    check(&[status(0, 410), status(999 * HOUR, 410)], &[Rule::Gone]);
}

#[test]
fn moved_bursts_and_headers() {
    let moved = |day: i64, code| {
        [to(day * 24 * HOUR, code, "http://a.test/f", "http://b.test/f"), on("b.test", asked(day * 24 * HOUR))]
    };
    check(&(0..12).flat_map(|day| moved(day, 301)).collect::<Vec<_>>(), &[Rule::Moved]);
    check(&(0..12).flat_map(|day| moved(day, 302)).collect::<Vec<_>>(), &[]);
    let herd: Vec<_> =
        (0..100).map(|n| on(&format!("h{n}.test"), asked(0))).chain([on("z.test", asked(HOUR))]).collect();
    check(&herd, &[Rule::Burst]);
    for name in ["cookie", "referer", "cache-control", "authorization", "x-anything"] {
        check(&[with(asked(0), name, "x")], &[Rule::Header]);
    }
    let mut bare = asked(0);
    bare.headers = Some(Vec::new());
    check(&[bare], &[Rule::Header]);
    check(&[Asked { headers: None, ..asked(0) }, Asked { headers: None, ..tagged(HOUR) }], &[]);
}

#[test]
fn every_rule_is_in_the_report() {
    let report = Scorer::new(Duration::from_mins(15)).finish();
    assert_eq!(report.rules.len(), Rule::ALL.len());
    assert!(serde_json::to_string(&report).unwrap().contains("\"retry-after\":{\"count\":0"));
}
