//! European Data Format (EDF, EDF+) and its 24-bit kin BDF.
//!
//! In: the bytes of a file. Out: a [`Recording`]. Signals in volts are channels; those of another unit or rate are left out by
//! name. EDF+ annotations become markers; the start times of the records of an interrupted file (EDF+D) tell the gaps, which are
//! holes here. Written here because the crates there are read one of the two formats, not both.
//!
//! Source: Kemp et al., Electroencephalogr Clin Neurophysiol 82 (1992) 391-393 (EDF); Kemp and Olivan, Clin Neurophysiol 114
//! (2003) 1755-1761 (EDF+); BioSemi's page on BDF.

use ndarray::Array2;

use super::error::LoadError;
use super::ids::{Gap, HoleBudget, Numbering};
use super::quality;
use super::recording::{Dialect, MAX_RATE_HZ, MIN_RATE_HZ, Marker, Rails, Recording};
use crate::number::float;

/// Length of the fixed part of the header, and of the part of each signal.
const BLOCK: usize = 256;
/// More of these in one file than any amplifier has means rubbish in the header.
const MAX_SIGNALS: usize = 4_096;
/// Physical limits beyond this, of whatever unit, mean rubbish in the header.
const MAX_PHYSICAL: f64 = 1e12;
/// Samples that one file may unpack to; 8 GiB of numbers.
const MAX_SAMPLES: usize = 1 << 30;

/// Whether the bytes begin as EDF or BDF do.
pub(super) fn is_edf(bytes: &[u8]) -> bool {
    bytes.len() >= 8 && (bytes.starts_with(b"0       ") || bytes.starts_with(b"\xffBIOSEMI"))
}

/// One signal of the header.
struct Signal {
    label: String,
    unit: String,
    physical: (f64, f64),
    digital: (f64, f64),
    per_record: usize,
    /// First byte of its samples within a record.
    offset: usize,
}

impl Signal {
    fn is_annotations(&self) -> bool {
        matches!(self.label.as_str(), "EDF Annotations" | "BDF Annotations")
    }

    /// Microvolts per unit, `None` where the unit is no voltage.
    fn microvolts(&self) -> Option<f64> {
        match self.unit.as_str() {
            "uV" | "µV" | "\u{3bc}V" | "" => Some(1.0),
            "mV" => Some(1e3),
            "V" => Some(1e6),
            "nV" => Some(1e-3),
            _ => None,
        }
    }

    /// A reading in microvolts, of a signal that is a voltage.
    fn uv(&self, digital: f64) -> f64 {
        let gain = (self.physical.1 - self.physical.0) / (self.digital.1 - self.digital.0);
        (self.physical.0 + (digital - self.digital.0) * gain) * self.microvolts().unwrap_or(1.0)
    }

    /// Both ends of the converter, each to half a step.
    fn rails(&self) -> Rails {
        let (low, high) = self.digital;
        Rails {
            values_uv: vec![self.uv(low), self.uv(high)],
            tolerance_uv: (self.uv(low + 1.0) - self.uv(low)).abs() / 2.0,
        }
    }
}

/// The whole header.
struct Header {
    dialect: Dialect,
    interrupted: bool,
    header_bytes: usize,
    record_s: f64,
    record_bytes: usize,
    n_records: usize,
    signals: Vec<Signal>,
}

