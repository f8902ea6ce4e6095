//! A record of `ticks` becomes an item of a window, or a reason why not.

use contract::tick::{DecodeError, Record, VenueStatus, accounting_currency, decode};

use super::book::{Book, OtherSymbol, TickNames};
use super::event::{Event, QuoteEvent, RateEvent, TradeEvent, VenueId};
use super::settings::Settings;
use crate::watermark::SourceId;
use crate::windows::Item;

/// Why a record was not admitted; such a record belongs on `dead-letters`.
#[derive(Debug, thiserror::Error)]
pub enum AdmitError {
    /// Not a record of the contract.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A second symbol for one venue and pair.
    #[error(transparent)]
    OtherSymbol(#[from] Box<OtherSymbol>),
}

/// Reads one record and gives its names their numbers.
///
/// # Errors
/// [`AdmitError`] for what the contract does not describe; nothing of such a record has any effect.
pub fn admit(
    bytes: &[u8],
    book: &mut Book,
    settings: &Settings,
) -> Result<Item<Event>, AdmitError> {
    Ok(match decode(bytes)? {
        Record::Quote(quote) => {
            let names = names(&quote.venue, &quote.symbol, &quote.currency, &quote.pair);
            let (pair, leg, venue) = book.leg(&names, settings)?;
            let event = QuoteEvent {
                bid: quote.bid,
                bid_size: quote.bid_size,
                ask: quote.ask,
                ask_size: quote.ask_size,
            };
            Item::Data {
                source: source(venue),
                stamp_ns: quote.event_ns,
                event: Event::Quote(pair, leg, event),
            }
        }
        Record::Trade(trade) => {
            let names = names(&trade.venue, &trade.symbol, &trade.currency, &trade.pair);
            let (pair, leg, venue) = book.leg(&names, settings)?;
            let event = TradeEvent {
                price: trade.price,
                size: trade.size,
            };
            Item::Data {
                source: source(venue),
                stamp_ns: trade.event_ns,
                event: Event::Trade(pair, leg, event),
            }
        }
        Record::Rate(rate) => Item::Aside {
            stamp_ns: rate.event_ns,
            event: Event::Rate(
                book.rate(&rate.from, &rate.to),
                RateEvent {
                    bid: rate.bid,
                    ask: rate.ask,
                },
            ),
        },
        Record::Mark(mark) => Item::Mark {
            source: source(book.venue(&mark.venue, settings)),
            stamp_ns: mark.event_ns,
        },
        Record::Status(status) => {
            let venue = book.venue(&status.venue, settings);
            let up = status.status == VenueStatus::Up;
            Item::Status {
                source: source(venue),
                up,
                stamp_ns: status.event_ns,
                event: Event::Status(venue, up),
            }
        }
    })
}

fn names<'a>(venue: &'a str, symbol: &'a str, currency: &'a str, pair: &'a str) -> TickNames<'a> {
    TickNames {
        venue,
        symbol,
        currency,
        pair,
        accounting: accounting_currency(pair).expect("decoding refuses a pair without one"),
    }
}

/// Venues are the sources of a partition's watermark.
fn source(venue: VenueId) -> SourceId {
    SourceId(venue.0)
}
