//! From leaves to checked values: each against the one line of the schema that it names.
//!
//! In: a [`Leaf`]. Out: a [`Value`] of the type its setting asks for, or the [`Problem`] with it.
//! Nothing is rounded, clipped or guessed.

use super::alerter::{QuietHours, Secret, is_webhook_url, is_zone};
use super::bps::Bps;
use super::fault::Problem;
use super::fee::{FeeError, TakerFee};
use super::layer::{self, Leaf, Path, Raw, dotted};
use super::name::{check_names, check_url, has_blank, is_broker, is_listen, is_name};
use super::schema::{self, Kind, Setting};
use super::secret::{self, MASK};

/// A value that its setting accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// Of [`Kind::Whole`].
    Whole(i64),
    /// Of [`Kind::Fee`].
    Fee(TakerFee),
    /// Of [`Kind::Bps`].
    Bps(Bps),
    /// Of [`Kind::SecretUrl`].
    Secret(Secret),
    /// Of any kind that is text.
    Text(String),
    /// Of [`Kind::UrlList`].
    List(Vec<String>),
    /// `false` at a pair, a rate, or a venue of one: what stands below is not wanted.
    Off,
}

/// Checks one leaf; `Ok(None)` for an empty table, which says nothing.
pub(super) fn check(leaf: &Leaf) -> Result<Option<Value>, Problem> {
    let path = &leaf.path;
    let is_false = match &leaf.raw {
        Raw::Switch(switch) => !switch,
        Raw::Variable(text) => text.trim() == "false",
        _ => false,
    };
    if is_false && layer::is_switch(path) {
        return Ok(Some(Value::Off));
    }
    let Some(setting) = schema::find(path) else {
        return match (&leaf.raw, schema::is_table(path)) {
            (Raw::Table, true) => Ok(None),
            (_, true) => Err(Problem::Table { key: dotted(path) }),
            (_, false) => Err(Problem::UnknownKey {
                key: dotted(path),
                nearest: schema::nearest(path, dotted),
            }),
        };
    };
    check_names(path)?;
    value_of(setting, path, &leaf.raw).map(Some)
}

fn value_of(setting: &Setting, path: &Path, raw: &Raw) -> Result<Value, Problem> {
    match &setting.kind {
        Kind::Whole { min, max } => whole(setting, path, raw, *min, *max),
        Kind::Fee => decimal(setting, path, raw, |text| {
            TakerFee::parse_bps(text).map(Value::Fee)
        }),
        Kind::Bps { min, max } => decimal(setting, path, raw, |text| {
            Bps::parse(text, *min..=*max).map(Value::Bps)
        }),
        Kind::SecretUrl => {
            let text = text(path, raw, "a string")?;
            if text.is_empty() || is_webhook_url(&text) {
                return Ok(Value::Secret(Secret::new(text)));
            }
            Err(Problem::Unusable {
                key: dotted(path),
                value: MASK.to_owned(),
                why: "a webhook's address starts with https:// or http:// and a host and ends with its path",
            })
        }
        Kind::File => text(path, raw, "a string").map(Value::Text),
        Kind::QuietHours => {
            let text = text(path, raw, "a string")?;
            let usable = text.is_empty() || QuietHours::parse(&text).is_some();
            usable_text(
                path,
                text,
                usable,
                "quiet hours are HH:MM-HH:MM, as in 22:00-07:00, or empty",
            )
        }
        Kind::Zone => {
            let text = text(path, raw, "a string")?;
            let usable = is_zone(&text);
            usable_text(
                path,
                text,
                usable,
                "a zone is a name such as Europe/Paris, UTC, or an offset such as +05:30",
            )
        }
        Kind::Label => {
            let text = text(path, raw, "a string")?;
            let usable = text.chars().count() <= 40 && !text.chars().any(char::is_control);
            usable_text(
                path,
                text,
                usable,
                "a label is one line of at most 40 characters, or empty",
            )
        }
        Kind::Choice(accepted) => choice(path, raw, accepted),
        Kind::Name => {
            let text = text(path, raw, "a string")?;
            let usable = is_name(&text);
            usable_text(
                path,
                text,
                usable,
                "a name is made of up to 100 letters, digits, `_`, `-` and `.`",
            )
        }
        Kind::Url => {
            let text = text(path, raw, "a string")?;
            check_url(path, &text).map(|()| Value::Text(text))
        }
        Kind::UrlList => url_list(path, raw),
        Kind::Symbol => {
            let text = text(path, raw, "a string, or `false`")?;
            let usable = !text.is_empty() && !has_blank(&text);
            usable_text(
                path,
                text,
                usable,
                "a symbol is text without blanks, as the venue writes it",
            )
        }
        Kind::Brokers => {
            let text = text(path, raw, "a string")?;
            let usable = text.split(',').all(is_broker);
            usable_text(
                path,
                text,
                usable,
                "brokers are host:port, separated by commas, as in 127.0.0.1:9092",
            )
        }
        Kind::Listen => {
            let text = text(path, raw, "a string")?;
            let usable = text.is_empty() || is_listen(&text);
            usable_text(
                path,
                text,
                usable,
                "a place to listen is host:port, as in 127.0.0.1:9464, or empty",
            )
        }
        Kind::Property => match raw {
            Raw::Variable(text) | Raw::Text(text) | Raw::Float(text) => {
                Ok(Value::Text(text.clone()))
            }
            Raw::Whole(digits, 10) => Ok(Value::Text(digits.clone())),
            Raw::Switch(switch) => Ok(Value::Text(switch.to_string())),
            _ => Err(wrong_type(path, raw, "a string")),
        },
    }
}

