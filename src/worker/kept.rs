//! Feeds that are kept ready between publications, so that one new entry does not cost what all entries cost.

use super::listing::compute;
use crate::config::{Channel, FeedSpec};
use crate::merge::{self, Merger};
use crate::model::{ChannelId, Feed, FeedId};
use crate::store::{Store, StoreError};
use std::collections::{BTreeSet, HashMap};

/// More records than this are compared on a thread of their own.
const MANY: usize = 200;

/// The feeds that are kept ready.
#[derive(Default)]
pub(super) struct Kept(HashMap<FeedId, Merger>);

impl Kept {
    /// Forgets feeds that are not published any more.
    pub(super) fn retain(&mut self, is_published: impl Fn(&FeedId) -> bool) {
        self.0.retain(|id, _| is_published(id));
    }

    /// The feed as the ledger has it now; `None` if it cannot be kept ready. `touched` are the channels that may have
    /// changed since the last time, `None` for all of them.
    ///
    /// # Errors
    /// The ledger failed; the feed is made from nothing the next time.
    pub(super) async fn feed(
        &mut self,
        store: &dyn Store,
        (spec, members): (&FeedSpec, &[&Channel]),
        touched: Option<&BTreeSet<ChannelId>>,
    ) -> Result<Option<Feed>, StoreError> {
        // Whatever goes wrong from here on, a half-way merger is not kept.
        let old = self.0.remove(&spec.id).filter(|merger| merger.is_for(spec, members));
        let touched = touched.filter(|_| old.is_some());
        let Some(mut merger) = old.or_else(|| Merger::new(spec, members)) else { return Ok(None) };
        for (place, channel) in members.iter().enumerate() {
            if touched.is_none_or(|ids| ids.contains(&channel.id)) {
                merger = look(store, merger, place, (spec, channel)).await?;
            }
        }
        let missing;
        (merger, missing) = compute(move || {
            let missing = merger.choose();
            (merger, missing)
        })
        .await;
        for (place, numbers) in missing {
            merger.supply(place, &store.records(&members[place].id, &numbers).await?);
        }
        let feed = merger.feed(store.created().await?);
        self.0.insert(spec.id.clone(), merger);
        Ok(Some(feed))
    }
}

/// Tells the merger what the ledger holds of one channel.
///
/// It sees the newest `reach` entries, and so many more as were recorded since their number was last a multiple of
/// `reach`: a new entry then pushes none out, but for once in `reach`. It depends on nothing but the ledger, so
/// that a restart publishes the same bytes.
async fn look(
    store: &dyn Store,
    mut merger: Merger,
    place: usize,
    (spec, channel): (&FeedSpec, &Channel),
) -> Result<Merger, StoreError> {
    let (id, policy) = (&channel.id, channel.trust.withdrawn);
    let reach = merge::reach(spec, channel).max(1);
    let more = store.count(id).await? % reach as u64;
    let limit = reach + usize::try_from(more).unwrap_or(0);
    let marks = store.marks(id, limit, policy).await?;
    let numbers = merger.look(place, &marks);
    let records = match numbers.len() {
        0 => return Ok(merger),
        all if all == marks.len() => store.latest_under(id, limit, policy).await?,
        _ => store.records(id, &numbers).await?,
    };
    if records.len() <= MANY {
        merger.learn(place, &records);
        return Ok(merger);
    }
    Ok(compute(move || {
        merger.learn(place, &records);
        merger
    })
    .await)
}
