//! EEG in this process: a source onto `eeg-samples`, windows of it onto `eeg-states`, and something that looks at the results.
//!
//! ```text
//! recording, board, simulated headset -> [eeg-samples] -> windows -> [eeg-states]
//!   source thread                          windows thread         |
//!                                                                 +--> front (this thread): dashboard, lines, or spreads
//! ```
//!
//! Either half may be missing: a source alone, or windows alone. What ends first ends the rest in the order of the data.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use cerebral::Band;
use cerebral::feed::{self, Ended, FeedCounts, FeedOptions, FeedSpec, Source};
use cerebral::stream::twin::{Pool, TwinSettings};
use cerebral::stream::window::WindowSettings;
use cerebral::stream::work::{Seen, StreamSettings, Tally};
use contract::topic;
use kafka_io::{Broker, KafkaError, Start};
use windowing::WindowingError;
use windowing::run::{Delivery, Job, JobHandle, JobOptions};
use windowing::shard::Shard;

use crate::failure::Failure;
use crate::metrics::Metrics;
use crate::metrics::cerebral::CerebralStage;
use crate::simulated::SimulatedHeadset;
use crate::stages::{READY, join, named};
use crate::stop::Stop;
use crate::table::Summary;

/// How long the end of the log may be asked for.
const ASK: std::time::Duration = std::time::Duration::from_secs(30);

/// What is read, and how.
pub(crate) struct Feeding {
    pub(crate) source: Box<dyn Source>,
    pub(crate) options: FeedOptions,
}

/// How windows are made.
pub(crate) struct Windowing {
    pub(crate) settings: Arc<StreamSettings>,
    pub(crate) workers: usize,
    pub(crate) shard: Shard,
    pub(crate) delivery: Delivery,
    pub(crate) start: Start,
}

/// A twin that is there sooner than the one of a recording: somebody looks at it for a minute or two.
const DEMO_TWIN_S: [f64; 2] = [30.0, 10.0];

impl Feeding {
    /// The simulated headset, at life's pace.
    pub(crate) fn of_headset(headset: &SimulatedHeadset) -> Result<Self, Failure> {
        let options = FeedOptions {
            session: Some(FeedSpec::Sim.session()),
            ..FeedOptions::default()
        };
        let source = FeedSpec::Serial(headset.path().to_owned()).open(&options)?;
        Ok(Self { source, options })
    }
}

impl Windowing {
    /// What the demonstration shows: the alpha band, with a twin.
    pub(crate) fn of_demo(seed: u64, workers: usize) -> Result<Self, Failure> {
        let window = WindowSettings {
            seed,
            ..WindowSettings::new(Band::new(8.0, 13.0)?)
        };
        let [over_s, after_s] = DEMO_TWIN_S;
        let twin = TwinSettings {
            calibrate_over_s: over_s,
            use_after_s: after_s,
            ..TwinSettings::new(window.band)
        };
        let pool = Pool::new(1).context("could not start a thread to calibrate on")?;
        let settings = StreamSettings::new(window).with_twin(twin, Arc::new(pool));
        Ok(Self {
            settings: Arc::new(settings),
            workers,
            shard: Shard::ALL,
            delivery: Delivery::AtLeastOnce,
            start: Start::End,
        })
    }
}

/// What runs.
pub(crate) struct Plan<'a> {
    pub(crate) broker: &'a Broker,
    pub(crate) feeding: Option<Feeding>,
    pub(crate) windowing: Option<Windowing>,
    pub(crate) metrics: &'a Metrics,
    pub(crate) stop: &'a Stop,
}

/// What a front may look at.
pub(crate) struct View {
    /// The job, if there is one.
    pub(crate) windows: Option<JobHandle<StreamSettings>>,
    /// What the source did so far.
    pub(crate) counts: Arc<FeedCounts>,
    ended: Arc<AtomicBool>,
}

impl View {
    /// Whether everything that will be written is written.
    pub(crate) fn is_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }
}

/// What was done.
pub(crate) struct Done<F> {
    /// What the source did, if there was one.
    pub(crate) fed: Option<feed::Tally>,
    /// What the windows said, if they were made here.
    pub(crate) tally: Option<Tally>,
    /// What the front gives.
    pub(crate) front: F,
}

