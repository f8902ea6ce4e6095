//! How dislocations come about: planned, begun, ramped, ended, and written down as the truth.
//!
//! While one is on, its pair is held: common price, the other venues' quotes and the rate stand still, and the sell venue's
//! quote stands where the dislocation has it.

use super::units::{ceil, float, scale};
use super::{
    Dislocation, DislocationTruth, Due, MAX_TRUTHS, Market, NS_PER_MS, Quote, Size, Update, Venue,
};
use crate::error::SimulatorError;

/// Between two steps of a ramp.
const RAMP_STEP_NS: i64 = 40 * NS_PER_MS;

/// A dislocation, planned or begun.
#[derive(Debug)]
pub(super) struct Planned {
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

impl Market {
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

    pub(super) fn check(
        &self,
        dislocation: &Dislocation,
    ) -> Result<(usize, usize, usize), SimulatorError> {
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

    pub(super) fn begin(&mut self, number: usize, at_ns: i64) -> Update {
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
    pub(super) fn ramp(&mut self, number: usize, at_ns: i64) -> Option<Update> {
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

    pub(super) fn end(&mut self, number: usize, at_ns: i64) -> Update {
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
    pub(super) fn note(&mut self, stream: usize, at_ns: i64) {
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
