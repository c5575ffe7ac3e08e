//! Due → fetch → the pure pipeline → store → publish; and the hot reload of feeds.yaml.
//!
//! [`Service`] holds the parts together. One poll goes through `poll`, which asks `listing` (for feeds `external`, for next pages `further`) for the list
//! and `articles` for the pages behind it; `errand` does the fetching of one run, `agenda` takes what is due, `plan` knows which
//! channels are polled together and when, `slots` who has to wait for whom, `rests` which hosts are left alone, `ready` which addresses may be asked, `moves` which addresses have moved, `publisher` turns the ledger into the published set (`drafts`: what is written of it), `watch`
//! notices edits of feeds.yaml, `snapshot` reads the bundled pages, `preview` shows without recording, `outcome` what a poll means for the next one,
//! `health` notes how the channel is doing, `brief` what is remembered of it while it rests, `upkeep` publishes and takes snapshots, `tend` looks after clock and store, `kept` keeps merged feeds ready,
//! `readers` the threads on which documents are read, `given_up` what becomes of a poll that met its end there, `explain` what rules and duplicates made of each entry.

mod agenda;
mod articles;
mod brief;
mod clock;
mod drafts;
mod errand;
mod explain;
mod external;
mod further;
mod given_up;
mod health;
mod kept;
mod listing;
mod moves;
mod outcome;
mod plan;
mod poll;
mod preview;
mod publisher;
mod readers;
mod ready;
mod reload;
mod rests;
mod service;
mod slots;
mod snapshot;
mod tend;
mod upkeep;
mod watch;

pub use clock::{Clock, SystemClock};
pub use explain::{Explained, Fate};
pub use preview::{
    Document as PreviewDocument, Preview, PreviewError, channels as preview_channels, document as preview_document,
    url as preview_url,
};
pub use service::{Reloaded, Service, Setup, StartError};
pub use snapshot::bundled;
pub use watch::{LOOK_EVERY, Watch, read as read_config};

use crate::{config, extract};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use url::Url;

/// What `config` asks other rooms about selectors.
#[must_use]
pub fn validators() -> config::Validators {
    config::Validators { selector: extract::check_selector, ..config::Validators::default() }
}

/// The same, and whether the files are there that feeds.yaml names. For `heliu check` alone: a service whose
/// snapshot was lost starts all the same and says so in `/admin`.
#[must_use]
pub fn strict_validators() -> config::Validators {
    config::Validators { file: snapshot::is_there, ..validators() }
}

/// The `User-Agent` (row P-14): who we are and where to read about us.
#[must_use]
pub fn user_agent(contact: Option<&Url>) -> String {
    let version = env!("CARGO_PKG_VERSION");
    contact.map_or_else(|| format!("Heliu/{version}"), |page| format!("Heliu/{version} (+{page})"))
}

/// Reloads feeds.yaml whenever it changes, until `shutdown`; SIGHUP makes it look at once.
pub async fn watch(service: Arc<Service>, hang_up: Arc<tokio::sync::Notify>, shutdown: CancellationToken) {
    let Some(mut watch) = service.take_watch() else { return };
    let mut every = tokio::time::interval(LOOK_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let now = tokio::select! {
            () = shutdown.cancelled() => return,
            () = hang_up.notified() => true,
            _ = every.tick() => false,
        };
        // On a blocking thread: a network file system may let us wait.
        let content;
        (watch, content) = listing::compute(move || {
            let content = if now { watch.look_now() } else { watch.look() };
            (watch, content)
        })
        .await;
        if let Some(content) = content {
            service.reload(content).await;
        }
    }
}
