//! A session as it comes, window by window.
//!
//! ```text
//! blocks of samples -> stretches -> buffers (window and guards) -> window -> state
//!                                                                   |  ^
//!                                                   its surrogates  v  |  those of the windows before
//!                                                                  rolling null
//! ```
//!
//! - [`window`]: what a window says, a pure function of its own buffer.
//! - [`stretch`]: the windows of a gap-free stretch, on the window machine of `windowing`.
//! - [`twin`]: the network that goes along, what it says of the next window, and what a stimulation does to it.
//! - [`session`]: sessions as their blocks come, and which stretch a block belongs to.
//! - [`partition`]: the sessions of a partition of `eeg-samples`, records in, records out.
//! - [`record`]: a window as its record.
//! - [`checkpoint`]: a partition as one plain value.
//! - [`work`]: all of it as the work of a job.
//!
//! The offline analysis of a file goes the same way where it is asked for windows of buffers, so that a stream and a file give
//! the same bits. Absent: sockets, brokers, clocks, and who stored the blocks.

pub mod checkpoint;
pub mod partition;
pub mod record;
pub mod session;
pub mod stretch;
pub mod twin;
pub mod window;
pub mod work;
