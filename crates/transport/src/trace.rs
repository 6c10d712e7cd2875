//! Where traces cross a connection. This crate knows nothing of traces: whoever does
//! says once how they are written into a request and taken from one.

use std::sync::OnceLock;
use std::task::{Context, Poll};

use http::HeaderMap;
use tower_service::Service;
use tracing::Span;
use tracing::instrument::{Instrument as _, Instrumented};

/// How a trace crosses a connection.
#[derive(Debug, Clone, Copy)]
pub struct Propagation {
    /// Whether a call that is made now, in the present span, is to have one of its own.
    pub wanted: fn() -> bool,
    /// Writes the present span's trace into a request that goes out.
    pub inject: fn(&mut HeaderMap),
    /// Makes the span in which a request to this path is served.
    pub accept: fn(&HeaderMap, &str) -> Span,
}

static PROPAGATION: OnceLock<Propagation> = OnceLock::new();

/// Has traces cross all connections of this process; the first one to say how holds.
pub fn propagate_by(propagation: Propagation) -> bool {
    PROPAGATION.set(propagation).is_ok()
}

/// Whether a call that is made now is to have a span of its own. Asked before one is
/// made, since one that is thrown away costs as much as one that is kept.
#[must_use]
pub fn wanted() -> bool {
    PROPAGATION.get().is_none_or(|propagation| (propagation.wanted)())
}

pub(crate) fn inject(headers: &mut HeaderMap) {
    if let Some(propagation) = PROPAGATION.get() {
        (propagation.inject)(headers);
    }
}

/// The span in which a request is served; one that is disabled where nobody wants it.
#[must_use]
pub fn accept(headers: &HeaderMap, path: &str) -> Span {
    PROPAGATION.get().map_or_else(Span::none, |propagation| (propagation.accept)(headers, path))
}

/// A service whose requests continue their callers' traces.
#[derive(Debug, Clone)]
pub(crate) struct Continued<S>(pub(crate) S);

impl<S, B> Service<http::Request<B>> for Continued<S>
where
    S: Service<http::Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Instrumented<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let span = accept(request.headers(), request.uri().path());
        self.0.call(request).instrument(span)
    }
}
