//! What the topics say, folded into bounded state. No clock, no terminal, no Kafka.
//!
//! In come records with the moment they came; out go the newest state of each pair, venue, episode and EEG session,
//! histories, and counts. Bounded whatever comes: pairs, venues, episodes, sessions, and the points of history that all
//! pairs share. What is over a bound is counted and shown, never dropped in silence. Absent: judging spreads.

use std::collections::VecDeque;
use std::sync::Arc;

use contract::alert::Alert;
use contract::eeg::{End, Samples, State, Stimulation};
use contract::spread::Spread;
use contract::time::{NS_PER_MS, NS_PER_S};
use contract::venue::VenueHealth;
use rustc_hash::FxHashMap;

use crate::config::Thresholds;
use crate::log::{LogLine, NewLines};
use crate::text::clean;

pub(crate) mod episodes;
pub(crate) mod history;
pub(crate) mod life;
pub(crate) mod order;
pub(crate) mod pair;
pub(crate) mod session;
pub(crate) mod signals;
pub(crate) mod venue;

use episodes::Episodes;
use life::Feed;
use order::Ordered;
use pair::Pair;
use session::{Refused, Sessions};
use venue::Venues;

/// The most pairs that are kept.
pub(crate) const MAX_PAIRS: usize = 20_000;
/// The most lines of the log that are kept.
const MAX_LINES: usize = 5_000;

/// Counts since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Records of `spreads`.
    pub(crate) windows: u64,
    /// Records of `venues`.
    pub(crate) healths: u64,
    /// Records of `alerts`.
    pub(crate) alerts: u64,
    /// Blocks, orders and ends of `eeg-samples`.
    pub(crate) blocks: u64,
    /// Records of `eeg-states`.
    pub(crate) states: u64,
    /// Records that could not be read, or were none of ours.
    pub(crate) unreadable: u64,
    /// Windows that a newer one of their pair replaced before any frame showed them.
    pub(crate) conflated: u64,
    /// Ticks that windowing called late.
    pub(crate) late: u64,
    /// Windows stamped before their predecessor: windowing began anew.
    pub(crate) rewinds: u64,
    /// Records of pairs, venues or episodes beyond the bounds.
    pub(crate) beyond_bounds: u64,
}

impl Counts {
    /// Records taken.
    pub(crate) fn records(&self) -> u64 {
        self.windows + self.healths + self.alerts + self.blocks + self.states
    }
}

/// A count over time: how many a second.
#[derive(Debug, Clone, Copy, Default)]
struct Pace {
    at_ns: i64,
    count: u64,
    per_s: f64,
}

impl Pace {
    fn take(&mut self, now_ns: i64, count: u64) {
        let elapsed_ns = now_ns.saturating_sub(self.at_ns);
        if elapsed_ns >= NS_PER_S {
            let whole = |n: u64| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
            let elapsed_ms =
                whole(u64::try_from(elapsed_ns / NS_PER_MS).unwrap_or(u64::MAX)).max(1.0);
            self.per_s = if self.at_ns == 0 {
                0.0
            } else {
                whole(count.saturating_sub(self.count)) * 1_000.0 / elapsed_ms
            };
            self.at_ns = now_ns;
            self.count = count;
        }
    }
}

