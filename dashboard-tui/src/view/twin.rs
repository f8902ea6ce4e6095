//! *Twin*: the network that was calibrated on a session, held against what then came, and what it would do if one node were
//! driven.
//!
//! In: keys and the model. Out: cells, and orders that somebody else sends. The verdict of the windows stands above everything
//! here too: a twin of noise is one as well.

use std::sync::Arc;

use contract::eeg::{Stimulation, Twin as Network};
use crossterm::event::{KeyCode, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::brain::{left, nothing, top};
use super::eeg::choice::Choice;
use super::eeg::heading::{self, time};
use super::eeg::matrix::{Edges, Matrix, coupling};
use super::eeg::plot::{Plot, Series, Span, Stroke};
use super::eeg::{lines, number};
use super::{Look, View};
use crate::config::{Orders, ViewName};
use crate::model::life::Stream;
use crate::model::session::{Point, Session, Verdict, figure, mean_coupling};
use crate::theme::Tone;

mod effect;
mod nodes;
mod what_if;

use what_if::WhatIf;

/// What can be shown of a twin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Panel {
    WhatIf,
    Order,
    Phase,
    Coupling,
    Matrix,
    Nodes,
}

/// The view.
#[derive(Debug)]
pub(super) struct Twin {
    choice: Choice,
    what_if: WhatIf,
    span: Span,
    /// One panel alone; none for as many as have room.
    alone: Option<Panel>,
}

impl Twin {
    pub(super) fn new(wanted: Option<String>, orders: Orders) -> Self {
        Self {
            choice: Choice::new(wanted),
            what_if: WhatIf::new(orders),
            span: Span::default(),
            alone: None,
        }
    }

    fn next_panel(&mut self) {
        const ALL: [Option<Panel>; 7] = [
            None,
            Some(Panel::WhatIf),
            Some(Panel::Order),
            Some(Panel::Phase),
            Some(Panel::Coupling),
            Some(Panel::Matrix),
            Some(Panel::Nodes),
        ];
        let at = ALL.iter().position(|panel| *panel == self.alone);
        self.alone = ALL[(at.unwrap_or(0) + 1) % ALL.len()];
    }

    fn panel(
        &self,
        panel: Panel,
        session: &Session,
        buffer: &mut Buffer,
        area: Rect,
        look: &Look<'_>,
    ) {
        match panel {
            Panel::WhatIf => self.what_if.draw(session, buffer, area, look),
            Panel::Order => order(session, self.span, buffer, area, look),
            Panel::Phase => phase(session, self.span, buffer, area, look),
            Panel::Coupling => over_time(session, self.span, buffer, area, look),
            Panel::Matrix => matrix(session, buffer, area, look),
            Panel::Nodes => nodes::draw(session, self.what_if.node(session), buffer, area, look),
        }
        // The label is part of the titles; it must not be as pale as they are.
        if let Some(label) = label(session).filter(|_| panel != Panel::Nodes && area.height > 0) {
            let width = u16::try_from(label.len()).unwrap_or(0).min(area.width);
            let place = Rect {
                width,
                height: 1,
                ..area
            };
            buffer.set_style(place, look.style(Tone::Warn));
        }
    }
}

/// A title that the windows' verdict goes before, unless they are significant: a twin of noise is a twin as well.
fn labelled(session: &Session, title: &str) -> String {
    match label(session) {
        Some(label) => format!("{label} · {title}"),
        None => title.to_owned(),
    }
}

fn label(session: &Session) -> Option<&'static str> {
    match Verdict::of(session.newest.as_ref()?) {
        Verdict::Significant => None,
        Verdict::NoFigures => Some("NO FIGURES"),
        Verdict::Untested => Some("NOT TESTED"),
        Verdict::Refused => Some("TEST REFUSED"),
        Verdict::NotSignificant => Some("NOT SIGNIFICANT"),
    }
}

