//! What is drawn: a header that shows at a glance whether the pipeline lives, tabs, one view, a line of counts.
//!
//! In: an [`App`]. Out: cells of a buffer. Nothing here waits or changes anything. A view is a type that implements
//! `View` and stands in `all`; adding one is local to its file and that line.

use std::sync::Arc;

use contract::eeg::Stimulation;
use crossterm::event::{KeyCode, MouseEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::app::{App, Overlay};
use crate::config::{Settings, ViewName};
use crate::model::Model;
use crate::model::life::Stream;
use crate::theme::{Theme, Tone};

mod alerts;
mod brain;
mod chart;
mod dots;
mod eeg;
mod frame;
mod help;
mod list;
mod log;
mod scale;
mod spreads;
mod table;
mod twin;
mod venues;

pub(crate) use frame::tab_at;

/// What a view looks at.
#[derive(Clone, Copy)]
pub(crate) struct Look<'a> {
    pub(crate) model: &'a Model,
    pub(crate) theme: Theme,
}

impl Look<'_> {
    pub(crate) fn style(&self, tone: Tone) -> Style {
        self.theme.style(tone)
    }

    /// A piece of text in a tone.
    pub(crate) fn span<'t>(
        &self,
        text: impl Into<std::borrow::Cow<'t, str>>,
        tone: Tone,
    ) -> Span<'t> {
        Span::styled(text, self.style(tone))
    }
}

/// One of the tabs.
pub(crate) trait View: Send {
    /// Which it is.
    fn name(&self) -> ViewName;
    /// What stands on its tab.
    fn title(&self) -> &'static str;
    /// Whose life the header tells of while it is shown.
    fn stream(&self) -> Stream {
        Stream::Spreads
    }
    /// The EEG session that is chosen in it.
    fn session(&self) -> Option<Arc<str>> {
        None
    }
    /// One was chosen elsewhere.
    fn choose_session(&mut self, _name: &Arc<str>) {}
    /// What the last key ordered of a twin.
    fn take_order(&mut self) -> Option<Stimulation<'static>> {
        None
    }
    /// What stands behind that, if anything is to be seen there.
    fn badge(&self, look: &Look<'_>) -> Option<(String, Tone)>;
    /// Its keys, for the help and, the first of them, for the last line.
    fn keys(&self) -> &'static [(&'static str, &'static str)];
    /// What is searched for.
    fn filter(&self) -> &str;
    /// Searches for something else.
    fn set_filter(&mut self, filter: String);
    /// What may change once in a while, such as the order of a list.
    fn refresh(&mut self, look: &Look<'_>);
    /// A key that is none of the common ones.
    fn key(&mut self, key: KeyCode, body: Rect, look: &Look<'_>);
    /// The mouse, within the body.
    fn mouse(&mut self, mouse: MouseEvent, body: Rect, look: &Look<'_>);
    /// Draws.
    fn draw(&self, buffer: &mut Buffer, body: Rect, look: &Look<'_>);
}

/// The views, in the order of their tabs.
pub(crate) fn all(settings: &Settings) -> Vec<Box<dyn View>> {
    vec![
        Box::new(spreads::Spreads::new(settings.pair.clone())),
        Box::new(venues::Venues::default()),
        Box::new(alerts::Alerts::default()),
        Box::new(brain::Brain::new(settings.session.clone())),
        Box::new(twin::Twin::new(settings.session.clone(), settings.orders)),
        Box::new(log::Log::default()),
    ]
}

/// The parts of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Areas {
    pub(crate) header: Rect,
    pub(crate) tabs: Rect,
    pub(crate) body: Rect,
    pub(crate) status: Rect,
}

/// The least screen that can be drawn on.
const LEAST: (u16, u16) = (28, 6);

/// The parts of a screen; none where it is too small.
pub(crate) fn areas(area: Rect) -> Option<Areas> {
    if area.width < LEAST.0 || area.height < LEAST.1 {
        return None;
    }
    let row = |y| Rect::new(area.x, y, area.width, 1);
    Some(Areas {
        header: row(area.y),
        tabs: row(area.y + 1),
        body: Rect::new(area.x, area.y + 2, area.width, area.height - 3),
        status: row(area.bottom() - 1),
    })
}

/// Draws the dashboard.
pub fn draw(frame: &mut ratatui::Frame<'_>, app: &App) {
    let area = frame.area();
    render(frame.buffer_mut(), area, app);
}

/// Draws the dashboard into a buffer.
pub fn render(buffer: &mut Buffer, area: Rect, app: &App) {
    let Some(areas) = areas(area) else {
        too_small(buffer, area);
        return;
    };
    let look = app.look();
    frame::header(buffer, areas.header, app);
    frame::tabs(buffer, areas.tabs, app);
    let view = &app.views[app.at];
    view.draw(buffer, areas.body, &look);
    if !app.model.life_of(view.stream()).is_flowing() && view.name() != ViewName::Log {
        // What stands there is old: it must not look like news.
        buffer.set_style(areas.body, look.style(Tone::Dim));
    }
    frame::status(buffer, areas.status, app);
    if let Overlay::Help(from) = app.overlay {
        help::draw(buffer, areas.body, app, from);
    }
}

fn too_small(buffer: &mut Buffer, area: Rect) {
    let lines = [
        "too small".to_owned(),
        format!("{}x{} of {}x{}", area.width, area.height, LEAST.0, LEAST.1),
    ];
    for (line, row) in lines.into_iter().zip(area.rows()) {
        Line::from(line).render(row, buffer);
    }
}
