//! Each scenario of the fixture plugin does what its name says, as a host
//! sees it.
#![expect(clippy::disallowed_methods, reason = "tests start processes")]
#![expect(clippy::unwrap_used, reason = "tests may")]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use outrigger_proto::quorum::plugin_greeting_client::PluginGreetingClient;
use outrigger_proto::quorum::plugin_hello_world::Request as Hello;
use outrigger_proto::quorum_init::plugin_initialization::Request as Init;
use outrigger_proto::quorum_init::plugin_initializer_client::PluginInitializerClient;
use outrigger_sdk::{Code, Status, quorum};
use outrigger_transport::{
    ConnectError, Connection, Cookie, Driver as _, Endpoint, ExitStatus, HandshakeError, Health,
    LaunchError, LaunchSpec, ProcessDriver, Program, Rpc, StopLadder, Stopped,
};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const FIXTURE: &str = env!("CARGO_BIN_EXE_outrigger-fixture-plugin");

/// Far more than a launch takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Enough for a plugin that starts, for scenarios that never do.
const IMPATIENCE: Duration = Duration::from_secs(2);

type Launched = Result<Arc<dyn Connection>, LaunchError>;

async fn launch_within(directory: &Path, arguments: &str, within: Duration) -> Launched {
    let cookie = Cookie { key: quorum::COOKIE_KEY.into(), value: quorum::COOKIE_VALUE.into() };
    let spec = LaunchSpec {
        arguments: arguments.split(' ').map(str::to_owned).collect(),
        start_timeout: within,
        ..LaunchSpec::new("fixture", Program::Path(FIXTURE.into()), cookie, directory)
    };
    ProcessDriver::new(None).launch(spec, CancellationToken::new()).await
}

async fn refused(arguments: &str) -> LaunchError {
    let directory = tempfile::tempdir().unwrap();
    match launch_within(directory.path(), arguments, IMPATIENCE).await {
        Ok(_) => panic!("{arguments} was launched"),
        Err(error) => error,
    }
}

/// A fixture that serves.
struct Served(
    Arc<dyn Connection>,
    #[expect(dead_code, reason = "removed with it")] tempfile::TempDir,
);

impl Served {
    async fn start(arguments: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let launched = launch_within(directory.path(), arguments, PATIENCE).await;
        Self(launched.unwrap_or_else(|error| panic!("{arguments}: {error}")), directory)
    }

    fn rpc(&self) -> Rpc {
        match self.0.endpoint() {
            Endpoint::Rpc(rpc) => rpc,
            Endpoint::Local(_) => panic!("a process is reached over gRPC"),
        }
    }

    async fn init(&self) -> Result<(), Status> {
        let request = Init { raw_configuration: "{}".into(), ..Init::default() };
        PluginInitializerClient::new(self.rpc()).init(request).await.map(|_| ())
    }

    async fn greet(&self, msg: &str) -> Result<String, Status> {
        let request = Hello { msg: msg.to_owned() };
        let reply = PluginGreetingClient::new(self.rpc()).greeting(request).await?;
        Ok(reply.into_inner().msg)
    }

    async fn stop(&self) -> Stopped {
        let short = Duration::from_millis(300);
        self.0.stop(StopLadder { shutdown: short, terminate: short, kill: PATIENCE }).await
    }
}

#[test]
fn the_list_names_every_scenario_once() {
    let output = Command::new(FIXTURE).arg("--list").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut names: Vec<_> = text.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert!(output.status.success() && names.len() > 35, "{text}");
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), text.lines().count());
}

#[test]
fn an_unknown_scenario_is_an_error() {
    assert_eq!(Command::new(FIXTURE).arg("nonsense").output().unwrap().status.code(), Some(2));
}

#[tokio::test]
async fn scenarios_that_serve_greet_and_end_when_asked() {
    for scenario in [
        "ok",
        "pid",
        "echo-env",
        "slow-handshake 20",
        "banner",
        "tcp",
        "no-health",
        "no-stdio",
        "not-serving",
        "unhealthy-after",
        "crash-on-call",
        "hang-on-call",
        "slow-call",
        "big-reply",
        "slow-init 20",
        "flood-stderr",
        "flood-stdout",
        "stdio-flood",
        "grandchild",
        "daemon-grandchild",
        "old-socket-dir",
        "failing-hook",
        "exec-on-call",
        "spin",
    ] {
        let served = Served::start(scenario).await;
        let pid = served.greet("pid").await.unwrap();
        assert_eq!(Some(pid.parse().unwrap()), served.0.info().pid, "{scenario}");
        served.init().await.unwrap();
        assert_eq!(served.greet("you").await.unwrap(), "Hello you!", "{scenario}");
        let grandchild: Result<u32, _> = served.greet("grandchild").await.unwrap().parse();
        let stopped = served.stop().await;
        assert_eq!(grandchild.is_ok(), scenario.contains("grandchild"));
        if let Ok(pid) = grandchild {
            // Without a launcher it outlives the plugin.
            Command::new("kill").arg(pid.to_string()).status().unwrap();
        }
        // A flood leaves little time to a machine that is busy.
        let flood = scenario.contains("flood") && stopped == Stopped::Terminated;
        assert!(stopped == Stopped::Graceful || flood, "{scenario}: {stopped:?}");
    }
}

