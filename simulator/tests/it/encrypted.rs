//! `wss`: the same behind TLS, with whatever certificate the caller has.

use std::sync::Arc;

use contract::time::SystemClock;
use futures_util::{SinkExt, StreamExt};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use simulator::exchange::{Dialect, Exchanges, Fault};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::Message;

use crate::client::{PATIENCE, is_data};
use crate::four_dialects;

#[tokio::test]
async fn servers_speak_tls_with_the_certificate_that_they_are_given() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let clock = Arc::new(SystemClock);
    let exchanges = Exchanges::start(four_dialects(6), clock, Some(Arc::new(config)))
        .await
        .unwrap();
    let url = exchanges.url(Dialect::Binance);
    let address = url.strip_prefix("wss://").unwrap().to_owned();

    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(client))
        .connect(name, stream)
        .await
        .unwrap();
    let request = "wss://localhost/ws";
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream)
        .await
        .unwrap();
    let ask = r#"{"method":"SUBSCRIBE","params":["btcusdt@bookTicker"],"id":1}"#;
    socket.send(Message::text(ask)).await.unwrap();
    let seen = async {
        while let Some(Ok(message)) = socket.next().await {
            if message
                .to_text()
                .is_ok_and(|text| is_data(text) || text.contains(r#""u":"#))
            {
                return true;
            }
        }
        false
    };
    assert!(timeout(PATIENCE, seen).await.unwrap());
    // Cut off behind TLS as in front of it.
    exchanges.handle().fault(Dialect::Binance, Fault::Cut);
    let end = async {
        loop {
            match socket.next().await {
                Some(Ok(_)) => {}
                other => return other.is_none_or(|end| end.is_err()),
            }
        }
    };
    assert!(timeout(PATIENCE, end).await.unwrap());
    exchanges.stop().await;
}
