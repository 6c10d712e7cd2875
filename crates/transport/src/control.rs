//! go-plugin's own services, as the host calls them. A plugin that lacks one of
//! them still runs.

use std::sync::Arc;
use std::time::Duration;

use outrigger_proto::health::HealthCheckRequest;
use outrigger_proto::health::health_check_response::ServingStatus;
use outrigger_proto::health::health_client::HealthClient;
use outrigger_proto::plugin::grpc_controller_client::GrpcControllerClient;
use outrigger_proto::plugin::grpc_stdio_client::GrpcStdioClient;
use outrigger_proto::plugin::{Empty, stdio_data};
use tonic::Code;
use tracing::Level;

use crate::logs::{LogLine, escape};
use crate::rpc::Rpc;
use crate::stdio::{Throttle, log};

/// The name under which go-plugin reports a plugin's health.
const SERVICE: &str = "plugin";

/// How a plugin does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// It says that it serves.
    Serving,
    /// It says that it does not.
    NotServing,
    /// It has no health service, or does not report the name `plugin`.
    Unsupported,
    /// It did not answer, or the connection is gone.
    Unreachable,
}

/// Asks once, within `timeout`.
pub(crate) async fn health(rpc: Rpc, timeout: Duration) -> Health {
    let mut client = HealthClient::new(rpc);
    let check = client.check(HealthCheckRequest { service: SERVICE.to_owned() });
    match tokio::time::timeout(timeout, check).await {
        Ok(Ok(response)) if response.get_ref().status() == ServingStatus::Serving => {
            Health::Serving
        }
        Ok(Ok(_)) => Health::NotServing,
        Ok(Err(status)) if matches!(status.code(), Code::Unimplemented | Code::NotFound) => {
            Health::Unsupported
        }
        // The plugin's own words: whatever they are, it answers.
        Ok(Err(status)) if std::error::Error::source(&status).is_none() => Health::NotServing,
        Ok(Err(_)) | Err(_) => Health::Unreachable,
    }
}

/// Whether a plugin heard that it is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It did, or the connection broke, which is how most plugins answer.
    Yes,
    /// It has no controller, or did not answer in time.
    No,
}

/// Asks the plugin to end. The answer is lost with the connection more often
/// than not, so every error but `UNIMPLEMENTED` counts as heard.
pub(crate) async fn shutdown(rpc: Rpc, timeout: Duration) -> Heard {
    let mut client = GrpcControllerClient::new(rpc);
    match tokio::time::timeout(timeout, client.shutdown(Empty {})).await {
        Ok(Err(status)) if status.code() == Code::Unimplemented => Heard::No,
        Ok(_) => Heard::Yes,
        Err(_) => Heard::No,
    }
}

/// Drains the plugin's stdio stream into the log for as long as it lasts. Never
/// awaited on the way to a connection: no response header comes before the
/// first byte of output.
pub(crate) async fn drain_stdio(rpc: Rpc, plugin: Arc<str>) {
    let mut client = GrpcStdioClient::new(rpc);
    let Ok(stream) = client.stream_stdio(()).await else { return };
    let mut stream = stream.into_inner();
    let mut throttle = Throttle::new();
    while let Ok(Some(piece)) = stream.message().await {
        throttle.spend(piece.data.len()).await;
        let channel = match piece.channel() {
            stdio_data::Channel::Stdout => "stdout",
            stdio_data::Channel::Stderr => "stderr",
            stdio_data::Channel::Invalid => continue,
        };
        let text = String::from_utf8_lossy(&piece.data);
        for line in text.lines() {
            let fields = format!("{{\"channel\":\"{channel}\"}}");
            log(&plugin, &LogLine { level: Level::DEBUG, message: escape(line), fields });
        }
    }
}
