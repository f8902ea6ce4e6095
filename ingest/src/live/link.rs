//! One connection: made, asked for its feeds, read to its end. Whoever keeps it looks at what it delivers meanwhile and may
//! ask it to close.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contract::time::Clock;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, OwnedSemaphorePermit, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message, Utf8Bytes};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
};

use super::ConnectionSettings;
use super::deliveries::Deliveries;
use super::ending::Ending;
use super::pace::Pace;
use super::queue::{Event, Gone, Queue};
use super::subscribe::Plan;
use super::tally::Counts;
use crate::core::Connection;
use crate::venue::Kind;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A message that the venue does not take within this ends the connection.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a polite goodbye may take.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);
/// Silence is looked for at least this often.
const LONGEST_CHECK: Duration = Duration::from_secs(1);

/// What all connections to one venue have in common.
pub(super) struct Common {
    pub(super) connection: ConnectionSettings,
    pub(super) plan: Plan,
    pub(super) connect_timeout: Duration,
    pub(super) connector: Connector,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) queue: Queue,
    pub(super) counts: Arc<Counts>,
    pub(super) stopped: watch::Receiver<bool>,
}

/// What can be seen of a connection from outside.
#[derive(Default)]
pub(super) struct View {
    deliveries: Mutex<Option<Deliveries>>,
    is_announced: AtomicBool,
    /// Told when its end was announced.
    pub(super) announced: Notify,
}

impl View {
    /// What it has delivered; nothing before it was made.
    pub(super) fn deliveries(&self) -> MutexGuard<'_, Option<Deliveries>> {
        self.deliveries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the venue has announced to close it.
    pub(super) fn is_announced(&self) -> bool {
        self.is_announced.load(Ordering::Relaxed)
    }

    fn of<T>(&self, look: impl FnOnce(&mut Deliveries) -> T) -> Option<T> {
        self.deliveries().as_mut().map(look)
    }
}

/// One connection.
pub(super) struct Link {
    pub(super) common: Arc<Common>,
    pub(super) number: u64,
    pub(super) url: String,
    pub(super) view: Arc<View>,
}

/// Asks a connection to close, and for what reason.
type Closed = oneshot::Receiver<Ending>;

impl Link {
    /// Connects and reads to the end, which is told in the log and in the queue.
    pub(super) async fn run(self, mut closed: Closed) -> Ending {
        let ending = self.attempt(&mut closed).await;
        self.log(&ending);
        let told = self.common.queue.tell(Event::Ended {
            connection: self.connection(),
            at_ns: self.common.clock.now_ns(),
            reason: ending.to_string(),
        });
        match told.await {
            Ok(()) => ending,
            Err(Gone) => Ending::Stopped,
        }
    }

    fn connection(&self) -> Connection {
        Connection {
            dialect: self.common.connection.dialect,
            number: self.number,
        }
    }

    async fn attempt(&self, closed: &mut Closed) -> Ending {
        let asked = asked_to_end(self.common.stopped.clone(), closed);
        tokio::pin!(asked);
        let mut socket = tokio::select! {
            ending = &mut asked => return ending,
            connected = self.connect() => match connected {
                Ok(socket) => socket,
                Err(ending) => return ending,
            },
        };
        let Link { common, url, .. } = self;
        let dialect = common.connection.dialect.capture_name();
        tracing::info!(dialect, url, number = self.number, "connected");
        let told = common.queue.tell(Event::Connected {
            connection: self.connection(),
            at_ns: common.clock.now_ns(),
            url: url.clone(),
        });
        if told.await.is_err() {
            return Ending::Stopped;
        }
        let deliveries = Deliveries::new(&common.connection, Instant::now());
        *self.view.deliveries() = Some(deliveries);
        let ending = tokio::select! {
            biased;
            ending = &mut asked => ending,
            ending = self.read(&mut socket) => ending,
        };
        // Whether the goodbye arrives makes no difference any more.
        let _ = timeout(CLOSE_TIMEOUT, socket.close(None)).await;
        ending
    }

    async fn connect(&self) -> Result<Socket, Ending> {
        let Common {
            connection,
            plan,
            connect_timeout,
            connector,
            ..
        } = &*self.common;
        let (venue, url) = (connection.dialect.venue(), &self.url);
        let limit = Some(connection.max_message_bytes);
        let config = WebSocketConfig::default()
            .max_message_size(limit)
            .max_frame_size(limit);
        let address = format!("{}{}", url.trim_end_matches('/'), plan.path);
        let connector = Some(connector.clone());
        let connecting = connect_async_tls_with_config(address, Some(config), true, connector);
        match timeout(*connect_timeout, connecting).await {
            Ok(Ok((socket, _))) => Ok(socket),
            Ok(Err(error)) => Err(Ending::of_attempt(venue, url, error)),
            Err(_) => Err(Ending::ConnectTimeout {
                url: url.clone(),
                ms: connect_timeout.as_millis(),
            }),
        }
    }

