//! Coinbase Exchange, the older public feed of the same book.
//!
//! Documentation: "Coinbase Exchange: WebSocket Channels". Absent: the channels that need a key (known, not read), local
//! order books.

mod message;
mod parse;

pub use parse::parse;

#[cfg(test)]
mod tests;
