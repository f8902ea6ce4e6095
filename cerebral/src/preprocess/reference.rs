//! What voltages are measured against.

use std::fmt;

use ndarray::ArrayViewMut2;

use crate::error::AnalysisError;
use crate::number::float;

/// What voltages are measured against. Phase lags are not free of it: a common average moved the mean wPLI of one recording
/// from 0.141 to 0.170, so every figure names it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Reference {
    /// As the amplifier recorded it.
    #[default]
    Recorded,
    /// The mean over all usable channels at each instant.
    Average,
    /// One channel, which is 0 from then on and thereby unusable.
    Channel {
        /// Which, from 0.
        index: usize,
        /// Its name, for the reader.
        name: String,
    },
}

impl Reference {
    /// Measures `x` against this reference, in place.
    ///
    /// `x`: `(n_channels, n_samples)`, microvolts. `bad`: channels to leave out of an average; they are referenced too. A
    /// channel with a missing sample (NaN) spoils an average at that instant unless it is among them.
    ///
    /// # Errors
    /// [`AnalysisError::Setting`] if the channel does not exist or is bad; [`AnalysisError::TooFewChannels`] for an average of
    /// fewer than two.
    pub fn apply(&self, mut x: ArrayViewMut2<'_, f64>, bad: &[usize]) -> Result<(), AnalysisError> {
        match self {
            Self::Recorded => {}
            Self::Average => {
                let good: Vec<usize> = (0..x.nrows()).filter(|row| !bad.contains(row)).collect();
                if good.len() < 2 {
                    return Err(AnalysisError::TooFewChannels {
                        what: "an average reference",
                        least: 2,
                        found: good.len(),
                    });
                }
                for mut instant in x.columns_mut() {
                    let sum: f64 = good.iter().map(|&row| instant[row]).sum();
                    let mean = sum / float(good.len());
                    instant.mapv_inplace(|value| value - mean);
                }
            }
            Self::Channel { index, name } => {
                if *index >= x.nrows() || bad.contains(index) {
                    return Err(AnalysisError::setting(
                        "reference",
                        format!("channel {name}"),
                        format!("a usable one of the {} channels", x.nrows()),
                    ));
                }
                let against = x.row(*index).to_owned();
                for mut row in x.rows_mut() {
                    row -= &against;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Display for Reference {
    /// As results carry it: `recorded`, `average`, `channel:NAME`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recorded => formatter.write_str("recorded"),
            Self::Average => formatter.write_str("average"),
            Self::Channel { name, .. } => write!(formatter, "channel:{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn an_average_leaves_bad_channels_out_of_the_mean_alone() {
        let mut x = array![[1.0, 2.0], [3.0, 6.0], [100.0, f64::NAN]];
        Reference::Average.apply(x.view_mut(), &[2]).unwrap();
        assert_eq!(
            x.select(ndarray::Axis(0), &[0, 1]),
            array![[-1.0, -2.0], [1.0, 2.0]]
        );
        assert!((x[[2, 0]] - 98.0).abs() < 1e-12);
    }

    #[test]
    fn a_channel_reference_makes_that_channel_zero() {
        let mut x = array![[1.0, 2.0], [3.0, 6.0]];
        let reference = Reference::Channel {
            index: 0,
            name: "Cz".into(),
        };
        reference.apply(x.view_mut(), &[]).unwrap();
        assert_eq!(x, array![[0.0, 0.0], [2.0, 4.0]]);
        assert_eq!(reference.to_string(), "channel:Cz");
        assert!(reference.apply(x.view_mut(), &[0]).is_err());
        assert!(Reference::Average.apply(x.view_mut(), &[1]).is_err());
    }
}
