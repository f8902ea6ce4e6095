//! What looks at the results of `up` and `demo`: lines of JSON, a word now and then, or the dashboard.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use contract::config::Config;
use contract::time::SystemClock;
use contract::topic;
use dashboard_tui::config::{Colour, Settings, Thresholds};
use dashboard_tui::log::LogBuffer;
use dashboard_tui::run::Outcome as Ending;
use kafka_io::{Broker, Consumer, ConsumerOptions, Event, Start};

use crate::failure::{Failure, Outcome};
use crate::files::Output;
use crate::stages::{READY, View};
use crate::stop::Stop;

/// How long a poll waits for records before it looks around.
const POLL: Duration = Duration::from_millis(50);

/// When things first came, from the start of the command.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Firsts {
    pub(crate) spread: Option<Duration>,
    pub(crate) alert: Option<Duration>,
}

/// Copies spreads as they come, until windowing has ended; without an output it only takes the time.
pub(crate) struct Copy {
    spreads: Consumer,
    out: Option<Output>,
    started: Instant,
}

impl Copy {
    /// Reads from what comes from now on.
    pub(crate) fn new(
        broker: &Broker,
        out: Option<Output>,
        started: Instant,
    ) -> Result<Self, Failure> {
        let spreads = broker.consumer(ConsumerOptions::new("up").topic(
            topic::SPREADS.name,
            topic::SPREADS.partitions,
            Start::End,
        ))?;
        spreads.wait_ready(READY)?;
        Ok(Self {
            spreads,
            out,
            started,
        })
    }

    /// Until windowing has ended and all that it wrote is copied.
    pub(crate) fn run(mut self, view: &View<'_>) -> Result<Firsts, Failure> {
        let mut firsts = Firsts::default();
        let mut ending = false;
        loop {
            match self.spreads.recv(POLL) {
                Some(Event::Batch(batch)) => {
                    firsts.spread.get_or_insert_with(|| self.started.elapsed());
                    self.write(batch.messages().filter_map(|message| message.value))?;
                }
                Some(Event::End) => return Ok(firsts),
                Some(Event::Failed(error)) => return Err(error.into()),
                None => {}
            }
            if firsts.alert.is_none() {
                let alerts = view.alerts.report();
                let told = alerts.posted > 0 || alerts.spreads > 0 && alerts.waiting == 0;
                firsts.alert = told.then(|| self.started.elapsed());
            }
            if !ending && view.is_windowed() {
                // Everything windowing gave is on the broker: what stands there now is all there is to copy.
                self.spreads.stop_at_end();
                ending = true;
            }
        }
    }

    fn write<'a>(&mut self, values: impl Iterator<Item = &'a [u8]>) -> Outcome {
        let Some(out) = &mut self.out else {
            return Ok(());
        };
        for value in values {
            out.write_all(value).context("could not write spreads")?;
            out.write_all(b"\n").context("could not write spreads")?;
        }
        Ok(out.flush().context("could not write spreads")?)
    }
}

/// Settings of the dashboard as the configuration has them.
pub(crate) fn dashboard_settings(config: &Config, source: String) -> Settings {
    Settings {
        thresholds: Thresholds {
            default_bps: Some(config.alerter.threshold.to_f64()),
            by_pair: config
                .alerter
                .threshold_of
                .iter()
                .map(|(pair, bps)| (pair.clone(), bps.to_f64()))
                .collect(),
        },
        window_width_ms: config.windowing.width_ms,
        colour: colour(),
        source,
        ..Settings::default()
    }
}

/// Colours, unless NO_COLOR says otherwise (see no-color.org).
fn colour() -> Colour {
    #[expect(
        clippy::disallowed_methods,
        reason = "a convention of terminals, no setting of ours"
    )]
    let unwanted = std::env::var("NO_COLOR").is_ok_and(|text| !text.is_empty());
    if unwanted { Colour::Off } else { Colour::On }
}

/// Shows the dashboard until somebody leaves it; then everything stops.
pub(crate) fn dashboard(
    broker: &Broker,
    settings: &Settings,
    logs: &LogBuffer,
    stop: &Stop,
) -> Outcome {
    let ending = dashboard_tui::run::run(broker, settings, Arc::new(SystemClock), &stop.flag, logs);
    stop.set();
    match ending? {
        Ending::Quit | Ending::Stopped => Ok(()),
    }
}
