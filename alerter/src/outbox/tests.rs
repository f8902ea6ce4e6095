//! What is told, in which order, and what stands on `alerts` meanwhile.

use contract::alert::Alert;
use serde_json::Value;

use super::*;
use crate::episode::{Input, SpreadFacts, What};

const PAIRS: [&str; 3] = ["BTC-USD", "ETH-USD", "SOL-USD"];

fn at(ms: i64) -> Now {
    Now {
        wall_ms: 1_723_161_254_000 + ms,
        steady_ms: ms,
    }
}

fn place(offset: i64) -> Place {
    Place {
        input: Input::Spreads,
        partition: 0,
        offset,
    }
}

/// An episode that began at this second and has lasted so many windows.
fn episode(pair: &str, opened_s: i64, windows: u64, is_closed: bool) -> Episode {
    let opened_ms = opened_s * 1000;
    let updated_ms = opened_ms + i64::try_from(windows).unwrap() * 1000;
    Episode {
        id: format!("{pair}/a/b/{opened_ms}").into(),
        what: What::Spread(SpreadFacts {
            pair: pair.into(),
            buy: "a".into(),
            sell: "b".into(),
            peak_net_bps: 10.0,
            peak_size: None,
            peak_at_ns: opened_ms * 1_000_000,
            windows,
        }),
        opened_ms,
        updated_ms,
        closed_ms: is_closed.then_some(updated_ms),
        ending: None,
    }
}

fn outbox() -> Outbox {
    Outbox::new(Way::Discord, 5_000, 30_000)
}

fn next(outbox: &mut Outbox, ms: i64) -> Option<Request> {
    outbox.next(at(ms), &Throttle::default(), false, true)
}

fn kept(id: &str) -> Verdict {
    Verdict::Kept(Some(id.to_owned()))
}

/// The episodes that a request tells, and how many windows each.
fn told(request: &Request) -> Vec<(String, String)> {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let embeds = body["embeds"].as_array().unwrap().iter();
    embeds
        .map(|embed| {
            (
                text(&embed["footer"]["text"]),
                text(&embed["fields"][3]["value"]),
            )
        })
        .collect()
}

/// (delivery, message id, possible repeat, state) of the newest record of each episode.
fn records(outbox: &mut Outbox) -> Vec<(String, String)> {
    let mut newest = BTreeMap::new();
    for record in outbox.take_records() {
        let value: Value = serde_json::from_slice(&record.line).unwrap();
        let shown = format!(
            "{} {} {} {}",
            value["state"].as_str().unwrap(),
            value["delivery"].as_str().unwrap(),
            value["message_id"].as_str().unwrap_or("-"),
            if value["possible_repeat"] == true {
                "repeat"
            } else {
                "once"
            },
        );
        newest.insert(record.key.to_string(), shown);
    }
    newest.into_iter().collect()
}

fn record_of(outbox: &mut Outbox) -> String {
    let mut all = records(outbox);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0).1
}

