//! Deaths: how soon they are seen, what comes back, and what is left over.

use std::time::{Duration, Instant};

use outrigger::EventKind;
use outrigger_testkit::artifacts;
use outrigger_testkit::census::{self, Census};
use outrigger_testkit::kit::Kit;
use rustix::process::Signal;
use serde_json::json;

use crate::row::{Row, Times};
use crate::site::{
    HELLO, PATIENCE, kill_and_wait, resident, restless, serves_after, signal, status, stop,
};

const WARM_UP: usize = 200;

/// Of the figure that is near to what the kernel itself takes.
const BATCHES: usize = 5;

/// Kill and restart, again and again: nothing is left over.
pub(crate) async fn cycles(short: bool) -> Vec<Row> {
    let rounds = if short { 1_000 } else { 10_000 };
    let kit = restless("ok");
    let host = kit.start().await;
    for _ in 0..WARM_UP {
        kill_and_wait(&host, HELLO).await;
    }
    let before = settled(None).await;
    let (memory, files) = (resident(), census::files(&kit.run_dir()).len());
    let began = Instant::now();
    for _ in 0..rounds {
        kill_and_wait(&host, HELLO).await;
    }
    let took = began.elapsed();
    let after = settled(Some(&before)).await;
    let grown = resident() - memory;
    let descriptors = |census: &Census| census.descriptors.values().sum::<usize>();
    let zombies = census::descendants().iter().filter(|it| it.zombie).count();
    let rows = vec![
        Row::printed("cycles", format!("{rounds}, {:.1} ms each", per(took, rounds))),
        Row::none("leaked descriptors", descriptors(&after).saturating_sub(descriptors(&before))),
        Row::none("leaked threads", after.threads.saturating_sub(before.threads)),
        Row::none("leaked processes", after.processes.saturating_sub(before.processes)),
        Row::none("zombies", zombies),
        Row::none("leaked files", census::files(&kit.run_dir()).len().saturating_sub(files)),
        Row::at_most("memory after the warm-up", grown, 2.0, " MiB"),
    ];
    stop(host).await;
    rows
}

fn per(took: Duration, rounds: usize) -> f64 {
    took.as_secs_f64() * 1e3 / rounds as f64
}

/// A census once idle threads have gone, or as good as one before.
async fn settled(before: Option<&Census>) -> Census {
    // The runtime's idle threads go after ten seconds.
    let until = Instant::now() + Duration::from_secs(13);
    loop {
        let now = Census::take();
        if before.is_some_and(|before| now == *before) || Instant::now() >= until {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// From a death to the event that tells of it.
pub(crate) async fn detect(short: bool) -> Vec<Row> {
    let rounds = if short { 200 } else { 1_000 };
    let kit = restless("ok");
    let host = kit.start().await;
    let mut events = host.events();
    let mut times = Vec::new();
    for _ in 0..rounds {
        let now = status(&host, HELLO);
        let began = Instant::now();
        signal(now.pid.expect("a process"), Signal::KILL);
        loop {
            let event = tokio::time::timeout(PATIENCE, events.recv()).await.expect("an event");
            if matches!(event, Ok(event) if matches!(event.kind, EventKind::Crashed(..))) {
                break;
            }
        }
        times.push(began.elapsed());
        serves_after(&host, HELLO, now.generation.expect("it served")).await;
        // What came meanwhile is of no interest.
        events = host.events();
    }
    stop(host).await;
    // What else the machine does for a while is not what is measured.
    let batches = times.chunks(rounds / BATCHES).map(|batch| Times::of(batch.to_vec()).median());
    let quietest = batches.min().unwrap_or_default();
    let times = Times::of(times);
    vec![
        Row::within(
            "death to event, p50 of the quietest of five batches",
            quietest,
            Duration::from_millis(1),
        ),
        Row::printed_time("death to event, p50", times.median()),
        Row::within("death to event, p99", times.p99(), Duration::from_millis(25)),
    ]
}

/// From a death to serving.
pub(crate) async fn recover(short: bool) -> Vec<Row> {
    let rounds = if short { 50 } else { 300 };
    let mut rows = recovers(&restless("ok"), "Rust plugin", rounds, 15).await;
    match artifacts::foreign("hello-go") {
        Some(directory) => {
            let mut kit = Kit::new();
            let metadata = json!({ "entrypoint": "hello-go" });
            let program = std::fs::read(directory.join("hello-go")).expect("the Go plugin");
            kit.pack("hello-go", &[("hello-go", &program, 0o755)], metadata);
            kit.provide(HELLO, "hello-go");
            kit.set("/restart", json!({ "backoff": "0s", "circuit": false }));
            rows.extend(recovers(&kit, "Go plugin", rounds, 40).await);
        }
        None => rows.push(Row::printed("Go plugin", "skipped: it was not built")),
    }
    rows
}

async fn recovers(kit: &Kit, what: &str, rounds: usize, bound: u64) -> Vec<Row> {
    let host = kit.start().await;
    kill_and_wait(&host, HELLO).await;
    let mut times = Vec::new();
    for _ in 0..rounds {
        times.push(kill_and_wait(&host, HELLO).await);
    }
    stop(host).await;
    let times = Times::of(times);
    let within = Duration::from_millis(bound);
    vec![
        Row::within(&format!("{what}: death to serving, p50"), times.median(), within),
        Row::printed_time(&format!("{what}: death to serving, p99"), times.p99()),
    ]
}

/// From SIGSTOP to serving, with the default health checks.
pub(crate) async fn hang(short: bool) -> Vec<Row> {
    let rounds = if short { 3 } else { 20 };
    let kit = restless("ok");
    let host = kit.start().await;
    let mut times = Vec::new();
    for _ in 0..rounds {
        let now = status(&host, HELLO);
        let began = Instant::now();
        signal(now.pid.expect("a process"), Signal::STOP);
        serves_after(&host, HELLO, now.generation.expect("it served")).await;
        times.push(began.elapsed());
    }
    stop(host).await;
    let longest = Times::of(times).quantile(1.0);
    vec![Row::within("SIGSTOP to serving, longest", longest, Duration::from_millis(5_500))]
}
