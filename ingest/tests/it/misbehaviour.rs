//! Live ingest against imitated exchanges that misbehave on command: what the records say, and that all recovers without a
//! restart.
//!
//! Real sockets, real time, short limits. Each scenario runs until what it waits for has happened; none asserts how fast.

mod delivery;
mod outage;
mod rubbish;
mod takeover;
mod world;
