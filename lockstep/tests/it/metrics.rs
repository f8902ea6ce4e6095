//! What the stages serve to Prometheus and to health checks, and that rules, dashboard and documentation name what is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use kafka_io::Broker;
use serde_json::Value;
use simulator::discord::{Discord, Fault, Limits};

use crate::fixture::{Room, command, run, run_well, stderr};
use crate::world::World;

/// Only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(120);
/// Labels that Prometheus adds, or that a histogram has.
const GIVEN: [&str; 3] = ["instance", "job", "le"];

/// A running stage; killed when the test is over.
struct Stage {
    child: Child,
    address: String,
    _room: Room,
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pause() {
    let (_keep, never) = std::sync::mpsc::channel::<()>();
    let _ = never.recv_timeout(Duration::from_millis(50));
}

impl Stage {
    /// Starts one that says in its log where it serves.
    fn start(args: &[&str]) -> Self {
        Self::start_with(args, &[])
    }

    /// The same with settings from the environment.
    fn start_with(args: &[&str], settings: &[(&str, &str)]) -> Self {
        let room = Room::new();
        let log = File::create(room.path("log")).unwrap();
        let mut child = command()
            .args(args)
            .args(["--metrics", "127.0.0.1:0"])
            .env("LOCKSTEP_LOG", "info")
            .envs(settings.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::from(log))
            .spawn()
            .unwrap();
        let since = Instant::now();
        loop {
            let log = room.read("log");
            let told = log.lines().find_map(|line| {
                let (_, rest) = line.split_once("metrics at http://")?;
                rest.strip_suffix("/metrics").map(str::to_owned)
            });
            if let Some(address) = told {
                return Self {
                    child,
                    address,
                    _room: room,
                };
            }
            assert!(child.try_wait().unwrap().is_none(), "it ended: {log}");
            assert!(since.elapsed() < PATIENCE, "it serves nowhere: {log}");
            pause();
        }
    }

    /// The answer's head and body.
    fn ask(&self, request: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        (head.to_owned(), body.to_owned())
    }

    fn get(&self, path: &str) -> (String, String) {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: test\r\n\r\n"))
    }

    /// Waits until health is as it should be; gives its words.
    fn health(&self, status: &str, words: &str) -> String {
        let since = Instant::now();
        loop {
            let (head, body) = self.get("/healthz");
            if head.starts_with(&format!("HTTP/1.1 {status}")) && body.contains(words) {
                return body;
            }
            assert!(
                since.elapsed() < PATIENCE,
                "not {status} with `{words}`: {head}\n{body}"
            );
            pause();
        }
    }

    fn page(&self) -> Page {
        let (head, body) = self.get("/metrics");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(head.contains("text/plain; version=0.0.4"), "{head}");
        Page::read(&body)
    }
}

/// What a page serves.
#[derive(Default)]
struct Page {
    /// By family, its kind.
    families: BTreeMap<String, String>,
    /// By name of a sample, the names of its labels.
    samples: BTreeMap<String, BTreeSet<String>>,
}

impl Page {
    fn read(text: &str) -> Self {
        let mut page = Self::default();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                let before = page.families.insert(name.to_owned(), kind.to_owned());
                assert!(before.is_none(), "{name} stands twice");
            } else if !line.starts_with('#') {
                for (name, labels) in names(line) {
                    page.samples.entry(name).or_default().extend(labels);
                }
            }
        }
        page
    }

    /// Labels of a family; of a histogram without `le`.
    fn labels(&self, family: &str) -> BTreeSet<String> {
        let bucket = format!("{family}_bucket");
        let labels = self.samples.get(family).or(self.samples.get(&bucket));
        let labels = labels.unwrap_or_else(|| panic!("{family} has no sample"));
        labels
            .iter()
            .filter(|label| *label != "le")
            .cloned()
            .collect()
    }
}

/// The metrics that an expression names, each with the labels in its braces.
fn names(expression: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(at) = ["lockstep_", "process_"]
        .iter()
        .filter_map(|prefix| rest.find(prefix))
        .min()
    {
        rest = &rest[at..];
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let mut labels = Vec::new();
        rest = after;
        if let Some(inside) = after.strip_prefix('{') {
            let mut quoted = false;
            let closed = inside.find(|c: char| {
                quoted ^= c == '"';
                c == '}' && !quoted
            });
            let (inside, after) = inside.split_at(closed.expect("a brace that closes"));
            // Between the values, which are quoted, stand the names.
            for (place, part) in inside.split('"').enumerate() {
                let label = part.trim_matches([',', ' ', '=', '!', '~']);
                if place % 2 == 0 && !label.is_empty() {
                    labels.push(label.to_owned());
                }
            }
            rest = after;
        }
        found.push((name.to_owned(), labels));
    }
    found
}

/// What stands between `open` and `close`, each time.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    text.split(open)
        .skip(1)
        .filter_map(|rest| rest.split_once(close))
        .map(|(inside, _)| inside.trim())
        .collect()
}

