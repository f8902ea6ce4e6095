//! The outside world over real sockets: imitated exchanges at a fixed seed, in which something pays every few seconds, and a
//! stand-in for Discord whose answers come late.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use contract::time::SystemClock;
use simulator::discord::{Discord, Fault, Limits};
use simulator::exchange::{Dialect, Exchanges, ExchangesSettings};
use simulator::market::{Dislocation, MarketSettings, Periodic, Size, Venue};
use tokio::runtime::Runtime;

/// By asset; all of them in USD at Coinbase and in USDT at Binance.
const ASSETS: [&str; 6] = ["ADA", "BTC", "DOGE", "ETH", "SOL", "XRP"];

/// Runs until it is dropped.
pub(super) struct Outside {
    pub(super) discord: Discord,
    urls: BTreeMap<Dialect, String>,
    _exchanges: Exchanges,
    // Last, so that what runs on it is gone before.
    _runtime: Runtime,
}

impl Outside {
    pub(super) fn start(seed: u64) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let settings = ExchangesSettings::new(market(seed));
        let clock = Arc::new(SystemClock);
        let exchanges = runtime
            .block_on(Exchanges::start(settings, clock, None))
            .unwrap();
        let discord = Discord::start(Limits::default().faster(20)).unwrap();
        // So that kills fall between a message that is kept and its record.
        discord.always(Some(Fault::Late(Duration::from_millis(30))));
        Self {
            discord,
            urls: exchanges.urls(),
            _exchanges: exchanges,
            _runtime: runtime,
        }
    }

    /// The settings that lead stages here.
    pub(super) fn settings(&self) -> Vec<(String, String)> {
        let mut settings = vec![(
            "LOCKSTEP_ALERTER__WEBHOOK_URL".to_owned(),
            self.discord.url(),
        )];
        for (dialect, url) in &self.urls {
            let venue = dialect.venue().name().to_uppercase();
            settings.push((format!("LOCKSTEP_VENUES__{venue}__URL"), url.clone()));
        }
        for asset in ASSETS {
            let pair = |venue: &str| format!("LOCKSTEP_PAIRS__{asset}_USD__{venue}");
            settings.push((pair("BINANCE"), format!("{asset}USDT")));
            settings.push((pair("COINBASE"), format!("{asset}-USD")));
        }
        settings
    }
}

fn market(seed: u64) -> MarketSettings {
    let pairs = ASSETS.map(|asset| {
        let symbols = [
            ("binance".to_owned(), format!("{asset}USDT")),
            ("coinbase".to_owned(), format!("{asset}-USD")),
        ];
        (format!("{asset}-USD"), BTreeMap::from(symbols))
    });
    let rate = BTreeMap::from([("coinbase".to_owned(), "USDT-USD".to_owned())]);
    let rates = BTreeMap::from([("USDT-USD".to_owned(), rate)]);
    let mut market = MarketSettings::of_pairs(seed, &BTreeMap::from(pairs), &rates).unwrap();
    market.taker_fee_bps = [(Venue::Binance, 10.0), (Venue::Coinbase, 60.0)].into();
    for symbol in &mut market.symbols {
        symbol.quotes_per_s = symbol.quotes_per_s.min(20);
        symbol.trades_per_s = symbol.trades_per_s.min(5);
    }
    for (asset, number) in ASSETS.iter().zip(0_i64..) {
        let (buy, sell) = match number % 2 {
            0 => (Venue::Binance, Venue::Coinbase),
            _ => (Venue::Coinbase, Venue::Binance),
        };
        let pays = Dislocation::new(&format!("{asset}-USD"), buy, sell, Size::Net(20.0));
        market.periodic.push(Periodic {
            first: pays.at(2_000 + number * 1_300, 2_500),
            every_ms: 8_000 + number * 700,
        });
    }
    market
}
