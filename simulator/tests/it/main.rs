//! The imitated exchanges from the outside: what ingest makes of their frames, how they compare with recordings, and what a
//! plain client sees of every misbehaviour. The imitated headset as a source of samples.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod client;
mod encrypted;
mod frames;
#[cfg(unix)]
mod headset;
mod known_network;
mod misbehaviour;
mod shapes;
mod sockets;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use simulator::exchange::{Dialect, ExchangesSettings, ServerSettings};
use simulator::market::{MarketSettings, SymbolSettings, Venue};

/// All four dialects over one market.
fn four_dialects(seed: u64) -> ExchangesSettings {
    let mut market = MarketSettings::two_venues(seed);
    market
        .symbols
        .push(SymbolSettings::new(Venue::BinanceUs, "BTCUSD", "BTC-USD"));
    let mut settings = ExchangesSettings::new(market);
    let all = Dialect::ALL.map(|dialect| (dialect, ServerSettings::default()));
    settings.servers = BTreeMap::from(all);
    settings
}

/// The folder of the exchange recordings, or nothing, said aloud, where it is absent.
fn recordings() -> Option<PathBuf> {
    let data = std::env::var_os("LOCKSTEP_TEST_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let folder = data.join("data/exchange");
    if !folder.is_dir() {
        // Not `eprintln!`: the test harness would keep that to itself while the test passes.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: no recordings in {}; LOCKSTEP_TEST_DATA names the folder that holds `data`",
            folder.display()
        );
        return None;
    }
    Some(folder)
}
