//! Surrogates against exact cases, and the test against golden statistics, on any number of threads.

use std::sync::atomic::{AtomicUsize, Ordering};

use cerebral::connectivity::Windows;
use cerebral::phase::analytic_signal;
use cerebral::preprocess::cut;
use cerebral::surrogate::{
    Kind, Nulls, Origin, SurrogateTest, Tested, Verdict, add_phases, replace_phases,
};
use ndarray::Array2;
use serde_json::Value;

use crate::golden::{Golden, distance, figures, numbers};
use crate::signals::{pipeline, rate};

/// One transform there and back.
const EXACT: f64 = 1e-12;

#[test]
fn given_phases_give_the_golden_surrogates_at_every_length() {
    for n in [15, 16, 500, 501] {
        let mut golden = Golden::fixture(&format!("surrogate_exact_{n}.npz"));
        let (x, phi) = (golden.matrix("x"), golden.matrix("phi"));
        let shared = Array2::from_shape_fn(phi.dim(), |(_, bin)| phi[[0, bin]]);
        for (name, found) in [
            ("add", add_phases(x.view(), phi.view()).unwrap()),
            ("replace", replace_phases(x.view(), phi.view()).unwrap()),
            ("common", add_phases(x.view(), shared.view()).unwrap()),
            ("hilbert_re", analytic_signal(x.view()).mapv(|z| z.re)),
            ("hilbert_im", analytic_signal(x.view()).mapv(|z| z.im)),
        ] {
            let off = distance(&found, &golden.matrix(name));
            assert!(off < EXACT, "{n} {name}: off by {off:e}");
        }
    }
    let x = Array2::zeros((2, 10));
    assert!(add_phases(x.view(), Array2::zeros((2, 5)).view()).is_err());
    assert!(replace_phases(x.view(), Array2::zeros((1, 6)).view()).is_err());
}

/// Null means within four standard errors of the difference of two runs, standard deviations within ten per cent.
fn statistics_hold(found: &cerebral::surrogate::MeasureTest, expected: &Value, what: &str) {
    let number = |name: &str| expected[name].as_f64().unwrap();
    let off = (found.observed_mean - number("observed_mean")).abs();
    assert!(off < 1e-10, "{what}: observed off by {off:e}");
    let (mean, sd) = (number("surr_mean"), number("surr_sd"));
    let error = 4.0 * sd / number("n").sqrt();
    assert!(
        (found.null_mean - mean).abs() < error,
        "{what}: null mean {} not {mean}",
        found.null_mean
    );
    assert!(
        (found.null_sd / sd - 1.0).abs() < 0.1,
        "{what}: null sd {} not {sd}",
        found.null_sd
    );
    let pairs = found.pairs.indexed_iter().filter(|((i, j), _)| i < j);
    for ((_, value), expected) in pairs.zip(numbers(&expected["observed_pairs"])) {
        assert!((value - expected).abs() < 1e-10);
    }
    // A rank p of N surrogates is off by sqrt(p (1 - p) / N) in either run.
    let n = number("n");
    let pairs = found.pairs_p.indexed_iter().filter(|((i, j), _)| i < j);
    for ((_, p), expected) in pairs.zip(numbers(&expected["p_pairs"])) {
        let error = 5.0 * (2.0 * expected * (1.0 - expected) / n).sqrt() + 2.0 / n;
        assert!((p - expected).abs() < error, "{what}: {p} {expected}");
    }
}

