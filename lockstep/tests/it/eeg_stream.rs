//! `lockstep cerebral stream` as somebody with a recording or a board runs it.

use std::path::{Path, PathBuf};

use serde_json::Value;
#[cfg(unix)]
use simulator::headset::{BrainSettings, Headset, HeadsetSettings, LineFaults};

use crate::cerebral::{real, table};
use crate::exactly_once::eventually;
use crate::fixture::{Room, command, pause, run, run_well, stderr};
use crate::world::World;

/// States as a stream gives them, without the time of their receipt.
fn stream(file: &Path, more: &[&str]) -> Vec<Value> {
    let file = file.to_str().unwrap();
    let fixed = ["cerebral", "stream", "--source", file, "--speed", "max"];
    let output = run_well([&fixed[..], &["--headless", "--json", "-"], more].concat());
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(without_receipt).collect()
}

fn without_receipt(line: &str) -> Value {
    let mut state: Value = serde_json::from_str(line).unwrap();
    state["received_ns"] = Value::from(0);
    state["twin"] = Value::Null;
    state
}

/// The records of the windows that `analyze` makes of buffers, over all samples of a file.
fn offline(file: &Path, more: &[&str]) -> Vec<Value> {
    let file = file.to_str().unwrap();
    let analyze = |segment: &str| {
        let fixed = ["cerebral", "analyze", file, "--windows", "buffered"];
        let rest = ["--steps", "3", "--segment", segment, "--surrogates", "20"];
        let output = run_well([&fixed[..], &rest, &["--json", "-"], more].concat());
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let n_samples = analyze("longest")["recording"]["n_samples"].to_string();
    let analysis = analyze(&format!("0:{n_samples}"));
    let windows = analysis["windows"].as_array().unwrap();
    let states = windows.iter().map(|window| {
        let state = window["state"].clone();
        for figure in ["pli_mean", "wpli_mean", "r", "reason"] {
            assert_eq!(window[figure], state[figure], "{figure}");
        }
        state
    });
    states.collect()
}

const RECORDINGS: [&str; 4] = [
    "openbci-2016-focus-railed.txt.gz",
    "openbci-gui-v2-alpha.txt.gz",
    "openbci-gui-v5-railed.txt.gz",
    "openbci-gui-v6-alpha.txt.gz",
];

#[test]
fn a_stream_of_any_recording_equals_its_analysis_bit_for_bit() {
    // Blocks of one sample, of seven, of a second, and as many as a record holds.
    let ways = [("4ms", "1"), ("28ms", "2"), ("1s", "4"), ("10m", "2")];
    let recordings: Vec<PathBuf> = RECORDINGS.iter().filter_map(|name| real(name)).collect();
    for recording in recordings {
        // One recording is all muscle: kept, so that there are figures to compare.
        let expected = offline(&recording, &["--keep-artefacts"]);
        assert!(expected.len() >= 10, "{}", recording.display());
        let figured = expected.iter().filter(|state| state["reason"].is_null());
        assert!(figured.count() > 3, "{}", recording.display());
        for (block, workers) in ways {
            let way = ["--block", block, "--workers", workers, "--keep-artefacts"];
            let found = stream(&recording, &way);
            let told = recording.display();
            assert_eq!(found.len(), expected.len(), "{told}, blocks of {block}");
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!(found, expected, "{told}, blocks of {block}");
            }
        }
    }
}

#[test]
fn a_stream_of_a_table_equals_its_analysis_with_other_settings_too() {
    let room = Room::new();
    let file = room.path("rhythm.csv");
    std::fs::write(&file, table(6, 125 * 20, true)).unwrap();
    let same = [
        "--rate", "125", "--seed", "7", "--alpha", "0.01", "--band", "9-12",
    ];
    let same = [
        &same[..],
        &[
            "--window",
            "1500ms",
            "--hop",
            "500ms",
            "--reference",
            "average",
        ],
    ]
    .concat();
    let expected = offline(&file, &[&same[..], &["--bad-channel", "e3"]].concat());
    let found = stream(&file, &[&same[..], &["--bad-channel", "3"]].concat());
    assert_eq!(found, expected);
    assert_eq!(found.len(), 37);
    assert_eq!(found[3]["bad_channels"][0]["reason"], "named as bad");
    assert!(found[3]["wpli"][0][1].as_f64().unwrap() > 0.5);
}

