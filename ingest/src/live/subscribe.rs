//! How each dialect is asked for its feeds: the address to open and the messages to send. Pure.
//!
//! ```text
//! Coinbase Advanced   one channel per message, `channel` in the singular; heartbeats keep quiet channels open
//! Coinbase Exchange   one message with all channels
//! Binance             streams in the address (combined form), nothing to send: incoming messages are limited to 5 a second
//! ```
//!
//! Both of Coinbase's want the first message within five seconds of connecting. Symbols that only give a rate are asked
//! for quotes, not for trades.
//!
//! Sources: the WebSocket pages of docs.cdp.coinbase.com (Advanced Trade: overview, channels, rate limits; Exchange: the
//! same), and web-socket-streams.md of binance-spot-api-docs.

use std::time::Duration;

use serde_json::{Value, json};

use super::ConnectionSettings;
use crate::error::IngestError;
use crate::venue::Dialect;

/// Streams that Binance takes on one connection.
const MAX_BINANCE_STREAMS: usize = 1_024;

/// Between two messages to Coinbase: below its limit of 8 a second for unauthenticated clients.
const COINBASE_SPACING: Duration = Duration::from_millis(150);

/// Below the limits, which are 5 and 8 a second: one more costs the connection, and in the end the address.
const BINANCE_MESSAGES_PER_S: usize = 4;
const COINBASE_MESSAGES_PER_S: usize = 7;

/// What to do with a connection of one dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    /// Appended to the address of the venue.
    pub(super) path: String,
    /// Sent once connected, in this order.
    pub(super) messages: Vec<String>,
    /// Between two of them.
    pub(super) spacing: Duration,
    /// Most messages a second, answers to pings among them.
    pub(super) messages_per_s: usize,
}

/// How to ask for what `connection` names.
///
/// # Errors
/// [`IngestError::Setting`] for more symbols than one connection takes.
pub(super) fn plan(connection: &ConnectionSettings) -> Result<Plan, IngestError> {
    let trades = &connection.symbols;
    let mut quotes = trades.clone();
    quotes.extend(connection.rate_symbols.iter().cloned());
    quotes.sort();
    quotes.dedup();
    let messages = match connection.dialect {
        Dialect::CoinbaseAdvanced => advanced(&quotes, trades),
        Dialect::CoinbaseExchange => vec![exchange(&quotes, trades)],
        Dialect::Binance | Dialect::BinanceUs => {
            return Ok(Plan {
                path: binance(connection.dialect, &quotes, trades)?,
                messages: Vec::new(),
                spacing: Duration::ZERO,
                messages_per_s: BINANCE_MESSAGES_PER_S,
            });
        }
    };
    Ok(Plan {
        path: String::new(),
        messages,
        spacing: COINBASE_SPACING,
        messages_per_s: COINBASE_MESSAGES_PER_S,
    })
}

fn advanced(quotes: &[String], trades: &[String]) -> Vec<String> {
    let mut messages = vec![json!({"type": "subscribe", "channel": "heartbeats"})];
    for (channel, products) in [("ticker", quotes), ("market_trades", trades)] {
        if !products.is_empty() {
            messages
                .push(json!({"type": "subscribe", "product_ids": products, "channel": channel}));
        }
    }
    messages.iter().map(Value::to_string).collect()
}

fn exchange(quotes: &[String], trades: &[String]) -> String {
    let channels: Vec<Value> = [
        ("ticker", quotes),
        ("matches", trades),
        ("heartbeat", quotes),
    ]
    .into_iter()
    .filter(|(_, products)| !products.is_empty())
    .map(|(name, products)| json!({"name": name, "product_ids": products}))
    .collect();
    json!({"type": "subscribe", "channels": channels}).to_string()
}

fn binance(dialect: Dialect, quotes: &[String], trades: &[String]) -> Result<String, IngestError> {
    let of = |symbols: &[String], feed: &str| -> Vec<String> {
        symbols
            .iter()
            .map(|symbol| format!("{}@{feed}", symbol.to_lowercase()))
            .collect()
    };
    let streams = [of(quotes, "bookTicker"), of(trades, "trade")].concat();
    if streams.len() > MAX_BINANCE_STREAMS {
        return Err(IngestError::Setting {
            name: format!("pairs.*.{}", dialect.venue()),
            value: format!("{} streams", streams.len()),
            range: format!("at most {MAX_BINANCE_STREAMS}, which is what one connection takes"),
        });
    }
    Ok(format!("/stream?streams={}", streams.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan_of(dialect: Dialect, symbols: &[&str], rates: &[&str]) -> Plan {
        let own = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        plan(&ConnectionSettings {
            symbols: own(symbols),
            rate_symbols: own(rates),
            ..ConnectionSettings::new(dialect, vec![])
        })
        .unwrap()
    }

    #[test]
    fn coinbase_advanced_is_asked_for_one_channel_per_message() {
        let plan = plan_of(
            Dialect::CoinbaseAdvanced,
            &["BTC-USD", "ETH-USD"],
            &["USDT-USD"],
        );
        assert_eq!(plan.path, "");
        assert_eq!(
            plan.messages,
            [
                r#"{"channel":"heartbeats","type":"subscribe"}"#,
                r#"{"channel":"ticker","product_ids":["BTC-USD","ETH-USD","USDT-USD"],"type":"subscribe"}"#,
                r#"{"channel":"market_trades","product_ids":["BTC-USD","ETH-USD"],"type":"subscribe"}"#,
            ]
        );
        assert!(
            plan.spacing >= Duration::from_millis(125),
            "8 messages a second"
        );
    }

    #[test]
    fn coinbase_exchange_is_asked_for_all_channels_in_one_message() {
        let plan = plan_of(Dialect::CoinbaseExchange, &["BTC-USD"], &["USDT-USD"]);
        assert_eq!(
            plan.messages,
            [
                r#"{"channels":[{"name":"ticker","product_ids":["BTC-USD","USDT-USD"]},{"name":"matches","product_ids":["BTC-USD"]},{"name":"heartbeat","product_ids":["BTC-USD","USDT-USD"]}],"type":"subscribe"}"#
            ]
        );
    }

    #[test]
    fn a_venue_of_rates_alone_is_asked_for_no_trades() {
        let plan = plan_of(Dialect::CoinbaseAdvanced, &[], &["USDT-USD"]);
        assert_eq!(plan.messages.len(), 2);
        assert!(!plan.messages.concat().contains("market_trades"));
        assert_eq!(
            plan_of(Dialect::BinanceUs, &[], &["USDTUSD"]).path,
            "/stream?streams=usdtusd@bookTicker"
        );
    }

    #[test]
    fn binance_streams_stand_in_the_address_in_lower_case() {
        let plan = plan_of(Dialect::Binance, &["BTCUSDT", "ETHUSDT"], &["BTCUSDT"]);
        assert_eq!(
            plan.path,
            "/stream?streams=btcusdt@bookTicker/ethusdt@bookTicker/btcusdt@trade/ethusdt@trade"
        );
        assert!(plan.messages.is_empty());
    }

    #[test]
    fn more_streams_than_a_connection_takes_are_refused() {
        let symbols: Vec<String> = (0..513).map(|at| format!("S{at}USDT")).collect();
        let connection = ConnectionSettings {
            symbols,
            ..ConnectionSettings::new(Dialect::Binance, vec![])
        };
        assert_eq!(
            plan(&connection).unwrap_err().to_string(),
            "setting `pairs.*.binance` is `1026 streams`; it must be at most 1024, which is what one connection takes"
        );
    }
}
