//! A progress bar, on a terminal, for work over a second.

use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::files;

/// A bar over bytes; hidden where stderr is no terminal, or where the data itself goes to the terminal.
pub(crate) fn bytes(total: Option<u64>, what: &str, out: Option<&Path>) -> ProgressBar {
    const TEMPLATE: &str = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    const ENDLESS: &str = "{msg} {spinner} {bytes} {bytes_per_sec}";
    let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
    let data_shows = out.is_some_and(files::is_stdout) && std::io::stdout().is_terminal();
    if std::io::stderr().is_terminal() && !data_shows {
        // Short work is over before the first draw.
        bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(4));
    }
    let template = if total.is_some() { TEMPLATE } else { ENDLESS };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}

/// No bar, where something else has the terminal.
pub(crate) fn none() -> ProgressBar {
    ProgressBar::hidden()
}
