//! What is counted of calls, and the handles that a gateway keeps for that.

use std::sync::OnceLock;

use metrics::{Counter, Gauge, Histogram};
use outrigger_core::metrics as names;

use crate::fault::GatewayError;

/// What the calls of one method touch: looked up once, not once a call. Made at the
/// first call, when the node has installed its recorder.
#[derive(Default)]
pub(crate) struct MethodMetrics {
    handles: OnceLock<Handles>,
    /// By the place of its code among [`GatewayError::CODES`].
    failed: [OnceLock<Counter>; GatewayError::CODES.len()],
    refused: [OnceLock<Counter>; GatewayError::CODES.len()],
    repeated: OnceLock<Counter>,
}

struct Handles {
    answered: Counter,
    seconds: Histogram,
    in_flight: Gauge,
    queued: Gauge,
}

impl std::fmt::Debug for MethodMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MethodMetrics")
    }
}

/// Counted in until it is dropped.
pub(crate) struct Counted<'a>(&'a Gauge);

impl<'a> Counted<'a> {
    fn new(gauge: &'a Gauge) -> Self {
        gauge.increment(1);
        Self(gauge)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

impl MethodMetrics {
    fn handles(&self, plugin: &str, method: &'static str) -> &Handles {
        self.handles.get_or_init(|| {
            let plugin = || plugin.to_owned();
            Handles {
                answered: metrics::counter!(names::CALLS.name, "plugin" => plugin(), "method" => method, "code" => "ok"),
                seconds: metrics::histogram!(names::CALL_SECONDS.name, "plugin" => plugin(), "method" => method),
                in_flight: metrics::gauge!(names::CALLS_IN_FLIGHT.name, "plugin" => plugin(), "method" => method),
                queued: metrics::gauge!(names::CALLS_QUEUED.name, "plugin" => plugin(), "method" => method),
            }
        })
    }

    /// A generation has the call.
    pub(crate) fn in_flight(&self, plugin: &str, method: &'static str) -> Counted<'_> {
        Counted::new(&self.handles(plugin, method).in_flight)
    }

    /// The call waits.
    pub(crate) fn queued(&self, plugin: &str, method: &'static str) -> Counted<'_> {
        Counted::new(&self.handles(plugin, method).queued)
    }

    pub(crate) fn answered(&self, plugin: &str, method: &'static str, seconds: f64) {
        let handles = self.handles(plugin, method);
        handles.answered.increment(1);
        handles.seconds.record(seconds);
    }

    /// A call that nobody waited for any more.
    #[cold]
    pub(crate) fn abandoned(&self, plugin: &str, method: &'static str) {
        self.ended(plugin, method, GatewayError::CODES[0], 0);
    }

    #[cold]
    pub(crate) fn failed(&self, plugin: &str, method: &'static str, error: &GatewayError) {
        let code = error.code();
        let place = GatewayError::CODES.iter().position(|known| *known == code);
        let Some(place) = place else { return };
        self.ended(plugin, method, code, place);
        if error.was_not_sent() {
            let counter = self.refused[place].get_or_init(|| {
                metrics::counter!(names::CALLS_REFUSED.name, "plugin" => plugin.to_owned(), "method" => method, "reason" => code)
            });
            counter.increment(1);
        }
    }

    fn ended(&self, plugin: &str, method: &'static str, code: &'static str, place: usize) {
        let counter = self.failed[place].get_or_init(|| {
            metrics::counter!(names::CALLS.name, "plugin" => plugin.to_owned(), "method" => method, "code" => code)
        });
        counter.increment(1);
    }

    #[cold]
    pub(crate) fn repeated(&self, plugin: &str, method: &'static str) {
        let counter = self.repeated.get_or_init(|| {
            metrics::counter!(names::CALLS_REPEATED.name, "plugin" => plugin.to_owned(), "method" => method)
        });
        counter.increment(1);
    }
}

/// A call that a gateway actor refused before it knew which method was meant.
#[cold]
pub(crate) fn overloaded(plugin: &str) {
    let (plugin, code) = (|| plugin.to_owned(), "overloaded");
    metrics::counter!(names::CALLS.name, "plugin" => plugin(), "method" => "-", "code" => code)
        .increment(1);
    metrics::counter!(names::CALLS_REFUSED.name, "plugin" => plugin(), "method" => "-", "reason" => code)
        .increment(1);
}