/// Runs all of it until the source ends or somebody stops it.
pub(crate) fn run<F>(
    plan: Plan<'_>,
    front: impl FnOnce(&View) -> Result<F, Failure>,
) -> Result<Done<F>, Failure> {
    let Plan {
        broker,
        feeding,
        windowing,
        metrics,
        stop,
    } = plan;
    let counts = feeding
        .as_ref()
        .map(|feeding| Arc::clone(&feeding.options.counts))
        .unwrap_or_default();
    let exactly_once = |windowing: &Windowing| match &windowing.delivery {
        Delivery::ExactlyOnce(exactly) => Some(exactly.transaction_timeout),
        Delivery::AtLeastOnce => None,
    };
    let transaction = windowing.as_ref().and_then(exactly_once);
    let job = windowing
        .map(|windowing| {
            let options = JobOptions {
                start: windowing.start,
                workers: windowing.workers,
                shard: windowing.shard,
                delivery: windowing.delivery,
                stop: Arc::clone(&stop.flag),
                on_new_name: Arc::new(|session| tracing::info!(session, "a session begins")),
            };
            Job::new(&windowing.settings, broker, &options)
        })
        .transpose()?;
    let view = View {
        windows: job.as_ref().map(Job::handle),
        counts: Arc::clone(&counts),
        ended: Arc::default(),
    };
    metrics.enter(CerebralStage::new(
        view.windows.clone(),
        feeding.is_some().then(|| Arc::clone(&counts)),
        transaction,
    ));
    let (fed, windowed, shown) = std::thread::scope(|scope| {
        let view = &view;
        let has_job = job.is_some();
        let windowing = job.map(|job| {
            named(scope, "eeg-windows", stop, move || {
                let result = job.run();
                view.ended.store(true, Ordering::SeqCst);
                result.map_err(failure)
            })
        });
        let publishing = feeding.map(|feeding| {
            named(scope, "eeg-source", stop, move || {
                if let Some(windows) = &view.windows {
                    windows.wait_ready(READY)?;
                }
                let result = publish(feeding, broker, view.windows.as_ref(), stop);
                if !has_job {
                    view.ended.store(true, Ordering::SeqCst);
                }
                result
            })
        });
        let shown = front(view);
        if shown.is_err() {
            stop.set();
        }
        let fed = publishing.map(|thread| join(thread, "the source of EEG"));
        let windowed = windowing.map(|thread| join(thread, "windowing of EEG"));
        (fed, windowed, shown)
    });
    windowed.transpose()?;
    let fed = fed.transpose()?.map(|_| counts.tally());
    Ok(Done {
        fed,
        tally: view.windows.map(|windows| windows.tally()),
        front: shown?,
    })
}

/// Who has taken over is told apart from what failed.
fn failure(error: WindowingError) -> Failure {
    match error {
        WindowingError::Kafka(KafkaError::Fenced { .. }) => Failure::Fenced(error.into()),
        other => other.into(),
    }
}

/// Publishes a source; where windows are made here too, they end with it.
fn publish(
    feeding: Feeding,
    broker: &Broker,
    windows: Option<&JobHandle<StreamSettings>>,
    stop: &Stop,
) -> Result<Ended, Failure> {
    let Feeding {
        mut source,
        options,
    } = feeding;
    let ended = feed::publish(&mut *source, broker, &options, &stop.flag)?;
    if let Some(windows) = windows
        && !stop.is_set()
    {
        windows.finish_at(&broker.end_offsets(topic::EEG_SAMPLES.name, ASK)?)?;
    }
    Ok(ended)
}

/// What a source did, for the closing table.
pub(crate) fn source_rows(summary: &mut Summary, fed: &feed::Tally) {
    summary.count("samples", fed.samples);
    summary.count_of(
        "gaps",
        fed.gaps,
        &[
            ("samples missing".to_owned(), fed.missing),
            ("restarts".to_owned(), fed.restarts),
            ("reconnects".to_owned(), fed.reconnects),
        ],
    );
}

/// What the windows said, for the closing table.
pub(crate) fn window_rows(summary: &mut Summary, seen: &Seen) {
    let figured = seen.windows - seen.without_figures;
    summary.count_of(
        "windows of eeg",
        seen.windows,
        &[
            ("significant".to_owned(), seen.significant),
            ("not significant".to_owned(), figured - seen.significant),
            ("without figures".to_owned(), seen.without_figures),
        ],
    );
    summary.count("windows with a twin", seen.with_twin);
}
