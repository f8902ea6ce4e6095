//! What a twin is worth, and what it was calibrated on.

use contract::eeg::Twin as Network;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use crate::model::session::{Session, Verdict};
use crate::theme::Tone;
use crate::view::Look;
use crate::view::eeg::heading::time;
use crate::view::eeg::{joined, lines, number};

/// What the twin is worth on what it was not trained on.
fn worth(twin: &Network) -> (Vec<String>, Tone) {
    let (score, uncoupled, shuffled) =
        (twin.score.0, twin.score_uncoupled.0, twin.score_shuffled.0);
    let beats = |other: f64| score > other;
    let known = [score, uncoupled, shuffled]
        .iter()
        .all(|value| value.is_finite());
    let (words, tone) = match (known, beats(uncoupled), beats(shuffled)) {
        (false, ..) => ("NOT JUDGED on held-out data", Tone::Notice),
        (true, true, true) => ("better than both baselines", Tone::Good),
        (true, false, true) => ("WORSE THAN UNCOUPLED", Tone::Bad),
        (true, true, false) => ("WORSE THAN SHUFFLED", Tone::Bad),
        (true, false, false) => ("WORSE THAN UNCOUPLED AND SHUFFLED", Tone::Bad),
    };
    let figures = format!(
        "score {}, uncoupled {}, shuffled {} nats",
        number(score, 3),
        number(uncoupled, 3),
        number(shuffled, 3)
    );
    (vec![words.to_owned(), figures], tone)
}

fn calibrated(session: &Session, twin: &Network) -> String {
    let rate_hz = session
        .newest
        .as_ref()
        .map_or(f64::NAN, |state| state.sample_rate_hz);
    let until = u32::try_from(twin.calibrated_until).map_or(f64::NAN, f64::from) / rate_hz;
    let until = if until.is_finite() {
        time(until)
    } else {
        format!("sample {}", twin.calibrated_until)
    };
    format!(
        "calibrated on {} s until {until}; {} couplings claimed above {} rad/s",
        number(twin.calibrated_s, 0),
        twin.edges.len(),
        number(twin.noise_floor_rad_s, 2)
    )
}

/// The line or two below the heading.
pub(super) fn draw(session: &Session, buffer: &mut Buffer, area: Rect, look: &Look<'_>) {
    let room = usize::from(area.width).saturating_sub(1);
    let twin = session.twin();
    let Some(twin) = twin else {
        let first = "no twin: none is calibrated yet, or this session gets none";
        let second = "a calibration takes a minute or more without gaps";
        let line = |text: &str, tone| Line::from(look.span(joined(&[text.to_owned()], room), tone));
        let both = vec![line(first, Tone::Warn), line(second, Tone::Dim)];
        lines(buffer, area, both);
        return;
    };
    let (parts, tone) = worth(twin);
    let is_significant = session.verdict() == Some(Verdict::Significant);
    // To foresee noise a little better than another is nothing to be green about.
    let tone = if tone == Tone::Good && !is_significant {
        Tone::Plain
    } else {
        tone
    };
    let first = look.span(joined(&parts, room), tone);
    let second = look.span(calibrated(session, twin), Tone::Dim);
    lines(buffer, area, vec![Line::from(first), Line::from(second)]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::eeg::{Made, MadeTwin, state};
    use contract::eeg::Figure;

    #[test]
    fn a_twin_worse_than_a_baseline_is_called_that() {
        let twin = |twin| {
            state(
                &Made {
                    twin,
                    ..Made::default()
                },
                90,
            )
            .twin
            .unwrap()
        };
        let words = |twin: &Network| worth(twin).0[0].clone();
        assert_eq!(words(&twin(MadeTwin::Good)), "better than both baselines");
        assert_eq!(
            words(&twin(MadeTwin::Bad)),
            "WORSE THAN UNCOUPLED AND SHUFFLED"
        );
        let mut odd = twin(MadeTwin::Good);
        odd.score_uncoupled = Figure(odd.score.0 + 0.001);
        assert_eq!(words(&odd), "WORSE THAN UNCOUPLED");
        odd.score = Figure(f64::NAN);
        assert_eq!(worth(&odd).1, Tone::Notice);
    }
}
