//! OpenBCI text: the Cyton and Ganglion recordings of four generations of recorders.
//!
//! In: text whose first lines begin with `%`. Out: a [`Table`]. Where the columns of a generation are told by its header, the
//! header is believed; where it is silent, the number of fields decides.

use super::error::LoadError;
use super::recording::Dialect;
use super::table::{CYTON_FULL_SCALES_UV, Row, Table, id, numbers, rate, usual_width};

/// A line of numbers with its line number from 1.
type Line<'a> = (usize, &'a str);

/// What the lines with `%` say.
#[derive(Debug, Default)]
struct Header<'a> {
    rate_hz: Option<f64>,
    n_channels: Option<usize>,
    board: Option<&'a str>,
    time_first: bool,
    time_last: bool,
    /// Names of the columns, of the GUI alone.
    names: Option<Vec<&'a str>>,
}

/// Which field is what.
#[derive(Debug, PartialEq, Eq)]
struct Layout {
    dialect: Dialect,
    width: usize,
    id: usize,
    first_channel: usize,
    n_channels: usize,
    stamp: Option<usize>,
    marker: Option<usize>,
}

/// Microvolts at full scale of a Ganglion: 8388607 counts of 0.00186992.
const GANGLION_FULL_SCALES_UV: &[f64] = &[15_686.0];

/// Reads a table; `rate_hz` overrides the header's.
pub(super) fn read(text: &str, rate_hz: Option<f64>) -> Result<Table, LoadError> {
    let (header, lines) = split(text)?;
    let fields = |line: &str| line.split(',').count();
    let width = usual_width(lines.iter().take(1_000).map(|(_, line)| fields(line)));
    let Some(&(first_line, _)) = lines.first() else {
        return Err(LoadError::NoNumbers { first: None });
    };
    let layout = layout(&header, width).ok_or_else(|| LoadError::NoChannels {
        row: first_line,
        fields: width,
        expected: "a packet number, the channels, and three readings of the accelerometer"
            .to_owned(),
    })?;
    let channels = channel_names(&header, &layout);
    let rows = lines
        .iter()
        .map(|&(line, text)| row(line, text, &layout, &channels))
        .collect();
    let is_ganglion = header.board.is_some_and(|board| board.contains("Ganglion"));
    Ok(Table {
        dialect: layout.dialect,
        sample_rate_hz: rate_hz.or(header.rate_hz).ok_or(LoadError::NoRate)?,
        stated_hz: header.rate_hz,
        channels,
        period: Some(256),
        full_scales_uv: if is_ganglion {
            GANGLION_FULL_SCALES_UV
        } else {
            CYTON_FULL_SCALES_UV
        },
        rows,
    })
}

/// The header, and the lines of numbers with their line numbers from 1.
fn split(text: &str) -> Result<(Header<'_>, Vec<Line<'_>>), LoadError> {
    let mut header = Header::default();
    let mut lines = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line_number = at + 1;
        let line = line.trim();
        if let Some(said) = line.strip_prefix('%') {
            take(&mut header, said.trim(), line_number)?;
        } else if header.names.is_none() && line.to_ascii_lowercase().starts_with("sample index") {
            header.names = Some(line.split(',').map(str::trim).collect());
        } else if !line.is_empty() {
            lines.push((line_number, line));
        }
    }
    Ok((header, lines))
}

fn take<'a>(header: &mut Header<'a>, said: &'a str, line: usize) -> Result<(), LoadError> {
    let Some((key, value)) = said.split_once('=') else {
        return Ok(());
    };
    let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
    match key.as_str() {
        "sample rate" => header.rate_hz = Some(rate(value, Some(line))?),
        "number of channels" => header.n_channels = value.parse().ok().filter(|n| *n > 0),
        "board" => header.board = Some(value),
        "first column" => header.time_first = value.to_ascii_lowercase().contains("time"),
        "last column" => header.time_last = value.to_ascii_lowercase().contains("time"),
        _ => {}
    }
    Ok(())
}

