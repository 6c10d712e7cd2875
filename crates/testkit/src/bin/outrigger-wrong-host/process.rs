//! The plugin's process.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::time::timeout;

use crate::Wrong;
use crate::environment::compose;
use crate::identity::Identity;

/// A process that is about to be gone.
const GONE: Duration = Duration::from_secs(2);

/// A plugin's process and its two outputs.
pub(crate) struct Process {
    child: Child,
    pub(crate) stdout: Option<ChildStdout>,
    pub(crate) stderr: Option<ChildStderr>,
}

impl Process {
    #[expect(clippy::disallowed_methods, reason = "a host starts plugins")]
    pub(crate) fn start(
        wrong: &Wrong,
        plugin: &Path,
        identity: &Identity,
        directory: &Path,
    ) -> Result<Self, String> {
        let (removed, set) = compose(wrong, identity, directory);
        let mut command = Command::new(plugin);
        for name in removed {
            command.env_remove(name);
        }
        // A copy that is not closed on exec; it lives until after the start.
        let leak = wrong.is("leaks-descriptor").then(|| rustix::io::dup(std::io::stderr()));
        command.envs(set).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if wrong.is("one-pipe") {
            command.stderr(Stdio::inherit());
        }
        let spawned =
            command.kill_on_drop(!(wrong.is("keeps-refused") || wrong.is("no-kill"))).spawn();
        drop(leak);
        let mut child = spawned.map_err(|error| {
            if wrong.is("names-no-program") {
                error.to_string()
            } else {
                format!("{}: {error}", plugin.display())
            }
        })?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        Ok(Self { child, stdout, stderr })
    }

    /// Waits for its end, at most so long.
    pub(crate) async fn ended_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        timeout(limit, self.child.wait()).await.ok()?.ok()
    }

    /// Ends it by force.
    pub(crate) async fn kill(&mut self) {
        let _gone = self.child.start_kill();
        let _reaped = self.ended_within(GONE).await;
    }
}
