//! The checked configuration: every name resolves, every selector and pattern compiles, every address is http(s).

use crate::model::{ArticleLayout, ChannelId, FeedId, Layout, NextPage, Rung, Trust};
use crate::rule::Rules;
use chrono_tz::Tz;
use ipnet::IpNet;
use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// A whole feeds.yaml.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The service itself.
    pub service: Service,
    /// Channels in the order of the file. Shared: there may be very many.
    pub channels: Vec<Arc<Channel>>,
    /// Feeds in the order of the file.
    pub feeds: Vec<FeedSpec>,
}

impl Config {
    /// The feeds with every feed behind those that it is made of; else in the order of the file.
    #[must_use]
    pub fn inner_first(&self) -> Vec<&FeedSpec> {
        let index: HashMap<&FeedId, usize> = self.feeds.iter().enumerate().map(|(at, feed)| (&feed.id, at)).collect();
        let mut entered = vec![false; self.feeds.len()];
        let mut order = Vec::new();
        for start in 0..self.feeds.len() {
            // An explicit stack: nothing bounds how deep feeds nest. Decoding refuses circles; here they just end.
            let mut path = if std::mem::replace(&mut entered[start], true) { Vec::new() } else { vec![(start, 0)] };
            while let Some((at, next)) = path.last_mut() {
                let (here, step) = (*at, *next);
                *next += 1;
                let Some(inner) = self.feeds[here].feeds.get(step) else {
                    order.push(&self.feeds[here]);
                    path.pop();
                    continue;
                };
                if let Some(to) = index.get(inner)
                    && !std::mem::replace(&mut entered[*to], true)
                {
                    path.push((*to, 0));
                }
            }
        }
        order
    }
}

/// The section `service`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The title of the catalogue.
    pub title: String,
    /// Every absolute URL that Heliu publishes starts with this, never with the request's Host. Ends in `/`.
    pub base_url: Url,
    /// BCP 47 language of the feeds, `zh-CN` by default.
    pub language: String,
    /// The zone of dates that name none, `Asia/Shanghai` by default.
    pub timezone: Tz,
    /// A page about the operator, sent in the User-Agent.
    pub contact: Option<Url>,
    /// Private networks that sources may live in; hosts inside are exempt from the minimum interval.
    pub allow_networks: Vec<IpNet>,
}

/// An address that is fetched, http(s). Kept as text, for there may be very many: in its parts it takes five times as
/// much.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address(Box<str>);

impl Address {
    /// The address as text, in the form that the URL standard gives it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address in its parts.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "what the standard's serialiser wrote, its parser reads (URL, 4.5)")]
    pub fn url(&self) -> Url {
        self.0.parse().expect("it was written by the parser of addresses")
    }
}

impl From<Url> for Address {
    fn from(url: Url) -> Self {
        Self(String::from(url).into())
    }
}

impl FromStr for Address {
    type Err = url::ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<Url>().map(Self::from)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One address of a portal page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageAddress {
    /// The address.
    pub url: Address,
    /// How its next pages are found; overrides the layout's.
    pub next: Option<NextPage>,
}

/// What a channel is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A portal page.
    Page(Box<ListPage>),
    /// An external RSS, Atom or JSON feed.
    Feed {
        /// Its address.
        url: Address,
    },
}

/// A portal page: the first address that answers and fits one of the layouts wins. Channels that name the same layouts
/// share them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListPage {
    /// The addresses in order of preference; at least one.
    pub addresses: Vec<PageAddress>,
    /// List and JSON layouts in order of preference; at least one.
    pub layouts: Arc<[Layout]>,
    /// Article layouts in order of preference; empty: links are not followed.
    pub articles: Arc<[(String, ArticleLayout)]>,
}

/// Bundled pages that are served until the first live poll succeeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The folder of feeds.yaml, which no file may lead out of.
    pub folder: PathBuf,
    /// The file, relative to feeds.yaml's folder; resolved to a path that can be opened.
    pub file: PathBuf,
    /// The address that the page was saved from; base of relative links.
    pub url: Url,
    /// Bundled article pages: address and file.
    pub articles: Vec<(Url, PathBuf)>,
}

