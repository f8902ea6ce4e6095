//! See `ingest::fuzzing::capture_reader`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ingest::fuzzing::capture_reader(bytes));
