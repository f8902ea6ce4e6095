//! The settings in force, as TOML.
//!
//! In: a [`Config`]. Out: text that loads to the same [`Config`], secrets aside, which stand as
//! `***`. Where each value came from is not kept.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::layer::{quoted_if_needed, toml_string};
use super::settings::{Config, Venue};

impl Config {
    /// Every setting in force, as TOML, with `***` for each secret. Text that would be a comment in
    /// a file of one's own (a fee that nobody gave, an age that comes from another table) is one here.
    pub fn to_toml(&self) -> String {
        let mut out = String::new();
        self.write_toml(&mut out)
            .expect("writing to a string does not fail");
        out
    }

    fn write_toml(&self, out: &mut String) -> std::fmt::Result {
        let windowing = &self.windowing;
        writeln!(out, "[windowing]")?;
        writeln!(out, "width_ms = {}", windowing.width_ms)?;
        writeln!(out, "quote_max_age_ms = {}", windowing.quote_max_age_ms)?;
        writeln!(out, "rate_max_age_ms = {}", windowing.rate_max_age_ms)?;
        writeln!(out, "max_gap_ms = {}", windowing.max_gap_ms)?;
        writeln!(out, "workers = {}", windowing.workers)?;
        writeln!(
            out,
            "delivery = {}",
            toml_string(windowing.delivery.as_str())
        )?;
        let commit_ms = windowing.commit_interval_ms;
        writeln!(out, "commit_interval_ms = {commit_ms}")?;
        let checkpoint_ms = windowing.checkpoint_interval_ms;
        writeln!(out, "checkpoint_interval_ms = {checkpoint_ms}")?;
        let transaction_ms = windowing.transaction_timeout_ms;
        writeln!(out, "transaction_timeout_ms = {transaction_ms}")?;
        writeln!(out, "deployment = {}", toml_string(&windowing.deployment))?;
        writeln!(out, "max_open_records = {}", windowing.max_open_records)?;

        let ingest = &self.ingest;
        writeln!(out, "\n[ingest]")?;
        writeln!(out, "mark_interval_ms = {}", ingest.mark_interval_ms)?;
        writeln!(
            out,
            "max_stamp_distance_ms = {}",
            ingest.max_stamp_distance_ms
        )?;
        writeln!(out, "silent_after_ms = {}", ingest.silent_after_ms)?;
        writeln!(out, "health_interval_ms = {}", ingest.health_interval_ms)?;
        let symbol_ms = ingest.symbol_silent_after_ms;
        writeln!(out, "symbol_silent_after_ms = {symbol_ms}")?;
        writeln!(out, "rotate_after_ms = {}", ingest.rotate_after_ms)?;
        let frames = ingest.conflate_above_frames;
        writeln!(out, "conflate_above_frames = {frames}")?;
        if let Some(file) = &ingest.ca_file {
            writeln!(out, "ca_file = {}", toml_string(file))?;
        }

        let cerebral = &self.cerebral;
        writeln!(out, "\n[cerebral]")?;
        writeln!(out, "workers = {}", cerebral.workers)?;
        writeln!(
            out,
            "delivery = {}",
            toml_string(cerebral.delivery.as_str())
        )?;
        let checkpoint_ms = cerebral.checkpoint_interval_ms;
        writeln!(out, "checkpoint_interval_ms = {checkpoint_ms}")?;

        self.write_alerter(out)?;

        for (name, venue) in &self.venues {
            writeln!(out, "\n[venues.{}]", quoted_if_needed(name))?;
            self.write_venue(out, venue)?;
        }

        let defaults = Self::default();
        write_symbols(out, "pairs", &self.pairs, &defaults.pairs)?;
        write_symbols(out, "rates", &self.rates, &defaults.rates)?;

        writeln!(out, "\n[kafka]")?;
        writeln!(out, "brokers = {}", toml_string(&self.kafka.brokers))?;
        writeln!(out, "\n[kafka.properties]")?;
        for (name, value) in self.kafka.properties.masked() {
            writeln!(out, "{} = {}", quoted_if_needed(name), toml_string(value))?;
        }
        let listen = self.metrics.listen.as_deref().unwrap_or_default();
        writeln!(out, "\n[metrics]\nlisten = {}", toml_string(listen))
    }

