//! One file per subcommand.

pub(crate) mod config;
pub(crate) mod health;
pub(crate) mod topics;
pub(crate) mod window;
