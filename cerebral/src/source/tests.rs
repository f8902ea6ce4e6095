//! The loader on files of every dialect, whole and broken. What the recordings of the test data say is in `tests/it`.

use std::fmt::Write as _;

use super::*;

fn load_text(text: &str) -> Result<Recording, LoadError> {
    load(text.as_bytes(), &LoadOptions::default())
}

/// Rows of a Cyton: id, 8 channels and what `tail` adds.
fn cyton(header: &str, ids: impl Iterator<Item = u64>, tail: &str) -> String {
    let mut text = header.to_owned();
    for (at, id) in ids.enumerate() {
        let readings: Vec<String> = (0..8)
            .map(|channel| format!("{}.{:02}", channel * 100 + 7, at % 100))
            .collect();
        writeln!(text, "{id}, {}{tail}", readings.join(", ")).unwrap();
    }
    text
}

const V3: &str = "%OpenBCI Raw EEG Data\n%\n%Sample Rate = 250.0 Hz\n%First Column = SampleIndex\n%Other Columns = EEG data in microvolts followed by Accel Data\n";

#[test]
fn each_openbci_dialect_gives_the_same_samples() {
    let v4 = format!("{V3}%Last Column = Timestamp \n");
    let gui = "%OpenBCI Raw EXG Data\n%Number of channels = 8\n%Sample Rate = 250 Hz\n%Board = OpenBCI_GUI$BoardCytonSerial\n";
    let zeros = ", 0".repeat(10);
    let names: Vec<String> = (0..8)
        .map(|channel| format!("EXG Channel {channel}"))
        .collect();
    let names = format!(
        "{gui}Sample Index, {}, Accel Channel 0, Accel Channel 1, Accel Channel 2{}, Timestamp, Marker Channel, Timestamp (Formatted)\n",
        names.join(", "),
        ", Other".repeat(10)
    );
    let python = "%OBCI Data Log\n%Sample Rate = 250.0 Hz\n%First Column = Time in sec\n%Second Column = SampleIndex\n";
    let accel = ", 0.0, 0.0, 0.0";
    let mut by_python = python.to_owned();
    for (at, line) in cyton("", 0..40, accel).lines().enumerate() {
        writeln!(by_python, "{}, {line}", at as f64 / 250.0).unwrap();
    }
    let files = [
        (Dialect::OpenbciV3, cyton(V3, 0..40, accel)),
        (Dialect::OpenbciV3, cyton(V3, 0..40, ", 1")),
        (
            Dialect::OpenbciV4,
            cyton(&v4, 0..40, &format!("{accel}, 12:00:53.329")),
        ),
        (
            Dialect::OpenbciV4,
            cyton(&v4, 0..40, &format!("{accel}, 12:00:53.329, 1557936053329")),
        ),
        (
            Dialect::OpenbciGui,
            cyton(
                &names,
                0..40,
                &format!("{accel}{zeros}, 1.557936053329E9, 0.0, 12:00:53"),
            ),
        ),
        (
            Dialect::OpenbciGui,
            cyton(
                gui,
                0..40,
                &format!("{accel}{zeros}, 1557936053329, 0, 12:00:53"),
            ),
        ),
        (Dialect::OpenbciPython, by_python),
    ];
    let first = load_text(&files[0].1).unwrap();
    assert_eq!((first.n_channels(), first.n_samples()), (8, 40));
    assert_eq!(first.samples_uv[(3, 2)], 307.02);
    for (dialect, text) in files {
        let recording = load_text(&text).unwrap_or_else(|error| panic!("{dialect:?}: {error}"));
        assert_eq!(recording.dialect, dialect);
        assert_eq!(recording.samples_uv, first.samples_uv, "{dialect:?}");
        assert_eq!(recording.sample_rate_hz, 250.0);
        assert_eq!(recording.stretches(), [0..40]);
    }
}

#[test]
fn a_loss_is_a_hole_a_restart_a_boundary_and_an_inserted_row_is_left_out() {
    let ids = (0..20).chain(25..40).chain(0..20).chain([77]).chain(20..40);
    let recording = load_text(&cyton(V3, ids, ", 0, 0, 0")).unwrap();
    assert_eq!(
        recording.numbering.gaps,
        [Gap {
            row: 19,
            missing: 5
        }]
    );
    assert_eq!(recording.numbering.restarts, [34]);
    assert_eq!(recording.numbering.inserted, [55]);
    assert_eq!(recording.n_samples(), 80);
    assert_eq!(recording.stretches(), [0..20, 25..40, 40..80]);
    assert_eq!(recording.longest_stretch(), 40..80);
    assert!(
        recording
            .samples_uv
            .column(22)
            .iter()
            .all(|value| value.is_nan())
    );
}

