use super::*;
use crate::config::Thresholds;
use crate::message::Ordered;
use crate::testing::eeg::{Made, MadeTwin, state};

fn model(twin: MadeTwin, k: u64) -> Model {
    let mut model = Model::new(1_000, Thresholds::default());
    model.time(1_000 * NS_PER_S);
    model.state(
        &state(
            &Made {
                twin,
                ..Made::default()
            },
            k,
        ),
        0,
    );
    model
}

fn press(what_if: &mut WhatIf, model: &Model, key: KeyCode) -> Option<Stimulation<'static>> {
    let session = model.sessions.iter().next().unwrap();
    assert!(what_if.key(key, session, model));
    what_if.refresh(model);
    what_if.take_order()
}

#[test]
fn enter_orders_what_is_chosen_and_then_its_end_under_the_same_name() {
    let model = model(MadeTwin::Good, 90);
    let mut what_if = WhatIf::new(Orders::Sent);
    for key in [
        KeyCode::Left,
        KeyCode::Char('d'),
        KeyCode::Char('d'),
        KeyCode::Char('o'),
        KeyCode::Char('+'),
    ] {
        assert_eq!(press(&mut what_if, &model, key), None);
    }
    let start = press(&mut what_if, &model, KeyCode::Enter).unwrap();
    assert_eq!(
        (start.order, start.node, start.drive),
        (Order::Start, 7, DriveKind::Locked)
    );
    assert!((start.amplitude_rad_s - 5.5).abs() < 1e-12 && (start.delta_rad - PI).abs() < 1e-12);
    assert_eq!(
        (start.session.as_ref(), start.frequency_hz, start.target),
        ("cyton-1", None, None)
    );
    let stop = press(&mut what_if, &model, KeyCode::Enter).unwrap();
    assert_eq!(
        (stop.order, stop.id.as_ref()),
        (Order::Stop, start.id.as_ref())
    );
}

#[test]
fn what_runs_already_is_ended_whoever_began_it() {
    let model = model(MadeTwin::Driven(DriveKind::Tone), 110);
    let stop = press(&mut WhatIf::new(Orders::Sent), &model, KeyCode::Enter).unwrap();
    assert_eq!((stop.order, stop.id.as_ref()), (Order::Stop, "what-if-1"));
}

#[test]
fn nothing_is_ordered_without_a_sender_or_a_twin() {
    let with_twin = model(MadeTwin::Good, 90);
    let mut read_only = WhatIf::new(Orders::ReadOnly);
    assert_eq!(press(&mut read_only, &with_twin, KeyCode::Enter), None);
    let without = model(MadeTwin::None, 90);
    let mut idle = WhatIf::new(Orders::Sent);
    assert_eq!(press(&mut idle, &without, KeyCode::Enter), None);
}

#[test]
fn an_order_that_failed_or_of_which_nothing_is_seen_can_be_given_again() {
    let mut model = model(MadeTwin::Good, 90);
    let mut what_if = WhatIf::new(Orders::Sent);
    let first = press(&mut what_if, &model, KeyCode::Enter).unwrap();
    model.ordered(Ordered {
        id: first.id.to_string(),
        outcome: Err("broker away".to_owned()),
    });
    what_if.refresh(&model);
    let again = press(&mut what_if, &model, KeyCode::Enter).unwrap();
    assert_eq!(again.order, Order::Start);
    assert_ne!(again.id, first.id, "a new one has a name of its own");
    model.time(1_030 * NS_PER_S);
    what_if.refresh(&model);
    let third = press(&mut what_if, &model, KeyCode::Enter).unwrap();
    assert_eq!(third.order, Order::Start);
}

#[test]
fn an_amplitude_stays_within_its_bounds() {
    let model = model(MadeTwin::Good, 90);
    let mut what_if = WhatIf::new(Orders::Sent);
    let many = |what_if: &mut WhatIf, key, n| {
        for _ in 0..n {
            press(what_if, &model, KeyCode::Char(key));
        }
    };
    many(&mut what_if, '-', 30);
    assert!((what_if.amplitude_rad_s - STEP).abs() < 1e-12);
    many(&mut what_if, '+', 500);
    assert!((what_if.amplitude_rad_s - MOST).abs() < 1e-12);
}
