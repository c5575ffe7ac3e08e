//! What stands in the simulated web: hosts, streams of articles, and the addresses that show them, well and badly.

use crate::rng::Rng;
use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use std::fmt::Write as _;

/// A machine.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) name: String,
    /// Its robots.txt: `None`: 404.
    pub(crate) robots: Option<&'static str>,
    /// When it cannot be reached, and how.
    pub(crate) outages: Vec<(Span, Outage)>,
}

/// From, until.
pub(crate) type Span = (DateTime<Utc>, DateTime<Utc>);

pub(crate) fn within(span: Span, at: DateTime<Utc>) -> bool {
    span.0 <= at && at < span.1
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outage {
    NoName,
    Refused,
    NoAnswer,
}

/// What somebody writes, one article after the other.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) articles: Vec<Article>,
}

#[derive(Debug, Clone)]
pub(crate) struct Article {
    pub(crate) at: DateTime<Utc>,
    /// When its summary was corrected.
    pub(crate) edited: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Rss,
    Atom,
    Json,
    Page,
}

/// How an address says when an article came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dates {
    Honest,
    Absent,
    /// The time of the request, every time.
    OfRequest,
}

/// An address that shows a stream.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is drawn by itself")]
pub(crate) struct Source {
    pub(crate) host: usize,
    pub(crate) path: String,
    pub(crate) form: Form,
    pub(crate) stream: usize,
    pub(crate) window: usize,
    pub(crate) etag: bool,
    pub(crate) last_modified: bool,
    pub(crate) dates: Dates,
    /// Every body is another one.
    pub(crate) noise: bool,
    pub(crate) max_age: Option<u64>,
    pub(crate) ttl: Option<u64>,
    pub(crate) skips_nights: bool,
    pub(crate) troubles: Vec<(Span, Trouble)>,
    /// From then on all ids are others.
    pub(crate) ids_change: Option<DateTime<Utc>>,
    /// From then on all links are others.
    pub(crate) links_change: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    Status(u16, Wait),
    Hang,
    HangUp,
    Cut,
    Stall,
    Garbage,
    Empty,
    ErrorPage,
    Shrunk,
    Markup,
    /// 304 whatever changed.
    Stuck,
    Redirect(u16, String),
    /// Old articles that nobody has seen, in place of the new ones.
    Flood,
}

/// What `Retry-After` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    Untold,
    Seconds(i64),
    Until(i64),
}

/// How an answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manners {
    Good,
    Hang,
    HangUp,
    Cut,
    Stall,
    Garbage,
}

#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
    pub(crate) manners: Manners,
    /// The articles that a whole, readable list shows.
    pub(crate) shows: Option<Vec<u32>>,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), manners: Manners::Good, shows: None }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}

/// A headline that is like no other.
fn headline(stream: usize, n: u32) -> String {
    let mut rng = Rng::new((stream as u64) << 32 | u64::from(n));
    (0..9).filter_map(|_| char::from_u32(0x4E00 + u32::try_from(rng.below(9000)).unwrap_or(0))).collect()
}

/// What tells an article in a title.
pub(crate) fn token(stream: usize, n: u32) -> String {
    format!("[s{stream}-{n}]")
}

/// An FNV-1a hash.
pub(crate) fn fnv(bytes: &[u8], start: u64) -> u64 {
    bytes.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}

pub(crate) const FNV: u64 = 0xCBF2_9CE4_8422_2325;

/// Articles from here on are old ones that only a flood shows.
pub(crate) const FLOOD: u32 = 900;

/// One article as an address shows it.
struct Shown {
    n: u32,
    guid: String,
    link: String,
    title: String,
    summary: String,
    date: Option<DateTime<Utc>>,
}

impl Source {
    /// The trouble of this moment.
    pub(crate) fn trouble(&self, at: DateTime<Utc>) -> Option<&Trouble> {
        self.troubles.iter().find(|(span, _)| within(*span, at)).map(|(_, trouble)| trouble)
    }

