//! Results into files. Each is written beside its place first and then moved there, so that no half of one is ever seen.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use cerebral::analyze::Analysis;
use cerebral::report;
use serde_json::Value;

use super::args::OutputArgs;
use crate::failure::Failure;
use crate::files;

impl OutputArgs {
    /// Refuses what could not be written, before anything is computed.
    pub(crate) fn check(&self, input: &Path) -> Result<(), Failure> {
        let outputs = [
            ("--json", self.json.as_deref()),
            ("--report", self.report.as_deref()),
            ("--npz", self.npz.as_deref()),
        ];
        files::keep_apart(&[input], &outputs)?;
        for path in [&self.json, &self.report, &self.npz].into_iter().flatten() {
            let folder = path
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
                return Err(Failure::WrongUse(format!(
                    "`{}` cannot be written: there is no folder `{}`",
                    path.display(),
                    folder.display()
                )));
            }
        }
        Ok(())
    }

    /// Whether standard output belongs to the JSON.
    pub(crate) fn json_is_stdout(&self) -> bool {
        self.json.as_deref().is_some_and(files::is_stdout)
    }

    /// Writes what was asked for; `json` is what stands in the JSON. Tells what was written.
    pub(crate) fn write(&self, analysis: &Analysis, json: &Value) -> Result<Vec<PathBuf>, Failure> {
        let mut written = Vec::new();
        if let Some(path) = &self.json {
            let mut text = serde_json::to_vec(json).context("could not write JSON")?;
            text.push(b'\n');
            put(path, &text)?;
            written.push(path.clone());
        }
        if let Some(path) = &self.report {
            put(path, report::page(analysis).as_bytes())?;
            written.push(path.clone());
        }
        if let Some(folder) = &self.csv {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("could not make the folder `{}`", folder.display()))?;
            for (name, text) in report::tables(analysis) {
                put(&folder.join(name), text.as_bytes())?;
            }
            written.push(folder.clone());
        }
        if let Some(path) = &self.npz {
            put(path, &report::npz(analysis).context("could not write NPZ")?)?;
            written.push(path.clone());
        }
        written.retain(|path| !files::is_stdout(path));
        Ok(written)
    }
}

/// Writes a file whole or not at all; `-` is standard output.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if files::is_stdout(path) {
        let mut out = std::io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()?;
        return Ok(());
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let beside = PathBuf::from(beside);
    let told = || format!("could not write `{}`", path.display());
    std::fs::write(&beside, bytes).with_context(told)?;
    std::fs::rename(&beside, path).with_context(told)?;
    Ok(())
}
