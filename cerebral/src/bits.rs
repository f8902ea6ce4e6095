//! Floats as text that gives every bit back: for states that are stored and gone on with.
//!
//! Bytes of equal place side by side (signs and exponents hardly change from sample to sample), Zstandard, base64. Absent:
//! anything readable; records for people are `contract`'s.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Compression beyond this gains nothing on mantissas.
pub(crate) const LEVEL: i32 = 3;

/// Why a text gave no floats.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BitsError {
    #[error("stored floats are no base64")]
    Base64(#[source] base64::DecodeError),
    #[error("stored floats cannot be unpacked")]
    Packed(#[source] std::io::Error),
    #[error("stored floats are {0} bytes, no multiple of 8")]
    Length(usize),
}

pub(crate) fn to_text(values: &[f64]) -> String {
    let mut planes = vec![0; values.len() * 8];
    for (at, value) in values.iter().enumerate() {
        for (place, byte) in value.to_le_bytes().into_iter().enumerate() {
            planes[place * values.len() + at] = byte;
        }
    }
    let packed = zstd::bulk::compress(&planes, LEVEL).expect("memory is written to");
    STANDARD.encode(packed)
}

pub(crate) fn from_text(text: &str) -> Result<Vec<f64>, BitsError> {
    let packed = STANDARD.decode(text).map_err(BitsError::Base64)?;
    let planes = zstd::stream::decode_all(packed.as_slice()).map_err(BitsError::Packed)?;
    let n = planes.len() / 8;
    if n * 8 != planes.len() {
        return Err(BitsError::Length(planes.len()));
    }
    let value = |at: usize| f64::from_le_bytes(std::array::from_fn(|place| planes[place * n + at]));
    Ok((0..n).map(value).collect())
}

/// For `#[serde(with = "…")]`: a list.
pub(crate) mod list {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(values: &[f64], to: S) -> Result<S::Ok, S::Error> {
        super::to_text(values).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f64>, D::Error> {
        let text = String::deserialize(from)?;
        super::from_text(&text).map_err(D::Error::custom)
    }
}

/// One, which may be none.
pub(crate) mod one {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        value.to_bits().serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        u64::deserialize(from).map(f64::from_bits)
    }
}

/// A list of an array's own type.
pub(crate) mod vector {
    use ndarray::Array1;
    use serde::{Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(values: &Array1<f64>, to: S) -> Result<S::Ok, S::Error> {
        super::list::serialize(&values.to_vec(), to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Array1<f64>, D::Error> {
        super::list::deserialize(from).map(Array1::from)
    }
}

/// Rows and columns.
pub(crate) mod matrix {
    use ndarray::Array2;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(values: &Array2<f64>, to: S) -> Result<S::Ok, S::Error> {
        let (rows, columns) = values.dim();
        let flat: Vec<f64> = values.iter().copied().collect();
        (rows, columns, super::to_text(&flat)).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Array2<f64>, D::Error> {
        let (rows, columns, text) = <(usize, usize, String)>::deserialize(from)?;
        let flat = super::from_text(&text).map_err(D::Error::custom)?;
        Array2::from_shape_vec((rows, columns), flat).map_err(D::Error::custom)
    }
}

/// Lists of equal length.
pub(crate) mod rows {
    use ndarray::Array2;
    use serde::{Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(rows: &[Vec<f64>], to: S) -> Result<S::Ok, S::Error> {
        let columns = rows.first().map_or(0, Vec::len);
        let flat = Array2::from_shape_vec((rows.len(), columns), rows.concat())
            .map_err(serde::ser::Error::custom)?;
        super::matrix::serialize(&flat, to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<Vec<f64>>, D::Error> {
        let flat = super::matrix::deserialize(from)?;
        if flat.nrows() > 0 && flat.ncols() == 0 {
            return Err(D::Error::custom("stored rows are empty"));
        }
        Ok(flat.rows().into_iter().map(|row| row.to_vec()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_comes_back_and_rubbish_is_refused() {
        let values = [
            0.1,
            -0.0,
            f64::NAN,
            f64::NEG_INFINITY,
            5e-324,
            -187_500.022,
            1.0 / 3.0,
        ];
        let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        let text = to_text(&values);
        assert_eq!(bits(&from_text(&text).unwrap()), bits(&values));
        assert!(from_text(&to_text(&[])).unwrap().is_empty());
        let odd = STANDARD.encode(zstd::bulk::compress(b"seven..", LEVEL).unwrap());
        for rubbish in ["*", "AAAA", &text[4..], odd.as_str()] {
            assert!(from_text(rubbish).is_err(), "{rubbish}");
        }
    }
}