#[test]
fn statistics_of_a_recording_are_the_golden_ones_and_the_verdict_names_who_disagrees() {
    let Some(figures) = figures() else { return };
    let mut golden = Golden::recording("gui_v6_alpha.npz").unwrap();
    let filtered = golden.matrix("filtered_uv");
    let figures = &figures["gui_v6_alpha"]["surrogates"];
    let test = SurrogateTest {
        n: 1000,
        ..SurrogateTest::default()
    };
    let found = test.run_on_filtered(filtered.view(), &pipeline()).unwrap();
    let expected = &figures["independent_1000"];
    statistics_hold(&found.pli, &expected["pli"], "pli");
    let wpli = found.wpli.as_ref().unwrap();
    statistics_hold(wpli, &expected["wpli"], "wpli");
    assert_eq!(found.origin, Origin::Filtered);
    assert_eq!(found.verdict, Verdict::Significant);
    assert_eq!(wpli.edges(0.05).len(), 1);
    assert_eq!(found.pli.edges(0.05).len(), 0);
    assert!(
        found
            .disagreements
            .iter()
            .any(|line| line.starts_with("mean pli p 0.0")),
        "{:?}",
        found.disagreements
    );

    let common = SurrogateTest {
        kind: Kind::Common,
        n: 1000,
        ..test.clone()
    };
    let found = common
        .run_on_filtered(filtered.view(), &pipeline())
        .unwrap();
    let pli = &figures["common_200"]["pli"];
    statistics_hold(&found.pli, pli, "common pli");
    assert!(
        found
            .warnings
            .iter()
            .any(|line| line.contains("common phases"))
    );

    // From raw, in the product's order: what reference section 0 says of this segment.
    let found = test
        .run(golden.matrix("raw_uv").view(), &pipeline())
        .unwrap();
    assert!((found.pli.p - 0.09).abs() < 0.04, "{}", found.pli.p);
    for ratio in &found.band_sd_ratio {
        assert!((0.8..=1.25).contains(ratio), "{ratio}");
    }
}

#[test]
fn noise_is_not_significant_and_its_statistics_are_the_golden_ones() {
    let filtered = Golden::fixture("syn_noise.npz").matrix("filtered");
    let test = SurrogateTest {
        n: 400,
        ..SurrogateTest::default()
    };
    let found = test.run_on_filtered(filtered.view(), &pipeline()).unwrap();
    // Of 200 golden surrogates: mean 0.04043, standard deviation 0.00558.
    assert!((found.pli.null_mean - 0.040_427).abs() < 4.0 * 0.005_58 / 200_f64.sqrt());
    assert!((found.pli.observed_mean - 0.041_788_177).abs() < 1e-8);
    assert!(found.pli.p > 0.2);
    assert!(found.pli.edges(0.05).is_empty() && found.pli.edges_bh(0.05).is_empty());
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let x = cut(
        Golden::fixture("syn_noise.npz").matrix("filtered").view(),
        0..1500,
    )
    .to_owned();
    for kind in [
        Kind::Independent,
        Kind::Common,
        Kind::Aaft,
        Kind::Iaaft,
        Kind::CircularShift,
    ] {
        for origin in [Origin::Raw, Origin::Filtered] {
            let test = SurrogateTest {
                kind,
                origin,
                n: 5,
                seed: 42,
                ..SurrogateTest::default()
            };
            let on = |n_threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(n_threads)
                    .build();
                pool.unwrap()
                    .install(|| test.nulls(x.view(), &pipeline()).unwrap())
            };
            let one = on(1);
            assert_eq!(one, on(3), "{kind} {origin}");
            assert_eq!(one.len(), 5);
        }
    }
}

#[test]
fn pli_alone_gives_the_bits_that_pli_beside_wpli_gives() {
    let x = cut(
        Golden::fixture("syn_noise.npz").matrix("filtered").view(),
        0..2501,
    )
    .to_owned();
    let both = SurrogateTest {
        n: 20,
        ..SurrogateTest::default()
    };
    let alone = SurrogateTest {
        tested: Tested::Pli,
        ..both.clone()
    };
    let (both, alone) = (
        both.run(x.view(), &pipeline()).unwrap(),
        alone.run(x.view(), &pipeline()).unwrap(),
    );
    assert_eq!(both.pli.null_means, alone.pli.null_means);
    assert_eq!(
        both.pli.observed_mean.to_bits(),
        alone.pli.observed_mean.to_bits()
    );
    assert_eq!(alone.verdict, Verdict::NotTested);
    assert!(alone.wpli.is_none());
}

#[test]
fn coupling_is_found_and_a_dead_channel_has_no_p() {
    // Three noises; the second carries the first, 25 ms late.
    let noise = Golden::fixture("syn_noise.npz").matrix("filtered");
    let mut x = Array2::from_shape_fn((4, 5000), |(i, t)| noise[[i, t + 100]]);
    for t in 0..5000 {
        x[[1, t]] = 0.6 * noise[[1, t + 100]] + noise[[0, t + 94]];
    }
    x.row_mut(3).fill(5.0);
    let done = AtomicUsize::new(0);
    let test = SurrogateTest {
        n: 199,
        ..SurrogateTest::default()
    };
    let found = test
        .run_with(x.view(), &pipeline(), &|| {
            done.fetch_add(1, Ordering::Relaxed);
        })
        .unwrap();
    assert_eq!(done.load(Ordering::Relaxed), 199);
    assert_eq!(found.verdict, Verdict::Significant);
    let wpli = found.wpli.as_ref().unwrap();
    assert_eq!(wpli.edges(0.05), [(0, 1)]);
    assert!((wpli.pairs_p_max[[0, 1]] - 0.005).abs() < 1e-12);
    assert!(wpli.pairs_p[[0, 3]].is_nan() && wpli.pairs_p[[0, 0]].is_nan());
    assert!(found.band_sd_ratio[3].is_nan());
}

