//! What a source says about itself.

use super::{Category, Image, Link, Person};
use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};

/// What a source says about itself, normalised: text is plain and legal XML, addresses are absolute http(s).
/// Nothing is invented: what the source did not say is `None` or empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The feed's own id, as given.
    pub id: Option<String>,
    /// The title.
    pub title: Option<String>,
    /// The subtitle or description.
    pub subtitle: Option<String>,
    /// The page that the feed stands for.
    pub home: Option<String>,
    /// The address that the feed gives as its own.
    pub feed_url: Option<String>,
    /// Links other than `home` and `feed_url`.
    pub links: Vec<Link>,
    /// BCP 47 language.
    pub language: Option<String>,
    /// Authors.
    pub authors: Vec<Person>,
    /// Contributors.
    pub contributors: Vec<Person>,
    /// Categories.
    pub categories: Vec<Category>,
    /// Rights statement.
    pub rights: Option<String>,
    /// When it says it was published.
    pub published: Option<DateTime<FixedOffset>>,
    /// When it says it was last changed.
    pub updated: Option<DateTime<FixedOffset>>,
    /// Its picture or logo.
    pub image: Option<Image>,
    /// Its icon.
    pub icon: Option<String>,
    /// The program that made it.
    pub generator: Option<String>,
}
