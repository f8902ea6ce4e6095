//! `lockstep cerebral` as a researcher runs it: recordings in, steps, files and exit codes out.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::fixture::{Room, command, run, run_well, stderr};

/// A plain table: noise of a small generator, and where asked one 10 Hz rhythm in the first two channels, a quarter of a cycle
/// apart. 125 Hz.
pub(crate) fn table(n_channels: usize, n_samples: usize, coupled: bool) -> String {
    let mut state = 42_u64;
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(state >> 33).unwrap()) / f64::from(1_u32 << 31) - 0.5
    };
    let names: Vec<String> = (1..=n_channels)
        .map(|channel| format!("e{channel}"))
        .collect();
    let mut text = names.join(",") + "\n";
    let mut phase = 0.0_f64;
    for _ in 0..n_samples {
        phase += std::f64::consts::TAU * 10.0 / 125.0 + 0.2 * uniform();
        let row: Vec<String> = (0..n_channels)
            .map(|channel| {
                let noise: f64 = 20.0 * (uniform() + uniform() + uniform());
                let lag = if channel == 1 {
                    std::f64::consts::FRAC_PI_2
                } else {
                    0.0
                };
                let rhythm = if coupled && channel < 2 {
                    30.0 * (phase - lag).cos()
                } else {
                    0.0
                };
                format!("{:.3}", noise + rhythm)
            })
            .collect();
        writeln!(text, "{}", row.join(",")).unwrap();
    }
    text
}

fn analyze(file: &Path, more: &[&str]) -> Output {
    let file = file.to_str().unwrap();
    run([&["cerebral", "analyze", file, "--rate", "125"], more].concat())
}

fn read_json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

/// A recording that is not part of the tree; says loudly where it is absent.
pub(crate) fn real(name: &str) -> Option<PathBuf> {
    use std::io::Write as _;
    let folder = std::env::var_os("LOCKSTEP_TEST_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let path = folder.join("data/eeg").join(name);
    if path.exists() {
        return Some(path);
    }
    // Not `eprintln!`: the test harness would keep that to itself while the test passes.
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: {} is not there",
        path.display()
    );
    None
}

#[test]
fn a_recording_becomes_steps_on_the_screen_and_every_kind_of_file() {
    let room = Room::new();
    let file = room.write("pair.csv", table(3, 3_000, true));
    let outputs = ["r.json", "r.html", "tables", "r.npz"].map(|name| room.path(name));
    let [json, html, csv, npz] = outputs.each_ref().map(|path| path.to_str().unwrap());
    let output = analyze(
        &file,
        &[
            "--steps",
            "3",
            "--surrogates",
            "99",
            "--json",
            json,
            "--report",
            html,
            "--csv",
            csv,
            "--npz",
            npz,
        ],
    );
    assert!(output.status.success(), "{}", stderr(&output));
    let screen = String::from_utf8(output.stdout).unwrap();
    for told in [
        "Step 1 ",
        "Step 1.5 ",
        "Step 1.6 ",
        "Step 2 ",
        "Step 3 ",
        "[significant]",
        "p = 0.0100",
        "e1 -> e2",
    ] {
        assert!(screen.contains(told), "`{told}` in\n{screen}");
    }
    assert!(!screen.contains("Step 4"), "{screen}");
    let json = read_json(room.read("r.json").as_bytes());
    assert_eq!(json["v"], 1);
    assert_eq!(json["manifest"]["file_sha256"].as_str().unwrap().len(), 64);
    assert_eq!(json["manifest"]["options"]["steps"], "3");
    assert_eq!(json["verdict"]["significant"], true);
    assert_eq!(json["steps"].as_array().unwrap().len(), 12);
    assert_eq!(json["steps"][6]["status"], "skipped");
    assert!(room.read("r.html").contains("<svg"));
    assert!(
        room.read("tables/wpli.csv")
            .starts_with("channel,e1,e2,e3\n")
    );
    assert!(std::fs::read(&outputs[3]).unwrap().starts_with(b"PK"));
    let left: Vec<_> = std::fs::read_dir(room.path("")).unwrap().collect();
    assert_eq!(left.len(), 5, "no half-written file is left");
}

