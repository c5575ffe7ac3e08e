mod hostile;
mod layouts;
mod pages;
mod parts;
mod walls;

use crate::decode::decode;
use crate::model::{Flaw, FlawCode, ParsedEntry};
use url::Url;

fn at(address: &str) -> Url {
    address.parse().unwrap()
}

/// A fixture as it comes off the wire: without a header charset.
fn fixture(name: &str) -> String {
    let path = format!("{}/tests/fixtures/portal/{name}", env!("CARGO_MANIFEST_DIR"));
    decode(&std::fs::read(&path).expect(&path), None).text
}

fn codes(flaws: &[Flaw]) -> Vec<FlawCode> {
    flaws.iter().map(|flaw| flaw.code).collect()
}

/// Everything a list can give about an entry, one field after another.
fn shown(entry: &ParsedEntry) -> String {
    let text = |text: &Option<crate::model::Text>| text.as_ref().map(|text| text.value.clone()).unwrap_or_default();
    let mut out = vec![text(&entry.title), entry.links[0].href.clone()];
    out.push(entry.identity.clone().unwrap_or_default());
    out.push(entry.dates.iter().map(|date| date.text.as_str()).collect::<Vec<_>>().join(" > "));
    out.push(entry.source.as_ref().map(|source| source.title.clone()).unwrap_or_default());
    out.push(text(&entry.summary));
    out.push(entry.images.iter().map(|image| image.url.as_str()).collect::<Vec<_>>().join(" "));
    out.join(" | ")
}
