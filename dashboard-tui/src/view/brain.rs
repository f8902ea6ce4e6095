//! *Brain*: one session's signals, what its newest window says, and whether that is more than chance.
//!
//! In: keys and the model. Out: cells. Large screens show all panels at once, smaller ones as many as stay readable; `f` shows
//! one of them alone.

use std::sync::Arc;

use crossterm::event::{KeyCode, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use super::eeg::choice::Choice;
use super::eeg::cut::top;
use super::eeg::heading;
use super::eeg::matrix::{Edges, Matrix, share};
use super::eeg::plot::Span;
use super::eeg::{number, titled};
use super::{Look, View};
use crate::config::ViewName;
use crate::model::life::Stream;
use crate::model::session::{Session, figure};
use crate::theme::Tone;

mod circle;
mod electrodes;
mod head;
mod over_time;
mod sessions;
mod signals;
mod tiles;
mod trace;

use over_time::{order, wpli};
use tiles::{Panel, tiles};
use trace::Base;

/// What stands in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Shown {
    /// As many panels as have room.
    #[default]
    Together,
    Alone(Panel),
}

impl Shown {
    const ALL: [Self; 8] = [
        Self::Together,
        Self::Alone(Panel::Signals),
        Self::Alone(Panel::Electrodes),
        Self::Alone(Panel::Matrix),
        Self::Alone(Panel::Order),
        Self::Alone(Panel::Wpli),
        Self::Alone(Panel::Circle),
        Self::Alone(Panel::Head),
    ];

    fn next(self) -> Self {
        let at = Self::ALL.iter().position(|shown| *shown == self);
        Self::ALL[(at.unwrap_or(0) + 1) % Self::ALL.len()]
    }
}

/// Which of the two measures the matrix shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Measure {
    #[default]
    Wpli,
    Pli,
}

/// The view.
#[derive(Debug, Default)]
pub(super) struct Brain {
    choice: Choice,
    shown: Shown,
    measure: Measure,
    span: Span,
    /// Doublings of the signals over what fits.
    gain: i32,
    /// Halvings of the time that the signals show.
    closer: i32,
    base: Base,
    /// The first channel shown where not all have room.
    from: usize,
    /// Whether the list of sessions is shown instead of one of them.
    listing: bool,
}

impl Brain {
    pub(super) fn new(wanted: Option<String>) -> Self {
        Self {
            choice: Choice::new(wanted),
            ..Self::default()
        }
    }

    fn page(&mut self, forth: bool, body: Rect, look: &Look<'_>) {
        let n = self
            .choice
            .session(look.model)
            .map_or(0, Session::n_channels);
        let rows = usize::from(body.height / 2).max(1);
        self.from = if forth {
            (self.from + rows).min(n.saturating_sub(1))
        } else {
            self.from.saturating_sub(rows)
        };
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
            Panel::Signals => {
                let lanes = signals::Lanes {
                    session,
                    from: self.from,
                    gain: self.gain,
                    closer: self.closer,
                    base: self.base,
                };
                lanes.draw(buffer, area, look);
            }
            Panel::Electrodes => electrodes::draw(session, self.from, buffer, area, look),
            Panel::Matrix => self.matrix(session, buffer, area, look),
            Panel::Order => order(session, self.span, buffer, area, look),
            Panel::Wpli => wpli(session, self.span, buffer, area, look),
            Panel::Circle => circle::draw(session, buffer, area, look),
            Panel::Head => head::draw(session, buffer, area, look),
        }
    }

    fn matrix(&self, session: &Session, buffer: &mut Buffer, area: Rect, look: &Look<'_>) {
        let Some(state) = &session.newest else { return };
        let (name, other, of, mean) = match self.measure {
            Measure::Wpli => ("wPLI", "PLI", &state.wpli, state.wpli_mean.0),
            Measure::Pli => ("PLI", "wPLI", &state.pli, state.pli_mean.0),
        };
        let test = state.surrogates.as_ref().filter(|test| !test.refused);
        let edges = test.map_or(&[][..], |test| test.edges.as_slice());
        let edges = Edges::new(session.n_channels(), edges, false);
        // Edges are claimed by wPLI; of PLI nothing is claimed, whatever is shown beside it.
        let claims = self.measure == Measure::Wpli;
        let marks = match test.filter(|_| claims) {
            Some(test) => format!("; * max-T p <= {}", test.alpha),
            None => String::new(),
        };
        let title = format!("{name} x100, m: {other}; mean {}{marks}", number(mean, 2));
        Matrix {
            title: &title,
            session,
            widths: &[4, 3, 2],
            value: &|i, j| figure(of, i, j),
            claimed: &|i, j| claims && edges.holds(i, j),
            text: share,
            between: "–",
            weak: 0.3,
        }
        .draw(buffer, area, look);
    }

    fn together(&self, session: &Session, buffer: &mut Buffer, area: Rect, look: &Look<'_>) {
        for (panel, area) in tiles(area, session.n_channels()) {
            self.panel(panel, session, buffer, area, look);
        }
    }
}

