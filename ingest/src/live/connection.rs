//! One connection, kept: made, asked for its feeds, read, and made again. One task each.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use contract::time::Clock;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message, Utf8Bytes};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
};

use super::ConnectionSettings;
use super::backoff::Backoff;
use super::ending::Ending;
use super::liveness::{Liveness, is_shutdown};
use super::queue::{Event, Gone, Queue};
use super::subscribe::Plan;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A message that the venue does not take within this ends the connection.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a polite goodbye may take.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);
/// Silence is looked for at least this often.
const LONGEST_CHECK: Duration = Duration::from_secs(1);

/// Keeps one connection.
pub(super) struct Keeper {
    pub(super) connection: ConnectionSettings,
    pub(super) plan: Plan,
    pub(super) connect_timeout: Duration,
    pub(super) spacing: Duration,
    pub(super) backoff: Backoff,
    pub(super) connector: Connector,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) queue: Queue,
    pub(super) stopped: watch::Receiver<bool>,
}

impl Keeper {
    /// Runs until told to stop, or until nobody listens any more.
    pub(super) async fn keep(mut self) {
        let mut address = 0;
        loop {
            let began = Instant::now();
            let url = self.connection.urls[address % self.connection.urls.len()].clone();
            let (ending, had_data) = self.attempt(&url).await;
            if had_data {
                self.backoff.reset();
            } else {
                address += 1;
            }
            self.log(&url, &ending);
            let told = self.queue.tell(Event::Ended {
                dialect: self.connection.dialect,
                at_ns: self.clock.now_ns(),
                reason: ending.to_string(),
            });
            if told.await.is_err() || matches!(ending, Ending::Stopped) {
                return;
            }
            let wait = match ending {
                Ending::Shutdown => Duration::ZERO,
                _ => self.backoff.next().max(ending.retry_after()),
            };
            let earliest = (Instant::now() + wait).max(began + self.spacing);
            tokio::select! {
                () = stopped(&mut self.stopped) => return,
                () = sleep_until(earliest) => {}
            }
        }
    }

    /// Connects and reads to the end; also tells whether data came.
    async fn attempt(&mut self, url: &str) -> (Ending, bool) {
        let mut socket = match self.connect(url).await {
            Ok(socket) => socket,
            Err(ending) => return (ending, false),
        };
        let dialect = self.connection.dialect;
        tracing::info!(dialect = dialect.capture_name(), url, "connected");
        let told = self.queue.tell(Event::Connected {
            dialect,
            at_ns: self.clock.now_ns(),
            url: url.to_owned(),
        });
        if told.await.is_err() {
            return (Ending::Stopped, false);
        }
        let mut liveness = Liveness::new(self.connection.silent_after, Instant::now());
        let ending = self.read(&mut socket, &mut liveness).await;
        // Whether the goodbye arrives makes no difference any more.
        let _ = timeout(CLOSE_TIMEOUT, socket.close(None)).await;
        (ending, liveness.had_data())
    }

    async fn connect(&mut self, url: &str) -> Result<Socket, Ending> {
        let venue = self.connection.dialect.venue();
        let limit = Some(self.connection.max_message_bytes);
        let config = WebSocketConfig::default()
            .max_message_size(limit)
            .max_frame_size(limit);
        let address = format!("{}{}", url.trim_end_matches('/'), self.plan.path);
        let connector = Some(self.connector.clone());
        let connecting = connect_async_tls_with_config(address, Some(config), true, connector);
        let connected = tokio::select! {
            () = stopped(&mut self.stopped) => return Err(Ending::Stopped),
            connected = timeout(self.connect_timeout, connecting) => connected,
        };
        match connected {
            Ok(Ok((socket, _))) => Ok(socket),
            Ok(Err(error)) => Err(Ending::of_attempt(venue, url, error)),
            Err(_) => Err(Ending::ConnectTimeout {
                url: url.to_owned(),
                ms: self.connect_timeout.as_millis(),
            }),
        }
    }

