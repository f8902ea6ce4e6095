//! Tables: one file per kind of figure, with a row of names.

use csv::Writer;

use crate::analyze::{Analysis, BandResult, Matrix};

/// Every table of a result as name and text; the names end in `.csv`.
///
/// Matrices have a row and a column per channel, the first column naming the row; what is not there is an empty field.
pub fn tables(analysis: &Analysis) -> Vec<(String, String)> {
    let names = &analysis.recording.channels;
    let mut tables = Vec::new();
    let bands = std::iter::once(&analysis.band).chain(&analysis.further_bands);
    for band in bands {
        // The first band's files have plain names, the others' their band before it.
        let prefix = if std::ptr::eq(band, &raw const analysis.band) {
            String::new()
        } else {
            format!(
                "{}-{}hz-",
                band.analysis.band_hz[0], band.analysis.band_hz[1]
            )
        };
        tables.extend(
            of_band(band, names)
                .into_iter()
                .map(|(name, text)| (format!("{prefix}{name}.csv"), text)),
        );
    }
    if let Some(twin) = &analysis.twin {
        tables.push((
            "coupling_rad_s.csv".to_owned(),
            matrix(&twin.coupling_rad_s, names),
        ));
        if let Some(sd) = &twin.coupling_sd_rad_s {
            tables.push(("coupling_sd_rad_s.csv".to_owned(), matrix(sd, names)));
        }
        let rows = names.iter().enumerate().map(|(at, name)| {
            vec![
                name.clone(),
                number(twin.omega_hz[at]),
                number(twin.noise_rad_sqrt_s[at]),
                number(twin.phase_sd_rad[at]),
                number(twin.amplitude_uv[at]),
            ]
        });
        let head = [
            "channel",
            "omega_hz",
            "noise_rad_sqrt_s",
            "phase_sd_rad",
            "amplitude_uv",
        ];
        tables.push(("twin.csv".to_owned(), table(&head, rows)));
        if let Some(order) = &twin.order_parameter {
            let rows = order.t_s.iter().zip(&order.measured).zip(&order.simulated);
            let rows = rows.map(|((t, measured), simulated)| {
                vec![number(*t), number(*measured), number(*simulated)]
            });
            tables.push((
                "order_parameter.csv".to_owned(),
                table(&["t_s", "measured", "simulated"], rows),
            ));
        }
    }
    if let Some(all) = &analysis.what_if {
        let head = [
            "node",
            "kind",
            "amplitude_rad_s",
            "frequency_hz",
            "seeds",
            "delta_r",
            "delta_r_sd",
            "effect",
            "verdict",
        ];
        let rows = all.iter().map(|one| {
            vec![
                one.channel.clone(),
                one.kind.to_owned(),
                number(one.amplitude_rad_s),
                one.frequency_hz.map_or_else(String::new, number),
                one.seeds.to_string(),
                number(one.delta_r.mean),
                number(one.delta_r.sd),
                one.effect.to_owned(),
                one.verdict.map_or("", |label| label.text()).to_owned(),
            ]
        });
        tables.push(("what_if.csv".to_owned(), table(&head, rows)));
    }
    tables
}

fn of_band(band: &BandResult, names: &[String]) -> Vec<(String, String)> {
    let mut tables: Vec<(String, String)> = band
        .measures
        .iter()
        .map(|(measure, values)| (measure.to_string(), matrix(values, names)))
        .collect();
    if let Some(test) = &band.surrogates {
        for (name, one) in [("pli", &test.pli), ("wpli", &test.wpli)] {
            tables.push((format!("{name}_p"), matrix(&one.pairs_p, names)));
            tables.push((format!("{name}_q_bh"), matrix(&one.pairs_q_bh, names)));
            tables.push((format!("{name}_p_max"), matrix(&one.pairs_p_max, names)));
        }
    }
    if let Some(frequency) = &band.frequency_hz {
        let head = [
            "channel",
            "mean_hz",
            "median_hz",
            "power_weighted_hz",
            "slope_hz",
            "negative_fraction",
            "relative_power",
        ];
        let rows = names.iter().enumerate().map(|(at, name)| {
            let figures = [
                &frequency.mean,
                &frequency.median,
                &frequency.power_weighted,
                &frequency.slope,
                &frequency.negative_fraction,
            ];
            let figures = figures.map(|figures| number(figures[at]));
            let power = band.relative_power.as_ref().map_or(f64::NAN, |all| all[at]);
            [vec![name.clone()], figures.to_vec(), vec![number(power)]].concat()
        });
        tables.push(("frequencies".to_owned(), table(&head, rows)));
    }
    if let Some(windows) = &band.windows {
        let power = names.iter().map(|name| format!("relative_power {name}"));
        let head = ["start_s", "pli_mean", "wpli_mean", "r", "wpli_p", "reason"];
        let head: Vec<String> = head.map(str::to_owned).into_iter().chain(power).collect();
        let head: Vec<&str> = head.iter().map(String::as_str).collect();
        let rows = windows.iter().map(|window| {
            let figures = vec![
                number(window.start_s),
                number(window.pli_mean),
                number(window.wpli_mean),
                number(window.r),
                window.wpli_p.map_or_else(String::new, number),
                window.reason.clone().unwrap_or_default(),
            ];
            let power = window.relative_power.iter().map(|share| number(*share));
            figures.into_iter().chain(power).collect()
        });
        tables.push(("windows".to_owned(), table(&head, rows)));
    }
    if !band.analysis.artefacts.is_empty() {
        let rows = band.analysis.artefacts.iter().map(|artefact| {
            let channels: Vec<&str> = artefact
                .channels
                .iter()
                .map(|at| names[*at].as_str())
                .collect();
            vec![
                number(artefact.start_s),
                number(artefact.end_s),
                artefact.kind.to_string(),
                channels.join(" "),
            ]
        });
        tables.push((
            "artefacts".to_owned(),
            table(&["start_s", "end_s", "kind", "channels"], rows),
        ));
    }
    tables
}

fn matrix(matrix: &Matrix, names: &[String]) -> String {
    let head: Vec<&str> = std::iter::once("channel")
        .chain(names.iter().map(String::as_str))
        .collect();
    let rows = names.iter().zip(matrix.0.rows()).map(|(name, row)| {
        let numbers = row.iter().map(|value| number(*value));
        std::iter::once(name.clone()).chain(numbers).collect()
    });
    table(&head, rows)
}

fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    const MEMORY: &str = "memory takes every byte";
    let mut writer = Writer::from_writer(Vec::new());
    writer.write_record(head).expect(MEMORY);
    for row in rows {
        writer
            .write_record(row)
            .expect("every row has the head's width");
    }
    let bytes = writer.into_inner().expect(MEMORY);
    String::from_utf8(bytes).expect("names and numbers are text")
}

/// As exact as it is; nothing where there is no number.
fn number(value: f64) -> String {
    if value.is_nan() {
        String::new()
    } else {
        value.to_string()
    }
}
