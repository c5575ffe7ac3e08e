//! `heliu import`: adds the subscriptions of an OPML file to feeds.yaml without touching a byte of what is there.

use super::{ConfigArg, say, say_error};
use crate::config::{self, Insertion, render_diagnostics};
use crate::import::{self, Imported, Plan, Refused};
use crate::model::{FeedId, FlawCode};
use crate::{decode, parse, worker};
use anyhow::{Context as _, bail};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The largest OPML file in bytes.
const LARGEST: u64 = 64 << 20;

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Args {
    /// The OPML file; `-` is standard input
    file: PathBuf,
    #[command(flatten)]
    config: ConfigArg,
    /// Print what would be added and write nothing
    #[arg(long)]
    dry_run: bool,
    /// The feed for what stands in no folder
    #[arg(long, default_value = "imported", value_name = "NAME")]
    feed: FeedId,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let list = decode::decode(&read(&args.file)?, None);
    let (outlines, flaws) = parse::opml(&list.text);
    if flaws.iter().any(|flaw| flaw.code == FlawCode::NotAFeed) {
        bail!("{} is not OPML: no outline is in it", args.file.display());
    }
    for flaw in list.flaws.iter().chain(&flaws).take(20) {
        say_error(&format!("note: {}: {flaw}", args.file.display()).replace('\n', " "));
    }
    // Where a link leads is written to; the link stays.
    let path = &args.config.config;
    let old = worker::read_config(path).map_err(anyhow::Error::msg)?;
    let imported = match import(&old, path, &outlines, &args.feed)? {
        Ok(imported) => imported,
        Err(told) => {
            say_error(told.trim_end());
            say_error(&format!("heliu: nothing was imported: {} has mistakes", path.display()));
            return Ok(ExitCode::FAILURE);
        }
    };
    for told in imported.plan.notes.iter().map(|note| format!("note: {note}")).chain(skipped(&imported.plan)) {
        say_error(&told);
    }
    if args.dry_run {
        say(&additions(&String::from_utf8_lossy(&old), &imported.insertions));
    } else if !imported.insertions.is_empty() {
        replace(path, &old, imported.text.as_bytes())?;
    }
    say(&summary(&imported.plan, args.dry_run, path));
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        std::io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes).context("cannot read standard input")?;
    } else {
        let file = std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        file.take(LARGEST + 1).read_to_end(&mut bytes).with_context(|| format!("cannot read {}", path.display()))?;
    }
    anyhow::ensure!(bytes.len() as u64 <= LARGEST, "{} is larger than {} MiB", path.display(), LARGEST >> 20);
    Ok(bytes)
}

/// The inner error is the printed list of mistakes of feeds.yaml.
fn import(
    old: &[u8],
    path: &Path,
    outlines: &[parse::Outline],
    loose: &FeedId,
) -> anyhow::Result<Result<Imported, String>> {
    let name = path.display().to_string();
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let told = |found: &[config::Diagnostic]| render_diagnostics(found, &String::from_utf8_lossy(old), &name, false);
    let Ok(text) = std::str::from_utf8(old) else {
        let loaded = config::load_bytes(old, &name, folder, &worker::validators());
        return Ok(Err(told(&loaded.diagnostics)));
    };
    match import::import(text, folder, &worker::validators(), outlines, loose) {
        Ok(imported) => Ok(Ok(imported)),
        Err(Refused::Mistakes(found)) => Ok(Err(told(&found))),
        Err(Refused::Unfit(reason)) => bail!("nothing was imported into {name}: {reason}"),
    }
}

fn skipped(plan: &Plan) -> Vec<String> {
    let mut told: Vec<String> = plan.skipped.reasons.iter().map(|reason| format!("skipped: {reason}")).collect();
    let rest = plan.skipped.count - plan.skipped.reasons.len();
    if rest > 0 {
        told.push(format!("skipped: … and {rest} more"));
    }
    told
}

fn summary(plan: &Plan, dry_run: bool, path: &Path) -> String {
    let count = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    let new = &plan.additions;
    let rest = format!("{} known, {} skipped", plan.known, plan.skipped.count);
    if new.is_empty() {
        return format!("{}: nothing new ({rest})", path.display());
    }
    let grown =
        if new.joins.is_empty() { String::new() } else { format!(", {} extended", count(new.joins.len(), "feed")) };
    let would = if dry_run { "would be added, nothing was written" } else { "added" };
    let (channels, feeds) = (count(new.channels.len(), "channel"), count(new.feeds.len(), "feed"));
    format!("{}: {channels}, {feeds} {would}{grown} ({rest})", path.display())
}

