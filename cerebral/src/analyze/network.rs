//! Steps 4 to 9: the twin, what it does alone, and what stimulation does to it.

use std::f64::consts::TAU;

use ndarray::{Array2, ArrayView2};

use super::band::BandRun;
use super::error::AnalyzeError;
use super::options::Stimulus;
use super::over_time::{mean_of, synchrony};
use super::prepare::places;
use super::result::{
    AgreementInfo, Baselines, ClosedLoopInfo, CriticalityInfo, LoopOrder, OrderInfo, Pair,
    SpreadInfo, TwinInfo, WhatIfInfo,
};
use super::step::Label;
use crate::calibration::{Calibration, CalibrationSettings, SCORE_NAME, calibrate};
use crate::connectivity::{Measure, over_samples};
use crate::control::{Effect, Search, WhatIf, optimise, rank_nodes, what_if};
use crate::phase::welch;
use crate::twin::{
    Method, Network, Run, TwinError, density_at_mean, locked_states, locking_threshold,
    matrix_agreement, mean_field_critical_coupling, metastability, minimum_connectivity,
    phase_agreement, phase_relations, signals, simulate, spectral_critical_scale,
};

/// How many values of synchrony a second are kept for a picture.
const ORDER_PER_S: f64 = 10.0;
/// Pieces of spectra, seconds.
const PIECE_S: f64 = 2.0;
/// Starts of the search for locked states.
const LOCKED_STARTS: usize = 20;
/// Nodes that the closed loop is tried on: the first of the ranking.
const LOOP_NODES: usize = 3;
/// Iterations of its search per node.
const LOOP_ITERATIONS: u64 = 30;

/// The calibrated network and what is needed to run it.
pub(super) struct Twin {
    pub(super) calibration: Calibration,
    pub(super) network: Network,
}

