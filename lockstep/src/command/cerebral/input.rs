//! A recording from a file or standard input, and the hash by which it is known.

use std::io::Read;
use std::path::Path;

use anyhow::Context;
use cerebral::source::{LoadOptions, Recording, load};
use sha2::{Digest, Sha256};

use crate::failure::Failure;
use crate::files;

/// A loaded recording.
pub(crate) struct Input {
    pub(crate) recording: Recording,
    /// The file's name without its folder.
    pub(crate) name: String,
    /// SHA-256 of the file as it lies on the disk.
    pub(crate) sha256: String,
}

/// Reads and loads; whatever is wrong with the file is bad input.
pub(crate) fn read(path: &Path, options: &LoadOptions) -> Result<Input, Failure> {
    let bad = |error: anyhow::Error| Failure::BadInput(error);
    let bytes = if files::is_stdout(path) {
        let mut bytes = Vec::new();
        std::io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .context("could not read standard input")
            .map_err(bad)?;
        bytes
    } else {
        std::fs::read(path)
            .with_context(|| format!("could not read `{}`", path.display()))
            .map_err(bad)?
    };
    let recording = load(&bytes, options)
        .with_context(|| format!("`{}` is no recording that can be used", path.display()))
        .map_err(bad)?;
    let name = path.file_name().map_or_else(
        || "standard input".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    );
    let sha256 = Sha256::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(Input {
        recording,
        name,
        sha256,
    })
}
