//! A list of subscriptions (OPML) → additions to feeds.yaml. Pure.
//!
//! `plan` decides which channels and feeds there shall be, `name` what they are called; `config::Written` writes them
//! into the text without touching what is there. Nothing comes out that [`config::load`] does not accept, and that
//! does not say what the old file said plus what was planned.

mod name;
mod plan;

#[cfg(test)]
mod tests;

pub use plan::{Plan, Skipped, plan};

use crate::config::{self, Additions, Channel, Config, Diagnostic, FeedSpec, Insertion, Origin, Validators, Written};
use crate::model::{FeedId, Trust};
use crate::parse::Outline;
use crate::rule::Rules;
use std::path::Path;
use std::sync::Arc;

/// What an import makes of a file.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The whole new text; the old one if there is nothing new.
    pub text: String,
    /// What of it is new, in the order of its places in the old text.
    pub insertions: Vec<Insertion>,
    /// What was planned.
    pub plan: Plan,
}

/// Why a file stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The file has mistakes: what was said about it.
    Mistakes(Vec<Diagnostic>),
    /// Nothing can be added to it as it is written, or the result would go past a limit; says why and what to do.
    Unfit(String),
}

/// Adds the subscriptions in `outlines` to a feeds.yaml. Outlines outside of folders join the feed `loose`.
///
/// # Errors
/// [`Refused`] says why nothing can be added.
pub fn import(
    text: &str,
    folder: &Path,
    validators: &Validators,
    outlines: &[Outline],
    loose: &FeedId,
) -> Result<Imported, Refused> {
    let loaded = config::load(text, "feeds.yaml", folder, validators);
    let Some(old) = loaded.config else { return Err(Refused::Mistakes(loaded.diagnostics)) };
    let written = Written::read(text).map_err(Refused::Unfit)?;
    let plan = plan(outlines, &old, loose, &|feed| written.can_grow(feed));
    if plan.additions.is_empty() {
        return Ok(Imported { text: text.to_owned(), insertions: Vec::new(), plan });
    }
    let insertions = written.insert(&plan.additions).map_err(Refused::Unfit)?;
    let new_text = config::inserted(text, &insertions);
    let new = config::load(&new_text, "feeds.yaml", folder, validators);
    let expected = expected(old, &plan.additions);
    match new.config {
        Some(new) if new == expected => Ok(Imported { text: new_text, insertions, plan }),
        Some(_) => Err(Refused::Unfit(
            "the additions would change what is there, since anchors or merge keys tie parts of it together: write \
             the sections `channels` and `feeds` without them, then import again"
                .to_owned(),
        )),
        None => {
            let reason = new.diagnostics.first().map_or_else(String::new, |first| first.message.clone());
            Err(Refused::Unfit(format!("with the additions the file would be refused: {reason}")))
        }
    }
}

/// What the new file must say.
fn expected(old: Config, additions: &Additions) -> Config {
    let Config { service, mut channels, mut feeds } = old;
    let added = |new: &crate::config::NewChannel| Channel {
        id: new.id.clone(),
        title: new.title.as_str().into(),
        origin: Origin::Feed { url: new.url.clone().into() },
        every: None,
        timezone: service.timezone,
        language: service.language.as_str().into(),
        snapshot: None,
        rules: Rules::default(),
        obeys_robots: true,
        trust: Trust::default(),
    };
    channels.extend(additions.channels.iter().map(added).map(Arc::new));
    let places: std::collections::HashMap<FeedId, usize> =
        feeds.iter().enumerate().map(|(place, feed)| (feed.id.clone(), place)).collect();
    for (feed, names) in &additions.joins {
        if let Some(place) = places.get(feed) {
            feeds[*place].channels.extend(names.iter().cloned());
        }
    }
    feeds.extend(additions.feeds.iter().map(|new| FeedSpec {
        id: new.id.clone(),
        title: new.title.clone(),
        description: String::new(),
        language: service.language.clone(),
        channels: new.channels.clone(),
        feeds: Vec::new(),
        limit: config::DEFAULT_LIMIT,
        duplicates: config::Duplicates::default(),
        quota: None,
        max_age: None,
        rules: Rules::default(),
    }));
    Config { service, channels, feeds }
}
