//! Whether a connection still delivers: heartbeats, pongs and answers are no proof of that, data is. Pure.

use std::time::Duration;

use tokio::time::Instant;

use crate::venue::{Dialect, Kind};

/// When data came last. Frames are read for it only when that is a while ago, so that most are read once, by the core.
#[derive(Debug)]
pub(super) struct Liveness {
    silent_after: Duration,
    last_data: Instant,
    had_data: bool,
}

impl Liveness {
    /// A connection made `now`.
    pub(super) fn new(silent_after: Duration, now: Instant) -> Self {
        Self {
            silent_after,
            last_data: now,
            had_data: false,
        }
    }

    /// Takes in a frame.
    pub(super) fn frame(&mut self, dialect: Dialect, text: &str, now: Instant) {
        let recent = self.had_data && now.duration_since(self.last_data) < self.silent_after / 4;
        if !recent && kind(dialect, text).is_some_and(Kind::is_data) {
            self.had_data = true;
            self.last_data = now;
        }
    }

    /// We did not look for so long; that is not the venue's silence.
    pub(super) fn excuse(&mut self, waited: Duration) {
        self.last_data += waited;
    }

    /// Whether nothing came for too long.
    pub(super) fn is_silent(&self, now: Instant) -> bool {
        now.duration_since(self.last_data) >= self.silent_after
    }

    /// Whether data ever came.
    pub(super) fn had_data(&self) -> bool {
        self.had_data
    }
}

/// Whether a frame announces the end of the connection.
pub(super) fn is_shutdown(dialect: Dialect, text: &str) -> bool {
    const LONGEST: usize = 512;
    text.len() <= LONGEST
        && text.contains("serverShutdown")
        && kind(dialect, text) == Some(Kind::ServerShutdown)
}

fn kind(dialect: Dialect, text: &str) -> Option<Kind> {
    dialect.parse(text).ok().map(|parsed| parsed.kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOK: &str = r#"{"stream":"btcusdt@bookTicker","data":{"u":1,"s":"BTCUSDT","b":"1.0","B":"1","a":"1.1","A":"1"}}"#;
    const SHUTDOWN: &str =
        r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1723161254937}}"#;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn heartbeats_answers_and_rubbish_do_not_count_as_data() {
        let start = Instant::now();
        let mut liveness = Liveness::new(ms(100), start);
        for (dialect, text) in [
            (
                Dialect::CoinbaseExchange,
                r#"{"type":"heartbeat","sequence":1,"last_trade_id":1,"product_id":"BTC-USD","time":"2026-08-09T21:05:48.854840Z"}"#,
            ),
            (Dialect::Binance, r#"{"result":null,"id":1}"#),
            (Dialect::Binance, "rubbish"),
        ] {
            liveness.frame(dialect, text, start + ms(50));
        }
        assert!(!liveness.had_data());
        assert!(!liveness.is_silent(start + ms(99)));
        assert!(liveness.is_silent(start + ms(100)));
    }

    #[test]
    fn data_keeps_a_connection_alive_and_our_own_delay_is_no_silence() {
        let start = Instant::now();
        let mut liveness = Liveness::new(ms(100), start);
        for at in [10, 20, 50, 80, 140] {
            liveness.frame(Dialect::Binance, BOOK, start + ms(at));
        }
        assert!(liveness.had_data());
        assert!(!liveness.is_silent(start + ms(239)));
        assert!(liveness.is_silent(start + ms(240)));
        liveness.excuse(ms(60));
        assert!(!liveness.is_silent(start + ms(299)));
        assert!(liveness.is_silent(start + ms(300)));
    }

    #[test]
    fn only_the_announcement_itself_is_one() {
        assert!(is_shutdown(Dialect::Binance, SHUTDOWN));
        assert!(is_shutdown(
            Dialect::BinanceUs,
            r#"{"e":"serverShutdown","E":1723161254937}"#
        ));
        assert!(!is_shutdown(Dialect::Binance, BOOK));
        assert!(!is_shutdown(
            Dialect::Binance,
            r#"{"result":"serverShutdown","id":1}"#
        ));
    }
}
