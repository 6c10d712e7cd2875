//! The host's side of a launch, against real processes: how they are started,
//! by whom, found again, and ended.
#![expect(clippy::disallowed_methods, reason = "tests start processes")]
#![expect(clippy::unwrap_used, reason = "tests may")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use outrigger_proto::quorum::plugin_greeting_client::PluginGreetingClient;
use outrigger_proto::quorum::plugin_hello_world::Request as Hello;
use outrigger_sdk::quorum;
use outrigger_transport::{
    Connection, Cookie, Driver, Endpoint, Health, LaunchError, LaunchSpec, ProcessDriver, Program,
    Security, StopLadder, Stopped,
};
use tempfile::TempDir;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

mod attach;
mod elsewhere;
mod probed;
mod start;
mod stop;

const FIXTURE: &str = env!("CARGO_BIN_EXE_outrigger-fixture-plugin");

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A spec of the fixture plugin with this scenario.
fn spec(directory: &Path, scenario: &str) -> LaunchSpec {
    let cookie = Cookie { key: quorum::COOKIE_KEY.into(), value: quorum::COOKIE_VALUE.into() };
    LaunchSpec {
        arguments: scenario.split(' ').map(str::to_owned).collect(),
        start_timeout: PATIENCE,
        ..LaunchSpec::new("fixture", Program::Path(FIXTURE.into()), cookie, directory)
    }
}

/// A plugin that runs, and where it does.
struct Hosted {
    connection: Arc<dyn Connection>,
    directory: TempDir,
}

impl Hosted {
    async fn start(scenario: &str, change: impl FnOnce(&mut LaunchSpec)) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut spec = spec(directory.path(), scenario);
        change(&mut spec);
        let launched = ProcessDriver::new(None).launch(spec, CancellationToken::new()).await;
        Self { connection: launched.unwrap(), directory }
    }

    /// What the fixture answers to a greeting.
    async fn ask(&self, question: &str) -> String {
        ask(&*self.connection, question).await
    }
}

async fn ask(connection: &dyn Connection, question: &str) -> String {
    let Endpoint::Rpc(rpc) = connection.endpoint() else { panic!("it is reached over gRPC") };
    let mut client = PluginGreetingClient::new(rpc);
    client.greeting(Hello { msg: question.to_owned() }).await.unwrap().into_inner().msg
}

/// Whether a process is there, and no zombie.
fn runs(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

async fn until(reached: impl Fn() -> bool) {
    let waiting = async {
        while !reached() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("it does not come");
}
