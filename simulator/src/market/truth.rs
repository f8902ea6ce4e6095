//! What dislocations were worth, from the very quotes that were sent.

use super::stream::Quote;
use super::units::float;
use super::{Dislocation, Venue};

/// The USDT-USD quote, hundred-millionths, or one for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Bid.
    pub bid: i64,
    /// Ask.
    pub ask: i64,
}

/// One side of a route: its quote, what its currency is worth, and the taker fee there in basis points.
#[derive(Debug, Clone, Copy)]
pub struct Leg {
    /// Best bid and ask.
    pub quote: Quote,
    /// One for one where it is traded in the accounting currency.
    pub rate: Rate,
    /// Basis points.
    pub fee_bps: f64,
}

/// Gross and net of buying at one leg and selling at the other, basis points.
#[must_use]
pub fn figures(buy: &Leg, sell: &Leg) -> (f64, f64) {
    let get = float(sell.quote.bid) * float(sell.rate.bid);
    let pay = float(buy.quote.ask) * float(buy.rate.ask);
    let fees = (1.0 - sell.fee_bps / 1e4) / (1.0 + buy.fee_bps / 1e4);
    ((get / pay - 1.0) * 1e4, (get / pay * fees - 1.0) * 1e4)
}

/// What the route is worth from some instant on, until the next point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TruthPoint {
    /// From when on, in the market's time, nanoseconds since 1970.
    pub at_ns: i64,
    /// Before fees, basis points.
    pub gross_bps: f64,
    /// After the fees of the settings, basis points.
    pub net_bps: f64,
    /// The smaller of the two sizes at that instant, hundred-millionths of the asset.
    pub size: i64,
}

/// A dislocation that has begun, and what its route was worth all along.
#[derive(Debug, Clone, PartialEq)]
pub struct DislocationTruth {
    /// What was asked for.
    pub dislocation: Dislocation,
    /// When it began, in the market's time, nanoseconds since 1970.
    pub start_ns: i64,
    /// When it ends or ended.
    pub end_ns: i64,
    /// Whether it is over.
    pub is_over: bool,
    /// What it was worth: one point for each change of net or gross, the last at its end.
    pub points: Vec<TruthPoint>,
}

impl DislocationTruth {
    /// Where one would have bought and sold.
    #[must_use]
    pub fn route(&self) -> (Venue, Venue) {
        (self.dislocation.buy, self.dislocation.sell)
    }

    /// What the route was worth at an instant of its time; nothing before its start and after its end.
    #[must_use]
    pub fn at(&self, ns: i64) -> Option<TruthPoint> {
        if ns > self.end_ns {
            return None;
        }
        let after = self.points.partition_point(|point| point.at_ns <= ns);
        self.points.get(after.checked_sub(1)?).copied()
    }

    /// The first of its highest nets.
    #[must_use]
    pub fn peak(&self) -> Option<TruthPoint> {
        self.points.iter().copied().reduce(|peak, point| {
            if point.net_bps > peak.net_bps {
                point
            } else {
                peak
            }
        })
    }

    /// From when to when net was at or above `net_bps`.
    #[must_use]
    pub fn above(&self, net_bps: f64) -> Option<(i64, i64)> {
        let is_above = |point: &&TruthPoint| point.net_bps >= net_bps;
        let start_ns = self.points.iter().find(is_above)?.at_ns;
        let last = self.points.iter().rposition(|point| is_above(&point))?;
        let end_ns = self
            .points
            .get(last + 1)
            .map_or(self.end_ns, |point| point.at_ns);
        Some((start_ns, end_ns))
    }

    pub(super) fn note(&mut self, at_ns: i64, buy: &Leg, sell: &Leg) {
        let (gross_bps, net_bps) = figures(buy, sell);
        let point = TruthPoint {
            at_ns,
            gross_bps,
            net_bps,
            size: buy.quote.ask_size.min(sell.quote.bid_size),
        };
        match self.points.last_mut() {
            // The last word of an instant counts.
            Some(last) if last.at_ns == at_ns => *last = point,
            Some(last) if same(last, &point) => {}
            _ => self.points.push(point),
        }
    }
}

fn same(a: &TruthPoint, b: &TruthPoint) -> bool {
    a.gross_bps.total_cmp(&b.gross_bps).is_eq() && a.net_bps.total_cmp(&b.net_bps).is_eq()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::units::ONE;

    #[test]
    fn figures_are_those_of_the_contract() {
        let quote = |bid, ask| Quote {
            bid,
            ask,
            ..Quote::default()
        };
        let one = Rate { bid: ONE, ask: ONE };
        let buy = Leg {
            quote: quote(99 * ONE, 100 * ONE),
            rate: Rate {
                bid: 99_931_000,
                ask: 99_933_000,
            },
            fee_bps: 10.0,
        };
        let sell = Leg {
            quote: quote(101 * ONE, 102 * ONE),
            rate: one,
            fee_bps: 60.0,
        };
        let (gross_bps, net_bps) = figures(&buy, &sell);
        // 101 / 99.933 - 1, and times 0.994 / 1.001.
        assert!((gross_bps - 106.771_536_929_9).abs() < 1e-6, "{gross_bps}");
        assert!((net_bps - 36.094_812_895_3).abs() < 1e-6, "{net_bps}");
    }

    #[test]
    fn the_times_above_a_threshold_are_those_of_the_points() {
        let point = |at_ns, net_bps| TruthPoint {
            at_ns,
            gross_bps: net_bps + 70.0,
            net_bps,
            size: ONE,
        };
        let truth = DislocationTruth {
            dislocation: Dislocation::new(
                "BTC-USD",
                Venue::Binance,
                Venue::Coinbase,
                crate::market::Size::Net(12.0),
            ),
            start_ns: 10,
            end_ns: 50,
            is_over: true,
            points: vec![
                point(10, 4.0),
                point(20, 12.0),
                point(40, 4.0),
                point(50, -70.0),
            ],
        };
        assert_eq!(truth.above(12.0), Some((20, 40)));
        assert_eq!(truth.above(3.0), Some((10, 50)));
        assert_eq!(truth.above(12.1), None);
        assert_eq!(truth.at(9), None);
        assert_eq!(truth.at(39).map(|point| point.at_ns), Some(20));
        assert_eq!(truth.at(51), None);
        assert_eq!(truth.peak().map(|point| point.at_ns), Some(20));
    }
}
