//! Every seed and every regression of the fuzz targets, through the same functions, and spoilt recordings besides.

use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;

#[test]
fn every_seed_and_regression_of_every_fuzz_target_passes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    for (name, target) in cerebral::fuzzing::TARGETS {
        let mut run = 0;
        for kind in ["seeds", "regressions"] {
            let files = folder.join(kind).join(name);
            for file in std::fs::read_dir(&files).unwrap() {
                let path = file.unwrap().path();
                eprintln!("{}", path.display());
                target(&std::fs::read(&path).unwrap());
                run += 1;
            }
        }
        assert!(run > 3, "{name} has no seeds");
        let source = folder.join("fuzz_targets").join(name);
        assert!(source.with_extension("rs").is_file(), "{name} is no target");
    }
}

/// A small recording of an OpenBCI GUI.
fn gui() -> String {
    let mut text = "%OpenBCI Raw EXG Data\n%Number of channels = 4\n%Sample Rate = 200 Hz\n%Board = OpenBCI_GUI$BoardGanglion\n\
        Sample Index, EXG Channel 0, EXG Channel 1, EXG Channel 2, EXG Channel 3, Timestamp, Marker\n"
        .to_owned();
    for at in 0..60 {
        writeln!(
            text,
            "{at}, 1.5, -2.{at}, 3e2, {}, {}, 0",
            at * at,
            1.7e12 + f64::from(at) * 5.0
        )
        .unwrap();
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_give_a_recording_or_a_reason(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        cerebral::fuzzing::load_recording(&bytes);
    }

    #[test]
    fn a_spoilt_recording_gives_what_is_good_or_a_reason(
        spoils in proptest::collection::vec((0_usize..4_000, any::<u8>(), 0_u8..3), 0..12)
    ) {
        let mut bytes = gui().into_bytes();
        for (at, byte, how) in spoils {
            let at = at % bytes.len();
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => { bytes.remove(at); }
            }
        }
        cerebral::fuzzing::load_recording(&bytes);
    }

    #[test]
    fn any_lines_of_numbers_give_a_recording_or_a_reason(
        rows in proptest::collection::vec(proptest::collection::vec(
            prop_oneof![any::<i64>().prop_map(|n| n.to_string()), any::<f64>().prop_map(|n| n.to_string()), ".{0,6}"], 0..7), 0..40),
        separator in prop_oneof![Just(","), Just(";"), Just("\t"), Just(" ")],
        head in prop_oneof![Just(""), Just("%x\n"), Just("time,a,b\n"), Just("Sample Index,EXG Channel 0\n"), Just("id;a;b\n")],
    ) {
        let rows: Vec<String> = rows.iter().map(|row| row.join(separator)).collect();
        cerebral::fuzzing::load_recording(format!("{head}{}", rows.join("\n")).as_bytes());
    }
}
