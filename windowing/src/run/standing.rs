//! How far a partition of the input is, as it is committed beside its results.

use contract::checkpoint::{PositionKind, PositionNote};
use contract::tick::tags::V1;
use kafka_io::Position;

use crate::error::WindowingError;

/// Who commits: the same for all that one attempt commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    /// The job's name: that of its group, and of its checkpoints.
    pub(super) job: String,
    /// The `transactional.id`.
    pub(super) id: String,
    /// Which run of the job.
    pub(super) run: String,
}

/// How far a partition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// The offset to be read next: all that the records before it gave is committed.
    pub(super) next: i64,
    /// Up to where windows are closed there.
    pub(super) closed_ns: Option<i64>,
    /// Where a successor begins to read.
    pub(super) from: i64,
    /// Where on `checkpoints` the state at `from` stands; none if nothing was known there.
    pub(super) checkpoint: Option<i64>,
}

impl Standing {
    /// Of a partition that nobody has worked on.
    pub(super) fn at(next: i64) -> Self {
        Self {
            next,
            closed_ns: None,
            from: next,
            checkpoint: None,
        }
    }

    /// As it is committed.
    pub(super) fn position(&self, topic: &str, partition: i32, identity: &Identity) -> Position {
        let note = PositionNote {
            v: V1,
            kind: PositionKind,
            by: identity.id.as_str().into(),
            run: identity.run.as_str().into(),
            closed_ns: self.closed_ns,
            from: self.from,
            checkpoint: self.checkpoint,
        };
        Position {
            topic: topic.to_owned(),
            partition,
            next: self.next,
            note: serde_json::to_string(&note).expect("texts and integers are always JSON"),
        }
    }

    /// As it was committed, and its note.
    pub(super) fn read(position: &Position) -> Result<(Self, PositionNote<'_>), WindowingError> {
        let note = serde_json::from_str(&position.note);
        let note: PositionNote<'_> = note.map_err(|reason| WindowingError::Note {
            partition: position.partition,
            reason,
        })?;
        let standing = Self {
            next: position.next,
            closed_ns: note.closed_ns,
            from: note.from,
            checkpoint: note.checkpoint,
        };
        Ok((standing, note))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_is_read_as_it_was_committed() {
        let identity = Identity {
            job: "x-window".to_owned(),
            id: "x-window-1-of-2".to_owned(),
            run: "5c0e".to_owned(),
        };
        for standing in [
            Standing::at(7),
            Standing {
                next: 90,
                closed_ns: Some(-1),
                from: 30,
                checkpoint: Some(5),
            },
        ] {
            let position = standing.position("ticks", 3, &identity);
            let (read, note) = Standing::read(&position).unwrap();
            assert_eq!(read, standing);
            assert_eq!((&*note.by, &*note.run), ("x-window-1-of-2", "5c0e"));
        }
        let mut foreign = Standing::at(7).position("ticks", 3, &identity);
        foreign.note = String::new();
        let refused = Standing::read(&foreign).unwrap_err();
        assert!(matches!(refused, WindowingError::Note { partition: 3, .. }));
        assert!(refused.to_string().contains("--from-start"), "{refused}");
    }
}
