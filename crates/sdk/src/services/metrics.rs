//! The plugin's own metrics, for its host.

use std::fmt;
use std::sync::Arc;

use outrigger_proto::metrics::metrics_server::Metrics;
use outrigger_proto::metrics::read_response::Source;
use outrigger_proto::metrics::{ReadRequest, ReadResponse};
use tonic::{Request, Response, Status};

/// Where they come from.
#[derive(Clone)]
pub(crate) struct OwnMetrics(Arc<dyn Fn() -> Source + Send + Sync>);

impl OwnMetrics {
    pub(crate) fn new(source: impl Fn() -> Source + Send + Sync + 'static) -> Self {
        Self(Arc::new(source))
    }
}

impl fmt::Debug for OwnMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnMetrics")
    }
}

#[tonic::async_trait]
impl Metrics for OwnMetrics {
    async fn read(&self, _: Request<ReadRequest>) -> Result<Response<ReadResponse>, Status> {
        Ok(Response::new(ReadResponse { source: Some((self.0)()) }))
    }
}
