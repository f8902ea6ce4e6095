//! Makes `examples/two-venues.capture`: forty made-up seconds of Coinbase and Binance, so that a fresh clone has something
//! to look at. Shapes are those of the wire; prices, sizes and ids come from a seeded generator, whole numbers throughout,
//! so that every machine makes the same bytes.
//!
//! ```text
//! cargo run -p ingest --example make_capture examples/two-venues.capture
//! ```
//!
//! - Our clock is 0.4 s behind both venues': frames are received before they were sent, as real recorders show it.
//! - For three seconds ([`DISLOCATED`]) Coinbase's BTC stands 120 bps above: more than the fees of both sides.
//! - For four seconds ([`MUTE`]) Coinbase sends nothing of ETH-USD: the leg grows stale.

use std::io;
use std::ops::Range;

use ingest::capture::{CaptureWriter, Compression};

/// 2026-03-02T14:30:00Z, milliseconds.
const START_MS: i64 = 1_772_461_800_000;
const LENGTH_MS: i64 = 40_000;
/// The market is looked at this often.
const STEP_MS: i64 = 20;
/// When Coinbase's BTC is off, milliseconds from the start, and by how much.
const DISLOCATED: Range<i64> = 18_000..21_000;
const DISLOCATED_BPS: i64 = 120;
/// When Coinbase says nothing of ETH-USD.
const MUTE: Range<i64> = 29_000..33_000;
/// How far our clock is behind the venues'.
const BEHIND_NS: i64 = 400_000_000;
/// The longest between two tickers of one product, so that only the mute leg grows stale.
const LONGEST_QUIET_MS: i64 = 1_100;
const NS_PER_MS: i64 = 1_000_000;

fn main() -> io::Result<()> {
    let name = std::env::args().nth(1).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            "give the name of the file to write",
        )
    })?;
    std::fs::write(name, capture())
}

/// The whole file.
pub(crate) fn capture() -> Vec<u8> {
    let mut scene = Scene::new();
    scene.open();
    for at_ms in (0..LENGTH_MS).step_by(usize::try_from(STEP_MS).unwrap_or(1)) {
        scene.step(at_ms);
    }
    // By receipt; what came at once stays in the order in which it was sent.
    scene.rows.sort_by_key(|(received_ns, ..)| *received_ns);
    let mut writer = CaptureWriter::new(Vec::new(), Compression::Plain).expect("memory takes all");
    for (received_ns, venue, frame) in &scene.rows {
        let written = writer.frame(*received_ns, venue, frame);
        written.expect("memory takes all");
    }
    writer.finish().expect("memory takes all")
}

/// One asset at both venues.
struct Asset {
    name: &'static str,
    /// Its worth in hundredths of a dollar.
    cents: i64,
    /// The most it moves at a time.
    move_cents: i64,
    /// Coinbase above the rest, in hundredths of a basis point.
    premium: i64,
    /// One in so many steps: Binance's quotes, its trades, Coinbase's tickers.
    odds: [i64; 3],
    trade_ids: [i64; 2],
    update_id: i64,
    /// Traded on Coinbase within a day, in hundred-millionths.
    volume: i64,
    /// Lowest and highest of a day, of a year, and the change of a day, as Coinbase tells them.
    past: [&'static str; 5],
    last_ticker_ms: i64,
    last_price: i64,
}

/// One connection: what it sends keeps its order, and is numbered.
#[derive(Default)]
struct Wire {
    sent_ns: i64,
    received_ns: i64,
    sequence: i64,
}

struct Scene {
    random: Random,
    btc: Asset,
    eth: Asset,
    /// USDT-USD, hundred-thousandths.
    rate: i64,
    coinbase: Wire,
    binance: Wire,
    rows: Vec<(i64, &'static str, String)>,
}

impl Scene {
    fn new() -> Self {
        let btc = Asset {
            name: "BTC",
            cents: 6_173_000,
            move_cents: 130,
            premium: 0,
            odds: [4, 12, 16],
            trade_ids: [1_068_572_091, 3_735_683_101],
            update_id: 50_311_273_000,
            volume: 286_754_532_609,
            past: [
                "60975.22",
                "62852.99",
                "57717.55",
                "126296",
                "0.41601107287722",
            ],
            last_ticker_ms: 0,
            last_price: 6_173_000,
        };
        let eth = Asset {
            name: "ETH",
            cents: 264_150,
            move_cents: 8,
            premium: 0,
            odds: [7, 25, 28],
            trade_ids: [833_140_779, 1_512_409_266],
            update_id: 38_911_027_400,
            volume: 1_997_595_927_439,
            past: ["2611.04", "2675", "1505", "4955.9", "-0.22501394006035"],
            last_ticker_ms: 0,
            last_price: 264_150,
        };
        Self {
            random: Random(20_260_302),
            btc,
            eth,
            rate: 99_932,
            coinbase: Wire::default(),
            binance: Wire::default(),
            rows: Vec::new(),
        }
    }

