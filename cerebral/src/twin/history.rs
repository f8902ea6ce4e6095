//! The past of every phase, for delayed coupling: a ring of whole steps, interpolated between them.

use ndarray::{Array1, Array2};

use crate::twin::error::TwinError;
use crate::twin::number::{float, whole};

/// How the past is read between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interpolation {
    /// For noisy paths, which have no derivative.
    Linear,
    /// Lagrange over four steps: error of fourth order in the step.
    Cubic,
}

/// Phases of the last steps.
#[derive(Debug)]
pub(crate) struct History {
    /// `rows[(newest + back) % len]` is the state `back` steps ago.
    rows: Vec<Vec<f64>>,
    newest: usize,
    /// Delays in steps; 0 reads the present.
    delay_steps: Array2<f64>,
    interpolation: Interpolation,
}

impl History {
    /// A past in which every node turned freely: `theta0 + omega t` for `t <= 0`.
    pub(crate) fn new(
        delay_s: &Array2<f64>,
        step_s: f64,
        theta0: &[f64],
        omega_rad_s: &Array1<f64>,
        interpolation: Interpolation,
    ) -> Result<Self, TwinError> {
        let delay_steps = delay_s.mapv(|delay| delay / step_s);
        let longest = delay_steps.iter().copied().fold(0.0, f64::max);
        let short = delay_steps
            .iter()
            .zip(delay_s)
            .find(|(steps, _)| **steps > 0.0 && **steps < 1.0 - 1e-9);
        if let Some((_, delay)) = short {
            return Err(TwinError::Range {
                what: "delay (s)",
                value: *delay,
                range: "0 or at least one step",
            });
        }
        let too_long = TwinError::Range {
            what: "delay (steps)",
            value: longest,
            range: "0 to 2^32",
        };
        let n_rows = whole(longest).ok_or(too_long)? + 5;
        let free = |back: usize| {
            theta0
                .iter()
                .zip(omega_rad_s)
                .map(|(theta, omega)| theta - omega * step_s * float(back))
                .collect()
        };
        Ok(Self {
            rows: (0..n_rows).map(free).collect(),
            newest: 0,
            delay_steps,
            interpolation,
        })
    }

    /// Makes `theta` the newest state.
    pub(crate) fn push(&mut self, theta: &[f64]) {
        self.newest = (self.newest + self.rows.len() - 1) % self.rows.len();
        self.rows[self.newest].copy_from_slice(theta);
    }

    /// The phase of node `j` as node `i` sees it, `offset` steps (0 to 1) after the newest state; `None` without a delay.
    pub(crate) fn seen(&self, i: usize, j: usize, offset: f64) -> Option<f64> {
        let steps = self.delay_steps[[i, j]];
        if steps <= 0.0 {
            return None;
        }
        let back = (steps - offset).max(0.0);
        let floor = whole(back).expect("bounded when the history was made");
        let at = |back: usize| self.rows[(self.newest + back) % self.rows.len()][j];
        if self.interpolation == Interpolation::Linear {
            let part = back - float(floor);
            return Some(at(floor) * (1.0 - part) + at(floor + 1) * part);
        }
        let first = floor.saturating_sub(1);
        let p = back - float(first);
        let (a, b, c) = (p - 1.0, p - 2.0, p - 3.0);
        let weights = [
            -a * b * c / 6.0,
            p * b * c / 2.0,
            -p * a * c / 2.0,
            p * a * b / 6.0,
        ];
        Some(
            weights
                .iter()
                .enumerate()
                .map(|(k, weight)| weight * at(first + k))
                .sum(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cubic_past_is_read_exactly_and_a_linear_one_too() {
        let cubic = |t: f64| 1.0 + t * (2.0 + t * (-3.0 + 0.5 * t));
        let linear = |t: f64| 4.0 - 2.5 * t;
        let paths: [(Interpolation, &dyn Fn(f64) -> f64); 2] = [
            (Interpolation::Cubic, &cubic),
            (Interpolation::Linear, &linear),
        ];
        for (interpolation, path) in paths {
            let delay_s = Array2::from_shape_vec((2, 2), vec![0.0, 0.27, 0.1, 0.5]).unwrap();
            let mut history =
                History::new(&delay_s, 0.1, &[0.0; 2], &Array1::zeros(2), interpolation).unwrap();
            for step in 0..20 {
                history.push(&[path(0.1 * float(step)); 2]);
            }
            for ((i, j), delay) in delay_s.indexed_iter() {
                for offset in [0.0, 0.5, 1.0] {
                    let expected = (*delay > 0.0).then(|| path(1.9 + 0.1 * offset - delay));
                    let seen = history.seen(i, j, offset);
                    assert_eq!(seen.is_some(), expected.is_some());
                    let error = seen
                        .zip(expected)
                        .map_or(0.0, |(seen, expected)| (seen - expected).abs());
                    assert!(error < 1e-12, "{interpolation:?} {i} {j} {offset}: {error}");
                }
            }
        }
    }

    #[test]
    fn a_delay_shorter_than_a_step_is_refused() {
        let delay_s = Array2::from_elem((1, 1), 0.05);
        let refused = History::new(
            &delay_s,
            0.1,
            &[0.0],
            &Array1::zeros(1),
            Interpolation::Cubic,
        );
        assert!(matches!(refused, Err(TwinError::Range { .. })));
    }
}
