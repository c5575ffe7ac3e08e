//! Which channels and feeds a list of subscriptions asks for.
//!
//! - A channel for each address that feeds.yaml does not have yet, in whatever spelling.
//! - A feed for each folder, named by its path; feeds of the same title or name are the folder's feeds already.
//! - What stands in no folder joins one feed, unless it is known: it asks for no particular place.
//!
//! Names depend only on the list and on feeds.yaml, so that importing a list a second time finds nothing new.

use super::name::{self, Taken};
use crate::config::{Additions, Config, FeedSpec, NewChannel, NewFeed};
use crate::model::{ChannelId, FeedId};
use crate::normalise::url::canonical;
use crate::parse::Outline;
use std::collections::{HashMap, HashSet};
use url::Url;

/// The most outlines that are told one by one; the rest is counted.
const MOST_TOLD: usize = 20;
/// The longest title that is taken over, in characters.
const LONGEST_TITLE: usize = 200;

/// What an import will do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// What comes into feeds.yaml.
    pub additions: Additions,
    /// How many addresses of the list feeds.yaml has already.
    pub known: usize,
    /// What is not taken over.
    pub skipped: Skipped,
    /// What turned out otherwise than one might expect.
    pub notes: Vec<String>,
}

/// Outlines that were left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Skipped {
    /// How many.
    pub count: usize,
    /// Why, for the first of them.
    pub reasons: Vec<String>,
}

/// Plans an import. Outlines outside of folders join the feed `loose`; `can_grow` tells whether the list of a feed of
/// feeds.yaml can take more members.
#[must_use]
pub fn plan(outlines: &[Outline], config: &Config, loose: &FeedId, can_grow: &dyn Fn(&FeedId) -> bool) -> Plan {
    let mut reader = Reader::new(config);
    for outline in outlines {
        reader.outline(outline, "");
    }
    let Reader { mut plan, folders, outside, .. } = reader;
    let mut feeds = Feeds::new(config, &folders, can_grow);
    feeds.outside(loose, outside, &mut plan);
    for (title, members) in folders {
        feeds.folder(&title, members.list, &mut plan);
    }
    plan
}

/// The members of a folder, each once.
#[derive(Default)]
struct Members {
    list: Vec<ChannelId>,
    seen: HashSet<ChannelId>,
}

impl Members {
    fn add(&mut self, id: &ChannelId) {
        if self.seen.insert(id.clone()) {
            self.list.push(id.clone());
        }
    }
}

/// Reads outlines: first half of the plan.
struct Reader<'a> {
    own: String,
    names: Taken,
    /// By canonical address.
    channels: HashMap<String, ChannelId>,
    /// Channels of the list that feeds.yaml has.
    known: HashSet<ChannelId>,
    old: HashSet<&'a str>,
    folders: Vec<(String, Members)>,
    places: HashMap<String, usize>,
    outside: Members,
    plan: Plan,
}

impl<'a> Reader<'a> {
    fn new(config: &'a Config) -> Self {
        let mut channels = HashMap::new();
        for channel in &config.channels {
            for url in channel.addresses() {
                channels.entry(canonical(&url.url())).or_insert_with(|| channel.id.clone());
            }
        }
        Self {
            own: canonical(&config.service.base_url).trim_end_matches('/').to_owned(),
            names: Taken::new(config.channels.iter().map(|channel| channel.id.as_str())),
            channels,
            known: HashSet::new(),
            old: config.channels.iter().map(|channel| channel.id.as_str()).collect(),
            folders: Vec::new(),
            places: HashMap::new(),
            outside: Members::default(),
            plan: Plan::default(),
        }
    }

    /// The recursion ends with the depth that the reader of OPML allows. A subscription is no folder: what stands
    /// inside it (an end tag was forgotten) stands beside it.
    fn outline(&mut self, outline: &Outline, folder: &str) {
        let title = line(&outline.title);
        if let Some(address) = &outline.xml_url {
            self.subscription(outline, &title, address, folder);
        } else if outline.children.is_empty() && (outline.html_url.is_some() || outline.kind.is_some()) {
            self.skip(&title, outline.html_url.as_deref().unwrap_or_default(), "it names no feed (`xmlUrl`)");
        }
        let inner = match (outline.xml_url.is_some() || title.is_empty(), folder) {
            (true, _) => folder.to_owned(),
            (false, "") => title,
            (false, _) => shorten(&format!("{folder} / {title}")),
        };
        for child in &outline.children {
            self.outline(child, &inner);
        }
    }

