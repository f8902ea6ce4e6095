//! The sockets: a request meets the limits, then the fault it was promised, then is kept and answered.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Path, RawQuery, State};
use axum::http::{Response, StatusCode};
use axum::routing::{get, patch, post};
use contract::time::{Clock, NS_PER_MS, NS_PER_S, SystemClock};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::Fault;
use super::form;
use super::limit::{Limiter, Limits, Scope, Verdict};
use super::listener::{Cuttable, Scissors};
use super::memory::{Kind, Memory, Message, Request};

/// The webhook's id.
pub(super) const WEBHOOK: &str = "1100000000000000000";
/// The webhook's token: made up, and as easy to find in a log as to leave out of one.
pub(super) const TOKEN: &str = "made-up-token-of-a-webhook-that-is-no-secret";

/// What the handle and the server share.
#[derive(Debug)]
pub(super) struct Shared {
    started: Instant,
    limiter: Mutex<Limiter>,
    faults: Mutex<Faults>,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Faults {
    next: VecDeque<Fault>,
    always: Option<Fault>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            started: Instant::now(),
            limiter: Mutex::new(Limiter::new(limits)),
            faults: Mutex::default(),
            memory: Mutex::default(),
        }
    }

    pub(super) fn set_limits(&self, limits: Limits) {
        *lock(&self.limiter) = Limiter::new(limits);
    }

    pub(super) fn next(&self, faults: impl IntoIterator<Item = Fault>) {
        lock(&self.faults).next.extend(faults);
    }

    pub(super) fn always(&self, fault: Option<Fault>) {
        lock(&self.faults).always = fault;
    }

    pub(super) fn memory(&self) -> MutexGuard<'_, Memory> {
        lock(&self.memory)
    }

    fn fault(&self) -> Option<Fault> {
        let mut faults = lock(&self.faults);
        faults.next.pop_front().or_else(|| faults.always.clone())
    }
}

/// Serves until `ended` says so or its other end is gone. Connections in use are dropped then.
pub(super) async fn serve(
    listener: std::net::TcpListener,
    shared: Arc<Shared>,
    ended: oneshot::Receiver<()>,
) -> std::io::Result<()> {
    let listener = Cuttable(tokio::net::TcpListener::from_std(listener)?);
    let routes = Router::new()
        .route("/messages", get(listed))
        .route("/healthz", get(async || "ok\n"))
        .route("/api/webhooks/{webhook}/{token}", post(posted))
        .route("/api/v10/webhooks/{webhook}/{token}", post(posted))
        .route(
            "/api/webhooks/{webhook}/{token}/messages/{message}",
            patch(edited).get(got).delete(deleted),
        )
        .route(
            "/api/v10/webhooks/{webhook}/{token}/messages/{message}",
            patch(edited).get(got).delete(deleted),
        )
        .with_state(shared);
    let service = routes.into_make_service_with_connect_info::<Scissors>();
    tokio::select! {
        served = async { axum::serve(listener, service).await } => served,
        _ = ended => Ok(()),
    }
}

type Way = (String, String);
type WayToMessage = (String, String, String);

/// What Discord shows on its screen. Meets neither limits nor faults, and is not remembered.
async fn listed(State(shared): State<Arc<Shared>>) -> Response<Body> {
    let messages = shared.memory().messages();
    let objects: Vec<Value> = messages.iter().map(Message::object).collect();
    let body = Value::from(objects).to_string();
    let answer = Response::builder().header("content-type", "application/json");
    answer
        .body(body.into())
        .expect("the status and the header are constants")
}

