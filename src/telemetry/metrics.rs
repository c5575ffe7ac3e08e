//! What `/metrics` tells, in the OpenMetrics text format and in that of Prometheus 0.0.4.
//!
//! The names of states, outcomes and flaws are those of `/admin`, its JSON and the log lines.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// With more channels than this only their numbers by state are told, not each of them.
pub const MOST_CHANNELS: usize = 2000;

/// The content type of the OpenMetrics form.
pub const OPENMETRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The content type of the Prometheus form.
pub const PROMETHEUS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The upper bounds of the buckets for work of our own, in seconds.
const WORK: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0];
/// The upper bounds of the buckets for polls, in seconds.
const POLL: [f64; 10] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// One label.
type Label = [(&'static str, Cow<'static, str>); 1];
/// Counters told apart by one label.
type Counters = Family<Label, Counter>;

/// A channel as `/metrics` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelGauge {
    /// Its state.
    pub state: &'static str,
    /// When a poll last succeeded, in seconds since 1970.
    pub last_success: Option<i64>,
    /// When it is polled next, in seconds since 1970.
    pub next_poll: Option<i64>,
}

/// Everything that is counted. Counting never fails and hardly waits.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    polls: Counters,
    poll_seconds: Histogram,
    entries: Counters,
    flaws: Counters,
    incidents: Family<[(&'static str, &'static str); 2], Counter>,
    store_seconds: Histogram,
    publish_seconds: Histogram,
    /// File and log.
    store_bytes: [Gauge; 2],
    store_writable: Gauge,
    online: Gauge,
    /// By the first digit of the status; index 0 is 1xx.
    responses: [Counter; 5],
    lost_readings: Gauge,
    channels: Arc<Channels>,
}

/// Tells a visitor of each channel there is: its name and how it is doing.
pub type ChannelSource = Box<dyn Fn(&mut dyn FnMut(&str, ChannelGauge)) + Send + Sync>;

/// The channels. Who knows them is asked at each scrape: a second copy of very many would be large, and might differ.
#[derive(Default)]
struct Channels(OnceLock<ChannelSource>);

/// How long the process has been up.
#[derive(Debug)]
struct Uptime(Instant);

fn label(name: &'static str, value: impl Into<Cow<'static, str>>) -> Label {
    [(name, value.into())]
}

/// Registers a metric and hands it back.
fn known<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

impl Metrics {
    /// Nothing counted yet. The uptime counts from now.
    #[must_use]
    pub fn new(version: &'static str) -> Self {
        let mut registry = Registry::with_prefix("heliu");
        let r = &mut registry;
        let build = prometheus_client::metrics::info::Info::new([("version", version)]);
        r.register("build", "The version that runs", build);
        r.register_collector(Box::new(Uptime(Instant::now())));
        let channels = Arc::new(Channels::default());
        r.register_collector(Box::new(Arc::clone(&channels)));
        let polls = known(
            r,
            "polls",
            "Polls by how they ended: changed, unchanged, failed, unrecorded, offline",
            Counters::default(),
        );
        let seconds = |bounds: [f64; 10]| Histogram::new(bounds);
        let poll_seconds = known(r, "poll_duration_seconds", "How long polls took, fetching included", seconds(POLL));
        let entries = known(r, "entries", "Entries that polls recorded, by what became of them", Counters::default());
        let flaws = known(r, "flaws", "Polls that found a flaw, by its code", Counters::default());
        let incidents =
            known(r, "incidents", "Incidents by kind and by what happened: opened, closed", Family::default());
        let store_seconds = known(r, "store_write_duration_seconds", "How long recording one poll took", seconds(WORK));
        let publish_seconds =
            known(r, "publish_duration_seconds", "How long it took to publish what a poll changed", seconds(WORK));
        let store_bytes = [
            known(r, "store_file_bytes", "The size of the ledger's file", Gauge::default()),
            known(r, "store_log_bytes", "The size of the write-ahead log beside it", Gauge::default()),
        ];
        let store_writable = known(r, "store_writable", "1 while polls can be recorded, else 0", Gauge::default());
        let online = known(r, "online", "0 while no site can be reached, else 1", Gauge::default());
        online.set(1);
        let help = "Documents that take too long to read and were given up, but are still being read";
        let lost_readings = known(r, "lost_readings", help, Gauge::default());
        let responses = Counters::default();
        r.register("http_responses", "Answers by the class of their status", responses.clone());
        let responses =
            ["1xx", "2xx", "3xx", "4xx", "5xx"].map(|class| responses.get_or_create_owned(&label("class", class)));
        Self {
            registry,
            polls,
            poll_seconds,
            entries,
            flaws,
            incidents,
            store_seconds,
            publish_seconds,
            store_bytes,
            store_writable,
            online,
            responses,
            lost_readings,
            channels,
        }
    }

