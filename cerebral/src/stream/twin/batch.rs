//! A whole stretch at once: the offline analysis of a file, the same bits as the stream.

use std::sync::Arc;

use contract::eeg::{self, Stimulation};
use ndarray::ArrayView2;

use super::{Calibrate, SessionTwin, TwinSettings};
use crate::error::AnalysisError;
use crate::preprocess::cut;
use crate::stream::stretch::{Block, Closed, StretchLogic};
use crate::stream::window::WindowAnalyst;

/// The windows of a stretch and the twin's word on each.
///
/// `uv`: `(n_channels, n_samples)`, as recorded, gap-free; it is taken in blocks of `block` samples, whose size changes nothing.
/// `orders`: each with the sample before which it stands, rising; one that makes no sense is passed over.
///
/// # Errors
/// [`AnalysisError::Setting`].
pub fn over_stretch(
    settings: &TwinSettings,
    analyst: &Arc<WindowAnalyst>,
    calibrator: &Arc<dyn Calibrate>,
    uv: ArrayView2<'_, f64>,
    block: usize,
    orders: &[(usize, Stimulation<'_>)],
) -> Result<Vec<(Closed, Option<eeg::Twin>)>, AnalysisError> {
    let mut twin = SessionTwin::new(settings.clone(), analyst, 0, calibrator)?;
    let mut machine = StretchLogic::machine(analyst, 0);
    let mut orders = orders.iter().peekable();
    let (mut closed, mut found) = (Vec::new(), Vec::new());
    let mut from = 0;
    while from < uv.ncols() {
        while let Some((_, order)) = orders.next_if(|(at, _)| *at <= from) {
            // Whoever orders is told elsewhere.
            let _ = twin.order(order);
        }
        let next = orders.peek().map_or(uv.ncols(), |(at, _)| *at);
        let to = uv.ncols().min(next).min(from.saturating_add(block.max(1)));
        let samples = cut(uv, from..to);
        let at = u64::try_from(from).unwrap_or(u64::MAX);
        twin.samples(at, samples);
        for fed in Block::new(at, samples.to_owned(), 0).feed() {
            // The machine refuses nothing of a stretch in order.
            let _ = machine.push(fed, &mut closed, &mut Vec::new());
        }
        found.extend(
            closed
                .drain(..)
                .map(|closed| (twin.window(&closed), closed)),
        );
        from = to;
    }
    machine.finish(&mut closed);
    found.extend(
        closed
            .drain(..)
            .map(|closed| (twin.window(&closed), closed)),
    );
    Ok(found
        .into_iter()
        .map(|(twin, closed)| (closed, twin))
        .collect())
}
