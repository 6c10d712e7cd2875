//! Spans to a collector.

use std::fmt;
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::registry::LookupSpan;

use crate::sampling;

/// For the last spans to reach the collector.
const FLUSH: Duration = Duration::from_secs(2);

/// Why nothing is exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The variables ask for a protocol that is not there.
    #[error(
        "OTEL_EXPORTER_OTLP_PROTOCOL asks for `{0}`, and traces are exported over `grpc` alone; point the endpoint at the collector's gRPC port, 4317 by default"
    )]
    Protocol(String),
    /// The variables ask for a sampler that is not there.
    #[error(
        "OTEL_TRACES_SAMPLER asks for `{0}`; give always_on, always_off or traceidratio, or one of them with parentbased_ before it, and for the last a share from 0 to 1 in OTEL_TRACES_SAMPLER_ARG"
    )]
    Sampler(String),
    /// The exporter cannot be made.
    #[error("traces cannot be exported: {0}; correct OTEL_EXPORTER_OTLP_ENDPOINT")]
    Exporter(#[from] ExporterBuildError),
}

/// Traces on their way out. Dropping it loses the last ones; [`Telemetry::shutdown`]
/// sends them.
pub struct Telemetry {
    provider: SdkTracerProvider,
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Telemetry")
    }
}

impl Telemetry {
    /// What the standard variables ask for; `None` where they name no endpoint or
    /// switch it off. `service` is the service's name unless they say another. To be
    /// called on a tokio runtime, which must stay until the end.
    ///
    /// # Errors
    ///
    /// [`TelemetryError`].
    pub fn from_env(service: &str) -> Result<Option<Self>, TelemetryError> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let endpoint = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
        let off = variable("OTEL_SDK_DISABLED").is_some_and(|it| it.eq_ignore_ascii_case("true"))
            || variable("OTEL_TRACES_EXPORTER").is_some_and(|it| it == "none");
        if off || endpoint.iter().all(|name| variable(name).is_none()) {
            return Ok(None);
        }
        let protocol = variable("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
            .or_else(|| variable("OTEL_EXPORTER_OTLP_PROTOCOL"));
        if let Some(other) = protocol.filter(|protocol| protocol != "grpc") {
            return Err(TelemetryError::Protocol(other.escape_debug().to_string()));
        }
        let exporter = SpanExporter::builder().with_tonic().build()?;
        let mut resource = Resource::builder();
        if variable("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name(service.to_owned());
        }
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(sampling::from_env(&variable)?)
            .with_resource(resource.build())
            .build();
        crate::propagate();
        Ok(Some(Self { provider }))
    }

    /// For a subscriber: every span of level `info` or more important, and the host's
    /// own for calls and lifecycle. Events are left to the log.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let wanted = FilterFn::new(|metadata| {
            metadata.is_span()
                && (*metadata.level() <= Level::INFO
                    || metadata.target().starts_with("outrigger::"))
        });
        let tracer = self.provider.tracer("outrigger");
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(wanted.with_max_level_hint(LevelFilter::DEBUG))
    }

    /// Sends what was collected, for two seconds at most. Blocks.
    pub fn shutdown(self) {
        // A collector that is gone is nobody's reason to wait.
        let _unsent = self.provider.shutdown_with_timeout(FLUSH);
    }
}
