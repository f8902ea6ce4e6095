//! Orders for twins onto `eeg-samples`: a thread of its own, so that drawing never waits for a broker.
//!
//! In: orders. Out: records keyed by their session, and for each a [`Message::Ordered`] that says whether it was delivered.
//! What when full: the order is refused, and the screen says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use contract::eeg::Stimulation;
use contract::topic::EEG_SAMPLES;
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use kafka_io::{Broker, KafkaError, Producer, ProducerOptions, Record};

use crate::door::Door;
use crate::error::DashboardError;
use crate::message::{Message, Ordered};

/// Orders that wait while one is sent.
const WAITING: usize = 8;
/// How long one may take, besides the last moments that a producer has when it is let go.
const PATIENCE: Duration = Duration::from_secs(5);

/// The sending of orders; dropping it ends its thread.
#[derive(Debug)]
pub struct Orders {
    given: Option<Sender<Stimulation<'static>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Orders {
    /// Begins to wait for orders. No producer is made before the first.
    ///
    /// # Errors
    /// [`DashboardError::Thread`].
    pub(crate) fn start(broker: &Broker, door: &Door) -> Result<Self, DashboardError> {
        const NAME: &str = "dashboard-orders";
        let (given, orders) = bounded(WAITING);
        let stop = Arc::new(AtomicBool::new(false));
        let sending = Sending {
            broker: broker.clone(),
            door: door.clone(),
            stop: Arc::clone(&stop),
        };
        let thread = std::thread::Builder::new()
            .name(NAME.to_owned())
            .spawn(move || sending.run(&orders))
            .map_err(|source| DashboardError::Thread { name: NAME, source })?;
        Ok(Self {
            given: Some(given),
            stop,
            thread: Some(thread),
        })
    }

    /// Hands an order over; what becomes of it is told through the door. None where it was taken, else why not.
    pub(crate) fn give(&self, order: Stimulation<'static>) -> Option<Ordered> {
        let given = self.given.as_ref()?;
        let (order, reason) = match given.try_send(order) {
            Ok(()) => return None,
            Err(TrySendError::Full(order)) => (order, "too many orders wait to be sent"),
            Err(TrySendError::Disconnected(order)) => {
                (order, "the thread that sends orders is gone")
            }
        };
        Some(refusal(&order, reason))
    }
}

/// An order that was not sent.
pub(crate) fn refusal(order: &Stimulation<'_>, reason: &str) -> Ordered {
    Ordered {
        id: order.id.to_string(),
        outcome: Err(reason.to_owned()),
    }
}

impl Drop for Orders {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        drop(self.given.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that sends orders panicked");
        }
    }
}

struct Sending {
    broker: Broker,
    door: Door,
    stop: Arc<AtomicBool>,
}

impl Sending {
    fn run(self, orders: &Receiver<Stimulation<'static>>) {
        let mut producer = None;
        for order in orders {
            let sent = self.send(&mut producer, &order);
            if let Err(error) = &sent {
                // Let go, it gives up what it holds: nothing shall be driven minutes later that was called not sent.
                producer = None;
                tracing::warn!(id = %order.id, session = %order.session, %error, "an order was not delivered");
            }
            self.door.take([Message::Ordered(Ordered {
                id: order.id.into_owned(),
                outcome: sent.map_err(|error| error.to_string()),
            })]);
        }
    }

    fn send(&self, kept: &mut Option<Producer>, order: &Stimulation<'_>) -> Result<(), KafkaError> {
        let producer = match kept {
            Some(producer) => producer,
            None => {
                let options = ProducerOptions::new("dashboard").stop(&self.stop);
                kept.insert(self.broker.producer(options)?)
            }
        };
        let key = order.session.as_bytes();
        let value = serde_json::to_vec(order).expect("an order is always JSON");
        producer.send(Record::new(
            EEG_SAMPLES.name,
            EEG_SAMPLES.partition_of(key),
            key,
            &value,
        ))?;
        producer.flush(PATIENCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::App;
    use crate::config::Settings;
    use crate::testing::eeg::{Made, order};
    use contract::eeg::{self, Order};
    use contract::topic::ALL;
    use kafka_io::{ConsumerOptions, EmbeddedBroker, Event, KafkaSettings, Start, TopicSpec};

    fn ordered(door: &Door, nothing: &Receiver<()>) -> Option<Ordered> {
        for _ in 0..400 {
            let _ = nothing.recv_timeout(Duration::from_millis(50));
            if let Some(ordered) = door.lock().take_ordered() {
                return Some(ordered);
            }
        }
        None
    }

    #[test]
    fn an_order_stands_on_the_topic_under_its_session_and_is_told_delivered() {
        let topics: Vec<TopicSpec> = ALL.iter().map(TopicSpec::from).collect();
        let broker = Broker::Embedded(EmbeddedBroker::start(&topics).unwrap());
        let door = Door::new(App::new(&Settings::default()));
        let (_keep, nothing) = bounded::<()>(0);
        let orders = Orders::start(&broker, &door).unwrap();
        let start = order(&Made::default(), "what-if-1", Order::Start);
        assert_eq!(orders.give(start.clone()), None);
        let told = ordered(&door, &nothing).unwrap();
        assert_eq!((told.id.as_str(), told.outcome), ("what-if-1", Ok(())));
        let options = ConsumerOptions::new("test").partition(
            EEG_SAMPLES.name,
            EEG_SAMPLES.partition_of(b"cyton-1"),
            Start::Back(10),
        );
        let consumer = broker.consumer(options).unwrap();
        for _ in 0..400 {
            if let Some(Event::Batch(batch)) = consumer.recv(Duration::from_millis(50)) {
                let record = batch.messages().next().unwrap();
                assert_eq!(record.key, Some(&b"cyton-1"[..]));
                let read = eeg::decode(record.value.unwrap()).unwrap();
                assert_eq!(read, eeg::Record::Stimulation(start));
                return;
            }
        }
        panic!("nothing stands on the topic");
    }

    #[test]
    fn a_broker_that_is_away_neither_holds_up_who_orders_nor_the_end() {
        let broker = Broker::Cluster(KafkaSettings::new("127.0.0.1:1"));
        let door = Door::new(App::new(&Settings::default()));
        let orders = Orders::start(&broker, &door).unwrap();
        let start = order(&Made::default(), "what-if-1", Order::Start);
        let refused: Vec<Ordered> = (0..WAITING + 2)
            .filter_map(|_| orders.give(start.clone()))
            .collect();
        assert!(
            !refused.is_empty() && refused.len() <= 2,
            "{}",
            refused.len()
        );
        assert!(refused.iter().all(|ordered| ordered.outcome.is_err()));
        drop(orders);
        let told = door.lock().take_ordered().unwrap();
        assert!(
            told.outcome.is_err(),
            "what was not delivered is not called so"
        );
    }
}
