//! A stage as its supervisor sees it: started, killed, and started again when it has ended.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use crate::fixture::{Room, command};

/// A stage's process.
pub(super) struct Process(Child);

impl Process {
    pub(super) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([name, &self.0.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    pub(super) fn has_ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().unwrap()
    }

    /// Ctrl-C, and how it ended.
    pub(super) fn interrupt(mut self) -> ExitStatus {
        self.signal("-INT");
        self.0.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A stage that is kept up.
pub(super) struct Stage {
    pub(super) name: &'static str,
    args: Vec<String>,
    settings: Vec<(String, String)>,
    log: File,
    log_path: PathBuf,
    process: Option<Process>,
    /// How it ended when nobody had told it to, and its last words.
    pub(super) ends: Vec<String>,
}

impl Stage {
    pub(super) fn start(
        name: &'static str,
        args: &[&str],
        settings: &[(String, String)],
        room: &Room,
    ) -> Self {
        let mut stage = Self {
            name,
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            settings: settings.to_vec(),
            log: File::options()
                .create(true)
                .append(true)
                .open(room.path(name))
                .unwrap(),
            log_path: room.path(name),
            process: None,
            ends: Vec::new(),
        };
        stage.process = Some(stage.another());
        stage
    }

    /// A process of this stage beside the one that is kept up.
    pub(super) fn another(&self) -> Process {
        let child = command()
            .arg(self.name)
            .args(&self.args)
            .envs(self.settings.iter().cloned())
            .stdin(Stdio::null())
            .stdout(self.log.try_clone().unwrap())
            .stderr(self.log.try_clone().unwrap())
            .spawn()
            .unwrap();
        Process(child)
    }

    /// `kill -9`; [`Self::keep_up`] brings it back.
    pub(super) fn kill(&mut self) {
        self.process = None;
    }

    /// Takes the process out of the supervisor's hands and starts its successor.
    pub(super) fn succeed(&mut self) -> Option<Process> {
        let successor = self.another();
        self.process.replace(successor)
    }

    /// The process that is kept up.
    pub(super) fn process(&self) -> &Process {
        self.process.as_ref().unwrap()
    }

    /// The end of its log.
    pub(super) fn last_words(&self, n: usize) -> String {
        let text = std::fs::read_to_string(&self.log_path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(n)..].join("\n")
    }

    /// Starts it again if it has ended.
    pub(super) fn keep_up(&mut self) {
        if let Some(process) = &mut self.process {
            let Some(status) = process.has_ended() else {
                return;
            };
            let last = self.last_words(4);
            self.ends.push(format!("{status}: {last}"));
        }
        self.process = Some(self.another());
    }

    /// Ends it by Ctrl-C, for good.
    pub(super) fn finish(&mut self) {
        let status = self.process.take().unwrap().interrupt();
        assert_eq!(status.code(), Some(130), "{}", self.name);
    }
}
