//! *Alerts*: every episode the topic knows, the newest first, with a filter, and one of them in detail.

use contract::alert::Delivery;
use contract::time::NS_PER_MS;
use crossterm::event::{KeyCode, MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use super::list::{moved, page_start};
use super::table::{self, Column};
use super::{Look, View};
use crate::config::ViewName;
use crate::model::Model;
use crate::model::episodes::{About, Episode};
use crate::text::{bps, clock, date_clock, fit, grouped, span_ms, stamp};
use crate::theme::Tone;

/// Which kinds are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Kinds {
    #[default]
    All,
    Spreads,
    Outages,
}

/// Which states are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum States {
    #[default]
    All,
    Open,
    Closed,
}

/// The view.
#[derive(Debug, Default)]
pub(super) struct Alerts {
    filter: String,
    kinds: Kinds,
    states: States,
    /// The chosen episode's id.
    chosen: Option<String>,
    /// Where only one of the two has room: whether it is the detail.
    opened: bool,
}

fn delivery(episode: &Episode) -> (&'static str, Tone) {
    match episode.delivery {
        Delivery::Pending => ("pending", Tone::Warn),
        Delivery::Sent => ("sent", Tone::Plain),
        Delivery::Refused => ("REFUSED", Tone::Bad),
        Delivery::Logged => ("logged", Tone::Dim),
    }
}

fn state(episode: &Episode) -> (&'static str, Tone) {
    match (episode.is_open, &episode.about) {
        (true, About::Spread { .. }) => ("● open", Tone::Best),
        (true, About::Outage { .. } | About::Stall) => ("● open", Tone::Bad),
        (false, _) => ("  closed", Tone::Dim),
    }
}

fn kind(episode: &Episode) -> &'static str {
    match episode.about {
        About::Spread { .. } => "spread",
        About::Outage { .. } => "outage",
        About::Stall => "stall",
    }
}

impl Alerts {
    fn listed<'a>(&self, model: &'a Model) -> Vec<&'a Episode> {
        let filter = self.filter.to_lowercase();
        let wanted = |episode: &&Episode| {
            let kinds = match self.kinds {
                Kinds::All => true,
                Kinds::Spreads => matches!(episode.about, About::Spread { .. }),
                Kinds::Outages => !matches!(episode.about, About::Spread { .. }),
            };
            let states = match self.states {
                States::All => true,
                States::Open => episode.is_open,
                States::Closed => !episode.is_open,
            };
            let found = || episode.subject().to_lowercase().contains(&filter);
            kinds && states && (filter.is_empty() || found())
        };
        model.episodes.newest_first().filter(wanted).collect()
    }

    fn row(&self, listed: &[&Episode]) -> usize {
        let chosen = self.chosen.as_deref();
        listed
            .iter()
            .position(|alert| Some(alert.id.as_str()) == chosen)
            .unwrap_or(0)
    }

    /// Where list and detail stand.
    fn parts(&self, body: Rect) -> (Option<Rect>, Option<Rect>) {
        const WIDE: u16 = 120;
        const HIGH: u16 = 18;
        const DETAIL: u16 = 10;
        let below = Rect {
            y: body.y + 1,
            height: body.height.saturating_sub(1),
            ..body
        };
        if body.width >= WIDE {
            let left = body.width * 3 / 5;
            let list = Rect {
                width: left,
                ..below
            };
            let detail = Rect {
                x: body.x + left + 2,
                width: body.width - left - 2,
                ..below
            };
            return (Some(list), Some(detail));
        }
        if body.height >= HIGH {
            let list = Rect {
                height: below.height - DETAIL,
                ..below
            };
            let detail = Rect {
                y: list.bottom(),
                height: DETAIL,
                ..below
            };
            return (Some(list), Some(detail));
        }
        (
            (!self.opened).then_some(below),
            self.opened.then_some(below),
        )
    }

    fn choose(&mut self, listed: &[&Episode], row: usize) {
        self.chosen = listed.get(row).map(|alert| alert.id.clone());
    }

    fn heading<'t>(&self, n: usize, look: &Look<'_>) -> Line<'t> {
        let kinds = match self.kinds {
            Kinds::All => "all kinds",
            Kinds::Spreads => "spreads",
            Kinds::Outages => "outages",
        };
        let states = match self.states {
            States::All => "all states",
            States::Open => "open",
            States::Closed => "closed",
        };
        let total = look.model.episodes.len();
        let tone = |everything: bool| if everything { Tone::Dim } else { Tone::Warn };
        Line::from(vec![
            look.span(format!(" {n} of {total}  "), Tone::Plain),
            look.span(format!("t: {kinds}  "), tone(self.kinds == Kinds::All)),
            look.span(format!("o: {states}  "), tone(self.states == States::All)),
            look.span("/: search", Tone::Dim),
        ])
    }
}

