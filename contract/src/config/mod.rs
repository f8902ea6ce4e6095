//! The configuration: every setting of every stage, once.
//!
//! ```text
//! config/default.toml ─┐                       ┌ unknown, wrong type, out of range: all faults at once
//! a file's text ───────┼─ leaves ─ schema ─────┤
//! LOCKSTEP_ variables ─┘ (layer)   (check)     └ Config (settings) ─ to_toml (effective)
//! ```
//!
//! In: texts, and the names and values of variables. Out: a [`Config`] that can be used, or a
//! [`ConfigError`] that lists all its faults with the line or variable each came from. Deliberately
//! absent: the file system, the environment, the command line; the caller has read them.

mod alerter;
mod bps;
mod check;
mod effective;
mod fault;
mod fee;
mod fill;
mod layer;
mod name;
mod schema;
mod secret;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use alerter::{Alerter, QuietHours, Secret, is_webhook_url};
pub use bps::Bps;
pub use fault::{ConfigError, Fault, Origin, Problem};
pub use fee::{FeeError, TakerFee};
pub use secret::Properties;
pub use settings::{Cerebral, Config, Delivery, Dialect, Ingest, Kafka, Metrics, Venue, Windowing};

use check::Value;
use layer::{Leaf, Path, dotted};

/// The text of `config/default.toml`: every setting with its unit, default and reason.
pub const DEFAULTS: &str = include_str!("../../../config/default.toml");

/// Checked values, each with the place it came from.
type Tree = BTreeMap<Path, (Value, Origin)>;

impl Config {
    /// Lays a file's settings over the defaults and the environment's over both.
    ///
    /// `file` is its name, for messages, and its text. Of `env` only names that start with
    /// `LOCKSTEP_` are looked at, without `LOCKSTEP_TEST_DATA`, `LOCKSTEP_LOG` and `LOCKSTEP_CONFIG`,
    /// which are no settings; the order of the others does not matter.
    ///
    /// `false` at a pair, a rate, or one venue of them takes away what a lower layer says there. A
    /// layer that gives a venue a `url` and no `alternative_urls` takes away the lower layers'
    /// alternatives: whoever points a venue at a test server must not end at the real one.
    ///
    /// # Errors
    /// [`ConfigError`] with every fault of every layer.
    pub fn load(
        file: Option<(&str, &str)>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut tree = Tree::new();
        let mut faults = Vec::new();
        let mut lay_text = |read: Result<Vec<Leaf>, Vec<Fault>>| match read {
            Ok(leaves) => lay(leaves, &mut tree, &mut faults),
            Err(broken) => faults.extend(broken),
        };
        lay_text(layer::read_toml(DEFAULTS, |line| Origin::Defaults { line }));
        if let Some((name, text)) = file {
            lay_text(layer::read_toml(text, |line| Origin::File {
                name: name.to_owned(),
                line,
            }));
        }
        let (leaves, unread) = layer::read_variables(env, tree.keys());
        faults.extend(unread);
        lay(leaves, &mut tree, &mut faults);
        faults.extend(shared_symbols(&tree));
        if !faults.is_empty() {
            faults.sort_by(|one, other| one.origin.cmp(&other.origin));
            faults.dedup();
            return Err(ConfigError { faults });
        }
        let values = tree
            .into_iter()
            .map(|(path, (value, _))| (path, value))
            .collect();
        Ok(Self::from_values(&values))
    }
}

/// The defaults alone.
impl Default for Config {
    fn default() -> Self {
        Self::load(None, std::iter::empty()).expect("a test loads the built-in defaults")
    }
}

/// Checks one layer and lays it over those below.
fn lay(leaves: Vec<Leaf>, tree: &mut Tree, faults: &mut Vec<Fault>) {
    let mut layer = Tree::new();
    for leaf in leaves {
        match check::check(&leaf) {
            Ok(Some(value)) => {
                layer.insert(leaf.path, (value, leaf.origin));
            }
            Ok(None) => {}
            Err(problem) => faults.push(Fault {
                origin: leaf.origin,
                problem,
            }),
        }
    }
    for (path, (value, _)) in &layer {
        if *value == Value::Off {
            tree.retain(|below, _| !below.starts_with(path));
        }
        if let [venues, venue, url] = path.as_slice()
            && venues == "venues"
            && url == "url"
        {
            tree.remove(&vec![
                venues.clone(),
                venue.clone(),
                "alternative_urls".to_owned(),
            ]);
        }
    }
    tree.extend(
        layer
            .into_iter()
            .filter(|(_, (value, _))| *value != Value::Off),
    );
}

/// A symbol of one venue may stand for one pair, and for one rate. Where it stands twice, the fault
/// is told of the upper layer, or of the later line.
fn shared_symbols(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut seen: BTreeMap<(&str, &str, &str), (&Origin, &Path)> = BTreeMap::new();
    for (path, (value, origin)) in tree {
        let ([section, _, venue], Value::Text(symbol)) = (path.as_slice(), value) else {
            continue;
        };
        if section != "pairs" && section != "rates" {
            continue;
        }
        let place = (section.as_str(), venue.as_str(), symbol.as_str());
        if let Some(other) = seen.insert(place, (origin, path)) {
            let (first, second) = (other.min((origin, path)), other.max((origin, path)));
            faults.push(Fault {
                origin: second.0.clone(),
                problem: Problem::SharedSymbol {
                    venue: venue.clone(),
                    symbol: symbol.clone(),
                    first: dotted(first.1),
                    second: dotted(second.1),
                },
            });
        }
    }
    faults
}
