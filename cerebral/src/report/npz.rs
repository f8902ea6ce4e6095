//! The arrays as one NPZ file, for NumPy: `np.load(F)["wpli"]`.

use std::io::Cursor;

use ndarray::{Array1, Array2, Array3};
use ndarray_npy::{NpzWriter, WriteNpzError};

use crate::analyze::{Analysis, BandResult};

/// The bytes of an NPZ file. Arrays have the names of the JSON's fields, those of further bands with the band before them
/// (`4-8hz/wpli`); what is not there is NaN.
///
/// # Errors
/// None that memory does not give.
pub fn npz(analysis: &Analysis) -> Result<Vec<u8>, WriteNpzError> {
    let mut file = NpzWriter::new_compressed(Cursor::new(Vec::new()));
    let n_channels = analysis.recording.channels.len();
    of_band(&mut file, "", &analysis.band, n_channels)?;
    for band in &analysis.further_bands {
        let [low, high] = band.analysis.band_hz;
        of_band(&mut file, &format!("{low}-{high}hz/"), band, n_channels)?;
    }
    if let Some(twin) = &analysis.twin {
        file.add_array("omega_hz", &line(&twin.omega_hz))?;
        file.add_array("coupling_rad_s", &twin.coupling_rad_s.0)?;
        if let Some(sd) = &twin.coupling_sd_rad_s {
            file.add_array("coupling_sd_rad_s", &sd.0)?;
        }
        file.add_array("noise_rad_sqrt_s", &line(&twin.noise_rad_sqrt_s))?;
        file.add_array("amplitude_uv", &line(&twin.amplitude_uv))?;
        if let Some(order) = &twin.order_parameter {
            file.add_array("order_t_s", &line(&order.t_s))?;
            file.add_array("order_measured", &line(&order.measured))?;
            file.add_array("order_simulated", &line(&order.simulated))?;
        }
    }
    Ok(file.finish()?.into_inner())
}

type Writer = NpzWriter<Cursor<Vec<u8>>>;

fn of_band(
    file: &mut Writer,
    prefix: &str,
    band: &BandResult,
    n_channels: usize,
) -> Result<(), WriteNpzError> {
    for (measure, matrix) in &band.measures {
        file.add_array(format!("{prefix}{measure}"), &matrix.0)?;
    }
    if let Some(power) = &band.relative_power {
        file.add_array(format!("{prefix}relative_power"), &line(power))?;
    }
    if let Some(frequency) = &band.frequency_hz {
        file.add_array(format!("{prefix}frequency_mean_hz"), &line(&frequency.mean))?;
        file.add_array(
            format!("{prefix}frequency_median_hz"),
            &line(&frequency.median),
        )?;
        file.add_array(
            format!("{prefix}frequency_power_weighted_hz"),
            &line(&frequency.power_weighted),
        )?;
        file.add_array(
            format!("{prefix}frequency_slope_hz"),
            &line(&frequency.slope),
        )?;
    }
    if let Some(test) = &band.surrogates {
        for (name, one) in [("pli", &test.pli), ("wpli", &test.wpli)] {
            file.add_array(format!("{prefix}{name}_p"), &one.pairs_p.0)?;
            file.add_array(format!("{prefix}{name}_q_bh"), &one.pairs_q_bh.0)?;
            file.add_array(format!("{prefix}{name}_p_max"), &one.pairs_p_max.0)?;
            file.add_array(format!("{prefix}{name}_null_means"), &line(&one.null_means))?;
        }
    }
    if let Some(windows) = &band.windows {
        // Start, PLI, wPLI, order parameter.
        let table = Array2::from_shape_fn((windows.len(), 4), |(row, column)| {
            let window = &windows[row];
            [window.start_s, window.pli_mean, window.wpli_mean, window.r][column]
        });
        file.add_array(format!("{prefix}windows"), &table)?;
        let power = Array2::from_shape_fn((windows.len(), n_channels), |(row, channel)| {
            windows[row].relative_power[channel]
        });
        file.add_array(format!("{prefix}windows_relative_power"), &power)?;
        if windows.iter().any(|window| window.coupling_rad_s.is_some()) {
            let shape = (windows.len(), n_channels, n_channels);
            let coupling = Array3::from_shape_fn(shape, |(row, i, j)| {
                let coupling = windows[row].coupling_rad_s.as_ref();
                coupling.map_or(f64::NAN, |coupling| coupling.0[[i, j]])
            });
            file.add_array(format!("{prefix}windows_coupling_rad_s"), &coupling)?;
        }
    }
    Ok(())
}

fn line(values: &[f64]) -> Array1<f64> {
    Array1::from(values.to_vec())
}
