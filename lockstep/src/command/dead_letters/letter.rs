//! One letter as it is listed, which letters are meant, and where one would be sent again. Pure.

use std::str::FromStr;
use std::time::Duration;

use contract::dead_letter::Headers;
use contract::time::{NS_PER_MS, parse_rfc3339, show_ns};
use contract::topic::{self, Topic};
use serde_json::Value;

/// A letter without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// Its offset on `dead-letters`.
    pub(super) at: i64,
    /// When it was refused, milliseconds since 1970.
    pub(super) refused_ms: Option<i64>,
    pub(super) topic: String,
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) stage: String,
    pub(super) error: String,
    pub(super) venue: Option<String>,
    /// Bytes, those cut off included.
    pub(super) full_length: u64,
    pub(super) is_cut: bool,
}

impl Row {
    pub(super) fn of(
        at: i64,
        refused_ms: Option<i64>,
        headers: &Headers<'_>,
        bytes: &[u8],
    ) -> Self {
        let frames = headers.topic.strip_prefix("frames/").map(str::to_owned);
        Self {
            at,
            refused_ms,
            topic: headers.topic.to_owned(),
            partition: headers.partition,
            offset: headers.offset,
            stage: headers.stage.to_owned(),
            error: headers.error.to_owned(),
            venue: frames.or_else(|| text_of(bytes, "venue")),
            full_length: headers
                .full_length
                .unwrap_or_else(|| u64::try_from(bytes.len()).unwrap_or(u64::MAX)),
            is_cut: headers.full_length.is_some(),
        }
    }

    /// Where it stood.
    pub(super) fn source(&self) -> String {
        format!("{}/{}/{}", self.topic, self.partition, self.offset)
    }
}

/// A text of a record, or of the tick inside of a late one.
fn text_of(bytes: &[u8], name: &str) -> Option<String> {
    let record: Value = serde_json::from_slice(bytes).ok()?;
    let text = record.get(name).or_else(|| record.get("tick")?.get(name));
    text?.as_str().map(str::to_owned)
}

/// Which letters are meant; what is none says nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    pub(super) topic: Option<String>,
    pub(super) stage: Option<String>,
    /// In lower case.
    pub(super) reason: Option<String>,
    pub(super) venue: Option<String>,
    pub(super) since_ms: Option<i64>,
    /// The first moment too late.
    pub(super) until_ms: Option<i64>,
}

impl Filter {
    pub(super) fn lets_through(&self, row: &Row) -> bool {
        let is = |wanted: &Option<String>, text: &str| wanted.as_ref().is_none_or(|it| it == text);
        let time_fits = match row.refused_ms {
            Some(ms) => {
                self.since_ms.is_none_or(|since| ms >= since)
                    && self.until_ms.is_none_or(|until| ms < until)
            }
            None => self.since_ms.is_none() && self.until_ms.is_none(),
        };
        let venue_fits = self.venue.is_none() || self.venue == row.venue;
        let reason_fits = self
            .reason
            .as_ref()
            .is_none_or(|reason| row.error.to_lowercase().contains(reason));
        is(&self.topic, &row.topic)
            && is(&self.stage, &row.stage)
            && venue_fits
            && reason_fits
            && time_fits
    }
}

/// Where a letter is sent again: the topic, its partition, and the key, told from the bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Destination {
    pub(super) topic: Topic,
    pub(super) partition: i32,
    pub(super) key: Vec<u8>,
}

/// Where it would go, or why it cannot.
pub(super) fn destination(row: &Row, bytes: &[u8]) -> Result<Destination, String> {
    if row.is_cut {
        return Err("its bytes were cut".to_owned());
    }
    if row.topic.starts_with("frames/") {
        return Err(
            "a frame stands on no topic; `show --raw` gives it, and `lockstep replay` plays captures"
                .to_owned(),
        );
    }
    let known = topic::ALL
        .into_iter()
        .find(|topic| topic.name == row.topic && topic.name != topic::DEAD_LETTERS.name);
    let Some(topic) = known else {
        return Err("its source is no topic of ours".to_owned());
    };
    if !(0..topic.partitions).contains(&row.partition) {
        return Err(format!("`{}` has no such partition", topic.name));
    }
    let fields: &[&str] = match topic.name {
        name if name == topic::ALERTS.name => &["episode"],
        name if name == topic::CHECKPOINTS.name => &[],
        // What concerns every pair is keyed by its venue.
        _ => &["pair", "session", "venue"],
    };
    let key = fields.iter().find_map(|name| text_of(bytes, name));
    match key {
        Some(key) => Ok(Destination {
            topic,
            partition: row.partition,
            key: key.into_bytes(),
        }),
        None if topic.kept == topic::Retention::Compacted => Err(format!(
            "`{}` keeps one record a key, and its bytes tell none",
            topic.name
        )),
        // The partition says where it belongs; the key is only for people there.
        None => Ok(Destination {
            topic,
            partition: row.partition,
            key: Vec::new(),
        }),
    }
}

/// A moment as somebody types it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// Nanoseconds since 1970.
    At(i64),
    /// So long before now.
    Ago(Duration),
}

