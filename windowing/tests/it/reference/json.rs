//! The records' text, written by hand in the key order of the contract's examples, so that serialisation is checked too.
//!
//! In: what a window says of a pair. Out: one line. Absent: serde's derived writing; it gives strings and single numbers only.

use super::number::figure_json;
use super::route::{Figures, Route};

/// What a record says of a leg, each field already as text.
#[derive(Debug)]
pub(crate) struct LegLine {
    pub(crate) venue: String,
    pub(crate) symbol: String,
    pub(crate) currency: String,
    pub(crate) state: &'static str,
    pub(crate) bid: Option<String>,
    pub(crate) bid_size: Option<String>,
    pub(crate) ask: Option<String>,
    pub(crate) ask_size: Option<String>,
    pub(crate) age_ms: Option<i128>,
    pub(crate) quotes: usize,
    pub(crate) trades: usize,
    pub(crate) vwap: Option<String>,
    pub(crate) rate_bid: Option<String>,
    pub(crate) rate_ask: Option<String>,
    pub(crate) rate_age_ms: Option<i128>,
}

impl LegLine {
    fn json(&self) -> String {
        format!(
            r#"{{"venue":{},"symbol":{},"currency":{},"state":"{}","bid":{},"bid_size":{},"ask":{},"ask_size":{},"age_ms":{},"quotes":{},"trades":{},"vwap":{},"rate_bid":{},"rate_ask":{},"rate_age_ms":{}}}"#,
            text(&self.venue),
            text(&self.symbol),
            text(&self.currency),
            self.state,
            text_or_null(self.bid.as_deref()),
            text_or_null(self.bid_size.as_deref()),
            text_or_null(self.ask.as_deref()),
            text_or_null(self.ask_size.as_deref()),
            number_or_null(self.age_ms),
            self.quotes,
            self.trades,
            text_or_null(self.vwap.as_deref()),
            text_or_null(self.rate_bid.as_deref()),
            text_or_null(self.rate_ask.as_deref()),
            number_or_null(self.rate_age_ms),
        )
    }
}

/// One line of `spreads`.
pub(crate) fn spread(
    pair: &str,
    start_ms: i128,
    end_ms: i128,
    quality: &str,
    late: usize,
    legs: &[LegLine],
    routes: &[Route<'_>],
) -> String {
    let legs: Vec<String> = legs.iter().map(LegLine::json).collect();
    let routes: Vec<String> = routes.iter().map(route).collect();
    format!(
        r#"{{"v":1,"pair":{},"start_ms":{start_ms},"end_ms":{end_ms},"quality":"{quality}","late":{late},"legs":[{}],"routes":[{}]}}"#,
        text(pair),
        legs.join(","),
        routes.join(","),
    )
}

/// One line of `ticks-late`; the tick as it was, without the white space around it.
pub(crate) fn late(boundary_ns: i128, late_ns: i128, tick: &str) -> String {
    let tick = tick.trim_matches([' ', '\t', '\r', '\n']);
    format!(
        r#"{{"v":1,"kind":"late","boundary_ns":{boundary_ns},"late_ns":{late_ns},"tick":{tick}}}"#
    )
}

fn route(route: &Route<'_>) -> String {
    let end = match &route.end {
        Some(figures) => format!("{{{}}}", both(figures)),
        None => "null".to_owned(),
    };
    let best = match &route.best {
        Some(best) => format!(
            r#"{{{},"size":{},"at_ns":{}}}"#,
            both(&best.figures),
            text_or_null(best.size.as_deref()),
            best.at
        ),
        None => "null".to_owned(),
    };
    format!(
        r#"{{"buy":{},"sell":{},"quality":"{}","end":{end},"best":{best},"positive_ns":{}}}"#,
        text(route.buy),
        text(route.sell),
        route.quality.name(),
        route.positive_ns,
    )
}

fn both(figures: &Figures) -> String {
    format!(
        r#""gross_bps":{},"net_bps":{}"#,
        figure_json(&figures.gross_bps),
        figure_json(&figures.net_bps)
    )
}

fn text(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON")
}

fn text_or_null(value: Option<&str>) -> String {
    value.map_or_else(|| "null".to_owned(), text)
}

fn number_or_null(value: Option<i128>) -> String {
    value.map_or_else(|| "null".to_owned(), |number| number.to_string())
}
