//! Made-up records of `ticks` for benchmarks: two venues, marks every 200 ms, a rate every 500 ms; seeded.

/// About as many quotes of a pair as fall into a window.
const PER_WINDOW_AND_PAIR: usize = 20;

/// So many quotes, with what goes between them; each with its pair, or none where it is for every partition.
pub(crate) fn records(n_pairs: usize, n_ticks: usize) -> Vec<(Option<String>, Vec<u8>)> {
    let mut state = 7_u64;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let step_ns = 1_000_000_000 / i64::try_from(n_pairs * PER_WINDOW_AND_PAIR).unwrap();
    let mut event_ns = 1_723_161_254_000_000_000_i64;
    let (mut mark_ns, mut rate_ns) = (event_ns, event_ns);
    let mut lines = Vec::with_capacity(n_ticks + n_ticks / 8);
    for seq in 0..n_ticks {
        event_ns += step_ns;
        if event_ns >= mark_ns {
            mark_ns += 200_000_000;
            for venue in ["binance", "coinbase"] {
                let mark_ns = event_ns - 400_000_000;
                lines.push((
                    None,
                    format!(r#"{{"v":1,"kind":"mark","venue":"{venue}","event_ns":{mark_ns}}}"#),
                ));
            }
        }
        if event_ns >= rate_ns {
            rate_ns += 500_000_000;
            lines.push((None, format!(
                r#"{{"v":1,"kind":"rate","venue":"coinbase","symbol":"USDT-USD","from":"USDT","to":"USD","event_ns":{event_ns},"bid":"0.99931","ask":"0.99933"}}"#
            )));
        }
        let pair = format!("A{}-USD", random(u64::try_from(n_pairs).unwrap()));
        let (venue, symbol, currency) = match random(2) {
            0 => ("binance", pair.replace("-USD", "USDT"), "USDT"),
            _ => ("coinbase", pair.clone(), "USD"),
        };
        // Nine of ten messages change a size only, as on the wire.
        let cents = if random(10) == 0 { random(400) } else { 200 };
        let line = format!(
            r#"{{"v":1,"kind":"quote","venue":"{venue}","symbol":"{symbol}","currency":"{currency}","pair":"{pair}","event_ns":{event_ns},"event_from":"venue","exchange_ns":{event_ns},"received_ns":{event_ns},"seq":{seq},"bid":"{}.{:02}000000","bid_size":"1.5{}","ask":"{}.{:02}000000","ask_size":"0.7{}"}}"#,
            61_700 + cents / 100,
            cents % 100,
            random(1_000),
            61_701 + cents / 100,
            cents % 100,
            random(1_000),
        );
        lines.push((Some(pair), line));
    }
    lines
        .into_iter()
        .map(|(pair, line)| (pair, line.into_bytes()))
        .collect()
}
