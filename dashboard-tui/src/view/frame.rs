//! What surrounds every view: header, tabs, and the line of counts.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::Look;
use crate::app::{App, Overlay};
use crate::model::Model;
use crate::model::life::{Life, Stream};
use crate::model::session::Verdict;
use contract::time::NS_PER_S;

use crate::text::{bps, date_clock, fit, grouped, seconds_ns, short_count, span_ms, width};
use crate::theme::Tone;

/// From this distance of event time to our clock on, the time itself is shown: a recording is being played.
const FAR_MS: i64 = 60_000;
/// Below so many columns the header says the same in fewer words.
const NARROW: u16 = 60;

/// Whether the pipeline lives, and the whole at a glance.
pub(super) fn header(buffer: &mut Buffer, row: Rect, app: &App) {
    let look = Look {
        model: &app.model,
        theme: app.theme,
    };
    let model = &app.model;
    let stream = app.views[app.at].stream();
    let (sign, words) = match model.life_of(stream) {
        Life::Flowing { age_ns } => {
            flowing(buffer, row, &look, (stream, age_ns), &app.source);
            return;
        }
        Life::Ended { for_ns } => (
            "□",
            vec![
                format!(
                    "EVERY SESSION HAS ENDED, the last window {} ago",
                    seconds_ns(for_ns)
                ),
                "what is shown is old".to_owned(),
            ],
        ),
        Life::Connecting { for_ns } => (
            "…",
            vec![format!("connecting to the broker, {}", seconds_ns(for_ns))],
        ),
        Life::NoWindowsYet { for_ns } => (
            "…",
            vec![
                format!("no windows yet, {}", seconds_ns(for_ns)),
                "the broker answers".to_owned(),
            ],
        ),
        Life::Stalled { for_ns } => (
            "■",
            vec![
                format!("NO WINDOWS FOR {}", seconds_ns(for_ns)),
                "what is shown is old".to_owned(),
            ],
        ),
        Life::Away { for_ns, reason } => (
            "■",
            vec![format!("BROKER AWAY FOR {}", seconds_ns(for_ns)), reason],
        ),
        Life::Failed { reason } => ("■", vec!["CANNOT READ".to_owned(), reason]),
    };
    let tone = if sign == "■" {
        Tone::Loud
    } else {
        Tone::Notice
    };
    buffer.set_style(row, look.style(tone));
    let words = std::iter::once(format!(" {sign} {}", words.join(" · ")));
    let all = words.chain((!app.source.is_empty()).then(|| app.source.clone()));
    let text = segments(all, usize::from(row.width).saturating_sub(1));
    buffer.set_stringn(row.x, row.y, text, usize::from(row.width), look.style(tone));
}

fn flowing(
    buffer: &mut Buffer,
    row: Rect,
    look: &Look<'_>,
    (stream, age_ns): (Stream, i64),
    source: &str,
) {
    let narrow = row.width < NARROW;
    let mut parts: Vec<(String, Tone)> = vec![(" ● live".to_owned(), Tone::Good)];
    let age = if age_ns < NS_PER_S {
        "just now".to_owned()
    } else {
        format!("{} ago", seconds_ns(age_ns))
    };
    parts.push((
        if narrow { age } else { format!("window {age}") },
        Tone::Plain,
    ));
    match stream {
        Stream::Spreads => parts.extend(markets(look, narrow)),
        Stream::Eeg => parts.extend(sessions(look)),
    }
    if !source.is_empty() {
        parts.push((source.to_owned(), Tone::Dim));
    }
    let mut line = Line::default();
    let mut used = 0;
    for (text, tone) in parts {
        let between = if used == 0 { "" } else { " · " };
        used += width(between) + width(&text);
        if used > usize::from(row.width) {
            break;
        }
        line.push_span(look.span(between, Tone::Dim));
        line.push_span(look.span(text, tone));
    }
    line.render(row, buffer);
}

