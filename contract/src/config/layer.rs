//! From text and variables to leaves: a path, a raw value, a place.
//!
//! In: TOML text, or the names and values of variables. Out: [`Leaf`]s, in the order of their paths,
//! and the faults that keep a text or a name from being read at all. What a leaf means is decided
//! in `check`.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::fault::{Fault, Origin, Problem};
use super::schema;

/// The names from the top table to a value.
pub(super) type Path = Vec<String>;

/// One value as it was written.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    /// Where it belongs.
    pub(super) path: Path,
    /// What was written.
    pub(super) raw: Raw,
    /// Where it was written.
    pub(super) origin: Origin,
}

/// A value before anything is known of its meaning.
#[derive(Clone, Debug)]
pub(super) enum Raw {
    /// The value of a variable, of which the setting decides the type.
    Variable(String),
    /// A TOML integer: its digits and their base.
    Whole(String, u32),
    /// A TOML float as written, underscores aside.
    Float(String),
    /// A TOML string.
    Text(String),
    /// A TOML boolean.
    Switch(bool),
    /// A TOML array.
    List(Vec<Raw>),
    /// A TOML table without a key, or one inside an array.
    Table,
    /// A TOML date or time.
    Moment,
}

/// The prefix of every variable that is a setting.
const PREFIX: &str = "LOCKSTEP_";

/// Variables with the prefix that are no settings: the folder of the recordings, the log filter, the file.
pub(super) const NOT_SETTINGS: [&str; 3] =
    ["LOCKSTEP_TEST_DATA", "LOCKSTEP_LOG", "LOCKSTEP_CONFIG"];

/// Writes a path as TOML would.
pub(super) fn dotted(path: &[String]) -> String {
    path.iter()
        .map(|name| quoted_if_needed(name))
        .collect::<Vec<_>>()
        .join(".")
}

/// Writes one name of a path as TOML would.
pub(super) fn quoted_if_needed(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !name.is_empty() && name.bytes().all(bare) {
        name.to_owned()
    } else {
        toml_string(name)
    }
}

/// Writes a TOML basic string.
pub(super) fn toml_string(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The leaves of a TOML text. A text with broken syntax gives its faults and no leaves: what could
/// be recovered of it may sit in the wrong table.
pub(super) fn read_toml(
    text: &str,
    place: impl Fn(usize) -> Origin,
) -> Result<Vec<Leaf>, Vec<Fault>> {
    let at = |span: Range<usize>| {
        let before = text.as_bytes().iter().take(span.start);
        place(1 + before.filter(|byte| **byte == b'\n').count())
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let fault = |error: &toml::de::Error| Fault {
            origin: at(error.span().unwrap_or_default()),
            problem: Problem::Syntax(error.message().to_owned()),
        };
        return Err(errors.iter().map(fault).collect());
    }
    let mut leaves = Vec::new();
    collect(table.get_ref(), &mut Vec::new(), &at, &mut leaves);
    Ok(leaves)
}

fn collect(
    table: &DeTable<'_>,
    path: &mut Path,
    at: &impl Fn(Range<usize>) -> Origin,
    leaves: &mut Vec<Leaf>,
) {
    for (name, value) in table.iter() {
        path.push(name.get_ref().to_string());
        match value.get_ref() {
            DeValue::Table(inner) if !inner.is_empty() => collect(inner, path, at, leaves),
            other => leaves.push(Leaf {
                path: joined_property(path),
                raw: raw(other),
                // A key stands on the line a reader looks for; a value may be spread over several.
                origin: at(name.span()),
            }),
        }
        path.pop();
    }
}

/// `security.protocol` without quotes is two levels of TOML and one name of librdkafka.
fn joined_property(path: &[String]) -> Path {
    match path {
        [kafka, properties, name @ ..]
            if kafka == "kafka" && properties == "properties" && name.len() > 1 =>
        {
            vec![kafka.clone(), properties.clone(), name.join(".")]
        }
        _ => path.to_vec(),
    }
}

fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(whole) => Raw::Whole(whole.as_str().to_owned(), whole.radix()),
        DeValue::Float(float) => Raw::Float(float.as_str().to_owned()),
        DeValue::Boolean(switch) => Raw::Switch(*switch),
        DeValue::Datetime(_) => Raw::Moment,
        DeValue::Array(items) => Raw::List(items.iter().map(|item| raw(item.get_ref())).collect()),
        DeValue::Table(_) => Raw::Table,
    }
}

