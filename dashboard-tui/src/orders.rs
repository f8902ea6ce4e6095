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
/// How long one may take before the screen says that it is not delivered.
const PATIENCE: Duration = Duration::from_secs(10);

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
