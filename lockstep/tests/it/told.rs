//! What stands on `alerts` and what Discord keeps, held to each other.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::topic;
use kafka_io::{Broker, ConsumerOptions, Event, Start};
use serde_json::Value;
use simulator::discord::Discord;

/// Only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(120);

/// The newest record of each episode.
pub(crate) fn alerts(broker: &Broker) -> BTreeMap<String, Value> {
    let wanted = ConsumerOptions::new("look").topic(
        topic::ALERTS.name,
        topic::ALERTS.partitions,
        Start::Beginning,
    );
    let consumer = broker.consumer(wanted).unwrap();
    consumer.stop_at_end();
    let mut newest = BTreeMap::new();
    loop {
        match consumer.recv(PATIENCE) {
            Some(Event::Batch(batch)) => {
                for message in batch.messages() {
                    let key = String::from_utf8(message.key.unwrap().to_vec()).unwrap();
                    newest.insert(key, serde_json::from_slice(message.value.unwrap()).unwrap());
                }
            }
            Some(Event::End) => return newest,
            other => panic!("{other:?}"),
        }
    }
}

/// The episodes that a message tells of.
pub(crate) fn footers(body: &Value) -> Vec<String> {
    let embeds = body["embeds"].as_array().into_iter().flatten();
    embeds
        .map(|embed| embed["footer"]["text"].as_str().unwrap().to_owned())
        .collect()
}

/// Every episode stands on Discord once, or those places that repeat it say so, as does `alerts`; the message by which a
/// closed one is known shows its end. Gives how many stand again, and how many are marked.
pub(crate) fn once_or_marked(
    told: &BTreeMap<String, Value>,
    discord: &Discord,
) -> Result<(usize, usize), String> {
    let is_marked = |body: &Value| {
        let content = body["content"].as_str();
        content.is_some_and(|content| content.contains("Possible repeat"))
    };
    let messages = discord.messages();
    let mut stands = BTreeMap::<String, Vec<(bool, &str)>>::new();
    for message in &messages {
        let body = message.body();
        let marked = is_marked(&message.posted) || is_marked(&body);
        for id in footers(&body) {
            stands.entry(id).or_default().push((marked, &message.id));
        }
    }
    let (mut repeats, mut marks) = (0, 0);
    for (id, alert) in told {
        let places = stands
            .get(id)
            .ok_or_else(|| format!("{id} stands nowhere: {alert}"))?;
        let unmarked = places.iter().filter(|(marked, _)| !marked).count();
        if unmarked > 1 {
            return Err(format!(
                "{id} stands {unmarked} times without a mark: {places:?} {alert}"
            ));
        }
        let is_repeat = alert["possible_repeat"] == true;
        if places.len() > 1 && !is_repeat {
            return Err(format!(
                "{id} is no repeat and stands at {places:?}: {alert}"
            ));
        }
        repeats += places.len() - 1;
        marks += usize::from(is_repeat);
        let known = alert["message_id"].as_str().unwrap_or_default();
        let message = messages
            .iter()
            .find(|message| message.id == known)
            .ok_or_else(|| format!("no message is known by {alert}"))?;
        let body = message.body();
        let mut embeds = body["embeds"].as_array().into_iter().flatten();
        let embed = embeds.find(|embed| embed["footer"]["text"] == **id);
        let description = embed.and_then(|embed| embed["description"].as_str());
        let shows_end = description.is_some_and(|text| text.starts_with("Over"));
        if alert["what"] == "spread" && alert["state"] == "closed" && !shows_end {
            return Err(format!(
                "{id} is over, and its message says {description:?}"
            ));
        }
    }
    if let Some(unknown) = stands.keys().find(|id| !told.contains_key(*id)) {
        return Err(format!("{unknown} stands on Discord and not on `alerts`"));
    }
    Ok((repeats, marks))
}
