//! Draws a picture (SVG) of each view with made-up records, for the README.
//!
//! ```text
//! cargo run -p dashboard-tui --example picture -- docs/images
//! ```
//!
//! Dots, bars and lines are drawn as shapes, so that the picture does not depend on the fonts of whoever looks at it.

use std::fmt::Write as _;
use std::path::Path;

use contract::alert::EpisodeState;
use contract::eeg::DriveKind;
use contract::tick::VenueStatus;
use contract::time::NS_PER_MS;
use crossterm::event::{Event, KeyCode};
use dashboard_tui::app::App;
use dashboard_tui::config::{Settings, Thresholds, ViewName};
use dashboard_tui::log::{LogBuffer, LogLine};
use dashboard_tui::message::{Feed, Link, Message};
use dashboard_tui::testing::eeg::{BLOCKS_PER_S, Made, MadeTwin, Says, samples, state};
use dashboard_tui::testing::{BEGIN_MS, Fares, WIDTH_MS, episode, health, outage, spread};
use dashboard_tui::view;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

const SIZE: (u16, u16) = (132, 34);
/// A cell of the picture.
const CELL: (f64, f64) = (8.4, 17.0);
/// Five minutes of a session whose twin is driven.
const SESSION: Made = Made {
    session: "cyton-1",
    n_channels: 8,
    says: Says::Significant,
    railed: None,
    twin: MadeTwin::Driven(DriveKind::Locked),
};
const PAIRS: [&str; 5] = ["BTC-USD", "ETH-USD", "SOL-USD", "DOGE-USD", "AVAX-USD"];

/// Five minutes of five pairs, with an outage of one venue and some dislocations.
fn busy(view: ViewName) -> App {
    const WINDOWS: i64 = 300;
    let mut app = App::new(&Settings {
        view,
        pair: Some("BTC-USD".to_owned()),
        source: "127.0.0.1:9092".to_owned(),
        thresholds: Thresholds {
            default_bps: Some(10.0),
            ..Thresholds::default()
        },
        ..Settings::default()
    });
    app.update(Message::Input(Event::Resize(SIZE.0, SIZE.1)));
    let logs = LogBuffer::new(100);
    for window in 0..WINDOWS {
        let now_ns = (BEGIN_MS + (window + 1) * WIDTH_MS + 640) * NS_PER_MS;
        let out = (205..217).contains(&window);
        for (number, pair) in (0..).zip(PAIRS) {
            let fares = if out { Fares::Down } else { Fares::Well };
            app.update(Message::Spread(
                &spread(number, pair, window, fares),
                now_ns,
            ));
        }
        let k = window.unsigned_abs();
        for block in 0..BLOCKS_PER_S {
            let block = samples(&SESSION, (k + 3) * BLOCKS_PER_S + block);
            app.update(Message::Samples(&block, now_ns));
        }
        app.update(Message::State(&state(&SESSION, k), now_ns));
        let status = if out {
            VenueStatus::Silent
        } else {
            VenueStatus::Up
        };
        app.update(Message::Venue(&health("binance", window, status), now_ns));
        app.update(Message::Venue(
            &health("coinbase", window, VenueStatus::Up),
            now_ns,
        ));
        if window % 37 == 0 || window == 205 || window == 217 {
            let (level, text) = match window {
                205 => (
                    tracing::Level::WARN,
                    "silent venue=binance after_ms=10000".to_owned(),
                ),
                217 => (tracing::Level::INFO, "data again venue=binance".to_owned()),
                _ => (
                    tracing::Level::INFO,
                    format!("connection venue=coinbase frames={}", 153 * window),
                ),
            };
            logs.push(LogLine {
                at_ns: now_ns,
                level,
                target: "ingest".to_owned(),
                text,
            });
        }
        app.update(Message::Time(now_ns));
        app.update(Message::Drawn);
    }
    for (window, windows) in [(11, 4), (48, 20), (130, 20)] {
        app.update(Message::Alert(&episode(
            "BTC-USD",
            window,
            windows,
            EpisodeState::Closed,
        )));
    }
    app.update(Message::Alert(&outage(
        "binance",
        205,
        12,
        EpisodeState::Closed,
    )));
    app.update(Message::Alert(&episode(
        "BTC-USD",
        280,
        20,
        EpisodeState::Open,
    )));
    app.update(Message::Log(logs.since(0)));
    app.update(Message::Feed(Feed {
        link: Link::Up,
        lag: Some(0),
        restarts: 0,
    }));
    app.update(Message::Input(Event::Key(KeyCode::Char('-').into())));
    app.update(Message::Time(
        (BEGIN_MS + WINDOWS * WIDTH_MS + 700) * NS_PER_MS,
    ));
    app
}

