//! A small bar chart of the last fetches: drawn here, in SVG, without script or style attributes.

use crate::store::Attempt;

/// One bar.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Bar {
    /// The left edge.
    pub(super) x: usize,
    /// The top edge.
    pub(super) y: u64,
    /// The height.
    pub(super) height: u64,
    /// `ok`, `new` or `bad`: the class that gives the colour.
    pub(super) class: &'static str,
    /// What it stands for, in words.
    pub(super) title: String,
}

/// The height of the drawing; the slowest fetch fills it.
pub(super) const HEIGHT: u64 = 60;
/// The width of one bar with the gap behind it.
const STEP: usize = 8;

/// The bars, oldest on the left.
pub(super) fn bars(attempts: &[Attempt]) -> Vec<Bar> {
    let attempts = &attempts[..attempts.len().min(50)];
    let slowest = attempts.iter().map(|a| a.millis).max().unwrap_or(0).max(1);
    let bar = |(at, attempt): (usize, &Attempt)| {
        let part = u128::from(attempt.millis) * u128::from(HEIGHT) / u128::from(slowest);
        let height = u64::try_from(part).unwrap_or(HEIGHT).max(2);
        let class = match attempt {
            Attempt { error: Some(_), .. } => "bad",
            Attempt { changed: 0, .. } => "ok",
            _ => "new",
        };
        let status = attempt.status.map_or_else(|| "–".to_owned(), |status| status.to_string());
        let title =
            format!("{} · {status} · {} ms · +{}", attempt.at.format("%F %T UTC"), attempt.millis, attempt.changed);
        Bar { x: at * STEP, y: HEIGHT - height, height, class, title }
    };
    attempts.iter().rev().enumerate().map(bar).collect()
}

/// The width of the drawing.
pub(super) fn width(bars: usize) -> usize {
    (bars * STEP).max(STEP)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(millis: u64, changed: u32, error: Option<&str>) -> Attempt {
        let at = chrono::DateTime::from_timestamp(0, 0).unwrap();
        Attempt { at, url: String::new(), status: Some(200), millis, changed, error: error.map(str::to_owned) }
    }

    #[test]
    fn bars_fit_the_drawing() {
        assert!(bars(&[]).is_empty());
        let drawn = bars(&[attempt(100, 0, None), attempt(50, 2, None), attempt(0, 0, Some("x"))]);
        let shape: Vec<_> = drawn.iter().map(|b| (b.x, b.y, b.height, b.class)).collect();
        assert_eq!(shape, [(0, 58, 2, "bad"), (8, 30, 30, "new"), (16, 0, 60, "ok")]);
        let many = vec![attempt(u64::MAX, 0, None); 80];
        assert_eq!(bars(&many).len(), 50);
        assert!(bars(&many).iter().all(|b| b.y + b.height == HEIGHT));
    }
}