/// Everything that can be shown.
#[derive(Debug, Clone)]
pub(crate) struct Model {
    /// Our clock, nanoseconds since 1970.
    pub(crate) now_ns: i64,
    /// When this dashboard began.
    pub(crate) began_ns: i64,
    /// Length of a window, milliseconds.
    pub(crate) width_ms: i64,
    pairs: Vec<Arc<Pair>>,
    by_name: FxHashMap<Arc<str>, usize>,
    /// Where the pair of the newest window stands.
    latest: usize,
    /// Venues, by name.
    pub(crate) venues: Venues,
    /// Alert episodes.
    pub(crate) episodes: Episodes,
    /// Sessions of EEG.
    pub(crate) sessions: Sessions,
    /// What became of the order that was sent last from here.
    pub(crate) ordered: Option<Ordered>,
    /// When the newest window of EEG came, nanoseconds since 1970 on our clock.
    pub(crate) newest_state_at_ns: Option<i64>,
    /// Counts since the start.
    pub(crate) counts: Counts,
    /// How the feed fares.
    pub(crate) feed: Feed,
    /// When the newest window came, nanoseconds since 1970 on our clock.
    pub(crate) newest_at_ns: Option<i64>,
    /// The latest end of any pair's newest window, event time in milliseconds.
    pub(crate) newest_end_ms: Option<i64>,
    /// Why the last unreadable record was.
    pub(crate) last_unreadable: Option<String>,
    /// From which net on a spread is worth an alert.
    pub(crate) thresholds: Thresholds,
    /// The newest lines of the log, oldest first.
    pub(crate) lines: VecDeque<Arc<LogLine>>,
    /// Lines of the log that were gone before they could be kept.
    pub(crate) lines_missed: u64,
    /// Frames drawn.
    pub(crate) frames: u64,
    records_pace: Pace,
    frames_pace: Pace,
    /// Changes with everything that a frame could show.
    pub(crate) version: u64,
}

impl Model {
    pub(crate) fn new(width_ms: i64, thresholds: Thresholds) -> Self {
        Self {
            now_ns: 0,
            began_ns: 0,
            width_ms: width_ms.max(1),
            pairs: Vec::new(),
            by_name: FxHashMap::default(),
            latest: 0,
            venues: Venues::default(),
            episodes: Episodes::default(),
            sessions: Sessions::default(),
            ordered: None,
            newest_state_at_ns: None,
            counts: Counts::default(),
            feed: Feed::default(),
            newest_at_ns: None,
            newest_end_ms: None,
            last_unreadable: None,
            thresholds,
            lines: VecDeque::new(),
            lines_missed: 0,
            frames: 0,
            records_pace: Pace::default(),
            frames_pace: Pace::default(),
            version: 0,
        }
    }

    /// Our clock has moved.
    pub(crate) fn time(&mut self, now_ns: i64) {
        if self.began_ns == 0 {
            self.began_ns = now_ns;
        }
        if now_ns / NS_PER_S != self.now_ns / NS_PER_S {
            self.version += 1;
        }
        self.now_ns = now_ns;
        self.records_pace.take(now_ns, self.counts.records());
        self.frames_pace.take(now_ns, self.frames);
    }

    /// Records a second, lately.
    pub(crate) fn records_per_s(&self) -> f64 {
        self.records_pace.per_s
    }

    /// Frames a second, lately.
    pub(crate) fn frames_per_s(&self) -> f64 {
        self.frames_pace.per_s
    }

    /// A frame has been drawn.
    pub(crate) fn drawn(&mut self) {
        self.frames += 1;
    }

    /// A window came. `at_ns`: when, on our clock.
    pub(crate) fn spread(&mut self, spread: &Spread<'_>, at_ns: i64) {
        self.version += 1;
        self.counts.windows += 1;
        self.counts.late = self.counts.late.saturating_add(spread.late);
        self.newest_at_ns = Some(at_ns.max(self.newest_at_ns.unwrap_or(at_ns)));
        let Some(at) = self.place(&spread.pair) else {
            self.counts.beyond_bounds += 1;
            return;
        };
        self.latest = at;
        let most = history::capacity(self.pairs.len());
        let frame = self.frames;
        let pair = Arc::make_mut(&mut self.pairs[at]);
        if pair.touched == Some(frame) {
            self.counts.conflated += 1;
        }
        pair.touched = Some(frame);
        let rewound = pair.take(spread, at_ns, most);
        if rewound {
            self.counts.rewinds += 1;
            self.newest_end_ms = Some(spread.end_ms);
        } else {
            self.newest_end_ms = self.newest_end_ms.max(Some(spread.end_ms));
        }
    }

    /// Where the pair stands; a new one gets a place while there is one.
    fn place(&mut self, name: &str) -> Option<usize> {
        // Windows of one partition come in the same order every time, so the next one is a good guess.
        let guess = self.latest + 1;
        let guess = if guess < self.pairs.len() { guess } else { 0 };
        if self
            .pairs
            .get(guess)
            .is_some_and(|pair| *pair.name == *name)
        {
            return Some(guess);
        }
        if let Some(&at) = self.by_name.get(name) {
            return Some(at);
        }
        let shown: Arc<str> = clean(name).into();
        if let Some(&at) = self.by_name.get(&shown) {
            return Some(at);
        }
        if self.pairs.len() >= MAX_PAIRS {
            return None;
        }
        let at = self.pairs.len();
        self.pairs.push(Arc::new(Pair::new(Arc::clone(&shown))));
        self.by_name.insert(shown, at);
        Some(at)
    }

