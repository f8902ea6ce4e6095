//! Coinbase Advanced Trade.
//!
//! Documentation: "Advanced Trade WebSocket Channels". Every frame stands in one envelope with the time of sending and a
//! number that counts all frames of the connection. Absent: the channels that need a key (known, not read), local order
//! books: a level 2 snapshot of five megabytes is read past, never into levels.

mod message;
mod parse;

pub use parse::parse;

#[cfg(test)]
mod tests;
