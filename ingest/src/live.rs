//! Live connections: sockets to venues, kept up, their frames in one queue before one consumer.
//!
//! ```text
//! venue A -- keeper, 1 or 2 links --\                       (tokio)          (a thread of its own)
//! venue B -- keeper, 1 or 2 links ---> bounded queue of events --> consumer: Core and Sink, or a capture
//! clock   -- ticks -----------------/
//! ```
//!
//! A connection is made, asked for its feeds, read, and made again when it ends or falls silent: with capped, jittered
//! back-off that only data resets, the addresses of a venue in turn. Before it grows old, when the venue announces its end,
//! and when one of its streams is quiet while others flow, a second one is made beside it and takes over once it delivers
//! what the first delivers; until then, and if it never does, the first is kept. Ticks of the clock go through the same queue
//! as frames, so that under load a mark cannot overtake the frames that it speaks of.
//!
//! **When the queue is full** (frames or bytes), the connections wait: back-pressure onto the sockets, counted. Nothing is
//! dropped here. Absent: what frames mean; which of two connections' frames count (that is the core's).

mod alarms;
mod backoff;
mod deliveries;
mod drive;
mod ending;
mod keeper;
mod link;
mod pace;
mod queue;
mod subscribe;
mod tally;
mod tls;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

pub use backoff::BackoffSettings;
pub(crate) use drive::{Consumer, drive};
pub use tally::{ConnectionReport, LiveReport, Recording};

use crate::error::IngestError;
use crate::settings::IngestSettings;
use crate::venue::Dialect;

/// The longest message taken unless told otherwise, bytes. The largest known has 5 MB.
pub const MAX_MESSAGE_BYTES: usize = 64 << 20;

/// One connection to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionSettings {
    /// The language spoken there.
    pub dialect: Dialect,
    /// Addresses (`wss://` or `ws://`, without a path), tried in turn until one gives data.
    pub urls: Vec<String>,
    /// Symbols whose quotes and trades are wanted.
    pub symbols: Vec<String>,
    /// Symbols whose quotes alone are wanted, being rates.
    pub rate_symbols: Vec<String>,
    /// Without data (heartbeats are none) for so long, the connection is closed and made again.
    pub silent_after: Duration,
    /// Without quotes, or trades, of one symbol for so long, they are looked for on a second connection.
    pub symbol_silent_after: Duration,
    /// By symbol (upper case), in place of `symbol_silent_after`.
    pub symbol_limits: BTreeMap<String, Duration>,
    /// A longer message ends the connection, bytes.
    pub max_message_bytes: usize,
}

impl ConnectionSettings {
    /// A connection that asks for nothing yet, with the usual limits.
    #[must_use]
    pub fn new(dialect: Dialect, urls: Vec<String>) -> Self {
        Self {
            dialect,
            urls,
            symbols: Vec::new(),
            rate_symbols: Vec::new(),
            silent_after: Duration::from_secs(10),
            symbol_silent_after: Duration::from_secs(60),
            symbol_limits: BTreeMap::new(),
            max_message_bytes: MAX_MESSAGE_BYTES,
        }
    }

    /// Asks for every symbol that the pairs and rates of `settings` name at this venue, and takes its limit of silence.
    #[must_use]
    pub fn wanting(mut self, settings: &IngestSettings) -> Self {
        let venue = self.dialect.venue();
        let named = |table: &BTreeMap<String, BTreeMap<String, String>>| {
            let symbols = table.values().filter_map(|symbols| symbols.get(venue));
            symbols.cloned().collect::<BTreeSet<String>>()
        };
        let pairs = named(&settings.pairs);
        self.rate_symbols = named(&settings.rates).difference(&pairs).cloned().collect();
        self.symbols = pairs.into_iter().collect();
        let silent_ms = settings.venue(venue).silent_after_ms.max(1);
        self.silent_after = Duration::from_millis(u64::try_from(silent_ms).unwrap_or(1));
        self
    }

