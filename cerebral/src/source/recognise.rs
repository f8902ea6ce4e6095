//! The one loader: bytes of any kind that is known.

use std::io::Read;

use super::brainflow::{self, Board};
use super::error::LoadError;
use super::recording::{MAX_RATE_HZ, MIN_RATE_HZ, Recording};
use super::{delimited, edf, openbci};

/// A file may unpack to this much, bytes: days of 64 channels, and not the memory of the machine.
const MAX_UNPACKED: usize = 4 << 30;

/// Rates that differ by less are one: a column of seconds is rounded.
const SAME_RATE: f64 = 1e-3;

/// What a file does not say itself.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LoadOptions {
    /// Samples a second, 1..=100000. Where the file says another, this one holds, and that is told; of EDF and BDF the file's own.
    pub sample_rate_hz: Option<f64>,
    /// The board of a BrainFlow file.
    pub board: Option<Board>,
}

/// Reads a recording of any known kind: OpenBCI text, BrainFlow, a plain table, EDF, BDF; also packed with gzip or zstd.
///
/// The result's samples have shape `(n_channels, n_samples)` and are in microvolts, as the file has them; a plain table is taken to
/// be in microvolts.
///
/// # Errors
/// Any [`LoadError`]; all of them are the file's fault or the options'.
pub fn load(bytes: &[u8], options: &LoadOptions) -> Result<Recording, LoadError> {
    if let Some(rate) = options.sample_rate_hz
        && !(MIN_RATE_HZ..=MAX_RATE_HZ).contains(&rate)
    {
        return Err(LoadError::Rate {
            row: None,
            text: rate.to_string(),
        });
    }
    let unpacked;
    let bytes = match unpack(bytes)? {
        Some(vector) => {
            unpacked = vector;
            unpacked.as_slice()
        }
        None => bytes,
    };
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(LoadError::Empty);
    }
    if edf::is_edf(bytes) {
        let recording = edf::read(bytes)?;
        if let Some((given_hz, stated_hz)) = disagree(options, Some(recording.sample_rate_hz)) {
            tracing::warn!(
                given_hz,
                stated_hz,
                "--rate is not used: the file says its rate itself"
            );
        }
        return Ok(recording);
    }
    let text = text(bytes)?;
    let rate_hz = options.sample_rate_hz;
    let first = text
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("")
        .trim();
    let table = if first.starts_with('%') || first.to_ascii_lowercase().starts_with("sample index,")
    {
        openbci::read(&text, rate_hz)?
    } else if options.board.is_some() || is_brainflow(first) {
        brainflow::read(&text, options.board, rate_hz)?
    } else {
        delimited::read(&text, rate_hz)?
    };
    if let Some((given_hz, stated_hz)) = disagree(options, table.stated_hz) {
        tracing::warn!(
            given_hz,
            stated_hz,
            "--rate is used, though the file says another rate"
        );
    }
    table.into_recording()
}

/// The rate given and that of the file, where they are two.
fn disagree(options: &LoadOptions, stated_hz: Option<f64>) -> Option<(f64, f64)> {
    let both = options.sample_rate_hz.zip(stated_hz);
    both.filter(|(given_hz, stated_hz)| (given_hz / stated_hz - 1.0).abs() > SAME_RATE)
}

/// Tabs and numbers from the first line on, in one of BrainFlow's widths.
fn is_brainflow(first: &str) -> bool {
    let fields: Vec<&str> = first.split('\t').collect();
    let known = brainflow::widths().contains(&fields.len());
    known
        && fields
            .iter()
            .all(|field| field.trim().replace(',', ".").parse::<f64>().is_ok())
}

fn unpack(bytes: &[u8]) -> Result<Option<Vec<u8>>, LoadError> {
    let read = |packing, reader: &mut dyn Read| {
        let mut out = Vec::new();
        let limit = u64::try_from(MAX_UNPACKED).unwrap_or(u64::MAX);
        reader
            .take(limit + 1)
            .read_to_end(&mut out)
            .map_err(|source| LoadError::Packed { packing, source })?;
        if out.len() > MAX_UNPACKED {
            return Err(LoadError::TooLarge {
                limit: MAX_UNPACKED,
            });
        }
        Ok(Some(out))
    };
    if bytes.starts_with(&[0x1f, 0x8b]) {
        read("gzip", &mut flate2::read::MultiGzDecoder::new(bytes))
    } else if bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let mut reader =
            zstd::stream::read::Decoder::new(bytes).map_err(|source| LoadError::Packed {
                packing: "zstd",
                source,
            })?;
        read("zstd", &mut reader)
    } else {
        Ok(None)
    }
}

/// Text of any encoding that EEG software writes: UTF-8, with or without its mark, or Latin-1. Control characters mean that it is none.
fn text(bytes: &[u8]) -> Result<String, LoadError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let control =
        |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | b'\r' | 0x0c);
    if let Some(at) = bytes.iter().position(control) {
        return Err(LoadError::Binary {
            at,
            byte: bytes[at],
        });
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        // Latin-1 has text bytes alone from 0xa0 up; what is below was never text.
        Err(fault) => match bytes.iter().position(|byte| (0x80..0xa0).contains(byte)) {
            Some(at) => Err(LoadError::Binary {
                at,
                byte: bytes[at],
            }),
            None if mostly_ascii(bytes) => Ok(bytes.iter().map(|byte| char::from(*byte)).collect()),
            None => {
                let at = fault.valid_up_to();
                Err(LoadError::Binary {
                    at,
                    byte: bytes[at],
                })
            }
        },
    }
}

fn mostly_ascii(bytes: &[u8]) -> bool {
    let beyond = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    20 * beyond < bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_disagree_where_both_are_there_and_differ() {
        let of = |given, stated| {
            let options = LoadOptions {
                sample_rate_hz: given,
                board: None,
            };
            disagree(&options, stated)
        };
        assert_eq!(of(Some(125.0), Some(250.0)), Some((125.0, 250.0)));
        assert_eq!(of(Some(250.0), Some(250.01)), None);
        assert_eq!(of(Some(250.0), None), None);
        assert_eq!(of(None, Some(250.0)), None);
    }
}
