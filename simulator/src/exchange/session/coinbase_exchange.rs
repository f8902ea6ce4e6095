//! Coinbase Exchange: several channels in one message, a ticker with each match, no numbering but trade ids.
//!
//! ```json
//! {"type":"match","trade_id":1568319,"maker_order_id":"..","taker_order_id":"..","side":"buy",...}
//! ```
//!
//! Served: `ticker`, `matches`, `heartbeat`. A subscription is answered with what was last (ticker, `last_match`) and then
//! `subscriptions`. Sizes of the quote stand in tickers since after the recordings of 2021.

use std::fmt::Write;

use serde_json::Value;

use super::super::words::{Micros, Uuid, list};
use super::{Output, Speaker, Wanted, levels};
use crate::market::units::{Fixed, Trimmed};
use crate::market::{Market, Quote, Side, Trade, Update};

#[derive(Debug, Default)]
pub(in crate::exchange) struct CoinbaseExchange {
    ticker: Wanted,
    matches: Wanted,
    heartbeat: Wanted,
    skip: u64,
}

/// Channels by name, in the order of acknowledgements.
const CHANNELS: [&str; 3] = ["ticker", "matches", "heartbeat"];

impl CoinbaseExchange {
    fn channel(&mut self, name: &str) -> Option<&mut Wanted> {
        match name {
            "ticker" => Some(&mut self.ticker),
            "matches" => Some(&mut self.matches),
            "heartbeat" => Some(&mut self.heartbeat),
            _ => None,
        }
    }

