//! A queue of instants that takes about as long with a million groups as with a thousand: only those of one second are
//! kept in order, the others lie together by their second until it comes.

use super::Number;
use chrono::{DateTime, Utc};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

type Entry = (DateTime<Utc>, Number);

/// Groups by when they are due.
#[derive(Debug, Default)]
pub(super) struct Due {
    /// Everything up to the end of the second `until`, unless it is empty.
    soon: BinaryHeap<Reverse<Entry>>,
    until: i64,
    /// Everything later, by its second.
    later: BTreeMap<i64, Vec<Entry>>,
    len: usize,
}

impl Due {
    pub(super) fn push(&mut self, at: DateTime<Utc>, group: Number) {
        self.len += 1;
        let second = at.timestamp();
        if second <= self.until && !self.soon.is_empty() {
            self.soon.push(Reverse((at, group)));
        } else {
            self.later.entry(second).or_default().push((at, group));
        }
    }

    /// The earliest; of those of one instant the one with the lowest number.
    pub(super) fn peek(&mut self) -> Option<Entry> {
        if self.soon.is_empty()
            && let Some((second, entries)) = self.later.pop_first()
        {
            self.until = second;
            self.soon.extend(entries.into_iter().map(Reverse));
        }
        self.soon.peek().map(|Reverse(entry)| *entry)
    }

    /// Takes the earliest.
    pub(super) fn pop(&mut self) -> Option<Entry> {
        self.peek()?;
        self.len -= 1;
        self.soon.pop().map(|Reverse(entry)| entry)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    proptest::proptest! {
        /// Whatever goes in and out comes out as from one heap: `Some` milliseconds go in, `None` takes one out.
        #[test]
        fn what_comes_out_is_the_earliest(steps in proptest::collection::vec(proptest::option::weighted(0.6, -3000..9000_i64), 0..200)) {
            let (mut due, mut heap) = (Due::default(), BinaryHeap::new());
            for (group, step) in (0..).zip(steps) {
                if let Some(millis) = step {
                    let at = DateTime::UNIX_EPOCH + TimeDelta::milliseconds(millis);
                    due.push(at, group);
                    heap.push(Reverse((at, group)));
                } else {
                    proptest::prop_assert_eq!(due.peek(), heap.peek().map(|Reverse(entry)| *entry));
                    proptest::prop_assert_eq!(due.pop(), heap.pop().map(|Reverse(entry)| entry));
                }
                proptest::prop_assert_eq!(due.len(), heap.len());
            }
            while let Some(entry) = due.pop() {
                proptest::prop_assert_eq!(Some(entry), heap.pop().map(|Reverse(entry)| entry));
            }
            proptest::prop_assert!(heap.is_empty());
        }
    }
}
