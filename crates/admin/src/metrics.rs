//! Metrics in Prometheus' text.
//!
//! Calls are counted where they are made, through the `metrics` facade. What is a
//! state and no count is read from the host when somebody asks.

use std::fmt;

use metrics::{counter, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use outrigger::{PluginState, Remote};

/// Whether a generation serves, by `plugin`.
const UP: &str = "outrigger_plugin_up";
/// 1 for the state that an instance is in, by `plugin` and `state`.
const STATE: &str = "outrigger_plugin_state";
/// The generation that serves, by `plugin`.
const GENERATION: &str = "outrigger_plugin_generation";
/// Calls under way, by `plugin`.
const IN_FLIGHT: &str = "outrigger_plugin_in_flight_calls";
/// Deaths and failed attempts since the host's start, by `plugin`.
const FAILURES: &str = "outrigger_plugin_failures_total";
/// Whether a spare stands ready, by `plugin`.
const SPARE: &str = "outrigger_plugin_spare_ready";

/// Seconds.
const BUCKETS: [f64; 14] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];

pub(crate) const STATES: [PluginState; 9] = [
    PluginState::Stopped,
    PluginState::Starting,
    PluginState::Ready,
    PluginState::Reloading,
    PluginState::Switching,
    PluginState::BackingOff,
    PluginState::CircuitOpen,
    PluginState::Failed,
    PluginState::Stopping,
];

/// A recorder that keeps what is counted, for `/metrics`.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    /// Makes it this process's recorder. A node that has one of its own does not call
    /// this, and exports what is counted itself.
    ///
    /// # Errors
    ///
    /// [`BuildError`] where there is a recorder already.
    pub fn install() -> Result<Self, BuildError> {
        let matcher = Matcher::Suffix("_seconds".to_owned());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(matcher, &BUCKETS)?;
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).map_err(BuildError::FailedToSetGlobalRecorder)?;
        Ok(Self(handle))
    }

    /// Takes in what was counted since the last time; to be called now and then where
    /// nobody scrapes.
    pub(crate) fn upkeep(&self) {
        self.0.run_upkeep();
    }

    pub(crate) fn render(&self, remote: &Remote) -> String {
        for plugin in remote.status() {
            let name = plugin.instance.to_string();
            gauge!(UP, "plugin" => name.clone())
                .set(f64::from(u8::from(plugin.generation.is_some())));
            for state in STATES {
                let label = state.to_string().replace(' ', "-");
                let is = f64::from(u8::from(state == plugin.state));
                gauge!(STATE, "plugin" => name.clone(), "state" => label).set(is);
            }
            let generation = plugin.generation.map_or(0, |generation| generation.0);
            gauge!(GENERATION, "plugin" => name.clone()).set(generation as f64);
            let in_flight = remote.in_flight(plugin.instance.as_str()).unwrap_or_default();
            gauge!(IN_FLIGHT, "plugin" => name.clone()).set(in_flight as f64);
            counter!(FAILURES, "plugin" => name.clone()).absolute(plugin.failures);
            gauge!(SPARE, "plugin" => name).set(f64::from(u8::from(plugin.spare.is_some())));
        }
        self.upkeep();
        self.0.render()
    }
}
