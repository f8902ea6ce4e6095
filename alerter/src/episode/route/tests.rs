//! Windows by hand, and what they lead to.

use contract::config::Config;
use contract::decimal::Decimal;
use contract::spread::{Figures as End, Quality};
use proptest::prelude::*;

use super::*;
use crate::config::Settings;
use crate::episode::Input;

fn rules(change: impl FnOnce(&mut Rules)) -> Arc<Rules> {
    let mut rules = Settings::of(&Config::default()).unwrap().rules;
    (
        rules.threshold_bps,
        rules.hysteresis_bps,
        rules.min_duration_ms,
    ) = (5.0, 2.0, 0);
    change(&mut rules);
    Arc::new(rules)
}

fn place(offset: i64) -> Place {
    Place {
        input: Input::Spreads,
        partition: 3,
        offset,
    }
}

fn route(buy: &str, sell: &str, net_bps: Option<f64>, at_s: i64) -> Figures<'static> {
    Figures {
        buy: buy.to_owned().into(),
        sell: sell.to_owned().into(),
        quality: if net_bps.is_some() {
            Quality::Ok
        } else {
            Quality::Stale
        },
        end: net_bps.map(|net_bps| End {
            gross_bps: net_bps + 70.0,
            net_bps,
        }),
        best: net_bps.map(|net_bps| Best {
            gross_bps: net_bps + 70.0,
            net_bps,
            size: Some(Decimal::parse("0.7").unwrap()),
            at_ns: at_s * 1_000_000_000 + 310_000_000,
        }),
        positive_ns: 0,
    }
}