    /// Counts a poll: how it ended and how long it took.
    pub fn polled(&self, outcome: &'static str, took: Duration) {
        self.polls.get_or_create(&label("outcome", outcome)).inc();
        self.poll_seconds.observe(took.as_secs_f64());
    }

    /// Counts recorded entries; `change` says what became of them.
    pub fn entries(&self, change: &'static str, count: usize) {
        if count > 0 {
            self.entries.get_or_create(&label("change", change)).inc_by(count as u64);
        }
    }

    /// Counts a poll that found flaws of this code.
    pub fn flaw(&self, code: &'static str) {
        self.flaws.get_or_create(&label("code", code)).inc();
    }

    /// Counts an incident that was `opened` or `closed`.
    pub fn incident(&self, state: &'static str, event: &'static str) {
        self.incidents.get_or_create(&[("state", state), ("event", event)]).inc();
    }

    /// Notes how long recording a poll took.
    pub fn stored(&self, took: Duration) {
        self.store_seconds.observe(took.as_secs_f64());
    }

    /// Notes how long publishing took.
    pub fn published(&self, took: Duration) {
        self.publish_seconds.observe(took.as_secs_f64());
    }

    /// Says how large the store's files are, in bytes.
    pub fn sized(&self, file: u64, log: u64) {
        for (gauge, bytes) in self.store_bytes.iter().zip([file, log]) {
            gauge.set(i64::try_from(bytes).unwrap_or(i64::MAX));
        }
    }

    /// Says whether polls can be recorded.
    pub fn writable(&self, writable: bool) {
        self.store_writable.set(writable.into());
    }

    /// Notes whether there is a network.
    pub fn online(&self, online: bool) {
        self.online.set(online.into());
    }

    /// Says how many documents are being read although they were given up.
    pub fn lost_readings(&self, count: usize) {
        self.lost_readings.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Counts an answer.
    pub fn answered(&self, status: u16) {
        if let Some(counter) = usize::from(status / 100).checked_sub(1).and_then(|class| self.responses.get(class)) {
            counter.inc();
        }
    }

    /// Says who knows which channels there are and how they are doing. Only the first one is asked.
    pub fn set_channels(&self, source: ChannelSource) {
        let _ = self.channels.0.set(source);
    }

    /// Everything as text in the OpenMetrics format.
    #[must_use]
    pub fn openmetrics(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// Everything as text in the format of Prometheus 0.0.4: there counters are described under their full name, and
    /// an info is a gauge.
    #[must_use]
    pub fn prometheus(&self) -> String {
        let text = self.openmetrics();
        let mut kinds = BTreeMap::new();
        for line in text.lines() {
            if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
                kinds.insert(name, kind);
            }
        }
        let mut out = String::with_capacity(text.len());
        for line in text.lines().filter(|line| *line != "# EOF") {
            out.push_str(&described(line, &kinds).unwrap_or_else(|| line.to_owned()));
            out.push('\n');
        }
        out
    }
}

/// A line of description as Prometheus 0.0.4 has it; `None` when it is the same.
fn described(line: &str, kinds: &BTreeMap<&str, &str>) -> Option<String> {
    let mut parts = line.splitn(4, ' ');
    let (hash, what, name, rest) = (parts.next()?, parts.next()?, parts.next()?, parts.next().unwrap_or(""));
    let (ending, kind) = match *kinds.get(name).filter(|_| hash == "#" && ["HELP", "TYPE"].contains(&what))? {
        "counter" => ("_total", "counter"),
        "info" => ("_info", "gauge"),
        _ => return None,
    };
    Some(format!("# {what} {name}{ending} {}", if what == "TYPE" { kind } else { rest }))
}

impl fmt::Debug for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Channels")
    }
}

impl Channels {
    /// How many channels there are of each state, and each of them by name, unless there are too many.
    fn ask(&self) -> (BTreeMap<&'static str, i64>, Option<BTreeMap<String, ChannelGauge>>) {
        let mut counts: BTreeMap<&'static str, i64> = BTreeMap::new();
        let mut all = Some(BTreeMap::new());
        if let Some(source) = self.0.get() {
            source(&mut |id, gauge| {
                *counts.entry(gauge.state).or_default() += 1;
                all = all.take().filter(|all| all.len() < MOST_CHANNELS);
                if let Some(all) = &mut all {
                    all.insert(id.to_owned(), gauge);
                }
            });
        }
        (counts, all)
    }
}

