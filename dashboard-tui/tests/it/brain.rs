//! *Brain* and *Twin*: what stands there, what keys do, and that noise is never shown as more.

use contract::eeg::{DriveKind, Order};
use crossterm::event::KeyCode;
use dashboard_tui::config::ViewName;
use dashboard_tui::testing::eeg::{Made, MadeTwin, Says};

use crate::scene::{LONG, Stage};

const ORDINARY: (u16, u16) = (80, 24);
const BROAD: (u16, u16) = (132, 34);
const LARGE: (u16, u16) = (200, 60);
const SMALL: (u16, u16) = (40, 10);

fn check(name: &str, sessions: &[Made], view: ViewName, size: (u16, u16)) {
    let name = format!("{}-{name}-{}x{}", view.as_str(), size.0, size.1);
    insta::assert_snapshot!(name, Stage::with(sessions, view, size).screen());
}

fn says(says: Says) -> Made {
    Made {
        says,
        ..Made::default()
    }
}

fn channels(n_channels: usize) -> Made {
    Made {
        n_channels,
        ..Made::default()
    }
}

fn twin(twin: MadeTwin) -> Made {
    Made {
        twin,
        ..Made::default()
    }
}

#[test]
fn a_brain_looks_as_it_shall_with_one_channel_and_with_many() {
    check("1-channel", &[channels(1)], ViewName::Brain, ORDINARY);
    check("8-channels", &[channels(8)], ViewName::Brain, BROAD);
    check("16-channels", &[channels(16)], ViewName::Brain, ORDINARY);
    check("16-channels", &[channels(16)], ViewName::Brain, LARGE);
    check("64-channels", &[channels(64)], ViewName::Brain, LARGE);
    check("64-channels", &[channels(64)], ViewName::Brain, SMALL);
}

#[test]
fn a_twin_looks_as_it_shall_with_one_channel_and_with_many() {
    check("1-channel", &[channels(1)], ViewName::Twin, ORDINARY);
    check("8-channels", &[channels(8)], ViewName::Twin, BROAD);
    check("16-channels", &[channels(16)], ViewName::Twin, LARGE);
    check("64-channels", &[channels(64)], ViewName::Twin, ORDINARY);
}

#[test]
fn what_is_no_more_than_chance_is_called_that_wherever_one_looks() {
    for (case, words) in [
        (Says::NotSignificant, "NOT SIGNIFICANT"),
        (Says::Refused, "TEST REFUSED"),
        (Says::Untested, "NOT TESTED"),
        (Says::NoFigures, "NO FIGURES: the buffer"),
    ] {
        for view in [ViewName::Brain, ViewName::Twin] {
            for size in [SMALL, ORDINARY, BROAD, LARGE, (28, 6)] {
                let mut stage = Stage::with(&[says(case)], view, size);
                let cut = if size.0 < 40 { &words[..8] } else { words };
                for _ in 0..9 {
                    let screen = stage.screen();
                    assert!(screen.contains(cut), "{view:?} {size:?}\n{screen}");
                    assert!(!screen.contains("\n SIGNIFICANT"), "{screen}");
                    // One panel after the other.
                    stage.key(KeyCode::Char('f'));
                }
            }
        }
    }
    check(
        "not-significant",
        &[says(Says::NotSignificant)],
        ViewName::Brain,
        BROAD,
    );
    check(
        "not-significant",
        &[says(Says::NotSignificant)],
        ViewName::Twin,
        BROAD,
    );
    check("refused", &[says(Says::Refused)], ViewName::Brain, ORDINARY);
    check(
        "no-figures",
        &[says(Says::NoFigures)],
        ViewName::Brain,
        BROAD,
    );
}

#[test]
fn no_pair_is_claimed_where_the_test_was_refused_or_found_nothing() {
    for case in [
        Says::NotSignificant,
        Says::Refused,
        Says::Untested,
        Says::NoFigures,
    ] {
        let stage = Stage::with(&[says(case)], ViewName::Brain, BROAD);
        let screen = stage.screen();
        let body: Vec<&str> = screen.lines().skip(6).collect();
        let starred = body.iter().filter(|line| {
            line.split("beyond all")
                .next()
                .unwrap()
                .matches('*')
                .count()
                > 1
        });
        assert_eq!(starred.count(), 0, "{case:?}\n{screen}");
    }
    let significant = Stage::with(&[Made::default()], ViewName::Brain, BROAD).screen();
    assert!(significant.contains("*80"), "{significant}");
    let mut pli = Stage::with(&[Made::default()], ViewName::Brain, BROAD);
    pli.type_in("m");
    let screen = pli.screen();
    assert!(
        screen.contains("PLI x100, m: wPLI") && !screen.contains('*'),
        "of PLI nothing is claimed\n{screen}"
    );
}

