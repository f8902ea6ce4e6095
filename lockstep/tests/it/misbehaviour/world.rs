//! Imitated exchanges, live ingest, and what becomes of what it says: windows, and the alerter's episodes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use alerter::episode::{Episode, Input, Now, Place};
use contract::config::Config;
use contract::dead_letter::DeadLetter;
use contract::spread::{Quality, Spread};
use contract::tick::Record;
use contract::time::{NS_PER_MS, SystemClock};
use contract::venue::VenueHealth;
use ingest::core::{Collect, Core, Sink};
use ingest::gap::Gap;
use ingest::live::{BackoffSettings, LiveReport, LiveSettings};
use ingest::run::ingest;
use ingest::settings::IngestSettings;
use simulator::exchange::{Dialect, Exchanges, ExchangesSettings, Handle};
use simulator::market::MarketSettings;
use tokio::time::{Instant, sleep, timeout};
use windowing::Lines;

/// Far more than any scenario needs.
const PATIENCE: Duration = Duration::from_secs(120);
const SEED: u64 = 11;
const WIDTH_MS: i64 = 200;
/// How long a venue must be away for an alert.
pub(super) const OUTAGE: Duration = Duration::from_millis(1_500);

pub(super) const BINANCE: Dialect = Dialect::Binance;
pub(super) const COINBASE: Dialect = Dialect::CoinbaseAdvanced;

/// What ingest said.
#[derive(Debug, Default)]
struct Said {
    records: Collect,
    /// Records of `venues`, and when by the venue's clock, milliseconds.
    healths: Vec<(i64, Vec<u8>)>,
}

#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<Said>>);

/// What came of it.
pub(super) struct Seen {
    /// Windows.
    pub(super) windows: Lines,
    /// Episodes as they were in the end, in the order in which they began.
    pub(super) episodes: Vec<Episode>,
}

impl Kept {
    fn with<T>(&self, look: impl FnOnce(&mut Said) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn count(&self, what: &str) -> usize {
        self.with(|all| {
            all.records
                .lines
                .iter()
                .filter(|line| line.contains(what))
                .count()
        })
    }
}

impl Sink for Kept {
    fn tick(&mut self, record: &Record<'_>) {
        self.with(|all| all.records.tick(record));
    }

    fn everywhere(&mut self, record: &Record<'_>) {
        self.with(|all| all.records.everywhere(record));
    }

    fn health(&mut self, health: &VenueHealth<'_>) {
        let line = serde_json::to_vec(health).unwrap();
        self.with(|all| all.healths.push((health.at_ns.div_euclid(NS_PER_MS), line)));
    }

    fn dead_letter(&mut self, letter: DeadLetter) {
        self.with(|all| all.records.dead_letter(letter));
    }

