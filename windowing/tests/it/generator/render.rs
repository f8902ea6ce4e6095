//! Events written out as the lines of one partition.
//!
//! In: a stream. Out: its lines. The clock only ever goes forward; stamps may stand before or after it.

use std::collections::BTreeMap;

use super::event::When;
use super::{CURRENCIES, Event, PAIRS, Stream, VENUES, World};
use crate::line::{Tick, mark_ns, rate_ns, status_ns};

/// The lines of a stream.
pub(crate) fn render(stream: &Stream) -> Vec<String> {
    let mut writer = Writer {
        world: &stream.world,
        width_ns: stream.case.width_ms * 1_000_000,
        now_ns: stream.world.base_ns,
        last_mark: BTreeMap::new(),
        lines: Vec::new(),
    };
    for event in &stream.events {
        writer.write(event);
    }
    writer.lines
}

struct Writer<'s> {
    world: &'s World,
    width_ns: i64,
    now_ns: i64,
    last_mark: BTreeMap<usize, i64>,
    lines: Vec<String>,
}

impl Writer<'_> {
    fn write(&mut self, event: &Event) {
        match event {
            Event::Quote {
                when,
                venue,
                pair,
                bid,
                ask,
                bid_size,
                ask_size,
            } => {
                let tick = self.tick(*when, *venue, *pair);
                let size = |size: &Option<super::writing::Number>| size.map(|size| size.text());
                self.lines.push(tick.quote_with_sizes(
                    &bid.text(),
                    size(bid_size).as_deref(),
                    &ask.text(),
                    size(ask_size).as_deref(),
                ));
            }
            Event::Trade {
                when,
                venue,
                pair,
                price,
                size,
            } => {
                let tick = self.tick(*when, *venue, *pair);
                self.lines.push(tick.trade(&price.text(), &size.text()));
            }
            Event::Rate {
                when,
                venue,
                from,
                to,
                bid,
                ask,
            } => {
                let stamp = self.stamp_of_data(*when, *venue);
                self.lines.push(rate_ns(
                    self.venue(*venue),
                    CURRENCIES[*from],
                    CURRENCIES[*to],
                    stamp,
                    &bid.text(),
                    &ask.text(),
                ));
            }
            Event::Mark { when, venue } => {
                let stamp = self.stamp(*when);
                self.mark(*venue, stamp);
            }
            Event::Marks { when } => {
                let stamp = self.stamp(*when);
                for venue in 0..self.world.venues {
                    self.mark(venue, stamp);
                }
            }
            Event::Status { when, venue, said } => {
                let stamp = self.stamp(*when);
                if self.world.no_statuses {
                    return;
                }
                let said = ["up", "silent", "down"][*said];
                self.lines.push(status_ns(self.venue(*venue), said, stamp));
                if said == "up" && self.world.marks_after_up {
                    self.mark(*venue, stamp);
                }
            }
            Event::Silence { windows } => self.now_ns += windows * self.width_ns,
            Event::Alien {
                when,
                venue,
                pair,
                other_currency,
            } => {
                let mut tick = self.tick(*when, *venue, *pair);
                if *other_currency {
                    tick.currency = "XYZ".to_owned();
                } else {
                    tick.symbol.push('2');
                }
                self.lines.push(tick.quote("99.99", "100.00"));
            }
            Event::Broken { how } => self.lines.push(self.broken(*how)),
        }
    }

    fn venue(&self, venue: usize) -> &'static str {
        VENUES[venue % self.world.venues]
    }

    fn stamp(&mut self, when: When) -> i64 {
        self.now_ns += when.after * self.world.step_ns;
        self.now_ns - when.back * self.world.step_ns
    }

    /// The stamp of what a mark promises not to come too late.
    fn stamp_of_data(&mut self, when: When, venue: usize) -> i64 {
        let stamp = self.stamp(when);
        match self.last_mark.get(&(venue % self.world.venues)) {
            Some(mark) if self.world.keeps_its_marks => stamp.max(*mark),
            _ => stamp,
        }
    }

    fn tick(&mut self, when: When, venue: usize, pair: usize) -> Tick {
        let stamp = self.stamp_of_data(when, venue);
        let (venue, pair) = (venue % self.world.venues, pair % self.world.pairs);
        let tick = Tick::at_ns(VENUES[venue], PAIRS[pair], stamp);
        match self.world.currencies[venue * PAIRS.len() + pair].checked_sub(1) {
            Some(currency) => tick.in_currency(CURRENCIES[currency]),
            None => tick,
        }
    }

    fn mark(&mut self, venue: usize, stamp: i64) {
        if self.world.no_marks {
            return;
        }
        let venue = venue % self.world.venues;
        let last = self.last_mark.entry(venue).or_insert(stamp);
        *last = stamp.max(*last);
        self.lines.push(mark_ns(VENUES[venue], stamp));
    }

    fn broken(&self, how: usize) -> String {
        let far = self.now_ns + 90 * self.width_ns;
        let tick = Tick::at_ns(VENUES[0], PAIRS[0], far);
        match how {
            0 => String::new(),
            1 => mark_ns(VENUES[0], far).replace(r#""v":1"#, r#""v":2"#),
            2 => mark_ns(VENUES[0], far).replace("mark", "candle"),
            3 => tick.quote("0.00", "1"),
            4 => tick.trade("1e2", "1"),
            5 => status_ns(VENUES[0], "away", far),
            6 => tick.quote("1", "2").split_off(3),
            _ => Tick {
                pair: "BTCUSD".to_owned(),
                ..tick
            }
            .quote("1", "2"),
        }
    }
}
