//! The services that go-plugin itself puts on every plugin's server.

use std::pin::Pin;

use outrigger_proto::plugin::grpc_broker_server::{GrpcBroker, GrpcBrokerServer};
use outrigger_proto::plugin::grpc_controller_server::{GrpcController, GrpcControllerServer};
use outrigger_proto::plugin::grpc_stdio_server::GrpcStdioServer;
use outrigger_proto::plugin::{ConnInfo, Empty};
use tokio_stream::{Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;
use tonic::server::NamedService;
use tonic::{Request, Response, Status, Streaming};

use crate::error::Error;
use crate::output::Output;
use crate::routes::Routes;

mod health;
mod reflection;

pub use health::Health;
use outrigger_proto::health::health_server::HealthServer;

/// What go-plugin's own services need.
#[derive(Debug)]
pub(crate) struct Standard<'a> {
    pub(crate) health: Health,
    /// Cancelled by a host's request to end.
    pub(crate) end: CancellationToken,
    /// What is printed.
    pub(crate) output: Output,
    /// The author's sets of descriptors.
    pub(crate) descriptors: &'a [&'static [u8]],
}

/// Adds the services that are not in `routes` yet: an author's own come first.
/// Reflection is last, since it is about all of them.
///
/// # Errors
///
/// [`Error::Descriptors`].
pub(crate) fn add_missing(routes: &mut Routes, standard: Standard<'_>) -> Result<(), Error> {
    let Standard { health, end, output, descriptors } = standard;
    if !routes.knows(HealthServer::<Health>::NAME) {
        routes.add(HealthServer::new(health));
    }
    if !routes.knows(GrpcControllerServer::<Controller>::NAME) {
        routes.add(GrpcControllerServer::new(Controller { end }));
    }
    if !routes.knows(GrpcStdioServer::<Output>::NAME) {
        routes.add(GrpcStdioServer::new(output));
    }
    if !routes.knows(GrpcBrokerServer::<Broker>::NAME) {
        routes.add(GrpcBrokerServer::new(Broker));
    }
    reflection::add(routes, descriptors).map_err(|error| Error::Descriptors(error.to_string()))
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
