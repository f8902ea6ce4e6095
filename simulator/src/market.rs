//! A seeded market: a common price per pair, a book per venue and symbol, a rate between USDT and USD, and times at which
//! venues disagree on purpose. Pure: no clock, no socket, whole numbers throughout, so that a seed gives the same market
//! on every machine.
//!
//! ```text
//! common price --(noise, width, price grid)--> book of each venue --> updates, in the order of their times
//!      \__ stands still while the pair is dislocated            \--> truth: what a dislocated route was worth
//! ```
//!
//! Ask for updates with [`Market::next`]; ask for the truth with [`Market::truths`]. Times are the market's own,
//! nanoseconds since 1970 in whole microseconds; whoever tells of it adds the venue's skew.
//!
//! - Outside of dislocations no route is worth more than [`MarketSettings::agreement_centibps`], before fees.
//! - Prices move in bursts of dozens to hundreds of updates within some milliseconds; most updates change sizes alone.
//! - At Coinbase a price never moves without a trade, so that its two feeds tell the same.
//!
//! Absent: order books below the best price; the effect of anybody's orders.

mod dislocation;
mod random;
mod rate;
mod schedule;
mod settings;
mod stream;
mod truth;
pub mod units;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

pub use dislocation::{Dislocation, Periodic, Size};
pub use settings::{MarketSettings, PairSettings, RateMove, RateSettings, SymbolSettings, Venue};
pub use stream::{Day, Flood, Quote, Side, Stream, Trade};
pub use truth::{DislocationTruth, Leg, Rate, TruthPoint, figures};

use crate::error::SimulatorError;
pub(crate) use random::Random;
use rate::Course;
use schedule::Planned;
use units::{ONE, scale};

/// Nanoseconds in a microsecond.
const NS_PER_US: i64 = 1_000;
/// Nanoseconds in a millisecond.
const NS_PER_MS: i64 = 1_000_000;
/// Truths that are kept; older ones are forgotten.
const MAX_TRUTHS: usize = 10_000;

/// Something was said about one symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Counts all updates of the market, from 1.
    pub serial: u64,
    /// When, in the market's time, nanoseconds since 1970.
    pub at_ns: i64,
    /// Which, of [`Market::streams`].
    pub stream: usize,
    /// The book after it.
    pub quote: Quote,
    /// Trades that came with it, oldest first.
    pub trades: Vec<Trade>,
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// A dislocation begins.
    Begin(usize),
    /// It goes up or down.
    Ramp(usize),
    /// It ends.
    End(usize),
    /// The common price of a pair moves.
    Common(usize),
    /// The rate moves.
    Rate,
    /// A symbol says something. The second number tells current from superseded entries.
    Stream(usize, u64),
    /// A dislocation comes again.
    Again(usize),
}

/// One pair.
#[derive(Debug)]
struct Pair {
    settings: PairSettings,
    common: i64,
    random: Random,
    /// The dislocation that holds it.
    held_by: Option<usize>,
}

/// The market. See the module's page.
#[derive(Debug)]
pub struct Market {
    settings: MarketSettings,
    start_ns: i64,
    now_ns: i64,
    pairs: Vec<Pair>,
    streams: Vec<Stream>,
    /// The current entry of each stream in the agenda.
    turns: Vec<u64>,
    rate: Option<Course>,
    planned: Vec<Planned>,
    truths: Vec<DislocationTruth>,
    truths_forgotten: usize,
    agenda: BinaryHeap<Reverse<(i64, u64, Due)>>,
    order: u64,
    serial: u64,
}

impl Market {
    /// A market that opens at `start_ns`, nanoseconds since 1970 (cut to microseconds).
    ///
    /// # Errors
    /// As [`MarketSettings::check`]; dislocations of what is not traded, or that overlap.
    pub fn new(settings: MarketSettings, start_ns: i64) -> Result<Self, SimulatorError> {
        settings.check()?;
        let start_ns = start_ns.div_euclid(NS_PER_US) * NS_PER_US;
        let seed = settings.seed;
        let mut numbers = 1_u64..;
        let mut random = || Random::new(seed, numbers.next().unwrap_or(0));
        let pairs: Vec<Pair> = settings
            .pairs
            .iter()
            .map(|pair| Pair {
                common: pair.price,
                settings: pair.clone(),
                random: random(),
                held_by: None,
            })
            .collect();
        let mut streams = Vec::new();
        for symbol in &settings.symbols {
            let of = settings.pairs.iter().enumerate();
            if let Some(pair) = of.clone().find(|(_, pair)| pair.name == symbol.pair) {
                let dollars = settings.rate.as_ref().filter(|_| symbol.in_usdt);
                let price = scale(pair.1.price, ONE, dollars.map_or(ONE, |rate| rate.price));
                let random = random();
                streams.push(Stream::new(symbol.clone(), pair, price, start_ns, random));
            }
        }
        let rate = settings.rate.as_ref().map(|rate| {
            streams.push(Stream::of_rate(rate, start_ns, random()));
            Course::new(rate, streams.len() - 1, random())
        });
        let mut market = Self {
            turns: vec![0; streams.len()],
            start_ns,
            now_ns: start_ns,
            pairs,
            streams,
            rate,
            planned: Vec::new(),
            truths: Vec::new(),
            truths_forgotten: 0,
            agenda: BinaryHeap::new(),
            order: 0,
            serial: 0,
            settings,
        };
        market.open()?;
        Ok(market)
    }

