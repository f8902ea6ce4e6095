//! What `simulate` takes.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::words::{Dislocate, Misbehave, MoveRate, Port, Skew};
use crate::cli::duration;

/// What `simulate` takes.
#[derive(Debug, Args)]
#[command(after_help = format!("\
Examples:
  lockstep simulate
  lockstep simulate --calm --dislocate BTC-USD:binance:coinbase:25@5s+10s/1m
  lockstep simulate --misbehave binance:silent@20s+15s --misbehave coinbase:huge@5s --port binance=9443
  lockstep simulate --calm --for 10m --out made-up.capture.zst --our-clock -1300

The lines that it prints lead `lockstep up --source live` (and `ingest`, `record`, `alert`) to it.

Misbehaviours: {}", simulator::exchange::WORDS))]
pub(crate) struct SimulateArgs {
    /// The same seed gives the same market.
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub(crate) seed: u64,
    /// Nothing happens by itself: no dislocations, no outages, but for those given here.
    #[arg(long)]
    pub(crate) calm: bool,
    /// Makes venues disagree: so many basis points net, from START on for LENGTH, maybe again EVERY so often.
    #[arg(long, value_name = "PAIR:BUY:SELL:NET@START+LENGTH[/EVERY]")]
    pub(crate) dislocate: Vec<Dislocate>,
    /// Sends the USDT-USD rate up or down.
    #[arg(long, value_name = "BPS@START+LENGTH", allow_hyphen_values = true)]
    pub(crate) move_rate: Vec<MoveRate>,
    /// Makes a venue misbehave; see below.
    #[arg(long, value_name = "VENUE:WHAT@START[+LENGTH][/EVERY]")]
    pub(crate) misbehave: Vec<Misbehave>,
    /// Listens there instead of on any free port; VENUE may be `discord`.
    #[arg(long, value_name = "VENUE=PORT")]
    pub(crate) port: Vec<Port>,
    /// Listens at this address of this machine instead of 127.0.0.1; 0.0.0.0 is all of them. Whoever reaches it is served.
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), conflicts_with = "out")]
    pub(crate) listen: IpAddr,
    /// Lets a venue's clock be ahead of ours, milliseconds.
    #[arg(long, value_name = "VENUE=MS")]
    pub(crate) skew: Vec<Skew>,
    /// Stops after this time, e.g. `10m`.
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    pub(crate) run_for: Option<Duration>,
    /// Serves nobody: writes the frames into this capture, faster than life.
    #[arg(
        long,
        value_name = "FILE",
        requires = "run_for",
        conflicts_with = "port"
    )]
    pub(crate) out: Option<PathBuf>,
    /// The recorder's clock less the right one, milliseconds.
    #[arg(
        long = "our-clock",
        value_name = "MS",
        default_value_t = 0,
        requires = "out",
        allow_hyphen_values = true,
        value_parser = clap::value_parser!(i64).range(-3_600_000..=3_600_000)
    )]
    pub(crate) our_clock_ms: i64,
}
