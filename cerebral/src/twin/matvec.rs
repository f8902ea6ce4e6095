//! `K s` and `K c` in one pass over `K`: the whole cost of a dense network.
//!
//! One thread by design: a parallel region inside a step costs more than the step. The widest vectors of the processor are
//! chosen at run time; results differ between processor types in the last bits, never between runs.

use pulp::{Arch, Simd, WithSimd};

/// The kernel, with the processor's abilities looked up once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MatVec {
    arch: Arch,
}

impl MatVec {
    pub(crate) fn new() -> Self {
        Self { arch: Arch::new() }
    }

    /// Adds `weights[0] matrix x` to `x_out` and `weights[1] matrix y` to `y_out`; `matrix` is row-major, `n x n`.
    pub(crate) fn add(
        &self,
        matrix: &[f64],
        weights: [f64; 2],
        [x, y]: [&[f64]; 2],
        [x_out, y_out]: [&mut [f64]; 2],
    ) {
        self.arch.dispatch(Pair {
            matrix,
            weights,
            x,
            y,
            x_out,
            y_out,
        });
    }
}

struct Pair<'a> {
    matrix: &'a [f64],
    weights: [f64; 2],
    x: &'a [f64],
    y: &'a [f64],
    x_out: &'a mut [f64],
    y_out: &'a mut [f64],
}

impl WithSimd for Pair<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // Two sums a row; those, and what is loaded beside them, must fit the registers.
        if S::REGISTER_COUNT >= 32 {
            self.by_rows::<S, 8>(simd);
        } else {
            self.by_rows::<S, 4>(simd);
        }
    }
}

impl Pair<'_> {
    /// `R` rows at once share the loads of x and y, and their sums need not wait for one another.
    #[inline(always)]
    fn by_rows<S: Simd, const R: usize>(self, simd: S) {
        let Self {
            matrix,
            weights,
            x,
            y,
            x_out,
            y_out,
        } = self;
        let n = x.len();
        let blocks = matrix
            .chunks(R * n)
            .zip(x_out.chunks_mut(R))
            .zip(y_out.chunks_mut(R));
        for ((block, x_out), y_out) in blocks {
            let mut add = |k: usize, [sx, sy]: [f64; 2]| {
                x_out[k] += weights[0] * sx;
                y_out[k] += weights[1] * sy;
            };
            if block.len() == R * n {
                let rows: [&[f64]; R] = std::array::from_fn(|k| &block[k * n..(k + 1) * n]);
                let sums = dots(simd, rows, x, y);
                (0..R).for_each(|k| add(k, sums[k]));
            } else {
                for (k, row) in block.chunks_exact(n).enumerate() {
                    let [sums] = dots(simd, [row], x, y);
                    add(k, sums);
                }
            }
        }
    }
}

/// `[row x, row y]` for each row.
#[inline(always)]
fn dots<S: Simd, const R: usize>(
    simd: S,
    rows: [&[f64]; R],
    x: &[f64],
    y: &[f64],
) -> [[f64; 2]; R] {
    let (x_head, x_tail) = S::as_simd_f64s(x);
    let (y_head, y_tail) = S::as_simd_f64s(y);
    let split = rows.map(|row| S::as_simd_f64s(row));
    let zero = simd.splat_f64s(0.0);
    let (mut sx, mut sy) = ([zero; R], [zero; R]);
    let heads = split.map(|(head, _)| &head[..x_head.len()]);
    for (k, (x, y)) in x_head.iter().zip(&y_head[..x_head.len()]).enumerate() {
        for r in 0..R {
            let entry = heads[r][k];
            sx[r] = simd.mul_add_e_f64s(entry, *x, sx[r]);
            sy[r] = simd.mul_add_e_f64s(entry, *y, sy[r]);
        }
    }
    std::array::from_fn(|r| {
        let (mut tx, mut ty) = (simd.reduce_sum_f64s(sx[r]), simd.reduce_sum_f64s(sy[r]));
        for ((entry, x), y) in split[r].1.iter().zip(x_tail).zip(y_tail) {
            tx += entry * x;
            ty += entry * y;
        }
        [tx, ty]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_agrees_with_plain_sums_at_any_size() {
        for n in [1, 2, 3, 5, 8, 17, 33, 64, 71] {
            let value =
                |k: usize| f64::from(u32::try_from((k * 7919) % 1009).unwrap()) / 500.0 - 1.0;
            let matrix: Vec<f64> = (0..n * n).map(value).collect();
            let x: Vec<f64> = (0..n).map(|k| value(k + 13)).collect();
            let y: Vec<f64> = (0..n).map(|k| value(k + 101)).collect();
            let (mut x_out, mut y_out) = (vec![1.0; n], vec![2.0; n]);
            MatVec::new().add(&matrix, [0.5, 0.25], [&x, &y], [&mut x_out, &mut y_out]);
            for i in 0..n {
                let row = &matrix[i * n..(i + 1) * n];
                let plain = |v: &[f64]| row.iter().zip(v).map(|(k, v)| k * v).sum::<f64>();
                assert!(
                    (x_out[i] - 1.0 - 0.5 * plain(&x)).abs() < 1e-12,
                    "n {n} row {i}"
                );
                assert!(
                    (y_out[i] - 2.0 - 0.25 * plain(&y)).abs() < 1e-12,
                    "n {n} row {i}"
                );
            }
        }
    }
}
