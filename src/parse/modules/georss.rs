//! Places: `GeoRSS` simple, GML points in `georss:where`, and the W3C's `geo:lat` and `geo:long`.

use super::{Module, no_feed};
use crate::parse::draft::EntryDraft;
use crate::xml::{Element, Namespace};

pub(super) const MODULE: Module =
    Module { namespaces: &[Namespace::Georss, Namespace::Geo, Namespace::Gml], entry, feed: no_feed };

fn entry(element: Element<'_, '_>, draft: &mut EntryDraft) {
    let text = element.text();
    match element.name() {
        "point" | "Point" if !element.has_children() => draft.entry.location = pair(&text),
        "where" | "point" | "Point" => {
            // georss:where › gml:Point › gml:pos
            let mut inner = element;
            while let Some(child) = inner.children().next() {
                inner = child;
            }
            draft.entry.location = pair(&inner.text()).or(draft.entry.location.take());
        }
        "lat" => draft.entry.location = Some(text.into_owned()),
        "long" | "lon" => {
            let latitude = draft.entry.location.take().unwrap_or_default();
            draft.entry.location = pair(&format!("{latitude} {text}"));
        }
        _ => {}
    }
}

/// Two numbers with one space between; some write a comma.
fn pair(text: &str) -> Option<String> {
    let numbers: Vec<_> = text.split([' ', ',', '\n', '\t']).filter(|part| !part.is_empty()).collect();
    let valid = numbers.len() == 2 && numbers.iter().all(|n| n.parse::<f64>().is_ok_and(f64::is_finite));
    valid.then(|| numbers.join(" "))
}
