//! The 10-10 system's rule on a sphere.
//!
//! ```text
//!            Nz   90 from Cz          rows: where the row crosses the midline (degrees from Cz, front positive)
//!         Fp1  Fpz  Fp2  72                 and where its ends 7 and 8 lie on the ring (degrees from the front)
//!      F7   F3  Fz  F4   F8 36        a row is the arc through its left end, its middle and its right end,
//!    T7    C3   Cz   C4    T8  0      with 5, 3 and 1 at three, two and one quarters from the middle
//! ```

/// Inclination of the ring through Fpz, T7, Oz and T8, degrees from Cz: a tenth of the half circle above nasion and ears.
const RING: f64 = 72.0;
/// Inclination of the lower ring: 9 and 10.
const LOWER_RING: f64 = 90.0;

/// Names of a row, where it crosses the midline, where its left end lies on the ring.
struct Row {
    inner: &'static str,
    outer: &'static str,
    midline: f64,
    end: f64,
}

const fn row(inner: &'static str, outer: &'static str, midline: f64, end: f64) -> Row {
    Row {
        inner,
        outer,
        midline,
        end,
    }
}

/// Rows from front to back. `outer` names 7 to 10, `inner` the rest.
const ROWS: [Row; 7] = [
    row("AF", "AF", 54.0, 36.0),
    row("F", "F", 36.0, 54.0),
    row("FC", "FT", 18.0, 72.0),
    row("C", "T", 0.0, 90.0),
    row("CP", "TP", -18.0, 108.0),
    row("P", "P", -36.0, 126.0),
    row("PO", "PO", -54.0, 144.0),
];

/// Positions that belong to no row: inclination and direction from the front, degrees, the left positive.
const SINGLE: [(&str, f64, f64); 8] = [
    ("NZ", 90.0, 0.0),
    ("FPZ", RING, 0.0),
    ("FP1", RING, 18.0),
    ("FP2", RING, -18.0),
    ("OZ", RING, 180.0),
    ("O1", RING, 162.0),
    ("O2", RING, -162.0),
    ("IZ", 90.0, 180.0),
];

/// Names of the 10-20 system that the 10-10 system renamed.
const RENAMED: [(&str, &str); 4] = [("T3", "T7"), ("T4", "T8"), ("T5", "P7"), ("T6", "P8")];

/// A name without what files put about it: `EEG Fp1-REF`, `Fp1.`
pub(super) fn bare(name: &str) -> &str {
    const REFERENCES: [&str; 9] = ["REF", "LE", "AVG", "AVE", "A1", "A2", "M1", "M2", "AR"];
    let name = name.trim();
    let name = name.strip_prefix("EEG ").unwrap_or(name).trim();
    let name = match name.split_once('-') {
        Some((name, against)) if REFERENCES.iter().any(|it| it.eq_ignore_ascii_case(against)) => {
            name
        }
        _ => name,
    };
    name.trim_end_matches('.').trim()
}

/// The position of a 10-20 or 10-10 name on the unit sphere (x right, y front, z up); `None` if it is none. Case does not matter.
pub fn standard_position(name: &str) -> Option<[f64; 3]> {
    let name = name.trim().to_ascii_uppercase();
    let renamed = RENAMED.iter().find(|(old, _)| *old == name);
    let name = renamed.map_or(name.as_str(), |(_, new)| new);
    if let Some((_, inclination, direction)) = SINGLE.iter().find(|(single, _, _)| *single == name)
    {
        return Some(on_sphere(*inclination, *direction));
    }
    let digits = name.find(|c: char| c.is_ascii_digit());
    let (letters, number) = match digits {
        Some(at) => (
            &name[..at],
            name[at..].parse::<u8>().ok().filter(|n| *n > 0)?,
        ),
        None => (name.strip_suffix('Z')?, 0),
    };
    let row = ROWS
        .iter()
        .find(|row| letters == if number >= 7 { row.outer } else { row.inner })?;
    let left = number % 2 == 1;
    let turn = |[x, y, z]: [f64; 3]| if left { [x, y, z] } else { [-x, y, z] };
    match number {
        0 => Some(on_sphere(row.midline, 0.0)),
        1..=8 => Some(turn(row.at(f64::from(number.div_ceil(2)) / 4.0))),
        9 | 10 => Some(turn(on_sphere(LOWER_RING, row.end))),
        _ => None,
    }
}