/// How the fields lie; `None` where no channel is left.
fn layout(header: &Header<'_>, width: usize) -> Option<Layout> {
    let plain = |dialect, before: usize, after: usize| {
        let room = width.checked_sub(before + after)?;
        let n_channels = header
            .n_channels
            .unwrap_or(room)
            .min(width.checked_sub(before)?);
        let layout = Layout {
            dialect,
            width,
            id: before - 1,
            first_channel: before,
            n_channels,
            stamp: None,
            marker: None,
        };
        (n_channels > 0).then_some(layout)
    };
    if header.time_first {
        return Some(Layout {
            stamp: None,
            ..plain(Dialect::OpenbciPython, 2, 3)?
        });
    }
    if header.names.is_some() || header.board.is_some() {
        return gui(header, width);
    }
    if header.time_last || width == 13 || width == 14 {
        // A clock time, and in later recorders the milliseconds since 1970 behind it.
        let with_epoch = width.checked_sub(1 + header.n_channels.unwrap_or(8) + 3) == Some(2);
        let after = if with_epoch { 5 } else { 4 };
        let stamp = with_epoch.then(|| width - 1);
        return Some(Layout {
            stamp,
            ..plain(Dialect::OpenbciV4, 1, after)?
        });
    }
    // One auxiliary field, or three readings of the accelerometer.
    plain(Dialect::OpenbciV3, 1, if width == 10 { 1 } else { 3 })
}

fn gui(header: &Header<'_>, width: usize) -> Option<Layout> {
    let Some(names) = &header.names else {
        // The row of names is missing (a recorder of version 5 wrote zeros in its place).
        let n_channels = header.n_channels.unwrap_or(8);
        let enough = width >= n_channels + 4;
        return enough.then(|| Layout {
            dialect: Dialect::OpenbciGui,
            width,
            id: 0,
            first_channel: 1,
            n_channels,
            stamp: Some(width - 3),
            marker: Some(width - 2),
        });
    };
    let is_channel = |name: &&str| {
        let name = name.to_ascii_lowercase();
        name.starts_with("exg channel") || name.starts_with("eeg channel")
    };
    let first_channel = names.iter().position(is_channel)?;
    let n_channels = names[first_channel..]
        .iter()
        .take_while(|name| is_channel(name))
        .count();
    let stamp = names
        .iter()
        .position(|name| name.eq_ignore_ascii_case("timestamp"));
    let marker = names
        .iter()
        .position(|name| name.to_ascii_lowercase().starts_with("marker"));
    Some(Layout {
        dialect: Dialect::OpenbciGui,
        width: names.len(),
        id: 0,
        first_channel,
        n_channels,
        stamp,
        // Version 5 calls it `Other`, right behind the stamp.
        marker: marker
            .or(stamp.map(|stamp| stamp + 1))
            .filter(|at| *at < names.len()),
    })
}

fn channel_names(header: &Header<'_>, layout: &Layout) -> Vec<String> {
    (0..layout.n_channels)
        .map(|at| {
            let named = header
                .names
                .as_ref()
                .and_then(|names| names.get(layout.first_channel + at));
            named.map_or_else(|| (at + 1).to_string(), |name| (*name).to_owned())
        })
        .collect()
}

fn row(line: usize, text: &str, layout: &Layout, channels: &[String]) -> Row {
    let fields: Vec<&str> = text.split(',').map(str::trim).collect();
    let readings = || {
        let readings =
            fields.get(layout.first_channel..layout.first_channel + layout.n_channels)?;
        let named = channels
            .iter()
            .map(String::as_str)
            .zip(readings.iter().copied());
        Some(numbers(named))
    };
    let (values_uv, unused_uv) = if fields.len() == layout.width {
        (readings().expect("the layout lies within its width"), None)
    } else {
        let reason = format!("{} fields of {}", fields.len(), layout.width);
        (Err(reason), readings().and_then(Result::ok))
    };
    let number = |at: Option<usize>| fields.get(at?)?.parse::<f64>().ok();
    Row {
        line,
        id: fields.get(layout.id).and_then(|text| id(text)),
        values_uv,
        unused_uv,
        stamp_ms: number(layout.stamp).map(stamp_ms),
        marker: number(layout.marker),
    }
}

/// Version 5 stamps in seconds since 1970, the others in milliseconds.
fn stamp_ms(stamp: f64) -> f64 {
    const LATEST_IN_SECONDS: f64 = 1e11;
    if stamp < LATEST_IN_SECONDS {
        stamp * 1_000.0
    } else {
        stamp
    }
}
