//! A plugin that counts with OpenTelemetry's own SDK.

use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{SdkMeterProvider, Temporality};
use prost::Message as _;

use crate::hello::plugin;

/// Keeps what it is given last.
#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<Bytes>>);

impl Kept {
    fn set(&self, encoded: Bytes) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = encoded;
    }

    fn get(&self) -> Bytes {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl PushMetricExporter for Kept {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        self.set(ExportMetricsServiceRequest::from(metrics).encode_to_vec().into());
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}

pub(crate) fn own_metrics() -> ExitCode {
    let kept = Kept::default();
    let provider = SdkMeterProvider::builder().with_periodic_exporter(kept.clone()).build();
    let meter = provider.meter("fixture");
    let kind = [KeyValue::new("kind", "a")];
    meter.u64_counter("fixture.jobs").with_unit("{job}").build().add(3, &kind);
    meter.f64_gauge("fixture.load").with_unit("1").build().record(0.5, &kind);
    let took = meter.f64_histogram("fixture.took").with_unit("s").with_boundaries(vec![0.5, 2.0]);
    let took = took.with_description("How long a job took.").build();
    for seconds in [0.25, 1.0, 7.0] {
        took.record(seconds, &[KeyValue::new("path", "a\"b\\c")]);
    }
    meter.u64_gauge("outrigger.plugin.up").build().record(7, &[]);
    let plugin = plugin().metrics_opentelemetry(move || {
        let _flushed = provider.force_flush();
        kept.get()
    });
    plugin.run()
}
