//! `spreads` -> episodes -> Discord. **Not built yet**: this crate is a page that says what will live here.
//!
//! In: closed windows from `spreads`, connection states from `venues`. Out: one Discord message per episode, edited while
//! the episode lasts, and the newest state of every episode on `alerts`.
//!
//! Planned reading order: `rule` (threshold, hysteresis, cooldown, quiet hours) -> `episode` (open, update, close; pure) ->
//! `throttle` (limits as the answers' headers state them) -> `message` (embeds within Discord's sizes) -> `discord` (the
//! one socket) -> `run` (the shell; offsets are committed after Discord has answered).
//!
//! Deliberately absent: any knowledge of exchanges, and any decimal arithmetic; a spread arrives finished.
