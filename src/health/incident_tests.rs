//! When an incident begins and ends, and what is told of it.

use super::*;
use crate::model::{Flaw, FlawCode};
use chrono::{DateTime, TimeDelta, Utc};

fn start() -> DateTime<Utc> {
    "2026-11-01T00:00:00Z".parse().unwrap()
}

fn flaw(code: FlawCode) -> Flaw {
    Flaw::new(code, "what was seen")
}

/// Follows states, one a poll every 30 minutes; tells what is open after each and how many incidents there were.
fn follow(states: &str) -> (String, usize) {
    let mut incidents = Incidents::default();
    let mut now = start();
    let mut shown = String::new();
    for letter in states.chars() {
        let (state, code) = match letter {
            'f' => (State::Failing, FlawCode::Unreachable),
            'd' => (State::Drifted, FlawCode::Drifted),
            's' => (State::Silent, FlawCode::Silent),
            't' => (State::Throttled, FlawCode::HttpStatus),
            'g' => (State::Gone, FlawCode::HttpStatus),
            _ => (State::Fresh, FlawCode::DateMissing),
        };
        incidents = incidents.follow(state, &[flaw(code)], None, now);
        shown.push_str(incidents.open.as_ref().map_or(".", |open| &open.kind.as_str()[..1]));
        now += TimeDelta::minutes(30);
    }
    (shown, incidents.closed.len() + usize::from(incidents.open.is_some()))
}

#[test]
fn incidents_are_told_once() {
    for (states, expected, count) in [
        ("....", "....", 0),
        ("f.f.f.f.f.", "..........", 0),
        ("ff.ff.ff..", "..........", 0),
        ("fff", "..f", 1),
        ("ffffff.f.f.f.f..", "..fffffffffffff.", 1),
        ("d..", "dd.", 1),
        ("d.d.d.d.d.d..", "dddddddddddd.", 1),
        ("sss..s", "ssss.s", 2),
        ("t..", "tt.", 1),
        ("g", "g", 1),
        ("fffg", "..fg", 2),
        ("ffftftftft", "..ffffffff", 1),
        ("fffttt", "..ffft", 2),
        ("gsss", "gg.s", 2),
        ("gsfs", "gggg", 1),
        ("ddsss..", "ddddss.", 2),
    ] {
        assert_eq!(follow(states), (expected.to_owned(), count), "{states}");
    }
    assert_eq!(follow(&"d..".repeat(40)).1, 10, "those that are over are bounded");
}

#[test]
fn an_incident_knows_when_it_began_and_ended_and_what_showed_it() {
    let at = |minutes: i64| start() + TimeDelta::minutes(minutes);
    let down = [flaw(FlawCode::DateMissing), Flaw::new(FlawCode::Unreachable, "no answer")];
    let mut incidents = Incidents::default();
    for minutes in [0, 30, 60] {
        assert!(incidents.open.is_none());
        incidents = incidents.follow(State::Failing, &down, None, at(minutes));
        assert_eq!(incidents.since(State::Failing), Some(at(0)));
    }
    let open = incidents.open.clone().unwrap();
    assert_eq!((open.since, open.opened, open.kind), (at(0), at(60), State::Failing));
    assert_eq!(open.evidence, "unreachable: no answer");
    assert!(open.advice.contains("host is up"));
    incidents = incidents.follow(State::Fresh, &[], None, at(90));
    assert!(incidents.open.is_some());
    incidents = incidents.follow(State::Fresh, &[], None, at(120));
    let over = incidents.closed[0].closed.unwrap();
    assert_eq!((incidents.open, over.until, over.at), (None, at(90), at(120)));
}