/// Holds an expression, and the labels that its words use, to what is served.
fn hold(page: &Page, whence: &str, expression: &str, words: &[&str]) {
    let named = names(expression);
    let mut known: BTreeSet<&str> = GIVEN.into();
    for (name, labels) in &named {
        let Some(served) = page.samples.get(name) else {
            panic!("{whence}: nobody serves {name}");
        };
        for label in labels {
            let is_known = served.contains(label) || GIVEN.contains(&label.as_str());
            assert!(
                is_known,
                "{whence}: {name} has no label {label}: {served:?}"
            );
        }
        known.extend(served.iter().map(String::as_str));
    }
    let grouped = between(expression, "by (", ")");
    for label in grouped.iter().flat_map(|labels| labels.split(',')) {
        assert!(known.contains(label.trim()), "{whence}: by ({label})");
    }
    for label in words {
        assert!(known.contains(label), "{whence}: {{{{{label}}}}}");
    }
}

fn tree(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

/// The expressions of a dashboard, each with what stands beside it.
fn expressions<'a>(value: &'a Value, found: &mut Vec<(&'a str, &'a str)>) {
    match value {
        Value::Object(fields) => {
            if let Some(expression) = fields.get("expr").and_then(Value::as_str) {
                let legend = fields.get("legendFormat").and_then(Value::as_str);
                found.push((expression, legend.unwrap_or_default()));
            }
            fields.values().for_each(|value| expressions(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| expressions(value, found)),
        _ => {}
    }
}

#[test]
fn rules_dashboard_and_documentation_name_what_the_stages_serve() {
    let stage = Stage::start(&["demo", "--headless"]);
    let since = Instant::now();
    // Windows are closed, both venues are up, readers know how far they are: everything that there is is served.
    let page = loop {
        let page = stage.page();
        let wanted = [
            "lockstep_window_lag_seconds",
            "lockstep_ingest_venue_up",
            "lockstep_ingest_frames_total",
            "lockstep_consumer_lag_seconds",
            "lockstep_eeg_lag_seconds",
        ];
        let (head, health) = stage.get("/healthz");
        let is_well = head.starts_with("HTTP/1.1 200");
        if is_well && wanted.iter().all(|name| page.samples.contains_key(*name)) {
            break page;
        }
        assert!(since.elapsed() < PATIENCE, "{health} {:?}", page.families);
        pause();
    };

    let rules = tree("monitoring/rules.yml");
    let mut n_rules = 0;
    for rule in rules.split("- alert: ").skip(1) {
        let name = rule.lines().next().unwrap();
        let expression = between(rule, "expr: ", "\n")[0];
        // `up` is Prometheus's own.
        assert!(
            !names(expression).is_empty() || expression.starts_with("up{"),
            "{name}"
        );
        let mut words = between(rule, "$labels.", " ");
        for word in &mut words {
            *word = word
                .split(|c: char| !c.is_ascii_alphanumeric())
                .next()
                .unwrap();
        }
        hold(&page, name, expression, &words);
        n_rules += 1;
    }
    assert!(n_rules > 10, "the rules were found");

    let dashboard: Value =
        serde_json::from_str(&tree("monitoring/grafana/dashboards/lockstep.json")).unwrap();
    let mut shown = Vec::new();
    expressions(&dashboard["panels"], &mut shown);
    assert!(shown.len() > 30, "the panels were found");
    for (expression, legend) in &shown {
        hold(&page, "dashboard", expression, &between(legend, "{{", "}}"));
    }

    let documentation = tree("docs/operations.md");
    let mut documented: BTreeMap<&str, (&str, BTreeSet<String>)> = BTreeMap::new();
    for row in documentation
        .lines()
        .filter(|line| line.starts_with("| `lockstep_") || line.starts_with("| `process_"))
    {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let labels = cells[3].split('`').skip(1).step_by(2).map(str::to_owned);
        documented.insert(cells[1].trim_matches('`'), (cells[2], labels.collect()));
    }
    let served: BTreeMap<&str, (&str, BTreeSet<String>)> = page
        .families
        .iter()
        .map(|(name, kind)| (name.as_str(), (kind.as_str(), page.labels(name))))
        .collect();
    for (name, told) in &served {
        assert_eq!(
            documented.get(name),
            Some(told),
            "docs/operations.md, {name}"
        );
    }
    for name in documented.keys() {
        assert!(
            served.contains_key(name),
            "docs/operations.md: nobody serves {name}"
        );
    }
    for (name, kind) in &page.families {
        assert_eq!(
            name.ends_with("_total"),
            kind == "counter",
            "{name} is a {kind}"
        );
    }

    // All of it works, and says so to whoever asks.
    let url = format!("http://{}", stage.address);
    let said = run_well(["health", "--url", &url]);
    assert_eq!(String::from_utf8_lossy(&said.stdout), "ok\n");

    // A second one cannot have the place.
    let taken = run([
        "demo",
        "--headless",
        "--for",
        "1s",
        "--metrics",
        &stage.address,
    ]);
    assert_eq!(taken.status.code(), Some(1));
    let told = stderr(&taken);
    assert!(
        told.contains("could not serve metrics on 127.0.0.1:") && told.contains("--metrics"),
        "{told}"
    );
}

#[test]
fn a_stage_that_waits_for_its_broker_says_so_whatever_else_is_asked() {
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let stage = Stage::start(&["window", "--broker", &nobody]);
    let url = format!("http://{}/healthz", stage.address);
    let since = Instant::now();
    loop {
        let (head, body) = stage.get("/healthz");
        assert!(head.starts_with("HTTP/1.1 503"), "{head}");
        assert!(body.starts_with("starting"), "{body}");
        if body.contains(&nobody) {
            break;
        }
        assert!(
            since.elapsed() < PATIENCE,
            "the broker is not named: {body}"
        );
        pause();
    }
    let asked = run(["health", "--url", &url]);
    assert_eq!(asked.status.code(), Some(1));
    assert!(stderr(&asked).contains(&nobody), "{}", stderr(&asked));
    let asked = run(["health", "--json", "--url", &url]);
    let told: Value = serde_json::from_slice(&asked.stdout).unwrap();
    assert_eq!(
        (&told["healthy"], &told["status"]),
        (&false.into(), &503.into())
    );
    assert_eq!(run(["health", "--url", "https://x"]).status.code(), Some(2));
    let away = run([
        "health",
        "--timeout",
        "2s",
        "--url",
        &format!("http://{nobody}"),
    ]);
    assert_eq!(away.status.code(), Some(1));

    // Rubbish is answered or dropped, and those who say nothing keep nobody out.
    assert!(stage.get("/else").0.starts_with("HTTP/1.1 404"));
    let posted = stage.ask("POST /metrics HTTP/1.1\r\nHost: test\r\nContent-Length: 9\r\n\r\nx");
    assert!(posted.0.starts_with("HTTP/1.1 405"), "{}", posted.0);
    let (head, body) = stage.ask("HEAD /metrics HTTP/1.1\r\nHost: test\r\n\r\n");
    assert!(
        head.starts_with("HTTP/1.1 200") && body.is_empty(),
        "{head}"
    );
    assert!(
        stage
            .ask("\u{0}\u{1} rubbish\r\n\r\n")
            .0
            .starts_with("HTTP/1.1 400")
    );
    let idle: Vec<TcpStream> = (0..40)
        .map(|_| TcpStream::connect(&stage.address).unwrap())
        .collect();
    assert!(stage.get("/metrics").0.starts_with("HTTP/1.1 200"));
    drop(idle);
}

#[test]
fn a_broker_that_goes_away_and_comes_back_is_seen_by_health() {
    let world = World::embedded();
    let Broker::Embedded(embedded) = &world.broker else {
        panic!("an embedded broker was asked for");
    };
    let at = ["--broker", world.broker.address()];
    let stages = [
        Stage::start(&[&["window", "--delivery", "at-least-once"], &at[..]].concat()),
        Stage::start(&[&["alert"], &at[..]].concat()),
    ];
    for stage in &stages {
        stage.health("200", "ok");
    }
    kafka_io::testing::broker_down(embedded).unwrap();
    for stage in &stages {
        stage.health("503", "no broker is reached");
    }
    kafka_io::testing::broker_up(embedded).unwrap();
    for stage in &stages {
        stage.health("200", "ok");
        assert!(
            stage
                .page()
                .samples
                .contains_key("lockstep_consumer_lag_records")
        );
    }
}

#[test]
fn ingest_without_any_venue_says_which_and_why() {
    let world = World::embedded();
    let stage = Stage::start_with(
        &[
            "ingest",
            "--broker",
            world.broker.address(),
            "--venue",
            "binance",
        ],
        &[("LOCKSTEP_VENUES__BINANCE__URL", "ws://127.0.0.1:1")],
    );
    let said = stage.health("503", "binance is down");
    assert!(said.starts_with("ingest: no venue is up: "), "{said}");
    assert!(said.contains("refused"), "the reason is told: {said}");
}

#[test]
fn an_alerter_whose_webhook_is_refused_says_so() {
    let world = World::embedded();
    let discord = Discord::start(Limits::default()).unwrap();
    discord.always(Some(Fault::Status(404)));
    let stage = Stage::start_with(
        &[
            "alert",
            "--broker",
            world.broker.address(),
            "--start",
            "beginning",
        ],
        &[("LOCKSTEP_ALERTER__WEBHOOK_URL", &discord.url())],
    );
    stage.health("200", "ok");
    let window = r#"{"v":1,"pair":"BTC-USD","start_ms":1723161254000,"end_ms":1723161255000,"quality":"ok","late":0,"legs":[],"routes":[{"buy":"binance","sell":"coinbase","quality":"ok","end":{"gross_bps":90.0,"net_bps":20.0},"best":{"gross_bps":90.0,"net_bps":20.0,"size":null,"at_ns":1723161254000000000},"positive_ns":1}]}"#;
    world.send_keyed(&contract::topic::SPREADS, "BTC-USD", window);
    stage.health("503", "alert: Discord refuses the webhook");
}
