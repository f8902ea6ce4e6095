//! Where the brokers are and what is passed on to the client library; what would break a promise is refused by name.
//!
//! In comes a [`KafkaSettings`], as the configuration has it; out come the library's settings for a producer, a consumer
//! or an admin client, or every fault at once. Any property of librdkafka passes. Absent: reading files or variables.

use std::collections::BTreeMap;
use std::fmt;

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::KafkaError as RdError;

use crate::error::KafkaError;

/// Where the brokers are, and any property of librdkafka.
///
/// `Debug` shows the names of all properties and hides the values of secret ones.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct KafkaSettings {
    /// `HOST:PORT`, several with commas.
    pub brokers: String,
    /// Properties of librdkafka by name, e.g. `compression.type` or `ssl.ca.location`.
    pub properties: BTreeMap<String, String>,
}

/// One setting that is refused, with its reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}`: {reason}")]
pub struct SettingFault {
    /// The name as given.
    pub name: String,
    /// Why, and what to do.
    pub reason: String,
}

/// What a client is for; each has its own properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Producer,
    Consumer,
    Admin,
}

impl fmt::Debug for KafkaSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: BTreeMap<&str, &str> = self
            .properties
            .iter()
            .map(|(name, value)| (name.as_str(), shown_value(name, value)))
            .collect();
        f.debug_struct("KafkaSettings")
            .field("brokers", &self.brokers)
            .field("properties", &shown)
            .finish()
    }
}

impl KafkaSettings {
    /// Brokers without further properties.
    #[must_use]
    pub fn new(brokers: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            properties: BTreeMap::new(),
        }
    }

    /// The same with one property more.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.properties.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Judges all settings without connecting.
    ///
    /// # Errors
    /// [`KafkaError::Settings`] with every fault: no address, a name or value librdkafka does not know, a property that
    /// would break a promise of this crate, or TLS and SASL without the cargo feature `tls`.
    pub fn check(&self) -> Result<(), KafkaError> {
        let mut faults = Vec::new();
        if self.brokers.trim().is_empty() {
            faults.push(SettingFault {
                name: "brokers".to_owned(),
                reason: "is empty; give HOST:PORT, several with commas".to_owned(),
            });
        }
        for (name, value) in &self.properties {
            if let Some(reason) = refusal(name, value).or_else(|| unknown(name, value)) {
                faults.push(SettingFault {
                    name: name.clone(),
                    reason,
                });
            }
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(KafkaError::Settings(faults))
        }
    }

    /// The library's settings: `ours` are defaults that properties may override, `fixed` they may not.
    pub(crate) fn client(
        &self,
        role: Role,
        ours: &[(&str, &str)],
        fixed: &[(&str, &str)],
    ) -> Result<ClientConfig, KafkaError> {
        self.check()?;
        let mut client = ClientConfig::new();
        client.set_log_level(RDKafkaLogLevel::Info);
        for (name, value) in [("client.id", "lockstep"), ("socket.nagle.disable", "true")]
            .iter()
            .chain(&RECONNECT)
            .chain(ours)
        {
            client.set(*name, *value);
        }
        for (name, value) in &self.properties {
            if concerns(name, role) {
                // An alias of ours must not stand beside it: which of the two wins is not defined.
                client.remove(alias(name));
                client.set(name, value);
            }
        }
        client.set("bootstrap.servers", &self.brokers);
        client.set("statistics.interval.ms", "1000");
        for (name, value) in fixed {
            client.set(*name, *value);
        }
        Ok(client)
    }
}

/// Back-off of reconnecting: 100 ms, doubled up to 2 s; the library adds the jitter (-25 % to +50 %).
const RECONNECT: [(&str, &str); 2] = [
    ("reconnect.backoff.ms", "100"),
    ("reconnect.backoff.max.ms", "2000"),
];

/// Whether a property's value must not be shown.
pub(crate) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "password",
        "secret",
        ".pem",
        "token",
        "oauthbearer.config",
        "jaas",
        "credential",
        "assertion",
    ]
    .iter()
    .any(|word| name.contains(word))
}

/// A value, or stars.
fn shown_value<'a>(name: &str, value: &'a str) -> &'a str {
    if is_secret(name) { "***" } else { value }
}

