//! The network as it is now, run on for one hop.

use std::f64::consts::TAU;

use ndarray::{Array2, Axis};
use num_complex::Complex64;

use crate::calibration::Now;
use crate::number::float;
use crate::surrogate::Key;
use crate::twin::order::mean;
use crate::twin::{
    Coupling, Drive, Method, Network, Run, Trajectory, TwinError, order_parameter, phase_lag_index,
    simulate,
};

/// Distance of the samples that order parameters and PLI are taken of, seconds: phase differences hardly move within it.
const RECORDED_S: f64 = 0.02;

/// The nodes that have phases, and how they are run.
#[derive(Debug)]
pub(super) struct Nodes {
    network: Network,
    /// The channels behind the nodes.
    pub(super) channels: Vec<usize>,
    n_channels: usize,
}

/// Length and step of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Hop {
    pub(super) hop_s: f64,
    pub(super) step_s: f64,
}

/// What a run over one hop came to.
pub(super) struct Ran {
    /// Phases at its end, radians, per node.
    pub(super) last: Vec<f64>,
    pub(super) r: f64,
    pub(super) pli: Array2<f64>,
    pub(super) frequency_hz: Vec<f64>,
}

impl Hop {
    fn run(self, seed: u64) -> Run {
        let steps = (self.hop_s / self.step_s).ceil().max(1.0);
        let step_s = self.hop_s / steps;
        Run {
            method: Method::Heun,
            duration_s: self.hop_s,
            step_s,
            record_every: crate::number::samples(RECORDED_S, 1.0 / step_s).max(1),
            seed,
        }
    }
}

impl Nodes {
    /// The nodes of `good` channels that `has` a phase; `None` of fewer than two.
    pub(super) fn new(
        now: &Now,
        noise: &[f64],
        good: &[usize],
        n_channels: usize,
        has: impl Fn(usize) -> bool,
    ) -> Option<Self> {
        let places: Vec<usize> = (0..good.len()).filter(|node| has(good[*node])).collect();
        if places.len() < 2 {
            return None;
        }
        let coupling = now
            .coupling_rad_s
            .select(Axis(0), &places)
            .select(Axis(1), &places);
        let network = Network::new(
            now.omega_rad_s.select(Axis(0), &places),
            Coupling::Constant(coupling),
        );
        let noise = places.iter().map(|node| noise[*node]).collect();
        Some(Self {
            network: network.and_then(|network| network.with_noise(noise)).ok()?,
            channels: places.iter().map(|node| good[*node]).collect(),
            n_channels,
        })
    }

    pub(super) fn node(&self, channel: usize) -> Option<usize> {
        self.channels.iter().position(|of| *of == channel)
    }

    /// The same with stimulations, whose nodes are channels.
    pub(super) fn driven(&self, drives: &[Drive]) -> Result<Network, TwinError> {
        let mut network = self.network.clone();
        for drive in drives {
            if let Some(node) = self.node(drive.node) {
                network = network.with_drive(Drive { node, ..*drive })?;
            }
        }
        Ok(network)
    }

    pub(super) fn free(&self) -> &Network {
        &self.network
    }

    /// Per channel the value of its node; NaN for the others.
    pub(super) fn list(&self, of_nodes: &[f64]) -> Vec<f64> {
        let mut all = vec![f64::NAN; self.n_channels];
        for (channel, value) in self.channels.iter().zip(of_nodes) {
            all[*channel] = *value;
        }
        all
    }

    /// Per pair of channels.
    pub(super) fn matrix(&self, of_nodes: &Array2<f64>) -> Array2<f64> {
        let mut all = Array2::from_elem((self.n_channels, self.n_channels), f64::NAN);
        for ((i, j), value) in of_nodes.indexed_iter() {
            all[[self.channels[i], self.channels[j]]] = *value;
        }
        all
    }
}

/// Runs a network on from phases `from`, one hop.
pub(super) fn run(network: &Network, from: &[f64], hop: Hop, seed: u64) -> Result<Ran, TwinError> {
    let run = hop.run(seed);
    let path: Trajectory = simulate(network, from, &run)?;
    // The last record may lie before the end, where the records' distance does not divide the hop.
    let whole = Run {
        record_every: 1,
        ..run
    };
    let last = if path
        .t_s
        .last()
        .is_some_and(|t_s| hop.hop_s - t_s < run.step_s / 2.0)
    {
        path.last()
    } else {
        simulate(network, from, &whole)?.last()
    };
    let advance = last.iter().zip(from).map(|(last, first)| last - first);
    Ok(Ran {
        frequency_hz: advance.map(|turn| turn / hop.hop_s / TAU).collect(),
        r: mean(&order_parameter(path.theta.view())),
        pli: phase_lag_index(path.theta.view()),
        last,
    })
}

/// What the twin says of the next window.
pub(super) struct Next {
    pub(super) r: f64,
    /// Per node, radians.
    pub(super) phase_rad: Vec<f64>,
    pub(super) pli: Array2<f64>,
}

/// The mean over `seeds` runs from phases `from`.
pub(super) fn ahead(
    nodes: &Nodes,
    from: &[f64],
    hop: Hop,
    seeds: usize,
    key: impl Fn(usize) -> Key,
) -> Result<Next, TwinError> {
    let n = from.len();
    let mut sum = Next {
        r: 0.0,
        phase_rad: Vec::new(),
        pli: Array2::zeros((n, n)),
    };
    let mut turned = vec![Complex64::default(); n];
    for seed in 0..seeds {
        let ran = run(nodes.free(), from, hop, key(seed).seed())?;
        sum.r += ran.r;
        sum.pli += &ran.pli;
        for (turned, last) in turned.iter_mut().zip(&ran.last) {
            *turned += Complex64::cis(*last);
        }
    }
    sum.r /= float(seeds);
    sum.pli /= float(seeds);
    sum.phase_rad = turned.iter().map(|turned| turned.arg()).collect();
    Ok(sum)
}
