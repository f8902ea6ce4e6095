//! Lines of `ticks`, written for tests.
//!
//! In: what matters to a test. Out: one line as ingest would write it; the rest is filled in by rule.

/// A quote or trade about to be written.
#[derive(Debug, Clone)]
pub(crate) struct Tick {
    pub(crate) venue: String,
    pub(crate) symbol: String,
    pub(crate) currency: String,
    pub(crate) pair: String,
    pub(crate) event_ns: i64,
}

impl Tick {
    /// A tick in the pair's own currency, its symbol the pair without `-`.
    pub(crate) fn at_ns(venue: &str, pair: &str, event_ns: i64) -> Self {
        let (_, currency) = pair.rsplit_once('-').expect("tests name pairs with a `-`");
        Self {
            venue: venue.to_owned(),
            symbol: pair.replace('-', ""),
            currency: currency.to_owned(),
            pair: pair.to_owned(),
            event_ns,
        }
    }

    /// The same in another currency, with a symbol to match.
    pub(crate) fn in_currency(mut self, currency: &str) -> Self {
        let (asset, _) = self.pair.rsplit_once('-').expect("made with a `-`");
        self.symbol = format!("{asset}{currency}").replace('-', "");
        self.currency = currency.to_owned();
        self
    }

    /// The same with another symbol.
    pub(crate) fn with_symbol(mut self, symbol: &str) -> Self {
        self.symbol = symbol.to_owned();
        self
    }

    /// A quote with sizes `1` and `2`.
    pub(crate) fn quote(&self, bid: &str, ask: &str) -> String {
        self.quote_with_sizes(bid, Some("1"), ask, Some("2"))
    }

    /// A quote.
    pub(crate) fn quote_with_sizes(
        &self,
        bid: &str,
        bid_size: Option<&str>,
        ask: &str,
        ask_size: Option<&str>,
    ) -> String {
        format!(
            r#"{{"v":1,"kind":"quote",{},"seq":null,"bid":"{bid}","bid_size":{},"ask":"{ask}","ask_size":{}}}"#,
            self.head(),
            text_or_null(bid_size),
            text_or_null(ask_size),
        )
    }

    /// A trade.
    pub(crate) fn trade(&self, price: &str, size: &str) -> String {
        format!(
            r#"{{"v":1,"kind":"trade",{},"trade_id":"7","price":"{price}","size":"{size}","taker_side":"buy"}}"#,
            self.head(),
        )
    }

    fn head(&self) -> String {
        let Self {
            venue,
            symbol,
            currency,
            pair,
            event_ns,
        } = self;
        let text = |text: &str| serde_json::to_string(text).expect("a text is JSON");
        format!(
            r#""venue":{},"symbol":{},"currency":{},"pair":{},"event_ns":{event_ns},"event_from":"venue","exchange_ns":{event_ns},"received_ns":{event_ns}"#,
            text(venue),
            text(symbol),
            text(currency),
            text(pair),
        )
    }
}

/// Milliseconds as nanoseconds.
pub(crate) const fn ms(ms: i64) -> i64 {
    ms * 1_000_000
}

/// A tick of BTC-USD, in milliseconds.
pub(crate) fn btc(venue: &str, at_ms: i64) -> Tick {
    Tick::at_ns(venue, "BTC-USD", ms(at_ms))
}

/// A mark, in nanoseconds.
pub(crate) fn mark_ns(venue: &str, event_ns: i64) -> String {
    let venue = serde_json::to_string(venue).expect("a text is JSON");
    format!(r#"{{"v":1,"kind":"mark","venue":{venue},"event_ns":{event_ns}}}"#)
}

/// A mark, in milliseconds.
pub(crate) fn mark(venue: &str, at_ms: i64) -> String {
    mark_ns(venue, ms(at_ms))
}

/// A status, in nanoseconds.
pub(crate) fn status_ns(venue: &str, status: &str, event_ns: i64) -> String {
    let venue = serde_json::to_string(venue).expect("a text is JSON");
    format!(
        r#"{{"v":1,"kind":"status","venue":{venue},"status":"{status}","event_ns":{event_ns},"detail":""}}"#
    )
}

/// A status, in milliseconds.
pub(crate) fn status(venue: &str, status: &str, at_ms: i64) -> String {
    status_ns(venue, status, ms(at_ms))
}

/// A rate, in nanoseconds.
pub(crate) fn rate_ns(
    venue: &str,
    from: &str,
    to: &str,
    event_ns: i64,
    bid: &str,
    ask: &str,
) -> String {
    let venue = serde_json::to_string(venue).expect("a text is JSON");
    format!(
        r#"{{"v":1,"kind":"rate","venue":{venue},"symbol":"{from}-{to}","from":"{from}","to":"{to}","event_ns":{event_ns},"bid":"{bid}","ask":"{ask}"}}"#
    )
}

/// What a USDT is worth in USD, in milliseconds.
pub(crate) fn usdt(at_ms: i64, bid: &str, ask: &str) -> String {
    rate_ns("r", "USDT", "USD", ms(at_ms), bid, ask)
}

fn text_or_null(text: Option<&str>) -> String {
    text.map_or_else(|| "null".to_owned(), |text| format!("\"{text}\""))
}