#[test]
fn one_message_per_episode_edited_as_it_goes() {
    let mut outbox = outbox();
    assert!(outbox.put(episode("BTC-USD", 10, 1, false), Some(place(7)), at(0)));
    assert_eq!(record_of(&mut outbox), "open pending - once");
    let post = next(&mut outbox, 0).unwrap();
    assert_eq!(
        (post.action(), told(&post)),
        (Action::Post, vec![("BTC-USD/a/b/10000".into(), "1".into())])
    );
    assert_eq!(
        record_of(&mut outbox),
        "open pending - repeat",
        "safe before it is sent"
    );
    assert_eq!(outbox.holds().collect::<Vec<_>>(), [place(7)]);
    outbox.answered(at(100), &kept("1183"));
    assert_eq!(record_of(&mut outbox), "open sent 1183 once");
    assert_eq!(outbox.holds().count(), 0);

    assert!(!outbox.put(episode("BTC-USD", 10, 2, false), Some(place(8)), at(1_000)));
    assert_eq!(record_of(&mut outbox), "open sent 1183 once");
    assert_eq!(next(&mut outbox, 2_000), None, "edits keep their distance");
    outbox.put(episode("BTC-USD", 10, 3, false), Some(place(9)), at(2_000));
    let edit = next(&mut outbox, 5_100).unwrap();
    assert_eq!(
        (edit.message_id.as_deref(), &told(&edit)[0].1[..]),
        (Some("1183"), "3"),
        "the newest state only"
    );
    assert_eq!(
        outbox.holds().collect::<Vec<_>>(),
        [place(8)],
        "of everything since the last edit"
    );
    outbox.answered(at(5_200), &kept("1183"));

    assert!(outbox.put(episode("BTC-USD", 10, 3, true), Some(place(10)), at(5_300)));
    assert_eq!(
        records(&mut outbox).pop().unwrap().1,
        "closed pending 1183 once"
    );
    assert!(!outbox.is_told());
    let end = next(&mut outbox, 5_300).expect("an end is told at once");
    assert_eq!(end.action(), Action::Edit);
    outbox.answered(at(5_400), &kept("1183"));
    assert_eq!(record_of(&mut outbox), "closed sent 1183 once");
    assert!(outbox.is_told() && outbox.holds().count() == 0);
    let report = outbox.report();
    assert_eq!(
        (report.posted, report.edited, report.open, report.waiting),
        (1, 2, 0, 0)
    );
    assert_eq!(report.latency_p99_ms, Some(100));
}

#[test]
fn a_state_overtaken_while_it_was_sent_is_told_again() {
    let mut outbox = outbox();
    outbox.put(episode("BTC-USD", 10, 1, false), Some(place(7)), at(0));
    next(&mut outbox, 0).unwrap();
    outbox.put(episode("BTC-USD", 10, 1, true), Some(place(8)), at(50));
    outbox.answered(at(100), &kept("1"));
    assert_eq!(record_of(&mut outbox), "closed pending 1 once");
    assert_eq!(outbox.holds().collect::<Vec<_>>(), [place(8)]);
    assert_eq!(next(&mut outbox, 100).unwrap().action(), Action::Edit);
    outbox.answered(at(200), &kept("1"));
    assert_eq!(record_of(&mut outbox), "closed sent 1 once");
    assert_eq!(next(&mut outbox, 100_000), None);
}

#[test]
fn an_episode_that_ended_before_it_was_told_is_one_message() {
    let mut outbox = outbox();
    outbox.put(episode("BTC-USD", 10, 1, false), Some(place(7)), at(0));
    outbox.put(episode("BTC-USD", 10, 1, true), Some(place(8)), at(1));
    next(&mut outbox, 2).unwrap();
    outbox.answered(at(100), &kept("1"));
    assert_eq!(records(&mut outbox).pop().unwrap().1, "closed sent 1 once");
    assert_eq!(next(&mut outbox, 100_000), None);
}

#[test]
fn new_episodes_come_before_ends_and_ends_before_updates() {
    let mut outbox = outbox();
    for (n, pair) in PAIRS.iter().enumerate() {
        outbox.put(episode(pair, 10, 1, false), None, at(0));
        next(&mut outbox, 0).unwrap();
        outbox.answered(at(0), &kept(&n.to_string()));
    }
    outbox.put(episode("BTC-USD", 10, 2, false), None, at(1_000));
    outbox.put(episode("ETH-USD", 10, 1, true), None, at(9_000));
    outbox.put(episode("XRP-USD", 10, 1, false), None, at(9_500));
    let mut order = Vec::new();
    while let Some(request) = next(&mut outbox, 10_000) {
        order.push(told(&request)[0].0.clone());
        outbox.answered(at(10_000), &kept("9"));
    }
    assert_eq!(
        order,
        [
            "XRP-USD/a/b/10000",
            "ETH-USD/a/b/10000",
            "BTC-USD/a/b/10000"
        ]
    );
}

