use std::collections::HashMap;

use super::units::float;
use super::*;

/// 2026-03-02T14:30:00Z.
const START_NS: i64 = 1_772_461_800_000 * NS_PER_MS;
const SEED: u64 = 20_260_302;

fn market(settings: MarketSettings) -> Market {
    Market::new(settings, START_NS).unwrap()
}

fn after_s(s: i64) -> i64 {
    START_NS + s * 1_000_000_000
}

fn all(market: &mut Market, to_ns: i64) -> Vec<Update> {
    std::iter::from_fn(|| market.next(to_ns)).collect()
}

fn dislocated() -> MarketSettings {
    let mut settings = MarketSettings::two_venues(SEED);
    let (binance, coinbase) = (Venue::Binance, Venue::Coinbase);
    settings.dislocations = vec![
        Dislocation::new("BTC-USD", binance, coinbase, Size::Net(12.0)).at(5_000, 4_000),
        Dislocation::new("BTC-USD", coinbase, binance, Size::Gross(90.5)).at(15_000, 3_000),
        Dislocation::new("ETH-USD", coinbase, binance, Size::Net(25.0))
            .at(8_000, 6_000)
            .ramped(500),
    ];
    settings.rate.as_mut().unwrap().moves.push(RateMove {
        start_ms: 1_000,
        length_ms: 25_000,
        centibps: -5_000,
    });
    settings
}

/// What every ordered pair of streams of one pair is worth, as quotes come, worked out apart from the market's own books.
struct Ledger {
    quotes: HashMap<usize, Quote>,
    rate: Option<Quote>,
}

impl Ledger {
    fn new() -> Self {
        Self {
            quotes: HashMap::new(),
            rate: None,
        }
    }

    fn take(&mut self, market: &Market, update: &Update) {
        if market.streams()[update.stream].is_rate() {
            self.rate = Some(update.quote);
        } else {
            self.quotes.insert(update.stream, update.quote);
        }
    }

    /// Gross of buying at `buy` and selling at `sell`, in basis points, by exact fractions.
    fn gross_bps(&self, market: &Market, buy: usize, sell: usize) -> Option<f64> {
        let one = Quote {
            bid: ONE,
            ask: ONE,
            ..Quote::default()
        };
        let rate = |stream: usize| match market.streams()[stream].in_usdt() {
            true => self.rate,
            false => Some(one),
        };
        let get = i128::from(self.quotes.get(&sell)?.bid) * i128::from(rate(sell)?.bid);
        let pay = i128::from(self.quotes.get(&buy)?.ask) * i128::from(rate(buy)?.ask);
        // To a millionth of a basis point.
        let micro = (get - pay) * 10_000 * 1_000_000 / pay;
        Some(float(i64::try_from(micro).unwrap()) / 1e6)
    }
}

fn stream(market: &Market, venue: Venue, pair: &str) -> usize {
    let mut streams = market.streams().iter();
    streams
        .position(|stream| stream.venue() == venue && stream.pair() == pair)
        .unwrap()
}

#[test]
fn a_seed_gives_the_same_market_and_another_seed_another() {
    let run = |seed| {
        let mut settings = dislocated();
        settings.seed = seed;
        all(&mut market(settings), after_s(20))
    };
    let first = run(1);
    assert_eq!(first, run(1));
    assert_ne!(first, run(2));
    assert!(first.len() > 1_500, "{}", first.len());
}

#[test]
fn looking_more_often_changes_nothing() {
    let mut once = market(dislocated());
    let mut often = market(dislocated());
    let expected = all(&mut once, after_s(10));
    let mut seen = Vec::new();
    for ms in 0..=10_000 {
        seen.extend(all(&mut often, START_NS + ms * NS_PER_MS));
    }
    assert_eq!(seen, expected);
}

#[test]
fn the_truth_is_what_the_very_quotes_that_were_sent_are_worth() {
    let mut market = market(dislocated());
    let mut ledger = Ledger::new();
    let mut compared = 0;
    while let Some(update) = market.next(after_s(30)) {
        ledger.take(&market, &update);
        for truth in market.truths().iter().filter(|truth| !truth.is_over) {
            let (buy, sell) = truth.route();
            let pair = &truth.dislocation.pair;
            let (buy, sell) = (stream(&market, buy, pair), stream(&market, sell, pair));
            let worth = ledger.gross_bps(&market, buy, sell).unwrap();
            let told = truth.at(update.at_ns).unwrap();
            assert!(
                (told.gross_bps - worth).abs() < 2e-6,
                "{} {worth} {told:?}",
                update.at_ns
            );
            compared += 1;
        }
    }
    assert!(compared > 500, "{compared}");
}

