//! Jansen and Rit's neural mass (key `jansen-1995`): a column of pyramidal cells with an excitatory and an inhibitory loop,
//! whose potential oscillates near 10 Hz by itself. The bridge from phases to potentials: columns in a network excite each
//! other by their firing rates.
//!
//! ```text
//! y0'' = A a S(y1 - y2)                      - 2a y0' - a^2 y0
//! y1'' = A a (p + sum_j W_ij S_j + C2 S(C1 y0)) - 2a y1' - a^2 y1      S(v) = 2 e0 / (1 + exp(r (v0 - v)))
//! y2'' = B b C4 S(C3 y0)                     - 2b y2' - b^2 y2         potential y1 - y2
//! ```

use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::twin::error::{TwinError, in_range, same_size};
use crate::twin::number::{float, whole};

/// Constants of one column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Column {
    /// Largest excitatory potential A, mV.
    pub excitation_mv: f64,
    /// Largest inhibitory potential B, mV.
    pub inhibition_mv: f64,
    /// Excitatory rate constant a, 1/s.
    pub excitation_per_s: f64,
    /// Inhibitory rate constant b, 1/s.
    pub inhibition_per_s: f64,
    /// Synapses C1 to C4.
    pub synapses: [f64; 4],
    /// Half the largest firing rate e0, 1/s.
    pub half_rate_per_s: f64,
    /// Potential v0 of half the largest rate, mV.
    pub threshold_mv: f64,
    /// Steepness r, 1/mV.
    pub steepness_per_mv: f64,
    /// Mean input p, pulses/s.
    pub input_per_s: f64,
    /// Strength of white noise on the input, pulses/s times sqrt(s).
    pub input_noise: f64,
}

impl Column {
    /// The published constants, with C = 135 and an input in the middle of the published 120 to 320 pulses/s, no noise.
    pub const PUBLISHED: Self = Self {
        excitation_mv: 3.25,
        inhibition_mv: 22.0,
        excitation_per_s: 100.0,
        inhibition_per_s: 50.0,
        synapses: [135.0, 108.0, 33.75, 33.75],
        half_rate_per_s: 2.5,
        threshold_mv: 6.0,
        steepness_per_mv: 0.56,
        input_per_s: 220.0,
        input_noise: 0.0,
    };

    /// Firing rate at potential `v_mv`, 1/s.
    pub fn rate(&self, v_mv: f64) -> f64 {
        2.0 * self.half_rate_per_s
            / (1.0 + (self.steepness_per_mv * (self.threshold_mv - v_mv)).exp())
    }

    /// Derivative of `[y0, y1, y2, y0', y1', y2']` with `input` pulses/s from outside.
    fn derivative(&self, y: &[f64; 6], input: f64) -> [f64; 6] {
        let [c1, c2, c3, c4] = self.synapses;
        let (a, b) = (self.excitation_per_s, self.inhibition_per_s);
        let excite =
            |rate: f64, y: f64, dy: f64| self.excitation_mv * a * rate - 2.0 * a * dy - a * a * y;
        let inhibit =
            |rate: f64, y: f64, dy: f64| self.inhibition_mv * b * rate - 2.0 * b * dy - b * b * y;
        [
            y[3],
            y[4],
            y[5],
            excite(self.rate(y[1] - y[2]), y[0], y[3]),
            excite(input + c2 * self.rate(c1 * y[0]), y[1], y[4]),
            inhibit(c4 * self.rate(c3 * y[0]), y[2], y[5]),
        ]
    }

    fn validate(&self) -> Result<(), TwinError> {
        let above = [
            self.excitation_mv,
            self.inhibition_mv,
            self.excitation_per_s,
            self.inhibition_per_s,
            self.half_rate_per_s,
            self.steepness_per_mv,
        ];
        in_range("constant of a column", "above 0", &above, |value| {
            value > 0.0
        })?;
        in_range(
            "synapses of a column",
            "0 and above",
            &self.synapses,
            |value| value >= 0.0,
        )?;
        in_range(
            "noise of a column's input",
            "0 and above",
            [&self.input_noise],
            |value| value >= 0.0,
        )?;
        in_range(
            "constant of a column",
            "finite",
            [&self.threshold_mv, &self.input_per_s],
            |_| true,
        )
    }
}

