//! Numbers to places on a screen.

/// A count as a number.
pub(super) fn count(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::from(u32::MAX), f64::from)
}

/// The whole part of a number; what is negative or none gives 0.
#[expect(
    clippy::as_conversions,
    reason = "saturates at both ends, and NaN gives 0"
)]
pub(super) fn whole(value: f64) -> usize {
    value.floor() as usize
}

/// Which of `0..=last`, counted from above, a value lies at; none outside the range.
pub(super) fn place(value: f64, (low, high): (f64, f64), last: usize) -> Option<usize> {
    if !(low..=high).contains(&value) || high <= low {
        return None;
    }
    Some(whole((high - value) / (high - low) * count(last) + 0.5))
}

/// The least of 1, 2 or 5 times a power of ten that is no less than this.
pub(super) fn nice(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0]
        .into_iter()
        .map(|times| times * power)
        .find(|step| *step >= least)
        .unwrap_or(power * 10.0)
}

/// Heights of a bar.
const HEIGHTS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// A bar in one cell, as high as this share of it; never nothing.
pub(super) fn bar(share: f64) -> &'static str {
    let above = (1..HEIGHTS.len()).filter(|at| share >= count(*at) / count(HEIGHTS.len()));
    HEIGHTS[above.count()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_lie_where_they_belong() {
        assert_eq!(place(1.0, (-1.0, 1.0), 10), Some(0));
        assert_eq!(place(-1.0, (-1.0, 1.0), 10), Some(10));
        assert_eq!(place(0.0, (-1.0, 1.0), 10), Some(5));
        assert_eq!(place(f64::NAN, (-1.0, 1.0), 10), None);
        assert_eq!(place(2.0, (-1.0, 1.0), 10), None);
        assert_eq!(place(0.0, (0.0, 0.0), 10), None);
        assert_eq!(
            (bar(0.0), bar(0.5), bar(2.0), bar(f64::NAN)),
            ("▁", "▅", "█", "▁")
        );
    }
}
