//! What is said on Discord: one embed per episode, within Discord's sizes by construction. Pure.
//!
//! In: the episodes of a message. Out: the body of a request. Lengths are counted in UTF-16 units, of which there are never
//! fewer than characters. Each embed takes at most [`EMBED_MOST`] of them, so that ten stay within the 6,000 of a message.
//! Names come from outside: they are shown as they are and do nothing ([`text`]). Nobody is ever mentioned.

use contract::spread::Quality;
use contract::tick::VenueStatus;
use serde::Serialize;

use crate::episode::{Ending, Episode, SpreadFacts, What};

pub mod text;

use text::{cut, plain, shown};

/// Most embeds of a message.
pub const EMBEDS_MOST: usize = 10;
/// Most characters of an embed, all its parts together.
pub const EMBED_MOST: usize = 600;
/// The parts of an embed; with four fields, whose names take 26, they make [`EMBED_MOST`].
const TITLE: usize = 180;
const DESCRIPTION: usize = 140;
const FOOTER: usize = 110;
const VALUE: usize = 36;
const _: () = assert!(TITLE + DESCRIPTION + FOOTER + 26 + 4 * VALUE <= EMBED_MOST);
const _: () = assert!(EMBEDS_MOST * EMBED_MOST <= 6_000);

/// Suppresses sound and banner of a message.
const SUPPRESS_NOTIFICATIONS: u32 = 1 << 12;

/// One episode of a message.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// The episode.
    pub episode: &'a Episode,
    /// Whether an earlier attempt may have arrived.
    pub possible_repeat: bool,
}

/// A colour, a sign and words for the same thing.
const OPEN: u32 = 0x00e6_7e22;
const BAD: u32 = 0x00e7_4c3c;
const OVER: u32 = 0x0095_a5a6;
const WELL: u32 = 0x002e_cc71;

#[derive(Serialize)]
struct Body<'a> {
    content: String,
    embeds: Vec<Embed>,
    allowed_mentions: AllowedMentions<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flags: Option<u32>,
}

#[derive(Serialize)]
struct AllowedMentions<'a> {
    parse: &'a [&'a str],
}

#[derive(Serialize)]
struct Embed {
    title: String,
    description: String,
    color: u32,
    fields: Vec<Field>,
    footer: Footer,
}

#[derive(Serialize)]
struct Field {
    name: &'static str,
    value: String,
    inline: bool,
}

#[derive(Serialize)]
struct Footer {
    text: String,
}

