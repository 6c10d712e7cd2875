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
pub struct Rpc {
    channel: Channel,
    facts: Arc<Facts>,
}

/// What is the same for every call over one connection.
struct Facts {
    version: u32,
    largest_message: usize,
}

impl Rpc {
    pub(crate) fn new(channel: Channel, version: u32, largest_message: usize) -> Self {
        Self { channel, facts: Arc::new(Facts { version, largest_message }) }
    }

    /// The application protocol version that the plugin chose.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.facts.version
    }

    /// The largest message, in bytes, that a generated client is to send and to
    /// take: its `max_encoding_message_size` and `max_decoding_message_size`.
    #[must_use]
    pub fn largest_message(&self) -> usize {
        self.facts.largest_message
    }
}

impl fmt::Debug for Rpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rpc").field("version", &self.facts.version).finish_non_exhaustive()
    }
}

impl tower_service::Service<http::Request<Body>> for Rpc {
    type Response = http::Response<Body>;
    type Error = tonic::transport::Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.channel.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> ResponseFuture {
        self.channel.call(request)
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
