//! Numbers, times and names as people read them on a narrow screen. Units are always there.

use std::borrow::Cow;

use contract::time::NS_PER_MS;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The longest name that is kept, in characters.
const MAX_NAME: usize = 120;

/// A text from outside: without control characters, and of bounded length.
pub(crate) fn clean(text: &str) -> String {
    let mut out: String = text
        .chars()
        .take(MAX_NAME)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(MAX_NAME).is_some() {
        out.push('…');
    }
    out
}

/// Columns that a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// The text within `columns`; what does not fit ends in `…`.
pub(crate) fn fit(text: &str, columns: usize) -> Cow<'_, str> {
    if text.width() <= columns {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > columns {
            break;
        }
        used += wide;
        out.push(c);
    }
    if columns > 0 {
        out.push('…');
    }
    Cow::Owned(out)
}

/// Basis points with their sign, one decimal: `+14.2`.
pub(crate) fn bps(value: f64) -> String {
    // Never "-0.0": a sign that means nothing.
    let text = format!("{value:+.1}");
    if text == "-0.0" {
        "+0.0".to_owned()
    } else {
        text
    }
}

/// A count with its thousands apart: `1,234,567`.
#[must_use]
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count in four or five columns: `999`, `12.3k`, `1.2M`.
pub(crate) fn short_count(count: u64) -> String {
    let tenths = |unit: u64| (count / unit, count % unit * 10 / unit);
    match count {
        0..10_000 => count.to_string(),
        10_000..1_000_000 => {
            let (whole, tenth) = tenths(1_000);
            format!("{whole}.{tenth}k")
        }
        1_000_000..1_000_000_000 => {
            let (whole, tenth) = tenths(1_000_000);
            format!("{whole}.{tenth}M")
        }
        _ => {
            let (whole, tenth) = tenths(1_000_000_000);
            format!("{whole}.{tenth}G")
        }
    }
}

/// A stretch of time: `12 ms`, `1.3 s`, `2 min 05 s`, `3 h 12 min`, `5 d 02 h`. A negative one keeps its sign.
pub(crate) fn span_ms(ms: i64) -> String {
    if ms < 0 {
        return format!("-{}", span_ms(ms.saturating_neg()));
    }
    let s = ms / 1_000;
    match s {
        _ if ms < 1_000 => format!("{ms} ms"),
        0..60 => format!("{s}.{} s", ms % 1_000 / 100),
        60..3_600 => format!("{} min {:02} s", s / 60, s % 60),
        3_600..86_400 => format!("{} h {:02} min", s / 3_600, s % 3_600 / 60),
        _ => format!("{} d {:02} h", s / 86_400, s % 86_400 / 3_600),
    }
}

/// The same of nanoseconds.
pub(crate) fn span_ns(ns: i64) -> String {
    span_ms(ns / NS_PER_MS)
}

/// How long something loud has lasted: whole seconds, so that it does not flicker.
pub(crate) fn seconds_ns(ns: i64) -> String {
    let s = ns / contract::time::NS_PER_S;
    if s < 60 {
        format!("{s} s")
    } else {
        span_ms(s.saturating_mul(1_000))
    }
}

/// The time of day of a stamp in milliseconds, UTC: `23:54:15`.
pub(crate) fn clock(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(
        |_| "--:--:--".to_owned(),
        |stamp| stamp.strftime("%H:%M:%S").to_string(),
    )
}

/// Date and time of day of a stamp in milliseconds, UTC: `2024-08-08 23:54:15`.
pub(crate) fn date_clock(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(
        |_| format!("{ms} ms"),
        |stamp| stamp.strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

/// The time of day, UTC, or month, day, hour and minute where that was not lately: `23:54:15`, `08-08 23:54`.
pub(crate) fn stamp(ms: i64, now_ms: i64) -> String {
    const LATELY_MS: i64 = 12 * 3_600_000;
    if now_ms.saturating_sub(ms).saturating_abs() < LATELY_MS {
        return clock(ms);
    }
    jiff::Timestamp::from_millisecond(ms).map_or_else(
        |_| "--".to_owned(),
        |stamp| stamp.strftime("%m-%d %H:%M").to_string(),
    )
}

/// Numbers of one column with their points below each other, without the zeros that some venues fill up with; `-` where
/// there is none.
pub(crate) fn aligned(numbers: &[Option<String>]) -> Vec<String> {
    let short: Vec<Option<&str>> = numbers
        .iter()
        .map(|number| number.as_deref().map(without_zeros))
        .collect();
    let behind = |text: &str| text.find('.').map_or(0, |at| text.len() - at);
    let most = short.iter().flatten().map(|text| behind(text)).max();
    let most = most.unwrap_or(0);
    let shown = short.into_iter().map(|number| match number {
        Some(text) => format!("{text}{}", " ".repeat(most - behind(text))),
        None => "-".to_owned(),
    });
    shown.collect()
}

/// The same number with at most two zeros at its end: a price of `61764.50` is read as one.
fn without_zeros(text: &str) -> &str {
    const CENTS: usize = 2;
    let Some(point) = text.find('.') else {
        return text;
    };
    let least = (point + 1 + CENTS).min(text.len());
    let end = text.trim_end_matches('0').len().max(least);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_at_a_glance() {
        for (ms, shown) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_300, "1.3 s"),
            (59_999, "59.9 s"),
            (125_000, "2 min 05 s"),
            (11_520_000, "3 h 12 min"),
            (439_200_000, "5 d 02 h"),
            (-1_300, "-1.3 s"),
        ] {
            assert_eq!(span_ms(ms), shown);
        }
        let _ = span_ms(i64::MIN);
        assert_eq!(clock(1_723_161_255_000), "23:54:15");
        assert_eq!(date_clock(1_723_161_255_000), "2024-08-08 23:54:15");
        assert_eq!(clock(i64::MAX), "--:--:--");
    }

    #[test]
    fn numbers_keep_their_signs_and_points_in_place() {
        assert_eq!(
            (bps(14.24), bps(-68.6), bps(-0.04)),
            ("+14.2".into(), "-68.6".into(), "+0.0".into())
        );
        assert_eq!(
            aligned(&[
                Some("61700.01".into()),
                Some("61702.4".into()),
                None,
                Some("7".into())
            ]),
            ["61700.01", "61702.4 ", "-", "7   "]
        );
        assert_eq!(
            aligned(&[
                Some("61764.50000000".into()),
                Some("0.12981988".into()),
                Some("100".into())
            ]),
            ["61764.50      ", "0.12981988", "100         "]
        );
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(
            (
                short_count(9_999),
                short_count(12_345),
                short_count(1_250_000)
            ),
            ("9999".into(), "12.3k".into(), "1.2M".into())
        );
    }

    #[test]
    fn long_and_wide_names_are_cut_by_columns() {
        assert_eq!(fit("BTC-USD", 7), "BTC-USD");
        assert_eq!(fit("BTC-USD", 5), "BTC-…");
        assert_eq!(fit("日本円-USD", 5), "日本…");
        assert_eq!(fit("anything", 0), "");
        assert_eq!(clean("a\u{1b}[31mb\n"), "a\u{fffd}[31mb\u{fffd}");
        assert_eq!(clean(&"x".repeat(500)).chars().count(), MAX_NAME + 1);
    }
}
