//! Artefacts put into noise are found where they are, and noise alone has none.

use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::*;

const RATE_HZ: f64 = 250.0;
const N_SAMPLES: usize = 10_000;
const WHOLE: &Range<usize> = &(0..N_SAMPLES);

/// Eight channels of pink-like noise of 10 uV on offsets of tens of millivolts.
fn noise(seed: u64) -> Array2<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut x = Array2::zeros((8, N_SAMPLES));
    for (channel, mut row) in x.rows_mut().into_iter().enumerate() {
        let mut slow = 0.0;
        for value in &mut row {
            let fresh: f64 = StandardNormal.sample(&mut random);
            slow = 0.95 * slow + fresh;
            *value = 3.0 * slow + fresh + 10_000.0 * crate::number::float(channel);
        }
    }
    x
}

fn found(x: &Array2<f64>, frontal: &[usize]) -> Vec<Artefact> {
    let good: Vec<usize> = (0..x.nrows()).collect();
    let rate = SampleRate::new(RATE_HZ).unwrap();
    find_artefacts(x.view(), std::slice::from_ref(WHOLE), &good, frontal, rate).unwrap()
}

/// A bump of 0.3 s about a sample.
fn bump(x: &mut Array2<f64>, channels: &[usize], centre: usize, height_uv: f64) {
    for &channel in channels {
        for at in centre - 75..centre + 75 {
            let t = (crate::number::float(at) - crate::number::float(centre)) / 18.0;
            x[[channel, at]] += height_uv * (-t * t / 2.0).exp();
        }
    }
}

#[test]
fn noise_on_any_offset_has_no_artefact() {
    for seed in 0..5 {
        assert_eq!(found(&noise(seed), &[]), [], "seed {seed}");
    }
}

#[test]
fn each_kind_is_found_where_it_is_and_called_by_its_name() {
    let mut x = noise(7);
    bump(&mut x, &[0, 1], 2_000, 250.0);
    bump(&mut x, &[4], 4_000, 250.0);
    bump(&mut x, &[0, 1, 2, 3, 4, 5, 6], 6_000, 250.0);
    for value in &mut x.row_mut(3).as_slice_mut().unwrap()[8_000..] {
        *value += 300.0;
    }
    let mut random = ChaCha8Rng::seed_from_u64(9);
    for channel in [5, 6] {
        for at in 9_000..9_250 {
            let fresh: f64 = StandardNormal.sample(&mut random);
            x[[channel, at]] += 30.0 * fresh;
        }
    }
    let found = found(&x, &[]);
    let told: Vec<(ArtefactKind, &[usize])> = found
        .iter()
        .map(|artefact| (artefact.kind, artefact.channels.as_slice()))
        .collect();
    assert_eq!(
        told,
        [
            (ArtefactKind::Blink, &[0, 1][..]),
            (ArtefactKind::Electrode, &[4]),
            (ArtefactKind::Movement, &[0, 1, 2, 3, 4, 5, 6]),
            (ArtefactKind::Step, &[3]),
            (ArtefactKind::Muscle, &[5, 6]),
        ],
        "{found:?}"
    );
    for (artefact, centre) in found.iter().zip([2_000, 4_000, 6_000, 8_000, 9_125]) {
        let samples = &artefact.samples;
        assert!(
            samples.contains(&centre) && samples.len() < 500,
            "{artefact:?}"
        );
    }
}

#[test]
fn a_blink_that_reaches_most_channels_is_known_by_the_montage() {
    let mut x = noise(3);
    bump(&mut x, &[0, 1], 5_000, 400.0);
    bump(&mut x, &[2, 3, 4], 5_000, 150.0);
    assert_eq!(found(&x, &[])[0].kind, ArtefactKind::Movement);
    assert_eq!(found(&x, &[0, 1])[0].kind, ArtefactKind::Blink);
    let mut x = noise(3);
    bump(&mut x, &[5, 6], 5_000, 400.0);
    assert_eq!(found(&x, &[0, 1])[0].kind, ArtefactKind::Electrode);
}

#[test]
fn a_slow_recording_is_looked_through_without_muscle_and_a_short_stretch_not_at_all() {
    let mut x = noise(7);
    bump(&mut x, &[0, 1], 2_000, 250.0);
    let good: Vec<usize> = (0..8).collect();
    let slow = SampleRate::new(60.0).unwrap();
    assert!(find_artefacts(x.view(), std::slice::from_ref(WHOLE), &good, &[], slow).is_ok());
    assert!(
        find_artefacts(
            x.view(),
            std::slice::from_ref(WHOLE),
            &good,
            &[],
            SampleRate::new(10.0).unwrap()
        )
        .is_err()
    );
    let rate = SampleRate::new(RATE_HZ).unwrap();
    assert_eq!(
        find_artefacts(
            x.view(),
            std::slice::from_ref(&(1_900..2_100)),
            &good,
            &[],
            rate
        ),
        Ok(vec![])
    );
}
