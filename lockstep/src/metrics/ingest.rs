//! Ingest as it is shown: venues, connections, ticks, what waits, and the way to the broker.
//!
//! Healthy while a broker is reached, frames are worked off, and a venue is up. That one of several venues is down is for
//! the alert rules: the stage does what it can.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use contract::tick::VenueStatus;
use contract::venue::VenueHealth;
use ingest::core::Report;
use ingest::live::ConnectionReport;
use ingest::publish::Published;
use kafka_io::{Link, Producer};

use super::page::{Page, float};
use super::{DEAD_LETTERS, DEAD_LETTERS_HELP, Stage};
use crate::live::{Told, Words};

/// Figures come five times a second; after so long without any the stage stands still.
const STILL: Duration = Duration::from_secs(15);

/// Ingest in figures.
pub(crate) struct IngestStage {
    /// What the sink has published.
    pub(crate) published: Arc<Published>,
    /// What publishes it.
    pub(crate) producer: Producer,
    /// What connections and core tell; none where captures are played.
    pub(crate) words: Option<Words>,
}

impl Stage for IngestStage {
    fn name(&self) -> &'static str {
        "ingest"
    }

    fn write(&self, page: &mut Page, _: i64) {
        let ticks = self.published.ticks.load(Ordering::Relaxed);
        page.counter(
            "lockstep_ingest_ticks_total",
            "Quotes and trades handed to the producer.",
            &[],
            ticks,
        );
        let dead = self.published.dead_letters.load(Ordering::Relaxed);
        page.counter(
            DEAD_LETTERS,
            DEAD_LETTERS_HELP,
            &[("stage", self.name())],
            dead,
        );
        self.write_producer(page);
        for (since, health) in self.published.health() {
            write_health(page, since, &health);
        }
        if let Some(words) = &self.words {
            let told = words.told();
            write_core(page, &told.core);
            write_connections(page, &told);
        }
    }

    fn fault(&self) -> Option<String> {
        if let Link::Waiting { reason, .. } = self.producer.link() {
            return Some(format!("no broker is reached: {reason}"));
        }
        let told = self.words.as_ref()?.told();
        let quiet = told.at.map(|at| at.elapsed());
        if let Some(quiet) = quiet.filter(|quiet| *quiet >= STILL) {
            return Some(format!("no frame is worked off for {} s", quiet.as_secs()));
        }
        let venues = self.published.health();
        if venues
            .iter()
            .any(|(_, health)| health.status == VenueStatus::Up)
        {
            return None;
        }
        let state =
            |health: &VenueHealth<'_>| format!("{} is {}", health.venue, health.status.as_str());
        let mut states: Vec<String> = venues.iter().map(|(_, health)| state(health)).collect();
        states.extend(told.live.connections.iter().filter_map(|(dialect, one)| {
            let ending = one
                .last_ending
                .as_deref()
                .filter(|_| one.connected_to.is_none())?;
            Some(format!("{}: {ending}", dialect.venue()))
        }));
        Some(if states.is_empty() {
            "no venue is up yet".to_owned()
        } else {
            format!("no venue is up: {}", states.join(", "))
        })
    }
}

impl IngestStage {
    fn write_producer(&self, page: &mut Page) {
        let stage = [("stage", self.name())];
        let counts = self.producer.counts();
        page.gauge(
            "lockstep_kafka_in_flight_records",
            "Records handed to the producer and not acknowledged yet.",
            &stage,
            float(counts.in_flight),
        );
        page.counter(
            "lockstep_kafka_delivered_records_total",
            "Records acknowledged by the brokers.",
            &stage,
            counts.delivered,
        );
        page.counter(
            "lockstep_kafka_full_waits_total",
            "How often a full queue towards the brokers held up a record.",
            &stage,
            counts.queue_full_waits + counts.reader_waits,
        );
    }
}

