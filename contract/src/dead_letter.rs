//! `dead-letters`: the untouched bytes of what could not be read, with where they stood and why in the headers.
//!
//! Bytes over [`MAX_BYTES`] are cut; their full length and SHA-256 then stand in two further headers. A letter that was sent
//! again keeps standing; a record without bytes and with the one header `resent`, its offset, says so.

use sha2::{Digest, Sha256};

/// Longest value kept whole, in bytes.
pub const MAX_BYTES: usize = 900_000;

/// Longest reason, in bytes: it may repeat what it is about, and value and headers together must be a record.
pub const MAX_ERROR: usize = 2_000;

/// Where an unreadable record stood and why it was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Source topic (or, for frames, `frames/<venue>`): also the record's key.
    pub topic: String,
    /// Source partition.
    pub partition: i32,
    /// Source offset (for files, the line counted from 0).
    pub offset: i64,
    /// Stage that refused it.
    pub stage: &'static str,
    /// Why.
    pub error: String,
    /// The bytes as they came.
    pub bytes: Vec<u8>,
}

impl DeadLetter {
    /// What goes on the topic: the bytes, cut if need be, and the headers.
    #[must_use]
    pub fn into_record(mut self) -> (Vec<u8>, Vec<(&'static str, String)>) {
        let mut headers = vec![
            ("topic", self.topic),
            ("partition", self.partition.to_string()),
            ("offset", self.offset.to_string()),
            ("stage", self.stage.to_owned()),
            ("error", shortened(self.error)),
        ];
        if self.bytes.len() > MAX_BYTES {
            headers.push(("full_length", self.bytes.len().to_string()));
            let digest = Sha256::digest(&self.bytes);
            headers.push((
                "full_sha256",
                digest.iter().map(|byte| format!("{byte:02x}")).collect(),
            ));
            self.bytes.truncate(MAX_BYTES);
        }
        (self.bytes, headers)
    }
}

/// A reason that is not too long, cut where a character ends.
fn shortened(error: String) -> String {
    if error.len() <= MAX_ERROR {
        return error;
    }
    let end = error.floor_char_boundary(MAX_ERROR);
    format!("{}\u{2026} ({} bytes in all)", &error[..end], error.len())
}

/// What a record of the topic is, by its headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry<'a> {
    /// What could not be read.
    Letter(Headers<'a>),
    /// The letter at this offset was sent again to where it came from.
    Resent(i64),
}

/// The headers of a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers<'a> {
    /// Source topic, or `frames/<venue>`.
    pub topic: &'a str,
    /// Source partition.
    pub partition: i32,
    /// Source offset.
    pub offset: i64,
    /// Stage that refused it.
    pub stage: &'a str,
    /// Why.
    pub error: &'a str,
    /// How long it was, where it was cut.
    pub full_length: Option<u64>,
    /// SHA-256 of all of it, where it was cut.
    pub full_sha256: Option<&'a str>,
}

impl<'a> Entry<'a> {
    /// Reads headers; none where these are no headers of ours. Further ones are ignored.
    #[must_use]
    pub fn of(headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> Option<Self> {
        let headers: Vec<(&str, &str)> = headers
            .filter_map(|(name, value)| Some((name, std::str::from_utf8(value).ok()?)))
            .collect();
        let text = |wanted: &str| {
            let found = headers.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| *value)
        };
        if let Some(offset) = text(RESENT) {
            return offset.parse().ok().map(Self::Resent);
        }
        Some(Self::Letter(Headers {
            topic: text("topic")?,
            partition: text("partition")?.parse().ok()?,
            offset: text("offset")?.parse().ok()?,
            stage: text("stage")?,
            error: text("error")?,
            full_length: text("full_length").and_then(|length| length.parse().ok()),
            full_sha256: text("full_sha256"),
        }))
    }
}

/// The header of a record that says which letter was sent again.
const RESENT: &str = "resent";

/// The header of the record that says that the letter at `offset` was sent again; it has no bytes.
#[must_use]
pub fn resent(offset: i64) -> (&'static str, String) {
    (RESENT, offset.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(bytes: Vec<u8>) -> DeadLetter {
        DeadLetter {
            topic: "ticks".into(),
            partition: 3,
            offset: 17,
            stage: "windowing",
            error: "record is not UTF-8".into(),
            bytes,
        }
    }

    #[test]
    fn short_bytes_stay_untouched() {
        let (bytes, headers) = letter(vec![0xff, 0, b'\n']).into_record();
        assert_eq!(bytes, [0xff, 0, b'\n']);
        assert_eq!(headers.len(), 5);
        assert_eq!(headers[2], ("offset", "17".to_owned()));
    }

    fn entry<'a>(headers: &'a [(&'static str, String)]) -> Option<Entry<'a>> {
        Entry::of(
            headers
                .iter()
                .map(|(name, value)| (*name, value.as_bytes())),
        )
    }

    #[test]
    fn headers_are_read_as_they_were_written() {
        for bytes in [vec![0xff], vec![b'a'; MAX_BYTES + 1]] {
            let length = u64::try_from(bytes.len()).unwrap();
            let (_, mut headers) = letter(bytes).into_record();
            headers.push(("of_a_later_version", "x".to_owned()));
            let Some(Entry::Letter(read)) = entry(&headers) else {
                panic!("no letter: {headers:?}");
            };
            assert_eq!((read.topic, read.partition, read.offset), ("ticks", 3, 17));
            assert_eq!(
                (read.stage, read.error),
                ("windowing", "record is not UTF-8")
            );
            assert_eq!(read.full_length, (length > 1).then_some(length));
            assert_eq!(read.full_sha256.map(str::len), (length > 1).then_some(64));
        }
        assert_eq!(entry(&[resent(41)]), Some(Entry::Resent(41)));
        for foreign in [
            vec![],
            vec![("topic", "ticks".to_owned())],
            vec![("resent", "x".to_owned())],
        ] {
            assert_eq!(entry(&foreign), None, "{foreign:?}");
        }
    }

    #[test]
    fn a_reason_that_repeats_its_record_is_cut_between_characters() {
        let error = format!("unknown kind `{}`", "\u{e9}".repeat(300_000));
        let length = error.len();
        let (_, headers) = DeadLetter {
            error,
            ..letter(Vec::new())
        }
        .into_record();
        let told = &headers[4].1;
        assert!(told.len() < MAX_ERROR + 40, "{}", told.len());
        assert!(told.starts_with("unknown kind `\u{e9}"));
        assert!(told.ends_with(&format!("\u{2026} ({length} bytes in all)")));
        let short = "record is not UTF-8".to_owned();
        assert_eq!(shortened(short.clone()), short);
    }

    #[test]
    fn long_bytes_are_cut_and_say_what_they_were() {
        let (bytes, headers) = letter(vec![b'a'; MAX_BYTES + 1]).into_record();
        assert_eq!(bytes.len(), MAX_BYTES);
        assert_eq!(headers[5], ("full_length", "900001".to_owned()));
        assert_eq!(headers[6].0, "full_sha256");
        assert_eq!(headers[6].1.len(), 64);
        assert_eq!(letter(vec![b'a'; MAX_BYTES]).into_record().1.len(), 5);
    }
}
