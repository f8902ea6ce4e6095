//! Lines over time or frequency, histograms, bars.

use maud::{Markup, html};

use super::axes::{Axes, BOTTOM, LEFT, RIGHT, TOP, px};
use crate::number::float;
use crate::report::scale::{LINES, Scale, extent};

/// A line; what is NaN interrupts it.
pub(in crate::report) struct Line<'a> {
    pub(in crate::report) name: &'a str,
    pub(in crate::report) x: &'a [f64],
    pub(in crate::report) y: &'a [f64],
    pub(in crate::report) colour: &'a str,
    /// SVG's dash pattern; none for a full line.
    pub(in crate::report) dash: Option<&'a str>,
}

/// A region that is shaded behind the lines.
pub(in crate::report) enum Shade<'a> {
    /// From one x to another over the whole height.
    Columns(&'a [[f64; 2]]),
    /// From one y to another over the whole width.
    Rows([f64; 2]),
}

/// Lines within axes, with a legend above where they have names.
pub(in crate::report) fn lines(
    title: &str,
    axes: &Axes<'_>,
    lines: &[Line<'_>],
    shades: &[Shade<'_>],
) -> Markup {
    let (x, y) = (axes.x_scale(), axes.y_scale());
    let bottom = axes.height - BOTTOM;
    let inside = html! {
        @for shade in shades {
            @match shade {
                Shade::Columns(columns) => @for [from, to] in *columns {
                    rect.shade x=(px(x.at(*from))) width=(px(x.at(*to) - x.at(*from))) y=(TOP) height=(px(bottom - TOP)) {}
                },
                Shade::Rows([from, to]) => {
                    rect.band x=(LEFT) width=(px(axes.width - RIGHT - LEFT)) y=(px(y.at(*to))) height=(px(y.at(*from) - y.at(*to))) {}
                }
            }
        }
        @for line in lines {
            path.line d=(path(line.x, line.y, &x, &y)) stroke=(line.colour) stroke-dasharray=[line.dash] {}
        }
    };
    html! {
        (axes.figure(title, &inside))
        (legend(lines))
    }
}

fn legend(lines: &[Line<'_>]) -> Markup {
    html! {
        @if lines.iter().any(|line| !line.name.is_empty()) {
            p.legend {
                @for line in lines.iter().filter(|line| !line.name.is_empty()) {
                    span {
                        svg.key viewBox="0 0 26 8" {
                            path.line d="M1 4H25" stroke=(line.colour) stroke-dasharray=[line.dash] {}
                        }
                        (line.name)
                    }
                }
            }
        }
    }
}

fn path(xs: &[f64], ys: &[f64], x: &Scale, y: &Scale) -> String {
    let mut d = String::new();
    let mut pen = false;
    for (one, other) in xs.iter().zip(ys) {
        if other.is_finite() {
            let command = if pen { 'L' } else { 'M' };
            d.push_str(&format!("{command}{:.1} {:.1}", x.at(*one), y.at(*other)));
        }
        pen = other.is_finite();
    }
    d
}

/// Signals one below the other, all to one scale.
///
/// `rows`: name and values; a row without values is told as left out. `per_row_uv`: what lies between two rows.
pub(in crate::report) fn traces(
    title: &str,
    rows: &[(&str, &[f64])],
    step_s: f64,
    per_row_uv: f64,
    shaded_s: &[[f64; 2]],
) -> Markup {
    const ROW: f64 = 26.0;
    let longest = rows
        .iter()
        .map(|(_, values)| values.len())
        .max()
        .unwrap_or(0);
    let n_rows = float(rows.len());
    let axes = Axes {
        width: 900.0,
        height: TOP + BOTTOM + ROW * n_rows,
        x: [0.0, float(longest) * step_s],
        y: [n_rows, 0.0],
        x_label: "time in the segment (s)",
        y_label: "",
    };
    let x = axes.x_scale();
    let bottom = axes.height - BOTTOM;
    let times: Vec<f64> = (0..longest).map(|at| float(at) * step_s).collect();
    let left = LEFT + 50.0;
    let x = Scale::new(
        [0.0, float(longest) * step_s],
        [left.min(x.at(0.0)).max(LEFT), axes.width - RIGHT],
    );
    html! {
        svg viewBox={ "0 0 " (axes.width) " " (axes.height) } role="img" {
            title { (title) }
            @for [from, to] in shaded_s {
                rect.shade x=(px(x.at(*from))) width=(px((x.at(*to) - x.at(*from)).max(0.5))) y=(TOP) height=(px(bottom - TOP)) {}
            }
            @for (at, (name, values)) in rows.iter().enumerate() {
                @let middle = TOP + ROW * (float(at) + 0.5);
                @let y = Scale::new([-per_row_uv / 2.0, per_row_uv / 2.0], [middle + ROW / 2.0, middle - ROW / 2.0]);
                text.tick x=(LEFT - 6.0) y=(px(middle + 4.0)) text-anchor="end" { (short(name)) }
                @if values.is_empty() {
                    text.tick x=(LEFT + 8.0) y=(px(middle + 4.0)) { "left out" }
                } @else {
                    path.trace d=(path(&times, &clipped(values, per_row_uv), &x, &y)) {}
                }
            }
            @for (value, text) in x.ticks(10) {
                line.grid x1=(px(x.at(value))) x2=(px(x.at(value))) y1=(bottom) y2=(bottom + 4.0) {}
                text.tick x=(px(x.at(value))) y=(bottom + 17.0) text-anchor="middle" { (text) }
            }
            path.axis d={ "M" (LEFT) " " (bottom) "H" (axes.width - RIGHT) } {}
            text.label x=(px(f64::midpoint(LEFT, axes.width))) y=(axes.height - 4.0) text-anchor="middle" { (axes.x_label) }
        }
    }
}

/// What would leave the figure stays at one and a half rows.
fn clipped(values: &[f64], per_row_uv: f64) -> Vec<f64> {
    let most = 1.5 * per_row_uv;
    // NaN stays what it is.
    values
        .iter()
        .map(|value| value.clamp(-most, most))
        .collect()
}

/// At most nine characters of a name.
pub(super) fn short(name: &str) -> String {
    let name = name.strip_prefix("EXG Channel ").unwrap_or(name);
    let name = name.strip_prefix("EEG Channel ").unwrap_or(name);
    if name.chars().count() > 9 {
        let start: String = name.chars().take(8).collect();
        format!("{start}\u{2026}")
    } else {
        name.to_owned()
    }
}

/// A null distribution as a histogram, and where the data lie.
pub(in crate::report) fn histogram(
    title: &str,
    x_label: &str,
    null: &[f64],
    observed: f64,
) -> Markup {
    const BINS: usize = 24;
    let [low, high] = extent(null.iter().chain([&observed]));
    let margin = 0.06 * (high - low).max(1e-9);
    let (low, high) = (low - margin, high + margin);
    let width = (high - low) / float(BINS);
    let counts: Vec<f64> = (0..BINS)
        .map(|bin| {
            let from = low + float(bin) * width;
            float(
                null.iter()
                    .filter(|value| (from..from + width).contains(value))
                    .count(),
            )
        })
        .collect();
    let axes = Axes {
        width: 440.0,
        height: 240.0,
        x: [low, high],
        y: [0.0, extent(&counts)[1] * 1.1],
        x_label,
        y_label: "surrogates",
    };
    let (x, y) = (axes.x_scale(), axes.y_scale());
    let at = x.at(observed);
    let (anchor, text_at) = if at > axes.width / 2.0 {
        ("end", at - 5.0)
    } else {
        ("start", at + 5.0)
    };
    let inside = html! {
        @for (bin, count) in counts.iter().enumerate() {
            @let from = x.at(low + float(bin) * width);
            rect.bar x=(px(from + 0.5)) width=(px(x.at(low + width) - x.at(low) - 1.0)) y=(px(y.at(*count))) height=(px(y.at(0.0) - y.at(*count))) {}
        }
        line.observed x1=(px(at)) x2=(px(at)) y1=(TOP) y2=(px(y.at(0.0))) {}
        text.observed x=(px(text_at)) y=(TOP + 12.0) text-anchor=(anchor) { "data " (format!("{observed:.4}")) }
    };
    axes.figure(title, &inside)
}

/// A bar with its spread.
pub(in crate::report) struct Bar<'a> {
    pub(in crate::report) name: &'a str,
    pub(in crate::report) value: f64,
    pub(in crate::report) spread: f64,
    /// Stands behind the bar.
    pub(in crate::report) told: String,
}

/// Horizontal bars from 0, each with a line for its spread.
pub(in crate::report) fn bars(title: &str, x_label: &str, all: &[Bar<'_>]) -> Markup {
    const ROW: f64 = 22.0;
    let ends = all
        .iter()
        .flat_map(|bar| [bar.value - bar.spread, bar.value + bar.spread, 0.0]);
    let ends: Vec<f64> = ends.collect();
    let [low, high] = extent(&ends);
    let (width, height) = (900.0, TOP + BOTTOM + ROW * float(all.len()));
    let x = Scale::new([low, high], [120.0, width - 190.0]);
    let bottom = height - BOTTOM;
    html! {
        svg viewBox={ "0 0 " (width) " " (height) } role="img" {
            title { (title) }
            @for (value, text) in x.ticks(6) {
                line.grid x1=(px(x.at(value))) x2=(px(x.at(value))) y1=(TOP) y2=(bottom) {}
                text.tick x=(px(x.at(value))) y=(bottom + 16.0) text-anchor="middle" { (text) }
            }
            @for (at, bar) in all.iter().enumerate() {
                @let middle = TOP + ROW * (float(at) + 0.5);
                @let (from, to) = (x.at(bar.value.min(0.0)), x.at(bar.value.max(0.0)));
                text.tick x="112" y=(px(middle + 4.0)) text-anchor="end" { (bar.name) }
                rect x=(px(from)) width=(px((to - from).max(0.5))) y=(px(middle - 6.0)) height="12" fill=(LINES[if bar.value < 0.0 { 1 } else { 0 }]) {}
                line.spread x1=(px(x.at(bar.value - bar.spread))) x2=(px(x.at(bar.value + bar.spread))) y1=(px(middle)) y2=(px(middle)) {}
                text.tick x=(width - 180.0) y=(px(middle + 4.0)) { (bar.told) }
            }
            line.axis x1=(px(x.at(0.0))) x2=(px(x.at(0.0))) y1=(TOP) y2=(bottom) {}
            text.label x=(px(f64::midpoint(120.0, width - 190.0))) y=(height - 4.0) text-anchor="middle" { (x_label) }
        }
    }
}
