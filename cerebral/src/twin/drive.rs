//! External stimulation of single nodes: what `u_i(t)` may be. Which node, how strong and when are arguments; the search for
//! the best of them is in `control`.

use crate::twin::error::{TwinError, in_range};

/// What a closed loop steers its node towards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The phase of the mean field of all nodes, the driven one included.
    MeanField,
    /// The phase of another node.
    Node(usize),
}

/// The kinds of stimulation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DriveKind {
    /// `u = A sin(Omega t + p - theta)`: locks a free node iff `|omega - Omega| <= A` (Adler; key `adler-1946`).
    Entrain {
        /// `A`, rad/s, at least 0.
        amplitude_rad_s: f64,
        /// `Omega`, rad/s.
        frequency_rad_s: f64,
        /// `p`, rad.
        phase_rad: f64,
    },
    /// `u = c`: moves the common frequency of a locked symmetric network of N nodes by `c / N`.
    Constant {
        /// `c`, rad/s.
        torque_rad_s: f64,
    },
    /// `theta <- theta - eps sin(theta)` at the start of the drive and every `period_s` from then on.
    Pulses {
        /// `eps`, rad.
        strength_rad: f64,
        /// Seconds from pulse to pulse, above 0. Fixed steps place a pulse at the nearest step.
        period_s: f64,
    },
    /// `u = A sin(phi_target + delta - theta)`: delta 0 raises the coherence with the target, pi lowers it.
    ClosedLoop {
        /// `A`, rad/s, at least 0.
        amplitude_rad_s: f64,
        /// `delta`, rad.
        delta_rad: f64,
        /// Whose phase is followed.
        target: Target,
    },
}

/// A stimulation of one node during `[from_s, to_s)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drive {
    /// Index of the node.
    pub node: usize,
    /// What is applied.
    pub kind: DriveKind,
    /// Start, seconds.
    pub from_s: f64,
    /// End, seconds; may be infinite.
    pub to_s: f64,
}

impl Drive {
    /// A stimulation that never ends.
    pub fn always(node: usize, kind: DriveKind) -> Self {
        Self {
            node,
            kind,
            from_s: 0.0,
            to_s: f64::INFINITY,
        }
    }

    /// Whether the drive acts during a step that begins at `at_s`.
    pub(crate) fn is_on(&self, at_s: f64) -> bool {
        self.from_s <= at_s && at_s < self.to_s
    }

    /// Fails where a number is not finite or out of range, or a node is not one of `n_nodes`.
    pub(crate) fn validate(&self, n_nodes: usize) -> Result<(), TwinError> {
        let node = |node: usize| {
            if node < n_nodes {
                Ok(())
            } else {
                Err(TwinError::Shape {
                    what: "nodes of a drive",
                    expected: node + 1,
                    found: n_nodes,
                })
            }
        };
        node(self.node)?;
        in_range("start of a drive (s)", "finite", [&self.from_s], |_| true)?;
        if self.to_s.is_nan() || self.to_s < self.from_s {
            return Err(TwinError::Range {
                what: "end of a drive (s)",
                value: self.to_s,
                range: "its start to infinity",
            });
        }
        match &self.kind {
            DriveKind::Entrain {
                amplitude_rad_s,
                frequency_rad_s,
                phase_rad,
            } => {
                in_range(
                    "amplitude of a drive (rad/s)",
                    "0 and above",
                    [amplitude_rad_s],
                    |a| a >= 0.0,
                )?;
                in_range(
                    "frequency or phase of a drive",
                    "finite",
                    [frequency_rad_s, phase_rad],
                    |_| true,
                )
            }
            DriveKind::Constant { torque_rad_s } => in_range(
                "torque of a drive (rad/s)",
                "finite",
                [torque_rad_s],
                |_| true,
            ),
            DriveKind::Pulses {
                strength_rad,
                period_s,
            } => {
                in_range("strength of pulses (rad)", "finite", [strength_rad], |_| {
                    true
                })?;
                in_range("period of pulses (s)", "above 0", [period_s], |p| p > 0.0)
            }
            DriveKind::ClosedLoop {
                amplitude_rad_s,
                delta_rad,
                target,
            } => {
                in_range(
                    "amplitude of a closed loop (rad/s)",
                    "0 and above",
                    [amplitude_rad_s],
                    |a| a >= 0.0,
                )?;
                in_range(
                    "offset of a closed loop (rad)",
                    "finite",
                    [delta_rad],
                    |_| true,
                )?;
                if let Target::Node(other) = target {
                    node(*other)
                } else {
                    Ok(())
                }
            }
        }
    }
}
