//! The state of the dashboard: what the topics said, which view is shown, what was typed.
//!
//! In come [`Message`]s; out goes nothing: whoever draws looks. No I/O, no clock, no waiting. While the screen is held
//! (space), a copy of everything is shown and the live state goes on below it.

use contract::eeg::Stimulation;
use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::Rect;

use crate::config::{Settings, ViewName};
use crate::message::Message;
use crate::model::Model;
use crate::theme::Theme;
use crate::view::{self, Look, View};

/// Orders that wait to be taken.
const MOST_ORDERS: usize = 16;

/// The state of the dashboard.
pub struct App {
    pub(crate) model: Model,
    pub(crate) held: Option<Held>,
    pub(crate) views: Vec<Box<dyn View>>,
    /// Which of the views is shown.
    pub(crate) at: usize,
    pub(crate) overlay: Overlay,
    pub(crate) theme: Theme,
    pub(crate) source: String,
    /// Orders for twins that nobody has taken yet.
    orders: Vec<Stimulation<'static>>,
    area: Rect,
    asked: Option<Asked>,
    version: u64,
}

/// What lies over the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overlay {
    None,
    /// The keys, from this line on.
    Help(u16),
    /// The search is being typed.
    Search,
}

/// A held screen.
#[derive(Debug)]
pub(crate) struct Held {
    /// What stood there.
    pub(crate) model: Box<Model>,
}

/// What somebody at the keyboard asked of the one who holds the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// To leave.
    Quit,
    /// To stop the process and give the terminal to the shell, until it is taken up again.
    Suspend,
    /// To draw everything anew.
    Redraw,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("view", &self.views[self.at].name())
            .field("counts", &self.model.counts)
            .finish_non_exhaustive()
    }
}

