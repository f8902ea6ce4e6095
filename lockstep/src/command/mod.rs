//! One file per subcommand.

pub(crate) mod alert;
pub(crate) mod cerebral;
pub(crate) mod config;
pub(crate) mod dashboard;
pub(crate) mod dead_letters;
pub(crate) mod health;
pub(crate) mod ingest;
pub(crate) mod record;
pub(crate) mod replay;
pub(crate) mod simulate;
pub(crate) mod topics;
pub(crate) mod up;
pub(crate) mod window;
