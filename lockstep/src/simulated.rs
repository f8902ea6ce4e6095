//! The imitated outside of `demo` and `up --source sim`: exchanges and a Discord on loopback, and the settings that lead there.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use contract::config::{Config, Secret};
use contract::time::SystemClock;
use simulator::discord::{Discord, Limits};
use simulator::exchange::{Dialect, Exchanges, ExchangesSettings, ServerSettings};
use simulator::headset::{BrainSettings, Headset, HeadsetSettings, LineFaults};
use simulator::market::{MarketSettings, Venue};
use tokio::runtime::Runtime;

use crate::failure::Failure;

/// What messages begin with where nothing else is set: on somebody's own Discord nobody shall take them for real.
const SIMULATED: &str = "simulated";

/// Runs until it is dropped.
pub(crate) struct Simulated {
    discord: Option<Discord>,
    _exchanges: Exchanges,
    // Last, so that what runs on it is gone before.
    _runtime: Runtime,
}

impl Simulated {
    /// Starts exchanges that trade the pairs of `config` at its fees, and a stand-in for Discord where no webhook is given.
    /// Changes addresses in `config` and `alerts` so that the stages find them.
    pub(crate) fn start(
        seed: u64,
        config: &mut Config,
        alerts: &mut alerter::Settings,
    ) -> Result<Self, Failure> {
        let settings = exchanges_of(seed, config)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("simulator")
            .enable_all()
            .build()
            .context("could not start the runtime of the imitated exchanges")?;
        let exchanges = runtime
            .block_on(Exchanges::start(settings, Arc::new(SystemClock), None))
            .context("could not start the imitated exchanges")?;
        for (dialect, url) in exchanges.urls() {
            // Only what the exchanges serve is changed; a venue that they do not know stays as it is, and is told below.
            if let Some(venue) = config.venues.get_mut(dialect.venue().name()) {
                venue.url = Some(url);
                venue.alternative_urls.clear();
            }
        }
        let served: Vec<&str> = exchanges
            .urls()
            .keys()
            .map(|dialect| dialect.venue().name())
            .collect();
        config
            .venues
            .retain(|name, _| served.contains(&name.as_str()));
        if alerts.label.is_empty() {
            SIMULATED.clone_into(&mut alerts.label);
        }
        let discord = match alerts.webhook {
            Some(_) => None,
            None => {
                let discord = Discord::start(Limits::default())
                    .context("could not start the stand-in for Discord")?;
                alerts.webhook = Some(Secret::new(discord.url()));
                Some(discord)
            }
        };
        Ok(Self {
            discord,
            _exchanges: exchanges,
            _runtime: runtime,
        })
    }

    /// Messages that the stand-in for Discord keeps.
    pub(crate) fn messages(&self) -> Option<u64> {
        let messages = self.discord.as_ref()?.messages().len();
        Some(u64::try_from(messages).unwrap_or(u64::MAX))
    }
}

/// The simulated headset, on a pseudo-terminal, until it is dropped.
pub(crate) struct SimulatedHeadset(Headset);

impl SimulatedHeadset {
    /// Starts one, so many times as fast as life: eight channels about 10 Hz, two halves of four that pull at each other, a blink
    /// now and then.
    pub(crate) fn start(seed: u64, speed: f64) -> Result<Self, Failure> {
        let brain = BrainSettings {
            // Far enough apart for lags that show: what swings together without a lag is nothing to wPLI.
            frequency_hz: [9.1, 9.7, 10.3, 10.9].repeat(2),
            blinks_per_min: 2.0,
            ..BrainSettings::new(8, seed)
        };
        let halves = [0, 4].into_iter().flat_map(|from| {
            (from..from + 4).flat_map(move |i| (i + 1..from + 4).map(move |j| (i, j)))
        });
        let brain = halves.fold(brain, |brain, (i, j)| brain.coupled(i, j, 3.0));
        let settings = HeadsetSettings {
            brain,
            line: LineFaults::default(),
            speed,
        };
        let headset = Headset::start(settings).context("could not start the simulated headset")?;
        Ok(Self(headset))
    }

    /// Its port.
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

/// A market of the configured pairs at the configured fees.
pub(crate) fn market_of(seed: u64, config: &Config) -> Result<MarketSettings, Failure> {
    let wrong = |error: simulator::error::SimulatorError| Failure::WrongUse(error.to_string());
    let mut market = MarketSettings::of_pairs(seed, &config.pairs, &config.rates).map_err(wrong)?;
    // A fee is written as a decimal of at most ten digits, which every 64-bit float keeps.
    let fee = |venue: Venue| config.fee(venue.name())?.to_string().parse::<f64>().ok();
    market.taker_fee_bps = Venue::ALL
        .into_iter()
        .filter_map(|venue| Some((venue, fee(venue)?)))
        .collect();
    Ok(market)
}

/// The same behind servers, with something happening every minute.
fn exchanges_of(seed: u64, config: &Config) -> Result<ExchangesSettings, Failure> {
    let mut settings = ExchangesSettings::eventful(market_of(seed, config)?);
    let speaks_exchange = config
        .venues
        .get(Venue::Coinbase.name())
        .is_some_and(|venue| venue.dialect == Some(contract::config::Dialect::Exchange));
    if speaks_exchange
        && settings
            .servers
            .remove(&Dialect::CoinbaseAdvanced)
            .is_some()
    {
        settings
            .servers
            .insert(Dialect::CoinbaseExchange, ServerSettings::default());
        for scheduled in &mut settings.script {
            if scheduled.dialect == Dialect::CoinbaseAdvanced {
                scheduled.dialect = Dialect::CoinbaseExchange;
            }
        }
    }
    settings
        .check()
        .map_err(|error| Failure::WrongUse(error.to_string()))?;
    Ok(settings)
}
