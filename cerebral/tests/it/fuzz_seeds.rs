//! Every seed and every regression of the fuzz targets, through the same functions, and spoilt recordings besides.

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

/// One of a target's seeds, by a number.
fn seed(target: &str, number: usize) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
    let folder = folder.join(target);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    std::fs::read(&files[number % files.len()]).unwrap()
}

/// Sets, inserts and removes bytes.
fn spoil(bytes: &mut Vec<u8>, spoils: &[(usize, u8, u8)]) {
    for &(at, byte, how) in spoils {
        let at = at % bytes.len().max(1);
        match how {
            1 => bytes.insert(at, byte),
            _ if bytes.is_empty() => {}
            0 => bytes[at] = byte,
            _ => drop(bytes.remove(at)),
        }
    }
}

/// 300 cases, or more where `PROPTEST_CASES` asks for them.
fn config() -> ProptestConfig {
    let asked = ProptestConfig::default();
    ProptestConfig {
        cases: asked.cases.max(300),
        failure_persistence: None,
        ..asked
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_bytes_give_a_recording_or_a_reason(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        cerebral::fuzzing::load_recording(&bytes);
    }

    #[test]
    fn a_spoilt_recording_gives_what_is_good_or_a_reason(
        number in any::<usize>(),
        spoils in proptest::collection::vec((0_usize..4_000, any::<u8>(), 0_u8..3), 0..12)
    ) {
        let mut bytes = seed("load_recording", number);
        spoil(&mut bytes, &spoils);
        cerebral::fuzzing::load_recording(&bytes);
    }

    #[test]
    fn a_spoilt_line_of_a_board_gives_no_more_than_its_packets(
        number in any::<usize>(),
        spoils in proptest::collection::vec((0_usize..4_000, any::<u8>(), 0_u8..3), 0..40)
    ) {
        let mut bytes = seed("board_line", number);
        spoil(&mut bytes, &spoils);
        cerebral::fuzzing::board_line(&bytes);
    }

    #[test]
    fn a_spoilt_datagram_gives_samples_or_a_reason(
        number in any::<usize>(),
        spoils in proptest::collection::vec((0_usize..4_000, any::<u8>(), 0_u8..3), 0..4)
    ) {
        let mut bytes = seed("gui_datagram", number);
        spoil(&mut bytes, &spoils);
        cerebral::fuzzing::gui_datagram(&bytes);
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
