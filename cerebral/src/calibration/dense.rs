//! Small square matrices as flat row-major slices: the smoother multiplies some thousands of them a second, and their
//! size is known at run time alone.

/// `out = a b`.
pub(crate) fn multiply(a: &[f64], b: &[f64], out: &mut [f64], n: usize) {
    for (row, out) in a.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
        out.fill(0.0);
        for (factor, b) in row.iter().zip(b.chunks_exact(n)) {
            out.iter_mut().zip(b).for_each(|(out, b)| *out += factor * b);
        }
    }
}

/// `out = a b'`.
pub(crate) fn multiply_transposed(a: &[f64], b: &[f64], out: &mut [f64], n: usize) {
    for (row, out) in a.chunks_exact(n).zip(out.chunks_exact_mut(n)) {
        for (out, b) in out.iter_mut().zip(b.chunks_exact(n)) {
            *out = row.iter().zip(b).map(|(x, y)| x * y).sum();
        }
    }
}

/// Makes `a` exactly symmetric.
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
pub(crate) fn cholesky(a: &mut [f64], n: usize) -> bool {
    for j in 0..n {
        for i in j..n {
            let (above, row) = a.split_at(i * n);
            let dot: f64 = if i == j {
                row[..j].iter().map(|x| x * x).sum()
            } else {
                row[..j].iter().zip(&above[j * n..j * n + j]).map(|(x, y)| x * y).sum()
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
        let dot: f64 = factor[i * n..i * n + i].iter().zip(b.iter()).map(|(l, b)| l * b).sum();
        b[i] = (b[i] - dot) / factor[i * n + i];
    }
    for i in (0..n).rev() {
        b[i] /= factor[i * n + i];
        let solved = b[i];
        b[..i].iter_mut().zip(&factor[i * n..i * n + i]).for_each(|(b, l)| *b -= l * solved);
    }
}

/// The inverse of `L L'`.
pub(crate) fn inverse(factor: &[f64], out: &mut [f64], n: usize) {
    out.fill(0.0);
    for (i, row) in out.chunks_exact_mut(n).enumerate() {
        row[i] = 1.0;
        solve(factor, row, n);
    }
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
