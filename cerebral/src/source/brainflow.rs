//! BrainFlow's files: tab-separated numbers, no header, columns by board.
//!
//! In: text. Out: a [`Table`]. The number of columns tells the board, except that Cyton with Daisy and the synthetic board have 32
//! each: there the stamps' pace decides.

use super::error::LoadError;
use super::recording::Dialect;
use super::table::{CYTON_FULL_SCALES_UV, Row, Table, id, numbers, usual_width};
use crate::number::float;

/// Boards whose columns are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Board {
    /// OpenBCI Cyton: 8 channels, 250 Hz, 24 columns.
    Cyton,
    /// OpenBCI Cyton with Daisy: 16 channels, 125 Hz, 32 columns.
    CytonDaisy,
    /// OpenBCI Ganglion: 4 channels, 200 Hz, 15 columns.
    Ganglion,
    /// BrainFlow's synthetic board: 16 channels, 250 Hz, 32 columns.
    Synthetic,
}

impl Board {
    /// Every board.
    pub const ALL: [Self; 4] = [
        Self::Cyton,
        Self::CytonDaisy,
        Self::Ganglion,
        Self::Synthetic,
    ];

    /// The name to type.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cyton => "cyton",
            Self::CytonDaisy => "cyton-daisy",
            Self::Ganglion => "ganglion",
            Self::Synthetic => "synthetic",
        }
    }

    /// Columns, channels, column of the stamp, rate in hertz.
    fn layout(self) -> (usize, usize, usize, f64) {
        match self {
            Self::Cyton => (24, 8, 22, 250.0),
            Self::CytonDaisy => (32, 16, 30, 125.0),
            Self::Ganglion => (15, 4, 13, 200.0),
            Self::Synthetic => (32, 16, 30, 250.0),
        }
    }
}

/// How many columns a file of a known board may have.
pub(super) fn widths() -> [usize; 4] {
    Board::ALL.map(|board| board.layout().0)
}

/// Reads a table; `rate_hz` overrides the board's.
pub(super) fn read(
    text: &str,
    board: Option<Board>,
    rate_hz: Option<f64>,
) -> Result<Table, LoadError> {
    let lines = || {
        let numbered = text
            .lines()
            .enumerate()
            .map(|(at, line)| (at + 1, line.trim_end()));
        numbered.filter(|(_, line)| !line.trim().is_empty())
    };
    let width = usual_width(
        lines()
            .take(1_000)
            .map(|(_, line)| line.split('\t').count()),
    );
    let board = match board {
        Some(board) => board,
        None => recognise(width, lines().map(|(_, line)| line))
            .ok_or(LoadError::UnknownBoard { fields: width })?,
    };
    let (columns, n_channels, stamp, rate) = board.layout();
    let channels: Vec<String> = (1..=n_channels)
        .map(|channel| channel.to_string())
        .collect();
    let row = |(line, text): (usize, &str)| {
        // A comma locale writes `1,5`.
        let text = text.replace(',', ".");
        let fields: Vec<&str> = text.split('\t').map(str::trim).collect();
        let values_uv = if fields.len() == columns {
            let readings = fields[1..=n_channels].iter().copied();
            numbers(channels.iter().map(String::as_str).zip(readings))
        } else {
            Err(format!("{} columns of {columns}", fields.len()))
        };
        let number = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok());
        Row {
            line,
            id: fields.first().and_then(|text| whole(text)),
            values_uv,
            unused_uv: None,
            stamp_ms: number(stamp).map(|seconds| seconds * 1_000.0),
            marker: number(stamp + 1),
        }
    };
    Ok(Table {
        dialect: Dialect::Brainflow,
        sample_rate_hz: rate_hz.unwrap_or(rate),
        stated_hz: Some(rate),
        rows: lines().map(row).collect(),
        channels,
        period: Some(256),
        full_scales_uv: if board == Board::Cyton || board == Board::CytonDaisy {
            CYTON_FULL_SCALES_UV
        } else {
            &[]
        },
    })
}

/// A packet number written with six decimals.
fn whole(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    fraction
        .bytes()
        .all(|digit| digit == b'0')
        .then(|| id(whole))
        .flatten()
}

fn recognise<'a>(width: usize, lines: impl Iterator<Item = &'a str>) -> Option<Board> {
    if width != 32 {
        return Board::ALL
            .into_iter()
            .find(|board| board.layout().0 == width);
    }
    let stamp = |line: &str| {
        line.split('\t')
            .nth(30)?
            .trim()
            .replace(',', ".")
            .parse::<f64>()
            .ok()
    };
    let stamps: Vec<f64> = lines.filter_map(stamp).collect();
    let seconds = stamps.last()? - stamps.first()?;
    let rate_hz = float(stamps.len() - 1) / seconds;
    if (105.0..=145.0).contains(&rate_hz) {
        Some(Board::CytonDaisy)
    } else if (210.0..=290.0).contains(&rate_hz) {
        Some(Board::Synthetic)
    } else {
        None
    }
}
