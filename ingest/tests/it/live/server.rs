//! A venue on a loopback port, as good or as bad as a test wants it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

pub(super) struct Server {
    pub(super) url: String,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Serves each connection with `handle`, which is told its number, counted from 0.
    pub(super) async fn start<F, Served>(handle: F) -> Self
    where
        F: Fn(usize, TcpStream) -> Served + Send + Sync + 'static,
        Served: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(handle(count.fetch_add(1, Ordering::SeqCst), stream));
            }
        });
        Self { url, connections }
    }

    /// How many connections came.
    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// The venue's end of a WebSocket.
pub(super) struct Peer {
    pub(super) socket: WebSocketStream<TcpStream>,
    /// What was asked for in the address.
    pub(super) path: String,
}

impl Peer {
    pub(super) async fn accept(stream: TcpStream) -> Self {
        let mut path = String::new();
        #[expect(clippy::result_large_err, reason = "the library's own signature")]
        let look = |request: &Request, response: Response| {
            path = request.uri().to_string();
            Ok(response)
        };
        let socket = tokio_tungstenite::accept_hdr_async(stream, look)
            .await
            .unwrap();
        Self { socket, path }
    }

    /// Sends a text; a client that has gone is no fault of the server.
    pub(super) async fn text(&mut self, text: impl Into<String>) {
        let _ = self.socket.send(Message::text(text.into())).await;
    }

    pub(super) async fn send(&mut self, message: Message) {
        let _ = self.socket.send(message).await;
    }

    /// The next message; nothing once the client has gone.
    pub(super) async fn next(&mut self) -> Option<Message> {
        self.socket.next().await?.ok()
    }

    /// Reads on until the client goes, so that pings and closes are answered.
    pub(super) async fn stay(mut self) {
        while self.next().await.is_some() {}
    }
}

/// Answers with an HTTP status and no WebSocket.
pub(super) async fn refuse(mut stream: TcpStream, status: &str) {
    // Without reading the request, closing the socket would reset the connection.
    let mut request = [0_u8; 4_096];
    let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut request).await;
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}