/// `inclination` from Cz, `direction` from the front, left positive; degrees.
fn on_sphere(inclination: f64, direction: f64) -> [f64; 3] {
    let (inclination, direction) = (inclination.to_radians(), direction.to_radians());
    let flat = inclination.sin();
    [
        -flat * direction.sin(),
        flat * direction.cos(),
        inclination.cos(),
    ]
}

impl Row {
    /// The point of the arc at a share of the way from the midline to the left end.
    fn at(&self, share: f64) -> [f64; 3] {
        let middle = on_sphere(self.midline, 0.0);
        let [x, y, z] = on_sphere(RING, self.end);
        // In the plane of the arc: `half` from the chord's middle to its end, `height` from there up to the arc's middle.
        let half = -x;
        let up = [middle[1] - y, middle[2] - z];
        let height = up[0].hypot(up[1]);
        let centre = (height * height - half * half) / (2.0 * height);
        let radius = height - centre;
        let angle = half.atan2(-centre) * share;
        let rise = (centre + radius * angle.cos()) / height;
        [-radius * angle.sin(), y + rise * up[0], z + rise * up[1]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The angle between two positions seen from the middle of the head, degrees.
    fn apart(one: &str, other: &str) -> f64 {
        let (a, b) = (
            standard_position(one).unwrap(),
            standard_position(other).unwrap(),
        );
        let dot: f64 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
        dot.clamp(-1.0, 1.0).acos().to_degrees()
    }

    #[test]
    fn tenths_of_the_arcs_are_eighteen_degrees() {
        for (one, other, degrees) in [
            ("Cz", "Fpz", 72.0),
            ("Cz", "FCz", 18.0),
            ("Fz", "Pz", 72.0),
            ("Cz", "C3", 36.0),
            ("C3", "T7", 36.0),
            ("Cz", "T8", 72.0),
            ("Nz", "Cz", 90.0),
            ("T9", "T7", 18.0),
        ] {
            assert!(
                (apart(one, other) - degrees).abs() < 1e-9,
                "{one} {other}: {}",
                apart(one, other)
            );
        }
    }

    #[test]
    fn every_name_is_on_the_sphere_at_a_place_of_its_own_and_mirrored() {
        let mut seen: Vec<[f64; 3]> = Vec::new();
        for row in &ROWS {
            for number in 1..=10 {
                let letters = if number >= 7 { row.outer } else { row.inner };
                let place = standard_position(&format!("{letters}{number}")).unwrap();
                let [x, y, z] = place;
                assert!(
                    (x * x + y * y + z * z - 1.0).abs() < 1e-12,
                    "{letters}{number}"
                );
                assert_eq!(x < 0.0, number % 2 == 1);
                let twin = if number % 2 == 1 {
                    number + 1
                } else {
                    number - 1
                };
                assert_eq!(
                    standard_position(&format!("{letters}{twin}")),
                    Some([-x, y, z])
                );
                assert!(
                    seen.iter()
                        .all(|other| (0..3).any(|at| (other[at] - place[at]).abs() > 1e-3))
                );
                seen.push(place);
            }
        }
    }

    #[test]
    fn old_names_and_any_case_are_known_and_others_are_not() {
        assert_eq!(standard_position("t3"), standard_position("T7"));
        assert_eq!(standard_position("FZ"), standard_position("Fz"));
        for name in [
            "",
            "Z",
            "7",
            "X3",
            "T5x",
            "C11",
            "FT3",
            "T1",
            "EXG Channel 0",
            "F0",
            "é1",
        ] {
            assert_eq!(standard_position(name), None, "{name}");
        }
    }
}