async fn posted(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    Path((webhook, token)): Path<Way>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response<Body> {
    let ask = Ask::new(Kind::Post, (webhook, token), None, query, body);
    ask.answer(&shared, &scissors).await
}

async fn edited(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    Path((webhook, token, message)): Path<WayToMessage>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response<Body> {
    let ask = Ask::new(Kind::Edit, (webhook, token), Some(message), query, body);
    ask.answer(&shared, &scissors).await
}

async fn got(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    Path((webhook, token, message)): Path<WayToMessage>,
    RawQuery(query): RawQuery,
) -> Response<Body> {
    let ask = Ask::new(
        Kind::Get,
        (webhook, token),
        Some(message),
        query,
        Bytes::new(),
    );
    ask.answer(&shared, &scissors).await
}

async fn deleted(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    Path((webhook, token, message)): Path<WayToMessage>,
    RawQuery(query): RawQuery,
) -> Response<Body> {
    let ask = Ask::new(
        Kind::Delete,
        (webhook, token),
        Some(message),
        query,
        Bytes::new(),
    );
    ask.answer(&shared, &scissors).await
}

/// One request.
struct Ask {
    kind: Kind,
    way: Way,
    message: Option<String>,
    wait: bool,
    body: Bytes,
}

/// What is said: a status and a JSON body, empty for none.
struct Said(u16, Option<Value>);

impl Ask {
    fn new(
        kind: Kind,
        way: Way,
        message: Option<String>,
        query: Option<String>,
        body: Bytes,
    ) -> Self {
        let wait = query.is_some_and(|query| {
            query
                .split('&')
                .any(|part| part.eq_ignore_ascii_case("wait=true"))
        });
        Self {
            kind,
            way,
            message,
            wait,
            body,
        }
    }

    async fn answer(self, shared: &Shared, scissors: &Scissors) -> Response<Body> {
        let at = shared.started.elapsed();
        let fault = shared.fault();
        match &fault {
            Some(Fault::Hang) => {
                self.remember(shared, at, None, None);
                return std::future::pending().await;
            }
            Some(Fault::Cut) => {
                self.remember(shared, at, None, None);
                scissors.cut();
                return Response::default();
            }
            Some(Fault::LimitedAtTheEdge(seconds)) => {
                self.remember(shared, at, Some(429), None);
                return edge(*seconds);
            }
            Some(Fault::Slow(time)) => tokio::time::sleep(*time).await,
            _ => {}
        }
        let mut verdict = lock(&shared.limiter).ask(at, self.kind);
        if let Some(Fault::Limited(wait, scope)) = &fault {
            verdict.limited = Some((*wait, *scope));
        }
        let (said, message_id) = match (verdict.limited, &fault) {
            (Some((wait, scope)), _) => (limited(wait, scope), None),
            (None, Some(Fault::Status(status))) => (of_status(*status), None),
            (None, _) => self.do_it(shared, at),
        };
        let kept = message_id.clone().or_else(|| self.message.clone());
        if fault == Some(Fault::AnswerLost) {
            self.remember(shared, at, None, kept);
            scissors.cut();
            return Response::default();
        }
        self.remember(shared, at, Some(said.0), kept);
        if let Some(Fault::Late(time)) = &fault {
            tokio::time::sleep(*time).await;
        }
        let garbled = fault == Some(Fault::Garbled);
        respond(said, verdict, self.kind, garbled)
    }

    /// Does what is asked, and says so.
    fn do_it(&self, shared: &Shared, at: Duration) -> (Said, Option<String>) {
        if self.way.0 != WEBHOOK {
            return (of_status(404), None);
        }
        if self.way.1 != TOKEN {
            return (of_status(401), None);
        }
        let body = match self.kind {
            Kind::Post | Kind::Edit => match form::judge(&self.body) {
                Ok(body) => body,
                Err(error) => return (Said(400, Some(error)), None),
            },
            Kind::Get | Kind::Delete => Value::Null,
        };
        let mut memory = shared.memory();
        let id = self.message.as_deref().unwrap_or_default();
        let found = match self.kind {
            Kind::Post => Some(memory.keep(at, body)),
            Kind::Edit => memory.edit(at, id, body),
            Kind::Get => memory.get(id),
            Kind::Delete if memory.delete(id) => return (Said(204, None), None),
            Kind::Delete => None,
        };
        match found {
            None => (
                Said(
                    404,
                    Some(json!({"message": "Unknown Message", "code": 10008})),
                ),
                None,
            ),
            Some(message) if self.kind == Kind::Post && !self.wait => {
                (Said(204, None), Some(message.id))
            }
            Some(message) => (Said(200, Some(message.object())), Some(message.id)),
        }
    }

    fn remember(
        &self,
        shared: &Shared,
        at: Duration,
        status: Option<u16>,
        message_id: Option<String>,
    ) {
        shared.memory().remember(Request {
            at,
            kind: self.kind,
            status,
            message_id,
            wait: self.wait,
            body: serde_json::from_slice(&self.body).unwrap_or_default(),
        });
    }
}

fn limited(wait: Duration, scope: Scope) -> Said {
    let body = json!({
        "message": "You are being rate limited.",
        "retry_after": wait.as_secs_f64(),
        "global": scope == Scope::Global,
    });
    Said(429, Some(body))
}

/// Discord's body for a status that was asked for.
fn of_status(status: u16) -> Said {
    let body = match status {
        401 => Some(json!({"message": "Invalid Webhook Token", "code": 50027})),
        403 => Some(json!({"message": "Missing Access", "code": 50001})),
        404 => Some(json!({"message": "Unknown Webhook", "code": 10015})),
        400 => Some(json!({"message": "Invalid Form Body", "code": 50035})),
        _ => None,
    };
    Said(status, body)
}

fn respond(said: Said, verdict: Verdict, kind: Kind, garbled: bool) -> Response<Body> {
    let status = StatusCode::from_u16(said.0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let seconds = |time: Duration| format!("{:.3}", time.as_secs_f64());
    let mut answer = Response::builder().status(status);
    if said.0 < 500 {
        let bucket = match kind {
            Kind::Post => "a1b2c3",
            Kind::Edit | Kind::Get | Kind::Delete => "d4e5f6",
        };
        let (remaining, reset_after) = match verdict.limited {
            // Another's limit; of the webhook's own the headers tell as ever.
            None | Some((_, Scope::Shared | Scope::Global)) => {
                (verdict.remaining, verdict.reset_after)
            }
            Some((wait, Scope::User)) => (0, wait),
        };
        let reset_ns = SystemClock.now_ns() + i64::try_from(reset_after.as_nanos()).unwrap_or(0);
        answer = answer
            .header("X-RateLimit-Limit", verdict.limit.to_string())
            .header("X-RateLimit-Remaining", remaining.to_string())
            .header(
                "X-RateLimit-Reset",
                format!(
                    "{}.{:03}",
                    reset_ns / NS_PER_S,
                    reset_ns % NS_PER_S / NS_PER_MS
                ),
            )
            .header("X-RateLimit-Reset-After", seconds(reset_after))
            .header("X-RateLimit-Bucket", bucket);
    }
    if let (429, Some((wait, scope))) = (said.0, verdict.limited) {
        answer = answer
            .header("X-RateLimit-Scope", scope.as_str())
            .header("Retry-After", wait.as_secs_f64().ceil().to_string());
        if scope == Scope::Global {
            answer = answer.header("X-RateLimit-Global", "true");
        }
    }
    let body = match (garbled, said.1) {
        (true, _) => Body::from("<html>not what you expected</html>"),
        (false, Some(json)) => {
            answer = answer.header("Content-Type", "application/json");
            Body::from(json.to_string())
        }
        (false, None) => Body::empty(),
    };
    answer.body(body).unwrap_or_default()
}

/// A 429 that never reached Discord.
fn edge(seconds: u32) -> Response<Body> {
    Response::builder()
        .status(StatusCode::TOO_MANY_REQUESTS)
        .header("Retry-After", seconds.to_string())
        .header("Content-Type", "text/html")
        .body(Body::from("<html>error 1015</html>"))
        .unwrap_or_default()
}
