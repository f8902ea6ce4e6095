//! What the twin had said against what came, and its couplings.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::model::session::{Point, Session, Verdict, figure, mean_coupling};
use crate::theme::Tone;
use crate::view::Look;
use crate::view::eeg::matrix::{Edges, Matrix, coupling};
use crate::view::eeg::number;
use crate::view::eeg::plot::{Plot, Series, Span, Stroke};

/// A title that the windows' verdict goes before, unless they are significant: a twin of noise is a twin as well.
pub(super) fn labelled(session: &Session, title: &str) -> String {
    match label(session) {
        Some(label) => format!("{label} · {title}"),
        None => title.to_owned(),
    }
}

/// The verdict that goes before titles.
pub(super) fn label(session: &Session) -> Option<&'static str> {
    match session.verdict()? {
        Verdict::Significant => None,
        Verdict::NoFigures => Some("NO FIGURES"),
        Verdict::Untested => Some("NOT TESTED"),
        Verdict::Refused => Some("TEST REFUSED"),
        Verdict::NotSignificant => Some("NOT SIGNIFICANT"),
    }
}

/// The order parameter that the twin had said, and the one that came.
pub(super) fn order(
    session: &Session,
    span: Span,
    buffer: &mut Buffer,
    area: Rect,
    look: &Look<'_>,
) {
    let newest = session.past.back();
    let of = |of: fn(&Point) -> f64| newest.map_or(f64::NAN, of);
    // The measured one is of a window, what was said is of its hop, which is shorter.
    let title = format!(
        "r: ━ measured {}, ┈ said by the twin (of the hop) {}",
        number(of(|point| point.r), 2),
        number(of(|point| point.r_said), 2)
    );
    Plot {
        title: &labelled(session, &title),
        range: Some((0.0, 1.0)),
        band: None,
        series: &[
            Series {
                of: |point| point.r,
                stroke: Stroke::Full,
                tone: Tone::Title,
            },
            Series {
                of: |point| point.r_said,
                stroke: Stroke::Dotted,
                tone: Tone::Second,
            },
        ],
    }
    .draw(&session.past, span, buffer, area, look);
}

/// How far off the phases were that the twin had said; beside it the same without any network, and what guessing gives.
pub(super) fn phase(
    session: &Session,
    span: Span,
    buffer: &mut Buffer,
    area: Rect,
    look: &Look<'_>,
) {
    let newest = session.past.back();
    let of = |of: fn(&Point) -> f64| newest.map_or(f64::NAN, of);
    let title = format!(
        "phase off by: ━ twin {} rad, ┈ frequency alone {}, ╌ guessing 1.57",
        number(of(|point| point.phase_error_rad), 2),
        number(of(|point| point.phase_error_alone_rad), 2)
    );
    Plot {
        title: &labelled(session, &title),
        range: Some((0.0, std::f64::consts::PI)),
        band: None,
        series: &[
            Series {
                of: |_| std::f64::consts::FRAC_PI_2,
                stroke: Stroke::Dashed,
                tone: Tone::Warn,
            },
            Series {
                of: |point| point.phase_error_alone_rad,
                stroke: Stroke::Dotted,
                tone: Tone::Second,
            },
            Series {
                of: |point| point.phase_error_rad,
                stroke: Stroke::Full,
                tone: Tone::Title,
            },
        ],
    }
    .draw(&session.past, span, buffer, area, look);
}

/// K(t): the mean absolute coupling, and what uncoupled channels reach by noise.
pub(super) fn over_time(
    session: &Session,
    span: Span,
    buffer: &mut Buffer,
    area: Rect,
    look: &Look<'_>,
) {
    let twin = session.twin();
    let mean = twin.map_or(f64::NAN, |twin| mean_coupling(&twin.coupling_rad_s));
    let title = format!("K(t), mean |K| {} rad/s; ╌ noise floor", number(mean, 2));
    Plot {
        title: &labelled(session, &title),
        range: None,
        band: None,
        series: &[
            Series {
                of: |point| point.noise_floor_rad_s,
                stroke: Stroke::Dashed,
                tone: Tone::Warn,
            },
            Series {
                of: |point| point.coupling_rad_s,
                stroke: Stroke::Full,
                tone: Tone::Title,
            },
        ],
    }
    .draw(&session.past, span, buffer, area, look);
}

/// K now, and which couplings are claimed.
pub(super) fn matrix(session: &Session, buffer: &mut Buffer, area: Rect, look: &Look<'_>) {
    let Some(twin) = session.twin() else {
        return;
    };
    let edges = Edges::new(session.n_channels(), &twin.edges, true);
    Matrix {
        title: &labelled(
            session,
            "K now, rad/s: the column acts on the row; * claimed",
        ),
        session,
        widths: &[5, 3],
        value: &|i, j| figure(&twin.coupling_rad_s, i, j),
        claimed: &|i, j| edges.holds(i, j),
        text: coupling,
        between: "→",
        weak: twin.noise_floor_rad_s,
    }
    .draw(buffer, area, look);
}
