//! The list of pairs: net of the best route, quality at a glance, the last minute as a row of bars.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Order, Spreads};
use crate::model::Model;
use crate::model::pair::Pair;
use crate::text::{bps, seconds_ns, span_ns};
use crate::theme::Tone;
use crate::view::Look;
use crate::view::chart::net_tone;
use crate::view::list::page_start;
use crate::view::scale::bar;
use crate::view::table::{self, Column};
use contract::spread::Quality;

/// Bars of a row.
const BARS: usize = 14;

/// What a quality is called, and how it looks.
pub(in crate::view) fn quality(quality: Quality) -> (&'static str, Tone) {
    match quality {
        Quality::Ok => ("ok", Tone::Good),
        Quality::Stale => ("stale", Tone::Warn),
        Quality::Crossed => ("crossed", Tone::Bad),
        Quality::NoRate => ("no rate", Tone::Warn),
        Quality::VenueDown => ("down", Tone::Bad),
        Quality::OneSided => ("one sided", Tone::Warn),
    }
}

/// The newest windows as bars between their lowest and highest net; `·` where no route was live.
fn bars(pair: &Pair) -> String {
    let nets: Vec<f64> = pair
        .history
        .newest(BARS)
        .map(|point| f64::from(point.net))
        .collect();
    let live = || nets.iter().copied().filter(|net| net.is_finite());
    let low = live().fold(f64::INFINITY, f64::min);
    let high = live().fold(f64::NEG_INFINITY, f64::max);
    let missing = BARS - nets.len();
    let shown = nets.iter().map(|net| {
        if !net.is_finite() {
            return "·";
        }
        // A flat line within a tenth of a basis point is drawn low, not as noise.
        let share = if high - low < 0.1 {
            0.0
        } else {
            (net - low) / (high - low)
        };
        bar(share)
    });
    std::iter::repeat_n(" ", missing).chain(shown).collect()
}

fn net(pair: &Pair, model: &Model) -> (String, Tone) {
    match pair.net_bps() {
        _ if pair.is_old(model) => ("-".to_owned(), Tone::Dim),
        Some(net) => {
            let threshold = model.thresholds.of(&pair.name);
            let tone = net_tone(net, threshold);
            let sign = if tone == Tone::Best { "▲" } else { "" };
            (format!("{sign}{}", bps(net)), tone)
        }
        None => ("-".to_owned(), Tone::Dim),
    }
}

fn state(pair: &Pair, model: &Model) -> (String, Tone) {
    if pair.is_old(model) {
        let age_ns = model.now_ns.saturating_sub(pair.at_ns);
        return (format!("old {}", seconds_ns(age_ns)), Tone::Bad);
    }
    let (word, tone) = quality(pair.quality);
    (word.to_owned(), tone)
}

/// Draws the page of the list that holds the chosen row.
pub(super) fn draw(view: &Spreads, buffer: &mut Buffer, area: Rect, look: &Look<'_>) {
    let model = look.model;
    let height = usize::from(area.height.saturating_sub(1));
    let chosen = view.row(model);
    let from = page_start(chosen, height);
    let pairs: Vec<&Pair> = view
        .shown
        .iter()
        .skip(from)
        .take(height)
        .filter_map(|at| model.pairs().get(*at).map(AsRef::as_ref))
        .collect();
    let here = chosen - from;
    let marks =
        (0..pairs.len()).map(|at| ((if at == here { "▸" } else { " " }).to_owned(), Tone::Title));
    let route = |pair: &&Pair| {
        let text = pair
            .best_route()
            .map_or_else(String::new, |route| format!("{}→{}", route.buy, route.sell));
        (text, Tone::Dim)
    };
    let head = match view.order {
        Order::Name => "pair",
        Order::Net => "pair (by net)",
        Order::Positive => "pair (by time >0)",
        Order::Quality => "pair (by quality)",
        Order::Late => "pair (by late)",
    };
    let positive = |pair: &&Pair| match pair.positive_ns() {
        0 => ("-".to_owned(), Tone::Dim),
        ns => (span_ns(ns), Tone::Good),
    };
    let columns = [
        Column::new(0, "").cells(marks),
        Column::new(0, head).shrinks().cells(
            pairs
                .iter()
                .map(|pair| (pair.name.to_string(), Tone::Plain)),
        ),
        Column::new(0, "net bps")
            .right()
            .cells(pairs.iter().map(|pair| net(pair, model))),
        Column::new(0, "quality").cells(pairs.iter().map(|pair| state(pair, model))),
        Column::new(1, "newest windows").cells(pairs.iter().map(|pair| (bars(pair), Tone::Second))),
        Column::new(2, "net >0")
            .right()
            .cells(pairs.iter().map(positive)),
        Column::new(3, "best route")
            .shrinks()
            .cells(pairs.iter().map(route)),
    ];
    table::draw(buffer, area, look, &columns, Some(here));
}
