//! Records of `spreads`: one closed window of one pair, and what could have been traded in it.
//!
//! A route buys at one venue's ask and sells at another's bid; a positive figure is a gain:
//!
//! ```text
//! gross_bps = ( bid_sell * rb / (ask_buy * ra) - 1 ) * 10^4
//! net_bps   = ( bid_sell * rb * (1 - f_sell) / (ask_buy * ra * (1 + f_buy)) - 1 ) * 10^4
//! ```
//!
//! with `ra`, `rb` the currency rate's ask and bid for a leg not traded in the accounting currency (else 1) and `f` the
//! taker fees as fractions. Both are rounded to six decimals, half to even. Absent: how they are computed (`windowing`).

use serde::{Deserialize, Serialize};

use crate::decimal::{Decimal, Price, Text};
use crate::tag::V1;

/// How good a leg, a route or a window is, **from worst to best**.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// No route at all: fewer than two legs. Of windows only.
    OneSided,
    /// The venue is not up, or has not quoted since it last came up.
    VenueDown,
    /// Trades in another currency and the rate is missing or too old.
    NoRate,
    /// Its own bid is above its own ask: a data fault, not an opportunity.
    Crossed,
    /// Its last quote is too old.
    Stale,
    /// Live.
    Ok,
}

impl Quality {
    /// All of them, from worst to best.
    pub const ALL: [Self; 6] = [
        Self::OneSided,
        Self::VenueDown,
        Self::NoRate,
        Self::Crossed,
        Self::Stale,
        Self::Ok,
    ];

    /// As records spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OneSided => "one_sided",
            Self::VenueDown => "venue_down",
            Self::NoRate => "no_rate",
            Self::Crossed => "crossed",
            Self::Stale => "stale",
            Self::Ok => "ok",
        }
    }
}

/// One closed window of one pair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spread<'a> {
    /// Version, always 1.
    pub v: V1,
    /// Asset and accounting currency.
    #[serde(borrow)]
    pub pair: Text<'a>,
    /// Start of the window, inclusive, milliseconds since 1970.
    pub start_ms: i64,
    /// End of the window, exclusive, milliseconds since 1970.
    pub end_ms: i64,
    /// The best of its routes' qualities; `one_sided` without any.
    pub quality: Quality,
    /// Ticks of this pair that came too late since its previous record.
    pub late: u64,
    /// By venue, alphabetically.
    #[serde(borrow)]
    pub legs: Vec<Leg<'a>>,
    /// By buyer's, then seller's venue, alphabetically.
    #[serde(borrow)]
    pub routes: Vec<Route<'a>>,
}

/// One venue's side of a window, as it stood at the window's end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Leg<'a> {
    /// Venue.
    #[serde(borrow)]
    pub venue: Text<'a>,
    /// Symbol as the venue spells it.
    #[serde(borrow)]
    pub symbol: Text<'a>,
    /// Currency it trades in.
    #[serde(borrow)]
    pub currency: Text<'a>,
    /// Its state at the end.
    pub state: Quality,
    /// Bid of the last quote before the end, null if none or cleared.
    pub bid: Option<Price>,
    /// Size at that bid, units of the asset.
    pub bid_size: Option<Decimal>,
    /// Ask of the last quote before the end, null if none or cleared.
    pub ask: Option<Price>,
    /// Size at that ask, units of the asset.
    pub ask_size: Option<Decimal>,
    /// Age of that quote at the end, milliseconds rounded down.
    pub age_ms: Option<i64>,
    /// Quotes stamped within the window.
    pub quotes: u64,
    /// Trades stamped within the window.
    pub trades: u64,
    /// Volume-weighted mean price of those trades, eight decimals rounded half to even, null without volume.
    pub vwap: Option<Decimal>,
    /// Bid of the currency rate at the end, even when too old; null if not needed or missing.
    pub rate_bid: Option<Price>,
    /// Ask of the currency rate at the end.
    pub rate_ask: Option<Price>,
    /// Age of the rate at the end, milliseconds rounded down.
    pub rate_age_ms: Option<i64>,
}

/// Buying at one venue and selling at another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Route<'a> {
    /// Venue bought at.
    #[serde(borrow)]
    pub buy: Text<'a>,
    /// Venue sold at.
    #[serde(borrow)]
    pub sell: Text<'a>,
    /// The worse of the two legs' states at the window's end.
    pub quality: Quality,
    /// At the window's end; null unless live then.
    pub end: Option<Figures>,
    /// The instant of the highest net within the window, the earliest of equals; null if never live.
    pub best: Option<Best>,
    /// For how long within the window it was live with net above zero, nanoseconds.
    pub positive_ns: i64,
}

/// The two figures of a live route, in basis points.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Before fees.
    pub gross_bps: f64,
    /// After both venues' taker fees.
    pub net_bps: f64,
}

/// A route's best instant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Before fees, basis points.
    pub gross_bps: f64,
    /// After fees, basis points.
    pub net_bps: f64,
    /// The smaller of the buyer's ask size and the seller's bid size then, units of the asset; null if either is.
    pub size: Option<Decimal>,
    /// When, nanoseconds since 1970.
    pub at_ns: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the contract, completed where it is abridged there.
    const EXAMPLE: &str = concat!(
        r#"{"v":1,"pair":"BTC-USD","start_ms":1723161254000,"end_ms":1723161255000,"quality":"ok","late":0,"#,
        r#""legs":[{"venue":"binance","symbol":"BTCUSDT","currency":"USDT","state":"ok","bid":"61700.01","bid_size":"1.5","ask":"61700.02","ask_size":"0.7","age_ms":12,"quotes":153,"trades":40,"vwap":"61699.87123456","rate_bid":"0.99931","rate_ask":"0.99933","rate_age_ms":100},"#,
        r#"{"venue":"coinbase","symbol":"BTC-USD","currency":"USD","state":"stale","bid":"61702.4","bid_size":null,"ask":"61702.5","ask_size":null,"age_ms":2500,"quotes":0,"trades":0,"vwap":null,"rate_bid":null,"rate_ask":null,"rate_age_ms":null}],"#,
        r#""routes":[{"buy":"binance","sell":"coinbase","quality":"ok","end":{"gross_bps":1.3,"net_bps":-68.6},"best":{"gross_bps":2.1,"net_bps":-67.9,"size":"0.7","at_ns":1723161254310000000},"positive_ns":0},"#,
        r#"{"buy":"coinbase","sell":"binance","quality":"stale","end":null,"best":null,"positive_ns":0}]}"#
    );

    #[test]
    fn the_example_reads_and_writes_back_to_the_same_bytes() {
        let spread: Spread<'_> = serde_json::from_str(EXAMPLE).unwrap();
        assert_eq!(serde_json::to_string(&spread).unwrap(), EXAMPLE);
    }

    #[test]
    fn qualities_are_ordered_from_worst_to_best_and_spelled_as_the_contract_spells_them() {
        let worst_to_best = [
            Quality::OneSided,
            Quality::VenueDown,
            Quality::NoRate,
            Quality::Crossed,
            Quality::Stale,
            Quality::Ok,
        ];
        assert!(worst_to_best.is_sorted());
        assert_eq!(
            serde_json::to_string(&worst_to_best).unwrap(),
            r#"["one_sided","venue_down","no_rate","crossed","stale","ok"]"#
        );
        for quality in worst_to_best {
            assert_eq!(
                serde_json::to_string(&quality).unwrap(),
                format!("\"{}\"", quality.as_str())
            );
        }
    }
}
