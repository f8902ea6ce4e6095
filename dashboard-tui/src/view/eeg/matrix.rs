//! A figure of each pair of channels; where there is no room for all, the strongest pairs.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::{lines, sign, titled};
use crate::model::session::Session;
use crate::text::width;
use crate::theme::Tone;
use crate::view::Look;

/// Columns for a row's name.
const NAMES: u16 = 6;

/// What is drawn. In rows i, in columns j.
pub(in crate::view) struct Matrix<'a> {
    pub(in crate::view) title: &'a str,
    pub(in crate::view) session: &'a Session,
    /// Columns of a cell, the widest first.
    pub(in crate::view) widths: &'a [u16],
    /// The figure of a pair.
    pub(in crate::view) value: &'a dyn Fn(usize, usize) -> f64,
    /// What is claimed of the pair.
    pub(in crate::view) claimed: &'a dyn Fn(usize, usize) -> bool,
    /// The figure in so many columns at most.
    pub(in crate::view) text: fn(f64, usize) -> String,
    /// Between the names of a pair, j first: `—`, or `→` where it acts one way.
    pub(in crate::view) between: &'a str,
    /// Greatest figure that is weak: pale.
    pub(in crate::view) weak: f64,
}

impl Matrix<'_> {
    /// Draws it.
    pub(in crate::view) fn draw(&self, buffer: &mut Buffer, area: Rect, look: &Look<'_>) {
        let inner = titled(buffer, area, self.title, look);
        let n = self.session.n_channels();
        let Ok(rows) = u16::try_from(n) else { return };
        let fits = |wide: u16| inner.width >= NAMES.saturating_add(wide.saturating_mul(rows));
        let wide = self.widths.iter().copied().find(|wide| fits(*wide));
        match wide.filter(|_| inner.height > rows) {
            Some(wide) => self.cells(buffer, inner, wide, look),
            None => self.strongest(buffer, inner, look),
        }
    }

    fn cells(&self, buffer: &mut Buffer, area: Rect, wide: u16, look: &Look<'_>) {
        let n = self.session.n_channels();
        let room = usize::from(wide);
        let column = |j: usize| area.x + NAMES + u16::try_from(j).unwrap_or(0) * wide;
        for j in 0..n {
            let name = &*self.session.short(j, room - 1);
            // A name that does not fit in its column gives way to the sign that stands before it in its row.
            let short = if width(name) < room {
                name.to_owned()
            } else {
                sign(j).to_string()
            };
            buffer.set_stringn(
                column(j),
                area.y,
                format!("{short:>room$}"),
                room,
                look.style(Tone::Dim),
            );
        }
        for (i, row) in area.rows().skip(1).take(n).enumerate() {
            let name = format!("{} {}", sign(i), self.session.short(i, 4));
            buffer.set_stringn(
                row.x,
                row.y,
                name,
                usize::from(NAMES),
                look.style(Tone::Dim),
            );
            for j in 0..n {
                let (text, tone) = self.cell(i, j, room);
                buffer.set_stringn(
                    column(j),
                    row.y,
                    format!("{text:>room$}"),
                    room,
                    look.style(tone),
                );
            }
        }
    }

    fn cell(&self, i: usize, j: usize, room: usize) -> (String, Tone) {
        let value = (self.value)(i, j);
        if i == j || !value.is_finite() {
            return ((if i == j { "·" } else { "-" }).to_owned(), Tone::Dim);
        }
        if (self.claimed)(i, j) {
            return (format!("*{}", (self.text)(value, room - 1)), Tone::Best);
        }
        let tone = if value.abs() <= self.weak {
            Tone::Dim
        } else {
            Tone::Plain
        };
        ((self.text)(value, room - 1), tone)
    }

    /// The strongest pairs, those that are claimed first.
    fn strongest(&self, buffer: &mut Buffer, area: Rect, look: &Look<'_>) {
        let n = self.session.n_channels();
        let one_way = self.between == "→";
        let pairs = (0..n).flat_map(|i| (0..n).map(move |j| (i, j)));
        let mut pairs: Vec<(bool, f64, usize, usize)> = pairs
            .filter(|(i, j)| i != j && (one_way || i < j))
            .map(|(i, j)| ((self.claimed)(i, j), (self.value)(i, j), i, j))
            .filter(|(_, value, ..)| value.is_finite())
            .collect();
        pairs.sort_by(|one, other| {
            other
                .0
                .cmp(&one.0)
                .then(other.1.abs().total_cmp(&one.1.abs()))
        });
        let (all, claimed) = (pairs.len(), pairs.iter().filter(|pair| pair.0).count());
        let text = |(claimed, value, i, j): &(bool, f64, usize, usize)| {
            let star = if *claimed { "*" } else { " " };
            // Where it acts one way, j acts on i.
            let (one, other) = if one_way { (*j, *i) } else { (*i, *j) };
            let name = |at: usize| self.session.short(at, 8).into_owned();
            let figure = (self.text)(*value, 5);
            (
                format!(
                    "{star}{}{}{} {figure}",
                    name(one),
                    self.between,
                    name(other)
                ),
                *claimed,
            )
        };
        let texts: Vec<(String, bool)> = pairs.iter().take(512).map(text).collect();
        let widest = texts.iter().map(|(text, _)| width(text)).max().unwrap_or(1) + 2;
        let columns = (usize::from(area.width) / widest).max(1);
        let Some(rows) = usize::from(area.height)
            .checked_sub(1)
            .filter(|rows| *rows > 0)
        else {
            return;
        };
        let mut shown = vec![Line::from(look.span(
            format!("{claimed} of {all} claimed (*), the strongest:"),
            Tone::Plain,
        ))];
        for row in 0..rows.min(texts.len().div_ceil(columns)) {
            let mut line = Line::default();
            // Downwards first, as one reads a list.
            for (text, claimed) in texts.iter().skip(row).step_by(rows).take(columns) {
                let tone = if *claimed { Tone::Best } else { Tone::Plain };
                let pad = " ".repeat(widest.saturating_sub(width(text)));
                line.push_span(look.span(format!("{text}{pad}"), tone));
            }
            shown.push(line);
        }
        lines(buffer, area, shown);
    }
}

