//! Discord's thread: a runtime of its own that makes one request at a time.

use crossbeam_channel::{Receiver, bounded};
use tokio::sync::mpsc;

use crate::discord::{Answer, Discord};
use crate::error::AlerterError;
use crate::outbox::Request;

const NAME: &str = "alert-discord";

/// Where requests go and answers come from. Dropped, it ends once the request that is being made is answered.
pub(super) struct Socket {
    requests: mpsc::Sender<Request>,
    answers: Receiver<Answer>,
}

impl Socket {
    /// Starts the thread.
    pub(super) fn start(discord: Discord) -> Result<Self, AlerterError> {
        let failed = |source| AlerterError::Thread { name: NAME, source };
        // The runtime runs between requests too, so that it notices when a kept connection is closed.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let (requests, mut asked) = mpsc::channel::<Request>(1);
        let (answered, answers) = bounded(1);
        std::thread::Builder::new()
            .name(NAME.to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    while let Some(request) = asked.recv().await {
                        let answer = discord.ask(&request).await;
                        if answered.try_send(answer).is_err() {
                            break;
                        }
                    }
                });
            })
            .map_err(failed)?;
        Ok(Self { requests, answers })
    }

    /// Makes a request; there is never a second before the first is answered.
    pub(super) fn ask(&self, request: Request) -> Result<(), AlerterError> {
        self.requests
            .try_send(request)
            .map_err(|_| AlerterError::Client("its thread ended".to_owned()))
    }

    /// The answers.
    pub(super) fn answers(&self) -> &Receiver<Answer> {
        &self.answers
    }
}