/// Why a property is refused, if it is.
fn refusal(name: &str, value: &str) -> Option<String> {
    let lower = value.trim().to_ascii_lowercase();
    let on = matches!(lower.as_str(), "true" | "t" | "1");
    let reason = match name {
        "bootstrap.servers" | "metadata.broker.list" => {
            "give the address as `[kafka] brokers`".to_owned()
        }
        "test.mock.num.brokers" => "use `--broker embedded`".to_owned(),
        "enable.idempotence" if !on => {
            format!("`{value}` would let a retry write a record twice or out of order; it stays true")
        }
        "acks" | "request.required.acks" if !matches!(lower.as_str(), "all" | "-1") => {
            format!("`{value}` would call records delivered that a broker's death can still lose; it stays `all`")
        }
        "max.in.flight.requests.per.connection" | "max.in.flight"
            if !lower.parse::<u32>().is_ok_and(|n| (1..=5).contains(&n)) =>
        {
            format!("`{value}` is outside 1..=5, within which the order of records is kept")
        }
        "retries" | "message.send.max.retries"
            if !lower.parse::<u32>().is_ok_and(|n| n >= 1) =>
        {
            format!("`{value}` would drop records at the first fault; leave it out, or give at least 1")
        }
        "delivery.report.only.error" if on => {
            "deliveries could no longer be counted; it stays false".to_owned()
        }
        "queuing.strategy" if lower != "fifo" => {
            format!("`{value}` would change the order of records; it stays `fifo`")
        }
        "enable.auto.commit" | "enable.auto.offset.store" | "auto.commit.enable" if on => {
            "would commit records that nobody has worked on yet; it stays false".to_owned()
        }
        "isolation.level" if lower != "read_committed" => {
            format!("`{value}` would show records of aborted transactions; it stays `read_committed`")
        }
        "auto.offset.reset" => {
            "readers start at explicit offsets, and one that is gone is an error, not a jump".to_owned()
        }
        "group.id" | "group.instance.id" | "group.protocol" | "group.remote.assignor"
        | "partition.assignment.strategy" => {
            "partitions are assigned, and a group would move them; each reader makes a name of its own".to_owned()
        }
        "transactional.id" => {
            "is made from the job and its shard, so that a restart fences its predecessor".to_owned()
        }
        "allow.auto.create.topics" if on => {
            "a misspelt topic would come into being unseen; `lockstep topics` creates them".to_owned()
        }
        "enable.partition.eof" | "statistics.interval.ms" | "log.queue" => {
            "is used by the reader itself".to_owned()
        }
        _ => return tls_refusal(name, &lower),
    };
    Some(reason)
}

/// Whether a property belongs to TLS or SASL.
fn is_tls(name: &str, lower_value: &str) -> bool {
    name == "security.protocol" && lower_value != "plaintext"
        || name.starts_with("ssl.")
        || name.starts_with("sasl.")
        || name.starts_with("https.")
        || name == "enable.ssl.certificate.verification"
        || name == "enable.sasl.oauthbearer.unsecure.jwt"
}

/// Without the feature `tls` such a setting is refused by name: the library's own words would not say what to do.
fn tls_refusal(name: &str, lower_value: &str) -> Option<String> {
    (cfg!(not(feature = "tls")) && is_tls(name, lower_value)).then(|| {
        "this build has neither TLS nor SASL; build it with `--features tls` (needs the headers of OpenSSL)"
            .to_owned()
    })
}

/// What librdkafka says against a name or value, if anything.
fn unknown(name: &str, value: &str) -> Option<String> {
    let mut probe = ClientConfig::new();
    probe.set(name, value);
    match probe.create_native_config() {
        Ok(_) => None,
        // The library's text repeats the value, so it is not shown for secrets.
        Err(RdError::ClientConfig(_, _, _, _)) if is_secret(name) => {
            Some("its value is not one that librdkafka takes".to_owned())
        }
        Err(RdError::ClientConfig(_, text, _, _)) => Some(text),
        Err(other) => Some(other.to_string()),
    }
}

/// The other name of a property, where it has one among those set here.
fn alias(name: &str) -> &str {
    match name {
        "queue.buffering.max.ms" => "linger.ms",
        "delivery.timeout.ms" => "message.timeout.ms",
        "compression.codec" => "compression.type",
        "max.partition.fetch.bytes" => "fetch.message.max.bytes",
        other => other,
    }
}

/// Whether a client of this role takes a property; the library warns of each that is not its own.
fn concerns(name: &str, role: Role) -> bool {
    const PRODUCER: [&str; 18] = [
        "queue.buffering.",
        "linger.",
        "batch.",
        "compression.",
        "message.timeout",
        "delivery.",
        "request.required",
        "request.timeout",
        "retries",
        "message.send.",
        "acks",
        "enable.idempotence",
        "enable.gapless",
        "partitioner",
        "sticky.",
        "transaction",
        "queuing.strategy",
        "retry.backoff",
    ];
    const CONSUMER: [&str; 12] = [
        "fetch.",
        "queued.",
        "check.crcs",
        "isolation.level",
        "enable.auto.",
        "auto.commit",
        "max.poll.",
        "session.",
        "heartbeat.",
        "max.partition.",
        "allow.auto.",
        "coordinator.",
    ];
    let belongs = |list: &[&str]| list.iter().any(|start| name.starts_with(start));
    match role {
        Role::Producer => !belongs(&CONSUMER),
        Role::Consumer => !belongs(&PRODUCER),
        Role::Admin => !belongs(&PRODUCER) && !belongs(&CONSUMER),
    }
}

#[cfg(test)]
mod tests;
