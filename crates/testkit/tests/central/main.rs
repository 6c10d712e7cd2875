//! The client of a plugin central against servers that misbehave, and the host
//! and its commands with a central.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and tests start processes"
)]

mod client;
mod host;
mod tls;
