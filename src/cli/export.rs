//! `heliu export`: the published feeds, or the external feeds they are made of, as OPML 2.0.

use super::{ConfigArg, say};
use crate::config::{Channel, Config, Origin};
use crate::model::{ChannelId, Feed, Standing};
use crate::render::{self, Folder, Site};
use anyhow::Context as _;
use chrono::DateTime;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    config: ConfigArg,
    /// The external feeds that are read, in folders named by the feeds they are in
    #[arg(long)]
    sources: bool,
    /// The file to write; standard output without it
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let config = super::load(&args.config.config)?;
    let text = if args.sources { sources(&config) } else { published(&config) };
    match &args.output {
        Some(path) => std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?,
        None => say(text.trim_end()),
    }
    Ok(ExitCode::SUCCESS)
}

fn site(config: &Config) -> Site<'_> {
    let service = &config.service;
    Site { base_url: &service.base_url, title: &service.title, language: &service.language }
}

/// The list that is served at `/opml.xml`, without what only the ledger knows: dates, and which feeds are snapshots.
fn published(config: &Config) -> String {
    let feeds: Vec<Feed> = config
        .feeds
        .iter()
        .map(|spec| Feed {
            id: spec.id.clone(),
            title: spec.title.clone(),
            description: spec.description.clone(),
            language: spec.language.clone(),
            home: None,
            updated: DateTime::UNIX_EPOCH,
            standing: Standing::Live,
            entries: Vec::new(),
            joined: BTreeMap::new(),
            show_joined: false,
            joined_in_content: false,
            tombstones: Vec::new(),
        })
        .collect();
    render::opml(&feeds.iter().collect::<Vec<_>>(), &site(config))
}

/// The external feeds: a folder for each feed that holds some, then those that are in no feed.
pub(crate) fn sources(config: &Config) -> String {
    let external: HashMap<&ChannelId, (&str, &str)> =
        config.channels.iter().filter_map(|channel| Some((&channel.id, source(channel)?))).collect();
    let mut placed = HashSet::new();
    let mut folders = Vec::new();
    for feed in &config.feeds {
        let members: Vec<_> = feed.channels.iter().filter_map(|id| external.get(id).copied()).collect();
        placed.extend(&feed.channels);
        if !members.is_empty() {
            folders.push(Folder { title: Some(&feed.title), feeds: members });
        }
    }
    let rest: Vec<_> =
        config.channels.iter().filter(|channel| !placed.contains(&channel.id)).filter_map(|one| source(one)).collect();
    folders.push(Folder { title: None, feeds: rest });
    render::opml_sources(&folders, &site(config))
}

fn source(channel: &Channel) -> Option<(&str, &str)> {
    match &channel.origin {
        Origin::Feed { url } => Some((&channel.title, url.as_str())),
        Origin::Page(_) => None,
    }
}