/// The leaves that variables give, over the names that `known` (the layers below) already has.
pub(super) fn read_variables<'a>(
    env: impl Iterator<Item = (String, String)>,
    known: impl Iterator<Item = &'a Path> + Clone,
) -> (Vec<Leaf>, Vec<Fault>) {
    let mut faults = Vec::new();
    let mut taken: BTreeMap<Path, Leaf> = BTreeMap::new();
    // Sorted, so that neither the result nor the order of the faults follows the environment's.
    let settings: BTreeMap<String, String> = env
        .filter(|(name, _)| name.starts_with(PREFIX) && !NOT_SETTINGS.contains(&name.as_str()))
        .collect();
    for (name, value) in settings {
        let origin = Origin::Variable(name.clone());
        let path = match path_of(&name, known.clone()) {
            Ok(path) => path,
            Err(problem) => {
                faults.push(Fault { origin, problem });
                continue;
            }
        };
        if let Some(Origin::Variable(other)) = taken.get(&path).map(|leaf| leaf.origin.clone()) {
            faults.push(Fault {
                origin,
                problem: Problem::Twice {
                    key: dotted(&path),
                    other,
                },
            });
            continue;
        }
        taken.insert(
            path.clone(),
            Leaf {
                path,
                raw: Raw::Variable(value),
                origin,
            },
        );
    }
    (taken.into_values().collect(), faults)
}

/// The path a variable's name stands for.
fn path_of<'a>(
    variable: &str,
    known: impl Iterator<Item = &'a Path> + Clone,
) -> Result<Path, Problem> {
    let mut path: Path = variable[PREFIX.len()..]
        .split("__")
        .map(str::to_owned)
        .collect();
    let is = |level: usize, name: &str| {
        path.get(level)
            .is_some_and(|written: &String| written.eq_ignore_ascii_case(name))
    };
    let pair_at = if is(0, "pairs") || is(0, "rates") {
        Some(1)
    } else if is(0, "alerter") && is(1, "threshold_bps_of") {
        Some(2)
    } else {
        None
    };
    for (level, name) in path.iter_mut().enumerate() {
        if pair_at != Some(level) {
            *name = name.to_lowercase();
        }
    }
    if let Some(level) = pair_at.filter(|level| *level < path.len()) {
        path[level] = pair_name(&path, level, known)?;
    }
    if path.len() == 3 && path[0] == "kafka" && path[1] == "properties" {
        path[2] = path[2].replace('_', ".");
    }
    let reaches_something =
        schema::find(&path).is_some() || is_switch(&path) || schema::is_table(&path);
    if path.iter().any(String::is_empty) || !reaches_something {
        let nearest = schema::nearest(&path, |path| {
            format!("{PREFIX}{}", path.join("__").to_uppercase())
        });
        return Err(Problem::UnknownVariable { nearest });
    }
    Ok(path)
}

/// The pair (or rate) a variable means: one that is known, `-` and `_` and case aside, or else the
/// name as it stands, with its `_` for the `-` that a shell does not allow in a name.
fn pair_name<'a>(
    path: &[String],
    level: usize,
    known: impl Iterator<Item = &'a Path>,
) -> Result<String, Problem> {
    let plain = |name: &str| name.to_lowercase().replace('_', "-");
    let name = &path[level];
    // A threshold is of a pair, so that those of `[pairs]` are known to it.
    let names = known.filter_map(|other| match other.as_slice() {
        [table, pair, _] if table == "pairs" && level == 2 => Some(pair),
        _ if other.len() > level && other[..level] == path[..level] => Some(&other[level]),
        _ => None,
    });
    let mut meant: Vec<&String> = names.filter(|other| plain(other) == plain(name)).collect();
    meant.sort();
    meant.dedup();
    if let Some(same) = meant.iter().find(|other| **other == name) {
        return Ok((*same).clone());
    }
    match meant.as_slice() {
        [one] => Ok((*one).clone()),
        [] if name.contains('-') => Ok(name.clone()),
        [] if name.matches('_').count() == 1 => Ok(name.replace('_', "-")),
        _ => Err(Problem::Name {
            key: dotted(&path[..level]),
            name: name.clone(),
            why: "cannot tell which `_` stands for `-`; write the name with `-`, or put it into a file",
        }),
    }
}

/// Whether `path` may hold `false`, which switches off what the layers below say there.
pub(super) fn is_switch(path: &[String]) -> bool {
    matches!(path.first().map(String::as_str), Some("pairs" | "rates"))
        && (2..=3).contains(&path.len())
}