#[test]
fn broken_rows_are_holes_in_the_middle_and_cut_off_at_the_ends() {
    let mut lines: Vec<String> = cyton(V3, 0..60, ", 0, 0, 0")
        .lines()
        .map(str::to_owned)
        .collect();
    lines[5] = "0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0".to_owned();
    lines[25] = lines[25].replace("107.20", "nan");
    lines[35].truncate(20);
    let last = lines.len() - 1;
    lines[last].truncate(30);
    let recording = load_text(&lines.join("\n")).unwrap();
    assert_eq!(recording.n_samples(), 58);
    assert_eq!(recording.stretches(), [0..19, 20..29, 30..58]);
    assert_eq!(recording.quality.zero_rows, 1);
    let reasons: Vec<(usize, &str)> = recording
        .quality
        .bad_rows
        .iter()
        .map(|bad| (bad.row, bad.reason.as_str()))
        .collect();
    assert_eq!(reasons[0], (26, "channel 2: `nan` is not a number"));
    assert!(
        reasons[1].0 == 36 && reasons[1].1.ends_with("fields of 12"),
        "{reasons:?}"
    );
    assert_eq!(reasons.len(), 3);
}

#[test]
fn railed_and_flat_channels_and_repeated_rows_are_counted() {
    let mut text = V3.to_owned();
    for at in 0..100 {
        let alive = if at == 50 { 49 } else { at };
        let railed = if at < 30 { "187500.00" } else { "-187500.02" };
        let half = if at < 40 {
            12.5
        } else {
            12.5 + f64::from(alive)
        };
        writeln!(
            text,
            "{at}, {alive}.5, {railed}, {half}, 0, 0, 0, 0, 0, 0, 0, 0"
        )
        .unwrap();
    }
    let quality = load_text(&text).unwrap().quality;
    assert_eq!(quality.railed[..2], [0.0, 1.0]);
    assert_eq!(quality.flat[..4], [0.0, 0.0, 0.4, 1.0]);
    assert_eq!(quality.repeated_rows, 1);
}

#[test]
fn brainflow_files_are_known_by_their_columns() {
    let file = |columns: usize, stamp_column: usize, rate: f64, comma: bool| {
        let mut text = String::new();
        for at in 0..50 {
            let fields: Vec<String> = (0..columns)
                .map(|column| match column {
                    0 => format!("{at}.000000"),
                    _ if column == stamp_column => format!("{:.6}", 1.7e9 + f64::from(at) / rate),
                    _ if column == stamp_column + 1 => {
                        format!("{:.6}", if at == 20 { 3.0 } else { 0.0 })
                    }
                    _ => format!("{:.6}", f64::from(at) + 0.5),
                })
                .collect();
            let line = fields.join("\t");
            writeln!(
                text,
                "{}",
                if comma { line.replace('.', ",") } else { line }
            )
            .unwrap();
        }
        text
    };
    for (columns, stamp, rate, n_channels) in [
        (24, 22, 250.0, 8),
        (32, 30, 125.0, 16),
        (32, 30, 250.0, 16),
        (15, 13, 200.0, 4),
    ] {
        for comma in [false, true] {
            let recording = load_text(&file(columns, stamp, rate, comma)).unwrap();
            assert_eq!(recording.dialect, Dialect::Brainflow);
            assert_eq!(
                (recording.n_channels(), recording.sample_rate_hz),
                (n_channels, rate)
            );
            assert_eq!(recording.samples_uv[(1, 7)], 7.5);
            assert_eq!(recording.markers.len(), 1);
            assert_eq!(
                (
                    recording.markers[0].at_s,
                    recording.markers[0].text.as_str()
                ),
                (20.0 / rate, "3")
            );
            let said = recording.quality.stamp_rate_hz.unwrap();
            assert!((said / rate - 1.0).abs() < 1e-3, "{said}");
        }
    }
    let unclear = load_text(&file(32, 30, 500.0, false));
    assert!(
        matches!(unclear, Err(LoadError::UnknownBoard { fields: 32 })),
        "{unclear:?}"
    );
    let named = LoadOptions {
        board: Some(Board::CytonDaisy),
        ..LoadOptions::default()
    };
    assert_eq!(
        load(file(32, 30, 500.0, false).as_bytes(), &named)
            .unwrap()
            .sample_rate_hz,
        125.0
    );
}

