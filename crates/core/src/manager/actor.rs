//! The actor itself.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use actix::{Actor, Context, Handler, MessageResult, ResponseFuture};
use futures_util::future::join_all;
use futures_util::stream;
use futures_util::{FutureExt as _, StreamExt as _};
use outrigger_transport::Connection;
use outrigger_types::{InstanceName, failpoint};

use super::config::SettingsSource;
use super::factory::Factory;
use super::gate::Gate;
use super::ground::Ground;
use super::messages::{
    Adopt, ApplySettings, ApplyWatched, ChaosPlugin, DryRunReload, FindConnection, Follow, GetLink,
    GetStatus, ReloadAll, ReloadPlugin, StartAll, StartPlugin, StopAll, StopPlugin, Subscribe,
};
use super::registry::{Instance, Registry};
use crate::caught;
use crate::error::{HostError, PluginError, PluginErrorKind};
use crate::mail::{Mail, Mailbox, counted};
use crate::plugin::messages::{GetConnection, Start, Stop};
use crate::settings::order;

/// Control only.
const MAILBOX: usize = 64;

/// Plugins that start at the same time; the rest wait their turn.
pub(super) const STARTING_TOGETHER: usize = 4;

/// Routes to the plugin actors.
#[derive(Debug)]
pub struct PluginManager {
    pub(super) registry: Registry,
    pub(super) factory: Factory,
    pub(super) settings: SettingsSource,
    pub(super) ground: Ground,
    pub(super) gate: Gate,
    /// What of its mailbox is counted.
    pub(super) mailbox: Arc<Mailbox>,
    /// Whether instances may be disturbed on purpose.
    pub(super) chaos: bool,
    /// Whether everything was told to stop.
    pub(super) stopping: bool,
}

impl PluginManager {
    pub(super) fn start(self) -> Mail<Self> {
        let mailbox = self.mailbox.clone();
        let address = Self::create(|ctx| {
            ctx.set_mailbox_capacity(MAILBOX);
            self
        });
        Mail::new(address, mailbox)
    }
}

impl Actor for PluginManager {
    type Context = Context<Self>;
}

counted!(
    PluginManager: ChaosPlugin, StartAll, StopAll, ReloadPlugin, ReloadAll, DryRunReload, StartPlugin,
    StopPlugin, ApplySettings, ApplyWatched, Adopt, FindConnection,
);

impl Handler<StartAll> for PluginManager {
    type Result = ResponseFuture<Result<(), HostError>>;

    fn handle(&mut self, _: StartAll, _: &mut Context<Self>) -> Self::Result {
        self.stopping = false;
        let (registry, gate) = (self.registry.clone(), self.gate.clone());
        caught::answer(async move {
            let _nothing_to_fail = failpoint::fails("manager.start");
            // Settings are applied before or after, and not meanwhile.
            let _turn = gate.share().await?;
            let instances = registry.all().clone();
            let failed = start_all(&instances).await;
            if let Err(error) = failed {
                stop_all(&instances).await;
                return Err(error);
            }
            Ok(())
        })
    }
}

async fn start_all(instances: &BTreeMap<InstanceName, Instance>) -> Result<(), HostError> {
    for level in levels(instances) {
        let level = level.iter().filter_map(|name| instances.get_key_value(name));
        start_together(level).await?;
    }
    Ok(())
}

async fn start_together(
    level: impl Iterator<Item = (&InstanceName, &Instance)>,
) -> Result<(), HostError> {
    let starts = level.map(|(instance, child)| async move {
        let outcome = child.actor.send(Start).await;
        (child.required, flatten(instance, outcome))
    });
    let mut starts = stream::iter(starts).buffer_unordered(STARTING_TOGETHER);
    while let Some((required, outcome)) = starts.next().await {
        match outcome {
            Ok(_) => {}
            Err(error) if required => return Err(error.into()),
            Err(error) => tracing::warn!("{error}; the node starts without it"),
        }
    }
    Ok(())
}

/// Those that were started last are stopped first.
async fn stop_all(instances: &BTreeMap<InstanceName, Instance>) {
    for level in levels(instances).iter().rev() {
        let level = level.iter().filter_map(|name| instances.get(name));
        // A closed mailbox has nothing left to stop.
        join_all(level.map(|child| child.actor.send(Stop))).await;
    }
}

/// By their order, or all at once: settings that were applied may have left one
/// that is started after something that is gone.
pub(super) fn levels(instances: &BTreeMap<InstanceName, Instance>) -> Vec<Vec<InstanceName>> {
    let after = instances.iter().map(|(name, instance)| {
        let known = instance.after.iter().filter(|other| instances.contains_key(*other));
        (name.clone(), known.cloned().collect())
    });
    order::levels(&after.collect()).unwrap_or_else(|_| vec![instances.keys().cloned().collect()])
}

pub(super) fn flatten_host<T>(
    outcome: Result<Result<T, HostError>, actix::MailboxError>,
) -> Result<T, HostError> {
    outcome.unwrap_or(Err(HostError::Stopped))
}

pub(super) fn flatten<T>(
    instance: &InstanceName,
    outcome: Result<Result<T, PluginError>, actix::MailboxError>,
) -> Result<T, PluginError> {
    outcome.unwrap_or_else(|_| {
        let kind = Arc::new(PluginErrorKind::Internal("its actor is gone".into()));
        Err(PluginError { plugin: instance.clone(), kind })
    })
}

impl Handler<StopAll> for PluginManager {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: StopAll, _: &mut Context<Self>) -> Self::Result {
        self.stopping = true;
        let instances = self.registry.all().clone();
        Box::pin(async move {
            let stopping = async {
                let _nothing_to_fail = failpoint::fails("manager.stop");
                stop_all(&instances).await;
            };
            // Nothing may be left running.
            if AssertUnwindSafe(stopping).catch_unwind().await.is_err() {
                stop_all(&instances).await;
            }
        })
    }
}

impl Handler<GetStatus> for PluginManager {
    type Result = MessageResult<GetStatus>;

    fn handle(&mut self, _: GetStatus, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.registry.all().values().map(Instance::status).collect())
    }
}

impl Handler<GetLink> for PluginManager {
    type Result = MessageResult<GetLink>;

    fn handle(&mut self, get: GetLink, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.registry.get(get.instance.as_str()).map(|instance| instance.link))
    }
}

impl Handler<Subscribe> for PluginManager {
    type Result = MessageResult<Subscribe>;

    fn handle(&mut self, _: Subscribe, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.factory.events.subscribe())
    }
}

impl Handler<Follow> for PluginManager {
    type Result = MessageResult<Follow>;

    fn handle(&mut self, _: Follow, _: &mut Context<Self>) -> Self::Result {
        // In this order.
        let events = self.factory.events.subscribe();
        let status = self.registry.all().values().map(Instance::status).collect();
        MessageResult((status, events))
    }
}

impl Handler<FindConnection> for PluginManager {
    type Result = ResponseFuture<Option<Arc<dyn Connection>>>;

    fn handle(&mut self, find: FindConnection, _: &mut Context<Self>) -> Self::Result {
        let child = self.registry.get(find.instance.as_str());
        // An actor that is gone has no connection either.
        Box::pin(async move { child?.actor.send(GetConnection).await.ok().flatten() })
    }
}
