//! Binance spot and Binance.US: one language, two books.
//!
//! Documentation: "Web Socket Streams for Binance" (binance-spot-api-docs, `web-socket-streams.md`). Raw frames
//! (`/ws/...`) and combined ones (`/stream?streams=...`, wrapped as `{"stream":..,"data":..}`) are read alike, and times in
//! milliseconds or microseconds. Absent: local order books; depth is numbered and known, not kept.

mod message;
mod parse;

pub use parse::parse;

#[cfg(test)]
mod tests;
