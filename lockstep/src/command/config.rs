//! `lockstep config`: every setting in force.

use std::io::Write;
use std::path::Path;

use crate::cli::ConfigArgs;
use crate::failure::Outcome;

/// Prints the settings in force, or the commented defaults.
pub(crate) fn run(args: &ConfigArgs, file: Option<&Path>) -> Outcome {
    let text = if args.defaults {
        contract::config::DEFAULTS.to_owned()
    } else {
        crate::settings::load(file)?.to_toml()
    };
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}