    /// The articles of this moment, newest first.
    fn shown(&self, stream: &Stream, host: &str, at: DateTime<Utc>) -> Vec<Shown> {
        let trouble = self.trouble(at);
        let count = if trouble == Some(&Trouble::Shrunk) { 2 } else { self.window };
        let changed = |when: Option<DateTime<Utc>>| u8::from(when.is_some_and(|when| at >= when));
        let (ids, links) = (changed(self.ids_change), changed(self.links_change));
        let one = |n: u32, article: &Article| Shown {
            n,
            guid: format!("tag:{host},2026:{}-{n}{}", self.stream, if ids == 1 { "-new" } else { "" }),
            link: format!("http://{host}/{}/{}/{n}.html", if links == 1 { "b" } else { "a" }, self.stream),
            title: format!("{} {}", headline(self.stream, n), token(self.stream, n)),
            summary: summary(self.stream, n, article.edited.is_some_and(|edited| at >= edited)),
            date: match self.dates {
                Dates::Honest => Some(article.at),
                Dates::Absent => None,
                Dates::OfRequest => Some(at),
            },
        };
        if trouble == Some(&Trouble::Flood) {
            let old = |n: u32| Article { at: at - TimeDelta::days(400 + i64::from(n)), edited: None };
            return (FLOOD..FLOOD + u32::try_from(self.window).unwrap_or(10)).map(|n| one(n, &old(n))).collect();
        }
        let numbered = (0..).zip(&stream.articles).filter(|(_, article)| article.at <= at);
        let mut all: Vec<_> = numbered.map(|(n, article)| one(n, article)).collect();
        all.reverse();
        all.truncate(count);
        all
    }

    /// When the document last changed, as an honest server says it.
    fn modified(&self, stream: &Stream, at: DateTime<Utc>) -> DateTime<Utc> {
        let times = stream.articles.iter().flat_map(|article| [Some(article.at), article.edited]);
        let own = self.troubles.iter().flat_map(|(span, _)| [Some(span.0), Some(span.1)]);
        let all = times.chain(own).chain([self.ids_change, self.links_change]);
        all.flatten().filter(|when| *when <= at).max().unwrap_or(at)
    }

    /// The whole answer of this moment, without regard to conditions.
    /// Under its new address (`plain`) it shows itself all the same.
    pub(crate) fn reply(&self, stream: &Stream, host: &str, at: DateTime<Utc>, plain: bool, rng: &mut Rng) -> Reply {
        let trouble = self.trouble(at).filter(|_| !plain);
        if let Some(reply) = trouble.and_then(|trouble| refusal(trouble, at)) {
            return reply;
        }
        let shown = if trouble == Some(&Trouble::Empty) { Vec::new() } else { self.shown(stream, host, at) };
        let mut body = match self.form {
            Form::Rss => self.rss(&shown, host),
            Form::Atom => atom(&shown, host),
            Form::Json => json(&shown, host),
            Form::Page => page(&shown, trouble == Some(&Trouble::Markup)),
        };
        if self.noise {
            let _ = match self.form {
                Form::Json => write!(body, "\n{}", " ".repeat(rng.place(40) + 1)),
                _ => write!(body, "<!-- {} -->", rng.next()),
            };
        }
        let manners = match trouble {
            Some(Trouble::Cut) => Manners::Cut,
            Some(Trouble::Stall) => Manners::Stall,
            _ => Manners::Good,
        };
        let readable = manners == Manners::Good && !shown.is_empty() && trouble != Some(&Trouble::Markup);
        let shows = readable.then(|| shown.iter().map(|one| one.n).collect());
        let mut headers = vec![("Content-Type", media_type(self.form).to_owned())];
        if self.etag {
            headers.push(("ETag", format!("\"{:x}\"", fnv(body.as_bytes(), FNV))));
        }
        if self.last_modified && !self.noise && self.dates != Dates::OfRequest {
            headers.push(("Last-Modified", http_date(self.modified(stream, at))));
        }
        if let Some(seconds) = self.max_age {
            headers.push(("Cache-Control", format!("max-age={seconds}")));
        }
        Reply { status: 200, headers, body, manners, shows }
    }

    fn rss(&self, shown: &[Shown], host: &str) -> String {
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><rss version=\"2.0\"><channel><title>{host}</title><link>http://{host}/</link><description>d</description>"
        );
        if let Some(ttl) = self.ttl {
            let _ = write!(text, "<ttl>{ttl}</ttl>");
        }
        if self.skips_nights {
            text += "<skipHours><hour>1</hour><hour>2</hour><hour>3</hour></skipHours>";
        }
        for Shown { guid, link, title, summary, date, .. } in shown {
            let _ = write!(
                text,
                "<item><guid isPermaLink=\"false\">{guid}</guid><link>{link}</link><title>{title}</title><description>{summary}</description>"
            );
            if let Some(date) = date {
                let _ = write!(text, "<pubDate>{}</pubDate>", date.to_rfc2822());
            }
            text += "</item>";
        }
        text + "</channel></rss>"
    }
}

