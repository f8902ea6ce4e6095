//! Times at which two venues disagree on purpose.

use super::Venue;

/// How far they disagree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Size {
    /// Basis points that are left after the taker fees of both venues.
    Net(f64),
    /// Basis points before fees.
    Gross(f64),
}

/// One time at which the price at `sell` stands above the price at `buy`.
///
/// While it lasts the pair's common price, the other venues' prices and the USDT rate stand still (sizes and trades go on),
/// so that what it is worth is one number and not a matter of milliseconds. The bid at `sell` is rounded **up** to the
/// price grid, hence net is `size` or above by less than one tick; [`super::DislocationTruth`] tells what the very quotes
/// that were sent are worth.
#[derive(Debug, Clone, PartialEq)]
pub struct Dislocation {
    /// Which pair.
    pub pair: String,
    /// Where one would buy.
    pub buy: Venue,
    /// Where one would sell: this venue's price goes up.
    pub sell: Venue,
    /// How far, at the plateau.
    pub size: Size,
    /// Milliseconds from the start of the market.
    pub start_ms: i64,
    /// For how long, ramps included.
    pub length_ms: i64,
    /// How long the way up takes, and the way down: 0 is a step. At most half the length.
    pub ramp_ms: i64,
}

impl Dislocation {
    /// A step.
    #[must_use]
    pub fn new(pair: &str, buy: Venue, sell: Venue, size: Size) -> Self {
        Self {
            pair: pair.to_owned(),
            buy,
            sell,
            size,
            start_ms: 0,
            length_ms: 5_000,
            ramp_ms: 0,
        }
    }

    /// The same, at another time.
    #[must_use]
    pub fn at(mut self, start_ms: i64, length_ms: i64) -> Self {
        (self.start_ms, self.length_ms) = (start_ms, length_ms);
        self
    }

    /// The same, with ramps.
    #[must_use]
    pub fn ramped(mut self, ramp_ms: i64) -> Self {
        self.ramp_ms = ramp_ms;
        self
    }

    /// End, milliseconds from the start of the market.
    #[must_use]
    pub fn end_ms(&self) -> i64 {
        self.start_ms + self.length_ms
    }
}

/// A dislocation that comes again every `every_ms`, first at its own start. Where the pair is dislocated then, it is left
/// out for once.
#[derive(Debug, Clone, PartialEq)]
pub struct Periodic {
    /// The first of them.
    pub first: Dislocation,
    /// From start to start, milliseconds.
    pub every_ms: i64,
}
