//! The services that go-plugin itself puts on every plugin's server.

use std::pin::Pin;

use outrigger_proto::plugin::grpc_broker_server::{GrpcBroker, GrpcBrokerServer};
use outrigger_proto::plugin::grpc_controller_server::{GrpcController, GrpcControllerServer};
use outrigger_proto::plugin::grpc_stdio_server::{GrpcStdio, GrpcStdioServer};
use outrigger_proto::plugin::{ConnInfo, Empty, StdioData};
use tokio_stream::{Pending, Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;
use tonic::server::NamedService;
use tonic::{Request, Response, Status, Streaming};

use crate::routes::Routes;

mod health;

pub use health::Health;
use outrigger_proto::health::health_server::HealthServer;

/// Adds the services that are not in `routes` yet: an author's own come first.
/// A host's request to end cancels `end`.
pub(crate) fn add_missing(routes: &mut Routes, health: Health, end: CancellationToken) {
    if !routes.knows(HealthServer::<Health>::NAME) {
        routes.add(HealthServer::new(health));
    }
    if !routes.knows(GrpcControllerServer::<Controller>::NAME) {
        routes.add(GrpcControllerServer::new(Controller { end }));
    }
    if !routes.knows(GrpcStdioServer::<Stdio>::NAME) {
        routes.add(GrpcStdioServer::new(Stdio));
    }
    if !routes.knows(GrpcBrokerServer::<Broker>::NAME) {
        routes.add(GrpcBrokerServer::new(Broker));
    }
}

/// Lets the host end the plugin.
#[derive(Debug)]
struct Controller {
    end: CancellationToken,
}

#[tonic::async_trait]
impl GrpcController for Controller {
    /// Answers before the server stops, which Go's plugins rarely manage.
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        self.end.cancel();
        Ok(Response::new(Empty {}))
    }
}

/// Carries nothing: a Rust program's output goes to the descriptors themselves,
/// and its log to standard error. A host that opens the stream finds it idle.
#[derive(Debug)]
struct Stdio;

#[tonic::async_trait]
impl GrpcStdio for Stdio {
    type StreamStdioStream = Pending<Result<StdioData, Status>>;

    async fn stream_stdio(
        &self,
        _: Request<()>,
    ) -> Result<Response<Self::StreamStdioStream>, Status> {
        Ok(Response::new(tokio_stream::pending()))
    }
}

/// Announces no connections and takes up none. Hosts open the stream at once
/// and keep it open; it ends when they end it.
#[derive(Debug)]
struct Broker;

#[tonic::async_trait]
impl GrpcBroker for Broker {
    type StartStreamStream = Pin<Box<dyn Stream<Item = Result<ConnInfo, Status>> + Send>>;

    async fn start_stream(
        &self,
        request: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<Self::StartStreamStream>, Status> {
        let ignored = request.into_inner().filter_map(|announced| {
            if let Ok(announced) = announced {
                tracing::debug!(service_id = announced.service_id, "ignored a brokered connection");
            }
            None
        });
        Ok(Response::new(Box::pin(ignored)))
    }
}
