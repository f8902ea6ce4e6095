//! What keys and the mouse do.

use contract::tick::VenueStatus;
use contract::time::NS_PER_S;
use crossterm::event::{KeyCode, MouseEventKind};
use dashboard_tui::app::Asked;
use dashboard_tui::config::{Settings, ViewName};
use dashboard_tui::testing::Fares;

use crate::scene::{Scene, Stage, WINDOWS, settings};

fn busy() -> Stage {
    Stage::of(Scene::Busy, ViewName::Spreads, (80, 24))
}

/// The row of the list that is marked.
fn marked(stage: &Stage) -> String {
    let screen = stage.screen();
    let line = screen.lines().find(|line| line.starts_with('▸'));
    line.unwrap_or_else(|| panic!("nothing is marked:\n{screen}"))
        .to_owned()
}

#[test]
fn digits_and_tab_go_from_view_to_view() {
    let mut stage = busy();
    for (key, title) in [
        (KeyCode::Char('2'), "[2 Venues]"),
        (KeyCode::Tab, "[3 Alerts 1]"),
        (KeyCode::Tab, "[4 Brain]"),
        (KeyCode::Char('6'), "[6 Log]"),
        (KeyCode::Tab, "[1 Spreads]"),
        (KeyCode::BackTab, "[6 Log]"),
        (KeyCode::Char('9'), "[6 Log]"),
    ] {
        stage.key(key);
        assert!(stage.line(1).contains(title), "{key:?}: {}", stage.line(1));
    }
}

#[test]
fn arrows_choose_a_pair_and_the_choice_stays_when_the_order_changes() {
    let mut stage = busy();
    assert!(marked(&stage).contains("BTC-USD"));
    stage.key(KeyCode::Down);
    assert!(marked(&stage).contains("ETH-USD"));
    assert!(
        stage.screen().contains("ETH-USD  ok  window"),
        "{}",
        stage.screen()
    );
    stage.type_in("s");
    assert!(stage.line(2).contains("by net"));
    assert!(marked(&stage).contains("ETH-USD"));
    let first = stage.line(3);
    assert!(first.contains("▲+"), "the highest net comes first: {first}");
}

#[test]
fn a_search_follows_each_letter_and_escape_clears_it() {
    let mut stage = busy();
    stage.type_in("/eth");
    assert!(stage.line(23).contains("/eth▏"), "{}", stage.line(23));
    assert!(!stage.screen().contains("BTC-USD  ok"));
    stage.key(KeyCode::Enter);
    assert!(marked(&stage).contains("ETH-USD"));
    assert!(stage.line(23).contains("/eth  Esc clears it"));
    stage.key(KeyCode::Esc);
    assert!(stage.screen().contains("▸  BTC-USD") || stage.screen().contains("   BTC-USD"));
    stage.type_in("/nobody");
    assert!(stage.screen().contains("no pair is called like `nobody`"));
    stage.key(KeyCode::Backspace);
    stage.key(KeyCode::Esc);
    assert!(stage.screen().contains("BTC-USD"));
}

#[test]
fn letters_of_a_search_are_no_commands() {
    let mut stage = busy();
    stage.type_in("/q 2");
    assert_eq!(stage.app.take_asked(), None);
    assert!(stage.line(1).contains("[1 Spreads]"));
    assert!(stage.line(23).contains("/q 2▏"));
}

