//! *Spreads*: the list of pairs, and one of them over time with its legs and routes.
//!
//! In: keys, the mouse, and the model. Out: cells. Wide screens show list and pair side by side, lower ones above each
//! other, the smallest one of the two at a time.

use std::sync::Arc;

use crossterm::event::{KeyCode, MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use super::chart::Figures;
use super::list::{moved, page_start};
use super::{Look, View};
use crate::config::ViewName;
use crate::model::Model;
use crate::model::pair::Pair;
use crate::theme::Tone;

mod detail;
mod rows;

/// Lengths of time that the chart can span, in windows.
const SPANS: [i64; 11] = [
    30, 60, 120, 300, 600, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400,
];
/// The one at first: two minutes of windows of a second.
const FIRST_SPAN: usize = 2;
/// Nanoseconds between two orderings of the list, so that rows do not jump about.
const ORDER_EVERY_NS: u64 = contract::time::NS_PER_S.unsigned_abs();

/// What the list is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Order {
    #[default]
    Name,
    /// Highest first.
    Net,
    /// Longest above zero first.
    Positive,
    /// Worst first.
    Quality,
    /// Most first.
    Late,
}

impl Order {
    const ALL: [Self; 5] = [
        Self::Name,
        Self::Net,
        Self::Positive,
        Self::Quality,
        Self::Late,
    ];

    fn next(self) -> Self {
        let at = Self::ALL.iter().position(|order| *order == self);
        Self::ALL[(at.unwrap_or(0) + 1) % Self::ALL.len()]
    }

    fn compare(self, one: &Pair, other: &Pair) -> std::cmp::Ordering {
        let net = |pair: &Pair| pair.net_bps().unwrap_or(f64::NEG_INFINITY);
        let first = match self {
            Self::Name => std::cmp::Ordering::Equal,
            Self::Net => net(other).total_cmp(&net(one)),
            Self::Positive => other.positive_ns().cmp(&one.positive_ns()),
            Self::Quality => one.quality.cmp(&other.quality),
            Self::Late => other.late_total.cmp(&one.late_total),
        };
        first.then_with(|| one.name.cmp(&other.name))
    }
}

/// The view.
#[derive(Debug)]
pub(super) struct Spreads {
    /// Looked for until it comes.
    wanted: Option<String>,
    chosen: Option<Arc<str>>,
    filter: String,
    order: Order,
    /// Indices of the model's pairs, in the order of the list.
    shown: Vec<usize>,
    ordered: Option<(i64, usize)>,
    span: usize,
    /// Where the chart ends; none where it follows the newest window.
    until_ms: Option<i64>,
    figures: Figures,
    /// Where only one of the two has room: whether it is the pair.
    opened: bool,
}

/// Where list and pair stand.
struct Parts {
    list: Option<Rect>,
    detail: Option<Rect>,
}

impl Spreads {
    pub(super) fn new(wanted: Option<String>) -> Self {
        Self {
            opened: wanted.is_some(),
            wanted,
            chosen: None,
            filter: String::new(),
            order: Order::default(),
            shown: Vec::new(),
            ordered: None,
            span: FIRST_SPAN,
            until_ms: None,
            figures: Figures::default(),
        }
    }

    fn parts(&self, body: Rect) -> Parts {
        const WIDE: u16 = 120;
        const HIGH: u16 = 18;
        let n = u16::try_from(self.shown.len().max(1)).unwrap_or(u16::MAX);
        if body.width >= WIDE {
            let width = (body.width * 2 / 5).clamp(56, 80);
            let list = Rect { width, ..body };
            let detail = Rect {
                x: body.x + width + 2,
                width: body.width - width - 2,
                ..body
            };
            return Parts {
                list: Some(list),
                detail: Some(detail),
            };
        }
        if body.height >= HIGH {
            let height = n.saturating_add(1).min(body.height / 3);
            let list = Rect { height, ..body };
            let detail = Rect {
                y: body.y + height,
                height: body.height - height,
                ..body
            };
            return Parts {
                list: Some(list),
                detail: Some(detail),
            };
        }
        Parts {
            list: (!self.opened).then_some(body),
            detail: self.opened.then_some(body),
        }
    }

    /// The chosen row; the first where nothing is chosen or the chosen one is not listed.
    fn row(&self, model: &Model) -> usize {
        let is_chosen =
            |at: &usize| model.pairs().get(*at).map(|pair| &pair.name) == self.chosen.as_ref();
        self.shown.iter().position(is_chosen).unwrap_or(0)
    }

    fn pair<'a>(&self, model: &'a Model) -> Option<&'a Pair> {
        let at = self.shown.get(self.row(model))?;
        model.pairs().get(*at).map(AsRef::as_ref)
    }

    fn choose(&mut self, row: usize, model: &Model) {
        let pair = self.shown.get(row).and_then(|at| model.pairs().get(*at));
        if let Some(pair) = pair {
            self.chosen = Some(Arc::clone(&pair.name));
            self.wanted = None;
        }
    }

    fn reorder(&mut self, model: &Model) {
        let filter = self.filter.to_lowercase();
        let pairs = model.pairs();
        self.shown = (0..pairs.len())
            .filter(|at| filter.is_empty() || pairs[*at].name.to_lowercase().contains(&filter))
            .collect();
        let order = self.order;
        self.shown
            .sort_by(|one, other| order.compare(&pairs[*one], &pairs[*other]));
        self.ordered = Some((model.now_ns, pairs.len()));
    }

    fn zoom(&mut self, closer: bool) {
        self.span = if closer {
            self.span.saturating_sub(1)
        } else {
            (self.span + 1).min(SPANS.len() - 1)
        };
    }

    fn span_ms(&self, model: &Model) -> i64 {
        let windows = SPANS.get(self.span).copied().unwrap_or(60);
        windows.saturating_mul(model.width_ms)
    }

    /// Where the chart begins and ends. While nothing comes the end moves on with our clock, so that what is missing shows.
    fn stretch(&self, model: &Model) -> (i64, i64) {
        let now_ms = newest_ms(model);
        let to_ms = self.until_ms.unwrap_or(now_ms);
        (to_ms.saturating_sub(self.span_ms(model)), to_ms)
    }

    fn pan(&mut self, quarters: i64, model: &Model) {
        let (_, to_ms) = self.stretch(model);
        let step = self.span_ms(model) / 4;
        let to_ms = to_ms.saturating_add(step.saturating_mul(quarters));
        let oldest = self.pair(model).and_then(|pair| pair.history.begins_ms());
        let to_ms = to_ms.max(oldest.unwrap_or(to_ms).saturating_add(step));
        self.until_ms = (to_ms < newest_ms(model)).then_some(to_ms);
    }
}

