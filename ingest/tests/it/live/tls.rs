//! TLS as it is on the wire: a venue with a certificate of a private authority.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::SinkExt;
use ingest::live::{LiveReport, LiveSettings};
use ingest::venue::Dialect;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_tungstenite::tungstenite::Message;

use super::server::{Peer, Server};
use super::{Running, Shared, connection, live, run_with, settings, statuses, trade, trades};

/// An authority whose certificate lies in a file.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: PathBuf,
    _folder: tempfile::TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, issuer.pem()).unwrap();
        Self {
            issuer,
            file,
            _folder: folder,
        }
    }

    /// A venue that calls itself `name`; its port on 127.0.0.1.
    async fn venue(&self, name: &str) -> u16 {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
                    let _ = socket.send(Message::text(trade(1))).await;
                    while futures_util::StreamExt::next(&mut socket).await.is_some() {}
                });
            }
        });
        port
    }
}

fn over(urls: &[&str], ca_file: Option<PathBuf>) -> Running {
    let settings_live = LiveSettings {
        ca_file,
        // Certificates are made in this very process, which may be busy.
        connect_timeout: Duration::from_secs(10),
        ..live(vec![connection(Dialect::Binance, urls)])
    };
    run_with(settings_live, settings(), Shared::default())
}

fn failures(told: &LiveReport) -> u64 {
    told.connections
        .get(&Dialect::Binance)
        .map_or(0, |one| one.failed_attempts)
}

#[tokio::test]
async fn a_venue_of_a_private_authority_is_trusted_where_that_is_named() {
    let authority = Authority::new();
    for name in ["localhost", "127.0.0.1"] {
        let url = format!("wss://{name}:{}", authority.venue(name).await);
        let running = over(&[&url], Some(authority.file.clone()));
        running.until("a trade", |kept, _| trades(kept) == 1).await;
        running.stop().await;
    }
}

#[tokio::test]
async fn a_certificate_that_does_not_hold_is_refused_in_words_and_nothing_falls_back() {
    let (authority, other) = (Authority::new(), Authority::new());
    let port = authority.venue("localhost").await;
    let elsewhere = authority.venue("feed.example").await;
    for (port, ca_file, reason) in [
        (port, None, "UnknownIssuer"),
        (port, Some(other.file.clone()), "invalid peer certificate"),
        (
            elsewhere,
            Some(authority.file.clone()),
            "not valid for name",
        ),
    ] {
        let url = format!("wss://localhost:{port}");
        let running = over(&[&url], ca_file);
        running
            .until("two failures", |_, told| failures(told) >= 2)
            .await;
        let ended = running.stop().await;
        let told = statuses(&ended.sink.kept.lock().unwrap());
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].starts_with(&format!("Down could not connect to {url}")),
            "{told:?}"
        );
        assert!(told[0].contains(reason), "{told:?}");
        assert!(told[0].contains("ingest.ca_file"), "{told:?}");
        assert_eq!(ended.report.frames, 0);
    }
}

#[tokio::test]
async fn plain_text_where_tls_was_asked_for_is_refused() {
    let plain = Server::start(|_, stream| async {
        let mut peer = Peer::accept(stream).await;
        peer.text(trade(1)).await;
        peer.stay().await;
    })
    .await;
    let url = plain.url.replace("ws://", "wss://");
    let running = over(&[&url], None);
    running
        .until("a failure", |_, told| failures(told) >= 1)
        .await;
    assert_eq!(running.stop().await.report.frames, 0);
}

#[tokio::test]
async fn an_authority_that_cannot_be_read_is_refused_before_anything_is_connected() {
    let running = over(&["wss://localhost:1"], Some(PathBuf::from("not/there.pem")));
    let error = running.task.await.unwrap().unwrap_err().to_string();
    assert!(
        error.starts_with("could not use `ingest.ca_file` = `not/there.pem`: "),
        "{error}"
    );
}
