//! See `cerebral::fuzzing::load_recording`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cerebral::fuzzing::load_recording(bytes));
