//! `heliu init`: writes the default feeds.yaml with its schema and snapshots, and never overwrites anything.

use super::say;
use anyhow::Context as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Args {
    /// The folder to write into
    #[arg(default_value = ".", value_name = "FOLDER")]
    folder: PathBuf,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    std::fs::create_dir_all(&args.folder).with_context(|| format!("cannot make {}", args.folder.display()))?;
    for (name, content) in crate::worker::bundled() {
        write(&args.folder.join(name), content)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    match std::fs::File::create_new(path) {
        Ok(mut file) => {
            file.write_all(content).with_context(|| format!("cannot write {}", path.display()))?;
            say(&format!("wrote {}", path.display()));
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            say(&format!("{} is there already and stays as it is", path.display()));
        }
        Err(error) => return Err(error).with_context(|| format!("cannot write {}", path.display())),
    }
    Ok(())
}
