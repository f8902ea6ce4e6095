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
        let Self {
            matrix,
            weights,
            x,
            y,
            x_out,
            y_out,
        } = self;
        let (x_head, x_tail) = S::as_simd_f64s(x);
        let (y_head, y_tail) = S::as_simd_f64s(y);
        let (x_wide, x_rest) = x_head.as_chunks::<4>();
        let (y_wide, y_rest) = y_head.as_chunks::<4>();
        for ((row, x_out), y_out) in matrix.chunks_exact(x.len()).zip(x_out).zip(y_out) {
            let (head, tail) = S::as_simd_f64s(row);
            let (wide, rest) = head.as_chunks::<4>();
            // Four sums each, so that the additions need not wait for one another.
            let mut sx = [simd.splat_f64s(0.0); 4];
            let mut sy = [simd.splat_f64s(0.0); 4];
            for ((k, x), y) in wide.iter().zip(x_wide).zip(y_wide) {
                for lane in 0..4 {
                    sx[lane] = simd.mul_add_e_f64s(k[lane], x[lane], sx[lane]);
                    sy[lane] = simd.mul_add_e_f64s(k[lane], y[lane], sy[lane]);
                }
            }
            for ((k, x), y) in rest.iter().zip(x_rest).zip(y_rest) {
                sx[0] = simd.mul_add_e_f64s(*k, *x, sx[0]);
                sy[0] = simd.mul_add_e_f64s(*k, *y, sy[0]);
            }
            let total = |s: [S::f64s; 4]| {
                simd.reduce_sum_f64s(
                    simd.add_f64s(simd.add_f64s(s[0], s[1]), simd.add_f64s(s[2], s[3])),
                )
            };
            let (mut tx, mut ty) = (total(sx), total(sy));
            for ((k, x), y) in tail.iter().zip(x_tail).zip(y_tail) {
                tx += k * x;
                ty += k * y;
            }
            *x_out += weights[0] * tx;
            *y_out += weights[1] * ty;
        }
    }
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
