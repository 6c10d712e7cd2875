//! The host around the plugin: started with the first build that works, and
//! reloaded with each later one.

use std::sync::Arc;
use std::time::Duration;

use outrigger::helloworld::{Greeter as _, Handle};
use outrigger::{EventKind, Generation, Health, HostError, HostEvent, PluginHost, PluginStatus};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::call::Caller;
use super::plan::Plan;
use super::show::Show;
use crate::failure::Failure;
use crate::signals::Signals;

/// For the plugin to end by itself.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// For the answer to the one question after its health.
const HEALTH_LIMIT: Duration = Duration::from_secs(5);

/// A plugin that is hosted, or will be.
pub(super) struct Hosted<'a> {
    plan: &'a Plan,
    show: Arc<Show>,
    running: Option<Running>,
}

struct Running {
    host: PluginHost,
    events: broadcast::Receiver<HostEvent>,
    caller: Option<Caller>,
    shown: Option<Generation>,
}

impl<'a> Hosted<'a> {
    pub(super) const fn new(plan: &'a Plan, show: Arc<Show>) -> Self {
        Self { plan, show, running: None }
    }

    pub(super) const fn serves(&self) -> bool {
        self.running.is_some()
    }

    /// Starts the plugin, or puts what was built in the place of what runs.
    pub(super) async fn bring_up(&mut self, stop: &CancellationToken) -> Result<(), Failure> {
        let before = Instant::now();
        match &self.running {
            Some(running) => {
                let reload = running.host.reload(self.plan.instance());
                tokio::select! {
                    reloaded = reload => drop(reloaded?),
                    () = stop.cancelled() => return Ok(()),
                }
            }
            None => {
                let registered = self.plan.builder().register()?;
                let host = match registered.start_or(stop.clone()).await {
                    Err(HostError::Stopped) => return Ok(()),
                    started => started?,
                };
                let events = host.events();
                self.running = Some(Running { host, events, caller: None, shown: None });
            }
        }
        self.ready(Some(before.elapsed()));
        self.call()
    }

    /// Asks for the plugin's health and makes one call.
    pub(super) async fn ask_once(&self) -> Result<(), Failure> {
        let Some(running) = &self.running else { return Ok(()) };
        let health = running.host.health(self.plan.instance(), HEALTH_LIMIT).await?;
        self.show.health(health);
        if health == Health::Unreachable {
            return Err(Failure::Failed("the plugin does not answer a health check".to_owned()));
        }
        if let Some((message, _)) = &self.plan.call {
            let handle = running.host.gateway::<Handle>(self.plan.instance())?;
            self.show.answer(&handle.greeting(message).await?);
        }
        Ok(())
    }

    /// Shows deaths and restarts; never ends.
    pub(super) async fn show_events(&mut self) {
        loop {
            let Some(running) = &mut self.running else { return std::future::pending().await };
            match running.events.recv().await.map(|event| event.kind) {
                Ok(EventKind::Crashed(_, reason)) => self.show.died(&reason),
                Ok(EventKind::Ready(generation)) if running.shown < Some(generation) => {
                    self.ready(None);
                }
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return std::future::pending().await,
            }
        }
    }

    /// Stops the plugin, if it runs.
    pub(super) async fn stop(self, signals: &mut Signals) -> Result<(), Failure> {
        let Some(Running { host, caller, .. }) = self.running else { return Ok(()) };
        let (calls, failed) = caller.as_ref().map(Caller::counts).unwrap_or_default();
        drop(caller);
        signals.stop_host(host, STOP_LIMIT).await?;
        self.show.stopped(calls, failed);
        Ok(())
    }

    fn ready(&mut self, took: Option<Duration>) {
        let Some(running) = &mut self.running else { return };
        let status: Option<PluginStatus> = running.host.status().into_iter().next();
        if let Some(status) = status {
            running.shown = status.generation;
            self.show.ready(&status, took);
        }
    }

    fn call(&mut self) -> Result<(), Failure> {
        let Some((message, every)) = self.plan.call.clone().filter(|_| !self.plan.once) else {
            return Ok(());
        };
        let Some(running) = &mut self.running else { return Ok(()) };
        if running.caller.is_none() {
            let handle = running.host.gateway::<Handle>(self.plan.instance())?;
            running.caller = Some(Caller::start(handle, message, every, self.show.clone()));
        }
        Ok(())
    }
}
