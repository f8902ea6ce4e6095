//! `lockstep cerebral what-if --live`: the twin of a session whose samples come, stimulated while it goes.
//!
//! ```text
//! this -> [eeg-samples] (an order among the samples) -> cerebral stream -> [eeg-states] -> this, line by line
//! ```
//!
//! Nothing is done to anybody: the stimulus is the twin's. A locked one follows the measured phase as a causal estimator has it, so
//! its delay is that of a real loop.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use clap::Args;
use contract::config::Config;
use contract::eeg::tags::{StimulationKind, V1};
use contract::eeg::{DriveKind, Order, State, Stimulated, Stimulation};
use contract::time::{Clock, SystemClock};
use contract::topic::{EEG_SAMPLES, EEG_STATES};
use kafka_io::{Consumer, ConsumerOptions, Event, Producer, ProducerOptions, Record, Start};

use super::args::{StimulusArgs, StimulusKind};
use crate::cli;
use crate::failure::{Failure, Outcome};
use crate::files::{self, Output};
use crate::settings;
use crate::stop::Stop;

/// How long a session may keep everybody waiting.
const PATIENCE: Duration = Duration::from_secs(30);
/// One wait for records.
const POLL: Duration = Duration::from_millis(100);
/// How far back a state of the session is looked for: minutes, with a few sessions in the partition.
const LOOK_BACK: i64 = 500;

/// What `--live` takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Live")]
pub(super) struct LiveArgs {
    /// FILE names a session instead, whose samples come: its twin is stimulated as it goes, until Ctrl-C or --for.
    #[arg(long, requires = "node")]
    pub(super) live: bool,
    /// The broker. Default: `kafka.brokers` of the settings.
    #[arg(long, value_name = "HOST:PORT", requires = "live")]
    broker: Option<String>,
    /// Ends after this time, e.g. `30s`.
    #[arg(long = "for", value_name = "TIME", value_parser = cli::duration, requires = "live")]
    run_for: Option<Duration>,
    /// The channel whose measured phase a locked stimulus follows. Default: the mean field of all good channels.
    #[arg(long, value_name = "NAME", requires = "live")]
    target: Option<String>,
    /// How far from that phase it pulls the node, radians: 0 towards it, 3.14 away.
    #[arg(
        long,
        value_name = "RAD",
        default_value_t = 0.0,
        allow_hyphen_values = true
    )]
    delta: f64,
}

/// What came of it.
#[derive(Debug, Default)]
struct Seen {
    windows: u64,
    changes: Vec<f64>,
    last: Option<Stimulated>,
}

/// Stimulates and tells, window by window.
pub(super) fn run(
    session: &str,
    live: &LiveArgs,
    stimulus: &StimulusArgs,
    json: Option<&PathBuf>,
    config: &Config,
    stop: &Stop,
) -> Outcome {
    let drive = match stimulus.kind {
        StimulusKind::Entrain => DriveKind::Tone,
        StimulusKind::Constant => DriveKind::Torque,
        StimulusKind::Locked => DriveKind::Locked,
        StimulusKind::Pulses => {
            return Err(Failure::WrongUse(
                "--kind pulses is for recordings; live there are entrain, constant and locked"
                    .to_owned(),
            ));
        }
    };
    stimulus.check()?;
    let out = json.map(|path| files::create(path)).transpose()?;
    let broker = settings::cluster(config, live.broker.as_deref())?;
    let partition = EEG_STATES.partition_of(session.as_bytes());
    let wanted = ConsumerOptions::new("what-if").partition(
        EEG_STATES.name,
        partition,
        Start::Back(LOOK_BACK),
    );
    let mut states = States {
        consumer: broker.consumer(wanted)?,
        session,
        out,
    };
    let channels = states.channels(stop)?;
    let place = |option: &str, name: &str| place(option, name, &channels);
    let node = stimulus.node.as_deref().unwrap_or_default();
    let order = Stimulation {
        v: V1,
        kind: StimulationKind,
        session: session.into(),
        id: format!("what-if-{}", SystemClock.now_ns()).into(),
        order: Order::Start,
        node: place("--node", node)?,
        drive,
        amplitude_rad_s: stimulus.amplitude,
        frequency_hz: stimulus.frequency,
        delta_rad: live.delta,
        target: live
            .target
            .as_deref()
            .map(|name| place("--target", name))
            .transpose()?,
        at_ns: SystemClock.now_ns(),
    };
    let producer = broker.producer(ProducerOptions::new("what-if"))?;
    send(&producer, &order)?;
    let told = states.follow(&order, live.run_for, stop);
    // Whatever happened, the twin is not left driven.
    let stopping = Stimulation {
        order: Order::Stop,
        at_ns: SystemClock.now_ns(),
        ..order.clone()
    };
    send(&producer, &stopping)?;
    close(&told?, stop)
}

