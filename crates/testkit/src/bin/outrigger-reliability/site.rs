//! A host on the fixture plugin, and what is read off this process.

use std::fs;
use std::time::{Duration, Instant};

use outrigger::helloworld::Handle;
use outrigger::{Generation, PluginHost, PluginStatus};
use outrigger_testkit::kit::Kit;
use rustix::process::{Pid, Signal, kill_process};

/// For anything that a host does by itself.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The instance that most figures are about.
pub(crate) const HELLO: &str = "helloworld";

pub(crate) fn greeter(host: &PluginHost, instance: &str) -> Handle {
    host.gateway(instance).expect("a gateway")
}

pub(crate) fn status(host: &PluginHost, instance: &str) -> PluginStatus {
    host.watch(instance).expect("an instance").borrow().clone()
}

/// Waits for a generation after this one to serve.
pub(crate) async fn serves_after(host: &PluginHost, instance: &str, before: Generation) {
    let mut watch = host.watch(instance).expect("an instance");
    let newer = |now: &PluginStatus| now.generation.is_some_and(|now| now > before);
    let found = tokio::time::timeout(PATIENCE, watch.wait_for(newer)).await;
    found.expect("it serves again").expect("the host runs");
}

pub(crate) fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a pid");
    // It may be gone already.
    let _sent = kill_process(pid, signal);
}

/// Kills what serves and waits until it serves again; what that took.
pub(crate) async fn kill_and_wait(host: &PluginHost, instance: &str) -> Duration {
    let now = status(host, instance);
    let (pid, generation) = (now.pid.expect("a process"), now.generation.expect("it serves"));
    let began = Instant::now();
    signal(pid, Signal::KILL);
    serves_after(host, instance, generation).await;
    began.elapsed()
}

pub(crate) async fn stop(host: PluginHost) {
    host.stop(PATIENCE).await.expect("a clean stop");
}

/// The fixture without backoff and without a circuit.
pub(crate) fn restless(scenario: &str) -> Kit {
    let mut kit = Kit::with(scenario);
    kit.set("/restart", serde_json::json!({ "backoff": "0s", "circuit": false }));
    kit
}

/// Instances of the fixture plugin beside the first, until there are so many.
pub(crate) fn provide_many(kit: &mut Kit, count: usize) {
    for number in 1..count {
        let instance = format!("plugin-{number:03}");
        kit.provide(&instance, "fixture-helloworld");
        let interface = format!("/providers/{instance}/interface");
        kit.set(&interface, serde_json::json!("helloworld"));
    }
}

/// This process's resident memory in MiB that is no file's.
pub(crate) fn resident() -> f64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}

/// What this process has had of all processors.
pub(crate) fn processor_time() -> Duration {
    let text = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let first = |text: &str| text.split_whitespace().next().and_then(|ns| ns.parse::<u64>().ok());
    // That file is about the first thread: each has one of its own.
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let all = threads.filter_map(|thread| {
        first(&fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default())
    });
    Duration::from_nanos(all.sum::<u64>().max(first(&text).unwrap_or_default()))
}
