//! The product against the reference, byte for byte: hand-worked scenarios, then generated streams.
//!
//! In: lines and settings. Out: what both make of them, or a panic that shows where they part. The number of generated
//! streams is `LOCKSTEP_AGREEMENT_CASES`, 2,000 where it is not set.

mod extremes;
mod figures;
mod generated;
mod lateness;
mod legs;
mod paying;
mod rates;
mod refused;
mod routes;
mod watermark;
mod windows;

pub(crate) use generated::runner;

use std::collections::BTreeMap;

use windowing::{Fee, Settings, VenueRules, window_lines};

use crate::reference::{ReferenceOutput, ReferenceSettings, fraction, reference};

/// Settings in the words both sides can be given.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) width_ms: i64,
    pub(crate) quote_max_age_ms: i64,
    pub(crate) rate_max_age_ms: i64,
    pub(crate) max_gap_ms: i64,
    /// Fee in basis points and, where a venue has its own, the age of a live quote.
    pub(crate) venues: BTreeMap<String, (String, Option<i64>)>,
}

impl Default for Case {
    /// The defaults of the design, without fees.
    fn default() -> Self {
        Self {
            width_ms: 1_000,
            quote_max_age_ms: 2_000,
            rate_max_age_ms: 60_000,
            max_gap_ms: 60_000,
            venues: BTreeMap::new(),
        }
    }
}

impl Case {
    /// With a fee in basis points.
    pub(crate) fn fee(mut self, venue: &str, bps: &str) -> Self {
        self.venues.insert(venue.to_owned(), (bps.to_owned(), None));
        self
    }

    pub(crate) fn for_reference(&self) -> ReferenceSettings {
        let mut venue_quote_max_age_ms = BTreeMap::new();
        let mut fees_bps = BTreeMap::new();
        for (venue, (fee, age)) in &self.venues {
            fees_bps.insert(venue.clone(), fraction(fee));
            if let Some(age) = age {
                venue_quote_max_age_ms.insert(venue.clone(), *age);
            }
        }
        ReferenceSettings {
            width_ms: self.width_ms,
            quote_max_age_ms: self.quote_max_age_ms,
            venue_quote_max_age_ms,
            rate_max_age_ms: self.rate_max_age_ms,
            max_gap_ms: self.max_gap_ms,
            fees_bps,
        }
    }

    pub(crate) fn for_product(&self) -> Settings {
        let rules = |(fee, age): &(String, Option<i64>)| VenueRules {
            taker_fee: Fee::parse(fee).expect("tests give fees that are fees"),
            quote_max_age_ms: *age,
        };
        Settings {
            width_ms: self.width_ms,
            quote_max_age_ms: self.quote_max_age_ms,
            rate_max_age_ms: self.rate_max_age_ms,
            max_gap_ms: self.max_gap_ms,
            max_open_records: 1_000_000,
            venues: self
                .venues
                .iter()
                .map(|(venue, said)| (venue.clone(), rules(said)))
                .collect(),
        }
    }
}

/// Runs both sides, insists that they say the same, and returns it.
pub(crate) fn check(lines: &[String], case: &Case) -> ReferenceOutput {
    match compare(lines, case) {
        Ok(output) => output,
        Err(difference) => panic!("{difference}"),
    }
}

/// What both sides say, or where they part.
pub(crate) fn compare(lines: &[String], case: &Case) -> Result<ReferenceOutput, String> {
    let expected = reference(lines, &case.for_reference());
    let product = window_lines(
        &case.for_product(),
        lines.iter().map(|line| line.as_bytes()),
    )
    .map_err(|error| format!("the product gave up: {error}"))?;
    same("spreads", &expected.spreads, &texts(product.spreads))?;
    same("late", &expected.late, &texts(product.late))?;
    let offsets: Vec<String> = product.dead.iter().map(|d| d.offset.to_string()).collect();
    let dead = product.dead.into_iter().map(|d| d.bytes).collect();
    same("dead", &expected.dead, &texts(dead))?;
    let expected_offsets: Vec<String> =
        expected.dead_offsets.iter().map(usize::to_string).collect();
    same("offsets of dead", &expected_offsets, &offsets)?;
    Ok(expected)
}

fn texts(lines: Vec<Vec<u8>>) -> Vec<String> {
    lines
        .into_iter()
        .map(|line| String::from_utf8_lossy(&line).into_owned())
        .collect()
}

fn same(what: &str, reference: &[String], product: &[String]) -> Result<(), String> {
    let longest = reference.len().max(product.len());
    for place in 0..longest {
        let (expected, found) = (reference.get(place), product.get(place));
        if expected != found {
            return Err(format!(
                "{what}, place {place} of {} (reference) and {} (product):\n  reference: {expected:?}\n  product:   {found:?}",
                reference.len(),
                product.len()
            ));
        }
    }
    Ok(())
}

/// A field of a line by its JSON pointer, as compact JSON.
pub(crate) fn field(line: &str, pointer: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(line).expect("what comes out is JSON");
    match value.pointer(pointer) {
        Some(value) => value.to_string(),
        None => panic!("no {pointer} in {line}"),
    }
}

/// The starts of the windows written, with their pairs.
pub(crate) fn windows_of(output: &ReferenceOutput) -> Vec<(i64, String)> {
    let one = |line: &String| {
        let value: serde_json::Value = serde_json::from_str(line).expect("what comes out is JSON");
        let pair = value["pair"].as_str().expect("a record has a pair");
        (
            value["start_ms"].as_i64().expect("a record has a start"),
            pair.to_owned(),
        )
    };
    output.spreads.iter().map(one).collect()
}

/// The record of that pair for the window that starts there.
pub(crate) fn record<'o>(output: &'o ReferenceOutput, start_ms: i64, pair: &str) -> &'o str {
    let place = windows_of(output)
        .iter()
        .position(|window| *window == (start_ms, pair.to_owned()));
    match place {
        Some(place) => &output.spreads[place],
        None => panic!("no record of {pair} at {start_ms} ms"),
    }
}

/// The first leg of the record of BTC-USD for the window that starts at 0.
fn first_leg(lines: &[String], case: &Case) -> serde_json::Value {
    let output = check(lines, case);
    let text = field(record(&output, 0, "BTC-USD"), "/legs/0");
    serde_json::from_str(&text).expect("a leg is JSON")
}

/// A field of the first route (it buys at `a` and sells at `b`) of BTC-USD, in the window that starts there.
fn a_to_b(lines: &[String], case: &Case, start_ms: i64, name: &str) -> String {
    let output = check(lines, case);
    field(
        record(&output, start_ms, "BTC-USD"),
        &format!("/routes/0/{name}"),
    )
}

/// The defaults with another age at which a quote is still live.
fn ages(quote_max_age_ms: i64) -> Case {
    Case {
        quote_max_age_ms,
        ..Case::default()
    }
}
