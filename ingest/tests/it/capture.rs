//! Captures as files: packed, broken, too long, cut off, piped.

use std::io::{self, Read, Write};
use std::path::Path;

use flate2::write::GzEncoder;
use ingest::capture::{CaptureReader, CaptureWriter, Compression, FaultReason};
use proptest::prelude::*;

type Row = (i64, String, String);

fn row(received_ns: i64, venue: &str, frame: &str) -> Row {
    (received_ns, venue.to_owned(), frame.to_owned())
}

fn written(rows: &[Row], compression: Compression) -> Vec<u8> {
    let mut writer = CaptureWriter::new(Vec::new(), compression).unwrap();
    for (received_ns, venue, frame) in rows {
        writer.frame(*received_ns, venue, frame).unwrap();
    }
    writer.finish().unwrap()
}

/// Everything in a capture: its frames, and what was wrong as text.
fn read_all(mut reader: CaptureReader) -> (Vec<Row>, Vec<String>) {
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    while let Some(next) = reader.next() {
        match next {
            Ok(frame) => rows.push(row(frame.received_ns, frame.venue, &frame.frame)),
            Err(fault) => faults.push(fault.to_string()),
        }
    }
    (rows, faults)
}

fn read(bytes: Vec<u8>) -> (Vec<Row>, Vec<String>) {
    read_all(CaptureReader::new(io::Cursor::new(bytes)).unwrap())
}

fn some_rows(n: i64) -> Vec<Row> {
    (0..n)
        .map(|at| {
            row(
                at * 1_000,
                "binance",
                &format!(r#"{{"u":{},"s":"BTCUSDT"}}"#, at * 7_919),
            )
        })
        .collect()
}

const PACKINGS: [Compression; 3] = [Compression::Plain, Compression::Gzip, Compression::Zstd];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_is_written_is_read_back(
        rows in prop::collection::vec(
            (any::<i64>(), "[^\t\r\n]{1,12}", prop_oneof![any::<String>(), "[\"\\\\\t\r\n a{}]{0,9}"]),
            0..20,
        ),
        flush_at in 0_usize..20,
    ) {
        for compression in PACKINGS {
            let mut writer = CaptureWriter::new(Vec::new(), compression).unwrap();
            for (at, (received_ns, venue, frame)) in rows.iter().enumerate() {
                writer.frame(*received_ns, venue, frame).unwrap();
                if at == flush_at {
                    writer.flush().unwrap();
                }
            }
            let (back, faults) = read(writer.finish().unwrap());
            prop_assert_eq!(&back, &rows);
            prop_assert!(faults.is_empty());
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), magic in 0_usize..4) {
        let start: &[u8] = [&[], &[0x1f, 0x8b][..], &[0x28, 0xb5, 0x2f, 0xfd], &[0x50, 0x2a, 0x4d, 0x18]][magic];
        read([start, &bytes].concat());
    }
}

#[test]
fn the_packing_is_told_by_the_first_bytes_and_not_by_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let rows = some_rows(50);
    for (at, compression) in PACKINGS.into_iter().enumerate() {
        let path = folder.path().join(format!("{at}.txt"));
        let bytes = written(&rows, compression);
        std::fs::write(&path, &bytes).unwrap();
        let (reader, size) = CaptureReader::open(&path).unwrap();
        assert_eq!(size, Some(u64::try_from(bytes.len()).unwrap()));
        assert_eq!(read_all(reader), (rows.clone(), vec![]));
    }
}

#[test]
fn several_members_of_gzip_and_several_frames_of_zstd_are_one_capture() {
    let rows = some_rows(9);
    for compression in PACKINGS {
        let parts: Vec<u8> = rows
            .chunks(4)
            .flat_map(|rows| written(rows, compression))
            .collect();
        assert_eq!(read(parts), (rows.clone(), vec![]), "{compression:?}");
    }
}

/// Gives its bytes one at a time, as a slow pipe would.
struct Pipe(io::Cursor<Vec<u8>>);

impl Read for Pipe {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let n = to.len().min(1);
        self.0.read(&mut to[..n])
    }
}

#[test]
fn a_pipe_that_gives_one_byte_at_a_time_is_read_like_a_file() {
    let rows = some_rows(20);
    for compression in PACKINGS {
        let pipe = Pipe(io::Cursor::new(written(&rows, compression)));
        assert_eq!(
            read_all(CaptureReader::new(pipe).unwrap()),
            (rows.clone(), vec![])
        );
    }
}

