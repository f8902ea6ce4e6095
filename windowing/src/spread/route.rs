//! A route on its way through a window: its best instant, and for how long it paid.

use contract::decimal::Decimal;

use super::figures::MicroBps;
use super::leg::LegWork;

/// A route while its pair is taken through a window.
pub(super) struct RouteWork<'a> {
    pub(super) buy: usize,
    pub(super) sell: usize,
    pub(super) live_until_ns: Option<i128>,
    pub(super) net: Option<MicroBps>,
    pub(super) best: Option<BestWork<'a>>,
    pub(super) positive_since_ns: Option<i64>,
    pub(super) positive_ns: i64,
}

/// A route's best instant so far.
pub(super) struct BestWork<'a> {
    pub(super) net: MicroBps,
    pub(super) gross: MicroBps,
    pub(super) size: Option<&'a Decimal>,
    pub(super) at_ns: i64,
}

impl RouteWork<'_> {
    /// Counts the positive stretch up to `at_ns` or to the route's expiry.
    pub(super) fn settle(&mut self, at_ns: i128) {
        if let Some((since_ns, until_ns)) = self.positive_since_ns.take().zip(self.live_until_ns) {
            let lasted_ns = (at_ns.min(until_ns) - i128::from(since_ns)).max(0);
            self.positive_ns += i64::try_from(lasted_ns).unwrap_or(i64::MAX);
        }
    }
}

/// The smaller of what is offered to the buyer and bid to the seller; of equals the buyer's.
pub(super) fn size<'a>(buy: &LegWork<'a>, sell: &LegWork<'a>) -> Option<&'a Decimal> {
    let offered = buy.quote?.1.ask_size.as_ref()?;
    let wanted = sell.quote?.1.bid_size.as_ref()?;
    Some(if wanted.cmp_value(offered).is_lt() {
        wanted
    } else {
        offered
    })
}