/// The insertions as a reader of diffs knows them: new lines with `+`; a line that grows also as it was, with `-`.
fn additions(old: &str, insertions: &[Insertion]) -> String {
    let mut out = Vec::new();
    let (mut line, mut from, mut next) = (1, 0, 0);
    while let Some(first) = insertions.get(next) {
        line += old[from..first.at].matches('\n').count();
        from = first.at;
        let start = old[..from].rfind('\n').map_or(0, |end| end + 1);
        let end = old[from..].find('\n').map_or(old.len(), |end| from + end);
        let whole = first.text.ends_with(['\r', '\n']);
        let count = if whole { 1 } else { insertions[next..].iter().take_while(|one| one.at <= end).count() };
        let here = &insertions[next..next + count];
        next += count;
        out.push(format!("@@ line {line} @@"));
        let new = if whole {
            first.text.trim_matches(['\r', '\n']).to_owned()
        } else {
            out.push(format!("-{}", old[start..end].trim_end()));
            let moved = here.iter().map(|one| Insertion { at: one.at - start, text: one.text.clone() });
            config::inserted(&old[start..end], &moved.collect::<Vec<_>>())
        };
        out.extend(new.lines().map(|new| format!("+{new}")));
    }
    out.join("\n")
}

/// Puts new content in the place of a file in one step: a file beside it is written, synced and renamed over it, with
/// the same permissions. The file that a symbolic link leads to is replaced, not the link.
///
/// # Errors
/// The file no longer holds `old`, or cannot be written; then it stays as it is.
fn replace(path: &Path, old: &[u8], new: &[u8]) -> anyhow::Result<()> {
    let target = std::fs::canonicalize(path).with_context(|| format!("cannot find {}", path.display()))?;
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(format!(".import-{}", std::process::id()));
    let beside = target.with_file_name(name);
    let written = write_over(&target, &beside, old, new);
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written.with_context(|| format!("{} stays as it is", path.display()))
}

fn write_over(target: &Path, beside: &Path, old: &[u8], new: &[u8]) -> anyhow::Result<()> {
    let permissions = std::fs::metadata(target)?.permissions();
    anyhow::ensure!(!permissions.readonly(), "the file may not be written");
    let mut file = std::fs::File::create_new(beside).context("no file can be made beside it")?;
    file.set_permissions(permissions)?;
    file.write_all(new)?;
    file.sync_all()?;
    drop(file);
    let now = worker::read_config(target).map_err(anyhow::Error::msg)?;
    anyhow::ensure!(now == old, "it was changed while the import ran; import again");
    std::fs::rename(beside, target)?;
    // The rename itself lasts once the folder is synced; where folders cannot be, it lasts anyhow soon.
    if let Some(folder) = target.parent().and_then(|folder| std::fs::File::open(folder).ok()) {
        let _ = folder.sync_all();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dry_run_shows_whole_lines() {
        let at = |at, text: &str| Insertion { at, text: text.to_owned() };
        let old = "a: [b]\nc: d\ne: f";
        let shown = additions(old, &[at(3, "["), at(5, ", x]"), at(12, "n: 1\nm: 2\n"), at(16, "\nz: 3\n")]);
        assert_eq!(
            shown, "@@ line 1 @@\n-a: [b]\n+a: [[b, x]]\n@@ line 3 @@\n+n: 1\n+m: 2\n@@ line 3 @@\n+z: 3",
            "{shown}"
        );
    }

    #[test]
    fn a_file_is_replaced_in_one_step_or_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feeds.yaml");
        std::fs::write(&path, "old").unwrap();
        assert!(replace(&path, b"other", b"new").unwrap_err().root_cause().to_string().contains("was changed"));
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        replace(&path, b"old", b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert!(replace(&folder.path().join("none"), b"", b"").is_err());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[cfg(unix)]
    #[test]
    fn links_and_permissions_stay() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("real")).unwrap();
        std::fs::write(at("real/f.yaml"), "old").unwrap();
        std::fs::set_permissions(at("real/f.yaml"), std::fs::Permissions::from_mode(0o640)).unwrap();
        symlink("real/f.yaml", at("feeds.yaml")).unwrap();
        replace(&at("feeds.yaml"), b"old", b"new").unwrap();
        assert!(std::fs::symlink_metadata(at("feeds.yaml")).unwrap().is_symlink());
        assert_eq!(std::fs::read(at("real/f.yaml")).unwrap(), b"new");
        assert_eq!(std::fs::metadata(at("real/f.yaml")).unwrap().permissions().mode() & 0o777, 0o640);
        std::fs::set_permissions(at("real/f.yaml"), std::fs::Permissions::from_mode(0o440)).unwrap();
        assert!(replace(&at("feeds.yaml"), b"new", b"x").is_err(), "read-only files are meant to stay");
    }
}
