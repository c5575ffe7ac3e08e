//! When a redirect is believed for good.

use crate::model::Moved;
use chrono::{DateTime, TimeDelta, Utc};

/// An address is adopted after so many identical answers in a row …
const ENOUGH: u32 = 3;
/// … that span so long at least.
const LONG_ENOUGH: TimeDelta = TimeDelta::hours(24);

/// What is known of an address after an answer that could be read. `target` is where it led if every hop was
/// permanent (301, 308); `None` without redirects and after any other.
///
/// While no address is adopted, an answer that leads elsewhere or nowhere begins anew. An adopted address is given
/// up for another one in the same way only.
#[must_use]
pub fn moved(before: Option<&Moved>, target: Option<&str>, now: DateTime<Utc>) -> Option<Moved> {
    let adopted = before.and_then(|before| before.adopted.clone());
    let Some(target) = target else {
        return adopted.map(|to| Moved { to: to.clone(), since: now, seen: 0, adopted: Some(to) });
    };
    let mut after = match before {
        Some(before) if before.to == target => Moved { seen: before.seen.saturating_add(1), ..before.clone() },
        _ => Moved { to: target.to_owned(), since: now, seen: 1, adopted },
    };
    if after.seen >= ENOUGH && now - after.since >= LONG_ENOUGH {
        after.adopted = Some(after.to.clone());
    }
    Some(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hours and targets of answers; the address that is adopted in the end.
    fn check(answers: &[(i64, Option<&str>)], expected: Option<&str>) {
        let mut state = None;
        for (hour, target) in answers {
            state = moved(state.as_ref(), *target, DateTime::UNIX_EPOCH + TimeDelta::hours(*hour));
        }
        assert_eq!(state.and_then(|state| state.adopted).as_deref(), expected, "{answers:?}");
    }

    #[test]
    fn only_what_is_permanent_for_a_day_is_adopted() {
        let (a, b) = (Some("http://a/"), Some("http://b/"));
        check(&[], None);
        check(&[(0, a)], None);
        check(&[(0, a), (12, a), (23, a)], None);
        check(&[(0, a), (24, a)], None);
        check(&[(0, a), (12, a), (24, a)], a);
        check(&[(0, a), (1, a), (2, a), (3, a), (23, a)], None);
        check(&[(0, a), (1, None), (12, a), (24, a)], None); // a temporary one, or none, in between
        check(&[(0, a), (12, b), (24, a)], None);
        check(&[(0, a), (12, b), (24, b), (36, b)], b);
        check(&[(0, a), (12, a), (24, None)], None);
        check(&[(24, a), (12, a), (0, a), (-24, a)], None); // a clock that runs backwards
        // From then on: the adopted address answers itself, redirects for a while, or has moved too.
        let adopted = [(0, a), (12, a), (24, a)];
        check(&[&adopted[..], &[(25, None), (26, None)]].concat(), a);
        check(&[&adopted[..], &[(25, b), (26, None), (48, b), (60, b)]].concat(), a);
        check(&[&adopted[..], &[(25, b), (40, b), (50, b)]].concat(), b);
    }
}
