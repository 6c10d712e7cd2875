//! Plugins that are restarted together: rest-for-one.

use std::collections::BTreeSet;

use crate::mail::Mail;
use outrigger_types::InstanceName;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use super::actor::{PluginManager, flatten_host};
use super::messages::ReloadPlugin;
use super::registry::Registry;
use crate::settings::{Strategy, order};
use crate::status::{EventKind, HostEvent};

/// Until the host ends: has those that are started after a plugin replaced once
/// it serves again after a death, if its strategy says so.
pub(super) async fn rest_for_one(
    registry: Registry,
    manager: Mail<PluginManager>,
    mut events: Receiver<HostEvent>,
    end: CancellationToken,
) {
    let mut died: BTreeSet<InstanceName> = BTreeSet::new();
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            () = end.cancelled() => return,
        };
        let HostEvent { instance, kind } = match event {
            Ok(event) => event,
            // What was missed is missed; the next death is seen again.
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        match kind {
            EventKind::Crashed(..) if takes_the_rest(&registry, &instance) => {
                died.insert(instance);
            }
            EventKind::Ready(_) if died.remove(&instance) => {
                let all = registry.all().clone();
                let after = all.iter().map(|(name, other)| (name, other.after.as_slice()));
                for other in order::dependents(&instance, after) {
                    tracing::info!(plugin = %other, "is replaced, since `{instance}` died");
                    let reload = manager.send(ReloadPlugin { instance: other });
                    let outcome = tokio::select! {
                        outcome = reload => outcome,
                        () = end.cancelled() => return,
                    };
                    if let Err(error) = flatten_host(outcome) {
                        tracing::warn!("{error}");
                    }
                }
            }
            _ => {}
        }
    }
}

fn takes_the_rest(registry: &Registry, instance: &InstanceName) -> bool {
    let found = registry.get(instance.as_str());
    found.is_some_and(|instance| instance.strategy == Strategy::RestForOne)
}
