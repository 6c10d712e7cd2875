//! Launches against a plugin within the test, on a real socket, that says and
//! serves what its script says.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use outrigger_proto::plugin::{StdioData, stdio_data::Channel};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::control::Health;
use crate::handshake::HandshakeError;
use crate::process::ExitStatus;
use crate::rpc::Endpoint;
use crate::security::GivenTls;
use crate::spec::{Cookie, Program, Sink, StopLadder};
use crate::testing::Lines;
use crate::{RunnerDriver, Stopped};

mod brokered;
mod output;
mod scripted;
mod security;

use scripted::{Scripted, Serves};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

fn spec(directory: &std::path::Path) -> LaunchSpec {
    let cookie = Cookie { key: "COOKIE".into(), value: "v".into() };
    let program = Program::Path("/nowhere/scripted".into());
    LaunchSpec {
        start_timeout: PATIENCE,
        ..LaunchSpec::new("scripted", program, cookie, directory)
    }
}

async fn start(
    script: &Scripted,
    change: impl FnOnce(&mut LaunchSpec),
) -> Result<(Arc<dyn Connection>, tempfile::TempDir), LaunchError> {
    use crate::Driver as _;
    let directory = tempfile::tempdir().unwrap();
    let mut spec = spec(directory.path());
    change(&mut spec);
    let driver = RunnerDriver::new(Arc::new(script.clone()));
    let launched = driver.launch(spec, CancellationToken::new()).await;
    if launched.is_err() {
        let left = directory.path().read_dir().unwrap().count();
        assert_eq!(left, 0, "the run directory goes with a failed start");
        assert!(script.is_dead(), "the process goes with a failed start");
    }
    launched.map(|connection| (connection, directory))
}

fn rpc(connection: &dyn Connection) -> crate::Rpc {
    let Endpoint::Rpc(rpc) = connection.endpoint() else { panic!("it is reached over gRPC") };
    rpc
}

#[tokio::test]
async fn any_set_of_versions_is_negotiated_and_the_chosen_one_is_visible() {
    for (ours, theirs) in [(vec![0, 2, 5, 11], 11), (vec![0], 0), (vec![11, 2], 2), (vec![5], 5)] {
        let script = Scripted { version: theirs, ..Scripted::default() };
        let offered = ours.clone();
        let started = start(&script, |spec| spec.protocol_versions = ours).await;
        let (connection, _directory) = started.unwrap();
        assert_eq!(connection.info().app_version, theirs);
        assert_eq!(rpc(&*connection).version(), theirs);
        let mut seen: Vec<u32> = script
            .variable("PLUGIN_PROTOCOL_VERSIONS")
            .map(|text| text.split(',').map(|text| text.parse().unwrap()).collect())
            .unwrap();
        seen.sort_unstable();
        let mut offered = offered;
        offered.sort_unstable();
        assert_eq!(seen, offered);
        assert_eq!(connection.stop(StopLadder::default()).await, Stopped::Graceful);
    }
}

