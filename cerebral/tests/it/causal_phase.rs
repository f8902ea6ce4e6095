//! The causal phase of recorded alpha against the one that sees the future too.

use cerebral::phase::{CausalPhase, analytic_signal};
use cerebral::preprocess::cut;
use num_complex::Complex64;

use crate::recordings::recording;
use crate::signals::{alpha, pipeline, rate};

#[test]
fn the_causal_phase_of_recorded_alpha_is_near_the_one_that_sees_the_future() {
    let Some(recording) = recording("openbci-gui-v6-alpha.txt.gz") else {
        return;
    };
    let raw = cut(recording.samples_uv.view(), 10_000..20_000);
    let z = analytic_signal(pipeline().filtered(raw).unwrap().view());
    let causal = CausalPhase::new(alpha(), rate()).unwrap();
    let (mut sum, mut weighted, mut weight, mut n) =
        (Complex64::default(), Complex64::default(), 0.0, 0.0);
    for (raw, z) in raw.rows().into_iter().zip(z.rows()) {
        let raw = raw.to_vec();
        for t in (750..9_500).step_by(25) {
            let now = causal.at_end(&raw[..=t]).unwrap();
            let off = Complex64::cis(now.phase_rad - z[t].arg());
            sum += off;
            weighted += off * z[t].norm_sqr();
            weight += z[t].norm_sqr();
            n += 1.0;
        }
    }
    let spread = |mean: Complex64| (mean.arg(), (-2.0 * mean.norm().ln()).sqrt());
    let (plain, strong) = (spread(sum / n), spread(weighted / weight));
    println!(
        "causal against zero-phase, {n} estimates: error {:.3} rad, spread {:.3}; weighted by power {:.3}, spread {:.3}; delay {:.0} ms",
        plain.0,
        plain.1,
        strong.0,
        strong.1,
        causal.delay_s(alpha().centre_hz()) * 1e3
    );
    // Phases that have nothing to do with each other spread by 2 rad and more.
    assert!(
        plain.0.abs() < 0.3 && strong.0.abs() < 0.25,
        "{plain:?} {strong:?}"
    );
    assert!(plain.1 < 1.1 && strong.1 < 0.7, "{plain:?} {strong:?}");
}
