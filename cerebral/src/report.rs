//! An [`Analysis`](crate::analyze::Analysis) as people and programs read it: lines on a screen, one HTML page, CSV tables, NPZ.
//!
//! In: a result, nothing else; no figure is computed here. Out: text or bytes; whoever calls writes the files. (JSON is the
//! result itself, by serde.) HTML and SVG come from `maud`'s templates, which escape every name that a file brings along.

mod csv;
mod figure;
mod html;
mod npz;
mod scale;
mod text;
mod words;

pub use self::csv::tables;
pub use html::page;
pub use npz::npz;
pub use text::{band_lines, step_lines};

use crate::analyze::{BandResult, Label};

/// What stands above and beside every figure after step 1.5: the verdict in one sentence.
pub fn verdict_line(band: &BandResult) -> String {
    match &band.verdict {
        None => "Not tested: nothing here says whether it is more than chance.".to_owned(),
        Some(verdict) if verdict.refused => {
            "Test refused: the surrogates are not of these data. Take nothing here for coupling."
                .to_owned()
        }
        Some(verdict) if verdict.significant => format!(
            "Significant: mean wPLI exceeds that of independent channels (p = {}, alpha {}).",
            words::p(verdict.p),
            verdict.alpha
        ),
        Some(verdict) => format!(
            "Not significant: mean wPLI is no more than independent channels give (p = {}, alpha {}). What follows describes noise as well as coupling.",
            words::p(verdict.p),
            verdict.alpha
        ),
    }
}

/// The label of a step as it is shown behind its title.
pub(crate) fn label_text(label: Option<Label>) -> &'static str {
    match label {
        None => "",
        Some(Label::Significant) => "significant",
        Some(Label::NotSignificant) => "NOT SIGNIFICANT",
    }
}
