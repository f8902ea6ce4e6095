//! One pair: its chart, the legs and the routes of its newest window.

use contract::decimal::Price;
use contract::spread::{Leg, Quality, Route};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use super::Spreads;
use super::rows::quality;
use crate::model::pair::Pair;
use crate::text::{aligned, bps, clock, fit, grouped, seconds_ns, span_ms, span_ns};
use crate::theme::Tone;
use crate::view::Look;
use crate::view::chart::{Chart, Figures, net_tone};
use crate::view::table::{self, Column};

/// The least rows that the chart takes; below it there is none.
const LEAST_CHART: u16 = 5;

/// Draws the pair.
pub(super) fn draw(view: &Spreads, pair: &Pair, buffer: &mut Buffer, area: Rect, look: &Look<'_>) {
    let rows_of = |n: usize| u16::try_from(n + 1).unwrap_or(u16::MAX);
    let (legs, routes) = (rows_of(pair.legs.len()), rows_of(pair.routes.len()));
    let mut left = area.height;
    let mut take = |wanted: u16| {
        let got = wanted.min(left);
        left -= got;
        got
    };
    let title = take(2);
    // Legs and routes share what the chart leaves; where there is little room, it leaves them less.
    let least_chart = if area.height >= 12 {
        take(LEAST_CHART)
    } else {
        0
    };
    // A blank line between the tables, where there is room for beauty.
    let blank = take(u16::from(area.height >= 24));
    let routes = take(routes);
    let legs = take(legs);
    let chart = least_chart + take(u16::MAX);
    let mut y = area.y;
    let mut part = |height: u16| {
        let rect = Rect { y, height, ..area };
        y += height;
        rect
    };
    let heads = part(title);
    heading(view, pair, buffer, heads, look);
    let (from_ms, to_ms) = view.stretch(look.model);
    let chart_area = part(chart);
    Chart {
        history: &pair.history,
        from_ms,
        to_ms,
        threshold: look.model.thresholds.of(&pair.name),
        figures: view.figures,
    }
    .draw(buffer, chart_area, look);
    legs_table(pair, buffer, part(legs), look);
    part(blank);
    routes_table(pair, buffer, part(routes), look);
}

fn heading(view: &Spreads, pair: &Pair, buffer: &mut Buffer, area: Rect, look: &Look<'_>) {
    let model = look.model;
    let mut rows = area.rows();
    let width = usize::from(area.width);
    if let Some(row) = rows.next() {
        let (word, tone) = quality(pair.quality);
        let mut line = Line::from(vec![
            look.span(fit(&pair.name, width / 2).into_owned(), Tone::Title),
            look.span("  ", Tone::Plain),
        ]);
        if pair.is_old(model) {
            let age_ns = model.now_ns.saturating_sub(pair.at_ns);
            line.push_span(look.span(format!("no window for {}", seconds_ns(age_ns)), Tone::Bad));
        } else {
            line.push_span(look.span(word, tone));
        }
        let window = format!(
            "  window {}..{} UTC",
            clock(pair.start_ms),
            clock(pair.end_ms)
        );
        line.push_span(look.span(window, Tone::Dim));
        let tone = if pair.late > 0 { Tone::Warn } else { Tone::Dim };
        let late = format!(
            "  late {} ({} in all)",
            grouped(pair.late),
            grouped(pair.late_total)
        );
        line.push_span(look.span(late, tone));
        if pair.cut > 0 {
            line.push_span(look.span(
                format!("  {} legs and routes not shown", pair.cut),
                Tone::Warn,
            ));
        }
        line.render(row, buffer);
    }
    if let Some(row) = rows.next() {
        legend(view, pair, look).render(row, buffer);
    }
}

fn legend<'t>(view: &Spreads, pair: &Pair, look: &Look<'_>) -> Line<'t> {
    let model = look.model;
    let best = pair.best_route().and_then(|route| route.best.as_ref());
    let threshold = model.thresholds.of(&pair.name);
    let mut line = Line::default();
    if view.until_ms.is_some() {
        line.push_span(look.span("‹ earlier, 0 is now  ", Tone::Warn));
    }
    let shown = best.filter(|_| !pair.is_old(model));
    let figure = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), bps);
    if view.figures != Figures::Gross {
        let net = shown.map(|best| best.net_bps);
        let tone = net.map_or(Tone::Dim, |net| net_tone(net, threshold));
        line.push_span(look.span(format!("━ net {} bps  ", figure(net)), tone));
    }
    if view.figures != Figures::Net {
        let gross = shown.map(|best| best.gross_bps);
        line.push_span(look.span(format!("┈ gross {} bps  ", figure(gross)), Tone::Second));
    }
    if let Some(threshold) = threshold.filter(|_| view.figures != Figures::Gross) {
        line.push_span(look.span(format!("╌ threshold {}  ", bps(threshold)), Tone::Warn));
    }
    line.push_span(look.span(span_ms(view.span_ms(model)), Tone::Dim));
    line
}

/// What a leg or route is called; nothing of a window that is long gone is "ok".
fn state(of: Quality, old: bool) -> (String, Tone) {
    let (word, tone) = if old { ("old", Tone::Dim) } else { quality(of) };
    (word.to_owned(), tone)
}