#[test]
fn an_empty_capture_holds_nothing_and_has_no_fault() {
    for bytes in [
        vec![],
        written(&[], Compression::Gzip),
        written(&[], Compression::Zstd),
    ] {
        assert_eq!(read(bytes), (vec![], vec![]));
    }
}

#[test]
fn broken_lines_are_faults_with_their_numbers_and_the_rest_is_used() {
    let bytes = b"1\tv\t{\"a\":1}\r\n\
        no tabs\n\
        \n\
        3\tv\t\xff\xfe\n\
        4\tv\t\"half\n\
        \xef\xbb\xbf5\tv\tx\n\
        6\tv\t{\"b\":2}\r\n\
        7\tv\t{\"half"
        .to_vec();
    let (rows, faults) = read(bytes);
    assert_eq!(
        rows,
        [
            row(1, "v", r#"{"a":1}"#),
            row(6, "v", r#"{"b":2}"#),
            // Whether a frame is whole is not the capture's to judge.
            row(7, "v", r#"{"half"#),
        ]
    );
    assert_eq!(faults.len(), 5, "{faults:?}");
    assert_eq!(
        faults[0],
        "line 2: not `received_ns <TAB> venue <TAB> frame`, but `no tabs`"
    );
    assert_eq!(
        faults[1],
        "line 3: not `received_ns <TAB> venue <TAB> frame`, but ``"
    );
    assert_eq!(faults[2], "line 4: not UTF-8 from byte 5 of the line on");
    assert!(faults[3].starts_with("line 5: the frame begins with a quotation mark"));
    assert!(faults[4].starts_with("line 6: `\u{feff}5` is not a time"));
}

#[test]
fn a_line_beyond_the_limit_is_skipped_and_counted() {
    let long = "x".repeat(100);
    for end in ["\n", "\r\n"] {
        // "2<TAB>v<TAB>" and 96 letters make 100 bytes.
        let text = format!(
            "1\tv\ta{end}2\tv\t{}{end}3\tv\t{}{end}4\tv\tb{end}5\tv\t{long}",
            &long[..96],
            &long[..97]
        );
        let reader = CaptureReader::new(io::Cursor::new(text.into_bytes())).unwrap();
        let (rows, faults) = read_all(reader.max_line_bytes(100));
        let stamps: Vec<i64> = rows.iter().map(|(received_ns, ..)| *received_ns).collect();
        assert_eq!(stamps, [1, 2, 4]);
        assert_eq!(
            faults,
            [
                "line 3: longer than 100 bytes",
                "line 5: longer than 100 bytes"
            ]
        );
    }
}

#[test]
fn a_frame_of_5_megabytes_comes_back_whole() {
    let frame = format!(
        r#"{{"channel":"l2_data","filler":"{}"}}"#,
        "0123456789".repeat(520_000)
    );
    let rows = [row(1, "coinbase", &frame), row(2, "coinbase", "{}")];
    for compression in PACKINGS {
        let (back, faults) = read(written(&rows, compression));
        assert!(back == rows, "{compression:?}");
        assert!(faults.is_empty());
    }
}

#[test]
fn a_cut_off_file_gives_all_that_can_be_read_and_then_one_fault_that_says_where() {
    let rows = some_rows(2_000);
    for compression in [Compression::Gzip, Compression::Zstd] {
        let mut writer = CaptureWriter::new(Vec::new(), compression).unwrap();
        for (at, (received_ns, venue, frame)) in rows.iter().enumerate() {
            writer.frame(*received_ns, venue, frame).unwrap();
            if at % 100 == 0 {
                writer.flush().unwrap();
            }
        }
        let whole = writer.finish().unwrap();
        let (back, faults) = read(whole[..whole.len() / 2].to_vec());
        assert!(back.len() > 500, "{}", back.len());
        assert_eq!(back, rows[..back.len()]);
        assert_eq!(faults.len(), 1, "{faults:?}");
        let after = format!(
            "line {}: the capture ends early after this line",
            back.len()
        );
        assert!(faults[0].starts_with(&after), "{}", faults[0]);
    }
}

#[test]
fn a_cut_anywhere_never_makes_up_a_line() {
    let rows = some_rows(40);
    for compression in [Compression::Gzip, Compression::Zstd] {
        let whole = written(&rows, compression);
        // From the magic bytes on; before them nothing tells that it was packed.
        for cut in 4..whole.len() {
            let bytes = whole[..cut].to_vec();
            let mut reader = CaptureReader::new(io::Cursor::new(bytes)).unwrap();
            let mut n = 0;
            let mut ended_early = false;
            while let Some(next) = reader.next() {
                match next {
                    Ok(frame) => {
                        assert_eq!(row(frame.received_ns, frame.venue, &frame.frame), rows[n]);
                        n += 1;
                    }
                    Err(fault) => {
                        assert!(fault.is_end() && !ended_early);
                        ended_early = true;
                    }
                }
            }
            assert_eq!(
                ended_early,
                cut >= 4,
                "cut after {cut} bytes, {compression:?}"
            );
        }
    }
}

#[test]
fn rubbish_in_the_middle_of_a_packed_file_ends_it_with_one_fault() {
    let rows = some_rows(3);
    let mut bytes = written(&rows, Compression::Gzip);
    bytes.extend_from_slice(b"rubbish");
    let (back, faults) = read(bytes);
    assert_eq!(back, rows);
    assert_eq!(faults.len(), 1);
}

#[test]
fn what_was_flushed_can_be_read_while_the_writer_still_lives() {
    let folder = tempfile::tempdir().unwrap();
    for ending in ["capture", "capture.gz", "capture.zst"] {
        let path = folder.path().join(format!("a.{ending}"));
        let mut writer = CaptureWriter::create(&path).unwrap();
        writer.frame(1, "binance", "{}").unwrap();
        writer.frame(2, "binance", "{}").unwrap();
        writer.flush().unwrap();
        let (rows, _) = read_all(CaptureReader::open(&path).unwrap().0);
        assert_eq!(rows.len(), 2, "{ending}");
        assert_eq!((writer.frames(), writer.bytes()), (2, 26));
    }
}

#[test]
fn a_recording_is_never_overwritten_and_other_names_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.capture");
    std::fs::write(&path, "precious").unwrap();
    assert_eq!(
        CaptureWriter::create(&path).unwrap_err().kind(),
        io::ErrorKind::AlreadyExists
    );
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    let refused = CaptureWriter::create(Path::new("a.txt")).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "its name must end in `.capture`, `.capture.gz` or `.capture.zst`"
    );
}

#[test]
fn progress_counts_the_bytes_of_the_file_as_it_is_stored() {
    let bytes = written(&some_rows(5_000), Compression::Gzip);
    let mut reader = CaptureReader::new(io::Cursor::new(bytes.clone())).unwrap();
    while reader.next().is_some() {}
    assert_eq!(reader.bytes_read(), u64::try_from(bytes.len()).unwrap());
    assert_eq!(reader.lines(), 5_000);
}

/// Fails after some bytes, as a disk might.
struct Failing(io::Cursor<Vec<u8>>);

impl Read for Failing {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        match self.0.read(to)? {
            0 => Err(io::Error::other("the disk is gone")),
            n => Ok(n),
        }
    }
}

