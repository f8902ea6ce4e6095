//! The same exchanges in virtual time: what a recorder would have written down, faster than life.
//!
//! ```text
//! engine --frames, sent at--> delay and jitter per venue --received at--> in the order of receipt
//! ```
//!
//! A client per server connects, asks for everything, answers pings, and connects again when it is closed. Frames of one
//! connection keep their order. Comes in: settings alone. Goes out: [`RecordedFrame`]s, lines of a capture.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use serde_json::json;

use super::{ConnectionId, Dialect, Engine, ExchangesSettings, Gate, Output};
use crate::error::SimulatorError;
use crate::market::{DislocationTruth, Market, Random};

const NS_PER_MS: i64 = 1_000_000;
const NS_PER_US: i64 = 1_000;
/// The market is taken forward in such steps.
const STEP_NS: i64 = 10 * NS_PER_MS;
/// Between two messages of a client.
const SPACING_NS: i64 = 150 * NS_PER_MS;
/// From the end of a connection to the next attempt.
const RECONNECT_NS: i64 = 1_000 * NS_PER_MS;

/// The way from a venue to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay {
    /// The shortest, microseconds.
    pub least_us: i64,
    /// What comes on top of it on average, microseconds; up to four times as much.
    pub jitter_us: i64,
}

impl Default for Delay {
    fn default() -> Self {
        Self {
            least_us: 4_000,
            jitter_us: 500,
        }
    }
}

/// What is recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedSettings {
    /// The exchanges; their ports do not matter.
    pub exchanges: ExchangesSettings,
    /// When the market opens, nanoseconds since 1970.
    pub start_ns: i64,
    /// For how long, milliseconds.
    pub length_ms: i64,
    /// The recorder's clock less the market's, milliseconds: -1,300 is 1.3 s behind.
    pub our_clock_ms: i64,
    /// Ways that are not the usual one.
    pub delays: BTreeMap<Dialect, Delay>,
}

impl RecordedSettings {
    /// So many milliseconds from 2026-03-02T14:30:00Z on, by a clock that is right.
    #[must_use]
    pub fn new(exchanges: ExchangesSettings, length_ms: i64) -> Self {
        Self {
            exchanges,
            start_ns: 1_772_461_800_000 * NS_PER_MS,
            length_ms,
            our_clock_ms: 0,
            delays: BTreeMap::new(),
        }
    }
}

/// One frame as it was received.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordedFrame {
    /// By the recorder's clock, nanoseconds since 1970.
    pub received_ns: i64,
    /// The venue's name in captures.
    pub venue: &'static str,
    /// The frame.
    pub frame: String,
}

/// An iterator of [`RecordedFrame`]s, in the order of receipt.
#[derive(Debug)]
pub struct Recorded {
    engine: Engine,
    clients: Vec<Client>,
    end_ns: i64,
    our_clock_ns: i64,
    least_ns: i64,
    on_the_way: BinaryHeap<Reverse<(i64, u64, Arrival)>>,
    order: u64,
    /// Everything received until here has left the heap in order.
    settled_ns: i64,
}

/// A frame on its way. Ordered by what stands before it in the heap.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Arrival(&'static str, String);

/// Whoever would have recorded one server.
#[derive(Debug)]
struct Client {
    dialect: Dialect,
    address: String,
    messages: Vec<String>,
    delay: Delay,
    random: Random,
    connection: Option<ConnectionId>,
    to_send: VecDeque<String>,
    next_ns: i64,
    received_ns: i64,
}

impl Recorded {
    /// Exchanges that have just opened.
    ///
    /// # Errors
    /// As [`Engine::new`].
    pub fn new(settings: RecordedSettings) -> Result<Self, SimulatorError> {
        let seed = settings.exchanges.market.seed;
        let engine = Engine::new(settings.exchanges, settings.start_ns)?;
        let start_ns = engine.market().start_ns();
        let clients: Vec<Client> = engine
            .dialects()
            .zip(1_000..)
            .map(|(dialect, number)| Client {
                dialect,
                address: address(dialect, engine.market()),
                messages: messages(dialect, engine.market()),
                delay: settings.delays.get(&dialect).copied().unwrap_or_default(),
                random: Random::new(seed, number),
                connection: None,
                to_send: VecDeque::new(),
                // A moment after the market, which then has a quote for everybody.
                next_ns: start_ns + 50 * NS_PER_MS,
                received_ns: i64::MIN,
            })
            .collect();
        let least_us = clients.iter().map(|client| client.delay.least_us).min();
        Ok(Self {
            end_ns: start_ns + settings.length_ms * NS_PER_MS,
            our_clock_ns: settings.our_clock_ms * NS_PER_MS,
            least_ns: least_us.unwrap_or(0) * NS_PER_US,
            clients,
            on_the_way: BinaryHeap::new(),
            order: 0,
            settled_ns: i64::MIN,
            engine,
        })
    }

    /// Every dislocation that has begun until now. Times are the market's; stamps of a venue have its skew in addition.
    #[must_use]
    pub fn truths(&self) -> &[DislocationTruth] {
        self.engine.market().truths()
    }

