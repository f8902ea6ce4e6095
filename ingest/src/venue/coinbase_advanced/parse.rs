//! From a frame's text to what it says.
//!
//! `channel` opens every frame seen so far, and the frame is then read once. Where it does not open it, or what it
//! promises does not hold, it is looked for first; both ways end in the same types.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::message::{self, Envelope, Head, Refusal, TickerEvent, TradesEvent};
use crate::venue::scan::Scan;
use crate::venue::{Content, FrameError, Kind, Parsed};

/// Reads one frame of Coinbase Advanced Trade.
///
/// # Errors
/// [`FrameError`] where it is not JSON, of a type that is not documented, or of another shape than documented. A price,
/// size or stamp that cannot be used is told in the content instead: the frame still counts in its numbering.
pub fn parse(frame: &str) -> Result<Parsed<'_>, FrameError> {
    let mut scan = Scan::new(frame);
    if scan.maybe(r#"{"channel":""#)
        && let Some(channel) = scan.text()
    {
        if let Some(parsed) = scanned(&channel, scan) {
            return Ok(parsed);
        }
        if let Ok(parsed) = of_channel(&channel, frame) {
            return Ok(parsed);
        }
    }
    let head: Head<'_> =
        serde_json::from_str(frame).map_err(|error| FrameError::unreadable(frame, error))?;
    match (head.channel, head.kind.as_deref()) {
        (Some(channel), _) => of_channel(&channel, frame),
        (None, Some("error")) => Ok(shape::<Refusal<'_>>(Kind::Error, frame)?.tell()),
        (None, Some(other)) => Err(FrameError::unknown(other)),
        (None, None) => Err(FrameError::Untyped),
    }
}

/// The channels that hold quotes and trades, where they are written as they always are.
#[inline]
fn scanned<'a>(channel: &str, scan: Scan<'a>) -> Option<Parsed<'a>> {
    match channel {
        "ticker" => Some(message::tickers(Envelope::scan(scan)?, Kind::Ticker)),
        "market_trades" => Some(message::trades(Envelope::scan(scan)?)),
        _ => None,
    }
}

fn of_channel<'a>(channel: &str, frame: &'a str) -> Result<Parsed<'a>, FrameError> {
    let kind = match channel {
        "l2_data" => Kind::L2Data,
        "ticker" | "ticker_batch" => {
            let kind = match channel {
                "ticker" => Kind::Ticker,
                _ => Kind::TickerBatch,
            };
            let frame = shape::<Envelope<'_, Vec<TickerEvent<'_>>>>(kind, frame)?;
            return Ok(message::tickers(frame, kind));
        }
        "market_trades" => {
            let frame = shape::<Envelope<'_, Vec<TradesEvent<'_>>>>(Kind::MarketTrades, frame)?;
            return Ok(message::trades(frame));
        }
        "heartbeats" => Kind::Heartbeats,
        "subscriptions" => Kind::Subscriptions,
        "candles" => Kind::Candles,
        "status" => Kind::Status,
        "user" | "futures_balance_summary" => Kind::Other,
        other => {
            let unknown = FrameError::unknown(other);
            // It takes a number like any other frame: not to count it would tell of a gap that is none.
            return match shape::<Envelope<'_, IgnoredAny>>(Kind::Other, frame) {
                Ok(envelope) => Ok(Parsed {
                    content: Content::One(Err(unknown)),
                    ..envelope.tell(Kind::Other)
                }),
                Err(_) => Err(unknown),
            };
        }
    };
    Ok(shape::<Envelope<'_, IgnoredAny>>(kind, frame)?.tell(kind))
}

fn shape<'a, T: Deserialize<'a>>(kind: Kind, frame: &'a str) -> Result<T, FrameError> {
    serde_json::from_str(frame).map_err(|source| FrameError::Shape {
        kind: kind.as_str(),
        source,
    })
}
