//! Mistakes in feeds.yaml, and how they are printed: with the line of the file under them.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde_yaml::Location;
use std::fmt::Write as _;

/// How much a diagnostic matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    /// The file is not used.
    Error,
    /// The file is used, though something in it is probably not meant.
    Warning,
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How much it matters.
    pub severity: Severity,
    /// Where in the file's structure, such as `channels.shiping.layouts[1]`; empty for the file itself.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The number of characters that are underlined, at least 1, never past the end of the line.
    pub width: usize,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do about it, in one line.
    pub help: Option<String>,
}

/// A place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// From 1. A file has far fewer lines and characters than a `u32` counts.
    pub(super) line: u32,
    /// In characters, from 1.
    pub(super) column: u32,
    /// In characters.
    pub(super) width: u32,
}

impl Place {
    /// The first character of the file.
    pub(super) const START: Self = Self { line: 1, column: 1, width: 1 };

    /// One character.
    pub(super) fn point(line: usize, column: usize) -> Self {
        Self { line: number(line), column: number(column), width: 1 }
    }

    pub(super) fn of(location: Location) -> Self {
        Self { line: number(location.line()), column: number(location.column()), width: number(location.span().len()) }
    }
}

fn number(value: impl TryInto<u32>) -> u32 {
    value.try_into().unwrap_or(1).max(1)
}

impl Diagnostic {
    pub(super) fn error(path: &str, place: Place, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            path: path.to_owned(),
            line: place.line as usize,
            column: place.column as usize,
            width: place.width as usize,
            message: message.into(),
            help: None,
        }
    }

    pub(super) fn warning(path: &str, place: Place, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(path, place, message) }
    }

    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// The most diagnostics that are printed; the rest is counted.
const MAX_SHOWN: usize = 100;
/// The longest piece of a line that is printed, in characters.
const MAX_LINE: usize = 200;

/// Prints diagnostics for people, each with its line of `text`; with ANSI colours if `colour`.
/// Empty if there are none.
#[must_use]
pub fn render_diagnostics(diagnostics: &[Diagnostic], text: &str, file_name: &str, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let lines: Vec<&str> = text.strip_prefix('\u{feff}').unwrap_or(text).lines().collect();
    let file_name = plain(file_name);
    let mut out = String::new();
    for diagnostic in diagnostics.iter().take(MAX_SHOWN) {
        let line = lines.get(diagnostic.line - 1).copied().unwrap_or_default();
        out += &renderer.render(&[report(diagnostic, line, &file_name).as_group()]);
        out += "\n\n";
    }
    if let Some(rest) = diagnostics.len().checked_sub(MAX_SHOWN + 1) {
        let _ = writeln!(out, "… and {} more\n", rest + 1);
    }
    out
}

/// What one diagnostic prints, owned, since the renderer only borrows.
struct Report<'a> {
    level: Level<'static>,
    title: String,
    file_name: &'a str,
    line: usize,
    source: String,
    range: std::ops::Range<usize>,
    help: Option<String>,
}

fn report<'a>(diagnostic: &Diagnostic, line: &str, file_name: &'a str) -> Report<'a> {
    let (source, range) = excerpt(line, diagnostic.column, diagnostic.width);
    let title = match diagnostic.path.as_str() {
        "" => plain(&diagnostic.message),
        path => plain(&format!("{path}: {}", diagnostic.message)),
    };
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let help = diagnostic.help.as_deref().map(plain);
    Report { level, title, file_name, line: diagnostic.line, source, range, help }
}

impl Report<'_> {
    fn as_group(&self) -> annotate_snippets::Group<'_> {
        let snippet = Snippet::source(self.source.as_str())
            .line_start(self.line)
            .path(self.file_name)
            .annotation(AnnotationKind::Primary.span(self.range.clone()));
        let group = self.level.clone().primary_title(self.title.as_str()).element(snippet);
        match &self.help {
            Some(help) => group.element(Level::HELP.message(help.as_str())),
            None => group,
        }
    }
}

/// The part of `line` that is shown and the bytes of it that are underlined. Long lines are cut behind,
/// so that columns stay true.
fn excerpt(line: &str, column: usize, width: usize) -> (String, std::ops::Range<usize>) {
    let shown = (column + width).max(MAX_LINE).min(column + MAX_LINE);
    let source: String = line.chars().take(shown).map(|c| if c.is_control() && c != '\t' { ' ' } else { c }).collect();
    let offset = |chars: usize| source.char_indices().nth(chars).map_or(source.len(), |(at, _)| at);
    let (start, end) = (offset(column - 1), offset(column - 1 + width.max(1)));
    (source, start..end)
}

/// Without characters that could move a terminal's cursor.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
