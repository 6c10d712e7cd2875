//! The instances of a host, as everybody who looks for one finds them. A reader
//! takes the whole table as it stands; a change puts another one in its place.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::Addr;
use arc_swap::{ArcSwap, Guard};
use outrigger_types::{InstanceName, InterfaceName};
use tokio::sync::watch;

use crate::live::Link;
use crate::plugin::actor::PluginActor;
use crate::status::PluginStatus;

/// An instance as readers see it.
#[derive(Debug, Clone)]
pub(super) struct Instance {
    pub(super) link: Link,
    pub(super) status: watch::Receiver<PluginStatus>,
    pub(super) interface: InterfaceName,
    pub(super) actor: Addr<PluginActor>,
    /// Whether the node may start without it.
    pub(super) required: bool,
}

impl Instance {
    pub(super) fn status(&self) -> PluginStatus {
        self.status.borrow().clone()
    }
}

type Instances = BTreeMap<InstanceName, Instance>;

/// Shared by the manager, which alone changes it, and by the host.
#[derive(Debug, Clone, Default)]
pub(super) struct Registry(Arc<ArcSwap<Instances>>);

impl Registry {
    /// All instances, as they stand now.
    pub(super) fn all(&self) -> Guard<Arc<Instances>> {
        self.0.load()
    }

    pub(super) fn get(&self, instance: &str) -> Option<Instance> {
        self.all().get(instance).cloned()
    }

    pub(super) fn names(&self) -> Vec<InstanceName> {
        self.all().keys().cloned().collect()
    }

    /// Adds an instance, or puts another one in its place.
    pub(super) fn insert(&self, name: &InstanceName, instance: &Instance) {
        self.0.rcu(|all| {
            let mut all = Instances::clone(all);
            all.insert(name.clone(), instance.clone());
            all
        });
    }

    /// Takes an instance out: from then on nobody finds it.
    pub(super) fn remove(&self, name: &InstanceName) -> Option<Instance> {
        let before = self.0.rcu(|all| {
            let mut all = Instances::clone(all);
            all.remove(name);
            all
        });
        before.get(name).cloned()
    }
}
