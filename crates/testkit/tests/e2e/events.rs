//! What happens, as whoever follows a host sees it.

use std::time::Duration;

use outrigger::{EventKind, Generation, HostEvent, PluginHost, PluginState, PluginStatus, Remote};
use outrigger_testkit::harness::eventually;
use outrigger_testkit::{e2e, kit::Kit};
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

use crate::{kill, status, stop, wait_for};

/// One line for an event that is no state, and nothing for what comes when it does.
fn line(kind: &EventKind) -> Option<String> {
    let shown = |from: &Option<Generation>| from.map_or("-".to_owned(), |from| from.to_string());
    Some(match kind {
        EventKind::Started { generation, pid } => {
            assert!(pid.is_some(), "a plugin that is no process");
            format!("started {generation}")
        }
        EventKind::Ready(generation) => format!("ready {generation}"),
        EventKind::Crashed(generation, reason) => {
            assert!(!reason.is_empty());
            format!("crashed {generation}")
        }
        EventKind::Reloading { from } => format!("reloading {}", shown(from)),
        EventKind::Reloaded { from, to, took } => {
            assert!(*took > Duration::ZERO && *took < Duration::from_secs(20), "{took:?}");
            format!("reloaded {} to {to}", shown(from))
        }
        EventKind::ReloadFailed(reason) => {
            assert!(reason.contains("exit code 7"), "{reason}");
            "reload failed".to_owned()
        }
        EventKind::RolledBack(generation) => format!("rolled back {generation}"),
        EventKind::Quarantined(reason) => {
            assert!(reason.contains("signal 9"), "{reason}");
            "quarantined".to_owned()
        }
        EventKind::Stopped => "stopped".to_owned(),
        _ => return None,
    })
}

/// Reads until an event's line is `last`.
async fn until(events: &mut Receiver<HostEvent>, last: &str) -> Vec<String> {
    let mut seen = Vec::new();
    while seen.last().is_none_or(|line| line != last) {
        seen.extend(line(&events.recv().await.unwrap().kind));
    }
    seen
}

/// What a follower knows, from the status of then and the events since.
struct Follower {
    events: Receiver<HostEvent>,
    state: PluginState,
    generation: Option<Generation>,
    spare: Option<Generation>,
}

impl Follower {
    fn new(remote: &Remote) -> Self {
        let (status, events) = remote.follow();
        let PluginStatus { state, generation, spare, .. } = status[0];
        Self { events, state, generation, spare }
    }

    fn knows(&mut self, now: &PluginStatus) -> bool {
        loop {
            match self.events.try_recv() {
                Ok(event) => self.take(&event.kind),
                Err(TryRecvError::Lagged(lost)) => panic!("{lost} were lost"),
                Err(_) => break,
            }
        }
        (self.state, self.generation, self.spare) == (now.state, now.generation, now.spare)
    }

    fn take(&mut self, kind: &EventKind) {
        match kind {
            EventKind::State(state) => {
                self.state = *state;
                if !matches!(state, PluginState::Ready | PluginState::Reloading) {
                    self.generation = None;
                }
            }
            EventKind::Ready(generation) => {
                self.generation = Some(*generation);
                self.spare.take_if(|spare| spare == generation);
            }
            EventKind::Crashed(generation, _) => {
                self.generation.take_if(|serving| serving == generation);
            }
            EventKind::SpareReady(generation) => self.spare = Some(*generation),
            EventKind::Gone { generation, .. } => {
                self.spare.take_if(|spare| spare == generation);
            }
            _ => {}
        }
    }
}

async fn all_know(host: &PluginHost, followers: &mut Vec<Follower>, after: &str) {
    let know = || {
        let now = status(host);
        followers.iter_mut().all(|follower| follower.knows(&now))
    };
    eventually(&format!("after {after}, every follower knows what is"), know).await;
    followers.push(Follower::new(&host.remote()));
}

