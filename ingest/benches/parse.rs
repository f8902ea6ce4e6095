//! One frame of each kind: our parser beside its floor, serde_json into a borrowed struct of the same fields.
//!
//! `cargo bench -p ingest --bench parse` measures both with criterion and then prints a table of their ratios; the budget
//! is 1.5. The floor keeps prices and times as the texts they are and knows beforehand what the frame is; the parser finds
//! that out, and makes exact decimals, nanoseconds and sides of them. The frames are made up, in the documented shapes.

mod floor;

use std::hint::black_box;
use std::time::{Duration, Instant};

use floor::*;

use criterion::{BenchmarkId, Criterion, Throughput};
use ingest::venue::Dialect;

/// The parser may take so many times as long as its floor.
const BUDGET: f64 = 1.5;

struct Case {
    name: &'static str,
    dialect: Dialect,
    frame: String,
    floor: fn(&str),
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = |name, dialect, frame: &str, floor| {
        cases.push(Case {
            name,
            dialect,
            frame: frame.to_owned(),
            floor,
        });
    };
    let (advanced, exchange, binance) = (
        Dialect::CoinbaseAdvanced,
        Dialect::CoinbaseExchange,
        Dialect::Binance,
    );
    case(
        "binance bookTicker",
        binance,
        r#"{"stream":"btcusdt@bookTicker","data":{"u":50093239212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}}"#,
        floor!(Combined<'_, BookTicker<'_>>),
    );
    case(
        "binance bookTicker raw",
        binance,
        r#"{"u":50093239212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}"#,
        floor!(BookTicker<'_>),
    );
    case(
        "binance trade",
        binance,
        r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}"#,
        floor!(Combined<'_, Trade<'_>>),
    );
    case(
        "binance aggTrade",
        binance,
        r#"{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1723161255343,"s":"BTCUSDT","a":164325,"p":"61837.63000000","q":"0.02000000","f":100,"l":105,"T":1723161255342,"m":true,"M":true}}"#,
        floor!(Combined<'_, AggTrade<'_>>),
    );
    case(
        "binance depthUpdate",
        binance,
        r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1723161255343,"s":"BTCUSDT","U":157,"u":160,"b":[["61837.63000000","10.00000000"],["61837.62000000","0.00000000"],["61801.00000000","0.20000000"]],"a":[["61837.64000000","1.60520000"],["61839.87000000","0.00000000"]]}}"#,
        floor!(Combined<'_, DepthUpdate<'_>>),
    );
    case(
        "exchange ticker",
        exchange,
        r#"{"type":"ticker","sequence":37475248783,"product_id":"ETH-USD","price":"1285.22","open_24h":"1310.79","volume_24h":"245532.79269678","low_24h":"1280.52","high_24h":"1313.8","volume_30d":"9788783.60117027","best_bid":"1285.04","best_bid_size":"0.46688654","best_ask":"1285.27","best_ask_size":"1.56637040","side":"buy","time":"2022-10-19T23:28:22.061769Z","trade_id":370843401,"last_size":"11.4396987"}"#,
        floor!(ExchangeTicker<'_>),
    );
    case(
        "exchange match",
        exchange,
        r#"{"type":"match","trade_id":370843401,"maker_order_id":"27fff20b-af29-4f45-8744-56dd1ef57dc0","taker_order_id":"1da6ce16-c8da-4732-9f71-6049f4c6aaf8","side":"sell","size":"0.04","price":"1285.22","product_id":"ETH-USD","sequence":37475248783,"time":"2022-10-19T23:28:22.061769Z"}"#,
        floor!(Match<'_>),
    );
    case(
        "exchange heartbeat",
        exchange,
        r#"{"type":"heartbeat","sequence":90,"last_trade_id":20,"product_id":"BTC-USD","time":"2022-10-19T23:28:23.464459Z"}"#,
        floor!(Heartbeat<'_>),
    );
    case(
        "exchange l2update",
        exchange,
        r#"{"type":"l2update","product_id":"BTC-USD","changes":[["buy","22356.270000","0.00000000"],["buy","22356.300000","1.00000000"]],"time":"2022-08-04T15:25:05.010758Z"}"#,
        floor!(L2Update<'_>),
    );
    case(
        "advanced ticker",
        advanced,
        r#"{"channel":"ticker","timestamp":"2026-02-09T20:30:37.167359596Z","sequence_num":42,"events":[{"type":"update","tickers":[{"type":"ticker","product_id":"BTC-USD","price":"21932.98","volume_24_h":"16038.28770938","low_24_h":"21835.29","high_24_h":"23011.18","low_52_w":"15460","high_52_w":"48240","price_percent_chg_24_h":"-4.15775596190603","best_bid":"21931.98","best_ask":"21933.98","best_bid_quantity":"8000.21","best_ask_quantity":"8038.07770938"}]}]}"#,
        floor!(Envelope<'_, Vec<TickerEvent<'_>>>),
    );
    case(
        "advanced market_trades",
        advanced,
        r#"{"channel":"market_trades","timestamp":"2026-02-09T20:19:35.39625135Z","sequence_num":5,"events":[{"type":"update","trades":[{"product_id":"ETH-USD","trade_id":"833140778","price":"1919.41","size":"0.00639701","time":"2026-02-09T20:19:35.120409Z","side":"BUY"}]}]}"#,
        floor!(Envelope<'_, Vec<TradesEvent<'_>>>),
    );
    case(
        "advanced l2_data",
        advanced,
        &l2_data(7),
        floor!(Envelope<'_, serde::de::IgnoredAny>),
    );
    case(
        "advanced l2_data 5 MB",
        advanced,
        &l2_data(42_000),
        floor!(Envelope<'_, serde::de::IgnoredAny>),
    );
    cases
}

fn l2_data(levels: usize) -> String {
    let level = r#"{"side":"offer","event_time":"2026-02-09T20:32:50.714964Z","price_level":"21921.73","new_quantity":"0.06317902"}"#;
    let levels = vec![level; levels].join(",");
    format!(
        r#"{{"channel":"l2_data","timestamp":"2026-02-09T20:32:50.714964855Z","sequence_num":9,"events":[{{"type":"update","product_id":"BTC-USD","updates":[{levels}]}}]}}"#
    )
}

fn ours(dialect: Dialect, frame: &str) {
    let parsed = dialect.parse(frame);
    assert!(black_box(&parsed).is_ok(), "a made-up frame is a good one");
}

fn measure(criterion: &mut Criterion) {
    for case in cases() {
        let mut group = criterion.benchmark_group("parse");
        let bytes = u64::try_from(case.frame.len()).unwrap_or(u64::MAX);
        group.throughput(Throughput::Bytes(bytes));
        group.bench_function(BenchmarkId::new("ours", case.name), |bencher| {
            bencher.iter(|| ours(case.dialect, black_box(&case.frame)));
        });
        group.bench_function(BenchmarkId::new("floor", case.name), |bencher| {
            bencher.iter(|| (case.floor)(black_box(&case.frame)));
        });
        group.finish();
    }
}

/// Ours and the floor by turns, so that both meet the same machine; the least of many short stretches of each.
fn table() {
    eprintln!(
        "\n{:<24} {:>7} {:>12} {:>12} {:>7}",
        "frame", "bytes", "ours ns", "floor ns", "ratio"
    );
    for case in cases() {
        let rounds = u32::try_from(4_000_000 / (case.frame.len() + 400))
            .unwrap_or(1)
            .max(1);
        let (mut best_ours, mut best_floor) = (Duration::MAX, Duration::MAX);
        for _ in 0..40 {
            best_ours = best_ours.min(stretch(rounds, || {
                ours(case.dialect, black_box(&case.frame))
            }));
            best_floor = best_floor.min(stretch(rounds, || (case.floor)(black_box(&case.frame))));
        }
        let ns = |best: Duration| best.as_secs_f64() * 1e9 / f64::from(rounds);
        let ratio = ns(best_ours) / ns(best_floor);
        let verdict = if ratio <= BUDGET {
            ""
        } else {
            "  over the budget"
        };
        eprintln!(
            "{:<24} {:>7} {:>12.0} {:>12.0} {ratio:>7.2}{verdict}",
            case.name,
            case.frame.len(),
            ns(best_ours),
            ns(best_floor)
        );
    }
    eprintln!("budget {BUDGET}");
}

fn stretch(rounds: u32, mut one: impl FnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..rounds {
        one();
    }
    start.elapsed()
}

fn main() {
    // Under `cargo test --benches` each is run once and nothing is measured.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    measure(&mut criterion);
    criterion.final_summary();
    if is_bench {
        table();
    }
}
