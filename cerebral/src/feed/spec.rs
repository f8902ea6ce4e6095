//! What `--source` names.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::lsl;
use super::recording::RecordingSource;
use super::serial::SerialSource;
use super::udp::UdpSource;
use super::{FeedError, FeedOptions, Source};

/// The host that the GUI's stream is listened to on, unless another is given: this machine alone.
const LOOPBACK: &str = "127.0.0.1";

/// A source by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedSpec {
    /// A recording.
    File(PathBuf),
    /// A Cyton on a serial port.
    Serial(PathBuf),
    /// What the OpenBCI GUI sends.
    Udp {
        /// Where to listen.
        host: String,
        /// On which port.
        port: u16,
    },
    /// A stream of the Lab Streaming Layer.
    Lsl(String),
    /// The simulated headset.
    Sim,
}

/// Not a source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no source: {reason}; it is FILE, serial:DEVICE, udp:PORT, udp:HOST:PORT, lsl:NAME or sim"
)]
pub struct SpecError {
    text: String,
    reason: &'static str,
}

impl FromStr for FeedSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let fault = |reason| SpecError {
            text: text.chars().take(200).collect(),
            reason,
        };
        if text.is_empty() {
            return Err(fault("it is empty"));
        }
        if text == "sim" {
            return Ok(Self::Sim);
        }
        let Some((scheme, rest)) = text.split_once(':') else {
            return Ok(Self::File(text.into()));
        };
        match scheme {
            "serial" if rest.is_empty() => {
                Err(fault("a device is missing, as in serial:/dev/ttyUSB0"))
            }
            "serial" => Ok(Self::Serial(rest.into())),
            "udp" => {
                let (host, port) = rest.rsplit_once(':').unwrap_or((LOOPBACK, rest));
                match port.parse() {
                    Ok(port) if !host.is_empty() => Ok(Self::Udp {
                        host: host.to_owned(),
                        port,
                    }),
                    Ok(_) => Err(fault("a host is missing")),
                    Err(_) => Err(fault("a port is 0 to 65535, as in udp:12345")),
                }
            }
            "lsl" if rest.is_empty() => Err(fault("the stream's name is missing")),
            "lsl" => Ok(Self::Lsl(rest.to_owned())),
            // A drive's letter, and names of files that hold a colon.
            _ if scheme.len() == 1 || Path::new(text).exists() => Ok(Self::File(text.into())),
            _ if scheme.chars().all(|c| c.is_ascii_alphanumeric()) => Err(fault(
                "there is neither such a kind of source nor such a file",
            )),
            _ => Ok(Self::File(text.into())),
        }
    }
}

impl fmt::Display for FeedSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Serial(path) => write!(f, "serial:{}", path.display()),
            Self::Udp { host, port } => write!(f, "udp:{host}:{port}"),
            Self::Lsl(name) => write!(f, "lsl:{name}"),
            Self::Sim => f.write_str("sim"),
        }
    }
}

impl FeedSpec {
    /// The session's name where none is given: that of the file or device without folders, else the source's.
    #[must_use]
    pub fn session(&self) -> String {
        let without_folders = |path: &Path| {
            path.file_name().map_or_else(
                || path.display().to_string(),
                |name| name.to_string_lossy().into_owned(),
            )
        };
        match self {
            Self::File(path) | Self::Serial(path) => without_folders(path),
            Self::Udp { port, .. } => format!("udp-{port}"),
            Self::Lsl(name) => name.clone(),
            Self::Sim => "sim".to_owned(),
        }
    }

    /// Opens the source.
    ///
    /// # Errors
    /// [`FeedError`]; [`FeedError::Simulated`] for `sim`, whose headset the caller starts and opens as [`FeedSpec::Serial`] with
    /// the session named in `options`.
    pub fn open(&self, options: &FeedOptions) -> Result<Box<dyn Source>, FeedError> {
        let session = options.session.clone().unwrap_or_else(|| self.session());
        match self {
            Self::File(path) => Ok(Box::new(RecordingSource::open(path, &session, options)?)),
            Self::Serial(path) => Ok(Box::new(SerialSource::open(path, &session, options)?)),
            Self::Udp { host, port } => {
                Ok(Box::new(UdpSource::bind(host, *port, &session, options)?))
            }
            Self::Lsl(name) => lsl::open(name, &session, options),
            Self::Sim => Err(FeedError::Simulated),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_by_their_names() {
        let udp = |host: &str, port| FeedSpec::Udp {
            host: host.to_owned(),
            port,
        };
        for (text, spec, session) in [
            (
                "a/b.txt.gz",
                FeedSpec::File("a/b.txt.gz".into()),
                "b.txt.gz",
            ),
            (
                "C:\\eeg\\b.txt",
                FeedSpec::File("C:\\eeg\\b.txt".into()),
                "",
            ),
            (
                "./a b:c.txt",
                FeedSpec::File("./a b:c.txt".into()),
                "a b:c.txt",
            ),
            (
                "serial:/dev/ttyUSB0",
                FeedSpec::Serial("/dev/ttyUSB0".into()),
                "ttyUSB0",
            ),
            ("udp:12345", udp("127.0.0.1", 12_345), "udp-12345"),
            ("udp:0.0.0.0:12345", udp("0.0.0.0", 12_345), "udp-12345"),
            (
                "lsl:obci_eeg1",
                FeedSpec::Lsl("obci_eeg1".to_owned()),
                "obci_eeg1",
            ),
            ("sim", FeedSpec::Sim, "sim"),
        ] {
            assert_eq!(text.parse(), Ok(spec.clone()), "{text}");
            if !session.is_empty() {
                assert_eq!(spec.session(), session, "{text}");
            }
            assert_eq!(spec.to_string().parse(), Ok(spec), "{text}");
        }
    }

    #[test]
    fn what_is_no_source_is_told_with_what_would_be() {
        for text in [
            "",
            "serial:",
            "udp:",
            "udp:x",
            "udp:70000",
            "udp::1",
            "lsl:",
            "tcp:1",
            "Serial:/dev/x",
        ] {
            let error = text.parse::<FeedSpec>().unwrap_err().to_string();
            assert!(error.contains("serial:DEVICE"), "{error}");
        }
    }
}
