//! See `ingest::fuzzing::parse_binance`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| ingest::fuzzing::parse_binance(bytes));
