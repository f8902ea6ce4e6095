//! The sessions of a partition as one plain value, and as text: what a checkpoint holds.
//!
//! In: a partition, or text with the settings of today. Out: text, or the partition again, which goes on with the same bits.
//! Readings and null figures are packed bits (`bits.rs`): exact, and a fraction of what digits would take. Taking the value
//! shares the blocks; the text is made by whoever has the time.

use std::sync::Arc;

use contract::eeg::tags::V1;
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use windowing::windows::WindowsState;

use super::partition::{Live, SessionWindows};
use super::session::{Head, Known, Stretch};
use super::stretch::{Block, StretchLogic, StretchState};
use super::twin::{self, SessionTwin, TwinState};
use super::window::Rolling;
use super::work::StreamSettings;
use crate::bits::{from_text, to_text};
use crate::error::AnalysisError;
use crate::source::Rails;
use crate::surrogate::Nulls;
use crate::units::SampleRate;

/// The sessions of a partition.
pub struct PartitionState {
    settings: String,
    closed_ns: Option<i64>,
    sessions: Vec<SessionState>,
}

struct SessionState {
    stretch: Stretch,
    head: Arc<Head>,
    next_at: u64,
    heard: u64,
    of: StretchState,
    twin: Option<TwinState>,
}

/// Why a state cannot be gone on from.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Not a state of this version.
    #[error("it does not match its documented shape")]
    Shape(#[source] serde_json::Error),
    /// Its windows were made otherwise.
    #[error("its windows were made with other settings ({was}) than today's ({now})")]
    Settings {
        /// What they were.
        was: String,
        /// What they are.
        now: String,
    },
    /// Bytes that are no numbers, or too few of them.
    #[error("session `{session}`: its {what} cannot be read back")]
    Figures {
        /// Which session.
        session: String,
        /// What.
        what: &'static str,
    },
    /// A twin that does not fit.
    #[error(transparent)]
    Twin(#[from] twin::StateError),
    /// A session that cannot be analysed with these settings.
    #[error(transparent)]
    Session(#[from] AnalysisError),
}

/// The text of a partition.
#[derive(Serialize, Deserialize)]
struct PartitionText {
    v: V1,
    settings: String,
    closed_ns: Option<i64>,
    sessions: Vec<SessionText>,
}

#[derive(Serialize, Deserialize)]
struct SessionText {
    session: String,
    number: u64,
    at: u64,
    next_at: u64,
    heard: u64,
    sample_rate_hz: f64,
    channels: Vec<String>,
    rails: Vec<(Vec<f64>, f64)>,
    n_samples: i64,
    received_ns: i64,
    windows: WindowsState<()>,
    /// Readings that windows still need, channel by channel.
    uv: String,
    /// Channels of the null, and its figures: per surrogate PLI, wPLI and deviations, order parameter.
    good: Vec<usize>,
    nulls: String,
    /// How strong the data were, window by window.
    data_sd: String,
    /// Lengths of one surrogate's figures.
    null_shape: [usize; 4],
    twin: Option<TwinState>,
}

/// What windows are made with, as text: where it differs, the figures would too.
fn fingerprint(settings: &StreamSettings) -> String {
    let twin = settings.twin.as_ref().map(|(twin, _)| twin);
    format!("{:?} {twin:?}", settings.window)
}

impl PartitionState {
    /// The state of a partition now.
    pub(super) fn of(partition: &SessionWindows) -> Self {
        let sessions = partition.live.values().map(|live| SessionState {
            stretch: live.stretch.clone(),
            head: Arc::clone(&live.head),
            next_at: partition.sessions.next_at(&live.stretch.session),
            heard: live.heard,
            of: StretchLogic::state(&live.windows),
            twin: live.twin.as_ref().map(SessionTwin::state),
        });
        Self {
            settings: fingerprint(&partition.settings),
            closed_ns: partition.closed_ns,
            sessions: sessions.collect(),
        }
    }

    /// As text; equal states give equal text.
    pub(super) fn to_text(&self) -> String {
        let text = PartitionText {
            v: V1,
            settings: self.settings.clone(),
            closed_ns: self.closed_ns,
            sessions: self.sessions.iter().map(SessionState::to_text).collect(),
        };
        serde_json::to_string(&text).expect("texts and numbers are always JSON")
    }

    /// The partition that goes on from a text.
    pub(super) fn restore(
        text: &str,
        settings: &Arc<StreamSettings>,
        partition: i32,
    ) -> Result<SessionWindows, StateError> {
        let text: PartitionText = serde_json::from_str(text).map_err(StateError::Shape)?;
        let now = fingerprint(settings);
        if text.settings != now {
            return Err(StateError::Settings {
                was: text.settings,
                now,
            });
        }
        let mut restored = SessionWindows::new(settings, partition);
        restored.closed_ns = text.closed_ns;
        for session in text.sessions {
            session.restore(&mut restored)?;
        }
        Ok(restored)
    }
}

impl SessionState {
    fn to_text(&self) -> SessionText {
        // The readings that are still held, in their order; a stretch has no gap, so they follow one another.
        let panes = self.of.windows.panes.iter();
        let held: Vec<&(Arc<Block>, usize)> = panes
            .flat_map(|pane| pane.2.iter().map(|(_, event)| event))
            .collect();
        let n_channels = self.head.channels.len();
        let readings = (0..n_channels).flat_map(|channel| {
            let held = held.iter();
            held.map(move |(block, place)| block.uv()[[channel, *place]])
        });
        let readings: Vec<f64> = readings.collect();
        let rolling = &self.of.rolling;
        let (null_shape, figures) = rolling.nulls().flat();
        let data_sd: Vec<Vec<f64>> = rolling.data_sd().map(<[f64]>::to_vec).collect();
        SessionText {
            session: self.stretch.session.to_string(),
            number: self.stretch.number,
            at: self.stretch.at,
            next_at: self.next_at,
            heard: self.heard,
            sample_rate_hz: self.head.rate.hz(),
            channels: self.head.channels.clone(),
            rails: self
                .head
                .rails
                .iter()
                .map(|rails| (rails.values_uv.clone(), rails.tolerance_uv))
                .collect(),
            n_samples: self.of.n_samples,
            received_ns: self.of.received_ns,
            windows: self.of.windows.clone().map(|_, _| ()),
            uv: to_text(&readings),
            good: rolling.good().to_vec(),
            data_sd: to_text(&data_sd.concat()),
            nulls: to_text(&figures),
            null_shape,
            twin: self.twin.clone(),
        }
    }
}

impl SessionText {
    fn restore(self, into: &mut SessionWindows) -> Result<(), StateError> {
        let unreadable = |what| StateError::Figures {
            session: self.session.clone(),
            what,
        };
        let held: Vec<i64> = self
            .windows
            .panes
            .iter()
            .flat_map(|pane| pane.2.iter().map(|(stamp, ())| *stamp))
            .collect();
        let n_channels = self.channels.len();
        let uv = from_text(&self.uv)
            .ok()
            .and_then(|uv| Array2::from_shape_vec((n_channels, held.len()), uv).ok())
            .ok_or_else(|| unreadable("readings"))?;
        let nulls = from_text(&self.nulls)
            .ok()
            .and_then(|figures| Nulls::of_flat(self.null_shape, &figures))
            .ok_or_else(|| unreadable("null"))?;
        let n_good = self.good.len().max(1);
        let data_sd = from_text(&self.data_sd).ok();
        let data_sd = data_sd.filter(|all| all.len().is_multiple_of(n_good));
        let data_sd = data_sd.ok_or_else(|| unreadable("strengths"))?;
        let data_sd = data_sd.chunks(n_good).map(<[f64]>::to_vec).collect();
        let first = held.first().copied().unwrap_or(0);
        let follow = held
            .iter()
            .zip(first..)
            .all(|(stamp, place)| *stamp == place);
        if !follow {
            return Err(unreadable("order of readings"));
        }
        let head = Arc::new(Head {
            rate: SampleRate::new(self.sample_rate_hz)?,
            channels: self.channels,
            rails: self
                .rails
                .into_iter()
                .map(|(values_uv, tolerance_uv)| Rails {
                    values_uv,
                    tolerance_uv,
                })
                .collect(),
        });
        let stretch = Stretch {
            session: self.session.as_str().into(),
            number: self.number,
            at: self.at,
        };
        let known = Known {
            head: Arc::clone(&head),
            stretch: stretch.clone(),
            next_at: self.next_at,
        };
        let analyst = into.sessions.put_back(known)?;
        let guard = i64::try_from(analyst.windows().guard()).unwrap_or(i64::MAX);
        let at = u64::try_from(first.saturating_sub(guard)).unwrap_or(0);
        let block = Block::new(at, uv, self.received_ns);
        let windows = self.windows.map(|stamp, ()| {
            let place = usize::try_from(stamp - first).unwrap_or(usize::MAX);
            (Arc::clone(&block), place)
        });
        let state = StretchState {
            windows,
            rolling: Rolling::of(self.good, nulls, data_sd),
            n_samples: self.n_samples,
            received_ns: self.received_ns,
        };
        let twin = match (&into.settings.twin, self.twin) {
            (Some((settings, calibrator)), Some(state)) => Some(SessionTwin::restore(
                settings.clone(),
                &analyst,
                stretch.at,
                calibrator,
                state,
            )?),
            _ => None,
        };
        let live = Live {
            windows: StretchLogic::restore(&analyst, stretch.at, state),
            twin,
            head,
            analyst,
            heard: self.heard,
            stretch,
        };
        into.records = into.records.max(self.heard);
        into.live.insert(Arc::clone(&live.stretch.session), live);
        Ok(())
    }
}
