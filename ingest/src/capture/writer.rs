//! Writes captures: plain, gzip or zstd, as the file's name says.
//!
//! Whoever records calls [`CaptureWriter::flush`] every second or two, so that a kill loses no more than that: what was
//! flushed can be read from the file as it lies there. There is no clock in here.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::write::GzEncoder;

use super::line;

/// How a capture is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all: `.capture`.
    Plain,
    /// `.capture.gz`.
    Gzip,
    /// `.capture.zst`.
    Zstd,
}

impl Compression {
    /// What the name of a file asks for; nothing where it is not the name of a capture.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        let ending = |path: &Path| path.extension().and_then(OsStr::to_str).map(str::to_owned);
        let packing = match ending(path)?.as_str() {
            "capture" => return Some(Self::Plain),
            "gz" => Self::Gzip,
            "zst" => Self::Zstd,
            _ => return None,
        };
        let inner = path.file_stem().map(Path::new)?;
        (ending(inner)? == "capture").then_some(packing)
    }
}

/// A capture being written.
#[derive(Debug)]
pub struct CaptureWriter<W: Write> {
    packer: Packer<BufWriter<W>>,
    line: Vec<u8>,
    frames: u64,
    bytes: u64,
}

enum Packer<W: Write> {
    Plain(W),
    Gzip(GzEncoder<W>),
    Zstd(zstd::Encoder<'static, W>),
}

impl<W: Write> std::fmt::Debug for Packer<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain",
            Self::Gzip(_) => "Gzip",
            Self::Zstd(_) => "Zstd",
        })
    }
}

impl CaptureWriter<File> {
    /// Makes the file at `path`, packed as its name says. A file that is there already is left alone: recordings cannot be
    /// made again.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] where the name does not end in `.capture`, `.capture.gz` or `.capture.zst`,
    /// [`io::ErrorKind::AlreadyExists`] where there is such a file; whatever the system answers.
    pub fn create(path: &Path) -> io::Result<Self> {
        let compression = Compression::of_path(path).ok_or_else(|| {
            let message = "its name must end in `.capture`, `.capture.gz` or `.capture.zst`";
            io::Error::new(io::ErrorKind::InvalidInput, message)
        })?;
        Self::new(File::create_new(path)?, compression)
    }
}

impl<W: Write> CaptureWriter<W> {
    /// Writes to `to`.
    ///
    /// # Errors
    /// Where the packer cannot be set up.
    pub fn new(to: W, compression: Compression) -> io::Result<Self> {
        let to = BufWriter::new(to);
        let packer = match compression {
            Compression::Plain => Packer::Plain(to),
            Compression::Gzip => Packer::Gzip(GzEncoder::new(to, flate2::Compression::default())),
            Compression::Zstd => {
                let mut encoder = zstd::Encoder::new(to, zstd::DEFAULT_COMPRESSION_LEVEL)?;
                encoder.include_checksum(true)?;
                Packer::Zstd(encoder)
            }
        };
        Ok(Self {
            packer,
            line: Vec::new(),
            frames: 0,
            bytes: 0,
        })
    }

    /// Adds one frame, received at `received_ns` (nanoseconds since 1970) from `venue`.
    ///
    /// # Errors
    /// As [`line::write`](line::write()).
    pub fn frame(&mut self, received_ns: i64, venue: &str, frame: &str) -> io::Result<()> {
        self.line.clear();
        line::write(&mut self.line, received_ns, venue, frame)?;
        match &mut self.packer {
            Packer::Plain(to) => to.write_all(&self.line),
            Packer::Gzip(to) => to.write_all(&self.line),
            Packer::Zstd(to) => to.write_all(&self.line),
        }?;
        self.frames += 1;
        self.bytes = self
            .bytes
            .saturating_add(u64::try_from(self.line.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// Hands everything down to the file, so that it can be read from there. Costs a little of the packing.
    ///
    /// # Errors
    /// Whatever the file answers.
    pub fn flush(&mut self) -> io::Result<()> {
        match &mut self.packer {
            Packer::Plain(to) => to.flush(),
            Packer::Gzip(to) => to.flush(),
            Packer::Zstd(to) => to.flush(),
        }
    }

    /// Frames written so far.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Bytes written so far, before packing.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Ends the capture as its packing demands and gives the file back.
    ///
    /// # Errors
    /// Whatever the file answers.
    pub fn finish(self) -> io::Result<W> {
        let buffered = match self.packer {
            Packer::Plain(to) => to,
            Packer::Gzip(to) => to.finish()?,
            Packer::Zstd(to) => to.finish()?,
        };
        buffered
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_tells_how_a_capture_is_packed() {
        let of = |name: &str| Compression::of_path(Path::new(name));
        assert_eq!(of("a.capture"), Some(Compression::Plain));
        assert_eq!(of("dir.x/a.b.capture.gz"), Some(Compression::Gzip));
        assert_eq!(of("a.capture.zst"), Some(Compression::Zstd));
        for name in [
            "a",
            "a.gz",
            "a.txt",
            "a.capture.bz2",
            "a.txt.zst",
            ".capture",
            "",
        ] {
            assert_eq!(of(name), None, "{name}");
        }
    }
}
