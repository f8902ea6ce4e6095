//! The ways in which exchanges misbehave.
//!
//! | holds until cleared, or for a time | happens once |
//! | --- | --- |
//! | [`Silent`](Fault::Silent), [`SilentSymbol`](Fault::SilentSymbol), [`Frozen`](Fault::Frozen), [`Outage`](Fault::Outage) | [`Stall`](Fault::Stall), [`Close`](Fault::Close), [`Cut`](Fault::Cut), [`Abort`](Fault::Abort) |
//! | [`Refuse`](Fault::Refuse), [`Answer`](Fault::Answer), [`Hang`](Fault::Hang) | [`Huge`](Fault::Huge), [`UnknownType`](Fault::UnknownType), [`BrokenJson`](Fault::BrokenJson) |
//! | [`Crossed`](Fault::Crossed), [`Stamps`](Fault::Stamps), [`Skew`](Fault::Skew), [`Flood`](Fault::Flood) | [`Skip`](Fault::Skip), [`Shutdown`](Fault::Shutdown), [`DayIsOver`](Fault::DayIsOver) |
//! | [`OldFallSilent`](Fault::OldFallSilent) | |
//!
//! A fault is one server's: that of one dialect. What happens once happens to every connection that stands then.

use super::Dialect;

/// One way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// No data on any connection, old or new; heartbeats, answers, pings and pongs go on.
    Silent,
    /// The same for one symbol, spelt as the venue does.
    SilentSymbol(String),
    /// Nothing at all, no pong either: the sockets stay open and dead.
    Frozen,
    /// Every connection is cut off and no other can be made (as [`Fault::Refuse`]).
    Outage,
    /// Nobody listens: connecting fails at once. Connections that stand are left alone.
    Refuse,
    /// Connecting is answered with an HTTP status: 451, 403, 429, 503 and the like.
    Answer {
        /// The status.
        status: u16,
        /// Seconds for `retry-after`, where it is to be said.
        retry_after_s: Option<u64>,
    },
    /// Connecting succeeds, and the handshake is never answered.
    Hang,
    /// Bids above asks, of one symbol or of all.
    Crossed(Option<String>),
    /// Times that make no sense wherever the venue tells one.
    Stamps(BadStamp),
    /// The venue's clock is ahead of ours by so much, milliseconds, instead of what the settings say.
    Skew(i64),
    /// So many frames a second of the venue's first symbol: quotes of which only the sizes change (at Coinbase Exchange
    /// matches and their tickers). Without a time it lasts a second.
    Flood {
        /// Frames a second, 1..=1,000,000.
        per_s: i64,
    },
    /// Connections fall silent as soon as a younger one has data: what happens to the old one of a rotation.
    OldFallSilent,

    /// The connections that stand now never send data again; new ones are fine.
    Stall,
    /// Closed as the protocol has it.
    Close {
        /// Code, 1000 to 4999.
        code: u16,
        /// Reason, at most 123 bytes.
        reason: String,
    },
    /// The connection ends in the middle of a frame.
    Cut,
    /// The connection ends without a goodbye.
    Abort,
    /// One frame of at least so many bytes: a book as a whole, level by level.
    Huge {
        /// How long.
        bytes: usize,
    },
    /// A well-formed frame of a type that nobody knows.
    UnknownType,
    /// A frame that is not JSON: the first half of one.
    BrokenJson,
    /// Frames that are numbered and not sent: Coinbase Advanced leaves out `sequence_num`s, the others trades.
    Skip(u64),
    /// Binance's `serverShutdown`, then the end; the others only end.
    Shutdown {
        /// From the announcement to the end, milliseconds.
        close_after_ms: i64,
    },
    /// What Binance does to a connection after 24 hours.
    DayIsOver,
}

/// A time that makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadStamp {
    /// `0001-01-01T00:00:00Z`, as Coinbase sends in rare cases.
    YearOne,
    /// 1970.
    Epoch,
}

impl Fault {
    /// Whether it happens once, and cannot be cleared.
    #[must_use]
    pub const fn is_once(&self) -> bool {
        matches!(
            self,
            Self::Stall
                | Self::Close { .. }
                | Self::Cut
                | Self::Abort
                | Self::Huge { .. }
                | Self::UnknownType
                | Self::BrokenJson
                | Self::Skip(_)
                | Self::Shutdown { .. }
                | Self::DayIsOver
        )
    }
}

/// A fault with its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduled {
    /// Whose.
    pub dialect: Dialect,
    /// Which.
    pub fault: Fault,
    /// Milliseconds from the start of the market.
    pub at_ms: i64,
    /// For how long, where it holds; without it until cleared.
    pub for_ms: Option<i64>,
    /// Again each so many milliseconds.
    pub every_ms: Option<i64>,
}

