//! A plugin's connection as callers see it.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::body::Body;
use tonic::transport::Channel;
use tonic::transport::channel::ResponseFuture;

use crate::broker::Broker;

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
    broker: Option<Broker>,
}

impl Rpc {
    pub(crate) fn new(channel: Channel, version: u32, largest_message: usize) -> Self {
        let broker = None;
        Self { channel, facts: Arc::new(Facts { version, largest_message, broker }) }
    }

    /// The main connection, which has a broker.
    pub(crate) fn with_broker(
        channel: Channel,
        version: u32,
        largest_message: usize,
        broker: Broker,
    ) -> Self {
        let broker = Some(broker);
        Self { channel, facts: Arc::new(Facts { version, largest_message, broker }) }
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

    /// The broker to the plugin, for connections beside this one; it ends with
    /// the generation. `None` on a brokered connection, and on one to a plugin
    /// that was attached to: its broker belongs to the host that started it.
    #[must_use]
    pub fn broker(&self) -> Option<&Broker> {
        self.facts.broker.as_ref()
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

    fn call(&mut self, mut request: http::Request<Body>) -> ResponseFuture {
        crate::trace::inject(request.headers_mut());
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
