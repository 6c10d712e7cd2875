//! The services that go-plugin itself puts on every plugin's server.

use std::sync::{Arc, OnceLock};

use outrigger_proto::plugin::Empty;
use outrigger_proto::plugin::grpc_broker_server::GrpcBrokerServer;
use outrigger_proto::plugin::grpc_controller_server::{GrpcController, GrpcControllerServer};
use outrigger_proto::plugin::grpc_stdio_server::GrpcStdioServer;
use outrigger_transport::Broker;
use outrigger_transport::serve::BrokerService;
use tokio_util::sync::CancellationToken;
use tonic::server::NamedService;
use tonic::{Request, Response, Status};

use crate::error::Error;
use crate::output::Output;
use crate::routes::Routes;

mod health;
mod metrics;
mod reflection;

pub use health::Health;
pub(crate) use metrics::OwnMetrics;
use outrigger_proto::health::health_server::HealthServer;

/// What go-plugin's own services need.
#[derive(Debug)]
pub(crate) struct Standard<'a> {
    pub(crate) health: Health,
    pub(crate) controller: Controller,
    /// What is printed.
    pub(crate) output: Output,
    /// Connections beside the main one.
    pub(crate) broker: &'a Broker,
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
    let Standard { health, controller, output, broker, descriptors } = standard;
    if !routes.knows(HealthServer::<Health>::NAME) {
        routes.add(HealthServer::new(health));
    }
    if !routes.knows(GrpcControllerServer::<Controller>::NAME) {
        routes.add(GrpcControllerServer::new(controller));
    }
    if !routes.knows(GrpcStdioServer::<Output>::NAME) {
        routes.add(GrpcStdioServer::new(output));
    }
    if !routes.knows(GrpcBrokerServer::<BrokerService>::NAME) {
        routes.add(broker.service());
    }
    reflection::add(routes, descriptors).map_err(|error| Error::Descriptors(error.to_string()))
}

/// Lets the host end the plugin.
#[derive(Debug)]
pub(crate) struct Controller {
    /// Cancelled by a host's request to end.
    pub(crate) ending: CancellationToken,
    /// Cancelled when the host may close the connection.
    pub(crate) answer: CancellationToken,
    /// What the plugin's own part of the end said, if that failed.
    pub(crate) failure: Arc<OnceLock<String>>,
}

#[tonic::async_trait]
impl GrpcController for Controller {
    /// Answers before the server stops, which Go's plugins rarely manage.
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        self.ending.cancel();
        self.answer.cancelled().await;
        match self.failure.get() {
            None => Ok(Response::new(Empty {})),
            Some(failure) => Err(Status::aborted(failure.clone())),
        }
    }
}
