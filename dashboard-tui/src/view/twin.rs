//! *Twin*: the network that was calibrated on a session, held against what then came, and what it would do if one node were
//! driven.
//!
//! In: keys and the model. Out: cells, and orders that somebody else sends. The verdict of the windows stands above everything
//! here too: a twin of noise is one as well.

use std::sync::Arc;

use contract::eeg::Stimulation;
use crossterm::event::{KeyCode, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::brain::nothing;
use super::eeg::choice::Choice;
use super::eeg::cut::top;
use super::eeg::heading;
use super::eeg::plot::Span;
use super::{Look, View};
use crate::config::{Orders, ViewName};
use crate::model::life::Stream;
use crate::model::session::Session;
use crate::theme::Tone;

mod effect;
mod nodes;
mod panels;
mod standing;
mod tiles;
mod what_if;

use panels::{label, matrix, order, over_time, phase};
use tiles::{Panel, tiles};
use what_if::WhatIf;

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
            .filter_map(|session| session.twin());
        twins
            .any(|twin| twin.stimulation.is_some())
            .then(|| ("~".to_owned(), Tone::Notice))
    }

    fn keys(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("↑ ↓", "another session"),
            ("← →, h l", "another node"),
            ("d", "drive: tone, constant torque, locked to the phase"),
            ("+ -", "amplitude"),
            ("o", "locked: towards the mean field, away from it"),
            ("Enter", "drives the node in the twin, and stops that"),
            ("f", "all panels together, or one of them alone"),
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
        standing::draw(session, buffer, head, look);
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
