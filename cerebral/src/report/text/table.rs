//! Matrices and lists of pairs, as wide as a screen bears.

use std::fmt::Write as _;

use crate::analyze::Matrix;

/// Wider matrices are told by their strongest pairs.
const WIDEST: usize = 16;

/// Pairs told of a matrix that is too wide.
pub(super) const STRONGEST: usize = 10;

/// A matrix as a table, or its strongest entries where it is too wide.
pub(super) fn table(matrix: &Matrix, names: &[String], decimals: usize) -> String {
    let mut out = String::new();
    let width = name_width(names);
    if names.len() > WIDEST {
        let mut entries: Vec<((usize, usize), f64)> = matrix
            .0
            .indexed_iter()
            .filter(|((i, j), value)| i != j && !value.is_nan())
            .map(|(at, value)| (at, *value))
            .collect();
        entries.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        for ((i, j), value) in entries.into_iter().take(STRONGEST) {
            let _ = writeln!(
                out,
                "{:width$}  {:width$}  {value:.decimals$}",
                names[i], names[j]
            );
        }
        return out;
    }
    for (name, row) in names.iter().zip(matrix.0.rows()) {
        let _ = write!(out, "{name:width$}");
        for value in row {
            if value.is_nan() {
                let _ = write!(out, "{:>8}", "-");
            } else {
                let _ = write!(out, "{:8.decimals$}", unsigned_nothing(*value, decimals));
            }
        }
        out.push('\n');
    }
    out
}

/// What rounds to nothing has no sign.
fn unsigned_nothing(value: f64, decimals: usize) -> f64 {
    let places = i32::try_from(decimals).unwrap_or(i32::MAX);
    if value.abs() < 0.5 * 10.0_f64.powi(-places) {
        0.0
    } else {
        value
    }
}

pub(super) fn name_width(names: &[String]) -> usize {
    names
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0)
}
