//! What is counted of an instance's life, beside its calls.

use std::sync::OnceLock;

use metrics::{Counter, counter, gauge, histogram};
use outrigger_transport::LogLine;
use outrigger_types::InstanceName;

use super::actor::PluginActor;
use super::expiry;
use crate::error::PluginErrorKind;
use crate::metrics as names;
use crate::status::{EventKind, PluginState, PluginStatus};

impl PluginActor {
    /// Counts what happened.
    pub(super) fn count(&mut self, kind: &EventKind) {
        let plugin = || self.instance.to_string();
        match kind {
            EventKind::State(_) => state(&self.status.borrow()),
            EventKind::Ready(_) => {
                serving(&self.status.borrow());
                if let Some(reason) = self.failed_with.take() {
                    counter!(names::RESTARTS.name, "plugin" => plugin(), "reason" => reason)
                        .increment(1);
                }
            }
            EventKind::SpareReady(_) => state(&self.status.borrow()),
            EventKind::Reloaded { took, .. } => {
                self.reloaded("succeeded");
                histogram!(names::RELOAD_SECONDS.name, "plugin" => plugin())
                    .record(took.as_secs_f64());
            }
            EventKind::ReloadFailed(_) => self.reloaded("failed"),
            // It had succeeded, and is counted as both.
            EventKind::RolledBack(_) => self.reloaded("rolled_back"),
            _ => {}
        }
    }

    /// Counts a death, a hang, or an attempt that failed.
    pub(super) fn count_failure(&self, kind: &PluginErrorKind) {
        let (plugin, reason) = (self.instance.to_string(), kind.word());
        counter!(names::FAILURES.name, "plugin" => plugin, "reason" => reason).increment(1);
    }

    fn reloaded(&self, result: &'static str) {
        let plugin = self.instance.to_string();
        counter!(names::RELOADS.name, "plugin" => plugin, "result" => result).increment(1);
    }
}

const fn word(state: PluginState) -> &'static str {
    match state {
        PluginState::Stopped => "stopped",
        PluginState::Starting => "starting",
        PluginState::Ready => "ready",
        PluginState::Reloading => "reloading",
        PluginState::Switching => "switching",
        PluginState::BackingOff => "backing_off",
        PluginState::CircuitOpen => "circuit_open",
        PluginState::Failed => "failed",
        PluginState::Stopping => "stopping",
    }
}

fn truth(is: bool) -> f64 {
    f64::from(u8::from(is))
}

/// Begins what is counted now and then at nothing: a series that is born at one has no
/// rise that an alert could see.
pub(crate) fn begin(status: &PluginStatus) {
    let plugin = || status.instance.to_string();
    for result in ["succeeded", "failed", "rolled_back"] {
        counter!(names::RELOADS.name, "plugin" => plugin(), "result" => result).increment(0);
    }
    for reason in ["died", "hung"] {
        for metric in [names::FAILURES, names::RESTARTS] {
            counter!(metric.name, "plugin" => plugin(), "reason" => reason).increment(0);
        }
    }
    state(status);
}

/// The gauges that follow the state.
pub(crate) fn state(status: &PluginStatus) {
    let plugin = || status.instance.to_string();
    for state in PluginState::ALL {
        gauge!(names::STATE.name, "plugin" => plugin(), "state" => word(state))
            .set(truth(state == status.state));
    }
    let since = status.state_since.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    gauge!(names::STATE_SINCE.name, "plugin" => plugin()).set(since.as_secs_f64());
    gauge!(names::UP.name, "plugin" => plugin()).set(truth(status.generation.is_some()));
    gauge!(names::SPARE.name, "plugin" => plugin()).set(truth(status.spare.is_some()));
    let generation = status.generation.map_or(0, |generation| generation.0);
    gauge!(names::GENERATION.name, "plugin" => plugin()).set(generation as f64);
}

/// The gauges of the generation that serves.
fn serving(status: &PluginStatus) {
    let plugin = || status.instance.to_string();
    for (phase, took) in status.timings.phases() {
        gauge!(names::START_SECONDS.name, "plugin" => plugin(), "phase" => phase)
            .set(took.as_secs_f64());
    }
    gauge!(names::HEALTHY.name, "plugin" => plugin()).set(1);
    state(status);
}

/// The gauge that says what serves, if something does. Another version is another series, so that the
/// one before is set back.
pub(crate) fn version(status: &PluginStatus, serves: bool) {
    if status.generation.is_none() {
        return;
    }
    let security = status.security.map_or_else(|| "-".to_owned(), |mode| mode.to_string());
    gauge!(
        names::INFO.name,
        "plugin" => status.instance.to_string(),
        "interface" => status.interface.to_string(),
        "name" => status.name.to_string(),
        "version" => status.version.to_string(),
        "sandbox" => status.sandbox,
        "security" => security,
    )
    .set(truth(serves));
}

/// The gauge of a certificate's last moment.
pub(crate) fn certificate(instance: &InstanceName, der: Option<&[u8]>) {
    let expiry = der.and_then(expiry::not_after).unwrap_or_default();
    gauge!(names::CERTIFICATE.name, "plugin" => instance.to_string()).set(expiry as f64);
}

/// The gauges of what served, when it does no more.
pub(crate) fn nothing_serves(instance: &InstanceName) {
    for metric in [names::HEALTHY, names::CERTIFICATE] {
        gauge!(metric.name, "plugin" => instance.to_string()).set(0);
    }
}

/// Counts an instance's lines.
pub(crate) struct LogCounts {
    instance: InstanceName,
    levels: [OnceLock<Counter>; 5],
    cut: OnceLock<Counter>,
}

impl LogCounts {
    pub(crate) fn new(instance: InstanceName) -> Self {
        Self { instance, levels: Default::default(), cut: OnceLock::new() }
    }

    pub(crate) fn line(&self, line: &LogLine, cut: bool) {
        let (place, level) = match line.level {
            tracing::Level::ERROR => (0, "error"),
            tracing::Level::WARN => (1, "warn"),
            tracing::Level::INFO => (2, "info"),
            tracing::Level::DEBUG => (3, "debug"),
            tracing::Level::TRACE => (4, "trace"),
        };
        let plugin = || self.instance.to_string();
        let counter = self.levels[place].get_or_init(
            || counter!(names::LOG_LINES.name, "plugin" => plugin(), "level" => level),
        );
        counter.increment(1);
        if cut {
            let counter =
                self.cut.get_or_init(|| counter!(names::LOG_CUT.name, "plugin" => plugin()));
            counter.increment(1);
        }
    }
}
