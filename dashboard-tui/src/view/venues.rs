//! *Venues*: how each connection fares, and how far windows and this reader are behind.

use contract::tick::VenueStatus;
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
use crate::model::life::Link;
use crate::model::venue::{Change, Venue};
use crate::text::{
    clock, date_clock, fit, grouped, seconds_ns, short_count, span_ms, span_ns, width,
};
use crate::theme::Tone;

/// A venue that has not told anything for so long is not believed any more.
const SILENCE_NS: i64 = 5 * contract::time::NS_PER_S;
/// Data older than this is worth a look, milliseconds.
const OLD_DATA_MS: i64 = 2_000;
/// Venues whose last minutes are drawn below the table.
const MOST_STRIPS: usize = 8;

/// The view.
#[derive(Debug, Default)]
pub(super) struct Venues {
    filter: String,
    chosen: usize,
}

/// What a status is called, its sign in the strip, and how it looks.
fn status(status: VenueStatus) -> (&'static str, &'static str, Tone) {
    match status {
        VenueStatus::Up => ("up", "▪", Tone::Good),
        VenueStatus::Silent => ("silent", "s", Tone::Warn),
        VenueStatus::Down => ("DOWN", "d", Tone::Bad),
    }
}

impl Venues {
    fn listed<'a>(&self, model: &'a Model) -> Vec<&'a Venue> {
        let filter = self.filter.to_lowercase();
        model
            .venues
            .iter()
            .filter(|venue| {
                filter.is_empty() || venue.health.venue.to_lowercase().contains(&filter)
            })
            .collect()
    }

    fn table_area(body: Rect, n: usize) -> Rect {
        let wanted = u16::try_from(n + 1).unwrap_or(u16::MAX);
        let most = if body.height > 12 {
            body.height - 8
        } else {
            body.height
        };
        Rect {
            height: wanted.min(most).min(body.height),
            ..body
        }
    }
}

/// The newest records of a venue as a strip, one sign each, the newest at the right.
fn strip<'t>(venue: &Venue, look: &Look<'_>, room: usize) -> Line<'t> {
    const NAME: usize = 16;
    let name = fit(&venue.health.venue, NAME - 1).into_owned();
    let pad = " ".repeat(NAME - width(&name));
    let mut line = Line::from(look.span(format!("  {name}{pad}"), Tone::Dim));
    let room = room.saturating_sub(NAME + 2);
    let skip = venue.beats.len().saturating_sub(room);
    for beat in venue.beats.iter().skip(skip) {
        let (_, sign, tone) = status(*beat);
        line.push_span(look.span(sign, tone));
    }
    line
}