impl Moment {
    pub(super) fn ms(self, now_ns: i64) -> i64 {
        let ns = match self {
            Self::At(ns) => ns,
            Self::Ago(ago) => {
                now_ns.saturating_sub(i64::try_from(ago.as_nanos()).unwrap_or(i64::MAX))
            }
        };
        ns.div_euclid(NS_PER_MS)
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(ago) = crate::cli::duration(text) {
            return Ok(Self::Ago(ago));
        }
        let at = parse_rfc3339(text).map(Self::At);
        at.map_err(|_| {
            "expected a time such as `2026-11-21T17:00:00Z`, or one ago such as `2h`".to_owned()
        })
    }
}

/// A time as people read it.
pub(super) fn when(ms: Option<i64>) -> String {
    ms.map_or_else(
        || "-".to_owned(),
        |ms| show_ns(ms.saturating_mul(NS_PER_MS)),
    )
}

/// Text from outside, without what would move a terminal's cursor.
pub(super) fn printable(text: &str) -> String {
    let shown = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: &[u8] = br#"{"v":2,"kind":"quote","venue":"binance","pair":"BTC-USD"}"#;

    fn row(topic: &str, bytes: &[u8]) -> Row {
        let headers = Headers {
            topic,
            partition: 5,
            offset: 70,
            stage: "window",
            error: "unknown Version 2",
            full_length: None,
            full_sha256: None,
        };
        Row::of(9, Some(1_000), &headers, bytes)
    }

    #[test]
    fn every_part_of_a_filter_must_fit() {
        let row = row("ticks", TICK);
        let text = |text: &str| Some(text.to_owned());
        let fits = |change: &dyn Fn(&mut Filter)| {
            let mut filter = Filter::default();
            change(&mut filter);
            filter.lets_through(&row)
        };
        assert!(fits(&|_| {}));
        assert!(fits(&|filter| filter.topic = text("ticks")));
        assert!(!fits(&|filter| filter.topic = text("spreads")));
        assert!(!fits(&|filter| filter.stage = text("alert")));
        assert!(fits(&|filter| filter.reason = text("unknown version")));
        assert!(!fits(&|filter| filter.reason = text("utf-8")));
        assert!(fits(&|filter| filter.venue = text("binance")));
        assert!(!fits(&|filter| filter.venue = text("coinbase")));
        assert!(fits(
            &|filter| (filter.since_ms, filter.until_ms) = (Some(1_000), Some(1_001))
        ));
        assert!(!fits(&|filter| filter.since_ms = Some(1_001)));
        assert!(!fits(&|filter| filter.until_ms = Some(1_000)));
    }

    #[test]
    fn a_letter_goes_back_to_its_partition_under_its_key() {
        let there = destination(&row("ticks", TICK), TICK).unwrap();
        assert_eq!((there.topic.name, there.partition), ("ticks", 5));
        assert_eq!(there.key, b"BTC-USD");
        let mark = br#"{"v":1,"kind":"mark","venue":"coinbase"}"#;
        assert_eq!(
            destination(&row("ticks", mark), mark).unwrap().key,
            b"coinbase"
        );
        let broken = b"\xff{";
        assert_eq!(
            destination(&row("spreads", broken), broken).unwrap().key,
            b""
        );
    }

    #[test]
    fn what_cannot_go_back_says_why() {
        let why = |topic: &str, bytes: &[u8]| destination(&row(topic, bytes), bytes).unwrap_err();
        assert!(why("frames/binance", TICK).contains("show --raw"));
        assert!(why("dead-letters", TICK).contains("no topic of ours"));
        assert!(why("elsewhere", TICK).contains("no topic of ours"));
        assert!(why("alerts", TICK).contains("no such partition"));
        let mut one = row("venues", b"{}");
        one.partition = 0;
        assert!(destination(&one, b"{}").unwrap_err().contains("tell none"));
        let mut cut = row("ticks", TICK);
        cut.is_cut = true;
        assert!(destination(&cut, TICK).unwrap_err().contains("cut"));
    }

    #[test]
    fn a_venue_is_told_by_the_source_or_the_bytes() {
        assert_eq!(
            row("frames/coinbase", b"x").venue.as_deref(),
            Some("coinbase")
        );
        let late = br#"{"kind":"late","tick":{"venue":"binance"}}"#;
        assert_eq!(row("ticks-late", late).venue.as_deref(), Some("binance"));
        assert_eq!(row("ticks", b"\xff").venue, None);
    }

    #[test]
    fn moments_are_times_or_so_long_ago() {
        assert_eq!("2h".parse::<Moment>().unwrap().ms(7_200_000_000_000), 0);
        assert_eq!(
            "1970-01-01T00:00:01Z".parse::<Moment>().unwrap().ms(0),
            1_000
        );
        assert!("yesterday".parse::<Moment>().is_err());
    }

    #[test]
    fn nothing_from_outside_reaches_a_terminal_as_a_command() {
        assert_eq!(printable("a\u{1b}[2Jb\nc"), "a\u{fffd}[2Jb\u{fffd}c");
    }
}
