//! The zero-phase filter for several channels at once.
//!
//! A recursive filter waits for its own last output, so one channel leaves most of a processor idle. Eight channels go side
//! by side instead; each has exactly the arithmetic it would have alone, whatever instructions the machine offers.

use super::{Section, Sos};
use crate::error::AnalysisError;

/// Channels side by side.
const LANES: usize = 8;

/// One value of each channel.
type Lane = [f64; LANES];

/// Workspace of the zero-phase filter: `n_samples + 2 * padding` values of eight channels, 64 bytes each.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    extended: Vec<Lane>,
}

impl Lanes {
    /// Filters rows of `n_samples` values lying one after the other, in place.
    pub(crate) fn zero_phase(
        &mut self,
        filter: &Sos,
        rows: &mut [f64],
        n_samples: usize,
    ) -> Result<(), AnalysisError> {
        let padding = filter.padding();
        if n_samples <= padding {
            return Err(AnalysisError::TooShort {
                what: "the zero-phase filter",
                least: padding + 1,
                found: n_samples,
            });
        }
        let start = filter.steady_state();
        self.extended.clear();
        self.extended.resize(n_samples + 2 * padding, [0.0; LANES]);
        for group in rows.chunks_mut(LANES * n_samples) {
            self.fill(group, n_samples, padding);
            pulp::Arch::new().dispatch(Passes {
                sections: &filter.sections,
                start: &start,
                samples: &mut self.extended,
            });
            let samples = &self.extended[padding..padding + n_samples];
            for (at, lanes) in samples.iter().enumerate() {
                for (lane, row) in lanes.iter().zip(group.chunks_exact_mut(n_samples)) {
                    row[at] = *lane;
                }
            }
        }
        Ok(())
    }

    /// Lays the rows of a group side by side, both ends of each reflected through its end point.
    fn fill(&mut self, group: &[f64], n_samples: usize, padding: usize) {
        for (lane, row) in group.chunks_exact(n_samples).enumerate() {
            let (first, last) = (row[0], row[n_samples - 1]);
            for at in 1..=padding {
                self.extended[padding - at][lane] = 2.0 * first - row[at];
                self.extended[padding + n_samples - 1 + at][lane] =
                    2.0 * last - row[n_samples - 1 - at];
            }
        }
        let samples = &mut self.extended[padding..padding + n_samples];
        for (at, lanes) in samples.iter_mut().enumerate() {
            for (lane, row) in lanes.iter_mut().zip(group.chunks_exact(n_samples)) {
                *lane = row[at];
            }
        }
    }
}

/// Forward, then backward.
struct Passes<'a> {
    sections: &'a [Section],
    start: &'a [[f64; 2]],
    samples: &'a mut [Lane],
}

impl pulp::NullaryFnOnce for Passes<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        pass(self.sections, self.start, self.samples.iter_mut());
        pass(self.sections, self.start, self.samples.iter_mut().rev());
    }
}

/// One pass over the samples in the order given, from the steady state of the first, in place.
#[inline(always)]
fn pass<'a>(sections: &[Section], start: &[[f64; 2]], samples: impl Iterator<Item = &'a mut Lane>) {
    let mut samples = samples.peekable();
    let first = samples.peek().map_or([0.0; LANES], |lanes| **lanes);
    let mut state: Vec<[Lane; 2]> = start
        .iter()
        .map(|delays| delays.map(|delay| first.map(|value| delay * value)))
        .collect();
    for lanes in samples {
        let mut value = *lanes;
        for (section, [one, two]) in sections.iter().zip(&mut state) {
            let [b0, b1, b2] = section.b;
            let [_, a1, a2] = section.a;
            for lane in 0..LANES {
                let input = value[lane];
                let output = b0 * input + one[lane];
                one[lane] = b1 * input - a1 * output + two[lane];
                two[lane] = b2 * input - a2 * output;
                value[lane] = output;
            }
        }
        *lanes = value;
    }
}