    fn gap(&mut self, gap: &Gap) {
        self.with(|all| all.records.gap(gap));
    }
}

/// What a scenario may do while everything runs.
pub(super) struct World {
    pub(super) exchange: Handle,
    kept: Kept,
    told: Arc<Mutex<LiveReport>>,
}

impl World {
    pub(super) async fn until(&self, what: &str, wanted: impl Fn() -> bool) {
        let began = Instant::now();
        while !wanted() {
            assert!(began.elapsed() < PATIENCE, "never seen: {what}");
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits for so many more quotes of a venue.
    pub(super) async fn flows(&self, venue: &str, more: usize) {
        let quotes = format!(r#"{{"v":1,"kind":"quote","venue":"{venue}""#);
        let before = self.kept.count(&quotes);
        self.until(&quotes, || self.kept.count(&quotes) >= before + more)
            .await;
    }

    /// Waits for so many statuses that are, or are not, `up`.
    pub(super) async fn statuses(&self, venue: &str, up: bool, n: usize) {
        let told = || {
            self.kept.with(|all| {
                let start = format!(r#"{{"v":1,"kind":"status","venue":"{venue}""#);
                let of_venue = all
                    .records
                    .lines
                    .iter()
                    .filter(|line| line.starts_with(&start));
                of_venue
                    .filter(|line| !line.contains(ingest::core::BEGINNING))
                    .filter(|line| line.contains(r#""status":"up""#) == up)
                    .count()
            })
        };
        self.until(&format!("{venue} up {up} {n} times"), || told() >= n)
            .await;
    }

    /// Frames of a dialect; quotes of them may have been conflated.
    pub(super) fn frames(&self, dialect: ingest::venue::Dialect) -> u64 {
        let connections = &self.report().connections;
        connections.get(&dialect).map_or(0, |one| one.frames)
    }

    fn report(&self) -> MutexGuard<'_, LiveReport> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn takeovers(&self) -> u64 {
        let told = self.report();
        let takeovers = told.connections.values().map(|one| one.takeovers);
        takeovers.min().unwrap_or(0)
    }
}

/// Runs a scenario; gives what came of what ingest said.
pub(super) async fn seen<S>(
    change: impl FnOnce(&mut LiveSettings),
    scenario: impl FnOnce(World) -> S,
) -> Seen
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
         [ingest]\nmark_interval_ms = 50\nhealth_interval_ms = 100\nsilent_after_ms = 20000\n\
         [alerter]\noutage_after_ms = {}\n\
         [venues.binance]\nurl = \"{}\"\nmark_lag_ms = 5000\nsilent_after_ms = 1000\n\
         [venues.coinbase]\nurl = \"{}\"\nmark_lag_ms = 5000\n",
        OUTAGE.as_millis(),
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
        move |report: &LiveReport, _: &Core| {
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
    let lines = kept.with(|all| std::mem::take(&mut all.records.lines));
    let windows = windowing::window_lines(&settings, lines.iter().map(String::as_bytes)).unwrap();
    assert!(windows.dead.is_empty(), "{:?}", windows.dead);
    assert!(windows.late.is_empty(), "{} late", windows.late.len());
    let healths = kept.with(|said| std::mem::take(&mut said.healths));
    let episodes = episodes(&config, &windows, healths);
    Seen { windows, episodes }
}

/// The alerter's episodes of windows and health figures, each read at its own time.
fn episodes(config: &Config, windows: &Lines, healths: Vec<(i64, Vec<u8>)>) -> Vec<Episode> {
    let spreads = windows.spreads.iter().map(|line| {
        let spread: Spread<'_> = serde_json::from_slice(line).unwrap();
        (spread.start_ms + WIDTH_MS, Input::Spreads, line.clone())
    });
    let healths = healths
        .into_iter()
        .map(|(at_ms, line)| (at_ms, Input::Venues, line));
    let mut records: Vec<(i64, Input, Vec<u8>)> = spreads.chain(healths).collect();
    records.sort_by_key(|(at_ms, ..)| *at_ms);
    let began_ms = records.first().unwrap().0;
    let now = |at_ms| Now {
        wall_ms: at_ms,
        steady_ms: at_ms - began_ms,
    };
    let mut core = alerter::core::Core::new(alerter::Settings::of(config).unwrap(), now(began_ms));
    let mut seen: Vec<Episode> = Vec::new();
    for (offset, (at_ms, input, line)) in (0..).zip(&records) {
        let place = Place {
            input: *input,
            partition: 0,
            offset,
        };
        core.record(place, line, now(*at_ms));
        core.tick(now(*at_ms));
        for episode in core.take_news() {
            match seen.iter_mut().find(|known| known.id == episode.id) {
                Some(known) => *known = episode,
                None => seen.push(episode),
            }
        }
    }
    assert!(core.take_dead_letters().is_empty());
    seen
}

pub(super) fn of_pair<'a>(windows: &'a Lines, pair: &str) -> Vec<Spread<'a>> {
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
pub(super) fn story(spreads: &[Spread<'_>], venue: &str) -> Vec<Quality> {
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

/// Before it is first heard of a venue is out, for as long as another was there sooner; and the last status of all, told at
/// the end of the run, is in the last window. Neither belongs to the story.
pub(super) fn without_the_ends(mut story: Vec<Quality>) -> Vec<Quality> {
    if story.last() == Some(&Quality::VenueDown) {
        story.pop();
    }
    if story.first() == Some(&Quality::VenueDown) {
        story.remove(0);
    }
    story
}