#[test]
fn what_cannot_be_streamed_is_refused_with_what_to_do() {
    let room = Room::new();
    let rubbish = room.path("rubbish.txt");
    std::fs::write(&rubbish, "no recording at all\n\u{1}\u{2}").unwrap();
    let table_file = room.path("table.csv");
    std::fs::write(&table_file, table(4, 500, false)).unwrap();
    let (rubbish, table_file) = (rubbish.to_str().unwrap(), table_file.to_str().unwrap());
    let refused = |args: &[&str]| {
        let output = run([&["cerebral", "stream"], args].concat());
        (output.status.code(), stderr(&output))
    };
    for (args, code, told) in [
        (&[][..], 2, "--source"),
        (&["--source", "tcp:1", "--headless"], 2, "serial:DEVICE"),
        (
            &["--source", rubbish, "--headless"],
            3,
            "no recording that could be played",
        ),
        (
            &["--source", "absent.txt", "--headless"],
            3,
            "could not read `absent.txt`",
        ),
        (
            &["--source", "serial:/dev/absent", "--headless"],
            3,
            "/dev/absent",
        ),
        (&["--source", "lsl:obci", "--headless"], 2, "feature `lsl`"),
        (&["--source", "sim"], 2, "--headless"),
        (
            &["--source", "sim", "--speed", "max", "--headless"],
            2,
            "own pace",
        ),
        (&["--source", "sim", "--feed-only"], 2, "--broker HOST:PORT"),
        (
            &["--broker", "embedded", "--headless"],
            2,
            "--broker HOST:PORT",
        ),
        (
            &[
                "--source",
                table_file,
                "--rate",
                "125",
                "--headless",
                "--json",
                table_file,
            ],
            2,
            "--json",
        ),
        (
            &[
                "--source",
                table_file,
                "--rate",
                "125",
                "--headless",
                "--delivery",
                "exactly-once",
            ],
            2,
            "at-least-once",
        ),
    ] {
        let (found, text) = refused(args);
        assert_eq!(found, Some(code), "{args:?}: {text}");
        assert!(text.contains(told), "{args:?}: {text}");
    }
}

#[test]
fn settings_that_cannot_work_are_refused_before_anything_starts() {
    let room = Room::new();
    let file = room.path("rhythm.csv");
    std::fs::write(&file, table(4, 600, false)).unwrap();
    let file = ["--source", file.to_str().unwrap(), "--rate", "125"];
    let file = [&file[..], &["--speed", "max"]].concat();
    let (sim, udp) = (["--source", "sim"], ["--source", "udp:0"]);
    // Nobody listens there: what is told first is the setting.
    let broker = ["--broker", "127.0.0.1:9"];
    let cases: [(&[&str], &[&str], &str); 17] = [
        (&file, &["--band", "8-70"], "`--band` is 8-70"),
        (&sim, &["--band", "8-200"], "`--band` is 8-200"),
        (&udp, &["--band", "8-200"], "`--band` is 8-200"),
        (&file, &["--notch", "1000"], "`--notch` is 1000"),
        (&file, &["--window", "0s"], "`--window` is 0"),
        (&broker, &["--window", "0s"], "`--window` is 0"),
        (&file, &["--window", "10ms"], "`--window` is 0.01"),
        (
            &file,
            &[
                "--window",
                "50ms",
                "--guard",
                "0s",
                "--hop",
                "50ms",
                "--no-twin",
            ],
            "`--window` and twice `--guard`",
        ),
        (&file, &["--alpha", "2"], "`--alpha` is 2"),
        (&broker, &["--alpha", "nan"], "`--alpha` is NaN"),
        (&broker, &["--hop", "0s"], "`--hop` is 0"),
        (
            &file,
            &["--hop", "5s"],
            "`--hop` is 5; it must be above 0 to 4 s",
        ),
        (
            &broker,
            &["--hop", "5s"],
            "`--hop` is 5; it must be above 0 to 4 s",
        ),
        (&broker, &["--notch", "nan"], "`--notch` is NaN"),
        (
            &broker,
            &["--window", "40s", "--hop", "31s"],
            "`--hop` is 31; it must be above 0 to 30 s",
        ),
        (&broker, &["--twin-over", "5s"], "`--twin-over` is 5"),
        (&broker, &["--twin-after", "40s"], "`--twin-after` is 40"),
    ];
    for (source, options, told) in cases {
        let fixed = ["cerebral", "stream", "--headless"];
        let output = run([&fixed[..], source, options].concat());
        let text = stderr(&output);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{source:?} {options:?}: {text}"
        );
        assert!(text.contains(told), "{source:?} {options:?}: {text}");
    }
}