fn venues_table(
    listed: &[&Venue],
    chosen: usize,
    buffer: &mut Buffer,
    area: Rect,
    look: &Look<'_>,
) {
    let now_ns = look.model.now_ns;
    let height = usize::from(area.height.saturating_sub(1));
    let from = page_start(chosen, height);
    let venues: Vec<&&Venue> = listed.iter().skip(from).take(height).collect();
    let here = chosen - from;
    let quiet_ns = |venue: &Venue| now_ns.saturating_sub(venue.at_ns);
    let marks =
        (0..venues.len()).map(|at| ((if at == here { "▸" } else { " " }).to_owned(), Tone::Title));
    let state = |venue: &&&Venue| {
        let quiet_ns = quiet_ns(venue);
        if quiet_ns > SILENCE_NS {
            return (format!("no word {}", seconds_ns(quiet_ns)), Tone::Bad);
        }
        let (word, _, tone) = status(venue.health.status);
        (word.to_owned(), tone)
    };
    let age = |venue: &&&Venue| {
        let ms = venue
            .health
            .data_age_ms
            .saturating_add(quiet_ns(venue) / NS_PER_MS / 1_000 * 1_000);
        (
            span_ms(ms),
            if ms > OLD_DATA_MS {
                Tone::Warn
            } else {
                Tone::Plain
            },
        )
    };
    let fault = |count: u64| {
        (
            grouped(count),
            if count > 0 { Tone::Warn } else { Tone::Plain },
        )
    };
    let columns = [
        Column::new(0, "").cells(marks),
        Column::new(0, "venue").shrinks().cells(
            venues
                .iter()
                .map(|venue| (venue.health.venue.to_string(), Tone::Plain)),
        ),
        Column::new(0, "state").cells(venues.iter().map(state)),
        Column::new(1, "frames/s").right().cells(
            venues
                .iter()
                .map(|venue| (format!("{:.1}", venue.health.frames_per_s), Tone::Plain)),
        ),
        Column::new(0, "data age")
            .right()
            .cells(venues.iter().map(age)),
        Column::new(2, "skew").right().cells(
            venues
                .iter()
                .map(|venue| (format!("{:+.1} ms", venue.health.skew_ms), Tone::Plain)),
        ),
        Column::new(3, "gaps")
            .right()
            .cells(venues.iter().map(|venue| fault(venue.health.gaps))),
        Column::new(3, "reconnects")
            .right()
            .cells(venues.iter().map(|venue| fault(venue.health.reconnects))),
        Column::new(4, "parse errors")
            .right()
            .cells(venues.iter().map(|venue| fault(venue.health.parse_errors))),
        Column::new(5, "queue").right().cells(
            venues
                .iter()
                .map(|venue| (grouped(venue.health.queue), Tone::Plain)),
        ),
    ];
    table::draw(
        buffer,
        area,
        look,
        &columns,
        (!venues.is_empty()).then_some(here),
    );
}

/// How far windows and the reader are behind.
fn pipeline<'t>(look: &Look<'_>, room: usize) -> Vec<Line<'t>> {
    let model = look.model;
    let row = |name: &str, text: String, tone: Tone| {
        let text = fit(&text, room.saturating_sub(18)).into_owned();
        Line::from(vec![
            look.span(format!("  {name:<16}"), Tone::Dim),
            look.span(text, tone),
        ])
    };
    let newest = match (model.newest_end_ms, model.newest_at_ns) {
        (Some(end_ms), Some(at_ns)) => {
            let age_ns = model.now_ns.saturating_sub(at_ns);
            let text = format!(
                "ends {} UTC, came {} ago",
                date_clock(end_ms),
                span_ns(age_ns)
            );
            (
                text,
                if age_ns > model.patience_ns() {
                    Tone::Bad
                } else {
                    Tone::Plain
                },
            )
        }
        _ => ("none yet".to_owned(), Tone::Warn),
    };
    let lag = model.event_lag_ms().map_or_else(|| "-".to_owned(), span_ms);
    let unread = model.feed.lag.map_or_else(
        || "not known yet".to_owned(),
        |lag| format!("{} records", grouped(lag)),
    );
    let broker = match &model.feed.link {
        Link::Connecting => ("connecting".to_owned(), Tone::Warn),
        Link::Up => ("reached".to_owned(), Tone::Good),
        Link::Away { since_ns, reason } => {
            let away_ns = model.now_ns.saturating_sub(*since_ns);
            (
                format!("AWAY for {}: {reason}", seconds_ns(away_ns)),
                Tone::Bad,
            )
        }
        Link::Failed { reason, .. } => (format!("reading failed, begun anew: {reason}"), Tone::Bad),
    };
    let counts = &model.counts;
    let mut lines = vec![
        Line::from(look.span("Pipeline", Tone::Title)),
        row("broker", broker.0, broker.1),
        row("newest window", newest.0, newest.1),
        row(
            "event-time lag",
            format!("{lag} since the end of the newest window"),
            Tone::Plain,
        ),
        row("unread", unread, Tone::Plain),
        row(
            "windows",
            format!(
                "{} of {} pairs, {} late ticks",
                grouped(counts.windows),
                grouped(count(model.pairs().len())),
                grouped(counts.late)
            ),
            Tone::Plain,
        ),
    ];
    if let Some(reason) = &model.last_unreadable {
        lines.push(row(
            "unreadable",
            format!("{}, last: {reason}", short_count(counts.unreadable)),
            Tone::Warn,
        ));
    }
    lines
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn change<'t>(look: &Look<'_>, change: &Change) -> Line<'t> {
    let (before, _, _) = status(change.before);
    let (now, _, tone) = status(change.now);
    Line::from(vec![
        look.span(
            format!("  {}  ", clock(change.at_ns / NS_PER_MS)),
            Tone::Dim,
        ),
        look.span(change.venue.clone(), Tone::Plain),
        look.span(" is ", Tone::Dim),
        look.span(now, tone),
        look.span(
            format!(", was {before} for {}", span_ns(change.lasted_ns)),
            Tone::Dim,
        ),
    ])
}

