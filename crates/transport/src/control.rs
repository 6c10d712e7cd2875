//! go-plugin's own services, as the host calls them. A plugin that lacks one of
//! them still runs.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use outrigger_proto::health::HealthCheckRequest;
use outrigger_proto::health::health_check_response::ServingStatus;
use outrigger_proto::health::health_client::HealthClient;
use outrigger_proto::metrics::ReadRequest;
use outrigger_proto::metrics::metrics_client::MetricsClient;
use outrigger_proto::metrics::read_response::Source;
use outrigger_proto::plugin::grpc_controller_client::GrpcControllerClient;
use outrigger_proto::plugin::grpc_stdio_client::GrpcStdioClient;
use outrigger_proto::plugin::{Empty, StdioData, stdio_data};
use tokio_util::sync::CancellationToken;
use tonic::Code;

use crate::rpc::Rpc;
use crate::spec::{Origin, Output};
use crate::stdio::{LAST_BYTES, Lines, QUIET, Reading, Throttle, log};

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

/// A plugin's own metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OwnMetrics {
    /// Prometheus' text.
    Text(String),
    /// A port of 127.0.0.1 where `GET /metrics` answers with that.
    Port(u16),
    /// A serialised `opentelemetry.proto.metrics.v1.MetricsData`, as the plugin gave it.
    OpenTelemetry(Bytes),
    /// This generation has none.
    None,
}

/// Asks for the plugin's own metrics; `None` where it did not answer in time.
pub(crate) async fn own_metrics(rpc: Rpc, timeout: Duration) -> Option<OwnMetrics> {
    let mut client = MetricsClient::new(rpc);
    match tokio::time::timeout(timeout, client.read(ReadRequest {})).await.ok()? {
        Ok(answer) => Some(match answer.into_inner().source {
            Some(Source::Text(text)) => OwnMetrics::Text(text),
            Some(Source::Port(port)) => {
                u16::try_from(port).map_or(OwnMetrics::None, OwnMetrics::Port)
            }
            Some(Source::Opentelemetry(encoded)) => OwnMetrics::OpenTelemetry(encoded),
            None => OwnMetrics::None,
        }),
        Err(status) if status.code() == Code::Unimplemented => Some(OwnMetrics::None),
        Err(_) => None,
    }
}

/// Of what a plugin says at its end.
const LONGEST_COMPLAINT: usize = 1_000;

/// Whether a plugin heard that it is to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It did, or the connection broke, which is how most plugins answer.
    Yes,
    /// It did, and answered with an error of its own: what it does before its end
    /// failed.
    HookFailed(String),
    /// It has no controller, or did not answer in time.
    No,
}

/// Asks the plugin to end. The answer is lost with the connection more often
/// than not, so every error but `UNIMPLEMENTED` counts as heard.
pub(crate) async fn shutdown(rpc: Rpc, timeout: Duration) -> Heard {
    let mut client = GrpcControllerClient::new(rpc);
    match tokio::time::timeout(timeout, client.shutdown(Empty {})).await {
        Ok(Err(status)) if status.code() == Code::Unimplemented => Heard::No,
        // One that the connection made has a source, and a server that ends cancels.
        Ok(Err(status))
            if std::error::Error::source(&status).is_none()
                && !matches!(status.code(), Code::Cancelled | Code::Unavailable) =>
        {
            let said: String = status.message().chars().take(LONGEST_COMPLAINT).collect();
            Heard::HookFailed(said.escape_debug().to_string())
        }
        Ok(_) => Heard::Yes,
        Err(_) => Heard::No,
    }
}

/// Drains the plugin's stdio stream, to the log and to whoever wants copies,
/// for as long as it lasts; once `finish` is cancelled, what has come is taken
/// and the stream let go. Never awaited on the way to a connection: no response
/// header comes before the first byte of output.
pub(crate) async fn drain_stdio(
    rpc: Rpc,
    origin: Arc<Origin>,
    output: Output,
    finish: CancellationToken,
) {
    let mut prints = Prints::new(origin, output);
    let mut client = GrpcStdioClient::new(rpc);
    let opened = tokio::select! {
        opened = client.stream_stdio(()) => opened,
        () = finish.cancelled() => return,
    };
    let mut stream = match opened {
        Ok(stream) => stream.into_inner(),
        Err(status) => return prints.ended(&status),
    };
    let mut throttle = Throttle::new();
    let status = loop {
        let piece = tokio::select! {
            biased;
            piece = stream.message() => piece,
            () = finish.cancelled() => break None,
        };
        match piece {
            Ok(Some(piece)) => {
                prints.take(&piece);
                tokio::select! {
                    () = throttle.spend(piece.data.len()) => {}
                    () = finish.cancelled() => {}
                }
            }
            Ok(None) => return prints.finish(),
            Err(status) => break Some(status),
        }
    };
    if let Some(status) = status {
        prints.ended(&status);
    } else {
        let mut left = LAST_BYTES;
        while left > 0
            && let Ok(Ok(Some(piece))) = tokio::time::timeout(QUIET, stream.message()).await
        {
            prints.take(&piece);
            left = left.saturating_sub(piece.data.len().max(1024));
        }
    }
    prints.finish();
}

/// What a program prints once it serves.
struct Prints {
    origin: Arc<Origin>,
    output: Output,
    stdout: Lines,
    stderr: Lines,
}

impl Prints {
    fn new(origin: Arc<Origin>, output: Output) -> Self {
        let lines = |channel| Lines::new(Reading::Prints(channel));
        Self { origin, output, stdout: lines("stdout"), stderr: lines("stderr") }
    }

    fn take(&mut self, piece: &StdioData) {
        let (copy, lines) = match piece.channel() {
            stdio_data::Channel::Stdout => (&self.output.stdout, &mut self.stdout),
            stdio_data::Channel::Stderr => (&self.output.stderr, &mut self.stderr),
            // A newer plugin's.
            stdio_data::Channel::Invalid => return,
        };
        if let Some(copy) = copy {
            copy(&piece.data);
        }
        lines.push(&piece.data, |line| log(&self.origin, line, self.output.lines.as_ref()));
    }

    fn finish(&mut self) {
        for lines in [&mut self.stdout, &mut self.stderr] {
            lines.finish(|line| log(&self.origin, line, self.output.lines.as_ref()));
        }
    }

    /// Says why nothing more comes, unless that is as it should be.
    fn ended(&self, status: &tonic::Status) {
        let expected = [Code::Unimplemented, Code::Unavailable, Code::Cancelled];
        // The end of the connection is told elsewhere.
        let broken = std::error::Error::source(status).is_some();
        if !broken && !expected.contains(&status.code()) {
            let (plugin, code) = (&self.origin.plugin, status.code());
            tracing::warn!(%plugin, ?code, "the stream of what this plugin prints failed");
        }
    }
}
