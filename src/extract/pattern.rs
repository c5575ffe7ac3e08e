//! Compiled regular expressions, kept between calls: compiling one costs more than running it on an entry.

use regex::{Regex, RegexBuilder};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The most patterns that are kept; a feeds.yaml has a few dozen.
const KEPT: usize = 512;

static CACHE: Mutex<Option<HashMap<String, Option<Arc<Regex>>>>> = Mutex::new(None);

/// The compiled pattern; `None` when it does not compile, which `config` has reported already.
///
/// Shared, not cloned: a clone of a [`Regex`] begins with empty working memory, and filling that costs far more
/// than a search.
pub(super) fn compiled(pattern: &str) -> Option<Arc<Regex>> {
    let mut guard = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    let cache = guard.get_or_insert_with(HashMap::new);
    if let Some(known) = cache.get(pattern) {
        return known.clone();
    }
    if cache.len() >= KEPT {
        cache.clear();
    }
    let regex = RegexBuilder::new(pattern).size_limit(1 << 20).build().ok().map(Arc::new);
    cache.insert(pattern.to_owned(), regex.clone());
    regex
}
