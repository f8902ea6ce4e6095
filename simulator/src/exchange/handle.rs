//! The exchanges as they run: started, asked, told to misbehave, stopped.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use simulator::exchange::{Dialect, Exchanges, ExchangesSettings, Fault};
//! # async fn example() -> Result<(), simulator::error::SimulatorError> {
//! let clock = Arc::new(contract::time::SystemClock);
//! let exchanges = Exchanges::start(ExchangesSettings::demo(7), clock, None).await?;
//! let url = exchanges.url(Dialect::Binance);
//! let handle = exchanges.handle();
//! handle.fault(Dialect::Binance, Fault::Silent);
//! handle.clear(Dialect::Binance);
//! exchanges.stop().await;
//! # Ok(())
//! # }
//! ```

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use contract::time::{Clock, NS_PER_MS};
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::server::{self, Shared};
use super::{Dialect, Engine, ExchangesSettings, Fault, ServerReport};
use crate::address::reachable;
use crate::error::SimulatorError;
use crate::market::{Dislocation, DislocationTruth, RateMove};

/// The imitated exchanges, running. Dropped, they are gone at once; [`Exchanges::stop`] waits until their tasks are.
#[derive(Debug)]
pub struct Exchanges {
    handle: Handle,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// A hold on running exchanges: may be cloned, used from any thread, and outlive them.
#[derive(Debug, Clone)]
pub struct Handle {
    shared: Arc<Shared>,
    addresses: BTreeMap<Dialect, SocketAddr>,
    scheme: &'static str,
}

impl Exchanges {
    /// Listens where `settings` say and lets the market run by `clock`, on the runtime that this is called on. With `tls` all
    /// servers speak `wss`, else `ws`.
    ///
    /// # Errors
    /// As [`Engine::new`]; [`SimulatorError::Listen`] for a port that cannot be had.
    pub async fn start(
        settings: ExchangesSettings,
        clock: Arc<dyn Clock>,
        tls: Option<Arc<ServerConfig>>,
    ) -> Result<Self, SimulatorError> {
        let mut listeners = Vec::new();
        let mut addresses = BTreeMap::new();
        for (dialect, server) in &settings.servers {
            let address = SocketAddr::from((settings.listen, server.port));
            let fault = |source| SimulatorError::Listen {
                dialect: dialect.name(),
                address,
                source,
            };
            let listener = TcpListener::bind(address).await;
            let listener = listener.map_err(fault)?;
            addresses.insert(*dialect, listener.local_addr().map_err(fault)?);
            listeners.push((*dialect, listener));
        }
        let waiting_frames = settings.limits.waiting_frames;
        let engine = Engine::new(settings, clock.now_ns())?;
        let shared = Arc::new(Shared::new(engine, clock, waiting_frames));
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(server::run_market(Arc::clone(&shared), stopped.clone()));
        for (dialect, listener) in listeners {
            let server = server::Server {
                shared: Arc::clone(&shared),
                dialect,
                tls: tls.clone(),
                stopped: stopped.clone(),
            };
            tasks.spawn(server.listen(listener));
        }
        let scheme = if tls.is_some() { "wss" } else { "ws" };
        Ok(Self {
            handle: Handle {
                shared,
                addresses,
                scheme,
            },
            stop,
            tasks,
        })
    }

    /// A hold on them.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Where a dialect is spoken, for clients on this machine: `ws://127.0.0.1:PORT`; empty where nobody speaks it.
    #[must_use]
    pub fn url(&self, dialect: Dialect) -> String {
        self.handle.url(dialect)
    }

    /// Every address by dialect.
    #[must_use]
    pub fn urls(&self) -> BTreeMap<Dialect, String> {
        let dialects = self.handle.addresses.keys();
        dialects
            .map(|&dialect| (dialect, self.url(dialect)))
            .collect()
    }

    /// Closes everything and waits until it is closed.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Handle {
    /// Where a dialect is spoken, for clients on this machine: `ws://127.0.0.1:PORT`; empty where nobody speaks it.
    #[must_use]
    pub fn url(&self, dialect: Dialect) -> String {
        self.addresses
            .get(&dialect)
            .map_or_else(String::new, |address| {
                format!("{}://{}", self.scheme, reachable(*address))
            })
    }

    /// Misbehave from now on until [`Handle::clear`], or once, as the fault has it. A flood lasts a second.
    pub fn fault(&self, dialect: Dialect, fault: Fault) {
        self.shared.act(|engine| engine.fault(dialect, fault, None));
    }

    /// Misbehave for a time.
    pub fn fault_for(&self, dialect: Dialect, fault: Fault, time: Duration) {
        let for_ns = i64::try_from(time.as_nanos()).unwrap_or(i64::MAX);
        self.shared
            .act(|engine| engine.fault(dialect, fault, Some(for_ns)));
    }

    /// Behave again.
    pub fn clear(&self, dialect: Dialect) {
        self.shared.act(|engine| engine.clear(dialect));
    }

    /// What a server has seen so far.
    #[must_use]
    pub fn report(&self, dialect: Dialect) -> ServerReport {
        self.shared.act(|engine| engine.report(dialect))
    }

    /// Every dislocation that has begun, with what it was worth. Times are those of the clock that was given; a venue's
    /// stamps have its skew in addition.
    #[must_use]
    pub fn truths(&self) -> Vec<DislocationTruth> {
        self.shared.act(|engine| engine.market().truths().to_vec())
    }

    /// Dislocates from now on: the start of `dislocation` counts from now.
    ///
    /// # Errors
    /// As [`Market::plan`](crate::market::Market::plan).
    pub fn dislocate(&self, mut dislocation: Dislocation) -> Result<(), SimulatorError> {
        self.shared.act(|engine| {
            dislocation.start_ms += since_start_ms(engine);
            engine.market_mut().plan(dislocation)
        })
    }

    /// Sends the rate somewhere: the start of `stretch` counts from now.
    ///
    /// # Errors
    /// As [`Market::move_rate`](crate::market::Market::move_rate).
    pub fn move_rate(&self, mut stretch: RateMove) -> Result<(), SimulatorError> {
        self.shared.act(|engine| {
            stretch.start_ms += since_start_ms(engine);
            engine.market_mut().move_rate(stretch)
        })
    }

    /// When the market opened, nanoseconds since 1970 by the clock that was given.
    #[must_use]
    pub fn start_ns(&self) -> i64 {
        self.shared.act(|engine| engine.market().start_ns())
    }
}

fn since_start_ms(engine: &Engine) -> i64 {
    (engine.now_ns() - engine.market().start_ns()) / NS_PER_MS
}
