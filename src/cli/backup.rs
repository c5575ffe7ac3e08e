//! `heliu backup`: the ledger in one checked file, also while Heliu runs.

use super::{DataArg, holdings, say};
use crate::store;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    data: DataArg,
    /// The file to write; it must not exist. Its SHA-256 goes into FILE.sha256
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let began = Instant::now();
    let held = runtime.block_on(store::back_up(&args.data.data, &args.file))?;
    say(&format!(
        "{}: {}\n{:.1} MB, checked, SHA-256 {}, in {:.1} s",
        args.file.display(),
        holdings(&held),
        megabytes(held.bytes),
        held.sha256,
        began.elapsed().as_secs_f64()
    ));
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
