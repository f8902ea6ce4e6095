//! Colours and the like, cell by cell; and that nothing is lost without them.

use contract::eeg::DriveKind;
use dashboard_tui::config::{Colour, Settings, ViewName};
use dashboard_tui::testing::eeg::{Made, MadeTwin, Says};
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use crate::scene::{Scene, Stage, settings};

const SIZE: (u16, u16) = (120, 40);

/// The first cell of a text on the screen.
fn cell<'a>(buffer: &'a Buffer, text: &str) -> &'a Cell {
    let width = usize::from(buffer.area.width);
    for row in buffer.content.chunks(width) {
        for at in 0..width {
            let here = row[at..].iter().map(Cell::symbol).collect::<String>();
            if here.starts_with(text) {
                return &row[at];
            }
        }
    }
    panic!("`{text}` does not stand on the screen");
}

fn buffer(scene: Scene, view: ViewName) -> Buffer {
    Stage::of(scene, view, SIZE).buffer()
}

#[test]
fn live_is_green_and_what_must_be_seen_is_reversed_red() {
    let live = buffer(Scene::Busy, ViewName::Spreads);
    assert_eq!(cell(&live, "● live").fg, Color::Green);
    for (scene, text) in [
        (Scene::Frozen, "NO WINDOWS FOR"),
        (Scene::Away, "BROKER AWAY"),
    ] {
        let loud = buffer(scene, ViewName::Spreads);
        let header = cell(&loud, text);
        assert_eq!(header.fg, Color::Red);
        assert!(
            header
                .modifier
                .contains(Modifier::REVERSED | Modifier::BOLD)
        );
        let end_of_header = &loud.content[usize::from(SIZE.0) - 1];
        assert!(
            end_of_header.modifier.contains(Modifier::REVERSED),
            "the whole line"
        );
        assert_eq!(
            cell(&loud, "BTC-USD").fg,
            Color::DarkGray,
            "what is old is pale"
        );
    }
}

#[test]
fn a_net_above_the_threshold_is_bold_green_and_marked() {
    let busy = buffer(Scene::Busy, ViewName::Spreads);
    let above = cell(&busy, "▲+");
    assert_eq!((above.fg, above.modifier), (Color::Green, Modifier::BOLD));
    assert_eq!(cell(&busy, "╌ threshold").fg, Color::Yellow);
    assert_eq!(cell(&busy, "┈ gross").fg, Color::Blue);
}

#[test]
fn states_have_their_colours() {
    let stale = buffer(Scene::Stale, ViewName::Spreads);
    assert_eq!(cell(&stale, "stale").fg, Color::Yellow);
    let outage = buffer(Scene::Outage, ViewName::Venues);
    assert_eq!(cell(&outage, "DOWN").fg, Color::Red);
    assert_eq!(cell(&outage, "1/2 venues up").fg, Color::Yellow);
    let alerts = buffer(Scene::Outage, ViewName::Alerts);
    assert_eq!(cell(&alerts, "● open").fg, Color::Red);
    assert_eq!(cell(&alerts, "pending").fg, Color::Yellow);
    let log = buffer(Scene::Outage, ViewName::Log);
    assert_eq!(cell(&log, "ERROR").fg, Color::Red);
    assert_eq!(cell(&log, "WARN").fg, Color::Yellow);
}

#[test]
fn a_verdict_is_never_mistaken_for_another() {
    let says = |says, view| {
        let made = Made {
            says,
            ..Made::default()
        };
        Stage::with(&[made], view, SIZE).buffer()
    };
    for view in [ViewName::Brain, ViewName::Twin] {
        let yes = says(Says::Significant, view);
        let verdict = cell(&yes, "SIGNIFICANT: p");
        assert_eq!(
            (verdict.fg, verdict.modifier),
            (Color::Green, Modifier::BOLD)
        );
        for (case, words, colour) in [
            (Says::NotSignificant, "NOT SIGNIFICANT: p", Color::Yellow),
            (Says::Untested, "NOT TESTED", Color::Yellow),
            (Says::NoFigures, "NO FIGURES", Color::Yellow),
            (Says::Refused, "TEST REFUSED", Color::Red),
        ] {
            let no = says(case, view);
            let verdict = cell(&no, words);
            assert_eq!(verdict.fg, colour, "{case:?}");
            assert!(
                verdict
                    .modifier
                    .contains(Modifier::REVERSED | Modifier::BOLD)
            );
        }
    }
    let no = says(Says::NotSignificant, ViewName::Twin);
    assert_eq!(cell(&no, "NOT SIGNIFICANT · r:").fg, Color::Yellow);
    let worth = |case| says(case, ViewName::Twin);
    assert_eq!(
        cell(&worth(Says::Significant), "better than both").fg,
        Color::Green
    );
    assert_eq!(
        cell(&worth(Says::NotSignificant), "better than both").fg,
        Color::Reset
    );
}

#[test]
fn edges_bad_electrodes_and_bad_twins_have_their_colours() {
    let made = Made {
        railed: Some(3),
        ..Made::default()
    };
    let brain = Stage::with(&[made], ViewName::Brain, (132, 34)).buffer();
    let edge = cell(&brain, "*80");
    assert_eq!((edge.fg, edge.modifier), (Color::Green, Modifier::BOLD));
    assert_eq!(cell(&brain, "OUT: railed").fg, Color::Red);
    assert_eq!(cell(&brain, "4 C4▲").fg, Color::Red, "at its rail now");
    assert_eq!(cell(&brain, "hums").fg, Color::Yellow);
    let bad = Made {
        twin: MadeTwin::Bad,
        ..Made::default()
    };
    let twin = Stage::with(&[bad], ViewName::Twin, (132, 34)).buffer();
    assert_eq!(cell(&twin, "WORSE THAN").fg, Color::Red);
    let driven = Made {
        twin: MadeTwin::Driven(DriveKind::Tone),
        ..Made::default()
    };
    let twin = Stage::with(&[driven], ViewName::Twin, (132, 34)).buffer();
    assert_eq!(cell(&twin, "RAISES r").fg, Color::Green);
    assert!(cell(&twin, "DRIVEN").modifier.contains(Modifier::REVERSED));
}

#[test]
fn the_chosen_row_and_tab_are_reversed() {
    let busy = buffer(Scene::Busy, ViewName::Spreads);
    assert!(
        cell(&busy, "[1 Spreads]")
            .modifier
            .contains(Modifier::REVERSED)
    );
    assert!(cell(&busy, "▸").modifier.contains(Modifier::REVERSED));
}

#[test]
fn without_colours_no_cell_has_one_and_the_text_is_the_same() {
    for view in ViewName::ALL {
        for scene in [
            Scene::Busy,
            Scene::Stale,
            Scene::Outage,
            Scene::Frozen,
            Scene::Away,
        ] {
            let plain = Settings {
                colour: Colour::Off,
                ..settings(view)
            };
            let mut stage = Stage::new(&plain, SIZE);
            stage.play(scene);
            for cell in &stage.buffer().content {
                assert_eq!(
                    (cell.fg, cell.bg),
                    (Color::Reset, Color::Reset),
                    "{view:?} {scene:?}"
                );
            }
            assert_eq!(stage.screen(), Stage::of(scene, view, SIZE).screen());
        }
    }
}
