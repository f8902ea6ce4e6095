//! The crate as its users see it: recordings in, figures out.

#![expect(
    clippy::unwrap_used,
    reason = "what helpers of tests need is there, or the test fails"
)]

mod calibration;
mod causal_phase;
mod feed;
mod fixture;
mod fuzz_seeds;
mod golden;
mod networks;
mod null_calibration;
mod recordings;
mod signals;
mod surrogates;
mod twin;
