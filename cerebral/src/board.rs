//! OpenBCI boards: bytes of a serial line become samples, and what was lost on the way is known.
//!
//! In: bytes as they come, in pieces of any size. Out: packets with their ids, and how many bytes were passed over. Pure: the port,
//! its clock and its time-outs are the caller's.
//!
//! - [`packet`]: the 33 bytes of a Cyton, to and fro.
//! - [`decoder`]: finds packets in a stream that loses, gains and flips bytes.
//! - [`daisy`]: sixteen channels from two boards that take turns.
//! - [`skew`]: both boards on one time.
//! - [`arrivals`]: samples on the way to their places.
//! - [`session`]: what a board is told, and what to do when it falls silent.

pub mod arrivals;
pub mod daisy;
pub mod decoder;
pub mod packet;
pub mod session;
pub mod skew;
