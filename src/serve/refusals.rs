//! How much of what strangers try at `/admin` is written into the log: not without bound, or anybody could fill the disk.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Lines in each minute.
const MOST: u64 = 10;
const MINUTE: Duration = Duration::from_mins(1);

/// The refusals of this minute.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<Minute>);

#[derive(Debug, Default)]
struct Minute {
    began: Option<Instant>,
    count: u64,
    /// Refusals that no line told of yet.
    untold: u64,
}

impl Refusals {
    /// Notes a refusal. `Some` when a line is to be written: with how many were not told of before.
    pub(super) fn note(&self, now: Instant) -> Option<u64> {
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if minute.began.is_none_or(|began| now.saturating_duration_since(began) >= MINUTE) {
            minute.began = Some(now);
            minute.count = 0;
        }
        minute.count += 1;
        if minute.count > MOST {
            minute.untold += 1;
            return None;
        }
        Some(std::mem::take(&mut minute.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_lines_a_minute_tell_of_all_refusals() {
        let refusals = Refusals::default();
        let began = Instant::now();
        let note = |seconds: u64| refusals.note(began + Duration::from_secs(seconds));
        let told: Vec<_> = (0..1000).map(|n| note(n / 20)).collect();
        assert_eq!(told[..10], [Some(0); 10]);
        assert!(told[10..].iter().all(Option::is_none));
        assert_eq!((note(60), note(60), note(61)), (Some(990), Some(0), Some(0)));
        assert_eq!(note(3600), Some(0), "nothing was left out");
    }
}
