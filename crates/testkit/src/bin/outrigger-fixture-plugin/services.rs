//! What is missing or odd among go-plugin's own services, and at the end.

use std::convert::Infallible;
use std::future::{Ready, pending, ready};
use std::process::{ExitCode, exit};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use outrigger_proto::health::health_check_response::ServingStatus;
use outrigger_proto::health::health_server::{Health, HealthServer};
use outrigger_proto::health::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
};
use outrigger_proto::plugin::Empty;
use outrigger_proto::plugin::grpc_controller_server::{GrpcController, GrpcControllerServer};
use outrigger_proto::plugin::grpc_stdio_server;
use outrigger_sdk::{HostRequest, Listening};
use tokio::signal::unix::{SignalKind, signal};
use tokio_stream::Pending;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::server::NamedService;
use tonic::{Request, Response, Status};

use crate::hello::plugin;
use crate::lines::{block_on, print};

/// Stands where a service would and answers as if there were none.
macro_rules! absent {
    ($type:ident, $name:expr) => {
        #[derive(Debug, Clone)]
        struct $type;

        impl NamedService for $type {
            const NAME: &'static str = $name;
        }

        impl Service<http::Request<Body>> for $type {
            type Response = http::Response<Body>;
            type Error = Infallible;
            type Future = Ready<Result<http::Response<Body>, Infallible>>;

            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, _: http::Request<Body>) -> Self::Future {
                ready(Ok(Status::unimplemented("unknown service").into_http()))
            }
        }
    };
}

absent!(NoHealth, "grpc.health.v1.Health");
absent!(NoController, "plugin.GRPCController");
absent!(NoStdio, grpc_stdio_server::SERVICE_NAME);

pub(crate) fn failing_hook() -> ExitCode {
    plugin().at_shutdown(async { Err("the ledger is not closed") }).run()
}

pub(crate) fn without_health() -> ExitCode {
    plugin().service(NoHealth).run()
}

pub(crate) fn without_controller() -> ExitCode {
    plugin().service(NoController).run()
}

pub(crate) fn without_stdio() -> ExitCode {
    plugin().service(NoStdio).run()
}

pub(crate) fn not_serving() -> ExitCode {
    let plugin = plugin();
    plugin.health().set_serving(false);
    plugin.run()
}

/// Serves for so many checks.
#[derive(Debug)]
struct Waning(AtomicU64);

#[tonic::async_trait]
impl Health for Waning {
    async fn check(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let left = |left: u64| left.checked_sub(1);
        let serving = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left).is_ok();
        let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
        Ok(Response::new(HealthCheckResponse { status: status.into() }))
    }

    type WatchStream = Pending<Result<HealthCheckResponse, Status>>;

    async fn watch(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        Err(Status::unimplemented("this fixture is asked, not watched"))
    }

    async fn list(
        &self,
        _: Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, Status> {
        Err(Status::unimplemented("this fixture is asked, not listed"))
    }
}

pub(crate) fn unhealthy_after(checks: u64) -> ExitCode {
    plugin().service(HealthServer::new(Waning(AtomicU64::new(checks)))).run()
}

#[derive(Debug)]
struct Deaf;

#[tonic::async_trait]
impl GrpcController for Deaf {
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        Ok(Response::new(Empty {}))
    }
}

pub(crate) fn ignore_shutdown() -> ExitCode {
    block_on(async {
        let _ignored = signal(SignalKind::terminate()).expect("a fixture has signals");
        let host = HostRequest::from_environment();
        let listening = Listening::bind(&host, 1).expect("a fixture can listen");
        print(listening.line());
        let deaf = plugin().service(GrpcControllerServer::new(Deaf));
        let _failed = deaf.serve_on(listening, pending()).await;
        ExitCode::FAILURE
    })
}

pub(crate) fn exit_after(ms: u64) -> ExitCode {
    block_on(async {
        let host = HostRequest::from_environment();
        let listening = Listening::bind(&host, 1).expect("a fixture can listen");
        print(listening.line());
        let end = tokio::time::sleep(Duration::from_millis(ms));
        tokio::select! {
            () = end => exit(3),
            _ = plugin().serve_on(listening, pending()) => ExitCode::SUCCESS,
        }
    })
}

/// What a plugin may count.
pub(crate) fn own_metrics() -> String {
    "# TYPE fixture_jobs_total counter\nfixture_jobs_total{kind=\"a\"} 3\noutrigger_plugin_up 7\n"
        .to_owned()
}

/// Serves them over HTTP, one connection at a time.
pub(crate) fn own_metrics_on_a_port() -> ExitCode {
    let Ok(listener) = std::net::TcpListener::bind("127.0.0.1:0") else { return ExitCode::FAILURE };
    let Ok(address) = listener.local_addr() else { return ExitCode::FAILURE };
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _asked = std::io::Read::read(&mut stream, &mut [0; 1024]);
            let text = own_metrics();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n",
                text.len()
            );
            let _gone = std::io::Write::write_all(&mut stream, (head + &text).as_bytes());
        }
    });
    plugin().metrics_port(address.port()).run()
}