/// The body that says these episodes; of more than [`EMBEDS_MOST`] the first. It begins with the label unless that is empty;
/// a quiet one makes no sound.
#[must_use]
pub fn body(parts: &[Part<'_>], label: &str, is_quiet: bool) -> Vec<u8> {
    let parts = parts.get(..EMBEDS_MOST).unwrap_or(parts);
    let body = Body {
        content: content(parts, label),
        embeds: parts.iter().map(|part| embed(part.episode)).collect(),
        allowed_mentions: AllowedMentions { parse: &[] },
        flags: is_quiet.then_some(SUPPRESS_NOTIFICATIONS),
    };
    serde_json::to_vec(&body).expect("texts and numbers are always JSON")
}

/// A body that says nothing but that it arrived.
#[must_use]
pub fn trial() -> Vec<u8> {
    let body = Body {
        content: "A test: alerts of lockstep arrive here".to_owned(),
        embeds: Vec::new(),
        allowed_mentions: AllowedMentions { parse: &[] },
        flags: None,
    };
    serde_json::to_vec(&body).expect("texts and numbers are always JSON")
}

/// The line above the embeds, which is also what a telephone shows.
fn content(parts: &[Part<'_>], label: &str) -> String {
    let mut lines = Vec::new();
    match parts {
        [one] => lines.push(summary(one.episode)),
        _ => {
            let mut series: Vec<String> = parts.iter().map(|part| part.episode.series()).collect();
            series.sort();
            series.dedup();
            let again = parts.len() - series.len();
            if series.len() > 1 {
                lines.push(format!(
                    "{} alerts merged into one message: more were waiting than Discord's limits let through",
                    parts.len()
                ));
            }
            if again > 0 {
                lines.push(format!("{again} of them came again within the cooldown"));
            }
            lines.extend(parts.last().map(|part| summary(part.episode)));
        }
    }
    if parts.iter().any(|part| part.possible_repeat) {
        lines.push(
            "Possible repeat: no answer came to an earlier attempt, so this may stand here twice"
                .to_owned(),
        );
    }
    let mut text = String::new();
    if !label.is_empty() {
        text = format!("[{}] ", shown(label, 160));
    }
    text.push_str(&lines.join("\n"));
    cut(&text, 2000)
}

/// One line, for the message and for the log.
#[must_use]
pub fn summary(episode: &Episode) -> String {
    match &episode.what {
        What::Spread(facts) => {
            let state = match episode.closed_ms {
                None => String::new(),
                Some(closed_ms) => {
                    format!(", over after {}", lasted(closed_ms - episode.opened_ms))
                }
            };
            format!(
                "{}: buy {}, sell {}, {} bps net{state}",
                shown(&facts.pair, 60),
                shown(&facts.buy, 40),
                shown(&facts.sell, 40),
                bps(facts.peak_net_bps),
            )
        }
        What::Outage { venue, status } => {
            let venue = shown(venue, 60);
            match (episode.closed_ms, status) {
                (Some(closed_ms), _) => {
                    format!(
                        "{venue} is back after {}",
                        lasted(closed_ms - episode.opened_ms)
                    )
                }
                (None, Some(VenueStatus::Silent)) => format!("{venue} is silent"),
                (None, Some(VenueStatus::Down)) => format!("{venue} is down"),
                (None, _) => format!("{venue} is away"),
            }
        }
        What::Stall => match episode.closed_ms {
            Some(closed_ms) => format!(
                "Windows come again after {}",
                lasted(closed_ms - episode.opened_ms)
            ),
            None => "No windows come: the pipeline stands still".to_owned(),
        },
    }
}

fn embed(episode: &Episode) -> Embed {
    let (title, description, color, fields) = match &episode.what {
        What::Spread(facts) => spread(episode, facts),
        What::Outage { venue, .. } => outage(episode, venue),
        What::Stall => stall(episode),
    };
    Embed {
        title: cut(&title, TITLE),
        description: cut(&description, DESCRIPTION),
        color,
        fields,
        footer: Footer {
            text: cut(&plain(&episode.id), FOOTER),
        },
    }
}

type Parts = (String, String, u32, Vec<Field>);

fn spread(episode: &Episode, facts: &SpreadFacts) -> Parts {
    let title = format!(
        "{}: buy {}, sell {}",
        shown(&facts.pair, 60),
        shown(&facts.buy, 40),
        shown(&facts.sell, 40)
    );
    let (description, color) = match episode.closed_ms {
        None => (format!("Open since {}", since(episode.opened_ms)), OPEN),
        Some(closed_ms) => {
            let why = match episode.ending {
                None => String::new(),
                Some(Ending::Below) => ": fell below its threshold".to_owned(),
                Some(Ending::Missing) => ": no windows of it followed".to_owned(),
                Some(Ending::NotLive(quality)) => format!(": no longer live, {}", words(quality)),
            };
            (
                format!("Over after {}{why}", lasted(closed_ms - episode.opened_ms)),
                OVER,
            )
        }
    };
    let asset = facts.pair.rsplit_once('-').map_or("", |(asset, _)| asset);
    let size = facts.peak_size.as_ref().map_or_else(
        || "unknown".to_owned(),
        |size| format!("{} {}", shown(&size.to_string(), 24), shown(asset, 10)),
    );
    let fields = vec![
        field("Peak net", format!("{} bps", bps(facts.peak_net_bps))),
        field("Size then", size.trim_end().to_owned()),
        field("At", clock(facts.peak_at_ns / 1_000_000)),
        field("Windows", facts.windows.to_string()),
    ];
    (title, description, color, fields)
}

fn outage(episode: &Episode, venue: &str) -> Parts {
    let (description, color) = match episode.closed_ms {
        None => (
            format!(
                "Gives no data since {}; spreads with it are not computed",
                since(episode.opened_ms)
            ),
            BAD,
        ),
        Some(_) => (
            format!("Recovered; away since {}", since(episode.opened_ms)),
            WELL,
        ),
    };
    let title = format!("Outage: {}", shown(venue, 60));
    (title, description, color, lasting(episode))
}

fn stall(episode: &Episode) -> Parts {
    let (description, color) = match episode.closed_ms {
        None => (
            format!(
                "The last window came {}: no spread would be noticed now. Do ingest and window run?",
                since(episode.opened_ms)
            ),
            BAD,
        ),
        Some(_) => (
            format!(
                "Windows come again; the last before came {}",
                since(episode.opened_ms)
            ),
            WELL,
        ),
    };
    (
        "No windows".to_owned(),
        description,
        color,
        lasting(episode),
    )
}

fn lasting(episode: &Episode) -> Vec<Field> {
    let closed_ms = episode.closed_ms.into_iter();
    closed_ms
        .map(|closed_ms| field("Lasted", lasted(closed_ms - episode.opened_ms)))
        .collect()
}

fn field(name: &'static str, value: String) -> Field {
    Field {
        name,
        value: cut(&value, VALUE),
        inline: true,
    }
}

/// An instant in the reader's own time zone.
fn clock(ms: i64) -> String {
    format!("<t:{}:T>", ms.div_euclid(1000))
}

/// An instant and how long ago it was, both kept right by the reader's program.
fn since(ms: i64) -> String {
    let s = ms.div_euclid(1000);
    format!("<t:{s}:T> (<t:{s}:R>)")
}

fn bps(value: f64) -> String {
    cut(&format!("{value:.2}"), 24)
}

/// A length of time as people say it.
fn lasted(ms: i64) -> String {
    let ms = ms.max(0);
    let s = ms / 1000;
    match s {
        0..=59 if ms % 1000 == 0 => format!("{s} s"),
        0..=59 => format!("{}.{} s", s, ms % 1000 / 100),
        60..=3_599 => format!("{} min {} s", s / 60, s % 60),
        _ => format!("{} h {} min", s / 3600, s % 3600 / 60),
    }
}

fn words(quality: Quality) -> &'static str {
    match quality {
        Quality::OneSided => "one leg is gone",
        Quality::VenueDown => "a venue is down",
        Quality::NoRate => "the currency rate is missing or too old",
        Quality::Crossed => "a venue's own book is crossed",
        Quality::Stale => "a quote is too old",
        Quality::Ok => "live at the window's end alone",
    }
}

#[cfg(test)]
mod tests;
