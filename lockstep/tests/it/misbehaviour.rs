//! Exchanges that misbehave, as windows see it: a venue that is out takes nobody with it, and no window waits for it.
//!
//! Imitated exchanges over real sockets, live ingest, and the windows of what it says. What ingest itself says to each
//! misbehaviour is held to in `ingest/tests/it/misbehaviour`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::config::Config;
use contract::dead_letter::DeadLetter;
use contract::spread::{Quality, Spread};
use contract::tick::Record;
use contract::time::SystemClock;
use contract::venue::VenueHealth;
use ingest::core::{Collect, Sink};
use ingest::gap::Gap;
use ingest::live::{BackoffSettings, LiveReport, LiveSettings};
use ingest::run::ingest;
use ingest::settings::IngestSettings;
use simulator::exchange::{Dialect, Exchanges, ExchangesSettings, Fault, Handle};
use simulator::market::MarketSettings;
use tokio::time::{Instant, sleep, timeout};
use windowing::Lines;

/// Far more than any scenario needs.
const PATIENCE: Duration = Duration::from_secs(30);
const SEED: u64 = 11;
const WIDTH_MS: i64 = 200;

const BINANCE: Dialect = Dialect::Binance;
const COINBASE: Dialect = Dialect::CoinbaseAdvanced;

#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<Collect>>);

impl Kept {
    fn with<T>(&self, look: impl FnOnce(&mut Collect) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn count(&self, what: &str) -> usize {
        self.with(|all| all.lines.iter().filter(|line| line.contains(what)).count())
    }
}

impl Sink for Kept {
    fn tick(&mut self, record: &Record<'_>) {
        self.with(|all| all.tick(record));
    }

    fn everywhere(&mut self, record: &Record<'_>) {
        self.with(|all| all.everywhere(record));
    }

