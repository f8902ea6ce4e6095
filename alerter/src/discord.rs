//! The one socket: requests to Discord's webhook, one at a time, on a thread of their own.
//!
//! In: [`Request`]s. Out: what became of each. TLS by rustls with ring and the roots of webpki; no redirect is followed,
//! since it would carry the token elsewhere. The address is a secret: errors lose it here, and what Discord says is
//! searched for it. Absent: when to ask, and what an answer leads to.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use contract::config::Secret;
use reqwest::{Client, Response, Url};

use crate::answer::{Verdict, judge};
use crate::error::AlerterError;
use crate::outbox::Request;
use crate::throttle::Headers;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);
/// The longest answer that is read, bytes; a message of full size is a tenth of it.
const ANSWER_MOST: usize = 256 * 1024;

/// What became of a request.
pub type Answer = (Verdict, Headers);

/// A webhook.
#[derive(Clone)]
pub struct Discord {
    client: Client,
    webhook: Url,
}

impl std::fmt::Debug for Discord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Discord").finish_non_exhaustive()
    }
}

impl Discord {
    /// Sets up the client; nothing is asked yet.
    ///
    /// # Errors
    /// [`AlerterError::Webhook`] and [`AlerterError::Client`].
    pub fn new(webhook: &Secret, answer_within: Duration) -> Result<Self, AlerterError> {
        let no_webhook = || AlerterError::Webhook {
            place: "`alerter.webhook_url`".to_owned(),
        };
        let mut webhook: Url = webhook.expose().parse().map_err(|_| no_webhook())?;
        // A slash at the end would make an empty name before `messages`.
        webhook
            .path_segments_mut()
            .map_err(|()| no_webhook())?
            .pop_if_empty();
        let is_local = webhook
            .host_str()
            .is_some_and(|host| host == "localhost" || host == "[::1]" || host.starts_with("127."));
        let mut client = Client::builder()
            .tls_backend_preconfigured(tls()?)
            .user_agent(concat!("lockstep/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT)
            .timeout(answer_within);
        if is_local {
            client = client.no_proxy();
        }
        let client = client
            .build()
            .map_err(|error| AlerterError::Client(told(error)))?;
        Ok(Self { client, webhook })
    }

    /// Makes a request and judges its answer.
    pub async fn ask(&self, request: &Request) -> Answer {
        let mut url = self.webhook.clone();
        let asked = match &request.message_id {
            None => {
                url.query_pairs_mut().append_pair("wait", "true");
                self.client.post(url)
            }
            Some(id) => {
                if let Ok(mut path) = url.path_segments_mut() {
                    path.extend(["messages", id.as_ref()]);
                }
                self.client.patch(url)
            }
        };
        let asked = asked
            .header("Content-Type", "application/json")
            .body(request.body.clone())
            .send()
            .await;
        match asked {
            Ok(response) => self.read(request, response).await,
            Err(error) => (failed(error), Headers::default()),
        }
    }

    async fn read(&self, request: &Request, mut response: Response) -> Answer {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(bytes)) if body.len() + bytes.len() <= ANSWER_MOST => {
                    body.extend_from_slice(&bytes)
                }
                Ok(_) => break,
                // The status came, and it says whether the message was kept; its id is lost.
                Err(error) if !(200..300).contains(&status) => {
                    tracing::debug!(
                        error = told(error),
                        "the end of Discord's answer is missing"
                    );
                    break;
                }
                Err(error) => return (Verdict::Unclear(told(error)), Headers::default()),
            }
        }
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let (verdict, limits) = judge(request.action(), status, header, &body);
        (self.without_secret(verdict), limits)
    }

    /// A proxy may repeat the address in what it says.
    fn without_secret(&self, verdict: Verdict) -> Verdict {
        let path = self.webhook.path();
        let token = path.rsplit('/').next().unwrap_or_default();
        let clean = |said: String| {
            let said = said.replace(path, "***");
            if token.is_empty() {
                said
            } else {
                said.replace(token, "***")
            }
        };
        match verdict {
            Verdict::Dead(said) => Verdict::Dead(clean(said)),
            Verdict::Faulty(said) => Verdict::Faulty(clean(said)),
            Verdict::Unclear(said) => Verdict::Unclear(clean(said)),
            Verdict::NotSent(said) => Verdict::NotSent(clean(said)),
            other => other,
        }
    }
}

/// rustls with ring, whatever else the process may have installed.
fn tls() -> Result<rustls::ClientConfig, AlerterError> {
    let roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| AlerterError::Client(error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

fn failed(error: reqwest::Error) -> Verdict {
    let never_left = error.is_connect() || error.is_builder();
    let told = told(error);
    if never_left {
        Verdict::NotSent(told)
    } else {
        Verdict::Unclear(told)
    }
}

/// An error and its causes on one line, without the address.
fn told(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
