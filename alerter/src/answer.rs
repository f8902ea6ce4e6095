//! What an answer of Discord means. Pure.
//!
//! In: status, headers and body of an answer, whatever they hold. Out: a [`Verdict`] and what the headers say of limits.
//! `retry_after` is in seconds with decimals; it is sane or it is replaced. What Discord says is cut to a line.

use serde::Deserialize;

use crate::throttle::{Action, Headers};

/// What became of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Discord keeps it; the message's id where one was given that can be used.
    Kept(Option<String>),
    /// 429: not kept, to be asked again after this time.
    Limited {
        /// How long to wait, milliseconds.
        wait_ms: i64,
        /// Whether everything must wait.
        is_global: bool,
        /// Whether others have used up the limit, so that it does not count against us.
        is_shared: bool,
    },
    /// The webhook takes nothing any more (401, 403, 404): not kept, and no use to ask again.
    Dead(String),
    /// The message to be edited is not there any more.
    Deleted,
    /// Discord does not take this body (another 4xx): not kept, and no use to ask again.
    Faulty(String),
    /// It did not reach Discord.
    NotSent(String),
    /// Nobody knows whether it is kept: no answer came, or a 5xx.
    Unclear(String),
}

/// The pause where a 429 says nothing usable, milliseconds.
const WAIT_UNSAID_MS: i64 = 5_000;
/// The longest wait believed, milliseconds; asked again after it, the answer will say if it is not over.
const WAIT_MOST_MS: i64 = 3_600_000;
/// `code` of an unknown message.
const UNKNOWN_MESSAGE: u64 = 10008;
/// How much of what Discord says is repeated, characters.
const SAID: usize = 200;

#[derive(Deserialize, Default)]
struct Said {
    id: Option<String>,
    message: Option<String>,
    code: Option<u64>,
    retry_after: Option<f64>,
    global: Option<bool>,
}

/// Judges an answer; `header` gives the text of a header by its name.
pub fn judge<'h>(
    action: Action,
    status: u16,
    header: impl Fn(&str) -> Option<&'h str>,
    body: &[u8],
) -> (Verdict, Headers) {
    let said: Said = serde_json::from_slice(body).unwrap_or_default();
    let seconds = |name: &str| header(name).and_then(|text| text.trim().parse::<f64>().ok());
    let headers = Headers {
        bucket: header("x-ratelimit-bucket")
            .filter(|name| !name.is_empty() && name.len() <= 100)
            .map(str::to_owned),
        remaining: header("x-ratelimit-remaining").and_then(|text| text.trim().parse().ok()),
        reset_after_ms: seconds("x-ratelimit-reset-after").and_then(milliseconds),
    };
    let told = || {
        let text = said
            .message
            .as_deref()
            .unwrap_or("without a reason that can be read");
        let line: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(SAID)
            .collect();
        format!("status {status}: {line}")
    };
    let verdict = match (status, action) {
        (200..=299, _) => Verdict::Kept(said.id.filter(|id| is_id(id))),
        (429, _) => {
            let wait_ms = said
                .retry_after
                .and_then(milliseconds)
                .or_else(|| seconds("retry-after").and_then(milliseconds))
                .or(headers.reset_after_ms);
            let scope = header("x-ratelimit-scope");
            let is_global = said.global == Some(true)
                || header("x-ratelimit-global")
                    .is_some_and(|text| text.eq_ignore_ascii_case("true"))
                || scope == Some("global");
            Verdict::Limited {
                wait_ms: wait_ms.unwrap_or(WAIT_UNSAID_MS),
                is_global,
                is_shared: scope == Some("shared"),
            }
        }
        (404, Action::Edit) if said.code == Some(UNKNOWN_MESSAGE) => Verdict::Deleted,
        (401 | 403 | 404, _) => Verdict::Dead(told()),
        (408 | 500..=599, _) => Verdict::Unclear(told()),
        _ => Verdict::Faulty(told()),
    };
    (verdict, headers)
}

/// Seconds as whole milliseconds rounded up, up to [`WAIT_MOST_MS`]; none for what is no time.
fn milliseconds(seconds: f64) -> Option<i64> {
    if !seconds.is_finite() || seconds < 0.0 {
        return None;
    }
    let ms = (seconds * 1000.0).ceil().min(3_600_000.0);
    // Written without a fraction, so that no cast is needed.
    format!("{ms:.0}")
        .parse::<i64>()
        .ok()
        .map(|ms| ms.min(WAIT_MOST_MS))
}