/// One channel. There may be very many, and each is in memory for as long as the service runs: what most of them share
/// is shared, and what few of them have takes no place in the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its name.
    pub id: ChannelId,
    /// Its title; the name if not given.
    pub title: Arc<str>,
    /// Where it comes from.
    pub origin: Origin,
    /// The configured interval between polls; learnt or the default of 30 minutes otherwise.
    pub every: Option<Duration>,
    /// The zone of dates that name none.
    pub timezone: Tz,
    /// BCP 47 language of its entries.
    pub language: Arc<str>,
    /// The snapshot.
    pub snapshot: Option<Box<Snapshot>>,
    /// What is done with its entries between the ledger and its feeds.
    pub rules: Rules,
    /// What the source may do to what was published of it. Not part of the fingerprint: it does not decide what is read.
    pub trust: Trust,
    /// Whether its pages, and those of its articles, obey robots.txt (RFC 9309); a feed's own address never has to.
    /// Not part of the fingerprint.
    pub obeys_robots: bool,
}

impl Channel {
    /// Every address that a poll of this channel may start from, in order of preference.
    pub fn addresses(&self) -> impl Iterator<Item = &Address> {
        let (pages, feed) = match &self.origin {
            Origin::Page(page) => (page.addresses.as_slice(), None),
            Origin::Feed { url } => (&[][..], Some(url)),
        };
        pages.iter().map(|page| &page.url).chain(feed)
    }
}

/// The most entries of a feed that names no `limit`.
pub const DEFAULT_LIMIT: usize = 50;

/// One feed that is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedSpec {
    /// Its name.
    pub id: FeedId,
    /// Its title; that of its only channel, or its name, if not given.
    pub title: String,
    /// One sentence about it.
    pub description: String,
    /// BCP 47 language.
    pub language: String,
    /// The channels it is made of, in order of preference when one article is in several.
    pub channels: Vec<ChannelId>,
    /// The feeds it is made of besides: what they show. Never itself, not even through others.
    pub feeds: Vec<FeedId>,
    /// The most entries it holds, 1 to 500; 50 by default.
    pub limit: usize,
    /// How duplicates are told.
    pub duplicates: Duplicates,
    /// The most entries of one channel; with it every channel that has entries keeps at least one.
    pub quota: Option<usize>,
    /// Entries older than this, counted back from the newest, are left out.
    pub max_age: Option<Duration>,
    /// What is done with its entries after duplicates are joined.
    pub rules: Rules,
}

/// How a feed tells that entries of different channels are one article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicates {
    /// The rungs that are tried. Equal ids are always joined: a feed must not hold an id twice.
    pub by: Vec<Rung>,
    /// How far apart two publications of one article may be, for `title` and `text`.
    pub window: Duration,
    /// In how many of 64 bits the simhashes of two texts may differ, 0 to 12.
    pub distance: u32,
    /// Whether readers are shown where else an entry appeared.
    pub show: bool,
    /// Whether a line under the content says so too.
    pub in_content: bool,
}

impl Default for Duplicates {
    fn default() -> Self {
        Self {
            by: Rung::ALL.to_vec(),
            window: Duration::from_hours(7 * 24),
            distance: 6,
            show: true,
            in_content: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// There may be a hundred thousand of them: what takes more should be shared, or boxed where few have it.
    #[test]
    #[cfg(target_pointer_width = "64")]
    fn a_channel_takes_little() {
        assert!(size_of::<Channel>() <= 104, "{}", size_of::<Channel>());
    }

    #[test]
    fn an_address_is_the_url_it_was_made_of() {
        for text in [
            "http://a.test",
            "HTTP://Ä.Example:80/a b/%e4?q=时 评&x='",
            "https://[::1]:8443/./a/../b//c;d?#",
            "http://0x7f.1/\\x?y#z z",
            "http://u:p@127.1:65535/%zz?%",
            "https://a.test/\u{202e}|^`{}<>\"",
        ] {
            let url: Url = text.parse().unwrap();
            let address = Address::from(url.clone());
            assert_eq!((address.as_str(), address.to_string()), (url.as_str(), url.to_string()), "{text}");
            assert_eq!((address.url(), text.parse()), (url, Ok(address)), "{text}");
        }
        assert!("no address".parse::<Address>().is_err());
    }

    proptest::proptest! {
        /// What [`Address::url`] rests on.
        #[test]
        fn whatever_the_parser_takes_it_takes_again(
            text in "(https?|HTTP):[/\\\\]{0,3}([a-z0-9Ä中.@:%\\[\\]_-]{0,12})(:[0-9]{0,6})?[/\\\\]?\\PC{0,24}"
        ) {
            if let Ok(url) = text.parse::<Url>() {
                let address = Address::from(url.clone());
                proptest::prop_assert_eq!(address.url(), url);
            }
        }
    }
}