#[tokio::test]
async fn scenarios_with_a_wrong_line_are_refused_for_it() {
    type Is = fn(&HandshakeError) -> bool;
    let table: [(&str, Is); 3] = [
        ("wrong-core-version", |error| matches!(error, HandshakeError::CoreVersion { .. })),
        ("wrong-app-version", |error| {
            matches!(error, HandshakeError::AppVersion { theirs: 7, .. })
        }),
        ("netrpc", |error| matches!(error, HandshakeError::NetRpc)),
    ];
    for (scenario, is) in table {
        let error = refused(scenario).await;
        assert!(matches!(&error, LaunchError::Handshake { source, .. } if is(source)), "{error}");
    }
    assert!(matches!(refused("no-cert").await, LaunchError::NoCertificate { .. }));
    assert!(matches!(refused("garbage-line").await, LaunchError::NoHandshake { .. }));
    assert!(matches!(refused("garbage-flood").await, LaunchError::NoHandshake { .. }));
    assert!(matches!(refused("hang").await, LaunchError::TimedOut { .. }));
}

#[tokio::test]
async fn scenarios_with_a_wrong_peer_are_refused_at_the_connection() {
    type Is = fn(&ConnectError) -> bool;
    let table: [(&str, Is); 4] = [
        ("wrong-cert", |error| matches!(error, ConnectError::IdentityMismatch)),
        ("tls-garbage", |error| matches!(error, ConnectError::Tls { .. })),
        ("plaintext-though-mtls", |error| matches!(error, ConnectError::Tls { .. })),
        ("listens-then-never-accepts", |error| matches!(error, ConnectError::TimedOut { .. })),
    ];
    for (scenario, is) in table {
        let error = refused(scenario).await;
        let expected = match &error {
            LaunchError::Connect { source, .. } => is(source),
            LaunchError::TimedOut { .. } => scenario == "listens-then-never-accepts",
            _ => false,
        };
        assert!(expected, "{scenario}: {error}");
    }
}

#[tokio::test]
async fn scenarios_that_end_do_so_as_they_say() {
    for (scenario, expected) in [
        ("exit-before-handshake 9", ExitStatus::Code(9)),
        ("crash-before-handshake", ExitStatus::Signal { signal: 6, core: false }),
    ] {
        let LaunchError::ExitedEarly { status, .. } = refused(scenario).await else {
            panic!("{scenario}");
        };
        // Whether core was dumped is the machine's choice.
        assert_eq!(status.to_string(), expected.to_string(), "{scenario}");
    }
    let served = Served::start("exit-after-ready 300").await;
    let status = timeout(PATIENCE, served.0.died()).await.expect("it exits");
    assert_eq!(status, ExitStatus::Code(3));
    let served = Served::start("crash-on-call").await;
    served.greet("crash").await.unwrap_err();
    let status = timeout(PATIENCE, served.0.died()).await.expect("it crashes");
    assert!(matches!(status, ExitStatus::Signal { signal: 6, .. }), "{status}");
}

#[tokio::test]
async fn init_can_be_refused_panic_or_hang() {
    let refused = Served::start("reject-config").await.init().await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    let panicking = Served::start("init-panics").await;
    panicking.init().await.unwrap_err();
    assert!(panicking.greet("pid").await.is_ok(), "only the call is lost");
    panicking.stop().await;
    assert!(panicking.0.last_words().contains("panic: this fixture panics in Init"));
    let hanging = Served::start("init-hangs").await;
    assert!(timeout(Duration::from_millis(200), hanging.init()).await.is_err());
    assert_eq!(hanging.stop().await, Stopped::Graceful);
}

#[tokio::test]
async fn health_is_what_the_scenario_says() {
    let health = async |served: &Served| served.0.health(PATIENCE).await;
    assert_eq!(health(&Served::start("ok").await).await, Health::Serving);
    assert_eq!(health(&Served::start("no-health").await).await, Health::Unsupported);
    assert_eq!(health(&Served::start("not-serving").await).await, Health::NotServing);
    let waning = Served::start("unhealthy-after 2").await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(health(&waning).await);
    }
    assert_eq!(seen, [Health::Serving, Health::Serving, Health::NotServing]);
}

#[tokio::test]
async fn calls_are_slow_big_or_never_answered() {
    let big = Served::start("big-reply").await;
    assert_eq!(big.greet("big:100000").await.unwrap().len(), 100_000);
    let slow = Served::start("slow-call").await;
    slow.init().await.unwrap();
    assert_eq!(slow.greet("sleep:1").await.unwrap(), "Hello sleep:1!");
    let hanging = Served::start("hang-on-call").await;
    assert!(timeout(Duration::from_millis(200), hanging.greet("hang")).await.is_err());
}

#[tokio::test]
async fn what_cannot_be_asked_to_end_is_told_or_killed() {
    assert_eq!(Served::start("no-controller").await.stop().await, Stopped::Terminated);
    assert_eq!(Served::start("ignore-shutdown").await.stop().await, Stopped::Killed);
}

#[tokio::test]
async fn grandchildren_and_descriptors_are_told() {
    let served = Served::start("grandchild").await;
    let pid = served.greet("grandchild").await.unwrap();
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap();
    assert_eq!(name, "sleep\n");
    let descriptors = served.greet("fds").await.unwrap();
    assert!(descriptors.contains("pipe:") && descriptors.contains("anon_inode:[pidfd]"));
    assert_eq!(served.greet("env:PLUGIN_PROTOCOL_VERSIONS").await.unwrap(), "1");
    Command::new("kill").arg(pid).status().unwrap();
}
