//! Frames that are not what the venue documents: counted, kept, and the connection lives on.

use contract::tick::{Record, decode};
use simulator::exchange::{BadStamp, Dialect, Fault};

use super::world::{Ended, World};

const ADVANCED: Dialect = Dialect::CoinbaseAdvanced;

fn assert_nothing_ended(ended: &Ended) {
    for venue in ["binance", "coinbase"] {
        ended.assert_no_outage(venue);
        assert_eq!(ended.connection(venue).connections, 1);
        for pair in ["BTC-USD", "ETH-USD"] {
            ended.assert_not_held_up(venue, pair);
        }
    }
}

fn letters<'a>(ended: &'a Ended, dialect: &str) -> Vec<&'a str> {
    let topic = format!("frames/{dialect}");
    let letters = ended.kept.dead_letters.iter();
    letters
        .filter(|letter| letter.topic == topic)
        .map(|letter| letter.error.as_str())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_types_and_broken_json_are_dead_letters_and_nothing_else() {
    let world = World::new().await;
    for dialect in [Dialect::Binance, ADVANCED] {
        world.exchange.fault(dialect, Fault::UnknownType);
        world.exchange.fault(dialect, Fault::BrokenJson);
        world.exchange.fault(dialect, Fault::BrokenJson);
    }
    world
        .until("the dead letters", |kept, _| kept.dead_letters.len() >= 6)
        .await;
    world.flows("binance", 60).await;
    world.flows("coinbase", 60).await;
    let ended = world.stop().await;
    assert_nothing_ended(&ended);
    for dialect in ["binance", "coinbase"] {
        let letters = letters(&ended, dialect);
        assert_eq!(letters.len(), 3, "{letters:?}");
        let unknown = letters
            .iter()
            .filter(|letter| letter.starts_with("message type"));
        let broken = letters
            .iter()
            .filter(|letter| letter.starts_with("frame is not JSON"));
        assert_eq!((unknown.count(), broken.count()), (1, 2), "{letters:?}");
        assert_eq!(ended.health(dialect)["parse_errors"], 3);
    }
    assert_eq!(ended.ingested.report.faults.values().sum::<u64>(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_of_five_megabytes_holds_nobody_up() {
    let world = World::new().await;
    for dialect in [Dialect::Binance, ADVANCED] {
        world
            .exchange
            .fault(dialect, Fault::Huge { bytes: 5_079_379 });
    }
    world
        .until("ten megabytes", |_, report| report.bytes() > 10_158_758)
        .await;
    world.flows("binance", 60).await;
    world.flows("coinbase", 60).await;
    let ended = world.stop().await;
    assert_nothing_ended(&ended);
    assert!(
        ended.kept.dead_letters.is_empty(),
        "{:?}",
        letters(&ended, "coinbase")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_beyond_the_limit_ends_the_connection_with_the_name_of_the_setting() {
    let world = World::with(ADVANCED, |_, live| {
        live.connections[0].max_message_bytes = 1 << 20;
    })
    .await;
    world
        .exchange
        .fault(Dialect::Binance, Fault::Huge { bytes: 2 << 20 });
    world
        .until("a second connection", |_, report| {
            report.connections[&ingest::venue::Dialect::Binance].connections == 2
        })
        .await;
    world.flows("binance", 60).await;
    let ended = world.stop().await;
    let out = ended.assert_one_outage("binance");
    assert!(
        out.contains("`venues.binance.max_message_bytes` = 1048576"),
        "{out}"
    );
    ended.assert_no_outage("coinbase");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stamps_of_year_1_and_1970_are_faults_and_reach_no_window() {
    for bad in [BadStamp::YearOne, BadStamp::Epoch] {
        let world = World::new().await;
        let misbehaving = world.misbehaving(ADVANCED, Fault::Stamps(bad));
        world
            .until("dead letters", |kept, _| kept.dead_letters.len() >= 20)
            .await;
        world.flows("binance", 60).await;
        drop(misbehaving);
        world.flows("coinbase", 60).await;
        let ended = world.stop().await;
        ended.assert_no_outage("binance");
        ended.assert_not_held_up("binance", "BTC-USD");
        assert_eq!(ended.connection("coinbase").connections, 1);
        let errors = letters(&ended, "coinbase");
        let is_about_stamps =
            |error: &&str| error.contains("is before 2009") || error.contains("RFC 3339");
        assert!(errors.iter().all(is_about_stamps), "{errors:?}");
        let year =
            |line: &String| decode(line.as_bytes()).unwrap().event_ns() / 31_556_952_000_000_000;
        assert!(ended.kept.lines.iter().all(|line| year(line) > 50));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crossed_book_is_passed_on_as_it_is() {
    let world = World::new().await;
    let crossed = world.misbehaving(Dialect::Binance, Fault::Crossed(Some("BTCUSDT".to_owned())));
    world.flows("binance", 120).await;
    world.flows("coinbase", 60).await;
    drop(crossed);
    world.flows("binance", 60).await;
    let ended = world.stop().await;
    assert_eq!(ended.kept.dead_letters.len(), 0);
    let is_crossed = |line: &&String| match decode(line.as_bytes()) {
        Ok(Record::Quote(quote)) => {
            let price =
                |price: &contract::decimal::Price| price.to_string().parse::<f64>().unwrap();
            price(&quote.bid) > price(&quote.ask) && quote.symbol == "BTCUSDT"
        }
        _ => false,
    };
    assert!(ended.kept.lines.iter().filter(is_crossed).count() > 10);
    for venue in ["binance", "coinbase"] {
        ended.assert_no_outage(venue);
        ended.assert_not_held_up(venue, "ETH-USD");
    }
    ended.assert_not_held_up("coinbase", "BTC-USD");
}
