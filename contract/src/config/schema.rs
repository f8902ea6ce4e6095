//! The settings there are: path, kind, range, unit. Written once, here.
//!
//! In: a path from a file or a variable. Out: the [`Setting`] it names, or the nearest known one.
//! The values themselves stand in `config/default.toml`; a test holds the two lists together.

use super::fee::TakerFee;

/// One setting.
#[derive(Debug)]
pub(super) struct Setting {
    /// Dotted path; `*` stands for any one name of an open table.
    pub(super) path: &'static str,
    /// What its value may be.
    pub(super) kind: Kind,
    /// Unit of its value, empty where there is none.
    pub(super) unit: &'static str,
    /// Whether the defaults give it.
    #[cfg_attr(
        not(test),
        expect(
            dead_code,
            reason = "read by the test that compares it with default.toml"
        )
    )]
    pub(super) standing: Standing,
}

/// What a value may be.
#[derive(Debug)]
pub(super) enum Kind {
    /// A whole number in `min..=max`.
    Whole {
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
    },
    /// A fee, as [`TakerFee`] reads it.
    Fee,
    /// Basis points in `min..=max`, with at most six decimals.
    Bps {
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
    },
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// A name of letters, digits, `_`, `-` and `.`.
    Name,
    /// A WebSocket address.
    Url,
    /// A list of WebSocket addresses.
    UrlList,
    /// A symbol as a venue writes it, or `false` to switch a default off.
    Symbol,
    /// A comma-separated list of `host:port`.
    Brokers,
    /// Where a server listens, `host:port`; empty for nowhere.
    Listen,
    /// A webhook's address, never shown; empty for none.
    SecretUrl,
    /// A file's name; empty for none.
    File,
    /// A daily stretch of local time, or empty for none.
    QuietHours,
    /// A time zone's name or offset.
    Zone,
    /// A few words on one line, or none.
    Label,
    /// Text for librdkafka; numbers and switches are taken as written.
    Property,
}

/// How a setting stands in `config/default.toml`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It has a value there.
    Given,
    /// It may stand in each table of an open one; there it is given or shown as a commented example.
    Optional,
}

/// A year in milliseconds: the greatest age worth a number.
const YEAR_MS: i64 = 365 * DAY_MS;
/// A day in milliseconds.
const DAY_MS: i64 = 24 * HOUR_MS;
/// An hour in milliseconds.
const HOUR_MS: i64 = 3_600_000;

/// How far a mark stays behind its venue's clock where nothing is set, in milliseconds.
pub(super) const MARK_LAG_MS: i64 = 400;
/// The longest message taken where nothing is set, in bytes.
pub(super) const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;

const fn given(path: &'static str, kind: Kind, unit: &'static str) -> Setting {
    Setting {
        path,
        kind,
        unit,
        standing: Standing::Given,
    }
}

const fn optional(path: &'static str, kind: Kind, unit: &'static str) -> Setting {
    Setting {
        path,
        kind,
        unit,
        standing: Standing::Optional,
    }
}

const fn whole(min: i64, max: i64) -> Kind {
    Kind::Whole { min, max }
}

const fn bps(min: i64, max: i64) -> Kind {
    Kind::Bps { min, max }
}

/// Every setting, in the order of `config/default.toml`.
pub(super) const SETTINGS: &[Setting] = &[
    given("windowing.width_ms", whole(1, HOUR_MS), "ms"),
    given("windowing.quote_max_age_ms", whole(0, YEAR_MS), "ms"),
    given("windowing.rate_max_age_ms", whole(0, YEAR_MS), "ms"),
    given("windowing.max_gap_ms", whole(0, DAY_MS), "ms"),
    given("windowing.workers", whole(1, 64), "threads"),
    given(
        "windowing.delivery",
        Kind::Choice(&["exactly-once", "at-least-once"]),
        "",
    ),
    given("windowing.commit_interval_ms", whole(10, 1_000), "ms"),
    given(
        "windowing.checkpoint_interval_ms",
        whole(100, HOUR_MS),
        "ms",
    ),
    given(
        "windowing.transaction_timeout_ms",
        whole(3_000, 900_000),
        "ms",
    ),
    given("windowing.deployment", Kind::Name, ""),
    given(
        "windowing.max_open_records",
        whole(1, 1_000_000_000),
        "records",
    ),
    given("ingest.mark_interval_ms", whole(10, 60_000), "ms"),
    given("ingest.max_stamp_distance_ms", whole(1, DAY_MS), "ms"),
    given("ingest.silent_after_ms", whole(100, HOUR_MS), "ms"),
    given("ingest.health_interval_ms", whole(100, 60_000), "ms"),
    given("ingest.symbol_silent_after_ms", whole(100, DAY_MS), "ms"),
    given("ingest.rotate_after_ms", whole(1_000, DAY_MS), "ms"),
    given(
        "ingest.conflate_above_frames",
        whole(1, 1_000_000),
        "frames",
    ),
    optional("ingest.ca_file", Kind::File, ""),
    given("cerebral.workers", whole(1, 64), "threads"),
    given(
        "cerebral.delivery",
        Kind::Choice(&["exactly-once", "at-least-once"]),
        "",
    ),
    given("cerebral.checkpoint_interval_ms", whole(100, HOUR_MS), "ms"),
    given("alerter.threshold_bps", bps(-10_000, 10_000), "bps"),
    optional("alerter.threshold_bps_of.*", bps(-10_000, 10_000), "bps"),
    given("alerter.hysteresis_bps", bps(0, 1_000), "bps"),
    given("alerter.min_duration_ms", whole(0, HOUR_MS), "ms"),
    given("alerter.cooldown_ms", whole(0, DAY_MS), "ms"),
    given("alerter.quiet_hours", Kind::QuietHours, ""),
    given("alerter.quiet_zone", Kind::Zone, ""),
    given("alerter.outage_after_ms", whole(0, HOUR_MS), "ms"),
    given("alerter.stall_after_ms", whole(0, DAY_MS), "ms"),
    given("alerter.update_interval_ms", whole(100, HOUR_MS), "ms"),
    given("alerter.label", Kind::Label, ""),
    optional("alerter.webhook_url", Kind::SecretUrl, ""),
    optional("alerter.webhook_url_file", Kind::File, ""),
    optional("venues.*.taker_fee_bps", Kind::Fee, "bps"),
    optional("venues.*.url", Kind::Url, ""),
    optional("venues.*.alternative_urls", Kind::UrlList, ""),
    optional("venues.*.mark_lag_ms", whole(0, 60_000), "ms"),
    optional("venues.*.quote_max_age_ms", whole(0, YEAR_MS), "ms"),
    optional("venues.*.silent_after_ms", whole(100, HOUR_MS), "ms"),
    optional(
        "venues.*.symbol_silent_after_ms.*",
        whole(100, DAY_MS),
        "ms",
    ),
    optional(
        "venues.*.max_message_bytes",
        whole(65_536, 1_073_741_824),
        "bytes",
    ),
    optional(
        "venues.coinbase.dialect",
        Kind::Choice(&["advanced", "exchange"]),
        "",
    ),
    optional("pairs.*.*", Kind::Symbol, ""),
    optional("rates.*.*", Kind::Symbol, ""),
    given("kafka.brokers", Kind::Brokers, ""),
    optional("kafka.properties.*", Kind::Property, ""),
    given("metrics.listen", Kind::Listen, ""),
];

