//! What a frame says, in words that all dialects share.
//!
//! Numbers are exact: prices and sizes are [`contract::decimal`]s, ids and stamps whole numbers.

use std::borrow::Cow;

use contract::decimal::{Decimal, Price};
use contract::tick::TakerSide;
use contract::time::StampError;

use super::{FrameError, Str};

/// One frame, read.
#[derive(Debug)]
pub struct Parsed<'a> {
    /// What it is counted as.
    pub kind: Kind,
    /// The venue's clock at sending (where only the time of the event is given, that), nanoseconds since 1970.
    pub sent: Option<Result<i64, StampError>>,
    /// How the wire numbers it.
    pub number: Number<'a>,
    /// What it tells about the market.
    pub content: Content<'a>,
    /// The text of an error frame or a notice, for people.
    pub notice: Option<Cow<'a, str>>,
}

impl Parsed<'_> {
    /// A frame that is known and tells nothing more.
    pub(crate) const fn bare(kind: Kind) -> Self {
        Self {
            kind,
            sent: None,
            number: Number::None,
            content: Content::Nothing,
            notice: None,
        }
    }
}

/// Kinds of frames, over all dialects; each as the venue spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Best bid and ask with the last trade (Coinbase).
    Ticker,
    /// The same, every five seconds.
    TickerBatch,
    /// Trades of Coinbase Advanced, several a frame.
    MarketTrades,
    /// Heartbeats of a Coinbase Advanced connection.
    Heartbeats,
    /// Answer to a subscription (Coinbase).
    Subscriptions,
    /// Candles of Coinbase Advanced.
    Candles,
    /// State of products (Coinbase).
    Status,
    /// Level 2 of Coinbase Advanced, snapshot and updates.
    L2Data,
    /// A trade of Coinbase Exchange.
    Match,
    /// The newest trade before a subscription: history.
    LastMatch,
    /// Heartbeat of a product of Coinbase Exchange.
    Heartbeat,
    /// Level 2 snapshot of Coinbase Exchange.
    Snapshot,
    /// Level 2 update of Coinbase Exchange.
    L2Update,
    /// Best bid and ask of Binance.
    BookTicker,
    /// A trade of Binance.
    Trade,
    /// Trades of one taker at one price, as one (Binance).
    AggTrade,
    /// Change of depth (Binance).
    DepthUpdate,
    /// Depth as a whole: a partial-depth stream, or a REST snapshot put into the recording (Binance).
    Depth,
    /// Binance is about to close the connection.
    ServerShutdown,
    /// Answer to a request (Binance).
    Answer,
    /// The venue refuses something.
    Error,
    /// Documented, and of no use here: statistics, candles of Binance, channels that need a key.
    Other,
    /// JSON of a type that the venue does not document.
    Unknown,
    /// Not JSON, or a known type of another shape than documented.
    Broken,
}

impl Kind {
    /// The word in reports and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ticker => "ticker",
            Self::TickerBatch => "ticker_batch",
            Self::MarketTrades => "market_trades",
            Self::Heartbeats => "heartbeats",
            Self::Subscriptions => "subscriptions",
            Self::Candles => "candles",
            Self::Status => "status",
            Self::L2Data => "l2_data",
            Self::Match => "match",
            Self::LastMatch => "last_match",
            Self::Heartbeat => "heartbeat",
            Self::Snapshot => "snapshot",
            Self::L2Update => "l2update",
            Self::BookTicker => "bookTicker",
            Self::Trade => "trade",
            Self::AggTrade => "aggTrade",
            Self::DepthUpdate => "depthUpdate",
            Self::Depth => "depth",
            Self::ServerShutdown => "serverShutdown",
            Self::Answer => "answer",
            Self::Error => "error",
            Self::Other => "other",
            Self::Unknown => "unknown",
            Self::Broken => "broken",
        }
    }

    /// Whether such a frame shows that market data flows. Heartbeats and answers do not, nor does what comes by the
    /// clock whether anything happens or not (statistics, candles).
    #[must_use]
    pub const fn is_data(self) -> bool {
        matches!(
            self,
            Self::Ticker
                | Self::TickerBatch
                | Self::MarketTrades
                | Self::L2Data
                | Self::Match
                | Self::LastMatch
                | Self::Snapshot
                | Self::L2Update
                | Self::BookTicker
                | Self::Trade
                | Self::AggTrade
                | Self::DepthUpdate
                | Self::Depth
        )
    }
}

