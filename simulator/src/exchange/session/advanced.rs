//! Coinbase Advanced Trade: one channel per message, one numbering over everything, data before its acknowledgement.
//!
//! ```json
//! {"channel":"ticker","timestamp":"2026-08-09T21:05:48.229198328Z","sequence_num":6,"events":[..]}
//! ```
//!
//! Served: `ticker`, `market_trades`, `heartbeats`. The other public channels answer with an error, as unknown ones do.
//! No stated source: which words an unknown product gets.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use super::super::words::{GoTime, Nanos, list};
use super::{Output, Speaker, Wanted, levels, texts};
use crate::market::units::{Fixed, Trimmed};
use crate::market::{Market, Quote, Side, Trade, Update};

#[derive(Debug)]
pub(in crate::exchange) struct Advanced {
    since_ns: i64,
    sequence: u64,
    beats: u64,
    ticker: Wanted,
    trades: Wanted,
    heartbeats: bool,
}

impl Advanced {
    pub(super) fn new(since_ns: i64) -> Self {
        Self {
            since_ns,
            sequence: 0,
            // The server has been up for a while.
            beats: 41_690,
            ticker: Wanted::default(),
            trades: Wanted::default(),
            heartbeats: false,
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        self.ticker.is_empty() && self.trades.is_empty() && !self.heartbeats
    }

    fn channels(&self, market: &Market) -> BTreeMap<&'static str, Vec<String>> {
        let named = |wanted: &Wanted| -> Vec<String> {
            let symbol = |stream: usize| market.streams()[stream].symbol().to_owned();
            wanted.streams().map(symbol).collect()
        };
        let mut channels = BTreeMap::new();
        if self.heartbeats {
            channels.insert("heartbeats", vec!["heartbeats".to_owned()]);
        }
        for (name, wanted) in [("ticker", &self.ticker), ("market_trades", &self.trades)] {
            if !wanted.is_empty() {
                channels.insert(name, named(wanted));
            }
        }
        channels
    }

    pub(super) fn subscriptions(&self, market: &Market) -> Vec<String> {
        let channels = self.channels(market).into_iter();
        channels
            .flat_map(|(name, symbols)| {
                symbols
                    .into_iter()
                    .map(move |symbol| format!("{name}:{symbol}"))
            })
            .collect()
    }

