//! Additions to a feeds.yaml that leave every byte of it where it was: channels and feeds at the end of their
//! sections, names at the end of a feed's list. Pure: text in, insertions out.

use super::quote::{quoted, shown};
use super::written::{self, Node, What};
use crate::model::{ChannelId, FeedId};
use std::collections::HashMap;
use url::Url;

/// A channel to be added: an external feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChannel {
    /// A name that no channel has.
    pub id: ChannelId,
    /// Its title: one line, trimmed, without control characters.
    pub title: String,
    /// The address of the feed.
    pub url: Url,
}

/// A feed to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFeed {
    /// A name that no feed has.
    pub id: FeedId,
    /// Its title: one line, trimmed, without control characters.
    pub title: String,
    /// What it is made of; at least one.
    pub channels: Vec<ChannelId>,
}

/// What is to be added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Additions {
    /// Channels, in order.
    pub channels: Vec<NewChannel>,
    /// Feeds, in order.
    pub feeds: Vec<NewFeed>,
    /// Channels that join feeds whose lists can grow ([`Written::can_grow`]).
    pub joins: Vec<(FeedId, Vec<ChannelId>)>,
}

impl Additions {
    /// Whether there is nothing to add.
    pub fn is_empty(&self) -> bool {
        self.channels.is_empty() && self.feeds.is_empty() && self.joins.is_empty()
    }
}

/// Text that comes into a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insertion {
    /// In front of which byte of the old text.
    pub at: usize,
    /// What is inserted.
    pub text: String,
}

/// The old text with everything inserted. `insertions` are in the order of their places.
#[must_use]
pub fn inserted(text: &str, insertions: &[Insertion]) -> String {
    let more: usize = insertions.iter().map(|insertion| insertion.text.len()).sum();
    let mut out = String::with_capacity(text.len() + more);
    let mut from = 0;
    for insertion in insertions {
        out += &text[from..insertion.at];
        out += &insertion.text;
        from = insertion.at;
    }
    out + &text[from..]
}

/// A feeds.yaml that is to be added to.
#[derive(Debug)]
pub struct Written<'t> {
    text: &'t str,
    root: Node<'t>,
    line_end: &'static str,
}

impl<'t> Written<'t> {
    /// Finds out how a file is written that [`super::load`] has accepted.
    ///
    /// # Errors
    /// A sentence that says why nothing can be added and what to do, when a section does not stand in the file as
    /// a map of its own.
    pub fn read(text: &'t str) -> Result<Self, String> {
        let root = written::read(text).ok_or("the file is not YAML")?;
        let line_end = match text.find(['\r', '\n']) {
            Some(at) if text[at..].starts_with("\r\n") => "\r\n",
            Some(at) if text[at..].starts_with('\r') => "\r",
            _ => "\n",
        };
        let written = Self { text, root, line_end };
        for name in ["channels", "feeds"] {
            written.section(name)?;
        }
        Ok(written)
    }

    /// The key and the map of a section.
    fn section(&self, name: &str) -> Result<(&Node<'t>, &Node<'t>), String> {
        let help = "write the section out as a map of its own, then import again";
        match self.root.entry(name) {
            None => Err(format!("the section `{name}` comes from a merge key (`<<`): {help}")),
            Some((_, Node { what: What::Alias, .. })) => {
                Err(format!("the section `{name}` is an alias (`*…`): {help}"))
            }
            Some((key, map)) => match &map.what {
                What::Map { flow, entries } if !entries.is_empty() => {
                    // `? name` and `&anchor name` in front of a key: nobody writes that, so nothing copies it.
                    if !flow && self.indent(entries[0].0.start).is_none() {
                        return Err(format!("the section `{name}` begins with `?` or `&`: {help}"));
                    }
                    Ok((key, map))
                }
                _ => Err(format!("the section `{name}` is not a map: {help}")),
            },
        }
    }

    /// Whether names can be added to the list of a feed: it stands in the feed itself, nothing else uses it
    /// through an anchor, and the feed's title does not depend on it.
    #[must_use]
    pub fn can_grow(&self, feed: &FeedId) -> bool {
        self.section("feeds").is_ok_and(|(_, section)| !section.anchored && self.list(section, feed).is_some())
    }

