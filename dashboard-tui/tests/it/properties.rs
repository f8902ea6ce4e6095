//! Whatever comes, from the topics or from the keyboard, at whatever size: no panic, and time does not run away.

use std::borrow::Cow;

use contract::alert::Alert;
use contract::decimal::Decimal;
use contract::spread::{Best, Figures, Leg, Quality, Route, Spread};
use contract::tick::VenueStatus;
use contract::venue::VenueHealth;
use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use dashboard_tui::app::App;
use dashboard_tui::config::{Settings, Thresholds, ViewName};
use dashboard_tui::log::{LogLine, NewLines};
use dashboard_tui::message::{Feed, Link, Message};
use dashboard_tui::view;
use proptest::prelude::*;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Something that may happen, owned.
#[derive(Debug, Clone)]
enum Happening {
    Spread(Box<Spread<'static>>, i64),
    Venue(Box<VenueHealth<'static>>, i64),
    Alert(String),
    Gone(String),
    Unreadable(String),
    Feed(Feed),
    Log(String),
    Time(i64),
    Input(Event),
    Drawn,
    Draw,
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("BTC-USD".to_owned()),
        Just("ETH-USD".to_owned()),
        "\\PC{0,12}",
        any::<String>(),
        Just("日本".repeat(80)),
    ]
}

fn stamp_ms() -> impl Strategy<Value = i64> {
    prop_oneof![
        6 => (0..400_i64).prop_map(|n| 1_723_161_000_000 + n * 1_000),
        1 => any::<i64>(),
        1 => Just(0),
    ]
}

fn figure() -> impl Strategy<Value = f64> {
    prop_oneof![4 => -100.0..100.0, 1 => any::<f64>(), 1 => Just(0.0)]
}

fn quality() -> impl Strategy<Value = Quality> {
    prop_oneof![
        Just(Quality::OneSided),
        Just(Quality::VenueDown),
        Just(Quality::NoRate),
        Just(Quality::Crossed),
        Just(Quality::Stale),
        Just(Quality::Ok),
    ]
}

fn leg() -> impl Strategy<Value = Leg<'static>> {
    (
        name(),
        quality(),
        any::<Option<i64>>(),
        any::<u64>(),
        prop::option::of("[0-9]{1,30}\\.[0-9]{1,30}"),
    )
        .prop_map(|(venue, state, age_ms, quotes, number)| {
            let number = number.map(|text| Decimal::parse(&text).unwrap());
            Leg {
                symbol: Cow::Owned(venue.clone()),
                currency: Cow::Borrowed("USD"),
                venue: Cow::Owned(venue),
                state,
                bid: None,
                bid_size: number.clone(),
                ask: None,
                ask_size: number.clone(),
                age_ms,
                quotes,
                trades: quotes,
                vwap: number,
                rate_bid: None,
                rate_ask: None,
                rate_age_ms: age_ms,
            }
        })
}

fn route() -> impl Strategy<Value = Route<'static>> {
    (
        name(),
        name(),
        quality(),
        figure(),
        figure(),
        any::<i64>(),
        any::<bool>(),
    )
        .prop_map(|(buy, sell, quality, net_bps, gross_bps, ns, live)| Route {
            buy: Cow::Owned(buy),
            sell: Cow::Owned(sell),
            quality,
            end: live.then_some(Figures { gross_bps, net_bps }),
            best: live.then_some(Best {
                gross_bps,
                net_bps,
                size: None,
                at_ns: ns,
            }),
            positive_ns: ns,
        })
}

