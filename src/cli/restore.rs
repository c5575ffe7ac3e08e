//! `heliu restore`: a backup becomes the ledger of a data folder.

use super::{DataArg, holdings, say, say_error};
use crate::store;
use crate::worker::{Clock as _, SystemClock};
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Args {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    data: DataArg,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(store::restore(&args.file, &args.data.data, SystemClock.now()))?;
    say(&format!("{} now holds {}", args.data.data.display(), holdings(&done.holdings)));
    match &done.kept {
        Some(kept) => say(&format!("the ledger that was there is kept as {}", kept.display())),
        None => say("there was no ledger before"),
    }
    if !done.sealed {
        say_error(
            "heliu: no .sha256 stands beside the backup; its pages and rows were checked, flipped bits in texts go unseen",
        );
    }
    Ok(ExitCode::SUCCESS)
}
