//! How to fetch.

use super::dial::{Dial, Resolve, SystemDial, SystemResolve};
use ipnet::IpNet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// How long each step of a fetch may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Name → addresses.
    pub dns: Duration,
    /// Address → connection.
    pub connect: Duration,
    /// The TLS handshake.
    pub tls: Duration,
    /// Request → the end of the answer's headers.
    pub first_byte: Duration,
    /// The pause between two pieces of a body.
    pub idle: Duration,
    /// Everything together, redirects included; waiting for a host's turn is not counted.
    pub total: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        let [dns, connect, tls, first_byte, idle, total] = [5, 5, 5, 15, 10, 30].map(Duration::from_secs);
        Self { dns, connect, tls, first_byte, idle, total }
    }
}

/// How to fetch.
#[derive(Clone)]
pub struct Options {
    /// Sent as `User-Agent`.
    pub user_agent: String,
    /// Networks that may be fetched from although they are not public; there any port goes and nobody waits.
    pub allow_networks: Vec<IpNet>,
    /// How long each step may take.
    pub deadlines: Deadlines,
    /// The pause between two requests to one host and port.
    pub host_gap: Duration,
    /// The most redirects in a row.
    pub max_redirects: usize,
    /// The ports of public hosts that may be connected to.
    pub ports: Vec<u16>,
    /// Turns names into addresses.
    pub resolver: Arc<dyn Resolve>,
    /// Connects to checked addresses.
    pub dialer: Arc<dyn Dial>,
    /// Trust other certificates than the web's; its ALPN is replaced. `None`: the web's.
    pub tls: Option<rustls::ClientConfig>,
    /// The time of day, for dates in headers.
    pub time: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    /// Yields numbers from 0 to 1 that spread pauses.
    pub chance: Arc<dyn Fn() -> f64 + Send + Sync>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            user_agent: concat!("heliu/", env!("CARGO_PKG_VERSION")).to_owned(),
            allow_networks: Vec::new(),
            deadlines: Deadlines::default(),
            host_gap: Duration::from_secs(1),
            max_redirects: 5,
            ports: vec![80, 443],
            resolver: Arc::new(SystemResolve),
            dialer: Arc::new(SystemDial),
            tls: None,
            time: Arc::new(SystemTime::now),
            chance: Arc::new(rand::random),
        }
    }
}
