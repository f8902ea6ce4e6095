//! `lockstep alert`: `spreads` and `venues` of a broker to `alerts` and Discord, until stopped; or one message as a test.

use std::sync::Arc;
use std::time::{Duration, Instant};

use alerter::run::{Job, JobOptions};
use alerter::trial::{self, Trial};
use alerter::{AlerterError, Settings};
use clap::{Args, ValueEnum};
use contract::config::Config;
use contract::time::SystemClock;
use kafka_io::{KafkaError, Start};

use crate::cli::duration;
use crate::failure::{Failure, Outcome};
use crate::metrics::alert::AlertStage;
use crate::metrics::{self, Metrics};
use crate::report::watch;
use crate::stop::Stop;
use crate::table::Summary;
use crate::{live, report, settings};

/// How often the state is told while it is not well.
const WORD_EVERY: Duration = Duration::from_secs(30);

/// What `alert` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  LOCKSTEP_ALERTER__WEBHOOK_URL=https://... lockstep alert --test
  lockstep alert --broker 127.0.0.1:9092 --config my.toml

What is worth an alert stands under [alerter] in the settings (see `lockstep config --defaults`). The webhook's address is
a secret: give it as LOCKSTEP_ALERTER__WEBHOOK_URL, or in a file named by `alerter.webhook_url_file`. Without one, alerts
go to the log and to the topic `alerts`. There is one alerter per cluster: it goes on where the last one stopped, and
stops that one, with exit code 4, if it still runs.")]
pub(crate) struct AlertArgs {
    /// The broker. Default: `kafka.brokers` of the settings.
    #[arg(long, value_name = "HOST:PORT")]
    broker: Option<String>,
    /// Where to start when no alerter has run on this cluster before.
    #[arg(long, value_enum, default_value_t = From::End)]
    start: From,
    /// Stops after this time, e.g. `10m`.
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    run_for: Option<Duration>,
    /// Serves /metrics and /healthz here; a port alone is of this machine alone. Default: `metrics.listen` of the settings.
    #[arg(long, value_name = "HOST:PORT", value_parser = metrics::listen)]
    metrics: Option<String>,
    /// Sends one message to the webhook, says how it went, and ends. No broker is needed.
    #[arg(long, conflicts_with_all = ["broker", "start", "run_for", "metrics"])]
    test: bool,
    /// Prints the closing figures as one line of JSON on standard output.
    #[arg(long)]
    json: bool,
}

/// Where an alerter starts that is the first on its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum From {
    /// With the oldest window there is: alerts of up to a week.
    Beginning,
    /// With what comes from now on.
    End,
}

/// Runs until stopped, or tries the webhook.
pub(crate) fn run(args: &AlertArgs, config: &Config, stop: &Stop) -> Outcome {
    let alerts = Settings::of(config).map_err(|error| Failure::BadInput(error.into()))?;
    if args.test {
        return test(&alerts, args.json);
    }
    let broker = settings::cluster(config, args.broker.as_deref())?;
    if alerts.webhook.is_none() {
        tracing::warn!("no webhook is set: alerts go to the log and to the topic `alerts`");
    }
    let metrics = Metrics::serve(args.metrics.as_deref(), config)?;
    report::await_topics(&broker, &metrics, stop)?;
    let options = JobOptions {
        start: match args.start {
            From::Beginning => Start::Beginning,
            From::End => Start::End,
        },
        stop: Arc::clone(&stop.flag),
    };
    let job = Job::new(&alerts, &broker, Arc::new(SystemClock), &options)?;
    metrics.enter(AlertStage(job.handle()));
    let handle = job.handle();
    let watcher = watch("alert", stop, WORD_EVERY, move || {
        let report = handle.report();
        if report.waiting > 0 {
            tracing::info!(waiting = report.waiting, discord = ?report.discord, "alerts wait to be told");
        }
    });
    let deadline = live::stop_after(args.run_for, stop);
    let started = Instant::now();
    let result = job.run();
    stop.set();
    drop((watcher, deadline));
    let done = result.map_err(failure)?;
    let mut summary = Summary::default();
    report::alert_rows(&mut summary, &done);
    summary.pace(started.elapsed(), done.windows, "windows");
    report::close(&summary, args.json)?;
    if stop.is_interrupted() {
        Err(Failure::Interrupted)
    } else {
        Ok(())
    }
}

fn failure(error: AlerterError) -> Failure {
    match error {
        AlerterError::Write(KafkaError::Fenced { .. }) => Failure::Fenced(error.into()),
        other => other.into(),
    }
}

fn test(alerts: &Settings, json: bool) -> Outcome {
    let outcome = live::block_on(trial::send(alerts))??;
    match outcome {
        Trial::Arrived { message_id } => {
            let mut summary = Summary::default();
            summary.say("test message", "arrived");
            if let Some(id) = message_id {
                summary.say("its id", &id);
            }
            report::close(&summary, json)
        }
        Trial::NoWebhook => Err(Failure::WrongUse(
            "--test: no webhook is set; give LOCKSTEP_ALERTER__WEBHOOK_URL or `alerter.webhook_url_file`".to_owned(),
        )),
        Trial::Failed(reason) => Err(Failure::Failed(anyhow::anyhow!("the test message did not arrive: {reason}"))),
    }
}
