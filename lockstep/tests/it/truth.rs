//! Ten simulated minutes, faster than life, whose truth is known: frames to capture to spreads to episodes.
//!
//! Every dislocation above the threshold gives exactly one episode, with the net that the very quotes had; nothing else gives
//! any. The frames go through the binary as a user's capture would; the episodes are the alerter's own.

use std::fmt::Write as _;
use std::sync::Arc;

use alerter::Settings;
use alerter::episode::route::Routes;
use alerter::episode::{Episode, Input, Place, What};
use contract::config::Config;
use contract::spread::Spread;
use simulator::exchange::{Recorded, RecordedSettings};
use simulator::market::{
    Dislocation, DislocationTruth, MarketSettings, RateMove, RateSettings, Size, Venue,
};

use crate::fixture::{Room, run_well};

/// Ten minutes, milliseconds.
const LENGTH_MS: i64 = 600_000;
/// Width of a window, milliseconds.
const WINDOW_MS: i64 = 1_000;
/// What the peak may be off by, basis points: rounding of the record is a millionth, the rest is what the check allows.
const NET_BPS: f64 = 0.1;

/// Dislocations of many sizes, lengths and beginnings, in both directions of both pairs; some stay below the threshold of 5 bps.
fn dislocations() -> Vec<Dislocation> {
    let (binance, coinbase) = (Venue::Binance, Venue::Coinbase);
    let mut all = Vec::new();
    for n in 0..22_i64 {
        let pair = if n % 2 == 0 { "BTC-USD" } else { "ETH-USD" };
        let (buy, sell) = if n % 3 == 0 {
            (coinbase, binance)
        } else {
            (binance, coinbase)
        };
        // 7 to 49 bps; every fifth stays below.
        let net_bps = if n % 5 == 4 {
            2.5
        } else {
            7.0 + f64::from(i32::try_from(n).unwrap()) * 2.0
        };
        // Beginnings and lengths that fall on every part of a window.
        let (start_ms, length_ms) = (12_000 + n * 26_137, 1_300 + n * 437 % 9_000);
        let ramp_ms = if n % 4 == 1 { 200 } else { 0 };
        all.push(
            Dislocation::new(pair, buy, sell, Size::Net(net_bps))
                .at(start_ms, length_ms)
                .ramped(ramp_ms),
        );
    }
    all
}

struct Run {
    episodes: Vec<Episode>,
    truths: Vec<DislocationTruth>,
    threshold_bps: f64,
    /// The longest time between two quotes of one symbol, milliseconds.
    quote_interval_ms: i64,
}

fn run(change: impl FnOnce(&mut RecordedSettings)) -> Run {
    let mut market = MarketSettings::two_venues(7);
    market.dislocations = dislocations();
    let exchanges = simulator::exchange::ExchangesSettings::new(market);
    let mut settings = RecordedSettings::new(exchanges, LENGTH_MS);
    change(&mut settings);
    let mut recorded = Recorded::new(settings).unwrap();
    let mut capture = String::new();
    for frame in &mut recorded {
        writeln!(
            capture,
            "{}\t{}\t{}",
            frame.received_ns, frame.venue, frame.frame
        )
        .unwrap();
    }
    let truths = recorded.truths().to_vec();
    let room = Room::new();
    let path = room.write("market.capture", capture);
    let out = room.path("spreads.jsonl");
    run_well([
        "replay".as_ref(),
        path.as_os_str(),
        "--out".as_ref(),
        out.as_os_str(),
    ]);
    let config = Config::load(None, std::iter::empty()).unwrap();
    let rules = Arc::new(Settings::of(&config).unwrap().rules);
    let threshold_bps = rules.threshold_bps;
    let mut routes = Routes::new(rules);
    let mut episodes: Vec<Episode> = Vec::new();
    let mut changed = Vec::new();
    let spreads = room.read("spreads.jsonl");
    let mut quote_interval_ms = 0;
    for (offset, line) in spreads.lines().enumerate() {
        let spread: Spread<'_> = serde_json::from_str(line).unwrap();
        let ages = spread.legs.iter().filter_map(|leg| leg.age_ms);
        quote_interval_ms = ages.fold(quote_interval_ms, i64::max);
        let place = Place {
            input: Input::Spreads,
            partition: 0,
            offset: i64::try_from(offset).unwrap(),
        };
        routes.window(&spread, place, &mut changed);
        for (episode, _) in changed.drain(..) {
            match episodes.iter_mut().find(|known| known.id == episode.id) {
                Some(known) => *known = episode,
                None => episodes.push(episode),
            }
        }
    }
    Run {
        episodes,
        truths,
        threshold_bps,
        quote_interval_ms,
    }
}

