//! Reference arrays and figures: those of made-up inputs lie beside the tests, those of recordings with the test data.

use std::io::Cursor;
use std::path::Path;

use ndarray::{Array2, OwnedRepr};
use ndarray_npy::NpzReader;
use serde_json::Value;

use crate::fixture::test_data;

/// One archive of named matrices.
pub(crate) struct Golden(NpzReader<Cursor<Vec<u8>>>);

impl Golden {
    /// A file of `tests/fixtures`.
    pub(crate) fn fixture(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures")
            .join(name);
        Self::read(std::fs::read(path).unwrap())
    }

    /// A file made from a recording; `None` where the test data is absent.
    pub(crate) fn recording(name: &str) -> Option<Self> {
        test_data(&Path::new("golden/eeg").join(name)).map(Self::read)
    }

    fn read(bytes: Vec<u8>) -> Self {
        Self(NpzReader::new(Cursor::new(bytes)).unwrap())
    }

    pub(crate) fn matrix(&mut self, name: &str) -> Array2<f64> {
        self.0.by_name::<OwnedRepr<f64>, _>(name).unwrap()
    }

    pub(crate) fn list(&mut self, name: &str) -> Vec<f64> {
        self.0
            .by_name::<OwnedRepr<f64>, ndarray::Ix1>(name)
            .unwrap()
            .to_vec()
    }
}

/// Figures of the recordings; `None` where the test data is absent.
pub(crate) fn figures() -> Option<Value> {
    let bytes = test_data(Path::new("golden/eeg/golden.json"))?;
    Some(serde_json::from_slice(&bytes).unwrap())
}

/// A list of numbers in [`figures`].
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap())
        .collect()
}

/// The greatest difference of two matrices of one shape; infinite where one is NaN and the other not.
pub(crate) fn distance(one: &Array2<f64>, other: &Array2<f64>) -> f64 {
    assert_eq!(one.dim(), other.dim());
    one.iter().zip(other).fold(0.0, |most, (one, other)| {
        let difference = (one - other).abs();
        if difference.is_nan() && !(one.is_nan() && other.is_nan()) {
            f64::INFINITY
        } else {
            most.max(difference)
        }
    })
}
