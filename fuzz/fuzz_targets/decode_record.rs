//! See `ingest::fuzzing::decode_record`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ingest::fuzzing::decode_record(bytes));