/// Whether an id can stand in a path: it comes from outside.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 30 && id.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn judged(action: Action, status: u16, headers: &[(&str, &str)], body: &str) -> Verdict {
        let header = |name: &str| {
            headers
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, text)| *text)
        };
        judge(action, status, header, body.as_bytes()).0
    }

    fn limited(wait_ms: i64, is_global: bool, is_shared: bool) -> Verdict {
        Verdict::Limited {
            wait_ms,
            is_global,
            is_shared,
        }
    }

    #[test]
    fn retry_after_is_in_seconds() {
        let body =
            r#"{"message":"You are being rate limited.","retry_after":64.57,"global":false}"#;
        let post = |headers: &[(&str, &str)], body: &str| judged(Action::Post, 429, headers, body);
        assert_eq!(
            post(&[("x-ratelimit-scope", "shared")], body),
            limited(64_570, false, true)
        );
        assert_eq!(
            post(
                &[("x-ratelimit-scope", "user"), ("retry-after", "65")],
                body
            ),
            limited(64_570, false, false)
        );
        assert_eq!(
            post(
                &[("x-ratelimit-global", "true")],
                r#"{"retry_after":0.5,"global":true}"#
            ),
            limited(500, true, false)
        );
        assert_eq!(
            post(&[("retry-after", "7")], "<html>error 1015</html>"),
            limited(7_000, false, false)
        );
        assert_eq!(
            post(&[("x-ratelimit-reset-after", "1.25")], ""),
            limited(1_250, false, false)
        );
        assert_eq!(post(&[], ""), limited(WAIT_UNSAID_MS, false, false));
        for odd in ["-1", "1e300", "\"soon\"", "null"] {
            let Verdict::Limited { wait_ms, .. } = post(&[], &format!("{{\"retry_after\":{odd}}}"))
            else {
                panic!("{odd}");
            };
            assert!((1..=WAIT_MOST_MS).contains(&wait_ms), "{odd}: {wait_ms}");
        }
    }

    #[test]
    fn a_dead_webhook_a_deleted_message_and_a_faulty_body_are_told_apart() {
        let unknown_message = r#"{"message":"Unknown Message","code":10008}"#;
        let unknown_webhook = r#"{"message":"Unknown Webhook","code":10015}"#;
        assert_eq!(
            judged(Action::Edit, 404, &[], unknown_message),
            Verdict::Deleted
        );
        for (action, status, body) in [
            (Action::Edit, 404, unknown_webhook),
            (Action::Post, 404, unknown_webhook),
            (Action::Post, 401, "{}"),
            (Action::Post, 403, ""),
        ] {
            assert!(
                matches!(judged(action, status, &[], body), Verdict::Dead(_)),
                "{status}"
            );
        }
        assert!(matches!(
            judged(Action::Post, 400, &[], "{}"),
            Verdict::Faulty(_)
        ));
        assert!(matches!(
            judged(Action::Post, 302, &[], ""),
            Verdict::Faulty(_)
        ));
        assert!(matches!(
            judged(Action::Post, 503, &[], ""),
            Verdict::Unclear(_)
        ));
    }

    #[test]
    fn only_an_id_that_can_stand_in_a_path_is_taken() {
        let kept = |body: &str| judged(Action::Post, 200, &[], body);
        assert_eq!(
            kept(r#"{"id":"1183"}"#),
            Verdict::Kept(Some("1183".to_owned()))
        );
        for body in [
            r#"{"id":"../1"}"#,
            r#"{"id":""}"#,
            r#"{"id":7}"#,
            "<html>",
            "",
        ] {
            assert_eq!(kept(body), Verdict::Kept(None), "{body}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_may_come_makes_it_panic(
            status in 0..1000_u16,
            edit in any::<bool>(),
            text in "\\PC{0,20}",
            body in prop_oneof!["\\PC{0,40}", "\\{\"retry_after\":[-0-9.e]{1,8}\\}"],
        ) {
            let action = if edit { Action::Edit } else { Action::Post };
            let (verdict, headers) = judge(action, status, |_| Some(&text), body.as_bytes());
            if let Verdict::Limited { wait_ms, .. } = verdict {
                prop_assert!((0..=WAIT_MOST_MS).contains(&wait_ms));
            }
            prop_assert!(headers.reset_after_ms.is_none_or(|ms| (0..=WAIT_MOST_MS).contains(&ms)));
        }
    }
}