/// How many sessions there are, and what their newest windows say.
fn sessions(look: &Look<'_>) -> Vec<(String, Tone)> {
    let sessions = &look.model.sessions;
    let mut parts = vec![(plural(sessions.len(), ("session", "sessions")), Tone::Plain)];
    let verdicts = sessions.iter().filter_map(|session| session.verdict());
    let significant = verdicts
        .filter(|verdict| *verdict == Verdict::Significant)
        .count();
    let tone = if significant > 0 {
        Tone::Good
    } else {
        Tone::Plain
    };
    parts.push((format!("{significant} significant"), tone));
    let n_bad: usize = sessions
        .iter()
        .filter_map(|session| Some(session.newest.as_ref()?.bad_channels.len()))
        .sum();
    if n_bad > 0 {
        let text = plural(n_bad, ("electrode left out", "electrodes left out"));
        parts.push((text, Tone::Warn));
    }
    parts
}

/// Event time, venues, alerts, pairs and the best of them.
fn markets(look: &Look<'_>, narrow: bool) -> Vec<(String, Tone)> {
    let model = look.model;
    let n_open = model.episodes.n_open();
    let (n_venues, n_up) = (model.venues.len(), model.venues.n_up());
    let mut parts = Vec::new();
    let delay_ms = model.delay_ms();
    let is_far = delay_ms.is_some_and(|delay_ms| delay_ms.saturating_abs() >= FAR_MS);
    let recorded = model.newest_end_ms.filter(|_| is_far);
    if let Some(end_ms) = recorded {
        parts.push((
            format!("event time {} UTC", date_clock(end_ms)),
            Tone::Plain,
        ));
    }
    if n_venues > 0 {
        let tone = if n_up < n_venues {
            Tone::Warn
        } else {
            Tone::Plain
        };
        let what = if narrow { "up" } else { "venues up" };
        parts.push((format!("{n_up}/{n_venues} {what}"), tone));
    }
    if n_open > 0 {
        let words = if narrow {
            ("alert", "alerts")
        } else {
            ("alert open", "alerts open")
        };
        parts.push((plural(n_open, words), Tone::Best));
    }
    parts.push((plural(model.pairs().len(), ("pair", "pairs")), Tone::Plain));
    if let Some((pair, net)) = best_pair(model) {
        let threshold = model.thresholds.of(pair);
        let tone = super::chart::net_tone(net, threshold);
        parts.push((format!("best {} {} bps", fit(pair, 24), bps(net)), tone));
    }
    if let Some(delay_ms) = delay_ms.filter(|_| recorded.is_none()) {
        parts.push((format!("lag {}", span_ms(delay_ms)), Tone::Dim));
    }
    parts
}

fn plural(n: usize, (one, more): (&str, &str)) -> String {
    format!("{n} {}", if n == 1 { one } else { more })
}

/// The live pair with the highest net.
fn best_pair(model: &Model) -> Option<(&str, f64)> {
    let live = model.pairs().iter().filter(|pair| !pair.is_old(model));
    let best = live.filter_map(|pair| Some((pair, pair.net_bps()?)));
    best.max_by(|(_, one), (_, other)| one.total_cmp(other))
        .map(|(pair, net)| (pair.name.as_ref(), net))
}

/// As many of the parts as fit, from the first.
pub(super) fn segments(parts: impl IntoIterator<Item = String>, room: usize) -> String {
    let mut text = String::new();
    for part in parts {
        if text.is_empty() {
            text = part;
        } else if width(&text) + 3 + width(&part) <= room {
            text.push_str(" · ");
            text.push_str(&part);
        } else {
            break;
        }
    }
    text
}

/// A tab: where it begins and ends, and what stands there.
struct Tab<'a> {
    from: u16,
    to: u16,
    spans: Vec<Span<'a>>,
}

fn laid_out<'a>(app: &'a App, row: Rect) -> Vec<Tab<'a>> {
    let long = tabs_of(app, row, true);
    if long.last().is_some_and(|tab| tab.to <= row.right()) {
        long
    } else {
        tabs_of(app, row, false)
    }
}

