//! The pure heart of ingest: frames and times in, records out. Live ingest and replay drive this very value.
//!
//! ```text
//!   connected / frame / disconnected / advance / finish          (dialect, receipt, text)
//!        |
//!   parse -> numbers (gaps, repeats) -> stamps (faults, skew) -> status, mark -> ticks
//!        |                                                          |
//!   Report (counters)                                             Sink
//! ```
//!
//! Time is an argument: whoever drives the core tells when a frame was received, and nothing depends on how often or by
//! whom [`Core::advance`] is called in between. Absent: sockets, files, threads, clocks, random numbers.

mod clock;
mod emit;
mod feed;
mod frame;
mod report;
mod sink;

pub use clock::BEGINNING;
pub use report::{MAX_GAPS_LISTED, Report, UnnamedSymbol, VenueReport};
pub use sink::{Collect, Sink};

use crate::settings::IngestSettings;
use crate::symbol::SymbolMap;
use crate::venue::{Dialect, FrameError, Kind};
use clock::VenueClock;
use feed::Feed;
use frame::Place;
use report::Counters;

/// What a frame turned out to be, for whoever keeps the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Market data: the connection delivers.
    Data,
    /// Known, but no data: heartbeats, answers, statistics.
    Control,
    /// The venue refuses something; its words are in the log.
    Refused,
    /// The venue is about to close the connection: open another now.
    Shutdown,
    /// Not what the venue documents, or unusable in part; counted and in `dead-letters`.
    Fault,
}

/// One connection, among those of its dialect told apart by a number that whoever keeps them gives, rising and never twice.
/// Two of a dialect live at once while one takes over from the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Connection {
    /// The language spoken there.
    pub dialect: Dialect,
    /// Its number.
    pub number: u64,
}

/// The one connection of a capture, which tells of none.
impl From<Dialect> for Connection {
    fn from(dialect: Dialect) -> Self {
        Self { dialect, number: 0 }
    }
}

/// Frames to records. See the module's page.
#[derive(Debug)]
pub struct Core {
    settings: IngestSettings,
    map: SymbolMap,
    feeds: [Feed; 4],
    venues: [VenueClock; 3],
    counters: Counters,
    /// Our receive clock: the latest time told. Starts with the first.
    now_ns: Option<i64>,
    /// Nothing is due before this, so that most frames ask no venue.
    next_due_ns: i64,
}

impl Core {
    /// A core that has seen nothing yet.
    #[must_use]
    pub fn new(settings: IngestSettings) -> Self {
        Self {
            map: SymbolMap::new(&settings),
            feeds: Dialect::ALL.map(Feed::new),
            venues: [
                Dialect::CoinbaseAdvanced,
                Dialect::Binance,
                Dialect::BinanceUs,
            ]
            .map(|dialect| VenueClock::new(dialect.venue(), &settings)),
            counters: Counters::default(),
            now_ns: None,
            next_due_ns: i64::MIN,
            settings,
        }
    }

    /// A live stage begins, and will connect to the venue of this dialect. A predecessor that was killed has left it up; so
    /// that nobody waits for its marks or takes its last quotes for live, the venue is down until data comes. To be called
    /// before anything else; recordings do without.
    pub fn begin(&mut self, dialect: Dialect, now_ns: i64, out: &mut impl Sink) {
        let now_ns = self.now(now_ns);
        self.venues[venue_of(dialect)].begin(now_ns, out);
        self.next_due_ns = i64::MIN;
    }

    /// A connection was made: its numbering starts afresh, and what the venue told on one before is not held against it.
    /// While another of its dialect lives, it is about to take over from that: each number is taken once, from whichever
    /// brings it first, and nothing that one of them brings is missed.
    pub fn connected(
        &mut self,
        connection: impl Into<Connection>,
        received_ns: i64,
        out: &mut impl Sink,
    ) {
        let connection = connection.into();
        self.advance(received_ns, out);
        self.feeds[feed_of(connection.dialect)].connect(connection.number);
        let now_ns = self.now(received_ns);
        self.venues[venue_of(connection.dialect)].connect(connection, now_ns);
        self.next_due_ns = i64::MIN;
    }