    fn channels(&self) -> [(&'static str, &Wanted); 3] {
        let [ticker, matches, heartbeat] = CHANNELS;
        [
            (ticker, &self.ticker),
            (matches, &self.matches),
            (heartbeat, &self.heartbeat),
        ]
    }

    pub(super) fn is_idle(&self) -> bool {
        self.channels().iter().all(|(_, wanted)| wanted.is_empty())
    }

    pub(super) fn subscriptions(&self, market: &Market) -> Vec<String> {
        let named = |(name, wanted): (&'static str, &Wanted)| -> Vec<String> {
            wanted
                .streams()
                .map(|stream| format!("{name}:{}", market.streams()[stream].symbol()))
                .collect()
        };
        self.channels().into_iter().flat_map(named).collect()
    }

    pub(super) fn hear(&mut self, text: &str, speaker: &Speaker<'_>, out: &mut Vec<Output>) {
        match self.obey(text, speaker, out) {
            Ok(()) => {
                let symbol = |stream: usize| speaker.stream(stream).symbol();
                let told: Vec<String> = self
                    .channels()
                    .into_iter()
                    .filter(|(_, wanted)| !wanted.is_empty())
                    .map(|(name, wanted)| {
                        let products = list(wanted.streams().map(symbol));
                        format!(r#"{{"name":"{name}","product_ids":{products}}}"#)
                    })
                    .collect();
                out.push(Output::Text(format!(
                    r#"{{"type":"subscriptions","channels":[{}]}}"#,
                    told.join(",")
                )));
            }
            Err((message, reason)) => {
                let reason = Value::from(reason);
                out.push(Output::Text(format!(
                    r#"{{"type":"error","message":"{message}","reason":{reason}}}"#
                )));
            }
        }
    }

    fn obey(
        &mut self,
        text: &str,
        speaker: &Speaker<'_>,
        out: &mut Vec<Output>,
    ) -> Result<(), (&'static str, String)> {
        let fault = |reason: &str| ("Failed to subscribe", reason.to_owned());
        let message: Value = serde_json::from_str(text)
            .map_err(|_| ("Malformed JSON", "not a JSON document".to_owned()))?;
        let is_on = match message.get("type").and_then(Value::as_str) {
            Some("subscribe") => true,
            Some("unsubscribe") => false,
            _ => return Err(fault("type has to be either subscribe or unsubscribe")),
        };
        let common = super::texts(&message, "product_ids").unwrap_or_default();
        let channels = message.get("channels").and_then(Value::as_array);
        let channels = channels.ok_or_else(|| fault("channels is a required field"))?;
        let mut asked = Vec::new();
        for channel in channels {
            let own = super::texts(channel, "product_ids");
            let name = channel.as_str().or_else(|| channel.get("name")?.as_str());
            let name = name.ok_or_else(|| fault("a channel needs a name"))?;
            if matches!(name, "level2" | "level3" | "full") {
                return Err(fault(
                    "level2, level3, and full channels now require authentication.",
                ));
            }
            let known = CHANNELS.iter().find(|known| **known == name);
            let known = known.ok_or_else(|| fault(&format!("{name} is not a valid channel")))?;
            let products = own.unwrap_or_else(|| common.clone());
            if products.is_empty() {
                return Err(fault("product_ids is a required field"));
            }
            for product in products {
                let stream = speaker.find(product);
                let stream =
                    stream.ok_or_else(|| fault(&format!("{product} is not a valid product")))?;
                asked.push((*known, stream));
            }
        }
        let since = speaker.market.serial();
        for (name, stream) in asked {
            let Some(wanted) = self.channel(name) else {
                continue;
            };
            if !is_on {
                wanted.remove(stream);
                continue;
            }
            wanted.add(stream, since);
            let told = speaker.stream(stream);
            let last = told.trades().back();
            match (name, last) {
                ("ticker", last) => {
                    out.push(Output::Text(ticker(stream, told.quote(), last, speaker)));
                }
                ("matches", Some(last)) => {
                    let text = matched("last_match", told.symbol(), last, speaker);
                    out.push(Output::Text(text));
                }
                _ => {}
            }
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
        let symbol = speaker.stream(update.stream).symbol();
        for (at, trade) in update.trades.iter().enumerate() {
            if self.matches.wants(update) {
                if self.skip > 0 {
                    self.skip -= 1;
                } else {
                    out.push(Output::Text(matched("match", symbol, trade, speaker)));
                }
            }
            // One taker's trades are one ticker.
            if at + 1 == update.trades.len() && self.ticker.wants(update) {
                let text = ticker(update.stream, quote, Some(trade), speaker);
                out.push(Output::Text(text));
            }
        }
    }

    pub(super) fn beat(&mut self, speaker: &Speaker<'_>, out: &mut Vec<Output>) {
        for number in self.heartbeat.streams() {
            let stream = speaker.stream(number);
            let last = stream.trades().back().map_or(0, |trade| trade.id);
            out.push(Output::Text(format!(
                r#"{{"type":"heartbeat","sequence":{},"last_trade_id":{last},"product_id":"{}","time":"{}"}}"#,
                stream.sequence(),
                stream.symbol(),
                Micros(speaker.now()),
            )));
        }
    }

    pub(super) fn skip(&mut self, count: u64) {
        self.skip += count;
    }
}

/// A match; the side is the maker's.
fn matched(kind: &str, symbol: &str, trade: &Trade, speaker: &Speaker<'_>) -> String {
    let maker = match trade.taker {
        Side::Buy => "sell",
        Side::Sell => "buy",
    };
    format!(
        r#"{{"type":"{kind}","trade_id":{},"maker_order_id":"{}","taker_order_id":"{}","side":"{maker}","size":"{}","price":"{}","product_id":"{symbol}","sequence":{},"time":"{}"}}"#,
        trade.id,
        Uuid(trade.orders),
        Uuid(trade.orders.rotate_left(51)),
        Trimmed(trade.size),
        Trimmed(trade.price),
        trade.sequence,
        Micros(speaker.stamp(trade.at_ns)),
    )
}

/// A ticker of the given trade, else of the last; the side is the taker's.
pub(super) fn ticker(
    stream: usize,
    quote: Quote,
    trade: Option<&Trade>,
    speaker: &Speaker<'_>,
) -> String {
    let told = speaker.stream(stream);
    let day = told.day();
    let decimals = told.decimals();
    let last = trade.or_else(|| told.trades().back());
    let (price, size, id) = last.map_or((quote.bid, 0, 0), |trade| {
        (trade.price, trade.size, trade.id)
    });
    let side = match last.map(|trade| trade.taker) {
        Some(Side::Sell) => "sell",
        _ => "buy",
    };
    let sequence = last.map_or(told.sequence(), |trade| trade.sequence);
    let time = Micros(speaker.stamp(last.map_or(speaker.at_ns, |trade| trade.at_ns)));
    format!(
        r#"{{"type":"ticker","sequence":{sequence},"product_id":"{}","price":"{}","open_24h":"{}","volume_24h":"{}","low_24h":"{}","high_24h":"{}","volume_30d":"{}","best_bid":"{}","best_bid_size":"{}","best_ask":"{}","best_ask_size":"{}","side":"{side}","time":"{time}","trade_id":{id},"last_size":"{}"}}"#,
        told.symbol(),
        Fixed(price, decimals),
        Trimmed(day.open),
        Fixed(day.volume, 8),
        Trimmed(day.low),
        Trimmed(day.high),
        Fixed(day.volume.saturating_mul(29), 8),
        Fixed(quote.bid, decimals),
        Fixed(quote.bid_size, 8),
        Fixed(quote.ask, decimals),
        Fixed(quote.ask_size, 8),
        Trimmed(size),
    )
}

/// A `snapshot` of level 2, asks first.
pub(super) fn whole_book(stream: usize, bytes: usize, speaker: &Speaker<'_>) -> String {
    let told = speaker.stream(stream);
    let (mut bids, mut asks) = (String::new(), String::new());
    for (is_bid, price, size) in levels(told.quote(), told.tick()) {
        if bids.len() + asks.len() >= bytes {
            break;
        }
        let rows = if is_bid { &mut bids } else { &mut asks };
        // Writing into a string cannot fail.
        let _ = write!(
            rows,
            r#"["{}","{}"],"#,
            Fixed(price, told.decimals()),
            Fixed(size, 8)
        );
    }
    format!(
        r#"{{"type":"snapshot","product_id":"{}","asks":[{}],"bids":[{}]}}"#,
        told.symbol(),
        asks.trim_end_matches(','),
        bids.trim_end_matches(',')
    )
}
