//! The standard health service, for the one name that go-plugin knows.

use std::pin::Pin;
use std::sync::Arc;

use outrigger_proto::health::health_check_response::ServingStatus;
use outrigger_proto::health::health_server::Health as HealthService;
use outrigger_proto::health::{
    HealthCheckRequest, HealthCheckResponse, HealthListRequest, HealthListResponse,
};
use tokio::sync::watch;
use tokio_stream::wrappers::WatchStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status};

/// The whole server, and the name under which go-plugin's hosts look.
const KNOWN: [&str; 2] = ["", "plugin"];

/// How the plugin says it does, to hosts that ask for its health. It serves
/// until told otherwise.
///
/// Clones share one state. GoQuorum and Terraform never ask; Outrigger does, and
/// replaces a plugin that does not answer. What the answer says is left to the
/// node.
#[derive(Debug, Clone)]
pub struct Health(Arc<watch::Sender<ServingStatus>>);

impl Default for Health {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(ServingStatus::Serving)))
    }
}

impl Health {
    /// Reports `SERVING` from now on, or `NOT_SERVING`.
    pub fn set_serving(&self, serving: bool) {
        let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
        self.0.send_replace(status);
    }
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

fn is_known(service: &str) -> bool {
    KNOWN.contains(&service)
}

#[tonic::async_trait]
impl HealthService for Health {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let service = request.into_inner().service;
        if !is_known(&service) {
            return Err(Status::not_found(format!("no service `{service}` reports its health")));
        }
        Ok(Response::new(response(*self.0.borrow())))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    /// An unknown name is no error here: the standard has it reported, in case
    /// the service comes later.
    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let changes: Self::WatchStream = if is_known(&request.into_inner().service) {
            Box::pin(WatchStream::new(self.0.subscribe()).map(|status| Ok(response(status))))
        } else {
            let unknown = tokio_stream::once(Ok(response(ServingStatus::ServiceUnknown)));
            Box::pin(unknown.chain(tokio_stream::pending()))
        };
        Ok(Response::new(changes))
    }

    async fn list(
        &self,
        _: Request<HealthListRequest>,
    ) -> Result<Response<HealthListResponse>, Status> {
        let status = response(*self.0.borrow());
        let statuses = KNOWN.map(|name| (name.to_owned(), status)).into();
        Ok(Response::new(HealthListResponse { statuses }))
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    fn request(service: &str) -> Request<HealthCheckRequest> {
        Request::new(HealthCheckRequest { service: service.to_owned() })
    }

    #[tokio::test]
    async fn the_plugin_and_the_server_report_and_no_other_name() {
        let health = Health::default();
        for service in ["", "plugin"] {
            let answer = health.check(request(service)).await.unwrap();
            assert_eq!(answer.get_ref().status(), ServingStatus::Serving);
        }
        let refused = health.check(request("proto.PluginGreeting")).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
    }

    #[tokio::test]
    async fn a_list_has_what_a_check_knows() {
        let health = Health::default();
        health.set_serving(false);
        let list = health.list(Request::new(HealthListRequest {})).await.unwrap().into_inner();
        let mut names: Vec<_> = list.statuses.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, KNOWN);
        assert!(list.statuses.values().all(|status| status.status() == ServingStatus::NotServing));
    }

    #[tokio::test]
    async fn a_watcher_sees_the_state_and_each_change() {
        let health = Health::default();
        let mut seen = health.watch(request("plugin")).await.unwrap().into_inner();
        let mut next = async || seen.next().await.unwrap().unwrap().status();
        assert_eq!(next().await, ServingStatus::Serving);
        health.set_serving(false);
        assert_eq!(next().await, ServingStatus::NotServing);
    }

    #[tokio::test]
    async fn a_watcher_of_an_unknown_service_is_told_so() {
        let mut seen = Health::default().watch(request("x")).await.unwrap().into_inner();
        assert_eq!(seen.next().await.unwrap().unwrap().status(), ServingStatus::ServiceUnknown);
    }
}
