//! What a stimulation does to the twin while it runs: with it against without it, over the same noise.

use contract::eeg::{DriveKind, Stimulated};
use ratatui::text::Line;

use super::what_if::drive_name;
use crate::model::session::{Session, figure};
use crate::text::fit;
use crate::theme::Tone;
use crate::view::Look;
use crate::view::eeg::{number, signed};

/// How many changes of frequencies are told.
const MOST_CHANGES: usize = 3;

fn index(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

/// What is driven, and how.
fn drive(now: &Stimulated, session: &Session) -> String {
    let how = match now.drive {
        DriveKind::Tone => format!(" {} Hz", number(now.frequency_hz.0, 1)),
        DriveKind::Torque => String::new(),
        DriveKind::Locked => {
            let target = now
                .target
                .map_or("the mean", |target| session.channel(index(target)));
            format!(
                " to {}, offset {} rad, phase {} s old",
                fit(target, 10),
                number(now.delta_rad, 2),
                number(now.delay_s.0, 2)
            )
        }
    };
    format!(
        "DRIVEN for {} s: {} by {}{how}, {} rad/s",
        number(now.running_s, 0),
        fit(session.channel(index(now.node)), 10),
        drive_name(now.drive),
        number(now.amplitude_rad_s, 1)
    )
}

/// The channels whose frequencies change most.
fn frequencies(now: &Stimulated, session: &Session) -> String {
    let mut changes: Vec<(usize, f64)> = now
        .frequency_change_hz
        .iter()
        .map(|change| change.0)
        .enumerate()
        .filter(|(_, change)| change.is_finite())
        .collect();
    changes.sort_by(|one, other| other.1.abs().total_cmp(&one.1.abs()));
    let told = changes
        .iter()
        .take(MOST_CHANGES)
        .map(|(at, change)| format!("{} {}", fit(session.channel(*at), 8), signed(*change, 2)));
    format!("Hz: {}", told.collect::<Vec<_>>().join(", "))
}

/// The mean change of PLI of pairs with the driven node, and of the others.
fn pli(now: &Stimulated) -> String {
    let node = index(now.node);
    let n = now.pli_change.len();
    let mean = |with: bool| {
        let pairs = (0..n).flat_map(|i| (i + 1..n).map(move |j| (i, j)));
        let of = pairs.filter(|(i, j)| (*i == node || *j == node) == with);
        let (sum, count) = of
            .map(|(i, j)| figure(&now.pli_change, i, j))
            .filter(|change| change.is_finite())
            .fold((0.0, 0_u32), |(sum, count), change| {
                (sum + change, count + 1)
            });
        sum / f64::from(count)
    };
    format!(
        "PLI: {} with it, {} others",
        signed(mean(true), 2),
        signed(mean(false), 2)
    )
}

/// Lines, the most telling first.
pub(super) fn lines<'a>(now: &Stimulated, session: &Session, look: &Look<'_>) -> Vec<Line<'a>> {
    let change = now.r.0 - now.r_without.0;
    let (word, tone) = match now.effect.as_str() {
        "raises" => ("RAISES r", Tone::Best),
        "lowers" => ("LOWERS r", Tone::Best),
        "unclear" => ("UNCLEAR", Tone::Warn),
        _ => ("?", Tone::Warn),
    };
    let verdict = Line::from(vec![
        look.span(
            format!(
                "{word} by {} ± {}",
                signed(change, 2),
                number(now.r_change_sd.0, 2)
            ),
            tone,
        ),
        look.span(
            format!(
                " sd, {} seeds: {} with, {} without",
                now.seeds,
                number(now.r.0, 2),
                number(now.r_without.0, 2)
            ),
            Tone::Plain,
        ),
    ]);
    let driven = Line::from(look.span(drive(now, session), Tone::Notice));
    let rest = format!("{}; {}", frequencies(now, session), pli(now));
    let judged = format!("judged by: {}", now.objective);
    vec![
        driven,
        verdict,
        Line::from(look.span(rest, Tone::Plain)),
        Line::from(look.span(judged, Tone::Dim)),
    ]
}