e2e! {
    async fn each_turn_of_a_plugin_s_life_is_an_event_in_its_order() {
        let mut kit = Kit::with("ok");
        kit.set("/restart", json!({ "failures": 3 }));
        let host = kit.start().await;
        host.stop_plugin("helloworld").await.unwrap();
        let mut events = host.events();
        host.start("helloworld").await.unwrap();
        assert_eq!(until(&mut events, "ready 2").await, ["started 2", "ready 2"]);
        kill(status(&host).pid);
        assert_eq!(until(&mut events, "ready 3").await, ["crashed 2", "started 3", "ready 3"]);
        host.reload("helloworld").await.unwrap();
        let seen = until(&mut events, "reloaded 3 to 4").await;
        assert_eq!(seen, ["reloading 3", "started 4", "ready 4", "reloaded 3 to 4"]);
        kit.pack_fixture("fixture-helloworld", "exit-before-handshake 7");
        host.reload("helloworld").await.unwrap_err();
        assert_eq!(until(&mut events, "reload failed").await, ["reloading 4", "reload failed"]);
        kit.pack_fixture("fixture-helloworld", "exit-after-ready 700");
        host.reload("helloworld").await.unwrap();
        let seen = until(&mut events, "ready 7").await;
        let expected = [
            "reloading 4", "started 6", "ready 6", "reloaded 4 to 6", "crashed 6", "rolled back 6",
            "started 7", "ready 7",
        ];
        assert_eq!(seen, expected);
        kill(status(&host).pid);
        assert_eq!(until(&mut events, "ready 8").await, ["crashed 7", "started 8", "ready 8"]);
        kill(wait_for(&host, |now| now.generation == Some(Generation(8))).await.pid);
        assert_eq!(until(&mut events, "quarantined").await, ["crashed 8", "quarantined"]);
        // Whoever hears of it finds it in the status.
        assert_eq!(status(&host).state, PluginState::CircuitOpen);
        host.stop_plugin("helloworld").await.unwrap();
        assert_eq!(status(&host).state, PluginState::Stopped);
        assert_eq!(until(&mut events, "stopped").await, ["stopped"]);
        stop(host).await;
        kit.assert_clean();
    }

    async fn whoever_follows_from_any_point_on_knows_what_is() {
        let mut kit = Kit::with("ok");
        kit.set("/providers/helloworld/spare", json!(1));
        kit.set("/restart", json!({ "backoff": "0s" }));
        let host = kit.start().await;
        let remote = host.remote();
        // Begins to follow at each event.
        let mut events = remote.events();
        let joining = tokio::spawn(async move {
            let mut joined = Vec::new();
            while let Ok(event) = events.recv().await {
                joined.push(Follower::new(&remote));
                if event.kind == EventKind::Stopped {
                    break;
                }
            }
            joined
        });
        let mut followers = vec![Follower::new(&host.remote())];
        let spare = |now: &PluginStatus| now.spare.is_some();
        for _ in 0..3 {
            kill(wait_for(&host, spare).await.pid);
            all_know(&host, &mut followers, "a death with a spare").await;
            host.reload("helloworld").await.unwrap();
            all_know(&host, &mut followers, "a reload").await;
            kit.pack_fixture("fixture-helloworld", "exit-before-handshake 7");
            host.reload("helloworld").await.unwrap_err();
            all_know(&host, &mut followers, "a reload that failed").await;
            kit.pack_fixture("fixture-helloworld", "ok");
        }
        kit.set("/providers/helloworld/spare", json!(0));
        kit.set("/providers/helloworld/reload", json!("exclusive"));
        for _ in 0..2 {
            host.reload("helloworld").await.unwrap();
            all_know(&host, &mut followers, "an exclusive reload").await;
        }
        kill(status(&host).pid);
        all_know(&host, &mut followers, "a death without a spare").await;
        wait_for(&host, |now| now.state == PluginState::Ready).await;
        host.stop_plugin("helloworld").await.unwrap();
        let mut joined = joining.await.unwrap();
        assert!(joined.len() > 50, "{}", joined.len());
        followers.append(&mut joined);
        all_know(&host, &mut followers, "a stop").await;
        assert_eq!(followers[0].state, PluginState::Stopped);
        stop(host).await;
    }

    async fn an_instance_that_the_settings_drop_is_told_of_last() {
        let mut kit = Kit::with("ok");
        let host = kit.start().await;
        let mut events = host.events();
        kit.set("/providers", json!({}));
        host.apply().await.unwrap();
        let mut kinds = Vec::new();
        while kinds.last() != Some(&EventKind::Removed) {
            kinds.push(events.recv().await.unwrap().kind);
        }
        assert!(kinds.contains(&EventKind::Stopped), "{kinds:?}");
        stop(host).await;
    }
}