fn window(start_s: i64, routes: Vec<Figures<'static>>) -> Spread<'static> {
    Spread {
        v: Default::default(),
        pair: "BTC-USD".into(),
        start_ms: start_s * 1000,
        end_ms: (start_s + 1) * 1000,
        quality: Quality::Ok,
        late: 0,
        legs: Vec::new(),
        routes,
    }
}

/// One window a second of one route, with these figures; the offset is the second.
fn play(routes: &mut Routes, from_s: i64, nets: &[Option<f64>]) -> Vec<(Episode, Place)> {
    let mut out = Vec::new();
    for (s, net) in (from_s..).zip(nets) {
        let spread = window(s, vec![route("binance", "coinbase", *net, s)]);
        routes.window(&spread, place(s), &mut out);
    }
    out
}

fn facts(episode: &Episode) -> &SpreadFacts {
    match &episode.what {
        What::Spread(facts) => facts,
        other => panic!("{other:?}"),
    }
}

fn closed(told: &[(Episode, Place)]) -> Vec<(i64, i64, u64)> {
    told.iter()
        .filter_map(|(it, _)| Some((it.opened_ms, it.closed_ms?, facts(it).windows)))
        .collect()
}

#[test]
fn an_episode_is_opened_updated_and_closed_with_its_peak() {
    let mut routes = Routes::new(rules(|_| ()));
    let told = play(
        &mut routes,
        10,
        &[
            Some(4.9),
            Some(6.0),
            Some(9.5),
            Some(9.5),
            Some(3.5),
            Some(2.9),
        ],
    );
    assert_eq!(told.len(), 5, "opened, three times updated, closed");
    assert!(
        told.iter()
            .all(|(it, _)| *it.id == *"BTC-USD/binance/coinbase/11000")
    );
    let (last, at) = &told[4];
    assert_eq!(
        (last.opened_ms, last.updated_ms, last.closed_ms),
        (11_000, 15_000, Some(15_000))
    );
    assert_eq!((last.ending, *at), (Some(Ending::Below), place(15)));
    let facts = facts(last);
    assert_eq!(facts.peak_net_bps.to_bits(), 9.5_f64.to_bits());
    assert_eq!(
        facts.peak_at_ns, 12_310_000_000,
        "the earliest of the highest"
    );
    assert_eq!(facts.peak_size.as_ref().unwrap().to_string(), "0.7");
    assert_eq!(facts.windows, 4);
}

#[test]
fn a_spread_that_hovers_at_the_threshold_is_one_episode() {
    let mut routes = Routes::new(rules(|_| ()));
    let nets: Vec<_> = (0..100)
        .map(|n| Some(if n % 2 == 0 { 5.1 } else { 4.9 }))
        .collect();
    assert!(closed(&play(&mut routes, 0, &nets)).is_empty());
    assert_eq!(
        closed(&play(&mut routes, 100, &[Some(3.0)])),
        [(0, 100_000, 100)]
    );
    assert!(
        play(&mut routes, 101, &[Some(5.0)]).is_empty(),
        "at the threshold is not above it"
    );
}

#[test]
fn what_is_not_live_ends_it_and_missing_windows_do() {
    let mut routes = Routes::new(rules(|_| ()));
    let told = play(&mut routes, 0, &[Some(9.0), None, Some(9.0)]);
    assert_eq!(closed(&told), [(0, 1_000, 1)]);
    assert_eq!(told[1].0.ending, Some(Ending::NotLive(Quality::Stale)));
    let told = play(&mut routes, 90, &[Some(9.0)]);
    assert_eq!(closed(&told), [(2_000, 3_000, 1)]);
    assert_eq!(told[0].0.ending, Some(Ending::Missing));
    assert_eq!(*told[1].0.id, *"BTC-USD/binance/coinbase/90000");
    let mut out = Vec::new();
    routes.window(&window(91, Vec::new()), place(91), &mut out);
    assert_eq!(closed(&out), [(90_000, 91_000, 1)], "the route is gone");
}

#[test]
fn a_minimum_duration_holds_back_and_the_first_window_still_counts() {
    let mut routes = Routes::new(rules(|rules| rules.min_duration_ms = 3_000));
    assert!(play(&mut routes, 0, &[Some(9.0), Some(9.0)]).is_empty());
    assert_eq!(routes.holds().collect::<Vec<_>>(), [place(0)]);
    assert!(
        play(&mut routes, 2, &[Some(4.0)]).is_empty(),
        "too short; no hysteresis before it is open"
    );
    assert_eq!(routes.holds().count(), 0);
    let told = play(
        &mut routes,
        10,
        &[Some(9.0), Some(9.0), Some(9.0), Some(9.0)],
    );
    assert_eq!(told[0].0.opened_ms, 10_000);
    assert_eq!(told[0].1, place(10), "read again from its first window on");
    assert_eq!(facts(&told[0].0).windows, 3);
    assert_eq!((told.len(), told[1].1), (2, place(13)));
    assert_eq!(routes.holds().count(), 0);
}

#[test]
fn windows_read_again_count_once_and_open_nothing_twice() {
    let mut routes = Routes::new(rules(|_| ()));
    let nets = [Some(9.0), Some(8.0), None, Some(9.0), Some(1.0)];
    assert_eq!(play(&mut routes, 0, &nets).len(), 5);
    assert!(play(&mut routes, 0, &nets).is_empty());
    assert_eq!(routes.seen_again(), 5);
}

#[test]
fn directions_and_pairs_have_episodes_of_their_own() {
    let mut routes = Routes::new(rules(|rules| {
        rules.threshold_bps_of.insert("ETH-USD".to_owned(), 20.0);
    }));
    let mut out = Vec::new();
    let both = vec![
        route("binance", "coinbase", Some(9.0), 0),
        route("coinbase", "binance", Some(-80.0), 0),
    ];
    routes.window(&window(0, both), place(0), &mut out);
    let mut eth = window(0, vec![route("binance", "coinbase", Some(9.0), 0)]);
    eth.pair = "ETH-USD".into();
    routes.window(&eth, place(1), &mut out);
    assert_eq!(out.len(), 1);
    eth = window(1, vec![route("binance", "coinbase", Some(21.0), 1)]);
    eth.pair = "ETH-USD".into();
    routes.window(&eth, place(2), &mut out);
    assert_eq!(*out[1].0.id, *"ETH-USD/binance/coinbase/1000");
}

#[test]
fn an_end_within_a_window_is_told_to_the_millisecond_and_one_that_is_not_known_by_the_window() {
    let ended = |end_net_bps: Option<f64>, positive_ns, hysteresis_bps| {
        let mut routes = Routes::new(rules(|rules| rules.hysteresis_bps = hysteresis_bps));
        let mut out = play(&mut routes, 0, &[Some(20.0), Some(20.0)]);
        let mut last = route("binance", "coinbase", Some(20.0), 2);
        last.end = end_net_bps.map(|net_bps| End {
            gross_bps: net_bps + 70.0,
            net_bps,
        });
        last.positive_ns = positive_ns;
        routes.window(&window(2, vec![last]), place(2), &mut out);
        routes.window(
            &window(3, vec![route("binance", "coinbase", Some(-50.0), 3)]),
            place(3),
            &mut out,
        );
        closed(&out)
    };
    assert_eq!(ended(Some(-50.0), 299_000_001, 2.0), [(0, 2_300, 3)]);
    assert_eq!(ended(None, 299_000_001, 2.0), [(0, 2_300, 3)]);
    assert_eq!(ended(Some(20.0), 1_000_000_000, 2.0), [(0, 3_000, 3)]);
    // Down to -1 bps it lasts, and when that was passed the window does not say.
    assert_eq!(ended(Some(-50.0), 299_000_001, 6.0), [(0, 3_000, 3)]);
}

proptest! {
    /// Whatever the windows and wherever the process dies, a successor that knows the newest state of each episode and
    /// reads again from an earlier window on ends with the same episodes.
    #[test]
    fn a_successor_comes_to_the_same_episodes(
        nets in prop::collection::vec(prop_oneof![Just(None), (0..12_i32).prop_map(|n| Some(f64::from(n)))], 1..60),
        dies_at in 0..60_usize,
        min_duration_s in 0..4_i64,
    ) {
        let rules = rules(|rules| rules.min_duration_ms = min_duration_s * 1000);
        let newest = |told: Vec<(Episode, Place)>| {
            let mut newest = std::collections::BTreeMap::new();
            for (mut episode, _) in told {
                episode.ending = None;
                // Where within its last window it ended is on no topic; a successor tells the window's end.
                episode.closed_ms = episode.closed_ms.map(|_| episode.updated_ms);
                newest.insert(episode.id.clone(), episode);
            }
            newest
        };
        let expected = newest(play(&mut Routes::new(Arc::clone(&rules)), 0, &nets));

        let dies_at = dies_at.min(nets.len());
        let mut first = Routes::new(Arc::clone(&rules));
        let mut told = play(&mut first, 0, &nets[..dies_at]);
        let again_from = first.holds().map(|place| place.offset).min().unwrap_or(i64::try_from(dies_at).unwrap());
        // It may also be read again from further back.
        let again_from = usize::try_from(again_from / 2 + again_from % 2).unwrap();
        let mut second = Routes::new(rules);
        for episode in newest(told.clone()).values() {
            second.take_up(episode);
        }
        told.extend(play(&mut second, i64::try_from(again_from).unwrap(), &nets[again_from..]));
        prop_assert_eq!(newest(told), expected);
    }
}
