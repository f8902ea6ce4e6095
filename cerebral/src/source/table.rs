//! From rows of one dialect to a recording: places rows by their ids, marks what cannot be used, counts what is wrong.
//!
//! In: rows as a dialect's reader has split them. Out: a [`Recording`]. Absent: what a dialect looks like.

use ndarray::Array2;

use super::error::{LoadError, RowFault};
use super::ids::{Counter, HoleBudget};
use super::quality::{self, BadRow, Stamps};
use super::recording::{Dialect, MAX_RATE_HZ, MIN_RATE_HZ, Marker, Rails, Recording};
use crate::number::float;

/// Fewer samples than this are no recording: no filter and no spectrum stands on them.
const LEAST_SAMPLES: usize = 16;

/// More microvolts than any amplifier's counts come to, whatever the unit.
const MAX_UV: f64 = 1e12;

/// One row of a table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// Line of the file, from 1.
    pub(super) line: usize,
    /// Packet number.
    pub(super) id: Option<u64>,
    /// Microvolts by channel, or why the row gives no sample.
    pub(super) values_uv: Result<Vec<f64>, String>,
    /// Microvolts by channel of a row that gives no sample, where they can be read all the same.
    pub(super) unused_uv: Option<Vec<f64>>,
    /// Host's stamp, milliseconds.
    pub(super) stamp_ms: Option<f64>,
    /// Marker; 0 is none.
    pub(super) marker: Option<f64>,
}

/// A table of one dialect.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) dialect: Dialect,
    pub(super) sample_rate_hz: f64,
    /// What the file or its board say, where they do.
    pub(super) stated_hz: Option<f64>,
    pub(super) channels: Vec<String>,
    /// Period of the packet counter.
    pub(super) period: Option<u64>,
    /// Readings that mean "beyond the amplifier's range", microvolts, without sign.
    pub(super) full_scales_uv: &'static [f64],
    pub(super) rows: Vec<Row>,
}

/// How near a reading must be to full scale, microvolts: files round to 0.01.
const RAIL_TOLERANCE_UV: f64 = 0.05;

/// Full scale of a Cyton at the gains 24, 12, 8, 6, 4, 2 and 1: 4.5 V / gain.
pub(super) const CYTON_FULL_SCALES_UV: &[f64] = &[
    187_500.0,
    375_000.0,
    562_500.0,
    750_000.0,
    1_125_000.0,
    2_250_000.0,
    4_500_000.0,
];

/// Where a Cyton's channel ends, microvolts, whatever its gain.
pub(crate) fn cyton_rails_uv() -> Vec<f64> {
    rails_uv(CYTON_FULL_SCALES_UV)
}

fn rails_uv(full_scales_uv: &[f64]) -> Vec<f64> {
    let ends = full_scales_uv.iter();
    ends.flat_map(|scale| [*scale, -scale]).collect()
}

/// Reads a sampling rate, which may be followed by its unit.
pub(super) fn rate(text: &str, row: Option<usize>) -> Result<f64, LoadError> {
    let number = text
        .trim()
        .trim_end_matches(|c: char| c.is_alphabetic() || c.is_whitespace());
    let fault = || LoadError::Rate {
        row,
        text: text.trim().to_owned(),
    };
    let rate: f64 = number.parse().map_err(|_| fault())?;
    if (MIN_RATE_HZ..=MAX_RATE_HZ).contains(&rate) {
        Ok(rate)
    } else {
        Err(fault())
    }
}

/// Reads the numbers of some fields; names the first that is none.
pub(super) fn numbers<'a>(
    fields: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<Vec<f64>, String> {
    fields
        .map(|(name, text)| match text.trim().parse::<f64>() {
            Ok(value) if value.abs() <= MAX_UV => Ok(value),
            Ok(value) if value.is_finite() => {
                Err(format!("channel {name}: {value:e} is no voltage"))
            }
            _ => Err(format!(
                "channel {name}: `{}` is not a number",
                shortened(text.trim())
            )),
        })
        .collect()
}

/// At most 40 characters of a text, for a message.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// A packet number; some dialects write it as `3.0`.
pub(super) fn id(text: &str) -> Option<u64> {
    let text = text.trim();
    text.strip_suffix(".0").unwrap_or(text).parse().ok()
}

/// The commonest number of fields; the larger of equals.
pub(super) fn usual_width(widths: impl Iterator<Item = usize>) -> usize {
    let mut counts = std::collections::BTreeMap::<usize, usize>::new();
    for width in widths {
        *counts.entry(width).or_default() += 1;
    }
    counts
        .into_iter()
        .max_by_key(|&(width, count)| (count, width))
        .map_or(0, |(width, _)| width)
}

