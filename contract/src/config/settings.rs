//! The settings as the stages use them.
//!
//! In: nothing; `fill` makes it from the checked values of all layers. Out: [`Config`], plain data
//! with a getter per question of a stage. Nothing is checked here any more: whoever holds a
//! [`Config`] holds one that can be used.

use std::collections::BTreeMap;

use super::alerter::Alerter;
use super::fee::TakerFee;
use super::name::split_pair;
use super::schema::{MARK_LAG_MS, MAX_MESSAGE_BYTES};
use super::secret::Properties;

/// Everything that can be set, complete and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `[windowing]`.
    pub windowing: Windowing,
    /// `[ingest]`.
    pub ingest: Ingest,
    /// `[cerebral]`.
    pub cerebral: Cerebral,
    /// `[alerter]`.
    pub alerter: Alerter,
    /// `[venues.NAME]`, by venue. A venue that stands in none of them has [`Venue::default`].
    pub venues: BTreeMap<String, Venue>,
    /// `[pairs.NAME]`, by pair: per venue the symbol it trades under.
    pub pairs: BTreeMap<String, BTreeMap<String, String>>,
    /// `[rates.NAME]`, by rate (`from-to`): per venue the symbol whose quotes are the rate.
    pub rates: BTreeMap<String, BTreeMap<String, String>>,
    /// `[kafka]`.
    pub kafka: Kafka,
    /// `[metrics]`.
    pub metrics: Metrics,
}

/// `[windowing]`: how ticks become windows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Windowing {
    /// Length of a window, milliseconds, 1..=3,600,000.
    pub width_ms: i64,
    /// Greatest age of a live quote, milliseconds of event time.
    pub quote_max_age_ms: i64,
    /// Greatest age of a usable rate, milliseconds of event time.
    pub rate_max_age_ms: i64,
    /// When more than this many milliseconds of windows close at once, silent ones get no record.
    pub max_gap_ms: i64,
    /// Worker threads, 1..=64.
    pub workers: usize,
    /// What a crash may do to the output.
    pub delivery: Delivery,
    /// Least time between two commits of exactly-once, milliseconds.
    pub commit_interval_ms: u64,
    /// Time between two checkpoints of a partition, milliseconds.
    pub checkpoint_interval_ms: u64,
    /// After so long without a commit the brokers abort what is open, milliseconds.
    pub transaction_timeout_ms: u64,
    /// What positions, checkpoints and transactions are kept under; two jobs on one cluster need two names.
    pub deployment: String,
    /// Most records that may wait in open windows of one partition.
    pub max_open_records: usize,
}

/// `[cerebral]`: how `lockstep cerebral stream` works; what a window is stands on its command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cerebral {
    /// Worker threads, 1..=64.
    pub workers: usize,
    /// What a crash may do to the output.
    pub delivery: Delivery,
    /// Time between two checkpoints of a partition, milliseconds.
    pub checkpoint_interval_ms: u64,
}

/// What a crash may do to the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Nothing is lost and nothing is emitted twice, for readers of what is committed.
    ExactlyOnce,
    /// Records may be emitted twice, none is lost.
    AtLeastOnce,
}

impl Delivery {
    /// The word that stands in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ExactlyOnce => "exactly-once",
            Self::AtLeastOnce => "at-least-once",
        }
    }
}

/// `[ingest]`: how frames become ticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ingest {
    /// Time between two marks of a venue, milliseconds.
    pub mark_interval_ms: i64,
    /// Greatest distance of a venue's stamp from its receipt, milliseconds.
    pub max_stamp_distance_ms: i64,
    /// Time without data, heartbeats not counted, after which a venue is silent, milliseconds.
    pub silent_after_ms: i64,
    /// Time between two health records of a venue, milliseconds.
    pub health_interval_ms: i64,
    /// Time without quotes, or trades, of one symbol after which they are looked for elsewhere, milliseconds.
    pub symbol_silent_after_ms: i64,
    /// Time after which a connection is replaced, milliseconds.
    pub rotate_after_ms: i64,
    /// Waiting frames beyond which live quotes are conflated.
    pub conflate_above_frames: usize,
    /// Certificates that are trusted besides the public ones.
    pub ca_file: Option<String>,
}

/// `[venues.NAME]`: one venue. Where a field is `None`, nothing was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Venue {
    /// Fee of a taker; without one the caller uses 0 and warns.
    pub taker_fee: Option<TakerFee>,
    /// WebSocket address; for coinbase that of its dialect where none was given.
    pub url: Option<String>,
    /// Addresses tried when `url` cannot be reached, in this order.
    pub alternative_urls: Vec<String>,
    /// How far a mark stays behind the venue's clock, milliseconds.
    pub mark_lag_ms: i64,
    /// In place of [`Windowing::quote_max_age_ms`].
    pub quote_max_age_ms: Option<i64>,
    /// In place of [`Ingest::silent_after_ms`].
    pub silent_after_ms: Option<i64>,
    /// By symbol (upper case), in place of [`Ingest::symbol_silent_after_ms`].
    pub symbol_silent_after_ms: BTreeMap<String, i64>,
    /// Longest message taken, bytes.
    pub max_message_bytes: usize,
    /// Which of its feeds `url` is; coinbase alone has two.
    pub dialect: Option<Dialect>,
}