/// Reads a file.
pub(super) fn read(bytes: &[u8]) -> Result<Recording, LoadError> {
    let header = header(bytes)?;
    let width = width(header.dialect);
    let mut left_out = Vec::new();
    let chosen = channels(&header, &mut left_out)?;
    let per_record = chosen[0].per_record;
    let sample_rate_hz = float(per_record) / header.record_s;
    if !(MIN_RATE_HZ..=MAX_RATE_HZ).contains(&sample_rate_hz) {
        return Err(LoadError::Rate {
            row: None,
            text: sample_rate_hz.to_string(),
        });
    }
    let (starts, mut markers) = annotations(bytes, &header);
    let (record_at, numbering) = places(&header, &starts, &chosen, sample_rate_hz)?;
    let n_samples = record_at.last().map_or(0, |at| at + per_record);
    if n_samples.saturating_mul(chosen.len()) > MAX_SAMPLES {
        return Err(fault(
            format!("{n_samples} samples of {} channels", chosen.len()),
            BLOCK,
        ));
    }
    let mut samples_uv = Array2::from_elem((chosen.len(), n_samples), f64::NAN);
    for (record, at) in record_at.iter().enumerate() {
        let record_start = header.header_bytes + record * header.record_bytes;
        for (channel, signal) in chosen.iter().enumerate() {
            let (low, high) = signal.digital;
            let start = record_start + signal.offset;
            let readings = bytes[start..start + signal.per_record * width].chunks_exact(width);
            for (sample, reading) in readings.enumerate() {
                let digital = whole(reading).clamp(low, high);
                samples_uv[(channel, at + sample)] = signal.uv(digital);
            }
        }
    }
    markers.extend(status_markers(
        bytes,
        &header,
        &record_at,
        sample_rate_hz,
        &mut left_out,
    ));
    markers.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
    let rails: Vec<Rails> = chosen.iter().map(|signal| signal.rails()).collect();
    let quality = quality::Quality {
        left_out,
        ..quality::of_samples(&samples_uv, sample_rate_hz, &rails)
    };
    Ok(Recording {
        dialect: header.dialect,
        sample_rate_hz,
        channels: chosen.iter().map(|signal| signal.label.clone()).collect(),
        samples_uv,
        rails,
        ids: Vec::new(),
        stamps_ns: Vec::new(),
        markers,
        numbering,
        quality,
    })
}

fn fault(what: impl Into<String>, at: usize) -> LoadError {
    LoadError::Edf {
        what: what.into(),
        at,
    }
}

fn width(dialect: Dialect) -> usize {
    if dialect == Dialect::Bdf { 3 } else { 2 }
}

/// A little-endian whole number of 16 or 24 bits, in two's complement.
fn whole(bytes: &[u8]) -> f64 {
    match *bytes {
        [a, b] => f64::from(i16::from_le_bytes([a, b])),
        [a, b, c] => f64::from(i32::from_le_bytes([0, a, b, c]) >> 8),
        _ => f64::NAN,
    }
}

fn header(bytes: &[u8]) -> Result<Header, LoadError> {
    let text = |at: usize, length: usize| -> Result<String, LoadError> {
        let field = bytes
            .get(at..at + length)
            .ok_or_else(|| fault("the header ends", bytes.len()))?;
        // Latin-1: the micro sign of a unit is one byte there.
        let text: String = field.iter().map(|byte| char::from(*byte)).collect();
        Ok(text.trim_matches([' ', '\0']).to_owned())
    };
    let number = |at: usize, length: usize, what: &str| -> Result<f64, LoadError> {
        let field = text(at, length)?;
        let value = field.parse::<f64>().ok().filter(|value| value.is_finite());
        value.ok_or_else(|| fault(format!("{what} is `{field}`, not a number"), at))
    };
    let count = |at: usize, length: usize, what: &str, most: usize| -> Result<usize, LoadError> {
        let field = text(at, length)?;
        let value = field
            .parse::<usize>()
            .ok()
            .filter(|value| (1..=most).contains(value));
        value.ok_or_else(|| {
            fault(
                format!("{what} is `{field}`, not a number in 1..={most}"),
                at,
            )
        })
    };
    let dialect = if bytes.first() == Some(&0xff) {
        Dialect::Bdf
    } else {
        Dialect::Edf
    };
    let interrupted = text(192, 44)?.get(3..5) == Some("+D");
    let record_s = number(244, 8, "the duration of a record")?;
    let n_signals = count(252, 4, "the number of signals", MAX_SIGNALS)?;
    let header_bytes = BLOCK * (n_signals + 1);
    let mut signals = Vec::with_capacity(n_signals);
    let mut offset = 0;
    for signal in 0..n_signals {
        // Each field stands for all signals before the next field begins.
        let field =
            |before: usize, length: usize| (BLOCK + n_signals * before + signal * length, length);
        let (at, length) = field(216, 8);
        let per_record = count(at, length, "the number of samples in a record", 10_000_000)?;
        let pair = |low: usize, what: &str| -> Result<(f64, f64), LoadError> {
            let (a, length) = field(low, 8);
            let (b, _) = field(low + 8, 8);
            Ok((number(a, length, what)?, number(b, length, what)?))
        };
        let digital = pair(120, "a digital limit")?;
        if digital.1 <= digital.0 {
            return Err(fault(
                "the digital limits of a signal are not in order",
                field(120, 8).0,
            ));
        }
        let physical = pair(104, "a physical limit")?;
        if physical.0.abs().max(physical.1.abs()) > MAX_PHYSICAL {
            return Err(fault(
                "a physical limit of a signal is no voltage",
                field(104, 8).0,
            ));
        }
        let (at, length) = field(0, 16);
        let label = text(at, length)?;
        let (at, length) = field(96, 8);
        signals.push(Signal {
            label: label
                .strip_prefix("EEG ")
                .unwrap_or(&label)
                .trim()
                .to_owned(),
            unit: text(at, length)?,
            physical,
            digital,
            per_record,
            offset,
        });
        offset += per_record * width(dialect);
    }
    if record_s <= 0.0 && signals.iter().any(|signal| !signal.is_annotations()) {
        return Err(fault(
            format!("the duration of a record is {record_s} s"),
            244,
        ));
    }
    let there = bytes.len().saturating_sub(header_bytes) / offset;
    // -1: the recorder never came back to write it. A file that was cut has fewer than it says.
    let said = text(236, 8)?.parse::<usize>().unwrap_or(there);
    let n_records = said.min(there);
    if n_records == 0 {
        return Err(fault(
            "no whole record of data behind the header",
            bytes.len(),
        ));
    }
    Ok(Header {
        dialect,
        interrupted,
        header_bytes,
        record_s,
        record_bytes: offset,
        n_records,
        signals,
    })
}