    fn open(&mut self) -> Result<(), SimulatorError> {
        for pair in 0..self.pairs.len() {
            self.due(self.start_ns, Due::Common(pair));
        }
        if self.rate.is_some() {
            self.due(self.start_ns, Due::Rate);
        }
        for stream in 0..self.streams.len() {
            let late_ns = i64::try_from(stream).unwrap_or(0) * 700 * NS_PER_US;
            self.turn_at(stream, self.start_ns + late_ns);
        }
        for dislocation in self.settings.dislocations.clone() {
            self.plan(dislocation)?;
        }
        for number in 0..self.settings.periodic.len() {
            let periodic = &self.settings.periodic[number];
            if periodic.every_ms < periodic.first.length_ms.max(1) {
                return Err(SimulatorError::Setting(format!(
                    "a dislocation of `{}` comes again before it is over",
                    periodic.first.pair
                )));
            }
            let start_ns = self.start_ns + periodic.first.start_ms * NS_PER_MS;
            self.check(&periodic.first)?;
            self.due(start_ns, Due::Again(number));
        }
        Ok(())
    }

    /// When it opened, nanoseconds since 1970.
    #[must_use]
    pub fn start_ns(&self) -> i64 {
        self.start_ns
    }

    /// Every symbol, the one of the rate among them.
    #[must_use]
    pub fn streams(&self) -> &[Stream] {
        &self.streams
    }

    /// The number of the last update.
    #[must_use]
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// The settings it was made of.
    #[must_use]
    pub fn settings(&self) -> &MarketSettings {
        &self.settings
    }

    /// Every dislocation that has begun, in the order of their beginnings; the last 10,000 of them.
    #[must_use]
    pub fn truths(&self) -> &[DislocationTruth] {
        &self.truths
    }

    /// What a stream's currency is worth in its pair's.
    #[must_use]
    pub fn rate_of(&self, stream: usize) -> Rate {
        let one = Rate { bid: ONE, ask: ONE };
        match &self.rate {
            Some(course) if self.streams[stream].in_usdt() => {
                let quote = self.streams[course.stream].quote();
                Rate {
                    bid: quote.bid,
                    ask: quote.ask,
                }
            }
            _ => one,
        }
    }

    /// A stream as one side of a route.
    #[must_use]
    pub fn leg(&self, stream: usize) -> Leg {
        Leg {
            quote: self.streams[stream].quote(),
            rate: self.rate_of(stream),
            fee_bps: self.settings.fee_bps(self.streams[stream].venue()),
        }
    }

    /// Plans another move of the rate, from `start_ms` of the market on.
    ///
    /// # Errors
    /// [`SimulatorError::Setting`] where there is no rate.
    pub fn move_rate(&mut self, stretch: RateMove) -> Result<(), SimulatorError> {
        match &mut self.rate {
            Some(course) => {
                course.add(stretch);
                Ok(())
            }
            None => Err(SimulatorError::Setting("there is no rate".to_owned())),
        }
    }

    /// Floods a stream of [`Market::streams`] from now on; a flood that is over by now ends one that runs.
    pub fn flood(&mut self, stream: usize, flood: Flood) {
        self.streams[stream].flood = Some(flood);
        self.turn_at(stream, self.now_ns);
    }

    fn due(&mut self, at_ns: i64, due: Due) {
        self.order += 1;
        self.agenda.push(Reverse((at_ns, self.order, due)));
    }

    fn turn_at(&mut self, stream: usize, at_ns: i64) {
        self.turns[stream] += 1;
        self.due(at_ns, Due::Stream(stream, self.turns[stream]));
    }

    /// The next update at or before `to_ns`; nothing once the market's time has reached that.
    pub fn next(&mut self, to_ns: i64) -> Option<Update> {
        while let Some(&Reverse((at_ns, _, due))) = self.agenda.peek() {
            if at_ns > to_ns {
                break;
            }
            self.agenda.pop();
            self.now_ns = self.now_ns.max(at_ns);
            if let Some(update) = self.happen(at_ns, due) {
                return Some(update);
            }
        }
        self.now_ns = self.now_ns.max(to_ns);
        None
    }

