//! `first_image`: a picture between the entry and its text, either way.
//!
//! ```yaml
//! rules:
//!   - first_image: true               # an entry without a picture gets the first one of its text
//!   - first_image: { remove: true }   # and there it goes, for readers that show both
//!   - first_image: { add: true }      # the entry's picture is put before its text
//! ```

use super::{Act, Around, Draft, Mistake, Value};
use crate::extract::{self, Edited};
use crate::model::{ConfigKey, ConfigKind, Section, key};
use std::sync::Arc;

pub(super) const KEY: ConfigKey = key(
    "first_image",
    ConfigKind::Switch(&SECTION),
    "Gives an entry without a picture the first one of its full text.",
    "{ remove: true }",
);

pub(super) static SECTION: Section = Section {
    name: "`first_image`",
    doc: "What else is done with the entry's picture.",
    keys: &[
        key(
            "remove",
            ConfigKind::Bool,
            "The entry's picture is taken out of its text, with the figure or paragraph that holds nothing else; \
             other pictures stay.",
            "true",
        )
        .default("false"),
        key(
            "add",
            ConfigKind::Bool,
            "The other way round: the entry's picture is put before its text, unless the text holds it already. An \
             entry without a text stays without.",
            "true",
        )
        .default("false"),
    ],
};

#[derive(Debug)]
struct FirstImage {
    remove: bool,
    add: bool,
}

pub(super) fn make(value: &Value) -> Result<Arc<dyn Act>, Mistake> {
    let values = value.map();
    let rule = FirstImage { remove: values.flag("remove").unwrap_or(false), add: values.flag("add").unwrap_or(false) };
    if rule.remove && rule.add {
        return Err(Mistake::new("`first_image` cannot both remove and add", "choose `remove` or `add`"));
    }
    Ok(Arc::new(rule))
}

impl Act for FirstImage {
    fn entry(&self, draft: &mut Draft<'_>, _: &Around<'_>) -> bool {
        let (Some(content), Some(base)) = (draft.entry().content.clone(), draft.base()) else { return true };
        let has_pictures = content.contains("<img");
        if draft.entry().images.is_empty() && !self.add && has_pictures {
            draft.edit().images.extend(extract::pictures(&content, &base).into_iter().next());
        }
        let Some(image) = draft.entry().images.first().cloned() else { return true };
        if self.remove && has_pictures {
            match extract::without_picture(&content, &image.url) {
                Edited::Changed(html) => draft.set_content(&html),
                Edited::Empty => draft.note(|| "the picture is all there is; it stays".to_owned()),
                Edited::Limit => draft.note(|| "the text goes past a safety limit; it stays".to_owned()),
                Edited::Same => {}
            }
        }
        let held = || extract::pictures(&content, &base).iter().any(|held| held.url == image.url);
        if self.add && !(has_pictures && held()) {
            draft.set_content(&format!("{}{content}", extract::picture(&image)));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{entry_by, record};
    use crate::model::Image;

    fn check(rule: &str, own: &str, content: &str, image: &str, expected: &str) {
        let url = |name: &str| format!("http://a.example/{name}.jpg");
        let html = |text: &str| {
            text.replace("[A]", &format!("<img src=\"{}\" alt=\"甲\">", url("A")))
                .replace("[B]", &format!("<img src=\"{}\">", url("B")))
        };
        let mut record = record(1);
        record.entry.content = (!content.is_empty()).then(|| html(content));
        let alt = Some("甲".to_owned());
        record.entry.images =
            own.chars().map(|c| Image { url: url(&c.to_string()), alt: alt.clone(), ..Image::default() }).collect();
        let rule = format!("[{{ first_image: {rule} }}]");
        let found = entry_by(&rule, &record).unwrap();
        let images: Vec<_> = found.entry.images.iter().map(|image| image.url.clone()).collect();
        assert_eq!(images, image.chars().map(|c| url(&c.to_string())).collect::<Vec<_>>(), "{rule} {content}");
        assert_eq!(found.entry.content.clone().unwrap_or_default(), html(expected), "{rule} {content}");
        assert_eq!(entry_by(&rule, &found), Some(found), "twice");
    }

    #[test]
    fn pictures_move() {
        for (rule, own, content, image, expected) in [
            ("true", "", "<p>x</p>[A][B]", "A", "<p>x</p>[A][B]"),
            ("true", "B", "<p>x</p>[A]", "B", "<p>x</p>[A]"),
            ("true", "", "<p>x</p>", "", "<p>x</p>"),
            ("true", "B", "", "B", ""),
            ("{ remove: true }", "", "<p>[A]</p><p>x</p>[B]", "A", "<p>x</p>[B]"),
            ("{ remove: true }", "", "<figure>[A]<figcaption>图</figcaption></figure><p>x</p>", "A", "<p>x</p>"),
            ("{ remove: true }", "", "<p>x[A]y</p><p>[A]</p>", "A", "<p>xy</p>"),
            ("{ remove: true }", "B", "<p>[A]x</p>", "B", "<p>[A]x</p>"),
            ("{ remove: true }", "", "<p>[A]</p>", "A", "<p>[A]</p>"),
            ("{ add: true }", "A", "<p>x</p>", "A", "<p>[A]</p><p>x</p>"),
            ("{ add: true }", "A", "<p>[A]x</p>", "A", "<p>[A]x</p>"),
            ("{ add: true }", "", "<p>[A]x</p>", "", "<p>[A]x</p>"),
            ("{ add: true }", "A", "", "A", ""),
        ] {
            check(rule, own, content, image, expected);
        }
    }
}
