//! What a message says, and that it stays within Discord's sizes whatever names hold.

use std::sync::Arc;

use contract::decimal::Decimal;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn spread(pair: &str, buy: &str, sell: &str) -> Episode {
    Episode {
        id: format!("{pair}/{buy}/{sell}/1723161254000").into(),
        what: What::Spread(SpreadFacts {
            pair: pair.into(),
            buy: buy.into(),
            sell: sell.into(),
            peak_net_bps: 14.2,
            peak_size: Some(Decimal::parse("0.7").unwrap()),
            peak_at_ns: 1_723_161_256_310_000_000,
            windows: 5,
        }),
        opened_ms: 1_723_161_254_000,
        updated_ms: 1_723_161_259_000,
        closed_ms: None,
        ending: None,
    }
}

fn said(episodes: &[&Episode], possible_repeat: bool, is_quiet: bool) -> Value {
    let parts: Vec<Part<'_>> = episodes
        .iter()
        .map(|episode| Part {
            episode,
            possible_repeat,
        })
        .collect();
    serde_json::from_slice(&body(&parts, "", is_quiet)).unwrap()
}

#[test]
fn a_label_stands_before_everything() {
    let part = Part {
        episode: &spread("BTC-USD", "binance", "coinbase"),
        possible_repeat: false,
    };
    let said = |label: &str| {
        let body: Value = serde_json::from_slice(&body(&[part], label, false)).unwrap();
        body["content"].as_str().unwrap().to_owned()
    };
    assert_eq!(said("staging"), format!("[staging] {}", said("")));
}

#[test]
fn an_open_and_a_closed_spread_read_well() {
    let mut episode = spread("BTC-USD", "binance", "coinbase");
    let open = said(&[&episode], false, false);
    assert_eq!(
        open["content"],
        "BTC-USD: buy binance, sell coinbase, 14.20 bps net"
    );
    assert_eq!(open["allowed_mentions"]["parse"], serde_json::json!([]));
    assert!(open.get("flags").is_none());
    let embed = &open["embeds"][0];
    assert_eq!(embed["title"], "BTC-USD: buy binance, sell coinbase");
    assert_eq!(
        embed["description"],
        "Open since <t:1723161254:T> (<t:1723161254:R>)"
    );
    let values: Vec<&Value> = embed["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| &field["value"])
        .collect();
    assert_eq!(values, ["14.20 bps", "0.7 BTC", "<t:1723161256:T>", "5"]);
    assert_eq!(
        embed["footer"]["text"],
        "BTC-USD/binance/coinbase/1723161254000"
    );
    episode.closed_ms = Some(1_723_161_259_000);
    episode.ending = Some(Ending::NotLive(Quality::Stale));
    let over = said(&[&episode], false, true);
    assert_eq!(
        over["content"],
        "BTC-USD: buy binance, sell coinbase, 14.20 bps net, over after 5 s"
    );
    assert_eq!(
        over["embeds"][0]["description"],
        "Over after 5 s: no longer live, a quote is too old"
    );
    assert_eq!(over["flags"], 4096);
}

#[test]
fn an_outage_and_a_stall_say_what_they_mean() {
    let mut outage = spread("x", "y", "z");
    outage.what = What::Outage {
        venue: "binance_us".into(),
        status: Some(VenueStatus::Silent),
    };
    assert_eq!(
        said(&[&outage], false, false)["content"],
        "binance\\_us is silent"
    );
    outage.closed_ms = Some(outage.opened_ms + 12_345);
    assert_eq!(
        said(&[&outage], false, false)["content"],
        "binance\\_us is back after 12.3 s"
    );
    let mut stall = outage.clone();
    stall.what = What::Stall;
    stall.closed_ms = None;
    assert_eq!(
        said(&[&stall], false, false)["content"],
        "No windows come: the pipeline stands still"
    );
}

#[test]
fn merging_repeating_and_joining_are_said() {
    let (one, two) = (spread("BTC-USD", "a", "b"), spread("ETH-USD", "a", "b"));
    let merged = said(&[&one, &two], false, false);
    assert_eq!(merged["embeds"].as_array().unwrap().len(), 2);
    assert!(
        merged["content"]
            .as_str()
            .unwrap()
            .starts_with("2 alerts merged into one message")
    );
    let joined = said(&[&one, &one], false, false);
    assert!(
        joined["content"]
            .as_str()
            .unwrap()
            .starts_with("1 of them came again within the cooldown")
    );
    let repeat = said(&[&one], true, false);
    assert!(
        repeat["content"]
            .as_str()
            .unwrap()
            .contains("Possible repeat")
    );
}

#[test]
fn lengths_of_time_read_as_people_say_them() {
    for (ms, text) in [
        (0, "0 s"),
        (900, "0.9 s"),
        (5_000, "5 s"),
        (61_000, "1 min 1 s"),
        (3_660_000, "1 h 1 min"),
        (-5, "0 s"),
    ] {
        assert_eq!(lasted(ms), text);
    }
}

proptest! {
    #[test]
    fn every_size_holds_whatever_the_names_are(
        names in prop::collection::vec(("\\PC{0,300}", "\\PC{0,300}", "[*_@<>`|]{0,300}"), 1..12),
        net in prop_oneof![any::<f64>(), Just(f64::MAX)],
        closed in prop::option::of(any::<i64>()),
        digits in "[1-9][0-9]{0,200}",
    ) {
        let episodes: Vec<Episode> = names
            .iter()
            .enumerate()
            .map(|(n, (pair, buy, sell))| {
                let mut episode = spread(pair, buy, sell);
                episode.closed_ms = closed.map(|ms| ms / 4);
                match n % 3 {
                    0 => {}
                    1 => episode.what = What::Outage { venue: Arc::from(buy.as_str()), status: None },
                    _ => episode.what = What::Stall,
                }
                if let What::Spread(facts) = &mut episode.what {
                    facts.peak_net_bps = net;
                    facts.peak_size = Some(Decimal::parse(&digits).unwrap());
                }
                episode
            })
            .collect();
        let told = said(&episodes.iter().collect::<Vec<_>>(), true, true);
        let length = |value: &Value| text::units(value.as_str().unwrap());
        prop_assert!((1..=2000).contains(&length(&told["content"])));
        let embeds = told["embeds"].as_array().unwrap();
        prop_assert!(embeds.len() <= 10);
        let mut together = 0;
        for embed in embeds {
            let mut own = length(&embed["title"]) + length(&embed["description"]) + length(&embed["footer"]["text"]);
            prop_assert!(length(&embed["title"]) <= 256);
            for field in embed["fields"].as_array().unwrap() {
                prop_assert!((1..=256).contains(&length(&field["name"])));
                prop_assert!((1..=1024).contains(&length(&field["value"])));
                own += length(&field["name"]) + length(&field["value"]);
            }
            prop_assert!(own <= EMBED_MOST, "{own}");
            together += own;
        }
        prop_assert!(together <= 6000);
    }
}
