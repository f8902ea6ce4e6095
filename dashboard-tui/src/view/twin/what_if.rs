//! What would be if one node were driven: chosen by keys, ordered by Enter, and what became of the order.
//!
//! In: keys, the session, the model. Out: an order at a time, and cells. The twin alone is driven; nothing reaches a board or a
//! person. Absent: sending.

use std::borrow::Cow;
use std::f64::consts::PI;
use std::sync::Arc;

use contract::eeg::tags::{StimulationKind, V1};
use contract::eeg::{DriveKind, Order, Stimulated, Stimulation};
use contract::time::NS_PER_S;
use crossterm::event::KeyCode;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::effect;
use super::panels::labelled;
use crate::config::Orders;
use crate::model::Model;
use crate::model::session::Session;
use crate::theme::Tone;
use crate::view::Look;
use crate::view::eeg::{flow, lines, number, sign, titled};

/// Rows that it has at least where there is room, so that nothing moves when something is driven.
pub(super) const ROWS: u16 = 6;
/// Radians a second: from key to key, and the most.
const STEP: f64 = 0.5;
const MOST: f64 = 100.0;
/// After so long an order of which nothing is seen counts no more.
const PATIENCE_NS: i64 = 20 * NS_PER_S;

/// What is chosen, and the order that is under way.
#[derive(Debug)]
pub(super) struct WhatIf {
    orders: Orders,
    node: usize,
    drive: DriveKind,
    amplitude_rad_s: f64,
    /// Whether a locked drive pushes away from its target.
    away: bool,
    /// The newest order from here, until its effect is seen.
    asked: Option<Stimulation<'static>>,
    /// The session and the word of an order of which nothing was seen.
    lost: Option<(Arc<str>, &'static str)>,
    /// The newest order, until it is taken.
    given: Option<Stimulation<'static>>,
    n_given: u64,
}

fn running(session: &Session) -> Option<&Stimulated> {
    session.twin()?.stimulation.as_ref()
}

impl WhatIf {
    pub(super) fn new(orders: Orders) -> Self {
        Self {
            orders,
            node: 0,
            drive: DriveKind::Tone,
            amplitude_rad_s: 5.0,
            away: false,
            asked: None,
            lost: None,
            given: None,
            n_given: 0,
        }
    }

    /// The chosen node, within the session's channels.
    pub(super) fn node(&self, session: &Session) -> usize {
        self.node.min(session.n_channels().saturating_sub(1))
    }

    pub(super) fn take_order(&mut self) -> Option<Stimulation<'static>> {
        self.given.take()
    }

    /// An order whose effect is seen, that failed, or of which nothing was seen for long, is under way no more.
    pub(super) fn refresh(&mut self, model: &Model) {
        let Some(asked) = &self.asked else { return };
        let mut sessions = model.sessions.iter();
        let session = sessions.find(|session| *session.key == *asked.session);
        let now = session.and_then(|session| running(session));
        let is_seen = match asked.order {
            Order::Start => now.is_some_and(|now| now.id == asked.id),
            Order::Stop => now.is_none_or(|now| now.id != asked.id),
        };
        let is_over = model.now_ns.saturating_sub(asked.at_ns) > PATIENCE_NS;
        let has_failed = self.failure(model).is_some();
        if is_seen || is_over || has_failed {
            let is_lost = !is_seen && !has_failed;
            self.lost = is_lost.then(|| (Arc::from(&*asked.session), word(asked.order)));
            self.asked = None;
        }
    }

