//! The syndication module of RSS 1.0: how often the feed changes. And its generator (admin module).

use super::{Module, no_entry};
use crate::parse::draft::FeedDraft;
use crate::xml::{Element, Namespace};

pub(super) const MODULE: Module = Module { namespaces: &[Namespace::Sy, Namespace::Admin], entry: no_entry, feed };

fn feed(element: Element<'_, '_>, draft: &mut FeedDraft) {
    match element.name() {
        "updateperiod" => draft.period.0 = minutes(&element.text()),
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
