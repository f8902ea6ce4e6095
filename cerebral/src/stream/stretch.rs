//! The windows of one stretch, on the window machine of `windowing`.
//!
//! The machine's time is the sample index of the stretch, a guard later, so that window `k` of the machine is the buffer
//! `[k hop - guard, k hop + width + guard)` of samples. Windows are closed by the blocks themselves: each promises that nothing
//! before its end follows.

use std::sync::Arc;

use ndarray::Array2;
use windowing::watermark::SourceId;
use windowing::window::{Shape, Window as Span};
use windowing::windows::{Density, Item, Late, WindowLogic, Windows, WindowsState};

use super::window::{Rolling, Window, WindowAnalyst};

/// A gap-free run of samples, as it came.
#[derive(Debug, PartialEq)]
pub struct Block {
    /// Index in the stretch of its first sample.
    at: i64,
    /// `(n_channels, n_samples)`, microvolts.
    uv: Array2<f64>,
    /// When it was complete, nanoseconds since 1970 by our clock.
    received_ns: i64,
}

impl Block {
    /// A block of a stretch.
    #[must_use]
    pub fn new(at: u64, uv: Array2<f64>, received_ns: i64) -> Arc<Self> {
        Arc::new(Self {
            at: i64::try_from(at).unwrap_or(i64::MAX),
            uv,
            received_ns,
        })
    }

    /// Index in the stretch of its first sample.
    pub(super) fn at(&self) -> u64 {
        u64::try_from(self.at).unwrap_or(0)
    }

    /// `(n_channels, n_samples)`, microvolts.
    pub(super) fn uv(&self) -> &Array2<f64> {
        &self.uv
    }

    /// What the machine is fed with.
    pub fn feed(self: &Arc<Self>) -> impl Iterator<Item = Fed> {
        let n = self.uv.ncols();
        let until = self.at.saturating_add(time(n));
        (0..n)
            .map(|place| Fed::Sample(Arc::clone(self), place))
            .chain([Fed::Until(until)])
    }
}

/// What the window machine of a stretch is fed with.
#[derive(Debug, Clone)]
pub enum Fed {
    /// A column of a block.
    Sample(Arc<Block>, usize),
    /// Nothing before this sample follows.
    Until(i64),
}

/// A sample, as the machine keeps it: its time there, its block, its place in that.
type Stamped = (i64, (Arc<Block>, usize));

/// A window of a stretch.
#[derive(Debug, Clone, PartialEq)]
pub struct Closed {
    /// Which, from 0.
    pub k: u64,
    /// Index in the session of its first sample.
    pub at: u64,
    /// When the block came that completed it, nanoseconds since 1970 by our clock.
    pub received_ns: i64,
    /// What it says, or why it says nothing.
    pub window: Result<Window, String>,
}

/// What makes windows of a stretch of samples.
#[derive(Debug)]
pub struct StretchLogic {
    analyst: Arc<WindowAnalyst>,
    /// Index in the session of the stretch's first sample.
    stretch_at: u64,
    rolling: Rolling,
    /// Samples so far.
    n_samples: i64,
    received_ns: i64,
}

/// A count of samples as the machine's time; sessions are far shorter than 2^63 samples.
fn time(samples: usize) -> i64 {
    i64::try_from(samples).unwrap_or(i64::MAX)
}

/// A stretch as one plain value: what its windows still need.
#[derive(Debug, Clone)]
pub(super) struct StretchState {
    pub(super) windows: WindowsState<(Arc<Block>, usize)>,
    pub(super) rolling: Rolling,
    pub(super) n_samples: i64,
    pub(super) received_ns: i64,
}

impl StretchLogic {
    /// The state of a stretch's machine.
    pub(super) fn state(machine: &Windows<Self>) -> StretchState {
        let logic = machine.logic();
        StretchState {
            windows: machine.state(),
            rolling: logic.rolling.clone(),
            n_samples: logic.n_samples,
            received_ns: logic.received_ns,
        }
    }

    /// The machine that goes on from a state.
    pub(super) fn restore(
        analyst: &Arc<WindowAnalyst>,
        stretch_at: u64,
        state: StretchState,
    ) -> Windows<Self> {
        let logic = Self {
            analyst: Arc::clone(analyst),
            stretch_at,
            rolling: state.rolling,
            n_samples: state.n_samples,
            received_ns: state.received_ns,
        };
        let shape = Self::shape(analyst);
        Windows::restore(shape, i64::MAX, usize::MAX, logic, state.windows)
    }

