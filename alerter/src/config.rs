//! What the alerter takes from the configuration.
//!
//! In: the checked [`Config`]. Out: [`Settings`], the webhook's address read from its file where it stands in one.

use std::collections::BTreeMap;

use contract::config::{Config, QuietHours, Secret, is_webhook_url};
use contract::time::parse_zone;
use jiff::tz::TimeZone;

use crate::error::AlerterError;

/// What the alerter goes by.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What is worth an alert.
    pub rules: Rules,
    /// Least time between two edits of a message, milliseconds.
    pub update_interval_ms: i64,
    /// Daily stretch of local time in which messages make no sound.
    pub quiet: Option<(QuietHours, TimeZone)>,
    /// What each message begins with; empty for nothing.
    pub label: String,
    /// Discord's webhook; without one alerts go to the log and the topic.
    pub webhook: Option<Secret>,
    /// How long an answer of Discord may take, milliseconds.
    pub answer_timeout_ms: u64,
    /// The first pause after Discord could not be reached, milliseconds; it doubles up to a minute.
    pub backoff_ms: u64,
}

/// What is worth an alert. Spreads are judged by event time, venues by the venue's clock.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Net above which a route is worth an alert, basis points.
    pub threshold_bps: f64,
    /// The same by pair.
    pub threshold_bps_of: BTreeMap<String, f64>,
    /// How far below its threshold an episode ends, basis points.
    pub hysteresis_bps: f64,
    /// How long a route must be above the threshold, milliseconds.
    pub min_duration_ms: i64,
    /// Time after an episode's end within which the next of its kind joins its message, milliseconds.
    pub cooldown_ms: i64,
    /// How long a venue must be away, milliseconds.
    pub outage_after_ms: i64,
    /// After how much silence of `spreads` the pipeline is said to stand, milliseconds; 0 for never.
    pub stall_after_ms: i64,
}

impl Rules {
    /// The threshold of a pair, basis points.
    #[must_use]
    pub fn threshold_bps(&self, pair: &str) -> f64 {
        self.threshold_bps_of
            .get(pair)
            .copied()
            .unwrap_or(self.threshold_bps)
    }
}

impl Settings {
    /// Takes what is set, and reads the webhook's file where one is named.
    ///
    /// # Errors
    /// [`AlerterError::WebhookFile`] and [`AlerterError::Webhook`]; neither shows what the file holds.
    pub fn of(config: &Config) -> Result<Self, AlerterError> {
        let alerter = &config.alerter;
        let webhook = match (&alerter.webhook_url, &alerter.webhook_url_file) {
            (Some(url), _) => Some(url.clone()),
            (None, Some(file)) => Some(read_webhook(file)?),
            (None, None) => None,
        };
        let zone = parse_zone(&alerter.quiet_zone).unwrap_or(TimeZone::UTC);
        Ok(Self {
            rules: Rules {
                threshold_bps: alerter.threshold.to_f64(),
                threshold_bps_of: alerter
                    .threshold_of
                    .iter()
                    .map(|(pair, bps)| (pair.clone(), bps.to_f64()))
                    .collect(),
                hysteresis_bps: alerter.hysteresis.to_f64(),
                min_duration_ms: alerter.min_duration_ms,
                cooldown_ms: alerter.cooldown_ms,
                outage_after_ms: alerter.outage_after_ms,
                stall_after_ms: alerter.stall_after_ms,
            },
            update_interval_ms: alerter.update_interval_ms,
            quiet: alerter.quiet_hours.map(|hours| (hours, zone)),
            label: alerter.label.clone(),
            webhook,
            answer_timeout_ms: 15_000,
            backoff_ms: 500,
        })
    }

    /// Whether a message sent at this time shall make no sound.
    #[must_use]
    pub fn is_quiet(&self, wall_ms: i64) -> bool {
        let Some((hours, zone)) = &self.quiet else {
            return false;
        };
        let Ok(stamp) = jiff::Timestamp::from_millisecond(wall_ms) else {
            return false;
        };
        let local = zone.to_datetime(stamp);
        let minute = i32::from(local.hour()) * 60 + i32::from(local.minute());
        u16::try_from(minute).is_ok_and(|minute| hours.holds(minute))
    }
}

fn read_webhook(file: &str) -> Result<Secret, AlerterError> {
    let text = std::fs::read_to_string(file).map_err(|source| AlerterError::WebhookFile {
        file: file.to_owned(),
        source,
    })?;
    let url = text.trim();
    if is_webhook_url(url) {
        Ok(Secret::new(url))
    } else {
        Err(AlerterError::Webhook {
            place: format!("the file `{file}`"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(file: &str) -> Result<Settings, AlerterError> {
        Settings::of(&Config::load(Some(("my.toml", file)), std::iter::empty()).unwrap())
    }

    #[test]
    fn the_webhook_may_stand_in_a_file_and_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("webhook");
        let config = format!("[alerter]\nwebhook_url_file = '{}'\n", path.display());
        let missing = settings(&config).unwrap_err();
        assert!(missing.to_string().contains("webhook"), "{missing}");
        std::fs::write(&path, "https://example.org/api/webhooks/1/hunter2\n").unwrap();
        let read = settings(&config).unwrap();
        assert_eq!(
            read.webhook.as_ref().unwrap().expose(),
            "https://example.org/api/webhooks/1/hunter2"
        );
        assert!(!format!("{read:?}").contains("hunter2"));
        std::fs::write(&path, "hunter2").unwrap();
        let wrong = settings(&config).unwrap_err();
        assert!(!format!("{wrong} {wrong:?}").contains("hunter2"));
        let over = settings(&format!(
            "{config}webhook_url = \"https://example.org/a\"\n"
        ))
        .unwrap();
        assert_eq!(over.webhook.unwrap().expose(), "https://example.org/a");
        assert!(settings("").unwrap().webhook.is_none());
    }

    #[test]
    fn quiet_hours_are_local() {
        let settings =
            settings("[alerter]\nquiet_hours = \"22:00-07:00\"\nquiet_zone = \"Asia/Tokyo\"\n")
                .unwrap();
        let at = |text: &str| contract::time::parse_rfc3339(text).unwrap() / 1_000_000;
        assert!(settings.is_quiet(at("2026-01-01T13:00:00Z")));
        assert!(settings.is_quiet(at("2026-01-01T21:59:59Z")));
        assert!(!settings.is_quiet(at("2026-01-01T22:00:00Z")));
        assert!(!settings.is_quiet(at("2026-01-01T12:59:59Z")));
    }

    #[test]
    fn a_pair_has_its_own_threshold() {
        let rules = settings("[alerter]\nthreshold_bps = 5\nthreshold_bps_of.\"ETH-USD\" = 7.5\n")
            .unwrap()
            .rules;
        assert_eq!(rules.threshold_bps("ETH-USD").to_bits(), 7.5_f64.to_bits());
        assert_eq!(rules.threshold_bps("BTC-USD").to_bits(), 5_f64.to_bits());
    }
}
