//! How many polls fall into one second: after a restart, a long sleep or a reload everything may be due at once.

use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// With so few groups nobody needs to be put off.
const FEW: usize = 60;
/// No fewer polls fall into a second.
const FEWEST: usize = 2;
/// Polls in a second, in means: less than half above the mean, and enough to get through all within an interval.
const MOST: f64 = 1.4;
/// Seconds that are past are forgotten when so many are known.
const SWEEP_AT: usize = 100_000;

/// The seconds to come, and how many polls are planned for each. Polls are only ever put off.
#[derive(Debug, Default)]
pub struct Rota {
    /// The most in a second; 0: any number.
    most: usize,
    /// How many are planned, by second.
    planned: HashMap<i64, usize>,
    /// For seconds that are full: a later one that may have room.
    later: HashMap<i64, i64>,
}

impl Rota {
    /// For so many groups, whose polls per second come to `rate` in the mean.
    #[must_use]
    pub fn new(groups: usize, rate: f64) -> Self {
        // Saturates at the bounds of usize.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded down and not negative")]
        let most = if groups <= FEW { 0 } else { ((rate * MOST).max(0.0) as usize).max(FEWEST) };
        Self { most, ..Self::default() }
    }

    /// The first instant from `at` on that has room, which is taken.
    pub fn place(&mut self, at: DateTime<Utc>) -> DateTime<Utc> {
        if self.most == 0 {
            return at;
        }
        let wanted = at.timestamp();
        self.sweep(wanted);
        let second = self.free(wanted);
        let planned = self.planned.entry(second).or_default();
        *planned += 1;
        if *planned >= self.most {
            self.later.insert(second, second.saturating_add(1));
        }
        if second == wanted { at } else { DateTime::from_timestamp(second, 0).unwrap_or(at) }
    }

    /// The first second from `wanted` on that has room. The way there is made shorter for the next time.
    fn free(&mut self, wanted: i64) -> i64 {
        let mut second = wanted;
        while let Some(later) = self.later.get(&second) {
            second = *later;
        }
        let mut on_the_way = wanted;
        while let Some(later) = self.later.get_mut(&on_the_way) {
            on_the_way = std::mem::replace(later, second);
        }
        second
    }

    /// Forgets what lies long before: nothing is planned for the past.
    fn sweep(&mut self, wanted: i64) {
        if self.planned.len() >= SWEEP_AT {
            let (mut seconds, half): (Vec<_>, _) = (self.planned.keys().copied().collect(), SWEEP_AT / 2);
            let (_, middle, _) = seconds.select_nth_unstable(half);
            let middle = (*middle).min(wanted);
            self.planned.retain(|second, _| *second >= middle);
            self.later.retain(|second, _| *second >= middle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn at(millis: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(millis)
    }

    #[test]
    fn ten_thousand_that_are_due_at_once_are_spread_and_done_within_an_interval() {
        let rate = 10_000.0 / 1800.0;
        let mut rota = Rota::new(10_000, rate);
        let mut seconds: HashMap<i64, u32> = HashMap::new();
        let mut last = at(0);
        for _ in 0..10_000 {
            last = rota.place(at(500));
            *seconds.entry(last.timestamp()).or_default() += 1;
        }
        assert!(last <= at(1_800_000), "drained within the interval: {last}");
        assert!(f64::from(*seconds.values().max().unwrap()) <= 1.5 * rate);
        assert_eq!(rota.place(at(900)).timestamp(), last.timestamp() + i64::from(seconds[&last.timestamp()] == 7));
    }

    #[test]
    fn few_are_not_put_off_and_nobody_is_early() {
        let mut few = Rota::new(60, 1000.0);
        assert!((0..60).all(|_| few.place(at(7)) == at(7)));
        let mut rota = Rota::new(61, 0.0);
        let found: Vec<_> = [500, 100, 700, 0, 2000].into_iter().map(|millis| rota.place(at(millis))).collect();
        assert_eq!(found, [at(500), at(100), at(1000), at(1000), at(2000)]);
        for millis in [i64::MIN / 2000, -1, i64::MAX / 2000] {
            assert!(rota.place(at(millis)) >= at(millis));
        }
    }

    #[test]
    fn what_is_past_is_forgotten() {
        let mut rota = Rota::new(100, 1.0);
        for second in 0..300_000 {
            rota.place(at(second * 1000));
        }
        assert!(rota.planned.len() <= SWEEP_AT);
    }
}
