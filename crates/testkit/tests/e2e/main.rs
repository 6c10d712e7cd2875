//! End to end: real processes, real TLS, real distributions.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and tests start processes"
)]

mod apply;
mod bad_input;
mod changes;
mod chaos;
mod check_files;
mod command;
mod crowdsec;
mod dev;
mod embedding;
mod events;
mod faults;
mod in_node;
mod languages;
mod leaks;
mod main_job;
mod node_loop;
mod odd_plugins;
mod policies;
mod registry;
mod reload;
mod sources;
mod spares;
mod supervision;
mod tree;
mod versions;

use std::time::Duration;

use outrigger::helloworld::Handle;
use outrigger::{PluginHost, PluginStatus};
use rustix::process::{Pid, Signal, kill_process};

/// For stopping a host whose plugins stop as they should.
const STOP: Duration = Duration::from_secs(15);

fn greeter(host: &PluginHost) -> Handle {
    host.gateway::<Handle>("helloworld").expect("a gateway")
}

fn status(host: &PluginHost) -> PluginStatus {
    host.watch("helloworld").expect("an instance").borrow().clone()
}

fn kill(pid: Option<u32>) {
    let pid = Pid::from_raw(i32::try_from(pid.unwrap()).unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
}

async fn stop(host: PluginHost) {
    host.stop(STOP).await.expect("a clean stop");
}

/// Waits until the instance is in a state that satisfies `wanted`.
async fn wait_for(host: &PluginHost, wanted: impl FnMut(&PluginStatus) -> bool) -> PluginStatus {
    let mut watch = host.watch("helloworld").expect("an instance");
    let found = watch.wait_for(wanted).await.expect("the host runs");
    found.clone()
}
