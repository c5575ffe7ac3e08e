//! `keep`: only entries of which a condition holds.
//!
//! ```yaml
//! rules:
//!   - keep: { any: [{ author: 张 }, { not: { category: 广告 } }] }
//! ```

use super::condition::Condition;
use super::{Act, Around, Draft, Mistake, Value};
use crate::model::{ConfigKey, ConfigKind, key};
use std::sync::Arc;

pub(super) const KEY: ConfigKey = key(
    "keep",
    ConfigKind::Condition,
    "Keeps only the entries of which the [condition](#conditions) holds.",
    "{ any: [{ author: 张 }, { not: { category: 广告 } }] }",
);

#[derive(Debug)]
struct Keep(Condition);

pub(super) fn make(value: &Value) -> Result<Arc<dyn Act>, Mistake> {
    Ok(Arc::new(Keep(Condition::new(&value.map())?)))
}

impl Act for Keep {
    fn entry(&self, draft: &mut Draft<'_>, around: &Around<'_>) -> bool {
        self.0.holds(draft, around)
    }
    fn may_drop(&self) -> bool {
        true
    }
}
