//! Scenes: dashboards to which the same things have happened, every time.

use std::sync::Arc;

use contract::alert::EpisodeState;
use contract::tick::VenueStatus;
use contract::time::NS_PER_MS;
use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use dashboard_tui::app::App;
use dashboard_tui::config::{Settings, Thresholds, ViewName};
use dashboard_tui::log::{LogLine, NewLines};
use dashboard_tui::message::{Feed, Link, Message, Ordered};
use dashboard_tui::print::{Codes, text};
use dashboard_tui::testing::eeg::{self, Made};
use dashboard_tui::testing::{BEGIN_MS, Fares, WIDTH_MS, episode, health, outage, spread};
use dashboard_tui::view;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Windows that have passed in most scenes.
pub(crate) const WINDOWS: i64 = 150;
/// A pair with a name nobody would give it.
pub(crate) const LONG: &str =
    "日本円とても長い名前のペア-with-an-endless-tail-of-letters-that-no-column-holds-USD";

/// What has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scene {
    /// The broker answers, nothing has come.
    Empty,
    /// Everything flows, one route is above the threshold.
    Busy,
    /// The quotes of one venue are too old.
    Stale,
    /// One venue is down, and told so.
    Outage,
    /// Windows came and do not any more.
    Frozen,
    /// The broker went away.
    Away,
}

/// A dashboard with its hands.
pub(crate) struct Stage {
    pub(crate) app: App,
    /// Sessions of EEG that are there beside the pairs.
    pub(crate) sessions: Vec<Made>,
    pub(crate) size: (u16, u16),
    pub(crate) now_ns: i64,
}

pub(crate) fn settings(view: ViewName) -> Settings {
    Settings {
        view,
        source: "127.0.0.1:9092".to_owned(),
        thresholds: Thresholds {
            default_bps: Some(5.0),
            ..Thresholds::default()
        },
        ..Settings::default()
    }
}

fn end_ns(window: i64) -> i64 {
    (BEGIN_MS + (window + 1) * WIDTH_MS + 640) * NS_PER_MS
}

impl Stage {
    pub(crate) fn new(settings: &Settings, size: (u16, u16)) -> Self {
        let mut stage = Self {
            app: App::new(settings),
            sessions: match settings.view {
                ViewName::Brain | ViewName::Twin => vec![Made::default()],
                _ => Vec::new(),
            },
            size,
            now_ns: end_ns(-1),
        };
        stage.resize(size);
        stage.time(stage.now_ns);
        stage
    }

    /// A dashboard to which all of that has happened.
    pub(crate) fn of(scene: Scene, view: ViewName, size: (u16, u16)) -> Self {
        let mut stage = Self::new(&settings(view), size);
        stage.play(scene);
        stage
    }

    /// A busy dashboard with these sessions.
    pub(crate) fn with(sessions: &[Made], view: ViewName, size: (u16, u16)) -> Self {
        let mut stage = Self::new(&settings(view), size);
        stage.sessions = sessions.to_vec();
        stage.play(Scene::Busy);
        stage
    }

    pub(crate) fn play(&mut self, scene: Scene) {
        self.app.update(Message::Feed(Feed {
            link: Link::Up,
            lag: Some(0),
            restarts: 0,
        }));
        if scene == Scene::Empty {
            self.time(end_ns(7));
            return;
        }
        for window in 0..WINDOWS {
            let late = window >= WINDOWS - 20;
            let (fares, status) = match scene {
                Scene::Stale if late => (Fares::Stale, VenueStatus::Up),
                Scene::Outage if late => (Fares::Down, VenueStatus::Down),
                _ => (Fares::Well, VenueStatus::Up),
            };
            self.window(window, fares, status);
        }
        self.alerts(scene);
        self.logs(scene);
        let end = end_ns(WINDOWS - 1);
        match scene {
            Scene::Frozen => self.time(end + 12_000 * NS_PER_MS),
            Scene::Away => {
                self.app.update(Message::Feed(Feed {
                    link: Link::Away {
                        since_ns: end - 5_000 * NS_PER_MS,
                        reason: "127.0.0.1:9092/bootstrap: connection refused".to_owned(),
                    },
                    lag: None,
                    restarts: 0,
                }));
                self.time(end);
            }
            Scene::Empty | Scene::Busy | Scene::Stale | Scene::Outage => {
                self.time(end + 60 * NS_PER_MS)
            }
        }
    }

    /// One window of all pairs, and the venues' health.
    pub(crate) fn window(&mut self, window: i64, fares: Fares, status: VenueStatus) {
        let now_ns = end_ns(window);
        for (number, pair) in ["BTC-USD", "ETH-USD", LONG].into_iter().enumerate() {
            let number = u32::try_from(number).unwrap();
            self.app.update(Message::Spread(
                &spread(number, pair, window, fares),
                now_ns,
            ));
        }
        self.app
            .update(Message::Venue(&health("binance", window, status), now_ns));
        self.eeg(window);
        self.app.update(Message::Venue(
            &health("coinbase", window, VenueStatus::Up),
            now_ns,
        ));
        self.time(now_ns);
    }