impl Setting {
    /// Whether `path` names this setting.
    pub(super) fn is_at(&self, path: &[String]) -> bool {
        let mut names = self.path.split('.');
        path.iter().all(|name| {
            names
                .next()
                .is_some_and(|known| known == "*" || known == name)
        }) && names.next().is_none()
    }

    /// The range with its unit, for a message; empty where the kind has none.
    pub(super) fn range(&self) -> String {
        let (min, max) = match self.kind {
            Kind::Whole { min, max } | Kind::Bps { min, max } => (min, max),
            Kind::Fee => (TakerFee::MIN_BPS, TakerFee::MAX_BPS),
            _ => return String::new(),
        };
        format!("{min}..={max} {}", self.unit)
    }

    /// The path with its `*` replaced by the names that stand there in `path`.
    fn filled_like(&self, path: &[String]) -> Vec<String> {
        let fill = |(i, known): (usize, &str)| match path.get(i) {
            Some(name) if known == "*" => name.clone(),
            _ => known.to_owned(),
        };
        self.path.split('.').enumerate().map(fill).collect()
    }
}

/// The setting at `path`.
pub(super) fn find(path: &[String]) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.is_at(path))
}

/// Whether `path` is a table that may hold settings, however deep.
pub(super) fn is_table(path: &[String]) -> bool {
    SETTINGS.iter().any(|setting| {
        let names: Vec<&str> = setting.path.split('.').collect();
        names.len() > path.len()
            && path
                .iter()
                .zip(names)
                .all(|(name, known)| known == "*" || known == name)
    })
}

/// The known path most like `path` when both are written by `write`; `None` where nothing is close.
///
/// A path with the same last name in another table counts as close when nothing else is.
pub(super) fn nearest(path: &[String], write: impl Fn(&[String]) -> String) -> Option<String> {
    let wanted = write(path);
    let candidates = || {
        SETTINGS
            .iter()
            .filter(|it| !it.path.ends_with('*'))
            .map(|it| it.filled_like(path))
    };
    let (distance, closest) = candidates()
        .map(|candidate| write(&candidate))
        .map(|text| (strsim::damerau_levenshtein(&wanted, &text), text))
        .min()?;
    if distance <= (wanted.chars().count() / 4).max(2) {
        return Some(closest);
    }
    let same_name = |candidate: &Vec<String>| candidate.last() == path.last();
    candidates()
        .find(same_name)
        .filter(|it| !it.iter().any(|name| name == "*"))
        .map(|it| write(&it))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<String> {
        text.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn a_path_finds_its_setting_through_the_open_tables() {
        assert_eq!(
            find(&path("venues.kraken.url")).unwrap().path,
            "venues.*.url"
        );
        assert!(find(&path("venues.kraken.dialect")).is_none());
        assert!(find(&path("venues.url")).is_none());
        assert!(find(&path("windowing.width_ms.more")).is_none());
        assert!(is_table(&path("venues.kraken")) && is_table(&path("kafka.properties")));
        assert!(!is_table(&path("windowing.width_ms")) && !is_table(&path("windows")));
    }

    #[test]
    fn the_nearest_key_is_a_misspelling_or_the_same_name_elsewhere() {
        let nearest = |text: &str| nearest(&path(text), |path| path.join("."));
        assert_eq!(
            nearest("windowing.widht_ms").as_deref(),
            Some("windowing.width_ms")
        );
        assert_eq!(
            nearest("venues.kraken.taker_fee").as_deref(),
            Some("venues.kraken.taker_fee_bps")
        );
        assert_eq!(
            nearest("alerter.workers").as_deref(),
            Some("windowing.workers")
        );
        assert_eq!(nearest("colour.of.the.screen"), None);
    }
}
