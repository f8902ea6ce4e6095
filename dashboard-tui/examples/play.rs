//! Plays made-up records, markets and sessions of EEG, onto an embedded broker and shows them, to look at the dashboard without a pipeline.
//!
//! A twin answers to what is ordered of it, though by figures that are no simulation.
//!
//! ```text
//! cargo run -p dashboard-tui --example play            the dashboard, with 5 pairs
//! cargo run -p dashboard-tui --example play -- 300     with 300 pairs
//! cargo run -p dashboard-tui --example play -- 5 feed  the broker alone; its address is printed
//! ```

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use contract::alert::EpisodeState;
use contract::eeg::{self, DriveKind, Order, Record as EegRecord, Stimulation};
use contract::tick::VenueStatus;
use contract::time::{Clock, NS_PER_MS, SystemClock};
use contract::topic::{ALERTS, ALL, EEG_SAMPLES, EEG_STATES, SPREADS, Topic, VENUES};
use dashboard_tui::config::{Settings, Thresholds};
use dashboard_tui::log::LogBuffer;
use dashboard_tui::testing::eeg::{BLOCKS_PER_S, Made, MadeTwin, Says, samples, state};
use dashboard_tui::testing::{BEGIN_MS, Fares, WIDTH_MS, episode, health, outage, spread};
use kafka_io::{
    Broker, Consumer, ConsumerOptions, EmbeddedBroker, Event, KafkaError, Producer,
    ProducerOptions, Record, Start, TopicSpec,
};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

const NAMES: [&str; 5] = ["BTC-USD", "ETH-USD", "SOL-USD", "DOGE-USD", "PEPE-USD"];

fn send(
    producer: &Producer,
    topic: Topic,
    key: &str,
    record: &impl serde::Serialize,
) -> Result<(), KafkaError> {
    let partition = topic.partition_of(key.as_bytes());
    let value = serde_json::to_vec(record).expect("records are always JSON");
    producer.send(Record::new(topic.name, partition, key.as_bytes(), &value))
}

/// One window of everything. Stamps follow our clock, so that the lag on the screen is that of a live pipeline.
fn window(
    producer: &Producer,
    pairs: &[String],
    number: i64,
    shift_ms: i64,
) -> Result<(), KafkaError> {
    let shift_ns = shift_ms * NS_PER_MS;
    let down = number.rem_euclid(180) >= 160;
    let status = if down {
        VenueStatus::Silent
    } else {
        VenueStatus::Up
    };
    for (at, name) in pairs.iter().enumerate() {
        let pair = u32::try_from(at).unwrap_or(0);
        let fares = match (down, number.rem_euclid(60)) {
            (true, _) => Fares::Down,
            (false, 50..53) => Fares::Stale,
            _ => Fares::Well,
        };
        let mut record = spread(pair, name, number, fares);
        record.start_ms += shift_ms;
        record.end_ms += shift_ms;
        for best in record
            .routes
            .iter_mut()
            .filter_map(|route| route.best.as_mut())
        {
            best.at_ns += shift_ns;
        }
        send(producer, SPREADS, name, &record)?;
    }
    for venue in ["binance", "coinbase"] {
        let status = if venue == "binance" {
            status
        } else {
            VenueStatus::Up
        };
        let mut record = health(venue, number, status);
        record.at_ns += shift_ns;
        send(producer, VENUES, venue, &record)?;
    }
    let opened = (number - 30).div_euclid(150) * 150 + 130;
    let lasted = (number - opened).clamp(0, 20);
    let state = if number - opened < 20 {
        EpisodeState::Open
    } else {
        EpisodeState::Closed
    };
    if number >= opened {
        let windows = u64::try_from(lasted).unwrap_or(0);
        send(
            producer,
            ALERTS,
            "spread",
            &episode("BTC-USD", opened + shift_ms / WIDTH_MS, windows, state),
        )?;
    }
    if down {
        let since = number.div_euclid(180) * 180 + 160;
        let windows = u64::try_from(number - since).unwrap_or(0);
        let record = outage(
            "binance",
            since + shift_ms / WIDTH_MS,
            windows,
            EpisodeState::Open,
        );
        send(producer, ALERTS, "outage", &record)?;
        tracing::warn!(venue = "binance", "silent");
    }
    Ok(())
}

const SESSIONS: [Made; 3] = [
    Made {
        session: "cyton-1",
        n_channels: 8,
        says: Says::Significant,
        railed: None,
        twin: MadeTwin::Good,
    },
    Made {
        session: "daisy-2",
        n_channels: 16,
        says: Says::NotSignificant,
        railed: Some(9),
        twin: MadeTwin::Bad,
    },
    Made {
        session: "cap-64",
        n_channels: 64,
        says: Says::Significant,
        railed: None,
        twin: MadeTwin::None,
    },
];

