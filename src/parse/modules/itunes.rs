//! Apple's podcast elements, and Google Play's, which have the same names.

use super::Module;
use crate::model::{Category, Image};
use crate::parse::draft::{EntryDraft, FeedDraft};
use crate::parse::rss::some_attribute;
use crate::parse::{atom, person, text};
use crate::xml::{Element, Namespace};

pub(super) const MODULE: Module = Module { namespaces: &[Namespace::Itunes, Namespace::GooglePlay], entry, feed };

fn entry(element: Element<'_, '_>, draft: &mut EntryDraft) {
    match element.name() {
        "author" => draft.other_authors.extend(person::read(&element.text())),
        "title" => draft.title.offer(2, text::plain(element)),
        "summary" | "description" => draft.summary.offer(2, text::guessed(element)),
        "subtitle" => draft.summary.offer(5, text::guessed(element)),
        "duration" => draft.duration = seconds(&element.text()).or(draft.duration),
        "image" => image(element).into_iter().for_each(|image| draft.image(image)),
        "keywords" => keywords(element).for_each(|category| draft.category(category)),
        "category" => categories(element).for_each(|category| draft.category(category)),
        _ => {}
    }
}

fn feed(element: Element<'_, '_>, draft: &mut FeedDraft) {
    match element.name() {
        "author" => draft.other_authors.extend(person::read(&element.text())),
        "owner" => draft.feed.contributors.extend(atom::person_of(element)),
        "title" => draft.title.offer(2, text::plain(element)),
        "summary" | "description" => draft.subtitle.offer(2, text::guessed(element)),
        "subtitle" => draft.subtitle.offer(5, text::guessed(element)),
        "image" => draft.image.offer(2, image(element)),
        "keywords" => keywords(element).for_each(|category| draft.category(category)),
        "category" => categories(element).for_each(|category| draft.category(category)),
        _ => {}
    }
}

fn image(element: Element<'_, '_>) -> Option<Image> {
    let url =
        some_attribute(element, "href").or_else(|| some_attribute(element, "url")).or_else(|| element.some_text())?;
    Some(Image { url, ..Image::default() })
}

fn keywords<'a>(element: Element<'_, 'a>) -> impl Iterator<Item = Category> + use<'a> {
    let terms: Vec<_> = element.text().split(',').map(|term| term.trim().to_owned()).collect();
    terms.into_iter().map(|term| Category { term, ..Category::default() })
}

/// `<itunes:category text="…"><itunes:category text="…"/></itunes:category>`: both levels.
fn categories(element: Element<'_, '_>) -> impl Iterator<Item = Category> {
    std::iter::once(element).chain(element.children()).map(|level| {
        let term = some_attribute(level, "text").or_else(|| level.some_text()).unwrap_or_default();
        Category { term, scheme: Some(Namespace::Itunes.uri().to_owned()), label: None }
    })
}

/// `3661`, `61:01` or `1:01:01` in seconds; fractions are cut.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let whole = text.trim().split('.').next()?;
    let mut total = 0u64;
    for part in whole.split(':') {
        total = total.checked_mul(60)?.checked_add(part.trim().parse().ok()?)?;
    }
    (total > 0).then_some(total)
}

#[cfg(test)]
mod tests {
    #[test]
    fn playing_times() {
        let check = |text, expected| assert_eq!(super::seconds(text), expected, "{text:?}");
        check("3661", Some(3661));
        check("61:01", Some(3661));
        check("1:01:01", Some(3661));
        check(" 00:30 ", Some(30));
        check("12.5", Some(12));
        check("0", None);
        check("", None);
        check("an hour", None);
        check("99999999999999999999:00:00", None);
    }
}