/// The voltages of the commonest rate (the first of equals).
fn channels<'a>(
    header: &'a Header,
    left_out: &mut Vec<String>,
) -> Result<Vec<&'a Signal>, LoadError> {
    let is_status = |signal: &Signal| signal.label == "Status" && header.dialect == Dialect::Bdf;
    let candidates = || {
        let signals = header.signals.iter();
        signals.filter(|signal| !signal.is_annotations() && !is_status(signal))
    };
    for signal in candidates().filter(|signal| signal.microvolts().is_none()) {
        left_out.push(format!(
            "{}: its unit `{}` is no voltage",
            signal.label, signal.unit
        ));
    }
    let voltages = || candidates().filter(|signal| signal.microvolts().is_some());
    let of_rate = |per_record: usize| {
        voltages()
            .filter(|signal| signal.per_record == per_record)
            .count()
    };
    let Some(per_record) = voltages()
        .map(|signal| signal.per_record)
        .max_by_key(|per_record| (of_rate(*per_record), *per_record))
    else {
        return Err(fault("no signal in volts", BLOCK));
    };
    let other = voltages().filter(|signal| signal.per_record != per_record);
    left_out.extend(other.map(|signal| {
        format!(
            "{}: {} samples a record, the others {per_record}",
            signal.label, signal.per_record
        )
    }));
    Ok(voltages()
        .filter(|signal| signal.per_record == per_record)
        .collect())
}

/// Where each record's first sample goes, and what is missing in between.
fn places(
    header: &Header,
    starts: &[Option<f64>],
    chosen: &[&Signal],
    sample_rate_hz: f64,
) -> Result<(Vec<usize>, Numbering), LoadError> {
    let per_record = chosen.first().map_or(0, |signal| signal.per_record);
    let mut numbering = Numbering::default();
    if !header.interrupted {
        let places = (0..header.n_records).map(|record| record * per_record);
        return Ok((places.collect(), numbering));
    }
    let mut budget = HoleBudget::new(header.n_records * per_record, chosen.len());
    let mut places: Vec<usize> = Vec::with_capacity(header.n_records);
    let mut before: Option<f64> = None;
    for (record, start) in starts.iter().enumerate() {
        let at = header.header_bytes + record * header.record_bytes;
        let start = start
            .ok_or_else(|| fault("an interrupted recording without the time of a record", at))?;
        let last = before.unwrap_or(start - header.record_s);
        let missing = ((start - last) * sample_rate_hz).round() - float(per_record);
        if !(missing >= 0.0 && missing < float(MAX_SAMPLES)) {
            return Err(fault(
                format!(
                    "a record begins at {start} s, before the one before it ends or far beyond"
                ),
                at,
            ));
        }
        #[expect(
            clippy::as_conversions,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and MAX_SAMPLES, checked above"
        )]
        let missing = missing as usize;
        let mut place = places.last().map_or(0, |place| place + per_record);
        if missing > 0 {
            numbering.gaps.push(Gap {
                row: record * per_record - 1,
                missing,
            });
            if budget.fills(missing) {
                place += missing;
            } else {
                numbering.boundaries.push(place);
            }
        }
        places.push(place);
        before = Some(start);
    }
    Ok((places, numbering))
}