#[test]
fn a_dislocation_is_worth_what_was_asked_for_and_less_than_a_tick_more() {
    let mut market = market(dislocated());
    all(&mut market, after_s(30));
    let [first, ramped, second] = market.truths() else {
        panic!("{:?}", market.truths())
    };
    assert!(market.truths().iter().all(|truth| truth.is_over));
    // A tick of 0.01 in 61,730 is 0.0016 bps, in 2,641 it is 0.038.
    let peak = |truth: &DislocationTruth| truth.peak().unwrap();
    assert!(
        (12.0..12.002).contains(&peak(first).net_bps),
        "{:?}",
        peak(first)
    );
    assert!(
        (90.5..90.502).contains(&peak(second).gross_bps),
        "{:?}",
        peak(second)
    );
    assert!(
        (25.0..25.04).contains(&peak(ramped).net_bps),
        "{:?}",
        peak(ramped)
    );
    assert_eq!((first.start_ns, first.end_ns), (after_s(5), after_s(9)));
    assert_eq!(first.above(10.0), Some((after_s(5), after_s(9))));
    // A step has two points: its worth and its end.
    assert_eq!(first.points.len(), 2, "{:?}", first.points);
    assert!(first.points[1].net_bps < -60.0);
    let (from_ns, to_ns) = ramped.above(24.9).unwrap();
    assert!(from_ns >= after_s(8) + 400 * NS_PER_MS && from_ns <= after_s(8) + 500 * NS_PER_MS);
    assert!(to_ns >= after_s(14) - 500 * NS_PER_MS && to_ns <= after_s(14) - 400 * NS_PER_MS);
    assert!(
        ramped
            .points
            .windows(2)
            .all(|pair| pair[0].at_ns < pair[1].at_ns)
    );
}

#[test]
fn outside_of_dislocations_nothing_is_worth_anything_for_an_hour() {
    let mut settings = MarketSettings::two_venues(SEED);
    settings.rate.as_mut().unwrap().moves.push(RateMove {
        start_ms: 600_000,
        length_ms: 60_000,
        centibps: 5_000,
    });
    // Ten basis points of fees altogether: less than anybody pays.
    let fees_bps = 10.0;
    let mut market = market(settings);
    let mut ledger = Ledger::new();
    let pairs = ["BTC-USD", "ETH-USD"];
    let routes: Vec<(usize, usize)> = pairs
        .iter()
        .flat_map(|pair| {
            let a = stream(&market, Venue::Binance, pair);
            let b = stream(&market, Venue::Coinbase, pair);
            [(a, b), (b, a)]
        })
        .collect();
    let (mut highest_bps, mut updates) = (f64::MIN, 0);
    while let Some(update) = market.next(after_s(3_600)) {
        ledger.take(&market, &update);
        assert!(update.quote.bid < update.quote.ask, "{update:?}");
        for (buy, sell) in &routes {
            if let Some(gross_bps) = ledger.gross_bps(&market, *buy, *sell) {
                highest_bps = highest_bps.max(gross_bps);
            }
        }
        updates += 1;
    }
    assert!(highest_bps - fees_bps < -5.0, "{highest_bps}");
    // It is a market all the same.
    assert!(highest_bps > 0.0, "{highest_bps}");
    assert!(updates > 300_000, "{updates}");
}

#[test]
fn a_second_seed_and_three_venues_agree_as_well() {
    for seed in [3, 4] {
        let mut settings = MarketSettings::two_venues(seed);
        settings
            .symbols
            .push(SymbolSettings::new(Venue::BinanceUs, "BTCUSD", "BTC-USD"));
        let mut market = market(settings);
        let mut ledger = Ledger::new();
        while let Some(update) = market.next(after_s(300)) {
            ledger.take(&market, &update);
            for (buy, sell) in [(0, 4), (4, 0), (2, 4), (4, 2), (0, 2), (2, 0)] {
                if let Some(gross_bps) = ledger.gross_bps(&market, buy, sell) {
                    assert!(gross_bps < 4.0, "seed {seed}: {buy} {sell} {gross_bps}");
                }
            }
        }
    }
}