impl View for Venues {
    fn name(&self) -> ViewName {
        ViewName::Venues
    }

    fn title(&self) -> &'static str {
        "Venues"
    }

    fn badge(&self, look: &Look<'_>) -> Option<(String, Tone)> {
        let out = look.model.venues.len() - look.model.venues.n_up();
        (out > 0).then(|| (format!("!{out}"), Tone::Bad))
    }

    fn keys(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    fn filter(&self) -> &str {
        &self.filter
    }

    fn set_filter(&mut self, filter: String) {
        self.filter = filter;
    }

    fn refresh(&mut self, look: &Look<'_>) {
        self.chosen = self
            .chosen
            .min(self.listed(look.model).len().saturating_sub(1));
    }

    fn key(&mut self, key: KeyCode, body: Rect, look: &Look<'_>) {
        let n = self.listed(look.model).len();
        let height = usize::from(Self::table_area(body, n).height.saturating_sub(1));
        if let Some(row) = moved(self.chosen, n, height, key) {
            self.chosen = row;
        }
    }

    fn mouse(&mut self, mouse: MouseEvent, body: Rect, look: &Look<'_>) {
        let n = self.listed(look.model).len();
        let area = Self::table_area(body, n);
        match mouse.kind {
            MouseEventKind::ScrollUp => self.key(KeyCode::Up, body, look),
            MouseEventKind::ScrollDown => self.key(KeyCode::Down, body, look),
            MouseEventKind::Down(MouseButton::Left)
                if mouse.row > area.y && mouse.row < area.bottom() =>
            {
                let height = usize::from(area.height.saturating_sub(1));
                let row = usize::from(mouse.row - area.y - 1) + page_start(self.chosen, height);
                self.chosen = row.min(n.saturating_sub(1));
            }
            _ => {}
        }
    }

    fn draw(&self, buffer: &mut Buffer, body: Rect, look: &Look<'_>) {
        let listed = self.listed(look.model);
        let table = Self::table_area(body, listed.len().max(1));
        if listed.is_empty() {
            let text = if look.model.venues.len() == 0 {
                " no venue has told anything yet"
            } else {
                " no venue is called like that"
            };
            Line::from(look.span(text, Tone::Dim)).render(table, buffer);
        } else {
            let chosen = self.chosen.min(listed.len() - 1);
            venues_table(&listed, chosen, buffer, table, look);
        }
        let mut lines = vec![Line::default()];
        lines.extend(pipeline(look, usize::from(body.width)));
        lines.push(Line::default());
        lines.push(Line::from(vec![
            look.span("Lately", Tone::Title),
            look.span(
                "  one sign for each record: ▪ up, s silent, d down",
                Tone::Dim,
            ),
        ]));
        let strips = listed.iter().take(MOST_STRIPS);
        lines.extend(strips.map(|venue| strip(venue, look, usize::from(body.width))));
        lines.push(Line::default());
        lines.push(Line::from(look.span("Changes of state", Tone::Title)));
        let mut changes = look
            .model
            .venues
            .changes()
            .map(|it| change(look, it))
            .peekable();
        if changes.peek().is_none() {
            lines.push(Line::from(
                look.span("  none since this screen began", Tone::Dim),
            ));
        }
        lines.extend(changes);
        let rest = Rect {
            y: table.bottom(),
            height: body.bottom() - table.bottom(),
            ..body
        };
        for (line, row) in lines.into_iter().zip(rest.rows()) {
            line.render(row, buffer);
        }
    }
}
