//! What is served: health, controller, and the services beside them.

use std::sync::Arc;

use outrigger_proto::health::health_check_response::ServingStatus;
use outrigger_proto::health::health_server::{Health, HealthServer};
use outrigger_proto::health::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
};
use outrigger_proto::plugin::Empty;
use outrigger_proto::plugin::grpc_broker_server::GrpcBrokerServer;
use outrigger_proto::plugin::grpc_controller_server::{GrpcController, GrpcControllerServer};
use outrigger_proto::plugin::grpc_stdio_server::GrpcStdioServer;
use outrigger_proto::probe::probe_server::ProbeServer;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::transport::server::Router;
use tonic::{Request, Response, Status};

use crate::broker::Broker;
use crate::probe::Probe;
use crate::stdio::{Stdio, StdioService};
use crate::wrong::is;

/// Everything that is served on the main connection.
pub(crate) fn router(
    version: u32,
    end: &CancellationToken,
    broker: Arc<Broker>,
    stdio: Arc<Stdio>,
) -> Router {
    let probe = Probe { version, broker: broker.clone(), stdio: stdio.clone() };
    let probe = ProbeServer::new(probe).max_decoding_message_size(64 * 1024 * 1024);
    let controller =
        (!is("no-controller")).then(|| GrpcControllerServer::new(Controller { end: end.clone() }));
    Server::builder()
        .add_service(HealthServer::new(Serving))
        .add_optional_service(controller)
        .add_service(GrpcStdioServer::new(StdioService::new(stdio)))
        .add_service(GrpcBrokerServer::from_arc(broker))
        .add_service(probe)
}

#[derive(Debug)]
struct Serving;

#[tonic::async_trait]
impl Health for Serving {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let service = request.into_inner().service;
        if !matches!(&*service, "" | "plugin") && !is("knows-every-service") {
            return Err(Status::not_found("unknown service"));
        }
        let status =
            if is("not-serving") { ServingStatus::NotServing } else { ServingStatus::Serving };
        Ok(Response::new(HealthCheckResponse { status: status.into() }))
    }

    type WatchStream = tokio_stream::Pending<Result<HealthCheckResponse, Status>>;

    async fn watch(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("Check answers"))
    }

    async fn list(
        &self,
        _: Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, Status> {
        Err(Status::unimplemented("Check answers"))
    }
}

#[derive(Debug)]
struct Controller {
    end: CancellationToken,
}

#[tonic::async_trait]
impl GrpcController for Controller {
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        self.end.cancel();
        Ok(Response::new(Empty {}))
    }
}
