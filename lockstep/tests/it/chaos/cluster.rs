//! Three brokers of the suite's own, which may be killed, stopped, and have a disk filled.

use std::fs::File;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use kafka_io::{Broker, KafkaSettings};
use tempfile::TempDir;

use super::proxy::Proxies;

/// How many there are.
pub(super) const BROKERS: u16 = 3;
/// The one whose disk is small where that can be had.
const SMALL: u16 = 3;
const SMALL_DISK: &str = "size=256m";

/// The brokers, and what leads to them; gone when it is dropped.
pub(super) struct Cluster {
    folder: TempDir,
    port: u16,
    pub(super) proxies: Proxies,
    has_small_disk: bool,
    /// A start that is under way.
    starting: Option<Child>,
}

impl Cluster {
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let proxies = Proxies::new(usize::from(BROKERS));
        let cluster = Self {
            has_small_disk: mount(&folder.path().join(format!("data-{SMALL}"))),
            folder,
            port: free_ports(),
            proxies,
            starting: None,
        };
        let port = cluster.port.to_string();
        let proxied: Vec<String> = cluster.proxies.ports().iter().map(u16::to_string).collect();
        let ports: Vec<u16> = (0..BROKERS).map(|n| cluster.port + 200 + n).collect();
        cluster.proxies.lead_to(&ports);
        cluster.run(&["start", "-n", "3", "-p", &port, "-x", &proxied.join(",")]);
        cluster
    }

    /// The brokers themselves, for those who look.
    pub(super) fn direct(&self) -> Broker {
        let address = |n| format!("127.0.0.1:{}", self.port + n);
        let addresses: Vec<String> = (0..BROKERS).map(address).collect();
        Broker::Cluster(KafkaSettings::new(addresses.join(",")))
    }

    /// The brokers by the proxies, for the stages.
    pub(super) fn address(&self) -> String {
        let address = |port: u16| format!("127.0.0.1:{port}");
        let addresses: Vec<String> = self.proxies.ports().into_iter().map(address).collect();
        addresses.join(",")
    }

    fn command(&self, args: &[&str]) -> Command {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/kafka");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("script.log"));
        let mut command = Command::new(script);
        command
            .args(args)
            .arg("-d")
            .arg(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.unwrap());
        command
    }

    fn run(&self, args: &[&str]) {
        let status = self.command(args).status().unwrap();
        let log = self.folder.path().join("script.log");
        assert!(
            status.success(),
            "scripts/kafka {args:?}: {}",
            std::fs::read_to_string(log).unwrap_or_default()
        );
    }

    /// `kill -9` of broker `id`, from 1; [`Self::bring_back`] starts it again.
    pub(super) fn kill(&self, id: u16) {
        self.run(&["kill", &id.to_string()]);
    }

    /// Stops all of them in order, each as quickly as it can.
    pub(super) fn stop(&self) {
        self.run(&["stop"]);
    }

    /// Starts whichever do not run, and does not wait for it.
    pub(super) fn bring_back(&mut self) {
        let child = self.command(&["start"]).spawn().unwrap();
        self.starting = Some(child);
    }

    /// Whether what was begun by [`Self::bring_back`] is done.
    pub(super) fn is_whole(&mut self) -> bool {
        let Some(child) = &mut self.starting else {
            return true;
        };
        let Some(status) = child.try_wait().unwrap() else {
            return false;
        };
        assert!(status.success(), "a broker does not come back");
        self.starting = None;
        true
    }

    /// Whether broker `id` runs.
    pub(super) fn runs(&self, id: u16) -> bool {
        let status = self.command(&["status"]).stdout(Stdio::piped()).output();
        let told = String::from_utf8_lossy(&status.unwrap().stdout).into_owned();
        !told.contains(&format!("broker {id}: down"))
    }

    /// Fills the small disk to the last byte; none where there is no such disk. Gives the broker that has it.
    pub(super) fn fill_disk(&self) -> Option<u16> {
        if !self.has_small_disk {
            return None;
        }
        let mut file = File::create(self.filler()).unwrap();
        while file.write_all(&[0; 4096]).is_ok() {}
        Some(SMALL)
    }

    /// Makes room again.
    pub(super) fn clear_disk(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.folder.path().join(format!("data-{SMALL}/filler"))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Some(mut child) = self.starting.take() {
            let _ = child.wait();
        }
        let _ = self.command(&["stop"]).status();
        if self.has_small_disk {
            let path = self.folder.path().join(format!("data-{SMALL}"));
            let _ = Command::new("umount").arg(path).status();
        }
        let _ = self.command(&["wipe"]).status();
    }
}

/// A disk of its own in this place, where the system lets us.
fn mount(path: &Path) -> bool {
    std::fs::create_dir(path).unwrap();
    let mut mount = Command::new("mount");
    mount
        .args(["-t", "tmpfs", "-o", SMALL_DISK, "none"])
        .arg(path);
    let done = mount.stdout(Stdio::null()).stderr(Stdio::null()).status();
    done.is_ok_and(|status| status.success())
}

/// The first of those that three brokers take: for clients, controllers and proxies.
fn free_ports() -> u16 {
    let is_free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    let offsets = [0, 1, 2, 100, 101, 102, 200, 201, 202];
    let mut bases = (31_092..=32_500).step_by(10);
    bases
        .find(|base| offsets.iter().all(|offset| is_free(base + offset)))
        .unwrap()
}