#[test]
fn many_waiting_are_merged_and_few_that_need_not_wait_are_not() {
    let mut outbox = outbox();
    for n in 0..25 {
        outbox.put(episode(&format!("P{n:02}-USD"), 10, 1, false), None, at(0));
    }
    let mut sizes = Vec::new();
    while let Some(request) = next(&mut outbox, 10) {
        sizes.push(request.episodes);
        outbox.answered(at(10), &kept(&sizes.len().to_string()));
    }
    assert_eq!(sizes, [10, 10, 1, 1, 1, 1, 1]);
    assert_eq!(outbox.report().merged, 20);
    outbox.put(episode("Q-USD", 10, 1, false), None, at(20));
    outbox.put(episode("R-USD", 10, 1, false), None, at(20));
    let late = next(&mut outbox, 1_020).unwrap();
    assert_eq!(late.episodes, 2, "they had to wait");
    let body: Value = serde_json::from_slice(&late.body).unwrap();
    assert!(
        body["content"]
            .as_str()
            .unwrap()
            .starts_with("2 alerts merged")
    );
}

#[test]
fn an_episode_within_the_cooldown_joins_the_message_before_it() {
    let mut outbox = outbox();
    outbox.put(episode("BTC-USD", 10, 1, true), None, at(0));
    next(&mut outbox, 0).unwrap();
    outbox.answered(at(0), &kept("1"));
    outbox.put(episode("BTC-USD", 40, 1, false), Some(place(9)), at(30_000));
    let edit = next(&mut outbox, 30_000).unwrap();
    assert_eq!((edit.message_id.as_deref(), edit.episodes), (Some("1"), 2));
    let newest = records(&mut outbox);
    assert_eq!(
        newest[1].1, "open pending 1 once",
        "a successor edits the same message"
    );
    outbox.answered(at(30_000), &kept("1"));
    assert_eq!(records(&mut outbox).pop().unwrap().1, "open sent 1 once");
    outbox.put(episode("BTC-USD", 40, 1, true), None, at(31_000));
    next(&mut outbox, 31_000).unwrap();
    outbox.answered(at(31_000), &kept("1"));
    outbox.put(episode("BTC-USD", 71, 1, false), None, at(61_000));
    assert_eq!(
        next(&mut outbox, 61_000).unwrap().action(),
        Action::Post,
        "30 s after the end it has cooled down"
    );
    assert_eq!(outbox.report().joined, 1);
}

#[test]
fn what_may_have_arrived_is_repeated_and_says_so() {
    for (verdict, marked) in [
        (Verdict::Unclear("status 502".into()), true),
        (Verdict::NotSent("refused".into()), false),
        (
            Verdict::Limited {
                wait_ms: 1,
                is_global: false,
                is_shared: true,
            },
            false,
        ),
    ] {
        let mut outbox = outbox();
        outbox.put(episode("BTC-USD", 10, 1, false), Some(place(7)), at(0));
        next(&mut outbox, 0).unwrap();
        outbox.answered(at(10), &verdict);
        let word = if marked { "repeat" } else { "once" };
        assert_eq!(
            record_of(&mut outbox),
            format!("open pending - {word}"),
            "{verdict:?}"
        );
        assert_eq!(outbox.holds().collect::<Vec<_>>(), [place(7)]);
        let again = next(&mut outbox, 20).unwrap();
        let body: Value = serde_json::from_slice(&again.body).unwrap();
        assert_eq!(
            body["content"]
                .as_str()
                .unwrap()
                .contains("Possible repeat"),
            marked
        );
        outbox.answered(at(30), &kept("1"));
        assert_eq!(record_of(&mut outbox), format!("open sent 1 {word}"));
        assert_eq!(outbox.report().possible_repeats, u64::from(marked));
    }
}

#[test]
fn a_dead_webhook_stops_everything_and_loses_nothing() {
    let mut outbox = outbox();
    outbox.put(episode("BTC-USD", 10, 1, false), Some(place(1)), at(0));
    next(&mut outbox, 0).unwrap();
    outbox.answered(at(0), &kept("1"));
    for (n, pair) in (2..).zip(["ETH-USD", "SOL-USD"]) {
        outbox.put(episode(pair, 10, 1, false), Some(place(n)), at(10));
    }
    records(&mut outbox);
    next(&mut outbox, 10).unwrap();
    outbox.answered(at(20), &Verdict::Dead("status 404: Unknown Webhook".into()));
    let shown = records(&mut outbox);
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert!(
        shown.iter().all(|(_, it)| it == "open refused - once"),
        "{shown:?}"
    );
    assert_eq!(outbox.holds().count(), 0, "they are safe on the topic");
    outbox.put(episode("XRP-USD", 20, 1, false), Some(place(5)), at(30));
    outbox.put(episode("BTC-USD", 10, 1, true), Some(place(6)), at(30));
    assert_eq!(next(&mut outbox, 100_000), None);
    assert_eq!(
        records(&mut outbox),
        [
            (
                "BTC-USD/a/b/10000".to_owned(),
                "closed refused 1 once".to_owned()
            ),
            (
                "XRP-USD/a/b/20000".to_owned(),
                "open refused - once".to_owned()
            )
        ]
    );
    assert!(outbox.is_told() && outbox.holds().count() == 0);
}

