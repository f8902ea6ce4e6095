//! EEG -> phase -> connectivity -> significance -> twin -> what-if. **Not built yet**: this crate is a page that says
//! what will live here.
//!
//! Planned reading order: `source` (recordings, boards) -> `preprocess` (filters, artefacts) -> `phase` (analytic signal,
//! frequencies) -> `connectivity` (PLI, wPLI and their kin) -> `surrogate` (what noise alone would give) -> `twin` (the
//! calibrated Kuramoto network) -> `control` (what-if, closed loop) -> `report`. The streaming job will stand on the
//! generic window operators of `windowing`.