#[test]
fn a_segment_whose_surrogates_are_of_something_else_is_refused() {
    // A burst near the end, in the band: trimmed away from the data, spread over all of each surrogate.
    let mut x = Golden::fixture("syn_noise.npz").matrix("filtered");
    for t in 0..60_u32 {
        let at = 14_900 + usize::try_from(t).unwrap();
        x[[2, at]] += 3_000.0 * (f64::from(t) * 0.25).sin();
    }
    let test = SurrogateTest {
        n: 19,
        ..SurrogateTest::default()
    };
    let found = test.run(x.view(), &pipeline()).unwrap();
    assert_eq!(found.verdict, Verdict::Refused);
    assert!(found.band_sd_ratio[2] > 1.25, "{:?}", found.band_sd_ratio);
    assert!(
        found.warnings[0].starts_with("test refused"),
        "{:?}",
        found.warnings
    );
    assert!(!found.verdict.is_significant());
}

#[test]
fn too_few_surrogates_for_the_pairs_are_warned_of() {
    let x = Golden::fixture("syn_noise.npz").matrix("filtered");
    for (n, warned) in [(20, true), (558, true), (559, false)] {
        let test = SurrogateTest {
            tested: Tested::Pli,
            n,
            ..SurrogateTest::default()
        };
        let short = cut(x.view(), 0..1000);
        let found = test.run_on_filtered(short, &pipeline()).unwrap();
        let coarse = found
            .warnings
            .iter()
            .find(|line| line.contains("few for 28 pairs"));
        assert_eq!(coarse.is_some(), warned, "{n}");
        if let Some(line) = coarse {
            assert!(line.ends_with("take 559 surrogates"), "{line}");
        }
    }
}

#[test]
fn a_rolling_null_of_ten_windows_keeps_the_newest() {
    let x = Golden::fixture("syn_noise.npz").matrix("filtered");
    let windows = Windows::new(2.0, 1.0, 1.0, rate()).unwrap();
    let pipeline = windows.pipeline(&pipeline());
    let mut rolling = Nulls::default();
    let mut last = None;
    for k in 1..13 {
        let buffer = cut(x.view(), windows.buffer(k).unwrap());
        let test = SurrogateTest {
            n: 20,
            session: 99,
            window: u64::try_from(k).unwrap(),
            ..SurrogateTest::default()
        };
        rolling.append(test.nulls(buffer, &pipeline).unwrap());
        rolling.keep_last(200);
        let observed = test.observe(buffer, &pipeline).unwrap();
        last = Some(test.assess(&observed, &rolling));
    }
    assert_eq!(last.unwrap().n, 200);
}

#[test]
fn what_cannot_be_tested_is_refused_by_name() {
    let x = Golden::fixture("syn_noise.npz").matrix("filtered");
    let base = SurrogateTest::default();
    for test in [
        SurrogateTest {
            n: 0,
            ..base.clone()
        },
        SurrogateTest {
            alpha: 0.0,
            ..base.clone()
        },
        SurrogateTest {
            alpha: f64::NAN,
            ..base.clone()
        },
    ] {
        assert!(test.run(x.view(), &pipeline()).is_err());
    }
    let one = cut(x.view(), 0..1000).select(ndarray::Axis(0), &[0]);
    assert!(base.run(one.view(), &pipeline()).is_err());
    assert!(
        base.run(Array2::from_elem((3, 1000), f64::NAN).view(), &pipeline())
            .is_err()
    );
    assert!(base.run(cut(x.view(), 0..501), &pipeline()).is_err());
    assert!("random".parse::<Kind>().is_err());
    assert!("both".parse::<Origin>().is_err());
    assert_eq!("shift".parse(), Ok(Kind::CircularShift));
}
