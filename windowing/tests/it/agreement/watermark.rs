//! How far windows are closed (section 5), seen through which tick is late, each case worked out by hand.

use super::{Case, check, field, windows_of};
use crate::line::{Tick, btc, mark, ms, status, usdt};

/// Up to where windows were closed after these lines, in milliseconds: the boundary that a tick from long ago is told.
/// `None` where even that tick is not late.
fn boundary_after(lines: &[String]) -> Option<String> {
    let mut lines = lines.to_vec();
    lines.push(Tick::at_ns("z", "OLD-USD", -ms(1_000_000)).quote("1", "2"));
    let output = check(&lines, &Case::default());
    assert!(output.dead.is_empty());
    let last = output.late.last()?;
    assert!(last.contains("OLD-USD"));
    Some(field(last, "/boundary_ns"))
}

fn is(boundary_ms: i64) -> Option<String> {
    Some(ms(boundary_ms).to_string())
}

#[test]
fn the_least_of_the_highest_marks_counts_down_to_a_window_boundary() {
    let lines = [
        mark("b", 1_000),
        mark("a", 5_000),
        mark("b", 2_700),
        mark("a", 4_000),
        mark("b", 2_600),
    ];
    assert_eq!(boundary_after(&lines), is(2_000));
}

#[test]
fn a_venue_that_comes_later_does_not_pull_the_watermark_back_and_holds_it() {
    let lines = [mark("a", 5_000), mark("b", 2_700), mark("a", 9_000)];
    assert_eq!(boundary_after(&lines), is(5_000));
}

#[test]
fn without_a_mark_the_highest_tick_counts() {
    let lines = [
        btc("b", 100).trade("1", "2"),
        btc("a", 3_100).quote("1", "2"),
        btc("b", 2_100).trade("1", "2"),
        btc("a", 2_900).trade("1", "2"),
    ];
    assert_eq!(boundary_after(&lines), is(2_000));
}

#[test]
fn once_a_mark_came_ticks_no_longer_count_and_the_watermark_does_not_go_back() {
    let lines = [btc("a", 3_100).quote("1", "2"), mark("a", 500)];
    assert_eq!(boundary_after(&lines), is(3_000));
    let lines = [
        btc("a", 3_100).quote("1", "2"),
        mark("a", 500),
        btc("a", 8_000).quote("1", "2"),
        mark("a", 4_000),
    ];
    assert_eq!(boundary_after(&lines), is(4_000));
}

#[test]
fn an_up_venue_with_neither_mark_nor_tick_holds_the_watermark() {
    let lines = [mark("a", 1_000), status("b", "up", 1_000), mark("a", 5_000)];
    assert_eq!(boundary_after(&lines), is(1_000));
    let mut released = lines.to_vec();
    released.push(mark("b", 3_000));
    assert_eq!(boundary_after(&released), is(3_000));
}

#[test]
fn marks_and_ticks_count_from_the_last_status_on() {
    let marked = [mark("b", 2_000), mark("a", 5_000), status("b", "up", 2_000)];
    let mut later = marked.to_vec();
    later.push(mark("a", 9_000));
    assert_eq!(boundary_after(&later), is(2_000));
    // After the status a tick counts again although there once was a mark.
    later.push(btc("b", 4_000).quote("1", "2"));
    assert_eq!(boundary_after(&later), is(4_000));
}

#[test]
fn down_and_silent_take_a_venue_out_at_once() {
    for gone in ["down", "silent"] {
        let lines = [mark("b", 2_000), mark("a", 5_000), status("b", gone, 2_500)];
        assert_eq!(boundary_after(&lines[..2]), is(2_000), "{gone}");
        assert_eq!(boundary_after(&lines), is(5_000), "{gone}");
    }
}

#[test]
fn only_up_brings_a_venue_back() {
    let lines = [
        mark("b", 2_000),
        mark("a", 5_000),
        status("b", "down", 2_500),
        mark("b", 3_000),
        btc("b", 5_500).quote("1", "2"),
        mark("a", 8_000),
    ];
    assert_eq!(boundary_after(&lines), is(8_000));
    let mut back = lines.to_vec();
    back.extend([status("b", "up", 8_000), mark("a", 12_000)]);
    assert_eq!(boundary_after(&back), is(8_000));
    back.push(mark("b", 9_000));
    assert_eq!(boundary_after(&back), is(9_000));
}

#[test]
fn a_status_makes_an_unknown_venue_known() {
    let lines = [
        status("b", "down", 0),
        mark("b", 1_000),
        btc("b", 1_500).quote("1", "2"),
        mark("a", 5_000),
    ];
    assert_eq!(boundary_after(&lines), is(5_000));
}

#[test]
fn with_no_venue_up_the_watermark_stands_still() {
    let lines = [
        btc("a", 1_100).quote("1", "2"),
        status("a", "silent", 1_200),
        btc("a", 9_000).quote("1", "2"),
        mark("a", 20_000),
    ];
    assert_eq!(boundary_after(&lines), is(1_000));
    // And before there ever was one, nothing is late.
    assert_eq!(
        boundary_after(&[status("a", "down", 5_000), mark("a", 9_000)]),
        None
    );
}

#[test]
fn a_rate_makes_no_venue_up() {
    let lines = [usdt(100, "1", "1"), mark("a", 5_000)];
    assert_eq!(boundary_after(&lines), is(5_000));
}

#[test]
fn a_late_tick_makes_an_unknown_venue_up_and_counts_for_its_highest_stamp() {
    let lines = [
        mark("a", 5_000),
        btc("b", 1_000).quote("1", "2"),
        mark("a", 9_000),
    ];
    assert_eq!(boundary_after(&lines), is(5_000));
    let mut later = lines.to_vec();
    later.push(btc("b", 7_100).quote("1", "2"));
    assert_eq!(boundary_after(&later), is(7_000));
}

#[test]
fn a_dead_letter_makes_no_venue_up_and_counts_for_no_stamp() {
    let lines = [
        mark("a", 1_000),
        btc("a", 1_100).quote("1", "2"),
        btc("a", 9_000).with_symbol("other").quote("1", "2"),
        r#"{"v":2,"kind":"mark","venue":"b","event_ns":0}"#.to_owned(),
        mark("a", 5_000),
    ];
    let mut marked = lines.to_vec();
    marked.push(Tick::at_ns("z", "OLD-USD", 0).quote("1", "2"));
    let output = check(&marked, &Case::default());
    assert_eq!(output.dead, [lines[2].clone(), lines[3].clone()]);
    assert_eq!(output.dead_offsets, [2, 3]);
    assert_eq!(
        field(&output.late[0], "/boundary_ns"),
        ms(5_000).to_string()
    );
}

#[test]
fn windows_close_at_the_record_that_allows_it_and_the_record_counts_in_them() {
    // The status that takes `b` out is stamped in the window that closes for it.
    let lines = [
        btc("b", 100).quote("10", "11"),
        mark("b", 200),
        btc("a", 300).quote("10", "11"),
        mark("a", 1_000),
        status("b", "down", 900),
    ];
    let output = check(&lines, &Case::default());
    assert_eq!(windows_of(&output).len(), 1);
    assert_eq!(field(&output.spreads[0], "/legs/1/state"), "\"venue_down\"");
    assert_eq!(field(&output.spreads[0], "/legs/1/bid"), "null");
    assert_eq!(field(&output.spreads[0], "/legs/1/quotes"), "1");
}