    /// The connection is gone, or could not be made. The venue is `down` unless another of its connections has brought
    /// data; `reason` is for people and stands in the status.
    pub fn disconnected(
        &mut self,
        connection: impl Into<Connection>,
        received_ns: i64,
        reason: &str,
        out: &mut impl Sink,
    ) {
        let connection = connection.into();
        self.advance(received_ns, out);
        let venue = &mut self.venues[venue_of(connection.dialect)];
        self.feeds[feed_of(connection.dialect)].disconnect(
            connection.number,
            &mut self.counters,
            |gap| {
                venue.count_gap();
                out.gap(gap);
            },
        );
        let now_ns = self.now_ns.unwrap_or(received_ns);
        venue.disconnect(connection, now_ns, reason, out);
        self.next_due_ns = i64::MIN;
    }

    /// Takes in one text frame. Where no connection was told of (captures do not), this frame opens one.
    pub fn frame(
        &mut self,
        connection: impl Into<Connection>,
        received_ns: i64,
        frame: &str,
        out: &mut impl Sink,
    ) -> Outcome {
        let connection = connection.into();
        let dialect = connection.dialect;
        self.advance(received_ns, out);
        if !self.feeds[feed_of(dialect)].is_connected(connection.number) {
            self.connected(connection, received_ns, out);
        }
        let place = Place {
            connection,
            received_ns,
            number: self.counters.frames,
            frame,
        };
        self.counters.frames += 1;
        self.venues[venue_of(dialect)].count_frame();
        match dialect.parse(frame) {
            Ok(parsed) => {
                self.counters.kind(dialect, parsed.kind);
                self.parsed(place, parsed, out)
            }
            Err(error) => {
                let kind = match error {
                    FrameError::Unknown(_) | FrameError::Untyped => Kind::Unknown,
                    _ => Kind::Broken,
                };
                self.counters.kind(dialect, kind);
                self.fault(place, &error, out);
                Outcome::Fault
            }
        }
    }

    /// Our clock has reached `received_ns`: marks on the grid of `mark_interval_ms`, one by one, silence, health. Time
    /// that does not go forward does nothing.
    pub fn advance(&mut self, received_ns: i64, out: &mut impl Sink) {
        if self.now_ns.is_none_or(|now_ns| now_ns < received_ns) {
            self.now_ns = Some(received_ns);
        }
        while self.next_due_ns <= received_ns {
            // One thing at a time over all venues, so that the order of records follows from times alone.
            let first = self
                .venues
                .iter_mut()
                .filter_map(|venue| Some((venue.next_due_ns()?, venue)))
                .min_by_key(|(due_ns, _)| *due_ns);
            match first {
                Some((due_ns, venue)) if due_ns <= received_ns => venue.run_due(received_ns, out),
                first => {
                    self.next_due_ns = first.map_or(i64::MAX, |(due_ns, _)| due_ns);
                    break;
                }
            }
        }
    }

    /// The capture is over: each venue that was ever up gets a mark at the end of the window (`width_ms`, aligned to the
    /// epoch) that holds the last tick of all, so that every partition closes alike. Without a tick there is nothing to close.
    pub fn finish(&mut self, width_ms: i64, out: &mut impl Sink) {
        let Some(last_ns) = self.counters.last_tick_ns else {
            return;
        };
        let width_ns = width_ms.max(1).saturating_mul(contract::time::NS_PER_MS);
        let into_ns = last_ns.rem_euclid(width_ns);
        let end_ns = last_ns.saturating_add(width_ns - into_ns);
        for venue in &mut self.venues {
            venue.finish(end_ns, out);
        }
    }

    /// What has happened so far.
    #[must_use]
    pub fn report(&self) -> Report {
        let venues = self.venues.iter().filter_map(VenueClock::report);
        self.counters.report(venues.collect(), &self.feeds)
    }

    fn now(&self, received_ns: i64) -> i64 {
        self.now_ns.unwrap_or(received_ns)
    }
}

const fn feed_of(dialect: Dialect) -> usize {
    match dialect {
        Dialect::CoinbaseAdvanced => 0,
        Dialect::CoinbaseExchange => 1,
        Dialect::Binance => 2,
        Dialect::BinanceUs => 3,
    }
}

const fn venue_of(dialect: Dialect) -> usize {
    match dialect {
        Dialect::CoinbaseAdvanced | Dialect::CoinbaseExchange => 0,
        Dialect::Binance => 1,
        Dialect::BinanceUs => 2,
    }
}
