//! Small square matrices as flat row-major slices: the smoother multiplies some thousands of them a second, and their
//! size is known at run time alone.

/// `out = a b`.
#[inline(always)]
pub(crate) fn multiply(a: &[f64], b: &[f64], out: &mut [f64], n: usize) {
    for (row, out) in a.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
        out.fill(0.0);
        for (factor, b) in row.iter().zip(b.chunks_exact(n)) {
            out.iter_mut()
                .zip(b)
                .for_each(|(out, b)| *out += factor * b);
        }
    }
}

/// `out = a' b`.
#[inline(always)]
pub(crate) fn transposed_multiply(a: &[f64], b: &[f64], out: &mut [f64], n: usize) {
    for (i, out) in out.chunks_exact_mut(n).enumerate() {
        out.fill(0.0);
        for (k, b) in b.chunks_exact(n).enumerate() {
            let factor = a[k * n + i];
            out.iter_mut()
                .zip(b)
                .for_each(|(out, b)| *out += factor * b);
        }
    }
}

/// `out = a'`.
#[inline(always)]
pub(crate) fn transpose(a: &[f64], out: &mut [f64], n: usize) {
    for (i, row) in a.chunks_exact(n).enumerate() {
        for (j, value) in row.iter().enumerate() {
            out[j * n + i] = *value;
        }
    }
}

/// Makes `a` exactly symmetric.
#[inline(always)]
pub(crate) fn symmetrise(a: &mut [f64], n: usize) {
    for i in 0..n {
        for j in 0..i {
            let mean = (a[i * n + j] + a[j * n + i]) / 2.0;
            a[i * n + j] = mean;
            a[j * n + i] = mean;
        }
    }
}

/// The lower Cholesky factor in place (what lies above the diagonal is left as it was); `false` if `a` is not positive
/// definite.
#[inline(always)]
pub(crate) fn cholesky(a: &mut [f64], n: usize) -> bool {
    for j in 0..n {
        for i in j..n {
            let (above, row) = a.split_at(i * n);
            let dot: f64 = if i == j {
                row[..j].iter().map(|x| x * x).sum()
            } else {
                row[..j]
                    .iter()
                    .zip(&above[j * n..j * n + j])
                    .map(|(x, y)| x * y)
                    .sum()
            };
            let rest = a[i * n + j] - dot;
            if i == j {
                if !(rest > 0.0 && rest.is_finite()) {
                    return false;
                }
                a[j * n + j] = rest.sqrt();
            } else {
                a[i * n + j] = rest / a[j * n + j];
            }
        }
    }
    true
}

/// Solves `L L' x = b` in place, for one right-hand side.
pub(crate) fn solve(factor: &[f64], b: &mut [f64], n: usize) {
    for i in 0..n {
        let dot: f64 = factor[i * n..i * n + i]
            .iter()
            .zip(b.iter())
            .map(|(l, b)| l * b)
            .sum();
        b[i] = (b[i] - dot) / factor[i * n + i];
    }
    for i in (0..n).rev() {
        b[i] /= factor[i * n + i];
        let solved = b[i];
        b[..i]
            .iter_mut()
            .zip(&factor[i * n..i * n + i])
            .for_each(|(b, l)| *b -= l * solved);
    }
}

/// Solves `L L' X = B` in place for as many right-hand sides as there are rows.
#[inline(always)]
pub(crate) fn solve_matrix(factor: &[f64], b: &mut [f64], n: usize) {
    for i in 0..n {
        let (above, row) = b.split_at_mut(i * n);
        let row = &mut row[..n];
        for (l, above) in factor[i * n..i * n + i].iter().zip(above.chunks_exact(n)) {
            row.iter_mut()
                .zip(above)
                .for_each(|(b, above)| *b -= l * above);
        }
        let pivot = 1.0 / factor[i * n + i];
        row.iter_mut().for_each(|b| *b *= pivot);
    }
    for i in (0..n).rev() {
        let (above, row) = b.split_at_mut(i * n);
        let row = &mut row[..n];
        let pivot = 1.0 / factor[i * n + i];
        row.iter_mut().for_each(|b| *b *= pivot);
        for (l, above) in factor[i * n..i * n + i]
            .iter()
            .zip(above.chunks_exact_mut(n))
        {
            above
                .iter_mut()
                .zip(row.iter())
                .for_each(|(above, b)| *above -= l * b);
        }
    }
}

/// The inverse of `L L'`.
pub(crate) fn inverse(factor: &[f64], out: &mut [f64], n: usize) {
    out.fill(0.0);
    (0..n).for_each(|i| out[i * n + i] = 1.0);
    solve_matrix(factor, out, n);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_solves_and_inverts() {
        let a = [4.0, 2.0, 0.6, 2.0, 5.0, -1.0, 0.6, -1.0, 3.0];
        let mut factor = a;
        assert!(cholesky(&mut factor, 3));
        let (mut inverted, mut product) = ([0.0; 9], [0.0; 9]);
        inverse(&factor, &mut inverted, 3);
        multiply(&a, &inverted, &mut product, 3);
        for (k, value) in product.iter().enumerate() {
            let identity = if k % 4 == 0 { 1.0 } else { 0.0 };
            assert!((value - identity).abs() < 1e-14, "entry {k}: {value}");
        }
        assert!(!cholesky(&mut [1.0, 2.0, 2.0, 1.0], 2));
    }
}