#[test]
fn a_hop_that_no_buffered_window_has_is_refused_by_the_analysis_too() {
    let room = Room::new();
    let file = room.path("rhythm.csv");
    std::fs::write(&file, table(4, 125 * 12, true)).unwrap();
    let analyze = |windows: &str| {
        let fixed = ["cerebral", "analyze", file.to_str().unwrap()];
        let rest = ["--rate", "125", "--steps", "3", "--surrogates", "20"];
        let hop = ["--hop", "5s", "--windows", windows];
        let output = run([&fixed[..], &rest, &hop].concat());
        (output.status.code(), stderr(&output))
    };
    let (code, told) = analyze("buffered");
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("`hop_s` is 5"), "{told}");
    let (code, told) = analyze("whole");
    assert_eq!(code, Some(0), "{told}");
}

#[test]
fn a_rate_that_the_file_says_otherwise_is_told_with_both() {
    let room = Room::new();
    let rows = table(4, 125 * 8, false);
    let mut rows = rows.lines();
    let mut text = format!("time,{}\n", rows.next().unwrap());
    for (at, row) in (0_u32..).zip(rows) {
        text.push_str(&format!("{:.3},{row}\n", f64::from(at) * 0.008));
    }
    let file = room.write("timed.csv", text);
    let file = file.to_str().unwrap();
    let stream = ["cerebral", "stream", "--headless", "--speed", "max"];
    let stream = [&stream[..], &["--no-twin", "--source", file]].concat();
    let analyze = ["cerebral", "analyze", file, "--steps", "1"];
    for command in [&stream[..], &analyze] {
        let told = stderr(&run_well([command, &["--rate", "250"]].concat()));
        assert!(told.contains("says another rate"), "{told}");
        assert!(told.contains("250") && told.contains("125"), "{told}");
        let told = stderr(&run_well([command, &["--rate", "125"]].concat()));
        assert!(!told.contains("says another rate"), "{told}");
    }
}

#[test]
fn a_session_on_a_broker_that_does_not_fit_is_told_once() {
    let world = World::embedded();
    let room = Room::new();
    let file = room.path("slow.csv");
    std::fs::write(&file, table(4, 600, false)).unwrap();
    let broker = ["--headless", "--broker", world.broker.address()];
    let source = ["--source", file.to_str().unwrap(), "--rate", "20"];
    let feed = ["cerebral", "stream", "--feed-only", "--speed", "max"];
    run_well([&feed[..], &broker, &source].concat());
    let log = std::fs::File::create(room.path("stderr")).unwrap();
    let mut windows = command()
        .args(["cerebral", "stream", "--delivery", "at-least-once"])
        .args(broker)
        .stderr(std::process::Stdio::from(log))
        .spawn()
        .unwrap();
    let told = || room.read("stderr");
    let once = "no windows of this session";
    eventually("the session is told", || told().contains(once));
    // All of its blocks have come by now, or come at once.
    pause(std::time::Duration::from_millis(500));
    windows.kill().unwrap();
    windows.wait().unwrap();
    assert_eq!(told().matches(once).count(), 1, "{}", told());
    assert!(told().contains("session `slow.csv`"), "{}", told());
}

