//! What others see of the instance: where calls go, its status, its events.

use std::sync::Arc;

use actix::{AsyncContext as _, Context};
use outrigger_transport::Connection;
use outrigger_types::{Generation, failpoint};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::{PluginActor, call_limits, is_exclusive, sandbox};
use crate::crash;
use crate::error::PluginError;
use crate::live::Lost;
use crate::plugin::lifecycle::{Notice, Phase, Withdrawal};
use crate::plugin::messages::Happened;
use crate::plugin::monitor::watch_health;
use crate::plugin::{Event, counted};
use crate::settings::ProviderSettings;
use crate::status::{EventKind, HostEvent, PluginState, StartTimings};

impl PluginActor {
    pub(super) fn publish(&mut self, generation: Generation, ctx: &mut Context<Self>) {
        let _nothing_to_fail = failpoint::fails("plugin.publish");
        self.steps.retain(|step, _| *step > generation);
        let span = self.spans.remove(&generation);
        self.spans.retain(|step, _| *step > generation);
        let _within = span.map(|span| phase!(&span, "plugin.publish").entered());
        let Some((_, serving)) = self.lifecycle.serving() else { return };
        let (connection, live) = (serving.connection.clone(), serving.live.clone());
        let provider = serving.loaded.provider.clone();
        let timings = serving.loaded.timings;
        let initialise = serving.initialised_in.get().copied().unwrap_or_default();
        let info = connection.info();
        let (security, multiplexed) = (serving.security, serving.multiplexed);
        let executable = serving.loaded.files.command_line();
        // A spare takes over while a reload asks for something else.
        let asked = self.lifecycle.phase() == Phase::Replacing
            && is_exclusive(&self.blueprint, &self.provider);
        self.lifecycle.set_exclusive(asked || is_exclusive(&self.blueprint, &provider));
        self.cell.set_limits(call_limits(&provider));
        self.lifecycle.set_policy(provider.restart, self.provider.timeouts.probation);
        self.served_since = (Instant::now(), crash::out_of_memory_kills());
        self.cell.publish(live);
        self.lifecycle.set_spare(provider.spare > 0);
        let health = self.health(generation, connection, &provider, ctx);
        // A spare that takes over is asked already.
        if let Some(serving) = self.lifecycle.serving_mut()
            && serving.health.is_none()
        {
            serving.health = health;
        }
        let spare = self.lifecycle.spare();
        counted::version(&self.status.borrow(), false);
        self.status.send_modify(|status| {
            status.spare = spare;
            status.required = provider.required;
            status.name = provider.definition.name.clone();
            status.version = provider.definition.version.clone();
            status.sandbox = sandbox(&provider);
            status.generation = Some(generation);
            status.serving_since = Some(crate::status::now());
            status.pid = info.pid;
            status.executable = executable;
            status.app_version = Some(info.app_version);
            status.security = Some(security);
            status.multiplexed = Some(multiplexed);
            status.containment = Some(info.containment);
            status.timings = StartTimings {
                launch: info.timings.spawn,
                handshake: info.timings.line + info.timings.connect,
                initialise,
                ..timings
            };
        });
        counted::version(&self.status.borrow(), true);
        counted::certificate(&self.instance, info.certificate.as_deref());
        tracing::info!(plugin = %self.instance, %generation, pid = info.pid, "plugin serves");
        self.remember();
        self.emit(EventKind::Ready(generation));
        ctx.notify(Happened(Event::Published(generation)));
    }

    /// What a reload asked for in vain does not hold any more.
    pub(super) fn as_what_serves(&mut self, ctx: &mut Context<Self>) {
        let Some((generation, serving)) = self.lifecycle.serving() else { return };
        let exclusive = is_exclusive(&self.blueprint, &serving.loaded.provider);
        if self.lifecycle.phase() == Phase::Ready {
            self.lifecycle.set_exclusive(exclusive);
            ctx.notify(Happened(Event::Published(generation)));
        }
    }

    /// A spare is ready: it is asked for its health like what serves.
    pub(super) fn keep(&mut self, generation: Generation, ctx: &mut Context<Self>) {
        self.spans.remove(&generation);
        let Some((_, serving)) = self.lifecycle.spare_mut() else { return };
        let (connection, loaded) = (serving.connection.clone(), serving.loaded.clone());
        let health = self.health(generation, connection, &loaded.provider, ctx);
        if let Some((_, serving)) = self.lifecycle.spare_mut() {
            serving.health = health;
        }
        self.publish_state();
        self.emit(EventKind::SpareReady(generation));
    }

    fn health(
        &self,
        generation: Generation,
        connection: Arc<dyn Connection>,
        provider: &ProviderSettings,
        ctx: &mut Context<Self>,
    ) -> Option<AbortOnDropHandle<()>> {
        // One in test mode may stand at a breakpoint, which is no death.
        let test = self.blueprint.attached().is_some_and(|reattach| reattach.test);
        (!test).then(|| {
            let (instance, actor) = (self.instance.clone(), self.mail(ctx));
            let served = self.status.subscribe();
            let health =
                watch_health(connection, (generation, served), instance, actor, provider.timeouts);
            AbortOnDropHandle::new(self.host.io.spawn(health))
        })
    }