    /// Asks for the feeds and reads frames, both at once: data comes before the answers.
    async fn read(&mut self, socket: &mut Socket, liveness: &mut Liveness) -> Ending {
        let mut to_send: VecDeque<String> = self.plan.messages.iter().cloned().collect();
        let mut next_send = Instant::now();
        let check =
            (self.connection.silent_after / 4).clamp(Duration::from_millis(1), LONGEST_CHECK);
        let mut checks = interval(check);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let message = tokio::select! {
                biased;
                () = stopped(&mut self.stopped) => return Ending::Stopped,
                () = sleep_until(next_send), if !to_send.is_empty() => {
                    next_send = Instant::now() + self.plan.spacing;
                    if let Some(ending) = self.send(socket, to_send.pop_front()).await {
                        return ending;
                    }
                    continue;
                }
                message = socket.next() => Some(message),
                _ = checks.tick() => None,
            };
            let ending = match message {
                Some(Some(Ok(message))) => self.take(message, liveness).await,
                Some(Some(Err(error))) => Some(self.ending_of(error)),
                Some(None) => Some(Ending::ClosedBare),
                None => None,
            };
            if let Some(ending) = ending {
                return ending;
            }
            if liveness.is_silent(Instant::now()) {
                return Ending::Silent(self.connection.silent_after.as_millis());
            }
        }
    }

    async fn send(&self, socket: &mut Socket, text: Option<String>) -> Option<Ending> {
        let message = Message::text(text?);
        match timeout(SEND_TIMEOUT, socket.send(message)).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(self.ending_of(error)),
            Err(_) => Some(Ending::SendTimeout(SEND_TIMEOUT.as_millis())),
        }
    }

    fn ending_of(&self, error: SocketError) -> Ending {
        Ending::of_error(self.connection.dialect.venue(), error)
    }

    /// Puts a message into the queue; tells where the connection ends with it.
    async fn take(&self, message: Message, liveness: &mut Liveness) -> Option<Ending> {
        let received_ns = self.clock.now_ns();
        let dialect = self.connection.dialect;
        let text = match message {
            Message::Text(text) => text,
            // No venue sends such, but text in a binary message is text all the same.
            Message::Binary(bytes) => match Utf8Bytes::try_from(bytes.clone()) {
                Ok(text) => text,
                Err(_) => {
                    let event = |room| Event::NotText {
                        dialect,
                        received_ns,
                        bytes: bytes.clone(),
                        _room: room,
                    };
                    return self.put(bytes.len(), event, liveness).await;
                }
            },
            Message::Close(frame) => return Some(Ending::of_close(frame)),
            // Pongs are sent by the library.
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => return None,
        };
        liveness.frame(dialect, &text, Instant::now());
        let shutdown = is_shutdown(dialect, &text);
        let event = |room| Event::Frame {
            dialect,
            received_ns,
            text: text.clone(),
            _room: room,
        };
        let ending = self.put(text.len(), event, liveness).await;
        ending.or_else(|| shutdown.then_some(Ending::Shutdown))
    }

    async fn put(
        &self,
        bytes: usize,
        event: impl FnOnce(OwnedSemaphorePermit) -> Event,
        liveness: &mut Liveness,
    ) -> Option<Ending> {
        let before = Instant::now();
        match self.queue.message(bytes, event).await {
            Ok(false) => None,
            Ok(true) => {
                liveness.excuse(before.elapsed());
                None
            }
            Err(Gone) => Some(Ending::Stopped),
        }
    }

    fn log(&self, url: &str, ending: &Ending) {
        let dialect = self.connection.dialect.capture_name();
        match ending {
            Ending::Stopped => tracing::info!(dialect, url, "connection closed"),
            ending => tracing::warn!(dialect, url, reason = %ending, "connection ended"),
        }
    }
}

/// Waits until told to stop; whoever told may be gone since.
async fn stopped(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
