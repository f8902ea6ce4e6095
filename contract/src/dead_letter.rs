//! `dead-letters`: the untouched bytes of what could not be read, with where they stood and why in the headers.
//!
//! Bytes over [`MAX_BYTES`] are cut; their full length and SHA-256 then stand in two further headers.

use sha2::{Digest, Sha256};

/// Longest value kept whole, in bytes.
pub const MAX_BYTES: usize = 900_000;

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
            ("error", self.error),
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