/// The stimulation of each session that runs.
type Running = [Option<(Stimulation<'static>, u64)>; 3];

/// Takes the orders that have come.
fn orders(consumer: &Consumer, running: &mut Running, k: u64) -> Result<(), KafkaError> {
    while let Some(event) = consumer.recv(Duration::ZERO) {
        let batch = match event {
            Event::Batch(batch) => batch,
            Event::Failed(error) => return Err(error),
            Event::End => return Ok(()),
        };
        for record in batch.messages() {
            let Some(Ok(EegRecord::Stimulation(order))) = record.value.map(eeg::decode) else {
                continue;
            };
            let mut sessions = SESSIONS.iter().zip(running.iter_mut());
            if let Some((_, now)) = sessions.find(|(made, _)| made.session == order.session) {
                let own = Stimulation {
                    session: order.session.into_owned().into(),
                    id: order.id.into_owned().into(),
                    ..order
                };
                *now = (own.order == Order::Start).then_some((own, k));
            }
        }
    }
    Ok(())
}

/// A window of each session.
fn states(producer: &Producer, running: &Running, k: u64) -> Result<(), KafkaError> {
    for (made, running) in SESSIONS.iter().zip(running) {
        let drive = running.as_ref().map(|(order, _)| order.drive);
        let twin = drive.map_or(made.twin, MadeTwin::Driven);
        let mut record = state(&Made { twin, ..*made }, k);
        let now = record
            .twin
            .as_mut()
            .and_then(|twin| twin.stimulation.as_mut());
        if let (Some(now), Some((order, since))) = (now, running) {
            now.id = order.id.to_string();
            now.node = order.node;
            now.amplitude_rad_s = order.amplitude_rad_s;
            now.delta_rad = order.delta_rad;
            now.running_s = f64::from(u32::try_from(k - since).unwrap_or(0));
            if order.drive == DriveKind::Torque {
                now.effect = "unclear".to_owned();
            }
        }
        send(producer, EEG_STATES, made.session, &record)?;
    }
    Ok(())
}

fn blocks(producer: &Producer, block: u64) -> Result<(), KafkaError> {
    for made in &SESSIONS {
        send(producer, EEG_SAMPLES, made.session, &samples(made, block))?;
    }
    Ok(())
}

fn play(broker: &Broker, pairs: &[String], stop: &Arc<AtomicBool>) -> Result<(), KafkaError> {
    let producer = broker.producer(ProducerOptions::new("play").stop(stop))?;
    // The first minutes at once, so that there is a history.
    const HISTORY: i64 = 170;
    let began_ms = SystemClock.now_ns() / NS_PER_MS / WIDTH_MS * WIDTH_MS;
    let shift_ms = began_ms - BEGIN_MS - HISTORY * WIDTH_MS;
    for number in 0..HISTORY {
        window(&producer, pairs, number, shift_ms)?;
        states(&producer, &Running::default(), number.unsigned_abs())?;
    }
    let sent = EEG_SAMPLES;
    let orders_of = ConsumerOptions::new("play").topic(sent.name, sent.partitions, Start::End);
    let consumer = broker.consumer(orders_of)?;
    consumer.wait_ready(Duration::from_secs(10))?;
    let mut running = Running::default();
    let (_keep, nothing) = crossbeam_channel::bounded::<()>(0);
    for number in HISTORY.. {
        tracing::info!(number, pairs = pairs.len(), "window closed");
        window(&producer, pairs, number, shift_ms)?;
        let k = number.unsigned_abs();
        orders(&consumer, &mut running, k)?;
        states(&producer, &running, k)?;
        for block in 0..BLOCKS_PER_S {
            blocks(&producer, (k + 3) * BLOCKS_PER_S + block)?;
            let _ = nothing.recv_timeout(Duration::from_millis(40));
        }
        if stop.load(Ordering::SeqCst) {
            break;
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let n_pairs: usize = args.next().map_or(Ok(NAMES.len()), |text| text.parse())?;
    let feed_only = args.next().as_deref() == Some("feed");
    let pairs: Vec<String> = (0..n_pairs)
        .map(|at| {
            NAMES
                .get(at)
                .map_or_else(|| format!("PAIR{at:04}-USD"), |name| (*name).to_owned())
        })
        .collect();
    let topics: Vec<TopicSpec> = ALL.iter().map(TopicSpec::from).collect();
    let broker = Broker::Embedded(EmbeddedBroker::start(&topics)?);
    let stop = Arc::new(AtomicBool::new(false));
    if feed_only {
        writeln!(std::io::stdout(), "{}", broker.address())?;
        play(&broker, &pairs, &stop)?;
        return Ok(());
    }
    let logs = LogBuffer::new(2_000);
    tracing_subscriber::registry()
        .with(logs.layer(Arc::new(SystemClock)))
        .init();
    let settings = Settings {
        source: broker.describe(),
        thresholds: Thresholds {
            default_bps: Some(10.0),
            ..Thresholds::default()
        },
        ..Settings::default()
    };
    std::thread::scope(|scope| {
        let playing = scope.spawn(|| play(&broker, &pairs, &stop));
        let shown =
            dashboard_tui::run::run(&broker, &settings, Arc::new(SystemClock), &stop, &logs);
        stop.store(true, Ordering::SeqCst);
        let played = playing.join();
        shown?;
        played.map_err(|_| "the player panicked")??;
        Ok(())
    })
}
