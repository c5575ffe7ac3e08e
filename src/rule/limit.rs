//! `limit`: at most so many entries.
//!
//! ```yaml
//! rules:
//!   - limit: 20
//! ```

use super::{Act, Mistake, Value};
use crate::model::{ConfigKey, ConfigKind, Record, key};
use std::sync::Arc;

pub(super) const KEY: ConfigKey = key(
    "limit",
    ConfigKind::Count(1, 500),
    "Keeps at most so many entries: the newest, or the first by a `sort` before it. Counts what all other rules left.",
    "20",
);

#[derive(Debug)]
struct Limit(usize);

pub(super) fn make(value: &Value) -> Result<Arc<dyn Act>, Mistake> {
    let Value::Count(most) = value else { return Err(Mistake::new("`limit` needs a number", "such as `limit: 20`")) };
    Ok(Arc::new(Limit(usize::try_from(*most).unwrap_or(usize::MAX))))
}

impl Act for Limit {
    fn list(&self, mut records: Vec<Record>) -> Vec<Record> {
        records.truncate(self.0);
        records
    }
    fn may_drop(&self) -> bool {
        true
    }
    fn is_of_list(&self) -> bool {
        true
    }
}
