//! Topics -> a ratatui screen. **Not built yet**: this crate is a page that says what will live here.
//!
//! Planned reading order: `message` -> `app` (state; `update` does no I/O) -> `view` (`draw` takes `&App`) -> `input` ->
//! `feed` (the thread that reads Kafka, apart from the one that draws) -> `terminal` (given back on error and on panic).