fn list(listed: &[&Episode], chosen: usize, buffer: &mut Buffer, area: Rect, look: &Look<'_>) {
    let height = usize::from(area.height.saturating_sub(1));
    let from = page_start(chosen, height);
    let page: Vec<&Episode> = listed.iter().skip(from).take(height).copied().collect();
    let here = chosen - from;
    let marks =
        (0..page.len()).map(|at| ((if at == here { "▸" } else { " " }).to_owned(), Tone::Title));
    let word = |(text, tone): (&str, Tone)| (text.to_owned(), tone);
    let peak = |episode: &&Episode| match episode.about {
        About::Spread { peak_net_bps, .. } => (bps(peak_net_bps), Tone::Good),
        About::Outage { .. } | About::Stall => ("-".to_owned(), Tone::Dim),
    };
    let plain = |text: String| (text, Tone::Plain);
    let columns = [
        Column::new(0, "").cells(marks),
        Column::new(1, "opened UTC").cells(
            page.iter()
                .map(|it| plain(stamp(it.opened_ms, look.model.now_ns / NS_PER_MS))),
        ),
        Column::new(0, "state").cells(page.iter().map(|it| word(state(it)))),
        Column::new(4, "kind").cells(page.iter().map(|it| (kind(it).to_owned(), Tone::Dim))),
        Column::new(0, "about")
            .shrinks()
            .cells(page.iter().map(|it| plain(it.subject().to_owned()))),
        Column::new(0, "peak bps")
            .right()
            .cells(page.iter().map(peak)),
        Column::new(2, "lasted")
            .right()
            .cells(page.iter().map(|it| plain(span_ms(it.lasted_ms())))),
        Column::new(3, "message").cells(page.iter().map(|it| word(delivery(it)))),
    ];
    table::draw(
        buffer,
        area,
        look,
        &columns,
        (!page.is_empty()).then_some(here),
    );
}

fn detail<'t>(episode: &Episode, look: &Look<'_>, room: usize) -> Vec<Line<'t>> {
    let row = |name: &str, text: String, tone: Tone| {
        let text = fit(&text, room.saturating_sub(12)).into_owned();
        Line::from(vec![
            look.span(format!("  {name:<10}"), Tone::Dim),
            look.span(text, tone),
        ])
    };
    let (word, tone) = state(episode);
    let subject = fit(episode.subject(), room.saturating_sub(10)).into_owned();
    let until = match episode.closed_ms {
        Some(closed_ms) => format!("{} UTC", date_clock(closed_ms)),
        None => format!("not yet, last word {} UTC", clock(episode.updated_ms)),
    };
    let mut lasted = span_ms(episode.lasted_ms());
    let mut lines = vec![
        Line::from(vec![
            look.span(subject, Tone::Title),
            look.span(format!("  {}", word.trim_start()), tone),
        ]),
        row(
            "opened",
            format!("{} UTC", date_clock(episode.opened_ms)),
            Tone::Plain,
        ),
        row("closed", until, Tone::Plain),
    ];
    if let About::Spread { windows, .. } = episode.about {
        lasted = format!("{lasted}, {} windows", grouped(windows));
    }
    lines.push(row("lasted", lasted, Tone::Plain));
    if let About::Spread {
        peak_net_bps,
        peak_size,
        peak_at_ns,
        ..
    } = &episode.about
    {
        let peak = format!(
            "net {} bps at {} UTC",
            bps(*peak_net_bps),
            clock(peak_at_ns / NS_PER_MS)
        );
        lines.push(row("peak", peak, Tone::Good));
        let size = peak_size.as_deref().unwrap_or("not known");
        lines.push(row("size", format!("{size} at the peak"), Tone::Plain));
    }
    let (word, tone) = delivery(episode);
    let number = episode.message_id.as_ref();
    let number = number.map_or_else(String::new, |id| format!(", message {id}"));
    // While a message is under way nobody knows yet; once it stands, it may stand twice.
    let twice = episode.may_repeat && episode.delivery == Delivery::Sent;
    let twice = if twice { ", may stand twice" } else { "" };
    lines.push(row("message", format!("{word}{number}{twice}"), tone));
    lines.push(row("episode", episode.id.clone(), Tone::Dim));
    lines
}

