//! The dashboard as somebody sees it: what stands on the screen, what keys and the mouse do, what it reads from a
//! broker, and that the terminal is given back.
#![expect(
    clippy::unwrap_used,
    reason = "tests; allow-unwrap-in-tests does not reach their helpers"
)]

mod brain;
mod colours;
mod hand;
mod properties;
mod reading;
mod scene;
mod screens;
#[cfg(unix)]
mod terminal;
