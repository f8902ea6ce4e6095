//! See `ingest::fuzzing::parse_coinbase_advanced`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ingest::fuzzing::parse_coinbase_advanced(bytes));
