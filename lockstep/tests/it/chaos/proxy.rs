//! A TCP proxy before each broker, whose bytes can be held back: a slow network.
//!
//! Each piece of at most 16 KiB waits for the delay, in either direction and on each connection by itself, so a delay of
//! 50 ms is also a rate of at most 320 KiB a second.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::fixture::pause;

const PIECE: usize = 16 << 10;

/// Proxies that lead to brokers once these are known; they end when it is dropped.
pub(super) struct Proxies {
    listeners: Vec<TcpListener>,
    delay_ms: Arc<AtomicU64>,
    end: Arc<AtomicBool>,
}

impl Proxies {
    pub(super) fn new(n: usize) -> Self {
        let listen = |_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        Self {
            listeners: (0..n).map(listen).collect(),
            delay_ms: Arc::default(),
            end: Arc::default(),
        }
    }

    pub(super) fn ports(&self) -> Vec<u16> {
        let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
        self.listeners.iter().map(port).collect()
    }

    /// Starts: connections to the i-th proxy go to the i-th of these ports.
    pub(super) fn lead_to(&self, ports: &[u16]) {
        for (listener, &port) in self.listeners.iter().zip(ports) {
            let listener = listener.try_clone().unwrap();
            let (delay_ms, end) = (Arc::clone(&self.delay_ms), Arc::clone(&self.end));
            std::thread::spawn(move || {
                for client in listener.incoming() {
                    if end.load(Ordering::Acquire) {
                        return;
                    }
                    // A broker that is away closes the connection, as an unreachable one would.
                    if let (Ok(client), Ok(broker)) =
                        (client, TcpStream::connect((Ipv4Addr::LOCALHOST, port)))
                    {
                        connect(&client, &broker, &delay_ms);
                    }
                }
            });
        }
    }

    /// Holds every piece back for so long from now on.
    pub(super) fn delay(&self, delay: Duration) {
        let ms = u64::try_from(delay.as_millis()).unwrap();
        self.delay_ms.store(ms, Ordering::Release);
    }
}

impl Drop for Proxies {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Release);
        for port in self.ports() {
            // Wakes the one that waits for a client.
            let _ = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        }
    }
}

fn connect(client: &TcpStream, broker: &TcpStream, delay_ms: &Arc<AtomicU64>) {
    for (from, to) in [(client, broker), (broker, client)] {
        let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        let _ = to.set_nodelay(true);
        let delay_ms = Arc::clone(delay_ms);
        std::thread::spawn(move || {
            let _ = carry(&from, &to, &delay_ms);
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
        });
    }
}

fn carry(mut from: &TcpStream, mut to: &TcpStream, delay_ms: &AtomicU64) -> std::io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let n = from.read(&mut piece)?;
        if n == 0 {
            return Ok(());
        }
        match delay_ms.load(Ordering::Acquire) {
            0 => {}
            ms => pause(Duration::from_millis(ms)),
        }
        to.write_all(&piece[..n])?;
    }
}
