//! A node that makes a block every 100 ms goes on, whatever its plugin does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use outrigger::{Generation, PluginHost};
use outrigger_testkit::{e2e, kit::Kit, lateness::Lateness};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

use crate::{status, stop, wait_for};

const BLOCK: Duration = Duration::from_millis(100);

/// Makes blocks until it is told to stop; gives how many and the worst delay.
struct Node {
    stop: Arc<AtomicBool>,
    blocks: JoinHandle<(u32, Duration)>,
    machine: Lateness,
}

impl Node {
    fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let blocks = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(BLOCK);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            let (mut blocks, mut worst) = (0, Duration::ZERO);
            while !stopped.load(Ordering::Relaxed) {
                let due = ticks.tick().await;
                worst = worst.max(Instant::now().saturating_duration_since(due));
                blocks += 1;
            }
            (blocks, worst)
        });
        Self { stop, blocks, machine: Lateness::watch() }
    }

    /// A block is late when the next one is due.
    async fn finish(self) {
        self.stop.store(true, Ordering::Relaxed);
        let (blocks, worst) = self.blocks.await.unwrap();
        let machine = self.machine.worst();
        assert!(blocks > 3, "only {blocks} blocks");
        assert!(worst < BLOCK + machine, "a block came {worst:?} late, the machine {machine:?}");
    }
}

fn signal(host: &PluginHost, signal: Signal) {
    let pid = status(host).pid.unwrap();
    kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal).unwrap();
}

e2e! {
    async fn no_block_is_late_while_the_plugin_is_killed_hangs_and_is_reloaded() {
        let mut kit = Kit::with("ok");
        kit.set("/timeouts", json!({
            "healthInterval": "100ms", "healthTimeout": "200ms", "healthMisses": 2,
        }));
        let host = kit.start().await;
        let node = Node::start();
        signal(&host, Signal::KILL);
        wait_for(&host, |now| now.generation == Some(Generation(2))).await;
        signal(&host, Signal::STOP);
        wait_for(&host, |now| now.generation > Some(Generation(2))).await;
        for _ in 0..5 {
            host.reload("helloworld").await.unwrap();
        }
        node.finish().await;
        stop(host).await;
    }

    async fn no_block_is_late_while_the_plugin_floods() {
        let mut kit = Kit::with("flood-stderr");
        kit.add_fixture("other", "flood-stdout");
        let host = kit.start().await;
        let node = Node::start();
        let mut blocks = tokio::time::interval(BLOCK);
        for _ in 0..20 {
            blocks.tick().await;
        }
        node.finish().await;
        stop(host).await;
    }
}