#[test]
fn a_faulty_body_blocks_nothing() {
    let mut outbox = outbox();
    outbox.put(episode("BTC-USD", 10, 1, false), Some(place(1)), at(0));
    next(&mut outbox, 0).unwrap();
    outbox.answered(at(0), &Verdict::Faulty("status 400".into()));
    assert_eq!(record_of(&mut outbox), "open refused - once");
    outbox.put(episode("BTC-USD", 10, 2, false), Some(place(2)), at(0));
    outbox.put(episode("ETH-USD", 10, 1, false), Some(place(3)), at(0));
    assert_eq!(
        told(&next(&mut outbox, 0).unwrap())[0].0,
        "ETH-USD/a/b/10000"
    );
    assert_eq!(outbox.holds().collect::<Vec<_>>(), [place(3)]);
}

#[test]
fn a_message_that_somebody_deleted_is_left_in_peace() {
    let mut outbox = outbox();
    outbox.put(episode("BTC-USD", 10, 1, false), None, at(0));
    next(&mut outbox, 0).unwrap();
    outbox.answered(at(0), &kept("1"));
    outbox.put(episode("BTC-USD", 10, 2, false), Some(place(1)), at(10_000));
    next(&mut outbox, 10_000).unwrap();
    outbox.answered(at(10_000), &Verdict::Deleted);
    outbox.put(episode("BTC-USD", 10, 2, true), Some(place(2)), at(11_000));
    assert_eq!(next(&mut outbox, 100_000), None);
    assert_eq!(records(&mut outbox).pop().unwrap().1, "closed sent 1 once");
    assert!(outbox.holds().count() == 0 && outbox.is_told());
}

#[test]
fn without_a_webhook_alerts_stand_in_the_log_and_on_the_topic() {
    let mut outbox = Outbox::new(Way::Log, 5_000, 30_000);
    assert!(outbox.put(episode("BTC-USD", 10, 1, false), Some(place(1)), at(0)));
    assert_eq!(record_of(&mut outbox), "open logged - once");
    assert!(outbox.put(episode("BTC-USD", 10, 1, true), Some(place(2)), at(0)));
    assert_eq!(record_of(&mut outbox), "closed logged - once");
    assert!(next(&mut outbox, 100_000).is_none() && outbox.is_told());
    assert_eq!((outbox.holds().count(), outbox.report().open), (0, 0));
}

#[test]
fn finished_messages_are_let_go_and_open_ones_are_not() {
    let mut outbox = outbox();
    outbox.put(episode("BTC-USD", 10, 1, true), None, at(0));
    outbox.put(episode("ETH-USD", 10, 1, false), None, at(0));
    for id in ["1", "2"] {
        next(&mut outbox, 0).unwrap();
        outbox.answered(at(0), &kept(id));
    }
    outbox.tidy(at(0));
    outbox.tidy(at(89_999));
    assert_eq!(outbox.entries.len(), 2);
    outbox.tidy(at(90_000));
    assert_eq!(
        (
            outbox.entries.len(),
            outbox.messages.len(),
            outbox.newest.len()
        ),
        (1, 1, 1)
    );
}

#[test]
fn reading_pauses_when_too_many_wait() {
    let mut outbox = outbox();
    for n in 0..WAITING_MOST {
        assert!(!outbox.is_full());
        outbox.put(episode(&format!("P{n}-USD"), 10, 1, false), None, at(0));
    }
    assert!(outbox.is_full());
}

