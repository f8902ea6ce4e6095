//! *Log*: what this process said, from a level on, the newest at the bottom.

use contract::time::NS_PER_MS;
use crossterm::event::{KeyCode, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;
use tracing::Level;

use super::{Look, View};
use crate::config::ViewName;
use crate::log::LogLine;
use crate::model::Model;
use crate::text::{clock, fit, grouped};
use crate::theme::Tone;

/// The view.
#[derive(Debug)]
pub(super) struct Log {
    filter: String,
    /// The least grave level that is shown.
    level: Level,
    /// When the last line that is shown was written; none where it follows the newest.
    until_ns: Option<i64>,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            filter: String::new(),
            level: Level::TRACE,
            until_ns: None,
        }
    }
}

fn level(level: Level) -> (&'static str, Tone) {
    match level {
        Level::ERROR => ("ERROR", Tone::Bad),
        Level::WARN => (" WARN", Tone::Warn),
        Level::INFO => (" INFO", Tone::Good),
        Level::DEBUG => ("DEBUG", Tone::Dim),
        Level::TRACE => ("TRACE", Tone::Dim),
    }
}

impl Log {
    fn listed<'a>(&self, model: &'a Model) -> Vec<&'a LogLine> {
        let filter = self.filter.to_lowercase();
        model
            .lines
            .iter()
            .map(AsRef::as_ref)
            // The graver, the lower.
            .filter(|line| line.level <= self.level)
            .filter(|line| {
                filter.is_empty()
                    || line.text.to_lowercase().contains(&filter)
                    || line.target.to_lowercase().contains(&filter)
            })
            .collect()
    }

    /// How many of the listed lines are above or at the bottom of the screen.
    fn end(&self, listed: &[&LogLine]) -> usize {
        match self.until_ns {
            None => listed.len(),
            Some(until_ns) => listed.partition_point(|line| line.at_ns <= until_ns),
        }
    }

    fn scroll(&mut self, by: isize, look: &Look<'_>, height: usize) {
        let listed = self.listed(look.model);
        let end = self
            .end(&listed)
            .saturating_add_signed(by)
            .max(height.min(listed.len()));
        self.until_ns = if end >= listed.len() {
            None
        } else {
            end.checked_sub(1)
                .and_then(|at| listed.get(at))
                .map(|line| line.at_ns)
        };
    }
}

impl View for Log {
    fn name(&self) -> ViewName {
        ViewName::Log
    }

    fn title(&self) -> &'static str {
        "Log"
    }

    fn badge(&self, look: &Look<'_>) -> Option<(String, Tone)> {
        let n = look
            .model
            .lines
            .iter()
            .filter(|line| line.level <= Level::WARN)
            .count();
        (n > 0).then(|| (format!("!{n}"), Tone::Warn))
    }

    fn keys(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("v", "from which level on: all, debug, info, warn, error"),
            ("f", "follow the newest line, or stay"),
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
        let height = usize::from(body.height.saturating_sub(1));
        let page = isize::try_from(height.max(1)).unwrap_or(isize::MAX);
        match key {
            KeyCode::Up | KeyCode::Char('k') => self.scroll(-1, look, height),
            KeyCode::Down | KeyCode::Char('j') => self.scroll(1, look, height),
            KeyCode::PageUp => self.scroll(-page, look, height),
            KeyCode::PageDown => self.scroll(page, look, height),
            KeyCode::Home | KeyCode::Char('g') => self.scroll(isize::MIN, look, height),
            KeyCode::End | KeyCode::Char('G') => self.until_ns = None,
            KeyCode::Char('f') if self.until_ns.is_some() => self.until_ns = None,
            KeyCode::Char('f') => {
                let newest = self.listed(look.model).last().map(|line| line.at_ns);
                self.until_ns = newest;
            }
            KeyCode::Char('v') => {
                self.level = match self.level {
                    Level::TRACE => Level::DEBUG,
                    Level::DEBUG => Level::INFO,
                    Level::INFO => Level::WARN,
                    Level::WARN => Level::ERROR,
                    Level::ERROR => Level::TRACE,
                }
            }
            _ => {}
        }
    }

    fn mouse(&mut self, mouse: MouseEvent, body: Rect, look: &Look<'_>) {
        let height = usize::from(body.height.saturating_sub(1));
        match mouse.kind {
            MouseEventKind::ScrollUp => self.scroll(-3, look, height),
            MouseEventKind::ScrollDown => self.scroll(3, look, height),
            _ => {}
        }
    }

    fn draw(&self, buffer: &mut Buffer, body: Rect, look: &Look<'_>) {
        let listed = self.listed(look.model);
        let end = self.end(&listed);
        let below = listed.len() - end;
        let (word, _) = level(self.level);
        let from = if self.level == Level::TRACE {
            "all levels"
        } else {
            word.trim_start()
        };
        let follows = if self.until_ns.is_none() {
            ("follows", Tone::Dim)
        } else {
            ("stays (f follows)", Tone::Warn)
        };
        let mut head = Line::from(vec![
            look.span(format!(" {} lines  ", listed.len()), Tone::Plain),
            look.span(
                format!("v: {from}  "),
                if self.level == Level::TRACE {
                    Tone::Dim
                } else {
                    Tone::Warn
                },
            ),
            look.span(follows.0, follows.1),
        ]);
        if below > 0 {
            head.push_span(look.span(format!("  {below} newer below"), Tone::Warn));
        }
        if look.model.lines_missed > 0 {
            let missed = format!(
                "  {} came too fast to keep",
                grouped(look.model.lines_missed)
            );
            head.push_span(look.span(missed, Tone::Warn));
        }
        head.render(body, buffer);
        let rows = body.rows().skip(1);
        let height = usize::from(body.height.saturating_sub(1));
        let first = end.saturating_sub(height);
        if listed.is_empty() {
            if let Some(row) = body.rows().nth(1) {
                Line::from(look.span(" nothing was said yet", Tone::Dim)).render(row, buffer);
            }
            return;
        }
        for (line, row) in listed[first..end].iter().zip(rows) {
            let (word, tone) = level(line.level);
            let head = format!(" {} ", clock(line.at_ns / NS_PER_MS));
            let room = usize::from(body.width).saturating_sub(16);
            Line::from(vec![
                look.span(head, Tone::Dim),
                look.span(word, tone),
                look.span(format!(" {}", fit(&line.text, room)), Tone::Plain),
            ])
            .render(row, buffer);
        }
    }
}
