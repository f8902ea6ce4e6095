//! What a stimulation does to the twin while it runs: with it against without it, over the same noise.

use contract::eeg::{DriveKind, Stimulated};

use crate::model::session::{Session, Verdict, figure};
use crate::text::fit;
use crate::theme::Tone;
use crate::view::eeg::{number, signed};

/// How many changes of frequencies are told.
const MOST_CHANGES: usize = 3;

fn index(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

/// What is driven, and how: the age of the phase it follows is part of it.
fn drive(now: &Stimulated, session: &Session) -> Vec<String> {
    let node = session.short(index(now.node), 10);
    let amplitude = number(now.amplitude_rad_s, 1);
    let mut parts = vec![format!(
        "DRIVEN {} s: {node} {amplitude} rad/s",
        number(now.running_s, 0)
    )];
    match now.drive {
        DriveKind::Tone => parts.push(format!("tone {} Hz", number(now.frequency_hz.0, 1))),
        DriveKind::Torque => parts.push("constant torque".to_owned()),
        DriveKind::Locked => {
            let target = now
                .target
                .map_or("mean", |target| session.channel(index(target)));
            let offset = number(now.delta_rad, 2);
            parts.push(format!("locked to {} + {offset} rad", fit(target, 10)));
            parts.push(format!("its phase {} s old", number(now.delay_s.0, 2)));
        }
    }
    parts
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
        .map(|(at, change)| format!("{} {}", session.short(*at, 8), signed(*change, 2)));
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

/// What is to be said, the most telling first.
pub(super) fn parts(now: &Stimulated, session: &Session) -> Vec<(String, Tone)> {
    let is_significant = session.verdict() == Some(Verdict::Significant);
    let (word, tone) = match now.effect.as_str() {
        "raises" => ("RAISES r", Tone::Best),
        "lowers" => ("LOWERS r", Tone::Best),
        "unclear" => ("UNCLEAR: r", Tone::Warn),
        _ => ("r", Tone::Warn),
    };
    // What a network of noise does is nobody's gain.
    let tone = if is_significant { tone } else { Tone::Warn };
    let change = signed(now.r.0 - now.r_without.0, 2);
    let mut driven = drive(now, session)
        .into_iter()
        .map(|text| (text, Tone::Notice));
    let mut parts: Vec<(String, Tone)> = driven.next().into_iter().collect();
    parts.push((
        format!("{word} {change} ± {} sd", number(now.r_change_sd.0, 2)),
        tone,
    ));
    parts.extend(driven);
    let plain = [
        format!(
            "{} with, {} without",
            number(now.r.0, 2),
            number(now.r_without.0, 2)
        ),
        format!("{} seeds", now.seeds),
        frequencies(now, session),
        pli(now),
    ];
    parts.extend(plain.map(|text| (text, Tone::Plain)));
    parts.push((format!("judged by: {}", now.objective), Tone::Dim));
    parts
}
