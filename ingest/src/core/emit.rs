//! From what a frame says to the records of `ticks`: which pair, which currency, which time.

use contract::tick::tags::{QuoteKind, RateKind, TradeKind, V1};
use contract::tick::{EventFrom, Quote, Rate, Record, Trade};
use contract::time::check_stamp;

use super::feed::Whence;
use super::frame::Place;
use super::sink::Sink;
use super::{Core, feed_of, venue_of};
use crate::venue::{Dialect, FrameError, Item, QuoteMessage, TradeId, TradeMessage};

impl Core {
    pub(super) fn emit(
        &mut self,
        place: Place<'_>,
        item: Item<'_>,
        out: &mut impl Sink,
    ) -> Result<(), FrameError> {
        match item {
            Item::Quote(quote) => self.emit_quote(place, quote, out),
            Item::Trade(trade) => self.emit_trade(place, trade, out),
        }
    }

    fn emit_quote(
        &mut self,
        place: Place<'_>,
        quote: QuoteMessage<'_>,
        out: &mut impl Sink,
    ) -> Result<(), FrameError> {
        let Place {
            connection,
            received_ns,
            ..
        } = place;
        let dialect = connection.dialect;
        let venue = &mut self.venues[venue_of(dialect)];
        let (event_ns, event_from) = match quote.stamp_ns {
            Some(stamp_ns) => {
                let max_ms = self.settings.max_stamp_distance_ms;
                let stamp_ns = check_stamp(stamp_ns, received_ns, max_ms)?;
                (stamp_ns, EventFrom::Venue)
            }
            None => {
                let estimate_ns = venue.estimate(received_ns);
                // A receipt of 1970 (a recorder without a clock) makes no event of 1970.
                check_stamp(estimate_ns, estimate_ns, 0)?;
                (estimate_ns, EventFrom::Estimated)
            }
        };
        let feed = &mut self.feeds[feed_of(dialect)];
        let is_numbered = dialect != Dialect::CoinbaseAdvanced;
        let is_alone = feed.whence(connection.number) == Whence::Alone;
        let Some(symbol) = feed.symbol(&quote.symbol, &self.map) else {
            feed.beyond += 1;
            return Ok(());
        };
        let counters = &mut self.counters;
        let names = &symbol.names;
        if names.pair.is_none() && names.rate.is_none() {
            symbol.unnamed += 1;
            return Ok(());
        }
        if !is_numbered
            && !is_alone
            && let Some(verdict) = symbol.is_repeated_quote(&quote)
        {
            counters.pass_over(verdict, 1);
            return Ok(());
        }
        let names = &symbol.names;
        counters.behind_mark += u64::from(venue.is_behind_mark(event_ns));
        if let Some((from, to)) = &names.rate {
            counters.rates += 1;
            out.everywhere(&Record::Rate(Rate {
                v: V1,
                kind: RateKind,
                venue: dialect.venue().into(),
                symbol: (&*quote.symbol).into(),
                from: from.into(),
                to: to.into(),
                event_ns,
                bid: quote.bid.clone(),
                ask: quote.ask.clone(),
            }));
        }
        if let Some(names) = &names.pair {
            counters.quotes += 1;
            counters.last_tick_ns = counters.last_tick_ns.max(Some(event_ns));
            out.tick(&Record::Quote(Quote {
                v: V1,
                kind: QuoteKind,
                venue: dialect.venue().into(),
                symbol: quote.symbol,
                currency: (&*names.currency).into(),
                pair: (&*names.pair).into(),
                event_ns,
                event_from,
                exchange_ns: quote.stamp_ns,
                received_ns,
                seq: quote.seq,
                bid: quote.bid,
                bid_size: quote.bid_size,
                ask: quote.ask,
                ask_size: quote.ask_size,
            }));
        }
        Ok(())
    }

    fn emit_trade(
        &mut self,
        place: Place<'_>,
        trade: TradeMessage<'_>,
        out: &mut impl Sink,
    ) -> Result<(), FrameError> {
        let Place {
            connection,
            received_ns,
            ..
        } = place;
        let dialect = connection.dialect;
        let feed = &mut self.feeds[feed_of(dialect)];
        let whence = feed.whence(connection.number);
        let Some(symbol) = feed.symbol(&trade.symbol, &self.map) else {
            feed.beyond += 1;
            return Ok(());
        };
        let counters = &mut self.counters;
        // The other dialects number trades by the frame; there the frame was judged already.
        if dialect == Dialect::CoinbaseAdvanced
            && let Some(id) = trade.id.number()
            && symbol.is_repeat(id, received_ns, whence, counters)
        {
            counters.duplicates += 1;
            return Ok(());
        }
        let max_ms = self.settings.max_stamp_distance_ms;
        let event_ns = check_stamp(trade.stamp_ns, received_ns, max_ms)?;
        let Some(names) = &symbol.names.pair else {
            if symbol.names.rate.is_some() {
                counters.rate_trades += 1;
            } else {
                symbol.unnamed += 1;
            }
            return Ok(());
        };
        let venue = &self.venues[venue_of(dialect)];
        counters.behind_mark += u64::from(venue.is_behind_mark(event_ns));
        counters.trades += 1;
        counters.last_tick_ns = counters.last_tick_ns.max(Some(event_ns));
        out.tick(&Record::Trade(Trade {
            v: V1,
            kind: TradeKind,
            venue: dialect.venue().into(),
            symbol: trade.symbol,
            currency: (&*names.currency).into(),
            pair: (&*names.pair).into(),
            event_ns,
            event_from: EventFrom::Venue,
            exchange_ns: Some(event_ns),
            received_ns,
            trade_id: match trade.id {
                TradeId::Number(id) => id.to_string().into(),
                TradeId::Text(text) => text,
            },
            price: trade.price,
            size: trade.size,
            taker_side: trade.taker_side,
        }));
        Ok(())
    }
}
