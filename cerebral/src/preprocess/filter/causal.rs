//! The filter that sees only the past, with the state that lies between two blocks of a stream.

use ndarray::ArrayViewMut2;

use super::Sos;
use crate::error::AnalysisError;

/// A causal filter and its state. Any cut of a stream into blocks gives the same bits.
///
/// What it shows is late by [`Causal::delay_samples`]: state that wherever its phases are used.
#[derive(Debug, Clone)]
pub struct Causal {
    filter: Sos,
    /// Per channel, per section: the two delays; none before a channel's first sample.
    state: Vec<Option<Vec<[f64; 2]>>>,
}

impl Causal {
    pub(super) fn new(filter: Sos, n_channels: usize) -> Self {
        Self {
            filter,
            state: vec![None; n_channels],
        }
    }

    /// Filters the next block in place. `block`: `(n_channels, n_samples)`, any number of samples.
    ///
    /// The first sample is taken to have stood there for ever, so that an offset starts no transient.
    ///
    /// # Errors
    /// [`AnalysisError::Shape`] if the number of channels differs; nothing is filtered then.
    pub fn process(&mut self, mut block: ArrayViewMut2<'_, f64>) -> Result<(), AnalysisError> {
        if block.nrows() != self.state.len() {
            return Err(AnalysisError::Shape {
                what: "a block of samples",
                expected: vec![self.state.len(), block.ncols()],
                found: block.shape().to_vec(),
            });
        }
        for (mut row, state) in block.rows_mut().into_iter().zip(&mut self.state) {
            for value in &mut row {
                let delays = state.get_or_insert_with(|| {
                    let mut start = self.filter.steady_state();
                    for delay in start.iter_mut().flatten() {
                        *delay *= *value;
                    }
                    start
                });
                for (section, [one, two]) in self.filter.sections.iter().zip(delays) {
                    let output = section.b[0] * *value + *one;
                    *one = section.b[1] * *value - section.a[1] * output + *two;
                    *two = section.b[2] * *value - section.a[2] * output;
                    *value = output;
                }
            }
        }
        Ok(())
    }

    /// Forgets the past, for instance at a gap.
    pub fn reset(&mut self) {
        self.state.fill(None);
    }

    /// How late the output shows what happens at `frequency_hz`, samples; see [`Sos::group_delay_samples`].
    pub fn delay_samples(&self, frequency_hz: f64) -> f64 {
        self.filter.group_delay_samples(frequency_hz)
    }
}
