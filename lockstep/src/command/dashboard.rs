//! `lockstep dashboard`: what stands on a broker's topics, on the terminal or as one frame of text.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use contract::config::Config;
use contract::time::SystemClock;
use dashboard_tui::config::{Colour, ViewName};
use dashboard_tui::log::LogBuffer;
use dashboard_tui::print::Codes;
use dashboard_tui::run::OnceOptions;
use dashboard_tui::terminal;

use crate::failure::{Failure, Outcome};
use crate::stop::Stop;
use crate::{cli, front, settings};

/// The size of a frame where there is no terminal to ask.
const SIZE: (u16, u16) = (120, 40);

/// What `dashboard` takes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  lockstep dashboard --broker 127.0.0.1:9092
  lockstep dashboard --view alerts
  lockstep dashboard --once --size 100x30 --pair BTC-USD
  lockstep dashboard --once --view venues | grep DOWN
  lockstep dashboard --view brain --session cyton-1

Keys: ? shows them all, q leaves. NO_COLOR=1 does without colours.")]
pub(crate) struct DashboardArgs {
    /// The broker. Default: `kafka.brokers` of the settings.
    #[arg(long, value_name = "HOST:PORT")]
    broker: Option<String>,
    /// The view shown first.
    #[arg(long, default_value = ViewName::Spreads.as_str(), value_parser = views())]
    view: ViewName,
    /// The pair chosen first.
    #[arg(long, value_name = "PAIR")]
    pair: Option<String>,
    /// The EEG session chosen first.
    #[arg(long, value_name = "NAME")]
    session: Option<String>,
    /// Colours: `auto` is on a terminal, unless NO_COLOR is set.
    #[arg(long, value_enum, default_value_t = When::Auto)]
    color: When,
    /// Prints one frame as text and ends; exit code 1 where there was nothing to show.
    #[arg(long)]
    once: bool,
    /// Columns and rows of that frame [default: those of the terminal, else 120x40].
    #[arg(long, value_name = "COLUMNSxROWS", requires = "once", value_parser = size)]
    size: Option<(u16, u16)>,
    /// How long to wait for data.
    #[arg(long, value_name = "TIME", requires = "once", value_parser = cli::duration, default_value = "10s")]
    wait: Duration,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum When {
    Auto,
    Always,
    Never,
}

fn views() -> impl TypedValueParser<Value = ViewName> {
    let names = ViewName::ALL.map(ViewName::as_str);
    PossibleValuesParser::new(names).map(|name| {
        let named = ViewName::ALL.into_iter().find(|view| view.as_str() == name);
        named.expect("the parser lets no other name pass")
    })
}

fn size(text: &str) -> Result<(u16, u16), String> {
    let fault = || "expected columns and rows such as `120x40`, 1x1 to 1000x1000".to_owned();
    let (columns, rows) = text.split_once('x').ok_or_else(fault)?;
    let side = |text: &str| {
        let side = text.parse().ok();
        side.filter(|side| (1..=1_000).contains(side))
            .ok_or_else(fault)
    };
    Ok((side(columns)?, side(rows)?))
}

/// Shows the dashboard until somebody leaves it, or prints one frame.
pub(crate) fn run(
    args: &DashboardArgs,
    config: &Config,
    logs: Option<&LogBuffer>,
    stop: &Stop,
) -> Outcome {
    let logs = logs.expect("main keeps the log where a dashboard is shown");
    let broker = settings::cluster(config, args.broker.as_deref())?;
    let mut settings = front::dashboard_settings(config, broker.describe());
    settings.view = args.view;
    settings.pair.clone_from(&args.pair);
    settings.session.clone_from(&args.session);
    match args.color {
        When::Auto => {}
        When::Always => settings.colour = Colour::On,
        When::Never => settings.colour = Colour::Off,
    }
    if !args.once {
        front::dashboard(&broker, &settings, logs, stop)?;
        return if stop.is_interrupted() {
            Err(Failure::Interrupted)
        } else {
            Ok(())
        };
    }
    let on_terminal = std::io::stdout().is_terminal();
    let codes = match args.color {
        When::Always => Codes::Ansi,
        When::Auto if on_terminal => Codes::Ansi,
        When::Auto | When::Never => Codes::None,
    };
    let of_terminal = || terminal::size().filter(|_| on_terminal);
    let options = OnceOptions {
        size: args.size.or_else(of_terminal).unwrap_or(SIZE),
        wait: args.wait,
        codes,
    };
    let clock = Arc::new(SystemClock);
    let once = dashboard_tui::run::once(&broker, &settings, clock, &stop.flag, logs, options)?;
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(once.frame.as_bytes())?;
    stdout.flush()?;
    if stop.is_interrupted() {
        return Err(Failure::Interrupted);
    }
    if !once.has_data {
        let waited = args.wait.as_secs_f64();
        return Err(Failure::Failed(anyhow::anyhow!(
            "nothing to show came within {waited:.1} s"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_columns_and_rows() {
        assert_eq!(size("120x40"), Ok((120, 40)));
        for text in [
            "", "120", "0x40", "120x", "x", "120x40x3", "-1x5", "2000x10",
        ] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