    fn health(&mut self, _: &VenueHealth<'_>) {}

    fn dead_letter(&mut self, letter: DeadLetter) {
        self.with(|all| all.dead_letter(letter));
    }

    fn gap(&mut self, gap: &Gap) {
        self.with(|all| all.gap(gap));
    }
}

/// What a scenario may do while everything runs.
struct World {
    exchange: Handle,
    kept: Kept,
    told: Arc<Mutex<LiveReport>>,
}

impl World {
    async fn until(&self, what: &str, wanted: impl Fn() -> bool) {
        let began = Instant::now();
        while !wanted() {
            assert!(began.elapsed() < PATIENCE, "never seen: {what}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits for so many more quotes of a venue.
    async fn flows(&self, venue: &str, more: usize) {
        let quotes = format!(r#"{{"v":1,"kind":"quote","venue":"{venue}""#);
        let before = self.kept.count(&quotes);
        self.until(&quotes, || self.kept.count(&quotes) >= before + more)
            .await;
    }

    /// Waits for so many statuses that are, or are not, `up`.
    async fn statuses(&self, venue: &str, up: bool, n: usize) {
        let told = || {
            self.kept.with(|all| {
                let start = format!(r#"{{"v":1,"kind":"status","venue":"{venue}""#);
                let of_venue = all.lines.iter().filter(|line| line.starts_with(&start));
                of_venue
                    .filter(|line| !line.contains(ingest::core::BEGINNING))
                    .filter(|line| line.contains(r#""status":"up""#) == up)
                    .count()
            })
        };
        self.until(&format!("{venue} up {up} {n} times"), || told() >= n)
            .await;
    }

    fn takeovers(&self) -> u64 {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let takeovers = told.connections.values().map(|one| one.takeovers);
        takeovers.min().unwrap_or(0)
    }
}

/// Runs a scenario; gives the windows of what ingest said.
async fn windows_of<S>(
    change: impl FnOnce(&mut LiveSettings),
    scenario: impl FnOnce(World) -> S,
) -> Lines
where
    S: Future<Output = ()>,
{
    let mut market = MarketSettings::two_venues(SEED);
    for symbol in &mut market.symbols {
        (symbol.quotes_per_s, symbol.trades_per_s) = (60, 20);
    }
    let exchanges = Exchanges::start(ExchangesSettings::new(market), Arc::new(SystemClock), None);
    let exchanges = exchanges.await.unwrap();
    // Marks stay far behind, so that a busy machine makes nothing late.
    let text = format!(
        "[windowing]\nwidth_ms = {WIDTH_MS}\nquote_max_age_ms = 5000\n\
         [ingest]\nmark_interval_ms = 50\nsilent_after_ms = 20000\n\
         [venues.binance]\nurl = \"{}\"\nmark_lag_ms = 5000\nsilent_after_ms = 1000\n\
         [venues.coinbase]\nurl = \"{}\"\nmark_lag_ms = 5000\n",
        exchanges.url(BINANCE),
        exchanges.url(COINBASE),
    );
    let config = Config::load(Some(("test.toml", &text)), std::iter::empty()).unwrap();
    let mut live = LiveSettings {
        backoff: BackoffSettings {
            first: Duration::from_millis(20),
            cap: Duration::from_millis(100),
            spacing: Duration::from_millis(10),
        },
        overlap: Duration::from_millis(200),
        ..LiveSettings::of(&config, SEED)
    };
    change(&mut live);
    let world = World {
        exchange: exchanges.handle(),
        kept: Kept::default(),
        told: Arc::default(),
    };
    let (kept, told) = (world.kept.clone(), Arc::clone(&world.told));
    let stop = Arc::new(AtomicBool::new(false));
    let running = tokio::spawn(ingest(
        IngestSettings::from(&config),
        live,
        Arc::new(SystemClock),
        kept.clone(),
        Arc::clone(&stop),
        move |report: &LiveReport| {
            report.clone_into(&mut told.lock().unwrap_or_else(PoisonError::into_inner));
        },
    ));
    world.flows("binance", 40).await;
    world.flows("coinbase", 40).await;
    scenario(world).await;
    stop.store(true, Ordering::SeqCst);
    timeout(PATIENCE, running).await.unwrap().unwrap().unwrap();
    exchanges.stop().await;
    let settings = windowing::Settings::from(&config);
    let lines = kept.with(|all| std::mem::take(&mut all.lines));
    let windows = windowing::window_lines(&settings, lines.iter().map(String::as_bytes)).unwrap();
    assert!(windows.dead.is_empty(), "{:?}", windows.dead);
    assert!(windows.late.is_empty(), "{} late", windows.late.len());
    windows
}

fn of_pair<'a>(windows: &'a Lines, pair: &str) -> Vec<Spread<'a>> {
    let spreads = windows.spreads.iter();
    let spreads = spreads.map(|line| serde_json::from_slice::<Spread<'_>>(line).unwrap());
    let spreads: Vec<Spread<'_>> = spreads.filter(|spread| spread.pair == pair).collect();
    assert!(spreads.len() > 5, "{pair}: {} windows", spreads.len());
    for two in spreads.windows(2) {
        assert_eq!(
            two[1].start_ms - two[0].start_ms,
            WIDTH_MS,
            "no window is missing"
        );
    }
    spreads
}

/// The states of a venue's leg, one word for each stretch of windows. The rate comes seldom: not to have it yet is fine.
fn story(spreads: &[Spread<'_>], venue: &str) -> Vec<Quality> {
    let states = spreads.iter().filter_map(|spread| {
        let leg = spread.legs.iter().find(|leg| leg.venue == venue)?;
        Some(match leg.state {
            Quality::NoRate => Quality::Ok,
            state => state,
        })
    });
    let mut story: Vec<Quality> = states.collect();
    story.dedup();
    story
}

/// The last status of all, told at the end of the run, is in no story but the last window's.
fn without_the_end(mut story: Vec<Quality>) -> Vec<Quality> {
    if story.last() == Some(&Quality::VenueDown) {
        story.pop();
    }
    story
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_venue_is_out_and_back_in_its_own_legs_alone() {
    let windows = windows_of(
        |_| {},
        |world| async move {
            world.exchange.fault(BINANCE, Fault::Silent);
            world.statuses("binance", false, 1).await;
            world.flows("coinbase", 120).await;
            world.exchange.clear(BINANCE);
            world.statuses("binance", true, 2).await;
            world.flows("binance", 120).await;
        },
    )
    .await;
    for pair in ["BTC-USD", "ETH-USD"] {
        let spreads = of_pair(&windows, pair);
        let binance = without_the_end(story(&spreads, "binance"));
        let out_and_back = [Quality::Ok, Quality::VenueDown, Quality::Ok];
        assert_eq!(binance, out_and_back, "{pair}");
        assert_eq!(without_the_end(story(&spreads, "coinbase")), [Quality::Ok]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_both_venues_out_windows_wait_and_then_none_is_missing() {
    let windows = windows_of(
        |_| {},
        |world| async move {
            for dialect in [BINANCE, COINBASE] {
                world.exchange.fault(dialect, Fault::Outage);
            }
            world.statuses("binance", false, 1).await;
            world.statuses("coinbase", false, 1).await;
            sleep(Duration::from_millis(500)).await;
            for dialect in [BINANCE, COINBASE] {
                world.exchange.clear(dialect);
            }
            world.statuses("binance", true, 2).await;
            world.statuses("coinbase", true, 2).await;
            world.flows("binance", 120).await;
            world.flows("coinbase", 120).await;
        },
    )
    .await;
    let spreads = of_pair(&windows, "BTC-USD");
    for venue in ["binance", "coinbase"] {
        let story = without_the_end(story(&spreads, venue));
        assert_eq!(
            story,
            [Quality::Ok, Quality::VenueDown, Quality::Ok],
            "{venue}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crossed_book_is_a_crossed_leg_and_no_route_of_its_pair_alone() {
    let windows = windows_of(
        |_| {},
        |world| async move {
            let crossed = Fault::Crossed(Some("BTC-USD".to_owned()));
            world.exchange.fault(COINBASE, crossed);
            world.flows("coinbase", 200).await;
            world.exchange.clear(COINBASE);
            world.flows("coinbase", 120).await;
        },
    )
    .await;
    let spreads = of_pair(&windows, "BTC-USD");
    let crossed = spreads.iter().filter(|spread| {
        let leg = spread.legs.iter().find(|leg| leg.venue == "coinbase");
        leg.is_some_and(|leg| leg.state == Quality::Crossed)
    });
    let crossed: Vec<&Spread<'_>> = crossed.collect();
    assert!(!crossed.is_empty());
    for spread in crossed {
        assert!(
            spread.routes.iter().all(|route| route.end.is_none()),
            "{spread:?}"
        );
    }
    let eth = of_pair(&windows, "ETH-USD");
    assert_eq!(without_the_end(story(&eth, "coinbase")), [Quality::Ok]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rotation_is_seen_in_no_window() {
    let windows = windows_of(
        |live| live.rotate_after = Duration::from_millis(700),
        |world| async move {
            world
                .until("two takeovers each", || world.takeovers() >= 2)
                .await;
            world.flows("binance", 60).await;
        },
    )
    .await;
    for pair in ["BTC-USD", "ETH-USD"] {
        let spreads = of_pair(&windows, pair);
        for venue in ["binance", "coinbase"] {
            assert_eq!(
                without_the_end(story(&spreads, venue)),
                [Quality::Ok],
                "{pair} {venue}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_one_symbol_closes_no_window_late_and_loses_no_pair() {
    let windows = windows_of(
        |_| {},
        |world| async move {
            let flood = Fault::Flood { per_s: 50_000 };
            world
                .exchange
                .fault_for(BINANCE, flood, Duration::from_millis(500));
            world.flows("binance", 25_000).await;
            world.flows("coinbase", 60).await;
        },
    )
    .await;
    for pair in ["BTC-USD", "ETH-USD"] {
        let spreads = of_pair(&windows, pair);
        assert_eq!(
            without_the_end(story(&spreads, "coinbase")),
            [Quality::Ok],
            "{pair}"
        );
    }
}
