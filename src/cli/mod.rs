//! The command line: one file per verb. `heliu` alone is `heliu serve`.

mod check;
mod explain;
mod health;
mod init;
mod preview;
pub(crate) mod schema;
mod serve;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
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
    /// Print the JSON Schema of feeds.yaml
    Schema,
    /// Write a feeds.yaml to begin with
    Init(init::Args),
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

/// Runs the command line; the exit code is 0 when all went well, 1 when what was asked for is wrong or
/// failed, 2 when the command line is wrong.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let verb = cli.verb.unwrap_or(Verb::Serve(cli.serve));
    let result = match verb {
        Verb::Serve(args) => serve::run(&args),
        Verb::Check(args) => check::run(&args),
        Verb::Preview(args) => preview::run(&args),
        Verb::Schema => Ok(schema::run()),
        Verb::Init(args) => init::run(&args),
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
