//! `heliu preview`: shows what a channel, a feed, an address or a file would yield, as a table or as JSON Feed.

use super::{ConfigArg, explain, say, say_error};
use crate::config::{Config, Duplicates, FeedSpec};
use crate::model::{FeedId, Record};
use crate::net::{self, Client};
use crate::worker::{self, Preview};
use anyhow::{Context as _, bail};
use chrono::Utc;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};
use url::Url;

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Args {
    /// A channel or feed of feeds.yaml, an http(s) address, or a file
    target: String,
    #[command(flatten)]
    config: ConfigArg,
    /// Print JSON Feed instead of a table
    #[arg(long)]
    json: bool,
    /// For a channel or feed: show each entry before and after each rule, and what was joined by which evidence
    #[arg(long)]
    explain: bool,
    /// For a file: the address it was saved from, base of its relative links
    #[arg(long, value_name = "URL")]
    base: Option<Url>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let config = super::load(&args.config.config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let preview = runtime.block_on(preview(args, &config))?;
    for (place, flaw) in &preview.flaws {
        say_error(&format!("{:?}: {place}: {flaw}", flaw.code.severity()).to_lowercase().replace('\n', " "));
    }
    if args.explain {
        let Some(explained) = &preview.explained else {
            bail!("--explain shows what rules do: name a channel or feed of feeds.yaml");
        };
        if args.json {
            say(preview.json_explained().trim_end());
        } else {
            say(explain::blocks(explained).trim_end());
        }
    } else if args.json {
        say(preview.json().trim_end());
    } else {
        say(&table(&preview));
    }
    let explained = args.explain && preview.explained.as_ref().is_some_and(|all| !all.is_empty());
    Ok(if preview.feed.entries.is_empty() && !explained { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn preview(args: &Args, config: &Config) -> anyhow::Result<Preview> {
    let now = Utc::now();
    let client = Client::new(net::Options::default());
    client.set_allow_networks(config.service.allow_networks.clone());
    client.set_user_agent(&worker::user_agent(config.service.contact.as_ref()));
    let target = args.target.as_str();
    if let Some(spec) = config.feeds.iter().find(|feed| feed.id.as_str() == target) {
        return Ok(worker::preview_channels(spec, config, &client, now).await?);
    }
    if let Some(channel) = config.channels.iter().find(|channel| channel.id.as_str() == target) {
        let id: FeedId = channel.id.as_str().parse()?;
        let (title, language) = (channel.title.to_string(), channel.language.to_string());
        let channels = vec![channel.id.clone()];
        let spec = FeedSpec {
            id,
            title,
            description: String::new(),
            language,
            channels,
            feeds: Vec::new(),
            limit: 500,
            duplicates: Duplicates::default(),
            quota: None,
            max_age: None,
            rules: crate::rule::Rules::default(),
        };
        return Ok(worker::preview_channels(&spec, config, &client, now).await?);
    }
    if target.starts_with("http://") || target.starts_with("https://") {
        return Ok(worker::preview_url(&target.parse()?, config, &client, now).await?);
    }
    if Path::new(target).exists() {
        let bytes = std::fs::read(target).with_context(|| format!("cannot read {target}"))?;
        let base = args.base.clone().unwrap_or_else(|| config.service.base_url.clone());
        return Ok(worker::preview_document(&bytes, None, &base, config, now));
    }
    bail!("{target:?} is no channel, feed, http(s) address or file; the channels and feeds are {}", names(config))
}

/// The most names that a message lists.
const MOST_NAMED: usize = 100;

/// The names of feeds and channels, each once, feeds first.
fn names(config: &Config) -> String {
    let feeds = config.feeds.iter().map(|feed| feed.id.as_str());
    let channels = config.channels.iter().map(|channel| channel.id.as_str());
    let mut seen = HashSet::new();
    let names: Vec<_> = feeds.chain(channels).filter(|name| seen.insert(*name)).collect();
    match names.len().checked_sub(MOST_NAMED) {
        None | Some(0) => names.join(", "),
        Some(rest) => format!("{} and {rest} more", names[..MOST_NAMED].join(", ")),
    }
}

/// How wide the title's column is, in terminal cells.
const TITLE_CELLS: usize = 48;

fn table(preview: &Preview) -> String {
    let mut out = String::new();
    for line in &preview.read {
        let _ = writeln!(out, "{line}");
    }
    let _ = writeln!(out, "{:<25}  {}  what  source / address", "published", fit("title"));
    for record in &preview.feed.entries {
        let entry = &record.entry;
        let source = entry.source.as_ref().map_or("", |source| source.title.as_str());
        let address = entry.url.as_deref().unwrap_or("-");
        let date = entry.published.at.to_rfc3339_opts(chrono::SecondsFormat::Secs, false);
        let _ = writeln!(out, "{date}  {}  {}  {source} {address}", fit(&entry.title), parts(record));
        for one in preview.feed.joined_into(&entry.id) {
            let url = one.url.as_deref().unwrap_or(&one.id.0);
            let _ = writeln!(out, "{:<25}  = {} by {}: {url}", "", one.channel, one.rung.name());
        }
    }
    let _ = write!(out, "{} entries; s summary, c content, a author, i image", preview.feed.entries.len());
    out
}

/// Which parts an entry has, as letters.
fn parts(record: &Record) -> String {
    let entry = &record.entry;
    [
        ('s', entry.summary.is_some()),
        ('c', entry.content.is_some()),
        ('a', !entry.authors.is_empty()),
        ('i', !entry.images.is_empty()),
    ]
    .iter()
    .map(|(letter, there)| if *there { *letter } else { '-' })
    .collect()
}

/// Cuts or pads to the column's width; a Chinese character takes two cells.
fn fit(text: &str) -> String {
    let mut cells = 0;
    let mut fitted = String::new();
    for letter in text.chars().filter(|letter| !letter.is_control()) {
        let width = letter.width().unwrap_or(0);
        if cells + width > TITLE_CELLS {
            break;
        }
        cells += width;
        fitted.push(letter);
    }
    let missing = TITLE_CELLS - fitted.width().min(TITLE_CELLS);
    fitted + &" ".repeat(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_the_script() {
        for title in ["", "short", "李子柒为何能走红海外", &"密切联系群众".repeat(20), &"x".repeat(500), "a\u{1b}[31mb"]
        {
            assert_eq!(fit(title).width(), TITLE_CELLS, "{title:?}");
            assert!(!fit(title).contains('\u{1b}'));
        }
    }
}
