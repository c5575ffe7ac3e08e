//! Metrics, and the log set-up: lines for people or JSON lines for machines, to standard error.
//!
//! Terminal control characters in logged values are escaped by the subscriber (since tracing-subscriber 0.3.20),
//! line breaks are set in by `records`, and JSON lines are escaped by JSON, so that a hostile title cannot forge a line.

mod metrics;
mod records;

pub use metrics::{ChannelGauge, ChannelSource, MOST_CHANNELS, Metrics, OPENMETRICS_TYPE, PROMETHEUS_TYPE};

use records::Records;
use std::io;
use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

/// What is logged when nothing is asked for: what an admin wants to know of Heliu, and only trouble of the rest.
pub const DEFAULT_FILTER: &str = "warn,heliu=info";

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter cannot be read.
    #[error("the log filter {filter:?} cannot be read: {error}. Write it like `info` or `warn,heliu::serve=debug`")]
    Filter {
        /// The filter.
        filter: String,
        /// What is wrong with it.
        error: ParseError,
    },
    /// Logging was set up before.
    #[error("logging is already set up: {0}")]
    Twice(#[from] TryInitError),
}

/// A subscriber that writes to `writer`. `filter` is a list of directives such as `warn,heliu=debug`.
///
/// # Errors
/// When the filter cannot be read.
pub fn subscriber<W>(
    format: LogFormat,
    filter: &str,
    writer: W,
) -> Result<Box<dyn Subscriber + Send + Sync>, TelemetryError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let parsed =
        EnvFilter::try_new(filter).map_err(|error| TelemetryError::Filter { filter: filter.to_owned(), error })?;
    let lines = tracing_subscriber::fmt().with_env_filter(parsed).with_writer(writer).with_ansi(false);
    Ok(match format {
        LogFormat::Human => Box::new(lines.map_writer(Records).finish()),
        LogFormat::Json => Box::new(lines.json().flatten_event(true).with_current_span(false).finish()),
    })
}

/// Logs to standard error from now on. `filter` is what the command line or the environment asked for;
/// [`DEFAULT_FILTER`] when it is `None` or empty.
///
/// # Errors
/// When the filter cannot be read, or logging was set up before.
pub fn init(format: LogFormat, filter: Option<&str>) -> Result<(), TelemetryError> {
    let filter = filter.map(str::trim).filter(|filter| !filter.is_empty()).unwrap_or(DEFAULT_FILTER);
    subscriber(format, filter, io::stderr)?.try_init()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: LogFormat, filter: &str) -> String {
        let sink = Sink::default();
        let writer = sink.clone();
        let subscriber = subscriber(format, filter, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(target: "heliu::worker", title = "a\u{1b}[31m\nb", "polled");
            tracing::info!(target: "hyper", "chatter");
            tracing::debug!(target: "heliu::worker", "detail");
        });
        String::from_utf8(sink.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn people_get_lines_and_machines_get_json() {
        let human = logged(LogFormat::Human, DEFAULT_FILTER);
        assert_eq!(human.lines().count(), 1, "{human}");
        assert!(human.contains("polled") && !human.contains('\u{1b}'), "{human:?}");
        let json = logged(LogFormat::Json, "info");
        let lines: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2, "{json}");
        assert_eq!(lines[0]["message"], "polled");
        assert_eq!(lines[0]["level"], "INFO");
    }

    #[test]
    fn a_wrong_filter_is_explained() {
        let error = subscriber(LogFormat::Human, "heliu=lots", io::sink).err().map(|e| e.to_string()).unwrap();
        assert!(error.contains("heliu=lots") && error.contains("heliu::serve=debug"), "{error}");
    }
}
