//! Reads captures from any stream of bytes: plain, gzip (of several members too) or zstd, told by the first bytes.
//!
//! ```text
//! bytes -> counted -> unpacked -> lines -> CapturedFrame, or the fault of that line
//! ```
//!
//! Memory is bounded by the longest line. A line that cannot be used is a fault of its own; a stream that breaks off
//! gives everything that could be read and then one fault. Line ends may be LF or CRLF; the last may be missing.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::line::{self, Fields};
use super::{CaptureFault, CapturedFrame, FaultReason};

/// The longest line taken unless told otherwise, bytes. The largest known frame, a whole order book, has 5 MB.
pub const MAX_LINE_BYTES: usize = 64 << 20;

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// A frame of zstd that holds no data may stand first; its magic number has a free half byte.
const ZSTD_SKIPPABLE_TAIL: [u8; 3] = [0x2a, 0x4d, 0x18];
const BUFFER_BYTES: usize = 128 << 10;

/// A capture being read.
pub struct CaptureReader {
    lines: Box<dyn BufRead + Send>,
    bytes_read: Arc<AtomicU64>,
    max_line_bytes: usize,
    buffer: Vec<u8>,
    line: u64,
    ended: bool,
}

impl std::fmt::Debug for CaptureReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CaptureReader")
            .field("line", &self.line)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

impl CaptureReader {
    /// Opens the file at `path`; also tells its size in bytes, where it is an ordinary file.
    ///
    /// # Errors
    /// Where it cannot be opened, or its first bytes cannot be read.
    pub fn open(path: &Path) -> io::Result<(Self, Option<u64>)> {
        let file = File::open(path)?;
        let about = file.metadata()?;
        let size = about.is_file().then_some(about.len());
        Ok((Self::new(file)?, size))
    }

    /// Reads from `bytes`: a file, standard input, memory.
    ///
    /// # Errors
    /// Where the first bytes cannot be read.
    pub fn new(bytes: impl Read + Send + 'static) -> io::Result<Self> {
        let bytes_read = Arc::new(AtomicU64::new(0));
        let counted = Counted {
            bytes,
            count: Arc::clone(&bytes_read),
        };
        Ok(Self {
            lines: unpacked(counted)?,
            bytes_read,
            max_line_bytes: MAX_LINE_BYTES,
            buffer: Vec::new(),
            line: 0,
            ended: false,
        })
    }

    /// Takes no line longer than `bytes`, its end not counted.
    #[must_use]
    pub fn max_line_bytes(mut self, bytes: usize) -> Self {
        self.max_line_bytes = bytes;
        self
    }

    /// Bytes of the file read so far, as they are stored: for a progress bar.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// Lines seen so far, the broken ones too.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.line
    }

    /// The next frame or fault; nothing at the end.
    #[expect(
        clippy::should_implement_trait,
        reason = "frames borrow from the reader, which an iterator's cannot"
    )]
    pub fn next(&mut self) -> Option<Result<CapturedFrame<'_>, CaptureFault>> {
        match self.fill()? {
            Ok(()) => Some(self.current()),
            Err(fault) => Some(Err(fault)),
        }
    }

    /// Reads the next line into the buffer; nothing at the end.
    pub(crate) fn fill(&mut self) -> Option<Result<(), CaptureFault>> {
        if self.ended {
            return None;
        }
        self.buffer.clear();
        // One byte more than a line may have, and two for its end.
        let limit = u64::try_from(self.max_line_bytes)
            .unwrap_or(u64::MAX)
            .saturating_add(2);
        let read = (&mut self.lines)
            .take(limit)
            .read_until(b'\n', &mut self.buffer);
        match read {
            Ok(0) => {
                self.ended = true;
                return None;
            }
            Ok(_) => self.line += 1,
            Err(error) => return Some(Err(self.end(error))),
        }
        let whole = self.strip_end();
        if self.buffer.len() <= self.max_line_bytes {
            return Some(Ok(()));
        }
        if !whole && let Err(error) = self.lines.skip_until(b'\n') {
            self.line -= 1;
            return Some(Err(self.end(error)));
        }
        let limit = self.max_line_bytes;
        Some(Err(self.fault(FaultReason::TooLong { limit })))
    }

    /// The line in the buffer, read.
    pub(crate) fn current(&self) -> Result<CapturedFrame<'_>, CaptureFault> {
        let text = std::str::from_utf8(&self.buffer)
            .map_err(|error| self.fault(FaultReason::NotUtf8(error.valid_up_to() + 1)))?;
        let (received_ns, venue, frame): Fields<'_> =
            line::read(text).map_err(|reason| self.fault(reason))?;
        Ok(CapturedFrame {
            line: self.line,
            received_ns,
            venue,
            frame,
        })
    }

    /// Takes the line's end off the buffer; whether there was one.
    fn strip_end(&mut self) -> bool {
        if self.buffer.last() != Some(&b'\n') {
            return false;
        }
        self.buffer.pop();
        if self.buffer.last() == Some(&b'\r') {
            self.buffer.pop();
        }
        true
    }

    fn end(&mut self, error: io::Error) -> CaptureFault {
        self.ended = true;
        self.fault(FaultReason::EndsEarly(error))
    }

    fn fault(&self, reason: FaultReason) -> CaptureFault {
        CaptureFault {
            line: self.line,
            reason,
        }
    }
}

/// Looks at the first bytes and puts the unpacking that they ask for on top.
fn unpacked(mut bytes: impl Read + Send + 'static) -> io::Result<Box<dyn BufRead + Send>> {
    let mut first = Vec::new();
    (&mut bytes).take(4).read_to_end(&mut first)?;
    let is_gzip = first.starts_with(&GZIP_MAGIC);
    let is_zstd = first == ZSTD_MAGIC || first.get(1..) == Some(&ZSTD_SKIPPABLE_TAIL[..]);
    let all = BufReader::with_capacity(BUFFER_BYTES, io::Cursor::new(first).chain(bytes));
    Ok(if is_gzip {
        Box::new(BufReader::with_capacity(
            BUFFER_BYTES,
            MultiGzDecoder::new(all),
        ))
    } else if is_zstd {
        let unpacked = zstd::Decoder::with_buffer(all)?;
        Box::new(BufReader::with_capacity(BUFFER_BYTES, unpacked))
    } else {
        Box::new(all)
    })
}

struct Counted<R> {
    bytes: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let n = self.bytes.read(to)?;
        let more = u64::try_from(n).unwrap_or(0);
        self.count.fetch_add(more, Ordering::Relaxed);
        Ok(n)
    }
}
