//! The wire contract: go-plugin's own services, gRPC health, and GoQuorum's
//! plugin interfaces, as prost messages and tonic clients and servers.
//!
//! Packages, names and numbers are the contract's and are never tidied. The
//! code under `generated/` comes from the `.proto` files beside this crate;
//! `tests/codegen.rs` keeps the two together, so nobody needs `protoc`.

/// The descriptors of all files below, and of those that they import: an
/// encoded `google.protobuf.FileDescriptorSet`, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!("generated/descriptors.bin");

macro_rules! generated {
    ($(#[$doc:meta])* $module:ident, $package:literal) => {
        $(#[$doc])*
        #[allow(
            missing_docs,
            unreachable_pub,
            unused_qualifications,
            elided_lifetimes_in_paths,
            missing_debug_implementations,
            clippy::all,
            clippy::allow_attributes_without_reason,
            clippy::use_self,
            reason = "generated code"
        )]
        pub mod $module {
            include!(concat!("generated/", $package, ".rs"));
        }
    };
}

generated!(
    /// go-plugin's broker, controller and stdio services (package `plugin`).
    plugin, "plugin"
);
generated!(
    /// The standard gRPC health service (package `grpc.health.v1`).
    health, "grpc.health.v1"
);
generated!(
    /// GoQuorum's initialiser (package `proto_common`).
    quorum_init, "proto_common"
);
generated!(
    /// GoQuorum's plugin interfaces (package `proto`).
    quorum, "proto"
);
generated!(
    /// A plugin's own metrics (package `outrigger.metrics.v1`).
    metrics, "outrigger.metrics.v1"
);
generated!(
    /// What is read of OpenTelemetry's metrics (package `outrigger.opentelemetry.v1`;
    /// on the wire as `opentelemetry.proto.metrics.v1` has them).
    opentelemetry, "outrigger.opentelemetry.v1"
);
generated!(
    /// What tests and the conformance kit ask of a plugin that offers it
    /// (package `outrigger.probe.v1`): broker, stdio and sizes, seen from outside.
    probe, "outrigger.probe.v1"
);
