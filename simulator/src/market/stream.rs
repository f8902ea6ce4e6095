//! One symbol of one venue: its book, its trades, and when it says something next.

use std::collections::VecDeque;

use super::random::Random;
use super::settings::{PairSettings, RateSettings, SymbolSettings};
use super::units::{ONE, ceil, float, scale};
use super::{NS_PER_US, Venue};

/// Trades that are remembered for those who come later.
const HISTORY: usize = 100;
/// The longest between two quotes: half the age at which windowing takes a quote for stale.
const LONGEST_QUIET_US: i64 = 950_000;
/// The longest between two trades where quotes are told with trades alone.
const LONGEST_TRADELESS_NS: i64 = 1_100_000_000;

/// Best bid and ask, hundred-millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quote {
    /// Best bid.
    pub bid: i64,
    /// Its size, of the asset.
    pub bid_size: i64,
    /// Best ask.
    pub ask: i64,
    /// Its size.
    pub ask_size: i64,
    /// Rises with every change of the book, with holes.
    pub update_id: u64,
}

/// Who took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The taker bought.
    Buy,
    /// The taker sold.
    Sell,
}

/// One trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trade {
    /// Without holes per symbol.
    pub id: u64,
    /// When, in the market's time, nanoseconds since 1970.
    pub at_ns: i64,
    /// Hundred-millionths.
    pub price: i64,
    /// Hundred-millionths of the asset.
    pub size: i64,
    /// The taker's side.
    pub taker: Side,
    /// Rises per symbol, with holes.
    pub sequence: u64,
    /// Numbers the takers' orders, without holes per symbol: trades of one order share it.
    pub aggregate: u64,
    /// Makes the two order ids.
    pub orders: u128,
}

/// A day so far, as tickers tell it; hundred-millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Day {
    /// Price a day ago.
    pub open: i64,
    /// Lowest price of a day.
    pub low: i64,
    /// Highest price of a day.
    pub high: i64,
    /// Lowest price of a year.
    pub year_low: i64,
    /// Highest price of a year.
    pub year_high: i64,
    /// Of the asset, in a day.
    pub volume: i64,
}

/// Many quotes of one symbol, of which only the sizes change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flood {
    /// So many a second, 1..=1,000,000.
    pub per_s: i64,
    /// Whether a trade comes with each, for those who hear of quotes by trades alone; else there are none.
    pub with_trades: bool,
    /// Until when, in the market's time, nanoseconds since 1970.
    pub until_ns: i64,
}

/// A symbol with its book.
#[derive(Debug, Clone)]
pub struct Stream {
    settings: SymbolSettings,
    /// Index of its pair; the rate has none.
    pub(super) pair: Option<usize>,
    tick: i64,
    decimals: u32,
    random: Random,
    quote: Quote,
    trades: VecDeque<Trade>,
    day: Day,
    sequence: u64,
    trade_id: u64,
    aggregate: u64,
    /// How far its middle is from the common price, hundredths of a basis point.
    noise_centibps: i64,
    burst_left: i64,
    pub(super) flood: Option<Flood>,
}

impl Stream {
    pub(super) fn new(
        settings: SymbolSettings,
        (index, pair): (usize, &PairSettings),
        price: i64,
        start_ns: i64,
        random: Random,
    ) -> Self {
        let grid = (pair.tick(), pair.decimals());
        Self::at(settings, Some(index), grid, price, start_ns, random)
    }

    pub(super) fn of_rate(rate: &RateSettings, start_ns: i64, random: Random) -> Self {
        let settings = SymbolSettings {
            in_usdt: false,
            quotes_per_s: 2,
            trades_per_s: 1,
            width_centibps: 1,
            moves_percent: 0,
            burst: 1,
            ..SymbolSettings::new(rate.venue, &rate.symbol, "USDT-USD")
        };
        Self::at(settings, None, (1_000, 5), rate.price, start_ns, random)
    }

