//! What passes, what is refused, and that secrets stay unseen.

use super::*;

fn faults(settings: &KafkaSettings) -> Vec<String> {
    match settings.check() {
        Ok(()) => Vec::new(),
        Err(KafkaError::Settings(faults)) => faults.iter().map(ToString::to_string).collect(),
        Err(other) => vec![other.to_string()],
    }
}

fn local() -> KafkaSettings {
    KafkaSettings::new("127.0.0.1:9092")
}

#[test]
fn any_property_of_librdkafka_passes() {
    let settings = local()
        .with("compression.type", "lz4")
        .with("linger.ms", "20")
        .with("fetch.wait.max.ms", "50")
        .with("acks", "all")
        .with("enable.idempotence", "true")
        .with("security.protocol", "plaintext");
    assert_eq!(faults(&settings), Vec::<String>::new());
}

#[test]
fn what_would_break_a_promise_is_refused_by_name() {
    for (name, value) in [
        ("enable.idempotence", "false"),
        ("acks", "1"),
        ("request.required.acks", "0"),
        ("max.in.flight", "6"),
        ("retries", "0"),
        ("delivery.report.only.error", "true"),
        ("queuing.strategy", "lifo"),
        ("enable.auto.commit", "true"),
        ("enable.auto.offset.store", "true"),
        ("isolation.level", "read_uncommitted"),
        ("auto.offset.reset", "latest"),
        ("group.id", "mine"),
        ("transactional.id", "mine"),
        ("allow.auto.create.topics", "true"),
        ("bootstrap.servers", "elsewhere:9092"),
        ("test.mock.num.brokers", "3"),
    ] {
        let found = faults(&local().with(name, value));
        assert_eq!(found.len(), 1, "{name}={value}: {found:?}");
        assert!(found[0].starts_with(&format!("`{name}`: ")), "{found:?}");
    }
}

#[test]
fn all_faults_are_listed_at_once() {
    let settings = KafkaSettings::new("")
        .with("acks", "0")
        .with("linger.mss", "5")
        .with("linger.ms", "often");
    let found = faults(&settings);
    assert_eq!(found.len(), 4, "{found:?}");
    assert!(found.iter().any(|fault| fault.contains("`brokers`")));
    assert!(
        found
            .iter()
            .any(|fault| fault.contains("No such configuration property"))
    );
}

#[cfg(not(feature = "tls"))]
#[test]
fn without_the_feature_tls_and_sasl_are_refused_with_what_to_do() {
    for (name, value) in [
        ("security.protocol", "ssl"),
        ("security.protocol", "SASL_PLAINTEXT"),
        ("ssl.ca.location", "/etc/ssl/ca.pem"),
        ("sasl.username", "me"),
        ("sasl.password", "hush-hush"),
    ] {
        let found = faults(&local().with(name, value));
        assert_eq!(found.len(), 1, "{name}={value}: {found:?}");
        assert!(found[0].starts_with(&format!("`{name}`: ")), "{found:?}");
        assert!(found[0].contains("--features tls"), "{found:?}");
        assert!(!found[0].contains("hush-hush"));
    }
}

#[cfg(feature = "tls")]
#[test]
fn with_the_feature_tls_and_sasl_pass() {
    let settings = local()
        .with("security.protocol", "sasl_ssl")
        .with("sasl.mechanism", "SCRAM-SHA-512")
        .with("sasl.username", "me")
        .with("sasl.password", "hush-hush")
        .with("ssl.endpoint.identification.algorithm", "https");
    assert_eq!(faults(&settings), Vec::<String>::new());
}

#[test]
fn secrets_are_never_shown() {
    let names = [
        "sasl.password",
        "ssl.key.password",
        "ssl.keystore.password",
        "ssl.key.pem",
        "ssl.certificate.pem",
        "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.config",
        "ssl.no.such.password",
    ];
    let mut settings = local().with("client.id", "shown");
    for name in names {
        settings = settings.with(name, "hush-hush");
    }
    let shown = format!("{settings:?}");
    assert!(shown.contains("shown") && shown.contains("***"), "{shown}");
    assert!(!shown.contains("hush-hush"), "{shown}");
    for name in names {
        assert!(shown.contains(name), "{shown}");
    }
    let found = settings
        .check()
        .map_err(|error| format!("{error} {error:?}"));
    assert!(!format!("{found:?}").contains("hush-hush"), "{found:?}");
}

#[test]
fn properties_go_only_to_the_clients_they_concern() {
    let settings = local()
        .with("linger.ms", "7")
        .with("fetch.wait.max.ms", "9");
    let producer = settings.client(Role::Producer, &[], &[]).unwrap();
    let consumer = settings.client(Role::Consumer, &[], &[]).unwrap();
    assert_eq!(producer.get("linger.ms"), Some("7"));
    assert_eq!(producer.get("fetch.wait.max.ms"), None);
    assert_eq!(consumer.get("linger.ms"), None);
    assert_eq!(consumer.get("fetch.wait.max.ms"), Some("9"));
}

#[test]
fn an_alias_replaces_the_default_it_stands_for() {
    let settings = local().with("queue.buffering.max.ms", "7");
    let producer = settings
        .client(Role::Producer, &[("linger.ms", "5")], &[])
        .unwrap();
    assert_eq!(producer.get("linger.ms"), None);
    assert_eq!(producer.get("queue.buffering.max.ms"), Some("7"));
}