impl Collector for Channels {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let (counts, all) = self.ask();
        let help = "Channels by state";
        let mut totals = encoder.encode_descriptor("channels", help, None, MetricType::Gauge)?;
        for (state, count) in &counts {
            totals.encode_family(&[("state", *state)])?.encode_gauge(count)?;
        }
        let Some(all) = all else { return Ok(()) };
        let help = "1 for the state that a channel is in; the other states are left out";
        let mut states = encoder.encode_descriptor("channel_state", help, None, MetricType::Gauge)?;
        for (id, gauge) in &all {
            states.encode_family(&[("channel", id.as_str()), ("state", gauge.state)])?.encode_gauge(&1i64)?;
        }
        let (done, next) = ("When a poll of the channel last succeeded", "When the channel is polled next");
        let instant = |gauge: &ChannelGauge| gauge.last_success;
        instants(&mut encoder, "channel_last_success_timestamp_seconds", done, &all, instant)?;
        instants(&mut encoder, "channel_next_poll_timestamp_seconds", next, &all, |gauge| gauge.next_poll)
    }
}

fn instants(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    all: &BTreeMap<String, ChannelGauge>,
    instant: impl Fn(&ChannelGauge) -> Option<i64>,
) -> Result<(), fmt::Error> {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (id, gauge) in all {
        if let Some(at) = instant(gauge) {
            metric.encode_family(&[("channel", id.as_str())])?.encode_gauge(&at)?;
        }
    }
    Ok(())
}

impl Collector for Uptime {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let help = "For how long the process has been up";
        let mut metric = encoder.encode_descriptor("uptime_seconds", help, None, MetricType::Gauge)?;
        metric.encode_gauge(&self.0.elapsed().as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(channels: usize) -> Metrics {
        let metrics = Metrics::new("0.0.0-test");
        metrics.polled("changed", Duration::from_millis(70));
        metrics.polled("failed", Duration::from_secs(90));
        metrics.entries("new", 3);
        metrics.entries("updated", 0);
        metrics.flaw("no-layout-fits");
        metrics.incident("drifted", "opened");
        metrics.stored(Duration::from_millis(2));
        metrics.published(Duration::from_millis(20));
        metrics.sized(8192, 32);
        metrics.writable(true);
        for status in [200, 304, 404, 503, 200, 99, 700, 0] {
            metrics.answered(status);
        }
        let gauge = |n: usize| ChannelGauge {
            state: if n == 0 { "failing" } else { "fresh" },
            last_success: Some(1_795_000_000),
            next_poll: None,
        };
        metrics.set_channels(Box::new(move |visit| (0..channels).for_each(|n| visit(&format!("c{n}"), gauge(n)))));
        metrics
    }

    #[test]
    fn everything_is_told_under_its_name() {
        let text = filled(3).openmetrics();
        for line in [
            "heliu_build_info{version=\"0.0.0-test\"} 1",
            "heliu_polls_total{outcome=\"changed\"} 1",
            "heliu_poll_duration_seconds_count 2",
            "heliu_poll_duration_seconds_bucket{le=\"+Inf\"} 2",
            "heliu_poll_duration_seconds_bucket{le=\"60.0\"} 1",
            "heliu_entries_total{change=\"new\"} 3",
            "heliu_flaws_total{code=\"no-layout-fits\"} 1",
            "heliu_incidents_total{state=\"drifted\",event=\"opened\"} 1",
            "heliu_store_file_bytes 8192",
            "heliu_store_log_bytes 32",
            "heliu_store_writable 1",
            "heliu_http_responses_total{class=\"2xx\"} 2",
            "heliu_http_responses_total{class=\"1xx\"} 0",
            "heliu_channels{state=\"fresh\"} 2",
            "heliu_channel_state{channel=\"c0\",state=\"failing\"} 1",
            "heliu_channel_last_success_timestamp_seconds{channel=\"c2\"} 1795000000",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(text.contains("heliu_uptime_seconds ") && text.ends_with("# EOF\n"), "{text}");
        assert!(!text.contains("updated\""), "{text}");
    }

    #[test]
    fn very_many_channels_are_only_counted() {
        let text = filled(MOST_CHANNELS + 1).openmetrics();
        assert!(text.contains("heliu_channels{state=\"fresh\"} 2000") && !text.contains("channel=\""), "{text}");
        assert!(filled(MOST_CHANNELS).openmetrics().contains("channel=\"c1999\""));
    }

    #[test]
    fn the_older_format_has_its_own_descriptions() {
        let text = filled(1).prometheus();
        for line in [
            "# TYPE heliu_polls_total counter",
            "# TYPE heliu_build_info gauge",
            "# TYPE heliu_channels gauge",
            "# TYPE heliu_poll_duration_seconds histogram",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(text.contains("# HELP heliu_polls_total Polls by how") && !text.contains("# EOF"), "{text}");
    }
}