#[test]
fn json_on_standard_output_stands_there_alone_and_noise_stays_noise_to_the_last_step() {
    let room = Room::new();
    let file = room.write("noise.csv", table(3, 2_500, false));
    let output = analyze(
        &file,
        &["--surrogates", "99", "--seeds", "2", "--json", "-"],
    );
    assert!(output.status.success(), "{}", stderr(&output));
    let json = read_json(&output.stdout);
    assert_eq!(json["verdict"]["significant"], false);
    for step in json["steps"].as_array().unwrap().iter().skip(1) {
        assert_eq!(step["label"], "not significant", "{step}");
    }
    assert_eq!(json["closed_loop"]["verdict"], "not significant");
    for one in json["what_if"].as_array().unwrap() {
        assert_eq!(one["verdict"], "not significant");
    }
    let (json_file, page) = (room.path("again.json"), room.path("page.html"));
    let again = analyze(
        &file,
        &[
            "--surrogates",
            "99",
            "--seeds",
            "2",
            "--threads",
            "1",
            "--json",
            json_file.to_str().unwrap(),
            "--report",
            page.to_str().unwrap(),
        ],
    );
    let screen = String::from_utf8(again.stdout).unwrap();
    let titles: Vec<&str> = screen
        .lines()
        .filter(|line| line.starts_with("Step "))
        .collect();
    assert_eq!(titles.len(), 11, "{screen}");
    assert!(titles[0].starts_with("Step 1 ") && !titles[0].contains('['));
    for title in &titles[1..] {
        assert!(title.ends_with("[NOT SIGNIFICANT]"), "{title}");
    }
    assert!(!screen.contains("[significant]") && !screen.contains("=> Significant"));
    assert!(screen.contains("=> Not significant"), "{screen}");
    assert!(screen.contains(": 0 couplings are claimed"), "{screen}");
    let page = room.read("page.html");
    let headings: Vec<&str> = page.split("<h2>").skip(1).collect();
    let numbered = headings
        .iter()
        .filter(|heading| heading.starts_with("<span class=\"number\">"));
    for heading in numbered.clone() {
        let title = heading.split("</h2>").next().unwrap();
        assert!(title.contains("step 1.5: NOT SIGNIFICANT"), "{title}");
    }
    assert_eq!(numbered.count(), 7, "1.5, 2, 3, 5, 6, 8, 9");
    assert!(!page.contains("step 1.5: significant") && !page.contains("Significant: mean"));
    let mut again = read_json(room.read("again.json").as_bytes());
    again["manifest"]["started"] = json["manifest"]["started"].clone();
    assert_eq!(again, json, "the same on one thread");
}

#[test]
fn every_band_has_its_own_verdict_and_is_told() {
    let room = Room::new();
    let file = room.write("pair.csv", table(3, 3_000, true));
    let output = analyze(
        &file,
        &["--band", "8-13,20-30", "--steps", "2", "--surrogates", "99"],
    );
    assert!(output.status.success(), "{}", stderr(&output));
    let screen = String::from_utf8(output.stdout).unwrap();
    assert!(screen.contains("=> Significant"), "{screen}");
    let further = screen.split("Further band 20-30 Hz").nth(1).unwrap();
    assert!(
        further.starts_with("  [NOT SIGNIFICANT]") && further.contains("tested one by one"),
        "{further}"
    );
}

#[test]
fn calibrate_and_what_if_write_the_twin_and_its_answer() {
    let room = Room::new();
    let file = room.write("pair.csv", table(2, 3_000, true));
    let file = file.to_str().unwrap();
    let common = ["--rate", "125", "--surrogates", "39", "--json", "-"];
    let output = run_well([&["cerebral", "calibrate", file], &common[..]].concat());
    let json = read_json(&output.stdout);
    let mut names: Vec<&str> = json
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "analysis",
            "frequency_hz",
            "manifest",
            "recording",
            "steps",
            "twin",
            "v",
            "verdict"
        ]
    );
    let omega = json["twin"]["omega_hz"][0].as_f64().unwrap();
    assert!((omega - 10.0).abs() < 1.0, "{omega}");
    assert!(json["twin"]["baselines"]["uncoupled"].is_number());
    let more = [
        "--node",
        "e2",
        "--kind",
        "constant",
        "--amplitude",
        "-6",
        "--seeds",
        "4",
    ];
    let output = run_well([&["cerebral", "what-if", file], &common[..], &more].concat());
    let json = read_json(&output.stdout);
    let effect = &json["what_if"][0];
    assert_eq!(
        (&effect["node"], &effect["kind"]),
        (&Value::from(1), &Value::from("constant"))
    );
    assert!(
        effect["delta_omega_hz"][1].as_f64().unwrap() < -0.2,
        "{effect}"
    );
    assert!(effect["frequency_hz"].is_null());
}

