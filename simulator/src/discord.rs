//! A stand-in for Discord's webhooks on a loopback port, with real limits, real headers and real faults.
//!
//! ```text
//! POST  /api/webhooks/ID/TOKEN?wait=true          limits -> fault -> form -> kept, and answered
//! PATCH, GET, DELETE .../messages/MESSAGE         the same
//! GET   /messages, /healthz                       every message as it stands; whether it lives: doors of its own
//! ```
//!
//! In: requests as a webhook's client sends them, and commands from a test or a person ([`Discord`]). Out: answers as
//! Discord's documentation gives them, and the memory of everything it was told. Deliberately absent: channels, users,
//! files, components.
//!
//! - [`Limits`] and `limit`: how many requests are let through. Pure.
//! - `form`: what a body may hold, and the error that names what it may not. Pure.
//! - `memory`: messages, their edits, every request.
//! - `server`: the sockets, and what goes wrong on them ([`Fault`]).

mod form;
mod limit;
mod listener;
mod memory;
mod server;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

pub use limit::{Limiter, Limits, Scope, Verdict};
pub use memory::{Edit, Kind, Message, Request};

use crate::address::reachable;
use server::Shared;

/// What goes wrong with a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// This status, with Discord's body for it (401: token, 404: webhook, 5xx: none). Nothing is kept.
    Status(u16),
    /// 429 with this time to wait and this scope.
    Limited(Duration, Scope),
    /// 429 as the edge in front of Discord gives it: HTML, and whole seconds in `Retry-After`.
    LimitedAtTheEdge(u32),
    /// No answer, ever; nothing is kept.
    Hang,
    /// An answer after this time.
    Slow(Duration),
    /// Kept at once, answered after this time.
    Late(Duration),
    /// The connection ends without an answer; nothing is kept.
    Cut,
    /// The message is kept (or edited), then the connection ends without an answer.
    AnswerLost,
    /// Kept, and answered with something that is not JSON.
    Garbled,
}

/// The stand-in; it ends when it is dropped.
#[derive(Debug)]
pub struct Discord {
    address: SocketAddr,
    shared: Arc<Shared>,
    end: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Discord {
    /// Starts on a free port of 127.0.0.1, on a thread of its own.
    ///
    /// # Errors
    /// What the system says against a socket, a runtime or a thread.
    pub fn start(limits: Limits) -> std::io::Result<Self> {
        Self::start_at(SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, 0)), limits)
    }

    /// Starts at this address.
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_at(address: SocketAddr, limits: Limits) -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let shared = Arc::new(Shared::new(limits));
        let (end, ended) = tokio::sync::oneshot::channel();
        let serving = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("discord".to_owned())
            .spawn(move || {
                let served = runtime.block_on(server::serve(listener, serving, ended));
                if let Err(error) = served {
                    tracing::error!(%error, "the stand-in for Discord ended");
                }
            })?;
        tracing::info!(%address, "a stand-in for Discord listens");
        Ok(Self {
            address,
            shared,
            end: Some(end),
            thread: Some(thread),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address of its webhook, for clients on this machine.
    #[must_use]
    pub fn url(&self) -> String {
        format!(
            "http://{}/api/webhooks/{}/{}",
            reachable(self.address),
            server::WEBHOOK,
            server::TOKEN
        )
    }

    /// The secret part of [`Self::url`], to look for where it must not be.
    #[must_use]
    pub fn token(&self) -> &'static str {
        server::TOKEN
    }

    /// Changes the limits from now on; what was counted is forgotten.
    pub fn set_limits(&self, limits: Limits) {
        self.shared.set_limits(limits);
    }

    /// The next requests meet these faults, one each, after those already asked for.
    pub fn next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.shared.next(faults);
    }

    /// Every request meets this fault until another is set; none is all well.
    pub fn always(&self, fault: Option<Fault>) {
        self.shared.always(fault);
    }

    /// Deletes a message, as a person does. False if there is none.
    pub fn delete(&self, message_id: &str) -> bool {
        self.shared.memory().delete(message_id)
    }

    /// The messages it keeps (the newest 10,000 at least), in the order in which they came, those deleted left out.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.shared.memory().messages()
    }

    /// The requests it has answered or left without an answer (the newest 10,000 at least), in the order in which they came.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.memory().requests.clone()
    }
}

impl Drop for Discord {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the stand-in for Discord panicked");
        }
    }
}
