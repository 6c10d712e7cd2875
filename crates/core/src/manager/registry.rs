//! The instances of a host, as everybody who looks for one finds them. A reader
//! takes the whole table as it stands; a change puts another one in its place.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use outrigger_discovery::Resolver;
use outrigger_types::{InstanceName, InterfaceName};
use tokio::sync::watch;

use crate::live::Link;
use crate::logs::Logs;
use crate::mail::Mail;
use crate::plugin::actor::PluginActor;
use crate::settings::{After, Strategy};
use crate::status::PluginStatus;

/// An instance as readers see it.
#[derive(Debug, Clone)]
pub(super) struct Instance {
    pub(super) link: Link,
    pub(super) logs: Logs,
    pub(super) status: watch::Receiver<PluginStatus>,
    pub(super) interface: InterfaceName,
    pub(super) actor: Mail<PluginActor>,
    /// Whether the node may start without it.
    pub(super) required: bool,
    /// What it is started after.
    pub(super) after: After,
    /// What is restarted with it.
    pub(super) strategy: Strategy,
}

impl Instance {
    pub(super) fn status(&self) -> PluginStatus {
        // Settings change that without another generation.
        PluginStatus { required: self.required, ..self.status.borrow().clone() }
    }
}

/// Finds instances as they are at each moment. A cheap clone; it may outlive the
/// host, and finds what was there last then.
#[derive(Debug, Clone)]
pub struct Lookup {
    pub(super) registry: Registry,
    pub(super) resolver: Arc<ArcSwap<Resolver>>,
}

impl Lookup {
    /// Where distributions lie.
    #[must_use]
    pub fn base_dir(&self) -> PathBuf {
        self.resolver.load().base_dir.clone()
    }

    /// The link to the instance of this name, if it fills this interface; or
    /// else to the instance that does, if there is just one.
    #[must_use]
    pub fn filling(&self, name: &str, interface: &str) -> Option<Link> {
        let all = self.registry.all();
        let fills = |instance: &&Instance| instance.interface.as_str() == interface;
        if let Some(named) = all.get(name).filter(fills) {
            return Some(named.link.clone());
        }
        let mut others = all.values().filter(fills);
        let only = others.next()?;
        others.next().is_none().then(|| only.link.clone())
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