fn text_of<T: ToString>(value: Option<&T>) -> Option<String> {
    value.map(ToString::to_string)
}

fn numbers<'a, T: ToString + 'a>(
    values: impl Iterator<Item = Option<&'a T>>,
) -> Vec<(String, Tone)> {
    let texts: Vec<Option<String>> = values.map(text_of).collect();
    aligned(&texts)
        .into_iter()
        .map(|text| (text, Tone::Plain))
        .collect()
}

fn prices<'a>(
    legs: &'a [Leg<'static>],
    of: impl Fn(&'a Leg<'static>) -> Option<&'a Price>,
) -> Vec<(String, Tone)> {
    numbers(legs.iter().map(of))
}

fn legs_table(pair: &Pair, buffer: &mut Buffer, area: Rect, look: &Look<'_>) {
    let legs = &pair.legs;
    let old = pair.is_old(look.model);
    let age = |ms: Option<i64>| (ms.map_or_else(|| "-".to_owned(), span_ms), Tone::Plain);
    let state = |leg: &Leg<'_>| state(leg.state, old);
    let columns = [
        Column::new(0, "venue")
            .shrinks()
            .cells(legs.iter().map(|leg| (leg.venue.to_string(), Tone::Plain))),
        Column::new(0, "state").cells(legs.iter().map(state)),
        Column::new(0, "bid")
            .right()
            .cells(prices(legs, |leg| leg.bid.as_ref())),
        Column::new(2, "size")
            .right()
            .cells(numbers(legs.iter().map(|leg| leg.bid_size.as_ref()))),
        Column::new(0, "ask")
            .right()
            .cells(prices(legs, |leg| leg.ask.as_ref())),
        Column::new(2, "size")
            .right()
            .cells(numbers(legs.iter().map(|leg| leg.ask_size.as_ref()))),
        Column::new(0, "age")
            .right()
            .cells(legs.iter().map(|leg| age(leg.age_ms))),
        Column::new(5, "symbol")
            .shrinks()
            .cells(legs.iter().map(|leg| (leg.symbol.to_string(), Tone::Dim))),
        Column::new(3, "rate bid")
            .right()
            .cells(prices(legs, |leg| leg.rate_bid.as_ref())),
        Column::new(6, "rate ask")
            .right()
            .cells(prices(legs, |leg| leg.rate_ask.as_ref())),
        Column::new(4, "rate age")
            .right()
            .cells(legs.iter().map(|leg| age(leg.rate_age_ms))),
        Column::new(7, "quotes")
            .right()
            .cells(legs.iter().map(|leg| (grouped(leg.quotes), Tone::Plain))),
        Column::new(8, "trades")
            .right()
            .cells(legs.iter().map(|leg| (grouped(leg.trades), Tone::Plain))),
        Column::new(9, "vwap")
            .right()
            .cells(numbers(legs.iter().map(|leg| leg.vwap.as_ref()))),
    ];
    table::draw(buffer, area, look, &columns, None);
}

fn routes_table(pair: &Pair, buffer: &mut Buffer, area: Rect, look: &Look<'_>) {
    let routes = &pair.routes;
    let threshold = look.model.thresholds.of(&pair.name);
    let old = pair.is_old(look.model);
    let net = |value: Option<f64>| match value {
        Some(value) => (
            bps(value),
            if old {
                Tone::Dim
            } else {
                net_tone(value, threshold)
            },
        ),
        None => ("-".to_owned(), Tone::Dim),
    };
    let gross = |value: Option<f64>| match value {
        Some(value) => (bps(value), Tone::Plain),
        None => ("-".to_owned(), Tone::Dim),
    };
    let name = |(at, route): (usize, &Route<'_>)| {
        let sign = if pair.best == Some(at) { "★" } else { " " };
        (
            format!("{sign} {} → {}", route.buy, route.sell),
            Tone::Plain,
        )
    };
    let state = |route: &Route<'_>| state(route.quality, old);
    let positive = |route: &Route<'_>| match route.positive_ns {
        0 => ("-".to_owned(), Tone::Dim),
        ns => (span_ns(ns), Tone::Good),
    };
    let best = |route: &Route<'_>| route.best.as_ref().map(|best| best.net_bps);
    let columns = [
        Column::new(0, "  buy → sell")
            .shrinks()
            .cells(routes.iter().enumerate().map(name)),
        Column::new(1, "state").cells(routes.iter().map(state)),
        Column::new(0, "best net")
            .right()
            .cells(routes.iter().map(|route| net(best(route)))),
        Column::new(2, "gross").right().cells(
            routes
                .iter()
                .map(|route| gross(route.best.as_ref().map(|best| best.gross_bps))),
        ),
        Column::new(3, "size").right().cells(numbers(
            routes
                .iter()
                .map(|route| route.best.as_ref().and_then(|best| best.size.as_ref())),
        )),
        Column::new(1, "net >0")
            .right()
            .cells(routes.iter().map(positive)),
        Column::new(4, "end net").right().cells(
            routes
                .iter()
                .map(|route| net(route.end.map(|end| end.net_bps))),
        ),
        Column::new(5, "end gross").right().cells(
            routes
                .iter()
                .map(|route| gross(route.end.map(|end| end.gross_bps))),
        ),
    ];
    table::draw(buffer, area, look, &columns, None);
}
