//! What must hold however often something was killed.

use std::collections::{BTreeMap, BTreeSet};

use alerter::episode::{Input, Now, Place};
use contract::config::Config;
use contract::topic;
use serde_json::Value;

use crate::expected::{expected, same};
use crate::fixture::Room;
use crate::topics::Found;

/// Records that were compared.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub(super) ticks: usize,
    pub(super) spreads: usize,
    pub(super) late: usize,
}

/// `spreads`, `ticks-late` and `dead-letters` are what a file gives, partition by partition and byte by byte.
pub(super) fn spreads(found: &Found, room: &Room) -> Result<Compared, String> {
    let mut compared = Compared::default();
    for partition in 0..topic::TICKS.partitions {
        let ticks = &found.ticks[&partition];
        let expected = expected(room, partition, ticks);
        for (what, expected, found) in [
            ("spreads", &expected.spreads, &found.spreads[&partition]),
            ("late ticks", &expected.late, &found.late[&partition]),
            ("dead letters", &expected.dead, &found.dead[&partition]),
        ] {
            same(expected, found)
                .map_err(|difference| format!("{what} of partition {partition}: {difference}"))?;
        }
        compared.ticks += ticks.len();
        compared.spreads += expected.spreads.len();
        compared.late += expected.late.len();
    }
    Ok(compared)
}

/// A killed ingest shows in `ticks` as down and up and in nothing else: every record is one, no venue comes up twice
/// without having been out, no trade is told twice. Gives how often venues came up, by the partition that has most.
pub(super) fn ticks(found: &Found) -> Result<usize, String> {
    let mut most = 0;
    for (partition, lines) in &found.ticks {
        let mut is_up = BTreeMap::<String, bool>::new();
        let mut trades = BTreeSet::new();
        let mut ups = 0;
        for line in lines {
            let text = String::from_utf8_lossy(line);
            let record: Value =
                serde_json::from_slice(line).map_err(|error| format!("{error}: {text}"))?;
            let name = |field: &str| record[field].as_str().unwrap_or_default().to_owned();
            match record["kind"].as_str() {
                Some("status") => {
                    let up = record["status"] == "up";
                    let before = is_up.insert(name("venue"), up);
                    if up && before != Some(false) {
                        return Err(format!(
                            "partition {partition}: up, and was not out before: {text}"
                        ));
                    }
                    ups += usize::from(up);
                }
                Some("trade")
                    if !trades.insert((name("venue"), name("symbol"), name("trade_id"))) =>
                {
                    return Err(format!("partition {partition}: told twice: {text}"));
                }
                _ => {}
            }
        }
        most = most.max(ups);
    }
    Ok(most)
}

/// By id, what of an episode depends on windows alone: state, windows, peak.
type Episodes = BTreeMap<String, (Value, Value, Value)>;

fn facts(alert: &Value) -> (Value, Value, Value) {
    let of = |field: &str| alert[field].clone();
    (of("state"), of("windows"), of("peak_net_bps"))
}

/// The spreads' episodes that an alerter makes of these windows that nobody has ever killed.
pub(super) fn episodes(found: &Found) -> Episodes {
    let config = Config::load(None, std::iter::empty()).unwrap();
    let now = Now {
        wall_ms: 0,
        steady_ms: 0,
    };
    let mut core = alerter::core::Core::new(alerter::Settings::of(&config).unwrap(), now);
    let mut episodes = Episodes::new();
    for (&partition, lines) in &found.spreads {
        for (line, offset) in lines.iter().zip(0..) {
            let input = Input::Spreads;
            let place = Place {
                input,
                partition,
                offset,
            };
            core.record(place, line, now);
            for record in core.take_records() {
                let alert: Value = serde_json::from_slice(&record.line).unwrap();
                episodes.insert(record.key.to_string(), facts(&alert));
            }
        }
    }
    episodes
}

/// Whether `alerts` has these episodes of spreads and no others, and all that it has was told.
pub(super) fn alerts(expected: &Episodes, told: &BTreeMap<String, Value>) -> Result<(), String> {
    let of_spreads = |(_, alert): &(&String, &Value)| alert["what"] == "spread";
    let found: Episodes = told
        .iter()
        .filter(of_spreads)
        .map(|(id, alert)| (id.clone(), facts(alert)))
        .collect();
    for id in expected.keys().chain(found.keys()) {
        if expected.get(id) != found.get(id) {
            return Err(format!(
                "{id}: expected {:?}, found {:?}",
                expected.get(id),
                told.get(id)
            ));
        }
    }
    match told.values().find(|alert| alert["delivery"] != "sent") {
        Some(untold) => Err(format!("not told: {untold}")),
        None => Ok(()),
    }
}
