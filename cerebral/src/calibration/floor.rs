//! The noise floor: how large the largest coupling comes out where there is none.

use rayon::prelude::*;

use crate::calibration::fit::{Find, Fit, Prepared, fit, prepare};
use crate::calibration::settings::CalibrationSettings;
use crate::calibration::synthetic::recording;
use crate::twin::error::TwinError;
use crate::units::SampleRate;

/// The largest absolute coupling found in each of `settings.floor_runs` simulated recordings without coupling, sorted.
///
/// `uncoupled` is the model without coupling fitted to the recording itself. Every run goes through the whole
/// calibration. Run k depends on the seed and k alone, so the number of threads changes nothing.
pub(crate) fn largest_without_coupling(
    uncoupled: &Fit,
    prepared: &Prepared,
    rate: SampleRate,
    n_samples: usize,
    settings: &CalibrationSettings,
) -> Result<Vec<f64>, TwinError> {
    let one = |run: usize| {
        let stream = u64::try_from(run).expect("runs are counted in 64 bits") + 1;
        let x = recording(uncoupled, prepared, rate, n_samples, settings.seed, stream);
        let again = prepare(x.view(), rate, settings)?;
        let found = fit(&again, again.start.clone(), settings, Find::Unshrunk);
        Ok(found
            .unshrunk
            .iter()
            .fold(0.0_f64, |most, value| most.max(value.abs())))
    };
    let mut largest: Vec<f64> = (0..settings.floor_runs)
        .into_par_iter()
        .map(one)
        .collect::<Result<_, TwinError>>()?;
    largest.sort_by(f64::total_cmp);
    Ok(largest)
}

/// The smallest of the sorted values that at least `share` of them do not exceed.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let rank = (share * crate::number::float(sorted.len())).ceil().max(1.0);
    let index = crate::twin::number::whole(rank - 1.0)
        .unwrap_or(0)
        .min(sorted.len() - 1);
    sorted[index]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_the_values() {
        let values: Vec<f64> = (1..=20).map(f64::from).collect();
        for (share, expected) in [
            (0.0, 1.0),
            (0.05, 1.0),
            (0.5, 10.0),
            (0.95, 19.0),
            (0.96, 20.0),
            (1.0, 20.0),
        ] {
            assert!(
                (quantile(&values, share) - expected).abs() < 1e-12,
                "share {share}"
            );
        }
    }
}