    fn at(
        settings: SymbolSettings,
        pair: Option<usize>,
        (tick, decimals): (i64, u32),
        price: i64,
        start_ns: i64,
        mut random: Random,
    ) -> Self {
        let part = |permille: i64| price / 1_000 * permille / tick * tick;
        let day = Day {
            open: part(996),
            low: part(988),
            high: part(1_012),
            year_low: part(610),
            year_high: part(1_740),
            // 150 million of the currency.
            volume: ceil(1.5e8 / float(price.max(1)) * 1e16).min(1_000_000_000_000_000_000),
        };
        let mut stream = Self {
            tick,
            decimals,
            quote: Quote {
                bid: price / tick * tick,
                ask: price / tick * tick + tick,
                update_id: u64::try_from(random.between(30_000_000_000, 60_000_000_000))
                    .unwrap_or(1),
                ..Quote::default()
            },
            trades: VecDeque::with_capacity(HISTORY),
            day,
            sequence: u64::try_from(random.between(100_000_000, 90_000_000_000)).unwrap_or(1),
            trade_id: u64::try_from(random.between(300_000_000, 3_000_000_000)).unwrap_or(1),
            aggregate: u64::try_from(random.between(200_000_000, 2_000_000_000)).unwrap_or(1),
            noise_centibps: 0,
            burst_left: 0,
            flood: None,
            settings,
            pair,
            random,
        };
        stream.sizes();
        stream.past(start_ns);
        stream
    }

    /// Trades of the last minute before the market opens.
    fn past(&mut self, start_ns: i64) {
        for left in (1..=100_i64).rev() {
            let at_ns = start_ns - left * 700_000_000 + self.random.within(300_000) * NS_PER_US;
            self.aggregate += 1;
            let trade = self.trade(at_ns);
            self.remember(trade);
        }
    }

    /// Where it is traded.
    #[must_use]
    pub fn venue(&self) -> Venue {
        self.settings.venue
    }

    /// As the venue spells it.
    #[must_use]
    pub fn symbol(&self) -> &str {
        &self.settings.symbol
    }

    /// The pair it belongs to.
    #[must_use]
    pub fn pair(&self) -> &str {
        &self.settings.pair
    }

    /// Whether its prices are in USDT while the pair's are in USD.
    #[must_use]
    pub fn in_usdt(&self) -> bool {
        self.settings.in_usdt
    }

    /// Decimals of its prices.
    #[must_use]
    pub fn decimals(&self) -> u32 {
        self.decimals
    }

    /// Smallest step of its prices, hundred-millionths.
    #[must_use]
    pub fn tick(&self) -> i64 {
        self.tick
    }

    /// Whether it tells the rate and belongs to no pair.
    #[must_use]
    pub fn is_rate(&self) -> bool {
        self.pair.is_none()
    }

    /// Whether it is flooded with quotes.
    #[must_use]
    pub fn is_flooded(&self) -> bool {
        self.flood.is_some()
    }

    /// Best bid and ask now.
    #[must_use]
    pub fn quote(&self) -> Quote {
        self.quote
    }

    /// The day so far.
    #[must_use]
    pub fn day(&self) -> Day {
        self.day
    }

    /// The last trades, oldest first, never none.
    #[must_use]
    pub fn trades(&self) -> &VecDeque<Trade> {
        &self.trades
    }

    /// The last number of its book.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Where the middle should be, given the common price in the stream's currency; prices that stand still aside.
    pub(super) fn aim(&mut self, common: i64) -> Option<(i64, i64)> {
        let off = self.quote.bid - common;
        let far = off.abs() > common / 10_000 * 2;
        if !far && !self.random.chance(self.settings.moves_percent, 100) {
            return None;
        }
        self.noise_centibps = (self.noise_centibps + self.random.within(12)).clamp(-60, 60);
        let middle = common + scale(common, self.noise_centibps, 1_000_000);
        let widest = (scale(common, self.settings.width_centibps, 1_000_000) / self.tick).max(1);
        let width = self.random.between(1, widest) * self.tick;
        let bid = (middle - width / 2) / self.tick * self.tick;
        Some((bid, bid + width))
    }

    /// Puts the book there.
    pub(super) fn put(&mut self, bid: i64, ask: i64) {
        (self.quote.bid, self.quote.ask) = (bid, ask);
    }

    /// New sizes, new numbers: every update has them.
    pub(super) fn turn(&mut self) {
        self.sizes();
        self.quote.update_id += u64::try_from(self.random.between(1, 24)).unwrap_or(1);
        self.sequence += u64::try_from(self.random.between(1, 40)).unwrap_or(1);
    }