#[test]
fn an_electrode_that_is_left_out_says_why_and_has_no_figures() {
    let railed = Made {
        railed: Some(3),
        ..Made::default()
    };
    check("railed", &[railed], ViewName::Brain, BROAD);
    let screen = Stage::with(&[railed], ViewName::Brain, BROAD).screen();
    assert!(screen.contains("OUT: railed"), "{screen}");
    assert!(screen.contains("1 of 8 left out"), "{screen}");
}

#[test]
fn panels_can_be_looked_at_one_by_one() {
    let mut stage = Stage::with(&[channels(16)], ViewName::Brain, ORDINARY);
    for name in [
        "signals",
        "electrodes",
        "matrix",
        "order",
        "wpli",
        "circle",
        "head",
    ] {
        stage.key(KeyCode::Char('f'));
        insta::assert_snapshot!(format!("brain-alone-{name}"), stage.screen());
    }
    stage.key(KeyCode::Esc);
    assert!(stage.screen().contains("order parameter") && stage.screen().contains("rms"));
}

#[test]
fn sessions_are_chosen_like_pairs_and_the_choice_goes_with_the_views() {
    let sessions = [
        Made::default(),
        Made {
            session: "headset-2",
            says: Says::NotSignificant,
            ..Made::default()
        },
        Made {
            session: LONG,
            railed: Some(0),
            ..Made::default()
        },
    ];
    let mut stage = Stage::with(&sessions, ViewName::Brain, ORDINARY);
    assert!(
        stage.line(2).starts_with("cyton-1  1 of 3"),
        "{}",
        stage.line(2)
    );
    stage.key(KeyCode::Down);
    assert!(
        stage.line(2).starts_with("headset-2  2 of 3"),
        "{}",
        stage.line(2)
    );
    stage.key(KeyCode::Enter);
    insta::assert_snapshot!("brain-sessions", stage.screen());
    stage.type_in("G");
    stage.key(KeyCode::Enter);
    assert!(stage.line(2).contains("3 of 3"), "{}", stage.line(2));
    stage.type_in("/head");
    stage.key(KeyCode::Enter);
    assert!(stage.line(2).starts_with("headset-2"), "{}", stage.line(2));
    stage.key(KeyCode::Esc);
    stage.key(KeyCode::Home);
    stage.key(KeyCode::Down);
    stage.key(KeyCode::Tab);
    assert!(
        stage.line(1).contains("[5 Twin]") && stage.line(2).starts_with("headset-2"),
        "{}",
        stage.screen()
    );
}

#[test]
fn a_session_that_stands_still_says_so_though_others_go_on() {
    let mut stage = Stage::with(&[Made::default()], ViewName::Brain, ORDINARY);
    stage.sessions = vec![Made {
        session: "other",
        ..Made::default()
    }];
    for window in 150..165 {
        stage.eeg(window);
        stage.time(stage.now_ns + 1_000_000_000);
    }
    assert!(stage.line(0).contains("● live"), "{}", stage.line(0));
    assert!(
        stage.line(2).contains("cyton-1  no window for 15 s"),
        "{}",
        stage.line(2)
    );
}

#[test]
fn a_session_that_ended_is_no_fault() {
    let mut stage = Stage::with(&[Made::default()], ViewName::Brain, BROAD);
    stage.end(&Made::default());
    stage.time(stage.now_ns + 60_000_000_000);
    assert!(
        stage.line(0).contains("EVERY SESSION HAS ENDED"),
        "{}",
        stage.line(0)
    );
    assert!(
        stage.line(2).contains("cyton-1  ENDED 60 s ago")
            || stage.line(2).contains("ENDED 1 min 00"),
        "{}",
        stage.line(2)
    );
}

#[test]
fn the_twin_shows_what_a_drive_does() {
    for (name, drive) in [("tone", DriveKind::Tone), ("locked", DriveKind::Locked)] {
        let driven = twin(MadeTwin::Driven(drive));
        check(&format!("driven-{name}"), &[driven], ViewName::Twin, BROAD);
        check(&format!("driven-{name}"), &[driven], ViewName::Twin, SMALL);
    }
    check("bad", &[twin(MadeTwin::Bad)], ViewName::Twin, BROAD);
    check("none", &[twin(MadeTwin::None)], ViewName::Twin, ORDINARY);
}

