//! See `ingest::fuzzing::core_frames`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ingest::fuzzing::core_frames(bytes));