/// Tabs with the titles of all of them, or of the shown one alone.
fn tabs_of<'a>(app: &'a App, row: Rect, titles: bool) -> Vec<Tab<'a>> {
    let look = app.look();
    let mut x = row.x;
    let mut tabs = Vec::new();
    for (at, view) in app.views.iter().enumerate() {
        let chosen = at == app.at;
        let tone = if chosen { Tone::Chosen } else { Tone::Plain };
        let (open, close) = if chosen { ("[", "]") } else { (" ", " ") };
        let title = if titles || chosen {
            format!(" {}", view.title())
        } else {
            String::new()
        };
        let mut spans = vec![look.span(format!("{open}{}{title}", at + 1), tone)];
        if let Some((badge, badge_tone)) = view.badge(&look) {
            let badge_tone = if chosen { tone } else { badge_tone };
            spans.push(look.span(format!(" {badge}"), badge_tone));
        }
        spans.push(look.span(close, tone));
        let wide: usize = spans.iter().map(Span::width).sum();
        let to = x.saturating_add(u16::try_from(wide).unwrap_or(u16::MAX));
        tabs.push(Tab { from: x, to, spans });
        x = to.saturating_add(1);
    }
    tabs
}

/// The tabs.
pub(super) fn tabs(buffer: &mut Buffer, row: Rect, app: &App) {
    for tab in laid_out(app, row) {
        let room = row.right().saturating_sub(tab.from);
        buffer.set_line(
            tab.from.min(row.right()),
            row.y,
            &Line::from(tab.spans),
            room,
        );
    }
}

/// Which tab stands in this column.
pub(crate) fn tab_at(app: &App, row: Rect, column: u16) -> Option<usize> {
    laid_out(app, row)
        .iter()
        .position(|tab| (tab.from..tab.to).contains(&column))
}

/// The last line: what is typed, that the screen is held, or counts.
pub(super) fn status(buffer: &mut Buffer, row: Rect, app: &App) {
    let look = app.look();
    let view = &app.views[app.at];
    let room = usize::from(row.width);
    if app.overlay == Overlay::Search {
        let line = Line::from(vec![
            look.span(format!(" /{}", view.filter()), Tone::Title),
            look.span("▏", Tone::Title),
            look.span("  Enter keeps it, Esc clears it", Tone::Dim),
        ]);
        line.render(row, buffer);
        return;
    }
    if let Some(held) = &app.held {
        let held_for = app.model.now_ns.saturating_sub(held.model.now_ns).max(0);
        let behind = app
            .model
            .counts
            .windows
            .saturating_sub(held.model.counts.windows);
        let parts = [
            format!(" ‖ PAUSED for {}", seconds_ns(held_for)),
            format!("{} windows behind", grouped(behind)),
            "space goes on".to_owned(),
            "records are still taken".to_owned(),
        ];
        buffer.set_style(row, look.style(Tone::Notice));
        buffer.set_stringn(
            row.x,
            row.y,
            segments(parts, room),
            room,
            look.style(Tone::Notice),
        );
        return;
    }
    let keys = " ? help  q quit ";
    let left = room.saturating_sub(width(keys));
    let filter = view.filter();
    if filter.is_empty() {
        let text = segments(counts(&app.model), left);
        buffer.set_stringn(row.x, row.y, text, left, look.style(Tone::Dim));
    } else {
        let text = format!(" /{filter}  Esc clears it");
        buffer.set_stringn(row.x, row.y, text, left, look.style(Tone::Warn));
    }
    let x = row.x + u16::try_from(left).unwrap_or(0);
    buffer.set_stringn(x, row.y, keys, room - left, look.style(Tone::Dim));
}

fn counts(model: &Model) -> Vec<String> {
    let counts = &model.counts;
    let mut parts = vec![
        format!(" {} records", short_count(counts.records())),
        format!("{:.0}/s", model.records_per_s()),
    ];
    if let Some(lag) = model.feed.lag {
        parts.push(format!("{} unread", short_count(lag)));
    }
    let seldom = [
        (counts.unreadable, "unreadable"),
        (counts.beyond_bounds, "beyond bounds"),
        (model.feed.restarts, "restarts"),
        (counts.rewinds, "rewinds"),
    ];
    for (count, what) in seldom {
        if count > 0 {
            parts.push(format!("{} {what}", short_count(count)));
        }
    }
    parts.push(format!("{} late", short_count(counts.late)));
    parts.push(format!("{} conflated", short_count(counts.conflated)));
    parts.push(format!("{:.0} frames/s", model.frames_per_s()));
    parts
}
