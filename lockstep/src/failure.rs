//! How a command ends: exit codes, and what is said on the way out.

use std::fmt::Write;

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It tried and failed: exit code 1.
    Failed(anyhow::Error),
    /// It was asked for something that is not to be had: exit code 2.
    WrongUse(String),
    /// What it was given cannot be used: exit code 3.
    BadInput(anyhow::Error),
    /// Another process has taken over its work: exit code 4.
    Fenced(anyhow::Error),
    /// Somebody stopped it: exit code 130.
    Interrupted,
    /// Whoever read its output had enough: exit code 0, nothing is said.
    PipeClosed,
}

/// What a command gives back.
pub(crate) type Outcome = Result<(), Failure>;

impl Failure {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            Self::WrongUse(_) => 2,
            Self::BadInput(_) => 3,
            Self::Fenced(_) => 4,
            Self::Interrupted => 130,
            Self::PipeClosed => 0,
        }
    }

    /// What is said on stderr.
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::Failed(error) | Self::BadInput(error) | Self::Fenced(error) => Some(chain(error)),
            Self::WrongUse(text) => Some(text.clone()),
            Self::Interrupted => Some("interrupted; what was done until then is kept".to_owned()),
            Self::PipeClosed => None,
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        let error = error.into();
        let broken_pipe = error
            .chain()
            .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
            .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe);
        if broken_pipe {
            Self::PipeClosed
        } else {
            Self::Failed(error)
        }
    }
}

/// An error and its causes, each once.
fn chain(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            let _ = write!(text, "\n  because: {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_no_failure() {
        let pipe = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        let failure = Failure::from(anyhow::Error::from(pipe).context("could not write spreads"));
        assert_eq!((failure.code(), failure.text()), (0, None));
        let disk = std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert_eq!(Failure::from(disk).code(), 1);
    }

    #[test]
    fn causes_are_told_once_each() {
        let error = anyhow::anyhow!("no such file")
            .context("could not open `a`")
            .context("could not replay");
        let text = Failure::BadInput(error).text().unwrap();
        assert_eq!(
            text,
            "could not replay\n  because: could not open `a`\n  because: no such file"
        );
    }
}
