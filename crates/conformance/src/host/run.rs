//! One run of the host with one plugin, from the private directory to its
//! removal.

use std::time::Duration;

use tempfile::TempDir;
use tokio::net::UnixListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::plan::Orders;
use super::plugins::Plugins;
use super::process::Host;
use super::script;
use super::seen::{Leftovers, Seen};
use super::subject::{CheckError, Subject};
use super::trial::{Program, Trial};

/// After the host's end, for its plugins to be gone: what a launcher between
/// the two needs.
const SETTLE: Duration = Duration::from_millis(2500);

/// After the host's end, for a plugin to be heard of at all.
const UNSEEN: Duration = Duration::from_millis(300);

const STEP: Duration = Duration::from_millis(10);

/// Runs the host once.
pub(crate) async fn run(subject: &Subject, trial: &Trial) -> Result<Seen, CheckError> {
    let directory = tempfile::Builder::new().prefix("oh").rand_bytes(6).tempdir()?;
    let temporary = directory.path().join("t");
    std::fs::create_dir(&temporary)?;
    let control_path = directory.path().join("c");
    let control = UnixListener::bind(&control_path)?;
    let plugin = directory.path().join("plugin");
    match trial.program {
        Program::Fixture => {
            let orders = Orders { control: control_path, plan: trial.plan.clone() };
            script::write(&plugin, &subject.fixture, &orders)?;
        }
        Program::NoInterpreter => script::write_without_interpreter(&plugin)?,
    }

    let start = Instant::now();
    let plugins = Plugins::default();
    let following = Following(tokio::spawn(plugins.clone().follow(control, start)), plugins);
    let words = subject.command_for(&plugin)?;
    let poison = trial.poison.variables(&subject.cookie.0);
    let host = Host::start(&words, &temporary, &poison, &subject.cookie.0)?;
    let (streams, group) = (host.streams.clone(), host.group());
    let inherited = host.inherited.clone();
    let limit = if trial.patient { subject.start_limit } else { subject.limit };
    let end = host.end(start, start + limit).await;
    settle(&following.1).await;
    let plugins = following.1.take();
    drop(group);
    let left = Leftovers::find(&temporary, &plugins);
    remove(directory).await;
    Ok(Seen {
        cookie: subject.cookie.clone(),
        multiplex: subject.multiplex,
        plain: subject.plain,
        versions: subject.versions.clone(),
        limit,
        plugin_path: plugin,
        streams,
        inherited,
        end,
        plugins,
        left,
    })
}

/// Ends the plugins' processes with the run, however it ends.
struct Following(JoinHandle<()>, Plugins);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
        let _killed = self.1.take();
    }
}

/// Waits until the plugins have ended, or should have.
async fn settle(plugins: &Plugins) {
    let deadline = Instant::now() + SETTLE;
    let unseen = Instant::now() + UNSEEN;
    while (!plugins.ended() && Instant::now() < deadline)
        || (plugins.none() && Instant::now() < unseen)
    {
        tokio::time::sleep(STEP).await;
    }
}

async fn remove(directory: TempDir) {
    // What a host left there is its own affair; the system clears up.
    let _left = tokio::task::spawn_blocking(move || directory.close()).await;
}
