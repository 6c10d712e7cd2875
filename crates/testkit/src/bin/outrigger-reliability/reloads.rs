//! Reloads under load: good ones and bad ones.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use outrigger::helloworld::{Greeter as _, Handle};
use outrigger::manager::messages::GetStatus;
use outrigger_testkit::kit::Kit;
use outrigger_testkit::load::Load;
use serde_json::json;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::row::{Row, Times};
use crate::site::{HELLO, greeter, status, stop};

const CALLERS: usize = 8;
/// Of each caller, in calls a second.
const PACE: u32 = 5_000 / CALLERS as u32;

/// Callers at a steady pace.
struct Paced {
    stop: Arc<AtomicBool>,
    failed: Arc<AtomicUsize>,
    backwards: Arc<AtomicUsize>,
    callers: Vec<JoinHandle<Vec<Duration>>>,
}

impl Paced {
    fn start(handle: &Handle) -> Self {
        let (stop, failed, backwards) = Default::default();
        let mut paced = Self { stop, failed, backwards, callers: Vec::new() };
        for _ in 0..CALLERS {
            let (handle, stop) = (handle.clone(), paced.stop.clone());
            let (failed, backwards) = (paced.failed.clone(), paced.backwards.clone());
            paced.callers.push(tokio::spawn(async move {
                let mut ticks = tokio::time::interval(Duration::from_secs(1) / PACE);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
                let (mut times, mut seen) = (Vec::new(), Vec::new());
                while !stop.load(Ordering::Relaxed) {
                    ticks.tick().await;
                    let began = Instant::now();
                    // Each process answers its id: none may come back once
                    // another one answered.
                    match handle.greeting("pid").await {
                        Ok(pid) => {
                            times.push(began.elapsed());
                            if seen.last() != Some(&pid) {
                                if seen.contains(&pid) {
                                    backwards.fetch_add(1, Ordering::Relaxed);
                                }
                                seen.push(pid);
                            }
                        }
                        Err(_) => drop(failed.fetch_add(1, Ordering::Relaxed)),
                    }
                }
                times
            }));
        }
        paced
    }

    /// Failed calls, answers out of order, and what the answered ones took.
    async fn finish(self) -> (usize, usize, Vec<Duration>) {
        self.stop.store(true, Ordering::Relaxed);
        let mut times = Vec::new();
        for caller in self.callers {
            times.extend(caller.await.expect("callers do not panic"));
        }
        let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        (count(&self.failed), count(&self.backwards), times)
    }
}

/// Overlapping reloads drop no call.
pub(crate) async fn reload(short: bool) -> Vec<Row> {
    let rounds = if short { 20 } else { 100 };
    let kit = Kit::with("pid");
    let host = kit.start().await;
    let quiet = Paced::start(&greeter(&host, HELLO));
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (_, _, quiet) = quiet.finish().await;
    let load = Paced::start(&greeter(&host, HELLO));
    let (manager, began) = (host.manager(), Instant::now());
    // The actors' thread must never be held up.
    let asking = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        let mut answers = Vec::new();
        loop {
            ticks.tick().await;
            let asked = Instant::now();
            if manager.send(GetStatus).await.is_err() {
                return answers;
            }
            answers.push(asked.elapsed());
        }
    });
    let mut reloaded = 0;
    for _ in 0..rounds {
        reloaded += usize::from(host.reload(HELLO).await.is_ok());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let took = began.elapsed();
    let (failed, backwards, times) = load.finish().await;
    stop(host).await;
    let answers = Times::of(asking.await.expect("it does not panic"));
    let rate = times.len() as f64 / took.as_secs_f64();
    let (quiet, times) = (Times::of(quiet), Times::of(times));
    vec![
        Row::printed_time("the manager's answer meanwhile, p99", answers.p99()),
        Row::printed_time("the manager's answer meanwhile, longest", answers.quantile(1.0)),
        Row::all("reloads", reloaded, rounds),
        Row::printed("calls", format!("{rate:.0}/s by {CALLERS} callers")),
        Row::none("failed calls", failed),
        Row::none("out of order", backwards),
        Row::printed_time("call, p50 during reloads", times.median()),
        Row::printed_time("call, p99 during reloads", times.p99()),
        Row::printed_time("call, p99 without", quiet.p99()),
    ]
}

/// Generations that cannot take over: a scenario of the fixture, or a setting.
const BAD: [(&str, Bad); 10] = [
    ("a version that is not there", Bad::Setting("version", "9.9.9")),
    ("an archive that is none", Bad::NoZip),
    (
        "another checksum",
        Bad::Setting(
            "checksum",
            "sha256:0000000000000000000000000000000000000000000000000000000000000000",
        ),
    ),
    ("a config that is not there", Bad::Setting("config", "file:///nowhere/config.json")),
    ("an end before the handshake", Bad::Scenario("exit-before-handshake 3")),
    ("a line that is no handshake", Bad::Scenario("garbage-line")),
    ("another application version", Bad::Scenario("wrong-app-version")),
    ("another certificate", Bad::Scenario("wrong-cert")),
    ("a config that it refuses", Bad::Scenario("reject-config")),
    ("an initialisation that hangs", Bad::Scenario("init-hangs")),
];

#[derive(Clone, Copy)]
enum Bad {
    Scenario(&'static str),
    Setting(&'static str, &'static str),
    NoZip,
}

/// A reload that fails leaves the old generation as it was.
pub(crate) async fn bad_reload(short: bool) -> Vec<Row> {
    let rounds = if short { 2 } else { 10 };
    let mut kit = Kit::with("ok");
    kit.set("/timeouts", json!({ "start": "700ms", "initialise": "300ms" }));
    let host = kit.start().await;
    let pid = status(&host, HELLO).pid;
    let load = Load::start(&greeter(&host, HELLO), 8);
    let (mut refused, mut untouched) = (0, 0);
    for (_, bad) in BAD {
        match bad {
            Bad::Scenario(scenario) => kit.pack_fixture("fixture-helloworld", scenario),
            Bad::Setting(key, value) => {
                kit.set(&format!("/providers/helloworld/{key}"), json!(value));
            }
            Bad::NoZip => {
                let zip = kit.base_dir().join("fixture-helloworld-1.0.0-linux-amd64.zip");
                std::fs::write(zip, "<html>").expect("a file");
            }
        }
        for _ in 0..rounds {
            refused += usize::from(host.reload(HELLO).await.is_err());
            untouched += usize::from(status(&host, HELLO).pid == pid);
            load.progress(10).await;
        }
        kit.set("/providers/helloworld", json!({}));
        kit.add_fixture(HELLO, "ok");
    }
    let outcome = load.finish().await;
    stop(host).await;
    let all = BAD.len() * rounds;
    vec![
        Row::all("reloads to 10 bad generations, refused", refused, all),
        Row::all("the old process untouched", untouched, all),
        Row::printed("calls meanwhile", outcome.answered.to_string()),
        Row::none("failed calls", outcome.failed.len()),
        Row::none("wrong answers", usize::try_from(outcome.wrong).unwrap_or(usize::MAX)),
    ]
}
