//! Attaching to plugins that run already.

use std::collections::BTreeMap;

use outrigger_transport::{AttachDriver, ExitStatus, Reattach};
use rustix::process::{Pid, Signal, kill_process};

use super::*;

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}

async fn attach(
    reattach: Reattach,
    change: impl FnOnce(&mut LaunchSpec),
) -> Result<Arc<dyn Connection>, LaunchError> {
    let mut spec = spec(Path::new("/nowhere"), "ok");
    spec.security = Security::Plaintext;
    change(&mut spec);
    AttachDriver::new(reattach).launch(spec, CancellationToken::new()).await
}

async fn not_found(reattach: Reattach) -> String {
    let limit = Duration::from_millis(500);
    match attach(reattach, |spec| spec.start_timeout = limit).await {
        Err(error @ LaunchError::ProcessNotFound { .. }) => error.to_string(),
        Err(error) => panic!("another error: {error}"),
        Ok(connection) => panic!("attached to {connection:?}"),
    }
}

/// A plugin without TLS, and what it takes to attach to it.
async fn plaintext() -> (Hosted, Reattach, u32) {
    let hosted = Hosted::start("ok", |spec| spec.security = Security::Plaintext).await;
    let reattach = hosted.connection.reattach().unwrap();
    let pid = hosted.connection.info().pid.unwrap();
    (hosted, reattach, pid)
}

#[tokio::test]
async fn a_plugin_is_attached_to_by_process_start_time_and_socket_and_stops_gracefully() {
    let (hosted, reattach, pid) = plaintext().await;
    assert_eq!((reattach.pid, reattach.version, reattach.test), (Some(pid), 1, false));
    assert!(reattach.start_time.is_some());
    // As it crosses to another process.
    let text = Reattach::to_json(&BTreeMap::from([("x".to_owned(), reattach)]));
    let reattach = Reattach::from_json(&text).unwrap().remove("x").unwrap();
    let attached = attach(reattach, |_| {}).await.unwrap();
    assert_eq!(attached.info().pid, Some(pid));
    assert_eq!(attached.health(PATIENCE).await, Health::Serving);
    assert_eq!(ask(&*attached, "pid").await, pid.to_string());
    assert_eq!(attached.stop(StopLadder::default()).await, Stopped::Graceful);
    assert_eq!(hosted.connection.died().await, ExitStatus::Code(0));
    assert_eq!(attached.stop(StopLadder::default()).await, Stopped::AlreadyDead);
}

#[tokio::test]
async fn dropping_what_was_attached_to_leaves_it_alone_and_its_death_is_seen() {
    let (hosted, reattach, pid) = plaintext().await;
    drop(attach(reattach.clone(), |_| {}).await.unwrap());
    let attached = attach(reattach, |_| {}).await.unwrap();
    assert_eq!(hosted.ask("pid").await, pid.to_string(), "it still runs");
    signal(pid, Signal::KILL);
    timeout(PATIENCE, attached.died()).await.expect("its death is seen");
    assert_eq!(attached.health(PATIENCE).await, Health::Unreachable);
}

#[tokio::test]
async fn what_is_not_the_process_that_was_meant_is_not_found_and_nothing_is_killed() {
    let (hosted, reattach, pid) = plaintext().await;
    let another_time = Reattach { start_time: Some(1), ..reattach.clone() };
    assert!(not_found(another_time).await.contains("another one"));
    // Its parent, which is this test, and everybody's ancestor.
    for stranger in [std::process::id(), 1] {
        for start_time in [None, start_time(stranger)] {
            let stranger = Reattach { pid: Some(stranger), start_time, ..reattach.clone() };
            assert!(not_found(stranger).await.contains(&format!("process {pid} listens")));
        }
    }
    for nobody in [0x7fff_fff0, 0, u32::MAX] {
        let nobody = Reattach { pid: Some(nobody), start_time: None, ..reattach.clone() };
        not_found(nobody).await;
    }
    not_found(Reattach { pid: None, ..reattach.clone() }).await;
    let gone = outrigger_transport::Address::Unix(hosted.directory.path().join("gone"));
    let text = not_found(Reattach { address: gone, ..reattach.clone() }).await;
    assert!(text.contains("nothing was stopped or killed"), "{text}");
    assert_eq!(hosted.ask("pid").await, pid.to_string(), "it still runs");
}

