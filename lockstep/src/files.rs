//! Results into files or onto stdout: spreads merged into one order, late ticks and dead letters beside them.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
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

/// Refuses outputs that are inputs, or each other: writing would destroy what is still to be read. Whatever name is used, a
/// link counts as what it leads to.
pub(crate) fn keep_apart(
    inputs: &[&Path],
    outputs: &[(&str, Option<&Path>)],
) -> Result<(), Failure> {
    let mut taken: Vec<(PathBuf, &str)> = Vec::new();
    let real = |path: &Path| {
        // Pipes and devices may be read and written at once.
        let is_file = path.metadata().is_ok_and(|metadata| metadata.is_file());
        is_file.then(|| path.canonicalize().ok()).flatten()
    };
    taken.extend(
        inputs
            .iter()
            .filter_map(|path| Some((real(path)?, "an input"))),
    );
    for (option, path) in outputs {
        let Some(path) = path.filter(|path| !is_stdout(path)) else {
            continue;
        };
        let resolved = real(path).or_else(|| {
            let folder = path
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
            Some(folder.join(path.file_name()?))
        });
        let Some(resolved) = resolved else {
            continue;
        };
        if let Some((_, what)) = taken.iter().find(|(other, _)| is_same(other, &resolved)) {
            return Err(Failure::WrongUse(format!(
                "{option} {}: that file is {what} of this very run and would be overwritten",
                path.display()
            )));
        }
        if !path.exists() || path.is_file() {
            taken.push((resolved, option));
        }
    }
    Ok(())
}

/// Whether two names lead to one file: the same after all links, or two hard links to it.
fn is_same(one: &Path, other: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if let (Ok(one), Ok(other)) = (one.metadata(), other.metadata()) {
            return (one.dev(), one.ino()) == (other.dev(), other.ino());
        }
    }
    one == other
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_read_is_not_written_under_any_name() {
        let folder = tempfile::tempdir().unwrap();
        let name = |name: &str| folder.path().join(name);
        let (input, other) = (name("in.jsonl"), name("out.jsonl"));
        std::fs::write(&input, "precious").unwrap();
        std::fs::write(&other, "old").unwrap();
        std::fs::hard_link(&input, name("hard")).unwrap();
        let winding = folder
            .path()
            .join("../")
            .join(folder.path().file_name().unwrap());
        let mut same = vec![input.clone(), name("hard"), winding.join("in.jsonl")];
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&input, name("soft")).unwrap();
            same.push(name("soft"));
        }
        for path in same {
            let refused = keep_apart(&[&input], &[("--out", Some(&path))]).unwrap_err();
            let text = refused.text().unwrap();
            assert!(
                text.contains("--out") && text.contains("an input"),
                "{text}"
            );
        }
        let (missing, stdout) = (name("new"), Path::new("-"));
        let fine: [&[(&str, Option<&Path>)]; 3] = [
            &[("--out", Some(&other)), ("--late", None)],
            &[("--out", Some(&missing)), ("--late", Some(&other))],
            &[("--out", Some(stdout)), ("--late", Some(stdout))],
        ];
        for outputs in fine {
            assert!(
                keep_apart(&[&input, stdout], outputs).is_ok(),
                "{outputs:?}"
            );
        }
    }

    #[test]
    fn two_outputs_are_two_files_unless_they_are_no_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new");
        let both = [("--out", Some(&*path)), ("--late", Some(&*path))];
        let text = keep_apart(&[], &both).unwrap_err().text().unwrap();
        assert!(text.contains("--late") && text.contains("--out"), "{text}");
        let null = Path::new("/dev/null");
        assert!(keep_apart(&[null], &[("--out", Some(null)), ("--late", Some(null))]).is_ok());
    }
}