    fn happen(&mut self, at_ns: i64, due: Due) -> Option<Update> {
        match due {
            Due::Common(pair) => {
                self.common(pair);
                let pause_ns = self.pairs[pair].random.between(10_000, 40_000) * NS_PER_US;
                self.due(at_ns + pause_ns, due);
                None
            }
            Due::Stream(stream, turn) => {
                if self.turns[stream] != turn {
                    return None;
                }
                let pause_ns = self.streams[stream].pause_ns(at_ns);
                self.turn_at(stream, at_ns + pause_ns);
                Some(self.quote(stream, at_ns))
            }
            Due::Rate => self.move_on_rate(at_ns),
            Due::Begin(number) => Some(self.begin(number, at_ns)),
            Due::Ramp(number) => self.ramp(number, at_ns),
            Due::End(number) => Some(self.end(number, at_ns)),
            Due::Again(number) => {
                let Periodic { first, every_ms } = self.settings.periodic[number].clone();
                self.due(at_ns + every_ms * NS_PER_MS, due);
                let start_ms = (at_ns - self.start_ns) / NS_PER_MS;
                let length_ms = first.length_ms;
                // Where the pair is not free it is left out for once.
                let _ = self.plan(first.at(start_ms, length_ms));
                None
            }
        }
    }

    /// One step of the common price; a leap makes every book of the pair busy.
    fn common(&mut self, pair: usize) {
        let leaps = {
            let pair = &mut self.pairs[pair];
            let leaps = pair.random.chance(1, 400);
            let most = pair.settings.step_millibps * if leaps { 10 } else { 1 };
            let step = pair.random.within(most);
            if pair.held_by.is_some() {
                return;
            }
            // Home is where it started; without that a long run would end anywhere.
            let home = (pair.settings.price - pair.common) / 40_000;
            pair.common += scale(pair.common, step, 10_000_000) + home;
            leaps
        };
        if leaps {
            for stream in 0..self.streams.len() {
                if self.streams[stream].pair == Some(pair) {
                    self.streams[stream].burst();
                    self.turn_at(stream, self.now_ns + NS_PER_US);
                }
            }
        }
    }

    /// A symbol says something.
    fn quote(&mut self, stream: usize, at_ns: i64) -> Update {
        let before = self.streams[stream].quote();
        if let Some(pair) = self.streams[stream].pair
            && self.pairs[pair].held_by.is_none()
            && self.streams[stream].flood.is_none()
        {
            let common = self.local(stream, self.pairs[pair].common);
            if let Some((bid, ask)) = self.streams[stream].aim(common) {
                let (bid, ask) = self.agree(stream, bid, ask);
                self.streams[stream].put(bid, ask);
            }
        }
        let after = self.streams[stream].quote();
        self.tell(
            stream,
            at_ns,
            (before.bid, before.ask) != (after.bid, after.ask),
        )
    }

    /// Makes an update of how a stream's book stands now.
    fn tell(&mut self, stream: usize, at_ns: i64, moved: bool) -> Update {
        let one = &mut self.streams[stream];
        one.turn();
        let trades = if one.wants_trade(at_ns, moved) {
            one.trades_now(at_ns)
        } else {
            Vec::new()
        };
        self.serial += 1;
        let update = Update {
            serial: self.serial,
            at_ns,
            stream,
            quote: one.quote(),
            trades,
        };
        self.note(stream, at_ns);
        update
    }

    /// A price of the pair's currency in the stream's.
    fn local(&self, stream: usize, price: i64) -> i64 {
        let rate = self.rate_of(stream);
        scale(price, ONE, (rate.bid + rate.ask) / 2)
    }

    /// Moves a quote so far that no route with another venue is worth more than agreed.
    fn agree(&self, stream: usize, bid: i64, ask: i64) -> (i64, i64) {
        let (mut bid, width) = (bid, ask - bid);
        let tick = self.streams[stream].tick();
        let own = self.rate_of(stream);
        let most = 1_000_000 + self.settings.agreement_centibps;
        for (number, other) in self.streams.iter().enumerate() {
            if number == stream || other.pair != self.streams[stream].pair {
                continue;
            }
            let rate = self.rate_of(number);
            // Selling here against buying there, and the other way round.
            let there = scale(other.quote().ask, rate.ask, own.bid);
            let highest = scale(there, most, 1_000_000) / tick * tick;
            let there = scale(other.quote().bid, rate.bid, own.ask);
            let lowest = (scale(there, 1_000_000, most) / tick + 1) * tick;
            bid = bid.min(highest).max(lowest - width);
        }
        (bid, bid + width)
    }

    fn move_on_rate(&mut self, at_ns: i64) -> Option<Update> {
        let is_held = self.pairs.iter().any(|pair| pair.held_by.is_some());
        let since_ms = (at_ns - self.start_ns) / NS_PER_MS;
        let course = self.rate.as_mut()?;
        let stream = course.stream;
        let tick = self.streams[stream].tick();
        let moved = if is_held {
            None
        } else {
            course.step(since_ms, self.streams[stream].quote().bid, tick)
        };
        self.due(at_ns + rate::EVERY_MS * NS_PER_MS, Due::Rate);
        let bid = moved?;
        self.streams[stream].put(bid, bid + tick);
        Some(self.tell(stream, at_ns, true))
    }
}

#[cfg(test)]
mod tests;
