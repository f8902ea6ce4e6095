//! Live ingest over imitated exchanges, and what everything it says must obey whatever happens.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contract::config::Config;
use contract::dead_letter::DeadLetter;
use contract::tick::{Record, VenueStatus, decode};
use contract::time::SystemClock;
use contract::venue::VenueHealth;
use ingest::core::{BEGINNING, Collect, Core, Sink};
use ingest::error::IngestError;
use ingest::gap::Gap;
use ingest::live::{BackoffSettings, ConnectionReport, LiveReport, LiveSettings};
use ingest::run::{Ingested, ingest};
use ingest::settings::IngestSettings;
use serde_json::Value;
use simulator::exchange::{Dialect, Exchanges, ExchangesSettings, Fault, Handle};
use simulator::market::MarketSettings;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

/// Far more than any scenario needs; one that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(120);

/// The seed of the market and of the jitter.
const SEED: u64 = 11;

/// When Binance is called silent, where that is what a scenario is about. Elsewhere no pause of a busy machine may be taken
/// for silence.
pub(super) const SILENT_MS: i64 = 1_000;
const NEVER_MS: i64 = 20_000;

/// Nobody is held up so long: far beyond the few milliseconds between quotes, and below any time limit.
const HELD_UP_NS: i64 = 5_000_000_000;

/// Keeps what ingest says.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    all: Arc<Mutex<Collect>>,
    /// How long each record takes.
    delay: Arc<Mutex<Duration>>,
}

