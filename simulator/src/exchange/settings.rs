//! What is served, where, and by which rules. Plain data.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use super::fault::Scheduled;
use super::{Dialect, Fault};
use crate::error::SimulatorError;
use crate::market::{Dislocation, MarketSettings, Periodic, RateMove, Size, Venue};

/// One server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ServerSettings {
    /// Port at [`ExchangesSettings::listen`]; 0 takes any that is free.
    pub port: u16,
    /// How far this venue's clock is ahead of ours, milliseconds.
    pub skew_ms: i64,
}

/// The rules that venues set, milliseconds and numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A client of Coinbase that has asked for nothing by then is closed.
    pub subscribe_within_ms: i64,
    /// Messages a second that Coinbase takes; one beyond is answered with an error.
    pub coinbase_messages_per_s: usize,
    /// Messages a second that Binance takes, pings and pongs among them; one beyond ends the connection.
    pub binance_messages_per_s: usize,
    /// From one ping of Binance to the next.
    pub ping_every_ms: i64,
    /// A ping of Binance without an answer for so long ends the connection.
    pub pong_within_ms: i64,
    /// The longest a connection to Binance lasts.
    pub longest_connection_ms: i64,
    /// From one heartbeat of Coinbase to the next.
    pub heartbeat_every_ms: i64,
    /// Frames that wait for one slow client. When full, the client is closed, as venues do: nothing is dropped in between.
    pub waiting_frames: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            subscribe_within_ms: 5_000,
            coinbase_messages_per_s: 8,
            binance_messages_per_s: 5,
            ping_every_ms: 20_000,
            pong_within_ms: 60_000,
            longest_connection_ms: 86_400_000,
            heartbeat_every_ms: 1_000,
            waiting_frames: 262_144,
        }
    }
}

/// The imitated exchanges.
#[derive(Debug, Clone, PartialEq)]
pub struct ExchangesSettings {
    /// What is traded.
    pub market: MarketSettings,
    /// Who serves it. A dialect whose book has no symbol serves an empty one.
    pub servers: BTreeMap<Dialect, ServerSettings>,
    /// Where the servers listen; 127.0.0.1 unless told, so that nobody else finds them.
    pub listen: IpAddr,
    /// By which rules.
    pub limits: Limits,
    /// What goes wrong by itself.
    pub script: Vec<Scheduled>,
}

impl ExchangesSettings {
    /// A market behind one server for each of its venues, Coinbase in the Advanced dialect, on any free ports.
    #[must_use]
    pub fn new(market: MarketSettings) -> Self {
        let has = |venue: Venue| {
            let rate = market.rate.iter().any(|rate| rate.venue == venue);
            rate || market.symbols.iter().any(|symbol| symbol.venue == venue)
        };
        let servers = [
            Dialect::CoinbaseAdvanced,
            Dialect::Binance,
            Dialect::BinanceUs,
        ]
        .into_iter()
        .filter(|dialect| has(dialect.venue()))
        .map(|dialect| (dialect, ServerSettings::default()))
        .collect();
        Self {
            market,
            servers,
            listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
            limits: Limits::default(),
            script: Vec::new(),
        }
    }

    /// What `lockstep demo` shows; see [`ExchangesSettings::eventful`].
    #[must_use]
    pub fn demo(seed: u64) -> Self {
        Self::eventful(MarketSettings::two_venues(seed))
    }

    /// A market in which something happens every minute. Times from the start of the market, net figures at the fees of
    /// `market`, pairs as far as the market has them at Binance and Coinbase:
    ///
    /// | what | when |
    /// | --- | --- |
    /// | first pair 25 bps net, buy Binance, sell Coinbase | 2.5 s to 12.5 s, then every minute |
    /// | second pair 18 bps net, buy Coinbase, sell Binance | 24 s to 31 s, then every 80 s |
    /// | first pair 40 bps net, buy Coinbase, sell Binance | 41 s to 46 s, then every two minutes |
    /// | USDT-USD down 8 bps, then up again | 60 s to 120 s, 180 s to 240 s |
    /// | Binance is away | 88 s to 98 s, then every five minutes |
    /// | Coinbase silent in the second pair | 150 s to 158 s, then every five minutes |
    #[must_use]
    pub fn eventful(mut market: MarketSettings) -> Self {
        let ramped = |pair: &str, buy, sell, net_bps, start_ms, length_ms| {
            Dislocation::new(pair, buy, sell, Size::Net(net_bps))
                .at(start_ms, length_ms)
                .ramped(300)
        };
        let again = |first, every_ms| Periodic { first, every_ms };
        let symbol = |pair: &str, venue| {
            let symbols = market.symbols.iter();
            symbols
                .filter(|symbol| symbol.pair == pair && symbol.venue == venue)
                .map(|symbol| symbol.symbol.clone())
                .next()
        };
        let both: Vec<String> = market
            .pairs
            .iter()
            .map(|pair| pair.name.clone())
            .filter(|pair| {
                symbol(pair, Venue::Binance).is_some() && symbol(pair, Venue::Coinbase).is_some()
            })
            .collect();
        let quiet = both.get(1).and_then(|pair| symbol(pair, Venue::Coinbase));
        let (binance, coinbase) = (Venue::Binance, Venue::Coinbase);
        if let Some(pair) = both.first() {
            market.periodic.extend([
                again(ramped(pair, binance, coinbase, 25.0, 2_500, 10_000), 60_000),
                again(
                    ramped(pair, coinbase, binance, 40.0, 41_000, 5_000),
                    120_000,
                ),
            ]);
        }
        if let Some(pair) = both.get(1) {
            let second = ramped(pair, coinbase, binance, 18.0, 24_000, 7_000);
            market.periodic.push(again(second, 80_000));
        }
        if let Some(rate) = &mut market.rate {
            let stretch = |start_ms, centibps| RateMove {
                start_ms,
                length_ms: 60_000,
                centibps,
            };
            rate.moves
                .extend([stretch(60_000, -800), stretch(180_000, 800)]);
        }
        let mut settings = Self::new(market);
        let scripted = |dialect, fault, at_ms, for_ms| Scheduled {
            dialect,
            fault,
            at_ms,
            for_ms: Some(for_ms),
            every_ms: Some(300_000),
        };
        settings
            .script
            .push(scripted(Dialect::Binance, Fault::Outage, 95_000, 12_000));
        if let Some(symbol) = quiet {
            settings.script.push(scripted(
                Dialect::CoinbaseAdvanced,
                Fault::SilentSymbol(symbol),
                150_000,
                8_000,
            ));
        }
        settings
    }

    /// Whether servers can be made of this.
    ///
    /// # Errors
    /// [`SimulatorError::Setting`] with the first thing that makes no sense.
    pub fn check(&self) -> Result<(), SimulatorError> {
        self.market.check()?;
        for scheduled in &self.script {
            if !self.servers.contains_key(&scheduled.dialect) {
                return Err(SimulatorError::Setting(format!(
                    "`{}` is to misbehave and is not served",
                    scheduled.dialect.name()
                )));
            }
            if scheduled.every_ms.is_some_and(|every_ms| every_ms < 1) {
                return Err(SimulatorError::Setting(
                    "what comes again needs a time in between".to_owned(),
                ));
            }
        }
        Ok(())
    }
}
