//! The example as a host runs it: a process of its own.
#![expect(clippy::disallowed_methods, reason = "tests start processes")]
#![expect(clippy::unwrap_used, reason = "tests may")]

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use outrigger_proto::plugin::Empty;
use outrigger_proto::plugin::grpc_controller_client::GrpcControllerClient;
use outrigger_proto::plugin::grpc_stdio_client::GrpcStdioClient;
use outrigger_proto::quorum::plugin_greeting_client::PluginGreetingClient;
use outrigger_proto::quorum::plugin_hello_world::Request as Hello;
use outrigger_proto::quorum_init::plugin_initialization::Request as Init;
use outrigger_proto::quorum_init::plugin_initializer_client::PluginInitializerClient;
use outrigger_sdk::{Code, Status, quorum};
use outrigger_transport::{
    AttachDriver, Connection, Cookie, Driver as _, Endpoint as Reached, LaunchError, LaunchSpec,
    ProcessDriver, Program, Reattach, Rpc, Security, StopLadder, Stopped,
};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// `cargo test` builds examples beside the tests.
fn example() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let example = test.parent().and_then(Path::parent).unwrap().join("examples/hello_world");
    assert!(example.exists(), "build it first: cargo build -p outrigger-sdk --examples");
    example
}

fn command(program: impl AsRef<Path>, sockets: &Path) -> Command {
    let mut command = Command::new(program.as_ref());
    command
        .env(quorum::COOKIE_KEY, quorum::COOKIE_VALUE)
        .env("PLUGIN_PROTOCOL_VERSIONS", "1")
        .env("PLUGIN_UNIX_SOCKET_DIR", sockets)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// The example, in plaintext, its line read.
struct Plain {
    child: Child,
    line: String,
    stdout: BufReader<ChildStdout>,
    sockets: TempDir,
}

impl Plain {
    async fn start() -> Self {
        let sockets = tempfile::tempdir().unwrap();
        let mut child = command(example(), sockets.path()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        timeout(PATIENCE, stdout.read_line(&mut line)).await.expect("a line").unwrap();
        Self { child, line, stdout, sockets }
    }

    async fn channel(&self) -> Channel {
        let path = self.line.split('|').nth(3).unwrap();
        Endpoint::from_shared(format!("unix://{path}")).unwrap().connect().await.unwrap()
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().unwrap().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// How it ended, what else was on standard output, and its sockets.
    async fn ended(mut self) -> (ExitStatus, String, usize) {
        let status = timeout(PATIENCE, self.child.wait()).await.expect("it ends").unwrap();
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).await.unwrap();
        (status, rest, self.sockets.path().read_dir().unwrap().count())
    }
}

#[tokio::test]
async fn run_by_hand_it_says_what_it_is_and_exits_with_1() {
    let sockets = tempfile::tempdir().unwrap();
    for value in [None, Some("wrong")] {
        let mut by_hand = command(example(), sockets.path());
        by_hand.env_remove(quorum::COOKIE_KEY).envs(value.map(|value| (quorum::COOKIE_KEY, value)));
        let Output { status, stdout, stderr } =
            timeout(PATIENCE, by_hand.output()).await.unwrap().unwrap();
        assert_eq!(status.code(), Some(1));
        assert!(stdout.is_empty());
        let text = String::from_utf8(stderr).unwrap();
        let first = "hello_world is a plugin of GoQuorum, and not meant to be run by hand.\n";
        assert!(text.starts_with(first) && text.contains(quorum::COOKIE_KEY), "{text}");
    }
}

#[tokio::test]
async fn without_a_certificate_it_serves_plaintext_and_prints_one_line() {
    let plugin = Plain::start().await;
    let fields: Vec<_> = plugin.line.split('|').collect();
    assert_eq!((fields.len(), &fields[..3], fields[4]), (6, &["1", "1", "unix"][..], "grpc"));
    assert_eq!(fields[5], "\n", "no certificate");

    let channel = plugin.channel().await;
    let _stdio = GrpcStdioClient::new(channel.clone()).stream_stdio(()).await.unwrap();
    let asked = Instant::now();
    GrpcControllerClient::new(channel).shutdown(Empty {}).await.expect("it is answered");
    let (status, rest, sockets) = plugin.ended().await;
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!((status.code(), rest.as_str(), sockets), (Some(0), "", 0));
}

#[tokio::test]
async fn sigint_is_ignored_and_sigterm_ends_it_cleanly() {
    let plugin = Plain::start().await;
    plugin.signal(Signal::INT);
    let refused = greet(plugin.channel().await, "x").await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "it still answers");
    plugin.signal(Signal::TERM);
    let (status, _, sockets) = plugin.ended().await;
    assert_eq!((status.code(), sockets), (Some(0), 0));
}

#[tokio::test]
async fn it_lives_on_when_nobody_reads_its_log() {
    let mut plugin = Plain::start().await;
    drop(plugin.child.stderr.take());
    let mut client = PluginInitializerClient::new(plugin.channel().await);
    for language in ["en", "es", "de"] {
        // Each is logged.
        let raw_configuration = format!(r#"{{"language":"{language}"}}"#).into_bytes().into();
        client.init(Init { raw_configuration, ..Init::default() }).await.unwrap();
    }
    assert_eq!(greet(plugin.channel().await, "x").await.unwrap(), "Hallo x!");
    plugin.signal(Signal::TERM);
    assert_eq!(plugin.ended().await.0.code(), Some(0));
}

#[tokio::test]
async fn in_test_mode_it_needs_no_host_and_sigint_ends_it() {
    let sockets = tempfile::tempdir().unwrap();
    let mut debugged = command(example(), sockets.path());
    debugged.arg("--debug").env_remove(quorum::COOKIE_KEY);
    let mut child = debugged.spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    timeout(PATIENCE, stdout.read_line(&mut line)).await.expect("a line").unwrap();
    let reattach = Reattach::from_json(&line).unwrap().remove("helloworld").unwrap();
    let pid = child.id().unwrap();
    assert_eq!((reattach.version, reattach.pid, reattach.test), (1, Some(pid), true));
    for _host in ["first", "second"] {
        let connection = attach(reattach.clone(), sockets.path()).await.unwrap();
        initialise(&*connection, r#"{"language":"en"}"#).await.unwrap();
        assert_eq!(greet(rpc(&*connection), "you").await.unwrap(), "Hello you!");
        // A stop leaves it as it is, and so does the end of the host.
        connection.stop(StopLadder::default()).await;
    }
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::INT).unwrap();
    let status = timeout(PATIENCE, child.wait()).await.expect("it ends").unwrap();
    assert_eq!((status.code(), sockets.path().read_dir().unwrap().count()), (Some(0), 0));
    assert!(attach(reattach, sockets.path()).await.is_err());
}

#[tokio::test]
async fn it_dies_with_its_host() {
    let sockets = tempfile::tempdir().unwrap();
    let mut host = command("/bin/sh", sockets.path());
    host.args(["-c", "\"$0\" & exec sleep 600"]).arg(example());
    let mut host = host.spawn().unwrap();
    let mut stdout = BufReader::new(host.stdout.take().unwrap());
    let mut text = String::new();
    timeout(PATIENCE, stdout.read_line(&mut text)).await.expect("a line").unwrap();
    let killed = Instant::now();
    host.start_kill().unwrap();
    // Both held the pipe.
    timeout(PATIENCE, stdout.read_to_string(&mut text)).await.expect("both end").unwrap();
    assert!(killed.elapsed() < Duration::from_secs(1), "{:?}", killed.elapsed());
    assert_eq!(sockets.path().read_dir().unwrap().count(), 0, "it cleaned up");
}

async fn attach(reattach: Reattach, directory: &Path) -> Result<Arc<dyn Connection>, LaunchError> {
    let nobody = Cookie { key: String::new(), value: String::new() };
    let program = Program::Path(PathBuf::new());
    let spec = LaunchSpec {
        security: Security::Plaintext,
        ..LaunchSpec::new("helloworld", program, nobody, directory)
    };
    AttachDriver::new(reattach).launch(spec, CancellationToken::new()).await
}

async fn launch(sockets: &Path) -> Arc<dyn Connection> {
    let cookie = Cookie { key: quorum::COOKIE_KEY.into(), value: quorum::COOKIE_VALUE.into() };
    let spec = LaunchSpec {
        start_timeout: PATIENCE,
        ..LaunchSpec::new("helloworld", Program::Path(example()), cookie, sockets)
    };
    ProcessDriver::new(None).launch(spec, CancellationToken::new()).await.unwrap()
}

fn rpc(connection: &dyn Connection) -> Rpc {
    match connection.endpoint() {
        Reached::Rpc(rpc) => rpc,
        Reached::Local(_) => panic!("a process is reached over gRPC"),
    }
}

async fn initialise(connection: &dyn Connection, config: &str) -> Result<(), Status> {
    let mut client = PluginInitializerClient::new(rpc(connection));
    let raw_configuration = config.to_owned().into_bytes().into();
    client.init(Init { host_identity: "test".into(), raw_configuration }).await.map(|_| ())
}

async fn greet<T>(channel: T, msg: &str) -> Result<String, Status>
where
    T: tonic::client::GrpcService<tonic::body::Body>,
    T::Error: Into<tonic::codegen::StdError>,
    T::ResponseBody: tonic::codegen::Body<Data = tonic::codegen::Bytes> + Send + 'static,
    <T::ResponseBody as tonic::codegen::Body>::Error: Into<tonic::codegen::StdError> + Send,
{
    let mut client = PluginGreetingClient::new(channel);
    Ok(client.greeting(Hello { msg: msg.to_owned() }).await?.into_inner().msg)
}

#[tokio::test]
async fn a_rust_host_runs_it_over_mutual_tls() {
    let sockets = tempfile::tempdir().unwrap();
    let connection = launch(sockets.path()).await;
    let early = greet(rpc(&*connection), "you").await.unwrap_err();
    assert_eq!(early.code(), Code::FailedPrecondition);
    let refused = initialise(&*connection, r#"{"language":"tlh"}"#).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("`tlh`"), "{refused}");
    for (language, greeting) in [("en", "Hello you!"), ("es", "Hola you!"), ("de", "Hallo you!")] {
        let config = format!(r#"{{"language":"{language}"}}"#);
        initialise(&*connection, &config).await.unwrap();
        assert_eq!(greet(rpc(&*connection), "you").await.unwrap(), greeting);
    }
    assert_eq!(connection.stop(StopLadder::default()).await, Stopped::Graceful);
    let log = connection.last_words();
    assert!(log.contains(r#""@message":"initialised""#), "{log}");
    assert!(log.contains(r#""language":"de""#), "{log}");
}