/// When a process started, as the kernel tells it.
fn start_time(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

#[tokio::test]
async fn a_plugin_that_answers_no_health_check_is_not_confirmed_and_not_killed() {
    let (hosted, reattach, pid) = plaintext().await;
    signal(pid, Signal::STOP);
    not_found(reattach).await;
    signal(pid, Signal::CONT);
    assert_eq!(hosted.ask("pid").await, pid.to_string());
}

#[tokio::test]
async fn in_test_mode_a_stop_and_a_kill_do_nothing() {
    let (hosted, reattach, pid) = plaintext().await;
    let test = Reattach { test: true, start_time: None, ..reattach };
    let attached = attach(test, |_| {}).await.unwrap();
    assert_eq!(attached.stop(StopLadder::default()).await, Stopped::LeftAlone);
    assert_eq!(attached.kill().await, Stopped::LeftAlone);
    assert_eq!(ask(&*attached, "pid").await, pid.to_string(), "the connection stays open");
    drop(attached);
    assert_eq!(hosted.ask("pid").await, pid.to_string());
}

#[tokio::test]
async fn auto_mtls_is_attached_to_with_the_first_host_s_identity_and_refused_without() {
    let hosted = Hosted::start("ok", |_| {}).await;
    let reattach = hosted.connection.reattach().unwrap();
    let text = Reattach::to_json(&BTreeMap::from([("x".to_owned(), reattach.clone())]));
    let crossed = Reattach::from_json(&text).unwrap().remove("x").unwrap();
    let refused = attach(crossed.clone(), |spec| spec.security = Security::AutoMtls).await;
    let error = refused.unwrap_err();
    assert!(matches!(error, LaunchError::Excluded { .. }), "{error}");
    assert!(error.to_string().contains("AutoMTLS"), "{error}");
    // Not plaintext in silence either.
    let refused = attach(crossed, |_| {}).await.unwrap_err();
    assert!(refused.to_string().contains("may expect TLS"), "{refused}");

    let attached = attach(reattach, |spec| spec.security = Security::AutoMtls).await.unwrap();
    assert_eq!(attached.health(PATIENCE).await, Health::Serving);
    assert_eq!(attached.stop(StopLadder::default()).await, Stopped::Graceful);
}

#[tokio::test]
async fn a_checksum_or_multiplexing_with_reattach_is_refused() {
    let (hosted, reattach, pid) = plaintext().await;
    let checksum = Some(outrigger_types::Sha256Digest([0; 32]));
    let refused = attach(reattach.clone(), |spec| spec.checksum = checksum).await.unwrap_err();
    assert!(matches!(refused, LaunchError::Excluded { .. }), "{refused}");
    let refused = attach(reattach, |spec| spec.multiplex = true).await.unwrap_err();
    assert!(matches!(refused, LaunchError::Excluded { .. }), "{refused}");
    assert_eq!(hosted.ask("pid").await, pid.to_string());
}

#[tokio::test]
async fn an_unknown_version_becomes_the_host_s_highest_and_one_it_lacks_is_refused() {
    let (_hosted, reattach, _) = plaintext().await;
    let unknown = Reattach { version: 0, ..reattach.clone() };
    let attached = attach(unknown, |spec| spec.protocol_versions = vec![1, 6, 5]).await.unwrap();
    assert_eq!(attached.info().app_version, 6);
    let refused = attach(reattach, |spec| spec.protocol_versions = vec![5, 6]).await.unwrap_err();
    let text = refused.to_string();
    assert!(
        text.contains("version 1") && text.contains("5, 6") && text.contains(FIXTURE),
        "{text}"
    );
}