    /// One window of all sessions, and the samples that came with it.
    pub(crate) fn eeg(&mut self, window: i64) {
        let now_ns = end_ns(window);
        let k = u64::try_from(window).unwrap();
        for made in self.sessions.clone() {
            // The last seconds are all that a screen shows.
            let from = if window > WINDOWS - 12 {
                0
            } else {
                eeg::BLOCKS_PER_S
            };
            for block in from..eeg::BLOCKS_PER_S {
                let samples = eeg::samples(&made, (k + 3) * eeg::BLOCKS_PER_S + block);
                self.app.update(Message::Samples(&samples, now_ns));
            }
            self.app
                .update(Message::State(&eeg::state(&made, k), now_ns));
        }
    }

    pub(crate) fn block(&mut self, made: &Made, block: u64) {
        let samples = eeg::samples(made, block);
        self.app.update(Message::Samples(&samples, self.now_ns));
    }

    pub(crate) fn end(&mut self, made: &Made) {
        let end = eeg::end(made, 9_999);
        self.app.update(Message::SessionEnd(&end, self.now_ns));
    }

    pub(crate) fn ordered(&mut self, id: &str, outcome: Result<(), String>) {
        self.app.update(Message::Ordered(Ordered {
            id: id.to_owned(),
            outcome,
        }));
        self.time(self.now_ns);
    }

    fn alerts(&mut self, scene: Scene) {
        for (pair, window, windows) in [("BTC-USD", 3, 4), ("ETH-USD", 48, 21), (LONG, 90, 11)] {
            let alert = episode(pair, window, windows, EpisodeState::Closed);
            self.app.update(Message::Alert(&alert));
        }
        let newest = match scene {
            Scene::Outage => outage("binance", WINDOWS - 20, 20, EpisodeState::Open),
            _ => episode("BTC-USD", 130, 20, EpisodeState::Open),
        };
        self.app.update(Message::Alert(&newest));
    }

    fn logs(&mut self, scene: Scene) {
        let line = |at, level, text: &str| {
            Arc::new(LogLine {
                at_ns: end_ns(at),
                level,
                target: "ingest".to_owned(),
                text: text.to_owned(),
            })
        };
        let mut lines = vec![
            line(0, tracing::Level::INFO, "up broker=127.0.0.1:9092"),
            line(10, tracing::Level::DEBUG, "connected who=dashboard"),
        ];
        if scene == Scene::Outage {
            lines.push(line(
                130,
                tracing::Level::WARN,
                "silent venue=binance after_ms=10000",
            ));
            lines.push(line(
                131,
                tracing::Level::ERROR,
                "connection lost venue=binance reason=\"unexpected end\"",
            ));
        }
        let next = u64::try_from(lines.len()).unwrap();
        self.app.update(Message::Log(NewLines {
            lines,
            missed: 0,
            next,
        }));
    }

    pub(crate) fn time(&mut self, now_ns: i64) {
        self.now_ns = now_ns;
        self.app.update(Message::Time(now_ns));
    }

    pub(crate) fn resize(&mut self, size: (u16, u16)) {
        self.size = size;
        self.app
            .update(Message::Input(Event::Resize(size.0, size.1)));
    }

    pub(crate) fn key(&mut self, code: KeyCode) {
        self.app.update(Message::Input(Event::Key(code.into())));
    }

    pub(crate) fn ctrl(&mut self, letter: char) {
        let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
        self.app.update(Message::Input(Event::Key(key)));
    }

    pub(crate) fn type_in(&mut self, text: &str) {
        text.chars()
            .for_each(|letter| self.key(KeyCode::Char(letter)));
    }

    pub(crate) fn mouse(&mut self, kind: MouseEventKind, column: u16, row: u16) {
        self.app.update(Message::Input(Event::Mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        })));
    }

    pub(crate) fn click(&mut self, column: u16, row: u16) {
        self.mouse(MouseEventKind::Down(MouseButton::Left), column, row);
    }

    pub(crate) fn buffer(&self) -> Buffer {
        let area = Rect::new(0, 0, self.size.0, self.size.1);
        let mut buffer = Buffer::empty(area);
        view::render(&mut buffer, area, &self.app);
        buffer
    }

    /// The screen as text.
    pub(crate) fn screen(&self) -> String {
        text(&self.buffer(), Codes::None)
    }

    pub(crate) fn line(&self, row: usize) -> String {
        self.screen()
            .lines()
            .nth(row)
            .unwrap_or_default()
            .to_owned()
    }
}