    fn subscription(&mut self, outline: &Outline, title: &str, address: &str, folder: &str) {
        let url = match feed_address(address) {
            Ok(url) => url,
            Err(reason) => return self.skip(title, address, reason),
        };
        let key = canonical(&url);
        if key.strip_prefix(&self.own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            return self.skip(title, address, "it is a feed of this very service (`base_url`)");
        }
        let id = match self.channels.get(&key) {
            Some(id) => id.clone(),
            None => match self.channel(title, url) {
                Some(id) => self.channels.entry(key).or_insert(id).clone(),
                None => return self.skip(title, address, "no name can be made for it"),
            },
        };
        let old = self.old.contains(id.as_str());
        if old && self.known.insert(id.clone()) {
            self.plan.known += 1;
        }
        let categories = outline.categories.iter().map(|category| category_path(category));
        let mut folders: Vec<String> = categories.filter(|path| !path.is_empty()).collect();
        if !folder.is_empty() {
            folders.insert(0, folder.to_owned());
        }
        if folders.is_empty() && !old {
            self.outside.add(&id);
        }
        for folder in folders {
            let next = self.folders.len();
            let place = *self.places.entry(folder.clone()).or_insert(next);
            if place == next {
                self.folders.push((folder, Members::default()));
            }
            self.folders[place].1.add(&id);
        }
    }

    fn channel(&mut self, title: &str, url: Url) -> Option<ChannelId> {
        let base = name::of_title(title).unwrap_or_else(|| name::of_address(&url));
        let id: ChannelId = self.names.take(&base).parse().ok()?;
        let host = || url.host_str().unwrap_or_default().to_owned();
        let title = if title.is_empty() { host() } else { title.to_owned() };
        self.plan.additions.channels.push(NewChannel { id: id.clone(), title, url });
        Some(id)
    }

    fn skip(&mut self, title: &str, address: &str, reason: impl std::fmt::Display) {
        let skipped = &mut self.plan.skipped;
        skipped.count += 1;
        if skipped.reasons.len() < MOST_TOLD {
            let address: String = line(&public(address)).chars().take(100).collect();
            skipped.reasons.push(format!("{title:?} {address}: {reason}"));
        }
    }
}

/// Gives folders their feeds: second half of the plan.
struct Feeds<'a> {
    old: &'a [FeedSpec],
    by_title: HashMap<String, Vec<&'a FeedSpec>>,
    by_name: HashMap<&'a str, &'a FeedSpec>,
    /// Feeds that a folder has found by their names alone.
    claimed: HashSet<FeedId>,
    titles: HashSet<String>,
    /// Where in the additions a feed's new members are.
    joined: HashMap<FeedId, usize>,
    names: Taken,
    can_grow: &'a dyn Fn(&FeedId) -> bool,
}

impl<'a> Feeds<'a> {
    fn new(config: &'a Config, folders: &[(String, Members)], can_grow: &'a dyn Fn(&FeedId) -> bool) -> Self {
        let mut by_title: HashMap<String, Vec<&FeedSpec>> = HashMap::new();
        for feed in &config.feeds {
            by_title.entry(line(&feed.title)).or_default().push(feed);
        }
        Self {
            old: &config.feeds,
            by_title,
            by_name: config.feeds.iter().map(|feed| (feed.id.as_str(), feed)).collect(),
            claimed: HashSet::new(),
            titles: folders.iter().map(|(title, _)| title.clone()).collect(),
            joined: HashMap::new(),
            names: Taken::new(config.feeds.iter().map(|feed| feed.id.as_str())),
            can_grow,
        }
    }

