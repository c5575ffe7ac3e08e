//! Which entries have a piece of evidence. Nearly every piece belongs to one entry, and there are forty pieces to an
//! entry: so the first one stands in a map of its own, at a quarter of what lists for all would take.

use std::collections::HashMap;
use std::hash::Hash;

/// Entries by their evidence, each list in the order in which it was made.
#[derive(Debug)]
pub(super) struct Postings<K> {
    first: HashMap<K, u32>,
    more: HashMap<K, Vec<u32>>,
}

impl<K> Default for Postings<K> {
    fn default() -> Self {
        Self { first: HashMap::new(), more: HashMap::new() }
    }
}

impl<K: Hash + Eq> Postings<K> {
    /// Puts an entry behind the others with this evidence.
    #[expect(clippy::map_entry, reason = "an occupied entry does not give its key away")]
    pub(super) fn push(&mut self, key: K, entry: usize) {
        // There is no memory for so many entries.
        let entry = u32::try_from(entry).unwrap_or(u32::MAX);
        if self.first.contains_key(&key) {
            self.more.entry(key).or_default().push(entry);
        } else {
            self.first.insert(key, entry);
        }
    }

    /// The entries with this evidence.
    pub(super) fn of(&self, key: &K) -> impl Iterator<Item = usize> {
        let first = self.first.get(key);
        // Most have no more: that costs no second look.
        let more = first.and_then(|_| self.more.get(key)).into_iter().flatten();
        first.into_iter().chain(more).map(|entry| *entry as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_back_in_their_order() {
        let mut postings = Postings::default();
        for (key, entry) in [("a", 3), ("b", 1), ("a", 7), ("a", 2), ("c", 0), ("b", 9)] {
            postings.push(key, entry);
        }
        let check = |key, expected: &[usize]| assert_eq!(postings.of(&key).collect::<Vec<_>>(), expected, "{key}");
        check("a", &[3, 7, 2]);
        check("b", &[1, 9]);
        check("c", &[0]);
        check("d", &[]);
    }
}