    /// Binance begins with a trade, which tells its clock. Coinbase with its subscriptions: what is, then what was, each
    /// before its acknowledgement.
    fn open(&mut self) {
        self.binance_trade(0, Which::Btc);
        self.binance_trade(0, Which::Eth);
        self.acknowledge(5, r#"{"heartbeats":["heartbeats"]}"#);
        self.ticker(150, Which::Btc, "snapshot");
        self.ticker(150, Which::Eth, "snapshot");
        self.usdt_ticker(150, "snapshot");
        let ticker = r#""ticker":["BTC-USD","ETH-USD","USDT-USD"]"#;
        self.acknowledge(151, &format!(r#"{{"heartbeats":["heartbeats"],{ticker}}}"#));
        self.past_trades(300, Which::Btc);
        self.past_trades(300, Which::Eth);
        let trades = r#""market_trades":["BTC-USD","ETH-USD"]"#;
        self.acknowledge(
            301,
            &format!(r#"{{"heartbeats":["heartbeats"],{trades},{ticker}}}"#),
        );
    }

    fn step(&mut self, at_ms: i64) {
        for which in [Which::Btc, Which::Eth] {
            self.wander(which);
            let [quotes, trades, tickers] = self.asset(which).odds;
            if self.random.one_in(trades) {
                self.binance_trade(at_ms, which);
            }
            if self.random.one_in(quotes) {
                self.book_ticker(at_ms, which);
            }
            let turns = [DISLOCATED.start, DISLOCATED.end].contains(&at_ms) && which == Which::Btc;
            let quiet = at_ms - self.asset(which).last_ticker_ms >= LONGEST_QUIET_MS;
            let mute = which == Which::Eth && MUTE.contains(&at_ms);
            // Coinbase's subscriptions are through by then.
            let open = at_ms >= 400 && !mute;
            if open && (self.random.one_in(tickers) || turns || quiet) {
                // A ticker comes with a trade, or with nothing but a change of sizes.
                if self.random.one_in(2) || turns {
                    self.market_trade(at_ms, which);
                }
                self.ticker(at_ms, which, "update");
            }
        }
        if at_ms % 1_000 == 600 {
            self.heartbeat(at_ms, at_ms / 1_000);
        }
        if at_ms % 1_500 == 900 {
            self.rate = (self.rate + self.random.within(1)).clamp(99_925, 99_940);
            self.usdt_ticker(at_ms, "update");
        }
    }

    fn wander(&mut self, which: Which) {
        let moves = self.random.one_in(3);
        let most = self.asset(which).move_cents;
        let step = self.random.within(most);
        let premium = self.random.within(6);
        let asset = self.asset(which);
        if moves {
            asset.cents += step;
        }
        // Within one and a half basis points.
        asset.premium = (asset.premium + premium).clamp(-150, 150);
    }

    fn asset(&mut self, which: Which) -> &mut Asset {
        match which {
            Which::Btc => &mut self.btc,
            Which::Eth => &mut self.eth,
        }
    }

    /// Best bid and ask at Coinbase, in cents of a dollar.
    fn at_coinbase(&mut self, at_ms: i64, which: Which) -> (i64, i64) {
        let wide = self.random.below(12) + 1;
        let asset = self.asset(which);
        let mut premium = asset.premium;
        if which == Which::Btc && DISLOCATED.contains(&at_ms) {
            premium += DISLOCATED_BPS * 100;
        }
        let bid = asset.cents + asset.cents * premium / 1_000_000;
        (bid, bid + wide)
    }

    /// Best bid and ask at Binance, in cents of a USDT.
    fn at_binance(&mut self, which: Which) -> (i64, i64) {
        let rate = self.rate;
        let bid = self.asset(which).cents * 100_000 / rate;
        (bid, bid + 1)
    }

    fn book_ticker(&mut self, at_ms: i64, which: Which) {
        let (bid, ask) = self.at_binance(which);
        let sizes = [
            self.random.below(400_000) + 1_000,
            self.random.below(400_000) + 1_000,
        ];
        let skipped = self.random.below(9) + 1;
        let asset = self.asset(which);
        asset.update_id += skipped;
        let (id, name) = (asset.update_id, asset.name);
        let data = format!(
            r#"{{"u":{id},"s":"{name}USDT","b":"{}","B":"{}","a":"{}","A":"{}"}}"#,
            binance_price(bid),
            binance_size(sizes[0]),
            binance_price(ask),
            binance_size(sizes[1]),
        );
        self.binance_frame(
            at_ms,
            &format!("{}usdt@bookTicker", name.to_lowercase()),
            &data,
        );
    }

    fn binance_trade(&mut self, at_ms: i64, which: Which) {
        let (bid, ask) = self.at_binance(which);
        let taker_sold = self.random.one_in(2);
        let size = binance_size(self.random.below(60_000) + 10);
        let sent_ms = START_MS + at_ms;
        let matched_ms = sent_ms - self.random.below(3);
        let asset = self.asset(which);
        asset.trade_ids[1] += 1;
        let (id, name) = (asset.trade_ids[1], asset.name);
        let price = binance_price(if taker_sold { bid } else { ask });
        let data = format!(
            r#"{{"e":"trade","E":{sent_ms},"s":"{name}USDT","t":{id},"p":"{price}","q":"{size}","T":{matched_ms},"m":{taker_sold},"M":true}}"#
        );
        self.binance_frame(at_ms, &format!("{}usdt@trade", name.to_lowercase()), &data);
    }

    fn binance_frame(&mut self, at_ms: i64, stream: &str, data: &str) {
        let frame = format!(r#"{{"stream":"{stream}","data":{data}}}"#);
        let way_ns = (8 * 1_000 + self.random.below(4_000)) * 1_000;
        let (_, received_ns) = self.binance.send(at_ms * NS_PER_MS, 0, way_ns);
        self.rows.push((received_ns, "binance", frame));
    }

    fn ticker(&mut self, at_ms: i64, which: Which, kind: &str) {
        let (bid, ask) = self.at_coinbase(at_ms, which);
        let sizes = [
            self.random.below(90_000_000) + 900,
            self.random.below(90_000_000) + 900,
        ];
        let asset = self.asset(which);
        asset.last_ticker_ms = at_ms;
        let [low_day, high_day, low_year, high_year, change] = asset.past;
        let ticker = format!(
            r#"{{"type":"ticker","product_id":"{}-USD","price":"{}","volume_24_h":"{}","low_24_h":"{low_day}","high_24_h":"{high_day}","low_52_w":"{low_year}","high_52_w":"{high_year}","price_percent_chg_24_h":"{change}","best_bid":"{}","best_ask":"{}","best_bid_quantity":"{}","best_ask_quantity":"{}"}}"#,
            asset.name,
            trimmed(asset.last_price, 2),
            trimmed(asset.volume, 8),
            trimmed(bid, 2),
            trimmed(ask, 2),
            trimmed(sizes[0], 8),
            trimmed(sizes[1], 8),
        );
        self.coinbase_frame(
            at_ms,
            "ticker",
            &format!(r#"{{"type":"{kind}","tickers":[{ticker}]}}"#),
        );
    }

    fn usdt_ticker(&mut self, at_ms: i64, kind: &str) {
        let sizes =
            [self.random.below(9_000_000), self.random.below(9_000_000)].map(|size| size + 1_000);
        let ticker = format!(
            r#"{{"type":"ticker","product_id":"USDT-USD","price":"{}","volume_24_h":"165203418.83","low_24_h":"0.99898","high_24_h":"0.99978","low_52_w":"0.9951","high_52_w":"1.0123","price_percent_chg_24_h":"-0.00400244149934","best_bid":"{}","best_ask":"{}","best_bid_quantity":"{}","best_ask_quantity":"{}"}}"#,
            trimmed(self.rate, 5),
            trimmed(self.rate - 1, 5),
            trimmed(self.rate + 1, 5),
            trimmed(sizes[0], 2),
            trimmed(sizes[1], 2),
        );
        self.coinbase_frame(
            at_ms,
            "ticker",
            &format!(r#"{{"type":"{kind}","tickers":[{ticker}]}}"#),
        );
    }

    fn market_trade(&mut self, at_ms: i64, which: Which) {
        let (bid, ask) = self.at_coinbase(at_ms, which);
        let maker_sells = self.random.one_in(2);
        let price = if maker_sells { ask } else { bid };
        let matched_us = at_ms * 1_000 - 40_000 - self.random.below(20_000);
        let trade = self.trade(which, price, maker_sells, matched_us);
        self.coinbase_frame(
            at_ms,
            "market_trades",
            &format!(r#"{{"type":"update","trades":[{trade}]}}"#),
        );
    }

    /// The last eight trades before the subscription, the newest first.
    fn past_trades(&mut self, at_ms: i64, which: Which) {
        let mut trades = Vec::new();
        for ago in (1..=8).rev() {
            let price = self.asset(which).cents + self.random.within(60);
            let maker_sells = self.random.one_in(2);
            let matched_us = -ago * 2_100_000 + self.random.below(900_000);
            trades.push(self.trade(which, price, maker_sells, matched_us));
        }
        trades.reverse();
        let event = format!(r#"{{"type":"snapshot","trades":[{}]}}"#, trades.join(","));
        self.coinbase_frame(at_ms, "market_trades", &event);
    }

    /// `side` is the maker's.
    fn trade(&mut self, which: Which, price: i64, maker_sells: bool, matched_us: i64) -> String {
        let size = self.random.below(9_000_000) + 900;
        let asset = self.asset(which);
        asset.trade_ids[0] += 1;
        asset.last_price = price;
        asset.volume += size;
        format!(
            r#"{{"product_id":"{}-USD","trade_id":"{}","price":"{}","size":"{}","time":"{}","side":"{}"}}"#,
            asset.name,
            asset.trade_ids[0],
            trimmed(price, 2),
            trimmed(size, 8),
            rfc3339(matched_us * 1_000),
            if maker_sells { "SELL" } else { "BUY" },
        )
    }

    fn heartbeat(&mut self, at_ms: i64, counter: i64) {
        let ns = at_ms * NS_PER_MS - 1_524_000;
        let (second, below) = (ns / 1_000_000_000, ns % 1_000_000_000);
        let (up_for, up_below) = (41_691 + counter, 260_485_341 + counter);
        let event = format!(
            r#"{{"current_time":"2026-03-02 14:30:{second:02}.{below:09} +0000 UTC m=+{up_for}.{up_below:09}","heartbeat_counter":{up_for}}}"#
        );
        self.coinbase_frame(at_ms, "heartbeats", &event);
    }

    fn acknowledge(&mut self, at_ms: i64, subscriptions: &str) {
        self.coinbase_frame(
            at_ms,
            "subscriptions",
            &format!(r#"{{"subscriptions":{subscriptions}}}"#),
        );
    }

    fn coinbase_frame(&mut self, at_ms: i64, channel: &str, event: &str) {
        let after_ns = self.random.below(900_000) + 20_011;
        let way_ns = (22 * 1_000 + self.random.below(11_000)) * 1_000;
        let sequence = self.coinbase.sequence;
        let (sent_ns, received_ns) = self.coinbase.send(at_ms * NS_PER_MS, after_ns, way_ns);
        let stamp = rfc3339(sent_ns);
        let frame = format!(
            r#"{{"channel":"{channel}","timestamp":"{stamp}","sequence_num":{sequence},"events":[{event}]}}"#
        );
        self.rows.push((received_ns, "coinbase", frame));
    }
}

impl Wire {
    /// When a frame is sent and received, nanoseconds from the start and since 1970: not before the one before it.
    fn send(&mut self, at_ns: i64, after_ns: i64, way_ns: i64) -> (i64, i64) {
        self.sequence += 1;
        self.sent_ns = at_ns.max(self.sent_ns) + after_ns;
        let received_ns = START_MS * NS_PER_MS + self.sent_ns + way_ns - BEHIND_NS;
        self.received_ns = received_ns.max(self.received_ns + 4_100);
        (self.sent_ns, self.received_ns)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Btc,
    Eth,
}

/// A small seeded generator.
struct Random(u64);

impl Random {
    /// From 0 to below `limit`.
    fn below(&mut self, limit: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        i64::try_from(mixed >> 1).unwrap_or(0) % limit
    }

    /// From `-most` to `most`.
    fn within(&mut self, most: i64) -> i64 {
        self.below(2 * most + 1) - most
    }

    fn one_in(&mut self, n: i64) -> bool {
        self.below(n) == 0
    }
}

/// A number of `scale` decimals without zeros at its end, as Coinbase writes them.
fn trimmed(number: i64, scale: u32) -> String {
    let unit = 10_i64.pow(scale);
    let below = format!("{:01$}", number % unit, usize::try_from(scale).unwrap_or(0));
    match below.trim_end_matches('0') {
        "" => (number / unit).to_string(),
        below => format!("{}.{below}", number / unit),
    }
}

/// Cents with eight decimals, as Binance writes prices.
fn binance_price(cents: i64) -> String {
    format!("{}.{:02}000000", cents / 100, cents % 100)
}

/// Hundred-thousandths with eight decimals, as Binance writes sizes.
fn binance_size(size: i64) -> String {
    format!("{}.{:05}000", size / 100_000, size % 100_000)
}

/// A stamp so many nanoseconds after the start, zeros at its end left out.
fn rfc3339(ns: i64) -> String {
    contract::time::show_ns(START_MS * NS_PER_MS + ns)
}
