//! Sines whose phase is known, alone and under noise, and when a change is seen.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::*;

fn rate() -> SampleRate {
    SampleRate::new(250.0).unwrap()
}

fn alpha() -> CausalPhase {
    CausalPhase::new(Band::new(8.0, 13.0).unwrap(), rate()).unwrap()
}

fn wrapped(angle: f64) -> f64 {
    Complex64::cis(angle).arg()
}

/// Mean direction and circular standard deviation of errors, rad.
fn spread(errors: &[f64]) -> (f64, f64) {
    let sum: Complex64 = errors.iter().map(|error| Complex64::cis(*error)).sum();
    let mean = sum / float(errors.len());
    (mean.arg(), (-2.0 * mean.norm().ln()).sqrt())
}

#[test]
fn a_sine_within_the_band_has_its_phase_whatever_it_stands_on() {
    for hz in [8.0, 9.3, 10.2, 11.7, 13.0] {
        let x: Vec<f64> = (0..1000)
            .map(|t| 5_000.0 + 3.0 * float(t) + 20.0 * (TAU * hz * rate().seconds(t) + 0.4).cos())
            .collect();
        let found = alpha().along(&x, 600, 1);
        assert_eq!(found.len(), 400);
        for (t, now) in (600..).zip(found) {
            let now = now.unwrap();
            let error = wrapped(now.phase_rad - (TAU * hz * rate().seconds(t) + 0.4));
            assert!(error.abs() < 0.06, "{hz} Hz: {error} rad at {t}");
            assert!((now.frequency_hz - hz).abs() < 0.1, "{hz} Hz: {now:?}");
        }
    }
}

#[test]
fn under_noise_the_error_is_without_bias_and_as_small_as_stated() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    // Amplitude of the sine over the noise's standard deviation at 250 Hz, and the spread that it may leave, rad.
    for (ratio, most) in [(4.0, 0.1), (1.0, 0.4), (0.5, 0.9)] {
        let x: Vec<f64> = (0..20_000)
            .map(|t| {
                let noise: f64 = StandardNormal.sample(&mut rng);
                ratio * (TAU * 10.4 * rate().seconds(t)).cos() + noise
            })
            .collect();
        let found = alpha().along(&x, 600, 1);
        let errors: Vec<f64> = (600..)
            .zip(found)
            .map(|(t, now)| now.unwrap().phase_rad - TAU * 10.4 * rate().seconds(t))
            .collect();
        let (mean, sd) = spread(&errors);
        println!("sine over noise {ratio}: error {mean:.3} rad, spread {sd:.3} rad");
        assert!(mean.abs() < 0.05, "{ratio}: {mean}");
        assert!(sd < most, "{ratio}: {sd}");
    }
}

#[test]
fn a_jump_of_the_phase_is_seen_about_the_stated_delay_later() {
    let alpha = alpha();
    let stated_s = alpha.delay_s(10.2);
    let jump = 0.5;
    let x: Vec<f64> = (0..2000)
        .map(|t| {
            let more = if t < 1000 { 0.0 } else { jump };
            (TAU * 10.2 * rate().seconds(t) + more).cos()
        })
        .collect();
    let seen_at = (900..)
        .zip(alpha.along(&x, 900, 1))
        .find(|(t, now)| {
            let error = wrapped(now.unwrap().phase_rad - TAU * 10.2 * rate().seconds(*t));
            error > jump / 2.0
        })
        .map(|(t, _)| rate().seconds(t - 1000));
    let seen_s = seen_at.unwrap();
    println!("a jump is half seen after {seen_s:.3} s, stated {stated_s:.3} s");
    assert!((0.04..0.09).contains(&stated_s), "{stated_s}");
    assert!((seen_s - stated_s).abs() < 0.03, "{seen_s}, {stated_s}");
}

#[test]
fn a_stream_a_slice_and_its_end_give_the_same_bits() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let x: Vec<f64> = (0..1200).map(|_| StandardNormal.sample(&mut rng)).collect();
    let alpha = alpha();
    let mut stream = CausalPhaseStream::new(alpha.clone());
    let streamed: Vec<_> = x.iter().map(|sample| stream.push(*sample)).collect();
    assert!(streamed[..alpha.memory() - 1].iter().all(Option::is_none));
    assert_eq!(alpha.along(&x, 700, 5).len(), 100);
    for (t, now) in (700..).step_by(5).zip(alpha.along(&x, 700, 5)) {
        assert!(now.is_some());
        assert_eq!(now, streamed[t]);
        assert_eq!(now, alpha.at_end(&x[..=t]));
        assert_eq!(now, alpha.at_end(&x[t + 1 - alpha.memory()..=t]));
    }
}

#[test]
fn where_nothing_moves_there_is_no_phase() {
    let alpha = alpha();
    assert_eq!(alpha.at_end(&[]), None);
    assert_eq!(alpha.at_end(&vec![0.0; alpha.memory()]), None);
    assert_eq!(alpha.at_end(&vec![f64::NAN; alpha.memory()]), None);
    assert!(alpha.along(&[1.0; 10], 5, 1).is_empty());
    let rate = SampleRate::new(20.0).unwrap();
    assert!(CausalPhase::new(Band::new(8.0, 13.0).unwrap(), rate).is_err());
    assert!(CausalPhase::new(Band::new(4.0, 8.0).unwrap(), rate).is_ok());
}

#[test]
fn the_lag_between_two_of_the_table_is_that_of_the_weights() {
    for (low, high, rate_hz) in [(8.0, 13.0, 250.0), (4.0, 8.0, 125.0), (13.0, 30.0, 500.0)] {
        let rate = SampleRate::new(rate_hz).unwrap();
        let causal = CausalPhase::new(Band::new(low, high).unwrap(), rate).unwrap();
        for share in [0.0, 0.1234, 0.5, 0.77, 1.0] {
            let hz = low + (high - low) * share;
            let off = wrapped(causal.lag_rad(hz) - causal.response(hz).arg());
            assert!(off.abs() < 1e-3, "{hz} Hz: {off} rad");
        }
    }
}