fn colour(colour: Color, usual: &'static str) -> &'static str {
    match colour {
        Color::Red => "#ff7b72",
        Color::Green => "#56d364",
        Color::Yellow => "#e3b341",
        Color::Blue => "#6cb6ff",
        Color::DarkGray => "#7d8590",
        _ => usual,
    }
}

/// Foreground and background of a cell.
fn colours(cell: &Cell) -> (&'static str, &'static str) {
    const INK: &str = "#d1d7e0";
    const PAPER: &str = "#0d1117";
    let ink = colour(cell.fg, INK);
    if cell.modifier.contains(Modifier::REVERSED) {
        (PAPER, ink)
    } else {
        (ink, PAPER)
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// A sign that is drawn: rectangles within a cell of one by one, as x, y, width, height.
fn shapes(symbol: &str) -> Option<Vec<(f64, f64, f64, f64)>> {
    let sign = symbol.chars().next()?;
    let code = u32::from(sign);
    match code {
        0x2800..=0x28ff => {
            let dots = [
                (0, 0, 0x01),
                (0, 1, 0x02),
                (0, 2, 0x04),
                (0, 3, 0x40),
                (1, 0, 0x08),
                (1, 1, 0x10),
                (1, 2, 0x20),
                (1, 3, 0x80),
            ];
            let set = dots.iter().filter(|(_, _, bit)| (code - 0x2800) & bit != 0);
            let place = |(x, y, _): &(u32, u32, u32)| {
                (
                    f64::from(*x) * 0.5 + 0.12,
                    f64::from(*y) * 0.25 + 0.06,
                    0.26,
                    0.13,
                )
            };
            Some(set.map(place).collect())
        }
        0x2581..=0x2588 => {
            let height = f64::from(code - 0x2580) / 8.0;
            Some(vec![(0.05, 1.0 - height, 0.9, height)])
        }
        0x25aa => Some(vec![(0.2, 0.35, 0.6, 0.3)]),
        0x2501 => Some(vec![(0.0, 0.45, 1.0, 0.12)]),
        0x2508 => Some(vec![
            (0.0, 0.48, 0.15, 0.06),
            (0.4, 0.48, 0.15, 0.06),
            (0.8, 0.48, 0.15, 0.06),
        ]),
        0x254c => Some(vec![(0.0, 0.47, 0.35, 0.08), (0.55, 0.47, 0.35, 0.08)]),
        0x2524 => Some(vec![(0.46, 0.0, 0.08, 1.0), (0.0, 0.48, 0.5, 0.05)]),
        _ => None,
    }
}

fn svg(buffer: &Buffer) -> String {
    let (wide, high) = (
        f64::from(buffer.area.width) * CELL.0,
        f64::from(buffer.area.height) * CELL.1,
    );
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-12 -10 {:.0} {:.0}\" font-family=\"ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace\" font-size=\"14\">\n\
         <rect x=\"-12\" y=\"-10\" width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#0d1117\"/>\n",
        wide + 24.0,
        high + 20.0
    );
    let width = usize::from(buffer.area.width);
    for (cells, row) in buffer.content.chunks(width).zip(0_u32..) {
        let top = f64::from(row) * CELL.1;
        // Runs of one look become one text, stretched to its cells.
        let mut runs: Vec<(u32, u32, String, &Cell)> = Vec::new();
        for (cell, column) in cells.iter().zip(0_u32..) {
            let (ink, paper) = colours(cell);
            let left = f64::from(column) * CELL.0;
            if paper != "#0d1117" {
                let _ = writeln!(
                    out,
                    "<path fill=\"{paper}\" d=\"M{left:.1} {top:.1}h{:.1}v{}h-{:.1}z\"/>",
                    CELL.0 + 0.3,
                    CELL.1,
                    CELL.0 + 0.3
                );
            }
            if let Some(shapes) = shapes(cell.symbol()) {
                let mut path = String::new();
                for (x, y, w, h) in shapes {
                    let _ = write!(
                        path,
                        "M{:.1} {:.1}h{:.1}v{:.1}h-{:.1}z",
                        left + x * CELL.0,
                        top + y * CELL.1,
                        w * CELL.0,
                        h * CELL.1,
                        w * CELL.0
                    );
                }
                if !path.is_empty() {
                    let _ = writeln!(out, "<path fill=\"{ink}\" d=\"{path}\"/>");
                }
                continue;
            }
            if cell.symbol() == " " {
                continue;
            }
            match runs.last_mut() {
                Some((from, length, text, first))
                    if *from + *length == column
                        && colours(first) == (ink, paper)
                        && first.modifier == cell.modifier =>
                {
                    *length += 1;
                    text.push_str(cell.symbol());
                }
                _ => runs.push((column, 1, cell.symbol().to_owned(), cell)),
            }
        }
        for (from, length, text, cell) in runs {
            let weight = if cell.modifier.contains(Modifier::BOLD) {
                " font-weight=\"bold\""
            } else {
                ""
            };
            let _ = writeln!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{}\" textLength=\"{:.1}\" lengthAdjust=\"spacingAndGlyphs\"{weight}>{}</text>",
                f64::from(from) * CELL.0,
                top + CELL.1 * 0.76,
                colours(cell).0,
                f64::from(length) * CELL.0,
                escaped(&text)
            );
        }
    }
    out.push_str("</svg>\n");
    out
}

fn main() -> std::io::Result<()> {
    let folder = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "docs/images".to_owned());
    std::fs::create_dir_all(&folder)?;
    for name in ViewName::ALL {
        let app = busy(name);
        let area = Rect::new(0, 0, SIZE.0, SIZE.1);
        let mut buffer = Buffer::empty(area);
        view::render(&mut buffer, area, &app);
        let file = Path::new(&folder).join(format!("dashboard-{}.svg", name.as_str()));
        std::fs::write(file, svg(&buffer))?;
    }
    Ok(())
}
