//! Stopped anywhere, kept as text and gone on from, a partition gives the bytes that it would have given.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use windowing::lines::Partition;
use windowing::spread::Side;
use windowing::state::{PartitionState, StateError};
use windowing::work::Input;
use windowing::{Lines, Settings, WindowingError};

use crate::agreement::{Case, runner};
use crate::generator::{render, stream};
use crate::line::{btc, mark};
use crate::reference::reference;

/// The lines as one partition that is kept and restored before each of these places.
fn with_stops(lines: &[String], settings: &Settings, stops: &[usize]) -> Result<Lines, String> {
    let settings = Arc::new(settings.clone());
    let told = |error: WindowingError| error.to_string();
    let mut partition = Partition::new(Arc::clone(&settings), 0).map_err(told)?;
    let (mut out, mut side) = (Vec::new(), Vec::new());
    for (place, line) in lines.iter().enumerate() {
        if stops.contains(&place) {
            let text = partition.state().to_text();
            let state = PartitionState::from_text(&text).map_err(|error| error.to_string())?;
            partition = Partition::restore(Arc::clone(&settings), 0, state)
                .map_err(|error| error.to_string())?;
            if partition.state().to_text() != text {
                return Err("the restored state reads otherwise".to_owned());
            }
        }
        let input = Input {
            offset: i64::try_from(place).unwrap_or(i64::MAX),
            bytes: line.clone().into_bytes(),
        };
        partition.push(input, &mut out, &mut side).map_err(told)?;
    }
    partition.finish(&mut out);
    let mut found = Lines {
        spreads: out.into_iter().map(|emitted| emitted.line).collect(),
        ..Lines::default()
    };
    for side in side {
        match side {
            Side::Late { line, .. } => found.late.push(line),
            Side::Dead(letter) => found.dead.push(letter),
        }
    }
    Ok(found)
}

#[test]
fn a_partition_restored_anywhere_gives_what_the_reference_gives() {
    let streams = stream(60).prop_flat_map(|stream| {
        let places = stream.events.len() * 2 + 2;
        (Just(stream), vec(0..places, 1..6))
    });
    let result = runner(400, 5).run(&streams, |(stream, stops)| {
        let lines = render(&stream);
        let expected = reference(&lines, &stream.case.for_reference());
        let found =
            with_stops(&lines, &stream.case.for_product(), &stops).map_err(TestCaseError::fail)?;
        let texts = |lines: Vec<Vec<u8>>| -> Vec<String> {
            let text = |line| String::from_utf8(line).map_err(|error| error.to_string());
            lines
                .into_iter()
                .map(|line| text(line).unwrap_or_default())
                .collect()
        };
        prop_assert_eq!(texts(found.spreads), expected.spreads);
        prop_assert_eq!(texts(found.late), expected.late);
        let offsets: Vec<usize> = found
            .dead
            .iter()
            .filter_map(|letter| usize::try_from(letter.offset).ok())
            .collect();
        prop_assert_eq!(offsets, expected.dead_offsets);
        Ok(())
    });
    assert!(result.is_ok(), "{result:?}");
}

fn kept() -> String {
    let settings = Arc::new(Case::default().for_product());
    let mut partition = Partition::new(settings, 0).expect("the defaults are a shape");
    let (mut out, mut side) = (Vec::new(), Vec::new());
    let lines = [
        btc("a", 100).quote("1", "2"),
        mark("a", 1_500),
        btc("a", 1_700).in_currency("USD").trade("3", "1"),
    ];
    for (offset, line) in (0_i64..).zip(lines) {
        let bytes = line.into_bytes();
        let pushed = partition.push(Input { offset, bytes }, &mut out, &mut side);
        assert!(pushed.is_ok(), "{pushed:?}");
    }
    partition.state().to_text()
}

#[test]
fn the_text_of_a_state_is_what_others_may_have_kept() {
    // A change here cannot be read by those who kept the old: it needs a new version.
    assert_eq!(
        kept(),
        concat!(
            r#"{"v":1,"width_ms":1000,"windows":{"watermarks":{"sources":[{"state":"up","mark_ns":1500000000,"data_ns":100000000}],"watermark_ns":1500000000},"#,
            r#""next":1,"boundary_ns":1000000000,"judged_ns":1500000000,"begun":true,"panes":[[1,true,[[1700000000,{"t":[0,0,["3","1"]]}]]]]},"#,
            r#""book":{"venues":[["a",false,0]],"rates":[],"pairs":[["BTC-USD",0,[[0,"BTCUSD","USD",true,[100000000,0,["1","1","2","2"]]]]]]}}"#,
        )
    );
}

#[test]
fn a_state_that_cannot_be_gone_on_from_is_refused_with_the_reason() {
    let restore = |text: &str, settings: Settings| -> Result<Partition, StateError> {
        Partition::restore(Arc::new(settings), 0, PartitionState::from_text(text)?)
    };
    let refused = |from: &str, to: &str| {
        let text = kept();
        assert!(text.contains(from), "{from} is not in {text}");
        restore(&text.replacen(from, to, 1), Case::default().for_product())
            .expect_err("refused")
            .to_string()
    };
    assert!(restore(&kept(), Case::default().for_product()).is_ok());
    let other_width = Settings {
        width_ms: 500,
        ..Case::default().for_product()
    };
    let error = restore(&kept(), other_width).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "it is of windows of 1000 ms, and `windowing.width_ms` is 500 now"
    );
    for (from, to, reason) in [
        (r#"{"v":1"#, r#"{"v":2"#, "documented shape"),
        (r#"{"t":[0,0,"#, r#"{"t":[1,0,"#, "speaks of nothing known"),
        (r#"{"t":[0,0,"#, r#"{"t":[0,9,"#, "speaks of nothing known"),
        (r#"[[0,"BTCUSD""#, r#"[[5,"BTCUSD""#, "is of no venue"),
        (r#""BTCUSD","USD""#, r#""BTCUSD","EUR""#, "needs a rate"),
        (r#"["BTC-USD",0"#, r#"["BTC",0"#, "no accounting currency"),
        (r#"["1","1","2""#, r#"["0","1","2""#, "documented shape"),
    ] {
        let told = refused(from, to);
        assert!(told.contains(reason), "{from} to {to}: {told}");
    }
}
