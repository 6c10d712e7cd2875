//! GoQuorum's interfaces end to end: real processes behind the gateways.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and tests start processes"
)]

mod account;
mod command;
mod node;
mod qlight;
mod rpc;
mod security;

use std::time::Duration;

use outrigger::{Gateway, PluginHost};
use outrigger_testkit::quorum::QuorumKit;
use serde_json::Value;

/// A host with one interface, and a handle on it.
async fn start<G: Gateway>(config: Value) -> (QuorumKit, PluginHost, G) {
    let kit = QuorumKit::with(G::INTERFACE, config);
    let host = kit.builder().register().unwrap().start().await.unwrap();
    let handle = host.gateway::<G>(G::INTERFACE).unwrap();
    (kit, host, handle)
}

async fn stop(kit: &QuorumKit, host: PluginHost) {
    host.stop(Duration::from_secs(20)).await.unwrap();
    kit.kit.assert_clean();
}