/// Potentials of coupled columns in mV, shape `(n, n_steps / record_every + 1)`, all starting at rest (0).
///
/// `weights`: `[i, j]` pulses of column i per pulse of column j, shape `(n, n)`, no unit. Heun's method with `step_s`
/// (0.1 to 1 ms; stable below about 10 ms); the noise is that of `seed`.
///
/// # Errors
/// [`TwinError::Shape`] and [`TwinError::Range`]; [`TwinError::Diverged`] for steps that are too long.
///
/// Source: keys `jansen-1995` (eq. 6 and table of constants), `david-2003` for the coupling by firing rates. Checked
/// against the closed response of one synapse, and by the frequency of the published column.
pub fn simulate_columns(
    columns: &[Column],
    weights: &Array2<f64>,
    n_steps: usize,
    step_s: f64,
    record_every: usize,
    seed: u64,
) -> Result<Array2<f64>, TwinError> {
    let n = columns.len();
    same_size("rows of the weights", n, weights.nrows())?;
    same_size("columns of the weights", n, weights.ncols())?;
    in_range("weight of a connection", "finite", weights, |_| true)?;
    in_range("step (s)", "above 0 to 0.01", [&step_s], |step| {
        step > 0.0 && step <= 0.01
    })?;
    columns.iter().try_for_each(Column::validate)?;
    if record_every == 0 {
        return Err(TwinError::Range {
            what: "steps from record to record",
            value: 0.0,
            range: "1 and above",
        });
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut state = vec![[0.0; 6]; n];
    let mut stage = state.clone();
    let (mut first, mut second) = (state.clone(), state.clone());
    let mut kicks = vec![0.0; n];
    let mut out = Array2::zeros((n, n_steps / record_every + 1));
    for step in 0..=n_steps {
        if step % record_every == 0 {
            for (i, y) in state.iter().enumerate() {
                out[[i, step / record_every]] = y[1] - y[2];
            }
        }
        for (kick, column) in kicks.iter_mut().zip(columns) {
            let normal: f64 = StandardNormal.sample(&mut rng);
            *kick = column.excitation_mv
                * column.excitation_per_s
                * column.input_noise
                * step_s.sqrt()
                * normal;
        }
        rates(columns, weights, &state, &mut first);
        for (i, stage) in stage.iter_mut().enumerate() {
            *stage = std::array::from_fn(|k| state[i][k] + step_s * first[i][k]);
            stage[4] += kicks[i];
        }
        rates(columns, weights, &stage, &mut second);
        for (i, y) in state.iter_mut().enumerate() {
            *y = std::array::from_fn(|k| y[k] + step_s / 2.0 * (first[i][k] + second[i][k]));
            y[4] += kicks[i];
        }
    }
    if out.iter().any(|value| !value.is_finite()) {
        return Err(TwinError::Diverged {
            at_s: float(n_steps) * step_s,
        });
    }
    Ok(out)
}

fn rates(columns: &[Column], weights: &Array2<f64>, state: &[[f64; 6]], out: &mut [[f64; 6]]) {
    let firing: Vec<f64> = columns
        .iter()
        .zip(state)
        .map(|(column, y)| column.rate(y[1] - y[2]))
        .collect();
    for (i, out) in out.iter_mut().enumerate() {
        let from_others: f64 = weights
            .row(i)
            .iter()
            .zip(&firing)
            .map(|(weight, rate)| weight * rate)
            .sum();
        *out = columns[i].derivative(&state[i], columns[i].input_per_s + from_others);
    }
}

/// Steps in `seconds`, for callers that think in time.
pub fn steps(seconds: f64, step_s: f64) -> Option<usize> {
    whole((seconds / step_s).round())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn one_synapse_answers_a_step_as_its_kernel_says() {
        // No loops: y1 = (A p / a) (1 - exp(-a t) (1 + a t)), the integral of the kernel A a t exp(-a t).
        let column = Column {
            synapses: [0.0; 4],
            ..Column::PUBLISHED
        };
        let out = simulate_columns(&[column], &Array2::zeros((1, 1)), 2000, 1e-4, 100, 1).unwrap();
        for (k, potential) in out.row(0).iter().enumerate() {
            let at = 100.0 * 0.01 * float(k);
            let expected = 3.25 * 220.0 / 100.0 * (1.0 - (-at).exp() * (1.0 + at));
            assert!(
                (potential - expected).abs() < 1e-3,
                "at {k}: {potential} for {expected}"
            );
        }
    }

    #[test]
    fn the_published_column_oscillates_in_the_alpha_band() {
        let out = simulate_columns(
            &[Column::PUBLISHED],
            &Array2::zeros((1, 1)),
            60_000,
            1e-4,
            10,
            1,
        )
        .unwrap();
        let row: Vec<f64> = out.row(0).iter().skip(1000).copied().collect();
        let mean = row.iter().sum::<f64>() / float(row.len());
        let rises = row
            .windows(2)
            .filter(|pair| pair[0] < mean && pair[1] >= mean)
            .count();
        let hz = float(rises) / 5.0;
        assert!((8.0..=13.0).contains(&hz), "{hz} Hz");
        assert!((Column::PUBLISHED.rate(6.0) - 2.5).abs() < 1e-12);
    }

    #[test]
    fn coupled_columns_do_not_diverge_and_bad_steps_are_refused() {
        let columns = [Column {
            input_noise: 2.0,
            ..Column::PUBLISHED
        }; 3];
        let weights = Array2::from_elem((3, 3), 5.0);
        let out = simulate_columns(&columns, &weights, 5000, 5e-4, 10, 3).unwrap();
        assert!(out.iter().all(|value| value.abs() < 100.0));
        assert_eq!(
            out,
            simulate_columns(&columns, &weights, 5000, 5e-4, 10, 3).unwrap()
        );
        assert!(simulate_columns(&columns, &weights, 10, 0.1, 1, 3).is_err());
    }
}