impl Default for Venue {
    fn default() -> Self {
        Self {
            taker_fee: None,
            url: None,
            alternative_urls: Vec::new(),
            mark_lag_ms: MARK_LAG_MS,
            quote_max_age_ms: None,
            silent_after_ms: None,
            symbol_silent_after_ms: BTreeMap::new(),
            max_message_bytes: MAX_MESSAGE_BYTES,
            dialect: None,
        }
    }
}

/// The two feeds of coinbase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Advanced Trade.
    Advanced,
    /// Exchange.
    Exchange,
}

impl Dialect {
    /// The word that stands in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Advanced => "advanced",
            Self::Exchange => "exchange",
        }
    }

    /// The public address of the feed.
    pub const fn url(self) -> &'static str {
        match self {
            Self::Advanced => "wss://advanced-trade-ws.coinbase.com",
            Self::Exchange => "wss://ws-feed.exchange.coinbase.com",
        }
    }
}

/// `[kafka]`: where the topics live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kafka {
    /// `host:port`, separated by commas.
    pub brokers: String,
    /// Handed to librdkafka as they stand.
    pub properties: Properties,
}

/// `[metrics]`: what is shown to those who watch the stages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// Where `/metrics` and `/healthz` are served, `host:port`; nowhere without.
    pub listen: Option<String>,
}

impl Config {
    /// The taker fee of `venue`; `None` where none is given (0 is used then, with a warning).
    pub fn fee(&self, venue: &str) -> Option<TakerFee> {
        self.venues.get(venue)?.taker_fee
    }

    /// How far `venue`'s marks stay behind its clock, milliseconds.
    pub fn mark_lag_ms(&self, venue: &str) -> i64 {
        self.venues
            .get(venue)
            .map_or(MARK_LAG_MS, |venue| venue.mark_lag_ms)
    }

    /// Greatest age of a live quote of `venue`, milliseconds.
    pub fn quote_max_age_ms(&self, venue: &str) -> i64 {
        let own = self
            .venues
            .get(venue)
            .and_then(|venue| venue.quote_max_age_ms);
        own.unwrap_or(self.windowing.quote_max_age_ms)
    }

    /// Time after which quotes or trades of `symbol` at `venue` are missed, milliseconds.
    pub fn symbol_silent_after_ms(&self, venue: &str, symbol: &str) -> i64 {
        let own = self.venues.get(venue).and_then(|venue| {
            let symbol = symbol.to_uppercase();
            venue.symbol_silent_after_ms.get(&symbol).copied()
        });
        own.unwrap_or(self.ingest.symbol_silent_after_ms)
    }

    /// Time without data after which `venue` is silent, milliseconds.
    pub fn silent_after_ms(&self, venue: &str) -> i64 {
        let own = self
            .venues
            .get(venue)
            .and_then(|venue| venue.silent_after_ms);
        own.unwrap_or(self.ingest.silent_after_ms)
    }

    /// Longest message taken from `venue`, bytes.
    pub fn max_message_bytes(&self, venue: &str) -> usize {
        self.venues
            .get(venue)
            .map_or(MAX_MESSAGE_BYTES, |venue| venue.max_message_bytes)
    }

    /// The addresses of `venue` in the order in which to try them; empty where none is given.
    pub fn urls(&self, venue: &str) -> Vec<&str> {
        let urls = self
            .venues
            .get(venue)
            .map(|venue| venue.url.iter().chain(&venue.alternative_urls));
        urls.into_iter().flatten().map(String::as_str).collect()
    }

    /// The pair that `symbol` of `venue` stands for; `None` where no pair names it.
    pub fn pair_of(&self, venue: &str, symbol: &str) -> Option<&str> {
        named(&self.pairs, venue, symbol)
    }

    /// The rate, as currencies `(from, to)`, that `symbol` of `venue` gives; `None` where it gives none.
    pub fn rate_of(&self, venue: &str, symbol: &str) -> Option<(&str, &str)> {
        named(&self.rates, venue, symbol).and_then(split_pair)
    }
}

/// The name under which `symbol` of `venue` stands; the check lets it stand under one alone.
fn named<'a>(
    table: &'a BTreeMap<String, BTreeMap<String, String>>,
    venue: &str,
    symbol: &str,
) -> Option<&'a str> {
    let has = |symbols: &BTreeMap<String, String>| {
        symbols.get(venue).is_some_and(|known| known == symbol)
    };
    table
        .iter()
        .find(|(_, symbols)| has(symbols))
        .map(|(name, _)| name.as_str())
}