    /// Asks for the feeds and reads frames, both at once: data comes before the answers.
    async fn read(&self, socket: &mut Socket) -> Ending {
        let Common {
            connection, plan, ..
        } = &*self.common;
        let mut to_send: VecDeque<String> = plan.messages.iter().cloned().collect();
        let mut pace = Pace::new(plan.messages_per_s);
        let mut next_send = Instant::now();
        let check = (connection.silent_after / 4).clamp(Duration::from_millis(1), LONGEST_CHECK);
        let mut checks = interval(check);
        checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let message = tokio::select! {
                biased;
                () = sleep_until(next_send), if !to_send.is_empty() => {
                    next_send = pace.place(Instant::now()) + plan.spacing;
                    if let Some(ending) = self.send(socket, to_send.pop_front()).await {
                        return ending;
                    }
                    continue;
                }
                message = socket.next() => Some(message),
                _ = checks.tick() => None,
            };
            let ending = match message {
                // The library answers it as soon as we read on.
                Some(Some(Ok(Message::Ping(_)))) => {
                    let now = Instant::now();
                    let answer_at = pace.place(now);
                    sleep_until(answer_at).await;
                    self.view.of(|on| on.excuse(answer_at.duration_since(now)));
                    None
                }
                Some(Some(Ok(message))) => self.take(message).await,
                Some(Some(Err(error))) => Some(self.ending_of(error)),
                Some(None) => Some(Ending::ClosedBare),
                None => None,
            };
            if let Some(ending) = ending {
                return ending;
            }
            if self.view.of(|on| on.is_silent(Instant::now())) == Some(true) {
                return Ending::Silent(connection.silent_after.as_millis());
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
        Ending::of_error(self.common.connection.dialect.venue(), error)
    }

    /// Puts a message into the queue; tells where the connection ends with it.
    async fn take(&self, message: Message) -> Option<Ending> {
        let received_ns = self.common.clock.now_ns();
        let connection = self.connection();
        let text = match message {
            Message::Text(text) => text,
            // No venue sends such, but text in a binary message is text all the same.
            Message::Binary(bytes) => match Utf8Bytes::try_from(bytes.clone()) {
                Ok(text) => text,
                Err(_) => {
                    let event = |room| Event::NotText {
                        connection,
                        received_ns,
                        bytes: bytes.clone(),
                        _room: room,
                    };
                    return self.put(bytes.len(), event).await;
                }
            },
            Message::Close(frame) => return Some(Ending::of_close(frame)),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => return None,
        };
        let kind = self.view.of(|on| on.frame(&text, Instant::now())).flatten();
        let event = |room| Event::Frame {
            connection,
            received_ns,
            text: text.clone(),
            _room: room,
        };
        let ending = self.put(text.len(), event).await;
        if kind == Some(Kind::ServerShutdown) {
            self.view.is_announced.store(true, Ordering::Relaxed);
            self.view.announced.notify_one();
        }
        ending
    }

    async fn put(
        &self,
        bytes: usize,
        event: impl FnOnce(OwnedSemaphorePermit) -> Event,
    ) -> Option<Ending> {
        let before = Instant::now();
        match self.common.queue.message(bytes, event).await {
            Ok(false) => None,
            Ok(true) => {
                self.common.counts.waits.fetch_add(1, Ordering::Relaxed);
                self.view.of(|on| on.excuse(before.elapsed()));
                None
            }
            Err(Gone) => Some(Ending::Stopped),
        }
    }

    fn log(&self, ending: &Ending) {
        let dialect = self.common.connection.dialect.capture_name();
        let (url, number) = (&self.url, self.number);
        if ending.is_our_wish() {
            tracing::info!(dialect, url, number, reason = %ending, "connection closed");
        } else {
            tracing::warn!(dialect, url, number, reason = %ending, "connection ended");
        }
    }
}

/// Waits until everything stops or this connection is to close; whoever could tell may be gone since.
async fn asked_to_end(mut stopped: watch::Receiver<bool>, closed: &mut Closed) -> Ending {
    let stop = async {
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    tokio::select! {
        biased;
        () = stop => Ending::Stopped,
        closed = closed => closed.unwrap_or(Ending::Stopped),
    }
}
