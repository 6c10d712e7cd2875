//! The actor: messages in, events to the lifecycle, effects out.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use actix::{Actor, AsyncContext, Context, ResponseFuture};
use futures_util::FutureExt as _;
use outrigger_types::{Generation, InstanceName};
use tokio::sync::{broadcast, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument as _, Span};

use super::effects::{self, Launched, fault};
use super::lifecycle::{Concerned, Denied, Lifecycle, Ticket, Told};
use super::load::Loaded;
use super::messages::Happened;
use super::monitor::watch_death;
use super::{Blueprint, Event, HostContext, PluginParts, Serving, lifecycle};
use crate::caught;
use crate::error::{PluginError, PluginErrorKind};
use crate::live::{CallLimits, Live, LiveCell};
use crate::mail::{Mail, Mailbox};
use crate::settings::{EnvironmentProfile, ProviderSettings, ReloadMode};
use crate::status::{EventKind, HostEvent, PluginStatus};

/// A phase of a generation's start, within the generation's own span.
macro_rules! phase {
    ($parent:expr, $name:literal) => {
        tracing::debug_span!(target: "outrigger::lifecycle", parent: $parent, $name)
    };
}

mod chaos;
mod guard;
mod handlers;
mod publish;
mod rehearsal;

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
    /// Cancelled when another freeze takes the place of one.
    frozen: CancellationToken,
    /// The spans of generations that are on their way, and of the one whose files were
    /// found and that waits for its turn.
    spans: HashMap<Generation, Span>,
    found: Option<Span>,
    /// Steps under way, to be cancelled.
    steps: HashMap<Generation, CancellationToken>,
    /// Effects that are not carried out yet, and what the one is about that is being.
    pending: VecDeque<Effect>,
    carried_out: Option<Concerned>,
    /// A dry run under way, to be cancelled.
    rehearsal: Option<CancellationToken>,
    cell: LiveCell,
    /// Cancelled to end what disturbs it.
    chaos: CancellationToken,
    /// When the generation that serves began to, and how many processes the
    /// kernel had ended for lack of memory by then.
    pub(super) served_since: (Instant, Option<u64>),
    pub(super) status: watch::Sender<PluginStatus>,
    /// What the last failure was, until something serves again.
    pub(super) failed_with: Option<&'static str>,
    /// What of this instance's mailbox is counted.
    pub(super) mailbox: Arc<Mailbox>,
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
        let mailbox = Mailbox::plugin(&instance);
        let exclusive = is_exclusive(&blueprint, &provider);
        let lifecycle = Lifecycle::new(exclusive, seed);
        let attached = blueprint.attached().is_some();
        let chaos = host.end.child_token();
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
            spans: HashMap::new(),
            found: None,
            frozen: CancellationToken::new(),
            steps: HashMap::new(),
            pending: VecDeque::new(),
            carried_out: None,
            rehearsal: None,
            cell,
            chaos,
            served_since: (Instant::now(), None),
            status,
            failed_with: None,
            mailbox,
            events,
        }
    }

    fn mail(&self, ctx: &Context<Self>) -> Mail<Self> {
        Mail::new(ctx.address(), self.mailbox.clone())
    }

    fn feed(&mut self, event: Event, ctx: &mut Context<Self>) {
        self.pending.extend(self.lifecycle.on(event, self.epoch.elapsed()));
        while let Some(effect) = self.pending.pop_front() {
            self.carried_out = effect.generation();
            // What somebody is told of, the status shows by then.
            if matches!(effect, Effect::Announce(_) | Effect::Answer(..)) {
                self.publish_state();
            }
            self.run(effect, ctx);
            self.carried_out = None;
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
                self.spans.remove(&generation);
            }
            Effect::Publish(generation) => self.publish(generation, ctx),
            Effect::Keep(generation) => self.keep(generation, ctx),
            Effect::Withdraw(withdrawal) => self.withdraw(withdrawal),
            Effect::Retire(generation, serving, how) => {
                self.status.send_if_modified(|status| {
                    status.spare.take_if(|spare| *spare == generation).is_some()
                });
                let Serving { connection, live, loaded, .. } = serving;
                let provider = loaded.provider.clone();
                let end = self.host.end.clone();
                let (instance, events) = (self.instance.clone(), self.events.clone());
                let work = async move {
                    let span = tracing::debug_span!(
                        target: "outrigger::lifecycle",
                        "plugin.retire",
                        plugin = %instance,
                        generation = generation.0,
                    );
                    let retiring = effects::retire(connection, live, provider, how, end);
                    let how = retiring.instrument(span).await;
                    // The unpacked tree goes with its last generation: here, and
                    // not on a thread that drives connections.
                    let _removed = tokio::task::spawn_blocking(move || drop(loaded)).await;
                    let (how, hook) = (how.stopped, how.hook);
                    if let Some(complaint) = &hook {
                        tracing::warn!(
                            plugin = %instance, %generation,
                            "the plugin's shutdown hook failed: {complaint}"
                        );
                    }
                    let kind = EventKind::Gone { generation, how, hook };
                    let _unheard = events.send(HostEvent { instance, kind });
                    Event::Retired(generation)
                };
                self.spawn(ctx, work, move |_| Event::Retired(generation));
            }
            Effect::Announce(notice) => self.announce(notice),
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
                self.publish_state();
                self.as_what_serves(ctx);
                let reason = error.to_string().into();
                self.emit(match told {
                    Told::Reloader => EventKind::ReloadFailed(reason),
                    Told::Caller | Told::Nobody => EventKind::AttemptFailed(reason),
                });
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
        // What served, and not what a reload asked for in vain.
        let healed = self.lifecycle.proven().filter(|_| self.lifecycle.heals());
        let provider = healed.map_or_else(|| self.provider.clone(), |it| it.provider.clone());
        let work = effects::resolve(
            self.host.clone(),
            self.blueprint.clone(),
            self.instance.clone(),
            provider,
            self.lifecycle.proven().cloned(),
        );
        let failed = move |error| Event::Resolved(generation, Err(error));
        let span = self.generation_span(generation, &self.provider);
        let work = work.instrument(phase!(&span, "plugin.resolve"));
        self.spans.insert(generation, span);
        self.spawn(ctx, async move { Event::Resolved(generation, work.await) }, failed);
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
        // What restarts, and what takes over, has its files already.
        let span = self.found.take();
        let span = span.unwrap_or_else(|| self.generation_span(generation, &loaded.provider));
        let work = work.instrument(phase!(&span, "plugin.launch"));
        self.spans.insert(generation, span);
        let work = async move {
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
        };
        self.spawn(ctx, work, move |error| Event::Launched(generation, Err(error)));
    }

    fn initialise(&mut self, generation: Generation, ctx: &mut Context<Self>) {
        let cancel = self.cancellation(generation);
        let mail = self.mail(ctx);
        let Some(serving) = self.lifecycle.candidate_mut(generation) else { return };
        // Watched from here on and not before: a death must not be told of
        // before the launch is.
        let instance = self.instance.clone();
        let death = watch_death(serving.connection.clone(), generation, instance, mail);
        serving.death = Some(AbortOnDropHandle::new(self.host.io.spawn(death)));
        let started = EventKind::Started { generation, pid: serving.connection.info().pid };
        let (loaded, connection) = (serving.loaded.clone(), serving.connection.clone());
        let (took, digest) = (serving.initialised_in.clone(), serving.config.clone());
        let began = Instant::now();
        self.emit(started);
        let work = effects::initialise(
            self.host.clone(),
            self.blueprint.clone(),
            self.instance.clone(),
            loaded,
            connection,
            digest,
            cancel,
        );
        let work = work.instrument(phase!(self.span(generation), "plugin.initialise"));
        let work = async move {
            let outcome = work.await;
            took.get_or_init(|| began.elapsed());
            Event::Initialised(generation, outcome)
        };
        self.spawn(ctx, work, move |error| Event::Initialised(generation, Err(error)));
    }

    fn answer(&mut self, ticket: Ticket, result: Result<Generation, Denied<PluginError>>) {
        let result = result.map_err(|denied| self.denied(denied));
        if let Some(caller) = self.callers.remove(&ticket) {
            // The caller may have given up.
            let _gone = caller.send(result);
        }
    }

    fn denied(&self, denied: Denied<PluginError>) -> PluginError {
        match denied {
            Denied::Failed(error) => error,
            Denied::Stopped => fault(&self.instance, PluginErrorKind::Stopped),
        }
    }

    /// Runs work on the I/O runtime; what it gives comes back as a message, and
    /// what it is when the work panics, which a driver's or an initialiser's may.
    fn spawn(
        &self,
        ctx: &mut Context<Self>,
        work: impl Future<Output = Event> + Send + 'static,
        panicked: impl FnOnce(PluginError) -> Event + Send + 'static,
    ) {
        let (actor, instance) = (self.mail(ctx), self.instance.clone());
        let work = async move {
            let outcome = AssertUnwindSafe(work).catch_unwind().await;
            let event = outcome.unwrap_or_else(|panic| {
                panicked(fault(&instance, PluginErrorKind::Internal(caught::text(&*panic))))
            });
            // After the host has ended, what comes too late is dropped, which
            // kills.
            let _ended = actor.send(Happened(event)).await;
        };
        self.host.tasks.spawn_on(work, &self.host.io);
    }

    fn generation_span(&self, generation: Generation, provider: &ProviderSettings) -> Span {
        tracing::debug_span!(
            target: "outrigger::lifecycle",
            "plugin.generation",
            plugin = %self.instance,
            generation = generation.0,
            version = %provider.definition.version,
        )
    }

    /// The span of a generation that is on its way.
    fn span(&self, generation: Generation) -> &Span {
        static NONE: Span = Span::none();
        self.spans.get(&generation).unwrap_or(&NONE)
    }

    fn cancellation(&mut self, generation: Generation) -> CancellationToken {
        let cancel = self.host.end.child_token();
        self.steps.insert(generation, cancel.clone());
        cancel
    }
}

pub(crate) fn call_limits(provider: &ProviderSettings) -> CallLimits {
    CallLimits {
        deadline: provider.timeouts.call,
        reload_queue: provider.timeouts.reload_queue,
        bounds: provider.calls,
        chaos: None,
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

/// The only way to start one: the mailbox's size holds from here on.
pub(crate) fn start(actor: PluginActor) -> Mail<PluginActor> {
    let mailbox = actor.mailbox.clone();
    let address = PluginActor::create(|ctx| {
        ctx.set_mailbox_capacity(MAILBOX);
        actor
    });
    Mail::new(address, mailbox)
}
