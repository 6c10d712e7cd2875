//! Traces of hosts and plugins.
//!
//! A call to a plugin carries its caller's trace in the gRPC metadata `traceparent`
//! and `tracestate`, as the W3C's Trace Context has it, and so does a call that comes
//! back over the broker. [`propagate`] switches that on; [`Telemetry`] does too, and
//! exports spans over OTLP as the standard variables say:
//!
//! | variable | what |
//! | --- | --- |
//! | `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` | where to; nothing is exported without one |
//! | `OTEL_EXPORTER_OTLP_HEADERS`, `_TIMEOUT`, `_COMPRESSION` | as OpenTelemetry's documents say |
//! | `OTEL_EXPORTER_OTLP_PROTOCOL` | `grpc`, which is the only one here |
//! | `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG` | which traces are kept: `always_on`, `always_off`, `traceidratio`, and each with `parentbased_` before it; `parentbased_traceidratio` and `0.01` keep one in a hundred |
//! | `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` | who this is |
//! | `OTEL_BSP_SCHEDULE_DELAY` and the others of the batch | how spans are collected |
//! | `OTEL_SDK_DISABLED=true`, `OTEL_TRACES_EXPORTER=none` | no export |

mod context;
mod export;
mod sampling;

pub use context::propagate;
pub use export::{Telemetry, TelemetryError};