    pub(super) fn hear(&mut self, text: &str, speaker: &Speaker<'_>, out: &mut Vec<Output>) {
        match self.obey(text, speaker, out) {
            Ok(()) => {
                let channels = self.channels(speaker.market);
                let told: Vec<String> = channels
                    .iter()
                    .map(|(name, symbols)| {
                        format!(r#""{name}":{}"#, list(symbols.iter().map(String::as_str)))
                    })
                    .collect();
                let events = format!(r#"[{{"subscriptions":{{{}}}}}]"#, told.join(","));
                out.push(Output::Text(self.envelope(
                    "subscriptions",
                    &events,
                    speaker,
                )));
            }
            Err(message) => {
                let message = Value::from(message);
                out.push(Output::Text(format!(
                    r#"{{"type":"error","message":{message}}}"#
                )));
            }
        }
    }

    /// Does what a message asks for, data and all; the acknowledgement comes after it.
    fn obey(
        &mut self,
        text: &str,
        speaker: &Speaker<'_>,
        out: &mut Vec<Output>,
    ) -> Result<(), String> {
        let message: Value =
            serde_json::from_str(text).map_err(|_| "failure to parse message".to_owned())?;
        let word = |key: &str| message.get(key).and_then(Value::as_str);
        let is_on = match word("type") {
            Some("subscribe") => true,
            Some("unsubscribe") => false,
            _ => return Err("type must be subscribe or unsubscribe".to_owned()),
        };
        let channel = word("channel").ok_or("channel is required, one per message")?;
        if channel == "heartbeats" {
            self.heartbeats = is_on;
            return Ok(());
        }
        if !matches!(channel, "ticker" | "market_trades") {
            return Err("authentication failure".to_owned());
        }
        let products = texts(&message, "product_ids").filter(|products| !products.is_empty());
        let products = products.ok_or("product_ids is required")?;
        let mut streams = Vec::new();
        for product in products {
            let stream = speaker.find(product);
            streams.push(stream.ok_or_else(|| format!("{product} is not a valid product"))?);
        }
        let since = speaker.market.serial();
        for stream in streams {
            let wanted = match channel {
                "ticker" => &mut self.ticker,
                _ => &mut self.trades,
            };
            if !is_on {
                wanted.remove(stream);
                continue;
            }
            wanted.add(stream, since);
            let told = speaker.stream(stream);
            let text = if channel == "ticker" {
                self.ticker("snapshot", stream, told.quote(), speaker)
            } else {
                self.market_trades("snapshot", stream, told.trades().iter().rev(), speaker)
            };
            out.push(Output::Text(text));
        }
        Ok(())
    }

    pub(super) fn tell(
        &mut self,
        update: &Update,
        quote: Quote,
        speaker: &Speaker<'_>,
        out: &mut Vec<Output>,
    ) {
        if !update.trades.is_empty() && self.trades.wants(update) {
            let newest_first = update.trades.iter().rev();
            let text = self.market_trades("update", update.stream, newest_first, speaker);
            out.push(Output::Text(text));
        }
        if self.ticker.wants(update) {
            let text = self.ticker("update", update.stream, quote, speaker);
            out.push(Output::Text(text));
        }
    }

    pub(super) fn beat(&mut self, speaker: &Speaker<'_>, out: &mut Vec<Output>) {
        self.beats += 1;
        if !self.heartbeats {
            return;
        }
        let time = GoTime {
            at: speaker.now(),
            since_ns: 41_690_855_384_366 + speaker.at_ns - self.since_ns,
        };
        let events = format!(
            r#"[{{"current_time":"{time}","heartbeat_counter":{}}}]"#,
            self.beats
        );
        out.push(Output::Text(self.envelope("heartbeats", &events, speaker)));
    }

    pub(super) fn skip(&mut self, count: u64) {
        self.sequence += count;
    }

    pub(super) fn envelope(
        &mut self,
        channel: &str,
        events: &str,
        speaker: &Speaker<'_>,
    ) -> String {
        let sequence = self.sequence;
        self.sequence += 1;
        let time = Nanos(speaker.now());
        format!(
            r#"{{"channel":"{channel}","timestamp":"{time}","sequence_num":{sequence},"events":{events}}}"#
        )
    }

    pub(super) fn ticker(
        &mut self,
        kind: &str,
        stream: usize,
        quote: Quote,
        speaker: &Speaker<'_>,
    ) -> String {
        let told = speaker.stream(stream);
        let (symbol, day) = (told.symbol(), told.day());
        let last = told.trades().back().map_or(quote.bid, |trade| trade.price);
        let events = format!(
            r#"[{{"type":"{kind}","tickers":[{{"type":"ticker","product_id":"{symbol}","price":"{}","volume_24_h":"{}","low_24_h":"{}","high_24_h":"{}","low_52_w":"{}","high_52_w":"{}","price_percent_chg_24_h":"{:.14}","best_bid":"{}","best_ask":"{}","best_bid_quantity":"{}","best_ask_quantity":"{}"}}]}}]"#,
            Trimmed(last),
            Trimmed(day.volume),
            Trimmed(day.low),
            Trimmed(day.high),
            Trimmed(day.year_low),
            Trimmed(day.year_high),
            told.change_percent(),
            Trimmed(quote.bid),
            Trimmed(quote.ask),
            Trimmed(quote.bid_size),
            Trimmed(quote.ask_size),
        );
        self.envelope("ticker", &events, speaker)
    }

    /// Trades, newest first; the side is the maker's.
    fn market_trades<'a>(
        &mut self,
        kind: &str,
        stream: usize,
        newest_first: impl Iterator<Item = &'a Trade>,
        speaker: &Speaker<'_>,
    ) -> String {
        let symbol = speaker.stream(stream).symbol();
        let mut trades = String::new();
        for trade in newest_first {
            let comma = if trades.is_empty() { "" } else { "," };
            let maker = match trade.taker {
                Side::Buy => "SELL",
                Side::Sell => "BUY",
            };
            // Writing into a string cannot fail.
            let _ = write!(
                trades,
                r#"{comma}{{"product_id":"{symbol}","trade_id":"{}","price":"{}","size":"{}","time":"{}","side":"{maker}"}}"#,
                trade.id,
                Trimmed(trade.price),
                Trimmed(trade.size),
                Nanos(speaker.stamp(trade.at_ns)),
            );
        }
        let events = format!(r#"[{{"type":"{kind}","trades":[{trades}]}}]"#);
        self.envelope("market_trades", &events, speaker)
    }

    /// A snapshot of `level2`, bids first.
    pub(super) fn whole_book(
        &mut self,
        stream: usize,
        bytes: usize,
        speaker: &Speaker<'_>,
    ) -> String {
        let told = speaker.stream(stream);
        let time = Nanos(speaker.now()).to_string();
        let (mut bids, mut offers) = (String::new(), String::new());
        for (is_bid, price, size) in levels(told.quote(), told.tick()) {
            if bids.len() + offers.len() >= bytes {
                break;
            }
            let (side, rows) = match is_bid {
                true => ("bid", &mut bids),
                false => ("offer", &mut offers),
            };
            let _ = write!(
                rows,
                r#"{{"side":"{side}","event_time":"{time}","price_level":"{}","new_quantity":"{}"}},"#,
                Fixed(price, told.decimals()),
                Trimmed(size),
            );
        }
        let rows = bids + offers.trim_end_matches(',');
        let rows = rows.trim_end_matches(',');
        let symbol = told.symbol();
        let events =
            format!(r#"[{{"type":"snapshot","product_id":"{symbol}","updates":[{rows}]}}]"#);
        self.envelope("l2_data", &events, speaker)
    }
}
