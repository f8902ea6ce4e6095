//! Made-up records for this crate's own tests, pictures and benchmark: a market whose every figure follows from the
//! number of its window. Nothing here is real. Not for use elsewhere.

use std::borrow::Cow;

use contract::alert::{Alert, Delivery, EpisodeState, OutageEpisode, SpreadEpisode};
use contract::decimal::{Decimal, Price};
use contract::spread::{Best, Figures, Leg, Quality, Route, Spread};
use contract::tick::VenueStatus;
use contract::time::NS_PER_MS;
use contract::venue::VenueHealth;

pub mod eeg;

/// When the first window begins, milliseconds since 1970: 2024-08-08 23:50:00 UTC.
pub const BEGIN_MS: i64 = 1_723_161_000_000;
/// Length of a window.
pub const WIDTH_MS: i64 = 1_000;
/// What both fees take away, basis points.
const FEES_BPS: f64 = 69.7;

/// How a pair fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fares {
    /// Both venues quote.
    Well,
    /// The quotes of binance are too old.
    Stale,
    /// Binance is down.
    Down,
}

fn decimal(text: &str) -> Decimal {
    Decimal::parse(text).expect("the texts here are decimals")
}

fn price(cents: i64) -> Price {
    let text = format!("{}.{:02}", cents / 100, cents % 100);
    Price::parse(&text).expect("the prices here are above zero")
}