/// One episode for each dislocation above the threshold, and no other.
fn check(run: &Run) {
    let above: Vec<&DislocationTruth> = run
        .truths
        .iter()
        .filter(|truth| {
            truth
                .peak()
                .is_some_and(|peak| peak.net_bps > run.threshold_bps)
        })
        .collect();
    assert_eq!(
        (run.truths.len(), above.len()),
        (22, 18),
        "the market did what it was told"
    );
    let mut left: Vec<&Episode> = run.episodes.iter().collect();
    let bound_ms = WINDOW_MS + run.quote_interval_ms;
    for truth in above {
        let (buy, sell) = truth.route();
        let pair = &truth.dislocation.pair;
        let (from_ns, to_ns) = truth.above(run.threshold_bps).unwrap();
        let (from_ms, to_ms) = (from_ns / 1_000_000, to_ns / 1_000_000);
        let told = format!("{pair} buy {buy:?} sell {sell:?} from {from_ms} to {to_ms}");
        let is_it = |episode: &&Episode| match &episode.what {
            What::Spread(facts) => {
                *facts.pair == **pair
                    && *facts.buy == *buy.name()
                    && *facts.sell == *sell.name()
                    && (episode.opened_ms - from_ms).abs() <= bound_ms
            }
            _ => false,
        };
        let matching: Vec<usize> = (0..left.len()).filter(|at| is_it(&left[*at])).collect();
        assert_eq!(matching.len(), 1, "{told}: {left:#?}");
        let episode = left.remove(matching[0]);
        let What::Spread(facts) = &episode.what else {
            unreachable!("matched above")
        };
        let peak = truth.peak().unwrap();
        let off_bps = (facts.peak_net_bps - peak.net_bps).abs();
        assert!(
            off_bps <= NET_BPS,
            "{told}: {} against {}",
            facts.peak_net_bps,
            peak.net_bps
        );
        let closed_ms = episode
            .closed_ms
            .unwrap_or_else(|| panic!("{told} never ended"));
        let off_ms = (closed_ms - episode.opened_ms) - (to_ms - from_ms);
        assert!(
            off_ms.abs() <= bound_ms,
            "{told}: length off by {off_ms} ms, allowed {bound_ms}: {episode:?}"
        );
    }
    assert!(left.is_empty(), "nothing else gives an episode: {left:#?}");
}

#[test]
fn every_dislocation_above_the_threshold_is_one_episode_and_nothing_else_is() {
    check(&run(|_| ()));
}

#[test]
fn the_same_with_our_clock_behind_both_venues() {
    check(&run(|settings| settings.our_clock_ms = -1_300));
}

#[test]
fn the_same_while_a_usdt_moves_by_fifty_basis_points() {
    let run = run(|settings| {
        let moves = vec![
            RateMove {
                start_ms: 30_000,
                length_ms: 200_000,
                centibps: -5_000,
            },
            RateMove {
                start_ms: 300_000,
                length_ms: 250_000,
                centibps: 5_000,
            },
        ];
        settings.exchanges.market.rate = Some(RateSettings {
            moves,
            ..RateSettings::default()
        });
    });
    check(&run);
}