/// Puts an order among the samples of its session.
fn send(producer: &Producer, order: &Stimulation<'_>) -> Outcome {
    let line = serde_json::to_vec(order).context("could not write the order")?;
    let key = order.session.as_bytes();
    let partition = EEG_SAMPLES.partition_of(key);
    producer.send(Record::new(EEG_SAMPLES.name, partition, key, &line))?;
    Ok(producer.flush(PATIENCE)?)
}

/// A channel by name, else by number from 1.
fn place(option: &str, name: &str, channels: &[String]) -> Result<u64, Failure> {
    let by_name = channels
        .iter()
        .position(|known| known.eq_ignore_ascii_case(name));
    let by_number = || {
        let number: usize = name.parse().ok()?;
        number
            .checked_sub(1)
            .filter(|place| *place < channels.len())
    };
    let found = by_name.or_else(by_number);
    let found = found.and_then(|place| u64::try_from(place).ok());
    found.ok_or_else(|| {
        Failure::WrongUse(format!(
            "`{option}` is {name}; the session has {} (or their numbers, 1 to {})",
            channels.join(", "),
            channels.len()
        ))
    })
}

struct States<'a> {
    consumer: Consumer,
    session: &'a str,
    out: Option<Output>,
}

impl States<'_> {
    /// The session's channels, by its newest state.
    fn channels(&mut self, stop: &Stop) -> Result<Vec<String>, Failure> {
        let since = Instant::now();
        let mut found = None;
        while !stop.is_set() {
            let mut is_quiet = true;
            self.each(|state, _| {
                is_quiet = false;
                let names = state.channels.iter().map(|name| name.clone().into_owned());
                found = Some(names.collect());
                Ok(())
            })?;
            match found {
                Some(channels) if is_quiet => return Ok(channels),
                None if since.elapsed() > PATIENCE => {
                    return Err(Failure::Failed(anyhow!(
                        "no window of a session `{}` came within {} s; is `lockstep cerebral stream` running, and what does it call \
                         its session?",
                        self.session,
                        PATIENCE.as_secs()
                    )));
                }
                _ => {}
            }
        }
        Err(Failure::Interrupted)
    }

    /// Hands the states of the session that come within a poll on.
    fn each(
        &mut self,
        mut take: impl FnMut(&State<'_>, &mut Option<Output>) -> Outcome,
    ) -> Outcome {
        match self.consumer.recv(POLL) {
            Some(Event::Batch(batch)) => {
                let own = batch
                    .messages()
                    .filter(|message| message.key == Some(self.session.as_bytes()));
                for value in own.filter_map(|message| message.value) {
                    // What cannot be read is for those whose work that is.
                    if let Ok(state) = serde_json::from_slice::<State<'_>>(value) {
                        take(&state, &mut self.out)?;
                    }
                }
                Ok(())
            }
            Some(Event::Failed(error)) => Err(error.into()),
            Some(Event::End) | None => Ok(()),
        }
    }

    /// Tells each window until it is over.
    fn follow(
        &mut self,
        order: &Stimulation<'_>,
        run_for: Option<Duration>,
        stop: &Stop,
    ) -> Result<Seen, Failure> {
        let began = Instant::now();
        let mut last = Instant::now();
        let mut seen = Seen::default();
        while !stop.is_set() && run_for.is_none_or(|run_for| began.elapsed() < run_for) {
            let mut came = false;
            self.each(|state, out| {
                came = true;
                seen.take(state, order);
                let Some(out) = out else {
                    return Ok(());
                };
                let line = serde_json::to_vec(state).context("could not write JSON")?;
                let written = out.write_all(&line).and_then(|()| out.write_all(b"\n"));
                Ok(written
                    .and_then(|()| out.flush())
                    .context("could not write JSON")?)
            })?;
            if came {
                last = Instant::now();
            } else if last.elapsed() > PATIENCE {
                return Err(Failure::Failed(anyhow!(
                    "no window of `{}` came for {} s: its session has ended, or nobody makes windows of it",
                    self.session,
                    PATIENCE.as_secs()
                )));
            }
        }
        Ok(seen)
    }
}