#[test]
fn a_failing_disk_is_a_fault_at_its_place() {
    let bytes = b"1\tv\ta\n2\tv\tb\n3\tv\tc".to_vec();
    let mut reader = CaptureReader::new(Failing(io::Cursor::new(bytes))).unwrap();
    assert!(reader.next().unwrap().is_ok());
    assert!(reader.next().unwrap().is_ok());
    let fault = reader.next().unwrap().unwrap_err();
    assert_eq!(fault.line, 2);
    assert!(matches!(fault.reason, FaultReason::EndsEarly(_)));
    assert!(reader.next().is_none());
}

#[test]
fn the_recordings_are_read_without_a_fault() {
    let Some(folder) = crate::recordings() else {
        return;
    };
    for (name, frames) in [
        ("binance-btcusdt-20240808", 41_249),
        ("coinbase-exchange-20210417", 9_946),
        ("coinbase-advanced-20260809-excerpt", 120),
        ("okx-v5-20220513", 410),
    ] {
        let path = folder.join(format!("{name}.capture.gz"));
        let (reader, _) = CaptureReader::open(&path).unwrap();
        let (rows, faults) = read_all(reader);
        assert_eq!((rows.len(), faults.len()), (frames, 0), "{name}");
        let mut unpacked = Vec::new();
        flate2::read::MultiGzDecoder::new(std::fs::File::open(&path).unwrap())
            .read_to_end(&mut unpacked)
            .unwrap();
        assert!(
            written(&rows, Compression::Plain) == unpacked,
            "{name} is written as it was"
        );
    }
}

#[test]
fn a_gzip_file_by_another_program_is_read() {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(b"1\tbinance\t{}\n").unwrap();
    assert_eq!(read(encoder.finish().unwrap()).0, [row(1, "binance", "{}")]);
}
