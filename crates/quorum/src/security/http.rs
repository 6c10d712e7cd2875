//! The layer around a server's HTTP service: who calls, once a request or
//! WebSocket connection.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use http::Request;
use http::header::AUTHORIZATION;
use outrigger::security::AuthenticationManager;
use tower::{Layer, Service};

use super::Authenticator;
use super::session::{Session as _, SessionRef, TokenSession};
use crate::psi;

/// Authenticates each request, and takes its token out, so that nothing behind
/// it can log it. Refusals are given by [`AuthorizeLayer`](super::AuthorizeLayer),
/// to each call, with HTTP status 200, as GoQuorum does.
pub struct SecurityLayer<M> {
    authenticator: Arc<Authenticator<M>>,
    multitenancy: bool,
}

impl<M> SecurityLayer<M> {
    /// A layer that asks an authenticator.
    #[must_use]
    pub const fn new(authenticator: Arc<Authenticator<M>>) -> Self {
        Self { authenticator, multitenancy: false }
    }

    /// Whether each caller must be granted a private state.
    #[must_use]
    pub const fn with_multitenancy(mut self, multitenancy: bool) -> Self {
        self.multitenancy = multitenancy;
        self
    }
}

impl<M> Clone for SecurityLayer<M> {
    fn clone(&self) -> Self {
        Self { authenticator: self.authenticator.clone(), multitenancy: self.multitenancy }
    }
}

impl<M> fmt::Debug for SecurityLayer<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecurityLayer").field("multitenancy", &self.multitenancy).finish()
    }
}

impl<S, M> Layer<S> for SecurityLayer<M> {
    type Service = SecurityService<S, M>;

    fn layer(&self, inner: S) -> Self::Service {
        SecurityService { inner, layer: self.clone() }
    }
}

/// What [`SecurityLayer`] makes of a service.
pub struct SecurityService<S, M> {
    inner: S,
    layer: SecurityLayer<M>,
}

impl<S: Clone, M> Clone for SecurityService<S, M> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<S, M> fmt::Debug for SecurityService<S, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecurityService").field("layer", &self.layer).finish_non_exhaustive()
    }
}

impl<S, M, B> Service<Request<B>> for SecurityService<S, M>
where
    S: Service<Request<B>> + Clone + Send + 'static,
    S::Future: Send,
    M: AuthenticationManager + 'static,
    B: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let headers = request.headers_mut();
        let header = headers.remove(AUTHORIZATION).map(|value| value.as_bytes().to_vec());
        let psi = psi::of_request(request.headers(), request.uri());
        let session = Arc::new(TokenSession {
            authenticator: self.layer.authenticator.clone(),
            header: header.filter(|header| !header.is_empty()),
            psi,
            multitenancy: self.layer.multitenancy,
            known: Mutex::default(),
        });
        request.extensions_mut().insert(SessionRef(session.clone()));
        let fresh = self.inner.clone();
        let mut ready = std::mem::replace(&mut self.inner, fresh);
        Box::pin(async move {
            // Once here, so that all calls of a request share the judgement.
            let _judged_at_each_call = session.caller().await;
            ready.call(request).await
        })
    }
}
