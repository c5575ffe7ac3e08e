//! What a source said about itself → [`About`].

use super::entry::{Addresses, NAME, categories, language, links, people, picture};
use super::text::{line, plain, title};
use super::{Context, date, document_base};
use crate::model::{About, Flaw, FlawCode, ParsedFeed, Text};
use chrono::{DateTime, FixedOffset};

/// Longest description, rights statement or id, in characters.
const LONG: usize = 2000;

/// Normalises what the document says about itself; addresses and dates that cannot be used are flaws.
pub fn about(parsed: &ParsedFeed, context: &Context<'_>) -> (About, Vec<Flaw>) {
    let mut flaws = Vec::new();
    let updated = when(parsed.updated.as_deref(), context, &mut flaws);
    let published = when(parsed.published.as_deref(), context, &mut flaws);
    let base = document_base(parsed, context.base);
    let mut addresses = Addresses { base, flaws: &mut flaws };
    let (home, mut links) = links(&parsed.links, &mut addresses);
    let own = links.iter().position(|link| link.rel == "self").map(|at| links.remove(at).href);
    let text = |text: &Option<Text>| text.as_ref().and_then(|text| line(&plain(text), LONG));
    let about = About {
        id: parsed.id.as_deref().and_then(|id| line(id, LONG)),
        title: parsed.title.as_ref().and_then(title),
        subtitle: text(&parsed.subtitle),
        home: home.map(String::from),
        feed_url: own,
        links,
        // No language is left out for being that of the channel.
        language: parsed.language.as_deref().and_then(|tag| language(tag, "")),
        authors: people(&parsed.authors, &mut addresses),
        contributors: people(&parsed.contributors, &mut addresses),
        categories: categories(&parsed.categories),
        rights: text(&parsed.rights),
        published,
        updated,
        image: parsed.image.as_ref().and_then(|image| picture(image, &mut addresses)),
        icon: parsed.icon.as_deref().and_then(|icon| addresses.string(icon)),
        generator: parsed.generator.as_deref().and_then(|name| line(name, NAME)),
    };
    (about, flaws)
}

fn when(text: Option<&str>, context: &Context<'_>, flaws: &mut Vec<Flaw>) -> Option<DateTime<FixedOffset>> {
    let text = text?;
    match date::read(text, context.now, context.timezone) {
        Ok(reading) => Some(reading.at),
        Err(date::DateError::Empty | date::DateError::Placeholder) => None,
        Err(why) => {
            let text: String = text.chars().take(80).collect();
            flaws.push(Flaw::new(FlawCode::DateUnreadable, format!("{text:?} of the feed: {why}")));
            None
        }
    }
}
