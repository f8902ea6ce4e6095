//! See `cerebral::fuzzing::board_line`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cerebral::fuzzing::board_line(bytes));
