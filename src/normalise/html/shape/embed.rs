//! What is left of players and other embedded documents, and of pictures that only name their sources.

use super::picture::{is_hidden, picture};
use super::{ATTRIBUTE, DEPTH, Picture, Shaper, decode, escaped, resolve};

/// Where scripts find the address of a frame that is loaded lazily.
const LAZY: &[&str] = &["data-src", "data-lazy-src", "data-original"];

impl Shaper<'_> {
    /// Leaves a link where a document of another site was embedded, so that a reader knows that there was one.
    pub(super) fn embedded(&mut self, name: &str, attributes: &[(String, &str)]) {
        let value = |name: &str| attributes.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
        if is_hidden(attributes) || value("hidden").is_some() {
            return;
        }
        let own = if name == "object" { "data" } else { "src" };
        let mut candidates = LAZY.iter().copied().chain([own]).filter_map(value);
        let Some(url) = candidates.find_map(|text| resolve(self.base, &decode(text)).ok()) else { return };
        let repeated = name == "embed" && self.object.as_ref() == Some(&url);
        // Once as the address, once as the text.
        if repeated || self.grow(2 * url.as_str().len()).is_none() {
            return;
        }
        let title = value("title").filter(|title| title.len() <= ATTRIBUTE && !decode(title).trim().is_empty());
        let text =
            title.map_or_else(|| escaped(url.as_str()), |title| title.trim().replace('<', "&lt;").replace('>', "&gt;"));
        if self.open.len() + 3 <= DEPTH && self.make_room("a") {
            self.push("a", &format!(" href=\"{}\"", escaped(url.as_str())));
            self.text(&text);
            self.close(&["a"], &[]);
        }
        if name == "object" {
            self.object = Some(url);
        }
    }

    /// Notes a source of a picture; `false`: it is one of a recording.
    pub(super) fn source(&mut self, attributes: &[(String, &str)]) -> bool {
        let Picture::Open(found) = &mut self.picture else { return false };
        if found.is_none() {
            *found = picture(attributes, self.base);
        }
        true
    }

    /// Shows the source of a picture that shows nothing else.
    pub(super) fn end_picture(&mut self) {
        let Picture::Open(Some(url)) = std::mem::replace(&mut self.picture, Picture::Elsewhere) else { return };
        if self.grow(url.as_str().len()).is_some() && self.make_room("img") {
            self.push("img", &format!(" src=\"{}\"", escaped(url.as_str())));
        }
    }
}