fn summary(stream: usize, n: u32, corrected: bool) -> String {
    let mut rng = Rng::new((stream as u64) << 40 | u64::from(n) << 1 | 1);
    let words = |rng: &mut Rng| -> String {
        (0..24).filter_map(|_| char::from_u32(0x5200 + u32::try_from(rng.below(8000)).unwrap_or(0))).collect()
    };
    format!("{},{}{}", words(&mut rng), words(&mut rng), if corrected { ",更正过一次。" } else { "。" })
}

fn media_type(form: Form) -> &'static str {
    match form {
        Form::Rss => "application/rss+xml",
        Form::Atom => "application/atom+xml",
        Form::Json => "application/feed+json",
        Form::Page => "text/html; charset=utf-8",
    }
}

pub(crate) fn http_date(at: DateTime<Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

pub(crate) fn refusal(trouble: &Trouble, at: DateTime<Utc>) -> Option<Reply> {
    let bad = |manners| Some(Reply { manners, ..Reply::new(200, "") });
    match trouble {
        Trouble::Status(status, wait) => {
            let mut reply = Reply::new(*status, "<h1>sorry</h1>");
            match wait {
                Wait::Untold => {}
                Wait::Seconds(seconds) => reply.headers.push(("Retry-After", seconds.to_string())),
                Wait::Until(seconds) => {
                    reply.headers.push(("Retry-After", http_date(at + TimeDelta::seconds(*seconds))));
                }
            }
            Some(reply)
        }
        Trouble::Redirect(status, to) => {
            let headers = vec![("Location", to.clone())];
            Some(Reply { headers, ..Reply::new(*status, "") })
        }
        Trouble::ErrorPage => {
            let headers = vec![("Content-Type", "text/html".to_owned()), ("ETag", "\"sorry\"".to_owned())];
            Some(Reply {
                headers,
                ..Reply::new(200, "<html><body><h1>Maintenance</h1><p>Back soon.</p></body></html>")
            })
        }
        Trouble::Hang => bad(Manners::Hang),
        Trouble::HangUp => bad(Manners::HangUp),
        Trouble::Garbage => bad(Manners::Garbage),
        _ => None,
    }
}

fn atom(shown: &[Shown], host: &str) -> String {
    let mut text = format!(
        "<feed xmlns=\"http://www.w3.org/2005/Atom\"><id>tag:{host},2026:feed</id><title>{host}</title><updated>2026-11-01T00:00:00Z</updated>"
    );
    for Shown { guid, link, title, summary, date, .. } in shown {
        let _ = write!(
            text,
            "<entry><id>{guid}</id><link href=\"{link}\"/><title>{title}</title><summary>{summary}</summary>"
        );
        if let Some(date) = date {
            let date = date.to_rfc3339();
            let _ = write!(text, "<published>{date}</published><updated>{date}</updated>");
        }
        text += "</entry>";
    }
    text + "</feed>"
}

fn json(shown: &[Shown], host: &str) -> String {
    let one = |Shown { guid, link, title, summary, date, .. }: &Shown| {
        let mut entry = serde_json::json!({ "id": guid, "url": link, "title": title, "content_text": summary });
        if let Some(date) = date {
            entry["date_published"] = date.to_rfc3339().into();
        }
        entry
    };
    let items: Vec<_> = shown.iter().map(one).collect();
    serde_json::json!({ "version": "https://jsonfeed.org/version/1.1", "title": host, "items": items }).to_string()
}

fn page(shown: &[Shown], other_markup: bool) -> String {
    let mut text = "<!DOCTYPE html><html><head><title>列表</title></head><body><ul>".to_owned();
    let east = FixedOffset::east_opt(8 * 3600);
    for Shown { link, title, summary, date, .. } in shown {
        let date = date
            .zip(east)
            .map_or_else(String::new, |(date, east)| date.with_timezone(&east).format("%Y-%m-%d %H:%M").to_string());
        let _ = if other_markup {
            write!(text, "<div class=\"x\"><h2><a href=\"{link}\">{title}</a></h2><i>{date}</i><q>{summary}</q></div>")
        } else {
            write!(
                text,
                "<li class=\"e\"><a href=\"{link}\">{title}</a><span class=\"d\">{date}</span><p>{summary}</p></li>"
            )
        };
    }
    text + "</ul></body></html>"
}

/// The page of one article.
pub(crate) fn article(stream: usize, n: u32) -> Reply {
    let body = format!(
        "<!DOCTYPE html><html><body><h1>{}</h1><div class=\"body\"><p>{}</p></div></body></html>",
        headline(stream, n),
        summary(stream, n + 5000, false)
    );
    let headers = vec![("Content-Type", "text/html; charset=utf-8".to_owned()), ("ETag", format!("\"a{stream}-{n}\""))];
    Reply { headers, ..Reply::new(200, body) }
}