/// The order parameter that the twin had said, and the one that came.
fn order(session: &Session, span: Span, buffer: &mut Buffer, area: Rect, look: &Look<'_>) {
    let newest = session.past.back();
    let of = |of: fn(&Point) -> f64| newest.map_or(f64::NAN, of);
    let title = format!(
        "r: ━ measured {}, ┈ what the twin had said {}",
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
fn phase(session: &Session, span: Span, buffer: &mut Buffer, area: Rect, look: &Look<'_>) {
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
fn over_time(session: &Session, span: Span, buffer: &mut Buffer, area: Rect, look: &Look<'_>) {
    let twin = session
        .newest
        .as_ref()
        .and_then(|state| state.twin.as_ref());
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

fn matrix(session: &Session, buffer: &mut Buffer, area: Rect, look: &Look<'_>) {
    let Some(twin) = session
        .newest
        .as_ref()
        .and_then(|state| state.twin.as_ref())
    else {
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
fn standing(session: &Session, buffer: &mut Buffer, area: Rect, look: &Look<'_>) {
    let room = usize::from(area.width).saturating_sub(1);
    let twin = session
        .newest
        .as_ref()
        .and_then(|state| state.twin.as_ref());
    let Some(twin) = twin else {
        let text = "no twin yet: it is calibrated on the first minutes of a stretch without gaps";
        let text = super::eeg::joined(&[text.to_owned()], room);
        lines(buffer, area, vec![Line::from(look.span(text, Tone::Warn))]);
        return;
    };
    let (parts, tone) = worth(twin);
    let is_significant = session.newest.as_ref().map(Verdict::of) == Some(Verdict::Significant);
    // To foresee noise a little better than another is nothing to be green about.
    let tone = if tone == Tone::Good && !is_significant {
        Tone::Plain
    } else {
        tone
    };
    let first = look.span(super::eeg::joined(&parts, room), tone);
    let second = look.span(calibrated(session, twin), Tone::Dim);
    lines(buffer, area, vec![Line::from(first), Line::from(second)]);
}

/// Which panels stand where.
fn tiles(area: Rect, n_channels: usize, what_if_rows: &dyn Fn(u16) -> u16) -> Vec<(Panel, Rect)> {
    let n = u16::try_from(n_channels.max(1)).unwrap_or(u16::MAX);
    let mut rest = area;
    if area.width < 72 || area.height < 12 {
        let what_if = top(&mut rest, what_if_rows(area.width));
        return vec![(Panel::WhatIf, what_if), (Panel::Order, rest)];
    }
    let mut west = left(&mut rest, area.width / 2 - 1);
    let order = top(&mut west, area.height / 2);
    let tall = what_if_rows(rest.width).max(what_if::ROWS);
    let what_if = top(&mut rest, tall);
    let _blank = top(&mut rest, 1);
    let mut tiles = vec![(Panel::Order, order), (Panel::WhatIf, what_if)];
    if area.height < 22 {
        tiles.extend([(Panel::Coupling, west), (Panel::Nodes, rest)]);
        return tiles;
    }
    let phase = top(&mut west, (area.height / 2).div_ceil(2));
    let nodes = (n + 1).min(rest.height / 2);
    let nodes = top(&mut rest, nodes);
    tiles.extend([
        (Panel::Phase, phase),
        (Panel::Coupling, west),
        (Panel::Nodes, nodes),
        (Panel::Matrix, rest),
    ]);
    tiles
}

impl View for Twin {
    fn name(&self) -> ViewName {
        ViewName::Twin
    }

    fn title(&self) -> &'static str {
        "Twin"
    }

    fn stream(&self) -> Stream {
        Stream::Eeg
    }

    fn badge(&self, look: &Look<'_>) -> Option<(String, Tone)> {
        let mut twins = look
            .model
            .sessions
            .iter()
            .filter_map(|session| session.newest.as_ref()?.twin.as_ref());
        twins
            .any(|twin| twin.stimulation.is_some())
            .then(|| ("~".to_owned(), Tone::Notice))
    }

    fn keys(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("↑ ↓", "another session"),
            ("← →, h l", "another node"),
            (
                "d",
                "drive: a tone, a constant torque, locked to the measured phase",
            ),
            ("+ -", "amplitude"),
            ("o", "locked: towards the mean field, away from it"),
            ("Enter", "drives the node in the twin, and stops that"),
            (
                "f",
                "all together, or one: what-if, r, phase, K(t), K, nodes",
            ),
            ("[ ], wheel", "less or more time in the plots"),
        ]
    }

    fn filter(&self) -> &str {
        &self.choice.filter
    }

    fn set_filter(&mut self, filter: String) {
        self.choice.filter = filter;
    }

    fn refresh(&mut self, look: &Look<'_>) {
        self.choice.refresh(look.model);
        self.what_if.refresh(look.model);
    }

    fn session(&self) -> Option<Arc<str>> {
        self.choice.name()
    }

    fn choose_session(&mut self, name: &Arc<str>) {
        self.choice.choose(name);
    }

    fn take_order(&mut self) -> Option<Stimulation<'static>> {
        self.what_if.take_order()
    }

    fn key(&mut self, key: KeyCode, _: Rect, look: &Look<'_>) {
        let session = self.choice.session(look.model);
        match key {
            KeyCode::Esc => self.alone = None,
            KeyCode::Char('f') => self.next_panel(),
            KeyCode::Char('[') => self.span = self.span.closer(),
            KeyCode::Char(']') => self.span = self.span.farther(),
            _ => {
                let taken =
                    session.is_some_and(|session| self.what_if.key(key, session, look.model));
                if !taken {
                    self.choice.key(key, 1, look.model);
                }
            }
        }
    }

    fn mouse(&mut self, mouse: MouseEvent, _: Rect, _: &Look<'_>) {
        match mouse.kind {
            MouseEventKind::ScrollUp => self.span = self.span.closer(),
            MouseEventKind::ScrollDown => self.span = self.span.farther(),
            _ => {}
        }
    }

    fn draw(&self, buffer: &mut Buffer, body: Rect, look: &Look<'_>) {
        let listed = self.choice.listed(look.model);
        let row = self.choice.row(&listed);
        let Some(session) = listed.get(row) else {
            nothing(&self.choice, buffer, body, look);
            return;
        };
        let mut rest = body;
        let is_low = body.height < 12;
        let head = top(&mut rest, 2);
        let place = self.choice.place(row, listed.len());
        heading::draw(session, place, buffer, head, look);
        let head = top(&mut rest, if is_low { 1 } else { 2 });
        standing(session, buffer, head, look);
        match self.alone {
            None => {
                let rows = |width| self.what_if.rows(session, width, look);
                for (panel, area) in tiles(rest, session.n_channels(), &rows) {
                    self.panel(panel, session, buffer, area, look);
                }
            }
            Some(panel) => self.panel(panel, session, buffer, rest, look),
        }
        if session.quiet_ns(look.model.now_ns).is_some() {
            // What stands there is old: it must not look like news.
            buffer.set_style(rest, look.style(Tone::Dim));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::eeg::{Made, MadeTwin, state};
    use contract::eeg::Figure;

    #[test]
    fn panels_lie_within_the_body_and_never_over_each_other() {
        for width in (28..240).step_by(7) {
            for height in 1..70 {
                for n in [1, 8, 64, 300] {
                    let body = Rect::new(3, 5, width, height);
                    let tiles = tiles(body, n, &|width| 300 / width);
                    for (at, (panel, one)) in tiles.iter().enumerate() {
                        assert_eq!(one.intersection(body), *one, "{panel:?} of {n} in {body:?}");
                        let over = tiles[..at]
                            .iter()
                            .find(|(_, other)| !one.intersection(*other).is_empty());
                        assert_eq!(over, None, "{panel:?} of {n} in {body:?}");
                    }
                }
            }
        }
    }

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