impl Seen {
    /// One window, told on the screen.
    fn take(&mut self, state: &State<'_>, order: &Stimulation<'_>) {
        self.windows += 1;
        let verdict = match &state.surrogates {
            None => "no figures",
            Some(of) if of.refused => "test refused",
            Some(of) if of.significant => "significant",
            Some(_) => "not significant",
        };
        let at_s = state.start_s + state.window_s;
        let Some(twin) = &state.twin else {
            let why = state
                .reason
                .as_deref()
                .unwrap_or("no twin: none is calibrated yet, or this session gets none");
            say(&format!("{at_s:8.1} s  {verdict}; {why}"));
            return;
        };
        let own = twin.stimulation.as_ref().filter(|of| of.id == order.id);
        let Some(of) = own else {
            let why = if self.last.is_none() {
                "the order has not reached the twin yet"
            } else {
                "the stimulus has ended: another one was ordered, or samples were missing for long"
            };
            say(&format!("{at_s:8.1} s  {verdict}; {why}"));
            return;
        };
        let change = of.r.0 - of.r_without.0;
        if change.is_finite() {
            self.changes.push(change);
        }
        let delay = if of.delay_s.0.is_finite() {
            format!(", phase {:.0} ms old", of.delay_s.0 * 1e3)
        } else {
            String::new()
        };
        let node = usize::try_from(of.node).unwrap_or(usize::MAX);
        let own_hz = of.frequency_change_hz.get(node).map_or(f64::NAN, |hz| hz.0);
        say(&format!(
            "{at_s:8.1} s  {verdict}; driven {:.0} s: {} r {change:+.3} ± {:.3} ({:.3} with, {:.3} without, {} seeds), node {own_hz:+.2} Hz{delay}",
            of.running_s, of.effect, of.r_change_sd.0, of.r.0, of.r_without.0, of.seeds,
        ));
        self.last = Some(of.clone());
    }
}

#[expect(clippy::print_stdout, reason = "lines are what this command gives")]
fn say(line: &str) {
    println!("{line}");
}

fn close(seen: &Seen, stop: &Stop) -> Outcome {
    match (&seen.last, seen.changes.is_empty()) {
        (Some(last), false) => {
            let n = u32::try_from(seen.changes.len()).unwrap_or(u32::MAX);
            let mean = seen.changes.iter().sum::<f64>() / f64::from(n);
            say(&format!(
                "over {n} windows {mean:+.3}, judged by {}; a statement about the twin, and no more certain than its windows",
                last.objective
            ));
        }
        _ => {
            return Err(Failure::Failed(anyhow!(
                "in {} windows the twin said nothing of the stimulus: it was not calibrated yet, or the order was refused (see \
                 `lockstep dead-letters list`)",
                seen.windows
            )));
        }
    }
    if stop.is_interrupted() {
        Err(Failure::Interrupted)
    } else {
        Ok(())
    }
}