#[test]
fn numbers_rise_as_the_venues_have_it_and_prices_stand_on_their_grid() {
    let mut market = market(dislocated());
    let mut last: HashMap<usize, Update> = HashMap::new();
    let mut trades: HashMap<usize, Trade> = HashMap::new();
    let mut last_ns = 0;
    while let Some(update) = market.next(after_s(60)) {
        assert!(update.at_ns >= last_ns && update.at_ns % NS_PER_US == 0);
        last_ns = update.at_ns;
        let stream = &market.streams()[update.stream];
        let Quote {
            bid,
            ask,
            bid_size,
            ask_size,
            ..
        } = update.quote;
        assert!(bid > 0 && bid_size > 0 && ask_size > 0, "{update:?}");
        assert_eq!((bid % stream.tick(), ask % stream.tick()), (0, 0));
        for trade in &update.trades {
            if let Some(before) = trades.insert(update.stream, *trade) {
                assert_eq!(trade.id, before.id + 1);
                assert!(
                    trade.aggregate == before.aggregate || trade.aggregate == before.aggregate + 1
                );
                assert!(trade.sequence >= before.sequence);
            }
        }
        if let Some(before) = last.insert(update.stream, update.clone()) {
            assert!(update.quote.update_id > before.quote.update_id);
            let moved = (before.quote.bid, before.quote.ask) != (bid, ask);
            if moved && stream.venue() == Venue::Coinbase {
                assert!(!update.trades.is_empty(), "{update:?}");
            }
            assert!(update.at_ns - before.at_ns < 1_000_000_000, "{update:?}");
        }
    }
    assert_eq!(last.len(), 5);
}

#[test]
fn most_of_binances_quotes_change_sizes_alone_and_some_come_in_bursts() {
    let mut market = market(MarketSettings::two_venues(SEED));
    let btc = stream(&market, Venue::Binance, "BTC-USD");
    let quotes: Vec<Update> = all(&mut market, after_s(300))
        .into_iter()
        .filter(|update| update.stream == btc)
        .collect();
    let same = quotes
        .windows(2)
        .filter(|pair| {
            (pair[0].quote.bid, pair[0].quote.ask) == (pair[1].quote.bid, pair[1].quote.ask)
        })
        .count();
    assert!(same * 100 > quotes.len() * 75, "{same} of {}", quotes.len());
    let burst = quotes
        .windows(50)
        .filter(|row| row[49].at_ns - row[0].at_ns < 5 * NS_PER_MS);
    assert!(burst.count() > 100);
}

#[test]
fn the_rate_moves_by_what_it_was_told_and_stands_while_a_pair_is_dislocated() {
    let mut market = market(dislocated());
    let rate = market.streams().iter().position(Stream::is_rate).unwrap();
    let before = market.streams()[rate].quote().bid;
    let mut held = None;
    while let Some(update) = market.next(after_s(60)) {
        let is_held = market.truths().iter().any(|truth| !truth.is_over);
        if is_held && update.stream == rate {
            assert_eq!(*held.get_or_insert(update.quote.bid), update.quote.bid);
        }
        if !is_held {
            held = None;
        }
    }
    let after = market.streams()[rate].quote().bid;
    let moved_bps = (float(after) / float(before) - 1.0) * 1e4;
    assert!((moved_bps + 50.0).abs() < 0.3, "{moved_bps}");
}

