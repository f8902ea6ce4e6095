//! From checked values to the structs that the stages use.
//!
//! In: the values of all layers, laid over each other. Out: [`Config`]. No value can be wrong any
//! more; what was not given gets its default here, where it is not `config/default.toml` that gives it.

use std::collections::BTreeMap;

use super::alerter::{Alerter, QuietHours, Secret};
use super::bps::Bps;
use super::check::Value;
use super::layer::Path;
use super::schema::{MARK_LAG_MS, MAX_MESSAGE_BYTES};
use super::settings::{
    Cerebral, Config, Delivery, Dialect, Ingest, Kafka, Metrics, Venue, Windowing,
};

impl Config {
    /// Fills the fields. Every setting that `config/default.toml` gives is in `values`, since that
    /// layer is always the lowest.
    pub(super) fn from_values(values: &BTreeMap<Path, Value>) -> Self {
        let values = Values(values);
        let mut venues: BTreeMap<String, Venue> = BTreeMap::new();
        for name in values
            .0
            .keys()
            .filter(|path| path[0] == "venues")
            .map(|path| &path[1])
        {
            if !venues.contains_key(name) {
                venues.insert(name.clone(), values.venue(name));
            }
        }
        let properties = values
            .0
            .keys()
            .filter(|path| path.len() == 3 && path[1] == "properties");
        let properties = properties.filter_map(|path| Some((path[2].clone(), values.text(path)?)));
        let delivery = |stage: &str| match values.text(&path([stage, "delivery"])).as_deref() {
            Some("at-least-once") => Delivery::AtLeastOnce,
            _ => Delivery::ExactlyOnce,
        };
        Self {
            windowing: Windowing {
                width_ms: values.given(["windowing", "width_ms"]),
                quote_max_age_ms: values.given(["windowing", "quote_max_age_ms"]),
                rate_max_age_ms: values.given(["windowing", "rate_max_age_ms"]),
                max_gap_ms: values.given(["windowing", "max_gap_ms"]),
                workers: count(values.given(["windowing", "workers"])),
                delivery: delivery("windowing"),
                commit_interval_ms: millis(values.given(["windowing", "commit_interval_ms"])),
                checkpoint_interval_ms: millis(
                    values.given(["windowing", "checkpoint_interval_ms"]),
                ),
                transaction_timeout_ms: millis(
                    values.given(["windowing", "transaction_timeout_ms"]),
                ),
                deployment: values
                    .text(&path(["windowing", "deployment"]))
                    .expect("default.toml gives windowing.deployment"),
                max_open_records: count(values.given(["windowing", "max_open_records"])),
            },
            ingest: Ingest {
                mark_interval_ms: values.given(["ingest", "mark_interval_ms"]),
                max_stamp_distance_ms: values.given(["ingest", "max_stamp_distance_ms"]),
                silent_after_ms: values.given(["ingest", "silent_after_ms"]),
                health_interval_ms: values.given(["ingest", "health_interval_ms"]),
                symbol_silent_after_ms: values.given(["ingest", "symbol_silent_after_ms"]),
                rotate_after_ms: values.given(["ingest", "rotate_after_ms"]),
                conflate_above_frames: count(values.given(["ingest", "conflate_above_frames"])),
                ca_file: values.text(&path(["ingest", "ca_file"])),
            },
            cerebral: Cerebral {
                workers: count(values.given(["cerebral", "workers"])),
                delivery: delivery("cerebral"),
                checkpoint_interval_ms: millis(
                    values.given(["cerebral", "checkpoint_interval_ms"]),
                ),
            },
            alerter: values.alerter(),
            venues,
            pairs: values.symbols("pairs"),
            rates: values.symbols("rates"),
            kafka: Kafka {
                brokers: values
                    .text(&path(["kafka", "brokers"]))
                    .expect("default.toml gives kafka.brokers"),
                properties: properties.collect(),
            },
            metrics: Metrics {
                listen: values
                    .text(&path(["metrics", "listen"]))
                    .filter(|listen| !listen.is_empty()),
            },
        }
    }
}

fn path<const N: usize>(names: [&str; N]) -> Path {
    names.map(str::to_owned).to_vec()
}

fn count(value: i64) -> usize {
    usize::try_from(value).expect("counts are above zero and at most 2^30 by the schema")
}

fn millis(value: i64) -> u64 {
    u64::try_from(value).expect("these times are above zero by the schema")
}

/// The checked values, with a getter per type.
struct Values<'a>(&'a BTreeMap<Path, Value>);