#[test]
fn a_plain_table_is_read_by_its_names_with_any_separator() {
    for (separator, comma) in [(",", false), (";", true), ("\t", false), ("  ", false)] {
        let mut text = ["Time (s)", "Fp1", "Fp2", "Event"]
            .join(separator)
            .replace(" (s)", "");
        text.push('\n');
        for at in 0..40 {
            let row = [
                f64::from(at) / 200.0,
                f64::from(at) + 0.25,
                -f64::from(at) - 0.5,
                f64::from(u8::from(at == 8)),
            ];
            let row: Vec<String> = row.iter().map(f64::to_string).collect();
            let line = row.join(separator);
            writeln!(
                text,
                "{}",
                if comma { line.replace('.', ",") } else { line }
            )
            .unwrap();
        }
        let recording = load_text(&text).unwrap_or_else(|error| panic!("{separator:?}: {error}"));
        assert_eq!(
            (recording.dialect, recording.sample_rate_hz),
            (Dialect::Csv, 200.0)
        );
        assert_eq!(recording.channels, ["Fp1", "Fp2"]);
        assert_eq!(recording.samples_uv[(1, 3)], -3.5);
        assert_eq!(recording.markers[0].at_s, 0.04);
    }
}

#[test]
fn a_plain_table_without_a_clock_needs_a_rate() {
    let text: String = (0..40).map(|at| format!("{at},{}\n", at * 2)).collect();
    assert!(matches!(load_text(&text), Err(LoadError::NoRate)));
    let with_rate = LoadOptions {
        sample_rate_hz: Some(128.0),
        ..LoadOptions::default()
    };
    let recording = load(text.as_bytes(), &with_rate).unwrap();
    assert_eq!(
        (recording.n_channels(), recording.sample_rate_hz),
        (2, 128.0)
    );
    assert_eq!(recording.channels, ["1", "2"]);
}

#[test]
fn what_is_no_recording_is_refused_with_the_reason() {
    let says = |bytes: &[u8]| {
        load(bytes, &LoadOptions::default())
            .unwrap_err()
            .to_string()
    };
    assert_eq!(says(b""), "the file is empty");
    assert_eq!(says(b" \n\n"), "the file is empty");
    assert!(says(b"\x7fELF\x02\x01\x01\0\0\0").contains("byte 0 is 0x7f"));
    assert!(
        says(b"hello\nworld\n").starts_with("no row of numbers"),
        "{}",
        says(b"hello\nworld\n")
    );
    assert!(says(&[0x1f, 0x8b, 1, 2, 3]).contains("gzip"));
    assert!(says(V3.as_bytes()).starts_with("no row of numbers"));
    assert!(says(cyton(V3, 0..3, ", 0, 0, 0").as_bytes()).starts_with("only 3 usable samples"));
    let nan = cyton(V3, 0..40, ", 0, 0, 0").replace("7.", "nan.");
    let said = says(nan.as_bytes());
    assert!(
        said.contains("row 6: channel 1: `nan.00` is not a number"),
        "{said}"
    );
    for rate in ["abc", "0 Hz", "-250 Hz", "1e12 Hz"] {
        let said = says(cyton(&V3.replace("250.0 Hz", rate), 0..40, ", 0, 0, 0").as_bytes());
        assert!(said.contains("in row 3 is not a number of hertz"), "{said}");
    }
    assert!(says(b"0       \0\0\0\0").contains("the header ends"));
}

#[test]
fn a_packed_file_is_the_file() {
    let text = cyton(V3, 0..40, ", 0, 0, 0");
    let plain = load_text(&text).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, text.as_bytes()).unwrap();
    assert_eq!(
        load(&gzip.finish().unwrap(), &LoadOptions::default()).unwrap(),
        plain
    );
    let zstd = zstd::stream::encode_all(text.as_bytes(), 1).unwrap();
    assert_eq!(load(&zstd, &LoadOptions::default()).unwrap(), plain);
}

mod edf {
    use super::*;