/// A fault written in words, or the words that exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no misbehaviour; there are {WORDS}")]
pub struct UnknownFault(pub String);

/// What [`Fault::parse`] reads.
pub const WORDS: &str = "silent[=SYMBOL], frozen, outage, refuse, http=STATUS, hang, crossed[=SYMBOL], year1, epoch, skew=MS, \
flood=PER_SECOND, old-silent, stall, close[=CODE], cut, abort, huge[=BYTES], unknown, broken, skip[=N], shutdown[=MS], day";

impl Fault {
    /// Reads a fault as people write it: `silent`, `http=451`, `huge=5000000`.
    ///
    /// # Errors
    /// [`UnknownFault`], which lists what can be written.
    pub fn parse(text: &str) -> Result<Self, UnknownFault> {
        let fault = || UnknownFault(text.to_owned());
        let (word, value) = match text.split_once('=') {
            Some((word, value)) => (word, Some(value)),
            None => (text, None),
        };
        fn number<T: std::str::FromStr>(
            value: Option<&str>,
            otherwise: Option<T>,
        ) -> Result<T, ()> {
            match value {
                Some(value) => value.parse().map_err(|_| ()),
                None => otherwise.ok_or(()),
            }
        }
        let read = || -> Result<Self, ()> {
            Ok(match (word, value) {
                ("silent", None) => Self::Silent,
                ("silent", Some(symbol)) => Self::SilentSymbol(symbol.to_owned()),
                ("frozen", None) => Self::Frozen,
                ("outage", None) => Self::Outage,
                ("refuse", None) => Self::Refuse,
                ("hang", None) => Self::Hang,
                ("http", value) => {
                    let status = number(value, None)?;
                    if !(400..=599).contains(&status) {
                        return Err(());
                    }
                    Self::Answer {
                        status,
                        retry_after_s: None,
                    }
                }
                ("crossed", symbol) => Self::Crossed(symbol.map(str::to_owned)),
                ("year1", None) => Self::Stamps(BadStamp::YearOne),
                ("epoch", None) => Self::Stamps(BadStamp::Epoch),
                ("skew", value) => Self::Skew(number(value, None)?),
                ("flood", value) => {
                    let per_s = number(value, Some(50_000))?;
                    if !(1..=1_000_000).contains(&per_s) {
                        return Err(());
                    }
                    Self::Flood { per_s }
                }
                ("old-silent", None) => Self::OldFallSilent,
                ("stall", None) => Self::Stall,
                ("close", value) => {
                    let code = number(value, Some(1_001))?;
                    if !(1_000..=4_999).contains(&code) {
                        return Err(());
                    }
                    Self::Close {
                        code,
                        reason: "going away".to_owned(),
                    }
                }
                ("cut", None) => Self::Cut,
                ("abort", None) => Self::Abort,
                ("huge", value) => {
                    let bytes = number(value, Some(5_079_379))?;
                    if bytes > 256 << 20 {
                        return Err(());
                    }
                    Self::Huge { bytes }
                }
                ("unknown", None) => Self::UnknownType,
                ("broken", None) => Self::BrokenJson,
                ("skip", value) => Self::Skip(number(value, Some(3))?),
                ("shutdown", value) => {
                    let close_after_ms = number(value, Some(5_000))?;
                    if close_after_ms < 0 {
                        return Err(());
                    }
                    Self::Shutdown { close_after_ms }
                }
                ("day", None) => Self::DayIsOver,
                _ => return Err(()),
            })
        };
        read().map_err(|()| fault())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_that_is_listed_can_be_read() {
        for word in WORDS.split(", ") {
            let (bare, example) = match word.split_once(['[', '=']) {
                Some((bare, _)) => (bare, format!("{bare}=451")),
                None => (word, word.to_owned()),
            };
            let example = example.replace("close=451", "close=1001");
            assert!(Fault::parse(&example).is_ok(), "{example}");
            if word.contains('[') {
                assert!(Fault::parse(bare).is_ok(), "{bare}");
            }
        }
    }

    #[test]
    fn what_is_no_misbehaviour_is_refused_with_the_list() {
        for text in [
            "",
            "silence",
            "http",
            "http=200",
            "skew=soon",
            "cut=3",
            "shutdown=-1",
            "flood=0",
        ] {
            let error = Fault::parse(text).unwrap_err();
            assert!(error.to_string().contains("old-silent"), "{error}");
        }
    }
}
