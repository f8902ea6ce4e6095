//! What a feed has done so far, for whoever looks while it runs.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// Counters that a source and its publisher share with whoever shows them.
        #[derive(Debug, Default)]
        pub struct FeedCounts {
            $($(#[$doc])* pub $name: AtomicU64,)+
        }

        /// The counters at one moment.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Tally {
            $($(#[$doc])* pub $name: u64,)+
        }

        impl FeedCounts {
            /// The counters now.
            #[must_use]
            pub fn tally(&self) -> Tally {
                Tally { $($name: self.$name.load(Ordering::Relaxed),)+ }
            }
        }
    };
}

counts! {
    /// Blocks made.
    blocks,
    /// Samples in them.
    samples,
    /// Times that samples were missing.
    gaps,
    /// Samples missing, as far as ids and clock tell.
    missing,
    /// Times that the numbering began anew: a board reset, a restart within a recording.
    restarts,
    /// Times that a port was opened again or a board reset because nothing came.
    reconnects,
    /// Bytes that belong to no packet.
    passed_bytes,
    /// Packets of a Daisy's pair whose other half was lost.
    unpaired,
    /// Datagrams that could not be used.
    refused,
    /// Blocks handed to the broker's client.
    published,
}

/// Adds to a counter.
pub(crate) fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}
