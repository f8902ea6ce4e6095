//! The one way from the connections to the consumer: bounded in frames and in bytes.

use std::sync::Arc;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
use tokio_tungstenite::tungstenite::{Bytes, Utf8Bytes};

use crate::core::Connection;

/// Room is counted in pieces of so many bytes.
const PIECE_BYTES: usize = 1 << 10;

/// What connections and the clock tell. A message holds its room until it was taken.
#[derive(Debug)]
pub(super) enum Event {
    /// A connection was made.
    Connected {
        connection: Connection,
        at_ns: i64,
        url: String,
    },
    /// A text frame.
    Frame {
        connection: Connection,
        received_ns: i64,
        text: Utf8Bytes,
        _room: OwnedSemaphorePermit,
    },
    /// A message that is not text.
    NotText {
        connection: Connection,
        received_ns: i64,
        bytes: Bytes,
        _room: OwnedSemaphorePermit,
    },
    /// A connection ended, or could not be made.
    Ended {
        connection: Connection,
        at_ns: i64,
        reason: String,
    },
    /// Our clock reached this.
    Tick { at_ns: i64 },
}

/// The consumer has ended.
#[derive(Debug)]
pub(super) struct Gone;

/// The end where events go in.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    events: Sender<Event>,
    room: Arc<Semaphore>,
    pieces: u32,
}

/// A queue for so many frames, and so many bytes.
pub(super) fn queue(frames: usize, bytes: usize) -> (Queue, Receiver<Event>) {
    let (events, receiver) = mpsc::channel(frames.max(1));
    let pieces = u32::try_from(bytes / PIECE_BYTES).unwrap_or(u32::MAX);
    let most = u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX);
    let pieces = pieces.clamp(1, most);
    let room = Semaphore::new(usize::try_from(pieces).unwrap_or(1));
    let queue = Queue {
        events,
        room: Arc::new(room),
        pieces,
    };
    (queue, receiver)
}

impl Queue {
    /// Puts in a message of so many bytes. Waits while there is no room; says whether it had to.
    pub(super) async fn message(
        &self,
        bytes: usize,
        event: impl FnOnce(OwnedSemaphorePermit) -> Event,
    ) -> Result<bool, Gone> {
        // A message beyond all room gets all of it.
        let pieces = u32::try_from(bytes.div_ceil(PIECE_BYTES))
            .unwrap_or(u32::MAX)
            .clamp(1, self.pieces);
        let mut waited = false;
        let room = match Arc::clone(&self.room).try_acquire_many_owned(pieces) {
            Ok(room) => room,
            Err(TryAcquireError::Closed) => return Err(Gone),
            Err(TryAcquireError::NoPermits) => {
                waited = true;
                let room = Arc::clone(&self.room).acquire_many_owned(pieces);
                room.await.map_err(|_| Gone)?
            }
        };
        match self.events.try_send(event(room)) {
            Ok(()) => {}
            Err(TrySendError::Closed(_)) => return Err(Gone),
            Err(TrySendError::Full(event)) => {
                waited = true;
                self.events.send(event).await.map_err(|_| Gone)?;
            }
        }
        Ok(waited)
    }

    /// Puts in what takes no room.
    pub(super) async fn tell(&self, event: Event) -> Result<(), Gone> {
        self.events.send(event).await.map_err(|_| Gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::venue::Dialect;

    fn frame(queue: &Queue, bytes: usize) -> impl Future<Output = Result<bool, Gone>> {
        queue.message(bytes, |room| Event::Frame {
            connection: Dialect::Binance.into(),
            received_ns: 0,
            text: Utf8Bytes::from_static(""),
            _room: room,
        })
    }

    #[tokio::test]
    async fn a_full_queue_makes_the_sender_wait_and_says_so() {
        for (frames, bytes, message) in [
            (1, 1 << 20, 10),
            (100, 4 << 10, 3 << 10),
            (100, 4 << 10, 9 << 20),
        ] {
            let (queue, mut events) = queue(frames, bytes);
            assert!(!frame(&queue, message).await.unwrap(), "the first has room");
            let second = frame(&queue, message);
            tokio::pin!(second);
            let early = tokio::time::timeout(std::time::Duration::from_millis(20), &mut second);
            assert!(early.await.is_err(), "the second waits");
            drop(events.recv().await);
            assert!(
                second.await.unwrap(),
                "and goes in when there is room again"
            );
        }
    }

    #[tokio::test]
    async fn a_sender_learns_that_the_consumer_is_gone() {
        let (queue, events) = queue(10, 1 << 20);
        drop(events);
        assert!(frame(&queue, 1).await.is_err());
        assert!(queue.tell(Event::Tick { at_ns: 0 }).await.is_err());
    }
}
