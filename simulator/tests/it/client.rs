//! A plain WebSocket client.

use std::sync::Arc;
use std::time::Duration;

use contract::time::SystemClock;
use futures_util::{SinkExt, StreamExt};
use simulator::exchange::{Dialect, Exchanges, ExchangesSettings};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Far more than any of these tests needs; a test that waits so long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

/// Serves; the market goes by the clock of this machine.
pub(crate) async fn serve(settings: ExchangesSettings) -> Exchanges {
    Exchanges::start(settings, Arc::new(SystemClock), None)
        .await
        .unwrap()
}

impl Client {
    pub(crate) async fn connect(url: &str) -> Result<Self, Error> {
        let connecting = timeout(PATIENCE, connect_async(url)).await.unwrap();
        connecting.map(|(socket, _)| Self { socket })
    }

    /// Connects and asks for everything of BTC.
    pub(crate) async fn subscribed(exchanges: &Exchanges, dialect: Dialect) -> Self {
        let url = exchanges.url(dialect);
        let address = match dialect {
            Dialect::Binance => format!("{url}/stream?streams=btcusdt@bookTicker/btcusdt@trade"),
            Dialect::BinanceUs => format!("{url}/stream?streams=btcusd@bookTicker/btcusd@trade"),
            _ => url,
        };
        let mut client = Self::connect(&address).await.unwrap();
        match dialect {
            Dialect::CoinbaseAdvanced => {
                for channel in ["ticker", "market_trades"] {
                    client
                        .say(&format!(
                            r#"{{"type":"subscribe","product_ids":["BTC-USD"],"channel":"{channel}"}}"#
                        ))
                        .await;
                }
            }
            Dialect::CoinbaseExchange => {
                client
                    .say(r#"{"type":"subscribe","product_ids":["BTC-USD"],"channels":["ticker","matches"]}"#)
                    .await;
            }
            Dialect::Binance | Dialect::BinanceUs => {}
        }
        client
    }

    pub(crate) async fn say(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// The next message; nothing once the connection is over.
    pub(crate) async fn next(&mut self) -> Option<Result<Message, Error>> {
        let next = timeout(PATIENCE, self.socket.next()).await;
        next.expect("the server says nothing")
    }

    /// The next text.
    pub(crate) async fn text(&mut self) -> String {
        loop {
            match self.next().await {
                Some(Ok(Message::Text(text))) => return text.to_string(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("a text was expected: {other:?}"),
            }
        }
    }

    /// The next text of which `wanted` is true.
    pub(crate) async fn text_with(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        loop {
            let text = self.text().await;
            if wanted(&text) {
                return text;
            }
        }
    }

    /// Reads on to the end; says how it came.
    pub(crate) async fn end(mut self) -> String {
        loop {
            match self.next().await {
                None => return "end".to_owned(),
                Some(Ok(Message::Close(Some(frame)))) => {
                    return format!("close {} {}", u16::from(frame.code), frame.reason);
                }
                Some(Ok(Message::Close(None))) => return "close".to_owned(),
                Some(Ok(_)) => {}
                Some(Err(error)) => return format!("error {error}"),
            }
        }
    }

    /// Whether nothing that `wanted` is true of comes for a time.
    pub(crate) async fn is_quiet(&mut self, time: Duration, wanted: impl Fn(&str) -> bool) -> bool {
        let heard = timeout(time, async {
            loop {
                match self.socket.next().await {
                    Some(Ok(Message::Text(text))) if wanted(&text) => return,
                    Some(Ok(_)) => {}
                    other => panic!("the connection ended: {other:?}"),
                }
            }
        });
        heard.await.is_err()
    }
}

/// Whether a frame tells of the market.
pub(crate) fn is_data(text: &str) -> bool {
    [
        r#""channel":"ticker""#,
        r#""channel":"market_trades""#,
        r#""type":"ticker""#,
        r#""type":"match""#,
        "@bookTicker",
        "@trade",
    ]
    .iter()
    .any(|sign| text.contains(sign))
}
