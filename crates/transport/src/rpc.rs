//! A plugin's connection as callers see it.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::body::Body;
use tonic::transport::Channel;
use tonic::transport::channel::ResponseFuture;

/// A cheap clone of the connection to one generation. Generated clients are
/// made from it; a client is made per call and dropped after it.
#[derive(Clone)]
pub struct Rpc(Channel);

impl Rpc {
    pub(crate) const fn new(channel: Channel) -> Self {
        Self(channel)
    }
}

impl fmt::Debug for Rpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rpc")
    }
}

impl tower_service::Service<http::Request<Body>> for Rpc {
    type Response = http::Response<Body>;
    type Error = tonic::transport::Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> ResponseFuture {
        self.0.call(request)
    }
}

/// How calls reach a generation.
#[derive(Clone)]
pub enum Endpoint {
    /// Over gRPC.
    Rpc(Rpc),
    /// Within this process: the interface's gateway knows the type.
    Local(Arc<dyn Any + Send + Sync>),
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rpc(_) => "Endpoint::Rpc",
            Self::Local(_) => "Endpoint::Local",
        })
    }
}