    /// A venue's health came.
    pub(crate) fn health(&mut self, health: &VenueHealth<'_>, at_ns: i64) {
        self.version += 1;
        self.counts.healths += 1;
        if !self.venues.take(health, at_ns) {
            self.counts.beyond_bounds += 1;
        }
    }

    /// An episode's newest state came.
    pub(crate) fn alert(&mut self, alert: &Alert<'_>) {
        self.version += 1;
        self.counts.alerts += 1;
        self.counts.beyond_bounds += self.episodes.take(alert);
    }

    /// An episode was deleted from the topic.
    pub(crate) fn alert_gone(&mut self, id: &str) {
        self.version += 1;
        self.counts.alerts += 1;
        self.episodes.remove(id);
    }

    /// A block of samples came. `seen`: whether they are on the screen; twenty-five a second must not draw other views anew.
    pub(crate) fn samples(&mut self, block: &Samples<'_>, at_ns: i64, seen: bool) {
        self.version += u64::from(seen);
        self.counts.blocks += 1;
        match self.sessions.samples(block, at_ns) {
            Ok(rewound) => self.counts.rewinds += u64::from(rewound),
            Err(refused) => self.refused(refused, &block.session, block.at),
        }
    }

    /// A window of EEG came.
    pub(crate) fn state(&mut self, state: &State<'_>, at_ns: i64) {
        self.version += 1;
        self.counts.states += 1;
        match self.sessions.window(state, at_ns) {
            Ok(rewound) => {
                self.counts.rewinds += u64::from(rewound);
                self.newest_state_at_ns = self.newest_state_at_ns.max(Some(at_ns));
            }
            Err(refused) => self.refused(refused, &state.session, state.at),
        }
    }

    /// An order for a twin came.
    pub(crate) fn order(&mut self, order: &Stimulation<'_>) {
        self.version += 1;
        self.counts.blocks += 1;
        if let Err(refused) = self.sessions.order(order) {
            self.refused(refused, &order.session, 0);
        }
    }

    /// A session ended.
    pub(crate) fn session_end(&mut self, end: &End<'_>, at_ns: i64) {
        self.version += 1;
        self.counts.blocks += 1;
        if let Err(refused) = self.sessions.end(end, at_ns) {
            self.refused(refused, &end.session, end.at);
        }
    }

    fn refused(&mut self, refused: Refused, session: &str, at: u64) {
        match refused {
            Refused::BeyondBounds => self.counts.beyond_bounds += 1,
            Refused::Senseless => {
                let what = "rows, channels and rate do not fit together";
                self.unreadable(format!(
                    "block at sample {at} of session `{session}`: {what}"
                ));
            }
        }
    }

    /// An order from here was sent, or was not.
    pub(crate) fn ordered(&mut self, ordered: Ordered) {
        self.version += 1;
        self.ordered = Some(ordered);
    }

    /// A record could not be read.
    pub(crate) fn unreadable(&mut self, reason: String) {
        self.version += 1;
        self.counts.unreadable += 1;
        self.last_unreadable = Some(clean(&reason));
    }

    /// Lines of the log came.
    pub(crate) fn log(&mut self, new: NewLines) {
        if new.lines.is_empty() && new.missed == 0 {
            return;
        }
        self.version += 1;
        self.lines_missed += new.missed;
        self.lines.extend(new.lines);
        self.lines
            .drain(..self.lines.len().saturating_sub(MAX_LINES));
    }

    /// How the feed fares now.
    pub(crate) fn feed(&mut self, feed: Feed) {
        if self.feed != feed {
            self.version += 1;
            self.feed = feed;
        }
    }

    /// All pairs, in the order in which they first came.
    pub(crate) fn pairs(&self) -> &[Arc<Pair>] {
        &self.pairs
    }
}
