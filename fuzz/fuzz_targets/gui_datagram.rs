//! See `cerebral::fuzzing::gui_datagram`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cerebral::fuzzing::gui_datagram(bytes));