    fn outside(&mut self, loose: &FeedId, members: Members, plan: &mut Plan) {
        if members.list.is_empty() {
            return;
        }
        let family: Vec<_> = self.by_name.get(loose.as_str()).copied().into_iter().collect();
        let chinese = self.old.first().is_some_and(|feed| feed.language.starts_with("zh"));
        let title = match (chinese, loose.as_str()) {
            (true, "imported") => "导入的订阅",
            (false, "imported") => "Imported subscriptions",
            (_, name) => name,
        };
        self.place(loose.as_str(), title, &family, members.list, plan);
    }

    fn folder(&mut self, title: &str, members: Vec<ChannelId>, plan: &mut Plan) {
        let slug = name::of_title(title);
        let mut family = self.by_title.get(title).cloned().unwrap_or_default();
        if let Some(named) = slug.as_deref().and_then(|slug| self.by_name.get(slug))
            // A feed that bears another folder's title is that folder's.
            && !self.titles.contains(&line(&named.title))
            && self.claimed.insert(named.id.clone())
            && family.iter().all(|feed| feed.id != named.id)
        {
            family.push(named);
        }
        self.place(slug.as_deref().unwrap_or("folder"), title, &family, members, plan);
    }

    /// Puts channels into one of the feeds that stand for their folder, or into a new one.
    fn place(&mut self, base: &str, title: &str, family: &[&FeedSpec], members: Vec<ChannelId>, plan: &mut Plan) {
        let there: HashSet<&ChannelId> = family.iter().flat_map(|feed| &feed.channels).collect();
        let missing: Vec<_> = members.into_iter().filter(|id| !there.contains(id)).collect();
        if missing.is_empty() {
            return;
        }
        if let Some(feed) = family.iter().find(|feed| (self.can_grow)(&feed.id)) {
            let joins = &mut plan.additions.joins;
            if let Some(place) = self.joined.get(&feed.id) {
                let list = &mut joins[*place].1;
                let there: HashSet<ChannelId> = list.iter().cloned().collect();
                list.extend(missing.into_iter().filter(|id| !there.contains(id)));
            } else {
                self.joined.insert(feed.id.clone(), joins.len());
                joins.push((feed.id.clone(), missing));
            }
            return;
        }
        let Ok(id) = self.names.take(base).parse::<FeedId>() else { return };
        if let Some(old) = family.first() {
            plan.notes.push(format!(
                "the list of the feed `{}` stays as it is (an alias shares it, or the feed has its title from its only channel); what it lacks is in the new feed `{id}`",
                old.id
            ));
        }
        plan.additions.feeds.push(NewFeed { id, title: title.to_owned(), channels: missing });
    }
}

/// An address that a channel can be read from, without what is never sent.
fn feed_address(text: &str) -> Result<Url, String> {
    // `feed://host/path` and `feed:https://…` are what browsers handed to feed readers once.
    let text = text.trim();
    let lower = text.get(..5).unwrap_or_default().to_ascii_lowercase();
    let text = match (lower.as_str(), text.get(5..)) {
        ("feed:", Some(rest)) => {
            rest.strip_prefix("//").map_or_else(|| rest.to_owned(), |rest| format!("http://{rest}"))
        }
        _ => text.to_owned(),
    };
    let mut url = Url::parse(&text).map_err(|error| format!("this is not an address: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("`{}:` is neither http nor https", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it holds a user name or password".to_owned());
    }
    if url.as_str().len() > 8000 {
        return Err("the address is too long".to_owned());
    }
    url.set_fragment(None);
    Ok(url)
}

/// An address as it may be shown: without a password.
fn public(address: &str) -> String {
    match address.split_once("//") {
        Some((scheme, rest)) => {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let host = rest[..end].rfind('@').map_or(0, |at| at + 1);
            format!("{scheme}//{}", &rest[host..])
        }
        None => address.to_owned(),
    }
}

/// The folder that a category of OPML 2.0 stands for: `/News/China` is China inside News.
fn category_path(category: &str) -> String {
    let parts: Vec<_> = category.split('/').map(line).filter(|part| !part.is_empty()).collect();
    shorten(&parts.join(" / "))
}

/// One line without control characters, of bounded length.
fn line(text: &str) -> String {
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .collect();
    shorten(&clean.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TITLE) {
        Some((at, _)) => text[..at].trim_end().to_owned(),
        None => text.to_owned(),
    }
}