#[test]
fn a_network_alone_is_simulated_the_same_again() {
    let room = Room::new();
    let args = [
        "cerebral",
        "simulate",
        "--nodes",
        "50",
        "--coupling",
        "20",
        "--seconds",
        "5",
        "--json",
        "-",
    ];
    let first = run_well(args);
    assert_eq!(first.stdout, run_well(args).stdout);
    let json = read_json(&first.stdout);
    assert!(
        json["r_mean"].as_f64().unwrap() > 0.9,
        "far above the transition"
    );
    let weak = [
        "cerebral",
        "simulate",
        "--nodes",
        "50",
        "--coupling",
        "0.5",
        "--seconds",
        "5",
        "--json",
        "-",
    ];
    assert!(
        read_json(&run_well(weak).stdout)["r_mean"]
            .as_f64()
            .unwrap()
            < 0.5,
        "far below it"
    );
    let adaptive = run_well([&args[..], &["--method", "adaptive", "--tolerance", "1e-9"]].concat());
    let [fixed, adaptive] = [&first, &adaptive].map(|output| read_json(&output.stdout));
    let r = |json: &Value| json["order_parameter"]["r"].as_array().unwrap().clone();
    assert_eq!(r(&fixed).len(), r(&adaptive).len());
    for (fixed, adaptive) in r(&fixed).iter().zip(&r(&adaptive)) {
        let off = fixed.as_f64().unwrap() - adaptive.as_f64().unwrap();
        assert!(off.abs() < 1e-6, "{off:e}");
    }
    let heavy = run_well([&args[..], &["--inertia", "2s"]].concat());
    assert!(
        read_json(&heavy.stdout)["r_mean"].as_f64().unwrap() < 0.9,
        "heavy phases do not find together in 5 s"
    );
    let table = room.write("k.csv", "0,2\n2,0\n");
    let csv = room.path("phases.csv");
    run_well([
        "cerebral",
        "simulate",
        "--coupling-file",
        table.to_str().unwrap(),
        "--omega",
        "10,10.2",
        "--noise",
        "0.5",
        "--csv",
        csv.to_str().unwrap(),
    ]);
    assert!(
        room.read("phases.csv")
            .starts_with("t_s,r,theta_1,theta_2\n0,")
    );
    let crooked = room.write("crooked.csv", "0,1\n1\n");
    let output = run([
        "cerebral",
        "simulate",
        "--coupling-file",
        crooked.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(3));
    assert!(
        stderr(&output).contains("row 2: 1 fields of 2"),
        "{}",
        stderr(&output)
    );
    for wrong in [
        ["--step", "0s"],
        ["--spread", "-1"],
        ["--omega", "1,2"],
        ["--seconds", "0s"],
    ] {
        let output = run([&["cerebral", "simulate"], &wrong[..]].concat());
        let expected = if wrong[0] == "--omega" {
            Some(0)
        } else {
            Some(2)
        };
        assert_eq!(
            output.status.code(),
            expected,
            "{wrong:?}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn columns_swing_near_ten_hertz_and_together_where_they_excite_each_other() {
    let with = |coupling: &str| {
        let output = run_well([
            "cerebral",
            "simulate",
            "--model",
            "jansen-rit",
            "--nodes",
            "3",
            "--noise",
            "1",
            "--coupling",
            coupling,
            "--seconds",
            "12s",
            "--json",
            "-",
        ]);
        read_json(&output.stdout)
    };
    let (alone, coupled) = (with("0"), with("120"));
    for hz in alone["peak_hz"].as_array().unwrap() {
        assert!((8.0..13.0).contains(&hz.as_f64().unwrap()), "{hz}");
    }
    let r = |json: &Value| json["r_mean"].as_f64().unwrap();
    assert!(r(&coupled) > r(&alone), "{} {}", r(&coupled), r(&alone));
}

#[test]
fn an_interrupt_ends_a_long_simulation_at_once() {
    let mut child = command()
        .args([
            "cerebral",
            "simulate",
            "--nodes",
            "300",
            "--seconds",
            "100000s",
            "--rate",
            "1",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Until it listens to interrupts.
    let status = format!("/proc/{}/status", child.id());
    let listens = || {
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        caught.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).unwrap() & 2 != 0)
    };
    while !listens() {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::yield_now();
    }
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
}

const V3: &str = "%OpenBCI Raw EEG Data\n%\n%Sample Rate = 250.0 Hz\n%First Column = SampleIndex\n%Other Columns = EEG data in microvolts followed by Accel Data\n";

/// Rows of a Cyton whose eight channels all hold `value` of a row's number.
fn cyton(header: &str, n_rows: usize, value: impl Fn(usize) -> String) -> String {
    let mut text = header.to_owned();
    for at in 0..n_rows {
        let readings = vec![value(at); 8].join(", ");
        writeln!(text, "{}, {readings}, 0, 0, 0", at % 256).unwrap();
    }
    text
}

#[test]
fn bad_files_end_with_code_3_and_say_which_row_or_channel() {
    let room = Room::new();
    let wobble = |at: usize| format!("{}.5", (at * at) % 97);
    let one_channel: String = (0..2_000)
        .map(|at| format!("{},{}\n", f64::from(at) / 125.0, (at * 7) % 31))
        .collect();
    let one_channel = "time,x\n".to_owned() + &one_channel;
    let nan = cyton(V3, 300, |at| {
        if at > 10 {
            "nan".to_owned()
        } else {
            "1.0".to_owned()
        }
    });
    let cases: [(&str, Vec<u8>, &str); 10] = [
        (
            "binary",
            b"\x7fELF\x02\x01\x01\0\0\0".to_vec(),
            "byte 0 is 0x7f",
        ),
        ("empty", Vec::new(), "the file is empty"),
        (
            "no numbers",
            b"hello\nworld\n".to_vec(),
            "no row of numbers",
        ),
        ("one channel", one_channel.into_bytes(), "1 of 1 channels"),
        (
            "three samples",
            cyton(V3, 3, wobble).into_bytes(),
            "only 3 usable samples",
        ),
        (
            "not a number",
            nan.into_bytes(),
            "row 17: channel 1: `nan` is not a number",
        ),
        (
            "no rate",
            cyton(&V3.replace("250.0 Hz", "fast"), 300, wobble).into_bytes(),
            "`fast` in row 3",
        ),
        (
            "rate of nothing",
            cyton(&V3.replace("250.0 Hz", "0 Hz"), 300, wobble).into_bytes(),
            "`0 Hz` in row 3",
        ),
        (
            "too slow for the band",
            cyton(&V3.replace("250.0 Hz", "20 Hz"), 3_000, wobble).into_bytes(),
            "below half the sampling rate",
        ),
        (
            "railed throughout",
            cyton(V3, 1_000, |_| "-187500.02".to_owned()).into_bytes(),
            "1: at full scale in 100.0 %",
        ),
    ];
    for (name, bytes, told) in cases {
        let file = room.write("bad", &bytes);
        let out = room.path("out.json");
        let output = run([
            "cerebral",
            "analyze",
            file.to_str().unwrap(),
            "--json",
            out.to_str().unwrap(),
        ]);
        assert_eq!(output.status.code(), Some(3), "{name}: {}", stderr(&output));
        assert!(
            stderr(&output).contains(told),
            "{name}: {}",
            stderr(&output)
        );
        assert!(!out.exists(), "{name} leaves no result");
    }
    let gone = run(["cerebral", "analyze", "no-such-file.txt"]);
    assert_eq!(gone.status.code(), Some(3));
}

#[test]
fn wrong_options_end_with_code_2_and_name_the_option() {
    let room = Room::new();
    let file = room.write("noise.csv", table(3, 1_500, false));
    let inside = file.to_str().unwrap();
    let nowhere = room.path("no/such/folder/r.html");
    let cases: [(&[&str], &str); 10] = [
        (
            &["--channels", "e1,e9"],
            "`--channels` names the channel `e9`",
        ),
        (&["--reference", "Cz"], "`Cz`"),
        (&["--segment", "100:9000"], "1500 samples"),
        (&["--segment", "90:10"], "FROM:TO"),
        (&["--band", "13-8"], "0 < low < high"),
        (&["--alpha", "1.5"], "`alpha`"),
        (&["--montage", "Fp1,Fp2"], "one name per channel"),
        (&["--montage", "Fp1,Fp2,Q9"], "`montage` is Q9"),
        (
            &["--report", nowhere.to_str().unwrap()],
            "there is no folder",
        ),
        (&["--json", inside], "input"),
    ];
    for (options, told) in cases {
        let output = analyze(&file, options);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{options:?}: {}",
            stderr(&output)
        );
        assert!(
            stderr(&output).contains(told),
            "{options:?}: {}",
            stderr(&output)
        );
    }
    assert_eq!(
        room.read("noise.csv"),
        table(3, 1_500, false),
        "the recording is as it was"
    );
}

#[test]
fn an_interrupt_ends_it_at_once_and_leaves_no_file() {
    let room = Room::new();
    let file = room.write("noise.csv", table(3, 5_000, false));
    let out = room.path("out.json");
    let child = command()
        .args([
            "cerebral",
            "analyze",
            file.to_str().unwrap(),
            "--rate",
            "125",
            "--surrogates",
            "1000000",
        ])
        .args(["--json", out.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut child = child;
    // Step 1 is told before the surrogates begin.
    let mut told = [0; 16];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut told).unwrap();
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert!(!out.exists());
}

#[test]
fn the_alpha_recording_gives_the_known_figures() {
    let Some(file) = real("openbci-gui-v6-alpha.txt.gz") else {
        return;
    };
    let output = run_well([
        "cerebral",
        "analyze",
        file.to_str().unwrap(),
        "--segment",
        "10000:20000",
        "--steps",
        "3",
        "--surrogate-from",
        "filtered",
        "--surrogates",
        "400",
        "--json",
        "-",
    ]);
    let json = read_json(&output.stdout);
    let mean = |name: &str| {
        let matrix = json["measures"][name].as_array().unwrap();
        let pairs = (0..8).flat_map(|i| (i + 1..8).map(move |j| (i, j)));
        pairs
            .map(|(i, j)| matrix[i][j].as_f64().unwrap())
            .sum::<f64>()
            / 28.0
    };
    for (name, expected) in [
        ("pli", 0.069_797),
        ("wpli", 0.141_05),
        ("wpli2_debiased", 0.031_49),
        ("plv", 0.388_82),
        ("dpli", 0.472_28),
        ("imcoh", -0.061_082),
        ("ppc", 0.208_42),
        ("ciplv", 0.050_228),
    ] {
        assert!(
            (mean(name) - expected).abs() < 1e-5,
            "{name}: {}",
            mean(name)
        );
    }
    // The null of 1,000 reference surrogates: mean 0.0561, standard deviation 0.0082.
    let null = |field: &str| json["surrogates"]["pli"][field].as_f64().unwrap();
    assert!(
        (null("null_mean") - 0.0561).abs() < 4.0 * 0.0082 / 20.0,
        "{}",
        null("null_mean")
    );
    assert!(
        (null("null_sd") / 0.0082 - 1.0).abs() < 0.15,
        "{}",
        null("null_sd")
    );
    assert_eq!(json["verdict"]["significant"], true);
    assert!(
        !json["verdict"]["disagreements"]
            .as_array()
            .unwrap()
            .is_empty(),
        "PLI disagrees and is told"
    );
    let hz = |name: &str| json["frequency_hz"][name][0].as_f64().unwrap();
    for (name, expected) in [
        ("mean", 10.545),
        ("median", 10.503),
        ("power_weighted", 10.490),
        ("slope", 10.562),
    ] {
        assert!((hz(name) - expected).abs() < 1e-3, "{name}: {}", hz(name));
    }
}

#[test]
fn the_railed_recordings_are_analysed_without_their_railed_channels() {
    for (name, bad) in [
        ("openbci-2016-focus-railed.txt.gz", vec![2, 3, 4, 5, 6, 7]),
        ("openbci-gui-v5-railed.txt.gz", vec![3, 4, 6, 7]),
    ] {
        let Some(file) = real(name) else {
            return;
        };
        let output = run_well([
            "cerebral",
            "analyze",
            file.to_str().unwrap(),
            "--steps",
            "3",
            "--surrogates",
            "39",
            "--json",
            "-",
        ]);
        let json = read_json(&output.stdout);
        let found: Vec<u64> = json["analysis"]["bad_channels"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_u64)
            .collect();
        for channel in bad {
            assert!(found.contains(&channel), "{name}: {found:?}");
            assert!(json["measures"]["wpli"][usize::try_from(channel).unwrap()][0].is_null());
        }
    }
}