fn write_health(page: &mut Page, since: Duration, health: &VenueHealth<'_>) {
    let venue = [("venue", &*health.venue)];
    let is_up = health.status == VenueStatus::Up;
    page.gauge(
        "lockstep_ingest_venue_up",
        "Whether the venue delivers (1), or is silent or down (0).",
        &venue,
        if is_up { 1.0 } else { 0.0 },
    );
    let age_ms = Duration::from_millis(u64::try_from(health.data_age_ms).unwrap_or(0));
    page.gauge(
        "lockstep_ingest_data_age_seconds",
        "Time since the venue's last frame with data; heartbeats do not count.",
        &venue,
        (age_ms + since).as_secs_f64(),
    );
    page.gauge(
        "lockstep_ingest_skew_seconds",
        "The venue's clock less ours.",
        &venue,
        health.skew_ms / 1e3,
    );
    page.counter(
        "lockstep_ingest_reconnects_total",
        "Connections to the venue made after the first.",
        &venue,
        health.reconnects,
    );
}

fn write_core(page: &mut Page, core: &Report) {
    for venue in &core.venues {
        let label = [("venue", venue.venue)];
        page.counter(
            "lockstep_ingest_frames_total",
            "Text frames received.",
            &label,
            venue.frames,
        );
        page.counter(
            "lockstep_ingest_gaps_total",
            "Holes found in a venue's numbering.",
            &label,
            venue.gaps,
        );
        page.counter(
            "lockstep_ingest_faulty_frames_total",
            "Frames that were not what the venue documents.",
            &label,
            venue.faults,
        );
    }
    let unnamed = core.unnamed.iter().map(|symbol| symbol.ticks).sum::<u64>() + core.unnamed_beyond;
    for (reason, count) in [
        ("history", core.history),
        ("duplicate", core.duplicates),
        ("old_quote", core.old_quotes),
        ("aggregate", core.aggregated),
        ("trade_of_rate", core.rate_trades),
        ("symbol_of_no_pair", unnamed),
    ] {
        page.counter(
            "lockstep_ingest_passed_over_total",
            "Quotes and trades passed over on purpose.",
            &[("reason", reason)],
            count,
        );
    }
    page.counter(
        "lockstep_ingest_rates_total",
        "Currency rates published.",
        &[],
        core.rates,
    );
    page.counter(
        "lockstep_ingest_behind_mark_total",
        "Ticks and rates stamped before their venue's last mark; they may come out late.",
        &[],
        core.behind_mark,
    );
    page.counter(
        "lockstep_ingest_missed_trades_total",
        "Trades that passed while there was no connection, as far as ids tell.",
        &[],
        core.missed_between_connections,
    );
}

fn write_connections(page: &mut Page, told: &Told) {
    page.gauge(
        "lockstep_ingest_queue_frames",
        "Frames that wait to be worked off.",
        &[],
        float(u64::try_from(told.live.waiting).unwrap_or(u64::MAX)),
    );
    page.counter(
        "lockstep_ingest_conflated_quotes_total",
        "Quotes that a newer one replaced before they were sent.",
        &[],
        told.live.conflated,
    );
    // Two dialects of one venue count together.
    let mut venues: BTreeMap<&str, ConnectionReport> = BTreeMap::new();
    for (dialect, one) in &told.live.connections {
        let sum = venues.entry(dialect.venue()).or_default();
        sum.bytes += one.bytes;
        sum.failed_attempts += one.failed_attempts;
        sum.takeovers += one.takeovers;
        sum.waits += one.waits;
    }
    for (venue, one) in venues {
        for (name, help, count) in [
            (
                "lockstep_ingest_bytes_total",
                "Bytes of the text frames received.",
                one.bytes,
            ),
            (
                "lockstep_ingest_failed_connections_total",
                "Attempts to connect that failed.",
                one.failed_attempts,
            ),
            (
                "lockstep_ingest_takeovers_total",
                "Connections replaced before they ended, without a loss.",
                one.takeovers,
            ),
            (
                "lockstep_ingest_socket_waits_total",
                "How often a socket waited because frames were not worked off fast enough.",
                one.waits,
            ),
        ] {
            page.counter(name, help, &[("venue", venue)], count);
        }
    }
}
