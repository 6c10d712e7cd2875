//! Watching a generation: its death, and its health.

use std::sync::Arc;

use outrigger_transport::{Connection, Health};
use outrigger_types::{Generation, InstanceName};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

use super::actor::PluginActor;
use super::messages::Happened;
use super::{Event, lifecycle};
use crate::error::{PluginError, PluginErrorKind};
use crate::mail::Mail;
use crate::metrics::HEALTHY;
use crate::settings::Timeouts;
use crate::status::PluginStatus;

/// Ends with the generation's death, which it reports.
pub(super) async fn watch_death(
    connection: Arc<dyn Connection>,
    generation: Generation,
    instance: InstanceName,
    actor: Mail<PluginActor>,
) {
    let status = connection.died().await;
    let last_words = connection.last_words();
    let kind = PluginErrorKind::Died { status, last_words }.into();
    report(generation, PluginError { plugin: instance, kind }, &actor).await;
}

/// Asks for health until the plugin has no such service, or hangs. gRPC calls,
/// never HTTP/2 pings: grpc-go's servers end connections that ping.
pub(super) async fn watch_health(
    connection: Arc<dyn Connection>,
    (generation, served): (Generation, watch::Receiver<PluginStatus>),
    instance: InstanceName,
    actor: Mail<PluginActor>,
    timeouts: Timeouts,
) {
    let start = Instant::now() + timeouts.health_interval;
    let mut ticks = tokio::time::interval_at(start, timeouts.health_interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut misses = 0;
    let healthy = metrics::gauge!(HEALTHY.name, "plugin" => instance.to_string());
    while misses < timeouts.health_misses {
        ticks.tick().await;
        let health = connection.health(timeouts.health_timeout).await;
        // Of a spare's health nobody is told.
        if served.borrow().generation == Some(generation) {
            healthy.set(if health == Health::Unreachable { 0.0 } else { 1.0 });
        }
        match health {
            Health::Unreachable => misses += 1,
            Health::Unsupported => return,
            // The plugin answers; that it does not serve is its own affair,
            // as for every go-plugin host.
            Health::Serving | Health::NotServing => misses = 0,
        }
    }
    let kind = PluginErrorKind::Hung { misses }.into();
    report(generation, PluginError { plugin: instance, kind }, &actor).await;
}

async fn report(generation: Generation, fault: PluginError, actor: &Mail<PluginActor>) {
    let event: Event = lifecycle::Event::Died(generation, fault);
    // A stopped actor has nothing left to restart.
    let _stopped = actor.send(Happened(event)).await;
}