/// Start of each record in seconds, and what the annotations say.
fn annotations(bytes: &[u8], header: &Header) -> (Vec<Option<f64>>, Vec<Marker>) {
    let mut starts = vec![None; header.n_records];
    let mut markers = Vec::new();
    for (record, start) in starts.iter_mut().enumerate() {
        let record_start = header.header_bytes + record * header.record_bytes;
        for signal in header
            .signals
            .iter()
            .filter(|signal| signal.is_annotations())
        {
            let at = record_start + signal.offset;
            let list = &bytes[at..at + signal.per_record * width(header.dialect)];
            for entry in list
                .split(|byte| *byte == 0)
                .filter(|entry| !entry.is_empty())
            {
                let Some((at_s, duration_s, texts)) = entry_of(entry) else {
                    continue;
                };
                if texts.first().is_some_and(String::is_empty) && start.is_none() {
                    *start = Some(at_s);
                }
                let said = texts.into_iter().filter(|text| !text.is_empty());
                markers.extend(said.map(|text| Marker {
                    at_s,
                    duration_s,
                    text,
                }));
            }
        }
    }
    let first = starts.first().copied().flatten().unwrap_or(0.0);
    markers.iter_mut().for_each(|marker| marker.at_s -= first);
    (starts, markers)
}

/// `+ONSET[\x15DURATION]\x14TEXT\x14[TEXT\x14...]`
fn entry_of(entry: &[u8]) -> Option<(f64, f64, Vec<String>)> {
    let text = String::from_utf8_lossy(entry);
    let mut parts = text.split('\u{14}');
    let time = parts.next()?;
    let (onset, duration) = time.split_once('\u{15}').unwrap_or((time, "0"));
    let seconds = |text: &str| text.parse::<f64>().ok().filter(|value| value.is_finite());
    let mut texts: Vec<String> = parts.map(|text| text.trim().to_owned()).collect();
    // The last separator closes the list.
    texts.pop();
    Some((seconds(onset)?, seconds(duration)?, texts))
}

/// BioSemi's trigger inputs: the lower 16 bits of the channel `Status`; each change to a value above 0 is a marker.
fn status_markers(
    bytes: &[u8],
    header: &Header,
    record_at: &[usize],
    sample_rate_hz: f64,
    left_out: &mut Vec<String>,
) -> Vec<Marker> {
    let status = header
        .signals
        .iter()
        .find(|signal| signal.label == "Status");
    let Some(status) = status.filter(|_| header.dialect == Dialect::Bdf) else {
        return Vec::new();
    };
    let rate = float(status.per_record) / header.record_s;
    if (rate - sample_rate_hz).abs() > f64::EPSILON * rate {
        left_out.push("Status: another rate than the channels".to_owned());
        return Vec::new();
    }
    let mut markers = Vec::new();
    let mut before = 0_u16;
    for (record, at) in record_at.iter().enumerate() {
        let start = header.header_bytes + record * header.record_bytes + status.offset;
        let readings = bytes[start..start + status.per_record * 3].chunks_exact(3);
        for (sample, reading) in readings.enumerate() {
            let value = u16::from_le_bytes([reading[0], reading[1]]);
            if value != before && value != 0 {
                let at_s = float(at + sample) / sample_rate_hz;
                markers.push(Marker {
                    at_s,
                    duration_s: 0.0,
                    text: value.to_string(),
                });
            }
            before = value;
        }
    }
    markers
}
