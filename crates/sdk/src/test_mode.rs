//! Test mode: a plugin that a person, a debugger or a test starts, and that a
//! host attaches to.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::process::ExitCode;

use outrigger_transport::Reattach;
use outrigger_transport::serve::HostRequest;
use tokio::signal::unix::SignalKind;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::error::Error;
use crate::output::{Capture, Captured, Output, Tee};
use crate::plugin::{Plugin, run};
use crate::serving::{handle, print_line};

impl Plugin {
    /// Serves in test mode, on the current tokio runtime: no host is expected,
    /// so no cookie is checked, no line printed, no signal touched, and nothing
    /// ends the plugin but what this returns. A host that has
    /// [`reattach`](TestServing::reattach) attaches to it, one after the other,
    /// and leaves it as it is.
    ///
    /// The host's variables are heeded all the same: without
    /// `PLUGIN_PROTOCOL_VERSIONS` the lowest version is served. What is printed
    /// stays where it is; if [`capture`](Self::capture) was called, hosts get a
    /// copy.
    ///
    /// ```
    /// # use std::collections::BTreeMap;
    /// # use outrigger_sdk::{Error, Plugin, Reattach};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Error> {
    /// let serving = Plugin::new("KEY", "value").serve_in_test_mode()?;
    /// let items = BTreeMap::from([("mine".to_owned(), serving.reattach().clone())]);
    /// // A host gets this in OUTRIGGER_REATTACH_PLUGINS.
    /// assert!(Reattach::to_json(&items).starts_with(r#"{"mine":{"Protocol":"grpc""#));
    /// serving.end();
    /// serving.ended().await
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Listen`].
    pub fn serve_in_test_mode(self) -> Result<TestServing, Error> {
        self.serve_once_announced(|_| Ok(()))
    }

    fn serve_once_announced(
        self,
        announce: impl FnOnce(&Reattach) -> io::Result<()>,
    ) -> Result<TestServing, Error> {
        let listening = self.listen(&HostRequest::from_environment())?;
        let reattach = listening.reattach();
        // Before a capture, which would take it for the plugin's own words.
        announce(&reattach).map_err(Error::Announce)?;
        let output = Output::new();
        let capture = self.capture.unwrap_or(Capture::Neither);
        let captured = Captured::start(&output, capture, Tee::Yes);
        let end = CancellationToken::new();
        let ends = end.clone().cancelled_owned();
        let serving = tokio::spawn(self.serve_with(listening, ends, output, captured));
        Ok(TestServing { reattach, end, serving: AbortOnDropHandle::new(serving) })
    }

    /// As [`run`](Self::run), in test mode: prints the reattach items to
    /// standard output, as one line of JSON under `name`, and serves until
    /// SIGINT or SIGTERM. For a `main` that was given a flag such as `--debug`.
    #[must_use]
    pub fn run_in_test_mode(self, name: &str) -> ExitCode {
        crate::log::install();
        run(async {
            let mut interrupt = handle(SignalKind::interrupt())?;
            let mut terminate = handle(SignalKind::terminate())?;
            let serving = self.serve_once_announced(|reattach| {
                let items = BTreeMap::from([(name.to_owned(), reattach.clone())]);
                print_line(&Reattach::to_json(&items))
            })?;
            let end = serving.end.clone();
            let mut ended = std::pin::pin!(serving.ended());
            tokio::select! {
                result = &mut ended => return result,
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            end.cancel();
            ended.await
        })
    }
}

/// A plugin that serves in test mode. Dropping it cuts all connections and
/// removes the socket.
#[must_use = "dropping it ends the plugin"]
pub struct TestServing {
    reattach: Reattach,
    end: CancellationToken,
    serving: AbortOnDropHandle<Result<(), Error>>,
}

impl TestServing {
    /// What a host needs to attach: the version that was chosen, the address,
    /// this process.
    #[must_use]
    pub fn reattach(&self) -> &Reattach {
        &self.reattach
    }

    /// Asks the plugin to end, as a host would. It does not wait.
    pub fn end(&self) {
        self.end.cancel();
    }

    /// Waits until serving is over: no connection is left, and no socket.
    ///
    /// # Errors
    ///
    /// As [`Plugin::serve_on`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the plugin.
    ///
    /// # Panics
    ///
    /// If the plugin's own task did.
    pub async fn ended(self) -> Result<(), Error> {
        let served = self.serving.await;
        served.unwrap_or_else(|error: JoinError| std::panic::resume_unwind(error.into_panic()))
    }
}

impl fmt::Debug for TestServing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestServing").field("reattach", &self.reattach).finish_non_exhaustive()
    }
}
