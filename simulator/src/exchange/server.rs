//! The sockets: a thin shell around the engine.
//!
//! ```text
//! clock, every 2 ms --> engine --(one bounded queue per connection)--> socket --> client
//!                         ^-------------- messages, pings, pongs ------/
//! ```
//!
//! **When a connection's queue is full** ([`Limits::waiting_frames`](super::Limits::waiting_frames)) the client is cut off,
//! as venues do with those who cannot follow, and that is counted.

mod wire;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::time::Clock;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_rustls::TlsAcceptor;

use super::{ConnectionId, Dialect, Engine, Gate, Output};

/// How often the market is looked at.
const TICK: Duration = Duration::from_millis(2);
/// Between two attempts at getting a port back.
const REBIND: Duration = Duration::from_millis(20);

/// The engine and the ways to its connections, under one lock.
pub(super) struct Shared {
    core: Mutex<Core>,
    clock: Arc<dyn Clock>,
    waiting_frames: usize,
    gates: HashMap<Dialect, watch::Sender<Gate>>,
}

struct Core {
    engine: Engine,
    wires: HashMap<ConnectionId, Wire>,
}

/// The way to a connection's socket, kept until its task is done. Dropped before, the connection is cut off at once.
struct Wire {
    dialect: Dialect,
    queue: Sender<Output>,
    /// Says nothing: its end is the word.
    _life: oneshot::Sender<()>,
}

/// The socket's end of a [`Wire`].
pub(super) struct Drain {
    pub(super) id: ConnectionId,
    pub(super) queue: Receiver<Output>,
    pub(super) cut_off: oneshot::Receiver<()>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(engine: Engine, clock: Arc<dyn Clock>, waiting_frames: usize) -> Self {
        let gates = engine.dialects().map(|dialect| {
            let gate = engine.gate(dialect);
            (dialect, watch::Sender::new(gate))
        });
        Self {
            gates: gates.collect(),
            core: Mutex::new(Core {
                engine,
                wires: HashMap::new(),
            }),
            clock,
            waiting_frames: waiting_frames.max(1),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Core> {
        // A panic elsewhere makes no frame wrong.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings the market up to now, does something, and hands on what follows.
    pub(super) fn act<T>(&self, act: impl FnOnce(&mut Engine) -> T) -> T {
        let mut core = self.lock();
        core.engine.advance(self.clock.now_ns());
        let done = act(&mut core.engine);
        self.hand_on(&mut core);
        done
    }

    fn hand_on(&self, core: &mut Core) {
        for (id, _, output) in core.engine.take() {
            let Some(wire) = core.wires.get(&id) else {
                continue;
            };
            match wire.queue.try_send(output) {
                Ok(()) => {}
                Err(TrySendError::Full(_)) => {
                    core.engine.too_slow(wire.dialect, id);
                    core.wires.remove(&id);
                }
                // The client has left, which its task is about to tell.
                Err(TrySendError::Closed(_)) => {}
            }
        }
        for (dialect, gate) in &self.gates {
            let now = core.engine.gate(*dialect);
            gate.send_if_modified(|gate| std::mem::replace(gate, now) != now);
        }
    }

    /// Makes a connection; nothing where `address` is none of a feed.
    fn connect(&self, dialect: Dialect, address: &str) -> Option<Drain> {
        let mut core = self.lock();
        core.engine.advance(self.clock.now_ns());
        let id = core.engine.connect(dialect, address)?;
        let (queue, outputs) = channel(self.waiting_frames);
        let (life, cut_off) = oneshot::channel();
        let wire = Wire {
            dialect,
            queue,
            _life: life,
        };
        core.wires.insert(id, wire);
        self.hand_on(&mut core);
        Some(Drain {
            id,
            queue: outputs,
            cut_off,
        })
    }

    fn gone(&self, dialect: Dialect, id: ConnectionId, reason: &str) {
        let mut core = self.lock();
        core.engine.gone(dialect, id, reason);
        core.wires.remove(&id);
    }
}

/// Lets the market run.
pub(super) async fn run_market(shared: Arc<Shared>, mut stopped: watch::Receiver<bool>) {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return,
            _ = ticks.tick() => shared.act(|_| ()),
        }
    }
}

/// One server.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) shared: Arc<Shared>,
    pub(super) dialect: Dialect,
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) stopped: watch::Receiver<bool>,
}

impl Server {
    /// Takes connections until stopped, as the gate has it.
    pub(super) async fn listen(self, listener: TcpListener) {
        let Ok(address) = listener.local_addr() else {
            return;
        };
        let Some(gate) = self.shared.gates.get(&self.dialect) else {
            return;
        };
        let mut gate = gate.subscribe();
        let mut stopped = self.stopped.clone();
        let mut listener = Some(listener);
        let mut connections = JoinSet::new();
        loop {
            let now = *gate.borrow_and_update();
            if now == Gate::Refuse {
                listener = None;
            } else if listener.is_none() {
                listener = TcpListener::bind(address).await.ok();
            }
            tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => return,
                _ = gate.changed() => {}
                // Somebody else may hold the port for a moment.
                () = sleep(REBIND), if listener.is_none() && now != Gate::Refuse => {}
                accepted = accept(listener.as_ref()) => {
                    if let Some(stream) = accepted {
                        let server = self.clone();
                        let gate = gate.clone();
                        connections.spawn(server.serve(stream, gate));
                    }
                }
                Some(_) = connections.join_next() => {}
            }
        }
    }

    async fn serve(self, stream: TcpStream, gate: watch::Receiver<Gate>) {
        // Small frames should not wait for company.
        let _ = stream.set_nodelay(true);
        match &self.tls {
            None => wire::serve(stream, self, gate).await,
            Some(config) => {
                let acceptor = TlsAcceptor::from(Arc::clone(config));
                match acceptor.accept(stream).await {
                    Ok(stream) => wire::serve(stream, self, gate).await,
                    Err(error) => tracing::debug!(%error, "no TLS with a client"),
                }
            }
        }
    }
}

/// The next connection; for ever nothing where nobody listens.
async fn accept(listener: Option<&TcpListener>) -> Option<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.ok().map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}
