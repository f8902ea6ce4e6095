//! The outside world, honestly imitated over real sockets. **Not built yet**: this crate is a page that says what will
//! live here.
//!
//! Planned: `exchange` (WebSocket servers that speak the venues' dialects over a seeded market whose truth is known, and
//! misbehave on command), `headset` (an OpenBCI board on a pseudo-terminal), `discord` (a webhook endpoint with real limits).
