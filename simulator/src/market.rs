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
use units::{ONE, ceil, float, scale};

/// Nanoseconds in a microsecond.
const NS_PER_US: i64 = 1_000;
/// Nanoseconds in a millisecond.
const NS_PER_MS: i64 = 1_000_000;
/// Steps of a ramp.
const RAMP_STEP_NS: i64 = 40 * NS_PER_MS;
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

/// A dislocation, planned or begun.
#[derive(Debug)]
struct Planned {
    dislocation: Dislocation,
    pair: usize,
    buy: usize,
    sell: usize,
    start_ns: i64,
    end_ns: i64,
    /// The sell venue's book before, and its bid at the plateau.
    base: Quote,
    full_bid: i64,
    truth: Option<usize>,
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

    /// Plans a dislocation while the market runs; one that should have begun begins now.
    ///
    /// # Errors
    /// [`SimulatorError::Setting`] for what is not traded, [`SimulatorError::Overlap`] where the pair is not free.
    pub fn plan(&mut self, dislocation: Dislocation) -> Result<(), SimulatorError> {
        let (pair, buy, sell) = self.check(&dislocation)?;
        let start_ns = (self.start_ns + dislocation.start_ms * NS_PER_MS).max(self.now_ns);
        let end_ns = start_ns + dislocation.length_ms * NS_PER_MS;
        let other = self.planned.iter().find(|other| {
            other.pair == pair && other.start_ns <= end_ns && start_ns <= other.end_ns
        });
        if let Some(other) = other {
            let ms = |ns: i64| (ns - self.start_ns) / NS_PER_MS;
            return Err(SimulatorError::Overlap {
                pair: dislocation.pair,
                from_ms: ms(other.start_ns),
                to_ms: ms(other.end_ns),
            });
        }
        let number = self.planned.len();
        self.planned.push(Planned {
            dislocation,
            pair,
            buy,
            sell,
            start_ns,
            end_ns,
            base: Quote::default(),
            full_bid: 0,
            truth: None,
        });
        self.due(start_ns, Due::Begin(number));
        self.due(end_ns, Due::End(number));
        Ok(())
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

    fn check(&self, dislocation: &Dislocation) -> Result<(usize, usize, usize), SimulatorError> {
        let Dislocation {
            pair,
            buy,
            sell,
            start_ms,
            length_ms,
            ramp_ms,
            ..
        } = dislocation;
        let stream = |venue: Venue| {
            let found = self
                .streams
                .iter()
                .position(|stream| stream.venue() == venue && stream.pair() == pair);
            found.ok_or_else(|| {
                SimulatorError::Setting(format!("pair `{pair}` is not traded at {}", venue.name()))
            })
        };
        let number = self
            .pairs
            .iter()
            .position(|known| known.settings.name == *pair);
        let fault =
            |text: &str| SimulatorError::Setting(format!("a dislocation of `{pair}` {text}"));
        let number = number.ok_or_else(|| fault("is of no pair"))?;
        let bps = match dislocation.size {
            Size::Net(bps) | Size::Gross(bps) => bps,
        };
        if buy == sell {
            return Err(fault("needs two venues"));
        }
        if *start_ms < 0 || *length_ms < 1 || *ramp_ms < 0 || *ramp_ms * 2 > *length_ms {
            return Err(fault("needs a start, a length, and ramps within it"));
        }
        if !(-500.0..=5_000.0).contains(&bps) {
            return Err(fault("needs a size from -500 to 5000 bps"));
        }
        Ok((number, stream(*buy)?, stream(*sell)?))
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

    fn begin(&mut self, number: usize, at_ns: i64) -> Update {
        let planned = &self.planned[number];
        let (pair, buy, sell) = (planned.pair, planned.buy, planned.sell);
        let (from, to) = (self.leg(buy), self.leg(sell));
        let (size_bps, fees) = match planned.dislocation.size {
            Size::Gross(bps) => (bps, 1.0),
            Size::Net(bps) => (bps, (1.0 + from.fee_bps / 1e4) / (1.0 - to.fee_bps / 1e4)),
        };
        let price = float(from.quote.ask) * float(from.rate.ask) / float(to.rate.bid)
            * fees
            * (1.0 + size_bps / 1e4);
        let tick = self.streams[sell].tick();
        let full_bid = (ceil(price) + tick - 1) / tick * tick;
        self.pairs[pair].held_by = Some(number);
        if self.truths.len() == MAX_TRUTHS {
            self.truths.remove(0);
            self.truths_forgotten += 1;
        }
        let planned = &mut self.planned[number];
        planned.base = to.quote;
        planned.full_bid = full_bid;
        planned.truth = Some(self.truths.len() + self.truths_forgotten);
        self.truths.push(DislocationTruth {
            dislocation: planned.dislocation.clone(),
            start_ns: at_ns,
            end_ns: planned.end_ns,
            is_over: false,
            points: Vec::new(),
        });
        if planned.dislocation.ramp_ms > 0 {
            let plateau_ns = planned.end_ns - planned.dislocation.ramp_ms * NS_PER_MS;
            self.due(at_ns + RAMP_STEP_NS, Due::Ramp(number));
            self.due(plateau_ns, Due::Ramp(number));
        }
        self.stand(number, at_ns)
    }

    /// One step of a ramp.
    fn ramp(&mut self, number: usize, at_ns: i64) -> Option<Update> {
        let planned = &self.planned[number];
        let ramp_ns = planned.dislocation.ramp_ms * NS_PER_MS;
        let is_up = at_ns < planned.start_ns + ramp_ns;
        let is_down = at_ns >= planned.end_ns - ramp_ns;
        if at_ns >= planned.end_ns {
            return None;
        }
        if is_up {
            let next_ns = (at_ns + RAMP_STEP_NS).min(planned.start_ns + ramp_ns);
            self.due(next_ns, Due::Ramp(number));
        } else if is_down {
            self.due(at_ns + RAMP_STEP_NS, Due::Ramp(number));
        }
        Some(self.stand(number, at_ns))
    }

    /// Puts the sell venue's book where the dislocation has it at `at_ns`.
    fn stand(&mut self, number: usize, at_ns: i64) -> Update {
        let planned = &self.planned[number];
        let ramp_ns = (planned.dislocation.ramp_ms * NS_PER_MS).max(1);
        let part_ns = (at_ns - planned.start_ns + RAMP_STEP_NS)
            .min(planned.end_ns - at_ns)
            .min(ramp_ns);
        let (base, sell) = (planned.base, planned.sell);
        let tick = self.streams[sell].tick();
        let whole = planned.full_bid - base.bid;
        let bid = if part_ns == ramp_ns {
            planned.full_bid
        } else {
            base.bid + scale(whole, part_ns, ramp_ns) / tick * tick
        };
        self.streams[sell].put(bid, bid + base.ask - base.bid);
        self.tell(sell, at_ns, true)
    }

    fn end(&mut self, number: usize, at_ns: i64) -> Update {
        let planned = &self.planned[number];
        let (pair, sell, base) = (planned.pair, planned.sell, planned.base);
        self.streams[sell].put(base.bid, base.ask);
        let update = self.tell(sell, at_ns, true);
        self.pairs[pair].held_by = None;
        if let Some(truth) = self.truth_of(number) {
            truth.is_over = true;
        }
        update
    }

    /// Writes down what a dislocated route is worth now, where `stream` has to do with it.
    fn note(&mut self, stream: usize, at_ns: i64) {
        let Some(number) = self.streams[stream]
            .pair
            .and_then(|pair| self.pairs[pair].held_by)
        else {
            return;
        };
        let (buy, sell) = (self.planned[number].buy, self.planned[number].sell);
        if stream == buy || stream == sell {
            let (buy, sell) = (self.leg(buy), self.leg(sell));
            if let Some(truth) = self.truth_of(number) {
                truth.note(at_ns, &buy, &sell);
            }
        }
    }

    fn truth_of(&mut self, number: usize) -> Option<&mut DislocationTruth> {
        let at = self.planned[number].truth?;
        self.truths.get_mut(at.checked_sub(self.truths_forgotten)?)
    }
}

#[cfg(test)]
mod tests;
