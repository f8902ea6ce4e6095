//! From a frame's text to what it says.
//!
//! How a frame opens tells in nearly every case what it is, and it is read once, as that. Where the guess does not hold
//! (another order of keys, another type), [`thorough`] looks at all keys first. Both ways end in the same types, so the
//! guess can be wrong but never decides.

use super::message::{
    AggTrade, BookTicker, Combined, Depth, DepthUpdate, Head, Message, Refusal, ServerShutdown,
    Trade,
};
use crate::venue::scan::Scan;
use crate::venue::{FrameError, Kind, Parsed, Str};

/// Reads one frame of Binance or Binance.US.
///
/// # Errors
/// [`FrameError`] where it is not JSON, of a type that is not documented, or of another shape than documented. A price,
/// size or stamp that cannot be used is told in the content instead: the frame still counts in its numbering.
pub fn parse(frame: &str) -> Result<Parsed<'_>, FrameError> {
    match quick(frame) {
        Some(parsed) => Ok(parsed),
        None => thorough(frame),
    }
}

#[inline]
fn quick(frame: &str) -> Option<Parsed<'_>> {
    let mut scan = Scan::new(frame);
    let stream = if scan.maybe(r#"{"stream":""#) {
        let stream = scan.text()?;
        scan.literal(r#","data":"#)?;
        Some(stream)
    } else {
        None
    };
    let body = scan;
    if scan.maybe(r#"{"u":"#) {
        return read::<BookTicker<'_>>(frame, body, stream);
    }
    scan.literal(r#"{"e":""#)?;
    match &*scan.text()? {
        "trade" => read::<Trade<'_>>(frame, body, stream),
        "depthUpdate" => read::<DepthUpdate<'_>>(frame, body, stream),
        "aggTrade" => read::<AggTrade<'_>>(frame, body, stream),
        _ => None,
    }
}

#[inline]
fn read<'a, T: Message<'a>>(
    frame: &'a str,
    mut body: Scan<'a>,
    stream: Option<Str<'a>>,
) -> Option<Parsed<'a>> {
    let scanned = T::scan(&mut body).filter(|_| {
        let closed = stream.is_none() || body.maybe("}");
        closed && body.end().is_some()
    });
    if let Some(message) = scanned {
        return Some(message.tell(stream.as_deref()));
    }
    if stream.is_some() {
        let frame: Combined<'a, T> = serde_json::from_str(frame).ok()?;
        Some(frame.data.tell(Some(&frame.stream)))
    } else {
        let message: T = serde_json::from_str(frame).ok()?;
        Some(message.tell(None))
    }
}

fn thorough(frame: &str) -> Result<Parsed<'_>, FrameError> {
    if is_array(frame) {
        return statistics(frame);
    }
    let head = head(frame)?;
    match (&head.stream, head.data) {
        (Some(stream), Some(data)) => {
            let data = data.get();
            if is_array(data) {
                return statistics(data);
            }
            message(data, &self::head(data)?, Some(stream))
        }
        _ => message(frame, &head, None),
    }
}

fn message<'a>(
    text: &'a str,
    head: &Head<'a>,
    stream: Option<&str>,
) -> Result<Parsed<'a>, FrameError> {
    match head.e.as_deref() {
        Some("trade") => typed::<Trade<'a>>(text, stream),
        Some("aggTrade") => typed::<AggTrade<'a>>(text, stream),
        Some("depthUpdate") => typed::<DepthUpdate<'a>>(text, stream),
        Some("bookTicker") => typed::<BookTicker<'a>>(text, stream),
        Some("serverShutdown") => typed::<ServerShutdown>(text, stream),
        Some(event) if is_of_no_use(event) => Ok(Parsed::bare(Kind::Other)),
        Some(event) => Err(FrameError::unknown(event)),
        None if head.last_update_id.0 => typed::<Depth>(text, stream),
        None if head.u.0 && head.b.0 && head.a.0 => typed::<BookTicker<'a>>(text, stream),
        None if head.code.0 && head.msg.0 => typed::<Refusal<'a>>(text, stream),
        None => match head.error {
            Some(error) => typed::<Refusal<'a>>(error.get(), stream),
            None if head.result.0 && head.id.0 => Ok(Parsed::bare(Kind::Answer)),
            None => Err(FrameError::Untyped),
        },
    }
}

fn typed<'a, T: Message<'a>>(
    text: &'a str,
    stream: Option<&str>,
) -> Result<Parsed<'a>, FrameError> {
    let message: T = serde_json::from_str(text).map_err(|source| FrameError::Shape {
        kind: T::KIND.as_str(),
        source,
    })?;
    Ok(message.tell(stream))
}

/// Streams for all symbols come as arrays ("All Market Mini Tickers Stream" and its kin), each entry with its event type.
fn statistics(text: &str) -> Result<Parsed<'_>, FrameError> {
    let entries: Vec<Head<'_>> =
        serde_json::from_str(text).map_err(|error| FrameError::unreadable(text, error))?;
    for entry in &entries {
        match entry.e.as_deref() {
            Some(event) if is_of_no_use(event) => {}
            Some(event) => return Err(FrameError::unknown(event)),
            None => return Err(FrameError::Untyped),
        }
    }
    Ok(Parsed::bare(Kind::Other))
}

/// Documented streams that carry no quote or trade of their own: statistics by the second, candles, averages, and block
/// trades, which are agreed outside the book.
fn is_of_no_use(event: &str) -> bool {
    matches!(
        event,
        "24hrTicker"
            | "24hrMiniTicker"
            | "1hTicker"
            | "4hTicker"
            | "1dTicker"
            | "kline"
            | "avgPrice"
            | "referencePrice"
            | "blockTrade"
    )
}

fn is_array(text: &str) -> bool {
    text.trim_start().starts_with('[')
}

fn head(text: &str) -> Result<Head<'_>, FrameError> {
    serde_json::from_str(text).map_err(|error| FrameError::unreadable(text, error))
}
