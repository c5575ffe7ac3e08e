//! feeds.yaml into use: at the start, and again whenever it changes.

use super::publisher::Scope;
use super::service::{Current, Reloaded, Service, lock};
use crate::config::{self, Config};
use crate::model::ChannelId;
use crate::net::Client;
use crate::publish::ConfigStatus;
use std::collections::BTreeSet;
use std::sync::Arc;

impl Service {
    /// Puts the content of feeds.yaml in use, or keeps the last good configuration and says why.
    pub async fn reload(&self, content: Result<Vec<u8>, String>) -> Reloaded {
        let loaded = content.and_then(|bytes| load(&bytes, &self.config_path));
        match loaded {
            Ok(config) => Reloaded::Applied(self.apply(config).await),
            Err(diagnostics) => {
                let before = self.status.load_full();
                let rejected = Some((self.clock.now(), diagnostics.clone()));
                let status = Arc::new(ConfigStatus { rejected, ..(*before).clone() });
                self.status.store(Arc::clone(&status));
                self.publisher.restate(&status).await;
                tracing::error!("feeds.yaml was rejected, the last good one stays in use:\n{diagnostics}");
                Reloaded::Rejected(diagnostics)
            }
        }
    }

    async fn apply(&self, config: Config) -> config::Diff {
        let before = self.current.load_full();
        let diff = config::diff(&before.config, &config);
        let same = *before.config == config;
        if before.config.service != config.service {
            configure(&self.client, &config);
        }
        let touched: BTreeSet<ChannelId> = diff.channels.added.iter().chain(&diff.channels.changed).cloned().collect();
        let fresh: Vec<_> = config.channels.iter().filter(|channel| touched.contains(&channel.id)).cloned().collect();
        self.current.store(Arc::new(Current { config: Arc::new(config) }));
        let status =
            ConfigStatus { path: self.config_path.display().to_string(), loaded: self.clock.now(), rejected: None };
        self.status.store(Arc::new(status));
        if same {
            // A comment, white space, or a mistake taken back: nothing to do but to say so.
            self.publisher.restate(&self.status.load_full()).await;
            tracing::info!("feeds.yaml was reloaded: it says what it said before");
            return diff;
        }
        self.take_snapshots(&fresh).await;
        self.release_held(&fresh).await;
        if let Err(error) = self.publish(Scope::All).await {
            tracing::error!(%error, "not every feed could be published after the reload; the old documents stay");
        }
        // A channel that comes back after it was removed keeps its schedule; one that reads other pages
        // or reads them differently is looked at now.
        let reread = self.recall(&fresh).await.unwrap_or_else(|error| {
            tracing::error!(%error, "how the new channels were read before cannot be read; they wait for their turn");
            BTreeSet::new()
        });
        lock(&self.tending.owed).extend(reread);
        self.make_plan();
        self.forget_removed();
        self.publish_incidents().await;
        tracing::info!(?diff, "feeds.yaml was reloaded");
        diff
    }
}

impl Service {
    /// Forgets the channels that are not in feeds.yaml any more. The ledger does not.
    fn forget_removed(&self) {
        // Locked in the order in which `take_due` does.
        let mut briefs = lock(&self.briefs);
        let plan = lock(&self.plan);
        briefs.retain(|id, _| plan.knows(id));
        lock(&self.incidents).retain(|id, _| plan.knows(id));
        lock(&self.tending.owed).retain(|id| plan.knows(id));
    }
}

/// Reads a configuration; mistakes come back as the printed diagnostics, doubts go to the log.
pub(super) fn load(bytes: &[u8], path: &std::path::Path) -> Result<Config, String> {
    let name = path.display().to_string();
    let folder = path.parent().unwrap_or_else(|| std::path::Path::new(""));
    let loaded = config::load_bytes(bytes, &name, folder, &super::validators());
    let text = String::from_utf8_lossy(bytes);
    let told = config::render_diagnostics(&loaded.diagnostics, &text, &name, false);
    match loaded.config {
        Some(config) => {
            if !told.is_empty() {
                tracing::warn!("feeds.yaml:\n{told}");
            }
            Ok(config)
        }
        None => Err(told),
    }
}

/// Tells the client what feeds.yaml says about fetching.
pub(super) fn configure(client: &Client, config: &Config) {
    client.set_allow_networks(config.service.allow_networks.clone());
    client.set_user_agent(&super::user_agent(config.service.contact.as_ref()));
}