    fn write_alerter(&self, out: &mut String) -> std::fmt::Result {
        let alerter = &self.alerter;
        writeln!(out, "\n[alerter]")?;
        writeln!(out, "threshold_bps = {}", alerter.threshold)?;
        writeln!(out, "hysteresis_bps = {}", alerter.hysteresis)?;
        writeln!(out, "min_duration_ms = {}", alerter.min_duration_ms)?;
        writeln!(out, "cooldown_ms = {}", alerter.cooldown_ms)?;
        let quiet_hours = alerter.quiet_hours.map(|hours| hours.to_string());
        writeln!(
            out,
            "quiet_hours = {}",
            toml_string(&quiet_hours.unwrap_or_default())
        )?;
        writeln!(out, "quiet_zone = {}", toml_string(&alerter.quiet_zone))?;
        writeln!(out, "label = {}", toml_string(&alerter.label))?;
        writeln!(out, "outage_after_ms = {}", alerter.outage_after_ms)?;
        writeln!(out, "stall_after_ms = {}", alerter.stall_after_ms)?;
        writeln!(out, "update_interval_ms = {}", alerter.update_interval_ms)?;
        match &alerter.webhook_url {
            Some(secret) => writeln!(out, "webhook_url = {}", toml_string(&secret.to_string()))?,
            None => writeln!(out, "# webhook_url: none given")?,
        }
        match &alerter.webhook_url_file {
            Some(file) => writeln!(out, "webhook_url_file = {}", toml_string(file))?,
            None => writeln!(out, "# webhook_url_file: none given")?,
        }
        if !alerter.threshold_of.is_empty() {
            writeln!(out, "\n[alerter.threshold_bps_of]")?;
        }
        for (pair, threshold) in &alerter.threshold_of {
            writeln!(out, "{} = {threshold}", quoted_if_needed(pair))?;
        }
        Ok(())
    }

    fn write_venue(&self, out: &mut String, venue: &Venue) -> std::fmt::Result {
        match venue.taker_fee {
            Some(fee) => writeln!(out, "taker_fee_bps = {fee}")?,
            None => writeln!(out, "# taker_fee_bps: none given, 0 is used")?,
        }
        if let Some(dialect) = venue.dialect {
            writeln!(out, "dialect = {}", toml_string(dialect.as_str()))?;
        }
        if let Some(url) = &venue.url {
            writeln!(out, "url = {}", toml_string(url))?;
        }
        let urls: Vec<String> = venue
            .alternative_urls
            .iter()
            .map(|url| toml_string(url))
            .collect();
        writeln!(out, "alternative_urls = [{}]", urls.join(", "))?;
        writeln!(out, "mark_lag_ms = {}", venue.mark_lag_ms)?;
        match venue.quote_max_age_ms {
            Some(age) => writeln!(out, "quote_max_age_ms = {age}")?,
            None => writeln!(
                out,
                "# quote_max_age_ms = {} (of windowing)",
                self.windowing.quote_max_age_ms
            )?,
        }
        match venue.silent_after_ms {
            Some(after) => writeln!(out, "silent_after_ms = {after}")?,
            None => writeln!(
                out,
                "# silent_after_ms = {} (of ingest)",
                self.ingest.silent_after_ms
            )?,
        }
        for (symbol, ms) in &venue.symbol_silent_after_ms {
            let symbol = quoted_if_needed(symbol);
            writeln!(out, "symbol_silent_after_ms.{symbol} = {ms}")?;
        }
        writeln!(out, "max_message_bytes = {}", venue.max_message_bytes)
    }
}

type Symbols = BTreeMap<String, BTreeMap<String, String>>;

/// Writes `[pairs]` or `[rates]`, with `false` for what the defaults have and `table` has not.
fn write_symbols(
    out: &mut String,
    section: &str,
    table: &Symbols,
    defaults: &Symbols,
) -> std::fmt::Result {
    let gone: Vec<&String> = defaults
        .keys()
        .filter(|name| !table.contains_key(*name))
        .collect();
    if !gone.is_empty() {
        writeln!(out, "\n[{section}]")?;
        for name in gone {
            writeln!(out, "{} = false", quoted_if_needed(name))?;
        }
    }
    for (name, symbols) in table {
        writeln!(out, "\n[{section}.{}]", quoted_if_needed(name))?;
        for (venue, symbol) in symbols {
            writeln!(out, "{} = {}", quoted_if_needed(venue), toml_string(symbol))?;
        }
        let gone = defaults.get(name).into_iter().flat_map(BTreeMap::keys);
        for venue in gone.filter(|venue| !symbols.contains_key(*venue)) {
            writeln!(out, "{} = false", quoted_if_needed(venue))?;
        }
    }
    Ok(())
}
