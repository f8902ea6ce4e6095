//! One connection: its session, its deadlines, its rate of messages.

use std::collections::VecDeque;

use super::{Dialect, Fault, Limits, NS_PER_MS, NS_PER_S};
use crate::exchange::session::{Output, Session, Speaker};

/// Codes of RFC 6455.
const GOING_AWAY: u16 = 1_001;
const POLICY: u16 = 1_008;

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) session: Session,
    is_binance: bool,
    opened_ns: i64,
    /// Never sends data again.
    pub(super) is_stalled: bool,
    pub(super) had_data: bool,
    next_beat_ns: i64,
    next_ping_ns: i64,
    /// When the oldest ping without an answer was sent, and the last payload.
    unanswered_ns: Option<i64>,
    payload: String,
    messages: VecDeque<i64>,
    /// When it ends, since it was announced.
    ends_ns: Option<i64>,
}

impl Connection {
    pub(super) fn new(session: Session, dialect: Dialect, now_ns: i64, limits: &Limits) -> Self {
        let is_binance = matches!(dialect, Dialect::Binance | Dialect::BinanceUs);
        Self {
            session,
            is_binance,
            opened_ns: now_ns,
            is_stalled: false,
            had_data: false,
            next_beat_ns: after(now_ns, limits.heartbeat_every_ms),
            next_ping_ns: after(now_ns, limits.ping_every_ms),
            unanswered_ns: None,
            payload: String::new(),
            messages: VecDeque::new(),
            ends_ns: None,
        }
    }

    /// Whether pings and pongs count as messages.
    pub(super) fn is_limited_in_pings(&self) -> bool {
        self.is_binance
    }

    /// Whether one more message is within the limit.
    pub(super) fn admit(&mut self, now_ns: i64, limits: &Limits) -> bool {
        while self
            .messages
            .front()
            .is_some_and(|at_ns| now_ns - at_ns >= NS_PER_S)
        {
            self.messages.pop_front();
        }
        let most = if self.is_binance {
            limits.binance_messages_per_s
        } else {
            limits.coinbase_messages_per_s
        };
        if self.messages.len() >= most {
            return false;
        }
        self.messages.push_back(now_ns);
        true
    }

    /// What becomes of a client that says too much.
    pub(super) fn too_many(&self) -> Vec<Output> {
        let mut out = Vec::new();
        if !self.session.too_many(&mut out) {
            out.push(close(POLICY, "Too many requests"));
        }
        out
    }

    pub(super) fn ponged(&mut self, payload: &[u8]) {
        if self.unanswered_ns.is_some() && payload == self.payload.as_bytes() {
            self.unanswered_ns = None;
        }
    }

    pub(super) fn next_due_ns(&self, limits: &Limits) -> i64 {
        let mut due_ns = self.ends_ns.unwrap_or(i64::MAX);
        if self.is_binance {
            let pong_ns = self
                .unanswered_ns
                .map_or(i64::MAX, |since_ns| after(since_ns, limits.pong_within_ms));
            let day_ns = after(self.opened_ns, limits.longest_connection_ms);
            due_ns = due_ns.min(self.next_ping_ns).min(pong_ns).min(day_ns);
        } else {
            due_ns = due_ns.min(self.next_beat_ns);
            if !self.session.is_subscribed() {
                due_ns = due_ns.min(after(self.opened_ns, limits.subscribe_within_ms));
            }
        }
        due_ns
    }

    /// What falls due at `now_ns`.
    pub(super) fn run_due(
        &mut self,
        now_ns: i64,
        limits: &Limits,
        speaker: &Speaker<'_>,
    ) -> Vec<Output> {
        let mut out = Vec::new();
        if self.ends_ns.is_some_and(|at_ns| at_ns <= now_ns) {
            return vec![close(GOING_AWAY, "server shutdown")];
        }
        if !self.is_binance {
            let deadline_ns = after(self.opened_ns, limits.subscribe_within_ms);
            if !self.session.is_subscribed() && deadline_ns <= now_ns {
                return vec![close(POLICY, "no subscription in time")];
            }
            if self.next_beat_ns <= now_ns {
                self.next_beat_ns = after(now_ns, limits.heartbeat_every_ms);
                self.session.beat(speaker, &mut out);
            }
            return out;
        }
        if after(self.opened_ns, limits.longest_connection_ms) <= now_ns {
            return vec![day_is_over()];
        }
        if let Some(since_ns) = self.unanswered_ns
            && after(since_ns, limits.pong_within_ms) <= now_ns
        {
            return vec![close(POLICY, "pong timeout")];
        }
        if self.next_ping_ns <= now_ns {
            self.next_ping_ns = after(now_ns, limits.ping_every_ms);
            self.payload = (now_ns / NS_PER_MS).to_string();
            self.unanswered_ns = self.unanswered_ns.or(Some(now_ns));
            out.push(Output::Ping(self.payload.clone()));
        }
        out
    }

    /// A fault that happens once.
    pub(super) fn once(&mut self, fault: Fault, now_ns: i64, speaker: &Speaker<'_>) -> Vec<Output> {
        match fault {
            Fault::Stall => self.is_stalled = true,
            Fault::Skip(count) => self.session.skip(count),
            Fault::Close { code, reason } => {
                return vec![close(code, &reason)];
            }
            Fault::Abort | Fault::Outage => return vec![Output::Abort],
            Fault::Cut => {
                let frame = self.session.ordinary(speaker);
                return vec![frame.map_or(Output::Abort, Output::Cut)];
            }
            Fault::Huge { bytes } => {
                let frame = self.session.huge(bytes, speaker);
                return frame.map(Output::Text).into_iter().collect();
            }
            Fault::UnknownType => return vec![Output::Text(self.session.unknown(speaker))],
            Fault::BrokenJson => {
                let frame = self.session.ordinary(speaker);
                return frame
                    .map(|frame| Output::Text(first_half(&frame).to_owned()))
                    .into_iter()
                    .collect();
            }
            Fault::Shutdown { close_after_ms } => {
                self.ends_ns = Some(after(now_ns, close_after_ms));
                let announcement = self.session.shutdown(speaker);
                return announcement.map(Output::Text).into_iter().collect();
            }
            Fault::DayIsOver => return vec![day_is_over()],
            _ => {}
        }
        Vec::new()
    }
}

fn after(ns: i64, ms: i64) -> i64 {
    ns.saturating_add(ms.saturating_mul(NS_PER_MS))
}

fn close(code: u16, reason: &str) -> Output {
    Output::Close {
        code,
        reason: reason.to_owned(),
    }
}

fn day_is_over() -> Output {
    close(GOING_AWAY, "connection lasted 24 hours")
}

/// Up to the middle of a text.
pub(in crate::exchange) fn first_half(text: &str) -> &str {
    let mut middle = text.len() / 2;
    while !text.is_char_boundary(middle) {
        middle -= 1;
    }
    &text[..middle]
}
