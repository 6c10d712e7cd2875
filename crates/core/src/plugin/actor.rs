//! The actor: messages in, events to the lifecycle, effects out.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use actix::{Actor, AsyncContext, Context, Handler, MessageResult, ResponseFuture};
use outrigger_types::{Generation, InstanceName};
use tokio::sync::{broadcast, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::effects::{self, Launched, fault};
use super::lifecycle::{Denied, Lifecycle, Phase, Ticket, Told, Withdrawal};
use super::load::{Files, Loaded};
use super::messages::{GetConnection, GetServed, Happened, Reload, Remove, Served, Start, Stop};
use super::monitor::{watch_death, watch_health};
use super::{Blueprint, Event, HostContext, PluginParts, Serving, lifecycle};
use crate::crash;
use crate::error::{PluginError, PluginErrorKind};
use crate::live::{CallLimits, Live, LiveCell};
use crate::settings::{EnvironmentProfile, ProviderSettings, ReloadMode};
use crate::status::{EventKind, HostEvent, PluginState, PluginStatus, StartTimings};

type Effect = lifecycle::Effect<PluginParts>;

/// Control only: a handful of messages a generation. Full means that whoever
/// sends waits.
const MAILBOX: usize = 64;

/// One instance.
pub(crate) struct PluginActor {
    pub(super) host: Arc<HostContext>,
    blueprint: Arc<Blueprint>,
    pub(super) instance: InstanceName,
    /// What the settings ask for now; a reload brings it about.
    provider: ProviderSettings,
    /// The reload that brought them.
    order: u64,
    pub(super) lifecycle: Lifecycle<PluginParts>,
    epoch: Instant,
    tickets: Ticket,
    callers: HashMap<Ticket, oneshot::Sender<Result<Generation, PluginError>>>,
    /// Steps under way, to be cancelled.
    steps: HashMap<Generation, CancellationToken>,
    cell: LiveCell,
    /// When the generation that serves began to, and how many processes the
    /// kernel had ended for lack of memory by then.
    pub(super) served_since: (Instant, Option<u64>),
    pub(super) status: watch::Sender<PluginStatus>,
    events: broadcast::Sender<HostEvent>,
}

impl PluginActor {
    /// A stopped instance. `seed` spreads its restarts from those of others.
    pub(crate) fn new(
        host: Arc<HostContext>,
        blueprint: Arc<Blueprint>,
        cell: LiveCell,
        status: watch::Sender<PluginStatus>,
        events: broadcast::Sender<HostEvent>,
        provider: ProviderSettings,
        seed: u64,
    ) -> Self {
        let instance = status.borrow().instance.clone();
        let exclusive = is_exclusive(&blueprint, &provider);
        let lifecycle = Lifecycle::new(exclusive, seed);
        let attached = blueprint.attached().is_some();
        let lifecycle = if attached { lifecycle.stay_down() } else { lifecycle };
        Self {
            host,
            blueprint,
            instance,
            provider,
            order: 0,
            lifecycle,
            epoch: Instant::now(),
            tickets: 0,
            callers: HashMap::new(),
            steps: HashMap::new(),
            cell,
            served_since: (Instant::now(), None),
            status,
            events,
        }
    }

    fn feed(&mut self, event: Event, ctx: &mut Context<Self>) {
        for effect in self.lifecycle.on(event, self.epoch.elapsed()) {
            self.run(effect, ctx);
        }
        self.publish_state();
    }

    /// Feeds an event that somebody waits for.
    fn ask(
        &mut self,
        event: impl FnOnce(Ticket) -> Event,
        ctx: &mut Context<Self>,
    ) -> ResponseFuture<Result<Generation, PluginError>> {
        self.tickets += 1;
        let (caller, answer) = oneshot::channel();
        self.callers.insert(self.tickets, caller);
        self.feed(event(self.tickets), ctx);
        let stopped = fault(&self.instance, PluginErrorKind::Stopped);
        Box::pin(async move { answer.await.unwrap_or(Err(stopped)) })
    }

    fn run(&mut self, effect: Effect, ctx: &mut Context<Self>) {
        match effect {
            Effect::Resolve(generation) => self.resolve(generation, ctx),
            Effect::Launch(generation, loaded) => self.launch(generation, loaded, ctx),
            Effect::Initialise(generation) => self.initialise(generation, ctx),
            Effect::Cancel(generation) => {
                if let Some(cancel) = self.steps.remove(&generation) {
                    cancel.cancel();
                }
            }
            Effect::Publish(generation) => self.publish(generation, ctx),
            Effect::Withdraw(withdrawal) => self.withdraw(withdrawal),
            Effect::Retire(generation, serving, how) => {
                let Serving { connection, live, loaded, .. } = serving;
                let provider = loaded.provider.clone();
                let end = self.host.end.clone();
                self.spawn(ctx, async move {
                    effects::retire(connection, live, provider, how, end).await;
                    // The unpacked tree goes with its last generation: here, and
                    // not on a thread that drives connections.
                    let _removed = tokio::task::spawn_blocking(move || drop(loaded)).await;
                    Event::Retired(generation)
                });
            }
            Effect::RolledBack(generation) => {
                tracing::warn!(
                    plugin = %self.instance, %generation,
                    "the generation died on probation; what served before it comes back"
                );
                self.emit(EventKind::RolledBack(generation));
            }
            Effect::Wake(timer, delay) => {
                // On this thread's runtime: a timer needs no other.
                ctx.notify_later(Happened(Event::Woke(timer)), delay);
            }
            Effect::Report(error, told) => {
                // A caller will make of it what it should.
                if told == Told::Nobody {
                    tracing::warn!("{error}");
                }
                self.failed(&error);
                self.emit(EventKind::AttemptFailed(error.to_string().into()));
            }
            Effect::Answer(ticket, result) => self.answer(ticket, result),
        }
    }

    fn resolve(&mut self, generation: Generation, ctx: &mut Context<Self>) {
        // As long as what serves demands it too.
        let proven = self.lifecycle.proven();
        let exclusive = is_exclusive(&self.blueprint, &self.provider)
            || proven.is_some_and(|loaded| is_exclusive(&self.blueprint, &loaded.provider));
        self.lifecycle.set_exclusive(exclusive);
        self.lifecycle.set_policy(self.provider.restart, self.provider.timeouts.probation);
        let work = effects::resolve(
            self.host.clone(),
            self.blueprint.clone(),
            self.instance.clone(),
            self.provider.clone(),
            self.lifecycle.proven().cloned(),
        );
        self.spawn(ctx, async move { Event::Resolved(generation, work.await) });
    }

    fn launch(&mut self, generation: Generation, loaded: Arc<Loaded>, ctx: &mut Context<Self>) {
        let cancel = self.cancellation(generation);
        let instance = self.instance.clone();
        let work = effects::launch(
            self.host.clone(),
            self.blueprint.clone(),
            instance.clone(),
            generation,
            loaded.clone(),
            cancel,
        );
        self.spawn(ctx, async move {
            let launched = work.await.map(|launched| {
                let Launched { connection, security, multiplexed } = launched;
                let live = Live::new(instance, generation, connection.endpoint());
                Serving {
                    connection,
                    live,
                    security,
                    multiplexed,
                    loaded,
                    initialised_in: Arc::default(),
                    config: Arc::default(),
                    death: None,
                    health: None,
                }
            });
            Event::Launched(generation, launched)
        });
    }

    fn initialise(&mut self, generation: Generation, ctx: &mut Context<Self>) {
        let cancel = self.cancellation(generation);
        let Some((loaded, serving)) = self.lifecycle.candidate_mut() else { return };
        // Watched from here on and not before: a death must not be told of
        // before the launch is.
        let instance = self.instance.clone();
        let death = watch_death(serving.connection.clone(), generation, instance, ctx.address());
        serving.death = Some(AbortOnDropHandle::new(self.host.io.spawn(death)));
        let (loaded, connection) = (loaded.clone(), serving.connection.clone());
        let (took, digest) = (serving.initialised_in.clone(), serving.config.clone());
        let started = Instant::now();
        let work = effects::initialise(
            self.host.clone(),
            self.blueprint.clone(),
            self.instance.clone(),
            loaded,
            connection,
            digest,
            cancel,
        );
        self.spawn(ctx, async move {
            let outcome = work.await;
            took.get_or_init(|| started.elapsed());
            Event::Initialised(generation, outcome)
        });
    }

    fn publish(&mut self, generation: Generation, ctx: &mut Context<Self>) {
        self.steps.retain(|step, _| *step > generation);
        let Some((_, serving)) = self.lifecycle.serving() else { return };
        let (connection, live) = (serving.connection.clone(), serving.live.clone());
        let provider = serving.loaded.provider.clone();
        let timings = serving.loaded.timings;
        let initialise = serving.initialised_in.get().copied().unwrap_or_default();
        let info = connection.info();
        let (security, multiplexed) = (serving.security, serving.multiplexed);
        let executable = serving.loaded.files.command_line();
        self.lifecycle.set_exclusive(is_exclusive(&self.blueprint, &provider));
        self.cell.set_limits(call_limits(&provider));
        self.lifecycle.set_policy(provider.restart, self.provider.timeouts.probation);
        self.served_since = (Instant::now(), crash::out_of_memory_kills());
        self.cell.publish(live);
        // One in test mode may stand at a breakpoint, which is no death.
        let test = self.blueprint.attached().is_some_and(|reattach| reattach.test);
        let health = (!test).then(|| {
            let (instance, actor) = (self.instance.clone(), ctx.address());
            let health = watch_health(connection, generation, instance, actor, provider.timeouts);
            AbortOnDropHandle::new(self.host.io.spawn(health))
        });
        if let Some(serving) = self.lifecycle.serving_mut() {
            serving.health = health;
        }
        self.status.send_modify(|status| {
            status.name = provider.definition.name.clone();
            status.version = provider.definition.version.clone();
            status.sandbox = sandbox(&provider);
            status.generation = Some(generation);
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
        tracing::info!(plugin = %self.instance, %generation, pid = info.pid, "plugin serves");
        self.remember();
        self.emit(EventKind::Ready(generation));
    }

    fn withdraw(&mut self, withdrawal: Withdrawal<PluginError>) {
        match withdrawal {
            Withdrawal::Died(error) => {
                let reason = error.kind.to_string();
                let generation = self.status.borrow().generation.unwrap_or_default();
                let calls = self.cell.withdraw_ended(&reason, !self.blueprint.stays_down());
                self.crashed(&error, calls);
                tracing::warn!(%generation, "{error}");
                self.failed(&error);
                self.emit(EventKind::Died(generation, reason.into()));
            }
            Withdrawal::Switching => self.cell.switch(),
            Withdrawal::Stopping => self.cell.withdraw("it is stopped"),
        }
        self.status.send_modify(|status| {
            status.generation = None;
            status.pid = None;
            status.app_version = None;
            status.security = None;
            status.multiplexed = None;
        });
    }

    fn answer(&mut self, ticket: Ticket, result: Result<Generation, Denied<PluginError>>) {
        let result = result.map_err(|denied| match denied {
            Denied::Failed(error) => error,
            Denied::Stopped => fault(&self.instance, PluginErrorKind::Stopped),
        });
        if let Some(caller) = self.callers.remove(&ticket) {
            // The caller may have given up.
            let _gone = caller.send(result);
        }
    }

    /// Runs work on the I/O runtime; what it gives comes back as a message.
    fn spawn(&self, ctx: &mut Context<Self>, work: impl Future<Output = Event> + Send + 'static) {
        let actor = ctx.address();
        let work = async move {
            let event = work.await;
            // After the host has ended, what comes too late is dropped, which
            // kills.
            let _ended = actor.send(Happened(event)).await;
        };
        self.host.tasks.spawn_on(work, &self.host.io);
    }

    fn cancellation(&mut self, generation: Generation) -> CancellationToken {
        let cancel = self.host.end.child_token();
        self.steps.insert(generation, cancel.clone());
        cancel
    }

    fn publish_state(&mut self) {
        let state = self.state();
        let changed = self.status.send_if_modified(|status| {
            let changed = status.state != state;
            status.state = state;
            changed
        });
        if !changed {
            return;
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

    fn emit(&self, kind: EventKind) {
        // Nobody needs to listen.
        let _unheard = self.events.send(HostEvent { instance: self.instance.clone(), kind });
    }
}

pub(crate) fn call_limits(provider: &ProviderSettings) -> CallLimits {
    CallLimits {
        deadline: provider.timeouts.call,
        reload_queue: provider.timeouts.reload_queue,
        bounds: provider.calls,
    }
}

pub(crate) fn sandbox(provider: &ProviderSettings) -> &'static str {
    match provider.environment {
        EnvironmentProfile::Compat => "compat",
        EnvironmentProfile::Strict { .. } => "strict",
    }
}

fn is_exclusive(blueprint: &Blueprint, provider: &ProviderSettings) -> bool {
    // What is attached to serves one host at a time.
    let mode = provider.reload.unwrap_or(blueprint.spec.reload);
    mode == ReloadMode::Exclusive || blueprint.attached().is_some()
}

impl Actor for PluginActor {
    type Context = Context<Self>;
}

impl Handler<Start> for PluginActor {
    type Result = ResponseFuture<Result<Generation, PluginError>>;

    fn handle(&mut self, _: Start, ctx: &mut Context<Self>) -> Self::Result {
        self.ask(Event::Start, ctx)
    }
}

impl Handler<Reload> for PluginActor {
    type Result = ResponseFuture<Result<Generation, PluginError>>;

    fn handle(&mut self, reload: Reload, ctx: &mut Context<Self>) -> Self::Result {
        if reload.order > self.order {
            self.order = reload.order;
            self.provider = reload.provider;
        }
        // To make room for itself it would have to end what it attaches to.
        let held = self.blueprint.attached().is_some_and(|reattach| !reattach.test);
        if held && self.lifecycle.serving().is_some() {
            let refused = fault(&self.instance, PluginErrorKind::Attached);
            return Box::pin(async move { Err(refused) });
        }
        self.ask(Event::Reload, ctx)
    }
}

impl Handler<Stop> for PluginActor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) -> Self::Result {
        let stopped = self.ask(Event::Stop, ctx);
        Box::pin(async move {
            let _generation = stopped.await;
        })
    }
}

impl Handler<Remove> for PluginActor {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, _: Remove, ctx: &mut Context<Self>) -> Self::Result {
        let stopped = self.ask(Event::Stop, ctx);
        self.cell.remove("the settings do not name it any more");
        Box::pin(async move {
            let _generation = stopped.await;
        })
    }
}

impl Handler<GetServed> for PluginActor {
    type Result = MessageResult<GetServed>;

    fn handle(&mut self, _: GetServed, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.lifecycle.serving().map(|(_, serving)| Served {
            provider: serving.loaded.provider.clone(),
            distribution: serving.loaded.files.distribution(),
            config: serving.config.get().copied(),
            looks_anew: matches!(serving.loaded.files, Files::Directory(_)),
        }))
    }
}

impl Handler<GetConnection> for PluginActor {
    type Result = MessageResult<GetConnection>;

    fn handle(&mut self, _: GetConnection, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.lifecycle.serving().map(|(_, serving)| serving.connection.clone()))
    }
}

impl Handler<Happened> for PluginActor {
    type Result = ();

    fn handle(&mut self, Happened(event): Happened, ctx: &mut Context<Self>) {
        match &event {
            Event::Retired(generation) => self.emit(EventKind::Gone(*generation)),
            Event::Launched(generation, Err(_)) | Event::Initialised(generation, Err(_)) => {
                self.steps.remove(generation);
            }
            _ => {}
        }
        self.feed(event, ctx);
    }
}

/// The only way to start one: the mailbox's size holds from here on.
pub(crate) fn start(actor: PluginActor) -> actix::Addr<PluginActor> {
    PluginActor::create(|ctx| {
        ctx.set_mailbox_capacity(MAILBOX);
        actor
    })
}
