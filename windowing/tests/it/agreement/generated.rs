//! The product against the reference on random streams, and a check that those streams are worth the trouble.
//!
//! `LOCKSTEP_AGREEMENT_CASES` sets how many streams are tried (2,000 where it is not set), `LOCKSTEP_AGREEMENT_SEED` which
//! (a whole number, 1 where it is not set). A failure prints both the shrunk stream and its lines.

use std::cell::RefCell;
use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::{Case, compare, windows_of};
use crate::generator::{Stream, render, stream};
use crate::line::{Tick, mark, ms, rate_ns, status};
use crate::reference::{ReferenceOutput, reference};

#[expect(
    clippy::disallowed_methods,
    reason = "how long a test runs is no setting of the product"
)]
fn number_from(variable: &str, otherwise: u32) -> u32 {
    match std::env::var(variable) {
        Ok(text) => match text.parse() {
            Ok(number) => number,
            Err(_) => panic!("{variable} is `{text}`, which is no number of 32 bits"),
        },
        Err(_) => otherwise,
    }
}

pub(crate) fn runner(cases: u32, stream_of_seeds: u8) -> TestRunner {
    let mut seed = [stream_of_seeds; 32];
    let said = number_from("LOCKSTEP_AGREEMENT_SEED", 1);
    seed[..4].copy_from_slice(&said.to_le_bytes());
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}

/// Tries random streams; half of the cases run in each of two tests, so that two cores share them.
fn try_streams(longest: usize, stream_of_seeds: u8) {
    let cases = number_from("LOCKSTEP_AGREEMENT_CASES", 2_000).div_ceil(2);
    let result = runner(cases, stream_of_seeds).run(&stream(longest), |stream| {
        compare(&render(&stream), &stream.case)
            .map(drop)
            .map_err(TestCaseError::fail)
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(why, stream)) => panic!("{why}\n{}", told(&stream)),
        Err(TestError::Abort(why)) => panic!("no streams were made: {why}"),
    }
}

fn told(stream: &Stream) -> String {
    format!(
        "seed {}, settings {:?}, world {:?}, lines:\n{}",
        number_from("LOCKSTEP_AGREEMENT_SEED", 1),
        stream.case,
        stream.world,
        render(stream).join("\n")
    )
}

#[test]
fn short_streams_give_the_same_bytes_on_both_sides() {
    try_streams(25, 1);
}

#[test]
fn longer_streams_give_the_same_bytes_on_both_sides() {
    try_streams(60, 2);
}

/// What random streams must have met, or the agreement above says little.
#[test]
fn the_random_streams_reach_every_corner() {
    let missing = RefCell::new(BTreeSet::from(CORNERS));
    let result = runner(400, 3).run(&stream(60), |stream| {
        let output = reference(&render(&stream), &stream.case.for_reference());
        let width_ns = stream.case.width_ms * 1_000_000;
        missing
            .borrow_mut()
            .retain(|corner| !reaches(corner, &output, width_ns));
        Ok(())
    });
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(missing.into_inner(), BTreeSet::new());
}

/// Either a piece of text to be met in a record, or a name that [`reaches`] knows.
const CORNERS: [&str; 22] = [
    "a late tick",
    "a dead letter",
    "an ignored rate",
    "windows left out",
    "paying for a part of the window",
    "a figure below a hundredth of a basis point",
    r#""quality":"one_sided""#,
    r#""quality":"stale","late""#,
    r#""quality":"crossed","late""#,
    r#""state":"venue_down""#,
    r#""state":"no_rate""#,
    r#""state":"crossed""#,
    r#""state":"stale""#,
    r#""state":"ok""#,
    r#""late":2"#,
    r#""end":null,"best":{"#,
    r#""size":null,"at_ns""#,
    r#""size":"0.00"#,
    r#""state":"no_rate","bid":"1"#,
    r#""rate_age_ms":0"#,
    r#""sell":"kraken""#,
    r#""vwap":"1"#,
];

fn reaches(corner: &str, output: &ReferenceOutput, width_ns: i64) -> bool {
    let each = |name: &str| -> Vec<String> {
        let after = |line: &String| -> Vec<String> {
            line.split(name)
                .skip(1)
                .map(|rest| rest.chars().take_while(|c| !",}".contains(*c)).collect())
                .collect()
        };
        output.spreads.iter().flat_map(after).collect()
    };
    match corner {
        "a late tick" => !output.late.is_empty(),
        "a dead letter" => !output.dead.is_empty(),
        "an ignored rate" => output.ignored_rates > 0,
        "windows left out" => {
            let starts = windows_of(output);
            let steps = starts.windows(2).map(|two| two[1].0 - two[0].0);
            steps.into_iter().any(|step| step * 1_000_000 > width_ns)
        }
        "paying for a part of the window" => each(r#""positive_ns":"#)
            .iter()
            .filter_map(|text| text.parse::<i64>().ok())
            .any(|paying| 0 < paying && paying < width_ns),
        "a figure below a hundredth of a basis point" => each(r#""net_bps":"#)
            .iter()
            .filter_map(|text| text.parse::<f64>().ok())
            .any(|net| 0.0 < net && net < 0.01),
        text => output.spreads.iter().any(|line| line.contains(text)),
    }
}

/// Ticks and rates with stamps of their own, each at most one window and a half from the others.
fn unmarked() -> impl Strategy<Value = Vec<String>> {
    let one = (0..1_500_i64, 0..3_usize, 0..8_usize, 0..6_i64);
    vec(one, 1..25).prop_map(|events| {
        let line = |(place, (at_ms, venue, what, number)): (usize, (i64, usize, usize, i64))| {
            let venue = ["a", "b", "c"][venue];
            // The place in the list makes the stamp unlike any other.
            let nth = i64::try_from(place).expect("a short list");
            let tick = Tick::at_ns(venue, "BTC-USD", ms(at_ms) + nth)
                .in_currency(if venue == "c" { "USDT" } else { "USD" });
            match what {
                0 => tick.trade(&format!("10{number}"), "1"),
                1 => {
                    let rate = format!("1.0{number}");
                    rate_ns("r", "USDT", "USD", tick.event_ns, &rate, &rate)
                }
                _ => tick.quote(&format!("10{number}"), &format!("10{}", number + 1)),
            }
        };
        events.into_iter().enumerate().map(line).collect()
    })
}

#[test]
fn any_order_of_arrival_that_the_marks_allow_gives_the_same_spreads() {
    let orders =
        unmarked().prop_flat_map(|lines| (Just(lines.clone()), Just(lines).prop_shuffle()));
    let result = runner(300, 4).run(&orders, |(in_order, shuffled)| {
        let run = |ticks: Vec<String>| {
            // Venues that are up and have not spoken hold everything open until their marks come.
            let venues = ["a", "b", "c"];
            let mut lines: Vec<String> = venues.map(|venue| status(venue, "up", -10_000)).into();
            lines.push(status("holder", "up", -10_000));
            lines.extend(ticks);
            lines.extend(venues.map(|venue| mark(venue, 2_000)));
            lines.push(mark("holder", 2_000));
            compare(&lines, &Case::default()).map_err(TestCaseError::fail)
        };
        let (one, other) = (run(in_order)?, run(shuffled)?);
        prop_assert!(one.late.is_empty() && one.dead.is_empty());
        prop_assert_eq!(one, other);
        Ok(())
    });
    assert!(result.is_ok(), "{result:?}");
}
