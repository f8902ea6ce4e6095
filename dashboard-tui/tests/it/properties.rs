//! Whatever comes, from the topics or from the keyboard, at whatever size: no panic, and time does not run away.

use std::borrow::Cow;

use contract::alert::Alert;
use contract::decimal::Decimal;
use contract::eeg::{DriveKind, End, Figure, Matrix, Order, Samples, State, Stimulation};
use contract::spread::{Best, Figures, Leg, Quality, Route, Spread};
use contract::tick::VenueStatus;
use contract::venue::VenueHealth;
use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use dashboard_tui::app::App;
use dashboard_tui::config::{Settings, Thresholds, ViewName};
use dashboard_tui::log::{LogLine, NewLines};
use dashboard_tui::message::{Feed, Link, Message, Ordered};
use dashboard_tui::testing::eeg;
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
    Samples(Box<Samples<'static>>, i64),
    State(Box<State<'static>>, i64),
    Order(Box<Stimulation<'static>>),
    End(Box<End<'static>>, i64),
    Ordered(Ordered),
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
        3 => prop::sample::select(" 123456/?+-=_0fsotvhlkjgGqnxmadA[]é日".chars().collect::<Vec<_>>()).prop_map(KeyCode::Char),
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

fn session() -> impl Strategy<Value = String> {
    prop_oneof![3 => Just("a".to_owned()), 2 => Just("b".to_owned()), 1 => any::<String>()]
}

fn made() -> impl Strategy<Value = eeg::Made> {
    let says = prop::sample::select(vec![
        eeg::Says::Significant,
        eeg::Says::NotSignificant,
        eeg::Says::Refused,
        eeg::Says::Untested,
        eeg::Says::NoFigures,
    ]);
    let twin = prop::sample::select(vec![
        eeg::MadeTwin::None,
        eeg::MadeTwin::Good,
        eeg::MadeTwin::Bad,
        eeg::MadeTwin::Driven(DriveKind::Locked),
        eeg::MadeTwin::Driven(DriveKind::Torque),
    ]);
    let n_channels = prop_oneof![5 => 0..20_usize, 1 => Just(64)];
    (n_channels, says, twin, prop::option::of(0..20_usize)).prop_map(
        |(n_channels, says, twin, railed)| eeg::Made {
            session: "a",
            n_channels,
            says,
            railed,
            twin,
        },
    )
}

/// A list that may be of another length than the channels, with figures that may be mad.
fn spoilt(figures: &mut Vec<Figure>, length: usize, value: f64) {
    figures.resize(length, Figure(value));
    if let Some(first) = figures.first_mut() {
        *first = Figure(value);
    }
}

fn spoilt_rows(rows: &mut Matrix, length: usize, value: f64) {
    rows.resize(length, vec![Figure(value); 3]);
    rows.iter_mut()
        .step_by(2)
        .for_each(|row| spoilt(row, length, value));
}

fn eeg_state() -> impl Strategy<Value = Happening> {
    let odd = prop::option::weighted(0.4, (0..24_usize, figure(), any::<u64>(), name()));
    (made(), session(), 0..200_u64, stamp_ms(), odd).prop_map(|(made, session, k, at_ms, odd)| {
        let mut state = eeg::state(&made, k);
        state.session = Cow::Owned(session);
        if let Some((length, value, index, text)) = odd {
            for list in [
                &mut state.frequency_hz,
                &mut state.band_power_uv2,
                &mut state.phase_rad,
            ] {
                spoilt(list, length, value);
            }
            spoilt_rows(&mut state.wpli, length, value);
            spoilt_rows(&mut state.pli, length + 1, value);
            state.quality.truncate(length);
            (state.start_s, state.hop_s, state.window_s) = (value, value, value);
            state.sample_rate_hz = value;
            (state.at, state.k) = (index, index);
            state.r = Figure(value);
            state.reason = (length % 5 == 0).then(|| Cow::Owned(text.clone()));
            state
                .channels
                .iter_mut()
                .step_by(3)
                .for_each(|name| *name = Cow::Owned(text.clone()));
            if let Some(test) = &mut state.surrogates {
                test.edges.push([index, 0]);
                test.n = index;
                test.r_5_95 = [Figure(value), Figure(-value)];
                test.wpli_p = Figure(value);
            }
            if let Some(twin) = &mut state.twin {
                spoilt_rows(&mut twin.coupling_rad_s, length, value);
                spoilt(&mut twin.omega_hz, length, value);
                spoilt(&mut twin.phase_next_rad, length, value);
                twin.edges.push([0, index]);
                twin.noise_floor_rad_s = value;
                twin.calibrated_until = index;
                if let Some(now) = &mut twin.stimulation {
                    (now.node, now.target) = (index, Some(index));
                    spoilt_rows(&mut now.pli_change, length, value);
                    spoilt(&mut now.frequency_change_hz, length, value);
                    now.effect = text;
                }
            }
        }
        Happening::State(Box::new(state), at_ms.saturating_mul(1_000_000))
    })
}

fn eeg_samples() -> impl Strategy<Value = Happening> {
    let odd = prop::option::weighted(0.3, (figure(), any::<u64>(), 0..20_usize));
    (
        made(),
        session(),
        0..300_u64,
        any::<bool>(),
        odd,
        stamp_ms(),
    )
        .prop_map(|(made, session, block, follows, odd, at_ms)| {
            let mut samples = eeg::samples(&made, block);
            samples.session = Cow::Owned(session);
            samples.follows = follows;
            if let Some((value, at, cut)) = odd {
                samples.sample_rate_hz = value;
                samples.at = at;
                samples.rails_uv.truncate(cut);
                samples
                    .uv
                    .iter_mut()
                    .for_each(|row| spoilt(row, cut, value));
            }
            Happening::Samples(Box::new(samples), at_ms.saturating_mul(1_000_000))
        })
}

fn eeg_order() -> impl Strategy<Value = Happening> {
    (session(), any::<bool>(), any::<u8>(), stamp_ms()).prop_map(|(session, start, kind, at_ms)| {
        let order = if start { Order::Start } else { Order::Stop };
        let mut given = eeg::order(&eeg::Made::default(), "what-if-1", order);
        match kind % 3 {
            0 => {
                given.session = Cow::Owned(session);
                Happening::Order(Box::new(given))
            }
            1 => {
                let mut end = eeg::end(&eeg::Made::default(), 7);
                end.session = Cow::Owned(session);
                Happening::End(Box::new(end), at_ms.saturating_mul(1_000_000))
            }
            _ => Happening::Ordered(Ordered {
                id: session.clone(),
                outcome: if start { Ok(()) } else { Err(session) },
            }),
        }
    })
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
        8 => eeg_state(),
        4 => eeg_samples(),
        2 => eeg_order(),
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
        Happening::Samples(block, at_ns) => app.update(Message::Samples(block, *at_ns)),
        Happening::State(state, at_ns) => app.update(Message::State(state, *at_ns)),
        Happening::Order(order) => app.update(Message::Stimulation(order)),
        Happening::End(end, at_ns) => app.update(Message::SessionEnd(end, *at_ns)),
        Happening::Ordered(ordered) => app.update(Message::Ordered(ordered.clone())),
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
        at in 0..ViewName::ALL.len(),
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
        for view in 1..=6_u8 {
            happen(&mut app, &Happening::Input(Event::Key(KeyCode::Char(char::from(b'0' + view)).into())));
            draw(&app, odd_size.0, odd_size.1);
        }
    }
}