/// How the wire numbers a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Number<'a> {
    /// Not at all.
    None,
    /// One numbering for the whole connection (Coinbase Advanced).
    Connection(u64),
    /// A trade id, by one per symbol.
    Trade {
        /// Symbol.
        symbol: Cow<'a, str>,
        /// Id.
        id: u64,
    },
    /// The id of the newest trade before the subscription.
    LastTrade {
        /// Symbol.
        symbol: Cow<'a, str>,
        /// Id.
        id: u64,
    },
    /// The id of an aggregate, by one per symbol, and the trades it stands for.
    Aggregate {
        /// Symbol.
        symbol: Cow<'a, str>,
        /// Id.
        id: u64,
        /// The last trade in it.
        last_trade_id: u64,
    },
    /// Update ids: the first of the next frame follows the last of this.
    Depth {
        /// Symbol.
        symbol: Cow<'a, str>,
        /// Which of the two update speeds, where the frame tells; they are numbered apart.
        feed: &'static str,
        /// First update.
        first: u64,
        /// Last update.
        last: u64,
    },
    /// Rises per symbol, with holes.
    Quote {
        /// Symbol.
        symbol: Cow<'a, str>,
        /// Number.
        seq: u64,
    },
    /// How far the venue is with a product.
    Heartbeat {
        /// Symbol.
        symbol: Cow<'a, str>,
        /// Newest trade, 0 where the venue does not know.
        last_trade_id: u64,
    },
}

/// What a frame tells about the market.
#[derive(Debug)]
pub enum Content<'a> {
    /// Nothing.
    Nothing,
    /// One quote or trade.
    One(Result<Item<'a>, FrameError>),
    /// Several.
    Many {
        /// What happens now, trades oldest first.
        live: Vec<Result<Item<'a>, FrameError>>,
        /// What happened before the subscription. It never becomes a tick.
        history: Vec<Result<Item<'a>, FrameError>>,
    },
}

/// A quote or a trade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item<'a> {
    /// Best bid and ask.
    Quote(QuoteMessage<'a>),
    /// A trade.
    Trade(TradeMessage<'a>),
}

/// Best bid and ask of one symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuoteMessage<'a> {
    /// Symbol as the frame spells it.
    pub symbol: Cow<'a, str>,
    /// The venue's number of this update.
    pub seq: Option<u64>,
    /// The venue's stamp, nanoseconds since 1970.
    pub stamp_ns: Option<i64>,
    /// Best bid.
    pub bid: Price,
    /// Size at the best bid.
    pub bid_size: Option<Decimal>,
    /// Best ask.
    pub ask: Price,
    /// Size at the best ask.
    pub ask_size: Option<Decimal>,
    /// The trade that the ticker was sent for (Coinbase Exchange).
    pub last_trade: Option<LastTrade>,
}

/// The trade that a ticker of Coinbase Exchange was sent for. Its `match` makes the tick, never the ticker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastTrade {
    /// Id, that of the match.
    pub id: u64,
    /// The taker's side.
    pub taker_side: TakerSide,
}

/// One trade of one symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradeMessage<'a> {
    /// Symbol as the frame spells it.
    pub symbol: Cow<'a, str>,
    /// The venue's id.
    pub id: TradeId<'a>,
    /// The time of the trade, nanoseconds since 1970.
    pub stamp_ns: i64,
    /// Price.
    pub price: Price,
    /// Size.
    pub size: Decimal,
    /// The taker's side.
    pub taker_side: TakerSide,
}

/// A trade's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TradeId<'a> {
    /// Sent as a number.
    Number(u64),
    /// Sent as text; may be a number all the same.
    Text(Cow<'a, str>),
}

impl TradeId<'_> {
    /// The number, if it is one.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Number(id) => Some(*id),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

/// The taker's side, told by the maker's word.
pub(crate) fn taker_of_maker(side: &str) -> Result<TakerSide, FrameError> {
    taker(side).map(|side| match side {
        TakerSide::Buy => TakerSide::Sell,
        TakerSide::Sell => TakerSide::Buy,
    })
}

/// The taker's side, told by the taker's word.
pub(crate) fn taker(side: &str) -> Result<TakerSide, FrameError> {
    match side {
        "buy" | "BUY" => Ok(TakerSide::Buy),
        "sell" | "SELL" => Ok(TakerSide::Sell),
        other => Err(FrameError::Side(other.chars().take(60).collect())),
    }
}

pub(crate) fn price(field: &'static str, text: &str) -> Result<Price, FrameError> {
    Price::parse(text).map_err(|source| FrameError::Decimal { field, source })
}

pub(crate) fn size(field: &'static str, text: &str) -> Result<Decimal, FrameError> {
    Decimal::parse(text).map_err(|source| FrameError::Decimal { field, source })
}

pub(crate) fn size_if_given(
    field: &'static str,
    text: Option<&Str<'_>>,
) -> Result<Option<Decimal>, FrameError> {
    text.map(|text| size(field, text)).transpose()
}
