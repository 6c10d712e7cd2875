//! Names of the metrics of calls, and the handles that a gateway keeps.

use std::sync::OnceLock;

use metrics::{Counter, Histogram};

/// Calls by `plugin`, `method` and `outcome`.
const CALLS: &str = "outrigger_gateway_calls_total";

/// Seconds from the start of a successful call to its end, by `plugin` and
/// `method`.
const SECONDS: &str = "outrigger_gateway_call_seconds";

/// Calls that were made again after their generation ended, by `plugin` and
/// `method`.
const REPEATED: &str = "outrigger_gateway_repeated_calls_total";

/// What a successful call touches: looked up once, not once a call. Made at the
/// first call, when the node has installed its recorder.
#[derive(Default)]
pub(crate) struct MethodMetrics(OnceLock<(Counter, Histogram)>);

impl std::fmt::Debug for MethodMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MethodMetrics")
    }
}

impl MethodMetrics {
    pub(crate) fn succeeded(&self, plugin: &str, method: &'static str, seconds: f64) {
        let (calls, histogram) = self.0.get_or_init(|| {
            let plugin = plugin.to_owned();
            (
                metrics::counter!(CALLS, "plugin" => plugin.clone(), "method" => method, "outcome" => "ok"),
                metrics::histogram!(SECONDS, "plugin" => plugin, "method" => method),
            )
        });
        calls.increment(1);
        histogram.record(seconds);
    }
}

#[cold]
pub(crate) fn failed(plugin: &str, method: &'static str, outcome: &'static str) {
    let plugin = plugin.to_owned();
    metrics::counter!(CALLS, "plugin" => plugin, "method" => method, "outcome" => outcome)
        .increment(1);
}

#[cold]
pub(crate) fn repeated(plugin: &str, method: &'static str) {
    metrics::counter!(REPEATED, "plugin" => plugin.to_owned(), "method" => method).increment(1);
}
