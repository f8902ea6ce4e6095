//! A recording beside live ingest. Where it breaks off (a full disk), that is told, and ingest goes on: the market does not
//! wait for a file.

use std::path::Path;

use super::create;
use super::recorder::Recorder;
use crate::error::IngestError;
use crate::live::Recording;

/// A recording beside live ingest.
pub(crate) struct Beside {
    recorder: Option<Recorder>,
    report: Recording,
}

impl Beside {
    /// Records into a new file.
    ///
    /// # Errors
    /// [`IngestError::Create`] where it cannot be made or is there already.
    pub(crate) fn create(path: &Path) -> Result<Self, IngestError> {
        Ok(Self {
            recorder: Some(Recorder::new(create(path)?, path)),
            report: Recording::default(),
        })
    }

    /// Lets the recorder take something in.
    pub(crate) fn run(&mut self, take: impl FnOnce(&mut Recorder) -> Result<(), IngestError>) {
        let Some(recorder) = &mut self.recorder else {
            return;
        };
        let taken = take(recorder);
        self.report.frames = recorder.frames();
        self.report.left_out = recorder.left_out();
        if let Err(error) = taken {
            self.recorder = None;
            self.broke(&error);
        }
    }

    /// Ends the capture properly.
    pub(crate) fn finish(&mut self) {
        if let Some(Err(error)) = self.recorder.take().map(Recorder::finish) {
            self.broke(&error);
        }
    }

    pub(crate) fn report(&self) -> Recording {
        self.report.clone()
    }

    fn broke(&mut self, error: &IngestError) {
        let why =
            std::error::Error::source(error).map_or_else(String::new, |why| format!(": {why}"));
        tracing::error!("{error}{why}; ingest goes on without recording");
        self.report.error = Some(format!("{error}{why}"));
    }
}
