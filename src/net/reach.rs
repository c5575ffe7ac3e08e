//! Whether there is a network at all. When sites that answered before cannot be reached one after the other and nobody
//! answers in between, the fault is on our side: the line is down, or the resolver is. That is nobody's failure.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// So many sites. Fewer may fall over together, as those of one portal do.
const SITES: usize = 3;
/// After so long it is taken for their failure all the same: what is dead is to be told, and left alone more and more.
const LONGEST: Duration = Duration::from_hours(24);

/// What was seen since somebody answered last.
#[derive(Debug, Default)]
pub(super) struct Reach(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// Sites that had not failed before and could not be reached; at most [`SITES`].
    lost: BTreeSet<String>,
    /// When these became as many.
    since: Option<Instant>,
}

impl Reach {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody took a connection or answered, whatever the answer was.
    pub(super) fn answered(&self) {
        let mut seen = self.lock();
        if !seen.lost.is_empty() {
            *seen = Seen::default();
        }
    }

    /// A site whose hosts had not failed before cannot be reached.
    pub(super) fn lost(&self, site: String) {
        let mut seen = self.lock();
        if seen.since.is_none() {
            seen.lost.insert(site);
            seen.since = (seen.lost.len() >= SITES).then(Instant::now);
        }
    }

    /// Whether there is no network.
    pub(super) fn is_offline(&self) -> bool {
        self.lock().since.is_some_and(|since| since.elapsed() < LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `+` an answer, `h` an hour, a letter a site that is lost; whether there is no network in the end.
    fn check(story: &str, expected: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let offline = runtime.block_on(async {
            let reach = Reach::default();
            for step in story.chars() {
                match step {
                    '+' => reach.answered(),
                    'h' => tokio::time::advance(Duration::from_hours(1)).await,
                    site => reach.lost(site.to_string()),
                }
            }
            reach.is_offline()
        });
        assert_eq!(offline, expected, "{story}");
    }

    #[test]
    fn three_sites_that_are_lost_with_no_answer_between_are_a_network_that_is_away() {
        for (story, expected) in [
            ("", false),
            ("ab", false),
            ("aaaa", false),
            ("abab", false),
            ("abc", true),
            ("ab+c", false),
            ("ab+cde", true),
            ("abcdef", true),
            ("abc+", false),
            ("ahhbhhc", true),
            ("abchhhhhhhhhhhhhhhhhhhhhhh", true),
            ("abchhhhhhhhhhhhhhhhhhhhhhhh", false),
            ("abchhhhhhhhhhhhhhhhhhhhhhhhdef", false),
            ("abchhhhhhhhhhhhhhhhhhhhhhhh+def", true),
        ] {
            check(story, expected);
        }
    }
}
