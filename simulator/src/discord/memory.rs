//! What it was told: messages with their edits, and requests with their answers. Bounded: above [`MOST`] the older half goes.

use std::time::Duration;

use serde_json::{Value, json};

/// What a request asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A new message.
    Post,
    /// Another state of a message.
    Edit,
    /// A message as it stands.
    Get,
    /// The end of a message.
    Delete,
}

/// A message as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// When it came, since the start.
    pub at: Duration,
    /// As it was posted.
    pub posted: Value,
    /// Every edit, the newest last.
    pub edits: Vec<Edit>,
}

/// An edit of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Edit {
    /// When it came, since the start.
    pub at: Duration,
    /// What it held.
    pub body: Value,
}

impl Message {
    /// What it says now: what was posted, with the fields of each edit in place of the older ones.
    #[must_use]
    pub fn body(&self) -> Value {
        let mut body = self.posted.clone();
        for edit in &self.edits {
            if let (Some(body), Some(edit)) = (body.as_object_mut(), edit.body.as_object()) {
                for (name, value) in edit {
                    body.insert(name.clone(), value.clone());
                }
            }
        }
        body
    }

    /// As Discord answers it.
    pub(super) fn object(&self) -> Value {
        let body = self.body();
        json!({
            "id": self.id,
            "type": 0,
            "channel_id": "1100000000000000001",
            "webhook_id": super::server::WEBHOOK,
            "content": body.get("content").cloned().unwrap_or_else(|| json!("")),
            "embeds": body.get("embeds").cloned().unwrap_or_else(|| json!([])),
            "flags": body.get("flags").cloned().unwrap_or_else(|| json!(0)),
            "mentions": [],
            "mention_everyone": false,
            "edited_timestamp": null,
        })
    }
}

/// A request and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// When it came, since the start.
    pub at: Duration,
    /// What it asked for.
    pub kind: Kind,
    /// The status it was answered with; none where no answer was given.
    pub status: Option<u16>,
    /// The message it made or concerned.
    pub message_id: Option<String>,
    /// Whether the query said `wait=true`.
    pub wait: bool,
    /// Its body, null where it was no JSON.
    pub body: Value,
}

/// So many messages, edits of one message and requests are kept; a stand-in may run for weeks.
const MOST: usize = 20_000;

/// Everything, as far as it is kept.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) requests: Vec<Request>,
    messages: Vec<(Message, bool)>,
    ever: u64,
}

/// Adds one, and lets the older half go where there are too many.
fn push<T>(kept: &mut Vec<T>, one: T) {
    if kept.len() >= MOST {
        kept.drain(..MOST / 2);
    }
    kept.push(one);
}

/// The first id; ids are as long as real ones.
const FIRST_ID: u64 = 1_100_000_000_000_000_100;

impl Memory {
    pub(super) fn keep(&mut self, at: Duration, body: Value) -> Message {
        let message = Message {
            id: FIRST_ID.saturating_add(self.ever).to_string(),
            at,
            posted: body,
            edits: Vec::new(),
        };
        self.ever += 1;
        push(&mut self.messages, (message.clone(), true));
        message
    }

    pub(super) fn remember(&mut self, request: Request) {
        push(&mut self.requests, request);
    }

    fn find(&mut self, id: &str) -> Option<&mut (Message, bool)> {
        self.messages
            .iter_mut()
            .find(|(message, there)| *there && message.id == id)
    }

    pub(super) fn get(&mut self, id: &str) -> Option<Message> {
        self.find(id).map(|(message, _)| message.clone())
    }

    pub(super) fn edit(&mut self, at: Duration, id: &str, body: Value) -> Option<Message> {
        let (message, _) = self.find(id)?;
        push(&mut message.edits, Edit { at, body });
        Some(message.clone())
    }

    pub(super) fn delete(&mut self, id: &str) -> bool {
        self.find(id).map(|(_, there)| *there = false).is_some()
    }

    pub(super) fn messages(&self) -> Vec<Message> {
        self.messages
            .iter()
            .filter(|(_, there)| *there)
            .map(|(message, _)| message.clone())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_and_ids_go_on() {
        let mut memory = Memory::default();
        let last = (0..=MOST).map(|_| memory.keep(Duration::ZERO, Value::Null));
        let last = last.last().unwrap().id;
        assert_eq!(memory.messages().len(), MOST / 2 + 1);
        assert_eq!(last, (FIRST_ID + 20_000).to_string());
        assert_eq!(memory.messages().last().unwrap().id, last);
        assert!(memory.get(&FIRST_ID.to_string()).is_none());
    }
}
