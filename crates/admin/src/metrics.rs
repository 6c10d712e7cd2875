//! `/metrics`: what is counted, as Prometheus text.

use std::fmt;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// Seconds.
const BUCKETS: [f64; 14] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
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
        outrigger::metrics::describe();
        Ok(Self(handle))
    }

    /// Takes in what was counted since the last time; to be called now and then where
    /// nobody scrapes.
    pub(crate) fn upkeep(&self) {
        self.0.run_upkeep();
    }

    /// All of it, as it stands.
    #[must_use]
    pub fn render(&self) -> String {
        self.upkeep();
        self.0.render()
    }
}