    /// Whether it asks for nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.symbols.is_empty() && self.rate_symbols.is_empty()
    }
}

/// The connections, and what they have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSettings {
    /// One per dialect; those that ask for nothing are left out.
    pub connections: Vec<ConnectionSettings>,
    /// How long an address has to answer.
    pub connect_timeout: Duration,
    /// How attempts are spaced.
    pub backoff: BackoffSettings,
    /// When a connection is old enough to be replaced; a little earlier, by chance.
    pub rotate_after: Duration,
    /// For how long two connections deliver side by side before the newer takes over.
    pub overlap: Duration,
    /// A second connection that cannot take over within this is given up.
    pub takeover_within: Duration,
    /// Seed of the jitter. Two processes should not share it.
    pub seed: u64,
    /// Frames that the queue holds. A busy second of one symbol has 1,400.
    pub queue_frames: usize,
    /// Bytes that the queue holds, in which a longer frame fits all the same.
    pub queue_bytes: usize,
    /// When more frames than this wait, quotes are conflated. A recording is not.
    pub conflate_above: usize,
    /// Certificates (PEM) that are trusted besides the public ones.
    pub ca_file: Option<PathBuf>,
    /// A capture, not there yet, into which the frames are recorded beside what else becomes of them.
    pub record: Option<PathBuf>,
}

impl LiveSettings {
    /// These connections with the usual limits.
    #[must_use]
    pub fn new(connections: Vec<ConnectionSettings>, seed: u64) -> Self {
        Self {
            connections,
            connect_timeout: Duration::from_secs(10),
            backoff: BackoffSettings::default(),
            rotate_after: Duration::from_secs(23 * 3_600),
            overlap: Duration::from_secs(2),
            takeover_within: Duration::from_secs(30),
            seed,
            queue_frames: 16_384,
            queue_bytes: 64 << 20,
            conflate_above: 4_096,
            ca_file: None,
            record: None,
        }
    }

    /// Whether connections can be made with these, as far as that can be told without making any.
    ///
    /// # Errors
    /// [`IngestError::NoConnections`], [`IngestError::Setting`], [`IngestError::Authority`] and [`IngestError::Tls`].
    pub fn check(&self) -> Result<(), IngestError> {
        let asking = || self.connections.iter().filter(|one| !one.is_empty());
        if asking().next().is_none() {
            return Err(IngestError::NoConnections);
        }
        for connection in asking() {
            drive::check(connection)?;
            subscribe::plan(connection)?;
        }
        tls::connector(self.ca_file.as_deref()).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_wants_what_pairs_and_rates_name_at_its_venue_each_once() {
        let one = |name: &str, venue: &str, symbol: &str| {
            (
                name.to_owned(),
                [(venue.to_owned(), symbol.to_owned())].into(),
            )
        };
        let settings = IngestSettings {
            pairs: [
                one("ETH-USD", "coinbase", "ETH-USD"),
                one("BTC-USD", "coinbase", "BTC-USD"),
                one("SOL-USD", "binance", "SOLUSDT"),
                one("EUR-USD", "coinbase", "EUR-USD"),
            ]
            .into(),
            rates: [
                one("USDT-USD", "coinbase", "USDT-USD"),
                one("EUR-USD", "coinbase", "EUR-USD"),
            ]
            .into(),
            ..IngestSettings::default()
        };
        let wanting = |dialect| ConnectionSettings::new(dialect, vec![]).wanting(&settings);
        for dialect in [Dialect::CoinbaseAdvanced, Dialect::CoinbaseExchange] {
            let coinbase = wanting(dialect);
            assert_eq!(coinbase.symbols, ["BTC-USD", "ETH-USD", "EUR-USD"]);
            assert_eq!(coinbase.rate_symbols, ["USDT-USD"]);
        }
        assert_eq!(wanting(Dialect::Binance).symbols, ["SOLUSDT"]);
        assert!(wanting(Dialect::BinanceUs).is_empty());
    }
}
