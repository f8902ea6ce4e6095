//! All connections at once, and the one thread that takes what they bring.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use contract::time::Clock;
use tokio::sync::mpsc::Receiver;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_tungstenite::tungstenite::http::Uri;

use super::keeper::Keeper;
use super::link::Common;
use super::queue::{Event, Queue, queue};
use super::subscribe::plan;
use super::tally::Counts;
use super::{ConnectionSettings, LiveReport, LiveSettings, tls};
use crate::core::Connection;
use crate::error::IngestError;
use crate::record::Beside;
use crate::venue::Dialect;

/// How soon a stop is noticed.
const STOP_CHECK: Duration = Duration::from_millis(20);

/// What becomes of the frames. Called from one thread, in the order of the queue. An error stops everything.
pub(crate) trait Consumer: Send + 'static {
    /// A connection was made.
    fn connected(&mut self, connection: Connection, at_ns: i64) -> Result<(), IngestError>;
    /// A text frame.
    fn frame(
        &mut self,
        connection: Connection,
        received_ns: i64,
        text: &str,
    ) -> Result<(), IngestError>;
    /// A message that is not text.
    fn not_text(
        &mut self,
        connection: Connection,
        received_ns: i64,
        bytes: &[u8],
    ) -> Result<(), IngestError>;
    /// A connection ended, or could not be made; told again for each attempt that fails.
    fn ended(
        &mut self,
        connection: Connection,
        at_ns: i64,
        reason: &str,
    ) -> Result<(), IngestError>;
    /// Our clock reached this.
    fn tick(&mut self, at_ns: i64, report: &LiveReport) -> Result<(), IngestError>;
    /// So much waits behind what comes next.
    fn waiting(&mut self, _events: usize) {}
    /// Quotes replaced by newer ones before they were sent.
    fn conflated(&self) -> u64 {
        0
    }
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
    let mut counts = Vec::new();
    let mut keepers = Vec::new();
    let connector = tls::connector(settings.ca_file.as_deref())?;
    for (at, connection) in settings.connections.iter().enumerate() {
        if connection.is_empty() {
            continue;
        }
        check(connection)?;
        let count = Arc::new(Counts::default());
        counts.push((connection.dialect, Arc::clone(&count)));
        let common = Common {
            plan: plan(connection)?,
            connection: connection.clone(),
            connect_timeout: settings.connect_timeout,
            connector: connector.clone(),
            clock: Arc::clone(&clock),
            queue: way_in.clone(),
            counts: count,
            stopped: stopped.clone(),
        };
        let seed = settings.seed.wrapping_add(u64::try_from(at).unwrap_or(0));
        keepers.push(Keeper::new(common, &settings, seed));
    }
    if keepers.is_empty() {
        return Err(IngestError::NoConnections);
    }
    let beside = settings.record.as_deref().map(Beside::create).transpose()?;
    let thread = Thread {
        consumer,
        beside,
        counts,
        report: LiveReport::default(),
    };
    let consumed = thread.start(events, Arc::clone(&stop))?;
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

pub(super) fn check(connection: &ConnectionSettings) -> Result<(), IngestError> {
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

/// The thread that takes what the connections bring.
struct Thread<C> {
    consumer: C,
    beside: Option<Beside>,
    counts: Vec<(Dialect, Arc<Counts>)>,
    report: LiveReport,
}

impl<C: Consumer> Thread<C> {
    /// Starts it. It ends when every way into the queue is closed, or with the consumer's error, which also sets `stop`.
    fn start(
        mut self,
        mut events: Receiver<Event>,
        stop: Arc<AtomicBool>,
    ) -> Result<Consumed<C>, IngestError> {
        let (done, consumed) = oneshot::channel();
        let run = move || {
            while let Some(event) = events.blocking_recv() {
                self.report.waiting = events.len();
                self.consumer.waiting(self.report.waiting);
                if let Err(error) = self.take(&event) {
                    stop.store(true, Ordering::Relaxed);
                    let _ = done.send(Err(error));
                    return;
                }
            }
            if let Some(beside) = &mut self.beside {
                beside.finish();
            }
            self.fill_report();
            let _ = done.send(Ok((self.consumer, self.report)));
        };
        let name = "ingest-consumer".to_owned();
        let started = thread::Builder::new().name(name).spawn(run);
        started.map_err(|error| IngestError::Task(error.to_string()))?;
        Ok(consumed)
    }

    fn take(&mut self, event: &Event) -> Result<(), IngestError> {
        self.report.count(event);
        if matches!(event, Event::Tick { .. }) {
            self.fill_report();
        }
        if let Some(beside) = &mut self.beside {
            beside.run(|recorder| hand_over(event, recorder, &self.report));
        }
        hand_over(event, &mut self.consumer, &self.report)
    }

    fn fill_report(&mut self) {
        for (dialect, counts) in &self.counts {
            self.report.take(*dialect, counts);
        }
        self.report.conflated = self.consumer.conflated();
        self.report.recording = self.beside.as_ref().map(Beside::report);
    }
}

fn hand_over(
    event: &Event,
    consumer: &mut impl Consumer,
    report: &LiveReport,
) -> Result<(), IngestError> {
    match event {
        Event::Connected {
            connection, at_ns, ..
        } => consumer.connected(*connection, *at_ns),
        Event::Frame {
            connection,
            received_ns,
            text,
            ..
        } => consumer.frame(*connection, *received_ns, text),
        Event::NotText {
            connection,
            received_ns,
            bytes,
            ..
        } => consumer.not_text(*connection, *received_ns, bytes),
        Event::Ended {
            connection,
            at_ns,
            reason,
        } => consumer.ended(*connection, *at_ns, reason),
        Event::Tick { at_ns } => consumer.tick(*at_ns, report),
    }
}