#[tokio::test]
async fn a_version_that_was_not_offered_is_refused_with_both_sides_versions_and_the_path() {
    let script = Scripted { version: 2, ..Scripted::default() };
    let error = start(&script, |spec| spec.protocol_versions = vec![0, 5, 11]).await.unwrap_err();
    let text = error.to_string();
    for part in ["version 2", "0, 5, 11", "install a version", "/nowhere/scripted"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(error.is_permanent());
}

#[tokio::test]
async fn limits_of_messages_are_the_connection_s() {
    let script = Scripted::default();
    let (connection, _directory) = start(&script, |_| {}).await.unwrap();
    assert_eq!(rpc(&*connection).largest_message(), i32::MAX as usize);
    let (connection, _directory) =
        start(&script, |spec| spec.largest_message = 64 << 20).await.unwrap();
    assert_eq!(rpc(&*connection).largest_message(), 64 << 20);
}

#[tokio::test]
async fn health_is_seen_while_the_plugin_lives_and_not_after() {
    let script = Scripted::default();
    let (connection, _directory) = start(&script, |_| {}).await.unwrap();
    assert_eq!(connection.health(PATIENCE).await, Health::Serving);
    script.die(ExitStatus::Code(3));
    assert_eq!(connection.died().await, ExitStatus::Code(3));
    assert_eq!(connection.health(PATIENCE).await, Health::Unreachable);
    assert_eq!(connection.stop(StopLadder::default()).await, Stopped::AlreadyDead);
    assert_eq!(connection.stop(StopLadder::default()).await, Stopped::AlreadyDead);
}

#[tokio::test]
async fn a_plugin_that_hears_nothing_is_killed_within_the_ladder() {
    let script = Scripted { serves: Serves::NoController, ..Scripted::default() };
    let (connection, directory) = start(&script, |_| {}).await.unwrap();
    let ladder = StopLadder { shutdown: Duration::from_secs(10), ..StopLadder::default() };
    let before = Instant::now();
    assert_eq!(connection.stop(ladder).await, Stopped::Killed);
    assert!(before.elapsed() < Duration::from_secs(5), "{:?}", before.elapsed());
    assert!(script.is_dead());
    assert_eq!(directory.path().read_dir().unwrap().count(), 0);
}

#[tokio::test]
async fn a_runner_that_fails_leaves_no_directory_and_its_words_in_the_error() {
    let script = Scripted { serves: Serves::NotAtAll, ..Scripted::default() };
    let directory = tempfile::tempdir().unwrap();
    let error =
        launch(Starter::Runner(Arc::new(script)), spec(directory.path()), CancellationToken::new());
    let error = error.await.unwrap_err();
    assert!(error.to_string().contains("no such container"), "{error}");
    assert_eq!(directory.path().read_dir().unwrap().count(), 0);
}

#[tokio::test]
async fn a_runner_s_diagnosis_stands_in_the_error() {
    let script = Scripted { line: Some("Hello, I am a banner\n".into()), ..Scripted::default() };
    let error = start(&script, |spec| spec.start_timeout = Duration::from_millis(300)).await;
    let text = error.unwrap_err().to_string();
    assert!(text.contains("Hello, I am a banner") && text.contains("the image is old"), "{text}");
}

#[tokio::test]
async fn ports_that_are_no_range_are_refused_before_anything_starts() {
    let directory = tempfile::tempdir().unwrap();
    let mut spec = spec(directory.path());
    #[expect(clippy::reversed_empty_ranges, reason = "this is what is refused")]
    {
        spec.ports = 9..=8;
    }
    let script = Scripted::default();
    let starter = Starter::Runner(Arc::new(script.clone()));
    let error = launch(starter, spec, CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, LaunchError::Ports { first: 9, last: 8 }), "{error}");
    assert!(script.variable("COOKIE").is_none(), "it was started");
}

#[tokio::test]
async fn a_checksum_with_a_runner_that_names_no_file_is_refused() {
    let checksum = Some(outrigger_types::Sha256Digest([0; 32]));
    let directory = tempfile::tempdir().unwrap();
    let spec = LaunchSpec { checksum, ..spec(directory.path()) };
    let script = Scripted::default();
    let starter = Starter::Runner(Arc::new(script.clone()));
    let error = launch(starter, spec, CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, LaunchError::Excluded { .. }) && error.is_permanent(), "{error}");
    assert!(script.variable("COOKIE").is_none(), "it was started");
}

#[tokio::test]
async fn a_net_rpc_plugin_is_recognised_and_refused_by_what_it_is() {
    for rest in ["", "|netrpc", "|netrpc|"] {
        let line = format!("1|1|tcp|127.0.0.1:1234{rest}\n");
        let script = Scripted { line: Some(line), ..Scripted::default() };
        let error = start(&script, |_| {}).await.unwrap_err();
        let refused =
            matches!(&error, LaunchError::Handshake { source: HandshakeError::NetRpc, .. });
        assert!(refused && error.to_string().contains("rebuild the plugin with gRPC"), "{error}");
    }
}

#[test]
fn a_spec_has_go_plugin_s_defaults_but_for_security() {
    let spec = spec(std::path::Path::new("/run/x"));
    let fresh = LaunchSpec::new("p", spec.program.clone(), spec.cookie.clone(), "/run/x");
    assert!(matches!(fresh.security, Security::AutoMtls));
    assert_eq!(fresh.protocol_versions, [1]);
    assert_eq!(fresh.ports, 10_000..=25_000);
    assert_eq!(fresh.largest_message, i32::MAX as usize);
    assert_eq!(fresh.start_timeout, Duration::from_secs(60));
    assert!(!fresh.multiplex && fresh.checksum.is_none() && fresh.socket_group.is_none());
    let output = &fresh.output;
    assert!(output.stdout.is_none() && output.stderr.is_none() && output.raw_stderr.is_none());
}