    /// All windows of a stretch that begins at sample `stretch_at` of its session. `uv`: `(n_channels, n_samples)`, microvolts.
    #[must_use]
    pub fn windows_of(
        analyst: &Arc<WindowAnalyst>,
        stretch_at: u64,
        uv: Array2<f64>,
    ) -> Vec<Closed> {
        let mut machine = Self::machine(analyst, stretch_at);
        let mut closed = Vec::new();
        for fed in Block::new(0, uv, 0).feed() {
            let pushed = machine.push(fed, &mut closed, &mut Vec::new());
            pushed.expect("the machine of a stretch has no limit");
        }
        machine.finish(&mut closed);
        closed
    }

    /// The window machine of a stretch that begins at sample `stretch_at` of its session.
    #[must_use]
    pub fn machine(analyst: &Arc<WindowAnalyst>, stretch_at: u64) -> Windows<Self> {
        let logic = Self {
            analyst: Arc::clone(analyst),
            stretch_at,
            rolling: Rolling::default(),
            n_samples: 0,
            received_ns: 0,
        };
        // A window and its guards, and what a block may bring beyond them: blocks close windows before they pile up.
        Windows::new(Self::shape(analyst), i64::MAX, usize::MAX, logic)
    }

    /// Buffers in samples of the stretch.
    #[must_use]
    pub fn shape(analyst: &WindowAnalyst) -> Shape {
        let windows = analyst.windows();
        let length = windows.width() + 2 * windows.guard();
        Shape::hopping(time(length), time(windows.hop()))
            .expect("an analyst refuses a hop of 0, and one longer than a window with its guards")
    }

    fn window(&mut self, k: u64, events: &[&[Stamped]]) -> Result<Window, String> {
        let windows = self.analyst.windows();
        let n = windows.width() + 2 * windows.guard();
        let found: usize = events.iter().map(|run| run.len()).sum();
        if found != n {
            return Err("its buffer reaches beyond a gap, a restart or an end".to_owned());
        }
        let mut buffer = Array2::zeros((self.analyst.n_channels(), n));
        let samples = events.iter().flat_map(|run| run.iter());
        for (mut column, (_, (block, place))) in buffer.columns_mut().into_iter().zip(samples) {
            column.assign(&block.uv.column(*place));
        }
        self.analyst
            .window(buffer.view(), self.stretch_at, k, &mut self.rolling)
            .map_err(|error| error.to_string())
    }
}

impl WindowLogic for StretchLogic {
    type Input = Fed;
    type Event = (Arc<Block>, usize);
    type Output = Closed;
    type Side = std::convert::Infallible;

    fn classify(&mut self, input: &Fed, _: &mut Vec<Self::Side>) -> Option<Item<Self::Event>> {
        let source = SourceId(0);
        let guard = time(self.analyst.windows().guard());
        Some(match input {
            Fed::Sample(block, place) => {
                let at = block.at + time(*place);
                self.n_samples = self.n_samples.max(at + 1);
                self.received_ns = block.received_ns;
                Item::Data {
                    source,
                    stamp_ns: at + guard,
                    event: (Arc::clone(block), *place),
                }
            }
            Fed::Until(at) => Item::Mark {
                source,
                stamp_ns: at + guard,
            },
        })
    }

    /// Never: a stretch's samples are in order.
    fn late(&mut self, _: Late<Fed, Self::Event>, _: &mut Vec<Self::Side>) {}

    fn ignored(&mut self, _: Self::Event) {}

    fn close(
        &mut self,
        window: Span,
        events: &[&[(i64, Self::Event)]],
        _: Density,
        out: &mut Vec<Closed>,
    ) {
        let windows = self.analyst.windows();
        // Buffers of windows that would begin before the stretch, or end behind it.
        let Ok(k) = u64::try_from(window.index) else {
            return;
        };
        let start = window.index.saturating_mul(time(windows.hop()));
        if start.saturating_add(time(windows.width())) > self.n_samples {
            return;
        }
        let said = self.window(k, events);
        out.push(Closed {
            k,
            at: self
                .stretch_at
                .saturating_add(u64::try_from(start).unwrap_or(0)),
            received_ns: self.received_ns,
            window: said,
        });
    }

    fn skip(&mut self, _: &[(i64, Self::Event)]) {}
}