    /// A file of two voltages, a temperature and annotations; each record lasts a second at 20 Hz.
    fn file(bdf: bool, starts: &[f64], reserved: &str) -> Vec<u8> {
        let labels = [
            "EEG Fp1",
            "EEG Fp2",
            "Temp",
            if bdf {
                "BDF Annotations"
            } else {
                "EDF Annotations"
            },
        ];
        let units = ["uV", "mV", "degC", ""];
        let (width, limit) = if bdf { (3, 8_388_607) } else { (2, 32_767) };
        let per_record = [20, 20, 20, 30];
        let mut out = Vec::new();
        let mut put = |text: &str, length: usize| out.extend(format!("{text:<length$}").bytes());
        put(if bdf { "\u{7f}BIOSEMI" } else { "0" }, 8);
        put("", 160);
        put("01.01.2601.01.00"[..16].as_ref(), 16);
        put("1280", 8);
        put(reserved, 44);
        put(&starts.len().to_string(), 8);
        put("1", 8);
        put("4", 4);
        labels.iter().for_each(|label| put(label, 16));
        labels.iter().for_each(|_| put("", 80));
        units.iter().for_each(|unit| put(unit, 8));
        labels.iter().for_each(|_| put("-1000", 8));
        labels.iter().for_each(|_| put("1000", 8));
        labels.iter().for_each(|_| put(&(-limit).to_string(), 8));
        labels.iter().for_each(|_| put(&limit.to_string(), 8));
        labels.iter().for_each(|_| put("", 80));
        per_record.iter().for_each(|n| put(&n.to_string(), 8));
        labels.iter().for_each(|_| put("", 32));
        if bdf {
            out[0] = 0xff;
        }
        for (record, start) in starts.iter().enumerate() {
            for signal in 0..3_i32 {
                for sample in 0..20_i32 {
                    let digital: i32 = if record == 0 && sample == 0 {
                        limit
                    } else {
                        100 * signal + sample
                    };
                    out.extend(&digital.to_le_bytes()[..width]);
                }
            }
            let mut list = format!("+{start}\u{14}\u{14}\0");
            if record == 1 {
                write!(list, "+{}\u{15}0.5\u{14}eyes closed\u{14}\0", start + 0.25).unwrap();
            }
            let mut list = list.into_bytes();
            list.resize(30 * width, 0);
            out.extend(list);
        }
        out
    }

    #[test]
    fn voltages_become_microvolts_and_annotations_markers() {
        for bdf in [false, true] {
            let bytes = file(bdf, &[0.0, 1.0, 2.0], if bdf { "24BIT" } else { "EDF+C" });
            let recording = load(&bytes, &LoadOptions::default()).unwrap();
            assert_eq!(
                recording.dialect,
                if bdf { Dialect::Bdf } else { Dialect::Edf }
            );
            assert_eq!(recording.channels, ["Fp1", "Fp2"]);
            assert_eq!(
                (recording.sample_rate_hz, recording.n_samples()),
                (20.0, 60)
            );
            let step_uv = 1_000.0 / if bdf { 8_388_607.0 } else { 32_767.0 };
            assert!((recording.samples_uv[(0, 25)] - 5.0 * step_uv).abs() < 1e-9);
            assert!((recording.samples_uv[(1, 25)] - 105.0 * step_uv * 1_000.0).abs() < 1e-6);
            assert_eq!(recording.quality.railed, [1.0 / 60.0, 1.0 / 60.0]);
            assert_eq!(
                recording.quality.left_out,
                ["Temp: its unit `degC` is no voltage"]
            );
            let closed = Marker {
                at_s: 1.25,
                duration_s: 0.5,
                text: "eyes closed".to_owned(),
            };
            assert_eq!(recording.markers, [closed]);
        }
    }

    #[test]
    fn an_interrupted_file_has_holes_where_nothing_was_recorded() {
        let bytes = file(false, &[0.0, 1.0, 4.0], "EDF+D");
        let recording = load(&bytes, &LoadOptions::default()).unwrap();
        assert_eq!(recording.n_samples(), 100);
        assert_eq!(recording.stretches(), [0..40, 80..100]);
        assert_eq!(
            recording.numbering.gaps,
            [Gap {
                row: 39,
                missing: 40
            }]
        );
    }

    #[test]
    fn a_cut_file_gives_its_whole_records_and_rubbish_a_reason() {
        let whole = file(false, &[0.0, 1.0, 2.0], "EDF+C");
        let cut = load(&whole[..whole.len() - 10], &LoadOptions::default()).unwrap();
        assert_eq!(cut.n_samples(), 40);
        let mut rubbish = whole.clone();
        rubbish[252..256].copy_from_slice(b"many");
        let said = load(&rubbish, &LoadOptions::default())
            .unwrap_err()
            .to_string();
        assert!(said.contains("the number of signals is `many`"), "{said}");
        for end in [10, 300, 256 * 5] {
            assert!(load(&whole[..end], &LoadOptions::default()).is_err());
        }
        let backwards = file(false, &[0.0, 4.0, 1.0], "EDF+D");
        assert!(
            load(&backwards, &LoadOptions::default())
                .unwrap_err()
                .to_string()
                .contains("begins at 1 s")
        );
    }
}