impl View for Alerts {
    fn name(&self) -> ViewName {
        ViewName::Alerts
    }

    fn title(&self) -> &'static str {
        "Alerts"
    }

    fn badge(&self, look: &Look<'_>) -> Option<(String, Tone)> {
        let n_open = look.model.episodes.n_open();
        (n_open > 0).then(|| (n_open.to_string(), Tone::Best))
    }

    fn keys(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("t", "kinds: all, spreads, outages"),
            ("o", "states: all, open, closed"),
            ("Enter", "the chosen one alone, and back (small screens)"),
        ]
    }

    fn filter(&self) -> &str {
        &self.filter
    }

    fn set_filter(&mut self, filter: String) {
        self.filter = filter;
    }

    fn refresh(&mut self, _: &Look<'_>) {}

    fn key(&mut self, key: KeyCode, body: Rect, look: &Look<'_>) {
        match key {
            KeyCode::Enter => self.opened = !self.opened,
            KeyCode::Esc => self.opened = false,
            KeyCode::Char('t') => {
                self.kinds = match self.kinds {
                    Kinds::All => Kinds::Spreads,
                    Kinds::Spreads => Kinds::Outages,
                    Kinds::Outages => Kinds::All,
                }
            }
            KeyCode::Char('o') => {
                self.states = match self.states {
                    States::All => States::Open,
                    States::Open => States::Closed,
                    States::Closed => States::All,
                }
            }
            _ => {
                let listed = self.listed(look.model);
                let height = self
                    .parts(body)
                    .0
                    .map_or(1, |list| usize::from(list.height).saturating_sub(1));
                if let Some(row) = moved(self.row(&listed), listed.len(), height, key) {
                    self.choose(&listed, row);
                }
            }
        }
    }

    fn mouse(&mut self, mouse: MouseEvent, body: Rect, look: &Look<'_>) {
        let listed = self.listed(look.model);
        let area = self.parts(body).0;
        match mouse.kind {
            MouseEventKind::ScrollUp => self.key(KeyCode::Up, body, look),
            MouseEventKind::ScrollDown => self.key(KeyCode::Down, body, look),
            MouseEventKind::Down(MouseButton::Left) => {
                let inside = |area: &Rect| {
                    area.contains((mouse.column, mouse.row).into()) && mouse.row > area.y
                };
                if let Some(area) = area.filter(inside) {
                    let height = usize::from(area.height.saturating_sub(1));
                    let from = page_start(self.row(&listed), height);
                    self.choose(&listed, from + usize::from(mouse.row - area.y - 1));
                }
            }
            _ => {}
        }
    }

    fn draw(&self, buffer: &mut Buffer, body: Rect, look: &Look<'_>) {
        let listed = self.listed(look.model);
        self.heading(listed.len(), look).render(body, buffer);
        let (list_area, detail_area) = self.parts(body);
        let Some(first) = list_area.or(detail_area) else {
            return;
        };
        if listed.is_empty() {
            let text = if look.model.episodes.len() == 0 {
                " no alert on the topic yet"
            } else {
                " no alert passes the filter"
            };
            Line::from(look.span(text, Tone::Dim)).render(first, buffer);
            return;
        }
        let row = self.row(&listed);
        if let Some(area) = list_area {
            list(&listed, row, buffer, area, look);
        }
        if let (Some(area), Some(alert)) = (detail_area, listed.get(row)) {
            let lines = detail(alert, look, usize::from(area.width));
            for (line, row) in lines.into_iter().zip(area.rows()) {
                line.render(row, buffer);
            }
        }
    }
}
