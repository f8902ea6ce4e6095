//! The socket against the stand-in: every way in which an answer can come or stay away, and no token in any of them.

use std::sync::Arc;
use std::time::Duration;

use alerter::answer::Verdict;
use alerter::discord::Discord;
use alerter::outbox::Request;
use contract::config::Secret;
use simulator::discord::{Discord as StandIn, Fault, Limits, Scope};

fn request(message_id: Option<&str>) -> Request {
    Request {
        message_id: message_id.map(Arc::from),
        body: br#"{"content":"x","allowed_mentions":{"parse":[]}}"#.to_vec(),
        episodes: 1,
    }
}

fn ask(url: &str, message_id: Option<&str>) -> Verdict {
    let discord = Discord::new(&Secret::new(url), Duration::from_millis(1_500)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(discord.ask(&request(message_id))).0
}

fn wide() -> Limits {
    Limits {
        per_webhook: 1_000,
        per_channel: 1_000,
        ..Limits::default()
    }
}

#[test]
fn a_message_is_posted_with_wait_and_edited_by_its_id() {
    let there = StandIn::start(wide()).unwrap();
    let Verdict::Kept(Some(id)) = ask(&there.url(), None) else {
        panic!("not kept");
    };
    assert!(there.requests()[0].wait);
    assert_eq!(
        ask(&there.url(), Some(&id)),
        Verdict::Kept(Some(id.clone()))
    );
    assert_eq!(there.messages()[0].edits.len(), 1);
    there.delete(&id);
    assert_eq!(ask(&there.url(), Some(&id)), Verdict::Deleted);
    // A slash at the end, and a query of one's own (as for threads).
    for url in [
        format!("{}/", there.url()),
        format!("{}?thread_id=7", there.url()),
    ] {
        assert!(matches!(ask(&url, None), Verdict::Kept(Some(_))), "{url}");
    }
    assert!(there.requests().last().unwrap().wait);
}

#[test]
fn every_fault_is_told_for_what_it_is() {
    let there = StandIn::start(wide()).unwrap();
    let url = there.url();
    let limited = |wait_ms, is_global, is_shared| Verdict::Limited {
        wait_ms,
        is_global,
        is_shared,
    };
    for (fault, expected) in [
        (
            Fault::Limited(Duration::from_millis(64_570), Scope::Shared),
            limited(64_570, false, true),
        ),
        (
            Fault::Limited(Duration::from_millis(500), Scope::Global),
            limited(500, true, false),
        ),
        (Fault::LimitedAtTheEdge(7), limited(7_000, false, false)),
        (Fault::Garbled, Verdict::Kept(None)),
    ] {
        there.next([fault.clone()]);
        assert_eq!(ask(&url, None), expected, "{fault:?}");
    }
    for fault in [
        Fault::Status(500),
        Fault::Status(503),
        Fault::Hang,
        Fault::Cut,
        Fault::AnswerLost,
    ] {
        there.next([fault.clone()]);
        let verdict = ask(&url, None);
        assert!(
            matches!(verdict, Verdict::Unclear(_)),
            "{fault:?}: {verdict:?}"
        );
    }
    for status in [401, 403, 404] {
        there.next([Fault::Status(status)]);
        assert!(matches!(ask(&url, None), Verdict::Dead(_)), "{status}");
    }
    there.next([Fault::Status(400)]);
    assert!(matches!(ask(&url, None), Verdict::Faulty(_)));
    there.next([Fault::Slow(Duration::from_millis(300))]);
    assert!(matches!(ask(&url, None), Verdict::Kept(Some(_))));
}

#[test]
fn what_never_left_is_told_apart_and_no_verdict_holds_the_token() {
    let there = StandIn::start(wide()).unwrap();
    let (url, token) = (there.url(), there.token());
    let mut verdicts = Vec::new();
    for fault in [
        Fault::Hang,
        Fault::Cut,
        Fault::Status(404),
        Fault::Status(400),
        Fault::Status(500),
    ] {
        there.next([fault]);
        verdicts.push(ask(&url, None));
    }
    drop(there);
    let refused = ask(&url, None);
    assert!(matches!(refused, Verdict::NotSent(_)), "{refused:?}");
    verdicts.push(refused);
    // Nobody speaks TLS there, and nobody is called that.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answering = std::thread::spawn(move || {
        use std::io::Write;
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    let tls = ask(&format!("https://{address}/api/webhooks/1/{token}"), None);
    answering.join().unwrap();
    assert!(matches!(tls, Verdict::NotSent(_)), "{tls:?}");
    verdicts.push(tls);
    let shown = format!("{verdicts:?}");
    assert!(!shown.contains(token), "{shown}");
}

#[test]
fn a_webhook_that_is_none_is_an_error_without_the_token() {
    for url in ["hunter2", "mailto:hunter2", "http://[hunter2"] {
        let error = Discord::new(&Secret::new(url), Duration::from_secs(1)).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}

#[test]
fn an_answer_that_repeats_the_address_is_cleaned() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "http://{}/api/webhooks/1/hunter2",
        listener.local_addr().unwrap()
    );
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let body = r#"{"message":"no way to /api/webhooks/1/hunter2 or hunter2"}"#;
        let head = format!(
            "HTTP/1.1 405 Method Not Allowed\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let _ = stream.write_all(format!("{head}{body}").as_bytes());
    });
    let verdict = ask(&url, None);
    answering.join().unwrap();
    assert_eq!(
        verdict,
        Verdict::Faulty("status 405: no way to *** or ***".to_owned())
    );
}
