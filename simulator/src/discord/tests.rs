//! The stand-in over a socket, word for word.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;

struct Answer {
    status: u16,
    head: String,
    body: Value,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// One request on a connection of its own; none where no answer came.
fn ask(discord: &Discord, method: &str, path: &str, body: &Value) -> Option<Answer> {
    let mut stream = TcpStream::connect(discord.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let body = body.to_string();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut text = String::new();
    // A cut connection may end in an error or in nothing.
    let _ = stream.read_to_string(&mut text);
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some(Answer {
        status: head.split(' ').nth(1)?.parse().unwrap(),
        head: head.to_owned(),
        body: serde_json::from_str(body).unwrap_or_default(),
    })
}

fn way(discord: &Discord) -> String {
    let url = discord.url();
    url[url.find("/api").unwrap()..].to_owned()
}

fn post(discord: &Discord, content: &str) -> Option<Answer> {
    let path = format!("{}?wait=true", way(discord));
    ask(discord, "POST", &path, &json!({"content": content}))
}

#[test]
fn a_message_is_posted_edited_read_and_deleted() {
    let discord = Discord::start(Limits::default()).unwrap();
    let posted = post(&discord, "one").unwrap();
    assert_eq!(posted.status, 200);
    let id = posted.body["id"].as_str().unwrap();
    assert_eq!(posted.header("x-ratelimit-limit"), Some("5"));
    assert_eq!(posted.header("x-ratelimit-remaining"), Some("4"));
    assert!(posted.header("x-ratelimit-reset-after").is_some());
    let path = format!("{}/messages/{id}", way(&discord));
    let edited = ask(&discord, "PATCH", &path, &json!({"content": "two"})).unwrap();
    assert_eq!(
        (edited.status, &edited.body["content"]),
        (200, &json!("two"))
    );
    assert_eq!(
        ask(&discord, "GET", &path, &Value::Null).unwrap().body["content"],
        "two"
    );
    assert_eq!(discord.messages()[0].body()["content"], "two");
    assert_eq!(
        ask(&discord, "GET", "/healthz", &Value::Null)
            .unwrap()
            .status,
        200
    );
    let listed = ask(&discord, "GET", "/messages", &Value::Null).unwrap();
    assert_eq!(listed.status, 200);
    assert_eq!(
        (&listed.body[0]["id"], &listed.body[0]["content"]),
        (&json!(id), &json!("two"))
    );
    assert_eq!(
        ask(&discord, "DELETE", &path, &Value::Null).unwrap().status,
        204
    );
    let gone = ask(&discord, "PATCH", &path, &json!({"content": "three"})).unwrap();
    assert_eq!((gone.status, &gone.body["code"]), (404, &json!(10008)));
    assert!(discord.messages().is_empty());
    assert_eq!(discord.requests().len(), 5);
}

#[test]
fn without_wait_there_is_no_object() {
    let discord = Discord::start(Limits::default()).unwrap();
    let answer = ask(&discord, "POST", &way(&discord), &json!({"content": "x"})).unwrap();
    assert_eq!((answer.status, answer.body), (204, Value::Null));
    assert_eq!(discord.messages().len(), 1);
}

#[test]
fn a_wrong_webhook_a_wrong_token_and_a_wrong_body_are_told_apart() {
    let discord = Discord::start(Limits::default()).unwrap();
    let body = json!({"content": "x"});
    let right = way(&discord);
    let wrong_token = format!("{}x", right);
    let answer = ask(&discord, "POST", &wrong_token, &body).unwrap();
    assert_eq!((answer.status, &answer.body["code"]), (401, &json!(50027)));
    let answer = ask(&discord, "POST", "/api/webhooks/1/x", &body).unwrap();
    assert_eq!((answer.status, &answer.body["code"]), (404, &json!(10015)));
    let answer = ask(&discord, "POST", &right, &json!({})).unwrap();
    assert_eq!((answer.status, &answer.body["code"]), (400, &json!(50006)));
    assert!(discord.messages().is_empty());
}

#[test]
fn the_sixth_in_two_seconds_waits_seconds_not_milliseconds() {
    let discord = Discord::start(Limits::default()).unwrap();
    for _ in 0..5 {
        assert_eq!(post(&discord, "x").unwrap().status, 200);
    }
    let answer = post(&discord, "x").unwrap();
    assert_eq!(answer.status, 429);
    let wait = answer.body["retry_after"].as_f64().unwrap();
    assert!(wait > 0.0 && wait <= 2.0, "{wait}");
    assert_eq!(answer.header("x-ratelimit-scope"), Some("user"));
    assert_eq!(answer.header("x-ratelimit-remaining"), Some("0"));
    assert_eq!(answer.body["global"], false);
}

#[test]
fn the_shared_and_the_global_limit_say_whose_they_are() {
    let discord = Discord::start(Limits::default()).unwrap();
    discord.next([
        Fault::Limited(Duration::from_millis(64_570), Scope::Shared),
        Fault::Limited(Duration::from_millis(500), Scope::Global),
        Fault::LimitedAtTheEdge(7),
    ]);
    let shared = post(&discord, "x").unwrap();
    assert_eq!(
        shared.body["retry_after"].as_f64().unwrap().to_string(),
        "64.57"
    );
    assert_eq!(shared.header("x-ratelimit-scope"), Some("shared"));
    let global = post(&discord, "x").unwrap();
    assert_eq!(global.header("x-ratelimit-global"), Some("true"));
    assert_eq!(global.body["global"], true);
    let edge = post(&discord, "x").unwrap();
    assert_eq!((edge.status, edge.header("retry-after")), (429, Some("7")));
    assert!(discord.messages().is_empty());
}

#[test]
fn faults_come_as_ordered_and_only_a_lost_answer_keeps_the_message() {
    let discord = Discord::start(Limits {
        per_webhook: 100,
        ..Limits::default()
    })
    .unwrap();
    discord.next([
        Fault::Status(503),
        Fault::Cut,
        Fault::AnswerLost,
        Fault::Garbled,
    ]);
    assert_eq!(post(&discord, "failed").unwrap().status, 503);
    assert!(post(&discord, "cut").is_none());
    assert!(discord.messages().is_empty());
    assert!(post(&discord, "lost").is_none());
    let garbled = post(&discord, "garbled").unwrap();
    assert_eq!((garbled.status, garbled.body), (200, Value::Null));
    let kept: Vec<Value> = discord
        .messages()
        .iter()
        .map(|message| message.body()["content"].clone())
        .collect();
    assert_eq!(kept, ["lost", "garbled"]);
    discord.always(Some(Fault::Status(404)));
    for _ in 0..3 {
        assert_eq!(post(&discord, "x").unwrap().body["code"], 10015);
    }
    discord.always(None);
    assert_eq!(post(&discord, "again").unwrap().status, 200);
}

#[test]
fn a_hang_never_answers() {
    let discord = Discord::start(Limits::default()).unwrap();
    discord.next([Fault::Hang]);
    let mut stream = TcpStream::connect(discord.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let path = way(&discord);
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}"
    )
    .unwrap();
    assert!(stream.read(&mut [0; 16]).is_err());
}
