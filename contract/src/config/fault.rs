//! What can be wrong with a configuration, and how it is told.
//!
//! In: nothing. Out: [`ConfigError`], the list of all faults found in one reading, each with the
//! place it came from. Values of secret properties never stand in a fault, and neither does the
//! text around a syntax error, which may hold one.

use std::fmt;

/// Where a setting was written. Ordered as the layers lie, and by line within a text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The defaults that are built in (`config/default.toml`), at this line from 1.
    Defaults {
        /// Line, counted from 1.
        line: usize,
    },
    /// The file the caller named, at this line from 1.
    File {
        /// The name as the caller gave it.
        name: String,
        /// Line, counted from 1.
        line: usize,
    },
    /// The environment variable of this name.
    Variable(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defaults { line } => write!(f, "built-in defaults:{line}"),
            Self::File { name, line } => write!(f, "{name}:{line}"),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

/// One thing that is wrong, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it was written.
    pub origin: Origin,
    /// What is wrong.
    pub problem: Problem,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.origin, self.problem)
    }
}

/// What is wrong with one setting. `key` is always the dotted path as TOML would write it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The text is not TOML.
    #[error("not TOML: {0}")]
    Syntax(String),
    /// No setting has this path.
    #[error("unknown key `{key}`{}", did_you_mean(.nearest.as_deref()))]
    UnknownKey {
        /// The path as written.
        key: String,
        /// The known path that looks most like it, if any does.
        nearest: Option<String>,
    },
    /// A `LOCKSTEP_` variable that names no setting.
    #[error("names no setting{}", did_you_mean(.nearest.as_deref()))]
    UnknownVariable {
        /// The known variable that looks most like it, if any does.
        nearest: Option<String>,
    },
    /// A value where a table belongs.
    #[error("`{key}` is a table and takes no value of its own")]
    Table {
        /// The path as written.
        key: String,
    },
    /// A value of the wrong type.
    #[error("`{key}` must be {wanted}, not {got}")]
    Type {
        /// The path as written.
        key: String,
        /// The type it should have, in words.
        wanted: &'static str,
        /// The type and, where it is no secret, the text it has.
        got: String,
    },
    /// A number outside its range.
    #[error("`{key}` is {value}, which is outside {range}")]
    Range {
        /// The path as written.
        key: String,
        /// The value as written.
        value: String,
        /// The range with its unit, as in `1..=64 threads`.
        range: String,
    },
    /// A word that is none of those accepted.
    #[error("`{key}` is \"{value}\", which is none of {accepted}{}", did_you_mean(.nearest.as_deref()))]
    Choice {
        /// The path as written.
        key: String,
        /// The value as written.
        value: String,
        /// The accepted words, quoted, separated by commas.
        accepted: String,
        /// The accepted word that looks most like it, if any does.
        nearest: Option<String>,
    },
    /// A value or a name of the right type that cannot be used.
    #[error("`{key}` has the unusable value \"{value}\": {why}")]
    Unusable {
        /// The path as written.
        key: String,
        /// The value as written, or `***`.
        value: String,
        /// What it should look like.
        why: &'static str,
    },
    /// A name in an open table that cannot be used.
    #[error("`{key}` has the unusable name \"{name}\": {why}")]
    Name {
        /// The path as written.
        key: String,
        /// The name.
        name: String,
        /// What it should look like.
        why: &'static str,
    },
    /// Two variables that set the same key.
    #[error("sets `{key}`, and so does {other}; keep one of them")]
    Twice {
        /// The path both lead to.
        key: String,
        /// The other variable.
        other: String,
    },
    /// One symbol of one venue under two names.
    #[error("symbol \"{symbol}\" of {venue} stands for both `{first}` and `{second}`")]
    SharedSymbol {
        /// The venue.
        venue: String,
        /// The symbol as the venue writes it.
        symbol: String,
        /// The path that has it already.
        first: String,
        /// The path that repeats it.
        second: String,
    },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// A configuration that cannot be used: all its faults, in the order of the layers and their lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The faults; never empty.
    pub faults: Vec<Fault>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.faults.len();
        let noun = if n == 1 { "fault" } else { "faults" };
        write!(f, "the configuration has {n} {noun}")?;
        for fault in &self.faults {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
