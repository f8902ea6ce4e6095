//! `[alerter]`: what is worth an alert, and how it is told.
//!
//! In: texts of the settings that have a form of their own. Out: [`Alerter`], [`QuietHours`], [`Secret`].
//! Reading the file that holds the webhook's address is left to the stage.

use std::collections::BTreeMap;
use std::fmt;

use super::bps::Bps;
use super::secret::MASK;
use crate::time::parse_zone;

/// `[alerter]`: what is worth an alert, and how it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alerter {
    /// Net above which a route is worth an alert.
    pub threshold: Bps,
    /// The same by pair, in place of `threshold`.
    pub threshold_of: BTreeMap<String, Bps>,
    /// How far below the threshold an episode ends.
    pub hysteresis: Bps,
    /// How long a route must be above the threshold, milliseconds of event time.
    pub min_duration_ms: i64,
    /// Time after an episode's end within which the next of its route joins its message, milliseconds of event time.
    pub cooldown_ms: i64,
    /// When messages make no sound; `None` for never.
    pub quiet_hours: Option<QuietHours>,
    /// The zone in which the quiet hours are meant, as [`parse_zone`] reads it.
    pub quiet_zone: String,
    /// How long a venue must be away, milliseconds of its clock.
    pub outage_after_ms: i64,
    /// After how much silence of `spreads` by our own clock the pipeline is said to stand, milliseconds; 0 for never.
    pub stall_after_ms: i64,
    /// Least time between two edits of a message, milliseconds.
    pub update_interval_ms: i64,
    /// What each message begins with; empty for nothing.
    pub label: String,
    /// Discord's webhook; before `webhook_url_file`.
    pub webhook_url: Option<Secret>,
    /// The file that holds the webhook's address.
    pub webhook_url_file: Option<String>,
}

/// A daily stretch of local time, `[from, until)`, which may pass midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    /// First quiet minute of the day, 0..=1439.
    pub from_minute: u16,
    /// First minute that is no longer quiet.
    pub until_minute: u16,
}

impl QuietHours {
    /// Reads `HH:MM-HH:MM`, the two unequal.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let minute = |text: &str| {
            let (hours, minutes) = text.split_once(':')?;
            let two = |text: &str| {
                let is_two = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
                is_two.then(|| text.parse::<u16>().ok()).flatten()
            };
            let (hours, minutes) = (two(hours)?, two(minutes)?);
            (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
        };
        let (from, until) = text.split_once('-')?;
        let (from_minute, until_minute) = (minute(from)?, minute(until)?);
        (from_minute != until_minute).then_some(Self {
            from_minute,
            until_minute,
        })
    }

    /// Whether this minute of the day is quiet.
    pub fn holds(self, minute: u16) -> bool {
        if self.from_minute < self.until_minute {
            (self.from_minute..self.until_minute).contains(&minute)
        } else {
            minute >= self.from_minute || minute < self.until_minute
        }
    }
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, until) = (self.from_minute, self.until_minute);
        write!(
            f,
            "{:02}:{:02}-{:02}:{:02}",
            from / 60,
            from % 60,
            until / 60,
            until % 60
        )
    }
}

/// A text that is never shown: `Debug` and `Display` print `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes what must not be shown.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text in the clear, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// Whether a webhook can stand at this address: http or https with a host, without name, password or fragment. A query is
/// one's own, as for the threads of a forum.
#[must_use]
pub fn is_webhook_url(url: &str) -> bool {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let authority = rest.and_then(|rest| rest.split(['/', '?']).next());
    authority.is_some_and(|host| !host.is_empty() && !host.starts_with(':'))
        && !url.contains(['@', '#', '\\'])
        && url.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether a zone of this name or offset is known.
pub(super) fn is_zone(text: &str) -> bool {
    parse_zone(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_may_pass_midnight() {
        let night = QuietHours::parse("22:30-07:00").unwrap();
        assert_eq!(night.to_string(), "22:30-07:00");
        for (minute, quiet) in [
            (0, true),
            (419, true),
            (420, false),
            (1349, false),
            (1350, true),
        ] {
            assert_eq!(night.holds(minute), quiet, "{minute}");
        }
        let noon = QuietHours::parse("12:00-13:00").unwrap();
        assert!(noon.holds(720) && !noon.holds(780) && !noon.holds(0));
        for text in [
            "",
            "22-7",
            "24:00-01:00",
            "08:60-09:00",
            "8:00-9:00",
            "08:00-08:00",
            "+8:00-09:00",
        ] {
            assert_eq!(QuietHours::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_secret_shows_nothing() {
        let secret = Secret::new("hunter2");
        assert_eq!(
            format!("{secret} {secret:?} {:?}", Some(&secret)),
            "*** *** Some(***)"
        );
        assert_eq!(secret.expose(), "hunter2");
    }

    #[test]
    fn a_webhook_needs_a_host_and_neither_name_nor_fragment() {
        assert!(is_webhook_url("https://example.org/api/webhooks/1/token"));
        assert!(is_webhook_url("http://127.0.0.1:8080/x"));
        assert!(is_webhook_url(
            "https://example.org/api/webhooks/1/token?thread_id=7"
        ));
        for url in [
            "",
            "https://",
            "http:///x",
            "ftp://x/y",
            "https://u:p@x/y",
            "https://x/y#z",
            "https://x/a b",
            "https://:80/",
        ] {
            assert!(!is_webhook_url(url), "{url}");
        }
    }
}
