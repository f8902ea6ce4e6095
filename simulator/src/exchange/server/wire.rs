//! One connection's socket: the handshake, frames out, messages in, and the ways in which sockets end badly.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::http::header::RETRY_AFTER;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message};

use super::super::engine::first_half;
use super::{Drain, Gate, Output, Server};

/// Frames that are handed to the socket before it is flushed.
const BATCH: usize = 256;
/// How long the answer to a goodbye is waited for.
const GOODBYE: Duration = Duration::from_secs(1);

/// Serves one client until it goes, is told to go, or everything stops.
pub(super) async fn serve<S>(stream: S, server: Server, mut gate: watch::Receiver<Gate>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let mut stopped = server.stopped.clone();
    tokio::select! {
        _ = stopped.wait_for(|stopped| *stopped) => {}
        () = attend(stream, &server, &mut gate) => {}
    }
}

async fn attend<S>(stream: S, server: &Server, gate: &mut watch::Receiver<Gate>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let now = *gate.borrow_and_update();
    if now == Gate::Hang {
        server.shared.act(|engine| engine.refused(server.dialect));
        // The client hears nothing until it goes, or the fault is over.
        let _ = gate.wait_for(|gate| *gate != Gate::Hang).await;
        return;
    }
    let mut drain = None;
    #[expect(clippy::result_large_err, reason = "the library's own signature")]
    let look = |request: &Request, response: Response| {
        let address = request.uri().path_and_query();
        let address = address.map_or("/", |address| address.as_str());
        if let Gate::Answer(status, retry_after) = now {
            server.shared.act(|engine| engine.refused(server.dialect));
            return Err(answer(status, retry_after));
        }
        drain = server.shared.connect(server.dialect, address);
        match &drain {
            Some(_) => Ok(response),
            None => Err(answer(404, None)),
        }
    };
    let shaken = tokio_tungstenite::accept_hdr_async(stream, look).await;
    let Some(Drain {
        id,
        queue,
        mut cut_off,
    }) = drain
    else {
        return;
    };
    let reason = match shaken {
        Err(error) => error.to_string(),
        Ok(socket) => {
            let connection = Connection { socket, server, id };
            tokio::select! {
                // A client that takes nothing hangs in the writing: only this gets it out.
                _ = &mut cut_off => "cut off".to_owned(),
                reason = connection.run(queue, gate) => reason,
            }
        }
    };
    server.shared.gone(server.dialect, id, &reason);
}

fn answer(status: u16, retry_after_s: Option<u64>) -> ErrorResponse {
    let mut answer = ErrorResponse::new(None);
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    if let Some(seconds) = retry_after_s {
        answer.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    answer
}

struct Connection<'a, S> {
    socket: WebSocketStream<S>,
    server: &'a Server,
    id: u64,
}

/// Why a connection goes on no longer.
enum End {
    /// The client closed, or the socket broke.
    Gone(String),
    /// The last output was sent.
    Done,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<'_, S> {
    async fn run(
        mut self,
        mut queue: tokio::sync::mpsc::Receiver<Output>,
        gate: &mut watch::Receiver<Gate>,
    ) -> String {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            if gate.wait_for(|gate| *gate != Gate::Frozen).await.is_err() {
                return "stopped".to_owned();
            }
            let end = tokio::select! {
                count = queue.recv_many(&mut batch, BATCH) => match count {
                    0 => Err(End::Done),
                    _ => self.send(&mut batch).await,
                },
                message = self.socket.next() => self.hear(message),
                _ = gate.changed() => Ok(()),
            };
            match end {
                Ok(()) => {}
                Err(End::Done) => return "done".to_owned(),
                Err(End::Gone(reason)) => return reason,
            }
        }
    }

    async fn send(&mut self, batch: &mut Vec<Output>) -> Result<(), End> {
        let gone = |error: Error| End::Gone(error.to_string());
        for output in batch.drain(..) {
            match output {
                Output::Text(text) => self.socket.feed(Message::text(text)).await.map_err(gone)?,
                Output::Ping(payload) => {
                    let ping = Message::Ping(Bytes::from(payload));
                    self.socket.feed(ping).await.map_err(gone)?;
                }
                Output::Close { code, reason } => {
                    let frame = CloseFrame {
                        code: code.into(),
                        reason: reason.into(),
                    };
                    let _ = self.socket.close(Some(frame)).await;
                    let farewell = async { while let Some(Ok(_)) = self.socket.next().await {} };
                    let _ = timeout(GOODBYE, farewell).await;
                    return Err(End::Done);
                }
                Output::Cut(text) => {
                    let _ = self.socket.flush().await;
                    let stream = self.socket.get_mut();
                    let _ = stream.write_all(&half_frame(&text)).await;
                    let _ = stream.flush().await;
                    return Err(End::Done);
                }
                Output::Abort => {
                    let _ = self.socket.flush().await;
                    return Err(End::Done);
                }
            }
        }
        self.socket.flush().await.map_err(gone)
    }

    fn hear(&self, message: Option<Result<Message, Error>>) -> Result<(), End> {
        let (shared, dialect, id) = (&self.server.shared, self.server.dialect, self.id);
        match message {
            Some(Ok(Message::Text(text))) => {
                shared.act(|engine| engine.hear(dialect, id, &text));
            }
            Some(Ok(Message::Binary(bytes))) => {
                let text = String::from_utf8_lossy(&bytes);
                shared.act(|engine| engine.hear(dialect, id, &text));
            }
            // The library answers.
            Some(Ok(Message::Ping(_))) => shared.act(|engine| engine.pinged(dialect, id)),
            Some(Ok(Message::Pong(payload))) => {
                shared.act(|engine| engine.ponged(dialect, id, &payload));
            }
            Some(Ok(Message::Close(frame))) => {
                let told = frame.map_or_else(String::new, |frame| format!(": {frame}"));
                return Err(End::Gone(format!("closed by the client{told}")));
            }
            Some(Ok(Message::Frame(_))) => {}
            Some(Err(error)) => return Err(End::Gone(error.to_string())),
            None => return Err(End::Gone("closed by the client".to_owned())),
        }
        Ok(())
    }
}

/// The head of a text frame that promises `text`, and the first half of it.
fn half_frame(text: &str) -> Vec<u8> {
    const FINAL_TEXT: u8 = 0x81;
    let mut bytes = vec![FINAL_TEXT];
    match u16::try_from(text.len()) {
        Ok(short) if short < 126 => bytes.push(u8::try_from(short).unwrap_or(0)),
        Ok(middle) => {
            bytes.push(126);
            bytes.extend(middle.to_be_bytes());
        }
        Err(_) => {
            bytes.push(127);
            bytes.extend(u64::try_from(text.len()).unwrap_or(0).to_be_bytes());
        }
    }
    bytes.extend(first_half(text).as_bytes());
    bytes
}