impl View for Brain {
    fn name(&self) -> ViewName {
        ViewName::Brain
    }

    fn title(&self) -> &'static str {
        "Brain"
    }

    fn stream(&self) -> Stream {
        Stream::Eeg
    }

    fn badge(&self, look: &Look<'_>) -> Option<(String, Tone)> {
        let n = look.model.sessions.len();
        (n > 0).then(|| (n.to_string(), Tone::Plain))
    }

    fn keys(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("↑ ↓", "another session"),
            ("Enter", "the list of sessions, and back"),
            ("f", "all panels together, or one of them alone"),
            ("m", "matrix: wPLI or PLI"),
            ("+ -, wheel", "less or more time in the plots"),
            ("a A", "signals larger, smaller"),
            ("[ ]", "less or more time of the signals"),
            ("r", "signals: less the mean of a second, or raw"),
            ("← →, h l", "other channels, where not all have room"),
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
        let n = self
            .choice
            .session(look.model)
            .map_or(0, Session::n_channels);
        self.from = self.from.min(n.saturating_sub(1));
    }

    fn session(&self) -> Option<Arc<str>> {
        self.choice.name()
    }

    fn choose_session(&mut self, name: &Arc<str>) {
        self.choice.choose(name);
    }

    fn key(&mut self, key: KeyCode, body: Rect, look: &Look<'_>) {
        match key {
            KeyCode::Enter => self.listing = !self.listing,
            KeyCode::Esc => {
                self.listing = false;
                self.shown = Shown::Together;
            }
            KeyCode::Char('f') => self.shown = self.shown.next(),
            KeyCode::Char('m') => {
                self.measure = match self.measure {
                    Measure::Wpli => Measure::Pli,
                    Measure::Pli => Measure::Wpli,
                }
            }
            KeyCode::Char('+' | '=') => self.span = self.span.closer(),
            KeyCode::Char('-' | '_') => self.span = self.span.farther(),
            KeyCode::Char('a') => self.gain = (self.gain + 1).min(6),
            KeyCode::Char('A') => self.gain = (self.gain - 1).max(-6),
            KeyCode::Char('r') => self.base = self.base.next(),
            KeyCode::Char('[') => self.closer = (self.closer + 1).min(3),
            KeyCode::Char(']') => self.closer = (self.closer - 1).max(-3),
            KeyCode::Left | KeyCode::Char('h') => self.page(false, body, look),
            KeyCode::Right | KeyCode::Char('l') => self.page(true, body, look),
            _ => {
                let height = if self.listing {
                    body.height.saturating_sub(1)
                } else {
                    1
                };
                self.choice.key(key, usize::from(height), look.model);
            }
        }
    }

    fn mouse(&mut self, mouse: MouseEvent, body: Rect, look: &Look<'_>) {
        match (mouse.kind, self.listing) {
            (MouseEventKind::ScrollUp, true) => self.key(KeyCode::Up, body, look),
            (MouseEventKind::ScrollDown, true) => self.key(KeyCode::Down, body, look),
            (MouseEventKind::ScrollUp, false) => self.span = self.span.closer(),
            (MouseEventKind::ScrollDown, false) => self.span = self.span.farther(),
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
        if self.listing {
            sessions::draw(&listed, row, buffer, body, look);
            return;
        }
        let mut rest = body;
        let head = top(&mut rest, heading::rows(body));
        let place = self.choice.place(row, listed.len());
        heading::draw(session, place, buffer, head, look);
        match self.shown {
            Shown::Together => self.together(session, buffer, rest, look),
            Shown::Alone(panel) => self.panel(panel, session, buffer, rest, look),
        }
        if session.quiet_ns(look.model.now_ns).is_some() {
            // What stands there is old: it must not look like news.
            buffer.set_style(rest, look.style(Tone::Dim));
        }
    }
}

/// What stands where there is no session.
pub(super) fn nothing(choice: &Choice, buffer: &mut Buffer, body: Rect, look: &Look<'_>) {
    let text = if choice.filter.is_empty() {
        "no sessions yet: waiting for the topics `eeg-samples` and `eeg-states`".to_owned()
    } else {
        format!("no session is called like `{}`", choice.filter)
    };
    Line::from(look.span(format!(" {text}"), Tone::Dim)).render(body, buffer);
}

/// A panel that has nothing to show says why.
fn silent(buffer: &mut Buffer, area: Rect, title: &str, why: &str, look: &Look<'_>) {
    let inner = titled(buffer, area, title, look);
    if inner.height > 0 {
        Line::from(look.span(why.to_owned(), Tone::Dim)).render(inner, buffer);
    }
}
