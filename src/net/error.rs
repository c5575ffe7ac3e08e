//! How failures are told: one line, without secrets, with what to do about it.

use super::types::{FetchError, FetchErrorKind};
use url::Url;

/// The longest message in characters; what servers write into it is cut.
const LONGEST: usize = 400;

/// A failure on its way through the HTTP library, which hands it back as an error's source.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub(super) struct Failure {
    /// The class.
    pub(super) kind: FetchErrorKind,
    /// What happened and what to do.
    pub(super) message: String,
    /// Whether somebody had taken the connection.
    pub(super) reached: bool,
}

impl Failure {
    /// A failure of class `kind`.
    pub(super) fn new(kind: FetchErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), reached: false }
    }

    /// The failure of a connection that somebody had taken.
    pub(super) fn reached(self) -> Self {
        Self { reached: true, ..self }
    }

    /// The failure as the error of a fetch of `url`.
    pub(super) fn at(self, url: &Url) -> FetchError {
        FetchError {
            kind: self.kind,
            url: one_line(&shown(url)),
            message: one_line(&self.message),
            status: None,
            retry_after: None,
            reached: self.reached,
        }
    }
}

/// The address without user information and fragment.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // These fail only for addresses that cannot hold user information, such as `mailto:`.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    url.into()
}

/// Text without control characters (line breaks, terminal escapes, bidi overrides), cut to a bearable length.
pub(super) fn one_line(text: &str) -> String {
    let hidden = |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut line: String = text.chars().take(LONGEST).map(|c| if hidden(c) { ' ' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line
}

/// The innermost [`Failure`] of a chain of errors, else the whole chain as text.
pub(super) fn find(error: &(dyn std::error::Error + 'static)) -> Result<Failure, String> {
    let mut told = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(failure) = error.downcast_ref::<Failure>() {
            return Ok(failure.clone());
        }
        told.push(error.to_string());
        next = error.source();
    }
    told.dedup();
    Err(told.join(": "))
}
