//! `heliu check`: prints every mistake in a feeds.yaml.

use crate::config::{Severity, Validators, load_bytes, render_diagnostics};
use crate::worker;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, Clone, clap::Args)]
pub(super) struct Args {
    /// The file to check
    #[arg(env = "HELIU_CONFIG", default_value = "feeds.yaml", value_name = "FILE")]
    file: PathBuf,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let bytes = worker::read_config(&args.file).map_err(anyhow::Error::msg)?;
    let folder = args.file.parent().unwrap_or_else(|| Path::new(""));
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let (told, code) = check(&bytes, &args.file.display().to_string(), folder, worker::strict_validators(), colour);
    super::say_error(told.trim_end());
    Ok(if code == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Checks the bytes of a feeds.yaml. Answers with the text for standard error and the exit code:
/// 0 if the file can be used (warnings allowed), 1 otherwise.
fn check(bytes: &[u8], file_name: &str, folder: &Path, validators: Validators, colour: bool) -> (String, i32) {
    let loaded = load_bytes(bytes, file_name, folder, &validators);
    let out = render_diagnostics(&loaded.diagnostics, &String::from_utf8_lossy(bytes), file_name, colour);
    let warnings = loaded.diagnostics.iter().filter(|found| found.severity == Severity::Warning).count();
    let mistakes = loaded.diagnostics.len() - warnings;
    let name: String = file_name.chars().filter(|c| !c.is_control()).collect();
    let tail = if warnings == 0 { String::new() } else { format!(", {}", counted(warnings, "warning")) };
    let Some(config) = loaded.config else {
        return (format!("{out}{name}: {}{tail}\n", counted(mistakes, "mistake")), 1);
    };
    let (channels, feeds) = (counted(config.channels.len(), "channel"), counted(config.feeds.len(), "feed"));
    (format!("{out}{name}: {channels}, {feeds}, no mistakes{tail}\n"), 0)
}

fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_it_found() {
        let good = "service: { title: T, base_url: 'http://a.example' }\nchannels: { n: { feed: 'http://b.example/' } }\nfeeds: { n: { channels: [n] } }\n";
        let unused = good.replace("channels: { n:", "channels: { m: { feed: 'http://c.example/' }, n:");
        for (text, code, last) in [
            (good, 0, "f.yaml: 1 channel, 1 feed, no mistakes"),
            (unused.as_str(), 0, "f.yaml: 2 channels, 1 feed, no mistakes, 1 warning"),
            ("service: 1", 1, "f.yaml: 3 mistakes"),
            ("\u{1}", 1, "f.yaml: 1 mistake"),
        ] {
            let (out, exit) = check(text.as_bytes(), "f.yaml", Path::new(""), Validators::default(), false);
            assert_eq!((out.lines().last(), exit), (Some(last), code), "{out}");
        }
        let page = "n: { page: 'http://b.example/', layouts: [l], snapshot: { file: snapshots/none.html, url: 'http://b.example/' } }";
        let lost = good.replace("n: { feed: 'http://b.example/' }", page)
            + "layouts: { l: { entry: li, title: a, link: a } }\n";
        for (text, code, said) in [
            (lost.clone(), 1, "f.yaml:2:77"),
            (lost.clone(), 1, "\"snapshots/none.html\" cannot be read"),
            (lost.replace("none.html", "article-2019-12-10.shtml"), 0, "no mistakes"),
        ] {
            let (out, exit) =
                check(text.as_bytes(), "f.yaml", Path::new("/nowhere"), worker::strict_validators(), false);
            assert!(exit == code && out.contains(said), "{said}: {out}");
        }
        let (out, exit) = check(b"\xff", "f.yaml", Path::new(""), Validators::default(), false);
        assert!(exit == 1 && out.contains("not UTF-8"), "{out}");
    }
}
