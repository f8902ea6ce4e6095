//! Why a connection ended, in words for the log and the venue's status.

use std::io;
use std::time::Duration;

use tokio_tungstenite::tungstenite::error::{CapacityError, Error as SocketError};
use tokio_tungstenite::tungstenite::http::Response;
use tokio_tungstenite::tungstenite::http::header::RETRY_AFTER;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// The longest that a venue may ask to be left alone.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3_600);

/// Why a connection ended, or was never made.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ending {
    /// We were told to stop.
    #[error("stopped")]
    Stopped,
    /// No data for too long.
    #[error("no data for {0} ms")]
    Silent(u128),
    /// Another connection delivers in its place.
    #[error("another connection to {url} took over")]
    Replaced { url: String },
    /// A second connection that did not take over.
    #[error("not needed: after {0} ms the connection before it does as well")]
    NotNeeded(u128),
    /// The venue closed, with a code and maybe a reason.
    #[error("closed by the venue with code {code}{}", with_colon(.reason))]
    Closed { code: u16, reason: String },
    /// The venue closed without a code.
    #[error("closed by the venue without a reason")]
    ClosedBare,
    /// The address answered, but not with a WebSocket.
    #[error("{url} answered HTTP {status}{}", .hint.as_deref().unwrap_or_default())]
    Http {
        url: String,
        status: String,
        hint: Option<String>,
        retry_after: Option<Duration>,
    },
    /// Not there, in time.
    #[error("{url} did not answer within {ms} ms")]
    ConnectTimeout { url: String, ms: u128 },
    /// Could not be reached.
    #[error("could not connect to {url}: {source}")]
    Connect { url: String, source: SocketError },
    /// What answered could not prove to be the venue.
    #[error(
        "could not connect to {url}: {source}; nothing was sent. The certificate of a proxy or a private authority is \
         trusted where `ingest.ca_file` (LOCKSTEP_INGEST__CA_FILE) names it"
    )]
    Untrusted { url: String, source: io::Error },
    /// A subscription could not be sent in time.
    #[error("the venue took no message within {0} ms")]
    SendTimeout(u128),
    /// A message beyond the limit.
    #[error("a message of {size} bytes, more than `venues.{venue}.max_message_bytes` = {max_size}")]
    TooLong {
        venue: &'static str,
        size: usize,
        max_size: usize,
    },
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broke(SocketError),
}

impl Ending {
    /// Whatever a living connection ended with.
    pub(super) fn of_error(venue: &'static str, error: SocketError) -> Self {
        match error {
            SocketError::Capacity(CapacityError::MessageTooLong { size, max_size }) => {
                Self::TooLong {
                    venue,
                    size,
                    max_size,
                }
            }
            SocketError::ConnectionClosed | SocketError::AlreadyClosed => Self::ClosedBare,
            error => Self::Broke(error),
        }
    }

    /// Whatever an attempt to connect failed with.
    pub(super) fn of_attempt(venue: &'static str, url: &str, error: SocketError) -> Self {
        match error {
            SocketError::Http(answer) => Self::of_answer(venue, url, &answer),
            SocketError::Io(source) if is_about_certificates(&source) => Self::Untrusted {
                url: url.to_owned(),
                source,
            },
            source => Self::Connect {
                url: url.to_owned(),
                source,
            },
        }
    }

    pub(super) fn of_close(frame: Option<CloseFrame>) -> Self {
        match frame {
            Some(frame) => Self::Closed {
                code: frame.code.into(),
                reason: frame.reason.to_string(),
            },
            None => Self::ClosedBare,
        }
    }

    fn of_answer(venue: &'static str, url: &str, answer: &Response<Option<Vec<u8>>>) -> Self {
        let status = answer.status();
        let variable = format!("LOCKSTEP_VENUES__{}__URL", venue.to_uppercase());
        let hint = match status.as_u16() {
            // Venues answer so to the countries and data centres that they do not serve.
            403 | 451 => Some(format!(
                ": the venue does not serve from here; set `venues.{venue}.url` ({variable}) to an address that may be used"
            )),
            404 => Some(format!(
                ": not the address of a feed; check `venues.{venue}.url` ({variable})"
            )),
            418 | 429 => Some(": too many connections or messages from this address".to_owned()),
            _ => None,
        };
        let retry_after = answer
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map(|seconds| Duration::from_secs(seconds).min(MAX_RETRY_AFTER));
        Self::Http {
            url: url.to_owned(),
            status: status.to_string(),
            hint,
            retry_after,
        }
    }

    /// Whether we ended it ourselves, all being well.
    pub(super) const fn is_our_wish(&self) -> bool {
        matches!(
            self,
            Self::Stopped | Self::Replaced { .. } | Self::NotNeeded(_)
        )
    }

    /// For how long the venue asked to be left alone.
    pub(super) fn retry_after(&self) -> Duration {
        match self {
            Self::Http { retry_after, .. } => retry_after.unwrap_or_default(),
            _ => Duration::ZERO,
        }
    }
}

/// The library hands on errors of TLS inside those of the socket.
fn is_about_certificates(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    matches!(inner, Some(rustls::Error::InvalidCertificate(_)))
}

fn with_colon(reason: &str) -> String {
    if reason.is_empty() {
        String::new()
    } else {
        format!(": {reason}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, retry_after: Option<&str>) -> Ending {
        let mut answer = Response::builder().status(status);
        if let Some(value) = retry_after {
            answer = answer.header(RETRY_AFTER, value);
        }
        let error = SocketError::Http(Box::new(answer.body(None).unwrap()));
        Ending::of_attempt("binance", "wss://a.example:9443", error)
    }

    #[test]
    fn a_refusal_of_the_place_names_the_setting_and_its_variable() {
        for status in [403, 451] {
            let text = answered(status, None).to_string();
            assert!(text.contains(&status.to_string()), "{text}");
            assert!(
                text.contains("`venues.binance.url` (LOCKSTEP_VENUES__BINANCE__URL)"),
                "{text}"
            );
        }
        assert_eq!(
            answered(451, None).to_string(),
            "wss://a.example:9443 answered HTTP 451 Unavailable For Legal Reasons: the venue does not serve from here; \
             set `venues.binance.url` (LOCKSTEP_VENUES__BINANCE__URL) to an address that may be used"
        );
    }

    #[test]
    fn a_venue_that_asks_for_time_gets_it_within_reason() {
        assert_eq!(
            answered(429, Some("7")).retry_after(),
            Duration::from_secs(7)
        );
        assert_eq!(
            answered(429, Some("999999999")).retry_after(),
            MAX_RETRY_AFTER
        );
        assert_eq!(
            answered(429, Some("tomorrow")).retry_after(),
            Duration::ZERO
        );
        assert_eq!(answered(503, None).retry_after(), Duration::ZERO);
        assert_eq!(Ending::ClosedBare.retry_after(), Duration::ZERO);
    }

    #[test]
    fn a_message_beyond_the_limit_names_the_setting() {
        let error = CapacityError::MessageTooLong {
            size: 10,
            max_size: 5,
        };
        assert_eq!(
            Ending::of_error("coinbase", error.into()).to_string(),
            "a message of 10 bytes, more than `venues.coinbase.max_message_bytes` = 5"
        );
    }
}