    pub(super) fn withdraw(&mut self, withdrawal: Withdrawal<PluginError>) {
        let _nothing_to_fail = failpoint::fails("plugin.withdraw");
        let crashed = match withdrawal {
            Withdrawal::Died(error) => {
                let reason = error.kind.to_string();
                let lost = self.cell.withdraw_ended(&reason, !self.blueprint.stays_down());
                Some(self.died(&error, lost))
            }
            Withdrawal::Succeeded(error) => {
                let Some((_, serving)) = self.lifecycle.serving() else { return };
                let lost = self.cell.succeed(serving.live.clone(), &error.kind.to_string());
                let crashed = self.died(&error, lost);
                // What serves now is published next.
                return self.emit(crashed);
            }
            Withdrawal::Switching => {
                self.cell.switch();
                None
            }
            Withdrawal::Stopping => {
                self.cell.withdraw("it is stopped");
                None
            }
        };
        counted::version(&self.status.borrow(), false);
        counted::nothing_serves(&self.instance);
        self.status.send_modify(|status| {
            status.generation = None;
            status.serving_since = None;
            status.pid = None;
            status.app_version = None;
            status.security = None;
            status.multiplexed = None;
        });
        if let Some(crashed) = crashed {
            self.emit(crashed);
        }
    }

    fn died(&mut self, error: &PluginError, lost: Lost) -> EventKind {
        let generation = self.status.borrow().generation.unwrap_or_default();
        self.crashed(error, lost);
        tracing::warn!(%generation, "{error}");
        self.failed(error);
        // The first of several reasons is why something else serves in the end.
        self.failed_with.get_or_insert(error.kind.word());
        EventKind::Crashed(generation, error.kind.to_string().into())
    }

    pub(super) fn announce(&mut self, notice: Notice<PluginError>) {
        self.emit(match notice {
            Notice::Reloading { from } => EventKind::Reloading { from },
            Notice::Reloaded { from, to, took } => EventKind::Reloaded { from, to, took },
            Notice::ReloadFailed(why) => {
                EventKind::ReloadFailed(self.denied(why).to_string().into())
            }
            Notice::RolledBack(generation) => {
                tracing::warn!(
                    plugin = %self.instance, %generation,
                    "the generation died on probation; what served before it comes back"
                );
                EventKind::RolledBack(generation)
            }
            Notice::Quarantined => {
                let reason = self.status.borrow().last_error.clone();
                EventKind::Quarantined(reason.unwrap_or_else(|| self.state().to_string().into()))
            }
            Notice::Stopped => EventKind::Stopped,
        });
    }

    pub(super) fn publish_state(&mut self) {
        let (state, spare) = (self.state(), self.lifecycle.spare());
        let (before, spare_before) = {
            let status = self.status.borrow();
            (status.state, status.spare)
        };
        self.status.send_if_modified(|status| {
            let changed = status.state != state || status.spare != spare;
            if status.state != state {
                status.state_since = crate::status::now();
            }
            status.state = state;
            status.spare = spare;
            changed
        });
        if spare != spare_before {
            counted::state(&self.status.borrow());
        }
        if before == state {
            return;
        }
        if matches!(state, PluginState::Stopped | PluginState::Failed) {
            self.spans.clear();
            self.found = None;
            self.failed_with = None;
        }
        if matches!(state, PluginState::BackingOff | PluginState::CircuitOpen | PluginState::Failed)
        {
            let reason = self.status.borrow().last_error.clone();
            let text = format!("it is {state}: {}", reason.as_deref().unwrap_or("-"));
            // A call need not wait out a circuit that is open for minutes.
            match state {
                PluginState::BackingOff => self.cell.withdraw_for_now(&text),
                _ => self.cell.withdraw(&text),
            }
        }
        self.emit(EventKind::State(state));
    }

    fn state(&self) -> PluginState {
        match self.lifecycle.phase() {
            Phase::Stopped => PluginState::Stopped,
            Phase::Resolving | Phase::Launching | Phase::Initialising => PluginState::Starting,
            Phase::Ready => PluginState::Ready,
            Phase::Replacing => PluginState::Reloading,
            Phase::Switching => PluginState::Switching,
            Phase::BackingOff { open: false } => PluginState::BackingOff,
            Phase::BackingOff { open: true } => PluginState::CircuitOpen,
            Phase::Failed => PluginState::Failed,
            Phase::Stopping => PluginState::Stopping,
        }
    }

    pub(in crate::plugin) fn emit(&mut self, kind: EventKind) {
        self.count(&kind);
        // Nobody needs to listen.
        let _unheard = self.events.send(HostEvent { instance: self.instance.clone(), kind });
    }
}
