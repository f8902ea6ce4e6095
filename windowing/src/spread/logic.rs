//! Spreads as the logic of the generic windows: one partition of `ticks`.

use std::borrow::Cow;
use std::sync::Arc;

use contract::dead_letter::DeadLetter;
use contract::spread::Quality;
use contract::tick::Late as LateRecord;
use contract::tick::tags::{LateKind, V1};
use contract::topic;
use serde_json::value::RawValue;

use super::admit::admit;
use super::book::Book;
use super::bucket::Buckets;
use super::counters::Counters;
use super::event::{Event, PairId};
use super::settings::Settings;
use super::state::{BookState, Misfit};
use super::walk::{QuoteUpdate, Scratch, WindowOf};
use crate::error::chain;
use crate::watermark::SourceId;
use crate::window::Window;
use crate::windows::{Density, Item, Late, WindowLogic};
use crate::work::Input;

/// One record for `spreads`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emitted {
    /// Its key.
    pub pair: Arc<str>,
    /// Start of its window, milliseconds since 1970.
    pub start_ms: i64,
    /// The window's quality.
    pub quality: Quality,
    /// The record, one line of JSON without line break.
    pub line: Vec<u8>,
}

/// What leaves by the side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// A record for `ticks-late`.
    Late {
        /// Its key.
        pair: Arc<str>,
        /// The record.
        line: Vec<u8>,
    },
    /// A record for `dead-letters`.
    Dead(DeadLetter),
}

/// The state of spreads of one partition.
#[derive(Debug, Clone)]
pub struct SpreadLogic {
    settings: Arc<Settings>,
    partition: i32,
    book: Book,
    counters: Counters,
    buckets: Buckets,
    /// How many venues [`Self::new_venues`] has told.
    venues_told: usize,
}

impl SpreadLogic {
    /// A partition of which nothing is known yet.
    #[must_use]
    pub fn new(settings: Arc<Settings>, partition: i32) -> Self {
        Self {
            settings,
            partition,
            book: Book::default(),
            counters: Counters::default(),
            buckets: Buckets::default(),
            venues_told: 0,
        }
    }

    /// Goes on from what a book knew; counters begin anew.
    ///
    /// # Errors
    /// [`Misfit`] for rows that no book gives.
    pub fn restore(
        settings: Arc<Settings>,
        partition: i32,
        state: BookState,
    ) -> Result<Self, Misfit> {
        Ok(Self {
            book: Book::restore(state, &settings)?,
            ..Self::new(settings, partition)
        })
    }

    /// What holds for the job.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What is known between windows.
    #[must_use]
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// What it has seen so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The venue behind a source of the watermark.
    #[must_use]
    pub fn venue_name(&self, source: SourceId) -> Option<&str> {
        self.book
            .venues
            .get(usize::try_from(source.0).ok()?)
            .map(|venue| &*venue.name)
    }

    /// Every venue heard of, in the order of first mention.
    pub fn venues(&self) -> impl ExactSizeIterator<Item = &str> {
        self.book.venues.iter().map(|venue| &*venue.name)
    }

    /// Venues heard of since this was last asked.
    pub fn new_venues(&mut self) -> Vec<String> {
        let told = std::mem::replace(&mut self.venues_told, self.book.venues.len());
        self.venues().skip(told).map(str::to_owned).collect()
    }

    fn count(&mut self, item: &Item<Event>) {
        let counter = match item {
            Item::Mark { .. } => &mut self.counters.marks,
            Item::Status { .. } => &mut self.counters.statuses,
            Item::Aside { .. } => &mut self.counters.rates,
            Item::Data {
                event: Event::Trade(..),
                ..
            } => &mut self.counters.trades,
            Item::Data { .. } => &mut self.counters.quotes,
        };
        *counter += 1;
    }
}

impl WindowLogic for SpreadLogic {
    type Input = Input;
    type Event = Event;
    type Output = Emitted;
    type Side = Side;

    fn classify(&mut self, input: &Input, side: &mut Vec<Side>) -> Option<Item<Event>> {
        match admit(&input.bytes, &mut self.book, &self.settings) {
            Ok(item) => {
                self.count(&item);
                Some(item)
            }
            Err(error) => {
                self.counters.dead += 1;
                side.push(Side::Dead(DeadLetter {
                    topic: topic::TICKS.name.to_owned(),
                    partition: self.partition,
                    offset: input.offset,
                    stage: "windowing",
                    error: chain(&error),
                    bytes: input.bytes.clone(),
                }));
                None
            }
        }
    }

