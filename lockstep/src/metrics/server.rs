//! `/metrics` and `/healthz` over HTTP, on a thread of its own.
//!
//! What when full: beyond [`CONNECTIONS`] at once the next waits in the system's queue. Each is one request, its head within
//! [`HEAD`], all of it within [`WHOLE`], so that nobody who dawdles keeps the others out. A body is not read.

use std::convert::Infallible;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};

use super::Shared;
use crate::failure::Failure;

/// Connections served at once.
const CONNECTIONS: usize = 16;
/// How long the head of a request may take.
const HEAD: Duration = Duration::from_secs(5);
/// How long a connection may take.
const WHOLE: Duration = Duration::from_secs(10);
/// The longest head, in bytes.
const HEAD_BYTES: usize = 16 * 1024;
/// The pause after the system gave no connection, as when it is out of descriptors.
const PAUSE: Duration = Duration::from_millis(100);
/// What Prometheus calls its text.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";

/// Serves until it is dropped.
pub(super) struct Server {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Takes the address, or says why it cannot.
    pub(super) fn start(listen: &str, shared: Arc<Shared>) -> Result<Self, Failure> {
        let listener = TcpListener::bind(listen)
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .with_context(|| {
                format!(
                    "could not serve metrics on {listen}; choose another place with `--metrics HOST:PORT` or `metrics.listen`"
                )
            })?;
        let address = listener.local_addr().context("could not serve metrics")?;
        if !address.ip().is_loopback() {
            tracing::info!(%address, "metrics are served to other machines too, without a password");
        }
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("metrics".to_owned())
            .spawn(move || {
                if let Err(error) = serve(listener, &shared, stopped) {
                    tracing::error!(%error, "metrics are not served any more");
                }
            })
            .context("could not start the thread that serves metrics")?;
        tracing::info!("metrics at http://{address}/metrics");
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(
    listener: TcpListener,
    shared: &Arc<Shared>,
    mut stopped: oneshot::Receiver<()>,
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let free = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let accepted = async {
                let permit = Arc::clone(&free).acquire_owned().await;
                (permit, listener.accept().await)
            };
            let (permit, accepted) = tokio::select! {
                accepted = accepted => accepted,
                _ = &mut stopped => return Ok(()),
            };
            match accepted {
                Ok((stream, _)) => {
                    let shared = Arc::clone(shared);
                    tokio::spawn(async move {
                        connection(stream, &shared).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    tracing::debug!(%error, "no connection");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    })
}

async fn connection(stream: TcpStream, shared: &Shared) {
    let service = service_fn(|request: Request<Incoming>| {
        let response = answer(request.method(), request.uri().path(), shared);
        async { Ok::<_, Infallible>(response) }
    });
    let served = http1::Builder::new()
        .keep_alive(false)
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    match tokio::time::timeout(WHOLE, served).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a request for metrics broke off"),
        Err(_) => tracing::debug!("a request for metrics took too long"),
    }
}

fn answer(method: &Method, path: &str, shared: &Shared) -> Response<Full<Bytes>> {
    if ![Method::GET, Method::HEAD].contains(method) {
        let mut response = of(
            StatusCode::METHOD_NOT_ALLOWED,
            PLAIN,
            "GET or HEAD\n".into(),
        );
        let headers = response.headers_mut();
        headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match path {
        "/metrics" => match shared.page() {
            Ok(page) => of(StatusCode::OK, TEXT, page),
            Err(error) => {
                tracing::error!(%error, "metrics cannot be written");
                of(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    PLAIN,
                    format!("{error}\n"),
                )
            }
        },
        "/healthz" => match shared.faults() {
            faults if faults.is_empty() => of(StatusCode::OK, PLAIN, "ok\n".into()),
            faults => of(StatusCode::SERVICE_UNAVAILABLE, PLAIN, faults),
        },
        _ => of(
            StatusCode::NOT_FOUND,
            PLAIN,
            "there are /metrics and /healthz\n".into(),
        ),
    }
}

fn of(status: StatusCode, content: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
