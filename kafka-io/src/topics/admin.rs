//! Requests to a cluster's controller: new topics, settings of topics.
//!
//! In come specifications, out goes what the controller said. The library answers by futures from a thread of its own;
//! they are waited for here, so that no runtime is needed.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::RDKafkaErrorCode as Code;

use super::TopicSpec;
use crate::config::{KafkaSettings, Role};
use crate::error::{KafkaError, code_is_retryable};
use crate::link::LinkWatch;
use crate::watch::ConsumerWatch;

/// Asks a cluster's controller.
pub(crate) struct Admin {
    client: AdminClient<ConsumerWatch>,
    brokers: String,
}

impl Admin {
    pub(crate) fn new(settings: &KafkaSettings) -> Result<Self, KafkaError> {
        let config = settings.client(Role::Admin, &[], &[])?;
        let link = Arc::new(LinkWatch::new("admin".to_owned(), &settings.brokers));
        let client = AdminClient::from_config_and_context(&config, ConsumerWatch::new(link))
            .map_err(|error| KafkaError::Start {
                what: "admin client",
                brokers: settings.brokers.clone(),
                reason: error.to_string(),
            })?;
        Ok(Self {
            client,
            brokers: settings.brokers.clone(),
        })
    }

    fn options(timeout: Duration) -> AdminOptions {
        AdminOptions::new()
            .request_timeout(Some(timeout))
            .operation_timeout(Some(timeout))
    }

    /// Creates topics; one that is there meanwhile is fine.
    pub(crate) fn create(&self, specs: &[TopicSpec], timeout: Duration) -> Result<(), KafkaError> {
        let settings: Vec<_> = specs.iter().map(TopicSpec::settings).collect();
        let topics: Vec<NewTopic<'_>> = specs
            .iter()
            .zip(&settings)
            .map(|(spec, settings)| {
                let replication = TopicReplication::Fixed(spec.replication.unwrap_or(-1));
                let mut topic = NewTopic::new(&spec.name, spec.partitions, replication);
                for (name, value) in settings {
                    topic = topic.set(name, value);
                }
                topic
            })
            .collect();
        let what = "new topics";
        let results = block_on(self.client.create_topics(&topics, &Self::options(timeout)))
            .map_err(|error| KafkaError::of_request(what, &self.brokers, &error))?;
        for result in results {
            match result {
                Ok(_) | Err((_, Code::TopicAlreadyExists)) => {}
                Err((topic, code)) => {
                    return Err(KafkaError::Answer {
                        what: format!("new topic `{topic}`"),
                        brokers: self.brokers.clone(),
                        reason: code.to_string(),
                        retryable: code_is_retryable(code),
                    });
                }
            }
        }
        Ok(())
    }

    /// The settings of topics, by topic and name.
    pub(super) fn describe(
        &self,
        topics: &[&str],
        timeout: Duration,
    ) -> Result<BTreeMap<String, BTreeMap<String, String>>, KafkaError> {
        let mut known = BTreeMap::new();
        if topics.is_empty() {
            return Ok(known);
        }
        let resources: Vec<ResourceSpecifier<'_>> = topics
            .iter()
            .map(|name| ResourceSpecifier::Topic(name))
            .collect();
        let what = "the settings of topics";
        let results = block_on(
            self.client
                .describe_configs(&resources, &Self::options(timeout)),
        )
        .map_err(|error| KafkaError::of_request(what, &self.brokers, &error))?;
        for (name, result) in topics.iter().zip(results) {
            let resource = result.map_err(|code| KafkaError::Answer {
                what: format!("the settings of topic `{name}`"),
                brokers: self.brokers.clone(),
                reason: code.to_string(),
                retryable: code_is_retryable(code),
            })?;
            let entries = resource
                .entries
                .into_iter()
                .filter_map(|entry| entry.value.map(|value| (entry.name, value)))
                .collect();
            known.insert((*name).to_owned(), entries);
        }
        Ok(known)
    }
}

/// Wakes the thread that waits in [`block_on`].
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for the admin client's answers; they come from its own thread, so no runtime is needed.
fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}