    fn late(&mut self, late: Late<Input, Event>, side: &mut Vec<Side>) {
        let (Event::Quote(pair, ..) | Event::Trade(pair, ..)) = late.event else {
            unreachable!("only ticks are data");
        };
        self.counters.late += 1;
        let pair = &mut self.book.pairs[pair.at()];
        pair.late += 1;
        side.push(Side::Late {
            pair: Arc::clone(&pair.name),
            line: late_line(late.input.bytes, late.boundary_ns, late.stamp_ns),
        });
    }

    fn ignored(&mut self, _: Event) {
        self.counters.rates_ignored += 1;
    }

    fn close(
        &mut self,
        window: Window,
        runs: &[&[(i64, Event)]],
        density: Density,
        out: &mut Vec<Emitted>,
    ) {
        self.counters.windows += 1;
        // A tumbling window is one pane, hence one run.
        let events = runs.first().copied().unwrap_or_default();
        for (_, event) in events {
            if let Event::Quote(pair, leg, _) | Event::Trade(pair, leg, _) = event {
                self.book.exist(*pair, *leg);
            }
        }
        self.buckets.fill(events, self.book.pairs.len());
        let width_ms = self.settings.width_ms;
        let of = WindowOf {
            book: &self.book,
            window,
            bounds_ms: (
                window.index.saturating_mul(width_ms),
                window.index.saturating_add(1).saturating_mul(width_ms),
            ),
            rate_max_age_ns: self.settings.rate_max_age_ns(),
            events,
            shared: &self.buckets.shared,
        };
        let mut scratch = Scratch::default();
        let mut updates: Vec<QuoteUpdate<'_>> = Vec::new();
        let emitted_before = out.len();
        let mut walked: Vec<PairId> = Vec::new();
        let pairs: &[PairId] = match density {
            Density::Every => &self.book.by_name,
            Density::WithData => {
                walked.extend(&self.buckets.touched);
                walked.sort_by(|a, b| {
                    self.book.pairs[a.at()]
                        .name
                        .cmp(&self.book.pairs[b.at()].name)
                });
                &walked
            }
        };
        for &id in pairs {
            let pair = &self.book.pairs[id.at()];
            scratch.walk(&of, pair, self.buckets.of(id));
            scratch.updates(id, &mut updates);
            let spread = scratch.describe(&of, pair);
            let mut line = Vec::with_capacity(LINE_BYTES);
            serde_json::to_writer(&mut line, &spread)
                .expect("a spread of texts and numbers is always JSON");
            out.push(Emitted {
                pair: Arc::clone(&pair.name),
                start_ms: spread.start_ms,
                quality: spread.quality,
                line,
            });
        }
        let updates: Vec<_> = updates
            .into_iter()
            .map(|update| (update.pair, update.leg, update.into_quote()))
            .collect();
        debug_assert_eq!(out.len() - emitted_before, pairs.len());
        for id in pairs.iter().copied() {
            self.book.pairs[id.at()].late = 0;
        }
        for (pair, leg, quote) in updates {
            self.book.pairs[pair.at()].legs[leg.at()].quote = quote;
        }
        self.apply_shared(events);
    }

    fn skip(&mut self, events: &[(i64, Event)]) {
        self.apply_shared(events);
    }
}

impl SpreadLogic {
    /// Rates and statuses of a window, once all pairs have seen it.
    fn apply_shared(&mut self, events: &[(i64, Event)]) {
        for (stamp_ns, event) in events {
            match event {
                Event::Rate(id, rate) => {
                    self.book.rates[id.at()].last = Some((*stamp_ns, rate.clone()))
                }
                Event::Status(venue, up) => self.book.status(*venue, *up),
                Event::Quote(..) | Event::Trade(..) => {}
            }
        }
    }
}

/// A record of two legs takes about this many bytes.
const LINE_BYTES: usize = 1_100;

fn late_line(bytes: Vec<u8>, boundary_ns: i64, stamp_ns: i64) -> Vec<u8> {
    let text = String::from_utf8(bytes).expect("a record that was decoded is UTF-8");
    // A line break can only stand between tokens here; the record must stay one line.
    let text = text.trim().replace(['\n', '\r'], " ");
    let tick = RawValue::from_string(text).expect("a record that was decoded is JSON");
    serde_json::to_vec(&LateRecord {
        v: V1,
        kind: LateKind,
        boundary_ns,
        late_ns: boundary_ns.saturating_sub(stamp_ns),
        tick: Cow::Owned(tick),
    })
    .expect("texts and integers are always JSON")
}