impl Values<'_> {
    fn whole(&self, path: &Path) -> Option<i64> {
        match self.0.get(path) {
            Some(Value::Whole(value)) => Some(*value),
            _ => None,
        }
    }

    fn given<const N: usize>(&self, names: [&str; N]) -> i64 {
        self.whole(&path(names))
            .expect("default.toml gives every setting that is not optional")
    }

    fn text(&self, path: &Path) -> Option<String> {
        match self.0.get(path) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        }
    }

    fn bps(&self, path: &Path) -> Option<Bps> {
        match self.0.get(path) {
            Some(Value::Bps(value)) => Some(*value),
            _ => None,
        }
    }

    fn alerter(&self) -> Alerter {
        let key = |key: &str| path(["alerter", key]);
        let given = |name: &str| self.given(["alerter", name]);
        let threshold_of = self
            .0
            .keys()
            .filter(|path| path.len() == 3 && path[0] == "alerter");
        let text = |name: &str| self.text(&key(name)).filter(|text| !text.is_empty());
        Alerter {
            threshold: self
                .bps(&key("threshold_bps"))
                .expect("default.toml gives alerter.threshold_bps"),
            threshold_of: threshold_of
                .filter_map(|path| Some((path[2].clone(), self.bps(path)?)))
                .collect(),
            hysteresis: self
                .bps(&key("hysteresis_bps"))
                .expect("default.toml gives alerter.hysteresis_bps"),
            min_duration_ms: given("min_duration_ms"),
            cooldown_ms: given("cooldown_ms"),
            quiet_hours: text("quiet_hours").and_then(|text| QuietHours::parse(&text)),
            quiet_zone: text("quiet_zone").expect("default.toml gives alerter.quiet_zone"),
            outage_after_ms: given("outage_after_ms"),
            stall_after_ms: given("stall_after_ms"),
            update_interval_ms: given("update_interval_ms"),
            label: text("label").unwrap_or_default(),
            webhook_url: match self.0.get(&key("webhook_url")) {
                Some(Value::Secret(url)) if *url != Secret::new("") => Some(url.clone()),
                _ => None,
            },
            webhook_url_file: text("webhook_url_file").filter(|file| !file.is_empty()),
        }
    }

    fn venue(&self, name: &str) -> Venue {
        let key = |key: &str| path(["venues", name, key]);
        let dialect = (name == "coinbase").then(|| match self.text(&key("dialect")).as_deref() {
            Some("exchange") => Dialect::Exchange,
            _ => Dialect::Advanced,
        });
        Venue {
            taker_fee: match self.0.get(&key("taker_fee_bps")) {
                Some(Value::Fee(fee)) => Some(*fee),
                _ => None,
            },
            url: self
                .text(&key("url"))
                .or_else(|| dialect.map(|dialect| dialect.url().to_owned())),
            alternative_urls: match self.0.get(&key("alternative_urls")) {
                Some(Value::List(urls)) => urls.clone(),
                _ => Vec::new(),
            },
            mark_lag_ms: self.whole(&key("mark_lag_ms")).unwrap_or(MARK_LAG_MS),
            quote_max_age_ms: self.whole(&key("quote_max_age_ms")),
            silent_after_ms: self.whole(&key("silent_after_ms")),
            symbol_silent_after_ms: self.symbol_limits(name),
            max_message_bytes: self
                .whole(&key("max_message_bytes"))
                .map_or(MAX_MESSAGE_BYTES, count),
            dialect,
        }
    }

    /// Limits by symbol. Variables come in lower case, and no venue tells symbols apart by case alone.
    fn symbol_limits(&self, venue: &str) -> BTreeMap<String, i64> {
        let limits = self.0.iter().filter_map(|(path, value)| {
            let ([venues, name, key, symbol], Value::Whole(ms)) = (path.as_slice(), value) else {
                return None;
            };
            let is_limit = venues == "venues" && name == venue && key == "symbol_silent_after_ms";
            is_limit.then(|| (symbol.to_uppercase(), *ms))
        });
        limits.collect()
    }

    fn symbols(&self, section: &str) -> BTreeMap<String, BTreeMap<String, String>> {
        let mut table: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for path in self
            .0
            .keys()
            .filter(|path| path.len() == 3 && path[0] == section)
        {
            if let Some(symbol) = self.text(path) {
                table
                    .entry(path[1].clone())
                    .or_default()
                    .insert(path[2].clone(), symbol);
            }
        }
        table
    }
}
