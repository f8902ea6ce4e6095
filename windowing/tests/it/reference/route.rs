//! A route (section 6): its figures at an instant, its best instant, and for how long it paid.
//!
//! In: two legs and the states at every instant of a window. Out: what the record says of the route.

use num_rational::BigRational;

use super::ReferenceSettings;
use super::number::{round_half_even, whole};
use super::state::{Leg, Quality, State, smaller};
use super::window::Window;

/// Gross and net in basis points, rounded to six decimals.
#[derive(Debug, Clone)]
pub(crate) struct Figures {
    pub(crate) gross_bps: BigRational,
    pub(crate) net_bps: BigRational,
}

/// The best instant.
#[derive(Debug, Clone)]
pub(crate) struct Best {
    pub(crate) figures: Figures,
    pub(crate) size: Option<String>,
    pub(crate) at: i128,
}

/// What a record says of a route.
#[derive(Debug, Clone)]
pub(crate) struct Route<'a> {
    pub(crate) buy: &'a str,
    pub(crate) sell: &'a str,
    pub(crate) quality: Quality,
    pub(crate) end: Option<Figures>,
    pub(crate) best: Option<Best>,
    pub(crate) positive_ns: i128,
}

/// A route's figures if the time is `now`; none unless both legs are `ok` then.
fn figures(
    state: &State<'_>,
    buy: &Leg<'_>,
    sell: &Leg<'_>,
    now: i128,
    settings: &ReferenceSettings,
) -> Option<Figures> {
    if state.quality(buy, now, settings) != Quality::Ok
        || state.quality(sell, now, settings) != Quality::Ok
    {
        return None;
    }
    let (_, at_buyer) = state.quote(buy)?;
    let (_, at_seller) = state.quote(sell)?;
    // The rate's ask where one buys and its bid where one sells; 1 for the accounting currency itself.
    let ra = match state.rate(buy) {
        Some((_, rate)) => rate.ask.value.clone(),
        None => whole(1),
    };
    let rb = match state.rate(sell) {
        Some((_, rate)) => rate.bid.value.clone(),
        None => whole(1),
    };
    let f_buy = settings.fee_fraction(buy.venue);
    let f_sell = settings.fee_fraction(sell.venue);

    let earned = &at_seller.bid.value * rb;
    let paid = &at_buyer.ask.value * ra;
    let earned_net = &earned * (whole(1) - f_sell);
    let paid_net = &paid * (whole(1) + f_buy);
    let gross_bps = (earned / paid - whole(1)) * whole(10_000);
    let net_bps = (earned_net / paid_net - whole(1)) * whole(10_000);
    Some(Figures {
        gross_bps: round_half_even(&gross_bps, 6),
        net_bps: round_half_even(&net_bps, 6),
    })
}

/// Everything a record says of the route that buys at `buy` and sells at `sell`.
pub(crate) fn route<'a>(
    window: &Window<'_>,
    buy: &Leg<'a>,
    sell: &Leg<'a>,
    settings: &ReferenceSettings,
) -> Route<'a> {
    let end = window.end;
    let at_end = &window.at_end;

    let mut best: Option<Best> = None;
    let mut positive_ns = 0;
    for (place, (instant, state)) in window.instants.iter().enumerate() {
        let Some(now) = figures(state, buy, sell, *instant, settings) else {
            continue;
        };
        // Net above zero from this instant until the next, the window's end, or the first expiry, whichever comes first.
        if now.net_bps > whole(0) {
            let next = window
                .instants
                .get(place + 1)
                .map_or(end, |(next, _)| *next);
            let until = [buy, sell]
                .iter()
                .filter_map(|leg| state.lives_until(leg, settings))
                .fold(next, i128::min);
            positive_ns += until - instant;
        }
        // The highest net, the earliest of equals.
        if best
            .as_ref()
            .is_none_or(|so_far| now.net_bps > so_far.figures.net_bps)
        {
            let (at_buyer, at_seller) = (state.quote(buy), state.quote(sell));
            best = Some(Best {
                figures: now,
                size: smaller(
                    at_buyer.and_then(|(_, quote)| quote.ask_size.as_ref()),
                    at_seller.and_then(|(_, quote)| quote.bid_size.as_ref()),
                ),
                at: *instant,
            });
        }
    }

    Route {
        buy: buy.venue,
        sell: sell.venue,
        // The worse of the two legs' at the end.
        quality: at_end
            .quality(buy, end, settings)
            .min(at_end.quality(sell, end, settings)),
        end: figures(at_end, buy, sell, end, settings),
        best,
        positive_ns,
    }
}
