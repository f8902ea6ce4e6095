//! One line of a capture, written and read. Text in, text out.

use std::borrow::Cow;
use std::io::{self, Write};

use super::fault::{FaultReason, cut};

/// What a line holds: receipt in nanoseconds since 1970, venue, frame.
pub type Fields<'a> = (i64, &'a str, Cow<'a, str>);

/// Writes one line, its end included.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] where `venue` is empty or holds a tab or a line break; whatever `to` answers.
pub fn write(
    to: &mut (impl Write + ?Sized),
    received_ns: i64,
    venue: &str,
    frame: &str,
) -> io::Result<()> {
    if venue.is_empty() || venue.contains(is_separator) {
        let message = format!("`{}` cannot be a venue's name in a capture", cut(venue));
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    write!(to, "{received_ns}\t{venue}\t")?;
    if frame.starts_with('"') || frame.contains(is_separator) {
        serde_json::to_writer(&mut *to, frame)?;
    } else {
        to.write_all(frame.as_bytes())?;
    }
    to.write_all(b"\n")
}

/// Reads one line, given without its end.
///
/// # Errors
/// What is wrong with it.
pub fn read(line: &str) -> Result<Fields<'_>, FaultReason> {
    let mut fields = line.splitn(3, '\t');
    let (Some(stamp), Some(venue), Some(frame)) = (fields.next(), fields.next(), fields.next())
    else {
        return Err(FaultReason::Fields(cut(line)));
    };
    let received_ns = stamp.parse().map_err(|_| FaultReason::Stamp(cut(stamp)))?;
    if venue.is_empty() {
        return Err(FaultReason::Venue);
    }
    if frame.starts_with('"') {
        let frame: String = serde_json::from_str(frame).map_err(FaultReason::Quoted)?;
        return Ok((received_ns, venue, Cow::Owned(frame)));
    }
    if frame.contains('\t') {
        return Err(FaultReason::Tab);
    }
    Ok((received_ns, venue, Cow::Borrowed(frame)))
}

fn is_separator(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(received_ns: i64, venue: &str, frame: &str) -> String {
        let mut bytes = Vec::new();
        write(&mut bytes, received_ns, venue, frame).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn an_ordinary_frame_stands_byte_for_byte() {
        assert_eq!(
            written(1_723_161_254_937_000_000, "binance", r#"{"e": "trade"}"#),
            "1723161254937000000\tbinance\t{\"e\": \"trade\"}\n"
        );
    }

    #[test]
    fn tabs_line_breaks_and_a_leading_quotation_mark_make_a_json_string() {
        assert_eq!(written(1, "v", "a\tb"), "1\tv\t\"a\\tb\"\n");
        assert_eq!(written(1, "v", "a\nb\r"), "1\tv\t\"a\\nb\\r\"\n");
        assert_eq!(written(1, "v", r#""a""#), "1\tv\t\"\\\"a\\\"\"\n");
        assert_eq!(
            written(1, "v", r#"a"b"#),
            "1\tv\ta\"b\n",
            "not at the beginning"
        );
    }

    #[test]
    fn broken_lines_say_what_is_wrong_with_them() {
        let fault = |line: &str| read(line).unwrap_err().to_string();
        assert_eq!(
            fault(""),
            "not `received_ns <TAB> venue <TAB> frame`, but ``"
        );
        assert_eq!(
            fault("1\tbinance"),
            "not `received_ns <TAB> venue <TAB> frame`, but `1\tbinance`"
        );
        assert_eq!(
            fault("1.5\tv\t{}"),
            "`1.5` is not a time in nanoseconds since 1970"
        );
        assert_eq!(
            fault("9223372036854775808\tv\t{}"),
            "`9223372036854775808` is not a time in nanoseconds since 1970"
        );
        assert_eq!(fault("1\t\t{}"), "the venue is empty");
        assert!(fault("1\tv\t\"abc").starts_with("the frame begins with a quotation mark"));
        assert!(fault("1\tv\t\"a\"b").starts_with("the frame begins with a quotation mark"));
        assert_eq!(
            fault("1\tv\t{\t}"),
            "a tab in the frame; such a frame has to be written as a JSON string"
        );
        assert!(fault(&"ü".repeat(1_000)).len() < 200);
    }

    #[test]
    fn a_venue_s_name_that_would_break_the_line_is_refused() {
        for venue in ["", "a\tb", "a\nb", "a\r"] {
            let fault = write(&mut Vec::new(), 1, venue, "{}").unwrap_err();
            assert_eq!(fault.kind(), io::ErrorKind::InvalidInput);
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back_as_it_was(
            received_ns in any::<i64>(),
            venue in "[^\t\r\n]{1,20}",
            frame in prop_oneof![
                any::<String>(),
                "[\"\\\\\t\r\n a{}\u{2028}\u{0}]{0,12}",
            ],
        ) {
            let line = written(received_ns, &venue, &frame);
            let bare = line.strip_suffix('\n').unwrap();
            prop_assert!(!bare.contains(['\n', '\r']));
            let (stamp, name, text) = read(bare).unwrap();
            prop_assert_eq!((stamp, name, &*text), (received_ns, &*venue, &*frame));
        }

        #[test]
        fn no_line_makes_the_reader_panic(line in any::<String>()) {
            let _ = read(&line);
        }
    }
}
