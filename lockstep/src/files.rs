//! Results into files or onto stdout: spreads merged into one order, late ticks and dead letters beside them.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use windowing::dataflow::{BoxError, Outlet, Results};
use windowing::merge::Merge;
use windowing::spread::Side;

use crate::failure::Failure;

/// A file, or stdout for `-`.
pub(crate) type Output = Box<dyn Write + Send>;

/// Opens a file for writing, or stdout for `-`.
pub(crate) fn create(path: &Path) -> Result<Output, Failure> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(BufWriter::new(io::stdout())));
    }
    let file = File::create(path)
        .with_context(|| format!("could not create `{}`", path.display()))
        .map_err(Failure::Failed)?;
    Ok(Box::new(BufWriter::with_capacity(1 << 16, file)))
}

/// Whether data goes to stdout.
pub(crate) fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Where a job's results go, shared by its workers.
#[derive(Clone)]
pub(crate) struct Files(Arc<Mutex<Open>>);

struct Open {
    merge: Merge,
    spreads: Output,
    late: Option<Output>,
    dead: Option<Output>,
    fault: Option<io::Error>,
}

impl Files {
    /// Opens what is asked for.
    pub(crate) fn create(
        partitions: impl IntoIterator<Item = i32>,
        spreads: &Path,
        late: Option<&Path>,
        dead: Option<&Path>,
    ) -> Result<Self, Failure> {
        Ok(Self(Arc::new(Mutex::new(Open {
            merge: Merge::new(partitions),
            spreads: create(spreads)?,
            late: late.map(create).transpose()?,
            dead: dead.map(create).transpose()?,
            fault: None,
        }))))
    }

    /// Writes bytes that could not be read to where dead letters go.
    pub(crate) fn dead_letter(&self, bytes: &[u8]) {
        let mut open = self.lock();
        let open = &mut *open;
        if let Some(dead) = &mut open.dead {
            note(&mut open.fault, line(dead, bytes));
        }
    }

    /// Gives out what still waits and makes it safe.
    pub(crate) fn finish(&self) -> io::Result<()> {
        let mut open = self.lock();
        let Open {
            merge,
            spreads,
            late,
            dead,
            fault,
        } = &mut *open;
        merge.flush(|bytes| note(fault, line(spreads, bytes)));
        note(fault, spreads.flush());
        for side in [late, dead].into_iter().flatten() {
            note(fault, side.flush());
        }
        fault.take().map_or(Ok(()), Err)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outlet for Files {
    fn accept(&mut self, results: &mut Results) -> Result<(), BoxError> {
        let mut open = self.lock();
        let Open {
            merge,
            spreads,
            late,
            dead,
            fault,
        } = &mut *open;
        merge.accept(results, |bytes| note(fault, line(spreads, bytes)));
        for (_, side) in results.side.drain(..) {
            let (to, bytes) = match side {
                Side::Late { line, .. } => (&mut *late, line),
                Side::Dead(letter) => (&mut *dead, letter.bytes),
            };
            if let Some(to) = to {
                note(fault, line(to, &bytes));
            }
        }
        fault.take().map_or(Ok(()), |error| Err(error.into()))
    }

    /// The last worker's end is not the job's: see [`Files::finish`].
    fn finish(&mut self) -> Result<(), BoxError> {
        Ok(())
    }
}

fn line(to: &mut Output, bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes)?;
    to.write_all(b"\n")
}

fn note(fault: &mut Option<io::Error>, result: io::Result<()>) {
    if let Err(error) = result {
        fault.get_or_insert(error);
    }
}
