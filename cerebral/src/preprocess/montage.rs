//! Where electrodes sit: the 10-20 and 10-10 names on a sphere.
//!
//! In: names of channels. Out: positions on the unit sphere, x to the right ear, y to the nose, z up through Cz. OpenBCI's files
//! name no electrodes, so somebody has to; EDF and BDF files mostly do. Absent: measured positions, head models.
//!
//! Source: key `oostenveld-2001` in `docs/references.bib` for names and rule (electrodes at tenths of the arcs between nasion,
//! inion and the points before the ears); positions are computed from that rule on a sphere, not copied from a table.

mod interpolate;
mod positions;

pub use positions::standard_position;

use crate::error::AnalysisError;

/// Where each channel sits, in the order of the recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Montage {
    names: Vec<String>,
    positions: Vec<Option<[f64; 3]>>,
}

impl Montage {
    /// One standard name per channel; `-` for a channel that is on no scalp position.
    ///
    /// # Errors
    /// [`AnalysisError::Setting`] for a name that is no standard position, one used twice, or another number of names than
    /// `n_channels`.
    pub fn named(names: &[String], n_channels: usize) -> Result<Self, AnalysisError> {
        if names.len() != n_channels {
            return Err(AnalysisError::setting(
                "montage",
                format!("{} names", names.len()),
                format!("one name per channel, {n_channels} of them"),
            ));
        }
        let mut positions = Vec::with_capacity(names.len());
        for (at, name) in names.iter().enumerate() {
            let place = if name.trim() == "-" {
                None
            } else {
                Some(standard_position(name).ok_or_else(|| {
                    AnalysisError::setting(
                        "montage",
                        name,
                        "a 10-20 or 10-10 name such as Fp1, C3, POz, or `-` for none",
                    )
                })?)
            };
            if place.is_some() && positions.contains(&place) {
                let first = positions
                    .iter()
                    .position(|other| *other == place)
                    .unwrap_or(at);
                return Err(AnalysisError::setting(
                    "montage",
                    name,
                    format!("a position of its own: `{}` is there already", names[first]),
                ));
            }
            positions.push(place);
        }
        Ok(Self {
            names: names.iter().map(|name| name.trim().to_owned()).collect(),
            positions,
        })
    }

    /// The montage that the channels' own names tell; `None` unless every one is a standard position.
    pub fn of_channels(channels: &[String]) -> Option<Self> {
        let bare: Vec<String> = channels
            .iter()
            .map(|name| positions::bare(name).to_owned())
            .collect();
        Self::named(&bare, channels.len()).ok()
    }

    /// Names, one per channel; `-` where there is no position.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Positions on the unit sphere, one per channel.
    pub fn positions(&self) -> &[Option<[f64; 3]>] {
        &self.positions
    }

    /// The channels over the eyes: where blinks are greatest.
    pub fn frontal(&self) -> Vec<usize> {
        /// Fp and AF lie beyond this.
        const FRONT: f64 = 0.75;
        let frontal = |place: &Option<[f64; 3]>| place.is_some_and(|[_, y, _]| y > FRONT);
        let all = self.positions.iter().enumerate();
        all.filter(|(_, place)| frontal(place))
            .map(|(index, _)| index)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.split(',').map(str::to_owned).collect()
    }

    #[test]
    fn a_montage_is_told_or_read_from_the_channels_names() {
        let told = Montage::named(&names("Fp1,Fp2,C3,C4,P7,P8,O1,-"), 8).unwrap();
        assert_eq!(told.frontal(), [0, 1]);
        assert_eq!(told.positions()[7], None);
        let read = Montage::of_channels(&names("EEG Fp1-REF,Fp2.,c3,T3"));
        assert!(read.is_some_and(|read| read.positions().iter().all(Option::is_some)));
        assert_eq!(
            Montage::of_channels(&names("EXG Channel 0,EXG Channel 1")),
            None
        );
        assert_eq!(Montage::of_channels(&names("Fp1-F7,F7-T3")), None);
    }

    #[test]
    fn what_is_no_position_or_one_twice_is_refused_by_name() {
        let says = |text: &str, n| Montage::named(&names(text), n).unwrap_err().to_string();
        assert!(says("Fp1,Q7", 2).contains("`montage` is Q7"));
        assert!(says("Fp1,Fp2", 3).contains("3 of them"));
        assert!(says("T3,T7", 2).contains("`T3` is there already"));
    }
}
