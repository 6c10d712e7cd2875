//! Which traces are kept. A call that begins one is chosen before it has a span: at
//! one in a hundred, the other ninety-nine would pay for what is thrown away.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::trace::{Link, SpanKind, TraceContextExt as _, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};

use crate::TelemetryError;

/// The span of a call through a gateway.
pub(crate) const CALL: &str = "plugin.call";

/// Of calls outside of a trace, the share that begins one, in parts of 2^32.
static SHARE: AtomicU64 = AtomicU64::new(WHOLE);

const WHOLE: u64 = 1 << 32;

/// Whether a call outside of a trace begins one.
pub(crate) fn chosen() -> bool {
    let share = SHARE.load(Ordering::Relaxed);
    share >= WHOLE || u64::from(random()) < share
}

/// Marsaglia's xorshift: nothing depends on who guesses it.
fn random() -> u32 {
    thread_local! {
        static STATE: Cell<u64> = const { Cell::new(0) };
    }
    STATE.with(|state| {
        let mut x = state.get();
        if x == 0 {
            // Another one for each thread.
            x = std::ptr::from_ref(state).addr() as u64 ^ 0x9e37_79b9_7f4a_7c15;
        }
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        state.set(x);
        (x >> 32) as u32
    })
}

/// The sampler that the standard variables ask for.
pub(crate) fn from_env(
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<Chosen, TelemetryError> {
    let name = variable("OTEL_TRACES_SAMPLER").unwrap_or_else(|| "parentbased_always_on".into());
    let unknown = || TelemetryError::Sampler(name.escape_debug().to_string());
    let (parent, root) = name.strip_prefix("parentbased_").map_or((false, &*name), |it| (true, it));
    let share = match root {
        "always_on" => 1.0,
        "always_off" => 0.0,
        "traceidratio" => {
            let share = variable("OTEL_TRACES_SAMPLER_ARG").map_or(Ok(1.0), |text| text.parse());
            let share: f64 = share.map_err(|_| unknown())?;
            if !(0.0..=1.0).contains(&share) {
                return Err(unknown());
            }
            share
        }
        _ => return Err(unknown()),
    };
    SHARE.store((share * WHOLE as f64) as u64, Ordering::Relaxed);
    let sampler = match root {
        "always_on" => Sampler::AlwaysOn,
        "always_off" => Sampler::AlwaysOff,
        _ => Sampler::TraceIdRatioBased(share),
    };
    Ok(Chosen(if parent { Sampler::ParentBased(Box::new(sampler)) } else { sampler }))
}

/// Keeps what was chosen already.
#[derive(Debug, Clone)]
pub(crate) struct Chosen(Sampler);

impl ShouldSample for Chosen {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let begins = parent.is_none_or(|parent| !parent.span().span_context().is_valid());
        if begins && name == CALL {
            return SamplingResult {
                decision: SamplingDecision::RecordAndSample,
                attributes: Vec::new(),
                trace_state: TraceState::default(),
            };
        }
        self.0.should_sample(parent, trace, name, kind, attributes, links)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &str, share: &str) -> Result<Chosen, TelemetryError> {
        let (name, share) = (name.to_owned(), share.to_owned());
        from_env(&move |variable: &str| match variable {
            "OTEL_TRACES_SAMPLER" => Some(name.clone()),
            _ => (!share.is_empty()).then(|| share.clone()),
        })
    }

    #[test]
    fn the_share_of_calls_that_begin_a_trace_is_the_one_that_was_asked_for() {
        for (name, share, least, most) in [
            ("always_off", "", 0, 0),
            ("parentbased_traceidratio", "0.01", 700, 1_300),
            ("traceidratio", "0.5", 48_000, 52_000),
            ("parentbased_always_on", "", 100_000, 100_000),
        ] {
            assert!(asked(name, share).is_ok(), "{name}");
            let count = (0..100_000).filter(|_| chosen()).count();
            assert!((least..=most).contains(&count), "{name} {share}: {count}");
        }
        for (name, share) in [("jaeger_remote", ""), ("traceidratio", "2"), ("traceidratio", "x")] {
            let error = asked(name, share).err().unwrap().to_string();
            assert!(error.contains(name), "{error}");
        }
    }
}
