//! Traces of the plugin, to a collector.

use std::future::Future;

use outrigger_telemetry::Telemetry;

use crate::error::Error;

/// Serves with log and traces, and sends the last spans before it returns. On the
/// runtime that serves.
pub(crate) async fn exported(
    service: String,
    serving: impl Future<Output = Result<(), Error>>,
) -> Result<(), Error> {
    let telemetry = Telemetry::from_env(&service);
    let (telemetry, error) = match telemetry {
        Ok(telemetry) => (telemetry, None),
        Err(error) => (None, Some(error)),
    };
    crate::log::install_with(telemetry.as_ref().map(Telemetry::layer));
    if let Some(error) = error {
        // A plugin serves without its traces.
        tracing::error!("{error}");
    }
    let served = serving.await;
    if let Some(telemetry) = telemetry {
        // Its connection is driven on this thread.
        let _sent = tokio::task::spawn_blocking(move || telemetry.shutdown()).await;
    }
    served
}
