//! Plain tables: any separator, a row of names or none.
//!
//! In: text. Out: a [`Table`]. Columns whose name says time, count or event are no channels; neither is a column that holds no
//! numbers. The rate comes from the caller, or from a column of seconds whose steps are even. Splitting and quoting are the `csv`
//! crate's.

use csv::{ReaderBuilder, StringRecord};

use super::error::LoadError;
use super::recording::Dialect;
use super::table::{Row, Table, id, numbers, usual_width};
use crate::number::float;

/// Names of columns that are a clock.
const TIMES: [&str; 7] = [
    "time",
    "timestamp",
    "timestamps",
    "t",
    "seconds",
    "time_s",
    "times",
];
/// Names of columns that count.
const COUNTS: [&str; 7] = [
    "index",
    "sample",
    "sample index",
    "sample_index",
    "id",
    "n",
    "counter",
];
/// Names of columns that say what happened.
const EVENTS: [&str; 9] = [
    "marker",
    "markers",
    "event",
    "events",
    "trigger",
    "stim",
    "label",
    "annotation",
    "status",
];

/// What a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Channel,
    Time,
    Count,
    Event,
    Other,
}

/// Reads a table.
pub(super) fn read(text: &str, rate_hz: Option<f64>) -> Result<Table, LoadError> {
    let separator = separator(text);
    let rows = split(text, separator);
    let Some((first_line, first)) = rows.first() else {
        return Err(LoadError::NoNumbers { first: None });
    };
    let comma_decimals = separator != b',';
    let is_number = |text: &str| decimal(text, comma_decimals).parse::<f64>().is_ok();
    let named = !first.iter().any(is_number);
    let data = if named { &rows[1..] } else { &rows[..] };
    if data.is_empty() {
        return Err(LoadError::NoNumbers { first: None });
    }
    let width = if named {
        first.len()
    } else {
        usual_width(data.iter().map(|(_, row)| row.len()))
    };
    let names: Vec<String> = (0..width)
        .map(|at| {
            match first
                .get(at)
                .map(str::trim)
                .filter(|name| named && !name.is_empty())
            {
                Some(name) => name.to_owned(),
                None => (at + 1).to_string(),
            }
        })
        .collect();
    let columns: Vec<Column> = names
        .iter()
        .enumerate()
        .map(|(at, name)| {
            let has_numbers = data
                .iter()
                .take(100)
                .any(|(_, row)| row.get(at).is_some_and(|text| is_number(text.trim())));
            if named {
                kind(name, has_numbers)
            } else {
                Column::Channel
            }
        })
        .collect();
    let any_number =
        |(_, row): &(usize, StringRecord)| row.iter().any(|text| is_number(text.trim()));
    if !data.iter().any(any_number) {
        return Err(LoadError::NoNumbers { first: None });
    }
    let only = |kind: Column| columns.iter().position(|column| *column == kind);
    let channels: Vec<usize> = (0..width)
        .filter(|at| columns[*at] == Column::Channel)
        .collect();
    if channels.is_empty() {
        return Err(LoadError::NoChannels {
            row: *first_line,
            fields: width,
            expected: "columns of numbers that are neither time nor count nor event".to_owned(),
        });
    }
    let number = |row: &StringRecord, at: Option<usize>| {
        decimal(row.get(at?)?.trim(), comma_decimals)
            .parse::<f64>()
            .ok()
    };
    let time = only(Column::Time);
    let times: Vec<f64> = data
        .iter()
        .filter_map(|(_, row)| number(row, time))
        .collect();
    let stated_hz = rate_of(&times);
    let sample_rate_hz = rate_hz.or(stated_hz).ok_or(LoadError::NoRate)?;
    let (count, event) = (only(Column::Count), only(Column::Event));
    let rows = data.iter().map(|(line, row)| {
        let values_uv = if row.len() == width {
            let readings: Vec<String> = channels
                .iter()
                .map(|at| decimal(row[*at].trim(), comma_decimals))
                .collect();
            numbers(
                channels
                    .iter()
                    .map(|at| names[*at].as_str())
                    .zip(readings.iter().map(String::as_str)),
            )
        } else {
            Err(format!("{} fields of {width}", row.len()))
        };
        Row {
            line: *line,
            id: count.and_then(|at| id(row.get(at)?)),
            values_uv,
            unused_uv: None,
            stamp_ms: None,
            marker: number(row, event),
        }
    });
    Ok(Table {
        dialect: Dialect::Csv,
        sample_rate_hz,
        stated_hz,
        rows: rows.collect(),
        channels: channels.iter().map(|at| names[*at].clone()).collect(),
        period: None,
        full_scales_uv: &[],
    })
}

fn kind(name: &str, has_numbers: bool) -> Column {
    // `Time [s]`, `Time (s)` and `Time:512Hz` are times.
    let bare = name.to_ascii_lowercase();
    let bare = bare.split(['[', '(', ':']).next().unwrap_or("").trim();
    if TIMES.contains(&bare) {
        Column::Time
    } else if COUNTS.contains(&bare) {
        Column::Count
    } else if EVENTS.contains(&bare) {
        Column::Event
    } else if has_numbers {
        Column::Channel
    } else {
        Column::Other
    }
}

/// The separator that the first lines have most of, tabs and semicolons before commas, since commas may be decimal.
fn separator(text: &str) -> u8 {
    let head: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with(['%', '#']))
        .take(20)
        .collect();
    let count = |separator: char| head.iter().filter(|line| line.contains(separator)).count();
    let most = [('\t', b'\t'), (';', b';'), (',', b',')]
        .into_iter()
        .find(|(separator, _)| 2 * count(*separator) > head.len());
    most.map_or(b' ', |(_, byte)| byte)
}

/// Records with the lines that they begin on. Lines that begin with `#` or `%` are remarks.
fn split(text: &str, separator: u8) -> Vec<(usize, StringRecord)> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    let records = reader
        .records()
        .map_while(Result::ok)
        .filter(|row| !row[0].starts_with('%'));
    let line = |row: &StringRecord| {
        let line = row.position().map_or(0, csv::Position::line);
        usize::try_from(line).unwrap_or(usize::MAX)
    };
    let squeezed = |row: StringRecord| {
        // Several blanks are one separator.
        let position = row.position().cloned();
        let mut squeezed: StringRecord = row.iter().filter(|field| !field.is_empty()).collect();
        squeezed.set_position(position);
        squeezed
    };
    records
        .map(|row| {
            if separator == b' ' {
                squeezed(row)
            } else {
                row
            }
        })
        .filter(|row| !row.is_empty())
        .map(|row| (line(&row), row))
        .collect()
}

fn decimal(text: &str, comma_decimals: bool) -> String {
    if comma_decimals {
        text.replace(',', ".")
    } else {
        text.to_owned()
    }
}

/// The rate of a column of seconds whose steps are even to 1 %; milliseconds and microseconds show by their size.
fn rate_of(times: &[f64]) -> Option<f64> {
    const EVEN: f64 = 0.01;
    let n_steps = times.len().checked_sub(1).filter(|n| *n > 0)?;
    let step = (times.last()? - times.first()?) / float(n_steps);
    let even = times
        .windows(2)
        .all(|pair| ((pair[1] - pair[0]) / step - 1.0).abs() < EVEN);
    let rate_hz = 1.0 / step;
    (even && (super::recording::MIN_RATE_HZ..=super::recording::MAX_RATE_HZ).contains(&rate_hz))
        .then_some((rate_hz * 1e6).round() / 1e6)
}