#[test]
fn a_held_screen_stands_still_says_so_and_goes_on() {
    let mut stage = busy();
    stage.type_in(" ");
    let held = stage.screen();
    for window in WINDOWS..WINDOWS + 5 {
        stage.window(window, Fares::Stale, VenueStatus::Up);
    }
    let now = stage.screen();
    assert!(
        stage
            .line(23)
            .contains("PAUSED for 4 s · 15 windows behind"),
        "{}",
        stage.line(23)
    );
    let body = |screen: &str| {
        screen
            .lines()
            .skip(2)
            .take(20)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(body(&held), body(&now), "nothing moves below the header");
    stage.type_in(" ");
    assert!(
        stage.screen().contains("stale"),
        "records were taken meanwhile"
    );
}

#[test]
fn a_held_screen_does_not_hide_that_the_pipeline_stopped() {
    let mut stage = busy();
    stage.type_in(" ");
    stage.time(stage.now_ns + 30 * NS_PER_S);
    assert!(
        stage.line(0).contains("NO WINDOWS FOR 30 s"),
        "{}",
        stage.line(0)
    );
}

#[test]
fn the_chart_zooms_pans_and_comes_back_to_now() {
    let mut stage = busy();
    let time = |stage: &Stage| {
        let screen = stage.screen();
        screen
            .lines()
            .find(|line| line.ends_with("UTC") && !line.contains("window"))
            .unwrap()
            .trim()
            .to_owned()
    };
    let now = time(&stage);
    assert!(stage.screen().contains("2 min 00 s"));
    stage.type_in("-");
    assert!(stage.screen().contains("5 min 00 s"));
    stage.type_in("+++");
    assert!(stage.screen().contains("30.0 s"));
    stage.key(KeyCode::Left);
    assert_ne!(time(&stage), now);
    assert!(stage.screen().contains("earlier, 0 is now"));
    stage.key(KeyCode::Right);
    stage.key(KeyCode::Right);
    assert!(
        !stage.screen().contains("earlier, 0 is now"),
        "panned to the end, it follows again"
    );
    stage.key(KeyCode::Left);
    stage.type_in("0--");
    assert_eq!(time(&stage), now);
}

#[test]
fn figures_are_shown_together_or_alone() {
    let mut stage = busy();
    let shown = |stage: &Stage| {
        (
            stage.screen().contains("━ net"),
            stage.screen().contains("┈ gross"),
        )
    };
    assert_eq!(shown(&stage), (true, true));
    stage.type_in("f");
    assert_eq!(shown(&stage), (true, false));
    stage.type_in("f");
    assert_eq!(shown(&stage), (false, true));
    stage.type_in("f");
    assert_eq!(shown(&stage), (true, true));
}

#[test]
fn the_mouse_chooses_tabs_and_rows_and_the_wheel_moves() {
    let mut stage = busy();
    stage.click(5, 4);
    assert!(marked(&stage).contains("ETH-USD"));
    stage.mouse(MouseEventKind::ScrollUp, 5, 4);
    assert!(marked(&stage).contains("BTC-USD"));
    stage.mouse(MouseEventKind::ScrollDown, 20, 12);
    assert!(
        stage.screen().contains("5 min 00 s"),
        "over the chart the wheel zooms"
    );
    let column = u16::try_from(stage.line(1).find("2 Venues").unwrap()).unwrap();
    stage.click(column, 1);
    assert!(stage.line(1).contains("[2 Venues]"));
    stage.click(79, 1);
    assert!(
        stage.line(1).contains("[2 Venues]"),
        "beside the tabs is nothing"
    );
}

#[test]
fn on_a_small_screen_enter_opens_the_pair() {
    let mut stage = Stage::of(Scene::Busy, ViewName::Spreads, (40, 10));
    stage.key(KeyCode::Down);
    assert!(marked(&stage).contains("ETH-USD"));
    stage.key(KeyCode::Enter);
    assert!(stage.line(2).starts_with("ETH-USD"), "{}", stage.screen());
    assert!(stage.screen().contains("binance"), "{}", stage.screen());
    stage.key(KeyCode::Esc);
    assert!(marked(&stage).contains("ETH-USD"));
}

#[test]
fn a_pair_may_be_asked_for_before_it_comes() {
    let wanted = Settings {
        pair: Some("eth-usd".to_owned()),
        ..settings(ViewName::Spreads)
    };
    let mut stage = Stage::new(&wanted, (80, 24));
    stage.play(Scene::Busy);
    assert!(marked(&stage).contains("ETH-USD"));
}

#[test]
fn alerts_are_filtered_by_kind_state_and_text() {
    let mut stage = Stage::of(Scene::Outage, ViewName::Alerts, (120, 24));
    assert!(stage.line(2).contains("4 of 4"));
    stage.type_in("t");
    assert!(stage.line(2).contains("3 of 4") && stage.line(2).contains("t: spreads"));
    stage.type_in("t");
    assert!(stage.line(2).contains("1 of 4"));
    assert!(
        stage.screen().contains("outage/binance/"),
        "{}",
        stage.screen()
    );
    stage.type_in("to");
    assert!(stage.line(2).contains("1 of 4") && stage.line(2).contains("o: open"));
    stage.type_in("oo/eth");
    assert!(stage.line(2).contains("1 of 4"));
    stage.type_in("xyz");
    assert!(stage.screen().contains("no alert passes the filter"));
}

#[test]
fn the_log_filters_by_level_and_stays_where_it_is_held() {
    let mut stage = Stage::of(Scene::Outage, ViewName::Log, (80, 5 + 3));
    assert!(stage.line(2).contains("4 lines  v: all levels  follows"));
    stage.type_in("vvv");
    assert!(stage.line(2).contains("2 lines  v: WARN"));
    assert!(!stage.screen().contains("INFO"));
    stage.type_in("vv");
    stage.resize((80, 7));
    stage.key(KeyCode::Up);
    assert!(
        stage.line(2).contains("1 newer below"),
        "{}",
        stage.screen()
    );
    assert!(!stage.screen().contains("ERROR"));
    stage.type_in("f");
    assert!(stage.screen().contains("ERROR"), "{}", stage.screen());
}

#[test]
fn leaving_is_asked_for_by_q_and_by_control_c_wherever_one_is() {
    let mut stage = busy();
    stage.type_in("q");
    assert_eq!(stage.app.take_asked(), Some(Asked::Quit));
    assert_eq!(stage.app.take_asked(), None, "asked once");
    stage.type_in("/");
    stage.ctrl('c');
    assert_eq!(stage.app.take_asked(), Some(Asked::Quit));
    stage.ctrl('z');
    assert_eq!(stage.app.take_asked(), Some(Asked::Suspend));
    stage.ctrl('l');
    assert_eq!(stage.app.take_asked(), Some(Asked::Redraw));
}

#[test]
fn the_help_closes_by_any_key_and_does_not_act_on_it() {
    let mut stage = busy();
    stage.type_in("?");
    assert!(stage.screen().contains("Everywhere"));
    stage.type_in("jjk");
    assert!(stage.screen().contains("any key closes"), "arrows scroll");
    stage.type_in("q");
    assert!(!stage.screen().contains("any key closes"));
    assert_eq!(stage.app.take_asked(), None);
}