/// A successor with the newest record of each episode.
fn successor(lines: &[Outgoing]) -> Outbox {
    let mut newest = BTreeMap::new();
    for line in lines {
        let alert: Alert<'_> = serde_json::from_slice(&line.line).unwrap();
        let kept = Kept::of(&alert);
        newest.insert(Arc::clone(&kept.episode.id), kept);
    }
    let mut outbox = outbox();
    outbox.take_up(&newest, at(1_000_000));
    outbox
}

#[test]
fn a_successor_marks_only_what_may_have_been_sent() {
    let mut before = outbox();
    before.put(episode("BTC-USD", 10, 1, false), None, at(0));
    before.put(episode("ETH-USD", 11, 1, false), None, at(0));
    next(&mut before, 0).unwrap();
    let mut after = successor(&before.take_records());
    let mut marked = Vec::new();
    while let Some(request) = next(&mut after, 0) {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        marked.push(
            body["content"]
                .as_str()
                .unwrap()
                .contains("Possible repeat"),
        );
        after.answered(at(0), &kept("1"));
    }
    assert_eq!(marked, [true, false]);
    assert_eq!(after.report().taken_up, 2);
}

#[test]
fn a_successor_tells_the_end_that_was_not_told_and_edits_whole_messages() {
    let mut before = outbox();
    for n in 0..7 {
        before.put(episode(&format!("P{n}-USD"), 10, 1, false), None, at(0));
    }
    next(&mut before, 0).unwrap();
    before.answered(at(0), &kept("1"));
    before.put(episode("P0-USD", 10, 1, true), None, at(10));
    next(&mut before, 10).unwrap();
    before.answered(at(10), &kept("1"));
    before.put(episode("P1-USD", 10, 1, true), None, at(20));
    let mut after = successor(&before.take_records());
    let edit = next(&mut after, 0).unwrap();
    assert_eq!((edit.message_id.as_deref(), edit.episodes), (Some("1"), 7));
    after.answered(at(0), &kept("1"));
    assert_eq!(
        records(&mut after),
        [(
            "P1-USD/a/b/10000".to_owned(),
            "closed sent 1 once".to_owned()
        )]
    );
    assert_eq!(next(&mut after, 100_000), None);
    after.put(episode("P2-USD", 10, 2, false), Some(place(1)), at(200_000));
    assert_eq!(
        next(&mut after, 200_000).unwrap().message_id.as_deref(),
        Some("1")
    );
}

#[test]
fn a_successor_tries_again_what_was_refused_even_with_another_webhook() {
    let mut before = outbox();
    before.put(episode("BTC-USD", 10, 1, false), None, at(0));
    next(&mut before, 0).unwrap();
    before.answered(at(0), &kept("1"));
    before.put(episode("BTC-USD", 10, 1, true), None, at(10));
    before.put(episode("ETH-USD", 11, 1, true), None, at(10));
    next(&mut before, 10).unwrap();
    before.answered(at(10), &Verdict::Dead("status 404".into()));
    let mut after = successor(&before.take_records());
    let edit = next(&mut after, 0).unwrap();
    assert_eq!(edit.message_id.as_deref(), Some("1"));
    after.answered(at(0), &Verdict::Deleted);
    // The message is another webhook's: what it did not tell is posted here, and so is what was never told.
    for (id, episode) in [("77", "BTC-USD/a/b/10000"), ("78", "ETH-USD/a/b/11000")] {
        let anew = next(&mut after, 0).unwrap();
        assert_eq!(
            (anew.action(), &told(&anew)[0].0[..]),
            (Action::Post, episode)
        );
        after.answered(at(0), &kept(id));
    }
    assert_eq!(records(&mut after)[0].1, "closed sent 77 once");
    assert!(after.is_told());
}

#[test]
fn a_successor_leaves_finished_alerts_on_the_topic() {
    let mut before = outbox();
    before.put(episode("BTC-USD", 10, 1, true), None, at(0));
    next(&mut before, 0).unwrap();
    before.answered(at(0), &kept("1"));
    let after = successor(&before.take_records());
    assert!(after.entries.is_empty() && after.messages.is_empty() && after.waiting.is_empty());
}
