//! `feeds/health.atom`: the feed for the admin, with one entry for each incident that was opened and one for each
//! that is over. Errors of sources stand here and never in the feeds of readers.

use super::Site;
use super::text::{escape, line, minted, owned, printable, rfc3339};
use crate::health::{Incident, State};
use crate::model::{ChannelId, FlawCode};
use atom_syndication::{Content, Entry, Feed, Generator, Link, Person, Text, WriteConfig};
use chrono::{DateTime, Utc};

/// The path on the service, without a leading `/`.
pub const HEALTH_PATH: &str = "feeds/health.atom";
/// The most entries.
const MOST: usize = 200;
/// As in `atom`: the crate writes no encoding into its declaration.
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";

/// An incident and whose it is.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The channel.
    pub channel: &'a ChannelId,
    /// Its title.
    pub title: &'a str,
    /// The incident.
    pub incident: &'a Incident,
}

/// The feed. `created` is when the ledger was: the `updated` of a feed without entries. The same incidents give the
/// same bytes.
#[must_use]
pub fn health_atom(told: &[Told<'_>], site: &Site<'_>, created: DateTime<Utc>) -> String {
    let chinese = site.language.starts_with("zh");
    let mut entries: Vec<(DateTime<Utc>, Entry)> = Vec::new();
    for one in told {
        entries.push((one.incident.opened, opened(one, site, chinese)));
        if let Some(closed) = one.incident.closed {
            entries.push((closed.at, over(one, closed.until, closed.at, site, chinese)));
        }
    }
    entries.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| one.id.cmp(&other.id)));
    entries.truncate(MOST);
    let updated = entries.first().map_or(created, |(at, _)| *at);
    let (title, subtitle) = if chinese {
        ("频道状况", "给管理员：每个频道的故障与恢复。")
    } else {
        ("Channel health", "For the admin: what went wrong with each channel, and when it was over.")
    };
    let link = |rel: &str, path: &str, kind: &str| Link {
        href: site.address(path),
        rel: rel.to_owned(),
        mime_type: Some(kind.to_owned()),
        ..Link::default()
    };
    let document = Feed {
        title: Text::plain(format!("{title} · {}", line(site.title))),
        id: minted("feed of incidents", "health"),
        updated: printable(updated.fixed_offset()),
        authors: vec![Person { name: line(site.title), ..Person::default() }],
        generator: Some(Generator { value: "Heliu".to_owned(), uri: None, version: None }),
        links: vec![link("self", HEALTH_PATH, "application/atom+xml"), link("alternate", "admin", "text/html")],
        subtitle: Some(Text::plain(subtitle.to_owned())),
        entries: entries.into_iter().map(|(_, entry)| entry).collect(),
        lang: Some(super::text::language(site.language).unwrap_or_else(|| "zh-CN".to_owned())),
        ..Feed::default()
    };
    let form = WriteConfig { write_document_declaration: false, indent_size: Some(1) };
    // Writing into memory cannot fail.
    let bytes = document.write_with_config(DECLARATION.as_bytes().to_vec(), form).unwrap_or_default();
    let mut text = String::from_utf8(bytes).unwrap_or_default();
    text.push('\n');
    text
}

fn opened(told: &Told<'_>, site: &Site<'_>, chinese: bool) -> Entry {
    let Told { title, incident, .. } = told;
    let since = rfc3339(incident.since.fixed_offset());
    let (title, since) = if chinese {
        (format!("{}：{title}", incident.kind.chinese()), format!("始于 {since}"))
    } else {
        (format!("{title} is {}", word(incident.kind)), format!("Since {since}"))
    };
    let translated = flawed(incident).filter(|_| chinese).map(FlawCode::advice_in_chinese);
    let advice = translated.unwrap_or(&incident.advice);
    entry(told, "opened", &title, &[&incident.evidence, advice, &since], incident.opened, site)
}

/// The flaw that an incident is about: its evidence begins with it.
fn flawed(incident: &Incident) -> Option<FlawCode> {
    let is_about =
        |code: &FlawCode| incident.evidence.strip_prefix(code.as_str()).is_some_and(|detail| detail.starts_with(": "));
    FlawCode::ALL.iter().copied().find(is_about)
}

fn over(told: &Told<'_>, until: DateTime<Utc>, at: DateTime<Utc>, site: &Site<'_>, chinese: bool) -> Entry {
    let Told { title, incident, .. } = told;
    let (since, until) = (rfc3339(incident.since.fixed_offset()), rfc3339(until.fixed_offset()));
    let (title, text) = if chinese {
        (format!("恢复：{title}"), format!("{}，始于 {since}，止于 {until}", incident.kind.chinese()))
    } else {
        (format!("{title} is well again"), format!("It was {} from {since} to {until}", word(incident.kind)))
    };
    entry(told, "closed", &title, &[&text, &incident.evidence], at, site)
}

/// A state in an English sentence.
fn word(state: State) -> &'static str {
    state.as_str()
}

fn entry(told: &Told<'_>, event: &str, title: &str, lines: &[&str], at: DateTime<Utc>, site: &Site<'_>) -> Entry {
    let Told { channel, incident, .. } = told;
    let name = format!("{channel} {} {} {event}", incident.kind, incident.opened.to_rfc3339());
    let lines = lines.iter().filter(|text| !text.trim().is_empty());
    let content: String = lines.fold(String::new(), |html, text| html + "<p>" + &escape(&owned(text)) + "</p>");
    let at = printable(at.fixed_offset());
    Entry {
        title: Text::plain(line(title)),
        id: minted("incident", &name),
        updated: at,
        published: Some(at),
        links: vec![Link {
            href: site.address(&format!("admin/channels/{channel}")),
            rel: "alternate".to_owned(),
            mime_type: Some("text/html".to_owned()),
            ..Link::default()
        }],
        content: Some(Content { value: Some(content), content_type: Some("html".to_owned()), ..Content::default() }),
        ..Entry::default()
    }
}