impl Kept {
    pub(super) fn look<T>(&self, look: impl FnOnce(&Collect) -> T) -> T {
        look(&self.all.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn with(&self, keep: impl FnOnce(&mut Collect)) {
        let delay = *self.delay.lock().unwrap_or_else(PoisonError::into_inner);
        if !delay.is_zero() {
            std::thread::park_timeout(delay);
        }
        keep(&mut self.all.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Sink for Kept {
    fn tick(&mut self, record: &Record<'_>) {
        self.with(|all| all.tick(record));
    }

    fn everywhere(&mut self, record: &Record<'_>) {
        self.with(|all| all.everywhere(record));
    }

    fn health(&mut self, health: &VenueHealth<'_>) {
        self.with(|all| all.health(health));
    }

    fn dead_letter(&mut self, letter: DeadLetter) {
        self.with(|all| all.dead_letter(letter));
    }

    fn gap(&mut self, gap: &Gap) {
        self.with(|all| all.gap(gap));
    }
}

/// Exchanges and ingest, running.
pub(super) struct World {
    exchanges: Exchanges,
    pub(super) exchange: Handle,
    pub(super) kept: Kept,
    told: Arc<Mutex<LiveReport>>,
    stop: Arc<AtomicBool>,
    task: JoinHandle<Result<Ingested<Kept>, IngestError>>,
}

impl World {
    /// Both venues up and delivering, Coinbase in its Advanced dialect.
    pub(super) async fn new() -> Self {
        Self::with(Dialect::CoinbaseAdvanced, |_, _| {}).await
    }

    /// The same, where Binance is called silent after [`SILENT_MS`].
    pub(super) async fn soon_silent() -> Self {
        Self::of(Dialect::CoinbaseAdvanced, SILENT_MS, |_, _| {}).await
    }

    /// The same, with one of Coinbase's dialects, and with what `change` makes of the settings.
    pub(super) async fn with(
        coinbase: Dialect,
        change: impl FnOnce(&mut ExchangesSettings, &mut LiveSettings),
    ) -> Self {
        Self::of(coinbase, NEVER_MS, change).await
    }

    async fn of(
        coinbase: Dialect,
        silent_ms: i64,
        change: impl FnOnce(&mut ExchangesSettings, &mut LiveSettings),
    ) -> Self {
        let mut market = MarketSettings::two_venues(SEED);
        for symbol in &mut market.symbols {
            (symbol.quotes_per_s, symbol.trades_per_s) = (60, 20);
        }
        let mut settings = ExchangesSettings::new(market);
        settings.servers.remove(&Dialect::CoinbaseAdvanced);
        settings.servers.insert(coinbase, Default::default());
        settings.limits.ping_every_ms = 400;
        settings.limits.heartbeat_every_ms = 100;
        // Addresses are known once somebody listens; until then anything will do.
        let mut live = live(&config(coinbase, silent_ms, &|_| {
            "ws://127.0.0.1:1".to_owned()
        }));
        change(&mut settings, &mut live);
        let exchanges = Exchanges::start(settings, Arc::new(SystemClock), None);
        let exchanges = exchanges.await.unwrap();
        let exchange = exchanges.handle();
        let config = config(coinbase, silent_ms, &|dialect| exchange.url(dialect));
        for connection in &mut live.connections {
            let dialect = match connection.dialect {
                ingest::venue::Dialect::Binance => Dialect::Binance,
                _ => coinbase,
            };
            connection.urls = vec![exchange.url(dialect)];
        }
        let kept = Kept::default();
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::new(Mutex::new(LiveReport::default()));
        let tell = Arc::clone(&told);
        let task = tokio::spawn(ingest(
            IngestSettings::from(&config),
            live,
            Arc::new(SystemClock),
            kept.clone(),
            Arc::clone(&stop),
            move |report: &LiveReport, _: &Core| {
                report.clone_into(&mut tell.lock().unwrap_or_else(PoisonError::into_inner));
            },
        ));
        let world = Self {
            exchanges,
            exchange,
            kept,
            told,
            stop,
            task,
        };
        world.flows("binance", 40).await;
        world.flows("coinbase", 40).await;
        world
    }

    /// Makes every record take so long to be kept.
    pub(super) fn delay(&self, delay: Duration) {
        *self
            .kept
            .delay
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = delay;
    }

    /// Waits until what was said and done is as wanted.
    pub(super) async fn until(&self, what: &str, wanted: impl Fn(&Collect, &LiveReport) -> bool) {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let told = self.told();
            if self.kept.look(|kept| wanted(kept, &told)) {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
        let statuses = self.kept.look(|kept| statuses(&kept.lines, ""));
        panic!("never seen: {what}; {statuses:?}; {:?}", self.told());
    }

    /// Waits until so many more quotes of a venue have come.
    pub(super) async fn flows(&self, venue: &str, more: usize) {
        let before = self.kept.look(|kept| quotes(&kept.lines, venue));
        let what = format!("{more} more quotes of {venue}");
        self.until(&what, |kept, _| quotes(&kept.lines, venue) >= before + more)
            .await;
    }

    /// Waits until a venue's last status is this.
    pub(super) async fn status(&self, venue: &str, status: &str) {
        self.until(&format!("{venue} {status}"), |kept, _| {
            let statuses = statuses(&kept.lines, venue);
            statuses.last().is_some_and(|last| last.starts_with(status))
        })
        .await;
    }

    pub(super) fn told(&self) -> LiveReport {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.clone()
    }

    /// What the connections to a venue have done so far.
    pub(super) fn connection(&self, venue: &str) -> ConnectionReport {
        connection(&self.told(), venue)
    }

    /// Stops all, and holds what was said to what always holds.
    pub(super) async fn stop(self) -> Ended {
        // Everything that happened is followed by something ordinary.
        sleep(Duration::from_millis(300)).await;
        self.stop.store(true, Ordering::SeqCst);
        let ended = timeout(PATIENCE, self.task)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        let reports = [Dialect::Binance, Dialect::CoinbaseAdvanced]
            .map(|dialect| self.exchange.report(dialect));
        for report in &reports {
            assert_eq!(report.too_slow, 0, "{report:?}");
        }
        self.exchanges.stop().await;
        let kept = ended.sink.look(|kept| Collect {
            lines: kept.lines.clone(),
            health: kept.health.clone(),
            dead_letters: kept.dead_letters.clone(),
            gaps: kept.gaps.clone(),
        });
        let ended = Ended {
            ingested: ended,
            kept,
        };
        ended.assert_always();
        ended
    }
}

fn config(coinbase: Dialect, silent_ms: i64, url: &dyn Fn(Dialect) -> String) -> Config {
    let dialect = match coinbase {
        Dialect::CoinbaseExchange => "exchange",
        _ => "advanced",
    };
    let text = format!(
        "[ingest]\nmark_interval_ms = 50\nhealth_interval_ms = 100\nsilent_after_ms = {NEVER_MS}\n\
         [venues.binance]\nsilent_after_ms = {silent_ms}\nurl = \"{}\"\nmark_lag_ms = 200\n\
         [venues.coinbase]\ndialect = \"{dialect}\"\nurl = \"{}\"\nmark_lag_ms = 200\n",
        url(Dialect::Binance),
        url(coinbase),
    );
    Config::load(Some(("test.toml", &text)), std::iter::empty()).unwrap()
}

fn live(config: &Config) -> LiveSettings {
    LiveSettings {
        backoff: BackoffSettings {
            first: Duration::from_millis(20),
            cap: Duration::from_millis(100),
            spacing: Duration::from_millis(10),
        },
        overlap: Duration::from_millis(200),
        takeover_within: Duration::from_secs(5),
        connect_timeout: Duration::from_millis(500),
        ..LiveSettings::of(config, SEED)
    }
}

/// How it ended.
pub(super) struct Ended {
    pub(super) ingested: Ingested<Kept>,
    pub(super) kept: Collect,
}

impl Ended {
    /// Statuses of a venue, as `up`, `silent: reason`.
    pub(super) fn statuses(&self, venue: &str) -> Vec<String> {
        statuses(&self.kept.lines, venue)
    }

    /// One outage with a beginning and an end, then the end of the run.
    pub(super) fn assert_one_outage(&self, venue: &str) -> String {
        let statuses = self.statuses(venue);
        let [up, out, again, stopped] = &statuses[..] else {
            panic!("{venue}: {statuses:?}")
        };
        assert_eq!((up.as_str(), again.as_str()), ("up", "up"), "{statuses:?}");
        assert_eq!(stopped, "down: stopped");
        out.clone()
    }

    /// No outage at all.
    pub(super) fn assert_no_outage(&self, venue: &str) {
        assert_eq!(self.statuses(venue), ["up", "down: stopped"], "{venue}");
    }

    pub(super) fn connection(&self, venue: &str) -> ConnectionReport {
        connection(&self.ingested.live, venue)
    }

    /// Stamps of a venue's outages, from the first word of it to the next `up`.
    fn outages(&self, venue: &str) -> Vec<(i64, i64)> {
        let mut outages = Vec::new();
        let mut since = None;
        for line in &self.kept.lines {
            let Ok(Record::Status(status)) = decode(line.as_bytes()) else {
                continue;
            };
            if status.venue != venue || status.detail == BEGINNING {
                continue;
            }
            match status.status {
                VenueStatus::Up => outages.extend(since.take().map(|from| (from, status.event_ns))),
                _ => since = Some(status.event_ns),
            }
        }
        outages
    }

    /// What holds whatever the exchanges do.
    fn assert_always(&self) {
        let mut seen: BTreeSet<(String, String, String)> = BTreeSet::new();
        let mut last_seq: BTreeMap<String, u64> = BTreeMap::new();
        let mut is_up: BTreeMap<String, bool> = BTreeMap::new();
        let mut marks: BTreeMap<String, i64> = BTreeMap::new();
        for line in &self.kept.lines {
            let record = decode(line.as_bytes()).unwrap();
            let venue = record.venue().to_owned();
            let up = is_up.get(&venue).copied();
            match &record {
                Record::Trade(trade) => {
                    assert_eq!(up, Some(true), "{line}");
                    let key = (venue, trade.symbol.to_string(), trade.trade_id.to_string());
                    assert!(seen.insert(key), "told twice: {line}");
                }
                Record::Quote(quote) => {
                    assert_eq!(up, Some(true), "{line}");
                    // Of Coinbase Advanced it is the connection's.
                    if let (Some(seq), "binance") = (quote.seq, venue.as_str()) {
                        let key = format!("{venue} {}", quote.symbol);
                        let last = last_seq.insert(key, seq);
                        assert!(last < Some(seq), "told twice or backwards: {line}");
                    }
                }
                Record::Status(status) => {
                    let is_now = status.status == VenueStatus::Up;
                    assert_ne!(up, Some(is_now), "told twice: {line}");
                    is_up.insert(venue, is_now);
                }
                Record::Mark(mark) => {
                    let last = marks.insert(venue, mark.event_ns);
                    assert!(last <= Some(mark.event_ns), "a mark went back: {line}");
                }
                Record::Rate(_) => {}
            }
        }
    }

    /// Outside of its own outages, a venue's quotes of a pair come one soon after the other.
    pub(super) fn assert_not_held_up(&self, venue: &str, pair: &str) {
        let outages = self.outages(venue);
        let stamps = self
            .kept
            .lines
            .iter()
            .filter_map(|line| match decode(line.as_bytes()) {
                Ok(Record::Quote(quote)) if quote.venue == venue && quote.pair == pair => {
                    Some(quote.event_ns)
                }
                _ => None,
            });
        let mut stamps: Vec<i64> = stamps.collect();
        stamps.sort_unstable();
        assert!(stamps.len() > 10, "{venue} {pair}: {} quotes", stamps.len());
        for two in stamps.windows(2) {
            let is_outage = |(from, to): &(i64, i64)| *from <= two[1] && two[0] <= *to;
            let held_up_ns = two[1] - two[0];
            assert!(
                held_up_ns < HELD_UP_NS || outages.iter().any(is_outage),
                "{venue} {pair} held up for {held_up_ns} ns from {}",
                two[0]
            );
        }
    }

    /// The newest health record of a venue.
    pub(super) fn health(&self, venue: &str) -> Value {
        let mut health = self.kept.health.iter().rev();
        let line = health.find(|line| line.contains(&format!(r#""venue":"{venue}""#)));
        serde_json::from_str(line.unwrap()).unwrap()
    }
}

fn connection(told: &LiveReport, venue: &str) -> ConnectionReport {
    let of = |(dialect, _): &(&ingest::venue::Dialect, _)| dialect.venue() == venue;
    let one = told.connections.iter().find(of);
    one.map(|(_, one)| one.clone()).unwrap_or_default()
}

fn quotes(lines: &[String], venue: &str) -> usize {
    let start = format!(r#"{{"v":1,"kind":"quote","venue":"{venue}""#);
    lines.iter().filter(|line| line.starts_with(&start)).count()
}

/// Statuses as `up`, `silent: reason`, but for the one with which a run begins; of all venues where `wanted` is empty.
fn statuses(lines: &[String], wanted: &str) -> Vec<String> {
    let told = lines.iter().filter_map(|line| {
        let Ok(Record::Status(status)) = decode(line.as_bytes()) else {
            return None;
        };
        let is_wanted = (wanted.is_empty() || wanted == status.venue) && status.detail != BEGINNING;
        is_wanted.then(|| match status.status {
            VenueStatus::Up => "up".to_owned(),
            VenueStatus::Silent => format!("silent: {}", status.detail),
            VenueStatus::Down => format!("down: {}", status.detail),
        })
    });
    told.collect()
}

/// A fault, told and taken back.
pub(super) struct While<'a> {
    world: &'a World,
    dialect: Dialect,
}

impl World {
    /// Misbehaves until the answer is dropped.
    pub(super) fn misbehaving(&self, dialect: Dialect, fault: Fault) -> While<'_> {
        self.exchange.fault(dialect, fault);
        While {
            world: self,
            dialect,
        }
    }
}

impl Drop for While<'_> {
    fn drop(&mut self) {
        self.world.exchange.clear(self.dialect);
    }
}
