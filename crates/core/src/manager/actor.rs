//! The actor itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::{Actor, Addr, Context, Handler, MessageResult, ResponseFuture};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream;
use outrigger_transport::Connection;
use outrigger_types::{Generation, InstanceName};
use tokio::runtime::Handle;
use tokio::sync::broadcast;

use super::config::SettingsSource;
use super::host::Instance;
use super::messages::{
    FindConnection, GetLink, GetStatus, ReloadPlugin, StartAll, StopAll, Subscribe,
};
use crate::error::{HostError, PluginError, PluginErrorKind};
use crate::plugin::actor::PluginActor;
use crate::plugin::messages::{GetConnection, Reload, Start, Stop};
use crate::status::HostEvent;

/// Control only.
const MAILBOX: usize = 64;

/// Plugins that start at the same time; the rest wait their turn.
const STARTING_TOGETHER: usize = 4;

/// An instance's actor and whether the node may start without it.
#[derive(Debug, Clone)]
pub(super) struct Child {
    pub(super) actor: Addr<PluginActor>,
    pub(super) required: bool,
}

/// Routes to the plugin actors.
#[derive(Debug)]
pub struct PluginManager {
    pub(super) children: Arc<BTreeMap<InstanceName, Child>>,
    pub(super) instances: Arc<BTreeMap<InstanceName, Instance>>,
    pub(super) events: broadcast::Sender<HostEvent>,
    pub(super) settings: SettingsSource,
    pub(super) io: Handle,
    /// Counts reloads in the order in which they were asked for.
    pub(super) orders: u64,
}

impl PluginManager {
    pub(super) fn start(self) -> Addr<Self> {
        Self::create(|ctx| {
            ctx.set_mailbox_capacity(MAILBOX);
            self
        })
    }
}

impl Actor for PluginManager {
    type Context = Context<Self>;
}

impl Handler<StartAll> for PluginManager {
    type Result = ResponseFuture<Result<(), HostError>>;

    fn handle(&mut self, _: StartAll, _: &mut Context<Self>) -> Self::Result {
        let children = self.children.clone();
        Box::pin(async move {
            let failed = start_all(&children).await;
            if let Err(error) = failed {
                stop_all(&children).await;
                return Err(error);
            }
            Ok(())
        })
    }
}

async fn start_all(children: &BTreeMap<InstanceName, Child>) -> Result<(), HostError> {
    let starts = children.iter().map(|(instance, child)| async move {
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

async fn stop_all(children: &BTreeMap<InstanceName, Child>) {
    // A closed mailbox has nothing left to stop.
    join_all(children.values().map(|child| child.actor.send(Stop))).await;
}

fn flatten<T>(
    instance: &InstanceName,
    outcome: Result<Result<T, PluginError>, actix::MailboxError>,
) -> Result<T, PluginError> {
    outcome.unwrap_or_else(|_| {
        let kind = Arc::new(PluginErrorKind::Internal("its actor is gone".into()));
        Err(PluginError { plugin: instance.clone(), kind })
    })
}

impl Handler<ReloadPlugin> for PluginManager {
    type Result = ResponseFuture<Result<Generation, HostError>>;

    fn handle(&mut self, reload: ReloadPlugin, _: &mut Context<Self>) -> Self::Result {
        let ReloadPlugin { instance } = reload;
        let known = || self.children.keys().cloned().collect();
        let unknown = HostError::UnknownInstance { name: instance.to_string(), known: known() };
        let Some(child) = self.children.get(&instance).cloned() else {
            return Box::pin(async { Err(unknown) });
        };
        // Before the settings are read: what is read later is newer.
        self.orders += 1;
        let order = self.orders;
        let source = self.settings.clone();
        let io = self.io.clone();
        Box::pin(async move {
            let read = io.spawn_blocking(move || source.load()).await;
            let settings = read.map_err(|_| HostError::Stopped)??;
            let provider = settings.providers.get(&instance).cloned().ok_or(unknown)?;
            let outcome = child.actor.send(Reload { provider, order }).await;
            Ok(flatten(&instance, outcome)?)
        })
    }
}

impl Handler<StopAll> for PluginManager {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: StopAll, _: &mut Context<Self>) -> Self::Result {
        let children = self.children.clone();
        Box::pin(async move { stop_all(&children).await })
    }
}

impl Handler<GetStatus> for PluginManager {
    type Result = MessageResult<GetStatus>;

    fn handle(&mut self, _: GetStatus, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.instances.values().map(Instance::status).collect())
    }
}

impl Handler<GetLink> for PluginManager {
    type Result = MessageResult<GetLink>;

    fn handle(&mut self, get: GetLink, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.instances.get(&get.instance).map(|instance| instance.link.clone()))
    }
}

impl Handler<Subscribe> for PluginManager {
    type Result = MessageResult<Subscribe>;

    fn handle(&mut self, _: Subscribe, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.events.subscribe())
    }
}

impl Handler<FindConnection> for PluginManager {
    type Result = ResponseFuture<Option<Arc<dyn Connection>>>;

    fn handle(&mut self, find: FindConnection, _: &mut Context<Self>) -> Self::Result {
        let child = self.children.get(&find.instance).cloned();
        // An actor that is gone has no connection either.
        Box::pin(async move { child?.actor.send(GetConnection).await.ok().flatten() })
    }
}
