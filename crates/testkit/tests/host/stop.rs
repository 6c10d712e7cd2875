//! How long a stop may take, whatever the plugin does.

use rustix::process::{Pid, Signal, kill_process};

use super::*;

/// Of the default ladder, and some air for a machine that is busy.
const BOUND: Duration = Duration::from_millis(3_500 + 1_500);

/// Stops it and says how it ended; its process and its files are gone then.
async fn stop(hosted: &Hosted) -> Stopped {
    let pid = hosted.connection.info().pid.unwrap();
    let asked = Instant::now();
    let stopped = hosted.connection.stop(StopLadder::default()).await;
    assert!(asked.elapsed() < BOUND, "{:?}", asked.elapsed());
    until(|| !runs(pid)).await;
    assert_eq!(hosted.directory.path().read_dir().unwrap().count(), 0);
    stopped
}

#[tokio::test]
async fn a_plugin_stopped_by_sigstop_does_not_delay_the_host() {
    let hosted = Hosted::start("ok", |_| {}).await;
    let pid = hosted.connection.info().pid.unwrap();
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::STOP).unwrap();
    assert_eq!(stop(&hosted).await, Stopped::Killed);
}

#[tokio::test]
async fn a_plugin_that_ignores_every_request_does_not_delay_the_host() {
    let hosted = Hosted::start("ignore-shutdown", |_| {}).await;
    assert_eq!(stop(&hosted).await, Stopped::Killed);
}

#[tokio::test]
async fn a_grandchild_that_holds_the_pipes_does_not_delay_the_host() {
    for scenario in ["grandchild", "daemon-grandchild"] {
        let hosted = Hosted::start(scenario, |_| {}).await;
        let grandchild = hosted.ask("grandchild").await.parse().unwrap();
        let asked = Instant::now();
        assert_eq!(stop(&hosted).await, Stopped::Graceful, "{scenario}");
        assert!(asked.elapsed() < Duration::from_secs(2), "{scenario}: {:?}", asked.elapsed());
        if runs(grandchild) {
            // Without a launcher nobody finds one in a session of its own.
            let pid = Pid::from_raw(grandchild.cast_signed()).unwrap();
            let _gone = kill_process(pid, Signal::KILL);
        }
    }
}

#[tokio::test]
async fn a_stop_asked_for_by_two_at_once_ends_for_both() {
    let hosted = Hosted::start("ok", |_| {}).await;
    let (one, other) = tokio::join!(
        hosted.connection.stop(StopLadder::default()),
        hosted.connection.stop(StopLadder::default())
    );
    for stopped in [one, other] {
        assert!(matches!(stopped, Stopped::Graceful | Stopped::AlreadyDead), "{stopped:?}");
    }
}