impl BandRun<'_> {
    /// Step 5.
    pub(super) fn calibrate(&self) -> Result<(Twin, TwinInfo), AnalyzeError> {
        let settings = CalibrationSettings {
            seed: self.options.seed,
            ..CalibrationSettings::new(self.band)
        };
        let calibration = calibrate(self.prepared.good_uv.view(), self.prepared.rate, &settings)?;
        let network = calibration.network(self.options.only_edges)?;
        let info = self.twin_info(&calibration);
        Ok((
            Twin {
                calibration,
                network,
            },
            info,
        ))
    }

    fn twin_info(&self, found: &Calibration) -> TwinInfo {
        let prepared = self.prepared;
        let held = &found.held_out;
        let edges = found.edges.indexed_iter().filter(|(_, edge)| **edge);
        TwinInfo {
            omega_hz: prepared.list(&found.omega_rad_s.mapv(|omega| omega / TAU)),
            coupling_rad_s: prepared.matrix(&found.coupling_rad_s),
            coupling_sd_rad_s: Some(prepared.matrix(&found.coupling_sd_rad_s)),
            noise_floor_rad_s: found.noise_floor_rad_s,
            edges: edges
                .map(|((i, j), _)| [prepared.good[i], prepared.good[j]])
                .collect(),
            condition_number: found.condition_number,
            score: held.score,
            baselines: Baselines {
                uncoupled: held.uncoupled,
                shuffled_mean: held.shuffled_mean,
                shuffled_sd: held.shuffled_sd,
            },
            score_name: SCORE_NAME,
            beats_baselines: held.score > held.uncoupled
                && held.score > held.shuffled_mean + 2.0 * held.shuffled_sd,
            noise_rad_sqrt_s: prepared.list(&found.noise_rad_sqrt_s),
            phase_sd_rad: prepared.list(&found.phase_sd_rad),
            amplitude_uv: prepared.list(&found.amplitude),
            order_parameter: None,
            metastability: None,
            agreement: None,
            criticality: None,
        }
    }

    /// Step 6: the twin from the recording's own first phases, through the recording's own filter.
    pub(super) fn simulate(&self, twin: &Twin, info: &mut TwinInfo) -> Result<(), AnalyzeError> {
        let prepared = self.prepared;
        let rate = prepared.rate;
        let Some(z) = &self.z else {
            return Ok(());
        };
        let n_samples = prepared.good_uv.ncols();
        let theta0 = twin.calibration.phase.column(0).to_vec();
        let run = Run {
            method: Method::Heun,
            duration_s: rate.seconds(n_samples - 1),
            step_s: 1.0 / rate.hz(),
            record_every: 1,
            seed: self.options.seed,
        };
        let path = simulate(&twin.network, &theta0, &run)?;
        let amplitude = twin.calibration.amplitude.to_vec();
        let made = signals(path.theta.view(), &amplitude, None)?;
        let simulated = self.pipeline.analytic(made.view())?;
        let (measured_r, simulated_r) = (synchrony(z.view()), synchrony(simulated.view()));
        let stride = rate.samples(1.0 / ORDER_PER_S).max(1);
        let thin = |values: &[f64]| values.chunks(stride).map(mean_of).collect::<Vec<f64>>();
        let (measured, simulated_thin) = (thin(&measured_r), thin(&simulated_r));
        let middle = |k: usize| rate.seconds(self.pipeline.n_trim() + k * stride + stride / 2);
        info.order_parameter = Some(OrderInfo {
            t_s: (0..measured.len()).map(middle).collect(),
            measured,
            simulated: simulated_thin,
        });
        info.metastability = Some(Pair {
            measured: metastability(&measured_r),
            simulated: metastability(&simulated_r),
        });
        info.agreement = Some(self.agreement(z.view(), simulated.view(), made.view())?);
        info.criticality = Some(criticality(twin)?);
        Ok(())
    }

    fn agreement(
        &self,
        measured: ArrayView2<'_, num_complex::Complex64>,
        simulated: ArrayView2<'_, num_complex::Complex64>,
        made: ArrayView2<'_, f64>,
    ) -> Result<AgreementInfo, AnalyzeError> {
        let measures = [Measure::Pli, Measure::Wpli];
        let one = over_samples(measured, &measures, self.convention())?;
        let other = over_samples(simulated, &measures, self.convention())?;
        let compare = |measure| -> Result<_, TwinError> {
            match (other.matrix(measure), one.matrix(measure)) {
                (Some(found), Some(expected)) => matrix_agreement(found, expected),
                _ => Err(TwinError::Shape {
                    what: "measures",
                    expected: 1,
                    found: 0,
                }),
            }
        };
        let (pli, wpli) = (compare(Measure::Pli)?, compare(Measure::Wpli)?);
        let phases = |z: ArrayView2<'_, num_complex::Complex64>| {
            phase_relations(crate::phase::phase(z).view())
        };
        let rate = self.prepared.rate;
        let n_piece = rate.samples(PIECE_S).min(made.ncols());
        let spectrum = |x| welch(x, n_piece, rate);
        let (made, raw) = (spectrum(made)?, spectrum(self.prepared.good_uv.view())?);
        let spectra = crate::twin::spectrum_agreement(
            made.density.view(),
            raw.density.view(),
            &raw.frequency_hz,
            self.band.into(),
        )?;
        let correlations: Vec<f64> = spectra.iter().map(|one| one.correlation).collect();
        let blank = Array2::zeros((0, 0));
        Ok(AgreementInfo {
            pli_correlation: pli.correlation,
            pli_mean_absolute_error: pli.mean_absolute_error,
            wpli_correlation: wpli.correlation,
            wpli_mean_absolute_error: wpli.mean_absolute_error,
            phase_relations: phase_agreement(phases(simulated).view(), phases(measured).view())?,
            spectra_correlation: mean_of(&correlations),
            simulated_pli: self.prepared.matrix(
                &other
                    .matrix(Measure::Pli)
                    .map_or(blank, |pli| pli.to_owned()),
            ),
        })
    }

    /// Which node step 7 stimulates: the one named, else the one with the strongest couplings onto others.
    pub(super) fn node(&self, twin: &Twin) -> Result<usize, AnalyzeError> {
        if let Some(name) = &self.options.node {
            let place = places(
                "--node",
                std::slice::from_ref(name),
                &self.prepared.channels,
            )?[0];
            let node = self.prepared.good.iter().position(|good| *good == place);
            return node.ok_or_else(|| AnalyzeError::Channel {
                option: "--node",
                name: name.clone(),
                known: "left it out as bad or as the reference".to_owned(),
            });
        }
        let outward = twin.calibration.coupling_rad_s.columns().into_iter();
        let strength = outward.map(|column| column.iter().map(|k| k.abs()).sum::<f64>());
        let strongest = strength.enumerate().max_by(|a, b| a.1.total_cmp(&b.1));
        Ok(strongest.map_or(0, |(node, _)| node))
    }

    /// Step 7: one node stimulated.
    pub(super) fn stimulate(
        &self,
        twin: &Twin,
        node: usize,
        label: Option<Label>,
    ) -> Result<WhatIfInfo, AnalyzeError> {
        let (kind, amplitude, hz) = self.options.stimulus.drive(mean_hz(twin));
        let found = what_if(&twin.network, node, kind, &self.options.trials)?;
        Ok(self.what_if_info(&found, amplitude, hz, label))
    }

    /// Step 8: every node stimulated alike, the strongest effect first.
    pub(super) fn scan(
        &self,
        twin: &Twin,
        label: Option<Label>,
    ) -> Result<Vec<WhatIfInfo>, AnalyzeError> {
        let (kind, amplitude, hz) = self.options.stimulus.drive(mean_hz(twin));
        let ranked = rank_nodes(&twin.network, kind, &self.options.trials)?;
        let infos = ranked
            .iter()
            .map(|found| self.what_if_info(found, amplitude, hz, label));
        Ok(infos.collect())
    }

    fn what_if_info(
        &self,
        found: &WhatIf,
        amplitude_rad_s: f64,
        frequency_hz: Option<f64>,
        verdict: Option<Label>,
    ) -> WhatIfInfo {
        let place = self.prepared.good[found.node];
        WhatIfInfo {
            node: place,
            channel: self.prepared.channels[place].clone(),
            kind: self.options.stimulus.name(),
            amplitude_rad_s,
            frequency_hz,
            seeds: found.seeds,
            delta_r: SpreadInfo {
                mean: found.delta_r.mean,
                sd: found.delta_r.sd,
            },
            delta_pli: self.prepared.matrix(&found.delta_pli),
            delta_omega_hz: self.prepared.list(&found.delta_omega_hz),
            effect: match found.effect {
                Effect::Raises => "raises",
                Effect::Lowers => "lowers",
                Effect::Unclear => "unclear",
            },
            verdict,
        }
    }

    /// Step 9: the best closed loop on the nodes that matter most.
    pub(super) fn closed_loop(
        &self,
        twin: &Twin,
        ranked: &[WhatIfInfo],
        label: Option<Label>,
    ) -> Result<ClosedLoopInfo, AnalyzeError> {
        let good = &self.prepared.good;
        let nodes = ranked
            .iter()
            .filter_map(|info| good.iter().position(|place| *place == info.node))
            .take(LOOP_NODES);
        let most_rad_s = match self.options.stimulus {
            Stimulus::Entrain {
                amplitude_rad_s, ..
            } => 4.0 * amplitude_rad_s.abs().max(1.0),
            _ => 20.0,
        };
        let search = Search {
            nodes: nodes.collect(),
            most_rad_s,
            start_rad_s: most_rad_s / 4.0,
            iterations: LOOP_ITERATIONS,
            trials: self.options.trials,
        };
        let found = optimise(&twin.network, self.options.objective, &search)?;
        let place = good[found.node];
        Ok(ClosedLoopInfo {
            objective: found.objective.to_string(),
            start: found.start,
            end: found.end,
            baseline: found.baseline,
            evaluations: found.evaluations,
            node: place,
            channel: self.prepared.channels[place].clone(),
            amplitude_rad_s: found.amplitude_rad_s,
            delta_rad: found.delta_rad,
            order: LoopOrder {
                without: found.baseline_order,
                with: found.order,
            },
            verdict: label,
        })
    }
}