    /// Why the order under way was not delivered.
    fn failure<'a>(&self, model: &'a Model) -> Option<&'a str> {
        let asked = self.asked.as_ref()?;
        let ordered = model
            .ordered
            .as_ref()
            .filter(|ordered| ordered.id == asked.id)?;
        ordered.outcome.as_ref().err().map(String::as_str)
    }

    /// A key; whether it is one of these.
    pub(super) fn key(&mut self, key: KeyCode, session: &Session, model: &Model) -> bool {
        let n = session.n_channels().max(1);
        let node = self.node(session);
        match key {
            KeyCode::Left | KeyCode::Char('h') => self.node = (node + n - 1) % n,
            KeyCode::Right | KeyCode::Char('l') => self.node = (node + 1) % n,
            KeyCode::Char('d') => {
                self.drive = match self.drive {
                    DriveKind::Tone => DriveKind::Torque,
                    DriveKind::Torque => DriveKind::Locked,
                    DriveKind::Locked => DriveKind::Tone,
                }
            }
            KeyCode::Char('o') => self.away = !self.away,
            KeyCode::Char('+' | '=') => self.louder(STEP),
            KeyCode::Char('-' | '_') => self.louder(-STEP),
            KeyCode::Enter => self.give(session, model),
            _ => return false,
        }
        true
    }

    fn louder(&mut self, by: f64) {
        self.amplitude_rad_s = (self.amplitude_rad_s + by).clamp(STEP, MOST);
    }

    /// What Enter would order: the end of what runs or is about to, else a beginning.
    fn next(&self, session: &Session) -> Order {
        let asked = self
            .asked
            .as_ref()
            .filter(|asked| *asked.session == *session.key);
        match (asked.map(|asked| asked.order), running(session)) {
            (Some(Order::Start), _) | (None, Some(_)) => Order::Stop,
            (Some(Order::Stop), _) | (None, None) => Order::Start,
        }
    }

    fn give(&mut self, session: &Session, model: &Model) {
        let has_twin = session.twin().is_some();
        let order = self.next(session);
        let is_idle = order == Order::Start && (!has_twin || session.ended_at_ns.is_some());
        if self.orders == Orders::ReadOnly || is_idle {
            return;
        }
        self.n_given += 1;
        // The end of a stimulation bears its name.
        let asked = self
            .asked
            .as_ref()
            .filter(|asked| *asked.session == *session.key);
        let known = asked
            .map(|asked| asked.id.to_string())
            .or_else(|| running(session).map(|now| now.id.clone()))
            .filter(|_| order == Order::Stop);
        let id = known.unwrap_or_else(|| format!("dashboard-{}-{}", model.now_ns, self.n_given));
        let is_locked = self.drive == DriveKind::Locked;
        let given = Stimulation {
            v: V1,
            kind: StimulationKind,
            session: Cow::Owned(session.key.to_string()),
            id: Cow::Owned(id),
            order,
            node: u64::try_from(self.node(session)).unwrap_or(0),
            drive: self.drive,
            amplitude_rad_s: self.amplitude_rad_s,
            frequency_hz: None,
            delta_rad: if is_locked && self.away { PI } else { 0.0 },
            target: None,
            at_ns: model.now_ns,
        };
        self.lost = None;
        self.asked = Some(given.clone());
        self.given = Some(given);
    }

    /// Rows that it takes in so many columns.
    pub(super) fn rows(&self, session: &Session, width: u16, look: &Look<'_>) -> u16 {
        let n = self.lines(session, usize::from(width), look).len();
        u16::try_from(n + 1).unwrap_or(u16::MAX)
    }

    pub(super) fn draw(&self, session: &Session, buffer: &mut Buffer, area: Rect, look: &Look<'_>) {
        let title = labelled(session, "what-if, in the twin alone");
        let inner = titled(buffer, area, &title, look);
        lines(
            buffer,
            inner,
            self.lines(session, usize::from(inner.width), look),
        );
    }

    fn lines<'a>(&self, session: &Session, room: usize, look: &Look<'_>) -> Vec<Line<'a>> {
        let mut lines: Vec<Line<'a>> = self.under_way(session, look).into_iter().collect();
        let ordered = look.model.ordered.as_ref();
        if let Some(reason) = ordered.and_then(|ordered| ordered.outcome.as_ref().err()) {
            lines.push(Line::from(
                look.span(format!("NOT SENT: {reason}"), Tone::Bad),
            ));
        }
        let chosen = flow(self.chosen(session), room, look);
        // What runs comes before what could be, where there is little room.
        match running(session) {
            Some(now) => {
                lines.extend(flow(effect::parts(now, session), room, look));
                lines.extend(chosen);
            }
            None => {
                lines.splice(0..0, chosen);
            }
        }
        lines
    }

    /// What Enter does, and to what.
    fn chosen(&self, session: &Session) -> Vec<(String, Tone)> {
        let twin = session.twin();
        let next = self.next(session);
        let (action, tone) = match next {
            _ if self.orders == Orders::ReadOnly => {
                ("read-only: no orders are sent from here", Tone::Warn)
            }
            Order::Start if session.ended_at_ns.is_some() => ("the session has ended", Tone::Dim),
            Order::Start if twin.is_none() => {
                ("nothing to drive before there is a twin", Tone::Dim)
            }
            Order::Start => ("Enter drives", Tone::Plain),
            Order::Stop => ("Enter stops it; chosen:", Tone::Plain),
        };
        let node = self.node(session);
        let omega = twin.and_then(|twin| twin.omega_hz.get(node));
        let drive = match self.drive {
            DriveKind::Tone => format!(
                "d: tone {} Hz",
                number(omega.map_or(f64::NAN, |hz| hz.0), 1)
            ),
            DriveKind::Torque => "d: constant torque".to_owned(),
            DriveKind::Locked if self.away => "d: locked, o: off mean".to_owned(),
            DriveKind::Locked => "d: locked, o: to mean".to_owned(),
        };
        let name = session.short(node, 8);
        vec![
            (action.to_owned(), tone),
            (format!("‹{} {name}›", sign(node)), Tone::Title),
            (drive, Tone::Title),
            (
                format!("+ -: {} rad/s", number(self.amplitude_rad_s, 1)),
                Tone::Title,
            ),
        ]
    }

    /// Where the order stands whose effect is not seen yet.
    fn under_way<'a>(&self, session: &Session, look: &Look<'_>) -> Option<Line<'a>> {
        let lost = self.lost.as_ref().filter(|(of, _)| *of == session.key);
        if let Some((_, what)) = lost {
            let text = format!("{what} was sent, and nothing came of it");
            return Some(Line::from(look.span(text, Tone::Bad)));
        }
        let asked = self
            .asked
            .as_ref()
            .filter(|asked| *asked.session == *session.key)?;
        let what = word(asked.order);
        let is_on_topic = session
            .order
            .as_ref()
            .is_some_and(|seen| seen.id == asked.id && seen.order == asked.order);
        let is_sent = look
            .model
            .ordered
            .as_ref()
            .is_some_and(|ordered| ordered.id == asked.id);
        let text = if is_on_topic || is_sent {
            format!("{what} sent: from the next window on")
        } else {
            format!("{what} is being sent")
        };
        Some(Line::from(look.span(text, Tone::Notice)))
    }
}

fn word(order: Order) -> &'static str {
    match order {
        Order::Start => "start",
        Order::Stop => "stop",
    }
}

#[cfg(test)]
mod tests;
