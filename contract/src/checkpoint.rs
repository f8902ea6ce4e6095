//! `checkpoints`: the state of an input partition with its position, in numbered parts; and the note beside a committed
//! position that says which checkpoint it goes with.
//!
//! In: a state's text, whatever it says. Out: parts that each fit a record, and the text again from all of them. A part holds
//! a stretch of the text, so no state is too large, whatever names came from outside. Absent: what a state is; that is the
//! stage's own.
//!
//! ```text
//! committed position of a partition --note--> offset of part 0 on `checkpoints` --> parts 0..n --> state, its position
//! ```

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::decimal::Text;
use crate::tag::{V1, kind};

kind!(CheckpointKind, "checkpoint");
kind!(PositionKind, "position");

/// Longest record of `checkpoints`, in bytes.
pub const MAX_BYTES: usize = 900_000;

/// What stands around a part's text, at most: names of 100 characters, five numbers, a digest.
const FRAME_BYTES: usize = 1_000;

/// One part of a checkpoint.
///
/// ```
/// # use contract::checkpoint::Part;
/// let line = r#"{"v":1,"kind":"checkpoint","job":"lockstep-window","partition":3,"position":104,"part":0,"parts":1,"sha256":"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","text":"{}"}"#;
/// let part: Part = serde_json::from_str(line).unwrap();
/// assert_eq!(serde_json::to_string(&part).unwrap(), line);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part<'a> {
    /// Version, always 1.
    pub v: V1,
    /// Always `checkpoint`.
    pub kind: CheckpointKind,
    /// Whose state it is.
    #[serde(borrow)]
    pub job: Text<'a>,
    /// Of which partition of the job's input.
    pub partition: i32,
    /// The state is that before the record of this offset.
    pub position: i64,
    /// Which part, from 0.
    pub part: u32,
    /// How many parts there are.
    pub parts: u32,
    /// SHA-256 of the whole text, hexadecimal.
    #[serde(borrow)]
    pub sha256: Text<'a>,
    /// This part's stretch of the state.
    #[serde(borrow)]
    pub text: Text<'a>,
}

/// What a job commits beside the position of an input partition, as the offset's metadata.
///
/// ```
/// # use contract::checkpoint::PositionNote;
/// let line = r#"{"v":1,"kind":"position","by":"lockstep-window-1-of-1","run":"5c0e","closed_ns":1723161255000000000,"from":104,"checkpoint":7}"#;
/// let note: PositionNote = serde_json::from_str(line).unwrap();
/// assert_eq!(serde_json::to_string(&note).unwrap(), line);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionNote<'a> {
    /// Version, always 1.
    pub v: V1,
    /// Always `position`.
    pub kind: PositionKind,
    /// The `transactional.id` it was committed under; whoever takes over from another one fences that first.
    #[serde(borrow)]
    pub by: Text<'a>,
    /// Which run of the job committed it.
    #[serde(borrow)]
    pub run: Text<'a>,
    /// Up to where windows were closed at this position, nanoseconds since 1970.
    pub closed_ns: Option<i64>,
    /// Where a successor begins to read: the position of the newest checkpoint, or where the job first began.
    pub from: i64,
    /// The offset on `checkpoints` of that checkpoint's first part; none where the job first began.
    pub checkpoint: Option<i64>,
}

/// Why a checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// A part is no record of the contract.
    #[error("a part of it does not match its documented shape")]
    Shape(#[source] serde_json::Error),
    /// A part was deleted.
    #[error("a part of it is deleted")]
    Deleted,
    /// Another part stands where one should.
    #[error(
        "part {found_part} of position {found} stands where part {part} of position {position} should"
    )]
    Order {
        /// The position asked for.
        position: i64,
        /// The part that should have come.
        part: u32,
        /// The position that came.
        found: i64,
        /// The part that came.
        found_part: u32,
    },
    /// The text is not what was written.
    #[error("its text has not the SHA-256 that it was written with")]
    Digest,
}

/// The key of a part: a later checkpoint of the same partition replaces it.
#[must_use]
pub fn key(job: &str, partition: i32, part: u32) -> String {
    format!("{job}/{partition}/{part}")
}

/// The records of a checkpoint, key and value, in the order in which they are written.
#[must_use]
pub fn cut(job: &str, partition: i32, position: i64, text: &str) -> Vec<(String, Vec<u8>)> {
    let stretches = stretches(text, MAX_BYTES - FRAME_BYTES);
    let count = |n: usize| u32::try_from(n).expect("a state of 2^32 parts does not fit any memory");
    let parts = count(stretches.len());
    let sha256 = hex_sha256(text);
    let part = |(number, stretch): (usize, &str)| {
        let part = Part {
            v: V1,
            kind: CheckpointKind,
            job: job.into(),
            partition,
            position,
            part: count(number),
            parts,
            sha256: sha256.as_str().into(),
            text: stretch.into(),
        };
        let value = serde_json::to_vec(&part).expect("texts and integers are always JSON");
        (key(job, partition, part.part), value)
    };
    stretches.into_iter().enumerate().map(part).collect()
}

