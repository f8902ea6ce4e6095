//! One message to the webhook, to see that it works before it matters.

use std::time::Duration;

use crate::answer::Verdict;
use crate::config::Settings;
use crate::discord::Discord;
use crate::error::AlerterError;
use crate::message;
use crate::outbox::Request;

/// How it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trial {
    /// Discord keeps the message.
    Arrived {
        /// Its id, where Discord gave one.
        message_id: Option<String>,
    },
    /// There is no webhook to try.
    NoWebhook,
    /// It does not, for this reason, which holds no secret.
    Failed(String),
}

/// Sends one message, once.
///
/// # Errors
/// [`AlerterError`] where the client cannot be set up.
pub async fn send(settings: &Settings) -> Result<Trial, AlerterError> {
    let Some(webhook) = &settings.webhook else {
        return Ok(Trial::NoWebhook);
    };
    let discord = Discord::new(webhook, Duration::from_millis(settings.answer_timeout_ms))?;
    let request = Request {
        message_id: None,
        body: message::trial(),
        episodes: 0,
    };
    let (verdict, _) = discord.ask(&request).await;
    Ok(match verdict {
        Verdict::Kept(message_id) => Trial::Arrived { message_id },
        Verdict::Limited { wait_ms, .. } => Trial::Failed(format!(
            "Discord asks to wait {} s",
            wait_ms.div_euclid(1000) + 1
        )),
        Verdict::Dead(said) => Trial::Failed(format!("the webhook is refused, {said}")),
        Verdict::Deleted => Trial::Failed("Discord knows no such message".to_owned()),
        Verdict::Faulty(said) | Verdict::NotSent(said) => Trial::Failed(said),
        Verdict::Unclear(said) => {
            Trial::Failed(format!("it may have arrived all the same: {said}"))
        }
    })
}
