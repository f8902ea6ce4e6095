//! The recorded frames: every one is known, what is taken out is missed, and two streams of one venue agree on the time.

use std::collections::{BTreeMap, HashMap};

use contract::tick::{Record, TakerSide, decode};
use contract::time::{NS_PER_MS, NS_PER_S};
use ingest::capture::CaptureReader;
use ingest::core::{Collect, Core, Report};
use ingest::gap::{ConnectionNumbers, MatchNumbers, Numbers, Step};
use ingest::settings::IngestSettings;
use ingest::venue::{Content, Dialect, Item, Kind, Number};

const BINANCE: &str = "binance-btcusdt-20240808.capture.gz";
const ADVANCED: &str = "coinbase-advanced-20260809-excerpt.capture.gz";
const EXCHANGE: &str = "coinbase-exchange-20210417.capture.gz";
const OKX: &str = "okx-v5-20220513.capture.gz";

type Frame = (i64, Dialect, String);

/// The frames of a recording; nothing where there are no recordings.
fn frames(file: &str) -> Option<Vec<Frame>> {
    let (mut reader, _) = CaptureReader::open(&crate::recordings()?.join(file)).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = reader.next() {
        let frame = frame.unwrap();
        let dialect = Dialect::of_capture(frame.venue).unwrap();
        frames.push((frame.received_ns, dialect, frame.frame.into_owned()));
    }
    Some(frames)
}

fn play<'a>(frames: impl Iterator<Item = &'a Frame>) -> (Core, Collect) {
    let settings = IngestSettings {
        all_pairs: true,
        ..IngestSettings::default()
    };
    let (mut core, mut out) = (Core::new(settings), Collect::default());
    for (received_ns, dialect, frame) in frames {
        core.advance(*received_ns, &mut out);
        core.frame(*dialect, *received_ns, frame, &mut out);
    }
    core.finish(1_000, &mut out);
    (core, out)
}

fn kinds(report: &Report) -> BTreeMap<&'static str, u64> {
    let kinds = report.kinds.iter();
    kinds
        .map(|((_, kind), count)| (kind.as_str(), *count))
        .collect()
}

