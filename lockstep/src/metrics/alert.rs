//! The alerter as it is shown: episodes, messages, how it stands with Discord, and how far it has read.
//!
//! Healthy while a broker is reached, the stage turns, and Discord takes what it is sent. Without a webhook there is no
//! Discord to be away.

use std::time::Duration;

use alerter::Standing;
use alerter::run::JobHandle;

use super::page::{Page, float};
use super::{DEAD_LETTERS, DEAD_LETTERS_HELP, Stage, write_lags};

/// Figures come four times a second; after so long without any the stage stands still.
const STILL: Duration = Duration::from_secs(15);

/// The alerter in figures.
pub(crate) struct AlertStage(pub(crate) JobHandle);

impl Stage for AlertStage {
    fn name(&self) -> &'static str {
        "alert"
    }

    fn write(&self, page: &mut Page, now_ns: i64) {
        let report = self.0.report();
        page.counter(
            DEAD_LETTERS,
            DEAD_LETTERS_HELP,
            &[("stage", self.name())],
            report.unreadable,
        );
        write_lags(page, self.name(), &report.lags, now_ns);
        for (what, count) in [
            ("spread", report.spreads),
            ("outage", report.outages),
            ("stall", report.stalls),
        ] {
            page.counter(
                "lockstep_alert_episodes_total",
                "Episodes opened.",
                &[("what", what)],
                count,
            );
        }
        for (action, count) in [("post", report.posted), ("edit", report.edited)] {
            page.counter(
                "lockstep_alert_messages_total",
                "Requests that Discord took.",
                &[("action", action)],
                count,
            );
        }
        for (name, help, count) in [
            (
                "lockstep_alert_windows_total",
                "Records read from `spreads`.",
                report.windows,
            ),
            (
                "lockstep_alert_closed_episodes_total",
                "Episodes closed.",
                report.closed,
            ),
            (
                "lockstep_alert_merged_episodes_total",
                "Episodes that came in one message with others, since more waited than the limits let through.",
                report.merged,
            ),
            (
                "lockstep_alert_limited_total",
                "Answers of Discord that asked to wait.",
                report.limited,
            ),
            (
                "lockstep_alert_retries_total",
                "Requests that failed and were made again.",
                report.retried,
            ),
            (
                "lockstep_alert_refused_episodes_total",
                "Episodes whose message Discord would not take.",
                report.refused,
            ),
            (
                "lockstep_alert_possible_repeats_total",
                "Messages that may stand twice; they say so.",
                report.possible_repeats,
            ),
            (
                "lockstep_alert_full_waits_total",
                "How often reading paused because too many episodes waited.",
                report.full_waits,
            ),
        ] {
            page.counter(name, help, &[], count);
        }
        page.gauge(
            "lockstep_alert_open_episodes",
            "Episodes open now.",
            &[],
            float(report.open),
        );
        page.gauge(
            "lockstep_alert_queue_episodes",
            "Episodes not told yet.",
            &[],
            float(report.waiting),
        );
        page.timings(
            "lockstep_alert_latency_seconds",
            "From the record that opened an episode being read until Discord's answer.",
            &[],
            &report.latencies,
        );
        let standing = word(&report.discord);
        for state in ["no_webhook", "fine", "limited", "away", "refused"] {
            page.gauge(
                "lockstep_alert_discord",
                "How it stands with Discord: 1 at the state that holds.",
                &[("state", state)],
                if state == standing { 1.0 } else { 0.0 },
            );
        }
    }

    fn fault(&self) -> Option<String> {
        let Some(quiet) = self.0.quiet_for() else {
            return Some("starting: nothing is read yet".to_owned());
        };
        if quiet >= STILL {
            return Some(format!("it stands still for {} s", quiet.as_secs()));
        }
        let report = self.0.report();
        if let Some(reason) = report.unread {
            return Some(format!("no broker is reached: {reason}"));
        }
        match report.discord {
            Standing::NoWebhook | Standing::Fine | Standing::Limited => None,
            Standing::Away(reason) => Some(format!("Discord is away: {reason}")),
            Standing::Refused(reason) => Some(format!(
                "Discord refuses the webhook, nothing is sent: {reason}"
            )),
        }
    }
}

fn word(standing: &Standing) -> &'static str {
    match standing {
        Standing::NoWebhook => "no_webhook",
        Standing::Fine => "fine",
        Standing::Limited => "limited",
        Standing::Away(_) => "away",
        Standing::Refused(_) => "refused",
    }
}
