//! What stands on the screen, word for word. A change here is read line by line; `INSTA_UPDATE=always cargo test -p
//! dashboard-tui` renews the files.

use contract::tick::VenueStatus;
use dashboard_tui::config::ViewName;
use dashboard_tui::testing::Fares;

use crate::scene::{Scene, Stage, settings};

const ORDINARY: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (200, 60);
const SMALL: (u16, u16) = (40, 10);

fn check(scene: Scene, view: ViewName, size: (u16, u16)) {
    let name = format!("{}-{scene:?}-{}x{}", view.as_str(), size.0, size.1).to_lowercase();
    insta::assert_snapshot!(name, Stage::of(scene, view, size).screen());
}

fn check_all(view: ViewName) {
    for scene in [
        Scene::Empty,
        Scene::Busy,
        Scene::Stale,
        Scene::Outage,
        Scene::Frozen,
    ] {
        check(scene, view, ORDINARY);
    }
    check(Scene::Busy, view, LARGE);
    check(Scene::Outage, view, LARGE);
    for scene in [
        Scene::Empty,
        Scene::Busy,
        Scene::Stale,
        Scene::Outage,
        Scene::Frozen,
        Scene::Away,
    ] {
        check(scene, view, SMALL);
    }
}

#[test]
fn spreads_look_as_they_shall() {
    check_all(ViewName::Spreads);
}

#[test]
fn venues_look_as_they_shall() {
    check_all(ViewName::Venues);
}

#[test]
fn alerts_look_as_they_shall() {
    check_all(ViewName::Alerts);
}

#[test]
fn the_log_looks_as_it_shall() {
    check_all(ViewName::Log);
}

#[test]
fn brains_look_as_they_shall() {
    check_all(ViewName::Brain);
}

#[test]
fn twins_look_as_they_shall() {
    check_all(ViewName::Twin);
}

#[test]
fn the_help_lists_every_key() {
    let mut stage = Stage::of(Scene::Busy, ViewName::Spreads, (80, 66));
    stage.type_in("?");
    insta::assert_snapshot!("help", stage.screen());
}

#[test]
fn a_frozen_pipeline_never_looks_like_quiet_markets() {
    for view in ViewName::ALL {
        for size in [ORDINARY, LARGE, SMALL, (28, 6)] {
            let header = |scene| Stage::of(scene, view, size).line(0);
            assert!(header(Scene::Busy).contains("● live"), "{view:?} {size:?}");
            assert!(
                header(Scene::Frozen).contains("NO WINDOWS FOR 12 s"),
                "{view:?} {size:?}"
            );
            assert!(
                header(Scene::Away).contains("BROKER AWAY FOR 5 s"),
                "{view:?} {size:?}"
            );
            assert!(
                header(Scene::Empty).contains("no windows yet, 8 s"),
                "{view:?} {size:?}"
            );
        }
    }
    let frozen = Stage::of(Scene::Frozen, ViewName::Spreads, ORDINARY).screen();
    assert!(
        frozen.contains("old 12 s"),
        "each pair says so too:\n{frozen}"
    );
    assert!(
        !frozen.contains("-66."),
        "no old figure stands where the newest belongs:\n{frozen}"
    );
}

#[test]
fn where_there_is_no_room_it_says_so() {
    for size in [(1, 1), (27, 30), (200, 5), (0, 0), (9, 1)] {
        let screen = Stage::of(Scene::Busy, ViewName::Spreads, size).screen();
        assert!(
            size.0 < 9 || screen.starts_with("too small"),
            "{size:?}: {screen}"
        );
    }
}

#[test]
fn before_the_first_window_the_chart_claims_nothing() {
    let mut stage = Stage::new(&settings(ViewName::Spreads), ORDINARY);
    let strip = |stage: &Stage| {
        let screen = stage.screen();
        let line = screen.lines().find(|line| line.starts_with("quality"));
        line.unwrap().to_owned()
    };
    for window in (0..20).chain(30..40) {
        stage.window(window, Fares::Well, VenueStatus::Up);
    }
    let (before, after) = strip(&stage)
        .split_once('·')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    assert!(before.len() > 40, "{before:?}");
    assert!(
        after.trim_end().chars().all(|sign| sign == '·'),
        "the gap alone: {after:?}"
    );
}
