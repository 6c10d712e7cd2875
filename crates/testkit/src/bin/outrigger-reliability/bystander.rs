//! What a spawn does to the node's other threads.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::row::{Row, Times};
use crate::site::{HELLO, kill_and_wait, restless, stop};

const PAGE: usize = 4096;

/// A thread that writes to memory all the time, and the longest pause that it
/// had since it was asked last.
struct Probe {
    worst: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Probe {
    fn start(mut memory: Vec<u8>) -> Self {
        let (worst, stop): (Arc<AtomicU64>, Arc<AtomicBool>) = Default::default();
        let (longest, ended) = (worst.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            let (mut last, mut at) = (Instant::now(), 0);
            while !ended.load(Ordering::Relaxed) {
                memory[at] = memory[at].wrapping_add(1);
                // Far from the page before, all of them in the end.
                at = (at + 97 * PAGE) % memory.len();
                let now = Instant::now();
                let pause = u64::try_from((now - last).as_nanos()).unwrap_or(u64::MAX);
                longest.fetch_max(pause, Ordering::Relaxed);
                last = now;
            }
        });
        Self { worst, stop, thread }
    }

    fn take(&self) -> Duration {
        Duration::from_nanos(self.worst.swap(0, Ordering::Relaxed))
    }

    fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ended = self.thread.join();
    }
}

/// With much memory in the node, a spawn stalls nobody.
pub(crate) async fn bystander(short: bool) -> Vec<Row> {
    let (gib, spawns, forks) = if short { (2, 50, 5) } else { (4, 50, 10) };
    let size = gib << 30;
    // Written to, so that it is there.
    let probe = Probe::start(vec![1; size]);
    let kit = restless("ok");
    let host = kit.start().await;
    let mut stalls = Vec::new();
    for _ in 0..spawns {
        let _before = probe.take();
        kill_and_wait(&host, HELLO).await;
        stalls.push(probe.take());
    }
    stop(host).await;
    let mut forced = Vec::new();
    for _ in 0..forks {
        let _before = probe.take();
        let user = rustix::process::geteuid().as_raw();
        // Setting a user keeps the library from `posix_spawn`.
        let child = Command::new("true").uid(user).stdin(Stdio::null()).spawn();
        child.and_then(|mut child| child.wait()).expect("true runs");
        forced.push(probe.take());
    }
    probe.end();
    let (stalls, forced) = (Times::of(stalls), Times::of(forced));
    let ratio = stalls.median().as_secs_f64() / forced.median().as_secs_f64();
    vec![
        Row::printed("resident in the node", format!("{gib} GiB")),
        Row::within("worst stall of a spawn, median", stalls.median(), Duration::from_millis(1)),
        Row::printed_time("worst stall of a spawn, longest", stalls.quantile(1.0)),
        Row::printed_time("worst stall of a forced fork, median", forced.median()),
        Row::at_most("spawn to forced fork", ratio, 0.05, ""),
    ]
}