fn whole(setting: &Setting, path: &Path, raw: &Raw, min: i64, max: i64) -> Result<Value, Problem> {
    let (digits, base) = match raw {
        Raw::Whole(digits, base) => (digits.clone(), *base),
        Raw::Variable(text) => (text.trim().replace('_', ""), 10),
        _ => return Err(wrong_type(path, raw, "a whole number")),
    };
    let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(&digits);
    if unsigned.is_empty() || !unsigned.chars().all(|digit| digit.is_digit(base)) {
        return Err(wrong_type(path, raw, "a whole number"));
    }
    let in_range = i64::from_str_radix(&digits, base)
        .ok()
        .filter(|value| (min..=max).contains(value));
    in_range.map(Value::Whole).ok_or_else(|| Problem::Range {
        key: dotted(path),
        value: digits,
        range: setting.range(),
    })
}

fn decimal(
    setting: &Setting,
    path: &Path,
    raw: &Raw,
    parse: impl Fn(&str) -> Result<Value, FeeError>,
) -> Result<Value, Problem> {
    let wanted = "a decimal number of basis points with at most 6 decimals and no exponent";
    let text = match raw {
        Raw::Whole(digits, 10) => digits.as_str(),
        Raw::Float(text) | Raw::Text(text) => text,
        Raw::Variable(text) => text.trim(),
        _ => return Err(wrong_type(path, raw, wanted)),
    };
    parse(text).map_err(|fault| match fault {
        FeeError::Shape => wrong_type(path, raw, wanted),
        FeeError::Range => Problem::Range {
            key: dotted(path),
            value: text.to_owned(),
            range: setting.range(),
        },
    })
}

fn choice(path: &Path, raw: &Raw, accepted: &[&str]) -> Result<Value, Problem> {
    let value = text(path, raw, "a string")?;
    if accepted.contains(&value.as_str()) {
        return Ok(Value::Text(value));
    }
    let key = dotted(path);
    let list = accepted
        .iter()
        .map(|word| format!("\"{word}\""))
        .collect::<Vec<_>>()
        .join(", ");
    let distance = |word: &&&str| strsim::damerau_levenshtein(&value.to_lowercase(), word);
    let nearest = accepted
        .iter()
        .min_by_key(distance)
        .filter(|word| distance(word) <= 3);
    let nearest = nearest.map(|word| (*word).to_owned());
    Err(Problem::Choice {
        key,
        value,
        accepted: list,
        nearest,
    })
}

fn url_list(path: &Path, raw: &Raw) -> Result<Value, Problem> {
    const WANTED: &str = "a list of strings";
    let urls: Vec<String> = match raw {
        Raw::List(items) => items
            .iter()
            .map(|item| text(path, item, WANTED))
            .collect::<Result<_, _>>()?,
        Raw::Variable(text) if text.trim().is_empty() => Vec::new(),
        Raw::Variable(text) => text.split(',').map(|url| url.trim().to_owned()).collect(),
        _ => return Err(wrong_type(path, raw, WANTED)),
    };
    urls.iter().try_for_each(|url| check_url(path, url))?;
    Ok(Value::List(urls))
}

fn usable_text(
    path: &Path,
    text: String,
    usable: bool,
    why: &'static str,
) -> Result<Value, Problem> {
    if usable {
        Ok(Value::Text(text))
    } else {
        Err(Problem::Unusable {
            key: dotted(path),
            value: text,
            why,
        })
    }
}

fn text(path: &Path, raw: &Raw, wanted: &'static str) -> Result<String, Problem> {
    match raw {
        Raw::Text(text) | Raw::Variable(text) => Ok(text.clone()),
        _ => Err(wrong_type(path, raw, wanted)),
    }
}

fn wrong_type(path: &Path, raw: &Raw, wanted: &'static str) -> Problem {
    let is_property = path.first().is_some_and(|name| name == "kafka");
    let is_secret = (is_property && path.last().is_some_and(|name| secret::is_secret(name)))
        || schema::find(path).is_some_and(|setting| matches!(setting.kind, Kind::SecretUrl));
    let shown = |kind: &str, text: &str| {
        if is_secret {
            kind.to_owned()
        } else {
            format!("{kind} {text}")
        }
    };
    let got = match raw {
        Raw::Variable(text) => shown("the text", &format!("\"{text}\"")),
        Raw::Text(text) => shown("the string", &format!("\"{text}\"")),
        Raw::Whole(digits, 10) => shown("the whole number", digits),
        Raw::Whole(digits, base) => shown("the whole number", &format!("{digits} (base {base})")),
        Raw::Float(text) => shown("the number", text),
        Raw::Switch(switch) => shown("the switch", &switch.to_string()),
        Raw::List(_) => "a list".to_owned(),
        Raw::Table => "a table".to_owned(),
        Raw::Moment => "a date or time".to_owned(),
    };
    Problem::Type {
        key: dotted(path),
        wanted,
        got,
    }
}
