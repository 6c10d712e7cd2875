//! From a request's path to the service that answers it.
//!
//! A router of our own, since a plugin needs one look-up by the service's name
//! and nothing of what a web framework's router can.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use outrigger_transport::trace::accept;
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower_service::Service;
use tracing::Instrument as _;

type Request = http::Request<Body>;
type Response = http::Response<Body>;
type Answering = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;
type Handler = Arc<dyn Fn(Request) -> Answering + Send + Sync>;

/// Services by their full names. Tonic's generated ones are always ready, so
/// each call takes a fresh clone of its service.
#[derive(Clone, Default)]
pub(crate) struct Routes(Arc<HashMap<&'static str, Handler>>);

impl Routes {
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The services' full names, in no order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().copied()
    }

    /// Adds all of `others`, which replace those of the same names.
    pub(crate) fn extend(&mut self, others: Self) {
        let others = others.0.iter().map(|(name, handler)| (*name, handler.clone()));
        Arc::make_mut(&mut self.0).extend(others);
    }

    /// Adds a service; a later one of the same name replaces an earlier one.
    pub(crate) fn add<S>(&mut self, service: S)
    where
        S: Service<Request, Response = Response, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        let handler: Handler = Arc::new(move |request| {
            let span = accept(request.headers(), request.uri().path());
            Box::pin(answer(service.clone(), request).instrument(span))
        });
        Arc::make_mut(&mut self.0).insert(S::NAME, handler);
    }
}

async fn answer<S>(mut service: S, request: Request) -> Result<Response, Infallible>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    std::future::poll_fn(|cx| service.poll_ready(cx)).await?;
    service.call(request).await
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Service<Request> for Routes {
    type Response = Response;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Answer {
        match service_name(request.uri().path()).and_then(|name| self.0.get(name)) {
            Some(handler) => Answer::Handled(handler(request)),
            None => Answer::Unknown(ready(unknown(request.uri().path()))),
        }
    }
}

/// The answer to come.
pub(crate) enum Answer {
    Handled(Answering),
    Unknown(Ready<Response>),
}

impl Future for Answer {
    type Output = Result<Response, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Handled(answering) => answering.as_mut().poll(cx),
            Self::Unknown(response) => Pin::new(response).poll(cx).map(Ok),
        }
    }
}

/// `/package.Service/Method` names `package.Service`.
fn service_name(path: &str) -> Option<&str> {
    let (name, method) = path.strip_prefix('/')?.split_once('/')?;
    (!method.is_empty()).then_some(name)
}

fn unknown(path: &str) -> Response {
    Status::unimplemented(format!("this plugin has no method {path}")).into_http()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_service_and_a_method() {
        assert_eq!(service_name("/proto.PluginGreeting/Greeting"), Some("proto.PluginGreeting"));
        for path in ["", "/", "proto.X/M", "/proto.X", "/proto.X/"] {
            assert_eq!(service_name(path), None, "{path}");
        }
    }

    #[test]
    fn an_unknown_method_is_unimplemented_by_name() {
        let headers = unknown("/a.B/C").headers().clone();
        let status = Status::from_header_map(&headers).unwrap();
        assert_eq!(status.code(), tonic::Code::Unimplemented);
        assert!(status.message().contains("/a.B/C"));
    }
}
