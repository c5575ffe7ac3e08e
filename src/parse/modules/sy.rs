//! The syndication module of RSS 1.0: how often the feed changes. And its generator (admin module).

use super::{Module, no_entry};
use crate::parse::draft::FeedDraft;
use crate::xml::{Element, Namespace};
use chrono::DateTime;

pub(super) const MODULE: Module = Module { namespaces: &[Namespace::Sy, Namespace::Admin], entry: no_entry, feed };

fn feed(element: Element<'_, '_>, draft: &mut FeedDraft) {
    match element.name() {
        "updateperiod" => draft.period.0 = minutes(&element.text()),
        // W3C-DTF, of which RFC 3339 is the form with a time and a zone; others say nothing.
        "updatebase" => {
            let text = element.text();
            // The specification's own example has no seconds.
            let base =
                DateTime::parse_from_rfc3339(&text).or_else(|_| DateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M%#z"));
            draft.feed.hints.base = base.ok().map(|base| base.to_utc());
        }
        "updatefrequency" => draft.period.1 = element.text().parse().ok(),
        "generatorAgent" | "generatoragent" => {
            let agent = element.any_attribute("resource").map(|agent| agent.trim().to_owned());
            draft.generator.offer(2, agent.filter(|agent| !agent.is_empty()));
        }
        _ => {}
    }
}

fn minutes(period: &str) -> Option<u32> {
    Some(match period.trim().to_ascii_lowercase().as_str() {
        "hourly" => 60,
        "daily" => 1_440,
        "weekly" => 10_080,
        "monthly" => 43_200,
        "yearly" => 525_600,
        _ => return None,
    })
}
