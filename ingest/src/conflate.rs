//! Fewer quotes when the consumer is far behind: of those that wait, only the newest of a venue and symbol is sent.
//!
//! ```text
//! Core -> quotes, while many frames wait: held, a newer one replaces the older, counted
//!      -> a mark or status of the venue, or fewer frames wait: what is held of it goes first
//!      -> trades, rates, everything else: passed on at once, never replaced
//! ```
//!
//! So a mark never overtakes a quote that it speaks of, and at every mark the state of the book is what it would have been.
//! What is lost are quotes that lived for less than a mark interval. For live ingest alone: neither replay nor a recording
//! passes through here. Pure.

use std::collections::BTreeMap;

use contract::dead_letter::DeadLetter;
use contract::tick::{Quote, Record};
use contract::venue::VenueHealth;

use crate::core::Sink;
use crate::gap::Gap;

/// Quotes held, by symbol.
type Held = BTreeMap<String, Quote<'static>>;

/// A sink before another.
#[derive(Debug)]
pub struct Conflate<S> {
    sink: S,
    is_behind: bool,
    /// By venue.
    held: BTreeMap<String, Held>,
    conflated: u64,
}

impl<S: Sink> Conflate<S> {
    /// Passes on to `sink`.
    #[must_use]
    pub fn new(sink: S) -> Self {
        Self {
            sink,
            is_behind: false,
            held: BTreeMap::new(),
            conflated: 0,
        }
    }

    /// Whether frames wait beyond the bound. Where they do no longer, what is held is sent.
    pub fn behind(&mut self, is_behind: bool) {
        if self.is_behind && !is_behind {
            self.flush();
        }
        self.is_behind = is_behind;
    }

    /// Quotes that were replaced before they were sent.
    #[must_use]
    pub fn conflated(&self) -> u64 {
        self.conflated
    }

    /// Sends what is held, and gives the sink back.
    #[must_use]
    pub fn into_inner(mut self) -> S {
        self.flush();
        self.sink
    }

    fn flush(&mut self) {
        for (_, quotes) in std::mem::take(&mut self.held) {
            send(quotes, &mut self.sink);
        }
    }

    fn hold(&mut self, quote: &Quote<'_>) {
        if !self.held.contains_key(&*quote.venue) {
            self.held.insert(quote.venue.to_string(), Held::new());
        }
        let Some(quotes) = self.held.get_mut(&*quote.venue) else {
            return;
        };
        match quotes.get_mut(&*quote.symbol) {
            None => {
                quotes.insert(quote.symbol.to_string(), owned(quote));
            }
            Some(older) if older.event_ns <= quote.event_ns => {
                *older = owned(quote);
                self.conflated += 1;
            }
            // By its stamp it is no newer one.
            Some(_) => self.sink.tick(&Record::Quote(quote.clone())),
        }
    }
}

fn send(quotes: Held, sink: &mut impl Sink) {
    for (_, quote) in quotes {
        sink.tick(&Record::Quote(quote));
    }
}

fn owned(quote: &Quote<'_>) -> Quote<'static> {
    let own = |text: &str| text.to_owned().into();
    Quote {
        v: quote.v,
        kind: quote.kind,
        venue: own(&quote.venue),
        symbol: own(&quote.symbol),
        currency: own(&quote.currency),
        pair: own(&quote.pair),
        event_ns: quote.event_ns,
        event_from: quote.event_from,
        exchange_ns: quote.exchange_ns,
        received_ns: quote.received_ns,
        seq: quote.seq,
        bid: quote.bid.clone(),
        bid_size: quote.bid_size.clone(),
        ask: quote.ask.clone(),
        ask_size: quote.ask_size.clone(),
    }
}

impl<S: Sink> Sink for Conflate<S> {
    fn tick(&mut self, record: &Record<'_>) {
        match record {
            Record::Quote(quote) if self.is_behind => self.hold(quote),
            record => self.sink.tick(record),
        }
    }

    fn everywhere(&mut self, record: &Record<'_>) {
        if matches!(record, Record::Mark(_) | Record::Status(_))
            && let Some(quotes) = self.held.remove(record.venue())
        {
            send(quotes, &mut self.sink);
        }
        self.sink.everywhere(record);
    }

    fn health(&mut self, health: &VenueHealth<'_>) {
        self.sink.health(health);
    }

    fn dead_letter(&mut self, letter: DeadLetter) {
        self.sink.dead_letter(letter);
    }

    fn gap(&mut self, gap: &Gap) {
        self.sink.gap(gap);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Collect;
    use contract::tick::decode;

    fn quote(venue: &str, symbol: &str, ns: i64) -> String {
        format!(
            r#"{{"v":1,"kind":"quote","venue":"{venue}","symbol":"{symbol}","currency":"USDT","pair":"BTC-USD","event_ns":{ns},"event_from":"estimated","exchange_ns":null,"received_ns":{ns},"seq":{ns},"bid":"1","bid_size":null,"ask":"2","ask_size":null}}"#
        )
    }

    fn mark(venue: &str, ns: i64) -> String {
        format!(r#"{{"v":1,"kind":"mark","venue":"{venue}","event_ns":{ns}}}"#)
    }

    const TRADE: &str = r#"{"v":1,"kind":"trade","venue":"b","symbol":"X","currency":"USD","pair":"BTC-USD","event_ns":5,"event_from":"venue","exchange_ns":5,"received_ns":5,"trade_id":"1","price":"1","size":"1","taker_side":"buy"}"#;

    fn give(to: &mut Conflate<Collect>, lines: &[&str]) {
        for line in lines {
            let record = decode(line.as_bytes()).unwrap();
            match record.pair() {
                Some(_) => to.tick(&record),
                None => to.everywhere(&record),
            }
        }
    }

    #[test]
    fn while_nothing_waits_everything_passes_as_it_came() {
        let mut sink = Conflate::new(Collect::default());
        let lines = [quote("b", "X", 1), quote("b", "X", 2), mark("b", 2)];
        give(&mut sink, &lines.each_ref().map(String::as_str));
        assert_eq!(sink.conflated(), 0);
        assert_eq!(sink.into_inner().lines, lines);
    }

    #[test]
    fn while_much_waits_the_newest_quote_of_each_symbol_goes_before_the_mark_of_its_venue() {
        let mut sink = Conflate::new(Collect::default());
        sink.behind(true);
        let (x1, x2, y1) = (quote("b", "X", 1), quote("b", "X", 2), quote("b", "Y", 1));
        let (other, mark_b, mark_c) = (quote("c", "X", 3), mark("b", 4), mark("c", 4));
        let x5 = quote("b", "X", 5);
        give(
            &mut sink,
            &[&x1, &y1, &other, TRADE, &x2, &mark_b, &x5, &mark_c],
        );
        assert_eq!(sink.conflated(), 1);
        sink.behind(true);
        sink.behind(false);
        give(&mut sink, &[&x1]);
        assert_eq!(
            sink.into_inner().lines,
            [TRADE, &x2, &y1, &mark_b, &other, &mark_c, &x5, &x1]
        );
    }

    #[test]
    fn a_quote_with_an_older_stamp_replaces_nothing() {
        let mut sink = Conflate::new(Collect::default());
        sink.behind(true);
        let (newer, older) = (quote("b", "X", 2), quote("b", "X", 1));
        give(&mut sink, &[&newer, &older]);
        assert_eq!(sink.conflated(), 0);
        assert_eq!(sink.into_inner().lines, [older, newer]);
    }
}
