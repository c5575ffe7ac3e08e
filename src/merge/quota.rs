//! Which entries a feed has room for.

use crate::config::FeedSpec;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{HashMap, HashSet};

/// Keeps the newest, at most `limit` in all and `quota` of each channel; `sorted` is newest first. With a quota
/// each channel keeps its newest entry, as far as the limit goes. `of` tells place and publication. Fitting what
/// fits changes nothing.
pub(super) fn fit<T>(spec: &FeedSpec, sorted: Vec<T>, of: impl Fn(&T) -> (usize, DateTime<Utc>)) -> Vec<T> {
    let newest = sorted.first().map(|one| of(one).1);
    let age = spec.max_age.and_then(|age| TimeDelta::from_std(age).ok());
    let oldest = newest.zip(age).and_then(|(newest, age)| newest.checked_sub_signed(age));
    let mut counts: HashMap<usize, usize> = HashMap::new();
    let mut kept = sorted;
    kept.retain(|one| {
        let count = counts.entry(of(one).0).or_default();
        let stays = oldest.is_none_or(|oldest| of(one).1 >= oldest) && spec.quota.is_none_or(|most| *count < most);
        *count += usize::from(stays);
        stays
    });
    if spec.quota.is_none() || kept.len() <= spec.limit {
        kept.truncate(spec.limit);
        return kept;
    }
    let mut seen = HashSet::new();
    let firsts: Vec<bool> = kept.iter().map(|one| seen.insert(of(one).0)).collect();
    let mut room = spec.limit.saturating_sub(seen.len());
    let mut firsts = firsts.into_iter();
    kept.retain(|_| {
        let is_first = firsts.next().unwrap_or(false);
        let stays = is_first || room > 0;
        room -= usize::from(!is_first && stays);
        stays
    });
    kept.truncate(spec.limit);
    kept
}