/// The same seemingly irregular number in -1..=1 for the same arguments.
fn noise(pair: u32, window: i64) -> f64 {
    let mut bits = u64::from(pair).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ window.unsigned_abs();
    for _ in 0..3 {
        bits = (bits ^ (bits >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    f64::from(u32::try_from(bits >> 40).unwrap_or(0)) / f64::from(1 << 23) - 1.0
}

/// Gross of buying at binance and selling at coinbase, basis points: a slow wave, noise, and twice in five minutes a
/// dislocation of twenty windows.
fn gross_bps(pair: u32, window: i64) -> f64 {
    let at = f64::from(u32::try_from(window.rem_euclid(1 << 20)).unwrap_or(0));
    let wave = 6.0 * (at / 37.0 + f64::from(pair)).sin();
    let dislocated = (window + i64::from(pair) * 31).rem_euclid(150) >= 130;
    let jump = if dislocated { 82.0 } else { 0.0 };
    wave + 2.5 * noise(pair, window) + jump
}

fn round(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

fn leg(venue: &'static str, usdt: bool, bid_cents: i64, pair: &str, fares: Fares) -> Leg<'static> {
    let binance = venue == "binance";
    let state = match fares {
        Fares::Stale if binance => Quality::Stale,
        Fares::Down if binance => Quality::VenueDown,
        _ => Quality::Ok,
    };
    let quoted = state != Quality::VenueDown;
    let asset = pair.split('-').next().unwrap_or_default();
    let symbol = if usdt {
        format!("{asset}USDT")
    } else {
        pair.to_owned()
    };
    Leg {
        venue: Cow::Borrowed(venue),
        symbol: Cow::Owned(symbol),
        currency: Cow::Borrowed(if usdt { "USDT" } else { "USD" }),
        state,
        bid: quoted.then(|| price(bid_cents)),
        bid_size: quoted.then(|| decimal("1.5")),
        ask: quoted.then(|| price(bid_cents + 1)),
        ask_size: quoted.then(|| decimal("0.72")),
        age_ms: quoted.then_some(if state == Quality::Stale { 4_812 } else { 12 }),
        quotes: if state == Quality::Ok { 153 } else { 0 },
        trades: if state == Quality::Ok { 40 } else { 0 },
        vwap: (state == Quality::Ok).then(|| decimal("61699.87123456")),
        rate_bid: usdt.then(|| Price::parse("0.99931").expect("above zero")),
        rate_ask: usdt.then(|| Price::parse("0.99933").expect("above zero")),
        rate_age_ms: usdt.then_some(100),
    }
}

fn route(
    buy: &'static str,
    sell: &'static str,
    gross: f64,
    at_ns: i64,
    fares: Fares,
) -> Route<'static> {
    let quality = match fares {
        Fares::Well => Quality::Ok,
        Fares::Stale => Quality::Stale,
        Fares::Down => Quality::VenueDown,
    };
    let net = gross - FEES_BPS;
    let live = fares == Fares::Well;
    Route {
        buy: Cow::Borrowed(buy),
        sell: Cow::Borrowed(sell),
        quality,
        end: live.then(|| Figures {
            gross_bps: round(gross - 0.8),
            net_bps: round(net - 0.8),
        }),
        best: live.then(|| Best {
            gross_bps: round(gross),
            net_bps: round(net),
            size: Some(decimal("0.72")),
            at_ns,
        }),
        positive_ns: if live && net > 0.0 { 640_000_000 } else { 0 },
    }
}

/// Window number `window` of the pair with this number and name.
#[must_use]
pub fn spread(number: u32, pair: &str, window: i64, fares: Fares) -> Spread<'static> {
    let start_ms = BEGIN_MS + window * WIDTH_MS;
    let gross = gross_bps(number, window);
    let at_ns = (start_ms + 310) * NS_PER_MS;
    let cents = 6_170_001 / i64::from(number + 1) + window.rem_euclid(60);
    let quality = match fares {
        Fares::Well => Quality::Ok,
        Fares::Stale => Quality::Stale,
        Fares::Down => Quality::VenueDown,
    };
    Spread {
        v: contract::tick::tags::V1,
        pair: Cow::Owned(pair.to_owned()),
        start_ms,
        end_ms: start_ms + WIDTH_MS,
        quality,
        late: u64::from(window.rem_euclid(97) == 96),
        legs: vec![
            leg("binance", true, cents, pair, fares),
            leg("coinbase", false, cents + 50, pair, fares),
        ],
        routes: vec![
            route("binance", "coinbase", gross, at_ns, fares),
            route("coinbase", "binance", -gross - 1.0, at_ns, fares),
        ],
    }
}

/// A venue's health at the end of a window.
#[must_use]
pub fn health(venue: &'static str, window: i64, status: VenueStatus) -> VenueHealth<'static> {
    let up = status == VenueStatus::Up;
    let binance = venue == "binance";
    VenueHealth {
        v: contract::tick::tags::V1,
        venue: Cow::Borrowed(venue),
        status,
        at_ns: (BEGIN_MS + (window + 1) * WIDTH_MS) * NS_PER_MS,
        frames_per_s: if up {
            (153.0 + noise(u32::from(binance), window) * 11.0).round()
        } else {
            0.0
        },
        data_age_ms: if up { 12 } else { 12_400 },
        skew_ms: if binance { 1_270.4 } else { -3.1 },
        gaps: 0,
        reconnects: u64::from(binance),
        parse_errors: 0,
        queue: if up { 2 } else { 0 },
    }
}

/// An episode of a pair that opened with this window.
#[must_use]
pub fn episode(pair: &str, window: i64, windows: u64, state: EpisodeState) -> Alert<'static> {
    let opened_ms = BEGIN_MS + window * WIDTH_MS;
    let lasted_ms = i64::try_from(windows).unwrap_or(0) * WIDTH_MS;
    let closed = state == EpisodeState::Closed;
    Alert::Spread(SpreadEpisode {
        v: contract::tick::tags::V1,
        episode: Cow::Owned(format!("{pair}/binance/coinbase/{opened_ms}")),
        what: contract::alert::tags::SpreadWhat,
        pair: Cow::Owned(pair.to_owned()),
        buy: Cow::Borrowed("binance"),
        sell: Cow::Borrowed("coinbase"),
        state,
        opened_ms,
        updated_ms: opened_ms + lasted_ms,
        closed_ms: closed.then_some(opened_ms + lasted_ms),
        peak_net_bps: 14.2,
        peak_size: Some(decimal("0.72")),
        peak_at_ns: (opened_ms + 2_310) * NS_PER_MS,
        windows,
        message_id: Some(Cow::Borrowed("1183")),
        delivery: Delivery::Sent,
        possible_repeat: false,
    })
}

/// An outage of a venue that began with this window.
#[must_use]
pub fn outage(
    venue: &'static str,
    window: i64,
    windows: u64,
    state: EpisodeState,
) -> Alert<'static> {
    let opened_ms = BEGIN_MS + window * WIDTH_MS;
    let lasted_ms = i64::try_from(windows).unwrap_or(0) * WIDTH_MS;
    let closed = state == EpisodeState::Closed;
    Alert::Outage(OutageEpisode {
        v: contract::tick::tags::V1,
        episode: Cow::Owned(format!("outage/{venue}/{opened_ms}")),
        what: contract::alert::tags::OutageWhat,
        venue: Cow::Borrowed(venue),
        state,
        opened_ms,
        updated_ms: opened_ms + lasted_ms,
        closed_ms: closed.then_some(opened_ms + lasted_ms),
        message_id: None,
        delivery: Delivery::Pending,
        possible_repeat: false,
    })
}