fn criticality(twin: &Twin) -> Result<CriticalityInfo, TwinError> {
    let found = &twin.calibration;
    let omega = found.omega_rad_s.view();
    let coupling = found.coupling_rad_s.view();
    let quiet = Network::new(found.omega_rad_s.clone(), twin.network.coupling().clone())?;
    let states = locked_states(&quiet, LOCKED_STARTS, 1)?;
    let stable = states.iter().find(|state| state.stable);
    let graph = minimum_connectivity(coupling, found.noise_floor_rad_s);
    Ok(CriticalityInfo {
        mean_field_critical_rad_s: mean_field_critical_coupling(density_at_mean(omega)),
        spectral_critical_scale: spectral_critical_scale(omega, coupling)?,
        locking_factor: locking_threshold(&quiet)?,
        locked: stable.is_some(),
        jacobian_largest_per_s: stable
            .and_then(|state| state.eigenvalues.first())
            .map(|eigenvalue| eigenvalue.re),
        minimum_connectivity: graph.ratio,
        connectivity_threshold_rad_s: graph.threshold_rad_s,
        connectivity_critical: graph.critical,
    })
}

/// Mean natural frequency, hertz: what every node is stimulated with where nothing else is asked.
fn mean_hz(twin: &Twin) -> f64 {
    mean_of(&twin.calibration.omega_rad_s.to_vec()) / TAU
}
