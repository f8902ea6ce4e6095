//! Records of `venues`: connection state and health figures of one venue, once a second.

use serde::{Deserialize, Serialize};

use crate::decimal::Text;
use crate::tag::V1;
use crate::tick::VenueStatus;

/// Connection state and health figures of one venue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VenueHealth<'a> {
    /// Version, always 1.
    pub v: V1,
    /// Venue.
    #[serde(borrow)]
    pub venue: Text<'a>,
    /// Whether it delivers.
    pub status: VenueStatus,
    /// Event time of this record on the venue's clock, nanoseconds since 1970.
    pub at_ns: i64,
    /// Frames received per second since the previous record.
    pub frames_per_s: f64,
    /// Time since the last frame that carried data, milliseconds; heartbeats do not count.
    pub data_age_ms: i64,
    /// The venue's clock less ours, milliseconds.
    pub skew_ms: f64,
    /// Gaps found in numbered feeds since the start.
    pub gaps: u64,
    /// Connections made after the first.
    pub reconnects: u64,
    /// Frames that were not what the venue documents, since the start.
    pub parse_errors: u64,
    /// Records waiting to be published.
    pub queue: u64,
}

impl VenueHealth<'_> {
    /// The same with a name of its own, to be kept.
    #[must_use]
    pub fn into_owned(self) -> VenueHealth<'static> {
        VenueHealth {
            v: self.v,
            venue: self.venue.into_owned().into(),
            status: self.status,
            at_ns: self.at_ns,
            frames_per_s: self.frames_per_s,
            data_age_ms: self.data_age_ms,
            skew_ms: self.skew_ms,
            gaps: self.gaps,
            reconnects: self.reconnects,
            parse_errors: self.parse_errors,
            queue: self.queue,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_reads_and_writes_back_to_the_same_bytes() {
        let example = r#"{"v":1,"venue":"binance","status":"up","at_ns":1723161255000000000,"frames_per_s":153.0,"data_age_ms":12,"skew_ms":1270.0,"gaps":0,"reconnects":1,"parse_errors":0,"queue":0}"#;
        let health: VenueHealth<'_> = serde_json::from_str(example).unwrap();
        assert_eq!(serde_json::to_string(&health).unwrap(), example);
    }
}
