//! Figures as inline SVG: axes, lines, histograms, matrices, bars, a head.
//!
//! Every figure has its title for readers that see no picture, units on its axes, and no need of colour alone: marks have shapes,
//! lines have dashes, cells have numbers.

mod axes;
mod chart;
mod grid;
mod head;

pub(super) use axes::Axes;
pub(super) use chart::{Bar, Line, Shade, bars, histogram, lines, traces};
pub(super) use grid::{Cells, Mark, cells};
pub(super) use head::{HeadEdge, head};