fn counts(rows: &[(&'static str, u64)]) -> BTreeMap<&'static str, u64> {
    rows.iter().copied().collect()
}

#[test]
fn every_frame_of_binance_is_known_and_none_is_missing() {
    let Some(frames) = frames(BINANCE) else {
        return;
    };
    let (core, out) = play(frames.iter());
    let report = core.report();
    let expected = [
        ("bookTicker", 28_040),
        ("trade", 9_757),
        ("depthUpdate", 3_451),
        ("depth", 1),
    ];
    assert_eq!(kinds(&report), counts(&expected));
    assert_eq!(report.frames, 41_249);
    assert_eq!((report.quotes, report.trades), (28_040, 9_757));
    assert_eq!(
        (report.gaps_total, report.duplicates, report.old_quotes),
        (0, 0, 0)
    );
    assert_eq!((report.behind_mark, report.restarts), (0, 0));
    assert!(report.faults.is_empty() && out.dead_letters.is_empty() && out.gaps.is_empty());
    let skew_ms = report.venues[0].skew_ns / NS_PER_MS;
    assert!((1_250..=1_277).contains(&skew_ms), "{skew_ms} ms");
}

#[test]
fn every_frame_of_coinbase_exchange_is_known_and_none_is_missing() {
    let Some(frames) = frames(EXCHANGE) else {
        return;
    };
    let (core, out) = play(frames.iter());
    let report = core.report();
    let expected = [
        ("l2update", 9_719),
        ("ticker", 107),
        ("match", 97),
        ("snapshot", 10),
        ("last_match", 10),
        ("subscriptions", 3),
    ];
    assert_eq!(kinds(&report), counts(&expected));
    assert_eq!(report.frames, 9_946);
    assert_eq!(report.trades, 97);
    // Each of the ten products begins with a ticker and a last_match of its last trade before.
    assert_eq!((report.quotes, report.history), (97, 20));
    assert_eq!(
        (report.gaps_total, report.duplicates, report.old_quotes),
        (0, 0, 0)
    );
    assert!(report.faults.is_empty() && out.dead_letters.is_empty());
}

#[test]
fn every_frame_of_coinbase_advanced_is_known() {
    let Some(frames) = frames(ADVANCED) else {
        return;
    };
    let (core, out) = play(frames.iter());
    let report = core.report();
    let expected = [
        ("l2_data", 87),
        ("ticker", 17),
        ("market_trades", 6),
        ("subscriptions", 5),
        ("heartbeats", 3),
        ("candles", 2),
    ];
    assert_eq!(kinds(&report), counts(&expected));
    assert_eq!(report.frames, 120);
    // Two snapshots of a hundred trades and two of a ticker.
    assert_eq!((report.quotes, report.trades, report.history), (15, 4, 202));
    assert!(report.faults.is_empty() && out.dead_letters.is_empty());
    // The excerpt leaves out two large snapshots.
    let gaps: Vec<_> = out
        .gaps
        .iter()
        .map(|gap| (gap.feed, gap.expected, gap.missing))
        .collect();
    assert_eq!(gaps, [("sequence_num", 13, 1), ("sequence_num", 21, 1)]);
}

#[test]
fn every_recorded_frame_is_read_alike_both_ways() {
    for file in [BINANCE, EXCHANGE, ADVANCED] {
        for (_, dialect, frame) in frames(file).unwrap_or_default() {
            match dialect {
                Dialect::CoinbaseAdvanced => {
                    ingest::fuzzing::parse_coinbase_advanced(frame.as_bytes());
                }
                Dialect::CoinbaseExchange => {
                    ingest::fuzzing::parse_coinbase_exchange(frame.as_bytes());
                }
                Dialect::Binance | Dialect::BinanceUs => {
                    ingest::fuzzing::parse_binance(frame.as_bytes());
                }
            }
        }
    }
}

#[test]
fn okx_is_refused_by_name() {
    let Some(folder) = crate::recordings() else {
        return;
    };
    let (mut reader, _) = CaptureReader::open(&folder.join(OKX)).unwrap();
    let mut refused = 0;
    while let Some(frame) = reader.next() {
        let error = Dialect::of_capture(frame.unwrap().venue).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("no parser exists yet for venue `okx`")
        );
        refused += 1;
    }
    assert_eq!(refused, 410);
}

/// What numbers a frame: the feed with its symbol, and the numbers.
type Numbered = (usize, (String, String), u64, u64);

fn numbered(frames: &[Frame]) -> Vec<Numbered> {
    let mut numbered = Vec::new();
    for (at, (_, dialect, frame)) in frames.iter().enumerate() {
        let feed = |feed: &str, symbol: &str| (feed.to_owned(), symbol.to_owned());
        match dialect.parse(frame).unwrap().number {
            Number::Trade { symbol, id } => numbered.push((at, feed("trade", &symbol), id, id)),
            Number::LastTrade { symbol, id } => numbered.push((at, feed("trade", &symbol), id, id)),
            Number::Depth {
                symbol,
                feed: name,
                first,
                last,
            } => numbered.push((at, feed(name, &symbol), first, last)),
            Number::Connection(number) => {
                numbered.push((at, feed("sequence_num", ""), number, number))
            }
            _ => {}
        }
    }
    numbered
}

/// The numbers of each feed, apart from one another.
fn feeds(numbered: &[Numbered]) -> BTreeMap<(String, String), Vec<(u64, u64)>> {
    let mut feeds: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (_, feed, first, last) in numbered {
        feeds.entry(feed.clone()).or_default().push((*first, *last));
    }
    feeds
}

/// What is missing where frame `without` is left out. A numbering is judged by what came just before, so the frames around
/// the hole tell all; they are preceded by the feed's first, as in the whole.
fn missing_without(
    row: &[(u64, u64)],
    without: usize,
    mut step: impl FnMut(u64, u64) -> Step,
) -> Vec<u64> {
    let around = without.saturating_sub(3)..(without + 4).min(row.len());
    let steps = around
        .filter(|&at| at != without)
        .map(|at| step(row[at].0, row[at].1));
    steps
        .filter_map(|step| match step {
            Step::Gap { missing, .. } => Some(missing),
            _ => None,
        })
        .collect()
}

#[test]
fn any_one_frame_left_out_of_a_numbered_feed_is_one_gap_of_its_size() {
    let (Some(binance), Some(exchange), Some(advanced)) =
        (frames(BINANCE), frames(EXCHANGE), frames(ADVANCED))
    else {
        return;
    };
    let mut left_out = 0;
    for (feed, row) in feeds(&numbered(&binance)) {
        assert!(row.len() > 3_000, "{feed:?}");
        for without in 1..row.len() - 1 {
            let mut numbers = Numbers::default();
            let missing =
                missing_without(&row, without, |first, last| numbers.step(first, last, 0));
            assert_eq!(
                missing,
                [row[without].1 - row[without].0 + 1],
                "{feed:?} {without}"
            );
            left_out += 1;
        }
    }
    for (feed, row) in feeds(&numbered(&exchange)) {
        for without in 1..row.len().saturating_sub(1) {
            let mut numbers = MatchNumbers::default();
            let missing = missing_without(&row, without, |id, _| numbers.matched(id, 0));
            assert_eq!(missing, [1], "{feed:?} {without}");
            left_out += 1;
        }
    }
    for (feed, row) in feeds(&numbered(&advanced)) {
        for without in 1..row.len() - 1 {
            // Where the excerpt itself leaves frames out nothing can be told apart.
            let around = &row[without.saturating_sub(3)..(without + 4).min(row.len())];
            if around.windows(2).any(|pair| pair[1].0 != pair[0].0 + 1) {
                continue;
            }
            let mut numbers = ConnectionNumbers::default();
            let missing = missing_without(&row, without, |number, _| numbers.step(number));
            assert_eq!(missing, [1], "{feed:?} {without}");
            left_out += 1;
        }
    }
    // 9,757 trades and 3,451 depth updates less first and last; 107 ids of ten products less theirs; 105 in unbroken parts.
    assert!(left_out > 13_204 + 80 + 90, "{left_out}");
}

#[test]
fn the_whole_core_tells_one_gap_for_one_frame_left_out() {
    let (Some(binance), Some(exchange), Some(advanced)) =
        (frames(BINANCE), frames(EXCHANGE), frames(ADVANCED))
    else {
        return;
    };
    // A hundred of Binance's frames, on the part before and after; every fourth match; every frame of the excerpt.
    let sample: Vec<usize> = numbered(&binance)
        .iter()
        .map(|row| row.0)
        .step_by(131)
        .collect();
    for without in sample
        .into_iter()
        .filter(|&at| at > 2_000 && at < binance.len() - 2_000)
    {
        one_gap(&binance[without - 1_500..without + 1_500], 1_500, "binance");
    }
    let rows = numbered(&exchange);
    let mut left_out = 0;
    for (row, (without, feed, ..)) in rows.iter().enumerate().step_by(4) {
        let same = |other: &Numbered| other.1 == *feed;
        // The last of a product leaves no trace.
        if rows[..row].iter().any(same) && rows[row + 1..].iter().any(same) {
            one_gap(&exchange, *without, "coinbase");
            left_out += 1;
        }
    }
    assert!(left_out > 15, "{left_out}");
    for without in 23..advanced.len() - 1 {
        one_gap(&advanced[21..], without - 21, "coinbase");
    }
}

fn one_gap(frames: &[Frame], without: usize, venue: &str) {
    let rest = frames.iter().enumerate().filter(|(at, _)| *at != without);
    let (core, out) = play(rest.map(|(_, frame)| frame));
    let [gap] = &out.gaps[..] else {
        panic!("without {without}: {:?}", out.gaps)
    };
    let (_, dialect, frame) = &frames[without];
    let (feed, symbol, missing) = match dialect.parse(frame).unwrap().number {
        Number::Trade { symbol, .. } if *dialect == Dialect::Binance => ("trade", Some(symbol), 1),
        Number::Trade { symbol, .. } => ("matches", Some(symbol), 1),
        Number::Depth {
            symbol,
            feed,
            first,
            last,
        } => (feed, Some(symbol), last - first + 1),
        Number::Connection(_) => ("sequence_num", None, 1),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        (gap.venue, gap.feed, gap.symbol.as_deref(), gap.missing),
        (venue, feed, symbol.as_deref(), missing)
    );
    assert_eq!(core.report().gaps_total, 1);
}

#[test]
fn a_match_and_its_ticker_agree_on_the_taker_in_97_of_97_pairs() {
    let Some(frames) = frames(EXCHANGE) else {
        return;
    };
    let mut matches: HashMap<(String, u64), TakerSide> = HashMap::new();
    let mut tickers = HashMap::new();
    for (_, dialect, frame) in &frames {
        let parsed = dialect.parse(frame).unwrap();
        match (parsed.kind, parsed.content) {
            (Kind::Match, Content::One(Ok(Item::Trade(trade)))) => {
                let key = (trade.symbol.into_owned(), trade.id.number().unwrap());
                matches.insert(key, trade.taker_side);
            }
            (Kind::Ticker, Content::One(Ok(Item::Quote(quote)))) => {
                let last = quote.last_trade.unwrap();
                tickers.insert((quote.symbol.into_owned(), last.id), last.taker_side);
            }
            _ => {}
        }
    }
    assert_eq!(matches.len(), 97);
    let agree = matches
        .iter()
        .filter(|(key, side)| tickers.get(key) == Some(side));
    assert_eq!(agree.count(), 97);
    assert!(
        matches.values().any(|side| *side == TakerSide::Buy)
            && matches.values().any(|side| *side == TakerSide::Sell)
    );
}

#[test]
fn trades_of_coinbase_advanced_at_the_ask_were_bought_by_the_taker() {
    let Some(frames) = frames(ADVANCED) else {
        return;
    };
    let (_, out) = play(frames.iter());
    let mut last: HashMap<String, (String, String)> = HashMap::new();
    let mut sides = Vec::new();
    for line in &out.lines {
        match decode(line.as_bytes()).unwrap() {
            Record::Quote(quote) => {
                last.insert(
                    quote.symbol.into_owned(),
                    (quote.bid.to_string(), quote.ask.to_string()),
                );
            }
            Record::Trade(trade) => {
                let quote = last.get(&*trade.symbol);
                let at = match quote {
                    Some((_, ask)) if *ask == trade.price.to_string() => Some(TakerSide::Buy),
                    Some((bid, _)) if *bid == trade.price.to_string() => Some(TakerSide::Sell),
                    _ => None,
                };
                sides.push((at, trade.taker_side));
            }
            _ => {}
        }
    }
    assert_eq!(sides.len(), 4);
    // The first came before any quote that was live.
    let told: Vec<_> = sides
        .iter()
        .filter_map(|(at, side)| at.map(|at| (at, *side)))
        .collect();
    assert_eq!(
        told,
        [
            (TakerSide::Sell, TakerSide::Sell),
            (TakerSide::Buy, TakerSide::Buy),
            (TakerSide::Buy, TakerSide::Buy)
        ]
    );
}

/// How far an estimated time may be from when the venue sent the trade received with it: the way over the network varies
/// by 26.7 ms in the recording (receipt less `E` lies between -1276.7 and -1250.0 ms), and the two were received up to a
/// millisecond apart.
const NEIGHBOURHOOD_NS: i64 = 28 * NS_PER_MS;

#[test]
fn book_tickers_and_trades_of_one_moment_fall_into_one_window_although_the_recorder_is_off() {
    let Some(frames) = frames(BINANCE) else {
        return;
    };
    let (_, out) = play(frames.iter());
    let mut sent_of = HashMap::new();
    for (_, dialect, frame) in &frames {
        let parsed = dialect.parse(frame).unwrap();
        if let (Number::Trade { id, .. }, Some(Ok(sent_ns))) = (parsed.number, parsed.sent) {
            sent_of.insert(id.to_string(), sent_ns);
        }
    }
    let (mut quotes, mut trades) = (Vec::new(), Vec::new());
    for line in &out.lines {
        match decode(line.as_bytes()).unwrap() {
            Record::Quote(quote) => quotes.push((quote.received_ns, quote.event_ns)),
            Record::Trade(trade) => {
                trades.push((trade.received_ns, trade.event_ns, sent_of[&*trade.trade_id]));
            }
            _ => {}
        }
    }
    let window = |event_ns: i64| event_ns.div_euclid(NS_PER_S);
    let (mut pairs, mut same, mut farthest_ns) = (0, 0, 0);
    for (received_ns, event_ns, sent_ns) in &trades {
        // The quotes received within a millisecond of the trade.
        let from = quotes.partition_point(|quote| quote.0 < received_ns - NS_PER_MS);
        let near = quotes[from..]
            .iter()
            .take_while(|quote| quote.0 <= received_ns + NS_PER_MS);
        for (_, estimated_ns) in near {
            pairs += 1;
            let apart_ns = (estimated_ns - sent_ns).abs();
            farthest_ns = farthest_ns.max(apart_ns);
            assert!(apart_ns <= NEIGHBOURHOOD_NS, "{apart_ns} ns apart");
            // The trade happened up to 214 ms before it was sent. Nothing else may part the two: where they are not in one
            // window, the boundary lies in that stretch or within the neighbourhood of its end.
            let parted = window(*estimated_ns) != window(*event_ns);
            let boundary_ns = window(*estimated_ns.max(event_ns)) * NS_PER_S;
            let stretch = event_ns - NEIGHBOURHOOD_NS..=sent_ns + NEIGHBOURHOOD_NS;
            assert!(!parted || stretch.contains(&boundary_ns));
            same += u64::from(!parted);
        }
    }
    eprintln!(
        "{same} of {pairs} pairs in one window; estimates at most {} us from the sending",
        farthest_ns / 1_000
    );
    assert!(pairs > 9_000, "{pairs}");
    // Without the skew there would be none: 1.27 s is more than a window.
    assert!(same * 100 >= pairs * 98, "{same} of {pairs}");
}

#[test]
fn history_never_becomes_a_tick() {
    let (Some(exchange), Some(advanced)) = (frames(EXCHANGE), frames(ADVANCED)) else {
        return;
    };
    for frames in [exchange, advanced] {
        let start_ns = frames[0].0;
        let (_, out) = play(frames.iter());
        for line in &out.lines {
            let record = decode(line.as_bytes()).unwrap();
            if record.pair().is_some() {
                assert!(record.event_ns() > start_ns - NS_PER_S, "{line}");
            }
        }
    }
}