/// The end of the newest window, moved on by what our clock has gone since, where nothing comes any more.
fn newest_ms(model: &Model) -> i64 {
    let newest = model.newest_end_ms.unwrap_or(0);
    let quiet_ns = model
        .newest_at_ns
        .map_or(0, |at_ns| model.now_ns.saturating_sub(at_ns));
    if quiet_ns > model.patience_ns() {
        newest.saturating_add(quiet_ns / contract::time::NS_PER_MS)
    } else {
        newest
    }
}

impl View for Spreads {
    fn name(&self) -> ViewName {
        ViewName::Spreads
    }

    fn title(&self) -> &'static str {
        "Spreads"
    }

    fn badge(&self, _: &Look<'_>) -> Option<(String, Tone)> {
        None
    }

    fn keys(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("Enter", "the chosen pair alone, and back (small screens)"),
            ("+ -, wheel", "less or more time in the chart"),
            ("← →, h l", "earlier, later"),
            ("0", "back to now"),
            ("f", "figures: both, net alone, gross alone"),
            ("s", "order: name, net, time above zero, quality, late"),
        ]
    }

    fn filter(&self) -> &str {
        &self.filter
    }

    fn set_filter(&mut self, filter: String) {
        self.filter = filter;
        self.ordered = None;
    }

    fn refresh(&mut self, look: &Look<'_>) {
        let model = look.model;
        let due = self.ordered.is_none_or(|(at_ns, n)| {
            n != model.pairs().len() || model.now_ns.abs_diff(at_ns) >= ORDER_EVERY_NS
        });
        if due {
            self.reorder(model);
        }
        let found = self.wanted.as_deref().and_then(|wanted| {
            let is_it = |at: &usize| model.pairs()[*at].name.eq_ignore_ascii_case(wanted);
            self.shown.iter().position(is_it)
        });
        if let Some(row) = found {
            self.choose(row, model);
        }
    }

    fn key(&mut self, key: KeyCode, body: Rect, look: &Look<'_>) {
        let model = look.model;
        let height = self
            .parts(body)
            .list
            .map_or(1, |list| usize::from(list.height).saturating_sub(1));
        match key {
            KeyCode::Enter => self.opened = !self.opened,
            KeyCode::Esc => self.opened = false,
            KeyCode::Char('+' | '=') => self.zoom(true),
            KeyCode::Char('-' | '_') => self.zoom(false),
            KeyCode::Left | KeyCode::Char('h') => self.pan(-1, model),
            KeyCode::Right | KeyCode::Char('l') => self.pan(1, model),
            KeyCode::Char('0') => self.until_ms = None,
            KeyCode::Char('f') => self.figures = self.figures.next(),
            KeyCode::Char('s') => {
                self.order = self.order.next();
                self.ordered = None;
            }
            _ => {
                if let Some(row) = moved(self.row(model), self.shown.len(), height, key) {
                    self.choose(row, model);
                }
            }
        }
    }

    fn mouse(&mut self, mouse: MouseEvent, body: Rect, look: &Look<'_>) {
        let at = (mouse.column, mouse.row).into();
        let parts = self.parts(body);
        let in_list = parts.list.filter(|list| list.contains(at));
        match (mouse.kind, in_list) {
            (MouseEventKind::ScrollUp, None) => self.zoom(true),
            (MouseEventKind::ScrollDown, None) => self.zoom(false),
            (MouseEventKind::ScrollUp, Some(_)) => self.key(KeyCode::Up, body, look),
            (MouseEventKind::ScrollDown, Some(_)) => self.key(KeyCode::Down, body, look),
            (MouseEventKind::Down(MouseButton::Left), Some(list)) if mouse.row > list.y => {
                let height = usize::from(list.height.saturating_sub(1));
                let row =
                    usize::from(mouse.row - list.y - 1) + page_start(self.row(look.model), height);
                if row < self.shown.len() {
                    self.choose(row, look.model);
                }
            }
            _ => {}
        }
    }

    fn draw(&self, buffer: &mut Buffer, body: Rect, look: &Look<'_>) {
        if self.shown.is_empty() {
            let text = if self.filter.is_empty() {
                "no pairs yet: waiting for windows on the topic `spreads`".to_owned()
            } else {
                format!("no pair is called like `{}`", self.filter)
            };
            Line::from(look.span(format!(" {text}"), Tone::Dim)).render(body, buffer);
            return;
        }
        let parts = self.parts(body);
        if let Some(list) = parts.list {
            rows::draw(self, buffer, list, look);
        }
        if let (Some(area), Some(pair)) = (parts.detail, self.pair(look.model)) {
            detail::draw(self, pair, buffer, area, look);
        }
    }
}