#[test]
fn what_cannot_be_dislocated_is_refused() {
    let refused = |dislocation| {
        let mut settings = MarketSettings::two_venues(SEED);
        settings.dislocations = vec![dislocation];
        Market::new(settings, START_NS).unwrap_err().to_string()
    };
    let of = |pair, buy, sell| Dislocation::new(pair, buy, sell, Size::Net(5.0)).at(0, 1_000);
    let (binance, coinbase) = (Venue::Binance, Venue::Coinbase);
    assert!(refused(of("SOL-USD", binance, coinbase)).contains("of `SOL-USD` is of no pair"));
    assert!(refused(of("BTC-USD", binance, Venue::BinanceUs)).contains("not traded at binance_us"));
    assert!(refused(of("BTC-USD", binance, binance)).contains("two venues"));
    assert!(refused(of("BTC-USD", binance, coinbase).ramped(501)).contains("ramps"));
    let huge = Dislocation::new("BTC-USD", binance, coinbase, Size::Gross(1e9)).at(0, 1_000);
    assert!(refused(huge).contains("5000 bps"));
    let mut settings = dislocated();
    settings
        .dislocations
        .push(of("BTC-USD", coinbase, binance).at(8_999, 10));
    let error = Market::new(settings, START_NS).unwrap_err();
    assert_eq!(
        error.to_string(),
        "pair `BTC-USD` is dislocated already between 5000 and 9000 ms"
    );
}

#[test]
fn dislocations_come_again_and_leave_out_a_turn_where_the_pair_is_not_free() {
    let mut settings = MarketSettings::two_venues(SEED);
    let of = |buy, sell| Dislocation::new("BTC-USD", buy, sell, Size::Net(20.0));
    settings.periodic = vec![
        Periodic {
            first: of(Venue::Binance, Venue::Coinbase).at(2_000, 3_000),
            every_ms: 10_000,
        },
        Periodic {
            first: of(Venue::Coinbase, Venue::Binance).at(13_500, 1_000),
            every_ms: 4_000,
        },
    ];
    let mut market = market(settings);
    all(&mut market, after_s(30));
    let starts: Vec<i64> = market
        .truths()
        .iter()
        .map(|truth| (truth.start_ns - START_NS) / NS_PER_MS)
        .collect();
    assert_eq!(starts, [2_000, 12_000, 17_500, 21_500, 25_500, 29_500]);
}

#[test]
fn a_dislocation_planned_while_the_market_runs_begins_when_it_should() {
    let mut market = market(MarketSettings::two_venues(SEED));
    all(&mut market, after_s(10));
    let of = Dislocation::new("ETH-USD", Venue::Binance, Venue::Coinbase, Size::Net(30.0));
    market.plan(of.clone().at(12_000, 1_000)).unwrap();
    // What should have begun begins now.
    market
        .plan(
            Dislocation {
                pair: "BTC-USD".to_owned(),
                ..of
            }
            .at(1_000, 1_000),
        )
        .unwrap();
    all(&mut market, after_s(20));
    let starts: Vec<i64> = market.truths().iter().map(|truth| truth.start_ns).collect();
    assert_eq!(starts, [after_s(10), after_s(12)]);
}

#[test]
fn a_flood_changes_sizes_alone_and_ends() {
    let mut market = market(MarketSettings::two_venues(SEED));
    all(&mut market, after_s(2));
    let before = market.streams()[0].quote();
    let flood = Flood {
        per_s: 50_000,
        with_trades: false,
        until_ns: after_s(3),
    };
    market.flood(0, flood);
    let flood: Vec<Update> = all(&mut market, after_s(3) - 1)
        .into_iter()
        .filter(|update| update.stream == 0)
        .collect();
    assert!((49_900..50_200).contains(&flood.len()), "{}", flood.len());
    assert!(
        flood
            .iter()
            .all(|update| update.quote.bid == before.bid && update.trades.is_empty())
    );
    let later = all(&mut market, after_s(4));
    assert!(later.len() < 2_000, "{}", later.len());
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let refused = |change: fn(&mut MarketSettings)| {
        let mut settings = MarketSettings::two_venues(SEED);
        change(&mut settings);
        Market::new(settings, START_NS).unwrap_err().to_string()
    };
    let text = refused(|settings| settings.rate = None);
    assert!(text.contains("`BTCUSDT` is in USDT"), "{text}");
    let text = refused(|settings| settings.symbols[0].pair = "X-USD".to_owned());
    assert!(text.contains("belongs to no pair"), "{text}");
    let text = refused(|settings| settings.symbols[2].symbol = "BTC-EUR".to_owned());
    assert!(text.contains("neither in its currency"), "{text}");
    let text = refused(|settings| settings.pairs[0].price = 0);
    assert!(text.contains("no sensible price"), "{text}");
}