/// The text in stretches that take at most `room` bytes each as JSON; one, if it is empty.
fn stretches(text: &str, room: usize) -> Vec<&str> {
    let mut stretches = Vec::new();
    let (mut start, mut used) = (0, 0);
    for (at, c) in text.char_indices() {
        let bytes = match c {
            '"' | '\\' => 2,
            '\0'..'\x20' => 6,
            c => c.len_utf8(),
        };
        if used + bytes > room {
            stretches.push(&text[start..at]);
            (start, used) = (at, 0);
        }
        used += bytes;
    }
    stretches.push(&text[start..]);
    stretches
}

fn hex_sha256(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A checkpoint being read, from its first part on.
#[derive(Debug)]
pub struct Gathering {
    prefix: String,
    position: i64,
    next: u32,
    text: String,
}

impl Gathering {
    /// That of this position.
    #[must_use]
    pub fn new(job: &str, partition: i32, position: i64) -> Self {
        Self {
            prefix: format!("{job}/{partition}/"),
            position,
            next: 0,
            text: String::new(),
        }
    }

    /// Takes the next record of the topic, whosesoever it is. Gives the state's text with its last part.
    ///
    /// # Errors
    /// [`CheckpointError`] where a record of this job and partition is not the part that should come.
    pub fn take(
        &mut self,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
    ) -> Result<Option<String>, CheckpointError> {
        if !key.is_some_and(|key| key.starts_with(self.prefix.as_bytes())) {
            return Ok(None);
        }
        let value = value.ok_or(CheckpointError::Deleted)?;
        let part: Part<'_> = serde_json::from_slice(value).map_err(CheckpointError::Shape)?;
        if part.position != self.position || part.part != self.next {
            return Err(CheckpointError::Order {
                position: self.position,
                part: self.next,
                found: part.position,
                found_part: part.part,
            });
        }
        self.text.push_str(&part.text);
        self.next += 1;
        if self.next < part.parts {
            return Ok(None);
        }
        if hex_sha256(&self.text) != part.sha256 {
            return Err(CheckpointError::Digest);
        }
        Ok(Some(std::mem::take(&mut self.text)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Records = Vec<(String, Vec<u8>)>;

    fn gather(records: &Records, position: i64) -> Result<Option<String>, CheckpointError> {
        let mut gathering = Gathering::new("job", 3, position);
        for (key, value) in records {
            if let Some(text) = gathering.take(Some(key.as_bytes()), Some(value))? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    fn long() -> String {
        "state of \"many\" pairs \u{1} ä; ".repeat(100_000)
    }

    #[test]
    fn a_long_state_is_cut_and_put_together_among_the_records_of_others() {
        let text = long();
        let mut records = cut("job", 3, 17, &text);
        assert!(records.len() >= 3);
        assert!(records.iter().all(|(_, value)| value.len() <= MAX_BYTES));
        records.splice(1..1, cut("job", 30, 17, "of another partition"));
        records.splice(1..1, cut("job2", 3, 17, "of another job"));
        assert_eq!(gather(&records, 17).unwrap(), Some(text));
    }

    #[test]
    fn an_empty_state_is_one_part() {
        let records = cut("job", 3, 0, "");
        assert_eq!(records.len(), 1);
        assert_eq!(gather(&records, 0).unwrap().as_deref(), Some(""));
    }

    #[test]
    fn what_is_missing_changed_or_of_another_position_is_no_checkpoint() {
        let whole = cut("job", 3, 17, &long());
        let mut missing = whole.clone();
        missing.remove(1);
        assert!(matches!(
            gather(&missing, 17),
            Err(CheckpointError::Order { part: 1, .. })
        ));
        let cut_short = whole[..1].to_vec();
        assert!(matches!(gather(&cut_short, 17), Ok(None)));
        let mut overtaken = whole[..1].to_vec();
        overtaken.extend(cut("job", 3, 18, "{}"));
        assert!(matches!(
            gather(&overtaken, 17),
            Err(CheckpointError::Order { found: 18, .. })
        ));
        let mut changed = whole.clone();
        let text = String::from_utf8(changed[1].1.clone()).unwrap();
        changed[1].1 = text.replacen("many", "more", 1).into_bytes();
        assert!(matches!(gather(&changed, 17), Err(CheckpointError::Digest)));
        let mut broken = whole;
        broken[0].1.truncate(100);
        assert!(matches!(
            gather(&broken, 17),
            Err(CheckpointError::Shape(_))
        ));
        let mut gathering = Gathering::new("job", 3, 17);
        assert!(matches!(
            gathering.take(Some(b"job/3/0"), None),
            Err(CheckpointError::Deleted)
        ));
    }

    proptest! {
        #[test]
        fn stretches_fit_and_lose_nothing(text in ".{0,200}", room in 6_usize..40) {
            let stretches = stretches(&text, room);
            prop_assert_eq!(&stretches.concat(), &text);
            for stretch in stretches {
                prop_assert!(serde_json::to_string(stretch).unwrap().len() <= room + 2);
            }
        }
    }
}