    fn sizes(&mut self) {
        // About 12,000 units of the currency at the best price.
        let price = self.quote.bid.max(1);
        let usual = (12_000 * ONE / (price / 10_000).max(1)).max(100) * 10_000;
        let step = match self.settings.venue {
            Venue::Binance => 1_000,
            Venue::BinanceUs | Venue::Coinbase => 1,
        };
        let mut size = || (self.random.around(usual) / step).max(1) * step;
        (self.quote.bid_size, self.quote.ask_size) = (size(), size());
    }

    /// Whether a trade comes with this update: by chance, or since quotes that nobody may miss are told with trades.
    pub(super) fn wants_trade(&mut self, at_ns: i64, moved: bool) -> bool {
        if let Some(flood) = self.flood.filter(|_| !moved) {
            return flood.with_trades;
        }
        let by_chance = self
            .random
            .chance(self.settings.trades_per_s, self.settings.quotes_per_s);
        let last_ns = self.trades.back().map_or(i64::MIN, |trade| trade.at_ns);
        let told_with_trades = self.settings.venue == Venue::Coinbase;
        let quiet = at_ns.saturating_sub(last_ns) > LONGEST_TRADELESS_NS - LONGEST_QUIET_US * 1_000;
        by_chance || (told_with_trades && (moved || quiet))
    }

    /// Trades of one taker: one side, one price.
    pub(super) fn trades_now(&mut self, at_ns: i64) -> Vec<Trade> {
        self.aggregate += 1;
        let first = self.trade(at_ns);
        let mut trades = vec![first];
        if self.flood.is_none() && self.random.chance(1, 6) {
            for _ in 0..self.random.between(1, 5) {
                let next = self.trade(at_ns);
                trades.push(Trade {
                    price: first.price,
                    taker: first.taker,
                    ..next
                });
            }
        }
        for trade in &trades {
            self.remember(*trade);
        }
        trades
    }

    /// The next trade, at the book as it stands.
    fn trade(&mut self, at_ns: i64) -> Trade {
        let taker = if self.random.chance(1, 2) {
            Side::Buy
        } else {
            Side::Sell
        };
        let (price, at_best) = match taker {
            Side::Buy => (self.quote.ask, self.quote.ask_size),
            Side::Sell => (self.quote.bid, self.quote.bid_size),
        };
        self.trade_id += 1;
        let step = if self.settings.venue == Venue::Binance {
            1_000
        } else {
            1
        };
        let size = (self.random.between(1, (at_best / 3).max(1)) / step).max(1) * step;
        Trade {
            id: self.trade_id,
            at_ns,
            price,
            size,
            taker,
            sequence: self.sequence,
            aggregate: self.aggregate,
            orders: self.random.bits(),
        }
    }

    fn remember(&mut self, trade: Trade) {
        self.day.low = self.day.low.min(trade.price);
        self.day.high = self.day.high.max(trade.price);
        self.day.volume += trade.size;
        if self.trades.len() == HISTORY {
            self.trades.pop_front();
        }
        self.trades.push_back(trade);
    }

    /// Many updates soon.
    pub(super) fn burst(&mut self) {
        self.burst_left = self
            .random
            .between(self.settings.burst / 4, self.settings.burst);
    }

    /// From one update to the next, nanoseconds; always whole microseconds.
    pub(super) fn pause_ns(&mut self, at_ns: i64) -> i64 {
        if let Some(flood) = self.flood {
            if at_ns < flood.until_ns {
                return (1_000_000 / flood.per_s.max(1)).max(1) * NS_PER_US;
            }
            self.flood = None;
        }
        if self.burst_left > 0 {
            self.burst_left -= 1;
            let widest = if self.settings.venue == Venue::Binance {
                90
            } else {
                4_000
            };
            return self.random.between(3, widest) * NS_PER_US;
        }
        let mean_us = 1_000_000 / self.settings.quotes_per_s;
        self.random.around(mean_us).clamp(20, LONGEST_QUIET_US) * NS_PER_US
    }

    /// The change of a day in percent, and the last price.
    #[must_use]
    pub fn change_percent(&self) -> f64 {
        let last = self
            .trades
            .back()
            .map_or(self.quote.bid, |trade| trade.price);
        (float(last) / float(self.day.open) - 1.0) * 100.0
    }
}