    /// The exchanges behind it.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Takes the market one step forward.
    fn step(&mut self) {
        let now_ns = (self.engine.now_ns() + STEP_NS).min(self.end_ns);
        for client in &mut self.clients {
            client.act(&mut self.engine, now_ns);
        }
        self.engine.advance(now_ns);
        for (id, at_ns, output) in self.engine.take() {
            let clients = self.clients.iter_mut();
            let Some(client) = clients
                .into_iter()
                .find(|client| client.connection == Some(id))
            else {
                continue;
            };
            match output {
                Output::Text(frame) => {
                    let received_ns = client.receive(at_ns) + self.our_clock_ns;
                    self.order += 1;
                    let arrival = Arrival(client.dialect.name(), frame);
                    self.on_the_way
                        .push(Reverse((received_ns, self.order, arrival)));
                }
                Output::Ping(payload) => {
                    self.engine.ponged(client.dialect, id, payload.as_bytes());
                }
                Output::Close { .. } | Output::Cut(_) | Output::Abort => {
                    client.connection = None;
                    client.next_ns = at_ns + RECONNECT_NS;
                }
            }
        }
        // Whatever is sent from now on arrives after this.
        self.settled_ns = match now_ns >= self.end_ns {
            true => i64::MAX,
            false => now_ns + self.least_ns + self.our_clock_ns,
        };
    }
}

impl Iterator for Recorded {
    type Item = RecordedFrame;

    fn next(&mut self) -> Option<RecordedFrame> {
        loop {
            if let Some(Reverse((received_ns, ..))) = self.on_the_way.peek()
                && *received_ns <= self.settled_ns
                && let Some(Reverse((received_ns, _, Arrival(venue, frame)))) =
                    self.on_the_way.pop()
            {
                return Some(RecordedFrame {
                    received_ns,
                    venue,
                    frame,
                });
            }
            if self.engine.now_ns() >= self.end_ns {
                return None;
            }
            self.step();
        }
    }
}

impl Client {
    /// Connects and asks, where it is time to.
    fn act(&mut self, engine: &mut Engine, now_ns: i64) {
        if self.next_ns > now_ns {
            return;
        }
        match self.connection {
            None => {
                self.next_ns = now_ns + RECONNECT_NS;
                if engine.gate(self.dialect) == Gate::Open {
                    self.connection = engine.connect(self.dialect, &self.address);
                    self.to_send = self.messages.iter().cloned().collect();
                    self.next_ns = now_ns;
                }
            }
            Some(id) => {
                if let Some(text) = self.to_send.pop_front() {
                    engine.hear(self.dialect, id, &text);
                }
                self.next_ns = match self.to_send.is_empty() {
                    true => i64::MAX,
                    false => now_ns + SPACING_NS,
                };
            }
        }
    }

    /// When something sent at `at_ns` arrives, by the market's time.
    fn receive(&mut self, at_ns: i64) -> i64 {
        let jitter_ns = match self.delay.jitter_us {
            0 => 0,
            jitter_us => self.random.around(jitter_us * NS_PER_US),
        };
        let arrived_ns = at_ns + self.delay.least_us * NS_PER_US + jitter_ns;
        self.received_ns = self.received_ns.max(arrived_ns);
        self.received_ns
    }
}

/// The venue's symbols, those with trades before the one of the rate.
fn symbols(dialect: Dialect, market: &Market) -> (Vec<&str>, Vec<&str>) {
    let streams = market.streams().iter();
    let own = streams.filter(|stream| stream.venue() == dialect.venue());
    let (pairs, rates): (Vec<_>, Vec<_>) = own.partition(|stream| !stream.is_rate());
    let trades: Vec<&str> = pairs.iter().map(|stream| stream.symbol()).collect();
    let mut quotes = trades.clone();
    quotes.extend(rates.iter().map(|stream| stream.symbol()));
    (quotes, trades)
}

fn address(dialect: Dialect, market: &Market) -> String {
    let (quotes, trades) = symbols(dialect, market);
    match dialect {
        Dialect::CoinbaseAdvanced | Dialect::CoinbaseExchange => "/".to_owned(),
        Dialect::Binance | Dialect::BinanceUs => {
            let stream = |feed: &'static str| {
                move |symbol: &&str| format!("{}@{feed}", symbol.to_lowercase())
            };
            let mut streams: Vec<String> = quotes.iter().map(stream("bookTicker")).collect();
            streams.extend(trades.iter().map(stream("trade")));
            format!("/stream?streams={}", streams.join("/"))
        }
    }
}

fn messages(dialect: Dialect, market: &Market) -> Vec<String> {
    let (quotes, trades) = symbols(dialect, market);
    let asked = [("ticker", &quotes), ("market_trades", &trades)];
    let asked = asked.into_iter().filter(|(_, symbols)| !symbols.is_empty());
    let messages = match dialect {
        Dialect::CoinbaseAdvanced => {
            let one = json!({"type": "subscribe", "channel": "heartbeats"});
            let others = asked.map(|(channel, symbols)| {
                json!({"type": "subscribe", "product_ids": symbols, "channel": channel})
            });
            [one].into_iter().chain(others).collect()
        }
        Dialect::CoinbaseExchange => {
            let mut channels: Vec<_> = asked
                .map(|(channel, symbols)| {
                    let name = channel
                        .trim_start_matches("market_")
                        .replace("trades", "matches");
                    json!({"name": name, "product_ids": symbols})
                })
                .collect();
            channels.push(json!({"name": "heartbeat", "product_ids": quotes}));
            vec![json!({"type": "subscribe", "channels": channels})]
        }
        Dialect::Binance | Dialect::BinanceUs => Vec::new(),
    };
    messages.iter().map(ToString::to_string).collect()
}
