//! `heliu schema`: prints the JSON Schema of feeds.yaml, for editors.

use std::process::ExitCode;

pub(super) fn run() -> ExitCode {
    super::say(schema().trim_end());
    ExitCode::SUCCESS
}

/// The JSON Schema as indented JSON with a line end: the content of feeds.schema.json.
pub(crate) fn schema() -> String {
    format!("{:#}\n", crate::config::schema())
}
