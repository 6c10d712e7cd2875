//! What can be counted only by looking: what the processes of plugins use.

use std::collections::BTreeSet;
use std::time::Duration;

use metrics::gauge;
use outrigger_types::InstanceName;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::registry::Registry;
use crate::metrics as names;
use crate::metrics::Processes;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(5);

/// Looks now and then, until the host ends.
pub(super) async fn observe(registry: Registry, end: CancellationToken) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = BTreeSet::new();
    gauge!(names::BUILD.name, "version" => env!("CARGO_PKG_VERSION")).set(1);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = end.cancelled() => return,
        }
        let all = registry.all().clone();
        let known = all.iter().map(|(name, instance)| (name.clone(), instance.status.borrow().pid));
        let mut known: Vec<(InstanceName, Option<u32>)> = known.collect();
        gauge!(names::INSTANCES.name).set(known.len() as f64);
        let now: BTreeSet<InstanceName> = known.iter().map(|(name, _)| name.clone()).collect();
        // Those that settings dropped use nothing any more.
        known.extend(before.difference(&now).map(|gone: &InstanceName| (gone.clone(), None)));
        before = now;
        // It ends by itself: `/proc` does not hang.
        let _looked = tokio::task::spawn_blocking(move || look(&known)).await;
    }
}

fn look(known: &[(InstanceName, Option<u32>)]) {
    let processes = Processes::read();
    for (instance, pid) in known {
        let usage = pid.and_then(|pid| processes.tree(pid)).unwrap_or_default();
        let plugin = || instance.to_string();
        gauge!(names::MEMORY.name, "plugin" => plugin()).set(usage.bytes as f64);
        gauge!(names::CPU.name, "plugin" => plugin()).set(usage.cpu_seconds);
        gauge!(names::DESCRIPTORS.name, "plugin" => plugin()).set(usage.descriptors as f64);
        gauge!(names::THREADS.name, "plugin" => plugin()).set(usage.threads as f64);
        gauge!(names::PROCESSES.name, "plugin" => plugin()).set(usage.processes as f64);
    }
}