    fn list<'w>(&'w self, feeds: &'w Node<'t>, feed: &FeedId) -> Option<(&'w Node<'t>, &'w Node<'t>)> {
        self.list_of(&feeds.entry(feed.as_str())?.1)
    }

    /// The key `channels` of a feed and its list, if that can grow.
    fn list_of<'w>(&'w self, feed: &'w Node<'t>) -> Option<(&'w Node<'t>, &'w Node<'t>)> {
        let (key, list) = feed.entry("channels")?;
        let fits = match &list.what {
            What::List { flow: true, members } => !members.is_empty(),
            What::List { flow: false, members } => self.dash(members.first()?.start).is_some(),
            What::Scalar(_, plain) => *plain,
            What::Alias | What::Map { .. } => false,
        };
        // A feed without a title bears that of its only channel; a second one would take it away.
        let single = !matches!(&list.what, What::List { members, .. } if members.len() > 1);
        let titled = !single || feed.entry("title").is_some();
        (fits && titled && !feed.anchored && !list.anchored).then_some((key, list))
    }

    /// Where which text comes in, in the order of the places. Channels that join a feed that cannot grow are
    /// left out.
    ///
    /// # Errors
    /// As [`Written::read`].
    pub fn insert(&self, additions: &Additions) -> Result<Vec<Insertion>, String> {
        let mut found = Vec::new();
        let (feeds_key, feeds) = self.section("feeds")?;
        if let What::Map { entries, .. } = &feeds.what {
            let by_name: HashMap<&str, &Node<'t>> = entries
                .iter()
                .filter_map(
                    |(key, feed)| if let What::Scalar(name, _) = &key.what { Some((&**name, feed)) } else { None },
                )
                .collect();
            for (feed, names) in &additions.joins {
                if let Some((key, list)) = by_name.get(feed.as_str()).and_then(|feed| self.list_of(feed)) {
                    self.grow(key, list, names, &mut found);
                }
            }
        }
        let (channels_key, channels) = self.section("channels")?;
        let line = |channel: &NewChannel, _: &str| {
            let url = quoted(channel.url.as_str());
            format!("{}: {{ title: {}, feed: {url} }}", shown(channel.id.as_str()), shown(&channel.title))
        };
        self.append(channels_key, channels, &additions.channels, line, &mut found);
        self.append(feeds_key, feeds, &additions.feeds, |feed, indent| self.feed(feed, indent), &mut found);
        found.sort_by_key(|insertion| insertion.at);
        self.begin_lines(&mut found);
        Ok(found)
    }

    /// A feed in one line, or with its channels below each other when they are many. `indent` is empty where
    /// line ends mean nothing.
    fn feed(&self, feed: &NewFeed, indent: &str) -> String {
        let names: Vec<String> = feed.channels.iter().map(|name| shown(name.as_str())).collect();
        let (id, title) = (shown(feed.id.as_str()), shown(&feed.title));
        let line = format!("{id}: {{ title: {title}, channels: [{}] }}", names.join(", "));
        if indent.is_empty() || line.len() <= 110 {
            return line;
        }
        let end = format!("{}{indent}{indent}", self.line_end);
        let mut out = format!("{id}:{end}title: {title}{end}channels:");
        for name in names {
            out.extend([end.as_str(), indent, "- ", &name]);
        }
        out
    }

    /// Adds members to a section.
    fn append<T>(
        &self,
        key: &Node<'t>,
        section: &Node<'t>,
        new: &[T],
        write: impl Fn(&T, &str) -> String,
        found: &mut Vec<Insertion>,
    ) {
        let What::Map { flow, entries } = &section.what else { return };
        let ((Some((first, _)), Some((last_key, last))), false) = ((entries.first(), entries.last()), new.is_empty())
        else {
            return;
        };
        if *flow {
            let items = new.iter().map(|member| write(member, "")).collect::<Vec<_>>();
            self.between(section, first.start, last.end.max(last_key.end), &items, found);
            return;
        }
        let indent = self.indent(first.start).unwrap_or("  ");
        let mut text = String::new();
        for member in new {
            text.extend([indent, &write(member, indent), self.line_end]);
        }
        found.push(Insertion { at: self.behind(section.end, self.column(key.start) + 1), text });
    }

    /// Adds names to a list.
    fn grow(&self, key: &Node<'t>, list: &Node<'t>, names: &[ChannelId], found: &mut Vec<Insertion>) {
        let names: Vec<String> = names.iter().map(|name| shown(name.as_str())).collect();
        match &list.what {
            What::Scalar(..) => {
                found.push(Insertion { at: list.start, text: "[".to_owned() });
                found.push(Insertion { at: list.end, text: format!(", {}]", names.join(", ")) });
            }
            What::List { flow, members } => {
                let (Some(first), Some(last)) = (members.first(), members.last()) else { return };
                if *flow {
                    self.between(list, first.start, last.end, &names, found);
                } else if let Some(dash) = self.dash(first.start) {
                    let text = names.iter().flat_map(|name| [dash, name, self.line_end]).collect();
                    found.push(Insertion { at: self.behind(list.end, self.column(key.start) + 1), text });
                }
            }
            What::Alias | What::Map { .. } => {}
        }
    }

    /// Adds members to `[…]` or `{…}`: in the same line, or each in its own if the old ones stand so.
    fn between(&self, all: &Node<'t>, first: usize, last: usize, items: &[String], found: &mut Vec<Insertion>) {
        let comma = self.comma(last);
        let at = comma.map_or(last, |at| at + 1);
        if !self.text[all.start..all.end].contains(['\r', '\n']) {
            let text =
                if comma.is_some() { format!(" {}", items.join(", ")) } else { format!(", {}", items.join(", ")) };
            found.push(Insertion { at, text });
            return;
        }
        if comma.is_none() {
            found.push(Insertion { at: last, text: ",".to_owned() });
        }
        // Behind a comment that explains the last member, unless the bracket closes in this very line.
        let line = self.line_rest(at);
        let free = line.trim_start().is_empty() || line.trim_start().starts_with('#');
        let at = if free { at + line.len() } else { at };
        let indent = match self.indent(first) {
            Some(indent) => indent.to_owned(),
            None => " ".repeat(self.column(first)),
        };
        let start = format!("{}{indent}", self.line_end);
        let mut text = String::new();
        for (index, item) in items.iter().enumerate() {
            let ends = if index + 1 < items.len() || comma.is_some() { "," } else { "" };
            text.extend([start.as_str(), item, ends]);
        }
        found.push(Insertion { at, text });
    }

    /// The comma behind a member, if there is one before the bracket closes.
    fn comma(&self, mut at: usize) -> Option<usize> {
        loop {
            let rest = &self.text[at..];
            at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
            match self.text.as_bytes().get(at) {
                Some(b',') => return Some(at),
                Some(b'#') => at += self.line_rest(at).len(),
                _ => return None,
            }
        }
    }

    /// The place behind the line in which `end` lies and behind the comments that belong to what ends there:
    /// those that are indented by at least `column`.
    fn behind(&self, end: usize, column: usize) -> usize {
        let mut place = self.next_line(end);
        let mut at = place;
        while at < self.text.len() {
            let line = self.line_rest(at);
            let words = line.trim_start_matches([' ', '\t']);
            let next = self.next_line(at);
            if words.starts_with('#') && line.len() - words.len() >= column {
                place = next;
            } else if !words.is_empty() {
                break;
            }
            at = next;
        }
        place
    }

    /// The rest of the line, without its end.
    fn line_rest(&self, at: usize) -> &'t str {
        let rest = &self.text[at..];
        &rest[..rest.find(['\r', '\n']).unwrap_or(rest.len())]
    }

    fn next_line(&self, at: usize) -> usize {
        let end = at + self.line_rest(at).len();
        let rest = &self.text[end..];
        end + if rest.starts_with("\r\n") { 2 } else { usize::from(!rest.is_empty()) }
    }

    /// The line up to `at`.
    fn line_start(&self, at: usize) -> &'t str {
        let before = self.text[..at].rfind(['\r', '\n']).map_or(0, |end| end + 1);
        self.text[before..at].trim_start_matches('\u{feff}')
    }

    /// In characters, from 0.
    fn column(&self, at: usize) -> usize {
        self.line_start(at).chars().count()
    }

    /// What stands before the first thing of a line, if that is white space.
    fn indent(&self, at: usize) -> Option<&'t str> {
        let start = self.line_start(at);
        start.trim_start_matches([' ', '\t']).is_empty().then_some(start)
    }

    /// What stands before a member of a block list, if that is white space and one `-`.
    fn dash(&self, at: usize) -> Option<&'t str> {
        let start = self.line_start(at);
        (start.trim_matches([' ', '\t']) == "-" && start.ends_with([' ', '\t'])).then_some(start)
    }

    /// The last line of a file may lack its end; what is inserted behind it begins with one.
    fn begin_lines(&self, found: &mut [Insertion]) {
        let lacks = !self.text.ends_with(['\r', '\n']);
        let mut behind = found.iter_mut().filter(|one| one.at == self.text.len() && one.text.ends_with(['\r', '\n']));
        if let (true, Some(first)) = (lacks, behind.next()) {
            first.text.insert_str(0, self.line_end);
        }
    }
}