#[test]
fn an_order_is_given_by_enter_and_followed_until_its_effect_is_seen() {
    let mut stage = Stage::with(&[Made::default()], ViewName::Twin, BROAD);
    stage.key(KeyCode::Right);
    stage.key(KeyCode::Enter);
    let orders = stage.app.take_orders();
    assert_eq!(orders.len(), 1);
    assert_eq!(
        (orders[0].node, orders[0].order, orders[0].session.as_ref()),
        (1, Order::Start, "cyton-1")
    );
    assert!(
        stage.screen().contains("start is being sent"),
        "{}",
        stage.screen()
    );
    stage.ordered(&orders[0].id, Ok(()));
    assert!(
        stage
            .screen()
            .contains("start sent: from the next window on"),
        "{}",
        stage.screen()
    );
    assert!(stage.screen().contains("Enter stops it"));
    stage.time(stage.now_ns + 2_000_000_000);
    assert!(
        stage.screen().contains("start sent"),
        "nothing but time has passed"
    );
    stage.key(KeyCode::Enter);
    let stop = stage.app.take_orders();
    assert_eq!((stop[0].order, &stop[0].id), (Order::Stop, &orders[0].id));
    stage.ordered(&stop[0].id, Err("the broker is away".to_owned()));
    assert!(
        stage.screen().contains("NOT SENT: the broker is away"),
        "{}",
        stage.screen()
    );
}

#[test]
fn where_nobody_sends_orders_the_keys_say_so() {
    let mut settings = crate::scene::settings(ViewName::Twin);
    settings.orders = dashboard_tui::config::Orders::ReadOnly;
    let mut stage = Stage::new(&settings, BROAD);
    stage.play(crate::scene::Scene::Busy);
    stage.key(KeyCode::Enter);
    assert!(stage.app.take_orders().is_empty());
    assert!(
        stage.screen().contains("read-only: no orders are sent"),
        "{}",
        stage.screen()
    );
}

#[test]
fn blocks_of_samples_do_not_draw_other_views_anew() {
    for (view, draws) in [
        (ViewName::Brain, true),
        (ViewName::Twin, false),
        (ViewName::Spreads, false),
    ] {
        let mut stage = Stage::with(&[Made::default()], view, ORDINARY);
        let before = stage.app.version();
        stage.block(&Made::default(), 9_999);
        assert_eq!(stage.app.version() != before, draws, "{view:?}");
    }
}

#[test]
fn an_order_that_nobody_carries_out_is_not_waited_for_for_ever() {
    let mut stage = Stage::with(&[Made::default()], ViewName::Twin, BROAD);
    stage.key(KeyCode::Enter);
    let order = stage.app.take_orders().remove(0);
    stage.ordered(&order.id, Ok(()));
    for window in 150..175 {
        stage.eeg(window);
        stage.time(stage.now_ns + 1_000_000_000);
    }
    let screen = stage.screen();
    assert!(
        screen.contains("start was sent, and nothing came of it"),
        "{screen}"
    );
    assert!(screen.contains("Enter drives"), "{screen}");
}

#[test]
fn a_session_that_was_asked_for_is_awaited_in_plain_words() {
    let mut settings = crate::scene::settings(ViewName::Brain);
    settings.session = Some("Headset-2".to_owned());
    let mut stage = Stage::new(&settings, ORDINARY);
    stage.play(crate::scene::Scene::Busy);
    assert!(
        stage.line(2).starts_with("cyton-1  no `Headset-2` yet"),
        "{}",
        stage.line(2)
    );
    stage.sessions.push(Made {
        session: "headset-2",
        ..Made::default()
    });
    stage.eeg(150);
    stage.time(stage.now_ns);
    assert!(
        stage.line(2).starts_with("headset-2  2 of 2"),
        "{}",
        stage.line(2)
    );
}

#[test]
fn an_order_given_while_the_screen_is_held_bears_the_time_at_which_it_was_given() {
    let mut stage = Stage::with(&[Made::default()], ViewName::Twin, BROAD);
    stage.type_in(" ");
    stage.time(stage.now_ns + 7_000_000_000);
    stage.key(KeyCode::Enter);
    assert_eq!(stage.app.take_orders()[0].at_ns, stage.now_ns);
}