fn spread() -> impl Strategy<Value = Happening> {
    let lists = (
        prop::collection::vec(leg(), 0..40),
        prop::collection::vec(route(), 0..6),
    );
    (
        name(),
        stamp_ms(),
        any::<bool>(),
        quality(),
        any::<u64>(),
        lists,
        stamp_ms(),
    )
        .prop_map(
            |(pair, start_ms, odd, quality, late, (legs, routes), at_ms)| {
                let width = if odd { -3 } else { 1_000 };
                let spread = Spread {
                    v: contract::tick::tags::V1,
                    pair: Cow::Owned(pair),
                    start_ms,
                    end_ms: start_ms.saturating_add(width),
                    quality,
                    late,
                    legs,
                    routes,
                };
                Happening::Spread(Box::new(spread), at_ms.saturating_mul(1_000_000))
            },
        )
}

fn venue() -> impl Strategy<Value = Happening> {
    let status = prop_oneof![
        Just(VenueStatus::Up),
        Just(VenueStatus::Silent),
        Just(VenueStatus::Down)
    ];
    (
        name(),
        status,
        any::<i64>(),
        figure(),
        any::<u64>(),
        any::<i64>(),
    )
        .prop_map(|(venue, status, data_age_ms, figure, count, at_ns)| {
            let health = VenueHealth {
                v: contract::tick::tags::V1,
                venue: Cow::Owned(venue),
                status,
                at_ns,
                frames_per_s: figure,
                data_age_ms,
                skew_ms: figure,
                gaps: count,
                reconnects: count,
                parse_errors: count,
                queue: count,
            };
            Happening::Venue(Box::new(health), at_ns)
        })
}

fn alert() -> impl Strategy<Value = Happening> {
    (name(), any::<bool>(), any::<i64>(), any::<Option<i64>>(), figure(), 0..3_u8).prop_map(
        |(id, open, opened, closed, peak, kind)| {
            let peak = if peak.is_finite() { peak } else { 0.0 };
            let state = if open { "open" } else { "closed" };
            let what = match kind {
                0 => serde_json::json!({"what": "outage", "venue": id}),
                1 => serde_json::json!({"what": "stall"}),
                _ => serde_json::json!({"what": "spread", "pair": id, "buy": "a", "sell": "b", "peak_net_bps": peak, "peak_size": null, "peak_at_ns": opened, "windows": 3}),
            };
            let mut record = serde_json::json!({
                "v": 1, "episode": id, "state": state, "opened_ms": opened, "updated_ms": opened, "closed_ms": closed,
                "message_id": null, "delivery": "sent", "possible_repeat": open
            });
            record.as_object_mut().unwrap().extend(what.as_object().unwrap().clone());
            Happening::Alert(record.to_string())
        },
    )
}

fn key() -> impl Strategy<Value = Happening> {
    let code = prop_oneof![
        3 => prop::sample::select(" 1234/?+-=_0fsotvhlkjgGqnxé日".chars().collect::<Vec<_>>()).prop_map(KeyCode::Char),
        1 => any::<char>().prop_map(KeyCode::Char),
        3 => prop::sample::select(vec![
            KeyCode::Up, KeyCode::Down, KeyCode::Left, KeyCode::Right, KeyCode::PageUp, KeyCode::PageDown, KeyCode::Home,
            KeyCode::End, KeyCode::Enter, KeyCode::Esc, KeyCode::Tab, KeyCode::BackTab, KeyCode::Backspace, KeyCode::Delete,
            KeyCode::F(1),
        ]),
    ];
    let modifiers = prop_oneof![8 => Just(KeyModifiers::NONE), 1 => Just(KeyModifiers::CONTROL)];
    (code, modifiers)
        .prop_map(|(code, modifiers)| Happening::Input(Event::Key(KeyEvent::new(code, modifiers))))
}

fn mouse() -> impl Strategy<Value = Happening> {
    let kind = prop::sample::select(vec![
        MouseEventKind::Down(MouseButton::Left),
        MouseEventKind::Up(MouseButton::Left),
        MouseEventKind::ScrollUp,
        MouseEventKind::ScrollDown,
        MouseEventKind::Moved,
    ]);
    let place = prop_oneof![4 => 0..120_u16, 1 => any::<u16>()];
    (kind, place.clone(), place).prop_map(|(kind, column, row)| {
        Happening::Input(Event::Mouse(MouseEvent {
            kind,
            column,
            row,
            modifiers: KeyModifiers::NONE,
        }))
    })
}

