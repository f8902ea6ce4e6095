//! From a frame's text to what it says.
//!
//! `type` opens every frame seen so far, and the frame is then read once. Where it does not open it, or what it promises
//! does not hold, it is looked for first; both ways end in the same types.

use serde::Deserialize;

use super::message::{
    Head, Heartbeat, Known, L2Update, Match, Refusal, Snapshot, Subscriptions, Ticker,
};
use crate::venue::scan::Scan;
use crate::venue::{FrameError, Kind, Parsed};

/// Reads one frame of Coinbase Exchange.
///
/// # Errors
/// [`FrameError`] where it is not JSON, of a type that is not documented, or of another shape than documented. A price,
/// size or stamp that cannot be used is told in the content instead: the frame still counts in its numbering.
pub fn parse(frame: &str) -> Result<Parsed<'_>, FrameError> {
    let mut scan = Scan::new(frame);
    if scan.maybe(r#"{"type":""#)
        && let Some(kind) = scan.text()
    {
        if let Some(parsed) = scanned(&kind, scan) {
            return Ok(parsed);
        }
        if let Ok(parsed) = of_kind(&kind, frame) {
            return Ok(parsed);
        }
    }
    let head: Head<'_> =
        serde_json::from_str(frame).map_err(|error| FrameError::unreadable(frame, error))?;
    of_kind(&head.kind.ok_or(FrameError::Untyped)?, frame)
}

/// The frequent kinds that hold a quote or a trade, where they are written as they always are.
#[inline]
fn scanned<'a>(kind: &str, scan: Scan<'a>) -> Option<Parsed<'a>> {
    match kind {
        "ticker" => Some(Ticker::scan(scan)?.tell(Kind::Ticker)),
        "match" => Some(Match::scan(scan)?.tell(Kind::Match)),
        "heartbeat" => Some(Heartbeat::scan(scan)?.tell()),
        _ => None,
    }
}

fn of_kind<'a>(kind: &str, frame: &'a str) -> Result<Parsed<'a>, FrameError> {
    Ok(match kind {
        "l2update" => shape::<L2Update<'_>>(Kind::L2Update, frame)?.tell(),
        "ticker" => shape::<Ticker<'_>>(Kind::Ticker, frame)?.tell(Kind::Ticker),
        "ticker_batch" => shape::<Ticker<'_>>(Kind::TickerBatch, frame)?.tell(Kind::TickerBatch),
        "match" => shape::<Match<'_>>(Kind::Match, frame)?.tell(Kind::Match),
        "last_match" => shape::<Match<'_>>(Kind::LastMatch, frame)?.tell(Kind::LastMatch),
        "heartbeat" => shape::<Heartbeat<'_>>(Kind::Heartbeat, frame)?.tell(),
        "snapshot" => {
            shape::<Snapshot<'_>>(Kind::Snapshot, frame)?;
            Parsed::bare(Kind::Snapshot)
        }
        "subscriptions" => {
            shape::<Subscriptions>(Kind::Subscriptions, frame)?;
            Parsed::bare(Kind::Subscriptions)
        }
        "error" => shape::<Refusal<'_>>(Kind::Error, frame)?.tell(),
        "status" => known(Kind::Status, frame)?,
        // The channels full, user, auction, rfq and balance; all but auction need a key.
        "received" | "open" | "done" | "change" | "activate" | "auction" | "rfq_match"
        | "balance" => known(Kind::Other, frame)?,
        other => return Err(FrameError::unknown(other)),
    })
}

/// A frame whose type is all that matters; the rest must still be JSON.
fn known<'a>(kind: Kind, frame: &'a str) -> Result<Parsed<'a>, FrameError> {
    shape::<Known>(kind, frame)?;
    Ok(Parsed::bare(kind))
}

fn shape<'a, T: Deserialize<'a>>(kind: Kind, frame: &'a str) -> Result<T, FrameError> {
    serde_json::from_str(frame).map_err(|source| FrameError::Shape {
        kind: kind.as_str(),
        source,
    })
}
