//! One frame through the core: numbers, stamps, status, ticks, in this order.
//!
//! Comes in: a frame and what its parser made of it. Goes out: records, gaps, dead letters, counters. Absent: the making of
//! single records, which is next door.

use contract::dead_letter::DeadLetter;
use contract::time::check_stamp;

use super::feed::Verdict;
use super::sink::Sink;
use super::{Connection, Core, Outcome, feed_of, venue_of};
use crate::venue::{Content, Dialect, FrameError, Item, Kind, Parsed};

/// The name of this stage in dead letters.
const STAGE: &str = "ingest";

/// Longest notice of a venue that is logged, in characters.
const MAX_NOTICE: usize = 300;

impl Core {
    /// What follows from a frame that could be read.
    pub(super) fn parsed(
        &mut self,
        place: Place<'_>,
        parsed: Parsed<'_>,
        out: &mut impl Sink,
    ) -> Outcome {
        let Place {
            connection,
            received_ns,
            ..
        } = place;
        let dialect = connection.dialect;
        let venue = venue_of(dialect);
        if let Some(notice) = &parsed.notice {
            let notice: String = notice.chars().take(MAX_NOTICE).collect();
            let (venue, kind) = (dialect.venue(), parsed.kind.as_str());
            tracing::warn!(venue, kind, %notice, "notice from the venue");
        }
        let verdict = self.feeds[feed_of(dialect)].judge(
            (connection.number, &parsed.number),
            received_ns,
            &self.map,
            &mut self.counters,
            |gap| {
                self.venues[venue].count_gap();
                out.gap(gap);
            },
        );
        let sent_ns = match (verdict, parsed.sent) {
            (Verdict::Take, Some(sent)) => {
                let max_ms = self.settings.max_stamp_distance_ms;
                match sent.and_then(|sent_ns| check_stamp(sent_ns, received_ns, max_ms)) {
                    Ok(sent_ns) => Some(sent_ns),
                    Err(error) => {
                        self.fault(place, &FrameError::Stamp(error), out);
                        return Outcome::Fault;
                    }
                }
            }
            _ => None,
        };
        if let Some(sent_ns) = sent_ns {
            self.venues[venue].stamped(sent_ns, received_ns);
        }
        let outcome = match parsed.kind {
            Kind::Error => Outcome::Refused,
            Kind::ServerShutdown => Outcome::Shutdown,
            kind if kind.is_data() => Outcome::Data,
            _ => Outcome::Control,
        };
        if outcome == Outcome::Data {
            let earliest_ns = match verdict {
                Verdict::Take => earliest(&parsed.content).into_iter().chain(sent_ns).min(),
                _ => None,
            };
            let now_ns = self.now(received_ns);
            self.venues[venue].data(connection, (now_ns, received_ns), earliest_ns, out);
            self.next_due_ns = i64::MIN;
        }
        match self.content(place, verdict, parsed.content, out) {
            Ok(()) => outcome,
            Err(error) => {
                self.fault(place, &error, out);
                Outcome::Fault
            }
        }
    }

    /// Ticks of a frame. The first fault of its entries is handed back, after the others were done.
    fn content(
        &mut self,
        place: Place<'_>,
        verdict: Verdict,
        content: Content<'_>,
        out: &mut impl Sink,
    ) -> Result<(), FrameError> {
        let (live, history) = match content {
            Content::Nothing => return Ok(()),
            Content::One(item) if verdict == Verdict::Take => {
                return self.emit(place, item?, out);
            }
            Content::One(item) => (vec![item], Vec::new()),
            Content::Many { live, history } => (live, history),
        };
        let mut fault = Ok(());
        let passed_over = u64::try_from(live.len()).unwrap_or(u64::MAX);
        match verdict {
            Verdict::Take => {
                for item in live {
                    let done = item.and_then(|item| self.emit(place, item, out));
                    fault = fault.and(done);
                }
            }
            verdict => self.counters.pass_over(verdict, passed_over),
        }
        for item in history {
            match item {
                Ok(item) => self.history(place.connection, &item),
                Err(error) => fault = fault.and(Err(error)),
            }
        }
        fault
    }

    /// A quote or trade from before the subscription: counted, and remembered as the beginning of the numbering.
    fn history(&mut self, connection: Connection, item: &Item<'_>) {
        let Connection { dialect, number } = connection;
        let feed = &mut self.feeds[feed_of(dialect)];
        let whence = feed.whence(number);
        self.counters.history += 1;
        if dialect == Dialect::CoinbaseAdvanced
            && let Item::Trade(trade) = item
            && let Some(id) = trade.id.number()
            && let Some(symbol) = feed.symbol(&trade.symbol, &self.map)
        {
            symbol.remember_trade(id, whence, &mut self.counters);
        }
    }

    /// A frame that gave nothing, or not all it should.
    pub(super) fn fault(&mut self, place: Place<'_>, error: &FrameError, out: &mut impl Sink) {
        self.counters.fault(error.reason());
        let dialect = place.connection.dialect;
        self.venues[venue_of(dialect)].count_fault();
        out.dead_letter(DeadLetter {
            topic: format!("frames/{}", dialect.capture_name()),
            partition: 0,
            offset: i64::try_from(place.number).unwrap_or(i64::MAX),
            stage: STAGE,
            error: error.chain(),
            bytes: place.frame.as_bytes().to_vec(),
        });
    }
}

/// Where a frame stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) connection: Connection,
    pub(super) received_ns: i64,
    /// Its number, counted from 0 over all dialects.
    pub(super) number: u64,
    pub(super) frame: &'a str,
}

/// The earliest stamp among what a frame tells about now.
fn earliest(content: &Content<'_>) -> Option<i64> {
    let stamp = |item: &Result<Item<'_>, FrameError>| match item {
        Ok(Item::Quote(quote)) => quote.stamp_ns,
        Ok(Item::Trade(trade)) => Some(trade.stamp_ns),
        Err(_) => None,
    };
    match content {
        Content::Nothing => None,
        Content::One(item) => stamp(item),
        Content::Many { live, .. } => live.iter().filter_map(stamp).min(),
    }
}