impl Table {
    /// Makes the recording.
    pub(super) fn into_recording(self) -> Result<Recording, LoadError> {
        let fault = |row: &Row| {
            let reason = row.values_uv.as_ref().err()?.clone();
            Some(RowFault {
                row: row.line,
                reason,
            })
        };
        let bad = self
            .rows
            .iter()
            .filter(|row| row.values_uv.is_err())
            .count();
        if bad == self.rows.len() {
            return Err(LoadError::NoNumbers {
                first: self.rows.first().and_then(fault),
            });
        }
        if 2 * bad > self.rows.len() {
            let first = self
                .rows
                .iter()
                .find_map(fault)
                .expect("more than half have one");
            return Err(LoadError::MostlyBad {
                bad,
                rows: self.rows.len(),
                first,
            });
        }
        let ids: Vec<Option<u64>> = self.rows.iter().map(|row| row.id).collect();
        let counter = Counter::of(&ids, self.period);
        let placed = counter.map_or_else(
            || Counter::place_blindly(ids.len()),
            |counter| counter.place(&ids, HoleBudget::new(ids.len(), self.channels.len())),
        );
        let usable = |row: &Row| matches!(&row.values_uv, Ok(values) if !is_zero(values));
        // What cannot be used at the ends is cut off; in the middle it is a hole.
        let kept = || {
            let rows = self.rows.iter().zip(&placed.at);
            rows.filter_map(|(row, at)| at.filter(|_| usable(row)).map(|at| (row, at)))
        };
        let (Some(first), Some(last)) = (
            kept().map(|(_, at)| at).next(),
            kept().map(|(_, at)| at).next_back(),
        ) else {
            return Err(LoadError::NoNumbers {
                first: self.rows.iter().find_map(fault),
            });
        };
        let n_samples = last + 1 - first;
        let mut samples_uv = Array2::from_elem((self.channels.len(), n_samples), f64::NAN);
        let mut ids = vec![None; n_samples];
        let mut stamps_ns = vec![None; n_samples];
        let mut stamps = Stamps::default();
        let mut markers = Vec::new();
        for (row, at) in kept() {
            let values = row.values_uv.as_ref().expect("kept rows have values");
            for (channel, value) in values.iter().enumerate() {
                samples_uv[(channel, at - first)] = *value;
            }
            ids[at - first] = row.id;
            stamps_ns[at - first] = row.stamp_ms.and_then(since_1970_ns);
            stamps.push(at - first, row.stamp_ms);
            if let Some(value) = row.marker.filter(|value| value.abs() > 0.0) {
                markers.push(Marker {
                    at_s: float(at - first) / self.sample_rate_hz,
                    duration_s: 0.0,
                    text: value.to_string(),
                });
            }
        }
        if kept().count() < LEAST_SAMPLES {
            return Err(LoadError::TooShort {
                n_samples: kept().count(),
                least: LEAST_SAMPLES,
            });
        }
        let mut numbering = placed.numbering;
        numbering
            .boundaries
            .retain(|at| (first + 1..=last).contains(at));
        numbering.boundaries.iter_mut().for_each(|at| *at -= first);
        let bad_rows: Vec<BadRow> = self
            .rows
            .iter()
            .filter_map(fault)
            .map(BadRow::from)
            .collect();
        let zero_rows = self
            .rows
            .iter()
            .filter(|row| matches!(&row.values_uv, Ok(values) if is_zero(values)));
        let repeated = self.rows.windows(2).filter(|pair| {
            let readings = |row: &Row| {
                row.values_uv
                    .as_ref()
                    .ok()
                    .or(row.unused_uv.as_ref())
                    .cloned()
            };
            readings(&pair[0]).is_some_and(|before| Some(before) == readings(&pair[1]))
        });
        let rails = Rails {
            values_uv: rails_uv(self.full_scales_uv),
            tolerance_uv: RAIL_TOLERANCE_UV,
        };
        let rails = vec![rails; self.channels.len()];
        let quality = quality::Quality {
            bad_rows,
            zero_rows: zero_rows.count(),
            repeated_rows: repeated.count(),
            jitter_ms: stamps.jitter_ms(),
            stamp_rate_hz: stamps.rate_hz(),
            ..quality::of_samples(&samples_uv, self.sample_rate_hz, &rails)
        };
        Ok(Recording {
            dialect: self.dialect,
            sample_rate_hz: self.sample_rate_hz,
            channels: self.channels,
            samples_uv,
            rails,
            ids: none_where_all_are(ids),
            stamps_ns: none_where_all_are(stamps_ns),
            markers,
            numbering,
            quality,
        })
    }
}

/// A host's stamp, where it counts from 1970: clocks of programs and boards count from their own start.
#[expect(
    clippy::as_conversions,
    reason = "the range was looked at; stamps of files are good to a microsecond, far above the rounding"
)]
fn since_1970_ns(stamp_ms: f64) -> Option<i64> {
    let ns = stamp_ms * 1e6;
    let latest = 9e18;
    (ns >= contract::time::EARLIEST_NS as f64 && ns < latest).then_some(ns.round() as i64)
}

/// Nothing, where there is nothing.
fn none_where_all_are<T>(values: Vec<Option<T>>) -> Vec<Option<T>> {
    if values.iter().any(Option::is_some) {
        values
    } else {
        Vec::new()
    }
}

/// A row of nothing but zeros, which recorders write before the first packet.
fn is_zero(values: &[f64]) -> bool {
    values.len() > 1 && values.iter().all(|value| value.abs() < f64::MIN_POSITIVE)
}
