//! The W3C's Trace Context in a request's headers.

use std::fmt::Write as _;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use outrigger_transport::trace::{Propagation, propagate_by};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::sampling;

const PARENT: HeaderName = HeaderName::from_static("traceparent");
const STATE: HeaderName = HeaderName::from_static("tracestate");

/// `tracestate` of a stranger that is passed on, in bytes. The W3C asks for 512.
const LONGEST_STATE: usize = 512;

/// Of the path of a request that is served.
const LONGEST_PATH: usize = 200;

/// From now on every call over a plugin's connection carries the trace of the span
/// that it is made in, and every call that is served continues its caller's. May be
/// repeated; for the whole process.
pub fn propagate() {
    let _first = propagate_by(Propagation { wanted, inject, accept });
}

/// In a trace that is kept; and outside of one as often as traces are.
fn wanted() -> bool {
    let present = Span::current();
    if present.is_none() {
        return sampling::chosen();
    }
    let context = present.context();
    let span = context.span();
    let own = span.span_context();
    if own.is_valid() { own.is_sampled() } else { sampling::chosen() }
}

fn inject(headers: &mut HeaderMap) {
    let present = Span::current();
    if present.is_none() {
        return;
    }
    let context = present.context();
    let span = context.span();
    let own = span.span_context();
    // A caller that wrote its own knows better.
    if !own.is_valid() || headers.contains_key(&PARENT) {
        return;
    }
    let mut text = String::with_capacity(55);
    let (trace, id, flags) = (own.trace_id(), own.span_id(), own.trace_flags().to_u8());
    let _infallible = write!(text, "00-{trace:032x}-{id:016x}-{flags:02x}");
    if let Ok(value) = HeaderValue::try_from(text) {
        headers.insert(PARENT, value);
    }
    let state = own.trace_state().header();
    if !state.is_empty()
        && let Ok(value) = HeaderValue::try_from(state)
    {
        headers.insert(STATE, value);
    }
}

/// A request without a trace, such as a health check, begins none.
fn accept(headers: &HeaderMap, path: &str) -> Span {
    let Some(parent) = parse(headers) else { return Span::none() };
    let path = &path[..path.floor_char_boundary(LONGEST_PATH)];
    let span = tracing::debug_span!(
        target: "outrigger::serve",
        "plugin.serve",
        otel.kind = "server",
        rpc.system = "grpc",
        rpc.path = path,
    );
    // Fails only where no layer of OpenTelemetry listens.
    let _unheard = span.set_parent(Context::new().with_remote_span_context(parent));
    span
}

/// The caller's span, if its header is one that the W3C's rules let through.
fn parse(headers: &HeaderMap) -> Option<SpanContext> {
    let text = headers.get(PARENT)?.to_str().ok()?;
    let mut parts = text.split('-');
    let (version, trace, id, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |part: &str, length: usize| {
        part.len() == length
            && part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    };
    let later = version != "00";
    if !is_hex(version, 2) || version == "ff" || (parts.next().is_some() && !later) {
        return None;
    }
    if !is_hex(trace, 32) || !is_hex(id, 16) || !is_hex(flags, 2) {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
    let state = headers.get(STATE).and_then(|state| state.to_str().ok());
    let state = state.filter(|state| state.len() <= LONGEST_STATE);
    let state = state.and_then(|state| state.parse::<TraceState>().ok()).unwrap_or_default();
    let (trace, id) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(id).ok()?);
    let context = SpanContext::new(trace, id, flags, true, state);
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(parent: &str) -> HeaderMap {
        HeaderMap::from_iter([(PARENT, HeaderValue::from_str(parent).unwrap())])
    }

    #[test]
    fn a_parent_is_taken_as_the_w3c_says() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let parsed = parse(&headers(good)).unwrap();
        assert!(parsed.is_sampled() && parsed.is_remote());
        assert_eq!(parsed.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        // A later version may say more.
        let later = "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-more";
        assert!(!parse(&headers(later)).unwrap().is_sampled());
        for bad in [
            "",
            "00",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-é",
        ] {
            let value = HeaderValue::from_bytes(bad.as_bytes()).unwrap();
            assert_eq!(parse(&HeaderMap::from_iter([(PARENT, value)])), None, "{bad}");
        }
        assert_eq!(parse(&HeaderMap::new()), None);
    }

    #[test]
    fn a_state_that_is_too_long_or_none_is_left_out() {
        let mut with = headers("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        with.insert(STATE, HeaderValue::from_static("a=1,b=2"));
        assert_eq!(parse(&with).unwrap().trace_state().header(), "a=1,b=2");
        with.insert(STATE, HeaderValue::from_str(&format!("a={}", "x".repeat(600))).unwrap());
        assert_eq!(parse(&with).unwrap().trace_state().header(), "");
        with.insert(STATE, HeaderValue::from_static("no state"));
        assert_eq!(parse(&with).unwrap().trace_state().header(), "");
    }

    #[test]
    fn nothing_is_sent_outside_of_a_trace_and_a_caller_s_own_header_stays() {
        let mut none = HeaderMap::new();
        inject(&mut none);
        assert!(none.is_empty());
    }
}
