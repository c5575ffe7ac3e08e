//! The feed of incidents against the checker of Atom.

use super::{atom_rules, site};
use crate::health::{Incident, Incidents, State};
use crate::model::{ChannelId, Flaw, FlawCode};
use crate::render::{Site, Told, health_atom};
use chrono::{DateTime, TimeDelta, Utc};

const HERE: &str = "https://feeds.example.org/heliu/feeds/health.atom";

fn start() -> DateTime<Utc> {
    "2026-11-20T08:00:00Z".parse().unwrap()
}

/// What came of these states, half an hour apart.
fn incidents(states: &[State], evidence: &str) -> Incidents {
    let flaw = |code| [Flaw::new(code, evidence)];
    states.iter().zip(0..).fold(Incidents::default(), |incidents, (state, n)| {
        let flaws = flaw(if *state == State::Drifted { FlawCode::Drifted } else { FlawCode::HttpStatus });
        incidents.follow(*state, &flaws, None, start() + TimeDelta::minutes(30 * n))
    })
}

fn written(channel: &ChannelId, all: &[Incident], site: &Site<'_>) -> String {
    let told: Vec<_> = all.iter().map(|incident| Told { channel, title: "<b>人物</b> & \u{1b}", incident }).collect();
    health_atom(&told, site, start() - TimeDelta::days(9))
}

#[test]
fn incidents_are_legal_atom_with_ids_that_stay() {
    use State::{Drifted, Fresh, Gone};
    let channel: ChannelId = "renwu".parse().unwrap();
    let hostile = "]]><script>alert(1)</script> \u{0} & \u{fffe}";
    let english = Site { language: "en", ..site() };
    for site in [site(), english] {
        let empty = written(&channel, &[], &site);
        atom_rules::check(&empty, HERE).unwrap();
        assert!(empty.contains("<updated>2026-11-11T08:00:00"), "{empty}");

        let open = incidents(&[Fresh, Drifted], hostile);
        let first = written(&channel, open.open.as_slice(), &site);
        atom_rules::check(&first, HERE).unwrap();
        assert_eq!(first.matches("<entry>").count(), 1, "{first}");
        let says = [FlawCode::Drifted.advice(), FlawCode::Drifted.advice_in_chinese()].map(|says| first.contains(says));
        assert_eq!(
            says,
            [site.language == "en", site.language != "en"],
            "what to do, in the language of the feed: {first}"
        );
        assert!(!first.contains("<script>") && first.contains("admin/channels/renwu"), "{first}");

        let over = incidents(&[Fresh, Drifted, Fresh, Fresh, Gone], hostile);
        let all: Vec<_> = over.open.iter().chain(&over.closed).cloned().collect();
        let later = written(&channel, &all, &site);
        atom_rules::check(&later, HERE).unwrap();
        assert_eq!(later.matches("<entry>").count(), 3, "opened, closed, opened: {later}");
        // What was told once is told with the same bytes for ever.
        let entry = |text: &str| text.rsplit_once("<entry>").unwrap().1.to_owned();
        assert_eq!(entry(&first), entry(&later));
        assert_eq!(later, written(&channel, &all, &site));
    }
    let bad =
        written(&channel, incidents(&[Drifted], "x").open.as_slice(), &site()).replacen("<updated>", "<updates>", 1);
    assert!(atom_rules::check(&bad, HERE).is_err());
}

#[test]
fn the_feed_is_bounded() {
    let channel: ChannelId = "renwu".parse().unwrap();
    let one = incidents(&[State::Gone], "x").open.unwrap();
    let many = |n: i64| Incident { opened: one.opened + TimeDelta::seconds(n), ..one.clone() };
    let all: Vec<_> = (0..500).map(many).collect();
    let text = written(&channel, &all, &site());
    atom_rules::check(&text, HERE).unwrap();
    assert_eq!(text.matches("<entry>").count(), 200);
    assert!(text.contains("2026-11-20T08:08:19"), "the latest are kept");
}