fn size() -> impl Strategy<Value = (u16, u16)> {
    prop_oneof![
        3 => (0..130_u16, 0..50_u16),
        1 => prop::sample::select(vec![(80, 24), (200, 60), (40, 10), (28, 6), (1, 1), (300, 3), (3, 300)]),
    ]
}

fn feed() -> impl Strategy<Value = Happening> {
    (0..4_u8, any::<i64>(), any::<String>(), any::<Option<u64>>()).prop_map(
        |(kind, since_ns, reason, lag)| {
            let link = match kind {
                0 => Link::Connecting,
                1 => Link::Up,
                2 => Link::Away { since_ns, reason },
                _ => Link::Failed { since_ns, reason },
            };
            Happening::Feed(Feed {
                link,
                lag,
                restarts: lag.unwrap_or(0),
            })
        },
    )
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        6 => spread(),
        3 => venue(),
        3 => alert(),
        1 => name().prop_map(Happening::Gone),
        1 => any::<String>().prop_map(Happening::Unreadable),
        1 => feed(),
        2 => any::<String>().prop_map(Happening::Log),
        3 => stamp_ms().prop_map(|ms| Happening::Time(ms.saturating_mul(1_000_000))),
        8 => key(),
        3 => mouse(),
        2 => size().prop_map(|(width, height)| Happening::Input(Event::Resize(width, height))),
        1 => Just(Happening::Drawn),
        6 => Just(Happening::Draw),
    ]
}

fn happen(app: &mut App, happening: &Happening) {
    match happening {
        Happening::Spread(spread, at_ns) => app.update(Message::Spread(spread, *at_ns)),
        Happening::Venue(health, at_ns) => app.update(Message::Venue(health, *at_ns)),
        Happening::Alert(text) => {
            let alert: Alert<'_> = serde_json::from_str(text).unwrap();
            app.update(Message::Alert(&alert));
        }
        Happening::Gone(id) => app.update(Message::AlertGone(id)),
        Happening::Unreadable(reason) => app.update(Message::Unreadable(reason.clone())),
        Happening::Feed(feed) => app.update(Message::Feed(feed.clone())),
        Happening::Log(text) => app.update(Message::Log(NewLines {
            lines: vec![std::sync::Arc::new(LogLine {
                at_ns: 7,
                level: tracing::Level::WARN,
                target: text.clone(),
                text: text.clone(),
            })],
            missed: 1,
            next: 0,
        })),
        Happening::Time(now_ns) => app.update(Message::Time(*now_ns)),
        Happening::Input(event) => app.update(Message::Input(event.clone())),
        Happening::Drawn => app.update(Message::Drawn),
        Happening::Draw => {
            let (width, height) = app.size();
            draw(app, width, height);
        }
    }
}

fn draw(app: &App, width: u16, height: u16) {
    // What a terminal of this size would hold; its own bound is about 65,000 cells a side.
    let area = Rect::new(0, 0, width.min(400), height.min(200));
    view::render(&mut Buffer::empty(area), area, app);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_messages_keys_and_sizes_panics(
        at in 0..4_usize,
        threshold in prop::option::of(figure()),
        happenings in prop::collection::vec(happening(), 1..120),
        odd_size in size(),
    ) {
        let mut app = App::new(&Settings {
            view: ViewName::ALL[at],
            thresholds: Thresholds { default_bps: threshold, ..Thresholds::default() },
            ..Settings::default()
        });
        for happening in &happenings {
            happen(&mut app, happening);
        }
        for view in 1..=4_u8 {
            happen(&mut app, &Happening::Input(Event::Key(KeyCode::Char(char::from(b'0' + view)).into())));
            draw(&app, odd_size.0, odd_size.1);
        }
    }
}
