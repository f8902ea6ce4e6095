//! Windows and venues' records made by hand, and what was told of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alerter::Settings;
use contract::config::{Config, Secret};
use contract::decimal::Decimal;
use contract::spread::{Best, Figures, Quality, Route, Spread};
use contract::tick::VenueStatus;
use contract::venue::VenueHealth;
use serde_json::Value;

/// Far longer than anything here takes, even on a loaded machine; only a hang reaches it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The defaults, with this webhook.
pub(crate) fn settings(webhook: Option<&str>) -> Settings {
    let mut settings = Settings::of(&Config::default()).unwrap();
    settings.webhook = webhook.map(Secret::new);
    settings
}

/// A window of one second with one route's net.
pub(crate) fn window(pair: &str, start_s: i64, net_bps: f64) -> Vec<u8> {
    let spread = Spread {
        v: Default::default(),
        pair: pair.into(),
        start_ms: start_s * 1000,
        end_ms: (start_s + 1) * 1000,
        quality: Quality::Ok,
        late: 0,
        legs: Vec::new(),
        routes: vec![Route {
            buy: "binance".into(),
            sell: "coinbase".into(),
            quality: Quality::Ok,
            end: Some(Figures {
                gross_bps: net_bps + 70.0,
                net_bps,
            }),
            best: Some(Best {
                gross_bps: net_bps + 70.0,
                net_bps,
                size: Some(Decimal::parse("0.7").unwrap()),
                at_ns: start_s * 1_000_000_000,
            }),
            positive_ns: if net_bps > 0.0 { 1_000_000_000 } else { 0 },
        }],
    };
    serde_json::to_vec(&spread).unwrap()
}

/// A venue's record at this second of its clock.
pub(crate) fn health(venue: &str, at_s: i64, status: VenueStatus) -> Vec<u8> {
    let health = VenueHealth {
        v: Default::default(),
        venue: venue.into(),
        status,
        at_ns: at_s * 1_000_000_000,
        frames_per_s: 0.0,
        data_age_ms: 0,
        skew_ms: 0.0,
        gaps: 0,
        reconnects: 0,
        parse_errors: 0,
        queue: 0,
    };
    serde_json::to_vec(&health).unwrap()
}

/// The episodes that a body tells, by their footers, in order.
pub(crate) fn episodes_of(body: &Value) -> Vec<String> {
    let embeds = body["embeds"].as_array().into_iter().flatten();
    embeds
        .map(|embed| embed["footer"]["text"].as_str().unwrap().to_owned())
        .collect()
}

/// The newest record of each key.
pub(crate) type Alerts = BTreeMap<Arc<str>, Value>;

/// Waits until something holds, else panics with what it is and the last look at it.
pub(crate) fn eventually<T: std::fmt::Debug>(
    what: &str,
    look: impl Fn() -> T,
    holds: impl Fn(&T) -> bool,
) -> T {
    let since = Instant::now();
    let (_keep, never) = crossbeam_channel::bounded::<()>(0);
    loop {
        let seen = look();
        if holds(&seen) {
            return seen;
        }
        assert!(
            since.elapsed() < PATIENCE,
            "never: {what}; last seen {seen:?}"
        );
        assert!(never.recv_timeout(Duration::from_millis(10)).is_err());
    }
}
