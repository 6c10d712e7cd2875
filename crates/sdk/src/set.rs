//! The services of one application protocol version.

use std::convert::Infallible;

use tonic::body::Body;
use tonic::server::NamedService;
use tower_service::Service;

use crate::routes::Routes;

/// Services that belong together: those of one version, or those of all.
#[derive(Debug, Clone, Default)]
pub struct ServiceSet(Routes);

impl ServiceSet {
    /// Adds a service: one of this crate, or any that tonic generated. One of
    /// the same name replaces it.
    ///
    /// A generated service takes messages of up to 4 MiB, unless its
    /// `max_decoding_message_size` says otherwise; hosts take any size.
    #[must_use]
    pub fn service<S>(mut self, service: S) -> Self
    where
        S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.0.add(service);
        self
    }

    /// These services, and over them those of `version`.
    pub(crate) fn with(self, version: Self) -> Routes {
        let mut routes = self.0;
        routes.extend(version.0);
        routes
    }
}