#[test]
fn the_twin_of_a_running_session_is_stimulated_and_says_what_it_does() {
    let world = World::embedded();
    let room = Room::new();
    let file = room.write("rhythm.csv", table(4, 125 * 200, true));
    let address = world.broker.address();
    let log = std::fs::File::create(room.path("stderr")).unwrap();
    let mut stream = command()
        .args(["cerebral", "stream", "--headless", "--rate", "125"])
        .args(["--source", file.to_str().unwrap(), "--session", "s"])
        .args(["--speed", "4x", "--broker", address])
        .args(["--delivery", "at-least-once", "--surrogates", "2"])
        .args(["--twin-over", "20s", "--twin-after", "2s"])
        .stderr(std::process::Stdio::from(log))
        .spawn()
        .unwrap();
    let live = |more: &[&str]| {
        let fixed = ["cerebral", "what-if", "s", "--live", "--broker", address];
        let output = run([&fixed[..], &["--for", "12s"], more].concat());
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output),
        )
    };
    let (code, told) = live(&["--node", "nobody"]);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("e1, e2, e3, e4"), "{told}");
    let (code, told) = live(&["--node", "e2", "--kind", "pulses"]);
    assert_eq!(code, Some(2), "{told}");
    let (code, told) = live(&["--node", "e2", "--kind", "entrain", "--frequency", "11"]);
    assert_eq!(code, Some(0), "{told}");
    for words in ["significant", "driven", "judged by", "Hz"] {
        assert!(told.contains(words), "{told}");
    }
    let states = room.path("states.jsonl");
    let to = ["--json", states.to_str().unwrap()];
    let locked = [
        "--node", "1", "--kind", "locked", "--target", "e2", "--delta", "3.14",
    ];
    let (code, told) = live(&[&locked[..], &to].concat());
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("ms old"), "{told}");
    let lines = room.read("states.jsonl");
    let newest: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    let of = &newest["twin"]["stimulation"];
    assert_eq!(
        (of["node"].as_u64(), of["target"].as_u64()),
        (Some(0), Some(1))
    );
    assert!(of["running_s"].as_f64().unwrap() >= 1.0, "{of}");
    stream.kill().unwrap();
    stream.wait().unwrap();
}

#[cfg(unix)]
#[test]
fn a_board_that_is_unplugged_leaves_a_gap_and_is_gone_on_with_by_itself() {
    let room = Room::new();
    let settings = HeadsetSettings {
        brain: BrainSettings::new(8, 5),
        line: LineFaults::default(),
        speed: 4.0,
    };
    let headset = Headset::start(settings).unwrap();
    let source = format!("serial:{}", headset.path().display());
    let states = room.path("states.jsonl");
    let log = std::fs::File::create(room.path("stderr")).unwrap();
    let mut stream = command()
        .args(["cerebral", "stream", "--headless", "--no-twin"])
        .args([
            "--source",
            &source,
            "--session",
            "board",
            "--surrogates",
            "2",
        ])
        .args(["--json", states.to_str().unwrap()])
        .stderr(std::process::Stdio::from(log))
        .spawn()
        .unwrap();
    let figured = |from: u64| {
        let text = std::fs::read_to_string(&states).unwrap_or_default();
        let whole = text.lines().filter(|line| line.ends_with('}'));
        let read = whole.map(without_receipt);
        read.filter(|state| {
            state["stretch_at"].as_u64().unwrap() >= from && state["reason"].is_null()
        })
        .count()
    };
    eventually("windows of the board", || figured(0) >= 3);
    headset.unplug();
    pause(std::time::Duration::from_millis(700));
    headset.plug_in();
    eventually("windows behind the gap", || figured(1) >= 3);
    let sent = std::process::Command::new("kill")
        .args(["-INT", &stream.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
    assert_eq!(stream.wait().unwrap().code(), Some(130));
    let text = room.read("states.jsonl");
    let all: Vec<Value> = text.lines().map(without_receipt).collect();
    let first_behind = all
        .iter()
        .position(|state| state["stretch_at"] != 0)
        .unwrap();
    let (before, behind) = (&all[first_behind - 1], &all[first_behind]);
    // The last window before and the first behind say why they say nothing; between them samples are missing, not made up.
    for state in [before, behind] {
        assert!(
            state["reason"].as_str().unwrap().contains("beyond a gap"),
            "{state}"
        );
        assert!(state["wpli"][0][1].is_null());
    }
    let [last_at, next_at] = [before, behind].map(|state| state["at"].as_u64().unwrap());
    assert!(next_at > last_at + 500, "{last_at} {next_at}");
    let told = room.read("stderr");
    assert!(told.contains("reconnects"), "{told}");
}
