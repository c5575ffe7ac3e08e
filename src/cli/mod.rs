//! The command line: one file per verb. `heliu` alone is `heliu serve`.

mod backup;
mod check;
mod doctor;
mod explain;
pub(crate) mod export;
mod health;
mod import;
mod init;
mod preview;
mod restore;
pub(crate) mod schema;
mod serve;

use crate::store::Holdings;
use crate::{config, worker};
use anyhow::bail;
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Heliu (合流): a portal's channels and external feeds as RSS, Atom and JSON Feed.
#[derive(Debug, Parser)]
#[command(name = "heliu", version, about, long_about = None)]
struct Cli {
    #[command(flatten)]
    serve: serve::Args,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Serve the feeds (the default)
    Serve(serve::Args),
    /// Print every mistake of a feeds.yaml
    Check(check::Args),
    /// Show what a channel, feed, address or file would yield, without recording it
    Preview(preview::Args),
    /// Add the subscriptions of an OPML file to a feeds.yaml, which keeps every byte it has
    ///
    /// Each address becomes a channel, unless the file has it already in some spelling (scheme, www, trailing slash and
    /// tracking parameters do not count). Each folder becomes a feed named by its path; a feed of the same title or
    /// name takes what it lacks. Its list of channels is extended where it stands; a list that an alias or merge key
    /// shares, and that of a feed which has its title from its only channel, stays as it is, and a new feed with a
    /// number behind its name takes the rest. A second import of the same list finds nothing new.
    Import(import::Args),
    /// Write the published feeds, or their sources, as OPML
    Export(export::Args),
    /// Print the JSON Schema of feeds.yaml
    Schema,
    /// Write a feeds.yaml to begin with
    Init(init::Args),
    /// Copy the ledger into one checked file, also while Heliu runs
    Backup(backup::Args),
    /// Make a backup the ledger of a data folder; the old ledger is moved aside
    Restore(restore::Args),
    /// Judge how Heliu asks
    Doctor(doctor::Args),
    /// Ask a running Heliu whether it is well (for container health checks)
    Health(health::Args),
}

/// Where the configuration is.
#[derive(Debug, Clone, clap::Args)]
struct ConfigArg {
    /// The configuration file
    #[arg(long, short, env = "HELIU_CONFIG", default_value = "feeds.yaml", value_name = "FILE")]
    config: PathBuf,
}

/// Where the ledger is.
#[derive(Debug, Clone, clap::Args)]
struct DataArg {
    /// The folder of the store
    #[arg(long, short, env = "HELIU_DATA", default_value = "data", value_name = "FOLDER")]
    data: PathBuf,
}

/// What a ledger holds, for people.
fn holdings(held: &Holdings) -> String {
    let newest = held.newest.map(|at| format!(", the youngest seen {}", at.format("%Y-%m-%d %H:%M UTC")));
    format!(
        "{} channels, {} entries{}; begun {}, number {}, schema {}",
        held.channels,
        held.entries,
        newest.unwrap_or_default(),
        held.created.format("%Y-%m-%d"),
        held.seq,
        held.version
    )
}

/// Runs the command line; the exit code is 0 when all went well, 1 when what was asked for is wrong or
/// failed, 2 when the command line is wrong.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let verb = cli.verb.unwrap_or(Verb::Serve(cli.serve));
    let result = match verb {
        Verb::Serve(args) => serve::run(&args),
        Verb::Check(args) => check::run(&args),
        Verb::Preview(args) => preview::run(&args),
        Verb::Import(args) => import::run(&args),
        Verb::Export(args) => export::run(&args),
        Verb::Schema => Ok(schema::run()),
        Verb::Init(args) => init::run(&args),
        Verb::Backup(args) => backup::run(&args),
        Verb::Restore(args) => restore::run(&args),
        Verb::Doctor(args) => doctor::run(&args),
        Verb::Health(args) => health::run(&args),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            say_error(&format!("heliu: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Reads a feeds.yaml; its mistakes come back printed.
fn load(path: &Path) -> anyhow::Result<config::Config> {
    let bytes = worker::read_config(path).map_err(anyhow::Error::msg)?;
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let name = path.display().to_string();
    let loaded = config::load_bytes(&bytes, &name, folder, &worker::validators());
    match loaded.config {
        Some(config) => Ok(config),
        None => {
            bail!("{}", config::render_diagnostics(&loaded.diagnostics, &String::from_utf8_lossy(&bytes), &name, false))
        }
    }
}

/// Prints to standard output; a reader that has gone away (`heliu schema | head`) is no failure.
fn say(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints to standard error.
fn say_error(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
