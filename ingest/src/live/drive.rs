//! All connections at once, and the one thread that takes what they bring.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use contract::time::Clock;
use tokio::sync::mpsc::Receiver;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_tungstenite::tungstenite::http::Uri;

use super::backoff::Backoff;
use super::connection::Keeper;
use super::queue::{Event, Queue, queue};
use super::subscribe::plan;
use super::{ConnectionSettings, LiveReport, LiveSettings, tls};
use crate::error::IngestError;
use crate::venue::Dialect;

/// How soon a stop is noticed.
const STOP_CHECK: Duration = Duration::from_millis(20);

/// What becomes of the frames. Called from one thread, in the order of the queue. An error stops everything.
pub(crate) trait Consumer: Send + 'static {
    /// A connection was made.
    fn connected(&mut self, dialect: Dialect, at_ns: i64) -> Result<(), IngestError>;
    /// A text frame.
    fn frame(&mut self, dialect: Dialect, received_ns: i64, text: &str) -> Result<(), IngestError>;
    /// A message that is not text.
    fn not_text(
        &mut self,
        dialect: Dialect,
        received_ns: i64,
        bytes: &[u8],
    ) -> Result<(), IngestError>;
    /// A connection ended, or could not be made; told again for each attempt that fails.
    fn ended(&mut self, dialect: Dialect, at_ns: i64, reason: &str) -> Result<(), IngestError>;
    /// Our clock reached this.
    fn tick(&mut self, at_ns: i64, report: &LiveReport) -> Result<(), IngestError>;
}

/// Keeps the connections and hands what they bring to `consumer`, with a tick every `tick`, until `stop` is set or the
/// consumer fails. Then the connections are closed, what is in the queue is still handed over, and the consumer given
/// back.
///
/// # Errors
/// Settings that no connection can be made with; the consumer's error.
pub(crate) async fn drive<C: Consumer>(
    settings: LiveSettings,
    clock: Arc<dyn Clock>,
    stop: Arc<AtomicBool>,
    tick: Duration,
    consumer: C,
) -> Result<(C, LiveReport), IngestError> {
    let (way_in, events) = queue(settings.queue_frames, settings.queue_bytes);
    let (stop_all, stopped) = watch::channel(false);
    let mut waits = Vec::new();
    let mut keepers = Vec::new();
    let connector = tls::connector()?;
    for (connection, seed) in settings.connections.into_iter().zip(settings.seed..) {
        if connection.is_empty() {
            continue;
        }
        check(&connection)?;
        let queue = way_in.another();
        waits.push((connection.dialect, queue.waits()));
        keepers.push(Keeper {
            plan: plan(&connection)?,
            connection,
            connect_timeout: settings.connect_timeout,
            spacing: settings.backoff.spacing,
            backoff: Backoff::new(settings.backoff, seed),
            connector: connector.clone(),
            clock: Arc::clone(&clock),
            queue,
            stopped: stopped.clone(),
        });
    }
    if keepers.is_empty() {
        return Err(IngestError::NoConnections);
    }
    let consumed = consume(events, consumer, waits, Arc::clone(&stop))?;
    let mut tasks: JoinSet<()> = keepers.into_iter().map(Keeper::keep).collect();
    tasks.spawn(ticks(clock, tick, way_in, stopped));
    let mut broken = None;
    while !stop.load(Ordering::Relaxed) {
        tokio::select! {
            () = tokio::time::sleep(STOP_CHECK) => {}
            // They end only when told, or when the consumer is gone: its answer says why.
            ended = tasks.join_next() => {
                broken = ended.and_then(Result::err);
                break;
            }
        }
    }
    stop_all.send_replace(true);
    while let Some(ended) = tasks.join_next().await {
        broken = ended.err().or(broken);
    }
    let done = consumed.await;
    if let Some(error) = broken {
        return Err(IngestError::Task(error.to_string()));
    }
    done.map_err(|_| IngestError::Task("the thread that takes frames panicked".to_owned()))?
}

fn check(connection: &ConnectionSettings) -> Result<(), IngestError> {
    let fault = |value: &str| IngestError::Setting {
        name: format!("venues.{}.url", connection.dialect.venue()),
        value: value.to_owned(),
        range: "an address such as `wss://host` or `ws://127.0.0.1:9443`".to_owned(),
    };
    if connection.urls.is_empty() {
        return Err(fault(""));
    }
    for url in &connection.urls {
        let uri: Uri = url.parse().map_err(|_| fault(url))?;
        let known = matches!(uri.scheme_str(), Some("ws" | "wss"));
        if !known || uri.host().is_none_or(str::is_empty) || uri.query().is_some() {
            return Err(fault(url));
        }
    }
    Ok(())
}

/// Tells the time, through the queue like everything else.
async fn ticks(
    clock: Arc<dyn Clock>,
    every: Duration,
    queue: Queue,
    mut stopped: watch::Receiver<bool>,
) {
    let mut ticks = interval(every.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return,
            _ = ticks.tick() => {}
        }
        let at_ns = clock.now_ns();
        if queue.tell(Event::Tick { at_ns }).await.is_err() {
            return;
        }
    }
}

type Consumed<C> = oneshot::Receiver<Result<(C, LiveReport), IngestError>>;
type Waits = Vec<(Dialect, Arc<AtomicU64>)>;

/// Starts the consumer's thread. It ends when every way into the queue is closed, or with the consumer's error, which
/// also sets `stop`.
fn consume<C: Consumer>(
    mut events: Receiver<Event>,
    mut consumer: C,
    waits: Waits,
    stop: Arc<AtomicBool>,
) -> Result<Consumed<C>, IngestError> {
    let (done, consumed) = oneshot::channel();
    let run = move || {
        let mut report = LiveReport::default();
        let count_waits = |report: &mut LiveReport| {
            for (dialect, waits) in &waits {
                report.of(*dialect).waits = waits.load(Ordering::Relaxed);
            }
        };
        while let Some(event) = events.blocking_recv() {
            report.count(&event);
            if matches!(event, Event::Tick { .. }) {
                count_waits(&mut report);
            }
            if let Err(error) = hand_over(&event, &mut consumer, &report) {
                stop.store(true, Ordering::Relaxed);
                let _ = done.send(Err(error));
                return;
            }
        }
        count_waits(&mut report);
        let _ = done.send(Ok((consumer, report)));
    };
    let name = "ingest-consumer".to_owned();
    let started = thread::Builder::new().name(name).spawn(run);
    started.map_err(|error| IngestError::Task(error.to_string()))?;
    Ok(consumed)
}

fn hand_over(
    event: &Event,
    consumer: &mut impl Consumer,
    report: &LiveReport,
) -> Result<(), IngestError> {
    match event {
        Event::Connected { dialect, at_ns, .. } => consumer.connected(*dialect, *at_ns),
        Event::Frame {
            dialect,
            received_ns,
            text,
            ..
        } => consumer.frame(*dialect, *received_ns, text),
        Event::NotText {
            dialect,
            received_ns,
            bytes,
            ..
        } => consumer.not_text(*dialect, *received_ns, bytes),
        Event::Ended {
            dialect,
            at_ns,
            reason,
        } => consumer.ended(*dialect, *at_ns, reason),
        Event::Tick { at_ns } => consumer.tick(*at_ns, report),
    }
}
