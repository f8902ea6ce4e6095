//! The configuration from text to settings: layers, names, and every way to be wrong.

use proptest::prelude::*;

use super::schema::{self, Standing};
use super::*;

fn load(file: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let env: Vec<(String, String)> = env
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    Config::load(Some(("my.toml", file)), env.into_iter())
}

/// The faults of a configuration that must have some, one line each.
fn faults(file: &str, env: &[(&str, &str)]) -> Vec<String> {
    load(file, env)
        .unwrap_err()
        .faults
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn bps(text: &str) -> TakerFee {
    TakerFee::parse_bps(text).unwrap()
}

#[test]
fn the_defaults_load_and_say_what_the_design_says() {
    let config = Config::default();
    assert_eq!(
        config.windowing,
        Windowing {
            width_ms: 1000,
            quote_max_age_ms: 2000,
            rate_max_age_ms: 60_000,
            max_gap_ms: 60_000,
            workers: 1,
            delivery: Delivery::ExactlyOnce,
            commit_interval_ms: 100,
            checkpoint_interval_ms: 10_000,
            transaction_timeout_ms: 10_000,
            deployment: "lockstep".to_owned(),
            max_open_records: 10_000_000,
        }
    );
    assert_eq!(
        (
            config.ingest.mark_interval_ms,
            config.mark_lag_ms("binance")
        ),
        (200, 400)
    );
    assert_eq!(config.fee("binance"), Some(bps("10")));
    assert_eq!(config.fee("kraken"), None);
    assert_eq!(config.pair_of("binance", "BTCUSDT"), Some("BTC-USD"));
    assert_eq!(config.pair_of("coinbase", "BTCUSDT"), None);
    assert_eq!(
        config.rate_of("coinbase", "USDT-USD"),
        Some(("USDT", "USD"))
    );
    assert_eq!(config.rate_of("binance", "USDT-USD"), None);
    assert_eq!(config.urls("binance").len(), 3);
    assert_eq!(
        config.urls("coinbase"),
        ["wss://advanced-trade-ws.coinbase.com"]
    );
    assert!(config.urls("kraken").is_empty());
    assert_eq!(config.max_message_bytes("kraken"), 16 * 1024 * 1024);
    assert_eq!(config.kafka.brokers, "127.0.0.1:9092");
    let alerter = &config.alerter;
    assert_eq!((alerter.min_duration_ms, alerter.quiet_hours), (0, None));
    assert_eq!(
        (&alerter.webhook_url, &alerter.webhook_url_file),
        (&None, &None)
    );
}

/// `default.toml` with its commented examples (`# key = value`) made live.
fn defaults_with_examples() -> String {
    let live = |line: &str| match line.strip_prefix("# ") {
        Some(rest)
            if rest
                .split_once(" = ")
                .is_some_and(|(key, _)| !key.trim_matches('"').contains(' ')) =>
        {
            rest.to_owned()
        }
        _ => line.to_owned(),
    };
    DEFAULTS.lines().map(live).collect::<Vec<_>>().join("\n")
}

fn leaves_of(text: &str) -> Vec<layer::Leaf> {
    layer::read_toml(text, |line| Origin::Defaults { line }).unwrap()
}

#[test]
fn the_schema_and_the_default_file_hold_the_same_settings() {
    let given = leaves_of(DEFAULTS);
    let shown = leaves_of(&defaults_with_examples());
    assert!(
        shown.len() > given.len(),
        "the commented examples are found"
    );
    for leaf in given.iter().chain(&shown) {
        assert!(
            check::check(leaf).is_ok(),
            "{} stands in default.toml and is refused",
            dotted(&leaf.path)
        );
    }
    for setting in schema::SETTINGS {
        let (leaves, how) = match setting.standing {
            Standing::Given => (&given, "has no value"),
            Standing::Optional => (&shown, "is not shown"),
        };
        assert!(
            leaves.iter().any(|leaf| setting.is_at(&leaf.path)),
            "{} {how} in default.toml",
            setting.path
        );
    }
}

#[test]
fn every_range_stands_in_the_default_file() {
    for setting in schema::SETTINGS
        .iter()
        .filter(|setting| !setting.range().is_empty())
    {
        let range = setting.range();
        let range = range.split(' ').next().unwrap();
        let mut names = setting.path.rsplit('.');
        let key = names.find(|name| *name != "*").unwrap();
        let is_told = DEFAULTS
            .split("\n\n")
            .any(|part| part.contains(key) && part.contains(range));
        assert!(
            is_told,
            "default.toml does not say that {} is in {range}",
            setting.path
        );
    }
}

#[test]
fn the_commented_examples_are_the_defaults_in_force() {
    assert_eq!(
        load(&defaults_with_examples(), &[]).unwrap().venues["coinbase"],
        Config::default().venues["coinbase"]
    );
    let shown = load(&defaults_with_examples(), &[]).unwrap();
    let (shown, plain) = (&shown, &Config::default());
    for read in [
        Config::mark_lag_ms,
        Config::quote_max_age_ms,
        Config::silent_after_ms,
    ] {
        assert_eq!(read(shown, "binance"), read(plain, "kraken"));
    }
    assert_eq!(
        shown.max_message_bytes("binance"),
        plain.max_message_bytes("kraken")
    );
}

#[test]
fn a_file_lies_over_the_defaults_and_a_variable_over_both() {
    let file = "[windowing]\nwidth_ms = 250\nworkers = 2\n[venues.kraken]\ntaker_fee_bps = 26\n";
    let env = [
        ("LOCKSTEP_WINDOWING__WIDTH_MS", "500"),
        ("LOCKSTEP_VENUES__KRAKEN__MARK_LAG_MS", "50"),
        ("PATH", "/bin"),
    ];
    let config = load(file, &env).unwrap();
    assert_eq!(
        (config.windowing.width_ms, config.windowing.workers),
        (500, 2)
    );
    assert_eq!(config.windowing.quote_max_age_ms, 2000);
    assert_eq!(
        (config.fee("kraken"), config.mark_lag_ms("kraken")),
        (Some(bps("26")), 50)
    );
    assert_eq!(config.fee("binance"), Some(bps("10")));
}

#[test]
fn a_venue_overrides_the_ages_of_its_stage() {
    let config = load(
        "[venues.binance]\nquote_max_age_ms = 500\nsilent_after_ms = 3000\n",
        &[],
    )
    .unwrap();
    assert_eq!(
        (
            config.quote_max_age_ms("binance"),
            config.quote_max_age_ms("coinbase")
        ),
        (500, 2000)
    );
    assert_eq!(
        (
            config.silent_after_ms("binance"),
            config.silent_after_ms("coinbase")
        ),
        (3000, 10_000)
    );
}

#[test]
fn a_symbol_overrides_the_limit_of_its_silence_whatever_its_case() {
    let config = load(
        "[ingest]\nsymbol_silent_after_ms = 7000\n[venues.binance]\nsymbol_silent_after_ms.BTCUSDT = 500\n",
        &[("LOCKSTEP_VENUES__COINBASE__SYMBOL_SILENT_AFTER_MS__BTC-USD", "900")],
    )
    .unwrap();
    let limits = [
        ("binance", "BTCUSDT"),
        ("binance", "ETHUSDT"),
        ("coinbase", "BTC-USD"),
        ("kraken", "BTC-USD"),
    ];
    let limits = limits.map(|(venue, symbol)| config.symbol_silent_after_ms(venue, symbol));
    assert_eq!(limits, [500, 7_000, 900, 7_000]);
}

#[test]
fn a_fee_is_exact_as_integer_float_string_and_variable() {
    for (written, micro) in [
        ("10", 10_000_000),
        ("9.5", 9_500_000),
        ("0.1", 100_000),
        ("\"7.25\"", 7_250_000),
        ("-0.000001", -1),
    ] {
        let config = load(&format!("[venues.x]\ntaker_fee_bps = {written}\n"), &[]).unwrap();
        assert_eq!(config.fee("x").unwrap().micro_bps(), micro, "{written}");
    }
    let config = load("", &[("LOCKSTEP_VENUES__BINANCE__TAKER_FEE_BPS", "7.5")]).unwrap();
    assert_eq!(config.fee("binance"), Some(bps("7.5")));
}

#[test]
fn variables_reach_the_open_tables() {
    let config = load(
        "[pairs.\"A-B-USD\"]\nbinance = \"ABUSDT\"\n",
        &[
            ("LOCKSTEP_PAIRS__BTC-USD__BINANCE_US", "BTCUSD"),
            ("LOCKSTEP_PAIRS__ETH_USD__BINANCE_US", "ETHUSD"),
            ("LOCKSTEP_PAIRS__SOL_USD__BINANCE", "SOLUSDT"),
            ("LOCKSTEP_PAIRS__A_B_USD__KRAKEN", "AB/USD"),
            ("LOCKSTEP_RATES__USDT-USD__BINANCE_US", "USDTUSD"),
            ("LOCKSTEP_KAFKA__PROPERTIES__SECURITY_PROTOCOL", "SASL_SSL"),
            (
                "LOCKSTEP_VENUES__BINANCE__ALTERNATIVE_URLS",
                "ws://127.0.0.1:1, ws://127.0.0.1:2/x",
            ),
        ],
    )
    .unwrap();
    assert_eq!(config.pair_of("binance_us", "BTCUSD"), Some("BTC-USD"));
    assert_eq!(config.pair_of("binance_us", "ETHUSD"), Some("ETH-USD"));
    assert_eq!(config.pair_of("binance", "SOLUSDT"), Some("SOL-USD"));
    assert_eq!(config.pair_of("kraken", "AB/USD"), Some("A-B-USD"));
    assert_eq!(
        config.rate_of("binance_us", "USDTUSD"),
        Some(("USDT", "USD"))
    );
    assert_eq!(
        config.kafka.properties.get("security.protocol"),
        Some("SASL_SSL")
    );
    assert_eq!(
        config.urls("binance")[1..],
        ["ws://127.0.0.1:1", "ws://127.0.0.1:2/x"]
    );
}

#[test]
fn variables_that_are_no_settings_are_passed_over_and_others_are_refused() {
    let passed = [
        ("LOCKSTEP_TEST_DATA", "x"),
        ("LOCKSTEP_LOG", "debug"),
        ("LOCKSTEP_CONFIG", "y.toml"),
    ];
    assert_eq!(load("", &passed).unwrap(), Config::default());
    assert_eq!(
        faults(
            "",
            &[
                ("LOCKSTEP_WINDOWING_WIDTH_MS", "1"),
                ("LOCKSTEP_COLOUR", "red"),
                ("LOCKSTEP_", "")
            ]
        ),
        [
            "LOCKSTEP_: names no setting",
            "LOCKSTEP_COLOUR: names no setting",
            "LOCKSTEP_WINDOWING_WIDTH_MS: names no setting; did you mean `LOCKSTEP_WINDOWING__WIDTH_MS`?",
        ]
    );
}

#[test]
fn two_variables_for_one_key_are_a_fault() {
    let env = [
        ("LOCKSTEP_PAIRS__BTC-USD__KRAKEN", "A"),
        ("LOCKSTEP_PAIRS__BTC_USD__KRAKEN", "B"),
    ];
    assert_eq!(
        faults("", &env),
        [
            "LOCKSTEP_PAIRS__BTC_USD__KRAKEN: sets `pairs.BTC-USD.kraken`, and so does LOCKSTEP_PAIRS__BTC-USD__KRAKEN; keep one of them"
        ]
    );
}

#[test]
fn a_pair_name_that_could_be_two_is_asked_back() {
    assert_eq!(
        faults("", &[("LOCKSTEP_PAIRS__X_Y_USD__BINANCE", "XY")]),
        [
            "LOCKSTEP_PAIRS__X_Y_USD__BINANCE: `pairs` has the unusable name \"X_Y_USD\": \
          cannot tell which `_` stands for `-`; write the name with `-`, or put it into a file"
        ]
    );
}

#[test]
fn all_faults_are_listed_at_once_with_name_value_range_and_place() {
    let file = "\
[windowing]
width_ms = 0
widht_ms = 5
workers = \"four\"
delivery = \"twice\"
deployment = \"a b\"
quote_max_age_ms = 99999999999999999999
[venues.binance]
taker_fee_bps = 1001
url = \"http://example.org\"
dialect = \"advanced\"
[pairs]
BTCUSD.binance = \"BTCUSDT\"
[rates.\"USD-USD\"]
coinbase = \"USD-USD\"
[kafka]
brokers = \"localhost\"
";
    let env = [
        ("LOCKSTEP_INGEST__MARK_INTERVAL_MS", "1e3"),
        ("LOCKSTEP_INGEST__SILENT_AFTER_MS", "7"),
    ];
    assert_eq!(
        faults(file, &env),
        [
            "my.toml:2: `windowing.width_ms` is 0, which is outside 1..=3600000 ms",
            "my.toml:3: unknown key `windowing.widht_ms`; did you mean `windowing.width_ms`?",
            "my.toml:4: `windowing.workers` must be a whole number, not the string \"four\"",
            "my.toml:5: `windowing.delivery` is \"twice\", which is none of \"exactly-once\", \"at-least-once\"",
            "my.toml:6: `windowing.deployment` has the unusable value \"a b\": a name is made of up to 100 letters, digits, `_`, `-` and `.`",
            "my.toml:7: `windowing.quote_max_age_ms` is 99999999999999999999, which is outside 0..=31536000000 ms",
            "my.toml:9: `venues.binance.taker_fee_bps` is 1001, which is outside -100..=1000 bps",
            "my.toml:10: `venues.binance.url` has the unusable value \"http://example.org\": an address starts with ws:// or wss:// and a host",
            "my.toml:11: unknown key `venues.binance.dialect`; did you mean `venues.coinbase.dialect`?",
            "my.toml:13: `pairs.BTCUSD.binance` has the unusable name \"BTCUSD\": a pair is named asset-currency, as in BTC-USD",
            "my.toml:15: `rates.USD-USD.coinbase` has the unusable name \"USD-USD\": a rate is named from-to, as in USDT-USD",
            "my.toml:17: `kafka.brokers` has the unusable value \"localhost\": brokers are host:port, separated by commas, as in 127.0.0.1:9092",
            "LOCKSTEP_INGEST__MARK_INTERVAL_MS: `ingest.mark_interval_ms` must be a whole number, not the text \"1e3\"",
            "LOCKSTEP_INGEST__SILENT_AFTER_MS: `ingest.silent_after_ms` is 7, which is outside 100..=3600000 ms",
        ]
    );
}

#[test]
fn a_fault_in_the_file_is_told_though_a_variable_would_hide_it() {
    let told = faults(
        "[windowing]\nwidth_ms = 0\n",
        &[("LOCKSTEP_WINDOWING__WIDTH_MS", "500")],
    );
    assert_eq!(
        told,
        ["my.toml:2: `windowing.width_ms` is 0, which is outside 1..=3600000 ms"]
    );
}

#[test]
fn broken_toml_is_told_with_its_line_and_without_its_text() {
    let told = faults(
        "[kafka.properties]\n\"sasl.password\" = hunter2\n\n[windowing\n",
        &[("LOCKSTEP_WINDOWING__WORKERS", "0")],
    );
    assert!(told.len() >= 3, "{told:?}");
    assert!(told[0].starts_with("my.toml:2: not TOML: "), "{told:?}");
    assert!(
        told.iter()
            .any(|fault| fault.starts_with("my.toml:4: not TOML: ")),
        "{told:?}"
    );
    assert!(
        told.iter()
            .any(|fault| fault.starts_with("LOCKSTEP_WINDOWING__WORKERS: ")),
        "{told:?}"
    );
    assert!(!told.concat().contains("hunter2"), "{told:?}");
    assert!(faults("a = 1\na = 2\n", &[])[0].starts_with("my.toml:2: not TOML: duplicate key"));
}

#[test]
fn a_word_that_is_almost_right_is_suggested() {
    let told = faults(
        "[windowing]\ndelivery = \"at-last-once\"\n[venues.coinbase]\ndialect = \"pro\"\n",
        &[],
    );
    assert_eq!(
        told,
        [
            "my.toml:2: `windowing.delivery` is \"at-last-once\", which is none of \"exactly-once\", \"at-least-once\"; did you mean `at-least-once`?",
            "my.toml:4: `venues.coinbase.dialect` is \"pro\", which is none of \"advanced\", \"exchange\"",
        ]
    );
}

#[test]
fn tables_where_values_belong_and_values_where_tables_belong_are_faults() {
    let file = "windowing = 5\nvenues = { binance = 7, kraken = {} }\n[ingest.mark_interval_ms]\n[alarm]\n[pairs]\n\"BTC-USD\" = true\n";
    assert_eq!(
        faults(file, &[("LOCKSTEP_KAFKA", "x")]),
        [
            "my.toml:1: `windowing` is a table and takes no value of its own",
            "my.toml:2: `venues.binance` is a table and takes no value of its own",
            "my.toml:3: `ingest.mark_interval_ms` must be a whole number, not a table",
            "my.toml:4: unknown key `alarm`",
            "my.toml:6: `pairs.BTC-USD` is a table and takes no value of its own",
            "LOCKSTEP_KAFKA: `kafka` is a table and takes no value of its own",
        ]
    );
}

#[test]
fn one_symbol_of_a_venue_stands_for_one_pair() {
    assert_eq!(
        faults("[pairs.\"XBT-USD\"]\nbinance = \"BTCUSDT\"\n", &[]),
        [
            "my.toml:2: symbol \"BTCUSDT\" of binance stands for both `pairs.BTC-USD.binance` and `pairs.XBT-USD.binance`"
        ]
    );
    let another_venue = load("[pairs.\"XBT-USD\"]\nbinance_us = \"BTCUSDT\"\n", &[]).unwrap();
    assert_eq!(
        another_venue.pair_of("binance_us", "BTCUSDT"),
        Some("XBT-USD")
    );
    let as_rate_too = load("[pairs.\"USDT-USD\"]\ncoinbase = \"USDT-USD\"\n", &[]).unwrap();
    assert_eq!(
        as_rate_too.pair_of("coinbase", "USDT-USD"),
        Some("USDT-USD")
    );
    let shown_where_the_file_is_wrong = faults("[pairs.\"AAA-USD\"]\nbinance = \"BTCUSDT\"\n", &[]);
    assert!(
        shown_where_the_file_is_wrong[0].starts_with("my.toml:2: "),
        "{shown_where_the_file_is_wrong:?}"
    );
}

#[test]
fn false_switches_a_default_off_and_a_higher_layer_may_bring_it_back() {
    let off = "[pairs]\n\"ETH-USD\" = false\n\"BTC-USD\".coinbase = false\n[rates]\n\"USDT-USD\" = false\n";
    let config = load(off, &[]).unwrap();
    assert_eq!(config.pairs.keys().collect::<Vec<_>>(), ["BTC-USD"]);
    assert_eq!(
        config.pairs["BTC-USD"].keys().collect::<Vec<_>>(),
        ["binance"]
    );
    assert!(config.rates.is_empty());
    let back = load(
        off,
        &[
            ("LOCKSTEP_PAIRS__ETH-USD__KRAKEN", "ETH/USD"),
            ("LOCKSTEP_PAIRS__BTC_USD", "false"),
        ],
    )
    .unwrap();
    assert_eq!(back.pairs.keys().collect::<Vec<_>>(), ["ETH-USD"]);
    assert_eq!(back.pairs["ETH-USD"].keys().collect::<Vec<_>>(), ["kraken"]);
    assert_eq!(
        faults("[windowing]\nwidth_ms = false\n", &[]),
        ["my.toml:2: `windowing.width_ms` must be a whole number, not the switch false"]
    );
}

#[test]
fn a_url_of_ones_own_drops_the_alternatives_below_it() {
    let config = load("[venues.binance]\nurl = \"ws://127.0.0.1:9001\"\n", &[]).unwrap();
    assert_eq!(config.urls("binance"), ["ws://127.0.0.1:9001"]);
    let both = "[venues.binance]\nurl = \"ws://127.0.0.1:9001\"\nalternative_urls = [\"ws://127.0.0.1:9002\"]\n";
    assert_eq!(
        load(both, &[]).unwrap().urls("binance"),
        ["ws://127.0.0.1:9001", "ws://127.0.0.1:9002"]
    );
    let over = load(
        both,
        &[("LOCKSTEP_VENUES__BINANCE__URL", "ws://localhost:9003")],
    )
    .unwrap();
    assert_eq!(over.urls("binance"), ["ws://localhost:9003"]);
}

#[test]
fn the_dialect_of_coinbase_chooses_its_address_unless_one_is_given() {
    let exchange = "[venues.coinbase]\ndialect = \"exchange\"\n";
    let config = load(exchange, &[]).unwrap();
    assert_eq!(config.venues["coinbase"].dialect, Some(Dialect::Exchange));
    assert_eq!(
        config.urls("coinbase"),
        ["wss://ws-feed.exchange.coinbase.com"]
    );
    let own = load(
        exchange,
        &[("LOCKSTEP_VENUES__COINBASE__URL", "ws://127.0.0.1:1")],
    )
    .unwrap();
    assert_eq!(own.urls("coinbase"), ["ws://127.0.0.1:1"]);
    assert_eq!(Config::default().venues["binance"].dialect, None);
}

#[test]
fn addresses_that_no_socket_could_open_are_refused() {
    for url in [
        "",
        "wss://",
        "ws:///x",
        "ws://:80",
        "https://x.org",
        "wss://a b",
        "//x.org",
    ] {
        let told = faults(
            &format!("[venues.x]\nalternative_urls = [\"ws://ok.org\", \"{url}\"]\n"),
            &[],
        );
        assert!(
            told.len() == 1 && told[0].contains("an address starts with ws://"),
            "{url}: {told:?}"
        );
    }
    let told = faults("[venues.x]\nurl = \"wss://me:hunter2@x.org\"\n", &[]);
    assert!(
        told[0].contains("***") && !told[0].contains("hunter2"),
        "{told:?}"
    );
    let told = faults("[venues.x]\nalternative_urls = [1]\n", &[]);
    assert!(
        told[0].ends_with("must be a list of strings, not the whole number 1"),
        "{told:?}"
    );
}

#[test]
fn kafka_properties_are_taken_as_written_and_secrets_are_never_shown() {
    let file = "[kafka.properties]\nsecurity.protocol = \"SASL_SSL\"\n\"linger.ms\" = 5\nsasl.password = \"hunter2\"\nenable.x = true\nf = 0.10\n";
    let config = load(file, &[]).unwrap();
    let read: Vec<_> = config.kafka.properties.iter().collect();
    assert_eq!(
        read,
        [
            ("enable.x", "true"),
            ("f", "0.10"),
            ("linger.ms", "5"),
            ("sasl.password", "hunter2"),
            ("security.protocol", "SASL_SSL")
        ]
    );
    assert!(!format!("{config:?}").contains("hunter2"));
    assert!(!config.to_toml().contains("hunter2"));
    assert!(config.to_toml().contains("\"sasl.password\" = \"***\""));
    let told = faults(
        "[kafka.properties]\nbootstrap.servers = \"x:1\"\nsasl.password = [\"hunter2\"]\n",
        &[],
    );
    assert!(
        told[0].ends_with("the brokers stand in `kafka.brokers`"),
        "{told:?}"
    );
    assert!(
        told[1].ends_with("must be a string, not a list"),
        "{told:?}"
    );
}

#[test]
fn an_empty_webhook_or_file_is_none() {
    // What a compose file hands on where somebody left a variable out.
    let empty = [
        ("LOCKSTEP_ALERTER__WEBHOOK_URL", ""),
        ("LOCKSTEP_ALERTER__WEBHOOK_URL_FILE", ""),
    ];
    let alerter = load("", &empty).unwrap().alerter;
    assert!(alerter.webhook_url.is_none() && alerter.webhook_url_file.is_none());
}

#[test]
fn the_webhook_is_never_shown() {
    let url = "https://example.org/api/webhooks/1/hunter2";
    let config = load("", &[("LOCKSTEP_ALERTER__WEBHOOK_URL", url)]).unwrap();
    assert_eq!(config.alerter.webhook_url.as_ref().unwrap().expose(), url);
    assert!(!format!("{config:?}{}", config.to_toml()).contains("hunter2"));
    for wrong in ["hunter2", "ftp://x/hunter2", "https://me:hunter2@x/y"] {
        let told = faults("", &[("LOCKSTEP_ALERTER__WEBHOOK_URL", wrong)]);
        assert!(
            told[0].contains("***") && !told[0].contains("hunter2"),
            "{told:?}"
        );
    }
    let told = faults("[alerter]\nwebhook_url = [\"hunter2\"]\n", &[]);
    assert!(
        told[0].ends_with("must be a string, not a list"),
        "{told:?}"
    );
    assert_eq!(
        load("", &[("LOCKSTEP_ALERTER__WEBHOOK_URL", "")]).unwrap(),
        Config::default()
    );
}

#[test]
fn alerts_have_thresholds_of_their_pairs_and_quiet_hours() {
    let config = load(
        "[alerter]\nthreshold_bps = 7.5\nquiet_hours = \"22:00-07:00\"\nquiet_zone = \"Europe/Paris\"\n\
         [alerter.threshold_bps_of]\n\"ETH-USD\" = -12.25\n",
        &[("LOCKSTEP_ALERTER__THRESHOLD_BPS_OF__BTC_USD", "3")],
    )
    .unwrap();
    let alerter = &config.alerter;
    assert_eq!(alerter.threshold.micro_bps(), 7_500_000);
    assert_eq!(alerter.threshold_of["ETH-USD"].micro_bps(), -12_250_000);
    assert_eq!(alerter.threshold_of["BTC-USD"].micro_bps(), 3_000_000);
    assert!(alerter.quiet_hours.unwrap().holds(0));
    assert_eq!(
        faults(
            "[alerter]\nthreshold_bps = 10001\nquiet_hours = \"late\"\nquiet_zone = \"Mars\"\nthreshold_bps_of = { BTCUSD = 1 }\n",
            &[]
        ),
        [
            "my.toml:2: `alerter.threshold_bps` is 10001, which is outside -10000..=10000 bps",
            "my.toml:3: `alerter.quiet_hours` has the unusable value \"late\": quiet hours are HH:MM-HH:MM, as in 22:00-07:00, or empty",
            "my.toml:4: `alerter.quiet_zone` has the unusable value \"Mars\": a zone is a name such as Europe/Paris, UTC, or an offset such as +05:30",
            "my.toml:5: `alerter.threshold_bps_of.BTCUSD` has the unusable name \"BTCUSD\": a pair is named asset-currency, as in BTC-USD",
        ]
    );
}

#[test]
fn metrics_are_served_where_that_is_set_and_nowhere_else() {
    let listen = |value: &str| {
        load("", &[("LOCKSTEP_METRICS__LISTEN", value)])
            .unwrap()
            .metrics
            .listen
    };
    assert_eq!(Config::default().metrics.listen, None);
    assert_eq!(listen(""), None);
    for address in ["0.0.0.0:9464", "[::1]:0", "localhost:1"] {
        assert_eq!(listen(address).as_deref(), Some(address));
    }
    for address in ["9464", ":9464", "localhost", "a b:1", "127.0.0.1:65536"] {
        let told = faults(&format!("[metrics]\nlisten = \"{address}\"\n"), &[]);
        assert!(
            told[0].ends_with("a place to listen is host:port, as in 127.0.0.1:9464, or empty"),
            "{told:?}"
        );
    }
}

#[test]
fn an_error_prints_its_count_and_one_line_per_fault() {
    let error = load("[windowing]\nwidth_ms = 0\nworkers = 65\n", &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the configuration has 2 faults\n  \
         my.toml:2: `windowing.width_ms` is 0, which is outside 1..=3600000 ms\n  \
         my.toml:3: `windowing.workers` is 65, which is outside 1..=64 threads"
    );
}

#[test]
fn the_effective_settings_load_to_themselves() {
    let file = "\
[venues.kraken]
taker_fee_bps = 26.125
quote_max_age_ms = 700
[venues.\"we.ird\"]
url = \"ws://127.0.0.1:1/a\"
[pairs]
\"ETH-USD\" = false
\"BTC-USD\".binance = false
\"BTC-USD\".kraken = 'XBT\"/USD'
[rates]
\"USDT-USD\" = false
[kafka.properties]
\"linger.ms\" = 5
[alerter.threshold_bps_of]
\"BTC-USD\" = 0.5
";
    for config in [Config::default(), load(file, &[]).unwrap()] {
        let text = config.to_toml();
        assert_eq!(load(&text, &[]).unwrap(), config, "{text}");
    }
}

#[test]
fn every_setting_in_the_schema_changes_the_effective_settings() {
    let before = Config::default().to_toml();
    for setting in schema::SETTINGS {
        let path: Vec<&str> = setting.path.split('.').collect();
        let value = match setting.path {
            "windowing.delivery" | "cerebral.delivery" => "at-least-once",
            "windowing.transaction_timeout_ms" => "77777",
            "venues.coinbase.dialect" => "exchange",
            "kafka.brokers" => "example.org:1",
            "metrics.listen" => "127.0.0.1:9464",
            "alerter.webhook_url" => "https://example.org",
            "ingest.rotate_after_ms" => "77777",
            "alerter.quiet_hours" => "22:00-07:00",
            "alerter.quiet_zone" => "+05:30",
            path if path.contains("url") => "ws://example.org",
            _ => "777",
        };
        let fill = |(i, name): (usize, &&str)| {
            match (*name, i) {
                ("*", 1) if path[0] == "venues" => "binance",
                ("*", 2) if path[0] == "alerter" => "SOL-USD",
                ("*", 1) => "SOL-USD",
                ("*", _) => "binance",
                (name, _) => name,
            }
            .to_uppercase()
        };
        let variable = format!(
            "LOCKSTEP_{}",
            path.iter()
                .enumerate()
                .map(fill)
                .collect::<Vec<_>>()
                .join("__")
        );
        let value = if setting.path.ends_with("workers") {
            "7"
        } else {
            value
        };
        let value = if setting.path.ends_with("max_message_bytes") {
            "77777"
        } else {
            value
        };
        let after = load("", &[(&variable, value)]).unwrap().to_toml();
        let shown = match setting.path {
            "alerter.webhook_url" => "webhook_url = \"***\"",
            _ => value,
        };
        assert!(
            after != before && after.contains(shown),
            "{variable}={value} changes nothing"
        );
    }
}

proptest! {
    #[test]
    fn no_text_and_no_variable_makes_it_panic(
        text in "(\\PC|\n){0,200}",
        name in "LOCKSTEP_(PAIRS|VENUES|KAFKA|WINDOWING|\\PC{0,5})(__[-_A-Z\\PC]{0,10}){0,3}",
        value in "\\PC{0,20}",
    ) {
        let _ = load(&text, &[(&name, &value)]).map(|config| config.to_toml());
    }

    #[test]
    fn no_value_makes_a_known_key_panic(
        which in 0..schema::SETTINGS.len(),
        value in prop_oneof!["\\PC{0,20}", "\"[^\"\\\\\n]{0,20}\"", "[-+]?[0-9_]{1,25}(\\.[0-9]{1,9})?", "\\[(\"a\",?){0,3}\\]", "\\{\\}"],
    ) {
        let key = schema::SETTINGS[which].path.replace('*', "\"A-B\"");
        let file = format!("{key} = {value}\n");
        if let Ok(config) = load(&file, &[]) {
            prop_assert_eq!(load(&config.to_toml(), &[]).unwrap(), config);
        }
    }
}
