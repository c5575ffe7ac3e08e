//! `drop`: no entries of which a condition holds. The file is not called `drop`, a word of the language's prelude.
//!
//! ```yaml
//! rules:
//!   - drop: { title: '广告|推广' }
//!   - drop: { css: video, older_than: 30d }
//! ```

use super::condition::Condition;
use super::{Act, Around, Draft, Mistake, Value};
use crate::model::{ConfigKey, ConfigKind, key};
use std::sync::Arc;

pub(super) const KEY: ConfigKey = key(
    "drop",
    ConfigKind::Condition,
    "Leaves out the entries of which the [condition](#conditions) holds.",
    "{ title: '广告|推广' }",
);

#[derive(Debug)]
struct Discard(Condition);

pub(super) fn make(value: &Value) -> Result<Arc<dyn Act>, Mistake> {
    Ok(Arc::new(Discard(Condition::new(&value.map())?)))
}

impl Act for Discard {
    fn entry(&self, draft: &mut Draft<'_>, around: &Around<'_>) -> bool {
        !self.0.holds(draft, around)
    }
    fn may_drop(&self) -> bool {
        true
    }
}
