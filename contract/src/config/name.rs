//! Names and addresses: what a venue, a pair, a rate, a broker and a WebSocket may be called.
//!
//! In: text. Out: yes, or the [`Problem`]. Whether anything answers to a name is not looked at.

use super::fault::Problem;
use super::layer::{Path, dotted};

/// The names that the user chose in an open table.
pub(super) fn check_names(path: &Path) -> Result<(), Problem> {
    let refuse = |name: &str, why| {
        Err(Problem::Name {
            key: dotted(path),
            name: name.to_owned(),
            why,
        })
    };
    let is_venue = |name: &str| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
    };
    const VENUE: &str = "a venue's name is made of letters, digits, `_`, `-` and `.`";
    match path
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["venues", venue, _, ..] if !is_venue(venue) => refuse(venue, VENUE),
        ["pairs" | "rates", _, venue] if !is_venue(venue) => refuse(venue, VENUE),
        ["pairs", pair, _] if split_pair(pair).is_none() => {
            refuse(pair, "a pair is named asset-currency, as in BTC-USD")
        }
        ["alerter", "threshold_bps_of", pair] if split_pair(pair).is_none() => {
            refuse(pair, "a pair is named asset-currency, as in BTC-USD")
        }
        ["rates", rate, _] if split_pair(rate).is_none_or(|(from, to)| from == to) => {
            refuse(rate, "a rate is named from-to, as in USDT-USD")
        }
        [
            "kafka",
            "properties",
            "bootstrap.servers" | "metadata.broker.list",
        ] => refuse(&path[2], "the brokers stand in `kafka.brokers`"),
        _ => Ok(()),
    }
}

/// Whether topics, groups and transactions may be named with it.
pub(super) fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (1..=100).contains(&text.len()) && text.chars().all(fits)
}

/// Asset and currency of a pair's name, cut at its last `-`; `None` where either is empty or the
/// name holds a blank.
pub(super) fn split_pair(name: &str) -> Option<(&str, &str)> {
    let (asset, currency) = name.rsplit_once('-')?;
    let usable = !asset.is_empty() && !currency.is_empty() && !has_blank(name);
    usable.then_some((asset, currency))
}

/// Whether `text` holds a blank or a control character.
pub(super) fn has_blank(text: &str) -> bool {
    text.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// A WebSocket address that a socket could open.
pub(super) fn check_url(path: &Path, url: &str) -> Result<(), Problem> {
    let rest = url
        .strip_prefix("wss://")
        .or_else(|| url.strip_prefix("ws://"));
    let authority = rest
        .and_then(|rest| rest.split(['/', '?', '#']).next())
        .unwrap_or_default();
    let usable = !authority.is_empty() && !authority.starts_with(':') && !has_blank(url);
    let (value, why) = match (authority.contains('@'), usable) {
        (true, _) => (
            "***",
            "public feeds ask for no name and password in the address",
        ),
        (false, true) => return Ok(()),
        (false, false) => (url, "an address starts with ws:// or wss:// and a host"),
    };
    Err(Problem::Unusable {
        key: dotted(path),
        value: value.to_owned(),
        why,
    })
}

/// `host:port`, as a server listens there; port 0 leaves the choice to the system.
pub(super) fn is_listen(text: &str) -> bool {
    let (host, port) = text.rsplit_once(':').unwrap_or(("", ""));
    !host.is_empty() && !has_blank(host) && port.parse::<u16>().is_ok()
}

/// `host:port`, blanks around it aside.
pub(super) fn is_broker(text: &str) -> bool {
    let text = text.trim();
    let (host, port) = text.rsplit_once(':').unwrap_or(("", ""));
    !host.is_empty() && !has_blank(host) && port.parse::<u16>().is_ok_and(|port| port > 0)
}
