//! One letter in full: its headers, and its bytes as text or, where they are none, in hexadecimal.

use std::fmt::Write as _;
use std::io::Write;

use contract::dead_letter::Headers;
use serde_json::json;

use super::letter::{self, Row};
use super::{ShowArgs, absent, read};
use crate::failure::Outcome;

/// Prints it.
pub(super) fn run(args: &ShowArgs, topic: &read::Topic<'_>) -> Outcome {
    let shown = topic.one(args.offset, |row, bytes, headers| {
        let mut stdout = std::io::stdout().lock();
        if args.raw {
            stdout.write_all(bytes)?;
        } else if args.json {
            writeln!(stdout, "{}", in_json(row, bytes, headers))?;
        } else {
            stdout.write_all(in_words(row, bytes, headers).as_bytes())?;
        }
        Ok(stdout.flush()?)
    })?;
    if shown {
        Ok(())
    } else {
        Err(absent(args.offset))
    }
}

fn in_json(row: &Row, bytes: &[u8], headers: &Headers<'_>) -> serde_json::Value {
    let mut told = super::json(row, None);
    if let Some(told) = told.as_object_mut() {
        // Whether it was sent again stands behind it on the topic; that is the list's to say.
        told.remove("resent");
        told.remove("resent_ms");
        told.insert("full_sha256".to_owned(), json!(headers.full_sha256));
        match std::str::from_utf8(bytes) {
            Ok(text) => told.insert("text".to_owned(), text.into()),
            Err(_) => told.insert("hex".to_owned(), hex(bytes).into()),
        };
    }
    told
}

fn in_words(row: &Row, bytes: &[u8], headers: &Headers<'_>) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(out, "{name:<10} {}", letter::printable(value));
    };
    line("offset", &row.at.to_string());
    line("refused", &letter::when(row.refused_ms));
    line("from", &row.source());
    line("stage", &row.stage);
    line("venue", row.venue.as_deref().unwrap_or("-"));
    line("reason", &row.error);
    line("bytes", &row.full_length.to_string());
    if let Some(digest) = headers.full_sha256 {
        line("cut to", &bytes.len().to_string());
        line("sha256", digest);
    }
    out.push('\n');
    match std::str::from_utf8(bytes) {
        Ok(text)
            if !text
                .chars()
                .any(|c| c.is_control() && !matches!(c, '\n' | '\t')) =>
        {
            out.push_str(text);
            out.push('\n');
        }
        _ => dump(bytes, &mut out),
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sixteen bytes a line, with what of them is readable.
fn dump(bytes: &[u8], out: &mut String) {
    for (number, chunk) in bytes.chunks(16).enumerate() {
        let readable = chunk.iter().map(|&byte| match byte {
            0x20..=0x7e => char::from(byte),
            _ => '.',
        });
        let readable: String = readable.collect();
        let pairs: Vec<String> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
        let _ = writeln!(
            out,
            "{:08x}  {:<47}  {readable}",
            number * 16,
            pairs.join(" ")
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADERS: Headers<'static> = Headers {
        topic: "ticks",
        partition: 1,
        offset: 2,
        stage: "window",
        error: "not\u{7} JSON",
        full_length: None,
        full_sha256: None,
    };

    #[test]
    fn text_is_shown_as_it_is_and_anything_else_in_hexadecimal() {
        let row = |bytes: &[u8]| Row::of(3, Some(0), &HEADERS, bytes);
        let text = in_words(&row(b"{\"v\":9}"), b"{\"v\":9}", &HEADERS);
        assert!(text.ends_with("\n\n{\"v\":9}\n"), "{text}");
        assert!(text.contains("reason     not\u{fffd} JSON\n"), "{text}");
        let bytes = b"\xff\x1b[2Jabcdefghijklm";
        let text = in_words(&row(bytes), bytes, &HEADERS);
        assert!(
            text.ends_with(
                "00000000  ff 1b 5b 32 4a 61 62 63 64 65 66 67 68 69 6a 6b  ..[2Jabcdefghijk\n\
                 00000010  6c 6d                                            lm\n"
            ),
            "{text}"
        );
        assert!(!text.contains('\u{1b}'));
        assert_eq!(in_json(&row(b"\xff"), b"\xff", &HEADERS)["hex"], "ff");
        assert_eq!(in_json(&row(b"a"), b"a", &HEADERS)["text"], "a");
    }
}
