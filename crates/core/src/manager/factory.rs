//! How an instance is made: at the host's start, and when settings add one.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use outrigger_transport::{Driver, Output};
use outrigger_types::InstanceName;
use tokio::sync::{broadcast, watch};

use super::config::{Interfaces, Sourced, initial_status};
use super::registry::Instance;
use crate::interface::InterfaceSpec;
use crate::live::LiveCell;
use crate::logs::Logs;
use crate::plugin::actor::{PluginActor, call_limits, start};
use crate::plugin::counted::{self, LogCounts};
use crate::plugin::{Blueprint, HostContext};
use crate::settings::{ProviderSettings, ReloadMode};
use crate::source::{PluginSource, RunsAs};
use crate::status::HostEvent;

/// What the instances of a host have in common.
#[derive(Debug)]
pub(super) struct Factory {
    pub(super) context: Arc<HostContext>,
    pub(super) interfaces: Interfaces,
    pub(super) sources: Sourced,
    pub(super) outputs: BTreeMap<InstanceName, Output>,
    pub(super) driver: Arc<dyn Driver>,
    /// How an instance without a source of its own runs.
    pub(super) runs_as: RunsAs,
    pub(super) events: broadcast::Sender<HostEvent>,
    /// Instances made so far; it spreads their restarts.
    pub(super) made: u64,
}

impl Factory {
    /// Makes a stopped instance, whose actor runs on this thread.
    pub(super) fn make(
        &mut self,
        instance: &InstanceName,
        provider: ProviderSettings,
        spec: Arc<InterfaceSpec>,
    ) -> Instance {
        let source = self.sources.get(instance).cloned();
        let cell = LiveCell::new(instance.clone(), call_limits(&provider), spec.idempotent);
        let mut status = initial_status(instance, &provider);
        status.runs_as = source.as_ref().and_then(PluginSource::runs_as).unwrap_or(self.runs_as);
        let directory = source.as_ref().and_then(PluginSource::directory);
        status.directory = directory.map(Path::to_owned);
        counted::begin(&status);
        let (status, statuses) = watch::channel(status);
        let own = source.as_ref().and_then(PluginSource::driver);
        let driver = own.unwrap_or_else(|| self.driver.clone());
        let mut output = self.outputs.get(instance).cloned().unwrap_or_default();
        let logs = Logs::default();
        let (kept, own) = (logs.clone(), output.lines.take());
        let counts = LogCounts::new(instance.clone());
        output.lines = Some(Arc::new(move |line| {
            counts.line(line, kept.push(line));
            if let Some(own) = &own {
                own(line);
            }
        }));
        let blueprint = Arc::new(Blueprint { spec, source, driver, output });
        if provider.spare > 0
            && blueprint.spec.reload == ReloadMode::Exclusive
            && provider.reload.is_none()
        {
            tracing::warn!(
                plugin = %instance,
                "`spare` has no effect: two plugins of this interface never run at a time"
            );
        }
        let (link, required) = (cell.link(), provider.required);
        let interface = provider.interface.clone();
        let (after, strategy) = (provider.after.clone(), provider.restart.strategy);
        self.made += 1;
        let seed = self.made.wrapping_mul(u64::from(std::process::id()));
        let (context, events) = (self.context.clone(), self.events.clone());
        let actor = PluginActor::new(context, blueprint, cell, status, events, provider, seed);
        Instance {
            link,
            logs,
            status: statuses,
            interface,
            actor: start(actor),
            required,
            after,
            strategy,
        }
    }
}
