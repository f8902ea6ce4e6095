//! Filter, analytic signal and frequencies against the golden arrays of two real segments, one of odd length.

use cerebral::connectivity::Pipeline;
use cerebral::phase::{
    analytic_signal, frequencies, instantaneous_frequency_hz, phase, trimmed, welch,
};
use cerebral::{Band, SampleRate};

use crate::golden::{Golden, distance, figures, numbers};

/// Rounding in the filter's start-up transient.
const FROM_RAW: f64 = 1e-8;
/// Rounding in one Fourier transform.
const FROM_FILTERED: f64 = 1e-10;

const RECORDINGS: [&str; 2] = ["gui_v6_alpha", "gui_v6_odd"];

pub(crate) fn rate() -> SampleRate {
    SampleRate::new(250.0).unwrap()
}

pub(crate) fn alpha() -> Band {
    Band::new(8.0, 13.0).unwrap()
}

pub(crate) fn pipeline() -> Pipeline {
    Pipeline::new(alpha(), rate(), 1.0).unwrap()
}

#[test]
fn filtered_samples_and_phases_of_a_recording_are_the_golden_ones() {
    for name in RECORDINGS {
        let Some(mut golden) = Golden::recording(&format!("{name}.npz")) else {
            return;
        };
        let filtered = pipeline().filtered(golden.matrix("raw_uv").view()).unwrap();
        let expected = golden.matrix("filtered_uv");
        assert!(distance(&filtered, &expected) < FROM_RAW, "{name}");

        let z = analytic_signal(expected.view());
        let re = golden.matrix("analytic_re");
        let im = golden.matrix("analytic_im");
        assert!(distance(&z.mapv(|z| z.re), &re) < FROM_FILTERED, "{name}");
        assert!(distance(&z.mapv(|z| z.im), &im) < FROM_FILTERED, "{name}");
        let found = phase(z.view());
        assert!(
            distance(&found, &golden.matrix("phase")) < FROM_FILTERED,
            "{name}"
        );
        let found = instantaneous_frequency_hz(z.view(), rate());
        // A phase at an amplitude null is as uncertain as the null is deep.
        assert!(
            distance(&found, &golden.matrix("inst_freq")) < 1e-8,
            "{name}"
        );
    }
}

#[test]
fn frequencies_of_a_recording_are_the_golden_ones_by_every_estimator() {
    let Some(figures) = figures() else { return };
    for name in RECORDINGS {
        let mut golden = Golden::recording(&format!("{name}.npz")).unwrap();
        let z = analytic_signal(golden.matrix("filtered_uv").view());
        for (part, n_trim) in [("freq_full", 0), ("freq_trim", 250)] {
            let found = frequencies(trimmed(z.view(), n_trim), rate());
            let expected = &figures[name][part];
            for (estimator, values) in [
                ("mean_endpoint", found.mean),
                ("median", found.median),
                ("power_weighted", found.power_weighted),
                ("ols_slope", found.slope),
                ("negative_fraction", found.negative_fraction),
            ] {
                for (value, expected) in values.iter().zip(numbers(&expected[estimator])) {
                    assert!(
                        (value - expected).abs() < 1e-9,
                        "{name} {part} {estimator}: {value}, not {expected}"
                    );
                }
            }
        }
        let spectrum = welch(golden.matrix("raw_uv").view(), 500, rate()).unwrap();
        assert_eq!(
            spectrum.peak_hz(alpha()),
            numbers(&figures[name]["welch_peak_hz"]),
            "{name}"
        );
    }
}