impl App {
    /// An empty dashboard of 80 columns and 24 rows; it learns its real size by a message.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let views = view::all(settings);
        let at = views.iter().position(|view| view.name() == settings.view);
        Self {
            model: Model::new(settings.window_width_ms, settings.thresholds.clone()),
            held: None,
            views,
            at: at.unwrap_or(0),
            overlay: Overlay::None,
            theme: Theme::new(settings.colour),
            source: crate::text::clean(&settings.source),
            orders: Vec::new(),
            area: Rect::new(0, 0, 80, 24),
            asked: None,
            version: 0,
        }
    }

    /// Changes whenever a frame would look different.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version.wrapping_add(self.model.version)
    }

    /// What was asked for since this was last called.
    pub fn take_asked(&mut self) -> Option<Asked> {
        self.asked.take()
    }

    /// Orders for twins that were given since this was last called, in their order.
    pub fn take_orders(&mut self) -> Vec<Stimulation<'static>> {
        std::mem::take(&mut self.orders)
    }

    /// What became of the newest order, where that was not asked before.
    #[cfg(test)]
    pub(crate) fn take_ordered(&mut self) -> Option<crate::message::Ordered> {
        self.model.ordered.take()
    }

    /// Records taken since the start.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.model.counts.records()
    }

    /// Windows among them.
    #[must_use]
    pub fn windows(&self) -> u64 {
        self.model.counts.windows
    }

    /// Blocks of EEG and the like among them.
    #[must_use]
    pub fn blocks(&self) -> u64 {
        self.model.counts.blocks
    }

    /// Whether the session that was asked for, or any, has a window.
    #[must_use]
    pub fn has_session(&self, wanted: Option<&str>) -> bool {
        let mut named = self.model.sessions.iter();
        named.any(|session| {
            session.newest.is_some()
                && wanted.is_none_or(|wanted| session.name.eq_ignore_ascii_case(wanted))
        })
    }

    /// Records on the topics that were not yet read, where it is known.
    #[must_use]
    pub fn unread(&self) -> Option<u64> {
        self.model.feed.lag
    }

    /// Columns and rows it takes itself to have.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        (self.area.width, self.area.height)
    }

    /// Whether windows have come and come still.
    #[must_use]
    pub fn is_flowing(&self) -> bool {
        self.model.life().is_flowing()
    }

    /// Takes note of something that happened.
    pub fn update(&mut self, message: Message<'_>) {
        match message {
            Message::Spread(spread, at_ns) => self.model.spread(spread, at_ns),
            Message::Venue(health, at_ns) => self.model.health(health, at_ns),
            Message::Alert(alert) => self.model.alert(alert),
            Message::Samples(block, at_ns) => {
                let seen = self.views[self.at].name() == ViewName::Brain && self.held.is_none();
                self.model.samples(block, at_ns, seen);
            }
            Message::Stimulation(order) => self.model.order(order),
            Message::SessionEnd(end, at_ns) => self.model.session_end(end, at_ns),
            Message::State(state, at_ns) => self.model.state(state, at_ns),
            Message::Ordered(ordered) => self.model.ordered(ordered),
            Message::AlertGone(id) => self.model.alert_gone(id),
            Message::Unreadable(reason) => self.model.unreadable(reason),
            Message::Feed(feed) => self.model.feed(feed),
            Message::Log(lines) => self.model.log(lines),
            Message::Time(now_ns) => {
                self.model.time(now_ns);
                self.refresh();
            }
            Message::Drawn => self.model.drawn(),
            Message::Input(event) => {
                self.version += 1;
                self.input(event);
                self.refresh();
            }
        }
    }

    /// What is shown: what is, or what was when it was held.
    pub(crate) fn look(&self) -> Look<'_> {
        Look {
            model: self.held.as_ref().map_or(&self.model, |held| &held.model),
            theme: self.theme,
        }
    }

    fn refresh(&mut self) {
        self.with_view(|view, look, _| view.refresh(look));
    }

    /// Calls the shown view with what it is to look at and the area it has.
    fn with_view(&mut self, act: impl FnOnce(&mut dyn View, &Look<'_>, Rect)) {
        let look = Look {
            model: self.held.as_ref().map_or(&self.model, |held| &held.model),
            theme: self.theme,
        };
        let body = view::areas(self.area).map_or(Rect::ZERO, |areas| areas.body);
        if let Some(view) = self.views.get_mut(self.at) {
            act(view.as_mut(), &look, body);
        }
    }

    fn input(&mut self, event: Event) {
        match event {
            Event::Resize(width, height) => self.area = Rect::new(0, 0, width, height),
            Event::Key(key) if key.kind != KeyEventKind::Release => self.key(key),
            Event::Mouse(mouse) => self.mouse(mouse),
            _ => {}
        }
    }

    fn key(&mut self, key: KeyEvent) {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            match key.code {
                KeyCode::Char('c') => self.asked = Some(Asked::Quit),
                KeyCode::Char('z') => self.asked = Some(Asked::Suspend),
                KeyCode::Char('l') => self.asked = Some(Asked::Redraw),
                _ => {}
            }
            return;
        }
        match self.overlay {
            Overlay::Search => self.typed(key.code),
            Overlay::Help(from) => {
                self.overlay = match key.code {
                    KeyCode::Down | KeyCode::Char('j') => {
                        Overlay::Help(from.saturating_add(1).min(200))
                    }
                    KeyCode::Up | KeyCode::Char('k') => Overlay::Help(from.saturating_sub(1)),
                    _ => Overlay::None,
                };
            }
            Overlay::None => self.command(key),
        }
    }

    /// A key while the search is typed: the view follows each letter.
    fn typed(&mut self, code: KeyCode) {
        const LONGEST: usize = 60;
        let mut filter = self.views[self.at].filter().to_owned();
        match code {
            KeyCode::Enter => self.overlay = Overlay::None,
            KeyCode::Esc => {
                self.overlay = Overlay::None;
                filter.clear();
            }
            KeyCode::Backspace => {
                filter.pop();
            }
            KeyCode::Char(c) if !c.is_control() && filter.chars().count() < LONGEST => {
                filter.push(c)
            }
            _ => {}
        }
        self.views[self.at].set_filter(filter);
    }

    fn command(&mut self, key: KeyEvent) {
        let n = self.views.len();
        match key.code {
            KeyCode::Char('q') => self.asked = Some(Asked::Quit),
            KeyCode::Char('?') | KeyCode::F(1) => self.overlay = Overlay::Help(0),
            KeyCode::Char('/') => self.overlay = Overlay::Search,
            KeyCode::Char(' ') => self.hold_or_let_go(),
            KeyCode::Tab => self.turn_to((self.at + 1) % n),
            KeyCode::BackTab => self.turn_to((self.at + n - 1) % n),
            KeyCode::Char(c @ '1'..='9') => {
                let wanted = c.to_digit(10).and_then(|digit| usize::try_from(digit).ok());
                if let Some(at) = wanted.and_then(|at| at.checked_sub(1)).filter(|at| *at < n) {
                    self.turn_to(at);
                }
            }
            KeyCode::Esc if !self.views[self.at].filter().is_empty() => {
                self.views[self.at].set_filter(String::new());
            }
            _ => {
                self.with_view(|view, look, body| view.key(key.code, body, look));
                // While the screen is held, its clock stands still; an order is given now.
                let at_ns = self.model.now_ns;
                let given = self.views[self.at].take_order();
                self.orders
                    .extend(given.map(|order| Stimulation { at_ns, ..order }));
                // Nobody who takes orders leaves so many: what is older was never to be sent.
                let over = self.orders.len().saturating_sub(MOST_ORDERS);
                self.orders.drain(..over);
            }
        }
    }

    /// Shows another view, with the session that was chosen in this one.
    fn turn_to(&mut self, at: usize) {
        if let Some(session) = self.views[self.at].session() {
            self.views
                .iter_mut()
                .for_each(|view| view.choose_session(&session));
        }
        self.at = at;
    }

    fn hold_or_let_go(&mut self) {
        self.held = match self.held.take() {
            Some(_) => None,
            None => Some(Held {
                model: Box::new(self.model.clone()),
            }),
        };
    }

    fn mouse(&mut self, mouse: MouseEvent) {
        if self.overlay != Overlay::None {
            if matches!(mouse.kind, MouseEventKind::Down(_)) {
                self.overlay = Overlay::None;
            }
            return;
        }
        let Some(areas) = view::areas(self.area) else {
            return;
        };
        let pressed = mouse.kind == MouseEventKind::Down(MouseButton::Left);
        if pressed && mouse.row == areas.tabs.y {
            if let Some(at) = view::tab_at(self, areas.tabs, mouse.column) {
                self.turn_to(at);
            }
            return;
        }
        if areas.body.contains((mouse.column, mouse.row).into()) {
            self.with_view(|view, look, body| view.mouse(mouse, body, look));
        }
    }
}