/// A share of 1 without its point: `83` is 0.83, or in one column its tenths.
pub(in crate::view) fn share(value: f64, room: usize) -> String {
    if room >= 5 {
        return super::number(value, 2);
    }
    let times = if room >= 2 { 100.0 } else { 10.0 };
    let top = times - 1.0;
    let shown = (value.clamp(0.0, 1.0) * times).floor().min(top);
    // `1.0` is told from `.99` by nobody here, and has a column less to stand in.
    if room >= 2 {
        format!("{shown:02.0}")
    } else {
        format!("{shown:.0}")
    }
}

/// A coupling in few columns.
pub(in crate::view) fn coupling(value: f64, room: usize) -> String {
    let exact = super::number(value, usize::from(room >= 4));
    let text = if width(&exact) <= room {
        exact
    } else {
        super::number(value, 0)
    };
    if width(&text) <= room {
        text
    } else {
        // More than the column can say.
        (if value < 0.0 { "-" } else { "+" }).to_owned()
    }
}

/// Which pairs are claimed.
pub(in crate::view) struct Edges {
    n: usize,
    is_edge: Vec<bool>,
}

impl Edges {
    /// Of `n` channels; where an edge has no direction it holds both ways.
    pub(in crate::view) fn new(n: usize, edges: &[[u64; 2]], directed: bool) -> Self {
        let mut all = Self {
            n,
            is_edge: vec![false; n * n],
        };
        for edge in edges {
            let [i, j] = edge.map(|at| usize::try_from(at).unwrap_or(usize::MAX));
            if i < n && j < n {
                all.is_edge[i * n + j] = true;
                all.is_edge[j * n + i] |= !directed;
            }
        }
        all
    }

    pub(in crate::view) fn holds(&self, i: usize, j: usize) -> bool {
        i < self.n && self.is_edge.get(i * self.n + j).copied().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_fit_their_columns() {
        assert_eq!(
            (share(0.834, 2), share(1.0, 2), share(0.05, 2)),
            ("83".into(), "99".into(), "05".into())
        );
        assert_eq!(
            (share(0.834, 1), share(1.0, 1), share(0.834, 5)),
            ("8".into(), "9".into(), "0.83".into())
        );
        assert_eq!(
            (
                coupling(-1.24, 4),
                coupling(12.3, 3),
                coupling(8.06, 2),
                coupling(-12.0, 2)
            ),
            ("-1.2".into(), "12".into(), "8".into(), "-".into())
        );
    }

    #[test]
    fn edges_hold_both_ways_unless_one_acts_on_the_other() {
        let edges = [[0, 2], [9, 1], [u64::MAX, 0]];
        let both = Edges::new(3, &edges, false);
        assert!(both.holds(0, 2) && both.holds(2, 0) && !both.holds(1, 0) && !both.holds(9, 1));
        let one = Edges::new(3, &edges, true);
        assert!(one.holds(0, 2) && !one.holds(2, 0));
    }
}
